/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/coredump.h"

#include "base/limits.h"
#include "base/wbin.h"
#include "runner/run.h"
#include "tests/unit/unit.h"

#define PAGE   65536U
#define MEMORY (4 * PAGE)

static void dump(const struct runner_coredump *d, struct buf *out)
{
    struct err e = ERR_INIT;
    struct sink_buf to;
    assert_ok(runner_coredump_write(d, sink_buf_init(&to, out), &e));
    assert_int_equal(out->failed, 0);
}

/* The content of the section with this id, and of a custom one this name; its place in the file from 1 on. */
static size_t find(struct bytes file, uint8_t id, const char *custom, struct bytes *ret)
{
    struct bytes head;
    assert_true(bytes_take(&file, WBIN_PREAMBLE, &head));
    for (size_t n = 1; file.len > 0; n++) {
        struct bytes content, name = BYTES_NONE;
        uint8_t is = 0;
        uint32_t size = 0, len = 0;
        assert_true(bytes_take_u8(&file, &is) && bytes_take_leb32(&file, &size) &&
                    bytes_take(&file, size, &content));
        if (is == 0)
            assert_true(bytes_take_leb32(&content, &len) && bytes_take(&content, len, &name));
        if (is == id && (!custom || bytes_eq_str(name, custom))) {
            *ret = content;
            return n;
        }
    }
    return 0;
}

static uint32_t number(struct bytes *from)
{
    uint32_t v = 0;
    assert_true(bytes_take_leb32(from, &v));
    return v;
}

static struct bytes name(struct bytes *from)
{
    struct bytes ret;
    assert_true(bytes_take(from, number(from), &ret));
    return ret;
}

/* Puts the segments of one memory back to where they were. */
static size_t restore(struct bytes data, uint32_t memory, bool is_64, uint8_t *to, size_t size)
{
    size_t n = 0;
    for (uint32_t left = number(&data); left > 0; left--) {
        uint32_t mode = number(&data), of = mode == 2 ? number(&data) : 0;
        int64_t at = 0;
        struct bytes content;
        uint8_t op = 0, end = 0;
        assert_true(bytes_take_u8(&data, &op));
        assert_true(bytes_take_sleb(&data, 64, &at) && bytes_take_u8(&data, &end));
        assert_int_equal(end, 0x0b);
        content = name(&data);
        if (of != memory)
            continue;
        assert_int_equal(op, is_64 ? 0x42 : 0x41);
        assert_true(at >= 0 && (uint64_t)at + content.len <= size);
        memcpy(to + at, content.ptr, content.len);
        n++;
    }
    assert_int_equal(data.len, 0);
    return n;
}

static const struct bytes modules[] = {{(const uint8_t *)"guest", 5}, {(const uint8_t *)"library", 7}};
static const struct runner_coredump_frame frames[] = {{1, 3, 17}, {0, 200, 70000}, {0, 1, 0}};

static void test_says_where_it_stopped(void **state)
{
    (void)state;
    const struct runner_coredump d = {.process = BYTES_LIT("prog"),
                                      .modules = modules,
                                      .n_modules = 2,
                                      .frames = frames,
                                      .n_frames = ARRAY_LEN(frames)};
    AUTO_DONE(buf) out = BUF_INIT(1U << 20);
    struct bytes s;
    dump(&d, &out);
    assert_int_equal(find(buf_bytes(&out), 0, "core", &s), 1);
    assert_int_equal(number(&s), 0);
    assert_true(bytes_eq_str(name(&s), "prog") && s.len == 0);
    assert_true(find(buf_bytes(&out), 0, "coremodules", &s));
    assert_int_equal(number(&s), 2);
    assert_int_equal(number(&s), 0);
    assert_true(bytes_eq_str(name(&s), "guest"));
    assert_int_equal(number(&s), 0);
    assert_true(bytes_eq_str(name(&s), "library") && s.len == 0);
    assert_true(find(buf_bytes(&out), 0, "coreinstances", &s));
    assert_true(bytes_eq(s, BYTES_LIT("\2\0\0\0\0\0\1\0\0")));
    assert_true(find(buf_bytes(&out), 0, "corestack", &s));
    assert_int_equal(number(&s), 0);
    assert_true(bytes_eq_str(name(&s), "main"));
    assert_int_equal(number(&s), ARRAY_LEN(frames));
    for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
        assert_int_equal(number(&s), 0);
        assert_int_equal(number(&s), frames[i].instance);
        assert_int_equal(number(&s), frames[i].func);
        assert_int_equal(number(&s), frames[i].offset);
        assert_int_equal(number(&s), 0);
        assert_int_equal(number(&s), 0);
    }
    assert_int_equal(s.len, 0);
    assert_false(find(buf_bytes(&out), 5, NULL, &s) || find(buf_bytes(&out), 6, NULL, &s) ||
                 find(buf_bytes(&out), 11, NULL, &s) || find(buf_bytes(&out), 0, "name", &s));
}

static void fill(uint8_t *memory)
{
    memory[0] = 1;
    memory[PAGE - 1] = 2;
    memset(memory + 2 * PAGE, 0xaa, 5000);
    memory[MEMORY - 1] = 3;
}

static void check_memory(struct bytes data, uint32_t index, bool is_64, const uint8_t *want, size_t n)
{
    uint8_t *back = calloc(1, MEMORY);
    assert_non_null(back);
    assert_int_equal(restore(data, index, is_64, back, MEMORY), n);
    assert_memory_equal(back, want, MEMORY);
    free(back);
}

static void test_holds_memory_and_globals(void **state)
{
    (void)state;
    uint8_t *memory = calloc(1, MEMORY), *second = calloc(1, MEMORY);
    assert_true(memory && second);
    fill(memory);
    second[70000] = 9;
    const struct runner_coredump_memory memories[] = {
        {.name = BYTES_LIT("memory"), .ptr = memory, .size = MEMORY, .page_log2 = 16},
        {BYTES_LIT("big"), second, MEMORY, 300, 16, true, true}};
    const struct runner_coredump_global globals[] = {
        {BYTES_LIT("a"), COREDUMP_I32, 0xffffffff},
        {BYTES_LIT("b"), COREDUMP_I64, 1ULL << 63},
        {BYTES_LIT("c"), COREDUMP_F32, 0x3f800000},
        {BYTES_LIT("d"), COREDUMP_F64, 0x3ff0000000000000},
    };
    const struct runner_coredump d = {
        BYTES_LIT("prog"), modules, 2, frames, 3, memories, ARRAY_LEN(memories), globals, ARRAY_LEN(globals)};
    AUTO_DONE(buf) out = BUF_INIT(1U << 20);
    struct bytes s;
    dump(&d, &out);
    assert_true(out.len < 30000); /* what is zero is not there */
    assert_true(find(buf_bytes(&out), 0, "coreinstances", &s));
    assert_true(bytes_eq(s, BYTES_LIT("\2\0\0\2\0\1\0\0\1\0\0")));
    assert_true(find(buf_bytes(&out), 5, NULL, &s));
    assert_true(bytes_eq(s, BYTES_LIT("\2\0\4\5\4\xac\2")));
    assert_true(find(buf_bytes(&out), 6, NULL, &s));
    assert_true(bytes_eq(s, BYTES_LIT("\4\x7f\0\x41\x7f\x0b"
                                      "\x7e\0\x42\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f\x0b"
                                      "\x7d\0\x43\0\0\x80\x3f\x0b"
                                      "\x7c\0\x44\0\0\0\0\0\0\xf0\x3f\x0b")));
    assert_true(find(buf_bytes(&out), 11, NULL, &s));
    check_memory(s, 0, false, memory, 4);
    check_memory(s, 1, true, second, 1);
    assert_true(find(buf_bytes(&out), 0, "name", &s));
    assert_true(bytes_eq(s, BYTES_LIT("\6\x0e\2\0\6memory\1\3big\7\x0d\4\0\1a\1\1b\2\1c\3\1d")));
    free(memory);
    free(second);
}

/* Its custom sections aside it is a module like others. */
static void test_is_valid_wasm(void **state)
{
    (void)state;
    uint8_t *memory = calloc(1, MEMORY);
    assert_non_null(memory);
    fill(memory);
    const struct runner_coredump_memory memories[] = {
        {.name = BYTES_LIT("memory"), .ptr = memory, .size = MEMORY, .page_log2 = 16}};
    const struct runner_coredump_global globals[] = {{BYTES_LIT("a"), COREDUMP_I64, 77}};
    const struct runner_coredump d = {BYTES_LIT("prog"), modules, 2, frames, 3, memories, 1, globals, 1};
    AUTO_DONE(buf) out = BUF_INIT(1U << 20);
    struct err e = ERR_INIT;
    const struct runner_conf conf = {.cache_dir = NULL};
    AUTO(runner_host) host = NULL;
    AUTO(runner_program) program = NULL;
    AUTO_DONE(wbin_info) info = {.n_sections = 0};
    struct source_bytes source;
    dump(&d, &out);
    assert_ok(wbin_scan(source_bytes_init(&source, buf_bytes(&out)), &info, &e));
    assert_int_equal(info.n_sections, 8);
    assert_ok(runner_host_new(&conf, &host, &e));
    assert_ok(runner_program_load(host, buf_bytes(&out), NULL, &program, &e));
    free(memory);
}

/* 100,000 segments are all that engines take: a large memory is cut into larger blocks. */
static void test_large_memory_in_larger_blocks(void **state)
{
    (void)state;
    const size_t size = 512U << 20;
    uint8_t *memory = calloc(1, size);
    assert_non_null(memory);
    memory[5 * PAGE + 1] = 1;
    const struct runner_coredump_memory m = {
        .name = BYTES_LIT("m"), .ptr = memory, .size = size, .page_log2 = 16};
    const struct runner_coredump d = {
        .process = BYTES_LIT("p"), .modules = modules, .n_modules = 1, .memories = &m, .n_memories = 1};
    AUTO_DONE(buf) out = BUF_INIT(1U << 20);
    struct bytes s;
    dump(&d, &out);
    assert_true(find(buf_bytes(&out), 11, NULL, &s));
    assert_int_equal(number(&s), 1);
    assert_int_equal(s.len, PAGE + 9);
    free(memory);
}

static int refuse(struct sink *s, struct bytes data, struct err *e)
{
    (void)s, (void)data;
    return err_set(e, ERR_IO, "no room");
}

static void test_sink_that_fails(void **state)
{
    (void)state;
    struct sink full = {.write = refuse};
    struct err e = ERR_INIT;
    const struct runner_coredump d = {.process = BYTES_LIT("p"), .modules = modules, .n_modules = 1};
    assert_fails(runner_coredump_write(&d, &full, &e), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_where_it_stopped), cmocka_unit_test(test_holds_memory_and_globals),
        cmocka_unit_test(test_is_valid_wasm),         cmocka_unit_test(test_large_memory_in_larger_blocks),
        cmocka_unit_test(test_sink_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
