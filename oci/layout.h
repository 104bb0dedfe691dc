/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the endpoint kind "layout": what its files share. image-spec 1.1, image-layout.md. */
#ifndef WAYBILL_OCI_LAYOUT_H
#define WAYBILL_OCI_LAYOUT_H

#include "oci/tree.h"

/* oci_layout_tree - what the layout stands on. */
struct oci_tree *oci_layout_tree(struct oci_endpoint *ep);

/* oci_layout_index - index.json. ret: oci_manifest_done. */
MUST_CHECK int oci_layout_index(struct oci_tree *tree, struct oci_manifest *ret, struct err *e);

/* oci_layout_blob - the checked bytes of a small blob. */
MUST_CHECK int oci_layout_blob(struct oci_tree *tree, const struct digest *d, struct buf *out, struct err *e);

/* See struct oci_endpoint_ops. */
MUST_CHECK int oci_layout_referrers(struct oci_endpoint *ep, const struct digest *subject,
                                    const char *artifact_type, struct oci_referrers *ret, struct err *e);
MUST_CHECK int oci_layout_remove(struct oci_endpoint *ep, const char *tag, const struct digest *digest,
                                 struct err *e);

#endif
