/* SPDX-License-Identifier: Apache-2.0 */
/* Notary Project signatures: ours are good, and everything that others may try with a JWS is refused, each
 * with its own reason. */
#include "sign/notation.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/plugin.h"
#include "sign/jws.h"
#include "tests/registry/fixture.h"
#include "tests/unit/sign_cert_fixture.h"

#include <time.h>

#define TYPE "application/vnd.oci.image.manifest.v1+json"
#define HEX  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static char plugins[PATH_MAX];

/* Who signs: root and leaf, the leaf's key, a store with the root, the chain as PEM. */
struct signer {
    struct issued root, leaf;
    struct sign_key *key;
    struct sign_store *store;
    struct buf pem;
};

static const struct recipe default_leaf = {.subject = "CN=leaf,O=Example,ST=WA,C=US",
                                           .usage = GNUTLS_KEY_DIGITAL_SIGNATURE};

static void signer_make_as(struct signer *s, const struct recipe *leaf, enum sign_store_kind kind)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) text = BUF_SECRET_INIT(1U << 16);
    *s = (struct signer){.pem = BUF_INIT(1U << 16)};
    issue(&a_root, NULL, &s->root);
    issue(leaf, &s->root, &s->leaf);
    issued_key(&s->leaf, &text);
    assert_ok(sign_key_parse(buf_bytes(&text), "leaf.key", &s->key, &e));
    assert_ok(sign_store_new(&s->store, &e));
    assert_ok(sign_store_add(s->store, kind, "acme", buf_bytes(&s->root.der), &e));
    issued_pem(&s->leaf, &s->pem);
    issued_pem(&s->root, &s->pem);
}

static void signer_make(struct signer *s)
{
    signer_make_as(s, &default_leaf, SIGN_STORE_CA);
}

static void signer_done(struct signer *s)
{
    sign_store_free(s->store);
    sign_key_free(s->key);
    issued_done(&s->leaf);
    issued_done(&s->root);
    buf_done(&s->pem);
}

static struct sign_subject the_subject(void)
{
    struct err e = ERR_INIT;
    struct sign_subject s = {.size = 528, .media_type = TYPE};
    assert_ok(hash_bytes(HASH_SHA256, BYTES_NONE, &s.digest, &e));
    return s;
}

static struct sign_trust the_trust(const struct signer *s)
{
    return (struct sign_trust){.store = s->store, .now = T0 + DAY};
}

/* What the one check says of it. */
static int judge_about(struct bytes blob, const struct sign_subject *subject, const struct sign_trust *trust,
                       struct err *e)
{
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    const struct sign_carrier carrier = {.media_type = SIGN_NOTATION_JWS,
                                         .artifact_type = SIGN_NOTATION_ARTIFACT,
                                         .blob = blob,
                                         .where = "referrer"};
    if (sign_notation.judge(&carrier, subject, trust, &report, e) != 0)
        fail_msg("judge: %s", e->msg);
    assert_int_equal(report.n, 1);
    const struct sign_check *c = report.checks;
    assert_int_equal(c->ok, c->code == 0);
    assert_int_equal(c->kind, SIGN_CHECK_SIGNATURE);
    assert_string_equal(c->where, "referrer");
    if (c->code)
        (void)err_set(e, (enum err_code)c->code, "%s", c->text);
    else {
        assert_string_equal(c->covers, "manifest sha256:" HEX);
        assert_true(c->key[0] && c->key_id[0] && c->issuer && c->subject && c->signed_at);
    }
    return c->code;
}

static int judge(struct bytes blob, const struct sign_trust *trust, struct err *e)
{
    const struct sign_subject subject = the_subject();
    return judge_about(blob, &subject, trust, e);
}

static void make(const struct signer *s, const struct sign_order *like, struct sign_product *ret)
{
    struct err e = ERR_INIT;
    const struct sign_subject subject = the_subject();
    struct sign_order o = *like;
    o.subject = &subject;
    o.key = s->key;
    o.certificates = buf_bytes(&s->pem);
    o.now = T0;
    o.agent = "waybill/test";
    assert_ok(sign_notation.make(&o, ret, &e));
}

static void round_trip(void **state)
{
    static const struct sign_pair notes[] = {{"stage", "prod"}, {"by", "ci"}}, wrong[] = {{"stage", "dev"}};
    struct err e = ERR_INIT;
    struct signer s;
    struct sign_product p;
    (void)state;
    signer_make(&s);
    make(&s, &(struct sign_order){.annotations = notes, .n_annotations = 2, .expires_at = T0 + 2 * DAY}, &p);
    assert_int_equal(p.hang, SIGN_HANG_REFERRER);
    assert_ptr_equal(sign_format_detect(p.media_type, p.artifact_type), &sign_notation);
    AUTO(jdoc) doc = NULL;
    assert_ok(jdoc_parse(buf_bytes(&p.manifest_annotations), &doc, &e));
    const char *prints = jval_string(jobj_get(jdoc_root(doc), SIGN_NOTATION_THUMBPRINT));
    assert_int_equal(strlen(prints), 1 + 2 * 66 + 1 + 1);
    struct sign_trust trust = the_trust(&s);
    assert_ok(judge(buf_bytes(&p.blob), &trust, &e));
    trust.annotations = notes;
    trust.n_annotations = 1;
    assert_ok(judge(buf_bytes(&p.blob), &trust, &e));
    trust.annotations = wrong;
    assert_fails(judge(buf_bytes(&p.blob), &trust, &e), ERR_POLICY);
    trust.n_annotations = 0;
    trust.now = T0 + 2 * DAY;
    assert_fails(judge(buf_bytes(&p.blob), &trust, &e), ERR_EXPIRED);
    trust = the_trust(&s);
    trust.store = NULL;
    assert_fails(judge(buf_bytes(&p.blob), &trust, &e), ERR_UNTRUSTED);
    sign_product_done(&p);
    signer_done(&s);
}

static void key_types(void **state)
{
    static const struct {
        gnutls_pk_algorithm_t alg;
        unsigned bits;
    } cases[] = {{GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)},
                 {GNUTLS_PK_RSA, 2048},
                 {GNUTLS_PK_RSA, 3072}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        struct recipe leaf = default_leaf;
        struct signer s;
        struct sign_product p;
        leaf.key = cases[i].alg;
        leaf.bits = cases[i].bits;
        signer_make_as(&s, &leaf, SIGN_STORE_CA);
        make(&s, &(struct sign_order){.n_annotations = 0}, &p);
        const struct sign_trust trust = the_trust(&s);
        assert_ok(judge(buf_bytes(&p.blob), &trust, &e));
        sign_product_done(&p);
        signer_done(&s);
    }
}

static void other_subjects(void **state)
{
    struct err e = ERR_INIT;
    struct signer s;
    struct sign_product p;
    (void)state;
    signer_make(&s);
    make(&s, &(struct sign_order){.n_annotations = 0}, &p);
    const struct sign_trust trust = the_trust(&s);
    struct sign_subject other = the_subject();
    other.digest.value[0] ^= 1;
    assert_fails(judge_about(buf_bytes(&p.blob), &other, &trust, &e), ERR_DIGEST);
    other = the_subject();
    other.size++;
    assert_fails(judge_about(buf_bytes(&p.blob), &other, &trust, &e), ERR_DIGEST);
    other = the_subject();
    other.media_type = "application/vnd.oci.image.index.v1+json";
    assert_fails(judge_about(buf_bytes(&p.blob), &other, &trust, &e), ERR_DIGEST);
    sign_product_done(&p);
    signer_done(&s);
}

static void truncated_and_flipped(void **state)
{
    struct signer s;
    struct sign_product p;
    (void)state;
    signer_make(&s);
    make(&s, &(struct sign_order){.expires_at = T0 + 5 * DAY}, &p);
    const struct sign_trust trust = the_trust(&s);
    /* the agent's name is the one thing that nobody signs */
    const uint8_t *agent = memmem(p.blob.ptr, p.blob.len, SIGN_NOTATION_AGENT, strlen(SIGN_NOTATION_AGENT));
    size_t from = (size_t)(agent - p.blob.ptr), to = from + sizeof(SIGN_NOTATION_AGENT "\":\"waybill/test\"");
    for (size_t i = 0; i < p.blob.len; i += 3) {
        struct err e = ERR_INIT;
        assert_true(judge(bytes_of(p.blob.ptr, i), &trust, &e) != 0);
        if (i >= from && i < to)
            continue;
        p.blob.ptr[i] ^= 1;
        if (judge(buf_bytes(&p.blob), &trust, &e) == 0)
            fail_msg("byte %zu may be changed", i);
        p.blob.ptr[i] ^= 1;
    }
    sign_product_done(&p);
    signer_done(&s);
}

/* A JWS by hand. NULL members: as a good one has them. */
struct forgery {
    const char *protected_header, *payload;
    const char *header; /* behind "x5c":[...] : ",\"jwk\":{}" */
    const char *outer;  /* more members of the whole */
    struct bytes key;   /* for HS256 */
    const struct signer *chain_of;
    bool no_signature, der;
};

#define PROTECTED(alg, crit, more)                                                                        \
    "{" alg "\"crit\":" crit ",\"cty\":\"application/vnd.cncf.notary.payload.v1+json\","                  \
    "\"io.cncf.notary.signingScheme\":\"notary.x509\",\"io.cncf.notary.signingTime\":\"2026-01-01T00:00:" \
    "00Z\"" more "}"
#define CRIT    "[\"io.cncf.notary.signingScheme\"]"
#define ES256   "\"alg\":\"ES256\","
#define TARGET  "\"mediaType\":\"" TYPE "\",\"digest\":\"sha256:" HEX "\",\"size\":528"
#define PAYLOAD "{\"targetArtifact\":{" TARGET "}}"

static void forge(const struct signer *s, const struct forgery *f, struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) message = BUF_INIT(1U << 16);
    AUTO_DONE(buf) raw = BUF_INIT(1U << 12);
    AUTO_DONE(buf) text = BUF_INIT(1U << 12);
    uint8_t mac[HASH_SHA256_LEN];
    const struct signer *shown = f->chain_of ? f->chain_of : s;
    b64_encode(B64_URL, bytes_str(f->protected_header ? f->protected_header : PROTECTED(ES256, CRIT, "")),
               &message);
    size_t dot = message.len;
    buf_append_u8(&message, '.');
    b64_encode(B64_URL, bytes_str(f->payload ? f->payload : PAYLOAD), &message);
    const struct bytes parts[] = {buf_bytes(&message)};
    if (f->key.len) {
        assert_ok(hash_hmac_sha256(f->key, parts, 1, mac, &e));
        buf_append(&raw, mac, sizeof(mac));
    } else if (!f->no_signature)
        assert_ok(sign_key_sign_as(
            s->key, (struct sign_scheme){f->der ? SIGN_MODE_ECDSA_DER : SIGN_MODE_ECDSA_RAW, HASH_SHA256},
            buf_bytes(&message), &raw, &e));
    b64_encode(B64_URL, buf_bytes(&raw), &text);
    buf_printf(out,
               "{\"payload\":\"%s\",\"protected\":\"%.*s\",\"signature\":\"%s\"%s,\"header\":{\"x5c\":[\"",
               buf_cstr(&message) + dot + 1, (int)dot, buf_cstr(&message), buf_cstr(&text),
               f->outer ? f->outer : "");
    b64_encode(B64_STD, buf_bytes(&shown->leaf.der), out);
    buf_append_str(out, "\",\"");
    b64_encode(B64_STD, buf_bytes(&shown->root.der), out);
    buf_printf(out, "\"]%s}}", f->header ? f->header : "");
    assert_ok(buf_check(out, &e));
}

static void expect(const struct signer *s, const struct forgery *f, int want, const char *text)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) blob = BUF_INIT(1U << 20);
    const struct sign_trust trust = the_trust(s);
    forge(s, f, &blob);
    assert_fails(judge(buf_bytes(&blob), &trust, &e), want);
    if (want && text && !strstr(e.msg, text))
        fail_msg("\"%s\" has no \"%s\"", e.msg, text);
}

static void algorithms(void **state)
{
    static const char *const algs[] = {"\"alg\":\"none\",",  "\"alg\":\"None\",",    "\"alg\":\"NONE\",",
                                       "\"alg\":\"\",",      "\"alg\":\"es256\",",   "\"alg\":\"ES384\",",
                                       "\"alg\":\"PS256\",", "\"alg\":\"EdDSA\",",   "\"alg\":\"RS256\",",
                                       "\"alg\":null,",      "\"alg\":[\"ES256\"],", ""};
    struct err e = ERR_INIT;
    struct signer s;
    (void)state;
    signer_make(&s);
    expect(&s, &(struct forgery){.no_signature = false}, 0, "");
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text), PROTECTED("%s", CRIT, ""), algs[i]);
        expect(&s, &(struct forgery){.protected_header = text}, ERR_FORMAT, NULL);
        expect(&s, &(struct forgery){.protected_header = text, .no_signature = true}, ERR_FORMAT, NULL);
    }
    expect(&s, &(struct forgery){.no_signature = true}, ERR_UNTRUSTED, "wrong");
    expect(&s, &(struct forgery){.der = true}, ERR_UNTRUSTED, "wrong");
    /* the public key, in each form that it has, as the secret of an HMAC */
    AUTO_DONE(buf) pem = BUF_INIT(1U << 12);
    AUTO_DONE(buf) spki = BUF_INIT(1U << 12);
    assert_ok(sign_key_write_public(s.key, &pem, &e));
    sign_key_put_spki(s.key, &spki);
    const struct bytes secrets[] = {buf_bytes(&pem), buf_bytes(&spki), sign_key_public(s.key)};
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        expect(&s,
               &(struct forgery){.protected_header = PROTECTED("\"alg\":\"HS256\",", CRIT, ""),
                                 .key = secrets[i]},
               ERR_FORMAT, "HS256");
        expect(&s, &(struct forgery){.key = secrets[i]}, ERR_UNTRUSTED, "wrong");
    }
    signer_done(&s);
}

/* alg ES256 with the certificate of an RSA key. */
static void es256_with_rsa(void **state)
{
    struct recipe leaf = default_leaf;
    struct signer s, rsa;
    (void)state;
    signer_make(&s);
    leaf.key = GNUTLS_PK_RSA;
    signer_make_as(&rsa, &leaf, SIGN_STORE_CA);
    expect(&s, &(struct forgery){.chain_of = &rsa}, ERR_FORMAT, "PS256");
    signer_done(&rsa);
    signer_done(&s);
}

static void critical(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {PROTECTED(ES256, "[]", ""), "names nothing"},
        {PROTECTED(ES256, "null", ""), "names nothing"},
        {PROTECTED(ES256, "\"io.cncf.notary.signingScheme\"", ""), "names nothing"},
        {PROTECTED(ES256, "[\"exp\"]", ",\"exp\":1"), "not understood"},
        {PROTECTED(ES256, "[\"io.cncf.notary.signingScheme\",\"exp\"]", ",\"exp\":1"), "not understood"},
        {PROTECTED(ES256, "[\"io.cncf.notary.signingScheme\",1]", ""), "not understood"},
        {PROTECTED(ES256, "[\"io.cncf.notary.signingScheme\",\"io.cncf.notary.expiry\"]", ""), "not there"},
        {PROTECTED(ES256, "[\"io.cncf.notary.signingScheme\",\"io.cncf.notary.signingScheme\"]", ""),
         "twice"},
        {PROTECTED(ES256, "[\"alg\"]", ""), "not understood"},
        {PROTECTED(ES256, CRIT, ",\"io.cncf.notary.expiry\":\"2027-01-01T00:00:00Z\""), "does not name all"},
        {PROTECTED(ES256, "[\"io.cncf.notary.expiry\"]",
                   ",\"io.cncf.notary.expiry\":\"2027-01-01T00:00:00Z\""),
         "does not name all"},
        {"{\"alg\":\"ES256\",\"cty\":\"application/vnd.cncf.notary.payload.v1+json\","
         "\"io.cncf.notary.signingScheme\":\"notary.x509\","
         "\"io.cncf.notary.signingTime\":\"2026-01-01T00:00:00Z\"}",
         "not there"},
    };
    struct signer s;
    (void)state;
    signer_make(&s);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(&s, &(struct forgery){.protected_header = cases[i].text}, ERR_FORMAT, cases[i].why);
    signer_done(&s);
}

static void headers(void **state)
{
    static const char *const in_protected[] = {
        ",\"b64\":false",
        ",\"b64\":true",
        ",\"jwk\":{}",
        ",\"jku\":\"https://x.example\"",
        ",\"x5u\":\"https://x.example\"",
        ",\"x5c\":[]",
        ",\"kid\":\"1\"",
        ",\"zip\":\"DEF\"",
        ",\"alg\":\"ES256\"",
        ",\"typ\":\"JWT\"",
        ",\"io.cncf.notary.authenticSigningTime\":\"2026-01-01T00:00:00Z\"",
        ",\"io.cncf.notary.signingTime\":\"2026-01-01T00:00:00Z\"",
    };
    static const char *const in_header[] = {
        ",\"jwk\":{}",
        ",\"jku\":\"https://x.example\"",
        ",\"x5u\":\"https://x.example\"",
        ",\"alg\":\"ES256\"",
        ",\"crit\":[\"x\"]",
        ",\"kid\":\"1\"",
        ",\"x5c\":[]",
        ",\"io.cncf.notary.expiry\":\"2020-01-01T00:00:00Z\"",
    };
    static const char *const outer[] = {",\"extra\":1", ",\"payload\":\"e30\"", ",\"header\":{}"};
    struct signer s;
    (void)state;
    signer_make(&s);
    for (size_t i = 0; i < ARRAY_LEN(in_protected); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text), PROTECTED(ES256, CRIT, "%s"), in_protected[i]);
        expect(&s, &(struct forgery){.protected_header = text}, ERR_FORMAT, NULL);
    }
    for (size_t i = 0; i < ARRAY_LEN(in_header); i++)
        expect(&s, &(struct forgery){.header = in_header[i]}, ERR_FORMAT, NULL);
    for (size_t i = 0; i < ARRAY_LEN(outer); i++)
        expect(&s, &(struct forgery){.outer = outer[i]}, ERR_FORMAT, NULL);
    expect(&s, &(struct forgery){.outer = ",\"signatures\":[]"}, ERR_UNSUPPORTED, "general form");
    expect(&s, &(struct forgery){.header = ",\"io.cncf.notary.signingAgent\":\"\\u001b[2J\""}, 0, "");
    /* a member of the signer's own that is signed and not critical means nothing */
    expect(&s, &(struct forgery){.protected_header = PROTECTED(ES256, CRIT, ",\"com.example.x\":1")}, 0, "");
    signer_done(&s);
}

static void payloads(void **state)
{
    static const struct {
        const char *text;
        int want;
    } cases[] = {
        {"{\"targetArtifact\":{" TARGET ",\"annotations\":{\"a\":\"b\"}}}", 0},
        {"{\"targetArtifact\":{" TARGET "},\"more\":1}", ERR_FORMAT},
        {"{\"targetArtifact\":{" TARGET ",\"urls\":[]}}", ERR_FORMAT},
        {"{\"targetArtifact\":{" TARGET ",\"size\":528}}", ERR_FORMAT},
        {"{\"targetArtifact\":{\"digest\":\"sha256:" HEX "\",\"size\":528}}", ERR_FORMAT},
        {"{\"targetArtifact\":{\"mediaType\":\"" TYPE "\",\"size\":528}}", ERR_FORMAT},
        {"{\"targetArtifact\":{\"mediaType\":\"" TYPE "\",\"digest\":\"sha256:" HEX "\"}}", ERR_FORMAT},
        {"{\"targetArtifact\":{\"mediaType\":\"" TYPE "\",\"digest\":\"sha256:" HEX "\",\"size\":\"528\"}}",
         ERR_FORMAT},
        {"{\"targetArtifact\":{\"mediaType\":\"" TYPE "\",\"digest\":\"sha256:" HEX "\",\"size\":-528}}",
         ERR_FORMAT},
        {"{\"targetArtifact\":{\"mediaType\":\"" TYPE "\",\"digest\":\"" HEX "\",\"size\":528}}", ERR_FORMAT},
        {"{\"targetArtifact\":{\"mediaType\":\"text/plain\",\"digest\":\"sha256:" HEX "\",\"size\":528}}",
         ERR_DIGEST},
        {"{\"targetArtifact\":{\"mediaType\":\"" TYPE "\",\"digest\":\"sha256:" HEX "\",\"size\":529}}",
         ERR_DIGEST},
        {"{\"targetArtifact\":[]}", ERR_FORMAT},
        {"[]", ERR_FORMAT},
        {"{}", ERR_FORMAT},
        {"", ERR_FORMAT},
        {PAYLOAD " x", ERR_FORMAT},
        {"\xef\xbb\xbf" PAYLOAD, ERR_FORMAT},
    };
    struct signer s;
    (void)state;
    signer_make(&s);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(&s, &(struct forgery){.payload = cases[i].text}, cases[i].want, NULL);
    signer_done(&s);
}

static void schemes(void **state)
{
#define HEAD(scheme, crit, time)                                                                      \
    "{\"alg\":\"ES256\",\"crit\":[" crit "],\"cty\":\"application/vnd.cncf.notary.payload.v1+json\"," \
    "\"io.cncf.notary.signingScheme\":\"" scheme "\"" time "}"
#define S "\"io.cncf.notary.signingScheme\""
#define A "\"io.cncf.notary.authenticSigningTime\""
    struct err e = ERR_INIT;
    struct recipe leaf = default_leaf;
    struct signer s;
    static const char good[] =
        HEAD("notary.x509.signingAuthority", S "," A, "," A ":\"2026-01-01T00:00:00Z\"");
    (void)state;
    leaf.to = T0 + 2 * DAY; /* expires, and what was signed before stays good */
    signer_make_as(&s, &leaf, SIGN_STORE_AUTHORITY);
    expect(&s, &(struct forgery){.protected_header = good}, 0, "");
    AUTO_DONE(buf) blob = BUF_INIT(1U << 20);
    forge(&s, &(struct forgery){.protected_header = good}, &blob);
    struct sign_trust trust = the_trust(&s);
    trust.now = T0 + 10 * DAY;
    assert_ok(judge(buf_bytes(&blob), &trust, &e));
    trust.now = T0 - DAY; /* it says that it is of tomorrow */
    assert_fails(judge(buf_bytes(&blob), &trust, &e), ERR_EXPIRED);
    static const struct {
        const char *text;
        int want;
    } cases[] = {
        {HEAD("notary.x509.signingAuthority", S, "," A ":\"2026-01-01T00:00:00Z\""), ERR_FORMAT},
        {HEAD("notary.x509.signingAuthority", S "," A, ""), ERR_FORMAT},
        {HEAD("notary.x509.signingAuthority", S "," A, "," A ":\"yesterday\""), ERR_FORMAT},
        {HEAD("notary.x509.signingAuthority", S "," A, "," A ":\"2020-01-01T00:00:00Z\""), ERR_EXPIRED},
        {HEAD("notary.x509.other", S, ",\"io.cncf.notary.signingTime\":\"2026-01-01T00:00:00Z\""),
         ERR_UNSUPPORTED},
        {HEAD("notary.x509", S, ",\"io.cncf.notary.signingTime\":\"2026-01-01 00:00:00\""), ERR_FORMAT},
        /* the authority's store is for authorities only */
        {HEAD("notary.x509", S, ",\"io.cncf.notary.signingTime\":\"2026-01-01T00:00:00Z\""), ERR_CERT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(&s, &(struct forgery){.protected_header = cases[i].text}, cases[i].want, NULL);
    signer_done(&s);
}

static void certificates(void **state)
{
    struct err e = ERR_INIT;
    struct recipe late = default_leaf, server = default_leaf;
    struct signer s, attacker, old, tls;
    struct sign_product p;
    (void)state;
    signer_make(&s);
    signer_make(&attacker); /* all names are the same, the signature is right, nobody trusts the root */
    make(&attacker, &(struct sign_order){.n_annotations = 0}, &p);
    struct sign_trust trust = the_trust(&s);
    assert_fails(judge(buf_bytes(&p.blob), &trust, &e), ERR_CERT);
    sign_product_done(&p);
    expect(&attacker, &(struct forgery){.chain_of = &s}, ERR_UNTRUSTED, "wrong");
    late.to = T0 + 2;
    signer_make_as(&old, &late, SIGN_STORE_CA);
    expect(&old, &(struct forgery){.no_signature = false}, ERR_EXPIRED, "has expired");
    expect(&old, &(struct forgery){.header = ",\"io.cncf.notary.timestampSignature\":\"MAA=\""}, ERR_EXPIRED,
           "time stamp does not help");
    expect(&s, &(struct forgery){.header = ",\"io.cncf.notary.timestampSignature\":\"MAA=\""}, 0, "");
    server.purposes[0] = GNUTLS_KP_TLS_WWW_SERVER;
    signer_make_as(&tls, &server, SIGN_STORE_CA);
    expect(&tls, &(struct forgery){.no_signature = false}, ERR_CERT, "something else");
    /* nor is anything made that would not be taken */
    struct sign_order o = {.key = tls.key, .certificates = buf_bytes(&tls.pem), .now = T0};
    const struct sign_subject subject = the_subject();
    o.subject = &subject;
    assert_fails(sign_notation.make(&o, &p, &e), ERR_CERT);
    sign_product_done(&p);
    o.key = s.key;
    assert_fails(sign_notation.make(&o, &p, &e), ERR_USAGE);
    sign_product_done(&p);
    o.certificates = BYTES_NONE;
    assert_fails(sign_notation.make(&o, &p, &e), ERR_USAGE);
    sign_product_done(&p);
    o.certificates = buf_bytes(&s.pem);
    o.expires_at = T0;
    assert_fails(sign_notation.make(&o, &p, &e), ERR_USAGE);
    sign_product_done(&p);
    o.expires_at = 0;
    o.statement = BYTES_LIT("{}");
    assert_fails(sign_notation.make(&o, &p, &e), ERR_UNSUPPORTED);
    sign_product_done(&p);
    signer_done(&tls);
    signer_done(&old);
    signer_done(&attacker);
    signer_done(&s);
}

/* A certificate that has expired since, and a time stamp from before. */
static void stamped(void **state)
{
    const struct scratch *dir = *state;
    struct err e = ERR_INIT;
    struct recipe leaf = default_leaf;
    struct signer s;
    AUTO_DONE(buf) plain = BUF_INIT(1U << 20);
    AUTO_DONE(buf) stamped = BUF_INIT(1U << 20);
    AUTO_DONE(buf) token = BUF_INIT(1U << 16);
    AUTO_DONE(buf) root = BUF_INIT(1U << 16);
    AUTO_DONE(buf) member = BUF_INIT(1U << 16);
    AUTO_DONE(sign_jws) j;
    int64_t now = (int64_t)time(NULL);
    if (access("/usr/bin/openssl", X_OK) != 0)
        skip_because("no openssl");
    leaf.to = now + 3600;
    signer_make_as(&s, &leaf, SIGN_STORE_CA);
    struct recipe long_root = a_root; /* T0 is some time ago */
    long_root.to = now + YEAR;
    issued_done(&s.root);
    issue(&long_root, NULL, &s.root);
    gnutls_x509_privkey_t key = s.leaf.key;
    s.leaf.key = NULL;
    issued_done(&s.leaf);
    issue_with(&leaf, key, &s.root, &s.leaf);
    assert_ok(sign_store_add(s.store, SIGN_STORE_CA, "acme", buf_bytes(&s.root.der), &e));
    forge(&s, &(struct forgery){.no_signature = false}, &plain);
    assert_ok(sign_jws_parse(buf_bytes(&plain), &j, &e));
    assert_true(shell(dir, tsa_make()));
    scratch_write(dir, "msg", buf_bytes(&j.signature));
    assert_true(shell(dir, TSA_FUNCTION "stamp -sha256 -cert token"));
    assert_ok(file_read(dir->fd, "token", true, &token, &e));
    assert_ok(file_read(dir->fd, "root.crt", true, &root, &e));
    buf_append_str(&member, "\"header\":{\"" SIGN_NOTATION_TIMESTAMP "\":\"");
    b64_encode(B64_STD, buf_bytes(&token), &member);
    buf_append_str(&member, "\",");
    const char *at = strstr(buf_cstr(&plain), "\"header\":{");
    buf_append(&stamped, plain.ptr, (size_t)(at - buf_cstr(&plain)));
    buf_append_bytes(&stamped, buf_bytes(&member));
    buf_append_str(&stamped, at + strlen("\"header\":{"));
    struct sign_trust trust = the_trust(&s);
    trust.now = now + 2;
    assert_ok(judge(buf_bytes(&stamped), &trust, &e)); /* valid, nobody needs the stamp */
    trust.now = now + DAY;
    assert_fails(judge(buf_bytes(&plain), &trust, &e), ERR_EXPIRED);
    assert_fails(judge(buf_bytes(&stamped), &trust, &e), ERR_EXPIRED); /* who is that authority? */
    assert_ok(sign_store_add(s.store, SIGN_STORE_TSA, "clock", buf_bytes(&root), &e));
    assert_fails(judge(buf_bytes(&plain), &trust, &e), ERR_EXPIRED);
    assert_ok(judge(buf_bytes(&stamped), &trust, &e));
    signer_done(&s);
}

static void identities(void **state)
{
    static const struct {
        struct sign_identity id;
        int want;
    } cases[] = {
        {{.subject = "*"}, 0},
        {{.subject = "C=US, ST=WA, O=Example"}, 0},
        {{.subject = "x509.subject: C=US, ST=WA, O=Example"}, 0},
        {{.subject = "o=Example"}, 0},
        {{.subject = "CN=leaf,O=Example,S=WA,C=US"}, 0},
        {{.subject = "2.5.4.10=Example"}, 0},
        {{.subject = "O=Exam\\70le"}, 0},
        {{.subject = "O=Example, L=Here"}, ERR_UNTRUSTED},
        {{.subject = "O=example"}, ERR_UNTRUSTED},
        {{.subject = "O=Exampl"}, ERR_UNTRUSTED},
        {{.subject = "CN=root"}, ERR_UNTRUSTED},
        {{.subject = "me@example.com"}, ERR_UNTRUSTED},
        {{.subject = ""}, ERR_UNTRUSTED},
        {{.subject = "*", .issuer = "https://x.example"}, ERR_UNTRUSTED},
        {{.subject = ".*", .subject_is_pattern = true}, ERR_UNTRUSTED},
        {{.subject = NULL}, ERR_UNTRUSTED},
    };
    static const char *const malformed[] = {"",       "CN",       "CN=",      "=x",       "XX=1",
                                            "CN=a,",  "CN=a+O=b", "CN=\"a\"", "CN=a;O=b", "CN=a\\",
                                            "CN=\\0", "CN=\\00",  ",",        "**",       "x509.subject:"};
    struct err e = ERR_INIT;
    struct signer s;
    (void)state;
    signer_make(&s);
    AUTO_DONE(buf) blob = BUF_INIT(1U << 20);
    forge(&s, &(struct forgery){.no_signature = false}, &blob);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sign_trust trust = the_trust(&s);
        trust.identities = &cases[i].id;
        trust.n_identities = 1;
        assert_fails(judge(buf_bytes(&blob), &trust, &e), cases[i].want);
    }
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
        assert_fails(sign_subject_check(malformed[i], &e), ERR_CONFIG);
    assert_ok(sign_subject_check("CN=a\\, b \\2B c, O=x", &e));
    signer_done(&s);
}

static void types(void **state)
{
    struct err e = ERR_INIT;
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    const struct sign_subject subject = the_subject();
    const struct sign_trust trust = {.now = T0};
    const struct sign_carrier cose = {.media_type = SIGN_NOTATION_COSE,
                                      .artifact_type = SIGN_NOTATION_ARTIFACT};
    (void)state;
    assert_ptr_equal(sign_format_detect(SIGN_NOTATION_COSE, SIGN_NOTATION_ARTIFACT), &sign_notation);
    assert_false(sign_notation.detect(SIGN_NOTATION_JWS, ""));
    assert_false(sign_notation.detect("application/json", SIGN_NOTATION_ARTIFACT));
    assert_ok(sign_notation.judge(&cose, &subject, &trust, &report, &e));
    assert_int_equal(report.checks[0].code, ERR_UNSUPPORTED);
}

static int group_setup(void **state)
{
    (void)state;
    if (!fixture_plugins(plugins))
        return -1;
    plugin_set_folder(plugins);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),     cmocka_unit_test(key_types),
        cmocka_unit_test(other_subjects), cmocka_unit_test(truncated_and_flipped),
        cmocka_unit_test(algorithms),     cmocka_unit_test(es256_with_rsa),
        cmocka_unit_test(critical),       cmocka_unit_test(headers),
        cmocka_unit_test(payloads),       cmocka_unit_test(schemes),
        cmocka_unit_test(certificates),   scratch_test(stamped),
        cmocka_unit_test(identities),     cmocka_unit_test(types),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
