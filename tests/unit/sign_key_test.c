/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: published vectors, and what libgcrypt must never be given. */
#include "tests/unit/sign_fixture.h"

/* RFC 8032 section 7.1: TEST 1, 2, 3 and TEST SHA(abc). */
static const struct {
    const char *seed, *public_key, *message, *signature;
} rfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
     "d25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
     "387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
     "4a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
     "454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
     "3dca179c138ac17ad9bef1177331a704"},
};

static void test_rfc8032(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rfc8032); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        AUTO_DONE(buf) out = BUF_INIT(64);
        uint8_t seed[32], public_key[32], message[64], signature[64];
        bool good = false;
        struct bytes m = unhex(rfc8032[i].message, message);
        unhex(rfc8032[i].public_key, public_key);
        unhex(rfc8032[i].signature, signature);
        ASSERT_OK(sign_key_new_private(&sign_alg_ed25519, unhex(rfc8032[i].seed, seed), BYTES_NONE, &k, &e));
        assert_true(bytes_eq(sign_key_public(k), BYTES_ARR(public_key)));
        ASSERT_OK(sign_key_sign(k, m, &out, &e));
        assert_true(bytes_eq(buf_bytes(&out), BYTES_ARR(signature)));
        ASSERT_OK(sign_key_verify(k, m, BYTES_ARR(signature), &good, &e));
        assert_true(good);
    }
}

/* RFC 6979 section A.2.5, P-256 with SHA-256, message "sample". */
static void test_rfc6979(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    AUTO_DONE(buf) out = BUF_INIT(128);
    uint8_t x[32], point[65], want[72];
    bool good = false;
    ASSERT_OK(sign_key_new_private(
        &sign_alg_p256, unhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", x),
        unhex("0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628"
              "bc64f2f1b20c2d7e9f5177a3c294d4462299",
              point),
        &k, &e));
    ASSERT_OK(sign_key_sign(k, BYTES_LIT("sample"), &out, &e));
    assert_true(bytes_eq(buf_bytes(&out),
                         unhex("3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                               "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
                               want)));
    ASSERT_OK(sign_key_verify(k, BYTES_LIT("sample"), buf_bytes(&out), &good, &e));
    assert_true(good);
}

/* Every bit of a signature and of the message counts. */
static void check_bits(enum sign_key_type type)
{
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    AUTO_DONE(buf) out = BUF_INIT(128);
    uint8_t message[] = "a message";
    ASSERT_OK(sign_key_generate(type, &k, &e));
    assert_int_equal(sign_key_type(k), type);
    ASSERT_OK(sign_key_sign(k, BYTES_ARR(message), &out, &e));
    for (size_t bit = 0; bit < 8 * (out.len + sizeof(message)); bit++) {
        bool good = true;
        uint8_t *at = bit / 8 < out.len ? out.ptr + bit / 8 : message + bit / 8 - out.len;
        *at ^= (uint8_t)(1U << bit % 8);
        ASSERT_OK(sign_key_verify(k, BYTES_ARR(message), buf_bytes(&out), &good, &e));
        assert_false(good);
        *at ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t len = 0; len < out.len; len++) {
        bool good = true;
        ASSERT_OK(sign_key_verify(k, BYTES_ARR(message), bytes_of(out.ptr, len), &good, &e));
        assert_false(good);
    }
    bool good = true;
    buf_append_u8(&out, 0);
    ASSERT_OK(sign_key_verify(k, BYTES_ARR(message), buf_bytes(&out), &good, &e));
    assert_false(good);
}

static void test_bits(void **state)
{
    (void)state;
    check_bits(SIGN_KEY_ED25519);
    check_bits(SIGN_KEY_P256);
    check_bits(SIGN_KEY_P384);
}

/* S + L is the same number modulo L, and must not be a second signature. */
static void test_ed25519_s_range(void **state)
{
    (void)state;
    static const uint8_t l[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                  0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                  0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(7);
    AUTO_DONE(buf) out = BUF_INIT(64);
    bool good = true;
    ASSERT_OK(sign_key_sign(k, BYTES_LIT("x"), &out, &e));
    unsigned carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)out.ptr[32 + i] + l[i];
        out.ptr[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    ASSERT_OK(sign_key_verify(k, BYTES_LIT("x"), buf_bytes(&out), &good, &e));
    assert_false(good);
}

/* Small order, not reduced, off the curve, and those for which libgcrypt ends the process. */
static void test_ed25519_public(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000", /* order 1 */
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2, y = p-1 */
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* y = p, p+1, 2^255-1 */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000", /* y < 2^192 */
        "ffffffffffffffffffffffffffffffffffffffffffffffff0000000000000080",
        "0300000000000000000000000000000000000000000000000000000000000000",
    };
    struct err e = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t raw[32];
        AUTO(sign_key) k = NULL;
        ASSERT_ERR(sign_key_new_public(&sign_alg_ed25519, unhex(bad[i], raw), &k, &e), ERR_FORMAT);
    }
    /* About half of all numbers are the y of a point, and libgcrypt answers for each of them. */
    unsigned on = 0;
    for (unsigned i = 0; i < 2000; i++) {
        struct digest d;
        AUTO(sign_key) k = NULL;
        bool good = true;
        ASSERT_OK(hash_bytes(HASH_SHA256, bytes_of(&i, sizeof(i)), &d, &e));
        if (sign_key_new_public(&sign_alg_ed25519, bytes_of(d.value, 32), &k, &e))
            continue;
        uint8_t signature[64] = {1};
        ASSERT_OK(sign_key_verify(k, BYTES_LIT("m"), BYTES_ARR(signature), &good, &e));
        assert_false(good);
        on++;
    }
    assert_in_range(on, 800, 1200);
}

static void test_lengths(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    uint8_t raw[66] = {4};
    for (size_t len = 0; len <= sizeof(raw); len++) {
        AUTO(sign_key) k = NULL;
        ASSERT_ERR(sign_key_new_public(&sign_alg_ed25519, bytes_of(raw, len), &k, &e), ERR_FORMAT);
        ASSERT_ERR(sign_key_new_public(&sign_alg_p256, bytes_of(raw, len), &k, &e), ERR_FORMAT);
        if (len != 32)
            ASSERT_ERR(sign_key_new_private(&sign_alg_ed25519, bytes_of(raw, len), BYTES_NONE, &k, &e),
                       ERR_FORMAT);
    }
}

static void test_p256_public(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    AUTO(sign_key) other = NULL;
    uint8_t point[65];
    ASSERT_OK(sign_key_generate(SIGN_KEY_P256, &k, &e));
    memcpy(point, sign_key_public(k).ptr, sizeof(point));
    point[64] ^= 1;
    ASSERT_ERR(sign_key_new_public(&sign_alg_p256, BYTES_ARR(point), &other, &e), ERR_FORMAT);
    point[64] ^= 1;
    static const uint8_t leads[] = {0, 2, 3, 5, 6, 7};
    for (size_t i = 0; i < sizeof(leads); i++) {
        point[0] = leads[i];
        ASSERT_ERR(sign_key_new_public(&sign_alg_p256, BYTES_ARR(point), &other, &e), ERR_UNSUPPORTED);
    }
    memset(point, 0xff, sizeof(point));
    point[0] = 4;
    ASSERT_ERR(sign_key_new_public(&sign_alg_p256, BYTES_ARR(point), &other, &e), ERR_FORMAT);
}

/* 1 to n-1, nothing else. */
static void test_p256_secret(void **state)
{
    (void)state;
    static const struct {
        const char *secret;
        int want;
    } cases[] = {
        {"0000000000000000000000000000000000000000000000000000000000000000", ERR_FORMAT},
        {"0000000000000000000000000000000000000000000000000000000000000001", 0},
        {"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550", 0},
        {"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", ERR_FORMAT},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", ERR_FORMAT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        uint8_t raw[32];
        ASSERT_ERR(sign_key_new_private(&sign_alg_p256, unhex(cases[i].secret, raw), BYTES_NONE, &k, &e),
                   cases[i].want);
    }
}

/* Forms of Ecdsa-Sig-Value that are not DER, or not in range. */
static void test_p256_der(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "3000",
        "3006020101020101ff",     /* trailing byte */
        "300702010102020001",     /* leading zero */
        "30060201ff020101",       /* negative */
        "3006020100020101",       /* r = 0 */
        "3006020101020100",       /* s = 0 */
        "308106020101020101",     /* length not in its shortest form */
        "30800201010201010000",   /* indefinite length */
        "3106020101020101",       /* SET */
        "30060201010201",         /* truncated */
        "3004020002020101",       /* empty INTEGER */
        "3009020101020101020101", /* three of them */
    };
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    ASSERT_OK(sign_key_generate(SIGN_KEY_P256, &k, &e));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        bool good = true;
        uint8_t raw[16];
        ASSERT_OK(sign_key_verify(k, BYTES_LIT("m"), unhex(bad[i], raw), &good, &e));
        assert_false(good);
    }
}

static void test_public_cannot_sign(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO(sign_key) pub = NULL;
    AUTO_DONE(buf) text = BUF_INIT(4096);
    AUTO_DONE(buf) out = BUF_SECRET_INIT(4096);
    ASSERT_OK(sign_key_write_public(k, &text, &e));
    ASSERT_OK(sign_key_parse(buf_bytes(&text), "dir/alice.pub", &pub, &e));
    assert_false(sign_key_is_private(pub));
    ASSERT_ERR(sign_key_sign(pub, BYTES_LIT("m"), &out, &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "dir/alice.pub"));
    ASSERT_ERR(sign_key_write_private(pub, &out, &e), ERR_USAGE);
    assert_int_equal(out.len, 0);
}

static void test_types(void **state)
{
    (void)state;
    assert_string_equal(sign_key_type_name(SIGN_KEY_ED25519), "ed25519");
    assert_string_equal(sign_key_type_name(SIGN_KEY_P256), "p256");
    assert_string_equal(sign_key_type_name(SIGN_KEY_P384), "p384");
    assert_string_equal(sign_key_type_name(SIGN_KEY_RSA), "rsa");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc8032),        cmocka_unit_test(test_rfc6979),
        cmocka_unit_test(test_bits),           cmocka_unit_test(test_ed25519_s_range),
        cmocka_unit_test(test_ed25519_public), cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_p256_public),    cmocka_unit_test(test_p256_secret),
        cmocka_unit_test(test_p256_der),       cmocka_unit_test(test_public_cannot_sign),
        cmocka_unit_test(test_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
