/* SPDX-License-Identifier: Apache-2.0 */
#include "base/envfile.h"
#include "base/limits.h"
#include "tests/unit/unit.h"

struct seen {
    char text[512];
    int stop;
};

static int see(void *ctx, struct bytes name, struct bytes value, struct err *e)
{
    struct seen *s = ctx;
    size_t len = strlen(s->text);
    (void)snprintf(s->text + len, sizeof(s->text) - len, "<%.*s><%.*s>", BYTES_FMT(name), BYTES_FMT(value));
    return s->stop ? err_set(e, s->stop, "enough") : 0;
}

static void lines_are_taken_as_they_are(void **state)
{
    (void)state;
    const struct {
        struct bytes text;
        const char *want;
    } cases[] = {
        {BYTES_NONE, ""},
        {BYTES_LIT("\n\n# c\n#=\n"), ""},
        {BYTES_LIT("A=1"), "<A><1>"},
        {BYTES_LIT("A=1\n"), "<A><1>"},
        {BYTES_LIT("A=\nB=x=y\n"), "<A><><B><x=y>"},
        {BYTES_LIT("A= 1 #2 \"q\" $A\t\n"), "<A>< 1 #2 \"q\" $A\t>"},
        {BYTES_LIT("_a.b-9=\xc3\xa4\n"), "<_a.b-9><\xc3\xa4>"},
        {BYTES_LIT("A=1\nA=2\n"), "<A><1><A><2>"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        struct seen s = {.stop = 0};
        assert_int_equal(envfile_parse(cases[i].text, see, &s, &e), 0);
        assert_string_equal(s.text, cases[i].want);
    }
}

static void all_else_is_refused_with_its_line(void **state)
{
    (void)state;
    const struct {
        struct bytes text;
        const char *want;
    } cases[] = {
        {BYTES_LIT("A"), "line 1: not NAME=VALUE"},
        {BYTES_LIT("\n# c\n=1\n"), "line 3: not NAME=VALUE"},
        {BYTES_LIT("A=1\n B=2\n"), "line 2: not NAME=VALUE"},
        {BYTES_LIT("A =1\n"), "line 1: not NAME=VALUE"},
        {BYTES_LIT("export A=1\n"), "line 1: not NAME=VALUE"},
        {BYTES_LIT("1A=1\n"), "line 1: not NAME=VALUE"},
        {BYTES_LIT("\xef\xbb\xbf"
                   "A=1\n"),
         "line 1: not NAME=VALUE"},
        {BYTES_LIT("A=1\r\n"), "line 1: a control character"},
        {BYTES_LIT("A=1\nB=a\0b\n"), "line 2: a control character"},
        {BYTES_LIT("A=\x1b[m\n"), "line 1: a control character"},
        {BYTES_LIT("# \0\nA=\xff\n"), "line 2: not UTF-8"},
        {BYTES_LIT("A=\xed\xa0\x80\n"), "line 1: not UTF-8"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        struct seen s = {.stop = 0};
        assert_int_equal(envfile_parse(cases[i].text, see, &s, &e), ERR_FORMAT);
        assert_string_equal(e.msg, cases[i].want);
    }
}

static void there_is_a_limit(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct seen s = {.stop = 0};
    AUTO_FREE uint8_t *text = malloc(LIMIT_ENV_FILE + 1);
    assert_non_null(text);
    memset(text, '#', LIMIT_ENV_FILE + 1);
    assert_int_equal(envfile_parse(bytes_of(text, LIMIT_ENV_FILE), see, &s, &e), 0);
    assert_int_equal(envfile_parse(bytes_of(text, LIMIT_ENV_FILE + 1), see, &s, &e), ERR_LIMIT);
}

static void who_sees_may_end_it(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct seen s = {.stop = ERR_LIMIT};
    assert_int_equal(envfile_parse(BYTES_LIT("A=1\nB=2\n"), see, &s, &e), ERR_LIMIT);
    assert_string_equal(s.text, "<A><1>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_taken_as_they_are),
        cmocka_unit_test(all_else_is_refused_with_its_line),
        cmocka_unit_test(there_is_a_limit),
        cmocka_unit_test(who_sees_may_end_it),
    };
    return cmocka_run_group_tests_name("base/envfile", tests, NULL, NULL);
}
