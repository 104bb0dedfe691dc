/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/toml.h"
#include "tests/unit/unit.h"

static void good(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(jdoc) doc = NULL;
    assert_ok(toml_parse(BYTES_LIT("# a comment\n"
                                   "name = \"x\"\n"
                                   "big = 9223372036854775807\n"
                                   "hex = 0xff\n"
                                   "when = 1979-05-27T07:32:00Z\n"
                                   "[run.limits]\n"
                                   "memory = \"64MiB\"\n"
                                   "[[dir]]\n"
                                   "host = '/a'\n"
                                   "[[dir]]\n"
                                   "host = '/b'\n"),
                         &doc, &e));
    const struct jval *root = jdoc_root(doc), *dirs = NULL, *run = NULL;
    uint64_t n = 0;
    assert_string_equal(jval_string(jobj_get(root, "name")), "x");
    assert_string_equal(jval_string(jobj_get(root, "when")), "1979-05-27T07:32:00Z");
    assert_ok(jobj_want_uint(root, "big", true, INT64_MAX, &n, &e));
    assert_true(n == INT64_MAX);
    assert_ok(jobj_want_uint(root, "hex", true, 255, &n, &e));
    assert_true(n == 255);
    assert_ok(jobj_want_object(root, "run", true, &run, &e));
    assert_string_equal(jval_string(jobj_get(jobj_get(run, "limits"), "memory")), "64MiB");
    assert_ok(jobj_want_array(root, "dir", true, &dirs, &e));
    assert_int_equal(jarr_len(dirs), 2);
    assert_string_equal(jval_string(jobj_get(jarr_at(dirs, 1), "host")), "/b");

    AUTO(jdoc) empty = NULL;
    assert_ok(toml_parse(BYTES_NONE, &empty, &e));
    assert_int_equal(jval_kind(jdoc_root(empty)), JKIND_OBJECT);
}

static void bad(void **state)
{
    (void)state;
    const struct {
        struct bytes text;
        const char *where;
    } cases[] = {
        {BYTES_LIT("a = \n"), "line 1 column"},
        {BYTES_LIT("a = 1\nb = [1,\n\nc = 2\n"), "line "},
        {BYTES_LIT("a = 1\na = 2\n"), "line 2 column 1:"},
        {BYTES_LIT("[t]\nx = 1\n[t]\n"), "line 3 column 2:"},
        {BYTES_LIT("\xc3\xa9 = 1\n"), "line 1 column 1:"},
        {BYTES_LIT("k = 1\na = [\"\xc3\xa9\", x]\n"), "line 2 column 11:"},
        {BYTES_LIT("a = 9223372036854775808\n"), "line 1 column 5:"},
        {BYTES_LIT("a = inf\n"), "line 1 column 5:"},
        {BYTES_LIT("a = nan\n"), "line 1 column 5:"},
        {BYTES_LIT("a = 01\n"), "line 1 column"},
        {BYTES_LIT("a = 'x\n"), "line 1 column"},
        {BYTES_LIT("k = 1\nb = \"\xff\"\n"), "line 2 column 6: not UTF-8"},
        {BYTES_LIT("a = \"\0\"\n"), "line 1 column"},
        {BYTES_LIT("a = \"\\u0000\"\n"), "NUL"},
        {BYTES_LIT("\"\\u0000\" = 1\n"), "NUL"},
        {BYTES_LIT("a = \"\x1b[2J\"\n"), "line 1 column"},
        {BYTES_LIT("a = \"\\ud800\"\n"), "line 1 column"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        struct jdoc *doc = NULL;
        assert_fails(toml_parse(cases[i].text, &doc, &e), ERR_CONFIG);
        assert_null(doc);
        if (!strstr(e.msg, cases[i].where))
            print_message("# case %zu: %s\n", i, e.msg);
        assert_non_null(strstr(e.msg, cases[i].where));
        assert_null(strchr(e.msg, '\x1b'));
    }
}

/* Depth in every way that the language knows is an error and no crash. */
static void bounds(void **state)
{
    (void)state;
    static const struct {
        const char *before, *each, *after;
        size_t n;
    } deep[] = {
        {"a = ", "[", "", 500000},    {"a = ", "{a=", "", 200000},   {"a", ".a", " = 1\n", 400000},
        {"[a", ".a", "]\n", 400000},  {"[[a", ".a", "]]\n", 400000}, {"a = {a", ".a", " = 1}\n", 400000},
        {"a = ", "[{a=", "", 200000},
    };
    for (size_t i = 0; i < ARRAY_LEN(deep); i++) {
        struct err e = ERR_INIT;
        struct jdoc *doc = NULL;
        AUTO_DONE(buf) text = BUF_INIT(LIMIT_TOML);
        buf_append_str(&text, deep[i].before);
        for (size_t k = 0; k < deep[i].n; k++)
            buf_append_str(&text, deep[i].each);
        buf_append_str(&text, deep[i].after);
        assert_ok(buf_check(&text, &e));
        assert_int_not_equal(toml_parse(buf_bytes(&text), &doc, &e), 0);
        assert_null(doc);
        assert_true(e.code == ERR_CONFIG || e.code == ERR_LIMIT);
    }
    struct err e = ERR_INIT;
    struct jdoc *doc = NULL;
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_TOML + 1);
    while (text.len <= LIMIT_TOML)
        buf_append_u8(&text, '\n');
    assert_fails(toml_parse(buf_bytes(&text), &doc, &e), ERR_LIMIT);
}

/* Where the key or element at the end of a path stands. path: names and, with a leading #, indices. */
static void at_is(struct bytes text, const char *const *path, size_t n, unsigned line, unsigned column)
{
    struct toml_at at[8];
    unsigned got_line = 0, got_column = 0;
    for (size_t i = 0; i < n; i++)
        at[i] = (struct toml_at){i ? &at[i - 1] : NULL, *path[i] == '#' ? NULL : path[i],
                                 *path[i] == '#' ? strtoul(path[i] + 1, NULL, 10) : 0};
    toml_locate(text, n ? &at[n - 1] : NULL, &got_line, &got_column);
    if (got_line != line || got_column != column)
        fail_msg("%s: %u:%u, wanted %u:%u", n ? path[n - 1] : "", got_line, got_column, line, column);
}
#define AT(line, column, ...)                                  \
    at_is(BYTES_LIT(text), (const char *const[]){__VA_ARGS__}, \
          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), line, column)

static void places(void **state)
{
    (void)state;
    static const char text[] = "top = 1 # a = 2\n"
                               "a.b = { c = [1, \"]\", 'x'], d.e = 2 }\n"
                               "s = \"\"\"\n"
                               "[t]\n"
                               "x = 1\"\"\"\"\n"
                               "  [t.\"\\u00e9 z\"]\n"
                               "x = '''\n"
                               "y = 1'''\n"
                               "\"\xc3\xa9\" = 1\n"
                               "'y' = [\n"
                               "  # no\n"
                               "  { k = 1 },\n"
                               "  { k = 2, l = 3 },\n"
                               "]\n"
                               "[[l]]\n"
                               "n = 1\n"
                               "[[l.m]]\n"
                               "[l.m.o]\n"
                               "p = 1979-05-27 07:32:00\n"
                               "[[l]]\n"
                               "n = 2\n"
                               "[[l.m]]\n"
                               "q = 1\n"
                               "[[l.m]]\n"
                               "q = 2\n";
    struct err e = ERR_INIT;
    AUTO(jdoc) doc = NULL;
    assert_ok(toml_parse(BYTES_LIT(text), &doc, &e));
    AT(1, 1, "top");
    AT(2, 1, "a");
    AT(2, 3, "a", "b");
    AT(2, 9, "a", "b", "c");
    AT(2, 17, "a", "b", "c", "#1");
    AT(2, 28, "a", "b", "d");
    AT(2, 30, "a", "b", "d", "e");
    AT(2, 3, "a", "b", "gone");
    AT(6, 4, "t");
    AT(6, 6, "t", "\xc3\xa9 z");
    AT(7, 1, "t", "\xc3\xa9 z", "x");
    AT(9, 1, "t", "\xc3\xa9 z", "\xc3\xa9");
    AT(10, 1, "t", "\xc3\xa9 z", "y");
    AT(13, 3, "t", "\xc3\xa9 z", "y", "#1");
    AT(13, 12, "t", "\xc3\xa9 z", "y", "#1", "l");
    AT(16, 1, "l", "#0", "n");
    AT(19, 1, "l", "#0", "m", "#0", "o", "p");
    AT(21, 1, "l", "#1", "n");
    AT(23, 1, "l", "#1", "m", "#0", "q");
    AT(25, 1, "l", "#1", "m", "#1", "q");
    AT(1, 1, "gone");
    at_is(BYTES_LIT(text), NULL, 0, 1, 1);
    at_is(BYTES_NONE, NULL, 0, 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(bad),
                                       cmocka_unit_test(bounds), cmocka_unit_test(places)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
