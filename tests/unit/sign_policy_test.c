/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "sign/nkey.h"
#include "sign/pattern.h"
#include "sign/policy.h"
#include "tests/unit/unit.h"

#include <time.h>

#define DIGEST_A "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define DIGEST_B "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define NOW      1800000000

static struct sign_key *pairs[4];
static char ids[4][SIGN_FINGERPRINT_MAX];
static char pems[4][256];

static int make_keys(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        AUTO_DONE(buf) pem = BUF_INIT(255);
        if (sign_key_generate(SIGN_KEY_ED25519, &pairs[i], &e) || sign_key_write_public(pairs[i], &pem, &e))
            return -1;
        (void)sign_key_fingerprint(pairs[i], ids[i]);
        (void)snprintf(pems[i], sizeof(pems[i]), "%s", buf_cstr(&pem));
    }
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        sign_key_free(pairs[i]);
    return 0;
}

/* version, and the keys a, b, c; d is not named. Nineteen lines. */
static void put_head(struct buf *text)
{
    buf_append_str(text, "version = 1\n");
    for (unsigned i = 0; i < 3; i++)
        buf_printf(text, "[keys.%c]\npem = '''\n%s'''\n", (char)('a' + i), pems[i]);
}

static int try_parse(const char *rest, struct sign_policy **ret, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_TOML);
    AUTO(sign_policy) p = NULL;
    put_head(&text);
    buf_append_str(&text, rest);
    int r = sign_policy_parse(buf_bytes(&text), "policy.toml", &p, e);
    if (!r)
        r = sign_policy_ready(p, e);
    if (!r)
        *ret = TAKE(p);
    return r;
}

static struct sign_policy *parse(const char *rest)
{
    struct err e = ERR_INIT;
    struct sign_policy *p = NULL;
    assert_ok(try_parse(rest, &p, &e));
    return p;
}

static void scope_is(const struct sign_policy *p, const char *repo, const char *want)
{
    assert_string_equal(sign_rule_name(sign_policy_rule(p, repo)), want);
}

static void lookup(void **state)
{
    (void)state;
    AUTO(sign_policy)
    p = parse("[scopes.\"r.example/ns\"]\nkeys = ['a']\n"
              "[scopes.\"r.example/ns/repo\"]\nkeys = ['b']\n"
              "[scopes.\"R.EXAMPLE:5000\"]\nkeys = ['b']\n"
              "[scopes.\"*.wild.example\"]\nkeys = ['a']\n"
              "[scopes.\"*.b.wild.example/x\"]\nkeys = ['a']\n"
              "[scopes.\"docker.io/library\"]\nkeys = ['a']\n"
              "[scopes.\"[0:0::1]:5000\"]\nkeys = ['a']\n"
              "[scopes.\"localhost\"]\nkeys = ['a']\n"
              "[scopes.\"file:\"]\nkeys = ['a']\n"
              "[scopes.\"oci:\"]\nkeys = ['a']\n"
              "[scopes.\"sftp://h.example\"]\nkeys = ['a']\n"
              "[scopes.\"*.com\"]\nkeys = ['a']\n");
    scope_is(p, "r.example/ns", "scopes.\"r.example/ns\"");
    scope_is(p, "r.example/ns/other/deep", "scopes.\"r.example/ns\"");
    scope_is(p, "r.example/ns/repo/x", "scopes.\"r.example/ns/repo\"");
    scope_is(p, "r.example/ns/repository", "scopes.\"r.example/ns\"");
    scope_is(p, "r.example:5000/any", "scopes.\"R.EXAMPLE:5000\"");
    scope_is(p, "a.wild.example/y", "scopes.\"*.wild.example\"");
    scope_is(p, "a.b.wild.example/x/z", "scopes.\"*.b.wild.example/x\"");
    scope_is(p, "a.b.wild.example/y", "scopes.\"*.wild.example\"");
    scope_is(p, "wild.example/y", "default");
    scope_is(p, "xwild.example/y", "default");
    scope_is(p, "docker.io/library/alpine", "scopes.\"docker.io/library\"");
    scope_is(p, "index.docker.io/alpine", "scopes.\"docker.io/library\"");
    scope_is(p, "[::1]:5000/a", "scopes.\"[0:0::1]:5000\"");
    scope_is(p, "localhost/a", "scopes.\"localhost\"");
    scope_is(p, "localhost:443/a", "scopes.\"localhost\"");
    scope_is(p, "localhost:5000/a", "default");
    scope_is(p, NULL, "scopes.\"file:\"");
    scope_is(p, "oci:some/folder", "scopes.\"oci:\"");
    scope_is(p, "oci-archive:some.tar", "default");
    scope_is(p, "sftp://me@H.example:22/srv/x", "scopes.\"sftp://h.example\"");
    scope_is(p, "sftp://h.example:443/srv/x", "default");
    scope_is(p, "x.com/a", "scopes.\"*.com\"");
    scope_is(p, "no-place", "no scope");
    scope_is(p, "", "no scope");
    scope_is(p, "r.example/ns/../other", "no scope");
}

static void attack_scope_confusion(void **state)
{
    (void)state;
    AUTO(sign_policy)
    p = parse("[scopes.\"host.example/ns\"]\nkeys = ['a']\n[scopes.\"\"]\nkeys = ['b']\n");
    scope_is(p, "host.example/nsevil", "scopes.\"\"");
    scope_is(p, "host.example/ns-evil/x", "scopes.\"\"");
    scope_is(p, "host.example.evil.example/ns", "scopes.\"\"");
    scope_is(p, "HOST.example/ns", "scopes.\"host.example/ns\"");
    scope_is(p, "host.example:443/ns/x", "scopes.\"host.example/ns\"");
    scope_is(p, "host.example:80/ns/x", "scopes.\"host.example/ns\"");
    scope_is(p, "host.example:0443/ns/x", "scopes.\"host.example/ns\"");
    scope_is(p, "host.example:8443/ns", "scopes.\"\"");
    scope_is(p, NULL, "default");
    scope_is(p, "oci:host.example/ns", "default");
    assert_int_equal(sign_rule_verdict(sign_policy_rule(p, NULL)), SIGN_VERDICT_REJECT);
    scope_is(p, "host.example./ns", "no scope");
    scope_is(p, "host.example/ns//x", "no scope");
}

/* What is wrong, and what is said of it. */
static const struct {
    const char *rest, *says;
} wrong[] = {
    {"", "an empty policy"},
    {"[scopes]\n[scopes.'r.example/x']\n", "no keys: nothing to verify a signature with"},
    {"[scopes.'r.example/x']\nkyes = ['a']\n",
     "line 21 column 1: scopes.\"r.example/x\".kyes: not known here"},
    {"  polciy = 1\n", "keys.c.polciy: not known here"},
    {"[scopes.'r.example/x']\nkeys = ['nobody']\n", "there is no such name under [keys]"},
    {"[scopes.'r.example/x']\nkeys = []\n", "keys: empty"},
    {"[scopes.'r.example/x']\nkeys = ['a', 'a']\n", "keys[1]: twice"},
    {"[scopes.'r.example/x']\nkeys = ['a']\nthreshold = 0\n",
     "line 22 column 1: scopes.\"r.example/x\".threshold: not a whole number"},
    {"[scopes.'r.example/x']\nkeys = ['a', 'b']\nthreshold = 3\n", "a threshold of 3 and 2 keys"},
    {"[scopes.'r.example/x']\nkeys = ['a']\nthreshold = 1.0\n", "threshold: not a whole number"},
    {"[scopes.'r.example/x']\nkeys = ['a']\n[scopes.'R.example:443/x']\nkeys = ['a']\n",
     "line 22 column 9: scopes.\"R.example:443/x\": the same scope as scopes.\"r.example/x\""},
    {"[scopes.'r.example/x']\nkeys = ['a']\n[scopes.'r.example/x']\nkeys = ['a']\n", "line 22"},
    {"[scopes.'r.example/X']\nkeys = ['a']\n", "not the name of a repository"},
    {"[scopes.'r.example/x:1']\nkeys = ['a']\n", "tags move"},
    {"[scopes.'r.example/x/']\nkeys = ['a']\n", "an empty component"},
    {"[scopes.'team/x']\nkeys = ['a']\n", "starts with a host"},
    {"[scopes.'r.*.example']\nkeys = ['a']\n", "a * stands for whole labels"},
    {"[scopes.'*.example5000:']\nkeys = ['a']\n", "the host is malformed"},
    {"[scopes.'*.']\nkeys = ['a']\n", "the host is malformed"},
    {"[scopes.'file:/tmp']\nkeys = ['a']\n", "one scope is for all"},
    {"[scopes.'r.example/x']\nkeys = ['a']\nformats = ['gpg']\n", "formats[0]: not one of \"sigstore\""},
    {"[scopes.'r.example/x']\nkeys = ['a']\nformats = ['sigstore']\nembedded = 'required'\n",
     "nothing could satisfy this"},
    {"[scopes.'r.example/x']\nkeys = ['a']\nformats = ['notation']\n", "needs a `store`"},
    {"[scopes.'r.example/x']\nkeys = ['a']\nissuer = 'MABC'\n", "issuer: not an nkey of an account"},
    {"[scopes.'r.example/x']\nkeys = ['a']\nmax_age = '0d'\n", "max_age: not a time"},
    {"[scopes.'r.example/x']\nkeys = ['a']\nmax_age = 90\n", "max_age: not a time"},
    {"[scopes.'r.example/x']\nkeys = ['a']\ndigests = ['sha256:1234']\n", "digests[0]: not a digest"},
    {"[scopes.'r.example/x']\nkeys = ['a']\ndigests = ['" DIGEST_A "']\ndeny = ['" DIGEST_A "']\n",
     "all of them are denied"},
    {"[scopes.'r.example/x']\nverdict = 'reject'\nkeys = ['a']\n", "means nothing beside"},
    {"[scopes.'r.example/x']\nverdict = 'accept'\n", "not one of \"reject\", \"insecure-accept-anything\""},
    {"[scopes.'file:']\nkeys = ['a']\nsigned_repository = true\n", "no repository to be signed"},
    {"[scopes.'r.example/x']\nkeys = ['a']\nidentities = [{subject = 'x'}]\n", "identities without a `root`"},
    {"[scopes.'r.example/x']\nkeys = ['a']\n[[scopes.'r.example/x'.attestation]]\nkeys = ['b']\n",
     "attestation[0]: `type` is missing"},
    {"[scopes.'r.example/x']\nkeys = ['a']\n[[scopes.'r.example/x'.attestation]]\ntype = 'slsa'\n",
     "neither a URI nor"},
    {"[scopes.'r.example/x']\nkeys = ['a']\n[[scopes.'r.example/x'.attestation]]\ntype = 'spdx'\nformats "
     "= ['ssh']\n",
     "attestations are of the formats"},
    {"[scopes.'r.example/x']\nkeys = ['a']\n[[scopes.'r.example/x'.attestation]]\ntype = "
     "'spdx'\nconditions = [{pointer = 'predicate', exists = true}]\n",
     "starts with a slash"},
    {"[scopes.'r.example/x']\nkeys = ['a']\n[[scopes.'r.example/x'.attestation]]\ntype = "
     "'spdx'\nconditions = [{pointer = '/p'}]\n",
     "line 24 column 15: scopes.\"r.example/x\".attestation[0].conditions[0]: none of `equals`"},
    {"[scopes.'r.example/x']\nkeys = ['a']\n[[scopes.'r.example/x'.attestation]]\ntype = "
     "'spdx'\nconditions = [{pointer = '/p', equals = 1, exists = true}]\n",
     "is enough"},
    {"[scopes.'r.example/x']\nkeys = ['a']\n[[scopes.'r.example/x'.attestation]]\ntype = "
     "'spdx'\nconditions = [{pointer = '/p', matches = '('}]\n",
     "no extended regular expression"},
    {"[scopes.'r.example/x']\nkeys = ['a']\n[[scopes.'r.example/x'.attestation]]\ntype = "
     "'spdx'\nconditions = [{pointer = '/p', equals = 1}, {pointer = '/p', equals = 2}]\n",
     "contradicts another"},
    {"[scopes.'r.example/x']\nkeys = ['a']\n[[scopes.'r.example/x'.attestation]]\ntype = "
     "'spdx'\nconditions = [{pointer = '/p', equals = 1}, {pointer = '/p', exists = false}]\n",
     "contradicts another"},
    {"[scopes.'r.example/x']\nkeys = ['a']\n[[scopes.'r.example/x'.attestation]]\ntype = 'spdx'\nkeys = "
     "['b']\nthreshold = 2\n",
     "a threshold of 2 and 1 key:"},
    {"[keys.e]\nfile = 'x'\npem = 'y'\n[scopes.'r.example/x']\nkeys = ['a']\n", "keys.e.pem"},
    {"[keys.e]\n[scopes.'r.example/x']\nkeys = ['a']\n", "neither `file` nor `pem`"},
    {"[keys.e]\nfile = 'e.pub'\n[scopes.'r.example/x']\nkeys = ['e']\n", "keys.e was not loaded"},
    {"[roots.e]\nfile = 'e.json'\n[scopes.'r.example/x']\nroot = 'e'\n", "without `identities`"},
    {"[roots.e]\nfile = 'e.json'\n[scopes.'r.example/x']\nroot = 'e'\nidentities = [{subject = 'x'}]\n",
     "without `issuer`"},
    {"[roots.e]\nfile = 'e.json'\n[scopes.'r.example/x']\nroot = 'e'\nidentities = [{issuer = 'x'}]\n",
     "that would be anybody"},
};

static void refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err e = ERR_INIT;
        struct sign_policy *p = NULL;
        int r = try_parse(wrong[i].rest, &p, &e);
        if (r != ERR_CONFIG || p || !strstr(e.msg, wrong[i].says) || strncmp(e.msg, "policy.toml: ", 13) != 0)
            fail_msg("%s\ngot %d: %s", wrong[i].rest, r, e.msg);
    }
}

static void attack_same_key_twice(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct sign_policy *p = NULL;
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_TOML);
    buf_printf(&text, "[keys.alias]\npem = '''\n%s'''\n[scopes.\"\"]\nkeys = ['a', 'alias']\nthreshold = 2\n",
               pems[0]);
    assert_fails(try_parse(buf_cstr(&text), &p, &e), ERR_CONFIG);
    assert_non_null(strstr(e.msg, "a and alias are the same key"));
}

static void no_version(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct sign_policy *p = NULL;
    assert_fails(sign_policy_parse(BYTES_LIT("default = 'reject'\n"), "p", &p, &e), ERR_CONFIG);
    assert_fails(sign_policy_parse(BYTES_LIT("version = 2\ndefault = 'reject'\n"), "p", &p, &e), ERR_CONFIG);
    assert_fails(sign_policy_parse(BYTES_LIT("version = 1\ndefault = 'accept'\n"), "p", &p, &e), ERR_CONFIG);
    assert_fails(sign_policy_parse(BYTES_LIT(""), "p", &p, &e), ERR_CONFIG);
    assert_fails(sign_policy_parse(BYTES_LIT("version = 1\n"), "p", &p, &e), ERR_CONFIG);
    assert_fails(sign_policy_parse(BYTES_LIT("version = 1\nversion = 1\n"), "p", &p, &e), ERR_CONFIG);
    assert_null(p);
    assert_ok(sign_policy_parse(BYTES_LIT("version = 1\ndefault = 'reject'\n"), "p", &p, &e));
    /* Until it is ready nothing is let through. */
    assert_int_equal(sign_rule_verdict(sign_policy_rule(p, "a.example/b")), SIGN_VERDICT_REJECT);
    sign_policy_free(p);
}

/* Checks as formats make them. */
static struct sign_check *add(struct sign_report *r, const char *format, enum sign_check_kind kind, int key)
{
    struct err e = ERR_INIT;
    struct sign_check *c = NULL;
    assert_ok(sign_report_begin(r, format, kind, "test", &c, &e));
    (void)sign_check_set(c, 0, "good");
    if (key >= 0)
        (void)snprintf(c->key_id, sizeof(c->key_id), "%s", ids[key]);
    return c;
}

static void add_failed(struct sign_report *r, int code, const char *text)
{
    struct err e = ERR_INIT;
    struct sign_check *c = NULL;
    assert_ok(sign_report_begin(r, "sigstore", SIGN_CHECK_SIGNATURE, "test", &c, &e));
    (void)sign_check_set(c, code, "%s", text);
}

static void add_statement(struct sign_report *r, int key, const char *type, const char *statement)
{
    struct sign_check *c = add(r, "sigstore", SIGN_CHECK_ATTESTATION, key);
    c->predicate_type = strdup(type);
    c->statement = strdup(statement);
}

static void decide(const struct sign_policy *p, const struct sign_report *r, int want, const char *rule)
{
    struct err e = ERR_INIT;
    struct digest subject, module;
    assert_ok(digest_parse(BYTES_LIT(DIGEST_A), &subject, &e));
    assert_ok(digest_parse(BYTES_LIT(DIGEST_B), &module, &e));
    const struct sign_facts facts = {.subject = &subject, .module = &module, .repo = "r.example/x/y"};
    AUTO_DONE(sign_decision) d = {.code = 0};
    assert_ok(sign_rule_check(sign_policy_rule(p, facts.repo), &facts, r, NOW, &d, &e));
    if (d.code != want || (rule && (!d.n_findings || strcmp(d.findings[0].rule, rule) != 0)))
        fail_msg("code %s, wanted %s; rule %s, wanted %s: %s", err_name(d.code), err_name(want),
                 d.n_findings ? d.findings[0].rule : "none", rule ? rule : "none",
                 d.n_findings ? d.findings[0].reason : "");
}

#define SCOPE "[scopes.\"r.example/x\"]\n"
#define NAME  "scopes.\"r.example/x\""

static void codes(void **state)
{
    (void)state;
    static const struct {
        int first, second, want;
    } cases[] = {
        {0, 0, ERR_UNSIGNED},
        {ERR_FORMAT, 0, ERR_FORMAT},
        {ERR_FORMAT, ERR_LIMIT, ERR_LIMIT},
        {ERR_UNTRUSTED, ERR_FORMAT, ERR_UNTRUSTED},
        {ERR_UNTRUSTED, ERR_CERT, ERR_CERT},
        {ERR_EXPIRED, ERR_CERT, ERR_EXPIRED},
        {ERR_DIGEST, ERR_UNTRUSTED, ERR_DIGEST},
        {ERR_UNSUPPORTED, 0, ERR_UNTRUSTED},
    };
    AUTO(sign_policy) p = parse(SCOPE "keys = ['a']\n");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_DONE(sign_report) r = SIGN_REPORT_INIT;
        if (cases[i].first)
            add_failed(&r, cases[i].first, "first");
        if (cases[i].second)
            add_failed(&r, cases[i].second, "second");
        decide(p, &r, cases[i].want, NAME);
        add(&r, "sigstore", SIGN_CHECK_SIGNATURE, 0);
        decide(p, &r, 0, NULL);
    }
}

static void thresholds(void **state)
{
    (void)state;
    AUTO(sign_policy) p = parse(SCOPE "keys = ['a', 'b', 'c']\nthreshold = 2\n");
    AUTO_DONE(sign_report) r = SIGN_REPORT_INIT;
    add(&r, "sigstore", SIGN_CHECK_SIGNATURE, 0);
    decide(p, &r, ERR_POLICY, NAME ".threshold");
    /* The same key once more, in another format, and a key that is not the scope's. */
    add(&r, "cosign", SIGN_CHECK_SIGNATURE, 0);
    add(&r, "sigstore", SIGN_CHECK_SIGNATURE, 3);
    add(&r, "sigstore", SIGN_CHECK_NOTE, 1);
    add(&r, "sigstore", SIGN_CHECK_ATTESTATION, 1);
    add(&r, "sigstore", SIGN_CHECK_SIGNATURE, -1);
    decide(p, &r, ERR_POLICY, NAME ".threshold");
    add(&r, "sigstore", SIGN_CHECK_SIGNATURE, 2);
    decide(p, &r, 0, NULL);
}

static void attestation_is_no_signature(void **state)
{
    (void)state;
    AUTO(sign_policy) p = parse(SCOPE "keys = ['a']\n");
    AUTO_DONE(sign_report) r = SIGN_REPORT_INIT;
    add_statement(&r, 0, "https://slsa.dev/provenance/v1", "{}");
    decide(p, &r, ERR_UNSIGNED, NAME);
    add(&r, "sigstore", SIGN_CHECK_SIGNATURE, 3);
    decide(p, &r, ERR_UNTRUSTED, NAME);
}

static void what_signatures_say(void **state)
{
    (void)state;
    static const char *const rules[] = {"formats = ['cosign']\n", "max_age = '1d'\n",
                                        "signed_repository = true\n", "annotations = {a = 'b'}\n"};
    static const char *const names[] = {NAME ".formats", NAME ".max_age", NAME ".signed_repository", NULL};
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        AUTO_DONE(buf) text = BUF_INIT(4096);
        buf_printf(&text, SCOPE "keys = ['a']\n%s", rules[i]);
        AUTO(sign_policy) p = parse(buf_cstr(&text));
        AUTO_DONE(sign_report) r = SIGN_REPORT_INIT;
        struct sign_check *c = add(&r, "sigstore", SIGN_CHECK_SIGNATURE, 0);
        decide(p, &r, !names[i] ? 0 : i == 1 ? ERR_EXPIRED : ERR_POLICY, names[i]);
        c->signed_at = NOW - 86401;
        decide(p, &r, !names[i] ? 0 : i == 1 ? ERR_EXPIRED : ERR_POLICY, names[i]);
        c->signed_at = NOW + LIMIT_CLOCK_SKEW + 1;
        decide(p, &r, !names[i] ? 0 : i == 1 ? ERR_EXPIRED : ERR_POLICY, names[i]);
        c->signed_at = NOW - 86400;
        c->format = "cosign";
        c->repository = strdup("R.example:443/x/y");
        decide(p, &r, 0, NULL);
        c->expires_at = NOW;
        decide(p, &r, ERR_EXPIRED, i == 1 ? NAME ".max_age" : NAME);
        c->expires_at = 0;
        free(c->repository);
        c->repository = strdup("r.example/x/z");
        decide(p, &r, i == 2 ? ERR_POLICY : 0, i == 2 ? NAME ".signed_repository" : NULL);
        c->format = "embedded";
        decide(p, &r, i == 1 ? 0 : ERR_POLICY, NULL);
    }
}

static void embedded_and_claims(void **state)
{
    (void)state;
    static const uint8_t zeros[SIGN_NKEY_LEN] = {0};
    char issuer[SIGN_NKEY_TEXT], subject[SIGN_NKEY_TEXT], pins[2 * SIGN_NKEY_TEXT];
    struct sign_trust trust;
    AUTO_DONE(buf) rule = BUF_INIT(LIMIT_TOML);
    buf_printf(&rule,
               SCOPE
               "keys = ['a', 'b']\nthreshold = 1\nembedded = 'required'\nissuer = '%s'\nsubject = '%s'\n"
               "min_revision = 3\ncapabilities = ['wasi:http', 'wasi:keyvalue']\n",
               sign_nkey_encode('A', zeros, issuer), sign_nkey_encode('M', zeros, subject));
    AUTO(sign_policy) p = parse(buf_cstr(&rule));
    sign_rule_trust(sign_policy_rule(p, "r.example/x"), NOW, &trust);
    (void)snprintf(pins, sizeof(pins), "%s %s", issuer, subject);
    assert_string_equal(trust.claims, pins);
    AUTO_DONE(sign_report) r = SIGN_REPORT_INIT;
    add(&r, "sigstore", SIGN_CHECK_SIGNATURE, 0);
    decide(p, &r, ERR_POLICY, NAME ".embedded");
    add(&r, "embedded", SIGN_CHECK_SIGNATURE, 3);
    decide(p, &r, ERR_POLICY, NAME ".embedded");
    add(&r, "embedded", SIGN_CHECK_SIGNATURE, 1);
    decide(p, &r, ERR_POLICY, NAME ".claims");
    struct sign_check *c = add(&r, "claims", SIGN_CHECK_SIGNATURE, 0);
    decide(p, &r, ERR_POLICY, NAME ".issuer");
    c->issuer = strdup(issuer);
    decide(p, &r, ERR_POLICY, NAME ".subject");
    c->subject = strdup(subject);
    decide(p, &r, ERR_POLICY, NAME ".min_revision");
    c->revision = 2;
    decide(p, &r, ERR_POLICY, NAME ".min_revision");
    c->revision = 3;
    decide(p, &r, 0, NULL);
    c->capabilities = strdup("[\"wasi:http\"]");
    decide(p, &r, 0, NULL);
    free(c->capabilities);
    c->capabilities = strdup("[\"wasi:http\",\"wasi:sockets\"]");
    decide(p, &r, ERR_POLICY, NAME ".capabilities");
    c->capabilities[0] = 'x';
    decide(p, &r, ERR_POLICY, NAME ".capabilities");
}

static struct sign_check *add_certified(struct sign_report *r, const char *format, const char *subject,
                                        char id)
{
    struct sign_check *c = add(r, format, SIGN_CHECK_SIGNATURE, -1);
    c->subject = strdup(subject);
    (void)snprintf(c->key_id, sizeof(c->key_id), "SHA256:%c", id);
    return c;
}

static void free_nothing(void *object)
{
    (void)object;
}

/* Who signs with certificates has a new key each time, and is one signer all the same. */
static void identities(void **state)
{
    (void)state;
    static int object;
    struct err e = ERR_INIT;
    AUTO(sign_policy) p = NULL;
    AUTO_DONE(sign_report) r = SIGN_REPORT_INIT;
    static const char text[] =
        "version = 1\n[roots.r]\nfile = 'r.json'\n[stores.s]\nfiles = ['s.pem']\n" SCOPE
        "root = 'r'\nstore = 's'\nthreshold = 2\n"
        "identities = [{issuer = 'https://i', subject_regex = '.*@x\\.example'}, {subject = 'O = "
        "acme,C=US'}]\n";
    assert_ok(sign_policy_parse(BYTES_LIT(text), "p", &p, &e));
    assert_ok(sign_policy_bind(p, 0, &object, free_nothing, &e));
    assert_fails(sign_policy_ready(p, &e), ERR_CONFIG);
    assert_ok(sign_policy_bind(p, 1, &object, free_nothing, &e));
    assert_ok(sign_policy_ready(p, &e));
    add_certified(&r, "sigstore", "a@x.example", '0')->issuer = strdup("https://evil");
    add_certified(&r, "sigstore", "a@x.example.evil", '1')->issuer = strdup("https://i");
    add_certified(&r, "notation", "CN=n,O=acme evil,C=US", '2');
    add_certified(&r, "notation", "CN=n\\,O=acme,C=US", '3');
    add_certified(&r, "ssh", "a@x.example", '4')->issuer = strdup("https://i");
    decide(p, &r, ERR_UNTRUSTED, NAME);
    add_certified(&r, "sigstore", "a@x.example", '5')->issuer = strdup("https://i");
    add_certified(&r, "cosign", "a@x.example", '6')->issuer = strdup("https://i");
    decide(p, &r, ERR_POLICY, NAME ".threshold");
    add_certified(&r, "notation", "CN=n,O=acme,C=US", '7');
    decide(p, &r, 0, NULL);
}

/* What a rule says of who may sign arrives where signatures are judged. */
static void anybody(void **state)
{
    (void)state;
    static int object;
    struct err e = ERR_INIT;
    struct sign_trust trust;
    AUTO(sign_policy) p = NULL;
    AUTO(sign_policy) q = NULL;
    AUTO_DONE(sign_report) r = SIGN_REPORT_INIT;
    static const char any[] =
        "version = 1\n[roots.r]\nfile = 'r.json'\n" SCOPE "root = 'r'\ninsecure_any_identity = true\n";
    static const char people[] =
        "version = 1\n[roots.r]\nfile = 'r.json'\n[signers.s]\nfile = 's'\n" SCOPE "signers = 's'\n"
        "[[scopes.'r.example/x'.attestation]]\ntype = 'spdx'\nroot = 'r'\n"
        "identities = [{issuer = 'https://i', subject = 'ci'}]\n";
    assert_ok(sign_policy_parse(BYTES_LIT(any), "p", &p, &e));
    assert_ok(sign_policy_bind(p, 0, &object, free_nothing, &e));
    assert_ok(sign_policy_ready(p, &e));
    sign_rule_trust(sign_policy_rule(p, "r.example/x/y"), 1, &trust);
    assert_true(trust.any_identity && trust.n_identities == 0);
    /* A check without a subject is by a key, and that is not one of the rule's. */
    add(&r, "sigstore", SIGN_CHECK_SIGNATURE, 0);
    decide(p, &r, ERR_UNTRUSTED, NAME);
    add_certified(&r, "sigstore", "whoever", '5');
    decide(p, &r, 0, NULL);
    assert_ok(sign_policy_parse(BYTES_LIT(people), "q", &q, &e));
    assert_ok(sign_policy_bind(q, 0, &object, free_nothing, &e));
    assert_ok(sign_policy_bind(q, 1, &object, free_nothing, &e));
    assert_ok(sign_policy_ready(q, &e));
    sign_rule_trust(sign_policy_rule(q, "r.example/x/y"), 1, &trust);
    assert_true(trust.any_signer && trust.n_identities == 1 && !trust.any_identity);
}

static void digests(void **state)
{
    (void)state;
    AUTO_DONE(sign_report) r = SIGN_REPORT_INIT;
    add(&r, "sigstore", SIGN_CHECK_SIGNATURE, 0);
    const struct {
        const char *rest;
        int want;
        const char *rule;
    } cases[] = {
        {SCOPE "keys = ['a']\ndigests = ['" DIGEST_A "']\n", 0, NULL},
        {SCOPE "keys = ['a']\ndigests = ['" DIGEST_B "']\n", 0, NULL},
        {SCOPE "keys = ['a']\ndigests = "
               "['sha256:0000000000000000000000000000000000000000000000000000000000000000']\n",
         ERR_POLICY, NAME ".digests"},
        {SCOPE "keys = ['a']\ndeny = ['" DIGEST_B "']\n", ERR_POLICY, NAME ".deny"},
        {SCOPE "keys = ['a']\nmode = 'audit'\ndeny = ['" DIGEST_B "']\n", ERR_POLICY, NAME ".deny"},
        {SCOPE "verdict = 'insecure-accept-anything'\ndeny = ['" DIGEST_A "']\n", ERR_POLICY, NAME ".deny"},
        {SCOPE "verdict = 'insecure-accept-anything'\n", 0, NULL},
        {SCOPE "verdict = 'reject'\n", ERR_POLICY, NAME},
        {"[scopes.\"other.example\"]\nkeys = ['a']\n", ERR_POLICY, "default"},
        {SCOPE "keys = ['b']\nmode = 'audit'\n", 0, NAME},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(sign_policy) p = parse(cases[i].rest);
        decide(p, &r, cases[i].want, cases[i].rule);
    }
    AUTO(sign_policy) all = NULL;
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_TOML);
    struct err e = ERR_INIT;
    buf_append_str(&text, "deny = ['" DIGEST_A "']\n");
    put_head(&text);
    buf_append_str(&text, SCOPE "keys = ['a']\n");
    assert_ok(sign_policy_parse(buf_bytes(&text), "p", &all, &e));
    assert_ok(sign_policy_ready(all, &e));
    decide(all, &r, ERR_POLICY, "deny");
}

#define SLSA "https://slsa.dev/provenance/v1"
#define BUILT(id)                                                                              \
    "{\"predicateType\":\"" SLSA "\",\"predicate\":{\"runDetails\":{\"builder\":{\"id\":\"" id \
    "\"}},\"n\":7,\"list\":[{\"a/b\":true}],\"none\":null}}"

static void attestations(void **state)
{
    (void)state;
    AUTO(sign_policy)
    p = parse(SCOPE "keys = ['a']\n"
                    "[[scopes.\"r.example/x\".attestation]]\ntype = 'spdx'\n"
                    "[[scopes.\"r.example/x\".attestation]]\ntype = 'slsaprovenance1'\nkeys = ['b', 'c']\n"
                    "conditions = [\n"
                    "  {name = 'builder', pointer = '/predicate/runDetails/builder/id', matches = "
                    "'https://ci\\.example/.*'},\n"
                    "  {pointer = '/predicate/n', one_of = [6, 7]},\n"
                    "  {pointer = '/predicate/list/0/a~1b', equals = true},\n"
                    "  {pointer = '/predicate/none', exists = false},\n"
                    "]\n");
    AUTO_DONE(sign_report) r = SIGN_REPORT_INIT;
    add(&r, "sigstore", SIGN_CHECK_SIGNATURE, 0);
    decide(p, &r, ERR_POLICY, NAME ".attestation[0]");
    add_statement(&r, 1, "https://spdx.dev/Document", "{}");
    decide(p, &r, ERR_POLICY, NAME ".attestation[0]");
    add_statement(&r, 0, "https://spdx.dev/Document", "{}");
    decide(p, &r, ERR_POLICY, NAME ".attestation[1]");
    add_statement(&r, 0, SLSA, BUILT("https://ci.example/1"));
    decide(p, &r, ERR_POLICY, NAME ".attestation[1]");
    add_statement(&r, 1, SLSA, BUILT("https://ci.example.evil/1"));
    decide(p, &r, ERR_POLICY, NAME ".attestation[1].builder");
    /* null is not absent enough for those who want it gone. */
    add_statement(&r, 2, SLSA, BUILT("https://ci.example/1"));
    decide(p, &r, ERR_POLICY, NAME ".attestation[1].conditions[3]");
    add_statement(&r, 2, SLSA, "not JSON");
    decide(p, &r, ERR_POLICY, NAME ".attestation[1].conditions[3]");
    add_statement(&r, 1, SLSA,
                  "{\"predicate\":{\"runDetails\":{\"builder\":{\"id\":\"https://ci.example/"
                  "\"}},\"n\":6,\"list\":[{\"a/b\":true}]}}");
    decide(p, &r, 0, NULL);
}

static void every_attestation(void **state)
{
    (void)state;
    AUTO(sign_policy)
    p = parse(SCOPE "keys = ['a']\n"
                    "[[scopes.\"r.example/x\".attestation]]\nname = 'scan'\ntype = 'vuln'\nevery = true\n"
                    "conditions = [{name = 'clean', pointer = '/predicate/found', equals = 0}]\n");
    AUTO_DONE(sign_report) r = SIGN_REPORT_INIT;
    add(&r, "sigstore", SIGN_CHECK_SIGNATURE, 0);
    add_statement(&r, 0, "https://cosign.sigstore.dev/attestation/vuln/v1", "{\"predicate\":{\"found\":0}}");
    decide(p, &r, 0, NULL);
    add_statement(&r, 3, "https://cosign.sigstore.dev/attestation/vuln/v1", "{\"predicate\":{\"found\":9}}");
    decide(p, &r, 0, NULL);
    add_statement(&r, 0, "https://cosign.sigstore.dev/attestation/vuln/v1", "{\"predicate\":{\"found\":9}}");
    decide(p, &r, ERR_POLICY, NAME ".attestation.scan.clean");
}

/* What a release must have, and the twelve ways in which one can lack it. */
enum flaw {
    FLAW_NONE,
    FLAW_UNSIGNED,
    FLAW_FOREIGN,
    FLAW_ONE_SIGNER,
    FLAW_SAME_SIGNER,
    FLAW_EXPIRED,
    FLAW_NO_PROVENANCE,
    FLAW_BUILDER,
    FLAW_BUILT_BY_SIGNER,
    FLAW_NO_SBOM,
    FLAW_SBOM_BY_SIGNER,
    FLAW_CAPABILITY,
    FLAW_DENIED,
    FLAWS
};

static const struct {
    int code;
    const char *rule;
} flaws[FLAWS] = {
    [FLAW_NONE] = {0, NULL},
    [FLAW_UNSIGNED] = {ERR_UNSIGNED, NAME},
    [FLAW_FOREIGN] = {ERR_UNTRUSTED, NAME},
    [FLAW_ONE_SIGNER] = {ERR_POLICY, NAME ".threshold"},
    [FLAW_SAME_SIGNER] = {ERR_POLICY, NAME ".threshold"},
    [FLAW_EXPIRED] = {ERR_EXPIRED, NAME ".max_age"},
    [FLAW_NO_PROVENANCE] = {ERR_POLICY, NAME ".attestation.provenance"},
    [FLAW_BUILDER] = {ERR_POLICY, NAME ".attestation.provenance.builder"},
    [FLAW_BUILT_BY_SIGNER] = {ERR_POLICY, NAME ".attestation.provenance"},
    [FLAW_NO_SBOM] = {ERR_POLICY, NAME ".attestation.sbom"},
    [FLAW_SBOM_BY_SIGNER] = {ERR_POLICY, NAME ".attestation.sbom"},
    [FLAW_CAPABILITY] = {ERR_POLICY, NAME ".capabilities"},
    [FLAW_DENIED] = {ERR_POLICY, NAME ".deny"},
};

static void release_report(enum flaw flaw, struct sign_report *r)
{
    for (int i = 0; i < 2 && flaw != FLAW_UNSIGNED; i++) {
        int key = flaw == FLAW_FOREIGN ? 3 : flaw == FLAW_SAME_SIGNER ? 0 : i;
        struct sign_check *c = add(r, "sigstore", SIGN_CHECK_SIGNATURE, key);
        c->signed_at = flaw == FLAW_EXPIRED ? NOW - 100 * 86400 : NOW - 86400;
        if (flaw == FLAW_ONE_SIGNER)
            break;
    }
    if (flaw != FLAW_NO_PROVENANCE)
        add_statement(r, flaw == FLAW_BUILT_BY_SIGNER ? 0 : 2, SLSA,
                      flaw == FLAW_BUILDER ? BUILT("https://other.example") : BUILT("https://ci.example"));
    if (flaw != FLAW_NO_SBOM)
        add_statement(r, flaw == FLAW_SBOM_BY_SIGNER ? 1 : 2, "https://cyclonedx.org/bom", "{}");
    if (flaw == FLAW_UNSIGNED)
        return;
    struct sign_check *claims = add(r, "claims", SIGN_CHECK_SIGNATURE, flaw == FLAW_FOREIGN ? 3 : 0);
    claims->capabilities = strdup(flaw == FLAW_CAPABILITY ? "[\"wasi:sockets\"]" : "[\"wasi:http\"]");
}

static void release_with_flaws(void **state)
{
    (void)state;
    static const char rule[] =
        SCOPE "keys = ['a', 'b']\nthreshold = 2\nmax_age = '90d'\ncapabilities = ['wasi:http']\n"
              "%s[[scopes.\"r.example/x\".attestation]]\nname = 'provenance'\n"
              "type = 'slsaprovenance1'\nkeys = ['c']\n"
              "conditions = [{name = 'builder', pointer = '/predicate/runDetails/builder/id', "
              "equals = 'https://ci.example'}]\n"
              "[[scopes.\"r.example/x\".attestation]]\nname = 'sbom'\ntype = 'cyclonedx'\nkeys = ['c']\n";
    for (enum flaw flaw = FLAW_NONE; flaw < FLAWS; flaw++) {
        AUTO_DONE(buf) text = BUF_INIT(LIMIT_TOML);
        AUTO_DONE(sign_report) r = SIGN_REPORT_INIT;
        buf_printf(&text, rule, flaw == FLAW_DENIED ? "deny = ['" DIGEST_B "']\n" : "");
        AUTO(sign_policy) p = parse(buf_cstr(&text));
        release_report(flaw, &r);
        decide(p, &r, flaws[flaw].code, flaws[flaw].rule);
    }
}

static void patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        int want; /* 1, 0, or a code */
    } cases[] = {
        {"a|b", "a", 1},
        {"a|b", "ab", 0},
        {"https://x/.*", "https://x/y", 1},
        {"x", "xx", 0},
        {"a.b", "a\nb", 1},
        {"a", "a\n", 0},
        {"(", "", ERR_CONFIG},
        {"a)|(b", "", ERR_CONFIG},
        {"(a)\\1", "aa", ERR_CONFIG},
        {"((a{1,200}){1,200}){1,200}", "a", ERR_CONFIG},
        {"[0-9]{1,3}", "123", 1},
        {"a{2000}", "a", ERR_CONFIG},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        bool good = false;
        int r = sign_pattern_matches(cases[i].pattern, cases[i].text, &good, &e);
        if (cases[i].want < 0 ? r != cases[i].want : r || good != (cases[i].want == 1))
            fail_msg("%s with %s: %d", cases[i].pattern, cases[i].text, r);
    }
}

/* 10,000 scopes: what one look-up costs. */
static void many_scopes(void **state)
{
    (void)state;
    enum { SCOPES = 10000, ROUNDS = 100000 };
    struct err e = ERR_INIT;
    struct timespec start, end;
    AUTO(sign_policy) p = NULL;
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_TOML);
    put_head(&text);
    for (unsigned i = 0; i < SCOPES; i++)
        buf_printf(&text, "[scopes.\"registry%u.example.com/team%u/app\"]\nkeys = ['a', 'b']\n", i % 100, i);
    buf_append_str(&text, "[scopes.\"*.example.com\"]\nkeys = ['a']\n");
    assert_ok(buf_check(&text, &e));
    assert_ok(sign_policy_parse(buf_bytes(&text), "p", &p, &e));
    assert_ok(sign_policy_ready(p, &e));
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    size_t found = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char repo[128];
        (void)snprintf(repo, sizeof(repo), "registry%u.example.com/team%u/app/a/b", i % 100,
                       i % (2 * SCOPES));
        found += strcmp(sign_rule_scope(sign_policy_rule(p, repo)), "*.example.com") != 0;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    double us =
        ((double)(end.tv_sec - start.tv_sec) * 1e6 + (double)(end.tv_nsec - start.tv_nsec) / 1e3) / ROUNDS;
    print_message("# a look-up among %d scopes takes %.2f us\n", SCOPES, us);
    assert_int_equal(found, ROUNDS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookup),
        cmocka_unit_test(attack_scope_confusion),
        cmocka_unit_test(refused),
        cmocka_unit_test(attack_same_key_twice),
        cmocka_unit_test(no_version),
        cmocka_unit_test(codes),
        cmocka_unit_test(thresholds),
        cmocka_unit_test(attestation_is_no_signature),
        cmocka_unit_test(what_signatures_say),
        cmocka_unit_test(embedded_and_claims),
        cmocka_unit_test(identities),
        cmocka_unit_test(anybody),
        cmocka_unit_test(digests),
        cmocka_unit_test(attestations),
        cmocka_unit_test(every_attestation),
        cmocka_unit_test(release_with_flaws),
        cmocka_unit_test(patterns),
        cmocka_unit_test(many_scopes),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
