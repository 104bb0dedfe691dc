/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "tests/unit/unit.h"
#include "tests/unit/wave_types.h"

#include <locale.h>

static struct wave_type *type_of(const char *text)
{
    struct wave_type *type = wave_type_of(text);
    if (!type)
        print_message("# no type: %s\n", text);
    assert_non_null(type);
    return type;
}

/* Reads a value, and compares what is printed of it. */
static void round_trip(const char *type_text, const char *text, const char *wave, const char *json)
{
    struct err e = ERR_INIT;
    struct wave_value value;
    AUTO(wave_type) type = type_of(type_text);
    AUTO_DONE(buf) got = BUF_INIT(1 << 20);
    AUTO_DONE(buf) got_json = BUF_INIT(1 << 20);
    struct jout w = {.out = &got_json};
    assert_ok(wave_parse(type, bytes_str(text), &value, &e));
    wave_print(type, &value, &got);
    wave_print_json(&w, NULL, type, &value);
    wave_value_done(type, &value);
    assert_string_equal(buf_cstr(&got), wave);
    assert_string_equal(buf_cstr(&got_json), json);
    assert_ok(wave_parse(type, buf_bytes(&got), &value, &e));
    buf_reset(&got_json);
    wave_print(type, &value, &got_json);
    wave_value_done(type, &value);
    assert_string_equal(buf_cstr(&got_json), wave);
}

static void every_type(void **state)
{
    static const struct {
        const char *type, *text, *wave, *json;
    } cases[] = {
        {"bool", " true ", "true", "true"},
        {"bool", "false", "false", "false"},
        {"u8", "255", "255", "255"},
        {"s8", "-128", "-128", "-128"},
        {"s8", "-0", "0", "0"},
        {"u16", "65535", "65535", "65535"},
        {"s16", "-32768", "-32768", "-32768"},
        {"u32", "4294967295", "4294967295", "4294967295"},
        {"s32", "-2147483648", "-2147483648", "-2147483648"},
        {"u64", "18446744073709551615", "18446744073709551615", "18446744073709551615"},
        {"s64", "-9223372036854775808", "-9223372036854775808", "-9223372036854775808"},
        {"s64", "9223372036854775807", "9223372036854775807", "9223372036854775807"},
        {"char", "'x'", "'x'", "\"x\""},
        {"char", "'\"'", "'\\\"'", "\"\\\"\""},
        {"char", "'\\u{10FFFF}'", "'\xf4\x8f\xbf\xbf'", "\"\xf4\x8f\xbf\xbf\""},
        {"string", "\"\"", "\"\"", "\"\""},
        {"string", "\"a\\t\\\\\\'\\u{e9}\"", "\"a\\t\\\\\\'\xc3\xa9\"", "\"a\\t\\\\'\xc3\xa9\""},
        {"string", "\"\\u{1b}[0m\\u{202e}\\u{0}\"", "\"\\u{1b}[0m\\u{202e}\\u{0}\"",
         "\"\\u001B[0m\xe2\x80\xae\\u0000\""},
        {"list<u8>", "[]", "[]", "[]"},
        {"list<list<string>>", "[[\"a\",],[ ] , [\"b\",\"c\"]]", "[[\"a\"], [], [\"b\", \"c\"]]",
         "[[\"a\"],[],[\"b\",\"c\"]]"},
        {"tuple<u8,string>", "(1, \"x\",)", "(1, \"x\")", "[1,\"x\"]"},
        {"record{a:u8,b-c:option<u8>}", "{b-c: 2, %a: 1}", "{a: 1, b-c: some(2)}", "{\"a\":1,\"b-c\":2}"},
        {"record{a:u8,b:option<u8>}", "{a:1}", "{a: 1}", "{\"a\":1,\"b\":null}"},
        {"record{a:option<u8>}", "{:}", "{:}", "{\"a\":null}"},
        {"variant{empty,num(f64)}", "num( 2.5 )", "num(2.5)", "{\"num\":2.5}"},
        {"variant{empty,num(f64)}", "%empty", "empty", "{\"empty\":null}"},
        {"variant{err(u8)}", "%err(1)", "%err(1)", "{\"err\":1}"},
        {"enum{red,nan}", "%nan", "%nan", "\"nan\""},
        {"option<string>", "none", "none", "null"},
        {"option<string>", "\"x\"", "some(\"x\")", "\"x\""},
        {"option<option<u8>>", "some(none)", "some(none)", "{\"some\":null}"},
        {"option<option<u8>>", "some(3)", "some(some(3))", "{\"some\":3}"},
        {"result<u8,string>", "7", "ok(7)", "{\"ok\":7}"},
        {"result<u8,string>", "err(\"no\")", "err(\"no\")", "{\"err\":\"no\"}"},
        {"result<_,_>", "ok", "ok", "{\"ok\":null}"},
        {"result<_,u8>", "ok", "ok", "{\"ok\":null}"},
        {"flags{a,b,c}", "{c,a,}", "{a, c}", "[\"a\",\"c\"]"},
        {"flags{a}", "{}", "{}", "[]"},
        {"map<string,u8>", "[(\"b\", 1), (\"a\", 2,),]", "[(\"b\", 1), (\"a\", 2)]", "[[\"b\",1],[\"a\",2]]"},
        {"map<char,bool>", "[]", "[]", "[]"},
        {"u8", "// one\n 7 // two", "7", "7"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        round_trip(cases[i].type, cases[i].text, cases[i].wave, cases[i].json);
}

static void floats(void **state)
{
    static const struct {
        const char *type, *text, *want;
    } cases[] = {
        {"f64", "0", "0"},
        {"f64", "-0.0", "-0"},
        {"f64", "100", "100"},
        {"f64", "0.1", "0.1"},
        {"f64", "1e20", "100000000000000000000"},
        {"f64", "1e21", "1e21"},
        {"f64", "1.7976931348623157e308", "1.7976931348623157e308"},
        {"f64", "5e-324", "5e-324"},
        {"f64", "0.0000001", "0.0000001"},
        {"f64", "1.25E-9", "1.25e-9"},
        {"f64", "9007199254740993", "9007199254740992"},
        {"f64", "123.456", "123.456"},
        {"f32", "0.1", "0.1"},
        {"f32", "16777217", "16777216"},
        {"f32", "3.4028235e38", "3.4028235e38"},
        {"f32", "1e-50", "0"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        round_trip(cases[i].type, cases[i].text, cases[i].want, cases[i].want);
    round_trip("f64", "nan", "nan", "\"nan\"");
    round_trip("f32", "inf", "inf", "\"inf\"");
    round_trip("f32", "-inf", "-inf", "\"-inf\"");
}

/* The point of a locale must not reach what is read or printed. */
static void other_locales(void **state)
{
    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8"))
        skip_because("there is no locale with a decimal comma");
    round_trip("f64", "2.5", "2.5", "2.5");
    (void)setlocale(LC_ALL, "C");
}

static void multiline_strings(void **state)
{
    (void)state;
    round_trip("string", "\"\"\"\n  a\n    b\n  \"\"\"", "\"a\\n  b\"", "\"a\\n  b\"");
    round_trip("string", "\"\"\"\r\na\r\nb\\r\n\"\"\"", "\"a\\nb\\r\"", "\"a\\nb\\r\"");
    round_trip("string", "\"\"\"\n\"\"\\\"\"\n\"\"\"", "\"\\\"\\\"\\\"\\\"\"", "\"\\\"\\\"\\\"\\\"\"");
    round_trip("string", "\"\"\"\n\"\"\"", "\"\"", "\"\"");
    round_trip("string", "\"\"\"\n\n\"\"\"", "\"\"", "\"\"");
}

static void fails(const char *type_text, struct bytes text, const char *message)
{
    struct err e = ERR_INIT;
    struct wave_value value;
    AUTO(wave_type) type = type_of(type_text);
    assert_fails(wave_parse(type, text, &value, &e), ERR_USAGE);
    if (!strstr(e.msg, message))
        print_message("# %s where '%s' was expected\n", e.msg, message);
    assert_non_null(strstr(e.msg, message));
}

static const struct {
    const char *type, *text, *message;
} wrong[] = {
    {"u8", "", "column 1: a number (u8) is expected, not the end"},
    {"u8", "256", "column 1: 256 is out of the range of u8"},
    {"u8", "-1", "column 1: -1 is out of the range of u8"},
    {"u8", "-0", "out of the range"},
    {"s8", " 128", "column 2: 128 is out of the range of s8"},
    {"s8", "-129", "out of the range of s8"},
    {"u64", "18446744073709551616", "out of the range of u64"},
    {"s64", "9223372036854775808", "out of the range of s64"},
    {"s64", "-9223372036854775809", "out of the range of s64"},
    {"u8", "1.0", "a number (u8) is expected, not 1.0"},
    {"u8", "1e1", "not 1e1"},
    {"u8", "01", "not 01"},
    {"u8", "+1", "not +1"},
    {"u8", "0x10", "not 0x10"},
    {"u8", "1 2", "column 3: the end is expected, not 2"},
    {"u8", "1)", "column 2: the end is expected, not )"},
    {"u8", "\"1\"", "a number (u8) is expected, not \""},
    {"f64", "1e999", "1e999 is out of the range of f64"},
    {"f32", "1e39", "out of the range of f32"},
    {"f64", "1.", "not 1."},
    {"f64", ".5", "not .5"},
    {"f64", "1e", "not 1e"},
    {"f64", "0x1p3", "not 0x1p3"},
    {"f64", "+inf", "not +inf"},
    {"f64", "infinity", "not infinity"},
    {"f64", "-nan", "not -nan"},
    {"bool", "True", "true or false is expected, not True"},
    {"bool", "1", "true or false is expected"},
    {"bool", "%true", "true or false is expected"},
    {"char", "''", "a character is expected between the quotes"},
    {"char", "'ab'", "one character and a closing quote"},
    {"char", "'\\u{d800}'", "escape"},
    {"char", "'\\u{110000}'", "escape"},
    {"char", "'\\u{}'", "escape"},
    {"char", "'\\u{0000041}'", "escape"},
    {"char", "'\\x'", "column 2: no such escape"},
    {"char", "'a", "closing quote"},
    {"char", "\"a\"", "in single quotes"},
    {"string", "\"a", "no closing quote"},
    {"string", "\"a\nb\"", "no closing quote"},
    {"string", "\"\\", "escape"},
    {"string", "\"\"\"a\n\"\"\"", "a new line is expected"},
    {"string", "\"\"\"\na\"\"\"", "line 2, column 2: only spaces"},
    {"string", "\"\"\"\n a\n  \"\"\"", "line 2, column 1: the line is indented less"},
    {"string", "\"\"\"\na\n", "no closing \"\"\""},
    {"list<u8>", "[1 2]", "column 4: ',' or ']' is expected, not 2"},
    {"list<u8>", "[1,,2]", "column 4: a number"},
    {"list<u8>", "[,]", "a number"},
    {"list<u8>", "[1", "the end"},
    {"list<u8>", "1", "'[' of a list is expected"},
    {"tuple<u8,u8>", "(1)", "the tuple has 1 values, not 2"},
    {"tuple<u8>", "(1,2)", "the tuple has only 1 values"},
    {"tuple<u8>", "()", "a number"},
    {"record{a:u8}", "{}", "a field (or {:}"},
    {"record{a:u8}", "{:}", "the record has no field a"},
    {"record{a:u8}", "{a:1,a:2}", "column 6: the field a is there twice"},
    {"record{a:u8}", "{b:1}", "column 2: no field b: there are a"},
    {"record{a:u8}", "{a}", "':' behind a field's name"},
    {"record{a:u8}", "{1:1}", "the name of a field"},
    {"variant{a,b(u8)}", "a(1)", "a has no value"},
    {"variant{a,b(u8)}", "b", "'(' and a value behind b"},
    {"variant{a,b(u8)}", "b(1", "')' is expected"},
    {"variant{a,b(u8)}", "c", "no case c: there are a, b"},
    {"variant{err(u8)}", "err(1)", "written %err"},
    {"enum{a,ok}", "ok", "written %ok"},
    {"enum{a}", "A", "no case A"},
    {"flags{a,b}", "{a,a}", "the flag a is there twice"},
    {"flags{a,b}", "{c}", "no flag c"},
    {"flags{a,b}", "{a: true}", "',' or '}'"},
    {"option<option<u8>>", "3", "some(...) or none is expected"},
    {"option<u8>", "some", "'(' and a value behind some"},
    {"option<u8>", "none(1)", "none has no value"},
    {"option<u8>", "%none", "a number"},
    {"result<u8,_>", "ok", "'(' and a value behind ok"},
    {"result<_,_>", "3", "ok or err is expected"},
    {"map<string,u8>", "[(\"a\",1),(\"b\",2),(\"a\",3)]", "the same key"},
    {"map<u8,u8>", "[(1,1),(1,2)]", "the same key"},
    {"map<u8,u8>", "[(1)]", "',' behind a key"},
};

static void wrong_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        fails(wrong[i].type, bytes_str(wrong[i].text), wrong[i].message);
    fails("string", BYTES_LIT("\"\xc3\xa9\xff\""), "column 3: this is not UTF-8");
    fails("string", BYTES_LIT("\"\xed\xa0\x80\""), "not UTF-8");
    fails("u8", BYTES_LIT("1\0"), "the end is expected");
    fails("u8", BYTES_LIT("\0"), "a number");
}

static void calls(void **state)
{
    struct err e = ERR_INIT;
    struct wave_value args;
    size_t at;
    AUTO(wave_type) params = type_of("record{a:u8,b:option<u8>,c:option<u8>}");
    AUTO(wave_type) none = wave_type_new(WAVE_RECORD, 0);
    static const char *const good[] = {"f(1)", "f(1,2)", "f(1,none,3)", " f ( 1 , ) // x",
                                       "f(1,some(2),none)"};
    static const char *const bad[] = {"f", "f()", "f(1,2,3,4)", "f(1", "f(1) 2", "f(1))", "f(none)", "f(,)"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(bytes_eq_str(wave_call_name(bytes_str(good[i]), &at), "f"));
        assert_ok(wave_parse_args(params, bytes_str(good[i]), at, &args, &e));
        assert_int_equal(args.n, 3);
        wave_value_done(params, &args);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        (void)wave_call_name(bytes_str(bad[i]), &at);
        assert_fails(wave_parse_args(params, bytes_str(bad[i]), at, &args, &e), ERR_USAGE);
    }
    assert_ok(wave_parse_args(none, BYTES_LIT("f"), 1, &args, &e));
    wave_value_done(none, &args);
    assert_ok(wave_parse_args(none, BYTES_LIT("f( )"), 1, &args, &e));
    wave_value_done(none, &args);
    assert_fails(wave_parse_args(none, BYTES_LIT("f(1)"), 1, &args, &e), ERR_USAGE);
    assert_string_equal(e.msg, "column 3: too many arguments: the function takes 0");
}

/* Options inside one another, which need a bracket each. */
static void deep_values(void **state)
{
    struct err e = ERR_INIT;
    struct wave_value value;
    AUTO(wave_type) type = wave_type_new(WAVE_U8, 0);
    AUTO_DONE(buf) text = BUF_INIT(1 << 20);
    (void)state;
    for (size_t i = 0; i <= LIMIT_WAVE_DEPTH; i++) {
        struct wave_type *outer = wave_type_new(WAVE_LIST, 1);
        assert_non_null(outer);
        outer->parts[0].type = TAKE(type);
        type = outer;
        buf_append_u8(&text, '[');
    }
    assert_fails(wave_parse(type, buf_bytes(&text), &value, &e), ERR_LIMIT);
}

static void large_texts(void **state)
{
    struct err e = ERR_INIT;
    struct wave_value value;
    AUTO(wave_type) type = type_of("list<u8>");
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_WAVE_TEXT + 1);
    (void)state;
    buf_append_u8(&text, '[');
    for (size_t i = 0; i < LIMIT_WAVE_VALUES + 1; i++)
        buf_append_str(&text, "1,");
    buf_append_u8(&text, ']');
    assert_ok(buf_check(&text, &e));
    assert_fails(wave_parse(type, buf_bytes(&text), &value, &e), ERR_LIMIT);
    while (text.len <= LIMIT_WAVE_TEXT)
        buf_append_u8(&text, ' ');
    assert_fails(wave_parse(type, buf_bytes(&text), &value, &e), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type),        cmocka_unit_test(floats),       cmocka_unit_test(other_locales),
        cmocka_unit_test(multiline_strings), cmocka_unit_test(wrong_values), cmocka_unit_test(calls),
        cmocka_unit_test(deep_values),       cmocka_unit_test(large_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
