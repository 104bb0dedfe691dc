/* SPDX-License-Identifier: Apache-2.0 */
/* The intersection of what is asked for, claimed, allowed and given. */
#include "base/log.h"
#include "flow/grant.h"
#include "tests/unit/unit.h"

static char policy_rule[] = "default", format_claims[] = "claims";
static unsigned warnings;

static void count_warning(void *ctx, enum log_level level, const char *text)
{
    (void)ctx, (void)text;
    warnings += level == LOG_WARN;
}

static struct sign_decision limits(const char *const *capabilities, size_t n)
{
    return (struct sign_decision){
        .rule = policy_rule, .limits_capabilities = true, .capabilities = capabilities, .n_capabilities = n};
}

static int check(const struct sign_decision *decision, const char *claims, bool good, const char *capability)
{
    struct err e = ERR_INIT;
    char stated[256];
    (void)snprintf(stated, sizeof(stated), "%s", claims ? claims : "");
    struct sign_check c = {.format = format_claims, .ok = good, .capabilities = claims ? stated : NULL};
    const struct sign_report report = {.checks = &c, .n = 1};
    return flow_grant_check(&(struct flow_rights){decision, &report}, capability, &e);
}

static void a_policy_limits_by_package_and_interface(void **state)
{
    (void)state;
    static const char *const list[] = {"wasi:cli", "wasi:filesystem", "wasmcloud:keyvalue"};
    const struct sign_decision some = limits(list, 3), none = limits(NULL, 0), all = {.rule = NULL};
    const struct {
        const char *capability;
        int want;
    } cases[] = {
        {"wasi:filesystem", 0},   {"wasi:cli/environment", 0},        {"wasi:clinic", ERR_CAPABILITY},
        {"wasi:keyvalue", 0},     {"wasi:http", ERR_CAPABILITY},      {"wasi:files", ERR_CAPABILITY},
        {"wasi", ERR_CAPABILITY}, {"wasi:messaging", ERR_CAPABILITY},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        const char *name = cases[i].capability;
        assert_int_equal(flow_grant_check(&(struct flow_rights){&some, NULL}, name, &e), cases[i].want);
        assert_int_equal(flow_grant_check(&(struct flow_rights){&none, NULL}, name, &e), ERR_CAPABILITY);
        assert_int_equal(flow_grant_check(&(struct flow_rights){&all, NULL}, name, &e), 0);
    }
}

static void good_claims_take_away_what_they_have_a_name_for(void **state)
{
    (void)state;
    const struct sign_decision any = {.rule = NULL};
    static const struct {
        const char *claims;
        bool good;
        const char *capability;
        int want;
    } cases[] = {
        {"[\"wasmcloud:keyvalue\"]", true, "wasi:keyvalue", 0},
        {"[\"wascc:key_value\"]", true, "wasi:keyvalue", 0},
        {"[\"wasi:keyvalue\"]", true, "wasi:keyvalue", 0},
        {"[\"wasmcloud:messaging\"]", true, "wasi:keyvalue", ERR_CAPABILITY},
        {"[]", true, "wasi:keyvalue", ERR_CAPABILITY},
        {NULL, true, "wasi:keyvalue", ERR_CAPABILITY},
        {"[]", false, "wasi:keyvalue", 0},
        {"[]", true, "wasi:filesystem", 0},
        {"[]", true, "wasi:cli/environment", 0},
        {"[\"wasmcloud:httpserver\"]", true, "wasi:http/incoming-handler", 0},
        {"[\"wasmcloud:httpserver\"]", true, "wasi:http/outgoing-handler", ERR_CAPABILITY},
        {"[\"wasi:http\"]", true, "wasi:http/outgoing-handler", 0},
        {"[1, null, \"wascc:http_client\"]", true, "wasi:http/outgoing-handler", 0},
        {"not JSON", true, "wasi:keyvalue", ERR_FORMAT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(check(&any, cases[i].claims, cases[i].good, cases[i].capability), cases[i].want);
}

static void each_only_takes_away(void **state)
{
    (void)state;
    static const char *const kv[] = {"wasi:keyvalue"};
    const struct sign_decision none = limits(NULL, 0), some = limits(kv, 1);
    struct err e = ERR_INIT;
    char both[] = "[\"wasmcloud:keyvalue\"]", other[] = "[\"wasmcloud:messaging\"]";
    struct sign_check checks[] = {{.format = format_claims, .ok = true, .capabilities = both},
                                  {.format = format_claims, .ok = true, .capabilities = other}};
    const struct sign_report report = {.checks = checks, .n = 2};
    assert_int_equal(check(&none, "[\"wasmcloud:keyvalue\"]", true, "wasi:keyvalue"), ERR_CAPABILITY);
    assert_int_equal(check(&some, "[\"wasmcloud:keyvalue\"]", true, "wasi:keyvalue"), 0);
    assert_int_equal(check(&some, "[]", true, "wasi:keyvalue"), ERR_CAPABILITY);
    assert_int_equal(flow_grant_check(&(struct flow_rights){&some, &report}, "wasi:keyvalue", &e),
                     ERR_CAPABILITY);
}

static void audit_takes_nothing_away_and_says_so(void **state)
{
    (void)state;
    struct sign_decision audit = limits(NULL, 0);
    audit.audit = true;
    warnings = 0;
    log_set_handler(count_warning, NULL, LOG_WARN);
    assert_int_equal(check(&audit, NULL, false, "wasi:filesystem"), 0);
    assert_int_equal(warnings, 1);
    /* What a signer did not claim is no matter of the policy's mode. */
    assert_int_equal(check(&audit, "[]", true, "wasi:keyvalue"), ERR_CAPABILITY);
}

#define ITEM(module_, name_)                                                      \
    {                                                                             \
        .module = {(const uint8_t *)(module_), sizeof(module_) - 1},              \
        .name = {(const uint8_t *)(name_), sizeof(name_) - 1}, .kind = WBIN_FUNC, \
    }

static const struct flow_capability *find(const struct flow_grants *g, const char *name)
{
    for (size_t i = 0; i < g->n; i++)
        if (strcmp(g->items[i].name, name) == 0)
            return &g->items[i];
    fail_msg("%s is not listed", name);
    return NULL;
}

static void imports_of_modules_are_told_apart(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct wbin_item items[] = {
        ITEM("wasi_snapshot_preview1", "path_open"),
        ITEM("wasi_snapshot_preview1", "fd_readdir"),
        ITEM("wasi_unstable", "fd_write"),
        ITEM("wasi_snapshot_preview1", "environ_get"),
        ITEM("wasi_snapshot_preview1", "sock_accept"),
        ITEM("env", "launch"),
        ITEM("env", "path_open"),
        ITEM("wasi_snapshot_preview1", "unheard_of"),
    };
    const struct wbin_info info = {.kind = WBIN_MODULE, .imports = items, .n_imports = ARRAY_LEN(items)};
    const struct sign_decision any = {.rule = NULL};
    const char *const given[] = {FLOW_GRANT_FILESYSTEM};
    AUTO_DONE(flow_grants) g = {.n = 0};
    assert_int_equal(flow_grants_list(&(struct flow_rights){&any, NULL}, &info, given, 1, &g, &e), 0);
    assert_int_equal(find(&g, "wasi:filesystem")->n_asked, 2);
    assert_true(find(&g, "wasi:filesystem")->granted);
    assert_int_equal(find(&g, "wasi:cli")->n_asked, 1);
    assert_true(find(&g, "wasi:cli")->granted);
    assert_int_equal(find(&g, "wasi:cli/environment")->n_asked, 1);
    assert_false(find(&g, "wasi:cli/environment")->granted);
    assert_string_equal(find(&g, "wasi:cli/environment")->why, "no --env or --env-file");
    assert_false(find(&g, "wasi:sockets")->granted);
    assert_false(find(&g, "wasi:sockets")->missing);
    assert_int_equal(find(&g, "env")->n_asked, 2);
    assert_true(find(&g, "env")->missing);
    assert_true(find(&g, "wasi_snapshot_preview1")->missing);
    assert_int_equal(flow_grants_missing(&g, &info), 5);
}

static void imports_of_components_are_told_apart(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct wbin_item items[] = {
        ITEM("", "wasi:cli/environment@0.2.3"),  ITEM("", "wasi:cli/stdout@0.2.0"),
        ITEM("", "wasi:filesystem/types@0.2.0"), ITEM("", "wasi:sockets/tcp@0.2.0"),
        ITEM("", "wasi:http/types@0.2.0"),       ITEM("", "wasi:io/poll@0.3.0"),
        ITEM("", "wasi:cli/stdin@0.2.0-rc-1"),   ITEM("", "acme:kv/store"),
    };
    const struct wbin_info info = {.kind = WBIN_COMPONENT, .imports = items, .n_imports = ARRAY_LEN(items)};
    const struct sign_decision none = limits(NULL, 0);
    const char *const given[] = {FLOW_GRANT_FILESYSTEM};
    AUTO_DONE(flow_grants) g = {.n = 0};
    assert_int_equal(flow_grants_list(&(struct flow_rights){&none, NULL}, &info, given, 1, &g, &e), 0);
    assert_int_equal(find(&g, "wasi:cli/environment")->n_asked, 1);
    assert_int_equal(find(&g, "wasi:cli")->n_asked, 1);
    assert_true(find(&g, "wasi:filesystem")->refused);
    assert_string_equal(find(&g, "wasi:filesystem")->why, "not allowed by default");
    assert_int_equal(find(&g, "wasi:http")->n_asked, 1);
    assert_true(find(&g, "wasi:http")->missing);
    assert_true(find(&g, "wasi:io/poll@0.3.0")->missing);
    assert_true(find(&g, "wasi:cli/stdin@0.2.0-rc-1")->missing);
    assert_true(find(&g, "acme:kv/store")->missing);
    assert_int_equal(flow_grants_missing(&g, &info), 4);
}

static void many_foreign_names_are_put_together(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    struct err e = ERR_INIT;
    static char names[MANY][16];
    struct wbin_item *items = calloc(MANY, sizeof(*items));
    assert_non_null(items);
    for (size_t i = 0; i < MANY; i++) {
        int n = snprintf(names[i], sizeof(names[i]), "m%zu", i);
        items[i] = (struct wbin_item){.module = bytes_of(names[i], (size_t)n), .name = BYTES_LIT("f")};
    }
    const struct wbin_info info = {.kind = WBIN_MODULE, .imports = items, .n_imports = MANY};
    const struct sign_decision any = {.rule = NULL};
    AUTO_DONE(flow_grants) g = {.n = 0};
    assert_int_equal(flow_grants_list(&(struct flow_rights){&any, NULL}, &info, NULL, 0, &g, &e), 0);
    assert_true(g.n < 100);
    assert_true(find(&g, "others")->n_asked > MANY - 100);
    warnings = 0;
    log_set_handler(count_warning, NULL, LOG_WARN);
    flow_grants_log(&g, &info);
    assert_in_range(warnings, 50, 200);
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_limits_by_package_and_interface),
        cmocka_unit_test(good_claims_take_away_what_they_have_a_name_for),
        cmocka_unit_test(each_only_takes_away),
        cmocka_unit_test(audit_takes_nothing_away_and_says_so),
        cmocka_unit_test(imports_of_modules_are_told_apart),
        cmocka_unit_test(imports_of_components_are_told_apart),
        cmocka_unit_test(many_foreign_names_are_put_together),
    };
    return cmocka_run_group_tests_name("flow/grant", tests, NULL, NULL);
}
