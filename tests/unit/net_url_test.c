/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void parse_good(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool tls;
        uint16_t port;
        const char *host, *place;
    } cases[] = {
        {"https://ghcr.io/v2/a/b?x=1", true, 443, "ghcr.io", "/v2/a/b?x=1"},
        {"HTTP://LocalHost:5000", false, 5000, "localhost", ""},
        {"http://[::1]:80/x", false, 80, "::1", "/x"},
        {"https://a_b.example?q", true, 443, "a_b.example", "?q"},
        {"https://h.0xg/", true, 443, "h.0xg", "/"},
        {"https://1.2.3.4.example./", true, 443, "1.2.3.4.example.", "/"},
        {"https://h:65535/", true, 65535, "h", "/"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        struct net_url u;
        assert_int_equal(net_url_parse(cases[i].text, &u, &e), 0);
        assert_int_equal(u.tls, cases[i].tls);
        assert_int_equal(u.port, cases[i].port);
        assert_string_equal(u.host, cases[i].host);
        assert_string_equal(u.place, cases[i].place);
    }
}

static void parse_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "ftp://h/",
        "file:///etc/passwd",
        "https:/h",
        "https://",
        "https:///x",
        "https://user@h/",
        "https://user:secret@h/",
        "https://h:0/",
        "https://h:65536/",
        "https://h:/",
        "https://h:80x/",
        "https://h/a b",
        "https://h/\r\nX: y",
        "https://h/\x7f",
        "https://h/#f",
        "https://h\\@evil/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[nonsense]/",
        "https://h,x/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0xA9.254.43518/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://169.254.169.254./",
        "http://h.0x/",
        "//h/",
        "/path",
    };
    struct err e = ERR_INIT;
    struct net_url u = {.port = 7};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(net_url_parse(bad[i], &u, &e), ERR_FORMAT);
    assert_int_equal(u.port, 7);
    assert_null(strstr(e.msg, "secret"));
    char *text = calloc(1, NET_URL_MAX + 2);
    assert_non_null(text);
    memset(text, 'a', NET_URL_MAX + 1);
    memcpy(text, "https://h/", 10);
    assert_int_equal(net_url_parse(text, &u, &e), ERR_FORMAT);
    text[NET_URL_MAX] = '\0';
    assert_int_equal(net_url_parse(text, &u, &e), 0);
    memset(text + 8, 'h', 300);
    assert_int_equal(net_url_parse(text, &u, &e), ERR_FORMAT);
    free(text);
}

static void join(void **state)
{
    (void)state;
    static const struct {
        const char *base, *reference, *want;
    } cases[] = {
        {"https://h/v2/a/", "https://other:1/x?y", "https://other:1/x?y"},
        {"https://h:5/v2/a?q", "/v2/up?_s=1", "https://h:5/v2/up?_s=1"},
        {"http://h/v2/a/uploads/", "id?_s", "http://h/v2/a/uploads/id?_s"},
        {"http://h/v2/a?b/c", "id", "http://h/v2/id"},
        {"http://h", "id", "http://h/id"},
        {"http://h?x", "id", "http://h/id"},
        {"http://h?x", "?y", "http://h?y"},
        {"http://h/a?x", "?y", "http://h/a?y"},
        {"http://h/a?x", "", "http://h/a"},
        {"https://h/a", "//cdn/b", "https://cdn/b"},
        {"https://h/a", "/b#part", "https://h/b"},
    };
    struct err e = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *got = NULL;
        assert_int_equal(net_url_join(cases[i].base, bytes_str(cases[i].reference), &got, &e), 0);
        assert_string_equal(got, cases[i].want);
        free(got);
    }
    static const char *const bad[] = {"ftp://x/", "javascript:1", "https://u@x/",
                                      "//",       "/a b",         "http://h:99999/"};
    char *got = NULL;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(net_url_join("https://h/", bytes_str(bad[i]), &got, &e), ERR_FORMAT);
    assert_int_equal(net_url_join("https://h/", BYTES_LIT("/a\0b"), &got, &e), ERR_FORMAT);
    assert_null(got);
}

static bool leads(const char *from, const char *to)
{
    struct err e = ERR_INIT;
    struct net_url a, b;
    assert_int_equal(net_url_parse(from, &a, &e), 0);
    assert_int_equal(net_url_parse(to, &b, &e), 0);
    return net_url_may_lead(&a, &b, &e) == 0;
}

static void origins(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct net_url a, b;
    assert_int_equal(net_url_parse("https://H/x", &a, &e), 0);
    assert_int_equal(net_url_parse("https://h:443/y", &b, &e), 0);
    assert_true(net_url_same_origin(&a, &b));
    assert_int_equal(net_url_parse("http://h:443/y", &b, &e), 0);
    assert_false(net_url_same_origin(&a, &b));
    assert_int_equal(net_url_parse("https://h.evil/y", &b, &e), 0);
    assert_false(net_url_same_origin(&a, &b));
    assert_true(leads("https://h/", "https://cdn/"));
    assert_true(leads("http://h/", "https://cdn/"));
    assert_true(leads("http://127.0.0.1:1/", "http://localhost:2/"));
    assert_false(leads("https://h/", "http://h/"));
    assert_false(leads("http://h/", "http://169.254.169.254/latest"));
    assert_false(leads("http://h/", "http://[fe80::1]/"));
    assert_false(leads("http://h/", "http://[::ffff:169.254.169.254]/"));
    assert_true(leads("http://169.254.1.1/", "http://169.254.1.1/x"));
    static const char *const here[] = {
        "http://127.0.0.1:2375/", "http://localhost/", "http://localhost./", "http://a.localhost/",
        "http://0.0.0.0:2375/",   "http://[::]/",      "http://[::1]/",      "http://[::ffff:127.0.0.1]/"};
    for (size_t i = 0; i < ARRAY_LEN(here); i++) {
        assert_false(leads("http://registry.example/", here[i]));
        assert_true(leads("http://localhost:5000/", here[i]));
    }
    assert_true(leads("http://h/", "http://notlocalhost/"));
}

static void loopback(void **state)
{
    (void)state;
    assert_true(net_url_is_loopback("localhost"));
    assert_true(net_url_is_loopback("127.8.9.1"));
    assert_true(net_url_is_loopback("::1"));
    assert_false(net_url_is_loopback("127.0.0.1.evil.example"));
    assert_false(net_url_is_loopback("localhost.evil.example"));
    assert_false(net_url_is_loopback("128.0.0.1"));
    assert_false(net_url_is_loopback("::2"));
}

static void show_hides_queries(void **state)
{
    (void)state;
    char out[64];
    assert_string_equal(net_url_show("https://h/a?X-Amz-Signature=secret", out, sizeof(out)), "https://h/a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_good), cmocka_unit_test(parse_bad), cmocka_unit_test(join),
        cmocka_unit_test(origins),    cmocka_unit_test(loopback),  cmocka_unit_test(show_hides_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
