/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar file as the files of an image layout. It is read where it lies. The first thing that is written
 * brings all that it holds into a private folder beside it, where everything happens from then on; finish
 * packs that folder into a new tar in its place, and without finish the file stays as it was.
 */
#include "base/limits.h"
#include "base/text.h"
#include "oci/docker.h"
#include "oci/staging.h"

#include <fcntl.h>
#include <stdio.h>

#define LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

struct archive {
    struct oci_tree base;
    const char *path;
    struct oci_tarball *tar; /* NULL: there is no file yet */
    bool is_docker;
    struct oci_docker docker;
    struct oci_staging staging;
    struct oci_tree *staged; /* what is written to; NULL: nothing was yet */
    pthread_mutex_t turn;    /* for the moment in which it is made */
};

static struct archive *archive_of(struct oci_tree *t)
{
    return (struct archive *)t;
}

static void unstage(struct archive *a)
{
    if (a->staged) {
        a->staged->ops->close(TAKE(a->staged));
        oci_staging_close(&a->staging);
    }
}

static void archive_close(struct oci_tree *t)
{
    struct archive *a = archive_of(t);
    unstage(a);
    oci_docker_done(&a->docker);
    oci_tarball_close(a->tar);
    (void)pthread_mutex_destroy(&a->turn);
    free(a);
}

static bool is_docker(const struct oci_tarball *tar)
{
    return !oci_tarball_find(tar, OCI_LAYOUT_FILE) && oci_tarball_find(tar, OCI_DOCKER_FILE);
}

/* "blobs/<alg>/<hex>" */
static bool blob_name(const char *name, struct digest *ret)
{
    char text[DIGEST_STR_MAX];
    struct err ignored;
    const char *hex = strrchr(name, '/');
    if (strncmp(name, "blobs/", 6) != 0 || hex < name + 6)
        return false;
    int n = snprintf(text, sizeof(text), "%.*s:%s", (int)(hex - name - 6), name + 6, hex + 1);
    return n > 0 && n < (int)sizeof(text) && digest_parse(bytes_of(text, (size_t)n), ret, &ignored) == 0;
}

/* What is written anew must be understood whole. */
static int check_members(const struct oci_tarball *tar, struct err *e)
{
    char shown[200];
    struct digest ignored;
    if (is_docker(tar))
        return err_set(e, ERR_UNSUPPORTED, "docker's archives are read, not written");
    for (size_t i = 0; i < tar->n; i++) {
        const struct oci_tar_member *m = &tar->members[i];
        const char *name = oci_tarball_name(tar, m);
        bool known = blob_name(name, &ignored) || strcmp(name, OCI_LAYOUT_FILE) == 0 ||
                     strcmp(name, OCI_INDEX_FILE) == 0;
        if (!known || m->type != OCI_MEMBER_FILE)
            return err_set(e, ERR_UNSUPPORTED,
                           "not written, since it holds %s, which is no part of an image layout",
                           text_escape_str(name, shown, sizeof(shown)));
    }
    return 0;
}

struct seed {
    struct oci_tarball_visit base;
    const struct oci_tarball *tar;
    struct oci_tree *to;
};

static int give(void *ctx, struct source **ret, struct err *e)
{
    (void)e;
    *ret = ctx;
    return 0;
}

static int seed_member(struct oci_tarball_visit *v, const struct oci_tar_member *m, struct source *from,
                       struct err *e)
{
    struct seed *s = (struct seed *)v;
    struct digest d;
    const char *name = oci_tarball_name(s->tar, m);
    const struct source_opener once = {give, from, m->size};
    if (blob_name(name, &d))
        return s->to->ops->blob_put(s->to, &d, &once, e);
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_INDEX);
    int r = source_read_all(from, &text, e);
    return r ? r : s->to->ops->write(s->to, name, buf_bytes(&text), FILE_REPLACE, e);
}

/* Until the lock was held the file could be replaced: it is opened again, and the one that was open stays,
 * for others may be reading it. */
static int fill(const struct archive *a, struct oci_tree *to, struct err *e)
{
    AUTO(oci_tarball) tar = NULL;
    AUTO_FD int fd = -1;
    int r = file_open_read(AT_FDCWD, a->path, false, &fd, e);
    if (r)
        return r == ERR_NOTFOUND ? 0 : r;
    r = oci_tarball_open(fd, &tar, e);
    if (!r)
        r = check_members(tar, e);
    struct seed s = {.base = {seed_member}, .tar = tar, .to = to};
    return r ? r : oci_tarball_each(tar, &s.base, e);
}

static int stage(struct archive *a, struct err *e)
{
    struct oci_tree *tree = NULL;
    int r = oci_staging_open(a->path, &a->staging, e);
    if (r)
        return r;
    r = oci_tree_folder_at(a->staging.root, &tree, e);
    if (!r)
        r = fill(a, tree, e);
    if (r) {
        if (tree)
            tree->ops->close(tree);
        oci_staging_close(&a->staging);
        return r;
    }
    a->staged = tree;
    return 0;
}

/* The folder that is written to, or NULL when there is none. */
static struct oci_tree *staged(struct archive *a)
{
    (void)pthread_mutex_lock(&a->turn);
    struct oci_tree *tree = a->staged;
    (void)pthread_mutex_unlock(&a->turn);
    return tree;
}

/* The same, made where there is none. */
static int writable(struct oci_tree *t, struct oci_tree **ret, struct err *e)
{
    struct archive *a = archive_of(t);
    (void)pthread_mutex_lock(&a->turn);
    int r = a->staged ? 0 : stage(a, e);
    if (!r)
        *ret = a->staged;
    (void)pthread_mutex_unlock(&a->turn);
    return r;
}

static int archive_read(struct oci_tree *t, const char *name, struct buf *out, struct err *e)
{
    struct archive *a = archive_of(t);
    struct oci_tree *tree = staged(a);
    if (tree)
        return tree->ops->read(tree, name, out, e);
    if (!a->is_docker)
        return oci_tarball_read(a->tar, name, out, e);
    if (strcmp(name, OCI_LAYOUT_FILE) == 0)
        buf_append_str(out, LAYOUT_TEXT);
    else if (strcmp(name, OCI_INDEX_FILE) == 0)
        buf_append_bytes(out, buf_bytes(&a->docker.index));
    else
        return err_set(e, ERR_NOTFOUND, "%s is not there", name);
    return buf_check(out, e);
}

static int archive_write(struct oci_tree *t, const char *name, struct bytes data, enum file_existing existing,
                         struct err *e)
{
    struct oci_tree *to;
    int r = writable(t, &to, e);
    return r ? r : to->ops->write(to, name, data, existing, e);
}

static int archive_make(struct oci_tree *t, struct err *e)
{
    struct oci_tree *to;
    int r = writable(t, &to, e);
    return r ? r : to->ops->make(to, e);
}

static int archive_list(struct oci_tree *t, struct oci_tree_names *names, struct err *e)
{
    struct oci_tree *to;
    int r = writable(t, &to, e);
    return r ? r : to->ops->list(to, names, e);
}

/* Whoever has the private folder has the lock. */
static int archive_lock(struct oci_tree *t, struct err *e)
{
    struct oci_tree *to;
    return writable(t, &to, e);
}

static void archive_unlock(struct oci_tree *t)
{
    (void)t;
}

static int get_docker(struct archive *a, const struct digest *d, uint64_t size, struct sink *to,
                      struct err *e)
{
    char text[DIGEST_STR_MAX];
    const struct oci_docker_blob *blob = oci_docker_find(&a->docker, d);
    if (!blob)
        return err_set(e, ERR_NOTFOUND, "blob %s is missing", digest_str(d, text));
    if (size != UINT64_MAX && blob->size != size)
        return err_set(e, ERR_DIGEST, "blob %s has %llu bytes, expected %llu", digest_hex(d, text),
                       (unsigned long long)blob->size, (unsigned long long)size);
    return blob->member ? oci_tarball_get(a->tar, blob->member, to, e)
                        : sink_write(to, buf_bytes(&blob->body), e);
}

static int get_member(struct archive *a, const struct digest *d, uint64_t size, struct sink *to,
                      struct err *e)
{
    char name[DIGEST_STR_MAX + 16], hex[DIGEST_STR_MAX];
    (void)snprintf(name, sizeof(name), "blobs/%s/%s", hash_name(d->alg), digest_hex(d, hex));
    const struct oci_tar_member *m = oci_tarball_find(a->tar, name);
    if (!m)
        return err_set(e, ERR_NOTFOUND, "blob %s:%s is missing", hash_name(d->alg), hex);
    if (size != UINT64_MAX && m->size != size)
        return err_set(e, ERR_DIGEST, "blob %s has %llu bytes, expected %llu", hex,
                       (unsigned long long)m->size, (unsigned long long)size);
    return oci_tarball_get(a->tar, m, to, e);
}

static int archive_blob_get(struct oci_tree *t, const struct digest *d, uint64_t size, struct sink *to,
                            struct err *e)
{
    struct archive *a = archive_of(t);
    struct oci_tree *tree = staged(a);
    if (tree)
        return tree->ops->blob_get(tree, d, size, to, e);
    return a->is_docker ? get_docker(a, d, size, to, e) : get_member(a, d, size, to, e);
}

static bool archive_blob_has(struct oci_tree *t, const struct digest *d, uint64_t size)
{
    struct oci_tree *to;
    struct err ignored;
    return writable(t, &to, &ignored) == 0 && to->ops->blob_has(to, d, size);
}

static int archive_blob_put(struct oci_tree *t, const struct digest *d, const struct source_opener *from,
                            struct err *e)
{
    struct oci_tree *to;
    int r = writable(t, &to, e);
    return r ? r : to->ops->blob_put(to, d, from, e);
}

static int archive_blob_remove(struct oci_tree *t, const struct digest *d, struct err *e)
{
    struct oci_tree *to;
    int r = writable(t, &to, e);
    return r ? r : to->ops->blob_remove(to, d, e);
}

static int archive_finish(struct oci_tree *t, struct err *e)
{
    struct archive *a = archive_of(t);
    return staged(a) ? oci_staging_pack(&a->staging, e) : 0;
}

static const struct oci_tree_ops archive_ops = {
    .close = archive_close,
    .read = archive_read,
    .write = archive_write,
    .make = archive_make,
    .list = archive_list,
    .lock = archive_lock,
    .unlock = archive_unlock,
    .blob_get = archive_blob_get,
    .blob_has = archive_blob_has,
    .blob_put = archive_blob_put,
    .blob_remove = archive_blob_remove,
    .finish = archive_finish,
};

static int open_tar(struct archive *a, int fd, struct err *e)
{
    int r = oci_tarball_open(fd, &a->tar, e);
    if (r)
        return r;
    a->is_docker = is_docker(a->tar);
    return a->is_docker ? oci_docker_open(a->tar, &a->docker, e) : 0;
}

/* fd: of the file, or -1: there is none yet. */
static int archive_open(const char *path, int fd, struct oci_tree **ret, struct err *e)
{
    struct archive *a = malloc(sizeof(*a));
    if (!a)
        return err_nomem(e);
    *a = (struct archive){.base = {&archive_ops}, .path = path, .docker = {.index = BUF_INIT(LIMIT_INDEX)}};
    (void)pthread_mutex_init(&a->turn, NULL);
    int r = fd < 0 ? stage(a, e) : open_tar(a, fd, e);
    if (r) {
        archive_close(&a->base);
        return r;
    }
    *ret = &a->base;
    return 0;
}

int oci_layout_archive_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool create,
                            struct oci_endpoint **ret, struct err *e)
{
    (void)conf;
    char shown[300];
    struct oci_tree *tree = NULL;
    AUTO_FD int fd = -1;
    int r = file_open_read(AT_FDCWD, ref->path, false, &fd, e);
    if (r && !(r == ERR_NOTFOUND && create))
        return r;
    r = archive_open(ref->path, fd, &tree, e);
    if (!r)
        r = oci_layout_over(tree, create, ret, e);
    return r ? err_wrap(e, "%s", text_escape_str(ref->path, shown, sizeof(shown))) : 0;
}
