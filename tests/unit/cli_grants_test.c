/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/grants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int make_one(const char *text, struct grants *g, struct err *e)
{
    const char *items[] = {text};
    const struct grants_options o = {.dirs = {items, 1}};
    *g = (struct grants){0};
    return grants_make(g, &o, "x", NULL, 0, e);
}

static void test_dirs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *guest;
        bool writable;
    } good[] = {
        {".", ".", ".", false},
        {"/srv/data", "/srv/data", "/srv/data", false},
        {"/srv/data:rw", "/srv/data", "/srv/data", true},
        {"/srv/data::/data", "/srv/data", "/data", false},
        {"/srv/data::/data:rw", "/srv/data", "/data", true},
        {"a::b::/c", "a::b", "/c", false},
        {"a:b", "a:b", "a:b", false},
        {"a:ro", "a:ro", "a:ro", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(grants) g;
        assert_int_equal(make_one(good[i].text, &g, &e), 0);
        assert_int_equal(g.runner.n_dirs, 1);
        assert_string_equal(g.dirs[0].host, good[i].host);
        assert_string_equal(g.dirs[0].guest, good[i].guest);
        assert_true(g.dirs[0].writable == good[i].writable);
    }
}

static void test_bad_dirs(void **state)
{
    (void)state;
    static const char *const bad[] = {":rw", "::", "a::", "::b", "a:::rw", "::b:rw"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(grants) g;
        int r = make_one(bad[i], &g, &e);
        if (r == 0)
            print_message("# accepted: %s\n", bad[i]);
        assert_int_equal(r, ERR_USAGE);
        assert_non_null(strstr(e.msg, "HOST[::GUEST][:rw] is wanted"));
    }
}

static void test_two_alike(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    const char *items[] = {"a::/x", "b::/x:rw"};
    const struct grants_options o = {.dirs = {items, 2}};
    AUTO_DONE(grants) g = {0};
    assert_int_equal(grants_make(&g, &o, "x", NULL, 0, &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "two folders are to be called '/x'"));
}

static void test_argv(void **state)
{
    (void)state;
    char one[] = "--flag", two[] = "";
    char *const args[] = {one, two};
    const struct grants_options none = {.dirs = {NULL, 0}};
    struct err e = ERR_INIT;
    AUTO_DONE(grants) g = {0};
    assert_int_equal(grants_make(&g, &none, "hello", args, 2, &e), 0);
    assert_int_equal(g.runner.argc, 3);
    assert_string_equal(g.runner.argv[0], "hello");
    assert_string_equal(g.runner.argv[1], "--flag");
    assert_string_equal(g.runner.argv[2], "");
    assert_int_equal(g.runner.n_env, 0);
    assert_int_equal(g.runner.n_dirs, 0);
}

static char *joined_env(const struct grants_options *o, char *out, size_t size)
{
    struct err e = ERR_INIT;
    AUTO_DONE(grants) g = {0};
    out[0] = '\0';
    assert_int_equal(grants_make(&g, o, "x", NULL, 0, &e), 0);
    for (size_t i = 0; i < g.runner.n_env; i++) {
        size_t len = strlen(out);
        (void)snprintf(out + len, size - len, "%s;", g.runner.env[i]);
    }
    return out;
}

static void test_env(void **state)
{
    (void)state;
    char out[256];
    assert_int_equal(setenv("GRANTS_HERE", "from here", 1), 0);
    assert_int_equal(unsetenv("GRANTS_NOWHERE"), 0);
    const char *all[] = {"A=1", "AB=", "GRANTS_HERE", "GRANTS_NOWHERE", "A=x=y"};
    assert_string_equal(joined_env(&(struct grants_options){.env = {all, 5}}, out, sizeof(out)),
                        "AB=;GRANTS_HERE=from here;A=x=y;");
    const char *gone[] = {"GRANTS_NOWHERE=1", "GRANTS_NOWHERE"};
    assert_string_equal(joined_env(&(struct grants_options){.env = {gone, 2}}, out, sizeof(out)), "");
    const char *back[] = {"GRANTS_NOWHERE", "GRANTS_NOWHERE=1"};
    assert_string_equal(joined_env(&(struct grants_options){.env = {back, 2}}, out, sizeof(out)),
                        "GRANTS_NOWHERE=1;");
}

static void test_bad_env(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(grants) g = {0};
    const char *items[] = {"=x"};
    const struct grants_options o = {.env = {items, 1}};
    assert_int_equal(grants_make(&g, &o, "x", NULL, 0, &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "NAME=VALUE or NAME is wanted"));
}

static void test_seed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool deterministic;
        int want;
        uint64_t seed;
    } cases[] = {
        {NULL, false, 0, 0},        {NULL, true, 0, 0},
        {"0", true, 0, 0},          {"18446744073709551615", true, 0, UINT64_MAX},
        {"1", false, ERR_USAGE, 0}, {"18446744073709551616", true, ERR_USAGE, 0},
        {"-1", true, ERR_USAGE, 0}, {" 1", true, ERR_USAGE, 0},
        {"1x", true, ERR_USAGE, 0}, {"+1", true, ERR_USAGE, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(grants) g = {0};
        const struct grants_options o = {.seed = cases[i].text, .deterministic = cases[i].deterministic};
        assert_int_equal(grants_make(&g, &o, "x", NULL, 0, &e), cases[i].want);
        if (cases[i].want == 0)
            assert_true(g.runner.seed == cases[i].seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dirs), cmocka_unit_test(test_bad_dirs), cmocka_unit_test(test_two_alike),
        cmocka_unit_test(test_argv), cmocka_unit_test(test_env),      cmocka_unit_test(test_bad_env),
        cmocka_unit_test(test_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
