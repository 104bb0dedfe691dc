/* SPDX-License-Identifier: Apache-2.0 */
/* Private to flow: a manifest or blob of an endpoint → checked bytes, by way of the store. */
#ifndef WAYBILL_FLOW_FETCH_H
#define WAYBILL_FLOW_FETCH_H

#include "flow/pieces.h"
#include "oci/partial.h"

struct flow_fetch {
    struct oci_endpoint *ep;
    struct oci_store *store;               /* closed: none */
    const char *temp_dir;                  /* for what the store does not take */
    const struct flow_pieces_rule *pieces; /* NULL: flow_pieces_usual */
    bool hold;                             /* a big blob may become another file than the store's */
    struct oci_partial *held;  /* out, where hold: such a blob, checked, still on its way; owned */
    _Atomic uint64_t *fetched; /* counts the bytes that come from elsewhere; or NULL */
};

/* flow_fetch_blob - the blob by one or more requests, checked and on the disk. Big ones that break off are
 * kept as far as they came, and taken up by the next call of any process. p: progress, or NULL. *ret_fd: the
 * very file that was written and checked, the caller closes it. */
MUST_CHECK int flow_fetch_blob(struct flow_fetch *f, const struct oci_desc *desc, struct progress *p,
                               int *ret_fd, struct err *e);

/* flow_fetch_manifest - the manifest or index that a tag or digest names: from the store when the digest is
 * known, else by one request. Threads may do this, and flow_fetch_small, at the same time. */
MUST_CHECK int flow_fetch_manifest(const struct flow_fetch *f, const char *tag, const struct digest *digest,
                                   struct oci_pinned *ret, struct err *e);

/* flow_fetch_small - the checked bytes of a blob into memory; the store keeps it. out: empty. ERR_LIMIT: more
 * than out may hold, said before anything is fetched; ERR_DIGEST: other bytes than desc says. */
MUST_CHECK int flow_fetch_small(const struct flow_fetch *f, const struct oci_desc *desc, struct buf *out,
                                struct err *e);

/* flow_fetch_done - what is held becomes the store's. */
void flow_fetch_done(struct flow_fetch *f);

#endif
