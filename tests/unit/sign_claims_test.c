/* SPDX-License-Identifier: Apache-2.0 */
/* Claims: what is signed verifies, and every token and file that must not. */
#include "tests/unit/sign_fixture.h"

#include "sign/claims.h"
#include "sign/claims_hash.h"

#include <ctype.h>

#define FILE_MAX (1U << 20)
#define FILE_BUF BUF_INIT(FILE_MAX)
#define NOW      1000000

static const char *const tags[] = {"acme/tea"};
static const char *const caps[] = {"wasmcloud:httpserver", "wasmcloud:keyvalue"};
static const struct sign_claims facts = {.name = "tea",
                                         .version = "1.2.3",
                                         .revision = 7,
                                         .tags = tags,
                                         .n_tags = 1,
                                         .capabilities = caps,
                                         .n_capabilities = 2,
                                         .issued_at = NOW,
                                         .not_before = NOW - 10,
                                         .expires_at = NOW + 10};

static int claim(struct bytes file, const struct sign_key *k, const struct sign_key *subject,
                 const struct sign_claims *c, struct buf *out, struct err *e)
{
    struct opener_bytes o;
    struct sink_buf s;
    const struct source_opener from = opener_bytes_init(&o, file);
    const struct sign_file_order order = {.key = k, .subject = subject, .claims = c};
    return sign_claims_jwt.sign(&from, &order, sink_buf_init(&s, out), e);
}

/* How a test differs from one key, now, and nothing asked for. */
struct asked {
    int64_t now;
    const char *pins;
    bool old;
};

static int judge(struct bytes file, const struct sign_key *k, const struct asked *a,
                 struct sign_report *report, struct err *e)
{
    struct sign_key *list[1];
    memcpy(list, &k, sizeof(k));
    const struct sign_trust trust = {.keys = {list, 1},
                                     .now = a && a->now ? a->now : NOW,
                                     .claims = a ? a->pins : NULL,
                                     .old_claims = a && a->old};
    return check_with(file, &trust, report, e);
}

static int verdict(struct bytes file, const struct sign_key *k, const struct asked *a, struct err *e)
{
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    return judge(file, k, a, &report, e);
}

static void nkey(char kind, const struct sign_key *k, char out[SIGN_NKEY_TEXT])
{
    (void)sign_nkey_encode(kind, sign_key_public(k).ptr, out);
}

static void test_signed(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) account = fixture_key(1);
    AUTO(sign_key) module = fixture_key(2);
    AUTO(sign_key) other = fixture_key(3);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    AUTO_DONE(buf) again = FILE_BUF;
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    char issuer[SIGN_NKEY_TEXT], subject[SIGN_NKEY_TEXT], fingerprint[SIGN_FINGERPRINT_MAX];
    nkey('A', account, issuer);
    nkey('M', module, subject);
    put_module(&plain, 1);
    ASSERT_OK(claim(buf_bytes(&plain), account, module, &facts, &file, &e));
    assert_memory_equal(file.ptr, plain.ptr, plain.len);
    assert_int_equal(judge(buf_bytes(&file), account, NULL, &report, &e), 0);
    const struct sign_check *c = &report.checks[0];
    assert_string_equal(c->issuer, issuer);
    assert_string_equal(c->subject, subject);
    assert_string_equal(c->capabilities, "[\"wasmcloud:httpserver\",\"wasmcloud:keyvalue\"]");
    assert_string_equal(c->covers, "sections 0-4");
    assert_string_equal(c->key_id, sign_key_fingerprint(account, fingerprint));
    assert_int_equal(c->revision, 7);
    assert_int_equal(c->expires_at, NOW + 10);
    assert_int_equal(c->signed_at, NOW);
    assert_int_equal(report.n, 2);
    assert_non_null(
        strstr(report.checks[1].text, "no signature covers 1 of 6 sections: 5 (custom wasmcloud_jwt)"));
    /* Not by a key of the ring, whatever the token says. */
    assert_int_equal(verdict(buf_bytes(&file), other, NULL, &e), ERR_UNTRUSTED);
    assert_int_equal(verdict(buf_bytes(&file), module, NULL, &e), ERR_UNTRUSTED);
    /* Signed again: the old claims are gone, the module's key stays, the bytes are the same. */
    ASSERT_OK(claim(buf_bytes(&file), account, NULL, &facts, &again, &e));
    assert_true(bytes_eq(buf_bytes(&again), buf_bytes(&file)));
}

static void test_pins(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) account = fixture_key(1);
    AUTO(sign_key) module = fixture_key(2);
    AUTO(sign_key) other = fixture_key(3);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    char a[SIGN_NKEY_TEXT], m[SIGN_NKEY_TEXT], x[SIGN_NKEY_TEXT], y[SIGN_NKEY_TEXT], pins[256];
    nkey('A', account, a);
    nkey('M', module, m);
    nkey('A', other, x);
    nkey('M', other, y);
    put_module(&plain, 1);
    ASSERT_OK(claim(buf_bytes(&plain), account, module, &facts, &file, &e));
    const struct {
        const char *first, *second;
        int want;
    } cases[] = {
        {a, "", 0},
        {m, "", 0},
        {a, m, 0},
        {x, a, 0},
        {m, y, 0},
        {x, "", ERR_UNTRUSTED},
        {y, "", ERR_UNTRUSTED},
        {a, y, ERR_UNTRUSTED},
        {x, m, ERR_UNTRUSTED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)snprintf(pins, sizeof(pins), "%s %s", cases[i].first, cases[i].second);
        assert_int_equal(verdict(buf_bytes(&file), account, &(struct asked){.pins = pins}, &e),
                         cases[i].want);
    }
}

/* The edges of a token's time: valid from nbf on, until the second before exp. */
static void test_times(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    put_module(&plain, 1);
    ASSERT_OK(claim(buf_bytes(&plain), k, NULL, &facts, &file, &e));
    const struct {
        int64_t now;
        int want;
    } cases[] = {{NOW - 11, ERR_EXPIRED},  {NOW - 10, 0},   {NOW + 9, 0}, {NOW + 10, ERR_EXPIRED},
                 {INT64_MAX, ERR_EXPIRED}, {1, ERR_EXPIRED}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(verdict(buf_bytes(&file), k, &(struct asked){.now = cases[i].now}, &e),
                         cases[i].want);
}

static void test_every_bit(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    put_module(&plain, 1);
    ASSERT_OK(claim(buf_bytes(&plain), k, NULL, &facts, &file, &e));
    for (size_t bit = 0; bit < 8 * file.len; bit++) {
        file.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        int found = verdict(buf_bytes(&file), k, NULL, &e);
        if (found == 0)
            fail_msg("verifies with bit %zu of byte %zu flipped", bit % 8, bit / 8);
        file.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t len = 0; len < file.len; len++) {
        int found = verdict(bytes_of(file.ptr, len), k, NULL, &e);
        if (found != ERR_FORMAT && found != ERR_UNSIGNED)
            fail_msg("cut to %zu of %zu bytes: %s", len, file.len, err_name(found));
    }
    put_custom(&file, "more", BYTES_LIT("x"));
    assert_int_equal(verdict(buf_bytes(&file), k, NULL, &e), ERR_DIGEST);
}

/* A token over `claims`, signed with k, in a section of that name behind the module. */
static void put_token(struct buf *file, const char *section, const char *header, const char *claims,
                      const struct sign_key *k)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) token = FILE_BUF;
    AUTO_DONE(buf) signature = BUF_INIT(64);
    b64_encode(B64_URL, bytes_str(header), &token);
    buf_append_u8(&token, '.');
    b64_encode(B64_URL, bytes_str(claims), &token);
    ASSERT_OK(sign_key_sign(k, buf_bytes(&token), &signature, &e));
    buf_append_u8(&token, '.');
    b64_encode(B64_URL, buf_bytes(&signature), &token);
    put_custom(file, section, buf_bytes(&token));
}

#define HEADER "{\"typ\":\"jwt\",\"alg\":\"Ed25519\"}"

static void module_hash(struct bytes file, char out[65])
{
    struct err e = ERR_INIT;
    struct digest d;
    char hex[DIGEST_STR_MAX];
    ASSERT_OK(hash_bytes(HASH_SHA256, file, &d, &e));
    (void)digest_hex(&d, hex);
    for (size_t i = 0; i < 65; i++)
        out[i] = (char)toupper((unsigned char)hex[i]);
}

/* put_module(1) and a token: "@" in the claims' text stands for issuer, subject and hash, as members. */
static int token_verdict(const char *header, const char *rest, const char *module, const struct asked *a,
                         struct err *e)
{
    AUTO(sign_key) k = fixture_key(1);
    AUTO(sign_key) m = fixture_key(2);
    AUTO_DONE(buf) file = FILE_BUF;
    AUTO_DONE(buf) claims = FILE_BUF;
    char issuer[SIGN_NKEY_TEXT], subject[SIGN_NKEY_TEXT], hash[65];
    nkey('A', k, issuer);
    nkey('M', m, subject);
    put_module(&file, 1);
    module_hash(buf_bytes(&file), hash);
    buf_printf(&claims, "{\"iss\":\"%s\",\"sub\":\"%s\",%s\"wascap\":{\"hash\":\"%s\"%s}}", issuer, subject,
               rest, hash, module);
    put_token(&file, "wasmcloud_jwt", header, buf_cstr(&claims), k);
    return verdict(buf_bytes(&file), k, a, e);
}

#define REV "\"wascap_revision\":3,"

static void test_tokens(void **state)
{
    (void)state;
    static const struct {
        const char *header, *rest, *module;
        int want;
    } cases[] = {
        {HEADER, REV, "", 0},
        {HEADER, REV "\"exp\":1000001,\"nbf\":1000000,\"iat\":5,\"jti\":\"x\",",
         ",\"caps\":[],\"rev\":0,\"prov\":false", 0},
        {"{\"alg\":\"Ed25519\",\"typ\":\"jwt\"}", REV, "", 0},
        /* headers */
        {"{\"typ\":\"jwt\",\"alg\":\"none\"}", REV, "", ERR_FORMAT},
        {"{\"typ\":\"jwt\",\"alg\":\"EdDSA\"}", REV, "", ERR_FORMAT},
        {"{\"typ\":\"jwt\",\"alg\":\"HS256\"}", REV, "", ERR_FORMAT},
        {"{\"typ\":\"JWT\",\"alg\":\"Ed25519\"}", REV, "", ERR_FORMAT},
        {"{\"typ\":\"jwt\"}", REV, "", ERR_FORMAT},
        {"{\"typ\":\"jwt\",\"alg\":\"Ed25519\",\"jwk\":{}}", REV, "", ERR_FORMAT},
        {"{\"typ\":\"jwt\",\"alg\":\"Ed25519\",\"alg\":\"Ed25519\"}", REV, "", ERR_FORMAT},
        {"[]", REV, "", ERR_FORMAT},
        /* times */
        {HEADER, REV "\"exp\":1000000,", "", ERR_EXPIRED},
        {HEADER, REV "\"exp\":0,", "", ERR_EXPIRED},
        {HEADER, REV "\"nbf\":1000001,", "", ERR_EXPIRED},
        {HEADER, REV "\"exp\":1e9,", "", ERR_FORMAT},
        {HEADER, REV "\"exp\":2000000.5,", "", ERR_FORMAT},
        {HEADER, REV "\"exp\":-1,", "", ERR_FORMAT},
        {HEADER, REV "\"exp\":99999999999999999999,", "", ERR_FORMAT},
        {HEADER, REV "\"exp\":\"2000000\",", "", ERR_FORMAT},
        {HEADER, REV "\"nbf\":-5,", "", ERR_FORMAT},
        {HEADER, REV "\"exp\":1000001,\"exp\":2000000,", "", ERR_FORMAT},
        /* revisions */
        {HEADER, "\"wascap_revision\":2,", "", ERR_DIGEST},
        {HEADER, "\"wascap_revision\":0,", "", ERR_DIGEST},
        {HEADER, "", "", ERR_DIGEST},
        {HEADER, "\"wascap_revision\":-3,", "", ERR_FORMAT},
        {HEADER, "\"wascap_revision\":3.0,", "", ERR_FORMAT},
        {HEADER, "\"wascap_revision\":2," REV, "", ERR_FORMAT},
        /* the module */
        {HEADER, REV, ",\"hash\":\"00\"", ERR_FORMAT},
        {HEADER, REV, ",\"caps\":[1]", ERR_FORMAT},
        {HEADER, REV, ",\"caps\":\"all\"", ERR_FORMAT},
        {HEADER, REV, ",\"rev\":2147483648", ERR_FORMAT},
        {HEADER, REV, ",\"rev\":-1", ERR_FORMAT},
        {HEADER, REV "\"iss\":\"x\",", "", ERR_FORMAT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        int got = token_verdict(cases[i].header, cases[i].rest, cases[i].module, NULL, &e);
        if (got != cases[i].want)
            fail_msg("case %zu: %s (%s)", i, err_name(got), e.msg);
    }
}

/* A token of revision 2, where it is asked for: only with the hash of the file as it is. */
static void test_old_revision(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    const struct asked old = {.old = true};
    assert_int_equal(token_verdict(HEADER, "\"wascap_revision\":2,", "", &old, &e), 0);
    assert_int_equal(token_verdict(HEADER, "", "", &old, &e), 0);
    assert_int_equal(token_verdict(HEADER, "\"wascap_revision\":2,\"exp\":5,", "", &old, &e), ERR_EXPIRED);
    /* A stolen token of revision 2 on another module. */
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) file = FILE_BUF;
    AUTO_DONE(buf) claims = FILE_BUF;
    char issuer[SIGN_NKEY_TEXT], subject[SIGN_NKEY_TEXT];
    nkey('A', k, issuer);
    nkey('M', k, subject);
    put_module(&file, 1);
    buf_printf(&claims,
               "{\"iss\":\"%s\",\"sub\":\"%s\",\"wascap_revision\":2,\"wascap\":{\"hash\":\"%064d\"}}",
               issuer, subject, 0);
    put_token(&file, "jwt", HEADER, buf_cstr(&claims), k);
    assert_int_equal(verdict(buf_bytes(&file), k, &old, &e), ERR_DIGEST);
    assert_int_equal(verdict(buf_bytes(&file), k, NULL, &e), ERR_DIGEST);
}

/* The key in the token is not what makes it trusted, and it must be an account's. */
static void test_issuer(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO(sign_key) thief = fixture_key(3);
    char hash[65], subject[SIGN_NKEY_TEXT];
    AUTO_DONE(buf) plain = FILE_BUF;
    put_module(&plain, 1);
    module_hash(buf_bytes(&plain), hash);
    nkey('M', k, subject);
    const struct {
        char kind;
        const struct sign_key *named, *signer;
        int want;
    } cases[] = {
        {'A', k, k, 0},
        {'A', thief, thief, ERR_UNTRUSTED}, /* right in itself */
        {'A', k, thief, ERR_UNTRUSTED},
        {'A', thief, k, ERR_UNTRUSTED},
        {'U', k, k, ERR_FORMAT},
        {'M', k, k, ERR_FORMAT},
        {'O', k, k, ERR_FORMAT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_DONE(buf) file = FILE_BUF;
        AUTO_DONE(buf) claims = FILE_BUF;
        char issuer[SIGN_NKEY_TEXT];
        nkey(cases[i].kind, cases[i].named, issuer);
        put_module(&file, 1);
        buf_printf(&claims, "{\"iss\":\"%s\",\"sub\":\"%s\"," REV "\"wascap\":{\"hash\":\"%s\"}}", issuer,
                   subject, hash);
        put_token(&file, "jwt", HEADER, buf_cstr(&claims), cases[i].signer);
        int got = verdict(buf_bytes(&file), k, NULL, &e);
        if (got != cases[i].want)
            fail_msg("case %zu: %s (%s)", i, err_name(got), e.msg);
    }
}

/* Two sections of claims are refused, whichever is good and wherever it stands. */
static void test_two_sections(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO(sign_key) thief = fixture_key(3);
    AUTO_DONE(buf) plain = FILE_BUF;
    put_module(&plain, 1);
    for (int order = 0; order < 2; order++) {
        AUTO_DONE(buf) file = FILE_BUF;
        AUTO_DONE(buf) good = FILE_BUF;
        ASSERT_OK(claim(buf_bytes(&plain), k, NULL, &facts, &good, &e));
        buf_append_bytes(&file, buf_bytes(&plain));
        if (order == 0)
            put_token(&file, "jwt", HEADER, "{}", thief);
        buf_append(&file, good.ptr + plain.len, good.len - plain.len);
        if (order == 1)
            put_token(&file, "wasmcloud_jwt", HEADER, "{}", thief);
        assert_int_equal(verdict(buf_bytes(&file), k, NULL, &e), ERR_FORMAT);
        assert_non_null(strstr(e.msg, "2 sections with claims"));
    }
}

static void test_malformed_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",       ".",          "..",       "a.b",         "a.b.c.d",       "e30.e30.",
        ".e30.x", "e30=.e30.x", "e30..e30", "e30.e30.e30", "\xff.\xff.\xff"};
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        AUTO_DONE(buf) file = FILE_BUF;
        put_module(&file, 1);
        put_custom(&file, "jwt", bytes_str(texts[i]));
        assert_int_equal(verdict(buf_bytes(&file), k, NULL, &e), ERR_FORMAT);
    }
    AUTO_DONE(buf) large = BUF_INIT(4U << 20);
    AUTO_DONE(buf) token = BUF_INIT(2U << 20);
    while (token.len <= LIMIT_CLAIMS)
        buf_append_str(&token, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    put_module(&large, 1);
    put_custom(&large, "jwt", buf_bytes(&token));
    assert_int_equal(verdict(buf_bytes(&large), k, NULL, &e), ERR_LIMIT);
}

/* Padded lengths and claims in the modules inside do not count for the hash; everything else does. */
static void test_hash(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) inner = FILE_BUF; /* a module with claims of its own, a length padded */
    AUTO_DONE(buf) inner_clean = FILE_BUF;
    AUTO_DONE(buf) middle = FILE_BUF; /* a component around it */
    AUTO_DONE(buf) middle_clean = FILE_BUF;
    AUTO_DONE(buf) outer = FILE_BUF;
    AUTO_DONE(buf) outer_clean = FILE_BUF;
    put_module(&inner_clean, 1);
    buf_append_bytes(&inner, MODULE_HEAD);
    buf_append_bytes(&inner, BYTES_LIT("\1\x84\x80\0\1\x60\0\0"));
    buf_append(&inner, inner_clean.ptr + 14, inner_clean.len - 14);
    put_custom(&inner, "jwt", BYTES_LIT("inside"));
    buf_append_bytes(&middle, COMPONENT_HEAD);
    put_custom(&middle, "wasmcloud_jwt", BYTES_LIT("also"));
    put_section(&middle, 1, buf_bytes(&inner));
    buf_append_bytes(&middle_clean, COMPONENT_HEAD);
    put_section(&middle_clean, 1, buf_bytes(&inner_clean));
    for (int i = 0; i < 2; i++) {
        struct buf *to = i ? &outer_clean : &outer;
        buf_append_bytes(to, COMPONENT_HEAD);
        put_section(to, 4, buf_bytes(i ? &middle_clean : &middle));
        put_section(to, 1, buf_bytes(i ? &inner_clean : &inner));
        put_custom(to, "note", BYTES_LIT("x"));
    }
    put_custom(&outer, "jwt", BYTES_LIT("top"));
    struct opener_bytes o;
    struct digest want, got;
    const struct source_opener from = opener_bytes_init(&o, buf_bytes(&outer));
    AUTO_DONE(sign_scan) scan = SIGN_SCAN_INIT;
    ASSERT_OK(hash_bytes(HASH_SHA256, buf_bytes(&outer_clean), &want, &e));
    ASSERT_OK(sign_scan_run(&from, 0, &scan, &e));
    ASSERT_OK(sign_claims_hash(&scan, false, &got, &e));
    assert_true(digest_eq(&got, &want));
    /* and so claims of a padded file verify, until something inside changes */
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) file = FILE_BUF;
    ASSERT_OK(claim(buf_bytes(&outer), k, NULL, &facts, &file, &e));
    assert_int_equal(verdict(buf_bytes(&file), k, NULL, &e), 0);
    uint8_t *at = memmem(file.ptr, file.len, "note", 4);
    at[4] ^= 1;
    assert_int_equal(verdict(buf_bytes(&file), k, NULL, &e), ERR_DIGEST);
}

static void test_nesting(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) file = FILE_BUF;
    put_module(&file, 1);
    for (unsigned depth = 0; depth <= LIMIT_WASM_NESTING; depth++) {
        AUTO_DONE(buf) next = FILE_BUF;
        AUTO_DONE(buf) out = FILE_BUF;
        buf_append_bytes(&next, COMPONENT_HEAD);
        put_section(&next, depth ? 4 : 1, buf_bytes(&file));
        buf_reset(&file);
        buf_append_bytes(&file, buf_bytes(&next));
        ASSERT_ERR(claim(buf_bytes(&file), k, NULL, &facts, &out, &e),
                   depth < LIMIT_WASM_NESTING ? 0 : ERR_LIMIT);
    }
}

/* With an embedded signature: claims first, then the signature, which covers them. */
static void test_both(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO(sign_key) other = fixture_key(2);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) claimed = FILE_BUF;
    AUTO_DONE(buf) both = FILE_BUF;
    AUTO_DONE(buf) out = FILE_BUF;
    put_module(&plain, 1);
    ASSERT_OK(claim(buf_bytes(&plain), k, NULL, &facts, &claimed, &e));
    ASSERT_OK(embed(buf_bytes(&claimed), other, &both, &e));
    assert_int_equal(verdict(buf_bytes(&both), other, NULL, &e), 0);
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    assert_int_equal(judge(buf_bytes(&both), k, NULL, &report, &e), 0);
    assert_int_equal(report.n,
                     3); /* the embedded one is by nobody given; the claims' own section is uncovered */
    assert_string_equal(report.checks[1].covers, "sections 1-5");
    /* Another section in its place does not pass for the signature. */
    uint8_t *name = memmem(both.ptr, both.len, "signature", 9);
    name[0] = 'S';
    assert_int_equal(verdict(buf_bytes(&both), k, NULL, &e), ERR_DIGEST);
    name[0] = 's';
    ASSERT_ERR(claim(buf_bytes(&both), k, NULL, &facts, &out, &e), ERR_DIGEST);
    assert_int_equal(out.len, 0);
}

static void test_orders(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO(sign_key) p256 = NULL;
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) out = FILE_BUF;
    put_module(&plain, 1);
    ASSERT_OK(sign_key_generate(SIGN_KEY_P256, &p256, &e));
    ASSERT_ERR(claim(buf_bytes(&plain), p256, NULL, &facts, &out, &e), ERR_UNSUPPORTED);
    ASSERT_ERR(claim(buf_bytes(&plain), k, p256, &facts, &out, &e), ERR_UNSUPPORTED);
    struct sign_claims bad = facts;
    bad.expires_at = bad.not_before;
    ASSERT_ERR(claim(buf_bytes(&plain), k, NULL, &bad, &out, &e), ERR_USAGE);
    bad = facts;
    bad.revision = (int64_t)INT32_MAX + 1;
    ASSERT_ERR(claim(buf_bytes(&plain), k, NULL, &bad, &out, &e), ERR_USAGE);
    ASSERT_ERR(claim(BYTES_LIT("no wasm"), k, NULL, &facts, &out, &e), ERR_FORMAT);
    assert_int_equal(out.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signed),         cmocka_unit_test(test_pins),
        cmocka_unit_test(test_times),          cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_tokens),         cmocka_unit_test(test_old_revision),
        cmocka_unit_test(test_issuer),         cmocka_unit_test(test_two_sections),
        cmocka_unit_test(test_malformed_text), cmocka_unit_test(test_hash),
        cmocka_unit_test(test_nesting),        cmocka_unit_test(test_both),
        cmocka_unit_test(test_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
