/* SPDX-License-Identifier: Apache-2.0 */
/* A folder blobs/<alg>/<hex>: what an image layout and the local store have in common. */
#ifndef WAYBILL_OCI_CAS_H
#define WAYBILL_OCI_CAS_H

#include "base/file.h"

/* oci_cas_make - the folders for an algorithm below root, with the given mode. */
MUST_CHECK int oci_cas_make(int root, enum hash_alg alg, mode_t mode, struct err *e);

/* oci_cas_open - a blob, no component of whose path may be a symbolic link. size: UINT64_MAX for any; another
 * size is ERR_DIGEST. ERR_NOTFOUND, ERR_IO. The bytes are not checked. */
MUST_CHECK int oci_cas_open(int root, const struct digest *d, uint64_t size, int *ret_fd, struct err *e);

/* oci_cas_check - reads an open blob to its end: ERR_DIGEST when its bytes are not what the digest says. */
MUST_CHECK int oci_cas_check(int fd, const struct digest *d, struct err *e);

/* oci_cas_read - the checked bytes of a small blob, at most out->max. */
MUST_CHECK int oci_cas_read(int root, const struct digest *d, struct buf *out, struct err *e);

/* A blob on its way in: a sink (put->verify.base) whose commit makes it appear, and only if size and digest
 * are right. Released with sink_abort, committed or not. */
struct oci_cas_put {
    struct sink_file file;
    struct sink_verify verify;
};
MUST_CHECK int oci_cas_put_init(struct oci_cas_put *put, int root, const struct digest *d, uint64_t size,
                                mode_t mode, struct err *e);
/* quick: see struct sink_file. */
MUST_CHECK int oci_cas_put_bytes(int root, const struct digest *d, struct bytes data, mode_t mode, bool quick,
                                 struct err *e);

/* oci_cas_remove - a blob that is not there is no failure. ERR_IO. */
MUST_CHECK int oci_cas_remove(int root, const struct digest *d, struct err *e);

/* oci_cas_adopt - makes the file `name` in the folder dirfd the blob, by a rename;
 * its bytes are the caller's business. */
MUST_CHECK int oci_cas_adopt(int root, const struct digest *d, int dirfd, const char *name, struct err *e);

/* oci_cas_sweep - removes temporary files that killed processes left behind: those not written to for an
 * hour. */
void oci_cas_sweep(int root, enum hash_alg alg);

#endif
