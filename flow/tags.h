/* SPDX-License-Identifier: Apache-2.0 */
/* What a repository or an image layout holds, by its tags. */
#ifndef WAYBILL_FLOW_TAGS_H
#define WAYBILL_FLOW_TAGS_H

#include "flow/obtain.h"

/* flow_tags - appends the names of the tags, each with a NUL behind it, in the order of their bytes and each
 * once. reference: its own tag and digest do not matter. all: also the tags that tools keep signatures and
 * the like under ("sha256-<hex>..."). Errors: those of struct oci_endpoint_ops. */
MUST_CHECK int flow_tags(const struct flow_conf *conf, const char *reference, bool all, struct buf *out,
                         struct err *e);

#endif
