/* SPDX-License-Identifier: Apache-2.0 */
/* SSHSIG: what ssh-keygen takes and makes, and every way of not being a signature of this by one of these. */
#include "tests/unit/sign_fixture.h"
#include "tests/unit/sign_tool.h"

#include "base/limits.h"
#include "sign/content.h"
#include "sign/signers.h"
#include "sign/sshkey.h"
#include "sign/sshsig.h"
#include "sign/sshwire.h"

#define MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define NOW      1800000000

static const enum sign_key_type types[] = {SIGN_KEY_ED25519, SIGN_KEY_P256, SIGN_KEY_P384, SIGN_KEY_RSA};

static struct sign_subject subject_of(struct bytes content, const char *media_type)
{
    struct err e = ERR_INIT;
    struct sign_subject s = {.size = content.len, .media_type = media_type, .content = content};
    ASSERT_OK(hash_bytes(HASH_SHA256, content, &s.digest, &e));
    return s;
}

static struct sign_product make(const struct sign_subject *subject, const struct sign_key *k)
{
    struct err e = ERR_INIT;
    struct sign_product p;
    const struct sign_order order = {.subject = subject, .key = k, .now = NOW};
    ASSERT_OK(sign_ssh.make(&order, &p, &e));
    return p;
}

/* The verdict of the row "ssh" on the text, and its reason. */
static int judge(struct bytes text, const struct sign_subject *subject, const struct sign_trust *trust,
                 char *reason, char *who)
{
    struct err e = ERR_INIT;
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    const struct sign_carrier c = {.media_type = SIGN_SSHSIG_TYPE, .artifact_type = "", .blob = text};
    ASSERT_OK(sign_ssh.judge(&c, subject, trust, &report, &e));
    assert_int_equal(report.n, 1);
    assert_int_equal(report.checks[0].ok, report.checks[0].code == 0);
    if (reason)
        (void)snprintf(reason, ERR_MSG_MAX, "%s", report.checks[0].text);
    if (who)
        (void)snprintf(who, 256, "%s", report.checks[0].key);
    sign_report_settle(&report);
    return report.verdict;
}

static struct sign_trust trust_in(struct sign_key **k, size_t n)
{
    return (struct sign_trust){.keys = {k, n}, .now = NOW};
}

static void test_both_ways(void **state)
{
    (void)state;
    const struct sign_subject file = subject_of(BYTES_LIT("content"), "");
    const struct sign_subject manifest = subject_of(BYTES_LIT("content"), MANIFEST);
    const struct sign_subject other = subject_of(BYTES_LIT("other"), MANIFEST);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct err e = ERR_INIT;
        struct sign_key *k = NULL, *stranger = NULL;
        char why[ERR_MSG_MAX];
        ASSERT_OK(sign_key_generate(types[i], &k, &e));
        ASSERT_OK(sign_key_generate(types[i], &stranger, &e));
        const struct sign_trust t = trust_in(&k, 1), none = trust_in(&stranger, 1);
        AUTO_DONE(sign_product) p = make(&manifest, k);
        AUTO_DONE(sign_product) f = make(&file, k);
        const struct bytes text = buf_bytes(&p.blob);
        assert_true(sign_ssh.detect(p.media_type, p.artifact_type) && sign_ssh.detect("", p.artifact_type));
        assert_false(sign_ssh.detect("text/plain", p.artifact_type));
        assert_true(sign_format_of_file(text) == &sign_ssh);
        assert_int_equal(judge(text, &manifest, &t, NULL, NULL), 0);
        assert_int_equal(judge(buf_bytes(&f.blob), &file, &t, NULL, NULL), 0);
        assert_int_equal(judge(text, &other, &t, NULL, NULL), ERR_UNTRUSTED); /* of something else */
        assert_int_equal(judge(text, &manifest, &none, why, NULL), ERR_UNTRUSTED);
        assert_non_null(strstr(why, "which is not trusted"));
        assert_int_equal(judge(text, &file, &t, why, NULL), ERR_UNTRUSTED); /* a manifest's is no file's */
        assert_non_null(strstr(why, "made for \"wasm-oci\" and not for \"file\""));
        assert_int_equal(judge(buf_bytes(&f.blob), &manifest, &t, NULL, NULL), ERR_UNTRUSTED);
        sign_key_free(k);
        sign_key_free(stranger);
    }
}

/* Every text that is cut off, and every one with a bit flipped. */
static void test_damaged(void **state)
{
    (void)state;
    struct sign_key *k = fixture_key(7);
    const struct sign_subject s = subject_of(BYTES_LIT("content"), MANIFEST);
    const struct sign_trust t = trust_in(&k, 1);
    AUTO_DONE(sign_product) p = make(&s, k);
    for (size_t n = 0; n + 1 < p.blob.len; n++)
        assert_int_not_equal(judge(bytes_of(p.blob.ptr, n), &s, &t, NULL, NULL), 0);
    for (size_t i = 0; i + 1 < p.blob.len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            p.blob.ptr[i] ^= (uint8_t)(1U << bit);
            if (judge(buf_bytes(&p.blob), &s, &t, NULL, NULL) == 0)
                fail_msg("byte %zu bit %u", i, bit);
            p.blob.ptr[i] ^= (uint8_t)(1U << bit);
        }
    buf_append_str(&p.blob, "x");
    assert_int_equal(judge(buf_bytes(&p.blob), &s, &t, NULL, NULL), ERR_FORMAT);
    p.blob.len--;
    AUTO_DONE(buf) twice = BUF_INIT(8192);
    buf_append_bytes(&twice, buf_bytes(&p.blob));
    buf_append_bytes(&twice, buf_bytes(&p.blob));
    assert_int_equal(judge(buf_bytes(&twice), &s, &t, NULL, NULL), ERR_FORMAT); /* two signatures */
    AUTO_DONE(buf) huge = BUF_INIT(1U << 20);
    for (size_t i = 0; i <= LIMIT_SSH_SIGNATURE; i++)
        buf_append_u8(&huge, 'A');
    assert_int_equal(judge(buf_bytes(&huge), &s, &t, NULL, NULL), ERR_LIMIT);
    sign_key_free(k);
}

/* A signature put together by hand, so that each member can be wrong. */
struct members {
    uint32_t version;
    const char *name_space, *reserved, *hash, *algorithm, *tail;
};

static void put_by_hand(const struct members *p, const struct sign_key *k, const struct sign_subject *s,
                        struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) blob = BUF_INIT(8192);
    AUTO_DONE(buf) part = BUF_INIT(4096);
    AUTO_DONE(buf) told = BUF_INIT(4096);
    AUTO_DONE(buf) raw = BUF_INIT(4096);
    AUTO_DONE(buf) text = BUF_INIT(16384);
    char digest[DIGEST_STR_MAX];
    struct digest d;
    ASSERT_OK(hash_bytes(HASH_SHA512, bytes_str(digest_str(&s->digest, digest)), &d, &e));
    buf_append_str(&told, "SSHSIG");
    sign_sshwire_put_string(&told, bytes_str(p->name_space));
    sign_sshwire_put_string(&told, bytes_str(p->reserved));
    sign_sshwire_put_string(&told, bytes_str(p->hash));
    sign_sshwire_put_string(&told, bytes_of(d.value, HASH_SHA512_LEN));
    ASSERT_OK(sign_key_sign(k, buf_bytes(&told), &raw, &e));
    buf_append_str(&blob, "SSHSIG");
    sign_sshwire_put_u32(&blob, p->version);
    sign_sshkey_put(k, &part);
    sign_sshwire_put_string(&blob, buf_bytes(&part));
    sign_sshwire_put_string(&blob, bytes_str(p->name_space));
    sign_sshwire_put_string(&blob, bytes_str(p->reserved));
    sign_sshwire_put_string(&blob, bytes_str(p->hash));
    buf_reset(&part);
    sign_sshwire_put_string(&part, bytes_str(p->algorithm));
    sign_sshwire_put_string(&part, buf_bytes(&raw));
    sign_sshwire_put_string(&blob, buf_bytes(&part));
    buf_append_str(&blob, p->tail);
    b64_encode(B64_STD, buf_bytes(&blob), &text);
    buf_printf(out, "-----BEGIN SSH SIGNATURE-----\n%s\n-----END SSH SIGNATURE-----\n", buf_cstr(&text));
    ASSERT_OK(buf_check(out, &e));
}

static void test_members(void **state)
{
    (void)state;
    static const struct {
        struct members parts;
        int want;
        const char *text;
    } cases[] = {
        {{1, "wasm-oci", "", "sha512", "ssh-ed25519", ""}, 0, "signed"},
        {{0, "wasm-oci", "", "sha512", "ssh-ed25519", ""}, ERR_UNTRUSTED, "version 0"},
        {{2, "wasm-oci", "", "sha512", "ssh-ed25519", ""}, ERR_UNTRUSTED, "version 2"},
        {{1, "", "", "sha512", "ssh-ed25519", ""}, ERR_FORMAT, "no namespace"},
        {{1, "git", "", "sha512", "ssh-ed25519", ""}, ERR_UNTRUSTED, "made for \"git\""},
        {{1, "wasm-oci2", "", "sha512", "ssh-ed25519", ""}, ERR_UNTRUSTED, "made for \"wasm-oci2\""},
        {{1, "\033[2J", "", "sha512", "ssh-ed25519", ""}, ERR_UNTRUSTED, "made for \"\\x1b[2J\""},
        {{1, "wasm-oci", "r", "sha512", "ssh-ed25519", ""}, ERR_UNTRUSTED, "reserved"},
        {{1, "wasm-oci", "", "sha1", "ssh-ed25519", ""}, ERR_UNTRUSTED, "hash \"sha1\""},
        {{1, "wasm-oci", "", "sha384", "ssh-ed25519", ""}, ERR_UNTRUSTED, "hash \"sha384\""},
        {{1, "wasm-oci", "", "SHA512", "ssh-ed25519", ""}, ERR_UNTRUSTED, "hash \"SHA512\""},
        {{1, "wasm-oci", "", "sha512", "ssh-rsa", ""}, ERR_UNTRUSTED, "SHA-1"},
        {{1, "wasm-oci", "", "sha512", "rsa-sha2-512", ""}, ERR_FORMAT, "by a key for ed25519"},
        {{1, "wasm-oci", "", "sha512", "webauthn", ""}, ERR_UNTRUSTED, "webauthn"},
        {{1, "wasm-oci", "", "sha512", "ssh-ed25519", "x"}, ERR_FORMAT, "trailing"},
    };
    struct sign_key *k = fixture_key(7);
    const struct sign_subject s = subject_of(BYTES_LIT("content"), MANIFEST);
    const struct sign_trust t = trust_in(&k, 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_DONE(buf) text = BUF_INIT(16384);
        char why[ERR_MSG_MAX];
        put_by_hand(&cases[i].parts, k, &s, &text);
        int got = judge(buf_bytes(&text), &s, &t, why, NULL);
        if (got != cases[i].want || !strstr(why, cases[i].text))
            fail_msg("case %zu: %s: %s", i, err_name(got), why);
    }
    sign_key_free(k);
}

/* A certificate is refused, whatever stands behind it. */
static void test_certificate(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) blob = BUF_INIT(256);
    AUTO_DONE(sign_sshkey) k = {.key = NULL};
    sign_sshwire_put_string(&blob, BYTES_LIT("ssh-ed25519-cert-v01@openssh.com"));
    ASSERT_ERR(sign_sshkey_parse(buf_bytes(&blob), &k, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.msg, "certificate"));
}

static struct sign_signers *signers_of(const char *format, const struct sign_key *k)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) line = BUF_INIT(8192);
    AUTO_DONE(buf) text = BUF_INIT(8192);
    struct sign_signers *s = NULL;
    ASSERT_OK(sign_sshkey_write(k, "a comment", &line, &e));
    buf_printf(&text, format, buf_cstr(&line));
    ASSERT_OK(sign_signers_parse(buf_bytes(&text), "allowed", &s, &e));
    return s;
}

static void test_allowed(void **state)
{
    (void)state;
    const struct sign_identity alice = {.subject = "alice@example.com"};
    const struct sign_identity expr = {.subject = "alice@.*", .subject_is_pattern = true};
    const struct sign_identity keyless = {.issuer = "https://issuer", .subject = "alice@example.com"};
    const struct {
        const char *line;
        const struct sign_identity *who;
        int want;
        const char *text;
    } cases[] = {
        {"alice@example.com %s", NULL, 0, "alice@example.com"},
        {"alice@example.com %s", &alice, 0, "alice@example.com"},
        {"alice@example.com %s", &expr, 0, "alice@example.com"},
        {"bob@x,alice@example.com %s", &expr, 0, "alice@example.com"},
        {"*@example.com %s", &alice, 0, "alice@example.com"},
        {"*@example.com %s", &expr, ERR_UNTRUSTED, "who is not asked for"},
        {"alice@example.com %s", &keyless, ERR_UNTRUSTED, "who is not asked for"},
        {"bob@example.com %s", &alice, ERR_UNTRUSTED, "by bob@example.com, who is not asked for"},
        {"!alice@example.com,*@example.com %s", &alice, ERR_UNTRUSTED, "who is not asked for"},
        {"\"alice@example.com\" %s", &alice, 0, "alice@example.com"},
        {"a namespaces=\"wasm-oci\" %s", NULL, 0, "a"},
        {"a namespaces=\"git,wasm-*\" %s", NULL, 0, "a"},
        {"a Namespaces=\"wasm-oci\",valid-before=\"20991231Z\" %s", NULL, 0, "a"},
        {"a namespaces=\"git,file\" %s", NULL, ERR_UNTRUSTED, "may not sign for \"wasm-oci\""},
        {"a namespaces=\"!wasm-oci,*\" %s", NULL, ERR_UNTRUSTED, "may not sign for"},
        {"a valid-before=\"20200101\" %s", NULL, ERR_EXPIRED, "has expired (line 1 of allowed)"},
        {"a valid-after=\"20990101Z\" %s", NULL, ERR_EXPIRED, "not valid yet"},
        {"a valid-after=\"20270115080000Z\" %s", NULL, 0, "a"}, /* NOW, to the second */
        {"a valid-after=\"20270115080001Z\" %s", NULL, ERR_EXPIRED, "not valid yet"},
        {"a valid-before=\"20270115080000UTC\" %s", NULL, 0, "a"},
        {"a valid-before=\"20270115075959Z\" %s", NULL, ERR_EXPIRED, "has expired"},
        {"a valid-before=\"202701150759Z\" %s", NULL, ERR_EXPIRED, "has expired"},
        {"a cert-authority %s", NULL, ERR_UNTRUSTED, "certificates"},
        {"# a comment\n\n\t a valid-before=\"20200101\" %s\n", NULL, ERR_EXPIRED, "(line 3 of allowed)"},
        {"\r\na %s\r\n", NULL, 0, "a"},
    };
    struct sign_key *k = fixture_key(7);
    AUTO(sign_key) other = fixture_key(8);
    const struct sign_subject s = subject_of(BYTES_LIT("content"), MANIFEST);
    AUTO_DONE(sign_product) p = make(&s, k);
    AUTO_DONE(sign_product) stranger = make(&s, other);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(sign_signers) signers = signers_of(cases[i].line, k);
        char why[ERR_MSG_MAX], who[256];
        const struct sign_trust t = {
            .signers = signers, .now = NOW, .identities = cases[i].who, .n_identities = cases[i].who != NULL};
        int got = judge(buf_bytes(&p.blob), &s, &t, why, who);
        if (got != cases[i].want || (got ? !strstr(why, cases[i].text) : strcmp(who, cases[i].text) != 0))
            fail_msg("case %zu: %s: %s, by %s", i, err_name(got), why, who);
        assert_int_equal(judge(buf_bytes(&stranger.blob), &s, &t, why, NULL), ERR_UNTRUSTED);
        assert_non_null(strstr(why, "which allowed does not name"));
    }
    sign_key_free(k);
}

static void test_bad_signers(void **state)
{
    (void)state;
#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEIBW6vXoW2QBKAOsWGt5pNeJHdMxmpX5EjWlRLPSt3N"
    static const char *const bad[] = {
        "",
        "# nobody\n\n",
        "alice",
        "alice ssh-ed25519",
        "alice ssh-ed25519 !!!!",
        "alice ssh-ed25519 ====",
        "alice ssh-ed25519 AAAA",
        "alice ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIEIBW6vXoW2QBKAOsWGt5pNeJHdMxmpX5EjWlRLPSt3N",
        "\"alice " KEY,
        "alice namespaces " KEY,
        "alice namespaces=\"\" " KEY,
        "alice namespaces=git " KEY,
        "alice namespaces=\"a\",namespaces=\"b\" " KEY,
        "alice namespaces=\"a\", " KEY,
        "alice namespaces=\"a\"x " KEY,
        "alice unknown=\"a\" " KEY,
        "alice no-touch-required " KEY,
        "alice cert-authority=\"x\" " KEY,
        "alice valid-before " KEY,
        "alice valid-before=\"2020\" " KEY,
        "alice valid-before=\"20201301\" " KEY,
        "alice valid-before=\"20200101+02\" " KEY,
        "alice valid-before=\"20200101\",valid-before=\"20200101\" " KEY,
        "alice valid-after=\"20210101\",valid-before=\"20200101\" " KEY,
        "ok@x " KEY "\nalice \033 " KEY,
        "ok@x " KEY "\n\xff\xfe " KEY,
        "\"\" " KEY,
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = ERR_INIT;
        struct sign_signers *s = NULL;
        int r = sign_signers_parse(bytes_str(bad[i]), "allowed", &s, &e);
        if (r != ERR_CONFIG || s || strncmp(e.msg, "allowed:", 8) != 0)
            fail_msg("case %zu: %s: %s", i, err_name(r), e.msg);
    }
    struct err e = ERR_INIT;
    AUTO_DONE(buf) text = BUF_INIT(4U << 20);
    struct sign_signers *s = NULL;
    for (size_t i = 0; i <= LIMIT_SIGNER_LINES; i++)
        buf_append_str(&text, "a " KEY "\n");
    ASSERT_ERR(sign_signers_parse(buf_bytes(&text), "allowed", &s, &e), ERR_LIMIT);
    text.len = LIMIT_SIGNERS + 1 < text.len ? LIMIT_SIGNERS + 1 : text.len;
    ASSERT_ERR(sign_signers_parse(buf_bytes(&text), "allowed", &s, &e), ERR_LIMIT);
    text.ptr[50] = 0; /* a NUL in a line */
    ASSERT_ERR(sign_signers_parse(bytes_of(text.ptr, 100), "allowed", &s, &e), ERR_CONFIG);
}

/* Patterns that take exponential time in a matcher that goes back to each star. */
static void test_patterns(void **state)
{
    (void)state;
    char text[2001], pattern[2001];
    memset(text, 'a', 2000);
    for (size_t i = 0; i < 2000; i++)
        pattern[i] = i % 2 ? '*' : 'a';
    pattern[1999] = 'b';
    text[2000] = pattern[2000] = 0;
    assert_false(sign_signers_match(bytes_str(pattern), bytes_str(text)));
    assert_true(sign_signers_match(BYTES_LIT("*"), BYTES_LIT("")));
    assert_true(sign_signers_match(BYTES_LIT("a*c?e"), BYTES_LIT("abbbcde")));
    assert_false(sign_signers_match(BYTES_LIT("a*c?e"), BYTES_LIT("abbbce")));
    assert_false(sign_signers_match(BYTES_LIT(""), BYTES_LIT("")));
    assert_false(sign_signers_match(BYTES_LIT(",,!x"), BYTES_LIT("x")));
}

/* PROTOCOL.u2f, with a token of our own: its key, its application, touched or not. */
static void test_token(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(9);
    AUTO_DONE(buf) blob = BUF_INIT(512);
    AUTO_DONE(sign_sshkey) token = {.key = NULL};
    AUTO(sign_key) plain = NULL;
    sign_sshwire_put_string(&blob, BYTES_LIT("sk-ssh-ed25519@openssh.com"));
    sign_sshwire_put_string(&blob, sign_key_public(k));
    sign_sshwire_put_string(&blob, BYTES_LIT("ssh:"));
    ASSERT_OK(sign_sshkey_parse(buf_bytes(&blob), &token, &e));
    assert_true(token.on_device);
    ASSERT_ERR(sign_sshkey_read(buf_bytes(&blob), &plain, &e), ERR_UNSUPPORTED);
    for (unsigned flags = 0; flags < 2; flags++) {
        AUTO_DONE(buf) told = BUF_INIT(128);
        AUTO_DONE(buf) raw = BUF_INIT(128);
        AUTO_DONE(buf) sig = BUF_INIT(256);
        const uint8_t tail[5] = {(uint8_t)flags, 0, 0, 0, 42};
        struct digest d;
        bool good = false;
        ASSERT_OK(hash_bytes(HASH_SHA256, BYTES_LIT("ssh:"), &d, &e));
        buf_append(&told, d.value, 32);
        buf_append(&told, tail, 5);
        ASSERT_OK(hash_bytes(HASH_SHA256, BYTES_LIT("message"), &d, &e));
        buf_append(&told, d.value, 32);
        ASSERT_OK(sign_key_sign(k, buf_bytes(&told), &raw, &e));
        sign_sshwire_put_string(&sig, BYTES_LIT("sk-ssh-ed25519@openssh.com"));
        sign_sshwire_put_string(&sig, buf_bytes(&raw));
        buf_append(&sig, tail, 5);
        int r = sign_sshkey_verify(&token, BYTES_LIT("message"), buf_bytes(&sig), &good, &e);
        assert_int_equal(r, flags ? 0 : ERR_UNSUPPORTED);
        assert_int_equal(good, flags == 1);
        if (!flags)
            continue;
        ASSERT_OK(sign_sshkey_verify(&token, BYTES_LIT("massage"), buf_bytes(&sig), &good, &e));
        assert_false(good);
        ASSERT_ERR(
            sign_sshkey_verify(&token, BYTES_LIT("message"), bytes_of(sig.ptr, sig.len - 1), &good, &e),
            ERR_FORMAT);
    }
}

static void test_orders(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(7);
    const struct sign_subject s = subject_of(BYTES_LIT("content"), MANIFEST);
    const struct sign_pair pair = {"a", "b"};
    const struct sign_order orders[] = {
        {.subject = &s, .key = k, .statement = BYTES_LIT("{}")},
        {.subject = &s, .key = k, .annotations = &pair, .n_annotations = 1},
        {.subject = &s, .key = k, .now = NOW, .expires_at = NOW + 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        AUTO_DONE(sign_product) p;
        ASSERT_ERR(sign_ssh.make(&orders[i], &p, &e), ERR_UNSUPPORTED);
    }
    const struct sign_order empty = {.subject = &s, .key = k, .ssh_namespace = ""};
    AUTO_DONE(sign_product) p;
    ASSERT_ERR(sign_ssh.make(&empty, &p, &e), ERR_USAGE);
}

/* What is demanded to be signed along is not. */
static void test_annotations(void **state)
{
    (void)state;
    struct sign_key *k = fixture_key(7);
    const struct sign_subject s = subject_of(BYTES_LIT("content"), MANIFEST);
    const struct sign_pair pair = {"a", "b"};
    struct sign_trust t = trust_in(&k, 1);
    AUTO_DONE(sign_product) p = make(&s, k);
    t.annotations = &pair;
    t.n_annotations = 1;
    assert_int_equal(judge(buf_bytes(&p.blob), &s, &t, NULL, NULL), ERR_POLICY);
    sign_key_free(k);
}

/* ssh-keygen takes what is written here and the other way round: as the header describes it, byte for byte.
 */
static void test_ssh_keygen(void **state)
{
    const struct scratch *dir = *state;
    static const char *const args[][2] = {
        {"ed25519", "256"}, {"ecdsa", "256"}, {"ecdsa", "384"}, {"rsa", "2048"}};
    char digest[DIGEST_STR_MAX];
    const struct sign_subject s = subject_of(BYTES_LIT("content"), MANIFEST);
    scratch_write(dir, "digest", bytes_str(digest_str(&s.digest, digest)));
    for (size_t i = 0; i < ARRAY_LEN(args); i++) {
        struct err e = ERR_INIT;
        struct sign_key *k = NULL;
        uint8_t raw[8192];
        AUTO_DONE(buf) allowed = BUF_INIT(8192);
        char name[8];
        (void)snprintf(name, sizeof(name), "k%zu", i);
        int r = TOOL(dir, NULL, "ssh-keygen", "-q", "-t", args[i][0], "-b", args[i][1], "-N", "", "-f", name);
        if (r == 127)
            skip_because("ssh-keygen is not installed");
        assert_int_equal(r, 0);
        ASSERT_OK(sign_key_parse(tool_read(dir, name, raw, sizeof(raw)), name, &k, &e));
        const struct sign_trust t = trust_in(&k, 1);
        AUTO_DONE(sign_product) p = make(&s, k);
        buf_append_str(&allowed, "me@x namespaces=\"wasm-oci\" ");
        ASSERT_OK(sign_sshkey_write(k, NULL, &allowed, &e));
        scratch_write(dir, "allowed", buf_bytes(&allowed));
        scratch_write(dir, "ours", buf_bytes(&p.blob));
        assert_int_equal(TOOL(dir, "digest", "ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", "me@x",
                              "-n", "wasm-oci", "-s", "ours"),
                         0);
        for (unsigned sha256 = 0; sha256 < 2; sha256++) {
            (void)unlinkat(dir->fd, "digest.sig", 0);
            assert_int_equal(TOOL(dir, NULL, "ssh-keygen", "-q", "-Y", "sign", "-f", name, "-n", "wasm-oci",
                                  "-O", sha256 ? "hashalg=sha256" : "hashalg=sha512", "digest"),
                             0);
            assert_int_equal(judge(tool_read(dir, "digest.sig", raw, sizeof(raw)), &s, &t, NULL, NULL), 0);
        }
        sign_key_free(k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways), cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_members),   cmocka_unit_test(test_certificate),
        cmocka_unit_test(test_allowed),   cmocka_unit_test(test_bad_signers),
        cmocka_unit_test(test_patterns),  cmocka_unit_test(test_token),
        cmocka_unit_test(test_orders),    cmocka_unit_test(test_annotations),
        scratch_test(test_ssh_keygen),
    };
    return cmocka_run_group_tests_name("sign_sshsig", tests, NULL, NULL);
}
