/* SPDX-License-Identifier: Apache-2.0 */
/* Files: reading with a cap, and writing so that a file appears whole or not at all. */
#ifndef WAYBILL_BASE_FILE_H
#define WAYBILL_BASE_FILE_H

#include "base/io.h"

#include <sys/types.h>

/* file_read - appends the whole file to out; "-" is no special name here.
 * dirfd: AT_FDCWD or an open folder.  nofollow: refuse a symbolic link as the last component.
 * ERR_NOTFOUND, ERR_LIMIT (more than out may hold), ERR_IO (also for anything but a regular file). */
MUST_CHECK int file_read(int dirfd, const char *path, bool nofollow, struct buf *out, struct err *e);

/* A source over an open regular file, from its start; pread, so that several may share the descriptor. The
 * descriptor stays the caller's. */
struct source_file {
    struct source base;
    int fd;
    off_t at; /* set to -1 after init: a pipe, which is read from where it is */
};
struct source *source_file_init(struct source_file *s, int fd);

/* An opener over an open regular file. size: as fstat says when it is made; a file that is shorter or longer
 * by the time it is read is an ERR_IO "changed while it was read". */
struct opener_file {
    int fd;
    uint64_t size;
    struct source_file source;
    struct source_tee tee;
    uint64_t seen;
};
MUST_CHECK int opener_file_init(struct opener_file *o, int fd, struct source_opener *ret, struct err *e);

/* file_open_read - an existing regular file, read-only; ERR_NOTFOUND, ERR_IO. The caller closes *ret_fd. */
MUST_CHECK int file_open_read(int dirfd, const char *path, bool nofollow, int *ret_fd, struct err *e);

/* file_open_input - the same, and pipes, named (it waits until somebody writes) or as the shell's <(...)
 * makes them: for small files that are read once. *ret: a source over it. file_read_input - appends all that
 * is read; ERR_LIMIT as well. */
MUST_CHECK int file_open_input(int dirfd, const char *path, int *ret_fd, struct source_file *ret,
                               struct err *e);
MUST_CHECK int file_read_input(int dirfd, const char *path, struct buf *out, struct err *e);

enum file_existing {
    FILE_REPLACE, /* an existing regular file or a link is replaced; anything else, and a link into /proc as
                     /dev/stdout is one, is ERR_IO */
    FILE_REFUSE,  /* ERR_EXISTS when there is one by the time of commit */
    FILE_KEEP,    /* an existing file is kept and commit succeeds (a content-addressed store) */
};

/* A sink whose file appears at commit: written without a name in the same folder (under a temporary one where
 * the file system has no such files), fsync, link or rename, fsync of the folder. abort, and a commit that
 * fails, leave nothing behind; a killed process leaves at most a file ".waybill-*.tmp", and that only in the
 * moment of a replacement. */
struct sink_file {
    struct sink base;
    int dirfd, fd;
    bool owns_dirfd, named; /* named: the file has the name temp */
    bool quick; /* set after init: commit does not wait for the disk. The file appears whole or not at all as
                   long as the machine runs; after a crash of it, it may be empty. For what may be lost */
    enum file_existing existing;
    int *keep_fd; /* set after init: commit leaves the open descriptor there (read and write) instead of
                     closing it */
    char name[256], temp[64];
};
/* dirfd: AT_FDCWD or an open folder that stays the caller's.  path: relative to it.  mode: of the new file,
 * before the umask. */
MUST_CHECK int sink_file_init(struct sink_file *s, int dirfd, const char *path, mode_t mode,
                              enum file_existing existing, struct err *e);

/* sink_file_take - lets the file `name` of the folder dirfd, which is open as fd and whose bytes are on the
 * disk, be the one that appears at commit, by a rename instead of a copy, with the mode and group that a new
 * file has there. Whatever was written to the sink is lost. *ret_taken false: it lies on another file system,
 * and nothing has changed. fd stays the caller's. */
MUST_CHECK int sink_file_take(struct sink_file *s, int dirfd, const char *name, int fd, bool *ret_taken,
                              struct err *e);

/* file_write - data as a whole file by way of sink_file. */
MUST_CHECK int file_write(int dirfd, const char *path, struct bytes data, mode_t mode,
                          enum file_existing existing, struct err *e);

/* file_write_quick - the same for what may be lost: see `quick`. */
MUST_CHECK int file_write_quick(int dirfd, const char *path, struct bytes data, mode_t mode,
                                enum file_existing existing, struct err *e);

/* sink_fd_init - a sink to a descriptor that cannot be reverted (standard output); stays the caller's. */
struct sink_fd {
    struct sink base;
    int fd;
};
struct sink *sink_fd_init(struct sink_fd *s, int fd);

/* file_unnamed - a new file for reading and writing, which nobody else can open and which goes with its
 * descriptor. dir: a folder, NULL: /tmp. The caller closes *ret_fd. */
MUST_CHECK int file_unnamed(const char *dir, int *ret_fd, struct err *e);

/* dir_make - like mkdir -p with the given mode for every folder it creates. */
MUST_CHECK int dir_make(const char *path, mode_t mode, struct err *e);

/* dir_open - a folder (O_PATH is not enough for fsync: O_RDONLY). The caller closes *ret_fd.
 * only_ours: additionally refused with ERR_CONFIG unless it is a real folder (no link) that belongs to the
 * effective user and nobody else may write to. */
MUST_CHECK int dir_open(int dirfd, const char *path, bool only_ours, int *ret_fd, struct err *e);

/* file_lock - waits for an exclusive lock on the named file (created 0600, left in place); closing *ret_fd
 * ends it. */
MUST_CHECK int file_lock(int dirfd, const char *path, int *ret_fd, struct err *e);

/* fd_clone - the whole of regular file `from` to the empty file `to` by reference, where the file system has
 * that; false, and nothing was done, where not. */
bool fd_clone(int from, int to, uint64_t size);

/* fd_copy - the whole of regular file `from` to `to` at its start: by reflink or in the kernel where it can.
 */
MUST_CHECK int fd_copy(int from, int to, uint64_t size, struct err *e);

#endif
