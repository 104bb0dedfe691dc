/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local store: a content-addressed folder shared by pull and run and by concurrent processes.
 *
 *     DIR/blobs/<alg>/<hex>    0600; appears complete and right
 *     DIR/partial/             big blobs on their way: oci/partial.h
 *     DIR/swept                its time: when leftovers of killed processes were last looked for
 *
 * A blob's bytes are checked again whenever they are used; one that is damaged counts as absent.
 */
#ifndef WAYBILL_OCI_STORE_H
#define WAYBILL_OCI_STORE_H

#include "oci/cas.h"

struct oci_store {
    int root; /* -1: closed */
};

#define OCI_STORE_INIT \
    {                  \
        .root = -1     \
    }

/* oci_store_open - makes the folder (0700) where it is missing. ERR_CONFIG when it is a link, not ours, or
 * others may write to it. */
MUST_CHECK int oci_store_open(const char *dir, struct oci_store *ret, struct err *e);
void oci_store_done(struct oci_store *s);

/* oci_store_get - an open descriptor of a blob of the right size; its bytes are NOT yet checked. The caller
 * closes it. ERR_NOTFOUND when it is absent or of another size, a link, or no file. */
MUST_CHECK int oci_store_get(struct oci_store *s, const struct digest *d, uint64_t size, int *ret_fd,
                             struct err *e);

/* oci_store_read - the checked bytes of a small blob, at most out->max. ERR_NOTFOUND also when it is damaged.
 */
MUST_CHECK int oci_store_read(struct oci_store *s, const struct digest *d, struct buf *out, struct err *e);

/* oci_store_put_init - as oci_cas_put_init. keep_fd: when not NULL, commit leaves there an open descriptor of
 * the very file that was written and checked; the caller closes it. */
MUST_CHECK int oci_store_put_init(struct oci_store *s, struct oci_cas_put *put, const struct digest *d,
                                  uint64_t size, int *keep_fd, struct err *e);

/* oci_store_adopt - makes the file `name` in the folder dirfd, complete and right already, the
 * store's blob by a rename. */
MUST_CHECK int oci_store_adopt(struct oci_store *s, const struct digest *d, int dirfd, const char *name,
                               struct err *e);

/* oci_store_put_bytes - a small blob in one go. */
MUST_CHECK int oci_store_put_bytes(struct oci_store *s, const struct digest *d, struct bytes data,
                                   struct err *e);

#endif
