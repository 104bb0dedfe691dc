/* SPDX-License-Identifier: Apache-2.0 */
/* cosign's simple signing and its attestations in layers. */
#include "tests/unit/sign_sigstore_fixture.h"

#define IMAGE    "\"image\":{\"docker-manifest-digest\":\"sha256:" HEX "\"}"
#define IDENTITY "\"identity\":{\"docker-reference\":\"" REPO "\"}"
#define TYPE     "\"type\":\"cosign container image signature\""
#define GOOD     "{\"critical\":{" IDENTITY "," IMAGE "," TYPE "},\"optional\":null}"

static const struct sign_trust plain = {.now = 0};

/* The annotations of a layer with a signature over the payload. */
static void annotate(const struct sign_key *k, struct bytes payload, const char *more, struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) signature = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    ASSERT_OK(sign_sigstore_sign(k, payload, &signature, &e));
    buf_append_str(out, "{\"dev.cosignproject.cosign/signature\":\"");
    b64_encode(B64_STD, buf_bytes(&signature), out);
    buf_printf(out, "\"%s}", more);
    ASSERT_OK(buf_check(out, &e));
}

static struct outcome judge_payload(const struct sign_key *k, struct bytes payload, struct sign_trust trust)
{
    AUTO_DONE(buf) notes = BUF_INIT(16384);
    annotate(k, payload, "", &notes);
    return judge_with(PAYLOAD, payload, buf_cstr(&notes), k, trust);
}

static void expect_code(const struct sign_key *k, const char *payload, struct sign_trust trust, int want,
                        int line)
{
    AUTO_DONE(buf) filled = BUF_INIT(8192);
    fill_in(payload, &filled);
    AUTO_DONE(outcome) o = judge_payload(k, buf_bytes(&filled), trust);
    outcome_must(&o, want, __FILE__, line);
    assert_int_equal(o.check->kind, SIGN_CHECK_SIGNATURE);
}
#define EXPECT(want, payload) expect_code(k, payload, plain, want, __LINE__)

/* The bytes that cosign 2.6.5 signs for the same repository, digest and annotations. */
static void test_payload_bytes(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct sign_subject subject = subject_of(MANIFEST);
    const struct sign_pair notes[] = {{"who", "me"}, {"b", "<x>&\xe2\x80\xa8"}},
                           twice[] = {{"a", "1"}, {"a", "2"}};
    AUTO_DONE(buf) out = BUF_INIT(4096);
    AUTO_DONE(buf) want = BUF_INIT(4096);
    fill_in(GOOD, &want);
    ASSERT_OK(sign_cosign_payload_write(&subject, NULL, 0, &out, &e));
    assert_string_equal(buf_cstr(&out), buf_cstr(&want));
    buf_reset(&out);
    buf_reset(&want);
    fill_in("{\"critical\":{" IDENTITY "," IMAGE "," TYPE
            "},\"optional\":{\"b\":\"\\u003cx\\u003e\\u0026\\u2028\",\"who\":\"me\"}}",
            &want);
    ASSERT_OK(sign_cosign_payload_write(&subject, notes, 2, &out, &e));
    assert_string_equal(buf_cstr(&out), buf_cstr(&want));
    ASSERT_ERR(sign_cosign_payload_write(&subject, twice, 2, &out, &e), ERR_USAGE);
    subject.repo = NULL;
    ASSERT_ERR(sign_cosign_payload_write(&subject, NULL, 0, &out, &e), ERR_USAGE);
}

static void round_trip(enum sign_key_type type)
{
    struct err e = ERR_INIT;
    AUTO(sign_key) k = new_key(type);
    AUTO(sign_key) other = new_key(type);
    AUTO_DONE(sign_product) p;
    struct sign_subject subject = subject_of(MANIFEST);
    const struct sign_pair notes[] = {{"who", "me"}}, missing[] = {{"who", "you"}};
    struct sign_trust wants = {.annotations = notes, .n_annotations = 1};
    const struct sign_order order = {.subject = &subject, .key = k, .annotations = notes, .n_annotations = 1};
    ASSERT_OK(sign_cosign.make(&order, &p, &e));
    assert_int_equal(p.hang, SIGN_HANG_SIG_TAG);
    assert_string_equal(p.media_type, PAYLOAD);
    AUTO_DONE(outcome) good = judge_with(PAYLOAD, buf_bytes(&p.blob), buf_cstr(&p.annotations), k, wants);
    OUTCOME(good, 0);
    assert_int_equal(good.check->kind, SIGN_CHECK_SIGNATURE);
    assert_string_equal(good.check->text, "signed");
    AUTO_DONE(outcome)
    foreign = judge_with(PAYLOAD, buf_bytes(&p.blob), buf_cstr(&p.annotations), other, wants);
    OUTCOME(foreign, ERR_UNTRUSTED);
    wants.annotations = missing;
    AUTO_DONE(outcome) lacks = judge_with(PAYLOAD, buf_bytes(&p.blob), buf_cstr(&p.annotations), k, wants);
    OUTCOME(lacks, ERR_POLICY);
}

static void test_round_trip(void **state)
{
    (void)state;
    for (int type = SIGN_KEY_ED25519; type <= SIGN_KEY_RSA; type++)
        round_trip((enum sign_key_type)type);
}

/* Attack: payloads that cosign takes although they say something else, or nothing. */
static void test_payloads(void **state)
{
    (void)state;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    EXPECT(0, GOOD);
    EXPECT(0, "{\"optional\":{\"a\":[1,{\"b\":2}]},\"critical\":{" TYPE "," IMAGE "," IDENTITY "}}");
    EXPECT(0, "{\"critical\":{" IDENTITY "," IMAGE "," TYPE "}}");
    EXPECT(ERR_DIGEST,
           "{\"critical\":{" IDENTITY ",\"image\":{\"docker-manifest-digest\":\"sha256:00\"}," TYPE "}}");
    EXPECT(ERR_DIGEST,
           "{\"critical\":{" IDENTITY ",\"image\":{\"docker-manifest-digest\":\"" HEX "\"}," TYPE "}}");
    EXPECT(ERR_DIGEST, "{\"critical\":{" IDENTITY ",\"image\":{\"docker-manifest-digest\":\"SHA256:" HEX
                       "\"}," TYPE "}}");
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"critical\":{" IDENTITY "," IMAGE "},\"optional\":null}",
        "{\"critical\":{" IDENTITY "," IMAGE ",\"type\":\"atomic container signature\"}}",
        "{\"critical\":{" IDENTITY "," IMAGE ",\"type\":\"Cosign container image signature\"}}",
        "{\"critical\":{" IDENTITY "," IMAGE ",\"type\":null}}",
        "{\"critical\":{" IDENTITY "," IMAGE "," TYPE ",\"expires\":1}}",
        "{\"critical\":{" IDENTITY "," IMAGE "," TYPE "},\"other\":1}",
        "{\"critical\":{\"identity\":{\"docker-reference\":\"a\",\"more\":1}," IMAGE "," TYPE "}}",
        "{\"critical\":{\"identity\":{}," IMAGE "," TYPE "}}",
        "{\"critical\":{" IDENTITY ",\"image\":{\"docker-manifest-digest\":\"sha256:" HEX
        "\",\"more\":1}," TYPE "}}",
        "{\"critical\":{" IDENTITY ",\"image\":{\"Docker-manifest-digest\":\"sha256:" HEX "\"}," TYPE "}}",
        "{\"critical\":{" IDENTITY
        ",\"image\":{\"docker-manifest-digest\":\"sha256:00\",\"docker-manifest-digest\":"
        "\"sha256:" HEX "\"}," TYPE "}}",
        "{\"critical\":{" IDENTITY "," IMAGE "," IMAGE "," TYPE "}}",
        "{\"critical\":{" IDENTITY "," IMAGE "," TYPE "},\"critical\":{}}",
        "{\"critical\":{" IDENTITY "," IMAGE "," TYPE "},\"optional\":[]}",
        "{\"critical\":{" IDENTITY "," IMAGE "," TYPE "},\"optional\":{\"a\":\"\\u0000\"}}",
        "{\"critical\":{" IDENTITY "," IMAGE "," TYPE "},\"optional\":{\"a\":\"\xc0\xaf\"}}",
        GOOD "x",
        GOOD GOOD,
        "\xef\xbb\xbf" GOOD,
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        EXPECT(ERR_FORMAT, bad[i]);
    AUTO_DONE(buf) deep = BUF_INIT(8192);
    buf_append_str(&deep, "{\"critical\":{" IDENTITY "," IMAGE "," TYPE "},\"optional\":");
    for (unsigned i = 0; i < LIMIT_JSON_DEPTH; i++)
        buf_append_str(&deep, "{\"a\":");
    EXPECT(ERR_LIMIT, buf_cstr(&deep));
    AUTO_DONE(outcome) nul = judge_payload(k, BYTES_LIT("{\0}"), plain);
    OUTCOME(nul, ERR_FORMAT);
    AUTO_FREE uint8_t *big = calloc(1, LIMIT_PAYLOAD + 1U);
    assert_non_null(big);
    AUTO_DONE(outcome) large = judge_payload(k, bytes_of(big, LIMIT_PAYLOAD + 1U), plain);
    OUTCOME(large, ERR_LIMIT);
}

/* A signature that was made for another repository counts in a mirror, and says so; unless that is refused.
 */
static void test_repositories(void **state)
{
    (void)state;
    static const struct {
        const char *reference;
        bool same;
    } cases[] = {
        {REPO, true},
        {REPO ":v1", true},
        {REPO "@sha256:00", true},
        {REPO ":v1@sha256:00", true},
        {"", false},
        {"registry.example/team/ap", false},
        {"registry.example/team/app2", false},
        {"registry.example/team/app/", false},
        {"registry.example:443/team/app", false},
        {"index.docker.io/registry.example/team/app", false},
    };
    const struct sign_trust strict = {.repo_must_match = true};
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_DONE(buf) text = BUF_INIT(4096);
        AUTO_DONE(buf) filled = BUF_INIT(4096);
        buf_printf(&text, "{\"critical\":{\"identity\":{\"docker-reference\":\"%s\"}," IMAGE "," TYPE "}}",
                   cases[i].reference);
        fill_in(buf_cstr(&text), &filled);
        AUTO_DONE(outcome) mild = judge_payload(k, buf_bytes(&filled), plain);
        OUTCOME(mild, 0);
        assert_int_equal(cases[i].same, strcmp(mild.check->text, "signed") == 0);
        expect_code(k, buf_cstr(&text), strict, cases[i].same ? 0 : ERR_POLICY, __LINE__);
    }
}

/* Attack: what stands in the annotations is nothing, or another text for the same bytes. */
static void test_annotations(void **state)
{
    (void)state;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    AUTO_DONE(buf) payload = BUF_INIT(4096);
    fill_in(GOOD, &payload);
    static const struct {
        const char *notes;
        int want;
    } cases[] = {
        {NULL, ERR_FORMAT},
        {"{}", ERR_FORMAT},
        {"[]", ERR_FORMAT},
        {"{\"dev.cosignproject.cosign/signature\":1}", ERR_FORMAT},
        {"{\"dev.cosignproject.cosign/signature\":\"\"}", ERR_UNTRUSTED},
        {"{\"dev.cosignproject.cosign/signature\":\"AAAA\"}", ERR_UNTRUSTED},
        {"{\"dev.cosignproject.cosign/signature\":\"AAAA\\n\"}", ERR_FORMAT},
        {"{\"dev.cosignproject.cosign/signature\":\"AAA\"}", ERR_FORMAT},
        {"{\"dev.cosignproject.cosign/signature\":\"AAB=\"}", ERR_FORMAT},
        {"{\"dev.cosignproject.cosign/signature\":\"AA==\",\"dev.sigstore.cosign/bundle\":\"{\"}",
         ERR_FORMAT},
        {"{\"dev.cosignproject.cosign/signature\":\"AA==\",\"dev.sigstore.cosign/certificate\":\"x\"}",
         ERR_FORMAT},
        {"{\"dev.cosignproject.cosign/signature\":\"AA==\",\"dev.sigstore.cosign/certificate\":\"-----BEGIN "
         "CERTIFICATE-----\\nMAA=\\n-----END CERTIFICATE-----\\n\"}",
         ERR_UNTRUSTED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_DONE(outcome) o = judge_with(PAYLOAD, buf_bytes(&payload), cases[i].notes, k, plain);
        OUTCOME(o, cases[i].want);
    }
    /* the key is enough, whatever certificate stands beside the signature */
    AUTO_DONE(buf) notes = BUF_INIT(16384);
    annotate(k, buf_bytes(&payload),
             ",\"dev.sigstore.cosign/certificate\":\"-----BEGIN CERTIFICATE-----\\nMAA=\\n-----END "
             "CERTIFICATE-----\\n\"",
             &notes);
    AUTO_DONE(outcome) o = judge_with(PAYLOAD, buf_bytes(&payload), buf_cstr(&notes), k, plain);
    OUTCOME(o, 0);
}

static void test_attestation(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = new_key(SIGN_KEY_ED25519);
    AUTO_DONE(buf) statement = BUF_INIT(4096);
    AUTO_DONE(sign_product) p;
    struct sign_subject subject = subject_of(MANIFEST);
    ASSERT_OK(sign_statement_write("https://example.com/t", BYTES_NONE, &subject, NULL, 0, &statement, &e));
    struct sign_order order = {.subject = &subject, .key = k, .statement = buf_bytes(&statement)};
    ASSERT_OK(sign_cosign.make(&order, &p, &e));
    assert_int_equal(p.hang, SIGN_HANG_ATT_TAG);
    assert_string_equal(p.media_type, ENVELOPE);
    assert_string_equal(
        buf_cstr(&p.annotations),
        "{\"dev.cosignproject.cosign/signature\":\"\",\"predicateType\":\"https://example.com/t\"}");
    AUTO_DONE(outcome) o = judge_with(ENVELOPE, buf_bytes(&p.blob), buf_cstr(&p.annotations), k, plain);
    OUTCOME(o, 0);
    assert_int_equal(o.check->kind, SIGN_CHECK_ATTESTATION);
    assert_string_equal(o.check->predicate_type, "https://example.com/t");
    assert_string_equal(o.check->statement, buf_cstr(&statement));
    /* what the annotation says of the type is not what was signed, and does not count */
    AUTO_DONE(outcome)
    lied = judge_with(ENVELOPE, buf_bytes(&p.blob), "{\"predicateType\":\"x:y\"}", k, plain);
    OUTCOME(lied, 0);
    assert_string_equal(lied.check->predicate_type, "https://example.com/t");
    /* an envelope is no payload of simple signing, and the other way round */
    AUTO_DONE(outcome) swapped = judge_payload(k, buf_bytes(&p.blob), plain);
    OUTCOME(swapped, ERR_FORMAT);
    AUTO_DONE(sign_product) unused;
    order.expires_at = 1;
    ASSERT_ERR(sign_cosign.make(&order, &unused, &e), ERR_UNSUPPORTED);
}

static void test_damage(void **state)
{
    (void)state;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    AUTO_DONE(buf) payload = BUF_INIT(4096);
    AUTO_DONE(buf) notes = BUF_INIT(16384);
    fill_in(GOOD, &payload);
    annotate(k, buf_bytes(&payload), "", &notes);
    for (size_t len = 0; len < payload.len; len++) {
        AUTO_DONE(outcome) o = judge_with(PAYLOAD, bytes_of(payload.ptr, len), buf_cstr(&notes), k, plain);
        OUTCOME(o, ERR_UNTRUSTED);
    }
    for (size_t bit = 0; bit < 8 * payload.len; bit++) {
        payload.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        AUTO_DONE(outcome) o = judge_with(PAYLOAD, buf_bytes(&payload), buf_cstr(&notes), k, plain);
        payload.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        OUTCOME(o, ERR_UNTRUSTED);
    }
    AUTO_DONE(outcome) whole = judge_with(PAYLOAD, buf_bytes(&payload), buf_cstr(&notes), k, plain);
    OUTCOME(whole, 0);
}

static void test_detect(void **state)
{
    (void)state;
    assert_ptr_equal(sign_format_detect(PAYLOAD, ""), &sign_cosign);
    assert_ptr_equal(sign_format_detect(ENVELOPE, "application/vnd.oci.image.config.v1+json"), &sign_cosign);
    assert_ptr_equal(sign_format_detect("", "application/vnd.dev.cosign.artifact.sig.v1+json"), &sign_cosign);
    assert_ptr_equal(sign_format_detect(PAYLOAD, "application/vnd.dev.cosign.artifact.sig.v1+json"),
                     &sign_cosign);
    assert_null(sign_format_detect("application/wasm", "application/vnd.dev.cosign.artifact.sig.v1+json"));
    assert_null(sign_format_detect("", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payload_bytes), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_payloads),      cmocka_unit_test(test_repositories),
        cmocka_unit_test(test_annotations),   cmocka_unit_test(test_attestation),
        cmocka_unit_test(test_damage),        cmocka_unit_test(test_detect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
