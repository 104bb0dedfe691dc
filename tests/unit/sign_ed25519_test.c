/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 of messages that libgcrypt does not take whole. */
#include "tests/unit/sign_fixture.h"

#include "base/hash.h"
#include "sign/ed25519.h"

static const struct sign_scheme pure = {SIGN_MODE_ED25519, HASH_SHA512},
                                ph = {SIGN_MODE_ED25519PH, HASH_SHA512};

static struct buf pattern(size_t n)
{
    struct buf b = BUF_INIT(1U << 20);
    for (size_t i = 0; i < n; i++)
        buf_append_u8(&b, (uint8_t)(i * 31 + i / 251));
    return b;
}

/* RFC 8032 sections 7.1 (TEST SHA(abc)) and 7.3. */
static void test_rfc8032(void **state)
{
    (void)state;
    static const struct {
        bool ph;
        const char *message, *signature;
    } cases[] = {
        {false,
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
         "454d4423643ce80e2a9ac94fa54ca49f",
         "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
         "3dca179c138ac17ad9bef1177331a704"},
        {true, "616263",
         "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aa"
         "a10b8c61e636062aaad11c2a26083406"},
    };
    struct err e0 = ERR_INIT;
    uint8_t seed[32], public_key[32], message[64], signature[64];
    assert_int_equal(hash_init(&e0), 0);
    unhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42", seed);
    unhex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", public_key);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) out = BUF_INIT(64);
        bool good = false;
        struct bytes m = unhex(cases[i].message, message);
        unhex(cases[i].signature, signature);
        ASSERT_OK(ed25519_long_sign(seed, public_key, cases[i].ph, m, &out, &e));
        assert_true(bytes_eq(buf_bytes(&out), BYTES_ARR(signature)));
        ASSERT_OK(ed25519_long_verify(public_key, cases[i].ph, m, signature, &good, &e));
        assert_true(good);
        ASSERT_OK(ed25519_long_verify(public_key, !cases[i].ph, m, signature, &good, &e));
        assert_false(good);
    }
}

/* As long as libgcrypt takes a message, both say the same. */
static void test_agrees(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 111, 112, 128, 1023, 32767, SIGN_GCRY_MAX};
    for (size_t i = 0; i < 4 * ARRAY_LEN(lengths); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = fixture_key((uint8_t)(i + 1));
        AUTO_DONE(buf) m = pattern(lengths[i / 4]);
        AUTO_DONE(buf) theirs = BUF_INIT(64);
        AUTO_DONE(buf) ours = BUF_INIT(64);
        bool is_ph = i % 2, good = false;
        ASSERT_OK(sign_key_sign_as(k, is_ph ? ph : pure, buf_bytes(&m), &theirs, &e));
        ASSERT_OK(ed25519_long_sign(sign_key_secret(k).ptr, k->public_key, is_ph, buf_bytes(&m), &ours, &e));
        assert_true(bytes_eq(buf_bytes(&ours), buf_bytes(&theirs)));
        ASSERT_OK(ed25519_long_verify(k->public_key, is_ph, buf_bytes(&m), theirs.ptr, &good, &e));
        assert_true(good);
    }
}

/* What the library's users call. */
static void expect(const struct sign_key *k, struct sign_scheme scheme, struct bytes m,
                   struct bytes signature, bool want)
{
    struct err e = ERR_INIT;
    bool good = !want;
    ASSERT_OK(sign_key_verify_as(k, scheme, m, signature, &good, &e));
    assert_int_equal(good, want);
}

static void test_long(void **state)
{
    (void)state;
    static const size_t lengths[] = {SIGN_GCRY_MAX + 1, 65473, 65535, 65536, 65537, 131072, 200000};
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(7);
    AUTO(sign_key) other = fixture_key(8);
    for (size_t i = 0; i < 2 * ARRAY_LEN(lengths); i++) {
        const struct sign_scheme scheme = i % 2 ? ph : pure;
        AUTO_DONE(buf) m = pattern(lengths[i / 2]);
        AUTO_DONE(buf) sig = BUF_INIT(64);
        ASSERT_OK(sign_key_sign_as(k, scheme, buf_bytes(&m), &sig, &e));
        expect(k, scheme, buf_bytes(&m), buf_bytes(&sig), true);
        expect(other, scheme, buf_bytes(&m), buf_bytes(&sig), false);
        expect(k, i % 2 ? pure : ph, buf_bytes(&m), buf_bytes(&sig), false);
        expect(k, scheme, bytes_of(m.ptr, m.len - 1), buf_bytes(&sig), false);
        m.ptr[m.len - 1] ^= 1;
        expect(k, scheme, buf_bytes(&m), buf_bytes(&sig), false);
        m.ptr[m.len - 1] ^= 1;
        for (size_t bit = 0; i < 2 && bit < 512; bit++) {
            sig.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
            expect(k, scheme, buf_bytes(&m), buf_bytes(&sig), false);
            sig.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
}

/* libgcrypt cuts a length of 65536 + n to n. What stood behind the first n bytes closed its expression, and
 * the signature of n bytes was one of them all. */
static void test_short_one_is_not_of_the_long(void **state)
{
    (void)state;
    static const struct bytes tails[] = {
        {(const uint8_t *)"\4\4\0", 3}, {(const uint8_t *)"\4\4\4\0", 4}, {(const uint8_t *)"\0", 1}};
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(7);
    for (size_t i = 0; i < 2 * ARRAY_LEN(tails); i++) {
        const struct sign_scheme scheme = i % 2 ? ph : pure;
        AUTO_DONE(buf) m = pattern(500);
        AUTO_DONE(buf) sig = BUF_INIT(64);
        ASSERT_OK(sign_key_sign_as(k, scheme, buf_bytes(&m), &sig, &e));
        buf_append_bytes(&m, tails[i / 2]);
        while (m.len < 65536 + 500)
            buf_append_u8(&m, 0);
        expect(k, scheme, buf_bytes(&m), buf_bytes(&sig), false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc8032),
        cmocka_unit_test(test_agrees),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_short_one_is_not_of_the_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
