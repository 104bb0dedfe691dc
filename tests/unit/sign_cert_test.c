/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, chains under the rules of each profile, trust stores. */
#include "sign/cert.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/plugin.h"
#include "tests/registry/fixture.h"
#include "tests/unit/sign_cert_fixture.h"

#include <time.h>

static char plugins[PATH_MAX];

/* A root, an intermediate, a leaf; what each test bends is a copy of their recipes. */
struct three {
    struct issued root, middle, leaf;
};

static void three_make(const struct recipe *root, const struct recipe *middle, const struct recipe *leaf,
                       struct three *t)
{
    issue(root, NULL, &t->root);
    issue(middle, &t->root, &t->middle);
    issue(leaf, &t->middle, &t->leaf);
}

static void three_done(struct three *t)
{
    issued_done(&t->leaf);
    issued_done(&t->middle);
    issued_done(&t->root);
}

static void add(struct sign_chain *c, const struct issued *i)
{
    struct err e = ERR_INIT;
    assert_ok(sign_chain_add(c, buf_bytes(&i->der), &e));
}

static struct sign_store *store_of(enum sign_store_kind kind, const struct issued *anchor)
{
    struct err e = ERR_INIT;
    struct sign_store *s = NULL;
    assert_ok(sign_store_new(&s, &e));
    if (anchor)
        assert_ok(sign_store_add(s, kind, "test", buf_bytes(&anchor->der), &e));
    return s;
}

/* The chain of three, the root in the store, at T0. */
static int check_three(const struct three *t, enum sign_cert_profile profile, struct err *e)
{
    AUTO_DONE(sign_chain) c = SIGN_CHAIN_INIT;
    AUTO(sign_store)
    s = store_of(profile == SIGN_PROFILE_TSA         ? SIGN_STORE_TSA
                 : profile == SIGN_PROFILE_AUTHORITY ? SIGN_STORE_AUTHORITY
                                                     : SIGN_STORE_CA,
                 &t->root);
    add(&c, &t->leaf);
    add(&c, &t->middle);
    add(&c, &t->root);
    return sign_cert_chain_check(c.certs, c.n, s, T0, profile, NULL, e);
}

/* One bent recipe; text: part of the message. */
static void expect(const struct recipe *root, const struct recipe *middle, const struct recipe *leaf,
                   enum sign_cert_profile profile, int want, const char *text)
{
    struct err e = ERR_INIT;
    struct three t;
    three_make(root, middle, leaf, &t);
    assert_fails(check_three(&t, profile, &e), want);
    if (want && !strstr(e.msg, text))
        fail_msg("\"%s\" has no \"%s\"", e.msg, text);
    three_done(&t);
}

static void fields(void **state)
{
    struct err e = ERR_INIT;
    struct recipe r = a_leaf;
    struct issued root, leaf;
    AUTO(sign_cert) c = NULL;
    AUTO(sign_key) key = NULL;
    struct digest d;
    (void)state;
    r.uri = "https://ci.example/job";
    r.email = "me@example.com";
    r.exts[0].oid = "1.3.6.1.4.1.57264.1.1";
    r.exts[0].der = BYTES_LIT("https://issuer.example");
    issue(&a_root, NULL, &root);
    issue(&r, &root, &leaf);
    assert_ok(sign_cert_parse(buf_bytes(&leaf.der), &c, &e));
    assert_string_equal(c->subject, "CN=leaf,O=Example,ST=WA,C=US");
    assert_string_equal(c->issuer, "CN=root,O=Example,C=US");
    assert_int_equal(c->n_attrs, 4);
    assert_true(c->not_before == T0 - YEAR && c->not_after == T0 + YEAR);
    assert_int_equal(c->serial.len, 4);
    assert_int_equal(c->key, SIGN_CERT_KEY_EC);
    assert_int_equal(c->key_bits, 256);
    assert_string_equal(c->sig_alg, "ECDSA-SHA256");
    assert_false(c->weak || c->is_ca);
    assert_int_equal(c->path_len, -1);
    assert_int_equal(c->usage, SIGN_USAGE_DIGITAL_SIGNATURE);
    assert_true(sign_cert_has_purpose(c, SIGN_EKU_CODE_SIGNING));
    assert_false(sign_cert_has_purpose(c, SIGN_EKU_ANY));
    assert_int_equal(c->n_sans, 2);
    assert_int_equal(c->sans[0].kind, SIGN_SAN_URI);
    assert_string_equal(c->sans[0].value, "https://ci.example/job");
    assert_int_equal(c->sans[1].kind, SIGN_SAN_EMAIL);
    assert_string_equal(c->sans[1].value, "me@example.com");
    const struct sign_cert_ext *x = sign_cert_ext(c, "1.3.6.1.4.1.57264.1.1");
    assert_true(x && !x->critical && bytes_eq_str(x->value, "https://issuer.example"));
    assert_null(sign_cert_ext(c, "1.3.6.1.4.1.57264.1.2"));
    assert_ok(hash_bytes(HASH_SHA256, buf_bytes(&leaf.der), &d, &e));
    assert_true(digest_eq(&d, &c->fingerprint));
    assert_ok(sign_cert_take_key(c, &key, &e));
    assert_int_equal(sign_key_type(key), SIGN_KEY_P256);
    issued_done(&leaf);
    issued_done(&root);
}

static void damaged(void **state)
{
    struct issued leaf;
    (void)state;
    issue(&a_leaf, NULL, &leaf);
    for (size_t i = 0; i < leaf.der.len; i++) {
        struct err e = ERR_INIT;
        AUTO(sign_cert) c = NULL;
        AUTO(sign_cert) flipped = NULL;
        assert_fails(sign_cert_parse(bytes_of(leaf.der.ptr, i), &c, &e), ERR_FORMAT);
        leaf.der.ptr[i] ^= 0x21;
        int r = sign_cert_parse(buf_bytes(&leaf.der), &flipped, &e);
        leaf.der.ptr[i] ^= 0x21;
        assert_true(r == 0 || r == ERR_FORMAT);
        /* Whatever may be read of it: signed it is not. */
        if (r == 0 && sign_cert_signed_by(flipped, flipped, &e) == 0)
            fail_msg("byte %zu may be changed", i);
    }
    struct err e = ERR_INIT;
    AUTO(sign_cert) c = NULL;
    buf_append_u8(&leaf.der, 0);
    assert_fails(sign_cert_parse(buf_bytes(&leaf.der), &c, &e), ERR_FORMAT);
    AUTO_DONE(buf) big = BUF_INIT(LIMIT_CERT + 1);
    memset(buf_reserve(&big, LIMIT_CERT + 1), '0', LIMIT_CERT + 1);
    big.len = LIMIT_CERT + 1;
    assert_fails(sign_cert_parse(buf_bytes(&big), &c, &e), ERR_LIMIT);
    issued_done(&leaf);
}

static void good_chains(void **state)
{
    struct recipe tsa = a_leaf, plain = a_leaf, both = a_leaf;
    (void)state;
    tsa.purposes[0] = GNUTLS_KP_TIME_STAMPING;
    tsa.purposes_critical = true;
    plain.purposes[0] = NULL;
    both.usage |= GNUTLS_KEY_NON_REPUDIATION;
    expect(&a_root, &a_middle, &a_leaf, SIGN_PROFILE_NOTARY, 0, "");
    expect(&a_root, &a_middle, &a_leaf, SIGN_PROFILE_AUTHORITY, 0, "");
    expect(&a_root, &a_middle, &a_leaf, SIGN_PROFILE_FULCIO, 0, "");
    expect(&a_root, &a_middle, &plain, SIGN_PROFILE_NOTARY, 0, "");
    expect(&a_root, &a_middle, &both, SIGN_PROFILE_NOTARY, 0, "");
    expect(&a_root, &a_middle, &tsa, SIGN_PROFILE_TSA, 0, "");
}

static void other_keys(void **state)
{
    static const struct {
        gnutls_pk_algorithm_t alg;
        unsigned bits;
        gnutls_digest_algorithm_t hash;
        int want;
    } cases[] = {
        {GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA256, 0},
        {GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA512, 0},
        {GNUTLS_PK_RSA, 1024, GNUTLS_DIG_SHA256, ERR_CERT},
        {GNUTLS_PK_RSA_PSS, 2048, GNUTLS_DIG_SHA256, ERR_CERT}, /* the leaf's key would be of no known type */
        {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1), GNUTLS_DIG_SHA384, 0},
        {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1), GNUTLS_DIG_SHA512, 0},
        {GNUTLS_PK_EDDSA_ED25519, 256, GNUTLS_DIG_SHA512, ERR_CERT}, /* not for a leaf of Notary */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct recipe root = a_root, middle = a_middle, leaf = a_leaf;
        root.key = middle.key = leaf.key = cases[i].alg;
        root.bits = middle.bits = leaf.bits = cases[i].bits;
        root.hash = middle.hash = leaf.hash = cases[i].hash;
        expect(&root, &middle, &leaf, SIGN_PROFILE_NOTARY, cases[i].want, "key");
    }
}

/* Ed25519 keys of authorities, an RSA leaf. */
static void mixed_keys(void **state)
{
    struct recipe root = a_root, middle = a_middle, leaf = a_leaf;
    (void)state;
    root.key = middle.key = GNUTLS_PK_EDDSA_ED25519;
    root.bits = middle.bits = 256;
    root.hash = middle.hash = leaf.hash = GNUTLS_DIG_SHA512;
    leaf.key = GNUTLS_PK_RSA;
    expect(&root, &middle, &leaf, SIGN_PROFILE_NOTARY, 0, "");
}

static void expired(void **state)
{
    struct recipe root = a_root, middle = a_middle, leaf = a_leaf;
    (void)state;
    leaf.to = T0 - 1;
    expect(&a_root, &a_middle, &leaf, SIGN_PROFILE_NOTARY, ERR_EXPIRED, "has expired");
    leaf = a_leaf;
    leaf.from = T0 + 1;
    expect(&a_root, &a_middle, &leaf, SIGN_PROFILE_NOTARY, ERR_EXPIRED, "not valid yet");
    middle.to = T0 - DAY;
    expect(&a_root, &middle, &a_leaf, SIGN_PROFILE_NOTARY, ERR_EXPIRED, "CN=middle");
    root.to = T0 - DAY;
    expect(&root, &a_middle, &a_leaf, SIGN_PROFILE_FULCIO, ERR_EXPIRED, "CN=root");
    leaf = a_leaf;
    leaf.from = leaf.to = T0; /* the ends belong to it */
    expect(&a_root, &a_middle, &leaf, SIGN_PROFILE_NOTARY, 0, "");
}

static void bad_authorities(void **state)
{
    struct recipe middle = a_middle, root = a_root;
    (void)state;
    middle.ca = false;
    expect(&a_root, &middle, &a_leaf, SIGN_PROFILE_NOTARY, ERR_CERT, "no authority");
    expect(&a_root, &middle, &a_leaf, SIGN_PROFILE_FULCIO, ERR_CERT, "no authority");
    middle.exts[0].oid = "2.5.29.19"; /* cA TRUE, but not critical */
    middle.exts[0].der = BYTES_LIT("\x30\x03\x01\x01\xff");
    expect(&a_root, &middle, &a_leaf, SIGN_PROFILE_NOTARY, ERR_CERT, "no authority");
    middle.exts[0].critical = true;
    expect(&a_root, &middle, &a_leaf, SIGN_PROFILE_NOTARY, 0, "");
    middle.exts[0].der = BYTES_LIT("\x30\0"); /* cA FALSE */
    expect(&a_root, &middle, &a_leaf, SIGN_PROFILE_NOTARY, ERR_CERT, "no authority");
    root.path_len = 1;
    expect(&root, &a_middle, &a_leaf, SIGN_PROFILE_NOTARY, ERR_CERT, "pathLenConstraint");
    expect(&root, &a_middle, &a_leaf, SIGN_PROFILE_FULCIO, ERR_CERT, "pathLenConstraint");
    root.path_len = 2;
    expect(&root, &a_middle, &a_leaf, SIGN_PROFILE_NOTARY, 0, "");
    middle = a_middle;
    middle.usage = 0;
    expect(&a_root, &middle, &a_leaf, SIGN_PROFILE_NOTARY, ERR_CERT, "keyCertSign");
    middle.usage = GNUTLS_KEY_DIGITAL_SIGNATURE;
    expect(&a_root, &middle, &a_leaf, SIGN_PROFILE_FULCIO, ERR_CERT, "keyCertSign");
    middle = a_middle;
    middle.hash = GNUTLS_DIG_SHA1;
    expect(&a_root, &middle, &a_leaf, SIGN_PROFILE_NOTARY, ERR_CERT, "broken");
    middle =
        a_middle; /* nameConstraints: waybill does not look at names, so it may not use the certificate */
    middle.exts[0].oid = "2.5.29.30";
    middle.exts[0].der = BYTES_LIT("\x30\x0e\xa0\x0c\x30\x0a\x82\x08x.invali");
    middle.exts[0].critical = true;
    expect(&a_root, &middle, &a_leaf, SIGN_PROFILE_NOTARY, ERR_CERT, "2.5.29.30");
}

static void bad_leaves(void **state)
{
    static const struct {
        const char *purposes[2];
        unsigned usage;
        enum sign_cert_profile profile;
        const char *text;
    } cases[] = {
        {{GNUTLS_KP_CODE_SIGNING}, 0, SIGN_PROFILE_NOTARY, "digitalSignature"},
        {{GNUTLS_KP_CODE_SIGNING}, GNUTLS_KEY_KEY_CERT_SIGN, SIGN_PROFILE_NOTARY, "digitalSignature"},
        {{GNUTLS_KP_CODE_SIGNING}, 0xa0, SIGN_PROFILE_NOTARY, "more than to sign"},
        {{GNUTLS_KP_CODE_SIGNING}, 0x84, SIGN_PROFILE_NOTARY, "more than to sign"},
        {{GNUTLS_KP_CODE_SIGNING}, 0x82, SIGN_PROFILE_NOTARY, "more than to sign"},
        {{GNUTLS_KP_TLS_WWW_SERVER}, 0x80, SIGN_PROFILE_NOTARY, "something else"},
        {{GNUTLS_KP_CODE_SIGNING, GNUTLS_KP_TLS_WWW_SERVER}, 0x80, SIGN_PROFILE_NOTARY, "something else"},
        {{GNUTLS_KP_CODE_SIGNING, GNUTLS_KP_ANY}, 0x80, SIGN_PROFILE_NOTARY, "something else"},
        {{GNUTLS_KP_CODE_SIGNING, GNUTLS_KP_TIME_STAMPING}, 0x80, SIGN_PROFILE_NOTARY, "something else"},
        {{"1.2.3.4"}, 0x80, SIGN_PROFILE_NOTARY, "no codeSigning"},
        {{NULL}, 0x80, SIGN_PROFILE_FULCIO, "no codeSigning"},
        {{GNUTLS_KP_TLS_WWW_SERVER}, 0x80, SIGN_PROFILE_FULCIO, "no codeSigning"},
        {{GNUTLS_KP_ANY}, 0x80, SIGN_PROFILE_FULCIO, "no codeSigning"},
        {{GNUTLS_KP_CODE_SIGNING}, 0x80, SIGN_PROFILE_TSA, "timeStamping"},
        {{GNUTLS_KP_TIME_STAMPING}, 0x80, SIGN_PROFILE_TSA, "timeStamping"}, /* not critical */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct recipe leaf = a_leaf;
        leaf.purposes[0] = cases[i].purposes[0];
        leaf.purposes[1] = cases[i].purposes[1];
        leaf.usage = cases[i].usage;
        expect(&a_root, &a_middle, &leaf, cases[i].profile, ERR_CERT, cases[i].text);
    }
    struct recipe leaf = a_leaf;
    leaf.ca = true;
    expect(&a_root, &a_middle, &leaf, SIGN_PROFILE_NOTARY, ERR_CERT, "an authority's");
    leaf = a_leaf;
    leaf.hash = GNUTLS_DIG_SHA1;
    expect(&a_root, &a_middle, &leaf, SIGN_PROFILE_NOTARY, ERR_CERT, "broken");
    leaf = a_leaf;
    leaf.usage = 0; /* there, but not critical */
    leaf.exts[0].oid = "2.5.29.15";
    leaf.exts[0].der = BYTES_LIT("\x03\x02\x07\x80");
    expect(&a_root, &a_middle, &leaf, SIGN_PROFILE_NOTARY, ERR_CERT, "digitalSignature");
    leaf = a_leaf;
    leaf.exts[0].oid = "1.2.3.4.5";
    leaf.exts[0].der = BYTES_LIT("\x05\0");
    expect(&a_root, &a_middle, &leaf, SIGN_PROFILE_NOTARY, 0, "");
    leaf.exts[0].critical = true;
    expect(&a_root, &a_middle, &leaf, SIGN_PROFILE_NOTARY, ERR_CERT, "1.2.3.4.5");
    expect(&a_root, &a_middle, &leaf, SIGN_PROFILE_FULCIO, ERR_CERT, "1.2.3.4.5");
}

/* Two extensions of two OIDs, which become one by a byte of the DER. */
static void duplicate_extension(void **state)
{
    struct err e = ERR_INIT;
    struct recipe r = a_leaf;
    struct issued leaf;
    AUTO(sign_cert) c = NULL;
    (void)state;
    r.exts[0].oid = "1.2.3.4.5";
    r.exts[1].oid = "1.2.3.4.6";
    r.exts[0].der = r.exts[1].der = BYTES_LIT("\x05\0");
    issue(&r, NULL, &leaf);
    uint8_t *at = memmem(leaf.der.ptr, leaf.der.len, "\x06\x04\x2a\x03\x04\x06", 6);
    assert_non_null(at);
    assert_ok(sign_cert_parse(buf_bytes(&leaf.der), &c, &e));
    at[5] = 5;
    sign_cert_free(TAKE(c));
    assert_fails(sign_cert_parse(buf_bytes(&leaf.der), &c, &e), ERR_FORMAT);
    issued_done(&leaf);
}

/* Times as only GnuTLS reads them: a place other than UTC, fractions, no seconds. */
static void odd_times(void **state)
{
    struct err e = ERR_INIT;
    struct issued leaf;
    AUTO(sign_cert) c = NULL;
    (void)state;
    issue(&a_leaf, NULL, &leaf);
    uint8_t *at = memmem(leaf.der.ptr, leaf.der.len,
                         "\x17\x0d"
                         "250101000000Z",
                         15);
    assert_non_null(at);
    static const char *const odd[] = {"25010100000Z ", "2501010000.5Z", "25010100+0000", "25130100 000Z",
                                      "251301000000Z", "250132000000Z", "250101250000Z", "25010100000\0Z"};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        memcpy(at + 2, odd[i], 13);
        assert_fails(sign_cert_parse(buf_bytes(&leaf.der), &c, &e), ERR_FORMAT);
    }
    issued_done(&leaf);
}

static void order(void **state)
{
    struct err e = ERR_INIT;
    struct three t;
    struct issued stray;
    (void)state;
    three_make(&a_root, &a_middle, &a_leaf, &t);
    issue(&a_root, NULL, &stray);
    const struct issued *const wrong[][4] = {
        {&t.leaf, &t.root, &t.middle, NULL},      {&t.middle, &t.leaf, &t.root, NULL},
        {&t.root, &t.middle, &t.leaf, NULL},      {&t.leaf, &t.root, NULL, NULL},
        {&t.leaf, &t.middle, NULL, NULL},         {&t.leaf, NULL, NULL, NULL},
        {&t.leaf, &t.middle, &t.root, &t.root},   {&t.leaf, &t.middle, &t.root, &stray},
        {&t.leaf, &t.middle, &stray, &t.root},    {&t.leaf, &t.leaf, &t.middle, &t.root},
        {&t.leaf, &t.middle, &t.middle, &t.root},
    };
    AUTO(sign_store) s = store_of(SIGN_STORE_CA, &t.root);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        AUTO_DONE(sign_chain) c = SIGN_CHAIN_INIT;
        for (size_t k = 0; k < 4 && wrong[i][k]; k++)
            add(&c, wrong[i][k]);
        assert_fails(sign_cert_chain_check(c.certs, c.n, s, T0, SIGN_PROFILE_NOTARY, NULL, &e), ERR_CERT);
    }
    assert_fails(sign_cert_chain_check(NULL, 0, s, T0, SIGN_PROFILE_NOTARY, NULL, &e), ERR_CERT);
    issued_done(&stray);
    three_done(&t);
}

/* A root that only has the name of the one in the store. */
static void name_only(void **state)
{
    struct err e = ERR_INIT;
    struct three real, fake;
    (void)state;
    three_make(&a_root, &a_middle, &a_leaf, &real);
    three_make(&a_root, &a_middle, &a_leaf, &fake);
    AUTO(sign_store) s = store_of(SIGN_STORE_CA, &real.root);
    AUTO_DONE(sign_chain) whole = SIGN_CHAIN_INIT;
    AUTO_DONE(sign_chain) cut = SIGN_CHAIN_INIT;
    AUTO_DONE(sign_chain) grafted = SIGN_CHAIN_INIT;
    add(&whole, &fake.leaf);
    add(&whole, &fake.middle);
    add(&cut, &fake.leaf);
    add(&cut, &fake.middle);
    add(&whole, &fake.root);
    add(&grafted, &fake.leaf);
    add(&grafted, &fake.middle);
    add(&grafted, &real.root);
    static const enum sign_cert_profile profiles[] = {SIGN_PROFILE_NOTARY, SIGN_PROFILE_FULCIO};
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        assert_fails(sign_cert_chain_check(whole.certs, whole.n, s, T0, profiles[i], NULL, &e), ERR_CERT);
        assert_fails(sign_cert_chain_check(cut.certs, cut.n, s, T0, profiles[i], NULL, &e), ERR_CERT);
        assert_fails(sign_cert_chain_check(grafted.certs, grafted.n, s, T0, profiles[i], NULL, &e), ERR_CERT);
    }
    three_done(&fake);
    three_done(&real);
}

static void anchors(void **state)
{
    struct err e = ERR_INIT;
    struct three t;
    const struct sign_anchor *found = NULL;
    (void)state;
    three_make(&a_root, &a_middle, &a_leaf, &t);
    AUTO_DONE(sign_chain) whole = SIGN_CHAIN_INIT;
    AUTO_DONE(sign_chain) cut = SIGN_CHAIN_INIT;
    AUTO(sign_store) s = store_of(SIGN_STORE_CA, &t.middle);
    AUTO(sign_store) wrong_kind = store_of(SIGN_STORE_AUTHORITY, &t.root);
    AUTO(sign_store) empty = store_of(SIGN_STORE_CA, NULL);
    add(&whole, &t.leaf);
    add(&whole, &t.middle);
    add(&whole, &t.root);
    add(&cut, &t.leaf);
    /* an intermediate in the store is enough; Notary wants the chain whole all the same */
    assert_ok(sign_cert_chain_check(whole.certs, 3, s, T0, SIGN_PROFILE_NOTARY, &found, &e));
    assert_ptr_equal(found, sign_store_at(s, 0));
    assert_string_equal(found->name, "test");
    assert_ok(sign_cert_chain_check(cut.certs, 1, s, T0, SIGN_PROFILE_FULCIO, NULL, &e));
    assert_fails(sign_cert_chain_check(cut.certs, 1, s, T0, SIGN_PROFILE_NOTARY, NULL, &e), ERR_CERT);
    assert_fails(sign_cert_chain_check(whole.certs, 3, wrong_kind, T0, SIGN_PROFILE_NOTARY, NULL, &e),
                 ERR_CERT);
    assert_ok(sign_cert_chain_check(whole.certs, 3, wrong_kind, T0, SIGN_PROFILE_AUTHORITY, NULL, &e));
    assert_fails(sign_cert_chain_check(whole.certs, 3, empty, T0, SIGN_PROFILE_NOTARY, NULL, &e), ERR_CERT);
    /* a leaf is no anchor */
    assert_fails(sign_store_add(empty, SIGN_STORE_CA, "x", buf_bytes(&t.leaf.der), &e), ERR_CERT);
    assert_int_equal(sign_store_len(empty), 0);
    three_done(&t);
}

static void self_signed(void **state)
{
    struct err e = ERR_INIT;
    struct issued one, other;
    struct recipe ca = a_leaf;
    (void)state;
    issue(&a_leaf, NULL, &one);
    issue(&a_leaf, NULL, &other);
    AUTO_DONE(sign_chain) c = SIGN_CHAIN_INIT;
    AUTO(sign_store) s = store_of(SIGN_STORE_CA, &one);
    AUTO(sign_store) foreign = store_of(SIGN_STORE_CA, &other);
    add(&c, &one);
    assert_ok(sign_cert_chain_check(c.certs, 1, s, T0, SIGN_PROFILE_NOTARY, NULL, &e));
    assert_fails(sign_cert_chain_check(c.certs, 1, s, T0 + 2 * YEAR, SIGN_PROFILE_NOTARY, NULL, &e),
                 ERR_EXPIRED);
    assert_fails(sign_cert_chain_check(c.certs, 1, foreign, T0, SIGN_PROFILE_NOTARY, NULL, &e), ERR_CERT);
    issued_done(&other);
    ca.ca = true; /* an authority's is no signer's, though the store has it */
    ca.usage |= GNUTLS_KEY_KEY_CERT_SIGN;
    issue(&ca, NULL, &other);
    AUTO_DONE(sign_chain) root = SIGN_CHAIN_INIT;
    AUTO(sign_store) roots = store_of(SIGN_STORE_CA, &other);
    add(&root, &other);
    assert_fails(sign_cert_chain_check(root.certs, 1, roots, T0, SIGN_PROFILE_NOTARY, NULL, &e), ERR_CERT);
    issued_done(&other);
    issued_done(&one);
}

static void pem(void **state)
{
    struct err e = ERR_INIT;
    struct three t;
    AUTO_DONE(buf) text = BUF_INIT(1U << 20);
    AUTO_DONE(sign_chain) c = SIGN_CHAIN_INIT;
    AUTO(sign_store) s = store_of(SIGN_STORE_CA, NULL);
    (void)state;
    three_make(&a_root, &a_middle, &a_leaf, &t);
    buf_append_str(&text, "Certificate:\n    Data:\n");
    issued_pem(&t.middle, &text);
    buf_append_str(&text, "\nsomething between\n");
    issued_pem(&t.root, &text);
    assert_ok(sign_chain_add_pem(&c, buf_bytes(&text), &e));
    assert_int_equal(c.n, 2);
    assert_string_equal(c.certs[1]->subject, a_root.subject);
    assert_ok(sign_store_add(s, SIGN_STORE_CA, "acme", buf_bytes(&text), &e));
    assert_int_equal(sign_store_len(s), 2);
    issued_pem(&t.leaf, &text); /* all or none */
    assert_fails(sign_store_add(s, SIGN_STORE_CA, "acme", buf_bytes(&text), &e), ERR_CERT);
    assert_int_equal(sign_store_len(s), 2);
    issued_key(&t.leaf, &text);
    assert_fails(sign_chain_add_pem(&c, buf_bytes(&text), &e), ERR_FORMAT);
    assert_fails(sign_chain_add_pem(&c, BYTES_LIT(""), &e), ERR_FORMAT);
    assert_fails(sign_chain_add_pem(&c, BYTES_LIT("no block\n"), &e), ERR_FORMAT);
    assert_fails(sign_chain_add_pem(&c, BYTES_LIT("-----BEGIN CERTIFICATE-----\nMAA="), &e), ERR_FORMAT);
    assert_fails(sign_chain_add_pem(
                     &c, BYTES_LIT("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), &e),
                 ERR_FORMAT);
    three_done(&t);
    AUTO_DONE(sign_chain) many = SIGN_CHAIN_INIT;
    struct issued one;
    issue(&a_root, NULL, &one);
    for (size_t i = 0; i < LIMIT_CERTS; i++)
        add(&many, &one);
    assert_fails(sign_chain_add(&many, buf_bytes(&one.der), &e), ERR_LIMIT);
    issued_done(&one);
}

static int stamp(const struct scratch *s, const char *file, struct bytes message,
                 const struct sign_store *store, int64_t *ret, struct err *e)
{
    AUTO_DONE(buf) token = BUF_INIT(LIMIT_TIMESTAMP);
    struct err own = ERR_INIT;
    if (file_read(s->fd, file, true, &token, &own) != 0)
        fail_msg("%s", own.msg);
    return sign_cert_timestamp(buf_bytes(&token), message, store, ret, e);
}

static void timestamps(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct issued other;
    AUTO_DONE(buf) root = BUF_INIT(LIMIT_CERT);
    AUTO_DONE(buf) tsa = BUF_INIT(LIMIT_CERT);
    AUTO_DONE(buf) token = BUF_INIT(LIMIT_TIMESTAMP);
    int64_t at = 0, now = (int64_t)time(NULL);
    if (access("/usr/bin/openssl", X_OK) != 0)
        skip_because("no openssl");
    assert_true(shell(s, tsa_make()));
    assert_true(shell(s, tsa_stamps()));
    assert_ok(file_read(s->fd, "root.crt", true, &root, &e));
    assert_ok(file_read(s->fd, "tsa.crt", true, &tsa, &e));
    issue(&a_root, NULL, &other);
    AUTO(sign_store) good = store_of(SIGN_STORE_TSA, NULL);
    AUTO(sign_store) for_code = store_of(SIGN_STORE_CA, NULL);
    AUTO(sign_store) foreign = store_of(SIGN_STORE_TSA, &other);
    AUTO(sign_store) leaf = store_of(SIGN_STORE_TSA, NULL);
    assert_ok(sign_store_add(good, SIGN_STORE_TSA, "clock", buf_bytes(&root), &e));
    assert_ok(sign_store_add(for_code, SIGN_STORE_CA, "clock", buf_bytes(&root), &e));
    assert_ok(sign_store_add(leaf, SIGN_STORE_TSA, "clock", buf_bytes(&tsa), &e));
    AUTO_DONE(buf) other_tsa = BUF_INIT(LIMIT_CERT);
    AUTO(sign_store) twin = store_of(SIGN_STORE_TSA, NULL);
    assert_ok(file_read(s->fd, "twin.crt", true, &other_tsa, &e));
    assert_ok(sign_store_add(twin, SIGN_STORE_TSA, "clock", buf_bytes(&other_tsa), &e));
    assert_ok(stamp(s, "token", BYTES_LIT("message"), good, &at, &e));
    assert_true(at >= now - 60 && at <= now + 60);
    assert_fails(stamp(s, "token", BYTES_LIT("messagf"), good, &at, &e), ERR_DIGEST);
    assert_fails(stamp(s, "token", BYTES_LIT("message"), for_code, &at, &e), ERR_CERT);
    assert_fails(stamp(s, "token", BYTES_LIT("message"), foreign, &at, &e), ERR_CERT);
    assert_fails(stamp(s, "sha1", BYTES_LIT("message"), good, &at, &e), ERR_UNSUPPORTED);
    assert_fails(stamp(s, "weak", BYTES_LIT("message"), good, &at, &e), ERR_CERT);
    /* without certificates in it: the signer's is in the store, or it is nowhere */
    assert_fails(stamp(s, "bare", BYTES_LIT("message"), good, &at, &e), ERR_CERT);
    assert_ok(stamp(s, "bare", BYTES_LIT("message"), leaf, &at, &e));
    /* a certificate with the same name, serial and key is not the one that was meant */
    assert_fails(stamp(s, "bare", BYTES_LIT("message"), twin, &at, &e), ERR_CERT);
    assert_ok(stamp(s, "old", BYTES_LIT("message"), good, &at, &e));
    assert_ok(
        stamp(s, "token", BYTES_LIT("message"), good, &at, &e)); /* the old one may be of another second */
    assert_ok(file_read(s->fd, "token", true, &token, &e));
    for (size_t i = 0; i < token.len; i++) {
        int64_t then = 0;
        assert_true(sign_cert_timestamp(bytes_of(token.ptr, i), BYTES_LIT("message"), good, &then, &e) != 0);
        token.ptr[i] ^= 0x11;
        if (sign_cert_timestamp(buf_bytes(&token), BYTES_LIT("message"), good, &then, &e) == 0 && then != at)
            fail_msg("byte %zu may be changed: another time", i);
        token.ptr[i] ^= 0x11;
    }
    issued_done(&other);
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
        cmocka_unit_test(fields),
        cmocka_unit_test(damaged),
        cmocka_unit_test(good_chains),
        cmocka_unit_test(other_keys),
        cmocka_unit_test(mixed_keys),
        cmocka_unit_test(expired),
        cmocka_unit_test(bad_authorities),
        cmocka_unit_test(bad_leaves),
        cmocka_unit_test(duplicate_extension),
        cmocka_unit_test(odd_times),
        cmocka_unit_test(order),
        cmocka_unit_test(name_only),
        cmocka_unit_test(anchors),
        cmocka_unit_test(self_signed),
        cmocka_unit_test(pem),
        scratch_test(timestamps),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
