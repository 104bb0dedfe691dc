/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/limits.h"
#include "tests/unit/unit.h"

static void parse_good(void **state)
{
    (void)state;
    const struct {
        struct bytes text;
        enum jkind kind;
    } cases[] = {
        {BYTES_LIT("null"), JKIND_NULL},
        {BYTES_LIT(" \t\r\n true \n"), JKIND_BOOL},
        {BYTES_LIT("false"), JKIND_BOOL},
        {BYTES_LIT("0"), JKIND_INT},
        {BYTES_LIT("-0"), JKIND_INT},
        {BYTES_LIT("9223372036854775807"), JKIND_INT},
        {BYTES_LIT("-9223372036854775808"), JKIND_INT},
        {BYTES_LIT("1e3"), JKIND_REAL},
        {BYTES_LIT("1.0"), JKIND_REAL},
        {BYTES_LIT("\"\\u00e9\\ud83d\\ude00 \xc3\xa9\""), JKIND_STRING},
        {BYTES_LIT("[]"), JKIND_ARRAY},
        {BYTES_LIT("{\"a\":{\"a\":1},\"b\":[{\"a\":2}]}"), JKIND_OBJECT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO(jdoc) doc = NULL;
        assert_ok(jdoc_parse(cases[i].text, &doc, &e));
        assert_int_equal(jval_kind(jdoc_root(doc)), cases[i].kind);
    }
}

static void parse_bad(void **state)
{
    (void)state;
    const struct bytes bad[] = {
        BYTES_NONE,
        BYTES_LIT(""),
        BYTES_LIT(" "),
        BYTES_LIT("{"),
        BYTES_LIT("[1,]"),
        BYTES_LIT("{\"a\":1,}"),
        BYTES_LIT("{\"a\" 1}"),
        BYTES_LIT("{a:1}"),
        BYTES_LIT("{'a':1}"),
        BYTES_LIT("[1 2]"),
        BYTES_LIT("]"),
        BYTES_LIT("// x\n1"),
        BYTES_LIT("NaN"),
        BYTES_LIT("-Infinity"),
        BYTES_LIT("01"),
        BYTES_LIT("+1"),
        BYTES_LIT(".5"),
        BYTES_LIT("1."),
        BYTES_LIT("0x10"),
        BYTES_LIT("9223372036854775808"),
        BYTES_LIT("1e999"),
        BYTES_LIT("\"a"),
        BYTES_LIT("\"\\x\""),
        BYTES_LIT("\"\\u12\""),
        BYTES_LIT("\"\t\""),
        BYTES_LIT("\"\n\""),
        /* trailing data */
        BYTES_LIT("{} {}"),
        BYTES_LIT("1 x"),
        BYTES_LIT("{}\0"),
        BYTES_LIT("{}\0{}"),
        BYTES_LIT("\0{}"),
        /* duplicate names, also when they are spelled differently or stand deeper */
        BYTES_LIT("{\"a\":1,\"a\":2}"),
        BYTES_LIT("{\"a\":1,\"\\u0061\":2}"),
        BYTES_LIT("[{\"x\":{\"a\":1,\"b\":0,\"a\":1}}]"),
        /* NUL */
        BYTES_LIT("\"a\\u0000b\""),
        BYTES_LIT("\"a\0b\""),
        BYTES_LIT("{\"a\\u0000\":1}"),
        /* not UTF-8, lone surrogates, byte order mark, another encoding */
        BYTES_LIT("\"\xff\""),
        BYTES_LIT("\"\xc0\xaf\""),
        BYTES_LIT("\"\xed\xa0\x80\""),
        BYTES_LIT("\"\\ud800\""),
        BYTES_LIT("\"\\udc00x\""),
        BYTES_LIT("\"\\ud800\\u0041\""),
        BYTES_LIT("\xef\xbb\xbf{}"),
        BYTES_LIT("\xfe\xff\0{\0}"),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = ERR_INIT;
        struct jdoc *doc = NULL;
        if (jdoc_parse(bad[i], &doc, &e) == 0)
            print_message("# case %zu was taken: %.*s\n", i, BYTES_FMT(bad[i]));
        assert_null(doc);
        assert_int_equal(e.code, ERR_FORMAT);
        assert_true(bytes_is_utf8(bytes_str(e.msg)));
    }
}

static void says_where(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct jdoc *doc = NULL;
    assert_fails(jdoc_parse(BYTES_LIT("{\n  \"a\": nul\x1b[2J\n}"), &doc, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "line 2 column"));
    assert_null(strchr(e.msg, '\x1b'));
}

static void nest(struct buf *b, size_t depth)
{
    for (size_t i = 0; i < depth; i++)
        buf_append_str(b, i % 2 ? "[" : "{\"k\":");
    buf_append_str(b, "0");
    for (size_t i = depth; i-- > 0;)
        buf_append_str(b, i % 2 ? "]" : "}");
}

static void bounds(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) b = BUF_INIT(4U << 20);
    AUTO(jdoc) good = NULL;
    AUTO(jdoc) many = NULL;
    struct jdoc *doc = NULL;
    nest(&b, LIMIT_JSON_DEPTH);
    assert_ok(jdoc_parse(buf_bytes(&b), &good, &e));
    buf_reset(&b);
    nest(&b, LIMIT_JSON_DEPTH + 1);
    assert_fails(jdoc_parse(buf_bytes(&b), &doc, &e), ERR_LIMIT);

    buf_reset(&b);
    for (size_t i = 0; i < 1000000; i++)
        buf_append_u8(&b, '[');
    assert_fails(jdoc_parse(buf_bytes(&b), &doc, &e), ERR_LIMIT);

    buf_reset(&b);
    buf_append_str(&b, "[0");
    for (size_t i = 0; i < LIMIT_JSON_VALUES - 1; i++)
        buf_append_str(&b, ",0");
    buf_append_str(&b, "]");
    assert_ok(jdoc_parse(buf_bytes(&b), &many, &e));
    b.ptr[b.len - 1] = ',';
    buf_append_str(&b, "0]");
    assert_fails(jdoc_parse(buf_bytes(&b), &doc, &e), ERR_LIMIT);
    assert_null(doc);

    /* Brackets and commas inside strings are no structure. */
    AUTO(jdoc) text = NULL;
    buf_reset(&b);
    buf_append_str(&b, "\"\\\"\\\\");
    for (size_t i = 0; i < 300000; i++)
        buf_append_str(&b, "[{,");
    buf_append_str(&b, "\"");
    assert_ok(jdoc_parse(buf_bytes(&b), &text, &e));
}

static void accessors(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(jdoc) doc = NULL;
    assert_ok(jdoc_parse(
        BYTES_LIT("{\"z\":1,\"a\":[true,\"x\"],\"m\":null,\"n\":-1,\"r\":1.0,\"o\":{},\"s\":\"\"}"), &doc,
        &e));
    const struct jval *root = jdoc_root(doc), *v = NULL;
    static const char *const order[] = {"z", "a", "m", "n", "r", "o", "s"};
    const char *key = NULL;
    size_t n = 0;
    for (const void *i = jobj_next(root, NULL, &key, &v); i; i = jobj_next(root, i, &key, &v))
        assert_string_equal(key, order[n++]);
    assert_int_equal(n, ARRAY_LEN(order));
    assert_int_equal(jobj_len(root), n);
    assert_null(jobj_get(root, "absent"));
    assert_null(jobj_get(NULL, "a"));
    assert_null(jobj_get(jobj_get(root, "a"), "a"));
    assert_int_equal(jarr_len(root), 0);
    assert_int_equal(jarr_len(NULL), 0);
    assert_null(jarr_at(jobj_get(root, "a"), 2));
    assert_null(jval_string(root));
    assert_true(jval_bool(jarr_at(jobj_get(root, "a"), 0)));
    assert_false(jval_bool(root));

    const char *s = "kept";
    uint64_t u = 77;
    assert_ok(jobj_want_string(root, "s", true, &s, &e));
    assert_string_equal(s, "");
    assert_ok(jobj_want_string(root, "m", false, &s, &e));
    assert_null(s);
    s = "kept";
    assert_fails(jobj_want_string(root, "m", true, &s, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "\"m\""));
    assert_fails(jobj_want_string(root, "z", false, &s, &e), ERR_FORMAT);
    assert_fails(jobj_want_string(root, "absent", true, &s, &e), ERR_FORMAT);
    assert_string_equal(s, "kept");
    assert_ok(jobj_want_array(root, "a", true, &v, &e));
    assert_int_equal(jarr_len(v), 2);
    assert_fails(jobj_want_array(root, "o", true, &v, &e), ERR_FORMAT);
    assert_ok(jobj_want_object(root, "o", true, &v, &e));
    assert_fails(jobj_want_object(root, "a", true, &v, &e), ERR_FORMAT);
    assert_ok(jobj_want_uint(root, "absent", false, 9, &u, &e));
    assert_fails(jobj_want_uint(root, "n", true, 9, &u, &e), ERR_FORMAT);
    assert_fails(jobj_want_uint(root, "r", true, 9, &u, &e), ERR_FORMAT);
    assert_fails(jobj_want_uint(root, "z", true, 0, &u, &e), ERR_FORMAT);
    assert_true(u == 77);
    assert_ok(jobj_want_uint(root, "z", true, 1, &u, &e));
    assert_true(u == 1);
}

static void write_all(struct jout *w)
{
    jout_object(w, NULL);
    jout_string(w, "text", "a\"\\/\b\n\x1f\x7f\xc3\xa9");
    jout_string(w, "none", NULL);
    jout_bytes(w, "raw", BYTES_LIT("x\xff\xc3\xa9"));
    jout_uint(w, "max", UINT64_MAX);
    jout_int(w, "min", INT64_MIN);
    jout_array(w, "list");
    jout_bool(w, NULL, true);
    jout_array(w, NULL);
    jout_array_end(w);
    jout_object(w, NULL);
    jout_object_end(w);
    jout_null(w, NULL);
    jout_array_end(w);
    jout_object_end(w);
}

static void writes(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) out = BUF_INIT(4096);
    struct jout w = {.out = &out};
    write_all(&w);
    assert_ok(buf_check(&out, &e));
    assert_string_equal(buf_cstr(&out), "{\"text\":\"a\\\"\\\\/\\b\\n\\u001F\x7f\xc3\xa9\",\"none\":null,"
                                        "\"raw\":\"x\xef\xbf\xbd\xc3\xa9\",\"max\":18446744073709551615,"
                                        "\"min\":-9223372036854775808,\"list\":[true,[],{},null]}");
    buf_reset(&out);
    w = (struct jout){.out = &out, .indent = 2};
    jout_object(&w, NULL);
    jout_uint(&w, "a", 1);
    jout_array(&w, "b");
    jout_uint(&w, NULL, 2);
    jout_uint(&w, NULL, 3);
    jout_array_end(&w);
    jout_object(&w, "c");
    jout_object_end(&w);
    jout_object_end(&w);
    assert_string_equal(buf_cstr(&out), "{\n  \"a\": 1,\n  \"b\": [\n    2,\n    3\n  ],\n  \"c\": {}\n}");

    AUTO_DONE(buf) small = BUF_INIT(10);
    w = (struct jout){.out = &small};
    write_all(&w);
    assert_fails(buf_check(&small, &e), ERR_LIMIT);
}

/* A parsed value written again: same members, same order. */
static void rewrites(void **state)
{
    (void)state;
    static const char text[] =
        "{\"z\":1,\"a\":[true,null,\"\xe2\x82\xac\"],\"big\":9223372036854775807,\"o\":{\"y\":0,\"x\":0.5}}";
    struct err e = ERR_INIT;
    AUTO(jdoc) doc = NULL;
    AUTO_DONE(buf) out = BUF_INIT(4096);
    struct jout w = {.out = &out};
    assert_ok(jdoc_parse(bytes_str(text), &doc, &e));
    jout_value(&w, NULL, jdoc_root(doc));
    assert_string_equal(buf_cstr(&out), text);
}

static void only_known(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b"};
    struct err e = ERR_INIT;
    AUTO(jdoc) doc = NULL;
    AUTO(jdoc) other = NULL;
    assert_ok(jdoc_parse(BYTES_LIT("{\"b\":1}"), &doc, &e));
    assert_ok(jobj_only(jdoc_root(doc), names, 2, &e));
    assert_fails(jobj_only(jdoc_root(doc), names, 1, &e), ERR_FORMAT);
    assert_ok(jdoc_parse(BYTES_LIT("{\"a\":1,\"B\\u001b\":2}"), &other, &e));
    assert_fails(jobj_only(jdoc_root(other), names, 2, &e), ERR_FORMAT);
    assert_string_equal(e.msg, "member \"B\\x1b\" has no place here");
}

/* JSON that was parsed, as it stands. */
static void writes_text(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) out = BUF_INIT(64);
    struct jout w = {.out = &out};
    jout_object(&w, NULL);
    jout_uint(&w, "n", 1);
    jout_text(&w, "x", BYTES_LIT("{\"y\": 0.10}"));
    jout_object_end(&w);
    assert_ok(buf_check(&out, &e));
    assert_string_equal(buf_cstr(&out), "{\"n\":1,\"x\":{\"y\": 0.10}}");
}

/* Bytes that a terminal obeys or hides, in keys, values and JSON that is handed on; what is read is the same.
 */
static void writes_shown(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(jdoc) doc = NULL;
    AUTO_DONE(buf) out = BUF_INIT(512);
    AUTO_DONE(buf) small = BUF_INIT(8);
    const char *text;
    struct jout w = {.out = &out, .shown = true};
    jout_object(&w, NULL);
    jout_string(&w, "\x7f", "a\xc3\xa9\x1b\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81\xf0\x9f\x98\x80z");
    jout_text(&w, "x", BYTES_LIT("[\"\xc2\x9b\", 0.10]"));
    jout_object_end(&w);
    assert_ok(buf_check(&out, &e));
    assert_string_equal(buf_cstr(&out),
                        "{\"\\u007F\":\"a\xc3\xa9\\u001B\\u009B\\u202E\\uDB40\\uDC01\xf0\x9f\x98\x80z\","
                        "\"x\":[\"\\u009B\", 0.10]}");
    assert_ok(jdoc_parse(buf_bytes(&out), &doc, &e));
    assert_ok(jobj_want_string(jdoc_root(doc), "\x7f", true, &text, &e));
    assert_string_equal(text, "a\xc3\xa9\x1b\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81\xf0\x9f\x98\x80z");
    w = (struct jout){.out = &small, .shown = true};
    jout_string(&w, NULL, "\xc2\x9b\xc2\x9b");
    assert_int_equal(buf_check(&small, &e), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_good),   cmocka_unit_test(parse_bad),  cmocka_unit_test(says_where),
        cmocka_unit_test(bounds),       cmocka_unit_test(accessors),  cmocka_unit_test(writes),
        cmocka_unit_test(rewrites),     cmocka_unit_test(only_known), cmocka_unit_test(writes_text),
        cmocka_unit_test(writes_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
