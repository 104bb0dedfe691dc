/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "base/hex.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

int file_open_read(int dirfd, const char *path, bool nofollow, int *ret_fd, struct err *e)
{
    /* O_NONBLOCK: opening a FIFO must not hang before it is refused. */
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (nofollow ? O_NOFOLLOW : 0);
    AUTO_FD int fd = openat(dirfd, path, flags);
    if (fd < 0 && nofollow && errno == ELOOP)
        return err_set(e, ERR_IO, "%s: a symbolic link", path);
    if (fd < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", path);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_IO, "%s: not a regular file", path);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int file_read(int dirfd, const char *path, bool nofollow, struct buf *out, struct err *e)
{
    AUTO_FD int fd = -1;
    int r = file_open_read(dirfd, path, nofollow, &fd, e);
    if (r)
        return r;
    struct source_file s;
    r = source_read_all(source_file_init(&s, fd), out, e);
    return r ? err_wrap(e, "%s", path) : 0;
}

int file_open_input(int dirfd, const char *path, int *ret_fd, struct source_file *ret, struct err *e)
{
    struct stat st;
    bool is_pipe = fstatat(dirfd, path, &st, 0) == 0 && S_ISFIFO(st.st_mode);
    if (!is_pipe) {
        int r = file_open_read(dirfd, path, false, ret_fd, e);
        if (!r)
            (void)source_file_init(ret, *ret_fd);
        return r;
    }
    /* Without O_NONBLOCK: who opens a named pipe first waits for the other. */
    AUTO_FD int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", path);
    if (!S_ISFIFO(st.st_mode))
        return err_set(e, ERR_IO, "%s: it was another file a moment ago", path);
    (void)source_file_init(ret, fd);
    ret->at = -1;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int file_read_input(int dirfd, const char *path, struct buf *out, struct err *e)
{
    AUTO_FD int fd = -1;
    struct source_file s;
    int r = file_open_input(dirfd, path, &fd, &s, e);
    if (!r && (r = source_read_all(&s.base, out, e)))
        return err_wrap(e, "%s", path);
    return r;
}

static int file_source_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct source_file *s = (struct source_file *)base;
    ssize_t n;
    do
        n = s->at < 0 ? read(s->fd, buf, cap) : pread(s->fd, buf, cap, s->at);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set_errno(e, ERR_IO, errno, "read");
    if (s->at >= 0)
        s->at += n;
    *ret_n = (size_t)n;
    return 0;
}

struct source *source_file_init(struct source_file *s, int fd)
{
    *s = (struct source_file){.base = {.read = file_source_read}, .fd = fd};
    return &s->base;
}

static int opener_file_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct opener_file *o = (struct opener_file *)(void *)((char *)base - offsetof(struct opener_file, tee));
    size_t n;
    int r = source_read(&o->source.base, buf, cap, &n, e);
    if (r)
        return r;
    o->seen += n;
    if (o->seen > o->size || (n == 0 && o->seen != o->size))
        return err_set(e, ERR_IO, "the file changed while it was read");
    *ret_n = n;
    return 0;
}

static int opener_file_open(void *ctx, struct source **ret, struct err *e)
{
    (void)e;
    struct opener_file *o = ctx;
    (void)source_file_init(&o->source, o->fd);
    o->seen = 0;
    o->tee = (struct source_tee){.base = {.read = opener_file_read}};
    *ret = &o->tee.base;
    return 0;
}

int opener_file_init(struct opener_file *o, int fd, struct source_opener *ret, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set_errno(e, ERR_IO, errno, "fstat");
    *o = (struct opener_file){.fd = fd, .size = (uint64_t)st.st_size};
    *ret = (struct source_opener){opener_file_open, o, o->size};
    return 0;
}

static int fd_write(int fd, struct bytes data, struct err *e)
{
    while (data.len) {
        ssize_t n = write(fd, data.ptr, data.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(e, ERR_IO, errno, "write");
        data = bytes_of(data.ptr + n, data.len - (size_t)n);
    }
    return 0;
}

static int sink_file_write(struct sink *base, struct bytes data, struct err *e)
{
    return fd_write(((struct sink_file *)base)->fd, data, e);
}

static void sink_file_abort(struct sink *base)
{
    struct sink_file *s = (struct sink_file *)base;
    if (s->fd >= 0) {
        (void)close(TAKE_FD(s->fd));
        if (s->named)
            (void)unlinkat(s->dirfd, s->temp, 0);
    }
    if (s->owns_dirfd && s->dirfd >= 0)
        (void)close(TAKE_FD(s->dirfd));
}

/* Gives the file a name; errno when that fails. */
static int link_as(const struct sink_file *s, const char *name)
{
    char unnamed[32];
    (void)snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", s->fd);
    int r = s->named ? linkat(s->dirfd, s->temp, s->dirfd, name, 0)
                     : linkat(AT_FDCWD, unnamed, s->dirfd, name, AT_SYMLINK_FOLLOW);
    return r < 0 ? errno : 0;
}

static int put_in_place(struct sink_file *s, struct err *e)
{
    int r = s->existing == FILE_REPLACE && s->named ? EEXIST : link_as(s, s->name);
    if (r == EEXIST && s->existing == FILE_REPLACE) {
        r = s->named ? 0 : link_as(s, s->temp); /* what is there can only be replaced by a rename */
        s->named = r == 0;
        if (!r && renameat(s->dirfd, s->temp, s->dirfd, s->name) < 0)
            r = errno;
        s->named = s->named && r;
    }
    if (r && !(r == EEXIST && s->existing == FILE_KEEP))
        return err_set_errno(e, ERR_IO, r, "%s", s->name);
    if (s->named)
        (void)unlinkat(s->dirfd, s->temp, 0);
    return 0;
}

static int sink_file_commit(struct sink *base, struct err *e)
{
    struct sink_file *s = (struct sink_file *)base;
    if (!s->quick && fsync(s->fd) < 0)
        return err_set_errno(e, ERR_IO, errno, "fsync %s", s->name);
    int r = put_in_place(s, e);
    if (r)
        return r;
    int fd = TAKE_FD(s->fd); /* from here abort has nothing to remove */
    if (s->keep_fd)
        *s->keep_fd = fd;
    else if (close(fd) < 0)
        return err_set_errno(e, ERR_IO, errno, "close %s", s->name);
    if (!s->quick && fsync(s->dirfd) < 0)
        return err_set_errno(e, ERR_IO, errno, "fsync of the folder of %s", s->name);
    return 0;
}

/* Splits path into its folder, opened, and the last component. */
static int open_parent(struct sink_file *s, int dirfd, const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return err_set(e, ERR_USAGE, "%s: not the name of a file", path);
    if (snprintf(s->name, sizeof(s->name), "%s", name) >= (int)sizeof(s->name))
        return err_set(e, ERR_USAGE, "%s: the name is too long", path);
    if (!slash && dirfd != AT_FDCWD) {
        s->dirfd = dirfd;
        return 0;
    }
    AUTO_FREE char *parent = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    if (!parent)
        return err_nomem(e);
    int r = dir_open(dirfd, parent, false, &s->dirfd, e);
    s->owns_dirfd = r == 0;
    return r;
}

/* /dev/stdout and its like, whatever it leads to at the moment. */
static bool is_link_to_proc(const struct sink_file *s)
{
    char target[6];
    return readlinkat(s->dirfd, s->name, target, sizeof(target)) == (ssize_t)sizeof(target) &&
           memcmp(target, "/proc/", sizeof(target)) == 0;
}

/* rename would put a file in the place of a device or FIFO, and not write to it. */
static int check_existing(const struct sink_file *s, const char *path, struct err *e)
{
    struct stat st;
    if (s->existing == FILE_REFUSE && fstatat(s->dirfd, s->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(e, ERR_EXISTS, "%s: already exists", path);
    if (s->existing == FILE_REPLACE && fstatat(s->dirfd, s->name, &st, 0) == 0 &&
        (!S_ISREG(st.st_mode) || is_link_to_proc(s)))
        return err_set(e, ERR_IO, "%s: not a regular file", path);
    return 0;
}

/* A file without a name vanishes with a killed process; not every file system has them. */
static int open_temp(struct sink_file *s, const char *path, mode_t mode, struct err *e)
{
    uint8_t random[12];
    char hex[2 * sizeof(random) + 1];
    int r = hash_random(random, sizeof(random), e);
    if (r)
        return r;
    (void)snprintf(s->temp, sizeof(s->temp), ".waybill-%s.tmp", hex_encode(BYTES_ARR(random), hex));
    if (access("/proc/self/fd", X_OK) == 0)
        s->fd = openat(s->dirfd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, mode);
    if (s->fd >= 0)
        return 0;
    s->fd = openat(s->dirfd, s->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    s->named = s->fd >= 0;
    return s->named ? 0 : err_set_errno(e, ERR_IO, errno, "%s", path);
}

int sink_file_init(struct sink_file *s, int dirfd, const char *path, mode_t mode, enum file_existing existing,
                   struct err *e)
{
    *s = (struct sink_file){.base = {sink_file_write, sink_file_commit, sink_file_abort},
                            .dirfd = -1,
                            .fd = -1,
                            .existing = existing};
    int r = open_parent(s, dirfd, path, e);
    if (r)
        return r;
    r = check_existing(s, path, e);
    if (!r)
        r = open_temp(s, path, mode, e);
    if (r)
        sink_file_abort(&s->base);
    return r;
}

int sink_file_take(struct sink_file *s, int dirfd, const char *name, int fd, bool *ret_taken, struct err *e)
{
    struct stat made, taken;
    if (fstat(s->fd, &made) < 0 || fstat(fd, &taken) < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", s->name);
    *ret_taken = false;
    if (made.st_dev != taken.st_dev || taken.st_uid != made.st_uid)
        return 0;
    AUTO_FD int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0 || renameat(dirfd, name, s->dirfd, s->temp) < 0)
        return 0; /* mounts and subvolumes of one file system */
    (void)close(s->fd);
    s->fd = TAKE_FD(own);
    s->named = *ret_taken = true;
    if ((made.st_gid != taken.st_gid && fchown(s->fd, (uid_t)-1, made.st_gid) < 0) ||
        fchmod(s->fd, made.st_mode & 07777) < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", s->name);
    return 0;
}

static int write_whole(int dirfd, const char *path, struct bytes data, mode_t mode,
                       enum file_existing existing, bool quick, struct err *e)
{
    struct sink_file s;
    int r = sink_file_init(&s, dirfd, path, mode, existing, e);
    if (r)
        return r;
    s.quick = quick;
    r = sink_write(&s.base, data, e);
    if (!r)
        r = sink_commit(&s.base, e);
    sink_abort(&s.base);
    return r;
}

int file_write(int dirfd, const char *path, struct bytes data, mode_t mode, enum file_existing existing,
               struct err *e)
{
    return write_whole(dirfd, path, data, mode, existing, false, e);
}

int file_write_quick(int dirfd, const char *path, struct bytes data, mode_t mode, enum file_existing existing,
                     struct err *e)
{
    return write_whole(dirfd, path, data, mode, existing, true, e);
}

static int sink_fd_write(struct sink *base, struct bytes data, struct err *e)
{
    return fd_write(((struct sink_fd *)base)->fd, data, e);
}

static int sink_fd_commit(struct sink *base, struct err *e)
{
    (void)base, (void)e;
    return 0;
}

static void sink_fd_abort(struct sink *base)
{
    (void)base;
}

struct sink *sink_fd_init(struct sink_fd *s, int fd)
{
    *s = (struct sink_fd){.base = {sink_fd_write, sink_fd_commit, sink_fd_abort}, .fd = fd};
    return &s->base;
}

int file_unnamed(const char *dir, int *ret_fd, struct err *e)
{
    const char *in = dir ? dir : "/tmp";
    AUTO_FD int fd = open(in, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    AUTO_FREE char *name = NULL;
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        if (asprintf(&name, "%s/.waybill-XXXXXX", in) < 0)
            return err_nomem(e);
        fd = mkostemp(name, O_CLOEXEC);
        if (fd >= 0)
            (void)unlink(name);
    }
    if (fd < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", in);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int dir_make(const char *path, mode_t mode, struct err *e)
{
    AUTO_FREE char *copy = strdup(path);
    if (!copy)
        return err_nomem(e);
    for (char *at = copy + 1; *copy; at++) {
        bool last = *at == '\0';
        if (!last && *at != '/')
            continue;
        *at = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            return err_set_errno(e, ERR_IO, errno, "mkdir %s", copy);
        if (last)
            break;
        *at = '/';
    }
    return 0;
}

int dir_open(int dirfd, const char *path, bool only_ours, int *ret_fd, struct err *e)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (only_ours ? O_NOFOLLOW : 0);
    AUTO_FD int fd = openat(dirfd, path, flags);
    if (fd < 0 && only_ours && errno == ENOTDIR)
        return err_set(e, ERR_CONFIG, "%s: a link, or no folder", path);
    if (fd < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", path);
    struct stat st;
    if (only_ours && fstat(fd, &st) < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", path);
    if (only_ours && st.st_uid != geteuid())
        return err_set(e, ERR_CONFIG, "%s: belongs to another user", path);
    if (only_ours && (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return err_set(e, ERR_CONFIG, "%s: others may write to it (chmod go-w)", path);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int file_lock(int dirfd, const char *path, int *ret_fd, struct err *e)
{
    AUTO_FD int fd = openat(dirfd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", path);
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return err_set_errno(e, ERR_IO, errno, "lock %s", path);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

bool fd_clone(int from, int to, uint64_t size)
{
    struct stat st;
    return fstat(from, &st) == 0 && (uint64_t)st.st_size == size && ioctl(to, FICLONE, from) == 0;
}

int fd_copy(int from, int to, uint64_t size, struct err *e)
{
    if (fd_clone(from, to, size))
        return 0;
    off_t at = 0;
    while ((uint64_t)at < size) {
        ssize_t n = copy_file_range(from, &at, to, NULL, (size_t)(size - (uint64_t)at), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
    }
    struct source_file s;
    struct sink_fd out;
    (void)source_file_init(&s, from);
    s.at = at; /* whatever the kernel would not do */
    uint64_t rest;
    int r = stream_copy(&s.base, sink_fd_init(&out, to), &rest, e);
    if (!r && (uint64_t)at + rest != size)
        r = err_set(e, ERR_IO, "the file changed while it was copied");
    return r;
}
