/* SPDX-License-Identifier: Apache-2.0 */
/* Every way a key can sign: published vectors, each bit of each form, and the RSA keys that are not taken. */
#include "tests/unit/sign_fixture.h"

#include "base/limits.h"
#include "sign/der.h"
#include "sign/gcry.h"

/* RFC 6979 sections A.2.5 and A.2.6, message "sample". */
#define P256_X "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
#define P384_X                                                         \
    "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8" \
    "96d5724e4c70a825f872c9ea60d2edf5"
#define P384_POINT                                                                                           \
    "04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64"                                     \
    "def8f0ea9055866064a254515480bc138015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b23" \
    "1c3ae0d4fe7344fd2533264720"

static const struct {
    const struct sign_alg *alg;
    enum hash_alg hash;
    const char *secret, *signature;
} rfc6979[] = {
    {&sign_alg_p256, HASH_SHA256, P256_X,
     "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
     "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
    {&sign_alg_p256, HASH_SHA384, P256_X,
     "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719"
     "4861f0491e6998b9455193e34e7b0d284ddd7149a74b95b9261f13abde940954"},
    {&sign_alg_p256, HASH_SHA512, P256_X,
     "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00"
     "2362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe"},
    {&sign_alg_p384, HASH_SHA256, P384_X,
     "21b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33bde1e888e63355d92fa2b3c36d8fb2cd"
     "f3aa443fb107745bf4bd77cb3891674632068a10ca67e3d45db2266fa7d1feebefdc63eccd1ac42ec0cb8668a4fa0ab0"},
    {&sign_alg_p384, HASH_SHA384, P384_X,
     "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46"
     "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"},
    {&sign_alg_p384, HASH_SHA512, P384_X,
     "ed0959d5880ab2d869ae7f6c2915c6d60f96507f9cb3e047c0046861da4a799cfe30f35cc900056d7c99cd7882433709"
     "512c8cceee3890a84058ce1e22dbc2198f42323ce8aca9135329f03c068e5112dc7cc3ef3446defceb01a45c2667fdd5"},
};

static void test_rfc6979(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rfc6979); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        AUTO_DONE(buf) raw = BUF_INIT(96);
        AUTO_DONE(buf) der = BUF_INIT(128);
        uint8_t secret[48], want[96];
        const struct sign_scheme as_raw = {SIGN_MODE_ECDSA_RAW, rfc6979[i].hash},
                                 as_der = {SIGN_MODE_ECDSA_DER, rfc6979[i].hash};
        bool good = false;
        ASSERT_OK(sign_key_new_private(rfc6979[i].alg, unhex(rfc6979[i].secret, secret), BYTES_NONE, &k, &e));
        ASSERT_OK(sign_key_sign_as(k, as_raw, BYTES_LIT("sample"), &raw, &e));
        assert_true(bytes_eq(buf_bytes(&raw), unhex(rfc6979[i].signature, want)));
        ASSERT_OK(sign_key_verify_as(k, as_raw, BYTES_LIT("sample"), buf_bytes(&raw), &good, &e));
        assert_true(good);
        ASSERT_OK(sign_key_sign_as(k, as_der, BYTES_LIT("sample"), &der, &e));
        ASSERT_OK(sign_key_verify_as(k, as_der, BYTES_LIT("sample"), buf_bytes(&der), &good, &e));
        assert_true(good);
        ASSERT_OK(sign_key_verify_as(k, as_der, BYTES_LIT("sample"), buf_bytes(&raw), &good, &e));
        assert_false(good);
        ASSERT_OK(sign_key_verify_as(k, as_raw, BYTES_LIT("sample"), buf_bytes(&der), &good, &e));
        assert_false(good);
    }
}

static void test_p384_public(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    AUTO(sign_key) other = NULL;
    uint8_t secret[48], point[97];
    ASSERT_OK(sign_key_new_private(&sign_alg_p384, unhex(P384_X, secret), unhex(P384_POINT, point), &k, &e));
    assert_int_equal(sign_key_bits(k), 384);
    point[96] ^= 1;
    ASSERT_ERR(sign_key_new_public(&sign_alg_p384, BYTES_ARR(point), &other, &e), ERR_FORMAT);
    point[96] ^= 1;
    static const uint8_t leads[] = {0, 2, 3, 5, 6, 7};
    for (size_t i = 0; i < sizeof(leads); i++) {
        point[0] = leads[i];
        ASSERT_ERR(sign_key_new_public(&sign_alg_p384, BYTES_ARR(point), &other, &e), ERR_UNSUPPORTED);
    }
    point[0] = 2;
    ASSERT_ERR(sign_key_new_public(&sign_alg_p384, bytes_of(point, 49), &other, &e), ERR_UNSUPPORTED);
    ASSERT_ERR(sign_key_new_public(&sign_alg_p256, bytes_of(point, 65), &other, &e), ERR_UNSUPPORTED);
    ASSERT_ERR(sign_key_new_public(&sign_alg_p384, bytes_of("", 1), &other, &e), ERR_FORMAT);
}

/* RFC 8032 section 7.3. */
static void test_ed25519ph(void **state)
{
    (void)state;
    static const struct sign_scheme ph = {SIGN_MODE_ED25519PH, HASH_SHA512};
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    AUTO_DONE(buf) out = BUF_INIT(64);
    uint8_t seed[32], public_key[32], want[64];
    bool good = false;
    ASSERT_OK(sign_key_new_private(
        &sign_alg_ed25519, unhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42", seed),
        unhex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", public_key), &k, &e));
    ASSERT_OK(sign_key_sign_as(k, ph, BYTES_LIT("abc"), &out, &e));
    assert_true(
        bytes_eq(buf_bytes(&out), unhex("98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
                                        "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
                                        want)));
    ASSERT_OK(sign_key_verify_as(k, ph, BYTES_LIT("abc"), buf_bytes(&out), &good, &e));
    assert_true(good);
    ASSERT_OK(sign_key_verify(k, BYTES_LIT("abc"), buf_bytes(&out), &good, &e));
    assert_false(good);
}

static struct sign_key *rsa(void)
{
    struct err e = ERR_INIT;
    struct sign_key *k = NULL;
    ASSERT_OK(sign_key_generate_rsa(2048, &k, &e));
    return k;
}

/* No other scheme than the one that made it takes a signature. */
static void test_schemes_do_not_mix(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct sign_key *keys[4] = {fixture_key(1), NULL, NULL, rsa()};
    unsigned known = 0;
    ASSERT_OK(sign_key_generate(SIGN_KEY_P256, &keys[1], &e));
    ASSERT_OK(sign_key_generate(SIGN_KEY_P384, &keys[2], &e));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        for (unsigned made = 0; made < 18; made++) {
            const struct sign_scheme s = {(enum sign_mode)(made / 3), (enum hash_alg)(made % 3)};
            AUTO_DONE(buf) sig = BUF_INIT(1024);
            int r = sign_key_sign_as(keys[i], s, BYTES_LIT("m"), &sig, &e);
            if (r) {
                assert_int_equal(r, ERR_UNSUPPORTED);
                continue;
            }
            known++;
            for (unsigned read = 0; read < 18; read++) {
                const struct sign_scheme t = {(enum sign_mode)(read / 3), (enum hash_alg)(read % 3)};
                bool same = s.mode == t.mode && (s.hash == t.hash || s.mode <= SIGN_MODE_ED25519PH);
                bool good = !same;
                ASSERT_OK(sign_key_verify_as(keys[i], t, BYTES_LIT("m"), buf_bytes(&sig), &good, &e));
                assert_int_equal(good, same);
            }
        }
    assert_int_equal(known, 24);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        sign_key_free(keys[i]);
}

static bool right(const struct sign_key *k, struct sign_scheme s, struct bytes sig)
{
    struct err e = ERR_INIT;
    bool good = true;
    ASSERT_OK(sign_key_verify_as(k, s, BYTES_LIT("a message"), sig, &good, &e));
    return good;
}

/* Every bit counts, every length but the right one is wrong, and s + n is no second signature. */
static void check_rsa(const struct sign_key *k, struct sign_scheme s)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) sig = BUF_INIT(512);
    ASSERT_OK(sign_key_sign_as(k, s, BYTES_LIT("a message"), &sig, &e));
    assert_int_equal(sig.len, 256);
    assert_true(right(k, s, buf_bytes(&sig)));
    for (size_t bit = 0; bit < 8 * sig.len; bit += 3) {
        sig.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(right(k, s, buf_bytes(&sig)));
        sig.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t len = 0; len < sig.len; len++)
        assert_false(right(k, s, bytes_of(sig.ptr, len)));
    uint8_t longer[257] = {0};
    memcpy(longer + 1, sig.ptr, 256);
    assert_false(right(k, s, BYTES_ARR(longer)));
    struct bytes pub = sign_key_public(k), seq, n;
    assert_true(sign_der_take(&pub, DER_SEQUENCE, &seq) && sign_der_take_uint(&seq, &n) && n.len == 256);
    unsigned carry = 0;
    for (size_t i = 256; i-- > 0;) {
        carry += (unsigned)sig.ptr[i] + n.ptr[i];
        longer[i + 1] = (uint8_t)carry;
        carry >>= 8;
    }
    longer[0] = (uint8_t)carry;
    assert_false(right(k, s, BYTES_ARR(longer)));
    assert_false(right(k, s, bytes_of(longer + 1, 256)));
    assert_false(right(k, s, n));
    memset(longer, 0, sizeof(longer));
    assert_false(right(k, s, bytes_of(longer, 256)));
    longer[255] = 1;
    assert_false(right(k, s, bytes_of(longer, 256)));
    memset(longer, 0xff, sizeof(longer));
    assert_false(right(k, s, bytes_of(longer, 256)));
}

static void test_rsa(void **state)
{
    (void)state;
    AUTO(sign_key) k = rsa();
    assert_int_equal(sign_key_bits(k), 2048);
    assert_int_equal(sign_key_type(k), SIGN_KEY_RSA);
    check_rsa(k, (struct sign_scheme){SIGN_MODE_RSA_PKCS1, HASH_SHA256});
    check_rsa(k, (struct sign_scheme){SIGN_MODE_RSA_PSS, HASH_SHA384});
}

/* PKCS#1 is deterministic, PSS is not. */
static void test_rsa_salt(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = rsa();
    AUTO_DONE(buf) a = BUF_INIT(512);
    AUTO_DONE(buf) b = BUF_INIT(512);
    static const struct sign_scheme pss = {SIGN_MODE_RSA_PSS, HASH_SHA256};
    ASSERT_OK(sign_key_sign(k, BYTES_LIT("m"), &a, &e));
    ASSERT_OK(sign_key_sign(k, BYTES_LIT("m"), &b, &e));
    assert_true(bytes_eq(buf_bytes(&a), buf_bytes(&b)));
    buf_reset(&a);
    buf_reset(&b);
    ASSERT_OK(sign_key_sign_as(k, pss, BYTES_LIT("m"), &a, &e));
    ASSERT_OK(sign_key_sign_as(k, pss, BYTES_LIT("m"), &b, &e));
    assert_false(bytes_eq(buf_bytes(&a), buf_bytes(&b)));
}

/* The same RSAPrivateKey with its primes, and what goes with each, changed over. */
static struct sign_key *changed_over(const struct sign_key *k)
{
    static const size_t order[] = {0, 1, 2, 3, 5, 4, 7, 6}; /* version n e d p q dp dq, in RFC 8017 A.1.2 */
    struct err e = ERR_INIT;
    struct bytes der = sign_key_secret(k), seq, number[9];
    struct sign_key *other = NULL;
    AUTO(gcry_mpi) p = NULL;
    AUTO(gcry_mpi) q = NULL;
    AUTO(gcry_mpi) inverse = gcry_mpi_new(0);
    AUTO_DONE(buf) body = BUF_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) whole = BUF_INIT(LIMIT_KEY_FILE);
    uint8_t digits[512];
    size_t n = 0;
    assert_true(sign_der_take(&der, DER_SEQUENCE, &seq));
    for (size_t i = 0; i < ARRAY_LEN(number); i++)
        assert_true(sign_der_take_uint(&seq, &number[i]));
    assert_int_equal(gcry_mpi_scan(&p, GCRYMPI_FMT_USG, number[4].ptr, number[4].len, NULL), 0);
    assert_int_equal(gcry_mpi_scan(&q, GCRYMPI_FMT_USG, number[5].ptr, number[5].len, NULL), 0);
    assert_true(gcry_mpi_invm(inverse, p, q));
    assert_int_equal(gcry_mpi_print(GCRYMPI_FMT_USG, digits, sizeof(digits), &n, inverse), 0);
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        sign_der_put_uint(&body, number[order[i]]);
    sign_der_put_uint(&body, bytes_of(digits, n));
    sign_der_put(&whole, DER_SEQUENCE, buf_bytes(&body));
    ASSERT_OK(sign_key_new_private(&sign_alg_rsa, buf_bytes(&whole), BYTES_NONE, &other, &e));
    return other;
}

static bool primes_apart(const struct sign_key *k)
{
    struct bytes der = sign_key_secret(k), seq, number[6];
    assert_true(sign_der_take(&der, DER_SEQUENCE, &seq));
    for (size_t i = 0; i < ARRAY_LEN(number); i++)
        assert_true(sign_der_take_uint(&seq, &number[i]));
    return abs(number[4].ptr[0] - number[5].ptr[0]) >= 0x20;
}

/* Whichever prime of the file is the greater: where they are this far apart, a wrong order spoils about one
 * signature of a hundred. One key of four is such a key. */
static void test_rsa_prime_order(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) one = rsa();
    for (size_t i = 0; i < 200 && !primes_apart(one); i++) {
        sign_key_free(one);
        one = rsa();
    }
    AUTO(sign_key) two = changed_over(one);
    const struct sign_key *const both[] = {one, two};
    for (size_t i = 0; i < 1000; i++) {
        AUTO_DONE(buf) out = BUF_INIT(512);
        ASSERT_OK(sign_key_sign(both[i % 2], bytes_of(&i, sizeof(i)), &out, &e));
        bool good = false;
        ASSERT_OK(sign_key_verify(one, bytes_of(&i, sizeof(i)), buf_bytes(&out), &good, &e));
        assert_true(good);
    }
}

/* RSAPublicKey of a modulus of so many bits: ones, and an end. */
static void put_rsa(struct buf *out, size_t bits, uint8_t end, struct bytes exponent)
{
    AUTO_DONE(buf) seq = BUF_INIT(LIMIT_KEY_FILE);
    uint8_t n[1100];
    size_t len = (bits + 7) / 8;
    memset(n, 0xff, sizeof(n));
    n[0] = (uint8_t)(0xff >> (8 * len - bits));
    n[len - 1] = end;
    sign_der_put_uint(&seq, bytes_of(n, len));
    sign_der_put_uint(&seq, exponent);
    sign_der_put(out, DER_SEQUENCE, buf_bytes(&seq));
}

static void test_rsa_public(void **state)
{
    (void)state;
    static const uint8_t wide[33] = {1, [32] = 1};
    const struct {
        size_t bits;
        uint8_t end;
        struct bytes exponent;
        int want;
    } cases[] = {
        {2048, 0xff, BYTES_LIT("\1\0\1"), 0},
        {2049, 0xff, BYTES_LIT("\1\0\1"), 0},
        {8192, 0xff, BYTES_LIT("\1\0\1"), 0},
        {2048, 0xff, BYTES_LIT("\1\0\0\0\1"), 0},
        {2048, 0xff, bytes_of(wide + 1, 32), ERR_UNSUPPORTED}, /* e = 1 */
        {2048, 0xff, bytes_of(wide, 33), ERR_UNSUPPORTED},     /* 2^256 + 1 */
        {2048, 0xff, BYTES_LIT("\3"), ERR_UNSUPPORTED},
        {2048, 0xff, BYTES_LIT("\xff\xff"), ERR_UNSUPPORTED},
        {2048, 0xff, BYTES_LIT("\1\0\0"), ERR_UNSUPPORTED}, /* even */
        {2048, 0xff, BYTES_NONE, ERR_UNSUPPORTED},
        {2048, 0xfe, BYTES_LIT("\1\0\1"), ERR_FORMAT}, /* even modulus */
        {2047, 0xff, BYTES_LIT("\1\0\1"), ERR_UNSUPPORTED},
        {1024, 0xff, BYTES_LIT("\1\0\1"), ERR_UNSUPPORTED},
        {8193, 0xff, BYTES_LIT("\1\0\1"), ERR_UNSUPPORTED},
        {8, 0xff, BYTES_LIT("\1\0\1"), ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        AUTO_DONE(buf) der = BUF_INIT(LIMIT_KEY_FILE);
        put_rsa(&der, cases[i].bits, cases[i].end, cases[i].exponent);
        int r = sign_key_new_public(&sign_alg_rsa, buf_bytes(&der), &k, &e);
        if (r != cases[i].want)
            fail_msg("case %zu: %s: %s", i, err_name(r), e.msg);
        if (!r)
            assert_int_equal(sign_key_bits(k), cases[i].bits);
        for (size_t len = 0; len < der.len; len++)
            ASSERT_ERR(sign_key_new_public(&sign_alg_rsa, bytes_of(der.ptr, len), &k, &e), ERR_FORMAT);
    }
    struct err e = ERR_INIT;
    struct sign_key *none = NULL;
    ASSERT_ERR(sign_key_generate_rsa(1024, &none, &e), ERR_UNSUPPORTED);
    ASSERT_ERR(sign_key_generate_rsa(16384, &none, &e), ERR_UNSUPPORTED);
}

/* A private key of which one bit is another is refused, wherever the bit is. */
static void test_rsa_private(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = rsa();
    AUTO_DONE(buf) der = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    buf_append_bytes(&der, sign_key_secret(k));
    for (size_t bit = 0; bit < 8 * der.len; bit += 5) {
        AUTO(sign_key) other = NULL;
        der.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        int r = sign_key_new_private(&sign_alg_rsa, buf_bytes(&der), BYTES_NONE, &other, &e);
        if (r != ERR_FORMAT && r != ERR_UNSUPPORTED)
            fail_msg("bit %zu: %s", bit, err_name(r));
        der.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t len = 0; len < der.len; len++) {
        AUTO(sign_key) other = NULL;
        ASSERT_ERR(sign_key_new_private(&sign_alg_rsa, bytes_of(der.ptr, len), BYTES_NONE, &other, &e),
                   ERR_FORMAT);
    }
}

struct holder {
    struct sign_key *key;
    unsigned signed_, freed;
    int fail;
    bool lie;
};

static int hold_sign(void *ctx, struct sign_scheme scheme, struct bytes message, struct buf *out,
                     struct err *e)
{
    struct holder *h = ctx;
    h->signed_++;
    if (h->fail)
        return err_set(e, (enum err_code)h->fail, "the agent refuses");
    return sign_key_sign_as(h->key, scheme, h->lie ? BYTES_LIT("another message") : message, out, e);
}

static void hold_free(void *ctx)
{
    ((struct holder *)ctx)->freed++;
}

static void test_external(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct holder h = {.key = fixture_key(3)};
    const struct sign_external external = {hold_sign, hold_free, &h};
    struct sign_key *k = NULL;
    AUTO_DONE(buf) out = BUF_INIT(4096);
    bool good = false;
    ASSERT_OK(sign_key_new_external(&sign_alg_ed25519, sign_key_public(h.key), &external, &k, &e));
    assert_true(sign_key_is_private(k) && sign_key_eq(k, h.key));
    ASSERT_OK(sign_key_sign(k, BYTES_LIT("m"), &out, &e));
    ASSERT_OK(sign_key_verify(h.key, BYTES_LIT("m"), buf_bytes(&out), &good, &e));
    assert_true(good);
    buf_reset(&out);
    ASSERT_ERR(sign_key_write_private(k, &out, &e), ERR_UNSUPPORTED);
    ASSERT_ERR(
        sign_key_sign_as(k, (struct sign_scheme){SIGN_MODE_RSA_PSS, HASH_SHA256}, BYTES_LIT("m"), &out, &e),
        ERR_UNSUPPORTED);
    assert_int_equal(h.signed_, 1);
    h.lie = true;
    ASSERT_ERR(sign_key_sign(k, BYTES_LIT("m"), &out, &e), ERR_OTHER);
    h.fail = ERR_AUTH;
    ASSERT_ERR(sign_key_sign(k, BYTES_LIT("m"), &out, &e), ERR_AUTH);
    assert_int_equal(out.len, 0);
    assert_int_equal(h.freed, 0);
    sign_key_free(k);
    assert_int_equal(h.freed, 1);
    uint8_t weak[32] = {0};
    k = NULL;
    ASSERT_ERR(sign_key_new_external(&sign_alg_ed25519, BYTES_ARR(weak), &external, &k, &e), ERR_FORMAT);
    assert_int_equal(h.freed, 2);
    sign_key_free(h.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc6979),    cmocka_unit_test(test_p384_public),
        cmocka_unit_test(test_ed25519ph),  cmocka_unit_test(test_schemes_do_not_mix),
        cmocka_unit_test(test_rsa),        cmocka_unit_test(test_rsa_salt),
        cmocka_unit_test(test_rsa_public), cmocka_unit_test(test_rsa_private),
        cmocka_unit_test(test_external),   cmocka_unit_test(test_rsa_prime_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
