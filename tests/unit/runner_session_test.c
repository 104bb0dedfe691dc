/* SPDX-License-Identifier: Apache-2.0 */
/* Lines in the log about what a guest was denied. */
#include "base/limits.h"
#include "base/log.h"
#include "runner/session.h"
#include "tests/unit/unit.h"

static char last[2048];
static unsigned lines;

static void keep(void *ctx, enum log_level level, const char *text)
{
    (void)ctx;
    assert_int_equal(level, LOG_WARN);
    (void)snprintf(last, sizeof(last), "%s", text);
    lines++;
}

static void begin(struct runner_session *s)
{
    lines = 0;
    log_set_handler(keep, NULL, LOG_WARN);
    runner_session_begin(s, &(struct runner_grants){.argc = 0}, false);
}

static void one_line_each(void **state)
{
    (void)state;
    static const struct {
        const char *what, *want;
    } cases[] = {
        {"", "denied capability=c use=u error=perm"},
        {"a/b", "denied capability=c use=u what=a/b error=perm"},
        {"a b", "denied capability=c use=u what=\"a b\" error=perm"},
        {"a=b", "denied capability=c use=u what=\"a=b\" error=perm"},
        {"a\"b", "denied capability=c use=u what=\"a\\\"b\" error=perm"},
        {"a\n\x1b[m", "denied capability=c use=u what=a\\x0a\\x1b[m error=perm"},
        {"\xff", "denied capability=c use=u what=\\xff error=perm"},
    };
    struct runner_session s;
    begin(&s);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        runner_session_denied(&s, "c", "u", bytes_str(cases[i].what), "perm");
        assert_string_equal(last, cases[i].want);
    }
    assert_int_equal(lines, ARRAY_LEN(cases));
}

static void long_names_are_cut(void **state)
{
    (void)state;
    static char quotes[5000];
    struct runner_session s;
    begin(&s);
    memset(quotes, '"', sizeof(quotes) - 1);
    runner_session_denied(&s, "c", "u", bytes_str(quotes), "perm");
    assert_int_equal(lines, 1);
    assert_true(strlen(last) < 1000);
    assert_non_null(strstr(last, "\" error=perm"));
}

static void a_flood_ends(void **state)
{
    (void)state;
    struct runner_session s;
    begin(&s);
    for (unsigned i = 0; i < 10 * LIMIT_DENIED_LINES; i++)
        runner_session_denied(&s, "c", "u", BYTES_NONE, "perm");
    assert_int_equal(lines, LIMIT_DENIED_LINES + 1);
    assert_non_null(strstr(last, "no further one is logged"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_each),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(a_flood_ends),
    };
    return cmocka_run_group_tests_name("runner/session", tests, NULL, NULL);
}
