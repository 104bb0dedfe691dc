/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/staging.h"

#include "base/hex.h"
#include "oci/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#define REMOVE_DEPTH  4    /* blobs/<alg>/<file> and the folder itself */
#define LOCK_TRIES    1000 /* each one lost means that another process has finished */
#define FILE_MODE     0666
#define ABANDON_TRIES 3 /* other threads may still be making files */

/* What a signal handler has to know: a command writes one archive at most. */
static const struct oci_staging *_Atomic open_now;

/* Removes a file, or a folder and what is in it; no link is followed. */
static void remove_all(int parent, const char *name, unsigned depth)
{
    if (unlinkat(parent, name, 0) == 0 || depth == 0)
        return;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(d));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_all(dirfd(d), entry->d_name, depth - 1);
    (void)closedir(d);
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

static int open_parent(const char *path, struct oci_staging *s, struct err *e)
{
    const char *slash = strrchr(path, '/');
    s->target = slash ? slash + 1 : path;
    if (*s->target == '\0' || strcmp(s->target, ".") == 0 || strcmp(s->target, "..") == 0)
        return err_set(e, ERR_USAGE, "not the name of a file");
    AUTO_FREE char *parent = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    return parent ? dir_open(AT_FDCWD, parent, false, &s->parent, e) : err_nomem(e);
}

/* Whoever holds the lock removes its file, so that one which was waited for may be another one by then. */
static int take_lock(struct oci_staging *s, struct err *e)
{
    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        struct stat mine, there;
        AUTO_FD int fd =
            openat(s->parent, s->lock_name, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
        if (fd < 0)
            return err_set_errno(e, ERR_IO, errno, "%s", s->lock_name);
        while (flock(fd, LOCK_EX) < 0)
            if (errno != EINTR)
                return err_set_errno(e, ERR_IO, errno, "lock %s", s->lock_name);
        if (fstat(fd, &mine) == 0 && fstatat(s->parent, s->lock_name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
            mine.st_ino == there.st_ino && mine.st_dev == there.st_dev) {
            s->lock = TAKE_FD(fd);
            return 0;
        }
    }
    return err_set(e, ERR_IO, "%s: too many writers", s->lock_name);
}

/* Under the lock: what carries the target's prefix is nobody's any more. */
static void sweep(const struct oci_staging *s, const char *prefix)
{
    int fd = openat(s->parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(d));)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            remove_all(s->parent, entry->d_name, REMOVE_DEPTH);
    (void)closedir(d);
}

static int make_folder(struct oci_staging *s, const char *hex, struct err *e)
{
    uint8_t random[8];
    char random_hex[2 * sizeof(random) + 1], prefix[40];
    int r = hash_random(random, sizeof(random), e);
    if (r)
        return r;
    (void)snprintf(prefix, sizeof(prefix), ".waybill-%.16s-", hex);
    sweep(s, prefix);
    (void)snprintf(s->name, sizeof(s->name), "%s%s.tmp", prefix, hex_encode(BYTES_ARR(random), random_hex));
    if (mkdirat(s->parent, s->name, 0700) < 0) {
        r = err_set_errno(e, ERR_IO, errno, "mkdir %s", s->name);
        s->name[0] = '\0';
        return r;
    }
    s->root = openat(s->parent, s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return s->root < 0 ? err_set_errno(e, ERR_IO, errno, "%s", s->name) : 0;
}

int oci_staging_open(const char *path, struct oci_staging *ret, struct err *e)
{
    struct oci_staging s = {.parent = -1, .lock = -1, .root = -1};
    struct digest d;
    char hex[DIGEST_STR_MAX];
    int r = open_parent(path, &s, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, bytes_str(s.target), &d, e);
    if (!r) {
        (void)snprintf(s.lock_name, sizeof(s.lock_name), ".waybill-%.16s.lock", digest_hex(&d, hex));
        r = take_lock(&s, e);
    }
    if (!r)
        r = make_folder(&s, hex, e);
    if (r) {
        oci_staging_close(&s);
        return r;
    }
    *ret = s;
    atomic_store(&open_now, ret);
    return 0;
}

/* Removes the files of a folder with system calls alone. */
static void clear_folder(int root, const char *path)
{
    _Alignas(struct dirent64) char entries[4096];
    int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    for (ssize_t n; fd >= 0 && (n = getdents64(fd, entries, sizeof(entries))) > 0;)
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *entry = (const void *)(entries + at);
            (void)unlinkat(fd, entry->d_name, 0);
            at += entry->d_reclen;
        }
    if (fd >= 0)
        (void)close(fd);
}

void oci_staging_abandon(void)
{
    static const char *const folders[] = {"blobs/sha256", "blobs/sha512", "blobs"};
    const struct oci_staging *s = atomic_load(&open_now);
    bool gone = !s;
    for (unsigned n = 0; !gone && n < ABANDON_TRIES; n++) {
        for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
            clear_folder(s->root, folders[i]);
            (void)unlinkat(s->root, folders[i], AT_REMOVEDIR);
        }
        clear_folder(s->root, ".");
        gone = unlinkat(s->parent, s->name, AT_REMOVEDIR) == 0;
    }
    if (s)
        (void)unlinkat(s->parent, s->lock_name, 0);
}

void oci_staging_close(struct oci_staging *s)
{
    const struct oci_staging *mine = s;
    (void)atomic_compare_exchange_strong(&open_now, &mine, NULL);
    if (s->root >= 0)
        (void)close(TAKE_FD(s->root));
    if (s->name[0])
        remove_all(s->parent, s->name, REMOVE_DEPTH);
    s->name[0] = '\0';
    if (s->lock >= 0) {
        (void)unlinkat(s->parent, s->lock_name, 0);
        (void)close(TAKE_FD(s->lock));
    }
    if (s->parent >= 0)
        (void)close(TAKE_FD(s->parent));
}

static int add_file(struct oci_archive_out *out, int root, const char *path, struct err *e)
{
    AUTO_FD int fd = -1;
    struct opener_file file;
    struct source_opener opener;
    struct source *source;
    int r = file_open_read(root, path, true, &fd, e);
    if (!r)
        r = opener_file_init(&file, fd, &opener, e);
    if (!r)
        r = opener.open(opener.ctx, &source, e);
    return r ? r : oci_archive_add(out, path, opener.size, source, e);
}

static int only_blobs(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return (len == 2 * HASH_SHA256_LEN || len == 2 * HASH_SHA512_LEN) &&
           strspn(entry->d_name, "0123456789abcdef") == len;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_blobs(struct oci_archive_out *out, int root, enum hash_alg alg, struct err *e)
{
    char path[DIGEST_STR_MAX + 16];
    struct dirent **names;
    (void)snprintf(path, sizeof(path), "blobs/%s", hash_name(alg));
    int n = scandirat(root, path, &names, only_blobs, by_bytes), r = 0;
    if (n < 0)
        return errno == ENOENT ? 0 : err_set_errno(e, ERR_IO, errno, "%s", path);
    for (int i = 0; i < n; i++) {
        (void)snprintf(path, sizeof(path), "blobs/%s/%.*s", hash_name(alg), 2 * HASH_SHA512_LEN,
                       names[i]->d_name);
        if (!r)
            r = add_file(out, root, path, e);
        free(names[i]);
    }
    free(names);
    return r;
}

static int write_tar(int root, struct sink *to, enum oci_compression compression, struct err *e)
{
    AUTO(oci_archive_out) out = NULL;
    int r = oci_archive_write(to, compression, &out, e);
    if (!r)
        r = add_file(out, root, OCI_LAYOUT_FILE, e);
    if (!r)
        r = add_file(out, root, OCI_INDEX_FILE, e);
    if (!r)
        r = add_blobs(out, root, HASH_SHA256, e);
    if (!r)
        r = add_blobs(out, root, HASH_SHA512, e);
    return r ? r : oci_archive_finish(out, e);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);
    return len > n && strcmp(text + len - n, end) == 0;
}

int oci_staging_pack(const struct oci_staging *s, struct err *e)
{
    struct sink_file file;
    struct stat st;
    bool gzip = ends_with(s->target, ".gz") || ends_with(s->target, ".tgz");
    mode_t mode = fstatat(s->parent, s->target, &st, 0) == 0 ? st.st_mode & 0777 : FILE_MODE;
    int r = sink_file_init(&file, s->parent, s->target, mode, FILE_REPLACE, e);
    if (r)
        return r;
    r = write_tar(s->root, &file.base, gzip ? OCI_COMPRESSION_GZIP : OCI_COMPRESSION_NONE, e);
    if (!r)
        r = sink_commit(&file.base, e);
    sink_abort(&file.base);
    return r;
}
