/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A big blob on its way into the store, kept when the transfer fails or the process is killed, so that the
 * next one asks for the rest alone.
 *
 *     STORE/partial/<alg>-<hex>    0600; locked (flock) by the process that is at it
 *
 * What a partial holds is hashed again when it is taken up, and believed only when the whole is right.
 */
#ifndef WAYBILL_OCI_PARTIAL_H
#define WAYBILL_OCI_PARTIAL_H

#include "oci/store.h"

struct oci_partial;

/* oci_partial_open - takes up what is there, or begins; what cannot be a part of the blob (a link, a foreign
 * file, one that is too long) is removed. store: outlives the partial. size: of the whole. Returns 0,
 * ERR_EXISTS (another process is at it), ERR_IO, ERR_NOMEM. */
MUST_CHECK int oci_partial_open(struct oci_store *store, const struct digest *d, uint64_t size,
                                struct oci_partial **ret, struct err *e);

/* oci_partial_close - ends the work on it and takes NULL; unless it was kept, taken or dropped the file stays
 * for the next time. */
void oci_partial_close(struct oci_partial *p);
DEFINE_AUTO(oci_partial, oci_partial_close);

/* oci_partial_have - how many bytes there are, from the start. */
uint64_t oci_partial_have(const struct oci_partial *p);

/* oci_partial_sink - a sink that appends to it: ERR_DIGEST for a byte too many. Its commit is
 * oci_partial_check, its abort does nothing. Valid until the partial is closed. */
struct sink *oci_partial_sink(struct oci_partial *p);

/* oci_partial_check - 0 when the bytes are all there and right; ERR_DIGEST, ERR_IO. */
MUST_CHECK int oci_partial_check(struct oci_partial *p, struct err *e);

/* oci_partial_restart - to the start, without any bytes. */
MUST_CHECK int oci_partial_restart(struct oci_partial *p, struct err *e);

/* oci_partial_drop - removes the file. */
void oci_partial_drop(struct oci_partial *p);

/* oci_partial_keep - makes it the store's blob, after oci_partial_check. *ret_fd, unless NULL: a descriptor
 * of the very file, the caller closes it. */
MUST_CHECK int oci_partial_keep(struct oci_partial *p, int *ret_fd, struct err *e);

/* oci_partial_take - makes it the file that `to` shows at its commit, after oci_partial_check; *ret_taken
 * false: that is not possible (another file system), and nothing has changed. */
MUST_CHECK int oci_partial_take(struct oci_partial *p, struct sink_file *to, bool *ret_taken, struct err *e);

/* oci_partial_fd - its descriptor, the partial's own. */
int oci_partial_fd(const struct oci_partial *p);

/* oci_partial_sweep - removes partials that nobody has written to for a week. */
void oci_partial_sweep(struct oci_store *store);

#endif
