/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/cas.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define STALE_SECONDS 3600

/* The folder of one algorithm, by steps that follow no links. */
static int open_folder(int root, enum hash_alg alg, int *ret_fd, struct err *e)
{
    AUTO_FD int blobs = openat(root, "blobs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (blobs < 0)
        return err_set_errno(e, ERR_IO, errno, "blobs");
    int fd = openat(blobs, hash_name(alg), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(e, ERR_IO, errno, "blobs/%s", hash_name(alg));
    *ret_fd = fd;
    return 0;
}

int oci_cas_make(int root, enum hash_alg alg, mode_t mode, struct err *e)
{
    char path[16];
    (void)snprintf(path, sizeof(path), "blobs/%s", hash_name(alg));
    if (mkdirat(root, "blobs", mode) < 0 && errno != EEXIST)
        return err_set_errno(e, ERR_IO, errno, "mkdir blobs");
    if (mkdirat(root, path, mode) < 0 && errno != EEXIST)
        return err_set_errno(e, ERR_IO, errno, "mkdir %s", path);
    return 0;
}

int oci_cas_open(int root, const struct digest *d, uint64_t size, int *ret_fd, struct err *e)
{
    AUTO_FD int folder = -1;
    AUTO_FD int fd = -1;
    char hex[DIGEST_STR_MAX];
    (void)digest_hex(d, hex);
    int r = open_folder(root, d->alg, &folder, e);
    if (!r)
        r = file_open_read(folder, hex, true, &fd, e);
    if (r == ERR_NOTFOUND)
        return err_set(e, ERR_NOTFOUND, "blob %s:%s is missing", hash_name(d->alg), hex);
    if (r)
        return err_wrap(e, "blob");
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set_errno(e, ERR_IO, errno, "blob %s", hex);
    if (size != UINT64_MAX && (uint64_t)st.st_size != size)
        return err_set(e, ERR_DIGEST, "blob %s has %lld bytes, expected %llu", hex, (long long)st.st_size,
                       (unsigned long long)size);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int discard(struct sink *s, struct bytes data, struct err *e)
{
    (void)s, (void)data, (void)e;
    return 0;
}

static int discard_commit(struct sink *s, struct err *e)
{
    (void)s, (void)e;
    return 0;
}

static void discard_abort(struct sink *s)
{
    (void)s;
}

int oci_cas_check(int fd, const struct digest *d, struct err *e)
{
    struct sink nowhere = {discard, discard_commit, discard_abort};
    struct sink_verify v;
    struct source_file s;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set_errno(e, ERR_IO, errno, "fstat");
    int r = sink_verify_init(&v, &nowhere, d, (uint64_t)st.st_size, e);
    if (!r)
        r = stream_copy(source_file_init(&s, fd), &v.base, NULL, e);
    if (!r)
        r = sink_commit(&v.base, e);
    sink_abort(&v.base);
    return r;
}

int oci_cas_read(int root, const struct digest *d, struct buf *out, struct err *e)
{
    AUTO_FD int fd = -1;
    struct digest got;
    struct source_file s;
    int r = oci_cas_open(root, d, UINT64_MAX, &fd, e);
    if (!r)
        r = source_read_all(source_file_init(&s, fd), out, e);
    if (!r)
        r = hash_bytes(d->alg, buf_bytes(out), &got, e);
    if (!r && !digest_eq(&got, d)) {
        char hex[DIGEST_STR_MAX];
        r = err_set(e, ERR_DIGEST, "blob %s is damaged", digest_hex(d, hex));
    }
    return r;
}

int oci_cas_put_init(struct oci_cas_put *put, int root, const struct digest *d, uint64_t size, mode_t mode,
                     struct err *e)
{
    char hex[DIGEST_STR_MAX];
    AUTO_FD int folder = -1;
    int r = open_folder(root, d->alg, &folder, e);
    if (!r)
        r = sink_file_init(&put->file, folder, digest_hex(d, hex), mode, FILE_REPLACE, e);
    if (r)
        return r;
    (void)TAKE_FD(folder); /* the sink's from here on */
    put->file.owns_dirfd = true;
    r = sink_verify_init(&put->verify, &put->file.base, d, size, e);
    if (r)
        sink_abort(&put->verify.base);
    return r;
}

int oci_cas_put_bytes(int root, const struct digest *d, struct bytes data, mode_t mode, bool quick,
                      struct err *e)
{
    struct oci_cas_put put;
    int r = oci_cas_put_init(&put, root, d, data.len, mode, e);
    if (r)
        return r;
    put.file.quick = quick;
    r = sink_write(&put.verify.base, data, e);
    if (!r)
        r = sink_commit(&put.verify.base, e);
    sink_abort(&put.verify.base);
    return r;
}

int oci_cas_remove(int root, const struct digest *d, struct err *e)
{
    AUTO_FD int folder = -1;
    char hex[DIGEST_STR_MAX];
    int r = open_folder(root, d->alg, &folder, e);
    if (r)
        return r == ERR_NOTFOUND ? 0 : r;
    if (unlinkat(folder, digest_hex(d, hex), 0) < 0 && errno != ENOENT)
        return err_set_errno(e, ERR_IO, errno, "blob %s", hex);
    return 0;
}

int oci_cas_adopt(int root, const struct digest *d, int dirfd, const char *name, struct err *e)
{
    char hex[DIGEST_STR_MAX];
    AUTO_FD int folder = -1;
    int r = open_folder(root, d->alg, &folder, e);
    if (r)
        return r;
    if (renameat(dirfd, name, folder, digest_hex(d, hex)) < 0)
        return err_set_errno(e, ERR_IO, errno, "blob %s", hex);
    return 0;
}

static bool is_stale(int folder, const char *name)
{
    size_t len = strlen(name);
    struct stat st;
    return strncmp(name, ".waybill-", 9) == 0 && len > 4 && strcmp(name + len - 4, ".tmp") == 0 &&
           fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime + STALE_SECONDS < time(NULL);
}

void oci_cas_sweep(int root, enum hash_alg alg)
{
    int folder;
    struct err ignored;
    if (open_folder(root, alg, &folder, &ignored) != 0)
        return;
    DIR *d = fdopendir(folder);
    if (!d) {
        (void)close(folder);
        return;
    }
    for (struct dirent *entry; (entry = readdir(d));)
        if (is_stale(folder, entry->d_name))
            (void)unlinkat(folder, entry->d_name, 0);
    (void)closedir(d);
}
