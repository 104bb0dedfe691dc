/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a server over SFTP version 3 (draft-ietf-secsh-filexfer-02) with the extensions of OpenSSH
 * (PROTOCOL, section 4). Reads and writes of a file are kept in flight, so that a long way costs little.
 *
 * Any thread may call any function; one file is one thread's. Failures of every function that talks to the
 * server: ERR_NOTFOUND, ERR_AUTH (permission denied), ERR_UNSUPPORTED, ERR_NETWORK (the stream ended, or
 * nothing came for the time that is allowed), ERR_IO (what else the server refuses: its words are in the
 * message; also an answer that makes no sense), ERR_NOMEM. Version 3 has no word for "exists": callers of
 * mkdir and of NET_SFTP_NEW that must know look with net_sftp_stat; these two do so, and say ERR_EXISTS.
 */
#ifndef WAYBILL_NET_SFTP_H
#define WAYBILL_NET_SFTP_H

#include "net/ssh.h"

struct net_sftp;      /* one SFTP stream */
struct net_sftp_file; /* an open file */

/* net_sftp_open - begins an SFTP stream on a connection, which outlives it. Released with net_sftp_close
 * (takes NULL) when its files are closed. ERR_UNSUPPORTED: the server has no SFTP. */
MUST_CHECK int net_sftp_open(struct net_ssh *ssh, struct net_sftp **ret, struct err *e);

/* net_sftp_open_fd - the same on a stream socket that is taken over, also on failure. timeout_ms: how long an
 * answer may take. */
MUST_CHECK int net_sftp_open_fd(int fd, long timeout_ms, struct net_sftp **ret, struct err *e);
void net_sftp_close(struct net_sftp *s);
DEFINE_AUTO(net_sftp, net_sftp_close);

enum net_sftp_kind { NET_SFTP_OTHER, NET_SFTP_REGULAR, NET_SFTP_FOLDER, NET_SFTP_LINK };

struct net_sftp_attr {
    enum net_sftp_kind kind; /* NET_SFTP_OTHER also when the server does not say */
    uint64_t size;           /* UINT64_MAX when the server does not say */
    uint32_t mode;           /* permission bits */
    uint32_t mtime;          /* seconds since 1970; 0 when the server does not say */
};

/* Paths: relative ones start where the server puts us, usually at home. */

/* net_sftp_stat - follow: what a link leads to. */
MUST_CHECK int net_sftp_stat(struct net_sftp *s, const char *path, bool follow, struct net_sftp_attr *ret,
                             struct err *e);

/* net_sftp_mkdir - one folder. ERR_EXISTS: something is there. */
MUST_CHECK int net_sftp_mkdir(struct net_sftp *s, const char *path, uint32_t mode, struct err *e);

/* net_sftp_rename - in one step, replacing what is there (posix-rename@openssh.com). ERR_UNSUPPORTED where
 * the server has only the rename that would not replace. */
MUST_CHECK int net_sftp_rename(struct net_sftp *s, const char *from, const char *to, struct err *e);

/* net_sftp_unlink - a file or a link; net_sftp_rmdir - an empty folder. */
MUST_CHECK int net_sftp_unlink(struct net_sftp *s, const char *path, struct err *e);
MUST_CHECK int net_sftp_rmdir(struct net_sftp *s, const char *path, struct err *e);

/* net_sftp_list - shows each entry of a folder but "." and "..", in no order; `see` must not call functions
 * of this stream; its failure ends the list and is returned. Names with a "/" or an empty one are ERR_IO.
 * attr: of the entry itself, links are not followed. */
MUST_CHECK int net_sftp_list(struct net_sftp *s, const char *path,
                             int (*see)(void *ctx, const char *name, const struct net_sftp_attr *attr,
                                        struct err *e),
                             void *ctx, struct err *e);

enum net_sftp_flags {
    NET_SFTP_READ = 1,
    NET_SFTP_WRITE = 2,
    NET_SFTP_CREATE = 4,   /* made if it is missing */
    NET_SFTP_TRUNCATE = 8, /* emptied */
    NET_SFTP_NEW = 16,     /* with CREATE: ERR_EXISTS when something is there */
};

/* net_sftp_file_open - flags: of enum net_sftp_flags. mode: of a file that is made, before the server's
 * umask. *ret: released with net_sftp_file_close. */
MUST_CHECK int net_sftp_file_open(struct net_sftp *s, const char *path, unsigned flags, uint32_t mode,
                                  struct net_sftp_file **ret, struct err *e);

/* net_sftp_file_close - waits for what was written, closes, and releases f in any case (takes NULL). Returns
 * the first failure of a write. */
MUST_CHECK int net_sftp_file_close(struct net_sftp_file *f, struct err *e);
/* net_sftp_file_drop - the same where failures do not matter. */
void net_sftp_file_drop(struct net_sftp_file *f);

MUST_CHECK int net_sftp_file_stat(struct net_sftp_file *f, struct net_sftp_attr *ret, struct err *e);

/* net_sftp_read - up to cap (> 0) bytes from where the last read ended, or from the start; reads ahead.
 * *ret_n = 0 only at the end. */
MUST_CHECK int net_sftp_read(struct net_sftp_file *f, void *buf, size_t cap, size_t *ret_n, struct err *e);

/* net_sftp_seek - where the next net_sftp_read and net_sftp_write begin; what was read ahead is forgotten. */
void net_sftp_seek(struct net_sftp_file *f, uint64_t offset);

/* net_sftp_pread - up to cap bytes at offset; as net_sftp_seek and net_sftp_read, one request at a time. */
MUST_CHECK int net_sftp_pread(struct net_sftp_file *f, uint64_t offset, void *buf, size_t cap, size_t *ret_n,
                              struct err *e);

/* net_sftp_write - all of data, where the last write ended. A failure may be that of an earlier write. */
MUST_CHECK int net_sftp_write(struct net_sftp_file *f, struct bytes data, struct err *e);

/* net_sftp_flush - waits until the server has taken every write; net_sftp_sync - and has them on its disk
 * (fsync@openssh.com). ERR_UNSUPPORTED where the server has no such request: everything was flushed then. */
MUST_CHECK int net_sftp_flush(struct net_sftp_file *f, struct err *e);
MUST_CHECK int net_sftp_sync(struct net_sftp_file *f, struct err *e);

#endif
