/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar file whose members are found by name. It is passed over once, when it is opened; from then on a
 * member of a plain tar is read where it lies, and one of a compressed tar by another pass.
 */
#ifndef WAYBILL_OCI_TARBALL_H
#define WAYBILL_OCI_TARBALL_H

#include "oci/archive.h"

#include <pthread.h>

struct oci_tar_member {
    size_t name; /* where it starts in oci_tarball.names */
    uint64_t size, offset;
    unsigned place; /* in the archive, from 0, folders counted */
    enum oci_member_type type;
};

/* The files on top that say what an archive is; they are kept when they are passed. */
#define OCI_TARBALL_HEADS 3

struct oci_tarball {
    int fd;
    enum oci_compression compression;
    struct oci_tar_member *members; /* all but folders, by name */
    size_t n, cap;
    struct buf names;
    struct buf heads[OCI_TARBALL_HEADS];
    pthread_mutex_t turn; /* whose pass it is: a compressed one is read by one thread at a time */
};

/* oci_tarball_open - fd: of a regular file; stays the caller's. ERR_FORMAT: no tar, damaged, a name with
 * "..", or one that is there twice; ERR_LIMIT: the caps of oci/archive.h, and LIMIT_ARCHIVE_NAMES. Thread: as
 * plugin_load. */
MUST_CHECK int oci_tarball_open(int fd, struct oci_tarball **ret, struct err *e);
void oci_tarball_close(struct oci_tarball *t); /* takes NULL */
DEFINE_AUTO(oci_tarball, oci_tarball_close);

const char *oci_tarball_name(const struct oci_tarball *t, const struct oci_tar_member *m);

/* oci_tarball_find - borrowed; NULL when there is none of that name. */
const struct oci_tar_member *oci_tarball_find(const struct oci_tarball *t, const char *name);

/* oci_tarball_get - writes a member's bytes to `to`, without committing it. ERR_FORMAT: a link, a device or
 * the like, or cut off. Several threads may call it. */
MUST_CHECK int oci_tarball_get(struct oci_tarball *t, const struct oci_tar_member *m, struct sink *to,
                               struct err *e);

/* oci_tarball_read - appends a small member: ERR_NOTFOUND, ERR_LIMIT (more than out may hold). */
MUST_CHECK int oci_tarball_read(struct oci_tarball *t, const char *name, struct buf *out, struct err *e);

/* What oci_tarball_each shows the files of an archive to, in their order there. from: the member's bytes, to
 * be read or not. */
struct oci_tarball_visit {
    int (*see)(struct oci_tarball_visit *v, const struct oci_tar_member *m, struct source *from,
               struct err *e);
};
MUST_CHECK int oci_tarball_each(struct oci_tarball *t, struct oci_tarball_visit *v, struct err *e);

#endif
