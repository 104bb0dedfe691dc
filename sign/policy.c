/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/policy.h"

#include "base/text.h"
#include "sign/policy_impl.h"

#include <stdio.h>

static void special_rule(struct sign_policy *p, struct sign_rule *rule, const char *name)
{
    *rule = (struct sign_rule){.policy = p, .verdict = SIGN_VERDICT_REJECT, .min_revision = -1};
    policy_signers_init(&rule->by, POLICY_ALL_FORMATS);
    rule->all_root = POLICY_NONE;
    rule->name = strdup(name);
}

static int parse(struct sign_policy *p, struct bytes text, const char *name, struct err *e)
{
    p->text = (struct buf)BUF_INIT(LIMIT_TOML);
    p->name = strdup(name);
    special_rule(p, &p->by_default, "default");
    special_rule(p, &p->no_place, "no scope");
    if (!p->name || !p->by_default.name || !p->no_place.name)
        return err_nomem(e);
    buf_append_bytes(&p->text, text);
    int r = buf_check(&p->text, e);
    if (!r)
        r = toml_parse(text, &p->doc, e);
    if (!r)
        r = policy_read(p, e);
    for (size_t i = 0; i < p->n_sources; i++) {
        struct policy_source *s = &p->sources[i];
        s->shown.paths = s->paths ? s->paths : s->path ? &s->path : NULL;
    }
    return r;
}

int sign_policy_parse(struct bytes text, const char *name, struct sign_policy **ret, struct err *e)
{
    char shown[256];
    AUTO(sign_policy) p = calloc(1, sizeof(*p));
    int r = p ? parse(p, text, name, e) : err_nomem(e);
    if (r)
        return err_wrap(e, "%s", text_escape_str(name, shown, sizeof(shown)));
    *ret = TAKE(p);
    return 0;
}

void sign_policy_free(struct sign_policy *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_sources; i++) {
        if (p->sources[i].object)
            p->sources[i].release(p->sources[i].object);
        free(p->sources[i].paths);
        free(p->sources[i].names);
    }
    for (size_t i = 0; i < p->n_rules; i++)
        policy_rule_done(&p->rules[i]);
    policy_rule_done(&p->by_default);
    policy_rule_done(&p->no_place);
    free(p->deny.all);
    free(p->sources);
    free(p->rules);
    free(p->table);
    free(p->name);
    buf_done(&p->text);
    jdoc_free(p->doc);
    free(p);
}

size_t sign_policy_n_sources(const struct sign_policy *p)
{
    return p->n_sources;
}

const struct sign_source *sign_policy_source(const struct sign_policy *p, size_t i)
{
    return &p->sources[i].shown;
}

static const char *const kind_tables[] = {"keys", "roots", "stores", "signers"};

void sign_policy_source_at(const struct sign_policy *p, size_t i, unsigned *ret_line, unsigned *ret_column)
{
    const struct sign_source *s = &p->sources[i].shown;
    const struct toml_at table = {NULL, kind_tables[s->kind], 0}, at = {&table, s->name, 0};
    toml_locate(buf_bytes(&p->text), &at, ret_line, ret_column);
}

const char *sign_source_kind_name(enum sign_source_kind kind)
{
    static const char *const names[] = {"key", "root", "store", "signers"};
    return names[kind];
}

int sign_policy_bind(struct sign_policy *p, size_t i, void *object, void (*release)(void *object),
                     struct err *e)
{
    struct policy_source *s = &p->sources[i];
    int r = 0;
    if (s->object)
        r = err_set(e, ERR_CONFIG, "%s.%s is bound twice", kind_tables[s->shown.kind], s->shown.name);
    else if (s->shown.kind == SIGN_SOURCE_KEY && sign_key_is_private(object))
        r = err_set(e, ERR_CONFIG, "a private key: the policy takes the public one");
    else if (s->shown.kind == SIGN_SOURCE_KEY)
        r = sign_key_rename(object, s->shown.name, e);
    if (r) {
        release(object);
        return r;
    }
    if (s->shown.kind == SIGN_SOURCE_KEY)
        (void)sign_key_fingerprint(object, s->id);
    s->object = object;
    s->release = release;
    s->shown.bound = true;
    return 0;
}

/* Keys that go by two names would count twice. */
static int keys_distinct(const struct sign_policy *p, const struct sign_rule *rule,
                         const struct policy_signers *by, struct err *e)
{
    for (size_t i = 0; i < by->n_keys; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(p->sources[by->keys[i]].id, p->sources[by->keys[k]].id) == 0)
                return err_set(e, ERR_CONFIG, "%s: %.100s and %.100s are the same key", rule->name,
                               p->sources[by->keys[k]].shown.name, p->sources[by->keys[i]].shown.name);
    return 0;
}

static void add_signers(const struct sign_policy *p, const struct policy_signers *by, struct sign_rule *rule)
{
    for (size_t i = 0; i < by->n_keys; i++) {
        struct sign_key *key = p->sources[by->keys[i]].object;
        size_t k = 0;
        while (k < rule->n_all_keys && rule->all_keys[k] != key)
            k++;
        rule->all_keys[k] = key;
        if (k == rule->n_all_keys)
            rule->n_all_keys++;
    }
    for (size_t i = 0; i < by->n_identities; i++)
        rule->all_identities[rule->n_all_identities++] = by->identities[i];
    rule->any_identity = rule->any_identity || by->any_identity;
}

static int rule_ready(const struct sign_policy *p, struct sign_rule *rule, struct err *e)
{
    size_t keys = rule->by.n_keys, identities = rule->by.n_identities;
    int r = keys_distinct(p, rule, &rule->by, e);
    for (size_t i = 0; !r && i < rule->n_attestations; i++) {
        r = keys_distinct(p, rule, &rule->attestations[i].by, e);
        keys += rule->attestations[i].by.n_keys;
        identities += rule->attestations[i].by.n_identities;
    }
    if (r)
        return r;
    rule->all_keys = calloc(keys ? keys : 1, sizeof(struct sign_key *));
    rule->all_identities = calloc(identities ? identities : 1, sizeof(*rule->all_identities));
    if (!rule->all_keys || !rule->all_identities)
        return err_nomem(e);
    add_signers(p, &rule->by, rule);
    for (size_t i = 0; i < rule->n_attestations; i++)
        add_signers(p, &rule->attestations[i].by, rule);
    if (rule->any_identity)
        rule->n_all_identities = 0;
    return 0;
}

int sign_policy_ready(struct sign_policy *p, struct err *e)
{
    int r = 0;
    for (size_t i = 0; !r && i < p->n_sources; i++)
        if (p->sources[i].shown.used && !p->sources[i].shown.bound)
            r = err_set(e, ERR_CONFIG, "%s.%s was not loaded", kind_tables[p->sources[i].shown.kind],
                        p->sources[i].shown.name);
    for (size_t i = 0; !r && !p->ready && i < p->n_rules; i++)
        r = rule_ready(p, &p->rules[i], e);
    if (r)
        return err_wrap(e, "%s", p->name);
    p->ready = true;
    return 0;
}

size_t sign_policy_n_rules(const struct sign_policy *p)
{
    return p->n_rules;
}

const struct sign_rule *sign_policy_rule_at(const struct sign_policy *p, size_t i)
{
    return &p->rules[i];
}

const char *sign_rule_name(const struct sign_rule *rule)
{
    return rule->name;
}

const char *sign_rule_scope(const struct sign_rule *rule)
{
    return rule->scope;
}

unsigned sign_rule_line(const struct sign_rule *rule)
{
    const struct toml_at table = {NULL, "scopes", 0}, at = {&table, rule->written, 0};
    unsigned line, column;
    if (!rule->written)
        return 0;
    toml_locate(buf_bytes(&rule->policy->text), &at, &line, &column);
    return line;
}

enum sign_verdict sign_rule_verdict(const struct sign_rule *rule)
{
    return rule->verdict;
}

bool sign_rule_limits_capabilities(const struct sign_rule *rule)
{
    return rule->has_capabilities;
}

bool sign_rule_is_audit(const struct sign_rule *rule)
{
    return rule->audit;
}

bool sign_rule_wants(const struct sign_rule *rule, const char *format, bool attestation)
{
    unsigned bit = policy_format_bit(format), wanted = attestation ? 0 : rule->by.formats;
    for (size_t i = 0; attestation && i < rule->n_attestations; i++)
        wanted |= rule->attestations[i].by.formats;
    return rule->verdict == SIGN_VERDICT_REQUIRE && (bit & wanted) != 0;
}

bool sign_rule_wants_attestations(const struct sign_rule *rule)
{
    return rule->n_attestations > 0;
}

bool sign_rule_wants_embedded(const struct sign_rule *rule)
{
    return rule->embedded;
}

bool sign_rule_wants_claims(const struct sign_rule *rule)
{
    return rule->claims || rule->issuer || rule->subject || rule->min_revision >= 0;
}

bool sign_rule_wants_module(const struct sign_rule *rule)
{
    return sign_rule_wants_embedded(rule) || sign_rule_wants_claims(rule) ||
           sign_rule_limits_capabilities(rule);
}

static const void *bound(const struct sign_rule *rule, size_t source)
{
    return source == POLICY_NONE ? NULL : rule->policy->sources[source].object;
}

void sign_rule_trust(const struct sign_rule *rule, int64_t now, struct sign_trust *ret)
{
    *ret = (struct sign_trust){
        .keys = {rule->all_keys, rule->n_all_keys},
        .store = bound(rule, rule->by.store),
        .root = bound(rule, rule->all_root),
        .signers = bound(rule, rule->by.signers),
        .identities = rule->all_identities,
        .n_identities = rule->n_all_identities,
        .any_identity = rule->any_identity,
        .any_signer = rule->by.n_identities == 0,
        .annotations = rule->annotations,
        .n_annotations = rule->n_annotations,
        .now = now,
        .ed25519ph = rule->ed25519ph,
        .old_claims = rule->old_claims,
        .claims = rule->pins,
    };
}
