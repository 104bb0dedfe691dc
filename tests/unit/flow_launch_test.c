/* SPDX-License-Identifier: Apache-2.0 */
/* From a reference to the result of its run: no decision is missed, whichever function is called. */
#include "flow/launch.h"

#include "base/limits.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static const char module[] = "(module (func (export \"_start\")))";
static const struct runner_conf runner = {.cache_dir = NULL};
static const struct flow_conf anonymous = {.store_dir = NULL};

static void what_was_not_obtained_to_be_run_is_not(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct runner_result result;
    const struct runner_grants none = {.argc = 0};
    const struct flow_launch launch = {.runner = &runner, .grants = &none};
    struct flow_artifact artifact = {.fd = -1, .name = (char[]){"x.wat"}, .bytes = BUF_INIT(LIMIT_MODULE)};
    buf_append_str(&artifact.bytes, module);
    assert_int_equal(flow_launch_run(&artifact, &launch, &result, &e), ERR_REFUSED);
    assert_int_equal(flow_launch_check(&artifact, &launch, &e), ERR_REFUSED);
    buf_done(&artifact.bytes);
}

static void a_reference_needs_a_demand(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct runner_result result;
    const struct runner_grants none = {.argc = 0};
    const struct flow_demand nothing = {.trust = NULL};
    struct flow_launch launch = {.target = "oci:nowhere:1", .runner = &runner, .grants = &none};
    assert_int_equal(flow_launch(&anonymous, &launch, &result, &e), ERR_REFUSED);
    launch.demand = &nothing;
    assert_int_equal(flow_launch(&anonymous, &launch, &result, &e), ERR_REFUSED);
    launch.allow_unsigned = true;
    assert_int_equal(flow_launch(&anonymous, &launch, &result, &e), ERR_NOTFOUND);
}

static void a_policy_limits_what_is_granted(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    const char *const variables[] = {"A=1"};
    const struct runner_dir dirs[] = {{"/tmp", "/tmp", false}};
    const struct runner_grants env = {.env = variables, .n_env = 1}, dir = {.dirs = dirs, .n_dirs = 1};
    const struct flow_launch with_env = {.runner = &runner, .grants = &env};
    const struct flow_launch with_dir = {.runner = &runner, .grants = &dir};
    const char *const allowed[] = {"wasi:cli"};
    struct flow_artifact artifact = {.fd = -1,
                                     .name = (char[]){"x.wat"},
                                     .bytes = BUF_INIT(LIMIT_MODULE),
                                     .to_run = true,
                                     .decision = {.limits_capabilities = true,
                                                  .rule = "scopes.\"file:\"",
                                                  .capabilities = allowed,
                                                  .n_capabilities = 1}};
    buf_append_str(&artifact.bytes, module);
    assert_int_equal(hash_bytes(HASH_SHA256, buf_bytes(&artifact.bytes), &artifact.digest, &e), 0);
    assert_int_equal(flow_launch_check(&artifact, &with_env, &e), 0);
    assert_int_equal(flow_launch_check(&artifact, &with_dir, &e), ERR_CAPABILITY);
    assert_non_null(strstr(e.msg, "--dir: wasi:filesystem is not allowed"));
    buf_done(&artifact.bytes);
}

/* Each run has the limits of its own grants, though the runner's conf says nothing of them. */
static void a_file_is_run_with_its_limits(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct runner_result result;
    char path[] = "/tmp/waybill-launch-XXXXXX.wat";
    static const char loops[] = "(module (func (export \"_start\") (loop (br 0))))";
    AUTO_FD int fd = mkstemps(path, 4);
    assert_int_equal(write(fd, loops, sizeof(loops) - 1), sizeof(loops) - 1);
    const struct runner_grants timed = {.limits = {.timeout_ms = 50}}, fuelled = {.limits = {.fuel = 1000}};
    struct flow_launch launch = {.target = path, .runner = &runner, .grants = &timed};
    assert_int_equal(flow_launch(&anonymous, &launch, &result, &e), 0);
    assert_true(result.timed_out);
    runner_result_done(&result);
    launch.grants = &fuelled;
    assert_int_equal(flow_launch(&anonymous, &launch, &result, &e), 0);
    assert_true(result.trapped);
    assert_true(result.limit[0]);
    runner_result_done(&result);
    (void)unlink(path);
}

static void a_guest_is_called_by_its_last_component(void **state)
{
    (void)state;
    static const struct {
        const char *name, *repo, *want;
    } cases[] = {{"dir/x.wasm", NULL, "x.wasm"},
                 {"x.wasm", NULL, "x.wasm"},
                 {"h:5000/a/hello:1", "h:5000/a/hello", "hello"},
                 {"oci:shelf:1", "oci:shelf", "oci:shelf"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct flow_artifact artifact = {.name = (char *)(uintptr_t)cases[i].name,
                                               .repo = (char *)(uintptr_t)cases[i].repo};
        assert_string_equal(flow_launch_name(&artifact), cases[i].want);
    }
}

/* One that there is no room for is done without; again and again, each in its turn, is no more than one. */
static void a_pool_is_room_and_no_condition(void **state)
{
    (void)state;
    static const uint32_t pools[] = {1, 4, UINT32_MAX};
    const struct runner_grants none = {.argc = 0};
    for (size_t i = 0; i < ARRAY_LEN(pools); i++) {
        struct err e = ERR_INIT;
        const struct runner_conf conf = {.pool = pools[i]};
        AUTO(runner_host) host = NULL;
        AUTO(runner_program) program = NULL;
        assert_ok(runner_host_new(&conf, &host, &e));
        assert_ok(runner_program_load(host, bytes_str("(module (memory 1) (func (export \"_start\")))"), NULL,
                                      &program, &e));
        for (int n = 0; n < 3; n++) {
            struct runner_result result;
            assert_ok(runner_program_run(program, &none, &result, &e));
            assert_int_equal(result.status, 0);
            runner_result_done(&result);
        }
    }
}

/* A policy that a program has in memory needs no file; the keys that it names are beside where it would be.
 */
static void a_policy_may_be_text(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(flow_trust) trust = NULL;
    const struct flow_trust_conf rejects = {.policy = "/nowhere.toml",
                                            .policy_text = bytes_str("version = 1\ndefault = \"reject\"\n")};
    const struct flow_trust_conf wrong = {.policy = "/nowhere.toml",
                                          .policy_text = bytes_str("version = 2\n")};
    const struct flow_trust_conf keyed = {
        .policy = "/nowhere.toml",
        .policy_text = bytes_str("version = 1\n[keys.a]\nfile = \"waybill-none.pub\"\n[scopes.\"oci:\"]\n"
                                 "keys = [\"a\"]\n")};
    assert_int_equal(flow_trust_load(&wrong, &trust, &e), ERR_CONFIG);
    assert_int_equal(flow_trust_load(&keyed, &trust, &e), ERR_CONFIG);
    assert_non_null(strstr(e.msg, "waybill-none.pub"));
    assert_int_equal(flow_trust_load(&rejects, &trust, &e), 0);
    struct runner_result result;
    const struct runner_grants none = {.argc = 0};
    const struct flow_demand demand = {.trust = trust, .now = 1790000000};
    const struct flow_launch launch = {
        .target = "/tmp/waybill-none.wasm", .demand = &demand, .runner = &runner, .grants = &none};
    assert_int_equal(flow_launch(&anonymous, &launch, &result, &e), ERR_POLICY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_obtained_to_be_run_is_not),
        cmocka_unit_test(a_reference_needs_a_demand),
        cmocka_unit_test(a_policy_limits_what_is_granted),
        cmocka_unit_test(a_file_is_run_with_its_limits),
        cmocka_unit_test(a_guest_is_called_by_its_last_component),
        cmocka_unit_test(a_pool_is_room_and_no_condition),
        cmocka_unit_test(a_policy_may_be_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
