/* SPDX-License-Identifier: Apache-2.0 */
/* How guests end, and what limits and arguments do to them. */
#include "tests/unit/runner_guest.h"

#include "base/text.h"

#define SECOND 1000U

static const char *const one_arg[] = {"guest"};
#define GRANTS .argv = one_arg, .argc = 1

static void statuses_are_passed(void **state)
{
    (void)state;
    static const char *const statuses[] = {"0", "1", "42", "125", "126", "200", "255"};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        const char *const argv[] = {"exit", statuses[i]};
        struct ran ran = guest_run_named("exit", &(struct runner_grants){.argv = argv, .argc = 2}, NULL);
        assert_int_equal(ran.code, 0);
        assert_int_equal(ran.status, strtol(statuses[i], NULL, 10));
        assert_false(ran.trapped);
        assert_string_equal(ran.text, "");
    }
}

static void components_return_and_exit(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int status;
    } cases[] = {{"component-ok", 0}, {"component-err", 1}, {"component-exit", 1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ran ran = guest_run_named(cases[i].name, &(struct runner_grants){GRANTS}, NULL);
        assert_int_equal(ran.code, 0);
        assert_int_equal(ran.status, cases[i].status);
        assert_false(ran.trapped);
    }
}

/* Also an unfinished line that the guest never flushed. */
static void all_output_arrives(void **state)
{
    (void)state;
    struct ran ran = guest_run_named("component-ok", &(struct runner_grants){GRANTS}, NULL);
    assert_string_equal(ran.output, "hello from the component\nunfinished");
    ran = guest_run_named("stdio", &(struct runner_grants){GRANTS}, NULL);
    assert_string_equal(ran.output, "to stdout\nthe end");
}

static void input_is_passed(void **state)
{
    (void)state;
    AUTO_DONE(buf) module = BUF_INIT(LIMIT_MODULE);
    int fds[2];
    if (!guest_load("cat", &module))
        skip_because("this guest is not built (make guests)");
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], "line\0end", 8), 8);
    (void)close(fds[1]);
    struct ran ran = guest_run(buf_bytes(&module), &(struct runner_grants){GRANTS}, NULL, fds[0]);
    (void)close(fds[0]);
    assert_int_equal(ran.status, 0);
    assert_memory_equal(ran.output, "line\0end", 9);
}

static void arguments_and_variables_are_those_granted(void **state)
{
    (void)state;
    const char *const argv[] = {"app", "--flag", "", "grün"}, *const env[] = {"A=1", "EMPTY=", "E=a=b"};
    assert_int_equal(setenv("WAYBILL_TEST_SECRET", "host only", 1), 0);
    struct ran ran = guest_run_named(
        "args", &(struct runner_grants){.argv = argv, .argc = 4, .env = env, .n_env = 3}, NULL);
    assert_int_equal(ran.status, 0);
    assert_string_equal(ran.output, "arg 0: app\narg 1: --flag\narg 2: \narg 3: grün\n"
                                    "env: A=1\nenv: EMPTY=\nenv: E=a=b\n");
    ran = guest_run_named("args", &(struct runner_grants){.argv = NULL}, NULL);
    assert_string_equal(ran.output, "");
}

static void bad_text_never_reaches_the_engine(void **state)
{
    (void)state;
    static const char *const bad_argv[] = {"app", "\xff"}, *const bad_env[] = {"A=\xc0\x80"},
                             *const no_equals[] = {"A"}, *const no_name[] = {"=x"};
    static const struct runner_dir bad_dir = {".", "/\xfe", false}, empty_dir = {".", "", false};
    const struct runner_grants grants[] = {
        {.argv = bad_argv, .argc = 2}, {.env = bad_env, .n_env = 1},    {.env = no_equals, .n_env = 1},
        {.env = no_name, .n_env = 1},  {.dirs = &bad_dir, .n_dirs = 1}, {.dirs = &empty_dir, .n_dirs = 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(grants); i++) {
        struct ran ran = guest_run_named("component-ok", &grants[i], NULL);
        assert_int_equal(ran.code, ERR_USAGE);
        assert_true(bytes_is_utf8(bytes_str(ran.text)));
        assert_string_equal(ran.output, "");
    }
}

/* Each name stands in the text, in this order. */
static void expect_in_order(const char *text, const char *const *names)
{
    for (const char *at = text; *names; names++) {
        at = strstr(at, *names);
        assert_non_null(at);
    }
}

static void traps_show_cause_and_backtrace(void **state)
{
    (void)state;
    static const struct {
        const char *name, *names[6];
    } cases[] = {
        {"trap", {"unreachable", "inner\n", "middle\n", "outer\n", "start\n"}},
        {"start-trap", {"out of bounds memory access", "init\n"}},
        {"recurse", {"call stack exhausted", "again\n"}},
        {"component-trap", {"unreachable", "inner\n", "run\n"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ran ran = guest_run_named(cases[i].name, &(struct runner_grants){GRANTS}, NULL);
        assert_int_equal(ran.code, 0);
        assert_true(ran.trapped);
        assert_false(ran.timed_out);
        assert_int_equal(ran.status, RUNNER_STATUS_TRAP);
        expect_in_order(ran.text, cases[i].names);
        assert_null(strstr(ran.text, "WASMTIME_"));
    }
}

/* Names in a module are the guest's: they must not reach the terminal as they are. */
static void traps_are_escaped(void **state)
{
    (void)state;
    static const char text[] = "(module (func $a (@name \"\\1b[2Jclear\\n    9: fake\") unreachable)"
                               " (func (export \"_start\") call $a))";
    struct ran ran = guest_run(BYTES_LIT(text), &(struct runner_grants){GRANTS}, NULL, 0);
    assert_true(ran.trapped);
    assert_null(strchr(ran.text, '\x1b'));
    assert_non_null(strstr(ran.text, "[2Jclear"));
}

static void time_runs_out(void **state)
{
    (void)state;
    static const char *const names[] = {"loop", "start-loop", "component-loop"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct ran ran =
            guest_run_named(names[i], &(struct runner_grants){GRANTS, .limits.timeout_ms = 100}, NULL);
        assert_int_equal(ran.code, 0);
        assert_true(ran.timed_out);
        assert_false(ran.trapped);
        assert_int_equal(ran.status, RUNNER_STATUS_TIMEOUT);
        assert_true(ran.ms >= 100 && ran.ms < 20 * SECOND);
    }
}

static void time_runs_out_inside_host_calls(void **state)
{
    (void)state;
    AUTO_DONE(buf) module = BUF_INIT(LIMIT_MODULE);
    int fds[2];
    struct ran ran =
        guest_run_named("sleep", &(struct runner_grants){GRANTS, .limits.timeout_ms = 100}, NULL);
    assert_true(ran.hooked);
    assert_true(ran.ms < 20 * SECOND);
    assert_true(guest_load("cat", &module));
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0); /* nothing ever comes */
    ran = guest_run(buf_bytes(&module), &(struct runner_grants){GRANTS, .limits.timeout_ms = 100}, NULL,
                    fds[0]);
    assert_true(ran.hooked);
    assert_true(ran.ms < 20 * SECOND);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

/* Without anybody to end the process the guest ends when its call returns. */
static void without_a_hook_the_host_call_ends_first(void **state)
{
    (void)state;
    const char *const argv[] = {"sleep", "1"};
    guest_options.no_hook = true;
    struct ran ran = guest_run_named(
        "sleep", &(struct runner_grants){.argv = argv, .argc = 2, .limits.timeout_ms = 100}, NULL);
    guest_options.no_hook = false;
    assert_true(ran.timed_out);
    assert_int_equal(ran.status, RUNNER_STATUS_TIMEOUT);
    assert_true(ran.ms >= 1 * SECOND);
}

static void time_that_is_enough_changes_nothing(void **state)
{
    (void)state;
    struct ran ran = guest_run_named("component-ok",
                                     &(struct runner_grants){GRANTS, .limits.timeout_ms = UINT64_MAX}, NULL);
    assert_int_equal(ran.code, 0);
    assert_int_equal(ran.status, 0);
    assert_false(ran.timed_out);
    assert_true(ran.ms < 20 * SECOND);
}

static void memory_is_limited(void **state)
{
    (void)state;
    struct ran ran =
        guest_run_named("memgrow", &(struct runner_grants){GRANTS, .limits.max_memory = 4U << 20}, NULL);
    assert_int_equal(ran.status, 4);
    ran = guest_run_named("memgrow", &(struct runner_grants){GRANTS, .limits.max_memory = 1}, NULL);
    assert_int_equal(ran.code, ERR_NOT_RUNNABLE);
    ran = guest_run_named("memgrow", &(struct runner_grants){GRANTS}, NULL);
    assert_int_equal(ran.status, 255);
    ran = guest_run_named("component-memgrow", &(struct runner_grants){GRANTS, .limits.max_memory = 1U << 20},
                          NULL);
    assert_int_equal(ran.status, 1);
    ran = guest_run_named("component-memory", &(struct runner_grants){GRANTS, .limits.max_memory = 1U << 20},
                          NULL);
    assert_int_equal(ran.code, ERR_NOT_RUNNABLE);
    assert_non_null(strstr(ran.text, "memory"));
    ran = guest_run_named("component-memory", &(struct runner_grants){GRANTS, .limits.max_memory = 64U << 20},
                          NULL);
    assert_int_equal(ran.status, 0);
}

/* With little address space the engine is set up differently; code compiled for the one is not run by the
 * other. */
static void little_address_space_is_enough(void **state)
{
    struct scratch *s = *state;
    const char *cache = scratch_path(s, "cache");
#if defined(__SANITIZE_ADDRESS__)
    skip_because("AddressSanitizer takes more address space than this test leaves");
#endif
    for (int i = 0; i < 4; i++) {
        guest_options.address_space = i % 2 ? 1U << 30 : 0;
        struct ran ran = guest_run_named("trap", &(struct runner_grants){GRANTS}, cache);
        assert_int_equal(ran.status, RUNNER_STATUS_TRAP);
        ran = guest_run_named("start-trap", &(struct runner_grants){GRANTS}, cache);
        assert_non_null(strstr(ran.text, "out of bounds"));
        ran =
            guest_run_named("memgrow", &(struct runner_grants){GRANTS, .limits.max_memory = 4U << 20}, cache);
        assert_int_equal(ran.status, 4);
    }
    guest_options.address_space = 0;
    assert_int_equal(folder_count(cache), 1 + 2 * 3);
}

static void memories_and_tables_are_limited(void **state)
{
    (void)state;
    struct ran ran = guest_run_named("memories", &(struct runner_grants){GRANTS}, NULL);
    assert_int_equal(ran.code, ERR_NOT_RUNNABLE);
    ran = guest_run_named("tablegrow", &(struct runner_grants){GRANTS}, NULL);
    assert_int_equal(ran.status, 16);
}

static void what_cannot_run_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *name, *why;
    } cases[] = {
        {"import-unknown", "env::launch_missiles"},
        {"no-start", "_start"},
        {"component-import-unknown", "example:rockets/launcher@1.0.0"},
        {"component-p3", "WASI 0.3"},
        {"component-library", "wasi:cli/run"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ran ran = guest_run_named(cases[i].name, &(struct runner_grants){GRANTS}, NULL);
        assert_int_equal(ran.code, ERR_NOT_RUNNABLE);
        assert_memory_equal(ran.text, "guest: ", 7);
        assert_non_null(strstr(ran.text, cases[i].why));
        assert_null(strchr(ran.text, '\n'));
    }
}

/* A run whose type the engine could not convert, or that is none at all. */
static void a_run_of_another_type_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "(component (core module $m (func (export \"r\") (param i32) (result i32) (i32.const 0)))"
        " (core instance $i (instantiate $m))"
        " (func $r (param \"a\" u32) (result (result)) (canon lift (core func $i \"r\")))"
        " (instance $x (export \"run\" (func $r))) (export \"wasi:cli/run@0.2.0\" (instance $x)))",
        "(component (core module $m (func (export \"r\") (result i32) (i32.const 0)))"
        " (core instance $i (instantiate $m)) (func $r (result u32) (canon lift (core func $i \"r\")))"
        " (instance $x (export \"run\" (func $r))) (export \"wasi:cli/run@0.2.0\" (instance $x)))",
        "(component (core module $m (func (export \"r\"))) (core instance $i (instantiate $m))"
        " (func $r (canon lift (core func $i \"r\")))"
        " (instance $x (export \"run\" (func $r))) (export \"wasi:cli/run@0.2.0\" (instance $x)))",
        "(component (core module $m (func (export \"r\"))) (core instance $i (instantiate $m))"
        " (func $r (canon lift (core func $i \"r\")))"
        " (instance $x (export \"other\" (func $r))) (export \"wasi:cli/run@0.2.0\" (instance $x)))",
        "(component (core module $m (func (export \"r\"))) (core instance $i (instantiate $m))"
        " (func $r (canon lift (core func $i \"r\"))) (export \"wasi:cli/run@0.2.0\" (func $r)))",
        "(component (instance $in) (instance $x (export \"run\" (instance $in)))"
        " (export \"wasi:cli/run@0.2.0\" (instance $x)))",
        "(module (memory (export \"_start\") 1))",
        "(module (func (export \"_start\") (param i32)))",
        "(module (func (export \"_start\") (result i32) (i32.const 7)))",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct ran ran = guest_run(bytes_str(texts[i]), &(struct runner_grants){GRANTS}, NULL, 0);
        assert_int_equal(ran.code, ERR_NOT_RUNNABLE);
    }
}

static void a_second_run_takes_what_the_first_kept(void **state)
{
    struct scratch *s = *state;
    const char *cache = scratch_path(s, "cache");
    struct ran ran = guest_run_named("component-ok", &(struct runner_grants){GRANTS}, cache);
    assert_int_equal(ran.status, 0);
    assert_int_equal(folder_count(cache), 2);
    ran = guest_run_named("component-ok", &(struct runner_grants){GRANTS}, cache);
    assert_int_equal(ran.status, 0);
    assert_string_equal(ran.output, "hello from the component\nunfinished");
    ran = guest_run_named("loop", &(struct runner_grants){GRANTS, .limits.timeout_ms = 50}, cache);
    assert_true(ran.timed_out);
    ran = guest_run_named("loop", &(struct runner_grants){GRANTS, .limits.timeout_ms = 50}, cache);
    assert_true(ran.timed_out);
    assert_int_equal(folder_count(cache), 3);
}

static void a_cache_that_cannot_be_used_is_no_failure(void **state)
{
    struct scratch *s = *state;
    scratch_write(s, "file", BYTES_LIT("in the way"));
    struct ran ran =
        guest_run_named("component-ok", &(struct runner_grants){GRANTS}, scratch_path(s, "file/cache"));
    assert_int_equal(ran.code, 0);
    assert_int_equal(ran.status, 0);
    ran = guest_run_named("component-ok", &(struct runner_grants){GRANTS}, scratch_path(s, "file"));
    assert_int_equal(ran.status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_are_passed),
        cmocka_unit_test(components_return_and_exit),
        cmocka_unit_test(all_output_arrives),
        cmocka_unit_test(input_is_passed),
        cmocka_unit_test(arguments_and_variables_are_those_granted),
        cmocka_unit_test(bad_text_never_reaches_the_engine),
        cmocka_unit_test(traps_show_cause_and_backtrace),
        cmocka_unit_test(traps_are_escaped),
        cmocka_unit_test(time_runs_out),
        cmocka_unit_test(time_runs_out_inside_host_calls),
        cmocka_unit_test(without_a_hook_the_host_call_ends_first),
        cmocka_unit_test(time_that_is_enough_changes_nothing),
        cmocka_unit_test(memory_is_limited),
        scratch_test(little_address_space_is_enough),
        cmocka_unit_test(memories_and_tables_are_limited),
        cmocka_unit_test(what_cannot_run_says_why),
        cmocka_unit_test(a_run_of_another_type_is_refused),
        scratch_test(a_second_run_takes_what_the_first_kept),
        scratch_test(a_cache_that_cannot_be_used_is_no_failure),
    };
    return cmocka_run_group_tests_name("runner/run", tests, NULL, NULL);
}
