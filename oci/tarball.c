/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/tarball.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>

static const char *const head_names[OCI_TARBALL_HEADS] = {"oci-layout", "index.json", "manifest.json"};

/* RFC 1952 2.3.1 and RFC 8878 3.1.1: how the compressed forms begin. */
static int detect(int fd, enum oci_compression *ret, struct err *e)
{
    uint8_t magic[4] = {0};
    if (pread(fd, magic, sizeof(magic), 0) < 0)
        return err_set_errno(e, ERR_IO, errno, "read");
    if (memcmp(magic, "\x1f\x8b", 2) == 0)
        *ret = OCI_COMPRESSION_GZIP;
    else if (memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
        *ret = OCI_COMPRESSION_ZSTD;
    else
        *ret = OCI_COMPRESSION_NONE;
    return 0;
}

/* Whether a component of the name is "..". */
static bool leads_out(const char *name)
{
    for (;;) {
        size_t len = strcspn(name, "/");
        if (len == 2 && memcmp(name, "..", 2) == 0)
            return true;
        if (name[len] == '\0')
            return false;
        name += len + 1;
    }
}

static int add(struct oci_tarball *t, const struct oci_member *m, unsigned place, struct err *e)
{
    char shown[200];
    if (leads_out(m->name))
        return err_set(e, ERR_FORMAT, "a member is called %s",
                       text_escape_str(m->name, shown, sizeof(shown)));
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 64;
        struct oci_tar_member *more = reallocarray(t->members, cap, sizeof(*more));
        if (!more)
            return err_nomem(e);
        t->members = more;
        t->cap = cap;
    }
    t->members[t->n++] = (struct oci_tar_member){
        .name = t->names.len, .size = m->size, .offset = m->offset, .place = place, .type = m->type};
    buf_append(&t->names, m->name, strlen(m->name) + 1);
    return buf_check(&t->names, e) == ERR_LIMIT
               ? err_set(e, ERR_LIMIT, "the members' names are longer than %u bytes", LIMIT_ARCHIVE_NAMES)
               : buf_check(&t->names, e);
}

/* What is too large to be such a file is left for whoever asks for it. */
static int keep_head(struct oci_tarball *t, const struct oci_member *m, struct oci_archive *a, struct err *e)
{
    for (size_t i = 0; i < OCI_TARBALL_HEADS; i++)
        if (m->type == OCI_MEMBER_FILE && m->size <= LIMIT_INDEX && !t->heads[i].ptr &&
            strcmp(m->name, head_names[i]) == 0)
            return source_read_all(oci_archive_read(a), &t->heads[i], e);
    return 0;
}

static int survey(struct oci_tarball *t, struct err *e)
{
    AUTO(oci_archive) a = NULL;
    struct oci_member m;
    bool more = true;
    int r = oci_archive_open_fd(t->fd, t->compression, &a, e);
    for (unsigned place = 0; !r; place++) {
        r = oci_archive_next(a, &m, &more, e);
        if (r || !more)
            break;
        if (m.type != OCI_MEMBER_FOLDER && *m.name) {
            r = add(t, &m, place, e);
            if (!r)
                r = keep_head(t, &m, a, e);
        }
    }
    return r;
}

/* For the comparisons of qsort_r and bsearch. */
static int by_name(const void *a, const void *b, void *tarball)
{
    const struct oci_tarball *t = tarball;
    return strcmp(oci_tarball_name(t, a), oci_tarball_name(t, b));
}

static int sort(struct oci_tarball *t, struct err *e)
{
    char shown[200];
    if (t->n)
        qsort_r(t->members, t->n, sizeof(*t->members), by_name, t);
    for (size_t i = 1; i < t->n; i++)
        if (by_name(&t->members[i - 1], &t->members[i], t) == 0)
            return err_set(e, ERR_FORMAT, "it holds %s twice",
                           text_escape_str(oci_tarball_name(t, &t->members[i]), shown, sizeof(shown)));
    return 0;
}

int oci_tarball_open(int fd, struct oci_tarball **ret, struct err *e)
{
    AUTO(oci_tarball) t = malloc(sizeof(*t));
    if (!t)
        return err_nomem(e);
    *t = (struct oci_tarball){.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0), .names = BUF_INIT(LIMIT_ARCHIVE_NAMES)};
    for (size_t i = 0; i < OCI_TARBALL_HEADS; i++)
        t->heads[i] = (struct buf)BUF_INIT(LIMIT_INDEX);
    (void)pthread_mutex_init(&t->turn, NULL);
    if (t->fd < 0)
        return err_set_errno(e, ERR_IO, errno, "dup");
    int r = detect(t->fd, &t->compression, e);
    if (!r)
        r = survey(t, e);
    if (!r)
        r = sort(t, e);
    if (!r)
        *ret = TAKE(t);
    return r;
}

void oci_tarball_close(struct oci_tarball *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < OCI_TARBALL_HEADS; i++)
        buf_done(&t->heads[i]);
    buf_done(&t->names);
    free(t->members);
    if (t->fd >= 0)
        (void)close(t->fd);
    (void)pthread_mutex_destroy(&t->turn);
    free(t);
}

const char *oci_tarball_name(const struct oci_tarball *t, const struct oci_tar_member *m)
{
    return (const char *)t->names.ptr + m->name;
}

const struct oci_tar_member *oci_tarball_find(const struct oci_tarball *t, const char *name)
{
    size_t from = 0, to = t->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(oci_tarball_name(t, &t->members[middle]), name);
        if (order == 0)
            return &t->members[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

static int check_file(const struct oci_tarball *t, const struct oci_tar_member *m, struct err *e)
{
    char shown[200];
    return m->type == OCI_MEMBER_FILE
               ? 0
               : err_set(e, ERR_FORMAT, "the member %s is no regular file",
                         text_escape_str(oci_tarball_name(t, m), shown, sizeof(shown)));
}

/* One pass up to the member and through it. */
static int get_compressed(struct oci_tarball *t, const struct oci_tar_member *m, struct sink *to,
                          struct err *e)
{
    AUTO(oci_archive) a = NULL;
    struct oci_member at;
    bool more = true;
    int r = oci_archive_open_fd(t->fd, t->compression, &a, e);
    for (unsigned place = 0; !r && more && place <= m->place; place++)
        r = oci_archive_next(a, &at, &more, e);
    if (!r && (!more || at.type != OCI_MEMBER_FILE || at.size != m->size))
        r = err_set(e, ERR_IO, "the archive changed while it was read");
    return r ? r : stream_copy(oci_archive_read(a), to, NULL, e);
}

int oci_tarball_get(struct oci_tarball *t, const struct oci_tar_member *m, struct sink *to, struct err *e)
{
    int r = check_file(t, m, e);
    if (r)
        return r;
    if (t->compression == OCI_COMPRESSION_NONE) {
        struct source_file file;
        struct source_limit part;
        (void)source_file_init(&file, t->fd);
        file.at = (off_t)m->offset;
        return stream_copy(source_limit_init(&part, &file.base, m->size), to, NULL, e);
    }
    (void)pthread_mutex_lock(&t->turn);
    r = get_compressed(t, m, to, e);
    (void)pthread_mutex_unlock(&t->turn);
    return r;
}

int oci_tarball_read(struct oci_tarball *t, const char *name, struct buf *out, struct err *e)
{
    char shown[200];
    const struct oci_tar_member *m = oci_tarball_find(t, name);
    (void)text_escape_str(name, shown, sizeof(shown));
    if (!m)
        return err_set(e, ERR_NOTFOUND, "%s is not there", shown);
    int r = check_file(t, m, e);
    if (r)
        return r;
    if (m->size > out->max - out->len)
        return err_set(e, ERR_LIMIT, "%s has %llu bytes, more than %zu", shown, (unsigned long long)m->size,
                       out->max);
    for (size_t i = 0; i < OCI_TARBALL_HEADS; i++)
        if (t->heads[i].ptr && strcmp(name, head_names[i]) == 0) {
            buf_append_bytes(out, buf_bytes(&t->heads[i]));
            return buf_check(out, e);
        }
    struct sink_buf to;
    return oci_tarball_get(t, m, sink_buf_init(&to, out), e);
}

int oci_tarball_each(struct oci_tarball *t, struct oci_tarball_visit *v, struct err *e)
{
    AUTO(oci_archive) a = NULL;
    struct oci_member at;
    bool more = true;
    int r = oci_archive_open_fd(t->fd, t->compression, &a, e);
    while (!r) {
        r = oci_archive_next(a, &at, &more, e);
        if (r || !more)
            break;
        const struct oci_tar_member *m = at.type == OCI_MEMBER_FILE ? oci_tarball_find(t, at.name) : NULL;
        if (m && m->size != at.size)
            r = err_set(e, ERR_IO, "the archive changed while it was read");
        else if (m)
            r = v->see(v, m, oci_archive_read(a), e);
    }
    return r;
}
