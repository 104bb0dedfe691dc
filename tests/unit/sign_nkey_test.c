/* SPDX-License-Identifier: Apache-2.0 */
/* nkeys: a pair that other tools made, every kind, and every text that differs in one character. */
#include "tests/unit/sign_fixture.h"

#include "sign/nkey.h"

/* A seed and its public key. */
#define SEED    "SAAPN4W3EG6KCJGUQTKTJ5GSB5NHK5CHAJL4DBGFUM3HHROI4XUEP4OBK4"
#define ACCOUNT "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2"

static void test_vector(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    uint8_t seed[32], key[32];
    char kind = 0, text[SIGN_NKEY_TEXT], secret[SIGN_NKEY_SEED_TEXT];
    ASSERT_OK(sign_nkey_decode_seed(BYTES_LIT(SEED), &kind, seed, &e));
    assert_int_equal(kind, 'A');
    ASSERT_OK(sign_key_new_private(&sign_alg_ed25519, BYTES_ARR(seed), BYTES_NONE, &k, &e));
    assert_string_equal(sign_nkey_encode('A', sign_key_public(k).ptr, text), ACCOUNT);
    assert_string_equal(sign_nkey_encode_seed('A', seed, secret), SEED);
    ASSERT_OK(sign_nkey_decode(BYTES_LIT(ACCOUNT), &kind, key, &e));
    assert_memory_equal(key, sign_key_public(k).ptr, 32);
    assert_true(sign_nkey_is_seed(BYTES_LIT(SEED)));
    assert_false(sign_nkey_is_seed(BYTES_LIT(ACCOUNT)));
}

static void test_kinds(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    uint8_t key[32], back[32];
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(7 * i);
    for (const char *kind = "ACMNOPUVX"; *kind; kind++) {
        char text[SIGN_NKEY_TEXT], secret[SIGN_NKEY_SEED_TEXT], got = 0;
        (void)sign_nkey_encode(*kind, key, text);
        assert_int_equal(strlen(text), 56);
        assert_int_equal(text[0], *kind);
        ASSERT_OK(sign_nkey_decode(bytes_str(text), &got, back, &e));
        assert_int_equal(got, *kind);
        assert_memory_equal(back, key, 32);
        (void)sign_nkey_encode_seed(*kind, key, secret);
        assert_int_equal(strlen(secret), 58);
        assert_int_equal(secret[0], 'S');
        assert_int_equal(secret[1], *kind);
        ASSERT_OK(sign_nkey_decode_seed(bytes_str(secret), &got, back, &e));
        assert_int_equal(got, *kind);
        assert_memory_equal(back, key, 32);
        ASSERT_ERR(sign_nkey_decode(bytes_str(secret), &got, back, &e), ERR_FORMAT);
        ASSERT_ERR(sign_nkey_decode_seed(bytes_str(text), &got, back, &e), ERR_FORMAT);
    }
}

static void each_change(const char *good, int (*decode)(struct bytes, char *, uint8_t *, struct err *))
{
    struct err e = ERR_INIT;
    char text[64], kind;
    uint8_t key[32];
    size_t len = strlen(good);
    for (size_t i = 0; i < len; i++)
        for (unsigned c = 0; c < 256; c++) {
            memcpy(text, good, len + 1);
            if ((unsigned char)text[i] == c)
                continue;
            text[i] = (char)c;
            ASSERT_ERR(decode(bytes_of(text, len), &kind, key, &e), ERR_FORMAT);
        }
    memcpy(text, good, len + 1);
    text[len] = 'A';
    for (size_t n = 0; n < len; n++)
        ASSERT_ERR(decode(bytes_of(text, n), &kind, key, &e), ERR_FORMAT);
    ASSERT_ERR(decode(bytes_of(text, len + 1), &kind, key, &e), ERR_FORMAT);
    assert_null(strstr(e.msg, good));
}

static void test_damaged(void **state)
{
    (void)state;
    each_change(ACCOUNT, sign_nkey_decode);
    each_change(SEED, sign_nkey_decode_seed);
}

/* Prefixes that stand for nothing, under a right check sum. */
static void test_unknown_kinds(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    uint8_t key[32] = {0}, back[32];
    for (const char *kind = "BDEFGHIJKLQRSTWYZ"; *kind; kind++) {
        char text[SIGN_NKEY_TEXT], secret[SIGN_NKEY_SEED_TEXT], got;
        ASSERT_ERR(sign_nkey_decode(bytes_str(sign_nkey_encode(*kind, key, text)), &got, back, &e),
                   ERR_FORMAT);
        ASSERT_ERR(
            sign_nkey_decode_seed(bytes_str(sign_nkey_encode_seed(*kind, key, secret)), &got, back, &e),
            ERR_FORMAT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_unknown_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
