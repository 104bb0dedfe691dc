/* SPDX-License-Identifier: Apache-2.0 */
/* Sigstore bundles by a key: what is made verifies, and nothing else counts as a signature. */
#include "sign/predicate.h"
#include "tests/unit/sign_sigstore_fixture.h"

#define STATEMENT(predicate_type, subject, rest)                                                         \
    "{\"_type\":\"" SIGN_STATEMENT_V1 "\",\"subject\":[" subject "],\"predicateType\":\"" predicate_type \
    "\"" rest "}"
#define OURS      "{\"digest\":{\"sha256\":\"" HEX "\"}}"
#define SIGNATURE STATEMENT(SIGN_PREDICATE_SIGN, OURS, "")

static const struct sign_trust plain = {.now = 0};

/* A bundle put together by hand: NULL and 0 are the usual. */
struct parts {
    const char *payload;     /* HEX is replaced; default SIGNATURE */
    const char *signed_type; /* default SIGN_DSSE_IN_TOTO */
    const char *stated_type; /* default: signed_type */
    const char *stated;      /* payload that is stated, where another was signed */
    const char *pae;         /* what is signed, whole */
    const char *media_type;  /* default BUNDLE */
    const char *hint;        /* default: the key's; "-": no member */
    const char *key_id;      /* default: no member */
    unsigned signatures;     /* default 1; 9: none */
    enum b64_kind kind;      /* of the payload */
    const char *material;    /* more of verificationMaterial, with a comma in front */
    const char *more;        /* more members of the bundle, with a comma in front */
};

static const char * or (const char *given, const char *usual)
{
    return given ? given : usual;
}

static void b64_member(struct buf *out, const char *key, enum b64_kind kind, struct bytes value)
{
    buf_printf(out, "\"%s\":\"", key);
    b64_encode(kind, value, out);
    buf_append_str(out, "\"");
}

static void put_signatures(const struct parts *p, struct bytes signature, struct buf *out)
{
    unsigned n = p->signatures == 9 ? 0 : p->signatures ? p->signatures : 1;
    for (unsigned i = 0; i < n; i++) {
        buf_append_str(out, i ? ",{" : "{");
        b64_member(out, "sig", B64_STD, signature);
        if (p->key_id)
            buf_printf(out, ",\"keyid\":\"%s\"", p->key_id);
        buf_append_str(out, "}");
    }
}

static void assemble(const struct sign_key *k, const struct parts *p, struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) payload = BUF_INIT(1U << 20);
    AUTO_DONE(buf) stated = BUF_INIT(1U << 20);
    AUTO_DONE(buf) signature = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    AUTO_DONE(buf) hint = BUF_INIT(64);
    const char *type = or (p->signed_type, SIGN_DSSE_IN_TOTO);
    fill_in(or (p->payload, SIGNATURE), &payload);
    fill_in(or (p->stated, or (p->payload, SIGNATURE)), &stated);
    if (p->pae)
        ASSERT_OK(sign_sigstore_sign(k, bytes_str(p->pae), &signature, &e));
    else
        ASSERT_OK(sign_dsse_sign(k, type, buf_bytes(&payload), &signature, &e));
    ASSERT_OK(sign_sigstore_hint(k, &hint, &e));
    buf_printf(out, "{\"mediaType\":\"%s\",\"verificationMaterial\":{\"publicKey\":{",
               or (p->media_type, BUNDLE));
    if (strcmp(or (p->hint, ""), "-") != 0)
        buf_printf(out, "\"hint\":\"%s\"", or (p->hint, buf_cstr(&hint)));
    buf_printf(out, "}%s},\"dsseEnvelope\":{", or (p->material, ""));
    b64_member(out, "payload", p->kind, buf_bytes(&stated));
    buf_printf(out, ",\"payloadType\":\"%s\",\"signatures\":[", or (p->stated_type, type));
    put_signatures(p, buf_bytes(&signature), out);
    buf_printf(out, "]}%s}", or (p->more, ""));
    ASSERT_OK(buf_check(out, &e));
}

static void expect_code(const struct sign_key *k, struct parts p, int want, int line)
{
    AUTO_DONE(buf) blob = BUF_INIT(LIMIT_BUNDLE);
    assemble(k, &p, &blob);
    AUTO_DONE(outcome) o = judge_with(BUNDLE, buf_bytes(&blob), NULL, k, plain);
    outcome_must(&o, want, __FILE__, line);
    assert_true(o.check->kind == SIGN_CHECK_SIGNATURE || !o.check->ok);
}
#define EXPECT(want, ...) expect_code(k, (struct parts){__VA_ARGS__}, want, __LINE__)

/* Made and judged, with every type of key that there is. */
static void round_trip(enum sign_key_type type, int64_t now, const struct sign_pair *notes, size_t n)
{
    struct err e = ERR_INIT;
    AUTO(sign_key) k = new_key(type);
    AUTO(sign_key) other = new_key(type);
    AUTO_DONE(sign_product) p;
    struct sign_subject subject = subject_of(MANIFEST);
    struct sign_order order = {
        .subject = &subject, .key = k, .annotations = notes, .n_annotations = n, .now = now};
    char id[SIGN_FINGERPRINT_MAX];
    ASSERT_OK(sign_sigstore.make(&order, &p, &e));
    assert_int_equal(p.hang, SIGN_HANG_REFERRER);
    assert_string_equal(p.artifact_type, BUNDLE);
    assert_string_equal(p.media_type, BUNDLE);
    assert_int_equal(p.annotations.len, 0);
    assert_string_equal(
        buf_cstr(&p.manifest_annotations),
        "{\"dev.sigstore.bundle.content\":\"dsse-envelope\",\"dev.sigstore.bundle.predicateType\":"
        "\"https://sigstore.dev/cosign/sign/v1\",\"org.opencontainers.image.created\":"
        "\"2001-09-09T01:46:40Z\"}");
    struct sign_trust wants = {.annotations = notes, .n_annotations = n};
    AUTO_DONE(outcome) good = judge_with(BUNDLE, buf_bytes(&p.blob), NULL, k, wants);
    OUTCOME(good, 0);
    assert_int_equal(good.check->kind, SIGN_CHECK_SIGNATURE);
    assert_string_equal(good.check->key, "alice.pub");
    assert_string_equal(good.check->key_id, sign_key_fingerprint(k, id));
    AUTO_DONE(outcome) foreign = judge_with(BUNDLE, buf_bytes(&p.blob), NULL, other, plain);
    OUTCOME(foreign, ERR_UNTRUSTED);
    AUTO_DONE(outcome) none = judge_with(BUNDLE, buf_bytes(&p.blob), NULL, NULL, plain);
    OUTCOME(none, ERR_UNTRUSTED);
    const struct sign_pair missing = {"who", "somebody else"};
    wants = (struct sign_trust){.annotations = &missing, .n_annotations = 1};
    AUTO_DONE(outcome) lacks = judge_with(BUNDLE, buf_bytes(&p.blob), NULL, k, wants);
    OUTCOME(lacks, ERR_POLICY);
}

static void test_round_trip(void **state)
{
    (void)state;
    const struct sign_pair notes[] = {{"who", "me"}, {"b", "<x>&\"\\"}};
    for (int type = SIGN_KEY_ED25519; type <= SIGN_KEY_RSA; type++) {
        round_trip((enum sign_key_type)type, 1000000000, NULL, 0);
        round_trip((enum sign_key_type)type, 1000000000, notes, 2);
    }
}

/* Whether a signature by a scheme of its own counts. */
static bool counts(enum sign_key_type type, struct sign_scheme scheme, bool ed25519ph)
{
    struct err e = ERR_INIT;
    AUTO(sign_key) k = new_key(type);
    AUTO_DONE(buf) signature = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    const struct sign_trust trust = {.ed25519ph = ed25519ph};
    bool good = false;
    ASSERT_OK(sign_key_sign_as(k, scheme, MANIFEST, &signature, &e));
    ASSERT_OK(sign_sigstore_verify(k, &trust, MANIFEST, buf_bytes(&signature), &good, &e));
    return good;
}

static void test_schemes(void **state)
{
    (void)state;
    const struct sign_scheme ph = {SIGN_MODE_ED25519PH, HASH_SHA512},
                             der256 = {SIGN_MODE_ECDSA_DER, HASH_SHA256},
                             der384 = {SIGN_MODE_ECDSA_DER, HASH_SHA384},
                             raw = {SIGN_MODE_ECDSA_RAW, HASH_SHA256},
                             pkcs1 = {SIGN_MODE_RSA_PKCS1, HASH_SHA256};
    assert_true(counts(SIGN_KEY_P384, der256, false));
    assert_true(counts(SIGN_KEY_P384, der384, false));
    assert_true(counts(SIGN_KEY_P256, der256, false));
    assert_false(counts(SIGN_KEY_P256, raw, false));
    assert_true(counts(SIGN_KEY_RSA, pkcs1, false));
    assert_true(counts(SIGN_KEY_ED25519, ph, true));
    assert_false(counts(SIGN_KEY_ED25519, ph, false));
    assert_true(counts(SIGN_KEY_ED25519, (struct sign_scheme){SIGN_MODE_ED25519, HASH_SHA512}, true));
}

static void test_spellings(void **state)
{
    (void)state;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    EXPECT(0, .payload = NULL);
    EXPECT(0, .media_type = "application/vnd.dev.sigstore.bundle+json;version=0.1");
    EXPECT(0, .media_type = "application/vnd.dev.sigstore.bundle+json;version=0.2");
    EXPECT(0, .media_type = "application/vnd.dev.sigstore.bundle+json;version=0.3");
    EXPECT(ERR_FORMAT, .media_type = "application/vnd.dev.sigstore.bundle+json;version=0.4");
    EXPECT(ERR_FORMAT, .media_type = "application/json");
    EXPECT(0, .payload = STATEMENT(SIGN_PREDICATE_SIGN, OURS, ",\"predicate\":{}"));
    EXPECT(0, .payload = STATEMENT(SIGN_PREDICATE_SIGN, OURS, ",\"predicate\":null"));
    EXPECT(0, .payload = STATEMENT(SIGN_PREDICATE_SIGN, OURS, ",\"other\":\"\xc3\xbf\xc3\xbe?>\""),
           .kind = B64_URL);
    EXPECT(0, .hint = "-");
    EXPECT(0, .hint = "a name of their own", .key_id = "a name of their own");
    EXPECT(0, .material = ",\"tlogEntries\":[],\"timestampVerificationData\":{\"rfc3161Timestamps\":[]}");
    assert_ptr_equal(sign_format_detect("", BUNDLE), &sign_sigstore);
    assert_null(sign_format_detect("application/wasm", BUNDLE));
}

/* Attack: an attestation passed off as a signature; a signature that says something else. */
static void test_attestation_is_no_signature(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    static const char *const types[] = {
        "https://slsa.dev/provenance/v1", "https://sigstore.dev/cosign/sign/v2",
        "https://sigstore.dev/cosign/sign/v1/", "HTTPS://sigstore.dev/cosign/sign/v1",
        " https://sigstore.dev/cosign/sign/v1"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        AUTO_DONE(buf) payload = BUF_INIT(4096);
        AUTO_DONE(buf) blob = BUF_INIT(8192);
        buf_printf(&payload, STATEMENT("%s", OURS, ",\"predicate\":{}"), types[i]);
        const struct parts p = {.payload = buf_cstr(&payload)};
        assemble(k, &p, &blob);
        AUTO_DONE(outcome) o = judge_with(BUNDLE, buf_bytes(&blob), NULL, k, plain);
        OUTCOME(o, 0);
        assert_int_equal(o.check->kind, SIGN_CHECK_ATTESTATION);
        assert_string_equal(o.check->predicate_type, types[i]);
        sign_report_settle(&o.report);
        assert_int_equal(o.report.verdict, ERR_UNSIGNED);
    }
    EXPECT(ERR_FORMAT, .payload = STATEMENT(SIGN_PREDICATE_SIGN, OURS, ",\"predicate\":{\"a\":1}"));
    EXPECT(ERR_FORMAT, .payload = STATEMENT(SIGN_PREDICATE_SIGN, OURS, ",\"predicate\":[]"));
    struct sign_subject subject = subject_of(MANIFEST);
    AUTO_DONE(buf) statement = BUF_INIT(4096);
    fill_in(SIGNATURE, &statement);
    const struct sign_order order = {.subject = &subject, .key = k, .statement = buf_bytes(&statement)};
    AUTO_DONE(sign_product) product;
    ASSERT_ERR(sign_sigstore.make(&order, &product, &e), ERR_USAGE);
}

static void test_attestation(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = new_key(SIGN_KEY_ED25519);
    AUTO(sign_key) other = new_key(SIGN_KEY_ED25519);
    AUTO_DONE(buf) statement = BUF_INIT(4096);
    AUTO_DONE(sign_product) p;
    struct sign_subject subject = subject_of(MANIFEST), elsewhere = subject_of(BYTES_LIT("x"));
    ASSERT_OK(sign_statement_write("https://spdx.dev/Document", BYTES_LIT("{\"spdxVersion\":\"SPDX-2.3\"}"),
                                   &subject, NULL, 0, &statement, &e));
    struct sign_order order = {.subject = &subject, .key = k, .statement = buf_bytes(&statement)};
    ASSERT_OK(sign_sigstore.make(&order, &p, &e));
    assert_non_null(strstr(buf_cstr(&p.manifest_annotations), "\"https://spdx.dev/Document\""));
    AUTO_DONE(outcome) o = judge_with(BUNDLE, buf_bytes(&p.blob), NULL, k, plain);
    OUTCOME(o, 0);
    assert_string_equal(o.check->statement, buf_cstr(&statement));
    AUTO_DONE(outcome) foreign = judge_with(BUNDLE, buf_bytes(&p.blob), NULL, other, plain);
    OUTCOME(foreign, ERR_UNTRUSTED);
    assert_int_equal(foreign.check->kind, SIGN_CHECK_ATTESTATION);
    assert_null(foreign.check->predicate_type);
    AUTO_DONE(sign_product) unused;
    order.subject = &elsewhere;
    ASSERT_ERR(sign_sigstore.make(&order, &unused, &e), ERR_DIGEST);
}

/* Attack: an envelope whose signature was made of something else than what it states. */
static void test_envelope(void **state)
{
    (void)state;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    EXPECT(ERR_FORMAT, .signatures = 9);
    EXPECT(ERR_FORMAT, .signatures = 2);
    EXPECT(ERR_UNTRUSTED, .stated_type = "application/json");
    EXPECT(ERR_UNTRUSTED, .signed_type = "application/json", .stated_type = SIGN_DSSE_IN_TOTO);
    EXPECT(ERR_FORMAT, .signed_type = "application/json");
    EXPECT(ERR_FORMAT, .signed_type = "application/vnd.in-toto+json ");
    /* re-encoded: the same statement in other bytes */
    EXPECT(ERR_UNTRUSTED, .stated = " " SIGNATURE);
    EXPECT(ERR_UNTRUSTED, .stated = STATEMENT(SIGN_PREDICATE_SIGN, OURS, ",\"predicate\":{}"));
    EXPECT(ERR_UNTRUSTED, .pae = SIGNATURE); /* signed without its type */
}

/* Attack: lengths that count characters, have leading zeros, or are of something else. */
static void test_wrong_lengths(void **state)
{
    (void)state;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    static const char *const heads[] = {"DSSEv1 28 %s %zu %s", "DSSEv1 028 %s %zu %s", "DSSEv1 28 %s 0%zu %s",
                                        "DSSEv1 %s %zu %s",    "DSSEv1  28 %s %zu %s", "DSSEv2 28 %s %zu %s"};
    AUTO_DONE(buf) payload = BUF_INIT(4096);
    fill_in(STATEMENT(SIGN_PREDICATE_SIGN, OURS, ",\"note\":\"\xc3\xa4\""), &payload);
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        AUTO_DONE(buf) pae = BUF_INIT(8192);
        buf_printf(&pae, heads[i], SIGN_DSSE_IN_TOTO, payload.len, buf_cstr(&payload));
        EXPECT(i == 0 ? 0 : ERR_UNTRUSTED, .payload = buf_cstr(&payload), .pae = buf_cstr(&pae));
    }
    AUTO_DONE(buf) characters = BUF_INIT(8192);
    buf_printf(&characters, heads[0], SIGN_DSSE_IN_TOTO, payload.len - 1, buf_cstr(&payload));
    EXPECT(ERR_UNTRUSTED, .payload = buf_cstr(&payload), .pae = buf_cstr(&characters));
}

/* Attack: a bundle that names one key and an envelope that names another. */
static void test_hints(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    AUTO(sign_key) other = new_key(SIGN_KEY_P256);
    AUTO_DONE(buf) own = BUF_INIT(64);
    AUTO_DONE(buf) foreign = BUF_INIT(64);
    ASSERT_OK(sign_sigstore_hint(k, &own, &e));
    ASSERT_OK(sign_sigstore_hint(other, &foreign, &e));
    assert_int_equal(own.len, 44);
    EXPECT(0, .key_id = buf_cstr(&own));
    EXPECT(0, .key_id = "");
    EXPECT(0, .hint = "-", .key_id = buf_cstr(&own));
    EXPECT(ERR_FORMAT, .key_id = "x");
    EXPECT(ERR_FORMAT, .key_id = buf_cstr(&foreign));
    EXPECT(ERR_FORMAT, .hint = buf_cstr(&foreign), .key_id = buf_cstr(&own));
    /* signed by k, said to be another's: the only key given is not the one that is named */
    EXPECT(ERR_UNTRUSTED, .hint = buf_cstr(&foreign));
    EXPECT(ERR_UNTRUSTED, .hint = buf_cstr(&foreign), .key_id = buf_cstr(&foreign));
    EXPECT(ERR_UNTRUSTED, .hint = "-", .key_id = buf_cstr(&foreign));
}

/* Attack: a signature of another artifact, or of nothing. */
static void test_subjects(void **state)
{
    (void)state;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    EXPECT(ERR_FORMAT, .payload = STATEMENT(SIGN_PREDICATE_SIGN, "", ""));
    EXPECT(ERR_FORMAT, .payload = STATEMENT(SIGN_PREDICATE_SIGN, "{\"name\":\"" HEX "\"}", ""));
    EXPECT(ERR_DIGEST, .payload = STATEMENT(SIGN_PREDICATE_SIGN, "{\"digest\":{\"sha256\":\"00\"}}", ""));
    EXPECT(ERR_DIGEST,
           .payload = STATEMENT(SIGN_PREDICATE_SIGN, "{\"digest\":{\"sha512\":\"" HEX "\"}}", ""));
    EXPECT(0, .payload = STATEMENT(SIGN_PREDICATE_SIGN, "{\"digest\":{\"sha1\":\"00\"}}," OURS, ""));
    /* annotations count where our subject stands, not where another does */
    const struct sign_pair who = {"who", "me"};
    const struct sign_trust wants = {.annotations = &who, .n_annotations = 1};
    AUTO_DONE(buf) blob = BUF_INIT(8192);
    const struct parts p = {
        .payload = STATEMENT(SIGN_PREDICATE_SIGN,
                             "{\"digest\":{\"sha256\":\"00\"},\"annotations\":{\"who\":\"me\"}}," OURS, "")};
    assemble(k, &p, &blob);
    AUTO_DONE(outcome) o = judge_with(BUNDLE, buf_bytes(&blob), NULL, k, wants);
    OUTCOME(o, ERR_POLICY);
}

/* Attack: JSON that another reader would take otherwise. */
static void test_json(void **state)
{
    (void)state;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    EXPECT(ERR_FORMAT, .more = ",\"mediaType\":\"" BUNDLE "\"");
    EXPECT(ERR_FORMAT, .more = ",\"unknown\":1");
    EXPECT(ERR_FORMAT, .more = ",\"messageSignature\":{}");
    EXPECT(ERR_FORMAT, .more = "}");
    EXPECT(ERR_FORMAT, .more = ",\"a\":\"\\u0000\"");
    EXPECT(ERR_FORMAT, .more = ",\"a\":\"\xff\"");
    EXPECT(ERR_FORMAT, .material = ",\"certificate\":{\"rawBytes\":\"AAAA\"}");
    EXPECT(ERR_FORMAT, .material = ",\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\"AAAA\"}]}");
    EXPECT(ERR_FORMAT, .material = ",\"tlogEntries\":{}");
    EXPECT(ERR_FORMAT, .material = ",\"tlog_entries\":[]");
    EXPECT(ERR_FORMAT, .payload = STATEMENT(SIGN_PREDICATE_SIGN, OURS, ",\"predicateType\":\"x:y\""));
    EXPECT(ERR_FORMAT, .payload = SIGNATURE "x");
    EXPECT(ERR_FORMAT, .payload = SIGNATURE SIGNATURE);
    EXPECT(ERR_FORMAT, .payload = "\xef\xbb\xbf" SIGNATURE);
    EXPECT(ERR_FORMAT, .payload = STATEMENT(SIGN_PREDICATE_SIGN, OURS, ",\"a\":\"\xed\xa0\x80\""));
    EXPECT(ERR_FORMAT, .payload = STATEMENT(SIGN_PREDICATE_SIGN, OURS, ",\"a\":\"\\u0000\""));
}

static void test_limits(void **state)
{
    (void)state;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    AUTO_DONE(buf) entries = BUF_INIT(4096);
    AUTO_DONE(buf) deep = BUF_INIT(4096);
    buf_append_str(&entries, ",\"tlogEntries\":[{}");
    for (unsigned i = 1; i < LIMIT_TLOG_ENTRIES; i++)
        buf_append_str(&entries, ",{}");
    buf_append_str(&entries, "]");
    EXPECT(0, .material = buf_cstr(&entries));
    entries.len--;
    buf_append_str(&entries, ",{}]");
    EXPECT(ERR_LIMIT, .material = buf_cstr(&entries));
    buf_append_str(&deep, ",\"a\":");
    for (unsigned i = 0; i < LIMIT_JSON_DEPTH; i++)
        buf_append_u8(&deep, '[');
    EXPECT(ERR_LIMIT, .more = buf_cstr(&deep));
    AUTO_FREE uint8_t *big = calloc(1, LIMIT_BUNDLE + 1U);
    assert_non_null(big);
    AUTO_DONE(outcome) o = judge_with(BUNDLE, bytes_of(big, LIMIT_BUNDLE + 1U), NULL, k, plain);
    OUTCOME(o, ERR_LIMIT);
}

/* A message signature over MANIFEST, or over other bytes, that states a digest. */
static int judge_message(const struct sign_key *k, struct bytes message, struct bytes stated, const char *alg)
{
    struct err e = ERR_INIT;
    struct digest d;
    AUTO_DONE(buf) signature = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    AUTO_DONE(buf) blob = BUF_INIT(8192);
    enum hash_alg hash = strcmp(alg, "SHA2_512") == 0 ? HASH_SHA512 : HASH_SHA256;
    ASSERT_OK(sign_sigstore_sign(k, message, &signature, &e));
    ASSERT_OK(hash_bytes(hash, stated, &d, &e));
    buf_printf(&blob,
               "{\"mediaType\":\"" BUNDLE
               "\",\"verificationMaterial\":{\"publicKey\":{}},\"messageSignature\":{"
               "\"messageDigest\":{\"algorithm\":\"%s\",",
               alg);
    b64_member(&blob, "digest", B64_STD, bytes_of(d.value, hash_len(hash)));
    buf_append_str(&blob, "},");
    b64_member(&blob, "signature", B64_STD, buf_bytes(&signature));
    buf_append_str(&blob, "}}");
    AUTO_DONE(outcome) o = judge_with(BUNDLE, buf_bytes(&blob), NULL, k, plain);
    return o.check->code;
}

static void test_message_signature(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    assert_int_equal(judge_message(k, MANIFEST, MANIFEST, "SHA2_256"), 0);
    assert_int_equal(judge_message(k, MANIFEST, MANIFEST, "SHA2_512"), 0);
    assert_int_equal(judge_message(k, MANIFEST, MANIFEST, "SHA2_384"), ERR_FORMAT); /* 32 bytes */
    assert_int_equal(judge_message(k, MANIFEST, MANIFEST, "SHA1"), ERR_UNSUPPORTED);
    assert_int_equal(judge_message(k, MANIFEST, BYTES_LIT("x"), "SHA2_256"), ERR_DIGEST);
    assert_int_equal(judge_message(k, BYTES_LIT("x"), BYTES_LIT("x"), "SHA2_256"), ERR_DIGEST);
    assert_int_equal(judge_message(k, BYTES_LIT("x"), MANIFEST, "SHA2_256"), ERR_UNTRUSTED);
    /* content that is not what the digest says is not the subject */
    struct sign_subject subject = subject_of(MANIFEST);
    struct sign_key *list[] = {k};
    const struct sign_trust trust = {.keys = {list, 1}};
    const struct sign_carrier carrier = {
        .media_type = BUNDLE,
        .artifact_type = "",
        .blob = BYTES_LIT("{\"mediaType\":\"" BUNDLE "\",\"verificationMaterial\":{\"publicKey\":{}},"
                          "\"messageSignature\":{\"messageDigest\":{\"algorithm\":\"SHA2_256\",\"digest\":"
                          "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"},\"signature\":\"AA==\"}}")};
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    subject.content = BYTES_LIT("x");
    ASSERT_OK(sign_sigstore.judge(&carrier, &subject, &trust, &report, &e));
    subject.content = BYTES_NONE;
    ASSERT_OK(sign_sigstore.judge(&carrier, &subject, &trust, &report, &e));
    assert_int_equal(report.checks[0].code, ERR_DIGEST);
    assert_int_equal(report.checks[1].code, ERR_UNSUPPORTED);
}

/* Without a root of trust a certificate says nothing, whatever is in it. */
static void test_certificates(void **state)
{
    (void)state;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    static const struct {
        const char *material;
        int want;
    } cases[] = {
        {"\"certificate\":{\"rawBytes\":\"MAA=\"}", ERR_UNTRUSTED},
        {"\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\"MAA=\"},{\"rawBytes\":\"MAA=\"}]}",
         ERR_UNTRUSTED},
        {"\"x509CertificateChain\":{\"certificates\":[]}", ERR_FORMAT},
        {"\"x509CertificateChain\":{\"certificates\":[null]}", ERR_FORMAT},
        {"\"certificate\":{\"rawBytes\":\"\"}", ERR_FORMAT},
        {"\"certificate\":{\"rawBytes\":\"M\"}", ERR_FORMAT},
        {"\"certificate\":{}", ERR_FORMAT},
        {"\"tlogEntries\":[]", ERR_FORMAT},
        {"", ERR_FORMAT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_DONE(buf) blob = BUF_INIT(8192);
        buf_printf(&blob,
                   "{\"mediaType\":\"" BUNDLE
                   "\",\"verificationMaterial\":{%s},\"dsseEnvelope\":{\"payload\":\"e30=\","
                   "\"payloadType\":\"" SIGN_DSSE_IN_TOTO "\",\"signatures\":[{\"sig\":\"AA==\"}]}}",
                   cases[i].material);
        AUTO_DONE(outcome) o = judge_with(BUNDLE, buf_bytes(&blob), NULL, k, plain);
        OUTCOME(o, cases[i].want);
    }
}

/* Every truncation is refused, and so is every flipped bit but those of the hint: nobody signs it, and as a
 * text that is no fingerprint it says nothing. */
static void test_damage(void **state)
{
    (void)state;
    AUTO(sign_key) k = new_key(SIGN_KEY_P256);
    AUTO_DONE(buf) blob = BUF_INIT(8192);
    const struct parts p = {.payload = NULL};
    char id[SIGN_FINGERPRINT_MAX];
    assemble(k, &p, &blob);
    for (size_t len = 0; len < blob.len; len++) {
        AUTO_DONE(outcome) o = judge_with(BUNDLE, bytes_of(blob.ptr, len), NULL, k, plain);
        OUTCOME(o, ERR_FORMAT);
    }
    const char *hint = strstr(buf_cstr(&blob), "\"hint\":\"");
    assert_non_null(hint);
    size_t from = (size_t)(hint - buf_cstr(&blob)) + strlen("\"hint\":\"");
    for (size_t bit = 0; bit < 8 * blob.len; bit++) {
        blob.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        AUTO_DONE(outcome) o = judge_with(BUNDLE, buf_bytes(&blob), NULL, k, plain);
        blob.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (!o.check->ok)
            continue;
        assert_true(bit / 8 >= from && bit / 8 < from + 44);
        assert_int_equal(o.check->kind, SIGN_CHECK_SIGNATURE);
        assert_string_equal(o.check->key_id, sign_key_fingerprint(k, id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_schemes),
        cmocka_unit_test(test_spellings),     cmocka_unit_test(test_attestation_is_no_signature),
        cmocka_unit_test(test_attestation),   cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_wrong_lengths), cmocka_unit_test(test_hints),
        cmocka_unit_test(test_subjects),      cmocka_unit_test(test_json),
        cmocka_unit_test(test_limits),        cmocka_unit_test(test_message_signature),
        cmocka_unit_test(test_certificates),  cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
