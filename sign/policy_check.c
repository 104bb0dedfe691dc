/* SPDX-License-Identifier: Apache-2.0 */
/* What was found against what a rule demands. Nothing counts because a report says so: who signed, in which
 * format and when is compared with the rule again. */
#include "sign/pattern.h"
#include "sign/policy_impl.h"

#include <stdarg.h>
#include <stdio.h>

void sign_decision_done(struct sign_decision *d)
{
    free(TAKE(d->findings));
    d->n_findings = 0;
}

int policy_find(struct policy_finder *f, int code, const char *rule_suffix, const char *fmt, ...)
{
    struct sign_decision *d = f->ret;
    struct sign_finding *more = reallocarray(d->findings, d->n_findings + 1, sizeof(*more));
    va_list ap;
    if (!more)
        return err_nomem(f->e);
    d->findings = more;
    struct sign_finding *found = &more[d->n_findings++];
    *found = (struct sign_finding){.code = code};
    (void)snprintf(found->rule, sizeof(found->rule), "%s%s", *rule_suffix == '.' ? f->rule->name : "",
                   *rule_suffix ? rule_suffix : f->rule->name);
    va_start(ap, fmt);
    (void)vsnprintf(found->reason, sizeof(found->reason), fmt, ap);
    va_end(ap);
    return 0;
}

bool policy_digests_have(const struct policy_digests *list, const struct digest *d)
{
    for (size_t i = 0; d && i < list->n; i++)
        if (digest_eq(&list->all[i], d))
            return true;
    return false;
}

const char *policy_too_old(const struct sign_check *c, int64_t max_age, int64_t now)
{
    if (c->expires_at && now >= c->expires_at)
        return "has expired";
    if (!max_age)
        return NULL;
    if (c->signed_at <= 0)
        return "says nothing of when it was made";
    if (c->signed_at > now + LIMIT_CLOCK_SKEW)
        return "is from the future";
    return c->signed_at < now - max_age ? "is older than `max_age`" : NULL;
}

/* Cuts one attribute off a distinguished name (RFC 4514: commas that are meant have a backslash). */
static struct bytes next_attribute(struct bytes *name)
{
    size_t n = 0;
    while (n < name->len && name->ptr[n] != ',' && name->ptr[n] != '+')
        n += name->ptr[n] == '\\' && n + 1 < name->len ? 2 : 1;
    struct bytes one = bytes_of(name->ptr, n);
    *name = n < name->len ? bytes_of(name->ptr + n + 1, name->len - n - 1) : BYTES_NONE;
    return bytes_trim(one, " ");
}

/* "O=acme": the type in any case, the value as it is. */
static bool same_attribute(struct bytes a, struct bytes b)
{
    const uint8_t *x = a.len ? memchr(a.ptr, '=', a.len) : NULL,
                  *y = b.len ? memchr(b.ptr, '=', b.len) : NULL;
    if (!x || !y)
        return false;
    struct bytes type = bytes_trim(bytes_of(a.ptr, (size_t)(x - a.ptr)), " "),
                 other = bytes_trim(bytes_of(b.ptr, (size_t)(y - b.ptr)), " ");
    size_t rest = a.len - (size_t)(x - a.ptr) - 1, other_rest = b.len - (size_t)(y - b.ptr) - 1;
    return type.len == other.len &&
           strncasecmp((const char *)type.ptr, (const char *)other.ptr, type.len) == 0 &&
           bytes_eq(bytes_trim(bytes_of(x + 1, rest), " "), bytes_trim(bytes_of(y + 1, other_rest), " "));
}

/* Whether each attribute that is wanted is one of the subject's: Notary Project, trust policy,
 * "trustedIdentities". */
static bool subject_covers(const char *subject, const char *want)
{
    struct bytes left = bytes_str(want);
    bool any = false;
    while (left.len) {
        struct bytes one = next_attribute(&left), all = bytes_str(subject);
        bool found = false;
        while (!found && all.len)
            found = same_attribute(one, next_attribute(&all));
        if (!found)
            return false;
        any = true;
    }
    return any;
}

static int identity_counts(const struct policy_signers *by, const struct sign_check *c, bool *ret,
                           struct err *e)
{
    bool x509 = strcmp(c->format, "notation") == 0;
    int r = 0;
    *ret = by->n_identities == 0;
    for (size_t i = 0; !r && !*ret && i < by->n_identities; i++) {
        const struct sign_identity *id = &by->identities[i];
        if (x509 && id->subject && !id->subject_is_pattern && !id->issuer)
            *ret = c->subject && subject_covers(c->subject, id->subject);
        else
            r = sign_identity_matches(id, c->issuer, c->subject, ret, e);
    }
    return r;
}

static bool is_key_of(const struct policy_finder *f, const struct policy_signers *by,
                      const struct sign_check *c)
{
    for (size_t i = 0; *c->key_id && i < by->n_keys; i++)
        if (strcmp(f->rule->policy->sources[by->keys[i]].id, c->key_id) == 0)
            return true;
    return false;
}

int policy_signer_counts(const struct policy_finder *f, const struct policy_signers *by,
                         const struct sign_check *c, bool *ret)
{
    size_t source = strcmp(c->format, "notation") == 0                ? by->store
                    : strcmp(c->format, "ssh") == 0                   ? by->signers
                    : policy_format_bit(c->format) & POLICY_ATTESTING ? by->root
                                                                      : POLICY_NONE;
    *ret = false;
    if (!(policy_format_bit(c->format) & by->formats))
        return 0;
    if (is_key_of(f, by, c)) {
        *ret = true;
        return 0;
    }
    return source != POLICY_NONE && c->subject ? identity_counts(by, c, ret, f->e) : 0;
}

/* Whether a key of the rule, and no certificate, stands behind a check. */
static bool by_key(const struct policy_finder *f, const struct sign_check *c)
{
    char id[SIGN_FINGERPRINT_MAX];
    for (size_t i = 0; i < f->rule->n_all_keys; i++)
        if (strcmp(sign_key_fingerprint(f->rule->all_keys[i], id), c->key_id) == 0)
            return true;
    return false;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool policy_same_signer(const struct policy_finder *f, const struct sign_check *a, const struct sign_check *b)
{
    if (strcmp(a->key_id, b->key_id) == 0 && *a->key_id)
        return true;
    if (by_key(f, a) || by_key(f, b))
        return false;
    return same_text(a->subject, b->subject) && same_text(a->issuer, b->issuer) &&
           (a->subject || !*a->key_id);
}

/* The first of the artifact's digests that is on a list; NULL: none. */
static const struct digest *listed(const struct policy_digests *list, const struct sign_facts *facts)
{
    if (policy_digests_have(list, facts->subject))
        return facts->subject;
    if (policy_digests_have(list, facts->module))
        return facts->module;
    for (size_t i = 0; i < facts->n_others; i++)
        if (policy_digests_have(list, &facts->others[i]))
            return &facts->others[i];
    return NULL;
}

static bool names(const struct policy_digests *list, enum hash_alg alg)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->all[i].alg == alg)
            return true;
    return false;
}

bool sign_rule_names(const struct sign_rule *rule, enum hash_alg alg)
{
    return names(&rule->policy->deny, alg) || names(&rule->deny, alg) || names(&rule->digests, alg);
}

static int check_denied(struct policy_finder *f, const struct policy_digests *list, const char *name)
{
    char text[DIGEST_STR_MAX];
    const struct digest *d = listed(list, f->facts);
    return d ? policy_find(f, ERR_POLICY, name, "%s is on the deny list", digest_str(d, text)) : 0;
}

static int check_pinned(struct policy_finder *f)
{
    const struct policy_digests *list = &f->rule->digests;
    if (!list->n || listed(list, f->facts))
        return 0;
    return policy_find(f, ERR_POLICY, ".digests", "neither the manifest nor the module is one of the %zu",
                       list->n);
}

/* Why no signature counts: of the one that came nearest. */
struct nearest {
    int rank, code;
    const char *suffix, *text;
};

static void came_near(struct nearest *best, int code, const char *suffix, const char *text)
{
    static const int order[] = {ERR_FORMAT, ERR_LIMIT,   ERR_UNTRUSTED, ERR_DIGEST,
                                ERR_CERT,   ERR_EXPIRED, ERR_POLICY};
    int rank = 0;
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (order[i] == code)
            rank = (int)i + 1;
    if (best->text && rank <= best->rank)
        return;
    *best = (struct nearest){rank, rank ? code : ERR_UNTRUSTED, suffix, text};
}

static bool repository_is(const char *was_signed, const char *repo)
{
    struct policy_place a, b;
    return was_signed && repo && policy_place_set(was_signed, &a) && policy_place_set(repo, &b) &&
           strcmp(a.text, b.text) == 0;
}

/* Whether a good signature counts for this rule; where not, why. */
static int signature_counts(struct policy_finder *f, const struct sign_check *c, bool *ret,
                            struct nearest *why)
{
    const struct sign_rule *rule = f->rule;
    unsigned bit = policy_format_bit(c->format);
    *ret = false;
    if (!(bit & rule->by.formats)) {
        came_near(why, ERR_POLICY, ".formats", "signed in a format that does not count");
        return 0;
    }
    int r = policy_signer_counts(f, &rule->by, c, ret);
    if (r)
        return r;
    const char *old = policy_too_old(c, rule->max_age, f->now);
    if (!*ret)
        came_near(why, ERR_UNTRUSTED, "", "signed by others than those who may");
    else if (old)
        came_near(why, ERR_EXPIRED, rule->max_age ? ".max_age" : "", old);
    else if (rule->n_annotations && !(bit & POLICY_ANNOTATED))
        came_near(why, ERR_POLICY, ".annotations", "the format signs no annotations");
    else if (rule->signed_repository && !repository_is(c->repository, f->facts->repo))
        came_near(why, ERR_POLICY, ".signed_repository",
                  c->repository ? "signed for another repository" : "the format signs no repository");
    else
        return 0;
    *ret = false;
    return 0;
}

static int count_signers(struct policy_finder *f, size_t *good, struct nearest *why)
{
    unsigned n = 0;
    for (size_t i = 0; i < f->report->n; i++) {
        const struct sign_check *c = &f->report->checks[i];
        bool counts = false;
        if (!c->ok && !c->is_unseen && c->kind != SIGN_CHECK_ATTESTATION)
            came_near(why, c->code, c->code == ERR_POLICY && f->rule->n_annotations ? ".annotations" : "",
                      c->text);
        if (!c->ok || c->kind != SIGN_CHECK_SIGNATURE)
            continue;
        int r = signature_counts(f, c, &counts, why);
        if (r)
            return r;
        for (unsigned k = 0; counts && k < n; k++)
            counts = !policy_same_signer(f, &f->report->checks[good[k]], c);
        if (counts)
            good[n++] = i;
    }
    f->ret->signers = n;
    return 0;
}

static int check_signatures(struct policy_finder *f)
{
    struct nearest why = {0, 0, NULL, NULL};
    size_t *good = calloc(f->report->n ? f->report->n : 1, sizeof(*good));
    int r = good ? count_signers(f, good, &why) : err_nomem(f->e);
    unsigned n = f->ret->signers, want = f->rule->by.threshold;
    free(good);
    if (r || n >= want)
        return r;
    if (n)
        return policy_find(f, ERR_POLICY, ".threshold", "%u of %u signers have signed", n, want);
    if (!why.text)
        return policy_find(f, sign_report_code(f->report, 0), "", "no signature");
    return policy_find(f, sign_report_code(f->report, why.code), why.suffix, "%s%s",
                       why.code == ERR_EXPIRED && *why.suffix ? "the signature " : "", why.text);
}

/* A good signature of that format by one who may sign. */
static int has_format(struct policy_finder *f, const char *format, bool *ret)
{
    int r = 0;
    *ret = false;
    for (size_t i = 0; !r && !*ret && i < f->report->n; i++) {
        const struct sign_check *c = &f->report->checks[i];
        if (c->ok && c->kind == SIGN_CHECK_SIGNATURE && strcmp(c->format, format) == 0 &&
            !policy_too_old(c, f->rule->max_age, f->now))
            r = policy_signer_counts(f, &f->rule->by, c, ret);
    }
    return r;
}

static int check_embedded(struct policy_finder *f)
{
    bool there = true;
    int r = f->rule->embedded ? has_format(f, "embedded", &there) : 0;
    if (r || there)
        return r;
    return policy_find(f, ERR_POLICY, ".embedded", "no signature in the module by one who may sign");
}

/* Which pin one set of claims does not meet; NULL: it meets all. */
static const char *claims_unmet(const struct sign_rule *rule, const struct sign_check *c, const char **text)
{
    *text = "the claims' issuer is another";
    if (rule->issuer && !same_text(rule->issuer, c->issuer))
        return ".issuer";
    *text = "the claims' subject is another";
    if (rule->subject && !same_text(rule->subject, c->subject))
        return ".subject";
    *text = c->revision < 0 ? "the claims have no revision" : "the revision is older";
    return c->revision < rule->min_revision ? ".min_revision" : NULL;
}

static int check_claims(struct policy_finder *f)
{
    const char *suffix = ".claims", *text = "no claims by one who may sign";
    if (!sign_rule_wants_claims(f->rule))
        return 0;
    for (size_t i = 0; i < f->report->n; i++) {
        const struct sign_check *c = &f->report->checks[i];
        bool counts = false;
        if (!c->ok || c->kind != SIGN_CHECK_SIGNATURE || strcmp(c->format, "claims") != 0 ||
            policy_too_old(c, f->rule->max_age, f->now))
            continue;
        int r = policy_signer_counts(f, &f->rule->by, c, &counts);
        if (r)
            return r;
        if (counts && !(suffix = claims_unmet(f->rule, c, &text)))
            return 0;
    }
    return policy_find(f, ERR_POLICY, suffix, "%s", text);
}

static bool is_allowed(const struct sign_rule *rule, const char *capability)
{
    for (size_t i = 0; i < rule->capabilities.n; i++)
        if (strcmp(rule->capabilities.names[i], capability) == 0)
            return true;
    return false;
}

static int check_capability_list(struct policy_finder *f, const char *json)
{
    AUTO(jdoc) doc = NULL;
    struct err why = ERR_INIT;
    int r = jdoc_parse(bytes_str(json), &doc, &why);
    if (r == ERR_NOMEM)
        return err_nomem(f->e);
    const struct jval *list = r ? NULL : jdoc_root(doc);
    if (!list || jval_kind(list) != JKIND_ARRAY)
        return policy_find(f, ERR_POLICY, ".capabilities", "the claims' list cannot be read");
    for (size_t i = 0; i < jarr_len(list); i++) {
        const char *one = jval_string(jarr_at(list, i));
        if (!one || !is_allowed(f->rule, one))
            return policy_find(f, ERR_POLICY, ".capabilities", "%.200s is claimed and not allowed",
                               one ? one : "something that is no name");
    }
    return 0;
}

static int check_capabilities(struct policy_finder *f)
{
    int r = 0;
    for (size_t i = 0; !r && f->rule->has_capabilities && i < f->report->n; i++) {
        const struct sign_check *c = &f->report->checks[i];
        if (c->capabilities)
            r = check_capability_list(f, c->capabilities);
    }
    return r;
}

static int check_all(struct policy_finder *f)
{
    int r = check_pinned(f);
    if (f->rule->verdict == SIGN_VERDICT_REQUIRE) {
        if (!r)
            r = check_signatures(f);
        if (!r)
            r = check_embedded(f);
        if (!r)
            r = check_claims(f);
        for (size_t i = 0; !r && i < f->rule->n_attestations; i++)
            r = policy_check_attestation(f, i);
    }
    return r ? r : check_capabilities(f);
}

int sign_rule_check(const struct sign_rule *rule, const struct sign_facts *facts,
                    const struct sign_report *report, int64_t now, struct sign_decision *ret, struct err *e)
{
    struct policy_finder f = {rule, facts, report, now, ret, e};
    *ret = (struct sign_decision){.code = ERR_POLICY,
                                  .audit = rule->audit,
                                  .rule = rule->name,
                                  .limits_capabilities = rule->has_capabilities,
                                  .capabilities = rule->capabilities.names,
                                  .n_capabilities = rule->capabilities.n};
    int r = check_denied(&f, &rule->policy->deny, "deny");
    if (!r)
        r = check_denied(&f, &rule->deny, ".deny");
    bool denied = ret->n_findings > 0;
    if (!r && rule->verdict == SIGN_VERDICT_REJECT)
        r = policy_find(&f, ERR_POLICY, "", rule->written ? "the scope rejects" : "no scope covers this");
    else if (!r)
        r = check_all(&f);
    if (r) {
        ret->code = r;
        return r;
    }
    ret->code = ret->n_findings && (denied || !rule->audit) ? ret->findings[0].code : 0;
    ret->insecure = !ret->code && rule->verdict == SIGN_VERDICT_ACCEPT;
    return 0;
}
