/* SPDX-License-Identifier: Apache-2.0 */
/* Which manifest of an index is meant. */
#ifndef WAYBILL_OCI_INDEX_H
#define WAYBILL_OCI_INDEX_H

#include "oci/manifest.h"

/* How deep indexes may lie in one another. */
#define OCI_INDEX_DEPTH 4

/* oci_index_choose - the entry for a platform. platform: "wasip1/wasm" (os and architecture, in either
 * order), or NULL: the only entry there is, or else the one entry that the first of wasip2/wasm, wasip1/wasm,
 * wasi/wasm and wasi/wasm32 matches. *ret is borrowed from index. ERR_NOTFOUND: none fits; ERR_USAGE: more
 * than one does, or the platform is no such pair. Source: image-spec 1.1, image-index.md, "platform". */
MUST_CHECK int oci_index_choose(const struct oci_manifest *index, const char *platform,
                                const struct oci_desc **ret, struct err *e);

#endif
