/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/demand.h"

#include "base/log.h"
#include "sign/format.h"
#include "sign/predicate.h"
#include "sign/statement.h"

#include <stdio.h>

/* Where not all was looked at, a failure says so. */
static int set_verdict(struct sign_report *report, int code, const char *reason, struct err *e)
{
    const struct sign_check *unseen = code ? sign_report_unseen(report) : NULL;
    report->verdict = code;
    if (unseen)
        (void)snprintf(report->reason, sizeof(report->reason), "%.320s; %.180s", reason, unseen->text);
    else
        (void)snprintf(report->reason, sizeof(report->reason), "%s", code ? reason : "");
    return code ? err_set(e, (enum err_code)code, "%s", report->reason) : 0;
}

/* A rule in audit mode lets pass what it would refuse, and says so. */
static void tell(const struct sign_decision *d)
{
    for (size_t i = 0; i < d->n_findings; i++)
        log_warn("not enforced: %s: %s", d->findings[i].rule, d->findings[i].reason);
}

static int decide_by_rule(const struct flow_measure *m, const struct sign_facts *facts,
                          struct sign_report *report, struct sign_decision *decision, struct err *e)
{
    char reason[ERR_MSG_MAX];
    sign_decision_done(decision);
    int r = sign_rule_check(m->rule, facts, report, m->demand->now, decision, e);
    if (r)
        return r;
    if (decision->code == 0) {
        tell(decision);
        return set_verdict(report, 0, "", e);
    }
    const struct sign_finding *why = &decision->findings[0];
    (void)snprintf(reason, sizeof(reason), "%.300s (%.180s)", why->reason, why->rule);
    return set_verdict(report, decision->code, reason, e);
}

int flow_measure_take(const struct flow_demand *demand, const char *repo, struct flow_measure *ret,
                      struct sign_decision *decision, struct err *e)
{
    *ret = (struct flow_measure){.demand = demand};
    if (!demand)
        return 0;
    if (demand->trust)
        flow_trust_for(demand->trust, repo, demand->now, &ret->trust, &ret->rule);
    else if (demand->given)
        ret->trust = *demand->given;
    if (demand->sections && ret->rule)
        return err_set(e, ERR_USAGE, "a policy demands all sections of a file, not some of them");
    if (demand->detached.len && ret->rule && sign_rule_limits_capabilities(ret->rule))
        return err_set(e, ERR_USAGE,
                       "the policy limits capabilities, and beside a signature in another file the claims of "
                       "this one are not looked at");
    if (demand->sections)
        ret->trust.sections = demand->sections;
    if (demand->detached.len)
        ret->trust.detached = demand->detached;
    ret->trust.formats = demand->formats;
    ret->trust.n_formats = demand->n_formats;
    if (ret->rule && sign_rule_limits_capabilities(ret->rule) && !sign_trust_wants(&ret->trust, "claims"))
        return err_set(e, ERR_USAGE,
                       "the policy limits what claims may ask for, and the formats leave claims out");
    if (!ret->rule || sign_rule_verdict(ret->rule) == SIGN_VERDICT_REQUIRE) {
        ret->looks = !sign_trust_is_empty(&ret->trust);
        return ret->looks || ret->rule || !demand->n_attestations
                   ? 0
                   : err_set(e, ERR_USAGE, "there is no key to check attestations with");
    }
    if (sign_rule_verdict(ret->rule) == SIGN_VERDICT_ACCEPT)
        return 0;
    struct sign_report none = SIGN_REPORT_INIT;
    const struct sign_facts facts = {.repo = repo};
    return decide_by_rule(ret, &facts, &none, decision, e);
}

static bool has_attestation(const struct sign_report *report, const char *wanted)
{
    for (size_t i = 0; i < report->n; i++) {
        const struct sign_check *c = &report->checks[i];
        if (c->ok && c->kind == SIGN_CHECK_ATTESTATION && c->predicate_type &&
            sign_predicate_is(wanted, c->predicate_type))
            return true;
    }
    return false;
}

/* Why none of the kind is good; 0: there is none at all. */
static int failed_attestation(const struct sign_report *report)
{
    int code = 0;
    for (size_t i = 0; i < report->n; i++)
        if (!report->checks[i].ok && report->checks[i].kind == SIGN_CHECK_ATTESTATION)
            code = report->checks[i].code;
    return code;
}

static int check_attestations(const struct flow_measure *m, struct sign_report *report, struct err *e)
{
    for (size_t i = 0; i < m->demand->n_attestations; i++) {
        const char *wanted = m->demand->attestations[i];
        char reason[ERR_MSG_MAX];
        if (has_attestation(report, wanted))
            continue;
        int code = failed_attestation(report);
        (void)snprintf(reason, sizeof(reason), "no %sattestation of the type %.200s", code ? "good " : "",
                       wanted);
        return set_verdict(report, sign_report_code(report, code), reason, e);
    }
    return set_verdict(report, 0, "", e);
}

/* A signature that cannot hold annotations does not have those that are asked for. (A policy says so itself,
 * of the signatures that it counts.) */
static void want_annotations(const struct sign_trust *trust, struct sign_report *report)
{
    for (size_t i = 0; i < report->n; i++) {
        struct sign_check *c = &report->checks[i];
        const struct sign_format *format = sign_format_find(c->format);
        if (c->ok && c->kind == SIGN_CHECK_SIGNATURE && !(format && format->annotates))
            (void)sign_annotations_want(NULL, trust, c);
    }
}

/* A good signature is enough, if it has what is asked for along with it. */
static bool is_signed(const struct flow_measure *m, const struct sign_report *report)
{
    for (size_t i = 0; i < report->n; i++) {
        const struct sign_check *c = &report->checks[i];
        const struct sign_format *format = sign_format_find(c->format);
        if (c->ok && c->kind == SIGN_CHECK_SIGNATURE &&
            (!m->trust.n_annotations || (format && format->annotates)))
            return true;
    }
    return false;
}

int flow_measure_met(const struct flow_measure *m, const struct sign_facts *facts,
                     const struct sign_report *report, bool *ret, struct err *e)
{
    struct sign_decision d = {.code = 0};
    bool met = true;
    if (m->rule) {
        int r = sign_rule_check(m->rule, facts, report, m->demand->now, &d, e);
        met = d.code == 0 && d.n_findings == 0;
        sign_decision_done(&d);
        if (r)
            return r;
    } else if (!m->demand->n_attestations) {
        met = is_signed(m, report);
    }
    for (size_t i = 0; met && i < m->demand->n_attestations; i++)
        met = has_attestation(report, m->demand->attestations[i]);
    *ret = met;
    return 0;
}

int flow_measure_decide(const struct flow_measure *m, const struct sign_facts *facts,
                        struct sign_report *report, struct sign_decision *decision, struct err *e)
{
    int r = 0;
    if (flow_measure_none(m))
        return 0;
    if (m->rule)
        r = decide_by_rule(m, facts, report, decision, e);
    if (r)
        return r;
    if (m->demand->n_attestations)
        return check_attestations(m, report, e);
    if (m->rule)
        return 0;
    want_annotations(&m->trust, report);
    sign_report_settle(report);
    char reason[ERR_MSG_MAX];
    (void)snprintf(reason, sizeof(reason), "%s", report->reason);
    return set_verdict(report, report->verdict, reason, e);
}
