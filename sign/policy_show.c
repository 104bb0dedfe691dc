/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told of a policy. */
#include "base/text.h"
#include "sign/policy_impl.h"

#include <stdio.h>

#define WARNINGS_MAX 100 /* each looks for its line */

void sign_rule_json(const struct sign_rule *rule, struct jout *w, const char *key)
{
    const struct jval *scopes = jobj_get(jdoc_root(rule->policy->doc), "scopes");
    if (rule->written) {
        jout_value(w, key, jobj_get(scopes, rule->written));
        return;
    }
    jout_object(w, key);
    jout_string(w, "verdict", policy_verdicts[rule->verdict]);
    jout_object_end(w);
}

struct warnings {
    const struct sign_policy *p;
    struct buf *out;
    unsigned n;
};

static void warn(struct warnings *w, const struct toml_at *at, const char *name, const char *text)
{
    unsigned line, column;
    char shown[300];
    if (w->n++ >= WARNINGS_MAX)
        return;
    toml_locate(buf_bytes(&w->p->text), at, &line, &column);
    buf_printf(w->out, "line %u column %u: %s: %s\n", line, column,
               text_escape_str(name, shown, sizeof(shown)), text);
}

static void warn_rule(struct warnings *w, const struct sign_rule *rule)
{
    static const struct toml_at scopes = {NULL, "scopes", 0};
    const struct toml_at scope = {&scopes, rule->written, 0};
    const struct {
        bool set;
        const char *member, *text;
    } lax[] = {
        {rule->verdict == SIGN_VERDICT_ACCEPT, "verdict", "nothing is verified here"},
        {rule->audit, "mode", "audit: what fails is taken all the same"},
        {rule->by.any_identity, "insecure_any_identity", "anybody with a certificate may sign"},
        {rule->ed25519ph, "insecure_ed25519ph", "signatures over a mere hash count"},
        {rule->old_claims, "insecure_old_claims", "claims that do not bind the module count"},
        {rule->by.n_keys > 1 && rule->by.threshold == 1 &&
             !jobj_get(jobj_get(jobj_get(jdoc_root(w->p->doc), "scopes"), rule->written), "threshold"),
         "keys", "any one of them is enough: `threshold = 1` says that it is meant"},
    };
    for (size_t i = 0; i < ARRAY_LEN(lax); i++) {
        const struct toml_at member = {&scope, lax[i].member, 0};
        if (lax[i].set)
            warn(w, &member, rule->name, lax[i].text);
    }
}

void sign_policy_warnings(const struct sign_policy *p, struct buf *out)
{
    static const char *const tables[] = {"keys", "roots", "stores", "signers"};
    const struct toml_at by_default = {NULL, "default", 0};
    struct warnings w = {p, out, 0};
    if (p->by_default.verdict == SIGN_VERDICT_ACCEPT)
        warn(&w, &by_default, "default", "what no scope covers is not verified");
    for (size_t i = 0; i < p->n_sources; i++) {
        const struct sign_source *s = &p->sources[i].shown;
        const struct toml_at table = {NULL, tables[s->kind], 0}, at = {&table, s->name, 0};
        char name[LIMIT_TAG + 16];
        if (s->used)
            continue;
        (void)snprintf(name, sizeof(name), "%s.%s", tables[s->kind], s->name);
        warn(&w, &at, name, "no scope uses it");
    }
    for (size_t i = 0; i < p->n_rules; i++)
        warn_rule(&w, &p->rules[i]);
    if (w.n > WARNINGS_MAX)
        buf_printf(out, "and %u more\n", w.n - WARNINGS_MAX);
}
