/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading by libarchive, of which little is switched on: one format, two compressions, no programs, nothing
 * that touches a disk. What it does not bound is bounded here: nothing is passed over without being counted.
 */
#include "base/limits.h"
#include "base/text.h"
#include "oci/archive_ops.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>

struct reader {
    struct oci_archive base;
    struct archive *lib;
    locale_t utf8; /* libarchive turns the names of pax headers into those of the thread's locale */
    struct source *from;
    int fd;
    uint64_t fd_size, fd_at;
    uint64_t consumed; /* bytes of the compressed form */
    bool compressed, in_member;
    unsigned members;
    struct err failure; /* of the stream below: its own words are better than libarchive's */
    struct buf name, target;
    /* The current member: what is left of it, and a block of it that was decoded and not yet handed out. */
    struct source source;
    uint64_t left;
    struct bytes block;
    uint8_t chunk[64U << 10];
};

static struct reader *reader_of(struct oci_archive *a)
{
    return (struct reader *)a;
}

static la_ssize_t read_fd(struct reader *r)
{
    ssize_t n;
    do
        n = pread(r->fd, r->chunk, sizeof(r->chunk), (off_t)r->fd_at);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        (void)err_set_errno(&r->failure, ERR_IO, errno, "read");
    else
        r->fd_at += (uint64_t)n;
    return n;
}

static la_ssize_t on_read(struct archive *lib, void *ctx, const void **ret)
{
    struct reader *r = ctx;
    la_ssize_t n;
    size_t got = 0;
    if (r->from)
        n = source_read(r->from, r->chunk, sizeof(r->chunk), &got, &r->failure) ? -1 : (la_ssize_t)got;
    else
        n = read_fd(r);
    if (n < 0) {
        archive_set_error(lib, EIO, "the stream failed");
        return ARCHIVE_FATAL;
    }
    r->consumed += (uint64_t)n;
    *ret = r->chunk;
    return n;
}

static la_int64_t on_skip(struct archive *lib, void *ctx, la_int64_t want)
{
    (void)lib;
    struct reader *r = ctx;
    uint64_t rest = r->fd_at < r->fd_size ? r->fd_size - r->fd_at : 0;
    uint64_t n = want < 0 ? 0 : (uint64_t)want < rest ? (uint64_t)want : rest;
    r->fd_at += n;
    r->consumed += n;
    return (la_int64_t)n;
}

/* What went wrong, in the words of the stream below or of libarchive, which quotes what it read. */
static int failed(const struct reader *r, struct err *e)
{
    char text[200];
    if (r->failure.code) {
        *e = r->failure;
        return e->code;
    }
    if (archive_errno(r->lib) == ENOMEM)
        return err_nomem(e);
    const char *said = archive_error_string(r->lib);
    return err_set(e, ERR_FORMAT, "tar: %s", text_escape_str(said ? said : "malformed", text, sizeof(text)));
}

static int check_unpacked(const struct reader *r, struct err *e)
{
    uint64_t unpacked = (uint64_t)archive_filter_bytes(r->lib, 0);
    if (!r->compressed)
        return 0;
    if (unpacked > LIMIT_ARCHIVE_UNPACKED)
        return err_set(e, ERR_LIMIT, "tar: unpacks to more than %llu bytes",
                       (unsigned long long)LIMIT_ARCHIVE_UNPACKED);
    if (unpacked > LIMIT_MODULE && unpacked / LIMIT_ARCHIVE_RATIO > r->consumed)
        return err_set(e, ERR_LIMIT, "tar: unpacks to more than %u times its size", LIMIT_ARCHIVE_RATIO);
    return 0;
}

/* A compression that libarchive would leave to a program counts as one that is not there. */
static int enable(struct archive *lib, enum oci_compression compression, struct err *e)
{
    bool any = compression == OCI_COMPRESSION_DETECT;
    int status = archive_read_support_format_tar(lib);
    if (status == ARCHIVE_OK && (any || compression == OCI_COMPRESSION_GZIP))
        status = archive_read_support_filter_gzip(lib);
    if (status == ARCHIVE_OK && (any || compression == OCI_COMPRESSION_ZSTD))
        status = archive_read_support_filter_zstd(lib);
    return status == ARCHIVE_OK
               ? 0
               : err_set(e, ERR_UNSUPPORTED, "this build of libarchive lacks tar, gzip or zstd");
}

static int check_filters(struct reader *r, enum oci_compression compression, struct err *e)
{
    static const int codes[] = {
        [OCI_COMPRESSION_NONE] = ARCHIVE_FILTER_NONE,
        [OCI_COMPRESSION_GZIP] = ARCHIVE_FILTER_GZIP,
        [OCI_COMPRESSION_ZSTD] = ARCHIVE_FILTER_ZSTD,
    };
    int n = archive_filter_count(r->lib), code = archive_filter_code(r->lib, 0);
    r->compressed = code != ARCHIVE_FILTER_NONE;
    if (n > (r->compressed ? 2 : 1)) /* the innermost is the stream itself */
        return err_set(e, ERR_FORMAT, "tar: compressed more than once");
    if (compression != OCI_COMPRESSION_DETECT && code != codes[compression])
        return err_set(e, ERR_FORMAT, "tar: not compressed as it is said to be");
    return 0;
}

static int set_up(struct reader *r, enum oci_compression compression, struct err *e)
{
    struct stat st;
    if (!r->from && fstat(r->fd, &st) < 0)
        return err_set_errno(e, ERR_IO, errno, "fstat");
    r->fd_size = r->from ? 0 : (uint64_t)st.st_size;
    r->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    r->lib = archive_read_new();
    if (!r->lib)
        return err_nomem(e);
    int s = enable(r->lib, compression, e);
    if (s)
        return s;
    (void)archive_read_set_read_callback(r->lib, on_read);
    if (!r->from)
        (void)archive_read_set_skip_callback(r->lib, on_skip);
    (void)archive_read_set_callback_data(r->lib, r);
    if (archive_read_open1(r->lib) != ARCHIVE_OK)
        return failed(r, e);
    return check_filters(r, compression, e);
}

int oci_archive_reader_open(struct source *from, int fd, enum oci_compression compression,
                            struct oci_archive **ret, struct err *e)
{
    struct reader *r = calloc(1, sizeof(*r));
    if (!r)
        return err_nomem(e);
    *r = (struct reader){.base = {&oci_archive_plugin_ops},
                         .from = from,
                         .fd = fd,
                         .name = BUF_INIT(LIMIT_ARCHIVE_NAME),
                         .target = BUF_INIT(LIMIT_ARCHIVE_NAME)};
    int s = set_up(r, compression, e);
    if (s) {
        oci_archive_reader_close(&r->base);
        return s;
    }
    *ret = &r->base;
    return 0;
}

void oci_archive_reader_close(struct oci_archive *a)
{
    struct reader *r = reader_of(a);
    if (r->lib)
        (void)archive_read_free(r->lib);
    if (r->utf8)
        freelocale(r->utf8);
    buf_done(&r->name);
    buf_done(&r->target);
    free(r);
}

/* The next bytes of the member into r->block, empty at its end. */
static int next_block(struct reader *r, struct err *e)
{
    const void *at;
    size_t n;
    la_int64_t offset;
    int status = archive_read_data_block(r->lib, &at, &n, &offset);
    if (status < ARCHIVE_WARN)
        return failed(r, e);
    r->block = status == ARCHIVE_EOF ? BYTES_NONE : bytes_of(at, n);
    return check_unpacked(r, e);
}

/* Passes over the rest of a member: libarchive would do that too, and decode without an end. */
static int pass(struct reader *r, struct err *e)
{
    int s = 0;
    for (bool more = r->compressed && r->in_member; !s && more;) {
        s = next_block(r, e);
        more = r->block.len > 0;
    }
    r->in_member = false;
    r->left = 0;
    r->block = BYTES_NONE;
    return s;
}

/* A name without what does not name anything: "./", "//", "/" in front and behind. */
static int put_name(struct buf *out, const char *name, struct err *e)
{
    buf_reset(out);
    while (*name) {
        size_t len = strcspn(name, "/");
        if (len && !(len == 1 && *name == '.')) {
            if (out->len)
                buf_append_u8(out, '/');
            buf_append(out, name, len);
        }
        name += len + (name[len] == '/');
    }
    return buf_check(out, e) == ERR_LIMIT
               ? err_set(e, ERR_LIMIT, "tar: a name of more than %u bytes", LIMIT_ARCHIVE_NAME)
               : buf_check(out, e);
}

static enum oci_member_type type_of(struct archive_entry *entry)
{
    if (archive_entry_hardlink(entry))
        return OCI_MEMBER_HARDLINK;
    if (archive_entry_sparse_count(entry) > 0)
        return OCI_MEMBER_OTHER;
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG: return OCI_MEMBER_FILE;
    case AE_IFDIR: return OCI_MEMBER_FOLDER;
    case AE_IFLNK: return OCI_MEMBER_SYMLINK;
    default: return OCI_MEMBER_OTHER;
    }
}

static int describe(struct reader *r, struct archive_entry *entry, struct oci_member *ret, struct err *e)
{
    const char *name = archive_entry_pathname(entry);
    struct oci_member m = {.type = type_of(entry), .offset = OCI_MEMBER_NO_OFFSET};
    const char *target = m.type == OCI_MEMBER_HARDLINK  ? archive_entry_hardlink(entry)
                         : m.type == OCI_MEMBER_SYMLINK ? archive_entry_symlink(entry)
                                                        : NULL;
    int s = put_name(&r->name, name ? name : "", e);
    buf_reset(&r->target);
    buf_append_str(&r->target, target ? target : "");
    if (!s)
        s = buf_check(&r->target, e);
    la_int64_t size = archive_entry_size(entry);
    if (!s && size < 0)
        s = err_set(e, ERR_FORMAT, "tar: a member of negative size");
    if (s)
        return s;
    r->left = m.type == OCI_MEMBER_FILE ? (uint64_t)size : 0;
    r->in_member = true;
    m.name = buf_cstr(&r->name);
    m.target = target ? buf_cstr(&r->target) : NULL;
    if (m.type == OCI_MEMBER_FILE) {
        m.size = (uint64_t)size;
        m.offset = (uint64_t)archive_filter_bytes(r->lib, 0);
    }
    *ret = m;
    return 0;
}

static int next(struct reader *r, struct oci_member *ret, bool *ret_more, struct err *e)
{
    struct archive_entry *entry;
    int s = pass(r, e);
    if (s)
        return s;
    int status = archive_read_next_header(r->lib, &entry);
    if (status == ARCHIVE_EOF) {
        *ret_more = false;
        return 0;
    }
    if (status < ARCHIVE_WARN)
        return failed(r, e);
    if (++r->members > LIMIT_ARCHIVE_MEMBERS)
        return err_set(e, ERR_LIMIT, "tar: more than %u members", LIMIT_ARCHIVE_MEMBERS);
    s = check_unpacked(r, e);
    if (!s)
        s = describe(r, entry, ret, e);
    if (!s)
        *ret_more = true;
    return s;
}

int oci_archive_reader_next(struct oci_archive *a, struct oci_member *ret, bool *ret_more, struct err *e)
{
    struct reader *r = reader_of(a);
    locale_t before = r->utf8 ? uselocale(r->utf8) : (locale_t)0;
    int s = next(r, ret, ret_more, e);
    if (before)
        (void)uselocale(before);
    return s;
}

static int member_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct reader *r = (struct reader *)(void *)((char *)base - offsetof(struct reader, source));
    struct bytes part;
    if (r->left && !r->block.len) {
        int s = next_block(r, e);
        if (!s && (!r->block.len || r->block.len > r->left))
            s = err_set(e, ERR_FORMAT, "tar: a member is not as long as its header says");
        if (s)
            return s;
    }
    size_t n = cap < r->block.len ? cap : r->block.len;
    (void)bytes_take(&r->block, n, &part);
    if (n)
        memcpy(buf, part.ptr, n);
    r->left -= n;
    *ret_n = n;
    return 0;
}

struct source *oci_archive_reader_read(struct oci_archive *a)
{
    struct reader *r = reader_of(a);
    r->source = (struct source){.read = member_read};
    return &r->source;
}
