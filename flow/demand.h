/* SPDX-License-Identifier: Apache-2.0 */
/* What must be proven of an artifact before it is handed on, and whether it was. */
#ifndef WAYBILL_FLOW_DEMAND_H
#define WAYBILL_FLOW_DEMAND_H

#include "flow/trust.h"

struct flow_demand {
    const struct flow_trust *trust; /* a policy, or keys and roots; NULL: `given` */
    const struct sign_trust *given; /* what a program has at hand by itself; NULL or empty: nothing is
                                       verified but digests */
    int64_t now;                    /* seconds since 1970, for `trust` */
    bool require_digest;            /* a reference without a digest is ERR_USAGE, before any request */
    const char *const
        *attestations; /* types or aliases (sign_predicate_is) of which a good one must be there.
                          Without a policy they are what is demanded, and no signature is */
    size_t n_attestations;
    const char *const *formats; /* of struct sign_trust */
    size_t n_formats;
    const char *sections;  /* as of struct sign_trust; not together with a policy, whose check it weakens */
    struct bytes detached; /* likewise, and with a policy, too */
};

/* What a demand comes to for one artifact. */
struct flow_measure {
    const struct flow_demand *demand; /* NULL: none */
    struct sign_trust trust;
    const struct sign_rule *rule; /* NULL: there is no policy */
    bool looks;                   /* signatures are looked for */
};

/* flow_measure_take - repo: as of sign_policy_rule, NULL for a file. decision: SIGN_DECISION none, filled in
 * where the policy rejects the place whatever is there: ERR_POLICY, so that nothing needs to be asked for. */
MUST_CHECK int flow_measure_take(const struct flow_demand *demand, const char *repo, struct flow_measure *ret,
                                 struct sign_decision *decision, struct err *e);

/* flow_measure_none - nothing is demanded at all. */
static inline bool flow_measure_none(const struct flow_measure *m)
{
    return !m->looks && !m->rule;
}

/* flow_measure_met - whether what was found so far meets all that is demanded: further signatures would not
 * change that. Never so where a rule only notes what it finds. */
MUST_CHECK int flow_measure_met(const struct flow_measure *m, const struct sign_facts *facts,
                                const struct sign_report *report, bool *ret, struct err *e);

/* flow_measure_decide - settles the report: its verdict and reason, and with a policy the decision. Returns
 * the verdict, with the reason in e. decision: as above. */
MUST_CHECK int flow_measure_decide(const struct flow_measure *m, const struct sign_facts *facts,
                                   struct sign_report *report, struct sign_decision *decision, struct err *e);

#endif
