/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of this machine as the files of an image layout. */
#include "base/text.h"
#include "oci/cas.h"
#include "oci/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#define DIR_MODE  0777
#define FILE_MODE 0666

struct folder {
    struct oci_tree base;
    int root;
    int locked;  /* the descriptor that holds the lock, or -1 */
    int claimed; /* likewise, of the blobs */
};

static void folder_unlock(struct oci_tree *t)
{
    struct folder *f = (struct folder *)t;
    if (f->locked >= 0)
        (void)close(TAKE_FD(f->locked));
}

static void folder_close(struct oci_tree *t)
{
    struct folder *f = (struct folder *)t;
    folder_unlock(t);
    if (f->claimed >= 0)
        (void)close(f->claimed);
    (void)close(f->root);
    free(t);
}

/* The lock is on the folder itself, so that no foreign file is left in it. */
static int folder_lock(struct oci_tree *t, struct err *e)
{
    struct folder *f = (struct folder *)t;
    AUTO_FD int fd = -1;
    int r = dir_open(f->root, ".", false, &fd, e);
    while (!r && flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            r = err_set_errno(e, ERR_IO, errno, "lock");
    if (!r)
        f->locked = TAKE_FD(fd);
    return r;
}

static int folder_read(struct oci_tree *t, const char *name, struct buf *out, struct err *e)
{
    return file_read(((struct folder *)t)->root, name, true, out, e);
}

static int folder_write(struct oci_tree *t, const char *name, struct bytes data, enum file_existing existing,
                        struct err *e)
{
    return file_write(((struct folder *)t)->root, name, data, FILE_MODE, existing, e);
}

static int folder_make(struct oci_tree *t, struct err *e)
{
    return oci_cas_make(((struct folder *)t)->root, HASH_SHA256, DIR_MODE, e);
}

static int folder_list(struct oci_tree *t, struct oci_tree_names *names, struct err *e)
{
    AUTO_FD int fd = -1;
    int r = dir_open(((struct folder *)t)->root, ".", false, &fd, e);
    DIR *d = r ? NULL : fdopendir(fd);
    if (!d)
        return r ? r : err_set_errno(e, ERR_IO, errno, "opendir");
    fd = -1; /* the DIR's */
    for (struct dirent *entry; !r && (entry = readdir(d));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            r = names->see(names, entry->d_name, e);
    (void)closedir(d);
    return r;
}

static int folder_blob_open(struct oci_tree *t, const struct digest *d, uint64_t size, int *ret_fd,
                            struct err *e)
{
    return oci_cas_open(((struct folder *)t)->root, d, size, ret_fd, e);
}

static int folder_blob_get(struct oci_tree *t, const struct digest *d, uint64_t size, struct sink *to,
                           struct err *e)
{
    AUTO_FD int fd = -1;
    struct source_file s;
    int r = folder_blob_open(t, d, size, &fd, e);
    return r ? r : stream_copy(source_file_init(&s, fd), to, NULL, e);
}

static bool folder_blob_has(struct oci_tree *t, const struct digest *d, uint64_t size)
{
    AUTO_FD int fd = -1;
    struct err ignored;
    return folder_blob_open(t, d, size, &fd, &ignored) == 0 && oci_cas_check(fd, d, &ignored) == 0;
}

static int folder_blob_put(struct oci_tree *t, const struct digest *d, const struct source_opener *from,
                           struct err *e)
{
    struct folder *f = (struct folder *)t;
    struct oci_cas_put put;
    struct source *source = NULL;
    int r = oci_cas_make(f->root, d->alg, DIR_MODE, e);
    if (r)
        return r;
    oci_cas_sweep(f->root, d->alg);
    r = oci_cas_put_init(&put, f->root, d, from->size, FILE_MODE, e);
    if (r)
        return r;
    r = from->open(from->ctx, &source, e);
    if (!r)
        r = stream_copy(source, &put.verify.base, NULL, e);
    if (!r)
        r = sink_commit(&put.verify.base, e);
    source_close(source);
    sink_abort(&put.verify.base);
    return r;
}

static int folder_blob_remove(struct oci_tree *t, const struct digest *d, struct err *e)
{
    return oci_cas_remove(((struct folder *)t)->root, d, e);
}

/* A lock on the folder of the blobs: shared by those who put some. */
static int folder_claim(struct oci_tree *t, bool alone, struct err *e)
{
    struct folder *f = (struct folder *)t;
    AUTO_FD int fd = -1;
    int r = dir_open(f->root, "blobs", false, &fd, e);
    while (!r && flock(fd, alone ? LOCK_EX | LOCK_NB : LOCK_SH) < 0) {
        if (errno == EWOULDBLOCK)
            r = err_set(e, ERR_UNSUPPORTED, "somebody is writing to the layout");
        else if (errno != EINTR)
            r = err_set_errno(e, ERR_IO, errno, "lock");
    }
    if (!r)
        f->claimed = TAKE_FD(fd);
    return r;
}

static const struct oci_tree_ops folder_ops = {
    .close = folder_close,
    .read = folder_read,
    .write = folder_write,
    .make = folder_make,
    .list = folder_list,
    .lock = folder_lock,
    .unlock = folder_unlock,
    .blob_get = folder_blob_get,
    .blob_open = folder_blob_open,
    .blob_has = folder_blob_has,
    .blob_put = folder_blob_put,
    .blob_remove = folder_blob_remove,
    .claim = folder_claim,
};

int oci_tree_folder_at(int root, struct oci_tree **ret, struct err *e)
{
    struct folder *f = malloc(sizeof(*f));
    if (!f)
        return err_nomem(e);
    *f = (struct folder){
        .base = {&folder_ops}, .root = fcntl(root, F_DUPFD_CLOEXEC, 0), .locked = -1, .claimed = -1};
    if (f->root < 0) {
        free(f);
        return err_set_errno(e, ERR_IO, errno, "dup");
    }
    *ret = &f->base;
    return 0;
}

int oci_tree_folder(const char *path, bool create, struct oci_tree **ret, struct err *e)
{
    AUTO_FD int root = -1;
    int r = create ? dir_make(path, DIR_MODE, e) : 0;
    if (!r)
        r = dir_open(AT_FDCWD, path, false, &root, e);
    return r ? r : oci_tree_folder_at(root, ret, e);
}

int oci_layout_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool create,
                    struct oci_endpoint **ret, struct err *e)
{
    (void)conf;
    char shown[300];
    struct oci_tree *tree;
    int r = oci_tree_folder(ref->path, create, &tree, e);
    if (r)
        return r;
    r = oci_layout_over(tree, create, ret, e);
    return r ? err_wrap(e, "%s", text_escape_str(ref->path, shown, sizeof(shown))) : 0;
}
