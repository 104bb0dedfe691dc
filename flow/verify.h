/* SPDX-License-Identifier: Apache-2.0 */
/* Private to flow: the signatures and attestations that lie beside a manifest, collected from everywhere they
 * can be, and judged. */
#ifndef WAYBILL_FLOW_VERIFY_H
#define WAYBILL_FLOW_VERIFY_H

#include "flow/fetch.h"
#include "flow/places.h"
#include "sign/format.h"

/* What may be judged at the same time by several threads. */
struct flow_verify;

/* flow_verify_new - fetch and trust outlive *ret. attestations: some are demanded, so that they are looked at
 * in their turn and not last. Released with flow_verify_free (takes NULL). */
MUST_CHECK int flow_verify_new(const struct flow_fetch *fetch, const struct sign_trust *trust,
                               bool attestations, struct flow_verify **ret, struct err *e);
void flow_verify_free(struct flow_verify *v);
DEFINE_AUTO(flow_verify, flow_verify_free);

/* flow_verify_collect - adds the checks of what lies beside the subject in these places (bits of enum
 * flow_place): its referrers, and what the tags sha256-<hex>.sig and .att of cosign hold. What a list of
 * referrers says of their types is not relied upon; each manifest must have the digest and the size that it
 * is listed with, and the subject as its subject. What is wrong with one of them is a failed check; a place
 * that fails is an error. Of each place the first LIMIT_SIGNATURES are looked at: of an image its layers in
 * their order; of the referrers those that the list says are of a format that counts, then those of no type,
 * then what is unasked for (attestations, other formats), each in the order of the list; at least one layer
 * of each and LIMIT_SIGNATURES more; large ones as long as there is room in LIMIT_SIGNATURES_BYTES. Of the
 * rest speaks one check, is_unseen. */
MUST_CHECK int flow_verify_collect(struct flow_verify *v, const struct sign_subject *subject, unsigned places,
                                   struct sign_report *report, struct err *e);

/* flow_verify_referrer - the same of one referrer. desc: its manifest. */
MUST_CHECK int flow_verify_referrer(struct flow_verify *v, const struct sign_subject *subject,
                                    const struct oci_desc *desc, struct sign_report *report, struct err *e);

/* flow_verify_tell_unseen - adds the check that says how many were not looked at, if any; flow_verify_collect
 * has done so. */
MUST_CHECK int flow_verify_tell_unseen(struct flow_verify *v, struct sign_report *report, struct err *e);

/* flow_verify_may_be - whether a referrer may be a signature by the artifact type that a list states (or
 * NULL).
 */
bool flow_verify_may_be(const char *listed);

/* flow_verify_tagged - the same of what one of those tags names; nothing when there is no such tag. ret:
 * NULL, or initialised by the caller, for the manifest, which stays empty when there is none or none that can
 * be read. */
MUST_CHECK int flow_verify_tagged(struct flow_verify *v, const struct sign_subject *subject,
                                  const char *suffix, struct sign_report *report, struct oci_pinned *ret,
                                  struct err *e);

#endif
