/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/upload.h"
#include "tests/unit/unit.h"

/* What registries were seen to say, and what they might. */
static void ranges(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        uint64_t acked, want;
    } good[] = {
        {"0-99", 0, 100},      {"0-99", 50, 100},  {"bytes=0-99", 0, 100}, {"bytes 0-99", 0, 100},
        {"0-999", 0, 1000},    {"0-0", 0, 0},      {"0--1", 0, 0},         {"0--1", 300, 300},
        {"0-0", 300, 300},     {"0-99", 300, 300}, /* stale */
        {"300-399", 300, 400}, {"100-199", 0, 0},  /* of some part */
        {"0-299", 300, 300},
    };
    static const char *const bad[] = {
        "",    "-",   "0",     "0-",      "-1",        "0-1000", "0-18446744073709551616",
        "9-3", "a-b", "0-1-2", "0-99/10", "bytes=0--", "0-99\n", " 0-99",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        uint64_t at = 7777;
        if (!oci_upload_range(bytes_str(good[i].value), good[i].acked, 1000, &at) || at != good[i].want)
            fail_msg("%s after %llu: %llu", good[i].value, (unsigned long long)good[i].acked,
                     (unsigned long long)at);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t at = 7777;
        if (oci_upload_range(bytes_str(bad[i]), 0, 1000, &at) || at != 7777)
            fail_msg("%s is taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
