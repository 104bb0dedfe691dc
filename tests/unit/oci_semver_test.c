/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/semver.h"
#include "tests/unit/unit.h"

static void validity(void **state)
{
    (void)state;
    static const char *const good[] = {
        "0.0.0",       "1.2.3",          "10.20.30",  "1.0.0-alpha",        "1.0.0-alpha.1",
        "1.0.0-0.3.7", "1.0.0-x-y-z.--", "1.0.0+001", "1.0.0-rc.1+build.5", "99999999999999999999.0.0"};
    static const char *const bad[] = {"",       "1",       "1.2",    "v1.2.3",   "01.2.3",     "1.02.3",
                                      "1.2.03", "1.2.3.4", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3+",
                                      "1.2.3 ", "1.2.x",   "-1.2.3", "1..3"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(oci_semver_valid(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(oci_semver_valid(bad[i]));
}

/* The order of section 11 of the specification. */
static void order(void **state)
{
    (void)state;
    static const char *const rising[] = {"1.0.0-alpha",
                                         "1.0.0-alpha.1",
                                         "1.0.0-alpha.beta",
                                         "1.0.0-beta",
                                         "1.0.0-beta.2",
                                         "1.0.0-beta.11",
                                         "1.0.0-rc.1",
                                         "1.0.0",
                                         "2.0.0",
                                         "2.1.0",
                                         "2.1.1",
                                         "10.0.0",
                                         "100000000000000000000.0.0"};
    for (size_t i = 0; i < ARRAY_LEN(rising); i++)
        for (size_t j = 0; j < ARRAY_LEN(rising); j++) {
            int r = oci_semver_compare(rising[i], rising[j]);
            assert_int_equal((r > 0) - (r < 0), (i > j) - (i < j));
        }
    assert_int_equal(oci_semver_compare("1.0.0+a", "1.0.0+b"), 0);
}

static void wanted(void **state)
{
    (void)state;
    static const char *const good[] = {"*", "0", "1", "1.2", "1.2.3", "1.2.3-rc.1"};
    static const char *const bad[] = {"",   "latest", "^1",     "1.",        "1.2.",
                                      "v1", "01",     "1.2-rc", "sha256:12", "**"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(oci_semver_wanted(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(oci_semver_wanted(bad[i]));
}

static void best(void **state)
{
    (void)state;
    static const char tags[] =
        "latest\0001.2.9\0001.2.10\0001.20.0\00010.0.0-rc.1\0002.0.0-beta\0v3.0.0\0sha256-12.sig";
    static const struct {
        const char *wanted, *best;
    } cases[] = {
        {"*", "1.20.0"},    {"1", "1.20.0"}, {"1.2", "1.2.10"},
        {"1.2.9", "1.2.9"}, {"2", NULL},     {"2.0.0-beta", "2.0.0-beta"},
        {"3", NULL},        {"10", NULL},    {"1.2.8", NULL},
        {"0", NULL},
    };
    AUTO_DONE(buf) list = BUF_INIT(4096);
    buf_append(&list, tags, sizeof(tags));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *got = oci_semver_best(&list, cases[i].wanted);
        if (cases[i].best)
            assert_string_equal(got, cases[i].best);
        else
            assert_null(got);
    }
    const struct buf none = BUF_INIT(1);
    assert_null(oci_semver_best(&none, "*"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validity),
        cmocka_unit_test(order),
        cmocka_unit_test(wanted),
        cmocka_unit_test(best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
