/* SPDX-License-Identifier: Apache-2.0 */
/* Key files in the other forms that openssl writes: SEC 1, PKCS#1, PKCS#8 encrypted, DER, and text before a
 * block. All keys are made by openssl here; what a file must be is what `openssl pkey -pubout` says of it. */
#include "tests/unit/sign_fixture.h"
#include "tests/unit/sign_tool.h"

#include "base/file.h"
#include "base/limits.h"
#include "sign/keyfile.h"
#include "sign/pem.h"

struct answer {
    const char *text;
    unsigned asked;
};

static int answer_get(void *ctx, bool is_new, struct buf *ret, struct err *e)
{
    struct answer *a = ctx;
    (void)e;
    assert_false(is_new);
    a->asked++;
    buf_append_str(ret, a->text);
    return 0;
}

#define OPENSSL(...) assert_int_equal(TOOL(s, NULL, "openssl", __VA_ARGS__), 0)

static bool no_openssl(const struct scratch *s)
{
    if (TOOL(s, NULL, "openssl", "version") == 0)
        return false;
    print_message("skipped: there is no openssl\n");
    return true;
}

static void slurp(const struct scratch *s, const char *name, struct buf *out)
{
    struct err e = ERR_INIT;
    buf_reset(out);
    ASSERT_OK(file_read(s->fd, name, true, out, &e));
}

/* openssl reads a file of the folder as the same key as we, of that kind. */
static void same_key(const struct scratch *s, const char *file, const char *kind, enum sign_key_type type,
                     const char *password)
{
    struct err e = ERR_INIT;
    struct answer a = {password ? password : "", 0};
    const struct sign_password p = {answer_get, &a};
    char in[64];
    AUTO(sign_key) k = NULL;
    AUTO(sign_key) pub = NULL;
    AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    (void)snprintf(in, sizeof(in), "pass:%s", a.text);
    OPENSSL("pkey", "-in", file, "-passin", in, "-pubout", "-out", "want.pub");
    slurp(s, "want.pub", &text);
    ASSERT_OK(sign_key_parse(buf_bytes(&text), "want", &pub, &e));
    slurp(s, file, &text);
    const struct sign_keyfile *found = sign_keyfile_detect(buf_bytes(&text));
    assert_non_null(found);
    assert_string_equal(found->name, kind);
    assert_int_equal(found->is_encrypted && found->is_encrypted(buf_bytes(&text)), password != NULL);
    if (sign_key_open(buf_bytes(&text), file, &p, &k, &e) != 0)
        fail_msg("%s: %s", file, e.msg);
    assert_true(sign_key_is_private(k) && sign_key_type(k) == type && sign_key_eq(k, pub));
    assert_int_equal(a.asked, password != NULL);
    assert_string_equal(sign_key_name(k), file);
}

static void must_fail(struct bytes content, const char *password, int want, const char *says)
{
    struct err e = ERR_INIT;
    struct answer a = {password, 0};
    const struct sign_password p = {answer_get, &a};
    AUTO(sign_key) k = NULL;
    ASSERT_ERR(sign_key_open(content, "test", password ? &p : NULL, &k, &e), want);
    assert_null(k);
    if (!strstr(e.msg, says))
        fail_msg("\"%s\" does not say \"%s\"", e.msg, says);
}

static void test_sec1(void **state)
{
    const struct scratch *s = *state;
    static const struct {
        const char *curve;
        enum sign_key_type type;
    } curves[] = {{"prime256v1", SIGN_KEY_P256}, {"secp384r1", SIGN_KEY_P384}};
    if (no_openssl(s))
        skip();
    AUTO_DONE(buf) file = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        OPENSSL("ecparam", "-name", curves[i].curve, "-genkey", "-out", "with.key");
        slurp(s, "with.key", &file);
        assert_non_null(strstr(buf_cstr(&file), "BEGIN EC PARAMETERS"));
        same_key(s, "with.key", "sec1", curves[i].type, NULL);
        OPENSSL("ecparam", "-name", curves[i].curve, "-genkey", "-noout", "-out", "without.key");
        same_key(s, "without.key", "sec1", curves[i].type, NULL);
        OPENSSL("ec", "-in", "without.key", "-outform", "DER", "-out", "der.key");
        same_key(s, "der.key", "der", curves[i].type, NULL);
        OPENSSL("ec", "-in", "without.key", "-text", "-out", "text.key");
        same_key(s, "text.key", "sec1", curves[i].type, NULL);
        OPENSSL("ec", "-in", "without.key", "-aes256", "-passout", "pass:x", "-out", "old.key");
        slurp(s, "old.key", &file);
        must_fail(buf_bytes(&file), "x", ERR_UNSUPPORTED, "openssl pkcs8 -topk8 -in OLD -out NEW");
    }
    OPENSSL("ecparam", "-name", "secp256k1", "-genkey", "-out", "k1.key");
    slurp(s, "k1.key", &file);
    must_fail(buf_bytes(&file), NULL, ERR_UNSUPPORTED, "none of Ed25519");
    OPENSSL("ecparam", "-name", "prime256v1", "-param_enc", "explicit", "-genkey", "-out", "explicit.key");
    slurp(s, "explicit.key", &file);
    must_fail(buf_bytes(&file), NULL, ERR_UNSUPPORTED, "do not name a curve");
}

/* The key of one file behind the parameters of another. */
static void test_sec1_parameters(void **state)
{
    (void)state;
    static const char bare[] = "-----BEGIN EC PRIVATE KEY-----\n"
                               "MCUCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuia8S4mirYisSD2\n"
                               "-----END EC PRIVATE KEY-----\n";
    static const char p256[] = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                               "-----END EC PARAMETERS-----\n";
    static const char p384[] = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n";
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    must_fail(bytes_str(bare), NULL, ERR_FORMAT, "does not name its curve");
    must_fail(bytes_str(p256), NULL, ERR_FORMAT, "behind the parameters");
    buf_printf(&text, "%s%s", p256, bare);
    ASSERT_OK(sign_key_parse(buf_bytes(&text), "a", &k, &e));
    assert_int_equal(sign_key_type(k), SIGN_KEY_P256);
    buf_append_str(&text, bare);
    must_fail(buf_bytes(&text), NULL, ERR_FORMAT, "behind the PEM block");
    buf_reset(&text);
    buf_printf(&text, "%s%s", p384, bare);
    must_fail(buf_bytes(&text), NULL, ERR_FORMAT, "malformed P-384");
    buf_reset(&text);
    buf_printf(&text, "%s%s%s", p256, p384, bare);
    must_fail(buf_bytes(&text), NULL, ERR_FORMAT, "behind the parameters");
}

static void test_pkcs1(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    if (no_openssl(s))
        skip();
    AUTO_DONE(buf) file = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO(sign_key) pub = NULL;
    AUTO(sign_key) want = NULL;
    OPENSSL("genrsa", "-traditional", "-out", "rsa.key", "2048");
    slurp(s, "rsa.key", &file);
    assert_non_null(strstr(buf_cstr(&file), "BEGIN RSA PRIVATE KEY"));
    same_key(s, "rsa.key", "pkcs1", SIGN_KEY_RSA, NULL);
    OPENSSL("rsa", "-in", "rsa.key", "-traditional", "-outform", "DER", "-out", "der.key");
    same_key(s, "der.key", "der", SIGN_KEY_RSA, NULL);
    OPENSSL("rsa", "-in", "rsa.key", "-RSAPublicKey_out", "-out", "rsa.pub");
    slurp(s, "rsa.pub", &file);
    ASSERT_OK(sign_key_parse(buf_bytes(&file), "a", &pub, &e));
    slurp(s, "want.pub", &file);
    ASSERT_OK(sign_key_parse(buf_bytes(&file), "a", &want, &e));
    assert_true(sign_key_eq(pub, want) && !sign_key_is_private(pub));
    OPENSSL("rsa", "-in", "rsa.key", "-traditional", "-aes128", "-passout", "pass:x", "-out", "old.key");
    slurp(s, "old.key", &file);
    must_fail(buf_bytes(&file), "x", ERR_UNSUPPORTED, "Proc-Type");
    OPENSSL("genrsa", "-traditional", "-out", "weak.key", "1024");
    slurp(s, "weak.key", &file);
    must_fail(buf_bytes(&file), NULL, ERR_UNSUPPORTED, "1024 bits");
}

static void test_encrypted(void **state)
{
    const struct scratch *s = *state;
    static const char *const kdfs[][4] = {
        {"-v2prf", "hmacWithSHA1"},   {"-v2prf", "hmacWithSHA256"}, {"-v2prf", "hmacWithSHA384"},
        {"-v2prf", "hmacWithSHA512"}, {"-iter", "100000"},          {"-scrypt", "-scrypt_N", "8192"},
    };
    static const char *const ciphers[] = {"aes-128-cbc", "aes-192-cbc", "aes-256-cbc"};
    static const char *const passwords[] = {"correct horse", "p\xc3\xa4ss", "x"};
    if (no_openssl(s))
        skip();
    AUTO_DONE(buf) file = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    OPENSSL("genpkey", "-algorithm", "ed25519", "-out", "ed.key");
    OPENSSL("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "ec.key");
    for (size_t i = 0; i < ARRAY_LEN(kdfs); i++)
        for (size_t j = 0; j < ARRAY_LEN(ciphers); j++) {
            char out[64];
            (void)snprintf(out, sizeof(out), "pass:%s", passwords[j]);
            OPENSSL("pkcs8", "-topk8", "-in", j ? "ed.key" : "ec.key", "-passout", out, "-out", "sealed.key",
                    "-v2", ciphers[j], kdfs[i][0], kdfs[i][1], kdfs[i][2] ? kdfs[i][2] : NULL);
            same_key(s, "sealed.key", "pkcs8-encrypted", j ? SIGN_KEY_ED25519 : SIGN_KEY_P384, passwords[j]);
            slurp(s, "sealed.key", &file);
            must_fail(buf_bytes(&file), "wrong", ERR_AUTH, "wrong password");
            must_fail(buf_bytes(&file), "", ERR_AUTH, "wrong password");
            must_fail(buf_bytes(&file), NULL, ERR_USAGE, "no password");
        }
    OPENSSL("pkcs8", "-topk8", "-in", "ed.key", "-passout", "pass:x", "-outform", "DER", "-out", "der.key");
    same_key(s, "der.key", "der", SIGN_KEY_ED25519, "x");
    OPENSSL("pkcs8", "-topk8", "-in", "ed.key", "-passout", "pass:", "-out", "empty.key");
    same_key(s, "empty.key", "pkcs8-encrypted", SIGN_KEY_ED25519, "");
    OPENSSL("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-in", "ed.key", "-passout", "pass:x", "-out",
            "v1.key");
    slurp(s, "v1.key", &file);
    must_fail(buf_bytes(&file), "x", ERR_UNSUPPORTED, "from before PBES2");
    OPENSSL("pkcs8", "-topk8", "-v2", "des3", "-in", "ed.key", "-passout", "pass:x", "-out", "des.key");
    slurp(s, "des.key", &file);
    must_fail(buf_bytes(&file), "x", ERR_UNSUPPORTED, "AES in CBC");
}

/* What a file asks for is checked before anybody is asked for a password. */
static void test_cost(void **state)
{
    const struct scratch *s = *state;
    static const struct {
        const char *from, *to;
        int want;
        const char *says;
    } changes[] = {
        {"0202"
         "4000",
         "0202"
         "0000",
         ERR_FORMAT, "malformed"},
        {"0202"
         "4000",
         "0202"
         "4001",
         ERR_FORMAT, "malformed"},
        {"0202"
         "4000"
         "020108",
         "0203"
         "040000"
         "0208",
         ERR_FORMAT, "malformed"},
        {"020108", "020109", ERR_UNSUPPORTED, "block size"},
        {"020108"
         "020101",
         "020108"
         "020141",
         ERR_LIMIT, "costs more"},
    };
    if (no_openssl(s))
        skip();
    uint8_t der[512], from[16], to[16];
    OPENSSL("genpkey", "-algorithm", "ed25519", "-out", "ed.key");
    OPENSSL("pkcs8", "-topk8", "-in", "ed.key", "-scrypt", "-passout", "pass:x", "-outform", "DER", "-out",
            "sealed");
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct bytes file = tool_read(s, "sealed", der, sizeof(der));
        struct bytes old = unhex(changes[i].from, from), new = unhex(changes[i].to, to);
        assert_int_equal(old.len, new.len);
        uint8_t *at = memmem(der, file.len, old.ptr, old.len);
        assert_non_null(at);
        memcpy(at, new.ptr, new.len);
        must_fail(file, NULL, changes[i].want, changes[i].says);
    }
    OPENSSL("pkcs8", "-topk8", "-in", "ed.key", "-iter", "3000000", "-passout", "pass:x", "-outform", "DER",
            "-out", "sealed");
    struct bytes file = tool_read(s, "sealed", der, sizeof(der));
    must_fail(file, NULL, ERR_USAGE, "no password");
    uint8_t *at = memmem(der, file.len, "\x02\x03\x2d\xc6\xc0", 5);
    assert_non_null(at);
    at[4]++;
    must_fail(file, NULL, ERR_LIMIT, "costs more");
}

/* Cut anywhere, or with any bit changed: an error, or the same key (what is not signed or hashed may change:
 * the text before a block, attributes), and never a crash. */
static void test_broken(void **state)
{
    const struct scratch *s = *state;
    static const char *const files[] = {"ec.der", "sealed.der", "pub.der"};
    if (no_openssl(s))
        skip();
    uint8_t der[512];
    OPENSSL("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-outform", "DER", "-out", "ec.der");
    OPENSSL("pkcs8", "-topk8", "-inform", "DER", "-in", "ec.der", "-iter", "1", "-passout", "pass:x",
            "-outform", "DER", "-out", "sealed.der");
    OPENSSL("ec", "-inform", "DER", "-in", "ec.der", "-pubout", "-outform", "DER", "-out", "pub.der");
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct err e = ERR_INIT;
        struct answer a = {"x", 0};
        const struct sign_password p = {answer_get, &a};
        struct bytes file = tool_read(s, files[i], der, sizeof(der));
        AUTO(sign_key) good = NULL;
        ASSERT_OK(sign_key_open(file, "test", &p, &good, &e));
        for (size_t len = 0; len < file.len; len++)
            must_fail(bytes_of(der, len), "x", ERR_FORMAT, "");
        for (size_t bit = 0; bit < 8 * file.len; bit++) {
            AUTO(sign_key) k = NULL;
            der[bit / 8] ^= (uint8_t)(1U << bit % 8);
            if (sign_key_open(file, "test", &p, &k, &e) == 0)
                assert_true(sign_key_eq(k, good));
            der[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
}

#define PUBLIC                                                       \
    "-----BEGIN PUBLIC KEY-----\n"                                   \
    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n" \
    "-----END PUBLIC KEY-----\n"

/* RFC 7468 section 2: data may stand before a block; nothing behind it, nor in it. */
static void test_text_before(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    static const char *const good[] = {
        "Bag Attributes\n    localKeyID: 01 02\nKey Attributes: <No Attributes>\n" PUBLIC,
        "Public Key Info:\r\n\tAlgorithm: EdDSA\r\n\r\n" PUBLIC,
        "# -----BEGIN PUBLIC KEY----- follows\n" PUBLIC "\n\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        AUTO(sign_key) k = NULL;
        ASSERT_OK(sign_key_parse(bytes_str(good[i]), "a", &k, &e));
    }
    must_fail(bytes_str("text\n" PUBLIC "text\n"), NULL, ERR_FORMAT, "behind");
    must_fail(bytes_str("text\n" PUBLIC PUBLIC), NULL, ERR_FORMAT, "behind");
    must_fail(bytes_str("text\n-----BEGIN PUBLIC KEY-----\nte:xt\n-----END PUBLIC KEY-----\n"), NULL,
              ERR_FORMAT, "base64");
    must_fail(bytes_str("text\n-----BEGIN CERTIFICATE-----\n" PUBLIC), NULL, ERR_UNSUPPORTED, "certificate");
    must_fail(bytes_str("text -----BEGIN PUBLIC KEY-----\n"), NULL, ERR_FORMAT, "not a key file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_sec1),
        cmocka_unit_test(test_sec1_parameters),
        scratch_test(test_pkcs1),
        scratch_test(test_encrypted),
        scratch_test(test_cost),
        scratch_test(test_broken),
        cmocka_unit_test(test_text_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
