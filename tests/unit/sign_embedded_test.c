/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded signature: its exact bytes, what verifies, and every way in which a file must not. */
#include "tests/unit/sign_fixture.h"

#include "base/limits.h"
#include "sign/embedded_wire.h"

#define FILE_MAX (1U << 20)
#define FILE_BUF BUF_INIT(FILE_MAX)

/* The size of the signature section for one hash and one signature: what wasmsign2 writes. */
#define SECTION_SIZE 132U

static struct bytes from(struct bytes b, size_t at)
{
    return bytes_of(b.ptr + at, b.len - at);
}

/* The module of put_module(n), signed. */
static void put_signed(struct buf *out, uint8_t n, const struct sign_key *k)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) plain = FILE_BUF;
    put_module(&plain, n);
    ASSERT_OK(embed(buf_bytes(&plain), k, out, &e));
}

static void test_bytes(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    AUTO_DONE(buf) want = FILE_BUF;
    AUTO_DONE(buf) message = BUF_INIT(64);
    AUTO_DONE(buf) signature = BUF_INIT(64);
    struct digest d;
    uint8_t id[32];
    put_module(&plain, 1);
    put_signed(&file, 1, k);
    ASSERT_OK(hash_bytes(HASH_SHA256, from(buf_bytes(&plain), 8), &d, &e));
    ASSERT_OK(hash_hmac_sha256(sign_key_public(k), &BYTES_LIT("key_id"), 1, id, &e));
    buf_append_bytes(&message, BYTES_LIT("wasmsig\1\1\1"));
    buf_append(&message, d.value, 32);
    ASSERT_OK(sign_key_sign(k, buf_bytes(&message), &signature, &e));

    buf_append_bytes(&want, MODULE_HEAD);
    buf_append_bytes(&want, BYTES_LIT("\x00\x81\x01\x09signature\1\1\1\1\x72\1"));
    buf_append(&want, d.value, 32);
    buf_append_bytes(&want, BYTES_LIT("\1\x4f\x0c"));
    buf_append(&want, id, 12);
    buf_append_bytes(&want, BYTES_LIT("\1\x40"));
    buf_append_bytes(&want, buf_bytes(&signature));
    assert_int_equal(want.len, 8U + SECTION_SIZE);
    buf_append_bytes(&want, from(buf_bytes(&plain), 8));
    assert_true(bytes_eq(buf_bytes(&file), buf_bytes(&want)));
    assert_int_equal(check(buf_bytes(&file), k, &e), 0);
}

static void test_keys(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) a = fixture_key(1);
    AUTO(sign_key) b = fixture_key(2);
    AUTO(sign_key) c = fixture_key(3);
    AUTO_DONE(buf) once = FILE_BUF;
    AUTO_DONE(buf) twice = FILE_BUF;
    AUTO_DONE(buf) again = FILE_BUF;
    put_signed(&once, 1, a);
    assert_int_equal(check(buf_bytes(&once), b, &e), ERR_UNTRUSTED);
    ASSERT_OK(embed(buf_bytes(&once), a, &again, &e));
    assert_true(bytes_eq(buf_bytes(&once), buf_bytes(&again)));
    ASSERT_OK(embed(buf_bytes(&once), b, &twice, &e));
    assert_int_equal(check(buf_bytes(&twice), a, &e), 0);
    assert_int_equal(check(buf_bytes(&twice), b, &e), 0);
    assert_int_equal(check(buf_bytes(&twice), c, &e), ERR_UNTRUSTED);
    assert_int_equal(twice.len, once.len + 80 + 1); /* the length of the set grows to two bytes */
    buf_reset(&again);
    ASSERT_OK(embed(buf_bytes(&twice), a, &again, &e));
    assert_int_equal(again.len, twice.len);
    assert_int_equal(check(buf_bytes(&again), a, &e), 0);
    assert_int_equal(check(buf_bytes(&again), b, &e), 0);
}

static void test_wrong_keys(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) p256 = NULL;
    AUTO(sign_key) pub = NULL;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    AUTO_DONE(buf) text = BUF_INIT(4096);
    put_module(&plain, 1);
    ASSERT_OK(sign_key_generate(SIGN_KEY_P256, &p256, &e));
    ASSERT_ERR(embed(buf_bytes(&plain), p256, &file, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.msg, "Ed25519"));
    ASSERT_OK(sign_key_write_public(k, &text, &e));
    ASSERT_OK(sign_key_parse(buf_bytes(&text), "k.pub", &pub, &e));
    ASSERT_ERR(embed(buf_bytes(&plain), pub, &file, &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "k.pub"));
    assert_int_equal(file.len, 0);
    put_signed(&file, 1, k);
    assert_int_equal(check(buf_bytes(&file), pub, &e), 0);
    assert_int_equal(check(buf_bytes(&file), p256, &e), ERR_UNTRUSTED);
    struct opener_bytes o;
    const struct source_opener again = opener_bytes_init(&o, buf_bytes(&file));
    const struct sign_trust none = {.keys = {NULL, 0}};
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    ASSERT_ERR(sign_verify(&again, &none, &report, NULL, &e), ERR_USAGE);
}

static void test_unsigned(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) plain = FILE_BUF;
    put_module(&plain, 1);
    assert_int_equal(check(buf_bytes(&plain), k, &e), ERR_UNSIGNED);
    assert_int_equal(check(MODULE_HEAD, k, &e), ERR_UNSIGNED);
    assert_int_equal(check(BYTES_LIT(""), k, &e), ERR_FORMAT);
    assert_int_equal(check(BYTES_LIT("#!/bin/sh\necho"), k, &e), ERR_FORMAT);
    buf_append_u8(&plain, 0);
    assert_int_equal(check(buf_bytes(&plain), k, &e), ERR_FORMAT);
}

/* No file that differs in one bit verifies. */
static void test_every_bit(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) file = FILE_BUF;
    unsigned seen[4] = {0};
    put_signed(&file, 1, k);
    for (size_t bit = 0; bit < 8 * file.len; bit++) {
        file.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        int verdict = check(buf_bytes(&file), k, &e);
        seen[0] += verdict == ERR_FORMAT;
        seen[1] += verdict == ERR_UNSIGNED;
        seen[2] += verdict == ERR_UNTRUSTED;
        seen[3] += verdict == ERR_DIGEST;
        if (verdict == 0)
            fail_msg("verifies with bit %zu of byte %zu flipped", bit % 8, bit / 8);
        if (bit / 8 >= 8 + SECTION_SIZE) /* what was signed */
            assert_int_equal(verdict, ERR_DIGEST);
        file.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(seen[0] + seen[1] + seen[2] + seen[3], 8 * file.len);
    assert_true(seen[0] && seen[1] && seen[2] && seen[3]);
    assert_int_equal(check(buf_bytes(&file), k, &e), 0);
}

static void test_every_truncation(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) file = FILE_BUF;
    put_signed(&file, 1, k);
    for (size_t len = 0; len < file.len; len++) {
        int verdict = check(bytes_of(file.ptr, len), k, &e);
        int want = len == 8 ? ERR_UNSIGNED : len < 8 + SECTION_SIZE ? ERR_FORMAT : ERR_DIGEST;
        if (verdict != want)
            fail_msg("cut to %zu of %zu bytes: %s (%s)", len, file.len, err_name(verdict), e.msg);
    }
}

/* Every byte behind the end, and every section. */
static void test_appended(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) file = FILE_BUF;
    put_signed(&file, 1, k);
    buf_append_u8(&file, 0);
    for (unsigned c = 0; c < 256; c++) {
        file.ptr[file.len - 1] = (uint8_t)c;
        assert_int_equal(check(buf_bytes(&file), k, &e), ERR_DIGEST);
    }
    file.len--;
    put_custom(&file, "more", BYTES_LIT("x"));
    assert_int_equal(check(buf_bytes(&file), k, &e), ERR_DIGEST);
    file.len -= 8;
    put_delimiter(&file);
    assert_int_equal(check(buf_bytes(&file), k, &e), ERR_DIGEST);
}

/* A module without delimiters and the signature of another one. */
static void test_splice(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) a = FILE_BUF;
    AUTO_DONE(buf) b = FILE_BUF;
    AUTO_DONE(buf) made = FILE_BUF;
    put_signed(&a, 1, k);
    put_module(&b, 2);
    buf_append(&made, a.ptr, 8 + SECTION_SIZE);
    buf_append_bytes(&made, from(buf_bytes(&b), 8));
    assert_int_equal(check(buf_bytes(&made), k, &e), ERR_DIGEST);
    assert_non_null(strstr(e.msg, "signed for other content"));
    made.len = 8 + SECTION_SIZE;
    assert_int_equal(check(buf_bytes(&made), k, &e), ERR_DIGEST);
}

static void test_second_section(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) file = FILE_BUF;
    AUTO_DONE(buf) late = FILE_BUF;
    AUTO_DONE(buf) made = FILE_BUF;
    put_signed(&file, 1, k);
    buf_append_bytes(&made, buf_bytes(&file));
    put_custom(&made, "signature", BYTES_LIT(""));
    assert_int_equal(check(buf_bytes(&made), k, &e), ERR_FORMAT);
    buf_reset(&made); /* twice at the start */
    buf_append(&made, file.ptr, 8 + SECTION_SIZE);
    buf_append_bytes(&made, from(buf_bytes(&file), 8));
    assert_int_equal(check(buf_bytes(&made), k, &e), ERR_FORMAT);
    put_module(&late, 1); /* at the end of an unsigned file */
    buf_append(&late, file.ptr + 8, SECTION_SIZE);
    assert_int_equal(check(buf_bytes(&late), k, &e), ERR_FORMAT);
    buf_reset(&made);
    ASSERT_ERR(embed(buf_bytes(&late), k, &made, &e), ERR_FORMAT);
}

static void put_component(struct buf *b)
{
    AUTO_DONE(buf) inner = FILE_BUF;
    put_module(&inner, 1);
    buf_append_bytes(b, COMPONENT_HEAD);
    put_section(b, 1, buf_bytes(&inner));
}

static void swap_head(struct buf *b, struct bytes head)
{
    memcpy(b->ptr, head.ptr, head.len);
}

/* The preamble is not hashed. What is in the sections tells a module from a component. */
static void test_header_swap(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) module = FILE_BUF;
    AUTO_DONE(buf) component = FILE_BUF;
    AUTO_DONE(buf) plain = FILE_BUF;
    put_signed(&module, 1, k);
    swap_head(&module, COMPONENT_HEAD);
    assert_int_equal(check(buf_bytes(&module), k, &e), ERR_FORMAT);
    put_component(&plain);
    ASSERT_OK(embed(buf_bytes(&plain), k, &component, &e));
    assert_int_equal(check(buf_bytes(&component), k, &e), 0);
    swap_head(&component, MODULE_HEAD);
    assert_int_equal(check(buf_bytes(&component), k, &e), ERR_FORMAT);
}

/* The payloads that a component's sections must not have when they are a module's, and the other way round.
 */
static void test_header_swap_sections(void **state)
{
    (void)state;
    const struct {
        struct bytes head;
        uint8_t id;
        struct bytes payload;
        int want;
    } cases[] = {
        {MODULE_HEAD, 1, BYTES_LIT("\0"), 0},
        {MODULE_HEAD, 1, BYTES_LIT("\x80\0"), 0},
        {MODULE_HEAD, 1, BYTES_LIT("\0asm"), ERR_FORMAT},
        {MODULE_HEAD, 4, BYTES_LIT("\0asm\x0d\0\1\0"), ERR_FORMAT},
        {MODULE_HEAD, 5, BYTES_NONE, ERR_FORMAT},
        {MODULE_HEAD, 8, BYTES_LIT("\1\0\0\0\0"), ERR_FORMAT},
        {MODULE_HEAD, 10, BYTES_LIT("\1\0\1a\1\0"), ERR_FORMAT},
        {MODULE_HEAD, 3, BYTES_LIT("\1\0"), ERR_FORMAT},
        {COMPONENT_HEAD, 1, BYTES_LIT("\1\x60\0\0"), ERR_FORMAT},
        {COMPONENT_HEAD, 1, BYTES_LIT("\0asm\x0d\0\1\0"), ERR_FORMAT},
        {COMPONENT_HEAD, 1, BYTES_LIT("\0asm\1\0\0\0"), 0},
        {COMPONENT_HEAD, 4, BYTES_LIT("\0asm\1\0\0\0"), ERR_FORMAT},
        {COMPONENT_HEAD, 4, BYTES_LIT("\0asm\x0d\0\1\0"), 0},
        {COMPONENT_HEAD, 0, BYTES_LIT("\0"), ERR_FORMAT},
    };
    AUTO(sign_key) k = fixture_key(1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) file = FILE_BUF;
        AUTO_DONE(buf) out = FILE_BUF;
        buf_append_bytes(&file, cases[i].head);
        put_section(&file, cases[i].id, cases[i].payload);
        int r = embed(buf_bytes(&file), k, &out, &e);
        if (r != cases[i].want)
            fail_msg("case %zu: %s (%s)", i, err_name(r), e.msg);
    }
}

/* A module with that payload in its signature section. */
static int check_payload(struct bytes payload, const struct sign_key *k, struct err *e)
{
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) file = BUF_INIT(8U << 20);
    put_module(&plain, 1);
    buf_append_bytes(&file, MODULE_HEAD);
    put_custom(&file, "signature", payload);
    buf_append_bytes(&file, from(buf_bytes(&plain), 8));
    return check(buf_bytes(&file), k, e);
}

#define HASH "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define MAX  "\xff\xff\xff\xff\x0f"

static void test_malformed_payload(void **state)
{
    (void)state;
    static const struct {
        struct bytes payload;
        int want;
    } cases[] = {
#define CASE(text, want) {{(const uint8_t *)(text), sizeof(text) - 1}, want}
        CASE("", ERR_FORMAT),
        CASE("\1\1\1", ERR_FORMAT),
        CASE("\1\1\1\0", ERR_UNSIGNED),
        CASE("\1\1\1\0\0", ERR_FORMAT),
        CASE("\2\1\1\0", ERR_FORMAT),
        CASE("\1\2\1\0", ERR_FORMAT),
        CASE("\1\1\2\0", ERR_FORMAT),
        CASE("\1\1\1" MAX, ERR_FORMAT),
        CASE("\1\1\1\xff\xff\xff\xff\x1f", ERR_FORMAT),
        CASE("\1\1\1\x41", ERR_FORMAT),
        CASE("\1\1\1\1" MAX, ERR_FORMAT),
        CASE("\1\1\1\1\6" MAX "\0", ERR_FORMAT),
        CASE("\1\1\1\1\2\0\0", ERR_FORMAT),
        CASE("\1\1\1\1\x22\1" HASH "\0", ERR_UNSIGNED),
        CASE("\1\1\1\1\x23\1" HASH "\0\0", ERR_FORMAT),
        CASE("\1\1\1\1\x26\1" HASH MAX, ERR_FORMAT),
        CASE("\1\1\1\1\x24\1" HASH "\x81\2\0", ERR_FORMAT),
        CASE("\1\1\1\1\x22\1" HASH "\1", ERR_FORMAT),
        CASE("\1\1\1\1\x27\1" HASH "\1" MAX, ERR_FORMAT),
        CASE("\1\1\1\1\x23\1" HASH "\1\0", ERR_FORMAT),
        CASE("\1\1\1\1\x28\1" HASH "\1\5" MAX, ERR_FORMAT),
        CASE("\1\1\1\1\x25\1" HASH "\1\2\0\1", ERR_FORMAT),
        CASE("\1\1\1\1\x26\1" HASH "\1\3\0\1\0", ERR_FORMAT),
        CASE("\1\1\1\1\x2a\1" HASH "\1\7\0\1" MAX, ERR_FORMAT),
        CASE("\1\1\1\1\x27\1" HASH "\1\4\0\2xy", ERR_UNTRUSTED), /* an unknown algorithm */
#undef CASE
    };
    AUTO(sign_key) k = fixture_key(1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        int verdict = check_payload(cases[i].payload, k, &e);
        if (verdict != cases[i].want)
            fail_msg("case %zu: %s (%s)", i, err_name(verdict), e.msg);
    }
}

static void test_large_payload(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) payload = BUF_INIT(8U << 20);
    while (payload.len <= LIMIT_SIG_SECTION)
        buf_append_bytes(&payload, BYTES_LIT("\1\1\1\1" HASH HASH HASH HASH HASH HASH HASH HASH));
    assert_int_equal(check_payload(buf_bytes(&payload), k, &e), ERR_FORMAT);
}

/* The hash of put_module(1), and a record by a key over it. */
static void put_record(struct buf *out, const struct sign_key *k, struct bytes key_id, uint8_t alg)
{
    struct err e = ERR_INIT;
    struct digest d;
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) message = BUF_INIT(64);
    AUTO_DONE(buf) signature = BUF_INIT(64);
    AUTO_DONE(buf) record = BUF_INIT(256);
    put_module(&plain, 1);
    ASSERT_OK(hash_bytes(HASH_SHA256, from(buf_bytes(&plain), 8), &d, &e));
    sign_wire_message(&message, bytes_of(d.value, 32));
    ASSERT_OK(sign_key_sign(k, buf_bytes(&message), &signature, &e));
    sign_wire_put_part(&record, key_id);
    buf_append_u8(&record, alg);
    sign_wire_put_part(&record, buf_bytes(&signature));
    sign_wire_put_part(out, buf_bytes(&record));
}

static int check_records(const struct buf *records, uint32_t n, const struct sign_key *k, struct err *e)
{
    struct digest d;
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) set = FILE_BUF;
    AUTO_DONE(buf) payload = FILE_BUF;
    put_module(&plain, 1);
    if (hash_bytes(HASH_SHA256, from(buf_bytes(&plain), 8), &d, e))
        fail_msg("%s", e->msg);
    buf_append_u8(&set, 1);
    buf_append(&set, d.value, 32);
    buf_append_leb32(&set, n);
    buf_append_bytes(&set, buf_bytes(records));
    sign_wire_put_head(&payload, 1);
    sign_wire_put_part(&payload, buf_bytes(&set));
    return check_payload(buf_bytes(&payload), k, e);
}

/* Records without a key identifier are tried with every key; those with another identifier are not. */
static void test_records(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) a = fixture_key(1);
    AUTO(sign_key) b = fixture_key(2);
    AUTO_DONE(buf) records = FILE_BUF;
    uint8_t id[SIGN_WIRE_KEY_ID_LEN];
    ASSERT_OK(sign_wire_key_id(sign_key_public(a), id, &e));
    put_record(&records, a, BYTES_NONE, 1);
    assert_int_equal(check_records(&records, 1, a, &e), 0);
    assert_int_equal(check_records(&records, 1, b, &e), ERR_UNTRUSTED);
    buf_reset(&records);
    put_record(&records, a, BYTES_LIT("another name"), 1);
    assert_int_equal(check_records(&records, 1, a, &e), ERR_UNTRUSTED);
    buf_reset(&records);
    put_record(&records, b, BYTES_ARR(id), 1); /* b's signature under a's identifier */
    assert_int_equal(check_records(&records, 1, a, &e), ERR_UNTRUSTED);
    put_record(&records, a, BYTES_ARR(id), 1); /* and a right one behind it */
    assert_int_equal(check_records(&records, 2, a, &e), 0);
    buf_reset(&records);
    put_record(&records, a, BYTES_ARR(id), 2); /* right, but of an unknown algorithm */
    assert_int_equal(check_records(&records, 1, a, &e), ERR_UNTRUSTED);
    put_record(&records, a, BYTES_ARR(id), 1);
    assert_int_equal(check_records(&records, 2, a, &e), 0);
    assert_int_equal(check_records(&records, 1, a, &e), ERR_FORMAT);
    assert_int_equal(check_records(&records, 3, a, &e), ERR_FORMAT);
}

static bool report_says(const struct sign_report *r, int code, const char *key, const char *text)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->checks[i].code == code && r->checks[i].ok == (code == 0) &&
            strcmp(r->checks[i].key, key) == 0 && strstr(r->checks[i].text, text))
            return true;
    return false;
}

/* One check per key that signed, however often, and one each for what was passed over. */
static void test_report(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) a = fixture_key(1);
    AUTO(sign_key) b = fixture_key(2);
    AUTO(sign_key) c = fixture_key(3);
    AUTO(sign_key) p256 = NULL;
    AUTO_DONE(buf) one = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    AUTO_DONE(buf) name = BUF_INIT(4096);
    AUTO(sign_key) named = NULL;
    ASSERT_OK(sign_key_generate(SIGN_KEY_P256, &p256, &e));
    ASSERT_OK(sign_key_write_public(a, &name, &e));
    ASSERT_OK(sign_key_parse(buf_bytes(&name), "alice.pub", &named, &e));
    put_signed(&one, 1, a);
    ASSERT_OK(embed(buf_bytes(&one), c, &file, &e));
    struct sign_key *list[] = {b, named, p256};
    const struct sign_trust ring = {.keys = {list, 3}};
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    assert_int_equal(check_with(buf_bytes(&file), &ring, &report, &e), 0);
    assert_int_equal(report.n, 2);
    assert_true(report_says(&report, 0, "alice.pub", "whole module"));
    char fingerprint[SIGN_FINGERPRINT_MAX];
    assert_int_equal(report.checks[0].kind, SIGN_CHECK_SIGNATURE);
    assert_string_equal(report.checks[0].covers, "sections 1-5");
    assert_string_equal(report.checks[0].key_id, sign_key_fingerprint(a, fingerprint));
    assert_true(report_says(&report, ERR_UNTRUSTED, "", "1 by no given key"));
}

/* Sets that some other tool wrote stay, and one that fits is enough. */
static void test_sets(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) a = fixture_key(1);
    AUTO(sign_key) b = fixture_key(2);
    AUTO_DONE(buf) one = FILE_BUF;
    AUTO_DONE(buf) two = FILE_BUF;
    AUTO_DONE(buf) payload = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    AUTO_DONE(buf) again = FILE_BUF;
    AUTO_DONE(buf) plain = FILE_BUF;
    put_signed(&one, 1, a); /* b signed put_module(2), a put_module(1) */
    put_signed(&two, 2, b);
    sign_wire_put_head(&payload, 2);
    buf_append(&payload, two.ptr + 8 + 17, 115);
    buf_append(&payload, one.ptr + 8 + 17, 115);
    put_module(&plain, 1);
    buf_append_bytes(&file, MODULE_HEAD);
    put_custom(&file, "signature", buf_bytes(&payload));
    buf_append_bytes(&file, from(buf_bytes(&plain), 8));
    assert_int_equal(check(buf_bytes(&file), a, &e), 0);
    assert_int_equal(check(buf_bytes(&file), b, &e), ERR_DIGEST);
    ASSERT_OK(embed(buf_bytes(&file), b, &again, &e));
    assert_int_equal(check(buf_bytes(&again), a, &e), 0);
    assert_int_equal(check(buf_bytes(&again), b, &e), 0);
    assert_int_equal(again.len, file.len + 80 + 1);
}

/* Sections are copied as they are, also with lengths that are not in their shortest form. */
static void test_padded_lengths(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    buf_append_bytes(&plain, MODULE_HEAD);
    buf_append_bytes(&plain, BYTES_LIT("\1\x84\x80\0\1\x60\0\0"));
    buf_append_bytes(&plain, BYTES_LIT("\0\x83\x80\x80\x80\0\2hi"));
    ASSERT_OK(embed(buf_bytes(&plain), k, &file, &e));
    assert_true(bytes_eq(from(buf_bytes(&file), 8 + SECTION_SIZE), from(buf_bytes(&plain), 8)));
    assert_int_equal(check(buf_bytes(&file), k, &e), 0);
}

static void test_edges(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) file = FILE_BUF;
    AUTO_DONE(buf) plain = FILE_BUF;
    ASSERT_OK(embed(MODULE_HEAD, k, &file, &e)); /* nothing to sign */
    assert_int_equal(check(buf_bytes(&file), k, &e), 0);
    put_module(&plain, 1);
    for (unsigned i = 0; i < LIMIT_SIG_HASHES; i++)
        put_delimiter(&plain);
    buf_reset(&file);
    ASSERT_OK(embed(buf_bytes(&plain), k, &file, &e));
    assert_int_equal(check(buf_bytes(&file), k, &e), 0);
    put_delimiter(&file);
    assert_int_equal(check(buf_bytes(&file), k, &e), ERR_DIGEST);
    put_delimiter(&plain);
    buf_reset(&file);
    ASSERT_ERR(embed(buf_bytes(&plain), k, &file, &e), ERR_LIMIT);
    ASSERT_ERR(embed(BYTES_LIT("no wasm"), k, &file, &e), ERR_FORMAT);
    ASSERT_ERR(embed(bytes_of(plain.ptr, plain.len - 1), k, &file, &e), ERR_FORMAT);
    assert_int_equal(file.len, 0);
}

static void test_too_many_signers(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) file = FILE_BUF;
    AUTO(sign_key) first = fixture_key(0);
    put_signed(&file, 1, first);
    for (unsigned i = 1; i <= LIMIT_SIG_SIGS; i++) {
        AUTO_DONE(buf) next = FILE_BUF;
        AUTO(sign_key) k = NULL;
        uint8_t seed[32] = {(uint8_t)i, (uint8_t)(i >> 8), 1};
        ASSERT_OK(sign_key_new_private(&sign_alg_ed25519, BYTES_ARR(seed), BYTES_NONE, &k, &e));
        ASSERT_ERR(embed(buf_bytes(&file), k, &next, &e), i < LIMIT_SIG_SIGS ? 0 : ERR_LIMIT);
        if (i < LIMIT_SIG_SIGS) {
            buf_reset(&file);
            buf_append_bytes(&file, buf_bytes(&next));
        }
    }
    assert_int_equal(check(buf_bytes(&file), first, &e), 0);
}

static int list_of(struct bytes file, struct sign_marks *to, struct err *e)
{
    struct opener_bytes o;
    const struct source_opener from = opener_bytes_init(&o, file);
    AUTO_DONE(sign_scan) scan = SIGN_SCAN_INIT;
    int r = sign_scan_run(&from, 0, &scan, e);
    return r ? r : sign_list(&scan, to, e);
}

static void test_list(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) a = fixture_key(1);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    AUTO_DONE(sign_marks) marks = {NULL, 0};
    uint8_t id[SIGN_WIRE_KEY_ID_LEN];
    char hex[2 * sizeof(id) + 1], want[128];
    put_parts(&plain, true);
    ASSERT_OK(list_of(buf_bytes(&plain), &marks, &e));
    assert_int_equal(marks.n, 0);
    ASSERT_OK(embed(buf_bytes(&plain), a, &file, &e));
    ASSERT_OK(list_of(buf_bytes(&file), &marks, &e));
    ASSERT_OK(sign_wire_key_id(sign_key_public(a), id, &e));
    (void)snprintf(want, sizeof(want), "key id %s, ed25519, 2 hashes", hex_encode(BYTES_ARR(id), hex));
    assert_int_equal(marks.n, 1);
    assert_string_equal(marks.at[0].text, want);
    assert_true(marks.at[0].fits);
    assert_int_equal(marks.at[0].first, 1);
    assert_int_equal(marks.at[0].end, 9);
    file.ptr[file.len - 1] ^= 1; /* the second part is another */
    ASSERT_OK(list_of(buf_bytes(&file), &marks, &e));
    assert_int_equal(marks.n, 2);
    assert_false(marks.at[1].fits);
    assert_int_equal(marks.at[1].end, 7);
    assert_ptr_equal(sign_format_find("embedded"), &sign_embedded);
    assert_null(sign_format_find("embed"));
}

/* A source that gives a byte at a time and may fail. */
struct slow {
    struct source base;
    struct bytes rest;
    size_t fails_at; /* how many bytes are left by then */
    unsigned ends;   /* how often the end was told */
};

static int slow_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct slow *s = (struct slow *)base;
    struct bytes one;
    (void)cap;
    if (s->rest.len == s->fails_at && s->fails_at)
        return err_set(e, ERR_FORMAT, "the stream failed");
    *ret_n = bytes_take(&s->rest, 1, &one);
    if (*ret_n)
        memcpy(buf, one.ptr, 1);
    else
        s->ends++;
    return 0;
}

static int slow_open(void *ctx, struct source **ret, struct err *e)
{
    (void)e;
    struct slow *s = ctx;
    *ret = &s->base;
    return 0;
}

static void test_streams(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) file = FILE_BUF;
    struct sign_key *list[] = {k};
    const struct sign_trust ring = {.keys = {list, 1}};
    put_signed(&file, 1, k);
    for (size_t fails_at = 0; fails_at <= file.len; fails_at++) {
        struct slow s = {{.read = slow_read}, buf_bytes(&file), fails_at, 0};
        const struct source_opener from = {slow_open, &s, file.len};
        AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
        int r = sign_verify(&from, &ring, &report, NULL, &e);
        if (fails_at == 0) {
            assert_int_equal(r, 0);
            sign_report_settle(&report);
            assert_int_equal(report.verdict, 0);
        } else {
            assert_int_equal(r, ERR_FORMAT);
            assert_string_equal(e.msg, "the stream failed");
        }
    }
    /* Also a malformed file is read to its end. */
    for (size_t at = 0; at < file.len; at++) {
        file.ptr[at] ^= 0xff;
        struct slow s = {{.read = slow_read}, buf_bytes(&file), 0, 0};
        const struct source_opener from = {slow_open, &s, file.len};
        AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
        ASSERT_OK(sign_verify(&from, &ring, &report, NULL, &e));
        sign_report_settle(&report);
        assert_int_not_equal(report.verdict, 0);
        assert_true(s.ends > 0);
        file.ptr[at] ^= 0xff;
    }
}

/* Another file the second time it is opened. */
struct shifty {
    struct bytes first, second;
    unsigned opened;
    struct source_bytes source;
};

static int shifty_open(void *ctx, struct source **ret, struct err *e)
{
    (void)e;
    struct shifty *s = ctx;
    *ret = source_bytes_init(&s->source, s->opened++ ? s->second : s->first);
    return 0;
}

static void test_changed_between_reads(void **state)
{
    (void)state;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) a = FILE_BUF;
    AUTO_DONE(buf) b = FILE_BUF;
    AUTO_DONE(buf) swapped = FILE_BUF;
    put_module(&a, 1);
    put_module(&b, 2);
    put_module(&swapped, 1);
    swap_head(&swapped, COMPONENT_HEAD);
    const struct bytes seconds[] = {buf_bytes(&a), buf_bytes(&b), buf_bytes(&swapped),
                                    bytes_of(a.ptr, a.len - 1)};
    for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) out = FILE_BUF;
        struct sink_buf to;
        const struct sign_file_order order = {.key = k};
        struct shifty s = {.first = buf_bytes(&a), .second = seconds[i]};
        const struct source_opener opener = {shifty_open, &s, a.len};
        ASSERT_ERR(sign_embedded.sign(&opener, &order, sink_buf_init(&to, &out), &e), i ? ERR_IO : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_wrong_keys),
        cmocka_unit_test(test_unsigned),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_appended),
        cmocka_unit_test(test_splice),
        cmocka_unit_test(test_second_section),
        cmocka_unit_test(test_header_swap),
        cmocka_unit_test(test_header_swap_sections),
        cmocka_unit_test(test_malformed_payload),
        cmocka_unit_test(test_large_payload),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_padded_lengths),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_too_many_signers),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_changed_between_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
