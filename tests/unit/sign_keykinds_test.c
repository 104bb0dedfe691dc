/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of key files beside PEM's PKCS#8 and SPKI: cosign's encrypted keys, nkeys, wasmsign2's raw keys, what
 * OpenSSH calls a public key. Published vectors, what goes round, and what is refused. */
#include "tests/unit/sign_fixture.h"

#include "base/json.h"
#include "base/limits.h"
#include "sign/keyfile.h"
#include "sign/nkey.h"
#include "sign/pem.h"
#include "sign/secretbox.h"
#include "sign/sshkey.h"

#include <gcrypt.h>

/* "Cryptography in NaCl", section 8: the two keys that are derived there. */
static void test_hsalsa20(void **state)
{
    (void)state;
    uint8_t shared[32], nonce[16], want[32], first[32], second[32];
    static const uint8_t zero[16] = {0};
    unhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", shared);
    sign_hsalsa20(shared, zero, first);
    unhex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389", want);
    assert_memory_equal(first, want, 32);
    unhex("69696ee955b62b73cd62bda875fc73d6", nonce);
    sign_hsalsa20(first, nonce, second);
    unhex("dc908dda0b9344a953629b733820778880f3ceb421bb61b91cbd4c3e66256ce4", want);
    assert_memory_equal(second, want, 32);
}

/* The same paper, section 10: the box of 131 bytes begins like this. */
static void test_secretbox(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    uint8_t key[32], nonce[24], text[131], start[48];
    AUTO_DONE(buf) box = BUF_INIT(4096);
    AUTO_DONE(buf) back = BUF_SECRET_INIT(4096);
    unhex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389", key);
    unhex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37", nonce);
    unhex("be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129"
          "6cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde"
          "048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705",
          text);
    ASSERT_OK(sign_secretbox_seal(key, nonce, BYTES_ARR(text), &box, &e));
    assert_int_equal(box.len, sizeof(text) + SIGN_SECRETBOX_TAG);
    unhex("f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a",
          start);
    assert_memory_equal(box.ptr, start, sizeof(start));
    ASSERT_OK(sign_secretbox_open(key, nonce, buf_bytes(&box), &back, &e));
    assert_true(bytes_eq(buf_bytes(&back), BYTES_ARR(text)));
    buf_reset(&back);
    for (size_t bit = 0; bit < 8 * box.len; bit++) {
        box.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        ASSERT_ERR(sign_secretbox_open(key, nonce, buf_bytes(&box), &back, &e), ERR_AUTH);
        box.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t len = 0; len < box.len; len++)
        ASSERT_ERR(sign_secretbox_open(key, nonce, bytes_of(box.ptr, len), &back, &e), ERR_AUTH);
    key[0] ^= 1;
    ASSERT_ERR(sign_secretbox_open(key, nonce, buf_bytes(&box), &back, &e), ERR_AUTH);
    assert_int_equal(back.len, 0);
}

/* RFC 7914 section 12, those with r = 8: how libgcrypt wants scrypt's numbers. */
static void test_scrypt(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    uint8_t got[64], want[64];
    ASSERT_OK(hash_init(&e));
    assert_int_equal(gcry_kdf_derive("password", 8, GCRY_KDF_SCRYPT, 1024, "NaCl", 4, 16, sizeof(got), got),
                     0);
    unhex("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
          "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
          want);
    assert_memory_equal(got, want, sizeof(want));
    assert_int_equal(gcry_kdf_derive("pleaseletmein", 13, GCRY_KDF_SCRYPT, 16384, "SodiumChloride", 14, 1,
                                     sizeof(got), got),
                     0);
    unhex("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
          "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
          want);
    assert_memory_equal(got, want, sizeof(want));
}

struct answer {
    const char *text;
    unsigned asked, asked_new;
};

static int answer_get(void *ctx, bool is_new, struct buf *ret, struct err *e)
{
    struct answer *a = ctx;
    a->asked++;
    a->asked_new += is_new;
    if (!a->text)
        return err_set(e, ERR_INTERRUPTED, "interrupted");
    buf_append_str(ret, a->text);
    return 0;
}

/* Of every type, with any password, also none: what is written is read. */
static void test_cosign_round(void **state)
{
    (void)state;
    static const enum sign_key_type types[] = {SIGN_KEY_ED25519, SIGN_KEY_P256, SIGN_KEY_P384, SIGN_KEY_RSA};
    static const char *const passwords[] = {"", "correct horse", "p\xc3\xa4ss", "x"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        AUTO(sign_key) again = NULL;
        AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_KEY_FILE);
        struct answer a = {.text = passwords[i]}, wrong = {.text = "wrong"}, none = {0};
        const struct sign_password p = {answer_get, &a}, pw = {answer_get, &wrong}, pn = {answer_get, &none};
        ASSERT_OK(sign_key_generate(types[i], &k, &e));
        ASSERT_OK(sign_keyfile_write_private(&sign_keyfile_cosign, k, &p, &text, &e));
        assert_true(a.asked == 1 && a.asked_new == 1);
        assert_ptr_equal(sign_keyfile_detect(buf_bytes(&text)), &sign_keyfile_cosign);
        assert_true(
            bytes_starts(buf_bytes(&text), BYTES_LIT("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n")));
        ASSERT_OK(sign_key_open(buf_bytes(&text), "k", &p, &again, &e));
        assert_true(a.asked == 2 && a.asked_new == 1);
        assert_true(bytes_eq(sign_key_secret(k), sign_key_secret(again)));
        AUTO(sign_key) no = NULL;
        ASSERT_ERR(sign_key_open(buf_bytes(&text), "k", &pw, &no, &e), ERR_AUTH);
        assert_non_null(strstr(e.msg, "wrong password"));
        ASSERT_ERR(sign_key_open(buf_bytes(&text), "k", &pn, &no, &e), ERR_INTERRUPTED);
        ASSERT_ERR(sign_key_parse(buf_bytes(&text), "k", &no, &e), ERR_USAGE);
        assert_non_null(strstr(e.msg, "no password"));
        assert_null(no);
    }
}

static void put_cosign(struct buf *out, const char *json)
{
    struct err e = ERR_INIT;
    ASSERT_OK(sign_pem_encode("ENCRYPTED COSIGN PRIVATE KEY", bytes_str(json), out, &e));
}

#define SALT  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define NONCE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define BOX(n, r, p, rest)                                                                            \
    "{\"kdf\":{\"name\":\"scrypt\",\"params\":{\"N\":" n ",\"r\":" r ",\"p\":" p "},\"salt\":\"" SALT \
    "\"}," rest "}"
#define REST                                                     \
    "\"cipher\":{\"name\":\"nacl/secretbox\",\"nonce\":\"" NONCE \
    "\"},\"ciphertext\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAA=\""

/* What a file says is checked before anybody is asked for a password, or any work is done. */
static void test_cosign_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int want;
        unsigned asked;
    } cases[] = {
        {BOX("32768", "8", "1", REST), ERR_AUTH, 1},
        {BOX("65536", "8", "1", REST), ERR_AUTH, 1},
        {BOX("131072", "8", "1", REST), ERR_AUTH, 1},
        {BOX("1073741824", "8", "1", REST), ERR_LIMIT, 0}, /* a terabyte */
        {BOX("16384", "8", "1", REST), ERR_LIMIT, 0},
        {BOX("1", "8", "1", REST), ERR_LIMIT, 0},
        {BOX("0", "8", "1", REST), ERR_LIMIT, 0},
        {BOX("-1", "8", "1", REST), ERR_FORMAT, 0},
        {BOX("65536.0", "8", "1", REST), ERR_FORMAT, 0},
        {BOX("99999999999999999999", "8", "1", REST), ERR_FORMAT, 0},
        {BOX("65536", "16", "1", REST), ERR_LIMIT, 0},
        {BOX("65536", "8", "2", REST), ERR_LIMIT, 0},
        {BOX("65536", "8", "0", REST), ERR_LIMIT, 0},
        {BOX("65536", "8", "\"1\"", REST), ERR_FORMAT, 0},
        {BOX("65536", "8", "1", "\"ciphertext\":\"AAAA\""), ERR_FORMAT, 0},
        {BOX("65536", "8", "1",
             "\"cipher\":{\"name\":\"aes\",\"nonce\":\"" NONCE "\"},\"ciphertext\":\"AAAA\""),
         ERR_UNSUPPORTED, 0},
        {BOX("65536", "8", "1",
             "\"cipher\":{\"name\":\"nacl/secretbox\",\"nonce\":\"AAAA\"},\"ciphertext\":\"AAAA\""),
         ERR_FORMAT, 0},
        {BOX("65536", "8", "1",
             "\"cipher\":{\"name\":\"nacl/secretbox\",\"nonce\":\"" NONCE "\"},\"ciphertext\":\"AAAA\""),
         ERR_FORMAT, 0},
        {BOX("65536", "8", "1", REST ",\"ciphertext\":\"\""), ERR_FORMAT, 0}, /* twice */
        {BOX("65536", "8", "1", REST) "{}", ERR_FORMAT, 0},
        {"{\"kdf\":{\"name\":\"argon2\"}}", ERR_UNSUPPORTED, 0},
        {"{\"kdf\":[]}", ERR_FORMAT, 0},
        {"[]", ERR_FORMAT, 0},
        {"{", ERR_FORMAT, 0},
        {"", ERR_FORMAT, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        AUTO_DONE(buf) text = BUF_INIT(LIMIT_KEY_FILE);
        struct answer a = {.text = "x"};
        const struct sign_password p = {answer_get, &a};
        put_cosign(&text, cases[i].json);
        int r = sign_key_open(buf_bytes(&text), "k", &p, &k, &e);
        if (r != cases[i].want || a.asked != cases[i].asked)
            fail_msg("case %zu: %s, asked %u: %s", i, err_name(r), a.asked, e.msg);
    }
}

/* Authentic, and no key in it. */
static void test_cosign_content(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    uint8_t key[32], salt[32] = {0}, nonce[24] = {0};
    ASSERT_OK(hash_init(&e));
    assert_int_equal(gcry_kdf_derive("x", 1, GCRY_KDF_SCRYPT, 32768, salt, 32, 1, 32, key), 0);
    AUTO_DONE(buf) box = BUF_INIT(4096);
    AUTO_DONE(buf) json = BUF_INIT(8192);
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_KEY_FILE);
    AUTO(sign_key) k = NULL;
    struct answer a = {.text = "x"};
    const struct sign_password p = {answer_get, &a};
    ASSERT_OK(sign_secretbox_seal(key, nonce, BYTES_LIT("no key at all"), &box, &e));
    buf_append_str(&json,
                   "{\"kdf\":{\"name\":\"scrypt\",\"params\":{\"N\":32768,\"r\":8,\"p\":1},\"salt\":\"" SALT
                   "\"},\"cipher\":{\"name\":\"nacl/secretbox\",\"nonce\":\"" NONCE "\"},\"ciphertext\":\"");
    b64_encode(B64_STD, buf_bytes(&box), &json);
    buf_append_str(&json, "\"}");
    put_cosign(&text, buf_cstr(&json));
    ASSERT_ERR(sign_key_open(buf_bytes(&text), "k", &p, &k, &e), ERR_FORMAT);
    assert_int_equal(a.asked, 1);
}

#define SEED   "SAAPN4W3EG6KCJGUQTKTJ5GSB5NHK5CHAJL4DBGFUM3HHROI4XUEP4OBK4"
#define PUBLIC "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2"

static void test_nkeys(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    AUTO(sign_key) pub = NULL;
    AUTO_DONE(buf) text = BUF_SECRET_INIT(4096);
    ASSERT_OK(sign_key_parse(BYTES_LIT(" " SEED "\r\n"), "a.nk", &k, &e));
    ASSERT_OK(sign_key_parse(BYTES_LIT(PUBLIC), "a.pub", &pub, &e));
    assert_true(sign_key_is_private(k) && !sign_key_is_private(pub) && sign_key_eq(k, pub));
    assert_int_equal(sign_key_nkey_kind(k), 'A');
    assert_int_equal(sign_key_nkey_kind(pub), 'A');
    ASSERT_OK(sign_keyfile_write_private(&sign_keyfile_nkeys, k, NULL, &text, &e));
    assert_string_equal(buf_cstr(&text), SEED "\n");
    buf_reset(&text);
    ASSERT_OK(sign_keyfile_write_public(&sign_keyfile_nkeys, k, &text, &e));
    assert_string_equal(buf_cstr(&text), PUBLIC "\n");
    static const char *const bad[] = {SEED "A", "SAAPN4W3EG6KCJGUQTKTJ5GSB5NHK5CHAJL4DBGFUM3HHROI4XUEP4OBK5",
                                      "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J3",
                                      SEED "\n" SEED,
                                      "BCODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(sign_key) no = NULL;
        ASSERT_ERR(sign_key_parse(bytes_str(bad[i]), "bad", &no, &e), ERR_FORMAT);
        assert_null(strstr(e.msg, "SAAP"));
    }
    char curve[SIGN_NKEY_TEXT];
    AUTO(sign_key) no = NULL;
    ASSERT_ERR(sign_key_parse(bytes_str(sign_nkey_encode('X', pub->public_key, curve)), "x", &no, &e),
               ERR_UNSUPPORTED);
    buf_reset(&text);
    sign_key_set_nkey_kind(k, 0);
    ASSERT_ERR(sign_keyfile_write_private(&sign_keyfile_nkeys, k, NULL, &text, &e), ERR_USAGE);
    assert_int_equal(text.len, 0);
}

static void test_wasmsign2(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(9);
    AUTO(sign_key) again = NULL;
    AUTO(sign_key) pub = NULL;
    AUTO(sign_key) no = NULL;
    AUTO_DONE(buf) text = BUF_SECRET_INIT(4096);
    AUTO_DONE(buf) public_text = BUF_INIT(4096);
    ASSERT_OK(sign_keyfile_write_private(&sign_keyfile_wasmsign2, k, NULL, &text, &e));
    ASSERT_OK(sign_keyfile_write_public(&sign_keyfile_wasmsign2, k, &public_text, &e));
    assert_true(text.len == 65 && text.ptr[0] == 0x81 && public_text.len == 33 && public_text.ptr[0] == 1);
    ASSERT_OK(sign_key_parse(buf_bytes(&text), "k", &again, &e));
    ASSERT_OK(sign_key_parse(buf_bytes(&public_text), "k.pub", &pub, &e));
    assert_true(sign_key_is_private(again) && sign_key_eq(again, k) && sign_key_eq(pub, k));
    text.ptr[64] ^= 1;
    ASSERT_ERR(sign_key_parse(buf_bytes(&text), "k", &no, &e), ERR_FORMAT);
    memset(public_text.ptr + 1, 0, 32);
    ASSERT_ERR(sign_key_parse(buf_bytes(&public_text), "k", &no, &e), ERR_FORMAT);
}

/* RFC 4251's "mpint" and RFC 8709's example of a key. */
static void test_openssh(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    static const struct {
        enum sign_key_type type;
        const char *head;
    } types[] = {{SIGN_KEY_ED25519, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"},
                 {SIGN_KEY_P256, "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB"},
                 {SIGN_KEY_P384, "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABh"},
                 {SIGN_KEY_RSA, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ"}};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        AUTO(sign_key) k = NULL;
        AUTO_DONE(buf) text = BUF_INIT(4096);
        ASSERT_OK(sign_key_generate(types[i].type, &k, &e));
        ASSERT_OK(sign_keyfile_write_public(&sign_keyfile_openssh_public, k, &text, &e));
        if (!bytes_starts(buf_bytes(&text), bytes_str(types[i].head)))
            fail_msg("%s", buf_cstr(&text));
        ASSERT_ERR(sign_keyfile_write_private(&sign_keyfile_openssh_public, k, NULL, &text, &e),
                   ERR_UNSUPPORTED);
    }
}

/* Ed25519 alone for two kinds, and no kind writes the private key of a public one. */
static void test_cannot_write(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) p256 = NULL;
    AUTO(sign_key) pub = NULL;
    AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    ASSERT_OK(sign_key_generate(SIGN_KEY_P256, &p256, &e));
    sign_key_set_nkey_kind(p256, 'A');
    ASSERT_OK(sign_key_write_public(p256, &text, &e));
    ASSERT_OK(sign_key_parse(buf_bytes(&text), "p.pub", &pub, &e));
    buf_reset(&text);
    ASSERT_ERR(sign_keyfile_write_private(&sign_keyfile_nkeys, p256, NULL, &text, &e), ERR_UNSUPPORTED);
    ASSERT_ERR(sign_keyfile_write_public(&sign_keyfile_nkeys, p256, &text, &e), ERR_UNSUPPORTED);
    ASSERT_ERR(sign_keyfile_write_private(&sign_keyfile_wasmsign2, p256, NULL, &text, &e), ERR_UNSUPPORTED);
    ASSERT_ERR(sign_keyfile_write_public(&sign_keyfile_wasmsign2, p256, &text, &e), ERR_UNSUPPORTED);
    ASSERT_ERR(sign_keyfile_write_public(&sign_keyfile_pkcs8, p256, &text, &e), ERR_UNSUPPORTED);
    ASSERT_ERR(sign_keyfile_write_private(&sign_keyfile_cosign, p256, NULL, &text, &e), ERR_USAGE);
    for (size_t i = 0; i < sign_n_keyfiles; i++)
        ASSERT_ERR(sign_keyfile_write_private(sign_keyfiles[i], pub, NULL, &text, &e), ERR_USAGE);
    assert_int_equal(text.len, 0);
}

/* No prefix of a file is a key, and none of a private key with another bit is a public one. */
static void check_damage(struct bytes file, const struct sign_key *k, size_t step)
{
    struct answer a = {.text = "x"};
    const struct sign_password p = {answer_get, &a};
    struct err e = ERR_INIT;
    uint8_t copy[16384];
    assert_true(file.len <= sizeof(copy));
    memcpy(copy, file.ptr, file.len);
    for (size_t len = 0; len + 1 < file.len; len += step) {
        AUTO(sign_key) no = NULL;
        assert_int_not_equal(sign_key_open(bytes_of(copy, len), "cut", &p, &no, &e), 0);
        assert_null(no);
    }
    for (size_t at = 0; at < file.len; at += step) {
        AUTO(sign_key) other = NULL;
        copy[at] ^= (uint8_t)(1U << at % 7);
        int r = sign_key_open(bytes_of(copy, file.len), "flipped", &p, &other, &e);
        if (!r && sign_key_is_private(k) && !sign_key_is_private(other))
            fail_msg("byte %zu: a private key became a public one", at);
        if (r)
            assert_true(r == ERR_FORMAT || r == ERR_UNSUPPORTED || r == ERR_AUTH || r == ERR_LIMIT);
        copy[at] ^= (uint8_t)(1U << at % 7);
    }
}

/* How many bytes to go on: each try costs what scrypt costs, or what libssh does. */
static size_t damage_step(const struct sign_keyfile *kind, enum sign_key_type type)
{
    bool slow = kind->encrypts || kind == &sign_keyfile_openssh;
    return slow ? 37 : type == SIGN_KEY_RSA ? 7 : 1;
}

static void test_damage(void **state)
{
    (void)state;
    static const enum sign_key_type types[] = {SIGN_KEY_ED25519, SIGN_KEY_P256, SIGN_KEY_P384, SIGN_KEY_RSA};
    struct answer a = {.text = "x"};
    const struct sign_password p = {answer_get, &a};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        ASSERT_OK(sign_key_generate(types[i], &k, &e));
        sign_key_set_nkey_kind(k, 'M');
        for (size_t j = 0; j < sign_n_keyfiles; j++) {
            const struct sign_keyfile *kind = sign_keyfiles[j];
            AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_KEY_FILE);
            if (kind->encrypts && i != 1)
                continue;
            if (kind->write_private && kind->write_private(k, kind->encrypts ? &p : NULL, &text, &e) == 0)
                check_damage(buf_bytes(&text), k, damage_step(kind, types[i]));
            buf_reset(&text);
            AUTO(sign_key) pub = NULL;
            if (kind->detect && kind->write_public && kind->write_public(k, &text, &e) == 0) {
                ASSERT_OK(sign_key_parse(buf_bytes(&text), "pub", &pub, &e));
                check_damage(buf_bytes(&text), pub, 1);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hsalsa20),       cmocka_unit_test(test_secretbox),
        cmocka_unit_test(test_scrypt),         cmocka_unit_test(test_cosign_round),
        cmocka_unit_test(test_cosign_refused), cmocka_unit_test(test_cosign_content),
        cmocka_unit_test(test_nkeys),          cmocka_unit_test(test_wasmsign2),
        cmocka_unit_test(test_openssh),        cmocka_unit_test(test_cannot_write),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
