/* SPDX-License-Identifier: Apache-2.0 */
/* policy.toml: what is refused says where, what is taken rejects what nobody has signed unless it says that
 * it accepts anything, and finds its own scopes. */
#include "sign/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rule(const struct sign_rule *rule, const char *repo)
{
    struct err e = ERR_INIT;
    struct digest digest = {.alg = HASH_SHA256};
    const struct sign_facts facts = {.subject = &digest, .module = &digest, .repo = repo};
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    AUTO_DONE(sign_decision) d = {.code = 0};
    AUTO_DONE(buf) text = BUF_INIT(16U << 20);
    struct jout w = {.out = &text};
    struct sign_trust trust;
    sign_rule_trust(rule, 1, &trust);
    sign_rule_json(rule, &w, NULL);
    if (sign_rule_check(rule, &facts, &report, 1, &d, &e) != 0 || text.failed)
        abort();
    if (!d.code && sign_rule_verdict(rule) != SIGN_VERDICT_ACCEPT && !sign_rule_is_audit(rule))
        abort();
    if (d.code ? !d.n_findings : d.insecure != (sign_rule_verdict(rule) == SIGN_VERDICT_ACCEPT))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const places[] = {"r.example/x/y", "a.b.example:5000/z",   "docker.io/library/a",
                                         "oci:x",         "sftp://u@h.example/x", "no place"};
    struct err e = ERR_INIT;
    AUTO(sign_policy) p = NULL;
    AUTO_DONE(buf) warnings = BUF_INIT(16U << 20);
    int r = sign_policy_parse(bytes_of(data, size), "p", &p, &e);
    if (r && r != ERR_CONFIG && r != ERR_LIMIT && r != ERR_NOMEM)
        abort();
    if (r)
        return 0;
    sign_policy_warnings(p, &warnings);
    check_rule(sign_policy_rule(p, places[0]), places[0]);
    if (sign_policy_ready(p, &e) != 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        check_rule(sign_policy_rule(p, places[i]), places[i]);
    check_rule(sign_policy_rule(p, NULL), NULL);
    for (size_t i = 0; i < sign_policy_n_rules(p) && i < 64; i++)
        check_rule(sign_policy_rule_at(p, i), NULL);
    return 0;
}
