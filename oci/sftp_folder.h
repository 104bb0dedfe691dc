/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of a server over SFTP: files that are read, files that appear by a rename in one step after the
 * server was asked to bring them to its disk (until then they are .waybill-<random>.tmp on top), and a lock.
 *
 * Writers keep out of each other's way by a file of their own making, .waybill-lock, with a token in it. A
 * lock that is older than a minute, by the server's clock, is taken to be left by a writer that is gone;
 * whoever holds one for long makes sure that it is still his before he replaces anything.
 */
#ifndef WAYBILL_OCI_SFTP_FOLDER_H
#define WAYBILL_OCI_SFTP_FOLDER_H

#include "base/io.h"
#include "net/sftp.h"

#include <time.h>

#define OCI_SFTP_TOKEN 33 /* 32 hexadecimal digits */

struct oci_sftp_folder {
    struct net_sftp *sftp;      /* borrowed */
    const char *root;           /* its path, without a slash at the end; borrowed */
    char token[OCI_SFTP_TOKEN]; /* of the lock that is held; "" when there is none */
    time_t locked_at;
};

/* oci_sftp_path - "<root>/<name>", the caller's. */
MUST_CHECK int oci_sftp_path(const struct oci_sftp_folder *f, const char *name, char **ret, struct err *e);

/* A regular file that is read from its start: a source, released with source_close. */
struct oci_sftp_source {
    struct source base;
    struct net_sftp_file *file;
    uint64_t size;
};
MUST_CHECK int oci_sftp_source_init(struct oci_sftp_source *s, const struct oci_sftp_folder *f,
                                    const char *name, struct err *e);

/* A file that appears at commit, in place of one that is there. name: outlives the sink. guarded: only as
 * long as the lock is held (ERR_IO). */
struct oci_sftp_sink {
    struct sink base;
    const struct oci_sftp_folder *folder;
    struct net_sftp_file *file; /* NULL: closed */
    char *temp;                 /* NULL: it has its name */
    const char *name;
    bool guarded;
};
MUST_CHECK int oci_sftp_sink_init(struct oci_sftp_sink *k, const struct oci_sftp_folder *f, const char *name,
                                  bool guarded, struct err *e);

/* oci_sftp_lock - waits up to three minutes (ERR_IO). */
MUST_CHECK int oci_sftp_lock(struct oci_sftp_folder *f, struct err *e);
void oci_sftp_unlock(struct oci_sftp_folder *f); /* harmless without the lock */

/* oci_sftp_sweep - removes temporary files that nothing was written to for an hour, by the server's clock. */
void oci_sftp_sweep(const struct oci_sftp_folder *f);

#endif
