/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the endpoint kind "layout": what its files share. image-spec 1.1, image-layout.md. */
#ifndef WAYBILL_OCI_LAYOUT_H
#define WAYBILL_OCI_LAYOUT_H

#include "oci/tree.h"

#include <pthread.h>

struct oci_layout_entry;

/* index.json: the last that was read or written, and entries that are not in it yet. */
struct oci_layout_index {
    struct oci_tree *tree; /* borrowed */
    pthread_mutex_t lock;
    struct buf text;            /* its bytes, and */
    struct oci_manifest parsed; /* what they mean; no doc: it was not read yet */
    struct oci_layout_entry *pending;
    size_t n_pending, room;
    int64_t written; /* when entries were last written, in milliseconds */
};

void oci_layout_index_init(struct oci_layout_index *x, struct oci_tree *tree);
void oci_layout_index_done(struct oci_layout_index *x);

/* oci_layout_index_read - what is in index.json now, parsed for the caller: oci_manifest_done. */
MUST_CHECK int oci_layout_index_read(struct oci_tree *tree, struct oci_manifest *ret, struct err *e);

/* oci_layout_index_get - the same with the entries that were waiting, which are written. *ret: borrowed until
 * the next call with x. */
MUST_CHECK int oci_layout_index_get(struct oci_layout_index *x, const struct oci_manifest **ret,
                                    struct err *e);

/* oci_layout_index_add - an entry for a manifest that is there, written now or soon. tag: NULL for none; it
 * takes the place of an older entry of that tag. Fails with what writing it or those before it fails with:
 * such are given up. Thread: any. */
MUST_CHECK int oci_layout_index_add(struct oci_layout_index *x, const char *media_type,
                                    const struct digest *digest, uint64_t size, const char *tag,
                                    struct err *e);

/* oci_layout_index_flush - writes what is waiting. oci_layout_index_before - so, too, if a blob of that size
 * takes long. Thread: any. */
MUST_CHECK int oci_layout_index_flush(struct oci_layout_index *x, struct err *e);
MUST_CHECK int oci_layout_index_before(struct oci_layout_index *x, uint64_t size, struct err *e);

/* oci_layout_tree - what the layout stands on. */
struct oci_tree *oci_layout_tree(struct oci_endpoint *ep);

/* oci_layout_index_of - its index.json. */
struct oci_layout_index *oci_layout_index_of(struct oci_endpoint *ep);

/* oci_layout_blob - the checked bytes of a small blob. */
MUST_CHECK int oci_layout_blob(struct oci_tree *tree, const struct digest *d, struct buf *out, struct err *e);

/* See struct oci_endpoint_ops. */
MUST_CHECK int oci_layout_referrers(struct oci_endpoint *ep, const struct digest *subject,
                                    const char *artifact_type, struct oci_referrers *ret, struct err *e);
MUST_CHECK int oci_layout_remove(struct oci_endpoint *ep, const char *tag, const struct digest *digest,
                                 struct err *e);

#endif
