/* SPDX-License-Identifier: Apache-2.0 */
/* Attestations that a rule demands, and what must be said in them. */
#include "sign/pattern.h"
#include "sign/policy_impl.h"
#include "sign/predicate.h"

#include <stdio.h>

static int read_name(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                     const char **ret)
{
    int r = policy_want_text(rd, at, v, ret);
    if (!r && strlen(*ret) > LIMIT_TAG)
        r = policy_fail(rd, at, "longer than %u characters", LIMIT_TAG);
    return r;
}

static int condition_name(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                          void *into)
{
    return read_name(rd, at, v, &((struct policy_condition *)into)->name);
}

/* RFC 6901: empty, or components that start with a slash, ~ being ~0 or ~1 alone. */
static int condition_pointer(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                             void *into)
{
    const char *text = NULL;
    int r = policy_want_text(rd, at, v, &text);
    if (r)
        return r;
    if (*text != '/')
        return policy_fail(rd, at, "a JSON pointer starts with a slash: \"/predicate/...\"");
    for (const char *p = strchr(text, '~'); p; p = strchr(p + 1, '~'))
        if (p[1] != '0' && p[1] != '1')
            return policy_fail(rd, at, "in a JSON pointer ~ is written ~0");
    ((struct policy_condition *)into)->pointer = text;
    return 0;
}

static int take_test(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                     enum policy_test test, struct policy_condition *c)
{
    if (c->want)
        return policy_fail(rd, at, "one of `equals`, `one_of`, `matches` and `exists` is enough");
    c->test = test;
    c->want = v;
    return 0;
}

static bool is_scalar(const struct jval *v)
{
    return jval_kind(v) != JKIND_ARRAY && jval_kind(v) != JKIND_OBJECT;
}

static int condition_equals(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                            void *into)
{
    if (!is_scalar(v))
        return policy_fail(rd, at, "not a string, number or boolean");
    return take_test(rd, at, v, POLICY_EQUALS, into);
}

static int condition_one_of(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                            void *into)
{
    if (jval_kind(v) != JKIND_ARRAY || !jarr_len(v))
        return policy_fail(rd, at, "not a list with something in it");
    for (size_t i = 0; i < jarr_len(v); i++)
        if (!is_scalar(jarr_at(v, i)))
            return policy_fail(rd, at, "holds something else than strings, numbers and booleans");
    return take_test(rd, at, v, POLICY_ONE_OF, into);
}

static int condition_matches(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                             void *into)
{
    const char *pattern;
    int r = policy_want_pattern(rd, at, v, &pattern);
    return r ? r : take_test(rd, at, v, POLICY_MATCHES, into);
}

static int condition_exists(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                            void *into)
{
    bool ignored;
    int r = policy_want_bool(rd, at, v, &ignored);
    return r ? r : take_test(rd, at, v, POLICY_EXISTS, into);
}

static int read_condition(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                          void *into)
{
    static const struct policy_member rows[] = {
        {"name", condition_name},     {"pointer", condition_pointer}, {"equals", condition_equals},
        {"one_of", condition_one_of}, {"matches", condition_matches}, {"exists", condition_exists},
    };
    struct policy_condition *c = into;
    int r = policy_table(rd, at, v, rows, ARRAY_LEN(rows), c);
    if (!r && !c->pointer)
        r = policy_fail(rd, at, "`pointer` is missing");
    if (!r && !c->want)
        r = policy_fail(rd, at, "none of `equals`, `one_of`, `matches` and `exists`");
    return r;
}

static bool same_value(const struct jval *a, const struct jval *b)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_TOML), other = BUF_INIT(LIMIT_TOML);
    struct jout first = {.out = &text}, second = {.out = &other};
    jout_value(&first, NULL, a);
    jout_value(&second, NULL, b);
    return !text.failed && !other.failed && bytes_eq(buf_bytes(&text), buf_bytes(&other));
}

/* Two conditions on one value that exclude each other. */
static bool contradict(const struct policy_condition *a, const struct policy_condition *b)
{
    if (strcmp(a->pointer, b->pointer) != 0)
        return false;
    bool a_absent = a->test == POLICY_EXISTS && !jval_bool(a->want);
    bool b_absent = b->test == POLICY_EXISTS && !jval_bool(b->want);
    if (a_absent != b_absent)
        return true;
    return a->test == POLICY_EQUALS && b->test == POLICY_EQUALS && !same_value(a->want, b->want);
}

static int attestation_conditions(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                                  void *into)
{
    struct policy_attestation *a = into;
    void *list = NULL;
    int r = policy_want_list(rd, at, v, sizeof(*a->conditions), &list, &a->n_conditions, read_condition);
    a->conditions = list;
    for (size_t i = 0; !r && i < a->n_conditions; i++)
        for (size_t k = 0; !r && k < i; k++) {
            const struct toml_at element = {at, NULL, i};
            if (a->conditions[i].name && a->conditions[k].name &&
                strcmp(a->conditions[i].name, a->conditions[k].name) == 0)
                r = policy_fail(rd, &element, "the name of another condition");
            else if (contradict(&a->conditions[i], &a->conditions[k]))
                r = policy_fail(rd, &element, "contradicts another condition: nothing could satisfy both");
        }
    return r;
}

static int attestation_name(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                            void *into)
{
    return read_name(rd, at, v, &((struct policy_attestation *)into)->name);
}

static int attestation_type(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                            void *into)
{
    struct policy_attestation *a = into;
    int r = policy_want_text(rd, at, v, &a->type);
    if (!r && !sign_predicate_type(a->type))
        r = policy_fail(rd, at, "neither a URI nor a short name as slsaprovenance1, spdx, cyclonedx, vuln");
    return r;
}

static int attestation_every(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                             void *into)
{
    return policy_want_bool(rd, at, v, &((struct policy_attestation *)into)->every);
}

static int attestation_max_age(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                               void *into)
{
    return policy_want_age(rd, at, v, &((struct policy_attestation *)into)->max_age);
}

#define BY(name)                                                                                   \
    static int by_##name(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, \
                         void *into)                                                               \
    {                                                                                              \
        return policy_read_##name(rd, at, v, &((struct policy_attestation *)into)->by);            \
    }
BY(keys)
BY(threshold)
BY(root)
BY(identities)
BY(any_identity)
BY(formats)

static const struct policy_member members[] = {
    {"name", attestation_name},
    {"type", attestation_type},
    {"keys", by_keys},
    {"threshold", by_threshold},
    {"root", by_root},
    {"identities", by_identities},
    {"insecure_any_identity", by_any_identity},
    {"formats", by_formats},
    {"every", attestation_every},
    {"max_age", attestation_max_age},
    {"conditions", attestation_conditions},
};

/* Without keys and root of its own, an attestation is by those who sign. */
static int take_signers(struct policy_reader *rd, const struct policy_signers *from,
                        struct policy_signers *to)
{
    unsigned threshold = to->threshold, formats = to->formats;
    if (to->n_keys || to->root != POLICY_NONE || to->n_identities || to->any_identity)
        return 0;
    *to = *from;
    to->threshold = threshold;
    to->formats = formats;
    to->store = to->signers = POLICY_NONE;
    to->keys = calloc(from->n_keys ? from->n_keys : 1, sizeof(*to->keys));
    to->identities = calloc(from->n_identities ? from->n_identities : 1, sizeof(*to->identities));
    if (!to->keys || !to->identities)
        return err_nomem(rd->e);
    for (size_t i = 0; i < from->n_keys; i++)
        to->keys[i] = from->keys[i];
    for (size_t i = 0; i < from->n_identities; i++)
        to->identities[i] = from->identities[i];
    /* What those identities are proven by may be of no use for attestations. */
    if (to->root == POLICY_NONE) {
        to->n_identities = 0;
        to->any_identity = false;
    }
    return 0;
}

static int read_attestation(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                            struct sign_rule *rule, struct policy_attestation *a)
{
    const struct toml_at formats = {at, "formats", 0};
    policy_signers_init(&a->by, POLICY_ATTESTING);
    int r = policy_table(rd, at, v, members, ARRAY_LEN(members), a);
    if (!r && !a->type)
        r = policy_fail(rd, at, "`type` is missing");
    if (!r && (a->by.formats & ~POLICY_ATTESTING))
        r = policy_fail(rd, &formats, "attestations are of the formats sigstore and cosign");
    if (!r)
        r = take_signers(rd, &rule->by, &a->by);
    if (!r && a->by.root != POLICY_NONE && rule->all_root != POLICY_NONE && a->by.root != rule->all_root)
        r = policy_fail(rd, at, "another `root` than the scope's: one scope goes by one root");
    if (!r && a->by.root != POLICY_NONE)
        rule->all_root = a->by.root;
    return r ? r : policy_signers_possible(rd, at, &a->by, "attestation");
}

int policy_attestation_list(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                            struct sign_rule *rule)
{
    size_t n = jarr_len(v);
    int r = 0;
    if (n == 0 || n > LIMIT_POLICY_LIST)
        return policy_fail(rd, at, n ? "more than %u" : "empty", LIMIT_POLICY_LIST);
    rule->attestations = calloc(n, sizeof(*rule->attestations));
    if (!rule->attestations)
        return err_nomem(rd->e);
    while (!r && rule->n_attestations < n) {
        size_t i = rule->n_attestations++;
        const struct toml_at element = {at, NULL, i};
        struct policy_attestation *a = &rule->attestations[i];
        r = read_attestation(rd, &element, jarr_at(v, i), rule, a);
        for (size_t k = 0; !r && k < i; k++)
            if (a->name && rule->attestations[k].name && strcmp(a->name, rule->attestations[k].name) == 0)
                r = policy_fail(rd, &element, "the name of another attestation");
    }
    return r;
}

/* The member or element that one component of a pointer names, which ends at a slash or the end. */
static const struct jval *pointer_step(const struct jval *v, const char *part, size_t n)
{
    char key[LIMIT_PATTERN_TEXT];
    size_t len = 0;
    for (size_t i = 0; i < n && len + 1 < sizeof(key); i++) {
        char c = part[i];
        if (c == '~')
            c = part[++i] == '1' ? '/' : '~';
        key[len++] = c;
    }
    key[len] = 0;
    if (jval_kind(v) == JKIND_OBJECT)
        return n < sizeof(key) ? jobj_get(v, key) : NULL;
    bool number = len > 0 && len < 8 && strspn(key, "0123456789") == len && (len == 1 || key[0] != '0');
    return number && jval_kind(v) == JKIND_ARRAY && strtoul(key, NULL, 10) < jarr_len(v)
               ? jarr_at(v, strtoul(key, NULL, 10))
               : NULL;
}

static const struct jval *pointer_find(const struct jval *v, const char *pointer)
{
    while (v && *pointer == '/') {
        size_t n = strcspn(pointer + 1, "/");
        v = pointer_step(v, pointer + 1, n);
        pointer += n + 1;
    }
    return v;
}

static int condition_holds(const struct policy_condition *c, const struct jval *statement, bool *ret,
                           struct err *e)
{
    const struct jval *v = pointer_find(statement, c->pointer);
    *ret = false;
    switch (c->test) {
    case POLICY_EXISTS:
        /* null says nothing either way: it is there for those who want it absent, and not for others. */
        *ret = jval_bool(c->want) ? v && jval_kind(v) != JKIND_NULL : !v;
        return 0;
    case POLICY_EQUALS: *ret = v && same_value(v, c->want); return 0;
    case POLICY_ONE_OF:
        for (size_t i = 0; v && i < jarr_len(c->want); i++)
            *ret = *ret || same_value(v, jarr_at(c->want, i));
        return 0;
    case POLICY_MATCHES:
        return v && jval_string(v) ? sign_pattern_matches(jval_string(c->want), jval_string(v), ret, e) : 0;
    }
    return 0;
}

/* The first condition that a statement does not meet; *ret is n_conditions when it meets all. */
static int first_unmet(const struct policy_attestation *a, const char *statement, size_t *ret, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    struct err why = ERR_INIT;
    bool holds = true;
    int r = jdoc_parse(bytes_str(statement), &doc, &why);
    if (r == ERR_NOMEM)
        return err_nomem(e);
    *ret = 0;
    for (; !r && *ret < a->n_conditions; (*ret)++) {
        int failed = condition_holds(&a->conditions[*ret], jdoc_root(doc), &holds, e);
        if (failed || !holds)
            return failed;
    }
    /* A statement that cannot be read meets nothing, also where there is no condition. */
    if (r)
        *ret = POLICY_NONE;
    return 0;
}

/* What is known of one demand while the checks are gone through. */
struct tally {
    unsigned of_type, by_others, old, good;
    size_t unmet; /* of the last one that fails; POLICY_NONE: none did */
    bool unreadable;
    const char *age;
};

static bool is_new_signer(const struct policy_finder *f, const size_t *good, unsigned n, size_t check)
{
    for (unsigned i = 0; i < n; i++)
        if (policy_same_signer(f, &f->report->checks[good[i]], &f->report->checks[check]))
            return false;
    return true;
}

static int tally_one(struct policy_finder *f, const struct policy_attestation *a, size_t check,
                     struct tally *t, size_t *good)
{
    const struct sign_check *c = &f->report->checks[check];
    bool counts = false;
    size_t unmet = 0;
    if (!c->ok || c->kind != SIGN_CHECK_ATTESTATION || !c->predicate_type || !c->statement ||
        !sign_predicate_is(a->type, c->predicate_type))
        return 0;
    t->of_type++;
    int r = policy_signer_counts(f, &a->by, c, &counts);
    if (r)
        return r;
    if (!counts) {
        t->by_others++;
        return 0;
    }
    const char *old = policy_too_old(c, a->max_age, f->now);
    if (old) {
        t->old++;
        t->age = old;
        return 0;
    }
    if ((r = first_unmet(a, c->statement, &unmet, f->e)))
        return r;
    if (unmet == POLICY_NONE)
        t->unreadable = true;
    else if (unmet < a->n_conditions)
        t->unmet = unmet;
    else if (is_new_signer(f, good, t->good, check))
        good[t->good++] = check;
    return 0;
}

/* "attestation[1]" or, where it has a name, "attestation.NAME"; and the same of a condition in it. */
static void put_rule(const struct sign_rule *rule, size_t i, size_t condition, char *out, size_t size)
{
    const struct policy_attestation *a = &rule->attestations[i];
    int n = a->name ? snprintf(out, size, ".attestation.%.120s", a->name)
                    : snprintf(out, size, ".attestation[%zu]", i);
    if (condition >= a->n_conditions || n < 0 || (size_t)n >= size)
        return;
    const struct policy_condition *c = &a->conditions[condition];
    if (c->name)
        (void)snprintf(out + n, size - (size_t)n, ".%s", c->name);
    else
        (void)snprintf(out + n, size - (size_t)n, ".conditions[%zu]", condition);
}

static int report_condition(struct policy_finder *f, size_t i, size_t condition, const char *every)
{
    static const char *const tests[] = {"does not equal", "is none of", "does not match", NULL};
    const struct policy_condition *c = &f->rule->attestations[i].conditions[condition];
    AUTO_DONE(buf) want = BUF_INIT(LIMIT_TOML);
    struct jout w = {.out = &want};
    char name[SIGN_RULE_NAME_MAX];
    put_rule(f->rule, i, condition, name, sizeof(name));
    if (c->test == POLICY_EXISTS)
        return policy_find(f, ERR_POLICY, name, "%s%.200s %s", every, c->pointer,
                           jval_bool(c->want) ? "is not there" : "is there");
    jout_value(&w, NULL, c->want);
    return policy_find(f, ERR_POLICY, name, "%s%.120s %s %.160s", every, c->pointer, tests[c->test],
                       buf_cstr(&want));
}

int policy_check_attestation(struct policy_finder *f, size_t i)
{
    const struct policy_attestation *a = &f->rule->attestations[i];
    struct tally t = {.unmet = POLICY_NONE};
    char name[SIGN_RULE_NAME_MAX];
    size_t *good = calloc(f->report->n ? f->report->n : 1, sizeof(*good));
    int r = good ? 0 : err_nomem(f->e);
    for (size_t k = 0; !r && k < f->report->n; k++)
        r = tally_one(f, a, k, &t, good);
    free(good);
    if (r)
        return r;
    bool failed = t.unmet != POLICY_NONE || t.unreadable;
    if (t.good >= a->by.threshold && !(a->every && failed))
        return 0;
    if (t.unmet != POLICY_NONE && (a->every || t.good == 0))
        return report_condition(f, i, t.unmet, a->every && t.good ? "in one of several, " : "");
    put_rule(f->rule, i, POLICY_NONE, name, sizeof(name));
    if (t.good && t.good < a->by.threshold)
        return policy_find(f, ERR_POLICY, name, "%u of %u signers attest %.200s", t.good, a->by.threshold,
                           a->type);
    if (t.old)
        return policy_find(f, ERR_EXPIRED, name, "the attestation %.200s %s", a->type, t.age);
    return policy_find(f, ERR_POLICY, name, "%s %.200s",
                       t.unreadable  ? "the statement cannot be read:"
                       : t.by_others ? "only others than those who may attest"
                       : t.of_type   ? "no acceptable attestation"
                                     : "no attestation",
                       a->type);
}
