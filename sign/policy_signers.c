/* SPDX-License-Identifier: Apache-2.0 */
/* Who may sign: the part that scopes and their attestations have in common. */
#include "sign/pattern.h"
#include "sign/policy_impl.h"

const char *const policy_formats[] = {"sigstore", "cosign", "embedded", "claims",
                                      "notation", "ssh",    "minisign"};
const size_t policy_n_formats = ARRAY_LEN(policy_formats);

unsigned policy_format_bit(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(policy_formats); i++)
        if (strcmp(policy_formats[i], name) == 0)
            return 1U << i;
    return 0;
}

void policy_signers_init(struct policy_signers *by, unsigned formats)
{
    *by = (struct policy_signers){.threshold = 1,
                                  .root = POLICY_NONE,
                                  .store = POLICY_NONE,
                                  .signers = POLICY_NONE,
                                  .formats = formats};
}

void policy_signers_done(struct policy_signers *by)
{
    free(TAKE(by->keys));
    free(TAKE(by->identities));
}

/* The source of that kind and name, which is then one that is used. */
static int find_source(struct policy_reader *rd, const struct toml_at *at, enum sign_source_kind kind,
                       const char *name, size_t *ret)
{
    static const char *const tables[] = {"keys", "roots", "stores", "signers"};
    for (size_t i = 0; i < rd->p->n_sources; i++) {
        struct sign_source *s = &rd->p->sources[i].shown;
        if (s->kind == kind && strcmp(s->name, name) == 0) {
            s->used = true;
            *ret = i;
            return 0;
        }
    }
    return policy_fail(rd, at, "there is no such name under [%s]", tables[kind]);
}

int policy_read_keys(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    struct policy_signers *by = into;
    struct policy_names names = {NULL, 0};
    int r = policy_want_names(rd, at, v, 1, &names);
    if (!r && !(by->keys = calloc(names.n, sizeof(*by->keys))))
        r = err_nomem(rd->e);
    for (size_t i = 0; !r && i < names.n; i++) {
        const struct toml_at element = {at, NULL, i};
        r = find_source(rd, &element, SIGN_SOURCE_KEY, names.names[i], &by->keys[i]);
        if (!r)
            by->n_keys = i + 1;
    }
    free(names.names);
    return r;
}

int policy_read_threshold(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                          void *into)
{
    struct policy_signers *by = into;
    uint64_t n = 1;
    int r = policy_want_number(rd, at, v, 1, LIMIT_POLICY_LIST, &n);
    by->threshold = (unsigned)n;
    return r;
}

static int read_one(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                    enum sign_source_kind kind, size_t *ret)
{
    const char *name = NULL;
    int r = policy_want_text(rd, at, v, &name);
    return r ? r : find_source(rd, at, kind, name, ret);
}

int policy_read_root(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    return read_one(rd, at, v, SIGN_SOURCE_ROOT, &((struct policy_signers *)into)->root);
}

int policy_read_store(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    return read_one(rd, at, v, SIGN_SOURCE_STORE, &((struct policy_signers *)into)->store);
}

int policy_read_signers(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    return read_one(rd, at, v, SIGN_SOURCE_SIGNERS, &((struct policy_signers *)into)->signers);
}

static int read_issuer(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    return policy_want_text(rd, at, v, &((struct sign_identity *)into)->issuer);
}

static int read_subject(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    struct sign_identity *id = into;
    if (id->subject)
        return policy_fail(rd, at, "`subject` and `subject_regex` contradict each other");
    return policy_want_text(rd, at, v, &id->subject);
}

int policy_want_pattern(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                        const char **ret)
{
    struct err why = ERR_INIT;
    const char *text = NULL;
    int r = policy_want_text(rd, at, v, &text);
    if (!r && sign_pattern_check(text, &why))
        r = policy_fail(rd, at, "%.300s", why.msg);
    if (!r)
        *ret = text;
    return r;
}

static int read_subject_regex(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                              void *into)
{
    struct sign_identity *id = into;
    const char *text = NULL;
    int r = policy_want_pattern(rd, at, v, &text);
    if (!r && id->subject)
        r = policy_fail(rd, at, "`subject` and `subject_regex` contradict each other");
    id->subject = text;
    id->subject_is_pattern = true;
    return r;
}

static int read_identity(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    static const struct policy_member rows[] = {
        {"issuer", read_issuer}, {"subject", read_subject}, {"subject_regex", read_subject_regex}};
    struct sign_identity *id = into;
    int r = policy_table(rd, at, v, rows, ARRAY_LEN(rows), id);
    if (!r && !id->subject)
        r = policy_fail(rd, at, "neither `subject` nor `subject_regex`: that would be anybody");
    return r;
}

int policy_read_identities(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                           void *into)
{
    struct policy_signers *by = into;
    void *list = NULL;
    int r = policy_want_list(rd, at, v, sizeof(*by->identities), &list, &by->n_identities, read_identity);
    by->identities = list;
    return r;
}

int policy_read_any_identity(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                             void *into)
{
    return policy_want_bool(rd, at, v, &((struct policy_signers *)into)->any_identity);
}

int policy_read_formats(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    struct policy_signers *by = into;
    struct policy_names names = {NULL, 0};
    unsigned bits = 0;
    int r = policy_want_names(rd, at, v, 1, &names);
    for (size_t i = 0; !r && i < names.n; i++) {
        const struct toml_at element = {at, NULL, i};
        size_t choice = 0;
        r = policy_want_choice(rd, &element, jarr_at(v, i), policy_formats, policy_n_formats, &choice);
        bits |= 1U << choice;
    }
    free(names.names);
    by->formats = bits;
    return r;
}

/* Identities say whom a certificate must be of; nothing says that without a root, a store or signers. */
static int identities_possible(struct policy_reader *rd, const struct toml_at *at,
                               const struct policy_signers *by)
{
    bool certificates = by->root != POLICY_NONE || by->store != POLICY_NONE;
    bool asked = by->n_identities || by->any_identity;
    if (by->n_identities && by->any_identity)
        return policy_fail(rd, at, "`identities` and `insecure_any_identity` contradict each other");
    if (asked && !certificates && by->signers == POLICY_NONE)
        return policy_fail(rd, at, "identities without a `root`, `store` or `signers` that proves them");
    if (certificates && !asked)
        return policy_fail(rd, at, "a `%s` without `identities`: anybody with a certificate could sign",
                           by->root != POLICY_NONE ? "root" : "store");
    for (size_t i = 0; i < by->n_identities; i++)
        if (by->root != POLICY_NONE && by->store == POLICY_NONE && by->signers == POLICY_NONE &&
            !by->identities[i].issuer)
            return policy_fail(rd, at, "an identity without `issuer`: other issuers name whom they like");
    return 0;
}

int policy_signers_possible(struct policy_reader *rd, const struct toml_at *at,
                            const struct policy_signers *by, const char *what)
{
    bool others = by->root != POLICY_NONE || by->store != POLICY_NONE || by->signers != POLICY_NONE;
    if (!by->n_keys && !others)
        return policy_fail(rd, at, "no keys: nothing to verify a%s %s with", *what == 'a' ? "n" : "", what);
    if (!others && by->threshold > by->n_keys)
        return policy_fail(rd, at, "a threshold of %u and %zu key%s: nothing could satisfy that",
                           by->threshold, by->n_keys, by->n_keys == 1 ? "" : "s");
    const unsigned notation = policy_format_bit("notation");
    if (by->formats == notation && by->store == POLICY_NONE)
        return policy_fail(rd, at, "the format notation needs a `store`: nothing could satisfy this");
    return identities_possible(rd, at, by);
}
