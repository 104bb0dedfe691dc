/* SPDX-License-Identifier: Apache-2.0 */
/* in-toto statements: which are taken, which subjects are ours, what types of predicates are called. */
#include "sign/predicate.h"
#include "sign/statement.h"
#include "tests/unit/sign_sigstore_fixture.h"

static int parse(const char *text, struct sign_statement *s)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) filled = BUF_INIT(1U << 20);
    fill_in(text, &filled);
    return sign_statement_parse(buf_bytes(&filled), s, &e);
}

/* 0: about MANIFEST; ERR_DIGEST: about something else; or why it is no statement. */
static int about(const char *text)
{
    AUTO_DONE(sign_statement) s = SIGN_STATEMENT_INIT;
    struct sign_subject subject = subject_of(MANIFEST);
    int r = parse(text, &s);
    if (r)
        return r;
    return sign_statement_subject(&s, &subject.digest) ? 0 : ERR_DIGEST;
}

#define S(subject) "{\"_type\":\"" SIGN_STATEMENT_V1 "\",\"predicateType\":\"t:x\",\"subject\":[" subject "]}"
#define D(digests) "{\"digest\":{" digests "}}"
#define OURS       D("\"sha256\":\"" HEX "\"")

static void test_subjects(void **state)
{
    (void)state;
    char digest[DIGEST_STR_MAX], upper[256];
    struct sign_subject subject = subject_of(MANIFEST);
    digest_hex(&subject.digest, digest);
    for (char *c = digest; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'f' ? *c - 32 : *c);
    (void)snprintf(upper, sizeof(upper), S(D("\"sha256\":\"%s\"")), digest);
    assert_int_equal(about(S(OURS)), 0);
    assert_int_equal(about(S(D("\"sha256\":\"00\"") "," OURS)), 0);
    assert_int_equal(about(S("{\"name\":\"n\",\"digest\":{\"sha1\":\"x\",\"sha256\":\"" HEX "\"}}")), 0);
    /* other subject, upper case, another algorithm's name, a digest with its algorithm, one digit less */
    assert_int_equal(about(S(D("\"sha256\":\"00\""))), ERR_DIGEST);
    assert_int_equal(about(upper), ERR_DIGEST);
    assert_int_equal(about(S(D("\"sha512\":\"" HEX "\""))), ERR_DIGEST);
    assert_int_equal(about(S(D("\"SHA256\":\"" HEX "\""))), ERR_DIGEST);
    assert_int_equal(about(S(D("\"sha256\":\"sha256:" HEX "\""))), ERR_DIGEST);
    assert_int_equal(about(S(D("\"sha256\":\"" HEX "0\""))), ERR_DIGEST);
    assert_int_equal(about(S(D("\"sha256\":\" " HEX "\""))), ERR_DIGEST);
    assert_int_equal(about(S("{\"name\":\"" HEX "\",\"digest\":{\"sha256\":\"\"}}")), ERR_DIGEST);
}

static void test_shape(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "\"\"",
        S(""),
        S("1"),
        S("{}"),
        S("{\"digest\":{}}"),
        S("{\"digest\":[]}"),
        S(D("\"sha256\":1")),
        S(OURS ",{\"name\":\"x\"}"),
        S(D("\"sha256\":\"" HEX "\",\"sha256\":\"00\"")),
        S(OURS) " x",
        S(OURS) S(OURS),
        "\xef\xbb\xbf" S(OURS),
        "{\"_type\":\"" SIGN_STATEMENT_V1 "\",\"predicateType\":\"t:x\"}",
        "{\"_type\":\"" SIGN_STATEMENT_V1 "\",\"subject\":[" OURS "]}",
        "{\"_type\":\"" SIGN_STATEMENT_V1 "\",\"predicateType\":\"\",\"subject\":[" OURS "]}",
        "{\"_type\":\"" SIGN_STATEMENT_V1 "\",\"predicateType\":1,\"subject\":[" OURS "]}",
        "{\"_type\":\"https://in-toto.io/Statement/v2\",\"predicateType\":\"t:x\",\"subject\":[" OURS "]}",
        "{\"predicateType\":\"t:x\",\"subject\":[" OURS "]}",
        "{\"_type\":\"" SIGN_STATEMENT_V1 "\",\"predicateType\":\"a:\\u0000\",\"subject\":[" OURS "]}",
        "{\"_type\":\"" SIGN_STATEMENT_V1 "\",\"predicateType\":\"a:\xc0\x80\",\"subject\":[" OURS "]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (about(bad[i]) != ERR_FORMAT)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(
        about("{\"_type\":\"" SIGN_STATEMENT_V0_1 "\",\"predicateType\":\"t:x\",\"subject\":[" OURS "]}"), 0);
}

/* n subjects, the last of which has m digests, ours among them. */
static int crowd(size_t n, size_t m)
{
    struct err e = ERR_INIT;
    char hex[DIGEST_STR_MAX];
    struct sign_subject subject = subject_of(MANIFEST);
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_BUNDLE);
    AUTO_DONE(sign_statement) s = SIGN_STATEMENT_INIT;
    buf_append_str(&text, "{\"_type\":\"" SIGN_STATEMENT_V1 "\",\"predicateType\":\"t:x\",\"subject\":[");
    for (size_t i = 1; i < n; i++)
        buf_append_str(&text, D("\"sha256\":\"00\"") ",");
    buf_printf(&text, "{\"digest\":{\"sha256\":\"%s\"", digest_hex(&subject.digest, hex));
    for (size_t i = 1; i < m; i++)
        buf_printf(&text, ",\"h%zu\":\"00\"", i);
    buf_append_str(&text, "}}]}");
    ASSERT_OK(buf_check(&text, &e));
    int r = sign_statement_parse(buf_bytes(&text), &s, &e);
    return r ? r : sign_statement_subject(&s, &subject.digest) ? 0 : ERR_DIGEST;
}

static void test_limits(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(crowd(LIMIT_SUBJECTS, LIMIT_SUBJECT_DIGESTS), 0);
    assert_int_equal(crowd(LIMIT_SUBJECTS + 1, 1), ERR_LIMIT);
    assert_int_equal(crowd(1, LIMIT_SUBJECT_DIGESTS + 1), ERR_LIMIT);
    assert_int_equal(crowd(250000, 1), ERR_LIMIT);
    AUTO_DONE(buf) deep = BUF_INIT(1024);
    AUTO_DONE(sign_statement) s = SIGN_STATEMENT_INIT;
    for (size_t i = 0; i <= LIMIT_JSON_DEPTH; i++)
        buf_append_u8(&deep, '[');
    ASSERT_ERR(sign_statement_parse(buf_bytes(&deep), &s, &e), ERR_LIMIT);
}

static void test_write(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct sign_subject subject = subject_of(MANIFEST);
    const struct sign_pair notes[] = {{"who", "me"}};
    AUTO_DONE(buf) out = BUF_INIT(4096);
    AUTO_DONE(buf) want = BUF_INIT(4096);
    ASSERT_OK(sign_statement_write("https://example.com/t", BYTES_LIT("{\"a\": [1, 0.1, \"x\"]}\n"), &subject,
                                   notes, 1, &out, &e));
    fill_in(
        "{\"_type\":\"" SIGN_STATEMENT_V1 "\",\"subject\":[{\"name\":\"" REPO
        "\",\"digest\":{\"sha256\":\"" HEX
        "\"},\"annotations\":{\"who\":\"me\"}}],\"predicateType\":\"https://example.com/t\",\"predicate\":"
        "{\"a\": [1, 0.1, \"x\"]}\n}",
        &want);
    assert_string_equal(buf_cstr(&out), buf_cstr(&want));
    buf_reset(&out);
    ASSERT_ERR(sign_statement_write("t:x", BYTES_LIT("{"), &subject, NULL, 0, &out, &e), ERR_FORMAT);
    ASSERT_ERR(sign_statement_write("t:x", BYTES_LIT("{\"a\":1,\"a\":2}"), &subject, NULL, 0, &out, &e),
               ERR_FORMAT);
    /* cosign refuses provenance without this member, too */
    ASSERT_ERR(sign_statement_write("https://slsa.dev/provenance/v1", BYTES_LIT("{\"runDetails\":{}}"),
                                    &subject, NULL, 0, &out, &e),
               ERR_FORMAT);
    assert_int_equal(out.len, 0);
}

static void check_predicate(const char *alias, const char *text, int want)
{
    struct err e = ERR_INIT;
    AUTO(jdoc) doc = NULL;
    ASSERT_OK(jdoc_parse(bytes_str(text), &doc, &e));
    assert_non_null(sign_predicate_type(alias));
    ASSERT_ERR(sign_predicate_check(sign_predicate_type(alias), jdoc_root(doc), &e), want);
}

static void test_predicates(void **state)
{
    (void)state;
    static const struct {
        const char *alias, *good;
    } known[] = {
        {"slsaprovenance1", "{\"buildDefinition\":{},\"runDetails\":{}}"},
        {"slsaprovenance", "{\"builder\":{},\"buildType\":\"x\"}"},
        {"slsaprovenance02", "{\"builder\":{},\"buildType\":\"x\"}"},
        {"spdx", "{\"spdxVersion\":\"SPDX-2.3\"}"},
        {"spdxjson", "\"SPDXVersion: SPDX-2.3\""},
        {"cyclonedx", "{\"bomFormat\":\"CycloneDX\"}"},
        {"vuln", "{\"scanner\":{},\"metadata\":{}}"},
        {"openvex", "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"statements\":[]}"},
        {"link", "{\"name\":\"build\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        check_predicate(known[i].alias, known[i].good, 0);
        check_predicate(known[i].alias, "{}", ERR_FORMAT);
        check_predicate(known[i].alias, "[]", ERR_FORMAT);
        check_predicate(known[i].alias, "null", ERR_FORMAT);
        assert_true(sign_predicate_is(known[i].alias, sign_predicate_type(known[i].alias)));
    }
    assert_int_equal(sign_n_predicates, ARRAY_LEN(known) + 1);
    check_predicate("custom", "{}", 0);
    check_predicate("https://example.com/any", "1", 0);
    check_predicate("https://spdx.dev/Document/v2.3", "{}", ERR_FORMAT);
    assert_null(sign_predicate_type("slsa"));
    assert_null(sign_predicate_alias("https://spdx.dev/Documents"));
    assert_string_equal(sign_predicate_alias("https://cyclonedx.org/bom/v1.5"), "cyclonedx");
    assert_true(sign_predicate_is("spdx", "https://spdx.dev/Document/v2.3"));
    assert_false(sign_predicate_is("spdx", "https://spdx.dev/Document/../v"));
    assert_false(sign_predicate_is("https://spdx.dev/Document", "https://spdx.dev/Document/v2.3"));
    assert_false(sign_predicate_is("slsaprovenance1", "https://slsa.dev/provenance/v1.1"));
    assert_false(sign_predicate_is("slsaprovenance1", "https://slsa.dev/provenance/v0.2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subjects), cmocka_unit_test(test_shape),      cmocka_unit_test(test_limits),
        cmocka_unit_test(test_write),    cmocka_unit_test(test_predicates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
