/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSH's key files, read and written, in the clear and encrypted; and agents, honest and not. */
#include "tests/unit/sign_fixture.h"
#include "tests/unit/sign_tool.h"

#include "base/limits.h"
#include "sign/agent.h"
#include "sign/bcrypt.h"
#include "sign/keyfile.h"
#include "sign/sshkey.h"
#include "sign/sshwire.h"

#include <pthread.h>
#include <sys/socket.h>

static const enum sign_key_type types[] = {SIGN_KEY_ED25519, SIGN_KEY_P256, SIGN_KEY_P384, SIGN_KEY_RSA};

static int say(void *ctx, bool is_new, struct buf *ret, struct err *e)
{
    (void)is_new;
    buf_append_str(ret, ctx);
    return buf_check(ret, e);
}

static char right[] = "correct horse", wrong[] = "wrong horse", empty[] = "";

/* What ssh-keygen makes, encrypted or not, is read; wrong passwords are not taken. */
static void test_read(void **state)
{
    const struct scratch *dir = *state;
    static const struct {
        const char *type, *bits, *password, *cipher;
    } cases[] = {
        {"ed25519", "256", "", "aes256-ctr"},  {"ed25519", "256", right, "aes256-ctr"},
        {"ecdsa", "256", right, "aes256-cbc"}, {"ecdsa", "384", right, "aes128-ctr"},
        {"rsa", "2048", right, "aes192-ctr"},  {"rsa", "3072", "", "aes256-ctr"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        AUTO(sign_key) pub = NULL;
        AUTO(sign_key) no = NULL;
        uint8_t raw[8192];
        char name[8], pub_name[12];
        const struct sign_password good = {say, right}, bad = {say, wrong}, none = {say, empty};
        (void)snprintf(name, sizeof(name), "k%zu", i);
        (void)snprintf(pub_name, sizeof(pub_name), "k%zu.pub", i);
        int r = TOOL(dir, NULL, "ssh-keygen", "-q", "-t", cases[i].type, "-b", cases[i].bits, "-a", "1", "-Z",
                     cases[i].cipher, "-N", cases[i].password, "-f", name);
        if (r == 127)
            skip_because("ssh-keygen is not installed");
        assert_int_equal(r, 0);
        ASSERT_OK(sign_key_parse(tool_read(dir, pub_name, raw, sizeof(raw)), pub_name, &pub, &e));
        const struct bytes file = tool_read(dir, name, raw, sizeof(raw));
        const struct sign_keyfile *kind = sign_keyfile_detect(file);
        assert_true(kind == &sign_keyfile_openssh);
        assert_int_equal(kind->is_encrypted(file), *cases[i].password != 0);
        ASSERT_OK(sign_key_open(file, name, &good, &k, &e));
        assert_true(sign_key_is_private(k) && !sign_key_is_private(pub) && sign_key_eq(k, pub));
        if (!*cases[i].password)
            continue;
        ASSERT_ERR(sign_key_open(file, name, &bad, &no, &e), ERR_AUTH);
        ASSERT_ERR(sign_key_open(file, name, &none, &no, &e), ERR_AUTH);
        ASSERT_ERR(sign_key_open(file, name, NULL, &no, &e), ERR_USAGE);
    }
}

/* What is written is read by us and by ssh-keygen. */
static void test_write(void **state)
{
    const struct scratch *dir = *state;
    const struct sign_password password = {say, right}, none = {say, empty};
    for (size_t i = 0; i <= ARRAY_LEN(types); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        AUTO(sign_key) again = NULL;
        AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_KEY_FILE);
        const struct sign_password *p = i == ARRAY_LEN(types) ? &password : NULL;
        ASSERT_OK(sign_key_generate(types[i % ARRAY_LEN(types)], &k, &e));
        ASSERT_OK(sign_keyfile_write_private(&sign_keyfile_openssh, k, p, &text, &e));
        ASSERT_OK(sign_key_open(buf_bytes(&text), "k", p, &again, &e));
        assert_true(sign_key_eq(k, again) && sign_key_is_private(again));
        scratch_write(dir, "key", buf_bytes(&text));
        assert_int_equal(fchmodat(dir->fd, "key", 0600, 0), 0);
        int r = TOOL(dir, NULL, "ssh-keygen", "-q", "-p", "-a", "1", "-P", p ? right : "", "-N", "another",
                     "-f", "key");
        if (r != 127)
            assert_int_equal(r, 0);
        assert_int_not_equal(TOOL(dir, NULL, "ssh-keygen", "-y", "-P", right, "-f", "key"), 0);
        if (r != 127)
            assert_int_equal(TOOL(dir, NULL, "ssh-keygen", "-y", "-P", "another", "-f", "key"), 0);
        buf_reset(&text);
        ASSERT_ERR(sign_keyfile_write_private(&sign_keyfile_openssh, k, &none, &text, &e), ERR_USAGE);
    }
}

/* Cut off anywhere, and with bits flipped, it is no key, or the very same one (its comment, the number
 * that says whether the password was right are not covered by anything). */
static void test_damaged(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(3);
    AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    ASSERT_OK(sign_keyfile_write_private(&sign_keyfile_openssh, k, NULL, &text, &e));
    for (size_t i = 0; i + 1 < text.len; i++) {
        AUTO(sign_key) no = NULL;
        if (sign_key_parse(bytes_of(text.ptr, i), "k", &no, &e) == 0)
            fail_msg("cut at %zu", i);
        for (unsigned bit = i % 2; bit < 8; bit += 3) {
            AUTO(sign_key) other = NULL;
            text.ptr[i] ^= (uint8_t)(1U << bit);
            if (sign_key_parse(buf_bytes(&text), "k", &other, &e) == 0)
                assert_true(sign_key_eq(k, other));
            text.ptr[i] ^= (uint8_t)(1U << bit);
        }
    }
}

static void put_file(const char *cipher, const char *kdf, uint32_t rounds, uint32_t n, struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(3);
    AUTO_DONE(buf) raw = BUF_INIT(1024);
    AUTO_DONE(buf) part = BUF_INIT(1024);
    AUTO_DONE(buf) text = BUF_INIT(4096);
    buf_append(&raw, "openssh-key-v1", 15);
    sign_sshwire_put_string(&raw, bytes_str(cipher));
    sign_sshwire_put_string(&raw, bytes_str(kdf));
    if (rounds) {
        sign_sshwire_put_string(&part, BYTES_LIT("0123456789abcdef"));
        sign_sshwire_put_u32(&part, rounds);
    }
    sign_sshwire_put_string(&raw, buf_bytes(&part));
    sign_sshwire_put_u32(&raw, n);
    buf_reset(&part);
    sign_sshkey_put(k, &part);
    sign_sshwire_put_string(&raw, buf_bytes(&part));
    sign_sshwire_put_string(&raw, BYTES_LIT("0123456789abcdef"));
    b64_encode(B64_STD, buf_bytes(&raw), &text);
    buf_printf(out, "-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n-----END OPENSSH PRIVATE KEY-----\n",
               buf_cstr(&text));
    ASSERT_OK(buf_check(out, &e));
}

/* A file may name any cost, any cipher and any number of keys. */
static void test_hostile(void **state)
{
    (void)state;
    static const struct {
        const char *cipher, *kdf;
        uint32_t rounds, n;
        int want;
    } cases[] = {
        {"aes256-ctr", "bcrypt", 0xffffffff, 1, ERR_LIMIT}, {"aes256-ctr", "bcrypt", 1025, 1, ERR_LIMIT},
        {"aes256-ctr", "bcrypt", 0, 1, ERR_FORMAT},         {"aes256-ctr", "scrypt", 16, 1, ERR_UNSUPPORTED},
        {"aes256-ctr", "none", 0, 1, ERR_UNSUPPORTED},      {"none", "bcrypt", 16, 1, ERR_FORMAT},
        {"des", "bcrypt", 16, 1, ERR_UNSUPPORTED},          {"none", "none", 0, 0, ERR_UNSUPPORTED},
        {"none", "none", 0, 0xffffffff, ERR_UNSUPPORTED},   {"none", "none", 0, 1, ERR_FORMAT},
        {"aes256-ctr", "bcrypt", 1, 1, ERR_AUTH},
    };
    const struct sign_password password = {say, right};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) text = BUF_INIT(8192);
        AUTO(sign_key) k = NULL;
        put_file(cases[i].cipher, cases[i].kdf, cases[i].rounds, cases[i].n, &text);
        int r = sign_key_open(buf_bytes(&text), "k", &password, &k, &e);
        if (r != cases[i].want)
            fail_msg("case %zu: %s: %s", i, err_name(r), e.msg);
    }
}

static void test_public(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        AUTO(sign_key) again = NULL;
        AUTO(sign_key) no = NULL;
        AUTO_DONE(buf) line = BUF_INIT(8192);
        ASSERT_OK(sign_key_generate(types[i], &k, &e));
        ASSERT_OK(sign_sshkey_write(k, "me@example.com", &line, &e));
        ASSERT_OK(sign_key_parse(buf_bytes(&line), "k.pub", &again, &e));
        assert_true(sign_key_eq(k, again));
        for (size_t n = 0; n + strlen(" me@example.com\n") < line.len; n++)
            if (sign_key_parse(bytes_of(line.ptr, n), "k", &no, &e) == 0)
                fail_msg("cut at %zu", n);
        ASSERT_OK(sign_sshkey_write(k, NULL, &line, &e));
        ASSERT_ERR(sign_key_parse(buf_bytes(&line), "k.pub", &no, &e), ERR_FORMAT); /* two keys */
    }
}

/* What an agent of the test answers: `answer` in the place of its answer to message number `at`. */
struct agent {
    int fd;
    const struct sign_key *key;
    unsigned at;
    struct bytes answer;
    bool hangs;
};

static bool read_all(int fd, uint8_t *to, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t k = read(fd, to + got, n - got);
        if (k <= 0)
            return false;
        got += (size_t)k;
    }
    return true;
}

static void answer(const struct agent *a, struct bytes request, struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) blob = BUF_INIT(4096);
    AUTO_DONE(buf) raw = BUF_INIT(4096);
    AUTO_DONE(buf) sig = BUF_INIT(4096);
    uint8_t type = 0;
    struct bytes key = BYTES_NONE, data = BYTES_NONE;
    uint32_t flags = 0;
    sign_sshkey_put(a->key, &blob);
    (void)bytes_take_u8(&request, &type);
    if (type == 11) {
        buf_append_u8(out, 12);
        sign_sshwire_put_u32(out, 2);
        sign_sshwire_put_string(out, BYTES_LIT("\0\0\0\7ssh-dss")); /* one that is of no use */
        sign_sshwire_put_string(out, BYTES_LIT("old"));
        sign_sshwire_put_string(out, buf_bytes(&blob));
        sign_sshwire_put_string(out, BYTES_LIT("a comment"));
        return;
    }
    assert_true(type == 13 && sign_sshwire_take_string(&request, &key) &&
                sign_sshwire_take_string(&request, &data) && sign_sshwire_take_u32(&request, &flags));
    assert_true(bytes_eq(key, buf_bytes(&blob)));
    struct sign_scheme scheme = sign_sshkey_scheme(a->key);
    if (flags == 2)
        scheme.hash = HASH_SHA256;
    ASSERT_OK(sign_key_sign_as(a->key, scheme, data, &raw, &e));
    ASSERT_OK(sign_sshkey_put_signature(a->key, scheme, buf_bytes(&raw), &sig, &e));
    buf_append_u8(out, 14);
    sign_sshwire_put_string(out, buf_bytes(&sig));
}

static void *serve(void *ctx)
{
    const struct agent *a = ctx;
    uint8_t head[4], request[8192];
    for (unsigned n = 0; read_all(a->fd, head, 4); n++) {
        AUTO_DONE(buf) body = BUF_INIT(8192);
        AUTO_DONE(buf) framed = BUF_INIT(8192);
        size_t len = (size_t)head[2] << 8 | head[3];
        if (len > sizeof(request) || !read_all(a->fd, request, len))
            break;
        if (n == a->at) {
            if (!a->hangs) {
                ssize_t wrote = write(a->fd, a->answer.ptr, a->answer.len);
                (void)wrote;
                (void)shutdown(a->fd, SHUT_RDWR);
            }
            continue;
        }
        answer(a, bytes_of(request, len), &body);
        sign_sshwire_put_string(&framed, buf_bytes(&body));
        ssize_t wrote = write(a->fd, framed.ptr, framed.len);
        (void)wrote;
    }
    (void)close(a->fd);
    return NULL;
}

/* Asks an agent for the key and for a signature of that scheme; the first failure. */
static int use_agent(struct agent *a, struct sign_scheme scheme, bool by_fingerprint, int timeout_ms,
                     struct err *e)
{
    int pair[2];
    pthread_t thread;
    struct sign_agent *client = NULL;
    struct sign_key *k = NULL;
    AUTO_DONE(buf) sig = BUF_INIT(4096);
    AUTO_DONE(buf) blob = BUF_INIT(4096);
    char id[SIGN_SSH_FINGERPRINT_MAX];
    bool good = false;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    a->fd = pair[1];
    assert_int_equal(pthread_create(&thread, NULL, serve, a), 0);
    int r = sign_agent_new(pair[0], timeout_ms, &client, e);
    assert_int_equal(r, 0);
    sign_sshkey_put(a->key, &blob);
    r = by_fingerprint
            ? sign_agent_find(client, sign_sshkey_fingerprint(buf_bytes(&blob), id), "agent", &k, e)
            : sign_agent_key(client, a->key, "agent", &k, e);
    if (!r)
        r = sign_key_sign_as(k, scheme, BYTES_LIT("message"), &sig, e);
    if (!r) {
        assert_int_equal(sign_key_verify_as(a->key, scheme, BYTES_LIT("message"), buf_bytes(&sig), &good, e),
                         0);
        assert_true(good);
    }
    sign_key_free(k);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return r;
}

static void test_agent(void **state)
{
    (void)state;
    static const struct {
        enum sign_key_type type;
        struct sign_scheme scheme;
        int want;
    } cases[] = {
        {SIGN_KEY_ED25519, {SIGN_MODE_ED25519, HASH_SHA512}, 0},
        {SIGN_KEY_ED25519, {SIGN_MODE_ED25519PH, HASH_SHA512}, ERR_UNSUPPORTED},
        {SIGN_KEY_P256, {SIGN_MODE_ECDSA_DER, HASH_SHA256}, 0},
        {SIGN_KEY_P256, {SIGN_MODE_ECDSA_RAW, HASH_SHA256}, 0},
        {SIGN_KEY_P256, {SIGN_MODE_ECDSA_DER, HASH_SHA512}, ERR_UNSUPPORTED},
        {SIGN_KEY_P384, {SIGN_MODE_ECDSA_DER, HASH_SHA384}, 0},
        {SIGN_KEY_P384, {SIGN_MODE_ECDSA_DER, HASH_SHA256}, ERR_UNSUPPORTED},
        {SIGN_KEY_RSA, {SIGN_MODE_RSA_PKCS1, HASH_SHA256}, 0},
        {SIGN_KEY_RSA, {SIGN_MODE_RSA_PKCS1, HASH_SHA512}, 0},
        {SIGN_KEY_RSA, {SIGN_MODE_RSA_PSS, HASH_SHA256}, ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = NULL;
        ASSERT_OK(sign_key_generate(cases[i].type, &k, &e));
        struct agent a = {.key = k, .at = 99};
        int r = use_agent(&a, cases[i].scheme, i % 2, 0, &e);
        if (r != cases[i].want)
            fail_msg("case %zu: %s: %s", i, err_name(r), e.msg);
    }
}

static void test_hostile_agent(void **state)
{
    (void)state;
    const struct {
        unsigned at;
        struct bytes answer;
        int want;
    } cases[] = {
        {0, BYTES_LIT(""), ERR_FORMAT},                            /* the connection ends */
        {0, BYTES_LIT("\0\0"), ERR_FORMAT},                        /* in the length */
        {0, BYTES_LIT("\0\0\0\0"), ERR_FORMAT},                    /* no type */
        {0, BYTES_LIT("\xff\xff\xff\xff\x0c"), ERR_LIMIT},         /* 4 GiB */
        {0, BYTES_LIT("\0\4\0\1\x0c"), ERR_LIMIT},                 /* 256 KiB and one */
        {0, BYTES_LIT("\0\0\0\x09\x0c\0\0"), ERR_FORMAT},          /* cut off */
        {0, BYTES_LIT("\0\0\0\1\5"), ERR_AUTH},                    /* refused */
        {0, BYTES_LIT("\0\0\0\1\x0e"), ERR_FORMAT},                /* another type */
        {0, BYTES_LIT("\0\0\0\1\x0c"), ERR_FORMAT},                /* no number */
        {0, BYTES_LIT("\0\0\0\5\x0c\0\0\0\0"), ERR_NOTFOUND},      /* no keys */
        {0, BYTES_LIT("\0\0\0\5\x0c\0\0\0\1"), ERR_FORMAT},        /* one that is not there */
        {0, BYTES_LIT("\0\0\0\5\x0c\xff\xff\xff\xff"), ERR_LIMIT}, /* 2^32 keys */
        {0, BYTES_LIT("\0\0\0\x09\x0c\0\0\0\1\xff\xff\xff\xff"), ERR_FORMAT},
        {0, BYTES_LIT("\0\0\0\6\x0c\0\0\0\0x"), ERR_FORMAT}, /* more behind the last */
        {1, BYTES_LIT("\0\0\0\1\5"), ERR_AUTH},              /* the user says no */
        {1, BYTES_LIT("\0\0\0\5\x0e\0\0\0\0"), ERR_FORMAT},  /* an empty signature */
        {1, BYTES_LIT("\0\0\0\5\x0e\xff\xff\xff\xff"), ERR_FORMAT},
        {1, BYTES_LIT("\0\0\0\1\x0e"), ERR_FORMAT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO(sign_key) k = fixture_key(5);
        struct agent a = {.key = k, .at = cases[i].at, .answer = cases[i].answer};
        int r = use_agent(&a, sign_key_scheme(k), false, 5000, &e);
        if (r != cases[i].want)
            fail_msg("case %zu: %s: %s", i, err_name(r), e.msg);
    }
}

/* An agent that says nothing, and one whose signature is of something else. */
static void test_agent_lies(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(5);
    AUTO_DONE(buf) body = BUF_INIT(512);
    AUTO_DONE(buf) framed = BUF_INIT(512);
    AUTO_DONE(buf) sig = BUF_INIT(512);
    AUTO_DONE(buf) raw = BUF_INIT(512);
    struct agent silent = {.key = k, .at = 0, .hangs = true};
    assert_int_equal(use_agent(&silent, sign_key_scheme(k), false, 100, &e), ERR_TIMEOUT);
    ASSERT_OK(sign_key_sign(k, BYTES_LIT("another message"), &raw, &e));
    ASSERT_OK(sign_sshkey_put_signature(k, sign_key_scheme(k), buf_bytes(&raw), &sig, &e));
    buf_append_u8(&body, 14);
    sign_sshwire_put_string(&body, buf_bytes(&sig));
    sign_sshwire_put_string(&framed, buf_bytes(&body));
    struct agent liar = {.key = k, .at = 1, .answer = buf_bytes(&framed)};
    assert_int_equal(use_agent(&liar, sign_key_scheme(k), false, 5000, &e), ERR_OTHER);
    assert_non_null(strstr(e.msg, "not right"));
}

/* OpenBSD's own example of bcrypt_pbkdf: "password", "salt", 4 rounds, 32 bytes. */
static void test_bcrypt(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    uint8_t out[32], want[32];
    ASSERT_OK(sign_bcrypt_derive(BYTES_LIT("password"), BYTES_LIT("salt"), 4, out, sizeof(out), &e));
    (void)unhex("5bbf0cc293587f1c3635555c27796598d47e579071bf427e9d8fbe842aba34d9", want);
    assert_memory_equal(out, want, sizeof(out));
    ASSERT_ERR(sign_bcrypt_derive(BYTES_LIT(""), BYTES_LIT("salt"), 4, out, 32, &e), ERR_LIMIT);
    ASSERT_ERR(sign_bcrypt_derive(BYTES_LIT("password"), BYTES_LIT(""), 4, out, 32, &e), ERR_LIMIT);
    ASSERT_ERR(sign_bcrypt_derive(BYTES_LIT("password"), BYTES_LIT("salt"), 0, out, 32, &e), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_read),
        scratch_test(test_write),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_public),
        cmocka_unit_test(test_agent),
        cmocka_unit_test(test_hostile_agent),
        cmocka_unit_test(test_agent_lies),
        cmocka_unit_test(test_bcrypt),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("sign_openssh", tests, NULL, NULL);
}
