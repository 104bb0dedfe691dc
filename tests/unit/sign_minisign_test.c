/* SPDX-License-Identifier: Apache-2.0 */
/* minisign: both algorithms, both signatures, key numbers, and what is none of that. */
#include "tests/unit/sign_fixture.h"

#include "base/limits.h"
#include "sign/content.h"
#include "sign/keyfile.h"
#include "sign/minisign.h"

#define NUMBER  "\1\2\3\4\5\6\7\x88"
#define COMMENT "timestamp:1700000000\tfile:a.wasm"

static void put_line(struct buf *out, const char *alg, const char *number, struct bytes rest)
{
    AUTO_DONE(buf) raw = BUF_INIT(256);
    buf_append_str(&raw, alg);
    buf_append(&raw, number, 8);
    buf_append_bytes(&raw, rest);
    b64_encode(B64_STD, buf_bytes(&raw), out);
    buf_append_u8(out, '\n');
}

/* What `minisign -S` writes, and with "Ed" what `minisign -S -l` does. told: what is really signed. */
static void put_signature(const struct sign_key *k, const char *alg, struct bytes told, const char *comment,
                          struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) sig = BUF_INIT(64);
    AUTO_DONE(buf) all = BUF_INIT(8192);
    AUTO_DONE(buf) global = BUF_INIT(64);
    struct digest d;
    ASSERT_OK(hash_bytes(HASH_BLAKE2B, told, &d, &e));
    ASSERT_OK(sign_key_sign(k, alg[1] == 'D' ? bytes_of(d.value, HASH_BLAKE2B_LEN) : told, &sig, &e));
    buf_append_bytes(&all, buf_bytes(&sig));
    buf_append_str(&all, comment);
    ASSERT_OK(sign_key_sign(k, buf_bytes(&all), &global, &e));
    buf_append_str(out, "untrusted comment: signature from a test\n");
    put_line(out, alg, NUMBER, buf_bytes(&sig));
    buf_printf(out, "trusted comment: %s\n", comment);
    b64_encode(B64_STD, buf_bytes(&global), out);
    buf_append_u8(out, '\n');
    ASSERT_OK(buf_check(out, &e));
}

static struct sign_key *public_of(const struct sign_key *k, const char *number)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) text = BUF_INIT(256);
    struct sign_key *pub = NULL;
    buf_append_str(&text, "untrusted comment: minisign public key\n");
    put_line(&text, "Ed", number, sign_key_public(k));
    ASSERT_OK(sign_key_parse(buf_bytes(&text), "ms.pub", &pub, &e));
    return pub;
}

static int judge(struct bytes text, struct bytes file, bool at_hand, struct sign_key *k,
                 struct sign_check *ret)
{
    struct err e = ERR_INIT;
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    AUTO_DONE(sign_content) content = {.size = 0};
    struct source_bytes s;
    const struct sign_carrier c = {.media_type = "", .artifact_type = "", .blob = text};
    const struct sign_trust t = {.keys = {&k, 1}, .now = 1800000000};
    ASSERT_OK(sign_content_read(source_bytes_init(&s, file), at_hand, &content, &e));
    const struct sign_subject subject = sign_content_subject(&content);
    ASSERT_OK(sign_minisign.judge(&c, &subject, &t, &report, &e));
    assert_int_equal(report.n, 1);
    *ret = report.checks[0];
    sign_report_settle(&report);
    return report.verdict;
}

static void test_good(void **state)
{
    (void)state;
    static const char *const algs[] = {"ED", "Ed"};
    AUTO(sign_key) k = fixture_key(1);
    AUTO(sign_key) pub = public_of(k, NUMBER);
    AUTO(sign_key) plain = fixture_key(1); /* of a file without a number */
    for (size_t i = 0; i < 2; i++) {
        AUTO_DONE(buf) text = BUF_INIT(4096);
        struct sign_check c;
        put_signature(k, algs[i], BYTES_LIT("content"), COMMENT, &text);
        assert_true(sign_format_of_file(buf_bytes(&text)) == &sign_minisign);
        assert_int_equal(sign_minisign.wants_content(buf_bytes(&text)), i == 1);
        assert_int_equal(judge(buf_bytes(&text), BYTES_LIT("content"), true, pub, &c), 0);
        assert_string_equal(c.text, "signed; trusted comment: timestamp:1700000000\\x09file:a.wasm");
        assert_int_equal(c.signed_at, 1700000000);
        assert_string_equal(c.key, "ms.pub");
        assert_int_equal(judge(buf_bytes(&text), BYTES_LIT("content"), true, plain, &c), 0);
        assert_int_equal(judge(buf_bytes(&text), BYTES_LIT("Content"), true, pub, &c), ERR_UNTRUSTED);
        assert_int_equal(judge(buf_bytes(&text), BYTES_LIT("content"), false, pub, &c),
                         i ? ERR_UNTRUSTED : 0);
    }
}

static void test_other_keys(void **state)
{
    (void)state;
    AUTO(sign_key) k = fixture_key(1);
    AUTO(sign_key) stranger = fixture_key(2);
    AUTO(sign_key) renumbered = public_of(k, "\1\2\3\4\5\6\7\x89");
    AUTO(sign_key) posing = public_of(stranger, NUMBER);
    AUTO_DONE(buf) text = BUF_INIT(4096);
    struct sign_check c;
    put_signature(k, "ED", BYTES_LIT("content"), COMMENT, &text);
    assert_int_equal(judge(buf_bytes(&text), BYTES_LIT("content"), true, renumbered, &c), ERR_UNTRUSTED);
    assert_string_equal(c.text, "by the key 8807060504030201, which is not trusted");
    assert_int_equal(judge(buf_bytes(&text), BYTES_LIT("content"), true, posing, &c), ERR_UNTRUSTED);
    assert_string_equal(c.text, "says that it is by ms.pub, and is not, or of another file");
    assert_int_equal(judge(buf_bytes(&text), BYTES_LIT("content"), true, stranger, &c), ERR_UNTRUSTED);
}

/* The comment of one signature under another, and one signature's with another's second line. */
static void test_comments(void **state)
{
    (void)state;
    AUTO(sign_key) k = fixture_key(1);
    AUTO(sign_key) pub = public_of(k, NUMBER);
    AUTO_DONE(buf) text = BUF_INIT(4096);
    AUTO_DONE(buf) escapes = BUF_INIT(4096);
    struct sign_check c;
    put_signature(k, "ED", BYTES_LIT("content"), "timestamp:17\tfile:a", &text);
    char *at = strstr((char *)text.ptr, "file:a");
    at[5] = 'b';
    assert_int_equal(judge(buf_bytes(&text), BYTES_LIT("content"), true, pub, &c), ERR_UNTRUSTED);
    assert_string_equal(c.text, "the trusted comment is not the one that was signed");
    put_signature(k, "ED", BYTES_LIT("content"), "\033[2Jtimestamp:5", &escapes);
    assert_int_equal(judge(buf_bytes(&escapes), BYTES_LIT("content"), true, pub, &c), 0);
    assert_string_equal(c.text, "signed; trusted comment: \\x1b[2Jtimestamp:5");
    assert_int_equal(c.signed_at, 0);
}

static void test_damaged(void **state)
{
    (void)state;
    AUTO(sign_key) k = fixture_key(1);
    AUTO(sign_key) pub = public_of(k, NUMBER);
    AUTO_DONE(buf) text = BUF_INIT(4096);
    struct sign_check c;
    put_signature(k, "ED", BYTES_LIT("content"), COMMENT, &text);
    const size_t untrusted = strlen("untrusted comment: ");
    const size_t second = (size_t)((uint8_t *)memchr(text.ptr, '\n', text.len) - text.ptr);
    for (size_t i = 0; i + 1 < text.len; i++) {
        assert_int_not_equal(judge(bytes_of(text.ptr, i), BYTES_LIT("content"), true, pub, &c), 0);
        if (i >= untrusted && i < second) /* whatever that says */
            continue;
        for (unsigned bit = 0; bit < 8; bit++) {
            text.ptr[i] ^= (uint8_t)(1U << bit);
            if (judge(buf_bytes(&text), BYTES_LIT("content"), true, pub, &c) == 0)
                fail_msg("byte %zu bit %u", i, bit);
            text.ptr[i] ^= (uint8_t)(1U << bit);
        }
    }
    buf_append_str(&text, "more\n");
    assert_int_equal(judge(buf_bytes(&text), BYTES_LIT("content"), true, pub, &c), ERR_FORMAT);
}

static void test_malformed(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct sign_minisig s;
    AUTO(sign_key) k = fixture_key(1);
    AUTO(sign_key) no = NULL;
    AUTO_DONE(buf) big = BUF_INIT(64U << 10);
    AUTO_DONE(buf) other = BUF_INIT(4096);
    AUTO_DONE(buf) key = BUF_INIT(256);
    put_signature(k, "EX", BYTES_LIT("content"), COMMENT, &other);
    ASSERT_ERR(sign_minisig_parse(buf_bytes(&other), &s, &e), ERR_UNSUPPORTED);
    while (big.len <= LIMIT_MINISIG)
        buf_append_str(&big, "untrusted comment: ");
    ASSERT_ERR(sign_minisig_parse(buf_bytes(&big), &s, &e), ERR_LIMIT);
    put_line(&key, "Ed", NUMBER, sign_key_public(k));
    assert_true(sign_keyfile_detect(buf_bytes(&key)) == &sign_keyfile_minisign);
    ASSERT_OK(sign_key_parse(buf_bytes(&key), "bare", &no, &e));
    assert_true(sign_key_eq(no, k));
    buf_append_str(&key, "x");
    AUTO(sign_key) none = NULL;
    ASSERT_ERR(sign_key_parse(buf_bytes(&key), "bare", &none, &e), ERR_FORMAT);
    ASSERT_ERR(sign_key_parse(BYTES_LIT("untrusted comment: minisign encrypted secret key\nRWRTY0Iy"), "k",
                              &none, &e),
               ERR_FORMAT);
    buf_reset(&key);
    buf_append_str(&key, "untrusted comment: x\n");
    put_line(&key, "EX", NUMBER, sign_key_public(k));
    ASSERT_ERR(sign_key_parse(buf_bytes(&key), "k", &none, &e), ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_other_keys), cmocka_unit_test(test_comments),
        cmocka_unit_test(test_damaged), cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests_name("sign_minisign", tests, NULL, NULL);
}
