/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct values {
    bool flag, other;
    const char *text;
    struct opt_list list;
    uint64_t time, size;
    unsigned choice;
};

static const char *const choices[] = {"red", "green", NULL};

#define AT(field) offsetof(struct values, field)
static const struct opt table[] = {
    {"flag", 'f', OPT_FLAG, false, AT(flag), NULL, "a flag", NULL},
    {"other", 'q', OPT_FLAG, false, AT(other), NULL, "another", NULL},
    {"text", 't', OPT_STRING, true, AT(text), "TEXT", "a text", NULL},
    {"list", 'l', OPT_LIST, false, AT(list), "ITEM", "a list,\nin two lines", NULL},
    {"time", 0, OPT_DURATION, false, AT(time), "TIME", "a duration", NULL},
    {"size", 0, OPT_SIZE, false, AT(size), "SIZE", "a size", NULL},
    {"choice", 'c', OPT_ENUM, false, AT(choice), "COLOUR", "a choice", choices},
};

/* Parses the words of a line. Returns what opt_parse does. */
static int parse(const char *line, bool stop, struct values *v, char words[24][64], char *args[24],
                 size_t *operands, struct err *e)
{
    size_t n = 0;
    for (const char *p = line; *p; n++) {
        size_t len = strcspn(p, " ");
        assert_true(n < 24 && len < 64);
        memcpy(words[n], p, len);
        words[n][len] = '\0';
        args[n] = words[n];
        p += len + (p[len] == ' ');
    }
    *v = (struct values){.choice = 0};
    const struct opt_set set = {table, ARRAY_LEN(table), v};
    const struct opt_rules rules = {&set, 1, stop};
    return opt_parse(&rules, args, n, operands, e);
}

static void release(struct values *v)
{
    const struct opt_set set = {table, ARRAY_LEN(table), v};
    opt_done(&set);
    assert_null(v->list.items);
}

#define PARSE(line, stop)    \
    struct values v;         \
    char words[24][64];      \
    char *args[24];          \
    size_t n = 99;           \
    struct err e = ERR_INIT; \
    int r = parse((line), (stop), &v, words, args, &n, &e)

static void test_forms(void **state)
{
    (void)state;
    PARSE("--text=one a -l x -ly --list=z -f b --time 5s --size 64KiB -c green -- --flag -", false);
    assert_int_equal(r, 0);
    assert_true(v.flag);
    assert_false(v.other);
    assert_string_equal(v.text, "one");
    assert_int_equal(v.list.n, 3);
    assert_string_equal(v.list.items[0], "x");
    assert_string_equal(v.list.items[1], "y");
    assert_string_equal(v.list.items[2], "z");
    assert_int_equal(v.time, 5000);
    assert_int_equal(v.size, 65536);
    assert_int_equal(v.choice, 1);
    assert_int_equal(n, 4);
    assert_string_equal(args[0], "a");
    assert_string_equal(args[1], "b");
    assert_string_equal(args[2], "--flag");
    assert_string_equal(args[3], "-");
    release(&v);
}

static void test_letters_together(void **state)
{
    (void)state;
    PARSE("-fqtvalue rest", false);
    assert_int_equal(r, 0);
    assert_true(v.flag && v.other);
    assert_string_equal(v.text, "value");
    assert_int_equal(n, 1);
    release(&v);
}

static void test_last_one_counts(void **state)
{
    (void)state;
    PARSE("-t a -t b --time 1s --time 2m", false);
    assert_int_equal(r, 0);
    assert_string_equal(v.text, "b");
    assert_int_equal(v.time, 120000);
    release(&v);
}

static void test_value_may_look_like_an_option(void **state)
{
    (void)state;
    PARSE("-t --flag", false);
    assert_int_equal(r, 0);
    assert_string_equal(v.text, "--flag");
    assert_false(v.flag);
    release(&v);
}

static void test_stop_at_operand(void **state)
{
    (void)state;
    PARSE("-f target -q --text=x -- y", true);
    assert_int_equal(r, 0);
    assert_true(v.flag);
    assert_false(v.other);
    assert_null(v.text);
    assert_int_equal(n, 5);
    assert_string_equal(args[1], "-q");
    assert_string_equal(args[3], "--");
    release(&v);
}

static void test_dashes_before_target(void **state)
{
    (void)state;
    PARSE("-f -- -target -q", true);
    assert_int_equal(r, 0);
    assert_int_equal(n, 2);
    assert_string_equal(args[0], "-target");
    assert_string_equal(args[1], "-q");
    release(&v);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } bad[] = {
        {"--nothing", "unknown option '--nothing'"},
        {"--nothing=1", "unknown option '--nothing'"},
        {"--tex x", "unknown option '--tex'"},
        {"-x", "unknown option '-x'"},
        {"-fx", "unknown option '-x'"},
        {"--flag=yes", "option '--flag': it takes no value"},
        {"--text", "option '--text': a value is missing"},
        {"-t", "option '-t': a value is missing"},
        {"--text=", "option '--text': the value is empty"},
        {"--choice blue", "option '--choice': 'blue' is none of: red, green"},
        {"--=x", "unknown option '--'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        PARSE(bad[i].line, false);
        assert_int_equal(r, ERR_USAGE);
        assert_string_equal(e.msg, bad[i].message);
        assert_int_equal(n, 99);
        release(&v);
    }
}

static void test_required(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct values v = {.text = NULL};
    const struct opt_set set = {table, ARRAY_LEN(table), &v};
    assert_int_equal(opt_check_required(&set, &e), ERR_USAGE);
    assert_string_equal(e.msg, "option '--text TEXT' is missing");
    v.text = "x";
    assert_int_equal(opt_check_required(&set, &e), 0);
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {{"1ms", 1},      {"500ms", 500},      {"5s", 5000}, {"2m", 120000},
                {"1h", 3600000}, {"30d", 2592000000}, {"05s", 5000}};
    static const char *const bad[] = {"",
                                      "5",
                                      "s",
                                      "0s",
                                      "-1s",
                                      "+1s",
                                      "1.5s",
                                      "5 s",
                                      "5S",
                                      "5sec",
                                      "5ms ",
                                      "1y",
                                      "99999999999999999999s",
                                      "9223372036854775807s"};
    struct err e = ERR_INIT;
    uint64_t got = 0;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(opt_duration_parse(good[i].text, &got, &e), 0);
        assert_int_equal(got, good[i].ms);
    }
    got = 77;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(opt_duration_parse(bad[i], &got, &e), ERR_USAGE);
        assert_int_equal(got, 77);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"1", 1},
                {"65536", 65536},
                {"7B", 7},
                {"1KB", 1000},
                {"64KiB", 65536},
                {"64MiB", 67108864},
                {"1GB", 1000000000},
                {"2GiB", 2147483648},
                {"1TiB", 1099511627776}};
    static const char *const bad[] = {"",
                                      "0",
                                      "0MiB",
                                      "MiB",
                                      "1kb",
                                      "1K",
                                      "1M",
                                      "-1",
                                      "1 MiB",
                                      "1.5GB",
                                      "0x10",
                                      "64mib",
                                      "99999999999999999999",
                                      "9999999999GiB"};
    struct err e = ERR_INIT;
    uint64_t got = 0;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(opt_size_parse(good[i].text, &got, &e), 0);
        assert_int_equal(got, good[i].bytes);
    }
    got = 77;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(opt_size_parse(bad[i], &got, &e), ERR_USAGE);
        assert_int_equal(got, 77);
    }
}

static void test_help(void **state)
{
    (void)state;
    AUTO_DONE(buf) out = BUF_INIT(4096);
    opt_help(table, 4, &out);
    assert_string_equal(buf_cstr(&out), "  -f, --flag              a flag\n"
                                        "  -q, --other             another\n"
                                        "  -t, --text TEXT         a text\n"
                                        "  -l, --list ITEM         a list,\n"
                                        "                          in two lines\n");
}

/* The tables of all verbs: no name and no letter twice among a verb's groups, texts that fit a terminal. */
static void check_option(const struct cmd *cmd, const struct opt *o)
{
    struct cmd_group groups[CMD_GROUPS];
    size_t n = cmd_groups(cmd, groups);
    for (size_t g = 0; g < n; g++) {
        for (size_t i = 0; i < groups[g].n; i++) {
            const struct opt *other = &groups[g].table[i];
            assert_true(o == other || strcmp(o->name, other->name) != 0);
            assert_true(o == other || !o->letter || o->letter != other->letter);
        }
    }
    assert_true((o->type == OPT_FLAG) == (o->metavar == NULL));
    assert_true((o->type == OPT_ENUM) == (o->choices != NULL));
    for (const char *line = o->help; *line;) {
        size_t len = strcspn(line, "\n");
        assert_true(len > 0 && len <= 54);
        line += len + (line[len] == '\n');
    }
}

static void test_tables(void **state)
{
    (void)state;
    for (size_t c = 0; c < n_cmds; c++) {
        const struct cmd *cmd = cmds[c];
        assert_ptr_equal(cmd_find(cmd->name), cmd);
        for (const char *line = cmd->about; *line;) {
            size_t len = strcspn(line, "\n");
            assert_true(len <= 78 && line[len] == '\n');
            line += len + 1;
        }
        struct cmd_group groups[CMD_GROUPS];
        size_t n = cmd_groups(cmd, groups);
        for (size_t g = 0; g < n; g++)
            for (size_t i = 0; i < groups[g].n; i++)
                check_option(cmd, &groups[g].table[i]);
    }
    assert_null(cmd_find(""));
    assert_null(cmd_find("pus"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_letters_together),
        cmocka_unit_test(test_last_one_counts),
        cmocka_unit_test(test_value_may_look_like_an_option),
        cmocka_unit_test(test_stop_at_operand),
        cmocka_unit_test(test_dashes_before_target),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
