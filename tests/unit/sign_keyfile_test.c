/* SPDX-License-Identifier: Apache-2.0 */
/* Key files: RFC 8410's examples, everything that is not strict, and both ways between us and openssl. */
#include "tests/unit/sign_fixture.h"

#include "base/file.h"
#include "base/limits.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define RFC8410_V1                                                       \
    "-----BEGIN PRIVATE KEY-----\n"                                      \
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n" \
    "-----END PRIVATE KEY-----\n"
#define RFC8410_V2                                                       \
    "-----BEGIN PRIVATE KEY-----\n"                                      \
    "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n" \
    "oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n" \
    "Z9w7lshQhqowtrbLDFw4rXAxZuE=\n"                                     \
    "-----END PRIVATE KEY-----\n"
#define RFC8410_PUBLIC                                               \
    "-----BEGIN PUBLIC KEY-----\n"                                   \
    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n" \
    "-----END PUBLIC KEY-----\n"

static int parse(const char *text, struct sign_key **ret, struct err *e)
{
    return sign_key_parse(bytes_str(text), "test", ret, e);
}

/* RFC 8410 section 10: the three files are one key. */
static void test_rfc8410(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) v1 = NULL;
    AUTO(sign_key) v2 = NULL;
    AUTO(sign_key) pub = NULL;
    AUTO_DONE(buf) text = BUF_SECRET_INIT(4096);
    ASSERT_OK(parse(RFC8410_V1, &v1, &e));
    ASSERT_OK(parse(RFC8410_V2, &v2, &e));
    ASSERT_OK(parse(RFC8410_PUBLIC, &pub, &e));
    assert_true(bytes_eq(sign_key_public(v1), sign_key_public(pub)));
    assert_true(bytes_eq(sign_key_public(v2), sign_key_public(pub)));
    assert_true(sign_key_is_private(v1) && sign_key_is_private(v2) && !sign_key_is_private(pub));
    assert_string_equal(sign_key_name(pub), "test");
    ASSERT_OK(sign_key_write_private(v2, &text, &e));
    assert_string_equal(buf_cstr(&text), RFC8410_V1);
    buf_reset(&text);
    ASSERT_OK(sign_key_write_public(v1, &text, &e));
    assert_string_equal(buf_cstr(&text), RFC8410_PUBLIC);
    char print[SIGN_FINGERPRINT_MAX];
    assert_string_equal(sign_key_fingerprint(v1, print),
                        "SHA256:a1e9156054e04fac899ae9f275132cdc07a5dbc4ea2c2ad3a1ffc6e0d253681f");
}

static void test_round_trip(void **state)
{
    (void)state;
    static const enum sign_key_type types[] = {SIGN_KEY_ED25519, SIGN_KEY_P256, SIGN_KEY_P384, SIGN_KEY_RSA};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        AUTO(sign_key) again = NULL;
        AUTO(sign_key) pub = NULL;
        AUTO_DONE(buf) text = BUF_SECRET_INIT(8192);
        AUTO_DONE(buf) public_text = BUF_INIT(4096);
        ASSERT_OK(sign_key_generate(types[i], &k, &e));
        ASSERT_OK(sign_key_write_private(k, &text, &e));
        ASSERT_OK(sign_key_write_public(k, &public_text, &e));
        ASSERT_OK(sign_key_parse(buf_bytes(&text), "a", &again, &e));
        ASSERT_OK(sign_key_parse(buf_bytes(&public_text), "b", &pub, &e));
        assert_true(bytes_eq(sign_key_secret(k), sign_key_secret(again)));
        assert_true(bytes_eq(sign_key_public(k), sign_key_public(again)));
        assert_true(bytes_eq(sign_key_public(k), sign_key_public(pub)));
    }
}

static void test_not_keys(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int want;
        const char *says;
    } cases[] = {
        {"", ERR_FORMAT, "not a key file"},
        {"ssh-ed25519 AAAA", ERR_FORMAT, "another type than its line says"},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ERR_UNSUPPORTED, "certificate"},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", ERR_FORMAT,
         "malformed encrypted"},
        {"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", ERR_FORMAT, "malformed EC"},
        {"-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n", ERR_UNSUPPORTED,
         "DSA PRIVATE KEY"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", ERR_FORMAT,
         "malformed OpenSSH private key"},
        {"-----BEGIN \x1b[31m-----\nAAAA\n", ERR_UNSUPPORTED, "\\x1b"},
        {"-----BEGIN PUBLIC KEY-----", ERR_FORMAT, "no end"},
        {"-----BEGIN PUBLIC KEY-----\nMCow\n", ERR_FORMAT, "no end"},
        {"-----BEGIN PUBLIC KEY-----\nMCow\n-----END PRIVATE KEY-----\n", ERR_FORMAT, "does not end"},
        {"-----BEGIN PUBLIC KEY-----\nProc-Type: 4\n-----END PUBLIC KEY-----\n", ERR_FORMAT, "base64"},
        {"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", ERR_FORMAT, "malformed"},
        {RFC8410_PUBLIC RFC8410_PUBLIC, ERR_FORMAT, "behind"},
        {RFC8410_PUBLIC "x", ERR_FORMAT, "behind"},
        {"x" RFC8410_PUBLIC, ERR_FORMAT, "not a key file"},
        {RFC8410_V1 RFC8410_PUBLIC, ERR_FORMAT, "behind"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        ASSERT_ERR(parse(cases[i].text, &k, &e), cases[i].want);
        if (!strstr(e.msg, cases[i].says))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, e.msg, cases[i].says);
        assert_null(k);
    }
}

/* Blanks around the block and CRLF are fine. */
static void test_blanks(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) a = NULL;
    AUTO(sign_key) b = NULL;
    ASSERT_OK(parse("\n \t\r\n" RFC8410_PUBLIC "\n\n", &a, &e));
    ASSERT_OK(parse("-----BEGIN PUBLIC KEY-----\r\n"
                    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\r\n"
                    "-----END PUBLIC KEY-----",
                    &b, &e));
    assert_true(bytes_eq(sign_key_public(a), sign_key_public(b)));
}

static int parse_der(const char *label, const char *hex, struct err *e)
{
    AUTO(sign_key) k = NULL;
    AUTO_DONE(buf) text = BUF_SECRET_INIT(8192);
    uint8_t der[512];
    buf_printf(&text, "-----BEGIN %s-----\n", label);
    b64_encode(B64_STD, unhex(hex, der), &text);
    buf_printf(&text, "\n-----END %s-----\n", label);
    assert_int_equal(text.failed, 0);
    return sign_key_parse(buf_bytes(&text), "test", &k, e);
}

#define SEED   "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"
#define PUBLIC "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"

#define X      "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
#define POINT                                                            \
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" \
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define P256_ALG   "301306072a8648ce3d020106082a8648ce3d030107"
#define P256_CURVE "a00a06082a8648ce3d030107"

static void test_private_der(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        int want;
    } cases[] = {
        {"302e020100300506032b657004220420" SEED, 0},
        {"302e020100300506032b657004220420" SEED "00", ERR_FORMAT},     /* trailing */
        {"302f020100300506032b657004220420" SEED "00", ERR_FORMAT},     /* trailing inside */
        {"302f020100300506032b657004230420" SEED "00", ERR_FORMAT},     /* trailing in the octets */
        {"302d020100300506032b65700421041f" SEED, ERR_FORMAT},          /* 31 bytes */
        {"3030020100300706032b6570050004220420" SEED, ERR_UNSUPPORTED}, /* parameters */
        {"302e020102300506032b657004220420" SEED, ERR_UNSUPPORTED},     /* version 3 */
        {"30812e020100300506032b657004220420" SEED, ERR_FORMAT},        /* long form of a short length */
        {"3051020101300506032b657004220420" SEED "812100" PUBLIC, 0},   /* version 2 */
        {"3051020100300506032b657004220420" SEED "812100" PUBLIC, ERR_FORMAT}, /* not in version 1 */
        {"3051020101300506032b657004220420" SEED "812101" PUBLIC, ERR_FORMAT}, /* unused bits */
        {"3051020101300506032b657004220420" SEED "812100" SEED, ERR_FORMAT},   /* another key's */
        {"3031020101300506032b657004220420" SEED "810100", ERR_FORMAT},        /* empty */
        {"302e020100300506032b656f04220420" SEED, ERR_UNSUPPORTED},            /* X448 */
        {"304102010030"
         "13"
         "06072a8648ce3d020106082a8648ce3d0301070427302502010104"
         "20" X,
         0},
        {"304d020100" P256_ALG "0433"
         "3031"
         "020101"
         "0420" X P256_CURVE,
         0}, /* the curve again */
        {"304d020100" P256_ALG "0433"
         "3031"
         "020101"
         "0420" X "a00a06082a8648ce3d030106",
         ERR_FORMAT},
        {"3041020100" P256_ALG "0427"
         "3025"
         "020102"
         "0420" X,
         ERR_FORMAT},
        {"308187020100" P256_ALG "046d"
         "306b"
         "020101"
         "0420" X "a144"
         "034200" POINT,
         0},
        {"308187020100" P256_ALG "046d"
         "306b"
         "020101"
         "0420" SEED "a144"
         "034200" POINT,
         ERR_FORMAT},
        {"3041020100"
         "3013"
         "06072a8648ce3d0201"
         "06082a8648ce3d030101"
         "0427302502010104"
         "20" X,
         ERR_UNSUPPORTED}, /* another curve */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        int r = parse_der("PRIVATE KEY", cases[i].hex, &e);
        if (r != cases[i].want)
            fail_msg("case %zu: %s: %s", i, err_name(r), e.msg);
    }
}

/* GnuTLS writes the number as the content of an INTEGER. */
static void test_private_der_zero(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(parse_der("PRIVATE KEY", "3042020100" P256_ALG "04283026020101042100" X, &e), 0);
    ASSERT_ERR(parse_der("PRIVATE KEY", "3042020100" P256_ALG "04283026020101042101" X, &e), ERR_FORMAT);
    ASSERT_ERR(parse_der("PRIVATE KEY", "3043020100" P256_ALG "0429302702010104220000" X, &e), ERR_FORMAT);
}

static void test_public_der(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        int want;
    } cases[] = {
        {"302a300506032b6570032100" PUBLIC, 0},
        {"302a300506032b6570032100" PUBLIC "00", ERR_FORMAT},
        {"302a300506032b6570032101" PUBLIC, ERR_FORMAT},
        {"302a300506032b6571032100" PUBLIC, ERR_UNSUPPORTED},
        {"302b300506032b6570032200" PUBLIC "00", ERR_FORMAT},
        {"302c300706032b65700500032100" PUBLIC, ERR_UNSUPPORTED},
        {"302a3005"
         "0003032b65"
         "032100" PUBLIC,
         ERR_FORMAT},
        {"3059" P256_ALG "034200" POINT, 0},
        {"3039" P256_ALG "032200"
         "0260fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
         ERR_UNSUPPORTED},
        {"3019" P256_ALG "030200"
         "00",
         ERR_FORMAT}, /* the point at infinity */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        int r = parse_der("PUBLIC KEY", cases[i].hex, &e);
        if (r != cases[i].want)
            fail_msg("case %zu: %s: %s", i, err_name(r), e.msg);
    }
}

static void test_too_large(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    AUTO_DONE(buf) text = BUF_INIT(1U << 20);
    buf_append_str(&text, "-----BEGIN PUBLIC KEY-----\n");
    while (text.len <= LIMIT_KEY_FILE)
        buf_append_str(&text, "AAAA\n");
    ASSERT_ERR(sign_key_parse(buf_bytes(&text), "big", &k, &e), ERR_LIMIT);
}

/* openssl with these arguments in the folder; false when there is no openssl. */
static bool openssl(const char *folder, const char *const *args, int *ret_status)
{
    char *argv[24] = {(char[]){"openssl"}};
    for (size_t i = 0; args[i]; i++)
        memcpy(&argv[i + 1], &args[i], sizeof(argv[0]));
    pid_t pid;
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_addchdir_np(&actions, folder), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0), 0);
    int r = posix_spawnp(&pid, "openssl", &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (r)
        return false;
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return *ret_status != 127;
}
#define OPENSSL(...)                                                                      \
    do {                                                                                  \
        int status_ = -1;                                                                 \
        assert_true(openssl(folder, (const char *const[]){__VA_ARGS__, NULL}, &status_)); \
        assert_int_equal(status_, 0);                                                     \
    } while (0)

static struct sign_key *load(int dir, const char *name)
{
    struct err e = ERR_INIT;
    struct sign_key *k = NULL;
    AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    ASSERT_OK(file_read(dir, name, true, &text, &e));
    ASSERT_OK(sign_key_parse(buf_bytes(&text), name, &k, &e));
    return k;
}

/* They verify what our.key signed, and we what it signs with them. */
static void exchange_signatures(const char *folder, int dir, const struct sign_key *k, struct sign_scheme s)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) sig = BUF_INIT(4096);
    bool good = false;
    const char *const rsa[] = {"-pkeyopt", s.mode == SIGN_MODE_RSA_PSS ? "rsa_padding_mode:pss"
                                                                       : "rsa_padding_mode:pkcs1"};
    const char *const salt[] = {"-pkeyopt", "rsa_pss_saltlen:digest"};
    const char *args[24] = {"pkeyutl", "-verify", "-inkey", "our.key", "-rawin", "-in", "message"};
    size_t n = 7;
    if (s.mode != SIGN_MODE_ED25519) {
        args[n++] = "-digest";
        args[n++] = hash_name(s.hash);
    }
    if (sign_key_type(k) == SIGN_KEY_RSA) {
        memcpy(args + n, rsa, sizeof(rsa));
        n += ARRAY_LEN(rsa);
    }
    if (s.mode == SIGN_MODE_RSA_PSS) {
        memcpy(args + n, salt, sizeof(salt));
        n += ARRAY_LEN(salt);
    }
    args[n] = "-sigfile";
    args[n + 1] = "sig";
    int status = -1;
    ASSERT_OK(sign_key_sign_as(k, s, BYTES_LIT("to be signed"), &sig, &e));
    ASSERT_OK(file_write(dir, "sig", buf_bytes(&sig), 0600, FILE_REPLACE, &e));
    assert_true(openssl(folder, args, &status));
    assert_int_equal(status, 0);
    args[1] = "-sign";
    args[n] = "-out";
    assert_true(openssl(folder, args, &status));
    assert_int_equal(status, 0);
    buf_reset(&sig);
    ASSERT_OK(file_read(dir, "sig", true, &sig, &e));
    ASSERT_OK(sign_key_verify_as(k, s, BYTES_LIT("to be signed"), buf_bytes(&sig), &good, &e));
    assert_true(good);
}

/* A key of theirs comes in; ours, and what it signs, go out; what they sign comes in. */
static void exchange(const char *folder, enum sign_key_type type)
{
    struct err e = ERR_INIT;
    AUTO_FD int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DONE(buf) out = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO(sign_key) ours = NULL;
    if (type == SIGN_KEY_ED25519)
        OPENSSL("genpkey", "-algorithm", "ed25519", "-out", "their.key");
    else if (type == SIGN_KEY_RSA)
        OPENSSL("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "their.key");
    else if (type == SIGN_KEY_P384)
        OPENSSL("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "their.key");
    else
        OPENSSL("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "their.key");
    OPENSSL("pkey", "-in", "their.key", "-pubout", "-out", "their.pub");
    AUTO(sign_key) theirs = load(dir, "their.key");
    AUTO(sign_key) public_key = load(dir, "their.pub");
    assert_int_equal(sign_key_type(theirs), type);
    assert_true(bytes_eq(sign_key_public(theirs), sign_key_public(public_key)));
    ASSERT_OK(sign_key_write_private(theirs, &out, &e));
    AUTO_DONE(buf) file = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    ASSERT_OK(file_read(dir, "their.key", true, &file, &e));
    assert_true(bytes_eq(buf_bytes(&out), buf_bytes(&file)));

    ASSERT_OK(sign_key_generate(type, &ours, &e));
    buf_reset(&out);
    ASSERT_OK(sign_key_write_private(ours, &out, &e));
    ASSERT_OK(file_write(dir, "our.key", buf_bytes(&out), 0600, FILE_REPLACE, &e));
    OPENSSL("pkey", "-in", "our.key", "-check", "-noout");
    OPENSSL("pkey", "-in", "our.key", "-pubout", "-out", "our.pub");
    AUTO(sign_key) derived = load(dir, "our.pub");
    assert_true(bytes_eq(sign_key_public(ours), sign_key_public(derived)));

    ASSERT_OK(file_write(dir, "message", BYTES_LIT("to be signed"), 0600, FILE_REPLACE, &e));
    exchange_signatures(folder, dir, ours, sign_key_scheme(ours));
    if (type == SIGN_KEY_RSA)
        exchange_signatures(folder, dir, ours, (struct sign_scheme){SIGN_MODE_RSA_PSS, HASH_SHA384});
    if (type == SIGN_KEY_P384)
        exchange_signatures(folder, dir, ours, (struct sign_scheme){SIGN_MODE_ECDSA_DER, HASH_SHA256});
}

static void test_openssl(void **state)
{
    (void)state;
    static const char *const files[] = {"their.key", "their.pub", "our.key", "our.pub", "message", "sig"};
    char folder[] = "/tmp/waybill-test-XXXXXX";
    int status;
    assert_non_null(mkdtemp(folder));
    bool there = openssl(folder, (const char *const[]){"version", NULL}, &status);
    if (there) {
        exchange(folder, SIGN_KEY_ED25519);
        exchange(folder, SIGN_KEY_P256);
        exchange(folder, SIGN_KEY_P384);
        exchange(folder, SIGN_KEY_RSA);
    }
    AUTO_FD int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        (void)unlinkat(dir, files[i], 0);
    (void)rmdir(folder);
    if (!there) {
        print_message("skipped: there is no openssl\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc8410),          cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_not_keys),         cmocka_unit_test(test_blanks),
        cmocka_unit_test(test_private_der),      cmocka_unit_test(test_public_der),
        cmocka_unit_test(test_too_large),        cmocka_unit_test(test_openssl),
        cmocka_unit_test(test_private_der_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
