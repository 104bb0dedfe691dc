/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include "tests/unit/unit.h"

#include <time.h>

static void reads(void **state)
{
    static const struct {
        const char *text;
        int64_t t;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-31T12:00:00Z", 1769860800},
        {"2026-01-31T14:00:00.25+02:00", 1769860800},
        {"2026-01-31t06:30:00-05:30", 1769860800},
        {"2000-02-29T00:00:00Z", 951782400},
        {"2016-12-31T23:59:60Z", 1483228800},
        {"1969-12-31T23:59:59Z", -1},
        {"9999-12-31T23:59:59Z", 253402300799},
        {"0000-01-01T00:00:00Z", -62167219200},
    };
    static const char *const bad[] = {
        "",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00Z",
        "2026-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2026-00-01T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00+0200",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00Zx",
        "+026-01-31T12:00:00Z",
        "12026-01-31T12:00:00Z",
    };
    int64_t t;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(time_parse_rfc3339(bytes_str(good[i].text), &t));
        assert_true(t == good[i].t);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        t = 7;
        if (time_parse_rfc3339(bytes_str(bad[i]), &t))
            fail_msg("\"%s\" was taken", bad[i]);
        assert_true(t == 7);
    }
    assert_true(time_parse_generalized(BYTES_LIT("20260131120000Z"), &t) && t == 1769860800);
    assert_true(time_parse_generalized(BYTES_LIT("20260131120000.123Z"), &t) && t == 1769860800);
    assert_false(time_parse_generalized(BYTES_LIT("20260131120000"), &t));
    assert_false(time_parse_generalized(BYTES_LIT("202601311200Z"), &t));
    assert_false(time_parse_generalized(BYTES_LIT("20260131120000+0100"), &t));
    assert_false(time_parse_generalized(BYTES_LIT("20260131120000Z\0"), &t));
}

/* The C library's calendar, on one second of every few days, and back again. */
static void agrees(void **state)
{
    char ours[TIME_STR_MAX], theirs[TIME_STR_MAX];
    (void)state;
    for (int64_t t = -62167219200; t <= 253402300799; t += 86400 * 17 + 12345) {
        struct tm tm;
        time_t tt = (time_t)t;
        int64_t back;
        assert_non_null(gmtime_r(&tt, &tm));
        (void)strftime(theirs, sizeof(theirs), "-%m-%dT%H:%M:%SZ", &tm);
        assert_string_equal(time_str(t, ours) + 4, theirs);
        assert_int_equal(strtol(ours, NULL, 10), tm.tm_year + 1900);
        assert_true(time_parse_rfc3339(bytes_str(ours), &back) && back == t);
    }
    assert_string_equal(time_str(INT64_MAX, ours), "9999-12-31T23:59:59Z");
    assert_string_equal(time_str(INT64_MIN, ours), "0000-01-01T00:00:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(agrees)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
