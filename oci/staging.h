/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private folder (0700) beside a file that is to be made from it, and the lock that keeps other makers of
 * the same file out while there is one:
 *
 *     .waybill-<hash of the name>.lock              locked with flock; gone when nobody holds it
 *     .waybill-<hash of the name>-<random>.tmp/     gone at the end; what a killed process left is removed by
 *                                                   the next one that holds the lock
 */
#ifndef WAYBILL_OCI_STAGING_H
#define WAYBILL_OCI_STAGING_H

#include "oci/tree.h"

struct oci_staging {
    int parent; /* the folder of the file */
    int lock;
    int root;           /* the private folder */
    const char *target; /* the file's name in its folder; borrowed from the path */
    char lock_name[64], name[64];
};

/* oci_staging_open - waits for the lock and makes the folder, empty. path: of the file, which need not be
 * there; outlives the staging. ERR_USAGE: no name of a file; ERR_NOTFOUND (its folder), ERR_IO. */
MUST_CHECK int oci_staging_open(const char *path, struct oci_staging *ret, struct err *e);

/* oci_staging_close - removes the folder with all that is in it, and the lock. */
void oci_staging_close(struct oci_staging *s);

/* oci_staging_abandon - the same for the one that this process has open, if any, from a signal handler of a
 * process that is about to end: calls nothing that a handler must not. */
void oci_staging_abandon(void);

/* oci_staging_pack - writes the layout in the folder as a tar in place of the file: oci-layout, index.json,
 * then the blobs by name; the same layout gives the same bytes. A file that was there keeps its permissions.
 * A target that ends in .gz or .tgz is compressed. */
MUST_CHECK int oci_staging_pack(const struct oci_staging *s, struct err *e);

#endif
