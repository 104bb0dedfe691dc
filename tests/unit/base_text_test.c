/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "tests/unit/unit.h"

static void escapes(void **state)
{
    (void)state;
    const struct {
        struct bytes in;
        const char *want;
    } cases[] = {
        {BYTES_NONE, ""},
        {BYTES_LIT("plain text ~"), "plain text ~"},
        {BYTES_LIT("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
        {BYTES_LIT("\x1b[31mred"), "\\x1b[31mred"},
        {BYTES_LIT("a\nb\rc\td\0e\x7f"), "a\\x0ab\\x0dc\\x09d\\x00e\\x7f"},
        {BYTES_LIT("\xc2\x9b"
                   "31m"),
         "\\u{009b}31m"},
        {BYTES_LIT("\xe2\x80\xaegpj.exe"), "\\u{202e}gpj.exe"},
        {BYTES_LIT("\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c\xe2\x80\x8b"), "\\u{2066}\\u{2069}\\u{061c}\\u{200b}"},
        {BYTES_LIT("\xe2\x81\xa0\xef\xbb\xbf"), "\\u{2060}\\u{feff}"},
        {BYTES_LIT("\xf3\xa0\x81\x81"), "\\u{e0041}"},
        {BYTES_LIT("\xe2\x80\xa8"), "\\u{2028}"},
        {BYTES_LIT("\xff\xfe"), "\\xff\\xfe"},
        {BYTES_LIT("\xc0\xaf"), "\\xc0\\xaf"},
        {BYTES_LIT("\xed\xa0\x80"), "\\xed\\xa0\\x80"},
        {BYTES_LIT("\xe2\x82"), "\\xe2\\x82"},
        {BYTES_LIT("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[64];
        assert_ptr_equal(text_escape(cases[i].in, out, sizeof(out)), out);
        assert_string_equal(out, cases[i].want);
    }
}

/* Whatever the room, the result ends in NUL inside it, is UTF-8 and, when cut, says so. */
static void cuts(void **state)
{
    (void)state;
    static const char text[] = "ab\x1b\xe2\x82\xac\xff"
                               "cdefghijklmnop";
    char whole[128];
    (void)text_escape_str(text, whole, sizeof(whole));
    for (size_t size = 1; size < sizeof(whole); size++) {
        char *out = malloc(size); /* exactly sized for ASan */
        assert_non_null(out);
        (void)text_escape_str(text, out, size);
        size_t len = strnlen(out, size);
        assert_true(len < size);
        assert_true(bytes_is_utf8(bytes_of(out, len)));
        if (size > strlen(whole) + 3) {
            assert_string_equal(out, whole);
        } else if (size >= 4 && strcmp(out, whole) != 0) {
            assert_string_equal(out + len - 3, "...");
            assert_memory_equal(out, whole, len - 3);
        }
        free(out);
    }
    char none = 'x';
    (void)text_escape_str(text, &none, 0);
    assert_int_equal(none, 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(escapes), cmocka_unit_test(cuts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
