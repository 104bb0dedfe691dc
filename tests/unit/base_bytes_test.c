/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

static void take(void **state)
{
    (void)state;
    struct bytes b = BYTES_LIT("abc"), part = BYTES_LIT("untouched");
    assert_false(bytes_take(&b, 4, &part));
    assert_false(bytes_take(&b, SIZE_MAX, &part));
    assert_int_equal(b.len, 3);
    assert_int_equal(part.len, 9);
    assert_true(bytes_take(&b, 2, &part));
    assert_true(bytes_eq_str(part, "ab") && bytes_eq_str(b, "c"));
    uint8_t one = 0;
    assert_true(bytes_take_u8(&b, &one));
    assert_int_equal(one, 'c');
    assert_false(bytes_take_u8(&b, &one));
    struct bytes none = BYTES_NONE;
    assert_true(bytes_take(&none, 0, &part));
    assert_int_equal(part.len, 0);
}

static void compare(void **state)
{
    (void)state;
    assert_true(bytes_eq(BYTES_NONE, BYTES_LIT("")));
    assert_false(bytes_eq(BYTES_LIT("a"), BYTES_LIT("b")));
    assert_true(bytes_starts(BYTES_LIT("abc"), BYTES_LIT("ab")));
    assert_true(bytes_starts(BYTES_NONE, BYTES_NONE));
    assert_false(bytes_starts(BYTES_LIT("a"), BYTES_LIT("ab")));
    assert_true(bytes_eq_ct(BYTES_NONE, BYTES_NONE));
    assert_true(bytes_eq_ct(BYTES_LIT("secret"), BYTES_LIT("secret")));
    assert_false(bytes_eq_ct(BYTES_LIT("secret"), BYTES_LIT("secreT")));
    assert_false(bytes_eq_ct(BYTES_LIT("\x80"), BYTES_LIT("\x00")));
    assert_false(bytes_eq_ct(BYTES_LIT("secret"), BYTES_LIT("secre")));
}

/* WebAssembly core specification 5.2.2; the numbers are its own and the bounds of each width. */
static void leb_unsigned(void **state)
{
    (void)state;
    const struct {
        struct bytes in;
        bool fits32, fits64;
        uint64_t value;
    } cases[] = {
        {BYTES_LIT("\x00"), true, true, 0},
        {BYTES_LIT("\x7f"), true, true, 127},
        {BYTES_LIT("\x03"), true, true, 3},
        {BYTES_LIT("\x83\x00"), true, true, 3},
        {BYTES_LIT("\xe5\x8e\x26"), true, true, 624485},
        {BYTES_LIT("\x80\x80\x80\x80\x00"), true, true, 0},
        {BYTES_LIT("\xff\xff\xff\xff\x0f"), true, true, UINT32_MAX},
        {BYTES_LIT("\x80\x80\x80\x80\x10"), false, true, 1ULL << 32},
        {BYTES_LIT("\xff\xff\xff\xff\x1f"), false, true, 0x1ffffffff},
        {BYTES_LIT("\x80\x80\x80\x80\x80\x00"), false, true, 0},
        {BYTES_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), false, true, UINT64_MAX},
        {BYTES_LIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), false, true, 0},
        {BYTES_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), false, false, 0},
        {BYTES_LIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7e"), false, false, 0},
        {BYTES_LIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), false, false, 0},
        {BYTES_LIT("\x80"), false, false, 0},
        {BYTES_LIT("\xff\xff\xff\xff"), false, false, 0},
        {BYTES_NONE, false, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes b = cases[i].in;
        uint32_t v32 = 77;
        uint64_t v64 = 77;
        assert_int_equal(bytes_take_leb32(&b, &v32), cases[i].fits32);
        assert_int_equal(v32, cases[i].fits32 ? cases[i].value : 77);
        assert_int_equal(b.len, cases[i].fits32 ? 0 : cases[i].in.len);
        b = cases[i].in;
        assert_int_equal(bytes_take_leb64(&b, &v64), cases[i].fits64);
        assert_true(v64 == (cases[i].fits64 ? cases[i].value : 77));
        assert_int_equal(b.len, cases[i].fits64 ? 0 : cases[i].in.len);
    }
}

static void leb_signed(void **state)
{
    (void)state;
    const struct {
        struct bytes in;
        unsigned bits;
        bool good;
        int64_t value;
    } cases[] = {
        {BYTES_LIT("\x00"), 33, true, 0},
        {BYTES_LIT("\x7f"), 33, true, -1},
        {BYTES_LIT("\x3f"), 33, true, 63},
        {BYTES_LIT("\x40"), 33, true, -64},
        {BYTES_LIT("\xfe\x7f"), 33, true, -2},
        {BYTES_LIT("\xfe\xff\x7f"), 33, true, -2},
        {BYTES_LIT("\xc0\xbb\x78"), 33, true, -123456},
        {BYTES_LIT("\xff\xff\xff\xff\x0f"), 33, true, 4294967295},
        {BYTES_LIT("\x80\x80\x80\x80\x70"), 33, true, -4294967296},
        {BYTES_LIT("\x80\x80\x80\x80\x10"), 33, false, 0},
        {BYTES_LIT("\x80\x80\x80\x80\x60"), 33, false, 0},
        {BYTES_LIT("\xff\xff\xff\xff\x1f"), 33, false, 0},
        {BYTES_LIT("\xff\xff\xff\xff\x8f\x00"), 33, false, 0},
        {BYTES_LIT("\xff\xff\xff\xff\xff\x7f"), 33, false, 0},
        {BYTES_LIT("\xff"), 33, false, 0},
        {BYTES_NONE, 33, false, 0},
        {BYTES_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00"), 64, true, INT64_MAX},
        {BYTES_LIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f"), 64, true, INT64_MIN},
        {BYTES_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), 64, true, -1},
        {BYTES_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 64, false, 0},
        {BYTES_LIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7e"), 64, false, 0},
        {BYTES_LIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), 64, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes b = cases[i].in;
        int64_t value = 77;
        assert_int_equal(bytes_take_sleb(&b, cases[i].bits, &value), cases[i].good);
        assert_true(value == (cases[i].good ? cases[i].value : 77));
        assert_int_equal(b.len, cases[i].good ? 0 : cases[i].in.len);
    }
}

/* What is written is minimal and reads back. */
static void leb_round(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift < 32; shift++) {
        for (int d = -1; d <= 1; d++) {
            uint32_t v = (UINT32_C(1) << shift) + (uint32_t)d, back = 0;
            uint8_t out[5];
            size_t n = leb32_write(out, v);
            struct bytes b = bytes_of(out, n);
            assert_true(n <= sizeof(out) && (n == 1 || out[n - 1] != 0));
            assert_true(bytes_take_leb32(&b, &back));
            assert_int_equal(back, v);
            assert_int_equal(b.len, 0);
        }
    }
}

/* RFC 3629 sections 3 and 4. */
static void utf8(void **state)
{
    (void)state;
    const struct {
        struct bytes in;
        bool good;
    } cases[] = {
        {BYTES_NONE, true},
        {BYTES_LIT("plain \x7f"), true},
        {BYTES_LIT("\0"), true},
        {BYTES_LIT("\xc2\x80 \xdf\xbf"), true},
        {BYTES_LIT("\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf"), true},
        {BYTES_LIT("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"), true},
        {BYTES_LIT("\xef\xbb\xbf"), true},
        {BYTES_LIT("\x80"), false},
        {BYTES_LIT("\xbf"), false},
        {BYTES_LIT("\xc0\x80"), false},
        {BYTES_LIT("\xc1\xbf"), false},
        {BYTES_LIT("\xe0\x9f\xbf"), false},
        {BYTES_LIT("\xf0\x8f\xbf\xbf"), false},
        {BYTES_LIT("\xed\xa0\x80"), false},
        {BYTES_LIT("\xed\xbf\xbf"), false},
        {BYTES_LIT("\xf4\x90\x80\x80"), false},
        {BYTES_LIT("\xf5\x80\x80\x80"), false},
        {BYTES_LIT("\xf8\x88\x80\x80\x80"), false},
        {BYTES_LIT("\xff"), false},
        {BYTES_LIT("\xc3"), false},
        {BYTES_LIT("\xe2\x82"), false},
        {BYTES_LIT("\xf0\x9f\x98"), false},
        {BYTES_LIT("\xc3("), false},
        {BYTES_LIT("\xe2\x82\xac\xe2"), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(bytes_is_utf8(cases[i].in), cases[i].good);
}

static void test_trim(void **state)
{
    (void)state;
    static const struct {
        const char *text, *blanks, *left;
    } cases[] = {
        {"", " ", ""},      {" \t ", " \t", ""},         {" a b ", " ", "a b"},
        {"a", " ", "a"},    {"\t a \t", " ", "\t a \t"}, {"\r\n a\n", " \r\n", "a"},
        {" a ", "", " a "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_true(bytes_eq_str(bytes_trim(bytes_str(cases[i].text), cases[i].blanks), cases[i].left));
    /* a NUL is no blank */
    assert_int_equal(bytes_trim(bytes_of((const uint8_t *)" \0 ", 3), " ").len, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take),       cmocka_unit_test(compare),   cmocka_unit_test(leb_unsigned),
        cmocka_unit_test(leb_signed), cmocka_unit_test(leb_round), cmocka_unit_test(utf8),
        cmocka_unit_test(test_trim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
