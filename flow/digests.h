/* SPDX-License-Identifier: Apache-2.0 */
/* Private to flow: the digests that a policy's pins and deny lists go by. The same bytes have several, and an
 * index puts its own in front of that of the manifest that it names: what is denied is denied under all. */
#ifndef WAYBILL_FLOW_DIGESTS_H
#define WAYBILL_FLOW_DIGESTS_H

#include "base/io.h"
#include "oci/index.h"
#include "sign/policy.h"

/* Two of each manifest on the way, and of the module. */
struct flow_digests {
    struct digest all[2 * (OCI_INDEX_DEPTH + 2)];
    size_t n;
};

/* flow_digests_of_bytes - adds the digest that some bytes are known by, and those by other algorithms that
 * the rule names. content: the bytes, which have that digest. ERR_OTHER. */
MUST_CHECK int flow_digests_of_bytes(struct flow_digests *d, const struct sign_rule *rule,
                                     const struct digest *own, struct bytes content, struct err *e);

/* flow_digests_need_bytes - whether the rule names another than a digest's own algorithm, so that something
 * must be read to be known by all that counts. */
bool flow_digests_need_bytes(const struct sign_rule *rule, const struct digest *own);

/* flow_digests_of_source - the same of what is read from `from`, where that is needed. ERR_DIGEST: it is not
 * what the digest says any more. */
MUST_CHECK int flow_digests_of_source(struct flow_digests *d, const struct sign_rule *rule,
                                      const struct digest *own, struct source *from, struct err *e);

#endif
