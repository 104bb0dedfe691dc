/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/invoke.h"
#include "tests/unit/runner_guest.h"

/* The names by which a function is found, and how well each fits. */
static void names(void **state)
{
    static const char *const root[] = {"greet"};
    static const char *const one[] = {"ns:pkg/face@1.0.0", "greet"};
    static const char *const plain[] = {"face", "greet"};
    static const char *const two[] = {"outer", "a:b/inner@0.2.0", "greet"};
    static const struct {
        const char *const *path;
        size_t n;
        const char *name;
        int want;
    } cases[] = {
        {root, 1, "greet", 2},
        {root, 1, "gree", 0},
        {root, 1, "x.greet", 0},
        {root, 1, "", 0},
        {one, 2, "ns:pkg/face@1.0.0#greet", 2},
        {one, 2, "ns:pkg/face@1.0.0.greet", 2},
        {one, 2, "ns:pkg/face#greet", 1},
        {one, 2, "ns:pkg/face.greet", 1},
        {one, 2, "ns:pkg/face.greet@1.0.0", 1},
        {one, 2, "face@1.0.0#greet", 1},
        {one, 2, "face.greet", 1},
        {one, 2, "face.greet@1.0.0", 1},
        {one, 2, "greet", 1},
        {one, 2, "face.greet@1.0.1", 0},
        {one, 2, "ns:pkg/face@1.0.0.greet@1.0.0", 0},
        {one, 2, "ns:other/face.greet", 0},
        {one, 2, "ns:pkg/face@2.0.0#greet", 0},
        {one, 2, "ace.greet", 0},
        {one, 2, ".greet", 0},
        {one, 2, "#greet", 0},
        {one, 2, "face/greet", 0},
        {one, 2, "face", 0},
        {plain, 2, "face#greet", 2},
        {plain, 2, "face.greet", 2},
        {two, 3, "outer#a:b/inner@0.2.0#greet", 2},
        {two, 3, "outer.inner.greet", 1},
        {two, 3, "inner.greet", 1},
        {two, 3, "greet", 1},
        {two, 3, "outer.greet", 0},
        {two, 3, "other.inner.greet", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int got = runner_export_match(cases[i].path, cases[i].n, bytes_str(cases[i].name));
        if (got != cases[i].want)
            print_message("# %s\n", cases[i].name);
        assert_int_equal(got, cases[i].want);
    }
}

/* One program, called again and again: each call has an instance of its own. */
static void many_calls(void **state)
{
    static const char module[] = "(module (global $n (mut i32) (i32.const 0))"
                                 "(func (export \"next\") (param i32) (result i32)"
                                 "(global.set $n (i32.add (global.get $n) (local.get 0))) (global.get $n)))";
    static const char *const argv[] = {"guest"}, *const args[] = {"5"};
    const struct runner_conf conf = {.cache_dir = NULL};
    const struct runner_invoke invoke = {"next", args, 1, false};
    const struct runner_grants grants = {.argv = argv, .argc = 1, .invoke = &invoke};
    struct err e = ERR_INIT;
    AUTO(runner_host) host = NULL;
    AUTO(runner_program) program = NULL;
    (void)state;
    assert_ok(runner_host_new(&conf, &host, &e));
    assert_ok(runner_program_load(host, bytes_str(module), NULL, &program, &e));
    for (int i = 0; i < 3; i++) {
        struct runner_result result;
        assert_ok(runner_program_run(program, &grants, &result, &e));
        assert_int_equal(result.status, 0);
        assert_string_equal(result.values, "5\n");
        runner_result_done(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(many_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
