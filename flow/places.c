/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/places.h"

/* Whether the demand is one that this format can meet; a rule judges, and names, what is in another format,
 * too, so that such a place is not left out but comes later. */
static bool is_likely(const struct flow_measure *m, const char *format)
{
    return sign_trust_wants(&m->trust, format) &&
           (!m->rule || sign_rule_wants(m->rule, format, false) || sign_rule_wants(m->rule, format, true));
}

bool flow_places_attested(const struct flow_measure *m)
{
    return m->demand->n_attestations > 0 || (m->rule && sign_rule_wants_attestations(m->rule));
}

/* Where something that counts may be. cosign's signatures are referrers as well (its mode for OCI 1.1). */
static unsigned possible(const struct flow_measure *m, bool spare_module)
{
    const struct sign_trust *t = &m->trust;
    bool cosign = sign_trust_wants(t, "cosign");
    bool referrer =
        sign_trust_wants(t, "sigstore") || sign_trust_wants(t, "notation") || sign_trust_wants(t, "ssh");
    bool inside = sign_trust_wants(t, "embedded") || sign_trust_wants(t, "claims");
    return (cosign ? FLOW_PLACE_SIG : 0U) | (cosign && flow_places_attested(m) ? FLOW_PLACE_ATT : 0U) |
           (cosign || referrer ? FLOW_PLACE_REFERRERS : 0U) |
           (inside || !spare_module ? FLOW_PLACE_MODULE : 0U);
}

void flow_places_order(const struct flow_measure *m, bool spare_module, bool brief,
                       unsigned ret[FLOW_PLACES_ROUNDS])
{
    const unsigned tags = FLOW_PLACE_SIG | FLOW_PLACE_ATT;
    unsigned all = possible(m, spare_module), first = 0;
    if (is_likely(m, "cosign"))
        first |= all & tags;
    if (is_likely(m, "sigstore") || is_likely(m, "notation") || is_likely(m, "ssh"))
        first |= FLOW_PLACE_REFERRERS;
    if (brief && (first & tags))
        first &= tags;
    if (!spare_module || !first || (m->rule && sign_rule_wants_module(m->rule)))
        first |= all & FLOW_PLACE_MODULE;
    ret[0] = first;
    ret[1] = all & ~first & (tags | FLOW_PLACE_REFERRERS);
    ret[2] = all & ~first & FLOW_PLACE_MODULE;
}
