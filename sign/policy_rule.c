/* SPDX-License-Identifier: Apache-2.0 */
/* The reading of one scope's rule, and whether anything could satisfy it. */
#include "sign/nkey.h"
#include "sign/policy_impl.h"

#include <stdio.h>

const char *const policy_verdicts[3] = {"", "reject", "insecure-accept-anything"};

static int read_verdict(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    struct sign_rule *rule = into;
    size_t choice = 0;
    int r = policy_want_choice(rd, at, v, &policy_verdicts[1], 2, &choice);
    rule->verdict = (enum sign_verdict)(choice + 1);
    return r;
}

static int read_mode(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    static const char *const modes[] = {"enforce", "audit"};
    size_t choice = 0;
    int r = policy_want_choice(rd, at, v, modes, 2, &choice);
    ((struct sign_rule *)into)->audit = choice == 1;
    return r;
}

static int read_need(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, bool *ret)
{
    static const char *const choices[] = {"optional", "required"};
    size_t choice = 0;
    int r = policy_want_choice(rd, at, v, choices, 2, &choice);
    *ret = choice == 1;
    return r;
}

static int read_embedded(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    return read_need(rd, at, v, &((struct sign_rule *)into)->embedded);
}

static int read_claims(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    return read_need(rd, at, v, &((struct sign_rule *)into)->claims);
}

/* An nkey of that kind: of another one there could be no claims. */
static int read_nkey(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, char kind,
                     const char **ret)
{
    struct err why = ERR_INIT;
    uint8_t key[SIGN_NKEY_LEN];
    char found = 0;
    int r = policy_want_text(rd, at, v, ret);
    if (!r && (sign_nkey_decode(bytes_str(*ret), &found, key, &why) || found != kind))
        r = policy_fail(rd, at, "not an nkey of %s (%c...)", kind == 'A' ? "an account" : "a module", kind);
    return r;
}

static int read_issuer(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    return read_nkey(rd, at, v, 'A', &((struct sign_rule *)into)->issuer);
}

static int read_subject(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    return read_nkey(rd, at, v, 'M', &((struct sign_rule *)into)->subject);
}

static int read_min_revision(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                             void *into)
{
    uint64_t n = 0;
    int r = policy_want_number(rd, at, v, 0, INT32_MAX, &n);
    ((struct sign_rule *)into)->min_revision = (int64_t)n;
    return r;
}

static int read_max_age(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    return policy_want_age(rd, at, v, &((struct sign_rule *)into)->max_age);
}

static int read_repository(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                           void *into)
{
    return policy_want_bool(rd, at, v, &((struct sign_rule *)into)->signed_repository);
}

static int read_ed25519ph(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                          void *into)
{
    return policy_want_bool(rd, at, v, &((struct sign_rule *)into)->ed25519ph);
}

static int read_old_claims(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                           void *into)
{
    return policy_want_bool(rd, at, v, &((struct sign_rule *)into)->old_claims);
}

static int read_capabilities(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                             void *into)
{
    struct sign_rule *rule = into;
    rule->has_capabilities = true;
    return policy_want_names(rd, at, v, 0, &rule->capabilities);
}

static int read_digests(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    return policy_want_digests(rd, at, v, &((struct sign_rule *)into)->digests);
}

static int read_deny(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    return policy_want_digests(rd, at, v, &((struct sign_rule *)into)->deny);
}

static int read_annotations(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                            void *into)
{
    struct sign_rule *rule = into;
    const char *name;
    const struct jval *value = NULL;
    size_t n = jobj_len(v);
    int r = 0;
    if (jval_kind(v) != JKIND_OBJECT || n == 0 || n > LIMIT_ANNOTATIONS)
        return policy_fail(rd, at, "not a table of strings");
    rule->annotations = calloc(n, sizeof(*rule->annotations));
    if (!rule->annotations)
        return err_nomem(rd->e);
    for (const void *i = jobj_next(v, NULL, &name, &value); !r && i; i = jobj_next(v, i, &name, &value)) {
        const struct toml_at member = {at, name, 0};
        struct sign_pair *pair = &rule->annotations[rule->n_annotations++];
        pair->key = name;
        r = policy_want_text(rd, &member, value, &pair->value);
    }
    return r;
}

/* What the rows of policy_signers want of a scope. */
#define BY(name)                                                                                   \
    static int by_##name(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, \
                         void *into)                                                               \
    {                                                                                              \
        return policy_read_##name(rd, at, v, &((struct sign_rule *)into)->by);                     \
    }
BY(keys)
BY(threshold)
BY(root)
BY(store)
BY(signers)
BY(identities)
BY(any_identity)
BY(formats)

static int read_attestation(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                            void *into)
{
    (void)into;
    return jval_kind(v) == JKIND_ARRAY
               ? 0
               : policy_fail(rd, at, "not a list of tables: [[scopes.*.%s]]", at->key);
}

static const struct policy_member members[] = {
    {"verdict", read_verdict},
    {"mode", read_mode},
    {"keys", by_keys},
    {"threshold", by_threshold},
    {"root", by_root},
    {"store", by_store},
    {"signers", by_signers},
    {"identities", by_identities},
    {"insecure_any_identity", by_any_identity},
    {"formats", by_formats},
    {"annotations", read_annotations},
    {"signed_repository", read_repository},
    {"embedded", read_embedded},
    {"claims", read_claims},
    {"issuer", read_issuer},
    {"subject", read_subject},
    {"min_revision", read_min_revision},
    {"max_age", read_max_age},
    {"attestation", read_attestation},
    {"capabilities", read_capabilities},
    {"digests", read_digests},
    {"deny", read_deny},
    {"insecure_ed25519ph", read_ed25519ph},
    {"insecure_old_claims", read_old_claims},
};

int policy_rule_read(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                     struct sign_rule *rule)
{
    const struct toml_at list_at = {at, "attestation", 0};
    policy_signers_init(&rule->by, POLICY_ALL_FORMATS);
    rule->min_revision = -1;
    int r = policy_table(rd, at, v, members, ARRAY_LEN(members), rule);
    rule->all_root = rule->by.root;
    if (!r && (rule->issuer || rule->subject) &&
        asprintf(&rule->pins, "%s %s", rule->issuer ? rule->issuer : "", rule->subject ? rule->subject : "") <
            0) {
        rule->pins = NULL;
        r = err_nomem(rd->e);
    }
    const struct jval *list = r ? NULL : jobj_get(v, "attestation");
    /* They take the scope's keys where they have none: so they come last. */
    return r || !list ? r : policy_attestation_list(rd, &list_at, list, rule);
}

void policy_rule_done(struct sign_rule *rule)
{
    free(TAKE(rule->scope));
    free(TAKE(rule->name));
    policy_signers_done(&rule->by);
    free(TAKE(rule->annotations));
    free(TAKE(rule->pins));
    for (size_t i = 0; i < rule->n_attestations; i++) {
        policy_signers_done(&rule->attestations[i].by);
        free(rule->attestations[i].conditions);
    }
    free(TAKE(rule->attestations));
    free(TAKE(rule->capabilities.names));
    free(TAKE(rule->digests.all));
    free(TAKE(rule->deny.all));
    free(TAKE(rule->all_keys));
    free(TAKE(rule->all_identities));
}

/* Where the verdict is given, nothing is verified: what looks as if it were is a mistake. */
static int verdict_possible(struct policy_reader *rd, const struct toml_at *at, const struct sign_rule *rule)
{
    const struct jval *v = jobj_get(jobj_get(jdoc_root(rd->p->doc), "scopes"), rule->written);
    static const char *const allowed[] = {"verdict", "deny", "digests", "capabilities"};
    size_t n = rule->verdict == SIGN_VERDICT_REJECT ? 1 : ARRAY_LEN(allowed);
    const char *name;
    const struct jval *value;
    for (const void *i = jobj_next(v, NULL, &name, &value); i; i = jobj_next(v, i, &name, &value)) {
        const struct toml_at member = {at, name, 0};
        size_t k = 0;
        while (k < n && strcmp(allowed[k], name) != 0)
            k++;
        if (k == n)
            return policy_fail(rd, &member, "means nothing beside `verdict = \"%s\"`",
                               policy_verdicts[rule->verdict]);
    }
    return 0;
}

static int need_format(struct policy_reader *rd, const struct toml_at *at, const struct sign_rule *rule,
                       bool needed, unsigned formats, const char *member, const char *any)
{
    const struct toml_at here = {at, member, 0};
    if (!needed || (rule->by.formats & formats))
        return 0;
    return policy_fail(rd, &here, "`formats` has not %s: nothing could satisfy this", any);
}

static int formats_possible(struct policy_reader *rd, const struct toml_at *at, const struct sign_rule *rule)
{
    const unsigned claims = policy_format_bit("claims");
    int r =
        need_format(rd, at, rule, rule->embedded, policy_format_bit("embedded"), "embedded", "\"embedded\"");
    if (!r)
        r = need_format(rd, at, rule, rule->claims, claims, "claims", "\"claims\"");
    if (!r)
        r = need_format(rd, at, rule, rule->issuer, claims, "issuer", "\"claims\"");
    if (!r)
        r = need_format(rd, at, rule, rule->subject, claims, "subject", "\"claims\"");
    if (!r)
        r = need_format(rd, at, rule, rule->min_revision >= 0, claims, "min_revision", "\"claims\"");
    if (!r)
        r = need_format(rd, at, rule, rule->signed_repository, POLICY_REPOSITORY, "signed_repository",
                        "\"cosign\", which alone signs it");
    if (!r)
        r = need_format(rd, at, rule, rule->n_annotations, POLICY_ANNOTATED, "annotations",
                        "one that signs annotations");
    return r;
}

static int digests_possible(struct policy_reader *rd, const struct toml_at *at, const struct sign_rule *rule)
{
    const struct toml_at here = {at, "digests", 0};
    size_t left = 0;
    for (size_t i = 0; i < rule->digests.n; i++)
        if (!policy_digests_have(&rule->deny, &rule->digests.all[i]) &&
            !policy_digests_have(&rd->p->deny, &rule->digests.all[i]))
            left++;
    if (rule->digests.n && !left)
        return policy_fail(rd, &here, "all of them are denied: nothing could satisfy this");
    return 0;
}

int policy_rule_possible(struct policy_reader *rd, const struct toml_at *at, const struct sign_rule *rule)
{
    const struct toml_at repository = {at, "signed_repository", 0};
    if (rule->verdict != SIGN_VERDICT_REQUIRE) {
        int r = verdict_possible(rd, at, rule);
        return r ? r : digests_possible(rd, at, rule);
    }
    if (rule->signed_repository && !rule->in_registry)
        return policy_fail(rd, &repository, "what is in no registry has no repository to be signed");
    int r = policy_signers_possible(rd, at, &rule->by, "signature");
    if (!r)
        r = formats_possible(rd, at, rule);
    return r ? r : digests_possible(rd, at, rule);
}
