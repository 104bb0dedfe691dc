/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_ops.h"
#include "net/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 */

static int64_t after(const char *value)
{
    int64_t ms = -1;
    bool good = net_retry_after(bytes_str(value), NOW, &ms);
    return good ? ms : -1;
}

static void retry_after(void **state)
{
    (void)state;
    assert_int_equal(after("0"), 0);
    assert_int_equal(after("120"), 120000);
    assert_int_equal(after("Sun, 06 Nov 1994 08:49:47 GMT"), 10000);
    assert_int_equal(after("Sunday, 06-Nov-94 08:49:47 GMT"), 10000);
    assert_int_equal(after("Sun Nov  6 08:49:47 1994"), 10000);
    assert_int_equal(after("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
    assert_int_equal(after("Sun, 06 Nov 1994 08:00:00 GMT"), 0);
    assert_int_equal(after("9223372036854775807"), INT64_MAX);
    static const char *const bad[] = {
        "",
        "-1",
        "1.5",
        "1 ",
        "soon",
        "99999999999999999999999",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT!",
        "Sun, 06 Xxx 1994 08:49:37 GMT",
        "Sun, 06 ovD 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994",
        "Sun, 06 Nov 1994 08:49:37 GMT Sun, 06 Nov 1994 08:49:37 GMT plus more than any date",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(after(bad[i]), -1);
}

static void backoff(void **state)
{
    (void)state;
    assert_int_equal(net_retry_backoff(1, 200, 60000, 0), 100);
    assert_int_equal(net_retry_backoff(1, 200, 60000, 1023), 200);
    assert_int_equal(net_retry_backoff(3, 200, 60000, 1023), 800);
    assert_int_equal(net_retry_backoff(1000000, 200, 60000, 1023), 60000);
    for (uint32_t random = 0; random < 5000; random += 7) {
        int64_t wait = net_retry_backoff(2, 250, 60000, random);
        assert_in_range(wait, 250, 500);
    }
}

static void content_range(void **state)
{
    (void)state;
    struct net_content_range r = {.first = 5};
    assert_true(net_content_range_parse(BYTES_LIT("bytes 10-99/100"), &r));
    assert_true(r.first == 10 && r.last == 99 && r.total == 100);
    assert_true(net_content_range_parse(BYTES_LIT("bytes 0-0/*"), &r));
    assert_true(r.first == 0 && r.last == 0 && r.total == UINT64_MAX);
    static const char *const bad[] = {
        "",
        "bytes",
        "bytes */100",
        "bytes 10-9/100",
        "bytes 10-100/100",
        "bytes 10-99/100x",
        "10-99/100",
        "bytes 10-99/",
        "bytes -99/100",
        "bytes 10-/100",
        "items 1-2/3",
        "bytes 1-99999999999999999999/*",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(net_content_range_parse(bytes_str(bad[i]), &r));
}

static void statuses(void **state)
{
    (void)state;
    static const int later[] = {408, 429, 500, 502, 503, 504},
                     now[] = {200, 301, 400, 401, 403, 404, 501, 505};
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        assert_true(net_retry_status(later[i]));
    for (size_t i = 0; i < sizeof(now) / sizeof(now[0]); i++)
        assert_false(net_retry_status(now[i]));
}

static void fields(void **state)
{
    (void)state;
    static const char text[] =
        "WWW-Authenticate: Basic\0Content-Type:  a/b \0www-authenticate:Bearer x\0Empty:\0Con: no";
    struct net_http_response resp = NET_HTTP_RESPONSE_INIT;
    struct bytes value;
    resp.fields.max = 1000;
    buf_append(&resp.fields, text, sizeof(text));
    assert_true(net_http_field(&resp, "www-authenticate", 0, &value) && bytes_eq_str(value, "Basic"));
    assert_true(net_http_field(&resp, "WWW-AUTHENTICATE", 1, &value) && bytes_eq_str(value, "Bearer x"));
    assert_false(net_http_field(&resp, "WWW-Authenticate", 2, &value));
    assert_true(net_http_field(&resp, "Content-Type", 0, &value) && bytes_eq_str(value, "a/b"));
    assert_true(net_http_field(&resp, "Empty", 0, &value) && value.len == 0);
    assert_true(net_http_field(&resp, "Con", 0, &value) && bytes_eq_str(value, "no"));
    assert_false(net_http_field(&resp, "Content", 0, &value));
    net_http_response_done(&resp);
}

static void waits(void **state)
{
    (void)state;
    const struct net_http_conf conf = {.backoff_ms = 10, .max_wait_ms = 5000};
    struct net_http_response resp = NET_HTTP_RESPONSE_INIT;
    resp.fields.max = 100;
    buf_append(&resp.fields, "Retry-After: 2", 15);
    assert_int_equal(net_http_wait(&conf, 1, &resp), 2000);
    assert_in_range(net_http_wait(&conf, 1, NULL), 5, 10);
    buf_reset(&resp.fields);
    buf_append(&resp.fields, "Retry-After: 6", 15);
    assert_int_equal(net_http_wait(&conf, 1, &resp), -1);
    net_http_response_done(&resp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_after), cmocka_unit_test(backoff), cmocka_unit_test(content_range),
        cmocka_unit_test(statuses),    cmocka_unit_test(fields),  cmocka_unit_test(waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
