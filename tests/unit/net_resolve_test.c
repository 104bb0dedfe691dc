/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"
#include "net/resolve.h"
#include "tests/unit/unit.h"

static void good(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        uint16_t port;
        const char *addr;
        uint16_t to_port;
    } cases[] = {
        {"a.test:443:127.0.0.1", "a.test", 443, "127.0.0.1", 443},
        {"A.Test:443:127.0.0.1:5000", "a.test", 443, "127.0.0.1", 5000},
        {"a:1:::1", "a", 1, "::1", 1},
        {"a:1:[::1]", "a", 1, "::1", 1},
        {"a:1:[2001:db8::7]:2", "a", 1, "2001:db8::7", 2},
        {"[::1]:5:10.0.0.1:6", "::1", 5, "10.0.0.1", 6},
        {"10.0.0.1:65535:::ffff:10.0.0.2", "10.0.0.1", 65535, "::ffff:10.0.0.2", 65535},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        struct net_resolve r;
        assert_ok(net_resolve_parse(cases[i].text, &r, &e));
        assert_string_equal(r.host, cases[i].host);
        assert_string_equal(r.addr, cases[i].addr);
        assert_int_equal(r.port, cases[i].port);
        assert_int_equal(r.to_port, cases[i].to_port);
    }
}

static void bad(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        ":",
        "a",
        "a:",
        "a:1",
        "a:1:",
        "a:1:b",
        "a:0:1.2.3.4",
        "a:x:1.2.3.4",
        "a::1.2.3.4",
        ":1:1.2.3.4",
        "a:65536:1.2.3.4",
        "a:1:1.2.3",
        "a:1:1.2.3.4:",
        "a:1:1.2.3.4:0",
        "a:1:1.2.3.4:65536",
        "a:1:1.2.3.4:5/",
        "a:1:1.2.3.4:5:6",
        "a:1:[::1",
        "a:1:[::1]x",
        "a:1:[::1]:",
        "a:1:[1.2.3.4]",
        "[::1:1:1.2.3.4",
        "[x]:1:1.2.3.4",
        "a/b:1:1.2.3.4",
        "u@a:1:1.2.3.4",
        "a b:1:1.2.3.4",
        "+a:1:1.2.3.4",
        "*:1:1.2.3.4",
        "-a:1:2:3",
    };
    char text[2000];
    struct err e = ERR_INIT;
    struct net_resolve r = {.host = "untouched"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_fails(net_resolve_parse(texts[i], &r, &e), ERR_USAGE);
    memset(text, 'a', sizeof(text));
    memcpy(text + sizeof(text) - 12, ":1:1.2.3.4\0", 12);
    assert_fails(net_resolve_parse(text, &r, &e), ERR_USAGE);
    memset(text, '1', sizeof(text));
    memcpy(text, "a:1:", 4);
    text[sizeof(text) - 1] = '\0';
    assert_fails(net_resolve_parse(text, &r, &e), ERR_USAGE);
    assert_string_equal(r.host, "untouched");
}

static void finding(void **state)
{
    (void)state;
    static const char *const texts[] = {"a:1:10.0.0.1", "a:2:10.0.0.2", "a:1:10.0.0.3"};
    struct net_resolve r;
    assert_true(net_resolve_find(texts, 3, "a", 1, &r));
    assert_string_equal(r.addr, "10.0.0.3");
    assert_true(net_resolve_find(texts, 3, "a", 2, &r));
    assert_false(net_resolve_find(texts, 3, "a", 3, &r));
    assert_false(net_resolve_find(texts, 3, "b", 1, &r));
    assert_false(net_resolve_find(NULL, 0, "a", 1, &r));
}

static void kinds_of_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool loopback, link_local, metadata;
    } cases[] = {
        {"127.0.0.1", true, false, false},
        {"127.255.0.1", true, false, false},
        {"::ffff:127.0.0.1", true, false, false},
        {"64:ff9b::7f00:1", true, false, false},
        {"::1", true, false, false},
        {"::2", false, false, false},
        {"128.0.0.1", false, false, false},
        {"169.254.0.1", false, true, false},
        {"169.254.169.254", false, true, true},
        {"::ffff:169.254.169.254", false, true, true},
        {"64:ff9b::a9fe:a9fe", false, true, true},
        {"169.253.169.254", false, false, false},
        {"fe80::1", false, true, false},
        {"febf::1", false, true, false},
        {"fec0::1", false, false, false},
        {"fd00:ec2::254", false, false, true},
        {"fd00:ec2::255", false, false, false},
        {"100.100.100.200", false, false, true},
        {"10.0.0.1", false, false, false},
    };
    struct net_address a;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(net_address_parse(cases[i].text, &a));
        assert_int_equal(net_address_is_loopback(&a), cases[i].loopback);
        assert_int_equal(net_address_is_link_local(&a), cases[i].link_local);
        assert_int_equal(net_address_is_metadata(&a), cases[i].metadata);
    }
    assert_false(net_address_parse("localhost", &a));
    assert_false(net_address_parse("[::1]", &a));
    assert_false(net_address_parse("", &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(bad),
        cmocka_unit_test(finding),
        cmocka_unit_test(kinds_of_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
