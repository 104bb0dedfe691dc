/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest_set.h"
#include "base/hash.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

static void expect_digest(enum hash_alg alg, struct bytes data, const char *hex)
{
    struct err e = ERR_INIT;
    struct digest d;
    char text[DIGEST_STR_MAX];
    assert_ok(hash_bytes(alg, data, &d, &e));
    assert_string_equal(digest_hex(&d, text), hex);

    /* The same in pieces of every small size; the state goes on after a final. */
    for (size_t step = 1; step < 20; step += 6) {
        AUTO(hash_state) h = NULL;
        assert_ok(hash_open(alg, &h, &e));
        struct bytes rest = data, part;
        while (rest.len) {
            assert_true(bytes_take(&rest, rest.len < step ? rest.len : step, &part));
            hash_update(h, part);
            struct digest rolling, want;
            hash_final(h, &rolling);
            assert_ok(hash_bytes(alg, bytes_of(data.ptr, data.len - rest.len), &want, &e));
            assert_true(digest_eq(&rolling, &want));
        }
        struct digest last;
        hash_final(h, &last);
        assert_true(digest_eq(&last, &d));
    }
}

/* NIST, examples for FIPS 180-4: SHA256.pdf and SHA512.pdf; the empty message is from the SHA test vectors of
 * CAVP. */
static void fips_180_4(void **state)
{
    (void)state;
    expect_digest(HASH_SHA256, BYTES_NONE,
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_digest(HASH_SHA256, BYTES_LIT("abc"),
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_digest(HASH_SHA256, BYTES_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect_digest(HASH_SHA512, BYTES_NONE,
                  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                  "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
    expect_digest(HASH_SHA512, BYTES_LIT("abc"),
                  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    expect_digest(HASH_SHA512,
                  BYTES_LIT("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                            "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
                  "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
                  "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909");
}

/* FIPS 180-4 examples: one million times "a". */
static void million(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(hash_state) h = NULL;
    assert_ok(hash_open(HASH_SHA256, &h, &e));
    uint8_t chunk[1000];
    memset(chunk, 'a', sizeof(chunk));
    for (int i = 0; i < 1000; i++)
        assert_ok(hash_see(h, BYTES_ARR(chunk), &e));
    struct digest d;
    char text[DIGEST_STR_MAX];
    hash_final(h, &d);
    assert_string_equal(digest_str(&d, text),
                        "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static struct bytes repeat(uint8_t *room, uint8_t v, size_t n)
{
    memset(room, v, n);
    return bytes_of(room, n);
}

/* RFC 4231 section 4, HMAC-SHA-256; case 5 is the truncated one and has its own length. */
static void rfc_4231(void **state)
{
    (void)state;
    uint8_t k1[131], k3[131], k6[131], d3[50], d4[50], k4[25];
    for (uint8_t i = 0; i < sizeof(k4); i++)
        k4[i] = (uint8_t)(i + 1);
    const struct {
        struct bytes key, data;
        const char *mac;
    } cases[] = {
        {repeat(k1, 0x0b, 20), BYTES_LIT("Hi There"),
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {BYTES_LIT("Jefe"), BYTES_LIT("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {repeat(k3, 0xaa, 20), repeat(d3, 0xdd, 50),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {BYTES_ARR(k4), repeat(d4, 0xcd, 50),
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {repeat(k6, 0xaa, 131), BYTES_LIT("Test Using Larger Than Block-Size Key - Hash Key First"),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {repeat(k6, 0xaa, 131),
         BYTES_LIT(
             "This is a test using a larger than block-size key and a larger than block-size data. The key "
             "needs to be hashed before being used by the HMAC algorithm."),
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };
    struct err e = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes rest = cases[i].data, head;
        assert_true(bytes_take(&rest, 5, &head));
        const struct bytes parts[] = {head, BYTES_NONE, rest};
        uint8_t mac[HASH_SHA256_LEN];
        char text[2 * sizeof(mac) + 1];
        assert_ok(hash_hmac_sha256(cases[i].key, parts, ARRAY_LEN(parts), mac, &e));
        assert_string_equal(hex_encode(BYTES_ARR(mac), text), cases[i].mac);
    }
}

/* The first is test case 13 of "The Galois/Counter Mode of Operation (GCM)"; the second was made with
 * OpenSSL. */
static void gmac(void **state)
{
    (void)state;
    const struct {
        struct bytes data;
        const char *tag;
    } cases[] = {
        {BYTES_NONE, "530f8afbc74536b9a963b4f1c4cb738b"},
        {BYTES_LIT("some bytes that are authenticated"), "52eb3a06c479756c2bf63d566a6e4467"},
    };
    struct err e = ERR_INIT;
    uint8_t key[HASH_GMAC_KEY] = {0}, tag[HASH_GMAC_LEN];
    char text[2 * sizeof(tag) + 1];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t cut = 0; cut <= cases[i].data.len; cut++) {
            AUTO(hash_gmac) m = NULL;
            struct bytes rest = cases[i].data, head;
            assert_true(bytes_take(&rest, cut, &head));
            assert_ok(hash_gmac_open(key, &m, &e));
            assert_ok(hash_gmac_update(m, head, &e));
            assert_ok(hash_gmac_update(m, rest, &e));
            assert_ok(hash_gmac_final(m, tag, &e));
            assert_string_equal(hex_encode(BYTES_ARR(tag), text), cases[i].tag);
        }
        for (size_t k = 0; k < sizeof(key); k++)
            key[k] = (uint8_t)k;
    }
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void digests(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct digest d, other;
    char text[DIGEST_STR_MAX];
    assert_ok(digest_parse(BYTES_LIT("sha256:" HEX64), &d, &e));
    assert_int_equal(d.alg, HASH_SHA256);
    assert_string_equal(digest_str(&d, text), "sha256:" HEX64);
    assert_string_equal(digest_hex(&d, text), HEX64);
    assert_ok(digest_parse(BYTES_LIT("sha512:" HEX64 HEX64), &other, &e));
    assert_string_equal(digest_str(&other, text), "sha512:" HEX64 HEX64);
    assert_false(digest_eq(&d, &other));

    static const struct {
        const char *text;
        int code;
    } bad[] = {
        {"", ERR_FORMAT},
        {"sha256", ERR_FORMAT},
        {"sha256:", ERR_FORMAT},
        {":" HEX64, ERR_FORMAT},
        {HEX64, ERR_FORMAT},
        {"sha256:" HEX64 "0", ERR_FORMAT},
        {"sha256:" HEX64 "\n", ERR_FORMAT},
        {"sha256:" HEX64 HEX64, ERR_FORMAT},
        {"sha512:" HEX64, ERR_FORMAT},
        {"sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", ERR_FORMAT},
        {"sha256:x123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", ERR_FORMAT},
        {"SHA256:" HEX64, ERR_FORMAT},
        {" sha256:" HEX64, ERR_FORMAT},
        {"sha-256 :" HEX64, ERR_FORMAT},
        {"+:x", ERR_FORMAT},
        {"a..b:x", ERR_FORMAT},
        {"sha1-:x", ERR_FORMAT},
        {"blake3:../../etc", ERR_FORMAT},
        {"blake3:", ERR_FORMAT},
        {"blake3:" HEX64, ERR_UNSUPPORTED},
        {"sha384:" HEX64, ERR_UNSUPPORTED},
        {"sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564", ERR_UNSUPPORTED},
        {"multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        memset(&d, 0x5a, sizeof(d));
        other = d;
        assert_fails(digest_parse(bytes_str(bad[i].text), &d, &e), bad[i].code);
        assert_memory_equal(&d, &other, sizeof(d));
    }
}

static void randomness(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    uint8_t a[600] = {0}, b[600] = {0}, zero[300] = {0};
    assert_ok(hash_random(a, sizeof(a), &e));
    assert_ok(hash_random(b, sizeof(b), &e));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_not_equal(a + 300, zero, 300);
    assert_ok(hash_random(a, 0, &e));
}

static void sets(void **state)
{
    (void)state;
    enum { N = 5000 };
    static bool found[N];
    AUTO_DONE(digest_set) set;
    struct err e = ERR_INIT;
    struct digest d = {.alg = HASH_SHA256};
    size_t at = 0;
    assert_ok(digest_set_init(&set, &e));
    assert_false(digest_set_has(&set, &d));
    assert_null(digest_set_next(&set, &at));
    for (uint32_t n = 0; n < 2 * N; n++) { /* each twice */
        uint32_t value = n % N;
        memcpy(d.value, &value, sizeof(value));
        assert_int_equal(digest_set_has(&set, &d), n >= N);
        assert_ok(digest_set_add(&set, &d, &e));
        assert_true(digest_set_has(&set, &d));
    }
    assert_int_equal(set.n, N);
    d.alg = HASH_SHA512;
    assert_false(digest_set_has(&set, &d));
    size_t seen = 0;
    for (const struct digest *next; (next = digest_set_next(&set, &at)); seen++) {
        uint32_t value;
        memcpy(&value, next->value, sizeof(value));
        assert_true(value < N && !found[value]);
        found[value] = true;
    }
    assert_int_equal(seen, N);
    digest_set_done(&set);
    d.alg = HASH_SHA256;
    assert_false(digest_set_has(&set, &d)); /* empty, and good for more */
    assert_ok(digest_set_add(&set, &d, &e));
    assert_true(digest_set_has(&set, &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fips_180_4), cmocka_unit_test(million),    cmocka_unit_test(rfc_4231),
        cmocka_unit_test(digests),    cmocka_unit_test(randomness), cmocka_unit_test(sets),
        cmocka_unit_test(gmac),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
