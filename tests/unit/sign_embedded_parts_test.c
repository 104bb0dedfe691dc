/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded signature over delimited parts, and beside the file. */
#include "tests/unit/sign_fixture.h"

#include "sign/embedded.h"
#include "sign/embedded_parts.h"

#define FILE_MAX (1U << 20)
#define FILE_BUF BUF_INIT(FILE_MAX)

/* The size of the signature section for one hash and one signature: what wasmsign2 writes. */
#define SECTION_SIZE 132U

static void test_parts(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    for (int closed = 0; closed < 2; closed++) {
        AUTO_DONE(buf) plain = FILE_BUF;
        AUTO_DONE(buf) file = FILE_BUF;
        AUTO_DONE(buf) first = FILE_BUF;
        put_parts(&plain, closed);
        ASSERT_OK(embed(buf_bytes(&plain), k, &file, &e));
        assert_int_equal(check(buf_bytes(&file), k, &e), 0);
        /* Cut at the first delimiter. The second hash makes the signature section longer, and the length of
         * its set two bytes. */
        put_module(&first, 1);
        put_delimiter(&first);
        size_t cut = SECTION_SIZE + 32 + 1 + first.len;
        assert_int_equal(check(bytes_of(file.ptr, cut + 1), k, &e), ERR_DIGEST);
        assert_int_equal(check(bytes_of(file.ptr, cut), k, &e), ERR_DIGEST);
        assert_non_null(strstr(e.msg, "1 of 2 signed parts"));
        put_custom(&file, "more", BYTES_LIT("x"));
        assert_int_equal(check(buf_bytes(&file), k, &e), ERR_DIGEST);
        assert_non_null(strstr(e.msg, closed ? "added behind the 2 signed parts" : "differs in part 2 of 2"));
    }
}

/* A byte changed in the second part is told from one in the first. */
static void test_changed_part(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    put_parts(&plain, true);
    ASSERT_OK(embed(buf_bytes(&plain), k, &file, &e));
    file.ptr[file.len - 1] ^= 1;
    assert_int_equal(check(buf_bytes(&file), k, &e), ERR_DIGEST);
    assert_non_null(strstr(e.msg, "part 2 of 2"));
    AUTO_DONE(buf) other = FILE_BUF;
    ASSERT_ERR(embed(buf_bytes(&file), k, &other, &e), ERR_DIGEST);
    assert_int_equal(other.len, 0);
}

/* As check, with an expression for sections or a signature beside the file. */
static int check_some(struct bytes file, const struct sign_key *k, const char *sections,
                      struct bytes detached, struct err *e)
{
    struct sign_key *list[1];
    memcpy(list, &k, sizeof(k));
    const struct sign_trust trust = {.keys = {list, 1}, .sections = sections, .detached = detached};
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    return check_with(file, &trust, &report, e);
}

static int check_sections(struct bytes file, const struct sign_key *k, const char *sections, struct err *e)
{
    return check_some(file, k, sections, BYTES_NONE, e);
}

static int split_and_sign(struct bytes file, const char *expression, const struct sign_key *k,
                          struct buf *out, struct err *e)
{
    struct opener_bytes o;
    struct sink_buf to;
    struct source_opener with;
    AUTO_DONE(sign_split) split = {.n = 0};
    const struct source_opener from = opener_bytes_init(&o, file);
    const struct sign_file_order order = {.key = k};
    int r = sign_split_init(&split, &from, expression, &with, e);
    return r ? r : sign_embedded.sign(&with, &order, sink_buf_init(&to, out), e);
}

/* A module with sections "note", "caps", "x" and "y". */
static void put_many(struct buf *out)
{
    put_module(out, 1);
    put_custom(out, "caps", BYTES_LIT("few"));
    put_custom(out, "x", BYTES_LIT("first"));
    put_custom(out, "y", BYTES_LIT("second"));
}

static struct bytes find(const struct buf *file, const char *text)
{
    uint8_t *at = memmem(file->ptr, file->len, text, strlen(text));
    if (!at)
        fail_msg("no %s in the file", text);
    return bytes_of(at, strlen(text));
}

/* Inverts a bit of the text where it stands in the file. */
static void damage(struct buf *file, const char *text)
{
    file->ptr[(size_t)(find(file, text).ptr - file->ptr)] ^= 1;
}

static void test_split(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    AUTO_DONE(buf) again = FILE_BUF;
    put_many(&plain);
    ASSERT_OK(split_and_sign(buf_bytes(&plain), "^caps$", k, &file, &e));
    /* [module] note [caps] x, y: four parts. */
    assert_int_equal(file.len, plain.len + SECTION_SIZE + 1 + 3 * 32 + 4 * SIGN_DELIMITER_SIZE);
    assert_int_equal(check(buf_bytes(&file), k, &e), 0);
    assert_int_equal(check_sections(buf_bytes(&file), k, "^caps$", &e), 0);
    assert_int_equal(check_sections(buf_bytes(&file), k, "^x$", &e), 0);
    /* What is split so already stays as it is. */
    ASSERT_OK(split_and_sign(buf_bytes(&file), "^caps$", k, &again, &e));
    assert_true(bytes_eq(buf_bytes(&file), buf_bytes(&again)));
    damage(&file, "second");
    assert_int_equal(check(buf_bytes(&file), k, &e), ERR_DIGEST);
    assert_int_equal(check_sections(buf_bytes(&file), k, "^caps$", &e), 0);
    assert_int_equal(check_sections(buf_bytes(&file), k, "^y$", &e), ERR_DIGEST);
    assert_int_equal(check_sections(buf_bytes(&file), k, "^x$", &e), ERR_DIGEST); /* the same part */
    damage(&file, "few");
    assert_int_equal(check_sections(buf_bytes(&file), k, "^caps$", &e), ERR_DIGEST);
}

/* Every bit of the parts that are asked for counts, and no file is accepted for want of something to check.
 */
static void test_sections_every_bit(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    put_many(&plain);
    ASSERT_OK(split_and_sign(buf_bytes(&plain), "^caps$", k, &file, &e));
    size_t end = (size_t)(find(&file, "first").ptr - file.ptr) - 4; /* where section x begins */
    for (size_t bit = 0; bit < 8 * end; bit++) {
        file.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (check_sections(buf_bytes(&file), k, "^caps$", &e) == 0)
            fail_msg("verifies with bit %zu of byte %zu flipped", bit % 8, bit / 8);
        file.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t len = 0; len < file.len; len++)
        if (len != end && check_sections(bytes_of(file.ptr, len), k, "^caps$", &e) == 0)
            fail_msg("verifies when cut to %zu of %zu bytes", len, file.len);
    /* Exactly behind the part that was asked for. */
    assert_int_equal(check_sections(bytes_of(file.ptr, end), k, "^caps$", &e), 0);
}

static void test_sections_closed(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) whole = FILE_BUF;
    AUTO_DONE(buf) file = FILE_BUF;
    put_many(&plain);
    ASSERT_OK(embed(buf_bytes(&plain), k, &whole, &e));
    assert_int_equal(check_sections(buf_bytes(&whole), k, "caps", &e), ERR_DIGEST); /* no delimiters */
    assert_int_equal(check_sections(buf_bytes(&plain), k, "caps", &e), ERR_UNSIGNED);
    ASSERT_OK(split_and_sign(buf_bytes(&plain), "caps", k, &file, &e));
    assert_int_equal(check_sections(buf_bytes(&file), k, "none", &e), ERR_DIGEST);
    size_t len = file.len;
    put_custom(&file, "z", BYTES_LIT("z")); /* in no part */
    assert_int_equal(check_sections(buf_bytes(&file), k, "caps", &e), ERR_DIGEST);
    put_delimiter(&file); /* in one that was not asked for */
    assert_int_equal(check_sections(buf_bytes(&file), k, "caps", &e), 0);
    assert_int_equal(check_sections(buf_bytes(&file), k, "caps|z", &e), ERR_DIGEST);
    file.len = len;
    put_custom(&file, "caps", BYTES_LIT("all")); /* a second one of a name that was */
    put_delimiter(&file);
    assert_int_equal(check_sections(buf_bytes(&file), k, "^caps$", &e), ERR_DIGEST);
    file.len = len;
    put_section(&file, 11, BYTES_LIT("\0")); /* one that is not custom */
    put_delimiter(&file);
    assert_int_equal(check_sections(buf_bytes(&file), k, "^caps$", &e), ERR_DIGEST);
}

/* The parts of one module behind the signature of another. */
static void test_sections_splice(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) a = FILE_BUF;
    AUTO_DONE(buf) made = FILE_BUF;
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) other = FILE_BUF;
    put_many(&plain);
    put_module(&other, 2);
    put_custom(&other, "caps", BYTES_LIT("all"));
    ASSERT_OK(split_and_sign(buf_bytes(&plain), "caps", k, &a, &e));
    put_delimiter(&other);
    buf_append(&made, a.ptr, 8 + SECTION_SIZE + 1 + 3 * 32);
    buf_append(&made, other.ptr + 8, other.len - 8);
    assert_int_equal(check_sections(buf_bytes(&made), k, "caps", &e), ERR_DIGEST);
    assert_int_equal(check(buf_bytes(&made), k, &e), ERR_DIGEST);
}

/* Names that are nearly those of the format are names like others, and are hashed as such. */
static void test_near_names(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    const struct bytes names[] = {BYTES_LIT("\x0asignature\0"), BYTES_LIT("\x09Signature"),
                                  BYTES_LIT("\x0asignature "), BYTES_LIT("\x08signatur"),
                                  BYTES_LIT("\x14signature_delimiter\0")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_DONE(buf) plain = FILE_BUF;
        AUTO_DONE(buf) file = FILE_BUF;
        buf_append_bytes(&plain, MODULE_HEAD);
        put_section(&plain, 0, names[i]);
        assert_int_equal(check(buf_bytes(&plain), k, &e), ERR_UNSIGNED);
        ASSERT_OK(embed(buf_bytes(&plain), k, &file, &e));
        assert_int_equal(check(buf_bytes(&file), k, &e), 0);
        assert_int_equal(check_sections(buf_bytes(&file), k, ".", &e), ERR_DIGEST); /* no delimiter */
    }
    AUTO_DONE(buf) bad = FILE_BUF;
    put_module(&bad, 1);
    put_section(&bad, 0, BYTES_LIT("\x02\xc3\x28")); /* no UTF-8 */
    assert_int_equal(check(buf_bytes(&bad), k, &e), ERR_FORMAT);
}

/* Lengths that lie: past the end, and numbers of five bytes with bits that no 32-bit number has. */
static void test_lengths(void **state)
{
    (void)state;
    static const struct bytes tails[] = {
        {(const uint8_t *)"\0\xff\xff\xff\xff\x0f\1n", 8},
        {(const uint8_t *)"\0\xff\xff\xff\xff\x1f\1n", 8},
        {(const uint8_t *)"\0\x82\x80\x80\x80\x70\1n", 8},
        {(const uint8_t *)"\0\x82\x80\x80\x80\x80\0\1n", 9},
        {(const uint8_t *)"\0\2\x7fn", 4},
        {(const uint8_t *)"\0\0", 2},
    };
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
        AUTO_DONE(buf) plain = FILE_BUF;
        AUTO_DONE(buf) file = FILE_BUF;
        put_module(&plain, 1);
        ASSERT_OK(embed(buf_bytes(&plain), k, &file, &e));
        buf_append_bytes(&file, tails[i]);
        assert_int_equal(check(buf_bytes(&file), k, &e), ERR_DIGEST);
        buf_append_bytes(&plain, tails[i]);
        assert_int_equal(check(buf_bytes(&plain), k, &e), ERR_FORMAT);
        assert_int_equal(check_sections(buf_bytes(&file), k, ".", &e), ERR_DIGEST);
    }
}

static int detached(struct bytes file, const struct sign_key *k, struct bytes old, struct buf *out,
                    struct err *e)
{
    struct opener_bytes o;
    const struct source_opener from = opener_bytes_init(&o, file);
    return sign_embedded_detached(&from, k, old, out, e);
}

static void test_detached(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) a = fixture_key(1);
    AUTO(sign_key) b = fixture_key(2);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) other = FILE_BUF;
    AUTO_DONE(buf) one = FILE_BUF;
    AUTO_DONE(buf) two = FILE_BUF;
    AUTO_DONE(buf) inside = FILE_BUF;
    put_module(&plain, 1);
    put_module(&other, 2);
    ASSERT_OK(detached(buf_bytes(&plain), a, BYTES_NONE, &one, &e));
    assert_int_equal(check_some(buf_bytes(&plain), a, NULL, buf_bytes(&one), &e), 0);
    assert_int_equal(check_some(buf_bytes(&plain), b, NULL, buf_bytes(&one), &e), ERR_UNTRUSTED);
    assert_int_equal(check_some(buf_bytes(&other), a, NULL, buf_bytes(&one), &e), ERR_DIGEST);
    ASSERT_OK(detached(buf_bytes(&plain), b, buf_bytes(&one), &two, &e));
    assert_int_equal(check_some(buf_bytes(&plain), a, NULL, buf_bytes(&two), &e), 0);
    assert_int_equal(check_some(buf_bytes(&plain), b, NULL, buf_bytes(&two), &e), 0);
    ASSERT_ERR(detached(buf_bytes(&other), b, buf_bytes(&one), &inside, &e), ERR_DIGEST);
    assert_int_equal(inside.len, 0);
    /* With one inside as well, the one beside is for no such file. */
    ASSERT_OK(embed(buf_bytes(&plain), a, &inside, &e));
    assert_int_equal(check_some(buf_bytes(&inside), a, NULL, buf_bytes(&one), &e), ERR_FORMAT);
    for (size_t bit = 0; bit < 8 * one.len; bit++) {
        one.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (check_some(buf_bytes(&plain), a, NULL, buf_bytes(&one), &e) == 0)
            fail_msg("verifies with bit %zu of byte %zu flipped", bit % 8, bit / 8);
        one.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t len = 1; len < one.len; len++)
        assert_int_equal(check_some(buf_bytes(&plain), a, NULL, bytes_of(one.ptr, len), &e), ERR_FORMAT);
}

static void test_moved(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = fixture_key(1);
    AUTO_DONE(buf) plain = FILE_BUF;
    AUTO_DONE(buf) signed_file = FILE_BUF;
    AUTO_DONE(buf) payload = FILE_BUF;
    AUTO_DONE(buf) bare = FILE_BUF;
    AUTO_DONE(buf) back = FILE_BUF;
    AUTO_DONE(buf) none = FILE_BUF;
    struct opener_bytes o;
    struct sink_buf to;
    put_parts(&plain, true);
    ASSERT_OK(embed(buf_bytes(&plain), k, &signed_file, &e));
    struct source_opener from = opener_bytes_init(&o, buf_bytes(&signed_file));
    ASSERT_OK(sign_embedded_detach(&from, &payload, sink_buf_init(&to, &bare), &e));
    assert_true(bytes_eq(buf_bytes(&bare), buf_bytes(&plain)));
    ASSERT_ERR(sign_embedded_attach(&from, buf_bytes(&payload), sink_buf_init(&to, &none), &e), ERR_FORMAT);
    from = opener_bytes_init(&o, buf_bytes(&bare));
    ASSERT_OK(sign_embedded_attach(&from, buf_bytes(&payload), sink_buf_init(&to, &back), &e));
    assert_true(bytes_eq(buf_bytes(&back), buf_bytes(&signed_file)));
    ASSERT_ERR(sign_embedded_detach(&from, &none, sink_buf_init(&to, &none), &e), ERR_UNSIGNED);
    from = opener_bytes_init(&o, MODULE_HEAD);
    ASSERT_ERR(sign_embedded_attach(&from, buf_bytes(&payload), sink_buf_init(&to, &none), &e), ERR_DIGEST);
    ASSERT_ERR(sign_embedded_attach(&from, BYTES_NONE, sink_buf_init(&to, &none), &e), ERR_FORMAT);
    assert_int_equal(none.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),           cmocka_unit_test(test_changed_part),
        cmocka_unit_test(test_split),           cmocka_unit_test(test_sections_every_bit),
        cmocka_unit_test(test_sections_closed), cmocka_unit_test(test_sections_splice),
        cmocka_unit_test(test_near_names),      cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_detached),        cmocka_unit_test(test_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
