/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/wbin.h"
#include "tests/unit/unit.h"

#define MODULE    "\0asm\1\0\0\0"
#define COMPONENT "\0asm\x0d\0\1\0"

/* Sections are written by hand: id, length, payload. */
static void section(struct buf *b, uint8_t id, struct bytes payload)
{
    buf_append_u8(b, id);
    buf_append_leb32(b, (uint32_t)payload.len);
    buf_append_bytes(b, payload);
}

#define SECTION(b, id, text) section(b, id, BYTES_LIT(text))

/* One import of every kind: a table of typed references, a 64-bit memory, a shared one, a tag. */
static void small_module(struct buf *b)
{
    buf_append_bytes(b, BYTES_LIT(MODULE));
    SECTION(b, 0, "\5first");
    SECTION(b, 1, "\1\x60\0\0");
    SECTION(b, 2,
            "\7"
            "\3env\1f\0\0"
            "\3env\1t\1\x70\1\1\x80\1"
            "\3env\1r\1\x63\x70\0\0"
            "\3env\1m\2\5\1\x80\x80\x80\x80\x10"
            "\3env\1s\2\3\1\2"
            "\3env\1g\3\x7f\1"
            "\0\0\4\0\0");
    SECTION(b, 3, "\1\0");
    SECTION(b, 5, "\1\0\1");
    SECTION(b, 7, "\2\6memory\2\0\6_start\0\1");
    SECTION(b, 12, "\0");
    SECTION(b, 10, "\1\2\0\x0b");
    SECTION(b, 11, "\0");
    SECTION(b, 0, "\4nameand some bytes");
}

/* Names in all three forms, every externdesc, exports of every sort with and without a type. */
static void small_component(struct buf *b)
{
    buf_append_bytes(b, BYTES_LIT(COMPONENT));
    SECTION(b, 0, "\1x");
    SECTION(b, 7, "\0");
    SECTION(b, 10,
            "\x08"
            "\0\x0awasi:a/b@1\5\0"
            "\1\1f\1\0"
            "\2\1v\5.0-rc\2\1\x7f"
            "\0\1w\2\0\3"
            "\0\1t\3\0\0"
            "\0\1r\3\1"
            "\0\1c\4\0"
            "\0\1m\0\x11\0");
    SECTION(b, 1, MODULE);
    SECTION(b, 10, "\0");
    SECTION(b, 11,
            "\4"
            "\0\3run\1\0\0"
            "\0\2ex\5\7\1\5\0"
            "\0\3mod\0\x11\2\0"
            "\0\3mem\0\2\0\0");
    SECTION(b, 11, "\0");
}

static int scan(struct bytes data, struct wbin_info *ret, struct err *e)
{
    struct source_bytes s;
    return wbin_scan(source_bytes_init(&s, data), ret, e);
}

static void expect_item(const struct wbin_item *item, const char *module, const char *name,
                        enum wbin_extern kind)
{
    assert_true(bytes_eq_str(item->module, module));
    assert_true(bytes_eq_str(item->name, name));
    assert_int_equal(item->kind, kind);
}

static void module_surface(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) b = BUF_INIT(4096);
    small_module(&b);
    AUTO_DONE(wbin_info) info = {.kind = WBIN_COMPONENT};
    assert_ok(scan(buf_bytes(&b), &info, &e));
    assert_int_equal(info.kind, WBIN_MODULE);
    assert_int_equal(info.size, b.len);
    assert_int_equal(info.n_imports, 7);
    static const enum wbin_extern kinds[] = {WBIN_FUNC,   WBIN_TABLE,  WBIN_TABLE, WBIN_MEMORY,
                                             WBIN_MEMORY, WBIN_GLOBAL, WBIN_TAG};
    static const char *const names[] = {"f", "t", "r", "m", "s", "g", ""};
    for (size_t i = 0; i < 7; i++)
        expect_item(&info.imports[i], i < 6 ? "env" : "", names[i], kinds[i]);
    assert_int_equal(info.n_exports, 2);
    expect_item(&info.exports[0], "", "memory", WBIN_MEMORY);
    expect_item(&info.exports[1], "", "_start", WBIN_FUNC);
    assert_int_equal(info.n_sections, 10);
    assert_true(bytes_eq_str(info.sections[0].name, "first"));
    assert_int_equal(info.sections[0].offset, 8);
    assert_int_equal(info.sections[0].header_size, 2);
    assert_int_equal(info.sections[0].size, 6);
    assert_true(bytes_eq_str(info.sections[9].name, "name"));
    uint64_t at = WBIN_PREAMBLE;
    for (size_t i = 0; i < info.n_sections; i++) {
        assert_int_equal(info.sections[i].offset, at);
        at += info.sections[i].header_size + info.sections[i].size;
    }
    assert_int_equal(at, b.len);
}

static void component_surface(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) b = BUF_INIT(4096);
    small_component(&b);
    AUTO_DONE(wbin_info) info = {.kind = WBIN_MODULE};
    assert_ok(scan(buf_bytes(&b), &info, &e));
    assert_int_equal(info.kind, WBIN_COMPONENT);
    static const struct {
        const char *name;
        enum wbin_extern kind;
    } imports[] = {{"wasi:a/b@1", WBIN_INSTANCE},
                   {"f", WBIN_FUNC},
                   {"v", WBIN_VALUE},
                   {"w", WBIN_VALUE},
                   {"t", WBIN_TYPE},
                   {"r", WBIN_TYPE},
                   {"c", WBIN_COMPONENT_EXTERN},
                   {"m", WBIN_CORE_MODULE}},
      exports[] = {
          {"run", WBIN_FUNC}, {"ex", WBIN_INSTANCE}, {"mod", WBIN_CORE_MODULE}, {"mem", WBIN_CORE_OTHER}};
    assert_int_equal(info.n_imports, ARRAY_LEN(imports));
    for (size_t i = 0; i < ARRAY_LEN(imports); i++)
        expect_item(&info.imports[i], "", imports[i].name, imports[i].kind);
    assert_int_equal(info.n_exports, ARRAY_LEN(exports));
    for (size_t i = 0; i < ARRAY_LEN(exports); i++)
        expect_item(&info.exports[i], "", exports[i].name, exports[i].kind);
}

/* A source in pieces of `step` bytes, over memory of exactly the right size. */
struct drip {
    struct source base;
    struct bytes rest;
    size_t step;
};

static int drip_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    (void)e;
    struct drip *d = (struct drip *)base;
    struct bytes part;
    size_t n = d->step < cap ? d->step : cap;
    n = n < d->rest.len ? n : d->rest.len;
    assert_true(bytes_take(&d->rest, n, &part));
    if (n)
        memcpy(buf, part.ptr, n);
    *ret_n = n;
    return 0;
}

/* Scans a copy that ASan guards on both sides: ok or a clean error that says something. */
static int scan_guarded(struct bytes data, size_t step, struct err *e)
{
    uint8_t *copy = malloc(data.len ? data.len : 1);
    assert_non_null(copy);
    if (data.len)
        memcpy(copy, data.ptr, data.len);
    struct drip d = {.base = {drip_read, NULL}, .rest = bytes_of(copy, data.len), .step = step};
    struct wbin_info info = {.kind = WBIN_MODULE};
    *e = (struct err)ERR_INIT;
    int r = wbin_scan(&d.base, &info, e);
    if (r == 0) {
        assert_int_equal(info.size, data.len);
        wbin_info_done(&info);
    } else {
        assert_true(r == ERR_FORMAT || r == ERR_LIMIT);
        assert_int_equal(e->code, r);
        assert_true(e->msg[0] != '\0' && bytes_is_utf8(bytes_str(e->msg)));
        assert_null(info.memory);
    }
    free(copy);
    return r;
}

/* A file that ends anywhere but behind a section is refused. */
static void truncations(void **state)
{
    (void)state;
    void (*const makers[])(struct buf * b) = {small_module, small_component};
    for (size_t m = 0; m < ARRAY_LEN(makers); m++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) b = BUF_INIT(4096);
        makers[m](&b);
        AUTO_DONE(wbin_info) info = {.kind = WBIN_MODULE};
        assert_ok(scan(buf_bytes(&b), &info, &e));
        for (size_t len = 0; len < b.len; len++) {
            bool at_end = len == WBIN_PREAMBLE;
            for (size_t i = 0; i < info.n_sections; i++)
                at_end |= info.sections[i].offset == len;
            int r = scan_guarded(bytes_of(b.ptr, len), 1 + len % 5, &e);
            assert_int_equal(r, at_end ? 0 : ERR_FORMAT);
        }
    }
}

static void bit_flips(void **state)
{
    (void)state;
    void (*const makers[])(struct buf * b) = {small_module, small_component};
    for (size_t m = 0; m < ARRAY_LEN(makers); m++) {
        struct err e;
        AUTO_DONE(buf) b = BUF_INIT(4096);
        makers[m](&b);
        size_t refused = 0;
        for (size_t bit = 0; bit < 8 * b.len; bit++) {
            b.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
            int r = scan_guarded(buf_bytes(&b), 4096, &e);
            assert_true(bit >= 64 || r == ERR_FORMAT); /* nothing in the preamble is free */
            refused += r != 0;
            b.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_true(refused > b.len); /* most of it is structure */
    }
}

/* Every byte replaced by every value that a length likes to lie with. */
static void byte_swaps(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    void (*const makers[])(struct buf * b) = {small_module, small_component};
    for (size_t m = 0; m < ARRAY_LEN(makers); m++) {
        struct err e;
        AUTO_DONE(buf) b = BUF_INIT(4096);
        makers[m](&b);
        for (size_t i = 0; i < b.len; i++) {
            uint8_t old = b.ptr[i];
            for (size_t k = 0; k < ARRAY_LEN(values); k++) {
                b.ptr[i] = values[k];
                (void)scan_guarded(buf_bytes(&b), 7, &e);
            }
            b.ptr[i] = old;
        }
    }
}

/* Core specification 5.5.2: the order of the sections, each once. */
static void order(void **state)
{
    (void)state;
    static const uint8_t ids[] = {1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        for (size_t k = 0; k < ARRAY_LEN(ids); k++) {
            struct err e = ERR_INIT;
            AUTO_DONE(buf) b = BUF_INIT(64);
            buf_append_bytes(&b, BYTES_LIT(MODULE));
            SECTION(&b, ids[i], "\0");
            SECTION(&b, 0, "\0");
            SECTION(&b, ids[k], "\0");
            assert_int_equal(scan_guarded(buf_bytes(&b), 64, &e), i < k ? 0 : ERR_FORMAT);
        }
    }
    for (unsigned id = 0; id < 256; id++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) b = BUF_INIT(64);
        buf_append_bytes(&b, BYTES_LIT(MODULE));
        SECTION(&b, (uint8_t)id, "\0");
        assert_int_equal(scan_guarded(buf_bytes(&b), 64, &e), id <= 13 ? 0 : ERR_FORMAT);
        buf_reset(&b);
        buf_append_bytes(&b, BYTES_LIT(COMPONENT));
        for (int i = 0; i < 2; i++)
            SECTION(&b, (uint8_t)id, "\0");
        assert_int_equal(scan_guarded(buf_bytes(&b), 64, &e), id <= 12 ? 0 : ERR_FORMAT);
    }
}

static void preambles(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    enum wbin_kind kind;
    assert_ok(wbin_preamble(BYTES_LIT(MODULE "more"), &kind, &e));
    assert_int_equal(kind, WBIN_MODULE);
    assert_ok(wbin_preamble(BYTES_LIT(COMPONENT), &kind, &e));
    assert_int_equal(kind, WBIN_COMPONENT);
    const struct bytes bad[] = {
        BYTES_NONE,
        BYTES_LIT("\0asm\1\0\0"),
        BYTES_LIT("\0asm\2\0\0\0"),
        BYTES_LIT("\0asm\1\0\1\0"),
        BYTES_LIT("\0asm\x0d\0\0\0"),
        BYTES_LIT("\0asm\x0a\0\1\0"),
        BYTES_LIT("\0ASM\1\0\0\0"),
        BYTES_LIT("(module)"),
        BYTES_LIT("\x7f"
                  "ELF\1\0\0\0"),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_fails(wbin_preamble(bad[i], &kind, &e), ERR_FORMAT);
        assert_int_equal(scan_guarded(bad[i], 3, &e), ERR_FORMAT);
    }
}

/* Single sections of a module and whether they are right. */
static void module_sections(void **state)
{
    (void)state;
    const struct {
        uint8_t id;
        struct bytes payload;
        bool good;
    } cases[] = {
        /* custom: a name inside the section, in UTF-8 */
        {0, BYTES_LIT("\0"), true},
        {0, BYTES_LIT("\x81\x80\0a"), true},
        {0, BYTES_NONE, false},
        {0, BYTES_LIT("\1"), false},
        {0, BYTES_LIT("\5abc"), false},
        {0,
         BYTES_LIT("\xff\xff\xff\xff\x0f"
                   "a"),
         false},
        {0,
         BYTES_LIT("\xff\xff\xff\xff\x1f"
                   "a"),
         false},
        {0, BYTES_LIT("\x80"), false},
        {0, BYTES_LIT("\2\xc3("), false},
        /* imports */
        {2, BYTES_LIT("\0"), true},
        {2, BYTES_LIT("\x80\x80\x80\x80\0"), true},
        {2, BYTES_LIT("\x80\x80\x80\x80\x80\0"), false},
        {2, BYTES_NONE, false},
        {2, BYTES_LIT("\0\0"), false},
        {2, BYTES_LIT("\1"), false},
        {2, BYTES_LIT("\xff\xff\xff\xff\x0f"), false},
        {2, BYTES_LIT("\1\0\0\0\0"), true},
        {2, BYTES_LIT("\1\0\0\0"), false},
        {2, BYTES_LIT("\2\0\0\0\0"), false},
        {2, BYTES_LIT("\1\1\xff\0\0\0"), false},
        {2, BYTES_LIT("\1\0\1\xff\0\0"), false},
        {2, BYTES_LIT("\1\0\0\5\0"), false},
        {2, BYTES_LIT("\1\0\0\0\xff\xff\xff\xff\x1f"), false},
        {2, BYTES_LIT("\1\0\0\1\x6f\0\0"), true},
        {2, BYTES_LIT("\1\0\0\1\x64\x6e\0\0"), true},
        {2, BYTES_LIT("\1\0\0\1\x63\xff\xff\xff\xff\x0f\0\0"), true},
        {2, BYTES_LIT("\1\0\0\1\x63\xff\xff\xff\xff\x1f\0\0"), false},
        {2, BYTES_LIT("\1\0\0\1\xf0\0\0"), false},
        {2, BYTES_LIT("\1\0\0\1\x05\0\0"), false},
        {2, BYTES_LIT("\1\0\0\1\x70\x10\0"), false},
        {2, BYTES_LIT("\1\0\0\2\0\1"), true},
        {2, BYTES_LIT("\1\0\0\2\1\1"), false},
        {2, BYTES_LIT("\1\0\0\2\4\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), true},
        {2, BYTES_LIT("\1\0\0\2\4\xff\xff\xff\xff\xff\xff\xff\xff\xff\2"), false},
        {2, BYTES_LIT("\1\0\0\2\x08\1\0"), true},
        {2, BYTES_LIT("\1\0\0\3\x7f\0"), true},
        {2, BYTES_LIT("\1\0\0\3\x63\x00\1"), true},
        {2, BYTES_LIT("\1\0\0\3\x7f\4"), false},
        {2, BYTES_LIT("\1\0\0\3\x7f"), false},
        {2, BYTES_LIT("\1\0\0\4\1\0"), false},
        /* exports */
        {7, BYTES_LIT("\1\1a\0\0"), true},
        {7, BYTES_LIT("\1\1a\4\0"), true},
        {7, BYTES_LIT("\1\1a\5\0"), false},
        {7, BYTES_LIT("\1\2a\0\0"), false},
        {7, BYTES_LIT("\1\1a\0"), false},
        {7, BYTES_LIT("\1\1a\0\0\0"), false},
        {7, BYTES_LIT("\1\1\x80\0\0"), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) b = BUF_INIT(256);
        buf_append_bytes(&b, BYTES_LIT(MODULE));
        section(&b, cases[i].id, cases[i].payload);
        int r = scan_guarded(buf_bytes(&b), 2, &e);
        if (r != (cases[i].good ? 0 : ERR_FORMAT))
            print_message("# case %zu: %s\n", i, e.msg);
        assert_int_equal(r, cases[i].good ? 0 : ERR_FORMAT);
        /* The same in front of another section: no reading on into the neighbour. */
        SECTION(&b, 0, "\4nextnext");
        assert_int_equal(scan_guarded(buf_bytes(&b), 3, &e), cases[i].good ? 0 : ERR_FORMAT);
    }
}

/* Component model, Binary.md. */
static void component_sections(void **state)
{
    (void)state;
    const struct {
        uint8_t id;
        struct bytes payload;
        bool good;
    } cases[] = {
        {10, BYTES_LIT("\1\0\1a\1\0"), true},
        {10, BYTES_LIT("\1\3\1a\1\0"), false},
        {10, BYTES_LIT("\1\2\1a\1\0"), false},
        {10, BYTES_LIT("\1\0\1\x1b\1\0"), false},
        {10, BYTES_LIT("\1\0\1\x7f\1\0"), false},
        {10, BYTES_LIT("\1\0\1\xff\1\0"), false},
        {10, BYTES_LIT("\1\0\2a\1\0"), false},
        {10, BYTES_LIT("\1\0\1a\6\0"), false},
        {10, BYTES_LIT("\1\0\1a\0\x10\0"), false},
        {10, BYTES_LIT("\1\0\1a\0\x11"), false},
        {10, BYTES_LIT("\1\0\1a\2\2\0"), false},
        {10, BYTES_LIT("\1\0\1a\3\2"), false},
        {10, BYTES_LIT("\1\0\1a\3\0"), false},
        {10, BYTES_LIT("\1\0\1a\3\1\0"), false},
        {10, BYTES_LIT("\1\0\1a\1\0\0"), false},
        {10, BYTES_LIT("\xff\xff\xff\xff\x0f\0\1a\1\0"), false},
        {11, BYTES_LIT("\1\0\1a\1\0\0"), true},
        {11, BYTES_LIT("\1\0\1a\1\0"), false},
        {11, BYTES_LIT("\1\0\1a\1\0\2"), false},
        {11, BYTES_LIT("\1\0\1a\1\0\1"), false},
        {11, BYTES_LIT("\1\0\1a\1\0\1\1\0"), true},
        {11, BYTES_LIT("\1\0\1a\0\5\0\0"), false},
        {11, BYTES_LIT("\1\0\1a\0\x13\0\0"), false},
        {11, BYTES_LIT("\1\0\1a\0\x12\0\0"), true},
        {11, BYTES_LIT("\1\0\1a\6\0\0"), false},
        /* not theirs: what these ids hold in modules */
        {2, BYTES_LIT("\xff\xff\xff"), true},
        {7, BYTES_LIT("\xff\xff\xff"), true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) b = BUF_INIT(256);
        buf_append_bytes(&b, BYTES_LIT(COMPONENT));
        section(&b, cases[i].id, cases[i].payload);
        int r = scan_guarded(buf_bytes(&b), 2, &e);
        if (r != (cases[i].good ? 0 : ERR_FORMAT))
            print_message("# case %zu: %s\n", i, e.msg);
        assert_int_equal(r, cases[i].good ? 0 : ERR_FORMAT);
    }
}

/* Lengths of sections that lie, and numbers that are too long. */
static void lying_sizes(void **state)
{
    (void)state;
    const struct bytes bad[] = {
        BYTES_LIT(MODULE "\1"),
        BYTES_LIT(MODULE "\1\x80"),
        BYTES_LIT(MODULE "\1\x80\x80\x80\x80\x80"),
        BYTES_LIT(MODULE "\1\x80\x80\x80\x80\x80\0"),
        BYTES_LIT(MODULE "\1\xff\xff\xff\xff\x1f"),
        BYTES_LIT(MODULE "\1\xff\xff\xff\xff\x0f\0"),
        BYTES_LIT(MODULE "\1\2\0"),
        BYTES_LIT(MODULE "\1\1\0\x60"),
        BYTES_LIT(MODULE "\0\0"),
        BYTES_LIT(MODULE "\0\0\3\1\0"),
        BYTES_LIT(MODULE "\0\1\1x"),
        BYTES_LIT(MODULE "\0\2\xff\xff\xff\xff\x0f"),
    };
    struct err e = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        for (size_t step = 1; step < 20; step += 6)
            assert_int_equal(scan_guarded(bad[i], step, &e), ERR_FORMAT);
    /* A name that would fit into the section, were it not for its own length. */
    assert_int_equal(scan_guarded(BYTES_LIT(MODULE "\0\3\3ab\0\2\1x"), 1, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "longer than the section"));
    assert_int_equal(scan_guarded(BYTES_LIT(MODULE "\1\x81\x80\x80\x80\0\0"), 1, &e), 0);
    assert_int_equal(scan_guarded(BYTES_LIT(MODULE), 1, &e), 0);
}

static void limits(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) b = BUF_INIT(20U << 20);
    AUTO_DONE(buf) payload = BUF_INIT(20U << 20);
    buf_append_bytes(&b, BYTES_LIT(MODULE));
    for (unsigned i = 0; i < LIMIT_WASM_SECTIONS; i++)
        SECTION(&b, 0, "\0");
    assert_int_equal(scan_guarded(buf_bytes(&b), 4096, &e), 0);
    SECTION(&b, 0, "\0");
    assert_int_equal(scan_guarded(buf_bytes(&b), 4096, &e), ERR_LIMIT);

    for (unsigned more = 0; more < 2; more++) {
        buf_reset(&b);
        buf_reset(&payload);
        buf_append_bytes(&b, BYTES_LIT(MODULE));
        buf_append_leb32(&payload, LIMIT_WASM_IMPORTS + more);
        for (unsigned i = 0; i < LIMIT_WASM_IMPORTS + more; i++)
            buf_append_bytes(&payload, BYTES_LIT("\0\0\0\0"));
        section(&b, 2, buf_bytes(&payload));
        assert_int_equal(scan_guarded(buf_bytes(&b), 4096, &e), more ? ERR_LIMIT : 0);

        buf_reset(&b);
        buf_reset(&payload);
        buf_append_bytes(&b, BYTES_LIT(MODULE));
        buf_append_leb32(&payload, LIMIT_WASM_NAME + more);
        for (unsigned i = 0; i < LIMIT_WASM_NAME + more; i++)
            buf_append_u8(&payload, 'n');
        section(&b, 0, buf_bytes(&payload));
        assert_int_equal(scan_guarded(buf_bytes(&b), 4096, &e), more ? ERR_LIMIT : 0);
    }

    buf_reset(&b);
    buf_reset(&payload);
    buf_append_bytes(&b, BYTES_LIT(MODULE));
    while (payload.len <= LIMIT_WASM_DECODED)
        buf_append_bytes(&payload, BYTES_LIT("\0\0\0\0"));
    section(&b, 2, buf_bytes(&payload));
    assert_int_equal(scan_guarded(buf_bytes(&b), 65536, &e), ERR_LIMIT);
    b.ptr[8] = 10; /* a section that is not decoded may be as long as it likes */
    assert_int_equal(scan_guarded(buf_bytes(&b), 65536, &e), 0);
}

static int collect(void *ctx, struct bytes data, struct err *e)
{
    (void)e;
    buf_append_bytes(ctx, data);
    return 0;
}

/* `see` gets each byte once and in order, whatever was skipped, read or left. */
static void sees_everything(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) b = BUF_INIT(4096);
    small_module(&b);
    for (size_t step = 1; step < 12; step += 5) {
        AUTO_DONE(buf) seen = BUF_INIT(4096);
        AUTO_DONE(wbin_reader) r = {.chunk = NULL};
        struct drip d = {.base = {drip_read, NULL}, .rest = buf_bytes(&b), .step = step};
        assert_ok(wbin_open(&r, &d.base, &e));
        buf_append(&seen, b.ptr, WBIN_PREAMBLE);
        r.see = collect;
        r.see_ctx = &seen;
        bool more = true;
        for (unsigned i = 0; more; i++) {
            struct wbin_section s;
            assert_ok(wbin_next(&r, &s, &more, &e));
            if (!more)
                break;
            assert_int_equal(s.offset + s.header_size + (s.id ? 0 : s.name.len + 1), r.offset);
            AUTO_DONE(buf) payload = BUF_INIT(4096);
            if (i % 3 == 0)
                assert_ok(wbin_payload(&r, &payload, &e));
            if (i % 3 == 1)
                assert_ok(wbin_skip(&r, &e));
            assert_true(r.offset == seen.len);
        }
        assert_true(bytes_eq(buf_bytes(&seen), buf_bytes(&b)));
    }
}

static int refuse(void *ctx, struct bytes data, struct err *e)
{
    (void)ctx, (void)data;
    return err_set(e, ERR_POLICY, "no");
}

static void passes_failures_on(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) b = BUF_INIT(4096);
    small_module(&b);
    struct source_bytes s;
    struct wbin_section section_header;
    bool more = false;
    AUTO_DONE(wbin_reader) r = {.chunk = NULL};
    assert_ok(wbin_open(&r, source_bytes_init(&s, buf_bytes(&b)), &e));
    r.see = refuse;
    assert_fails(wbin_next(&r, &section_header, &more, &e), ERR_POLICY);

    AUTO_DONE(wbin_reader) r2 = {.chunk = NULL};
    AUTO_DONE(buf) small = BUF_INIT(2);
    assert_ok(wbin_open(&r2, source_bytes_init(&s, buf_bytes(&b)), &e));
    assert_ok(wbin_next(&r2, &section_header, &more, &e));
    assert_ok(wbin_next(&r2, &section_header, &more, &e));
    assert_int_equal(section_header.id, 1);
    assert_fails(wbin_payload(&r2, &small, &e), ERR_LIMIT);

    /* A source that fails is not a malformed module. */
    struct source_tee t;
    struct wbin_info info = {.kind = WBIN_MODULE};
    assert_fails(
        wbin_scan(source_tee_init(&t, source_bytes_init(&s, buf_bytes(&b)), refuse, NULL), &info, &e),
        ERR_POLICY);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(wbin_section_name(WBIN_MODULE, 0), "custom");
    assert_string_equal(wbin_section_name(WBIN_MODULE, 12), "data count");
    assert_string_equal(wbin_section_name(WBIN_MODULE, 13), "tag");
    assert_string_equal(wbin_section_name(WBIN_MODULE, 255), "unknown");
    assert_string_equal(wbin_section_name(WBIN_COMPONENT, 1), "core module");
    assert_string_equal(wbin_section_name(WBIN_COMPONENT, 12), "value");
    assert_string_equal(wbin_section_name(WBIN_COMPONENT, 13), "unknown");
    for (int kind = WBIN_FUNC; kind <= WBIN_CORE_OTHER; kind++)
        assert_non_null(wbin_extern_name((enum wbin_extern)kind));
}

/* What compilers make. */
static void real_guests(void **state)
{
    (void)state;
    const char *folder = getenv("GUESTS");
    DIR *d = folder ? opendir(folder) : NULL;
    if (!d)
        skip_because("GUESTS names no folder of compiled guests");
    size_t n = 0;
    for (struct dirent *entry; (entry = readdir(d));) {
        size_t len = strlen(entry->d_name);
        if (len < 5 || strcmp(entry->d_name + len - 5, ".wasm") != 0)
            continue;
        struct err e = ERR_INIT;
        AUTO_DONE(wbin_info) info = {.kind = WBIN_MODULE};
        AUTO_DONE(buf) bytes = BUF_INIT(64U << 20);
        AUTO_FD int fd = openat(dirfd(d), entry->d_name, O_RDONLY | O_CLOEXEC);
        uint8_t *to = buf_reserve(&bytes, 8U << 20);
        ssize_t got = read(fd, to, 8U << 20);
        assert_true(got > 0);
        bytes.len = (size_t)got;
        assert_ok(scan(buf_bytes(&bytes), &info, &e));
        assert_int_equal(info.kind,
                         strncmp(entry->d_name, "component-", 10) == 0 ? WBIN_COMPONENT : WBIN_MODULE);
        assert_true(info.n_sections > 0);
        n++;
    }
    (void)closedir(d);
    if (n == 0)
        skip_because("the folder GUESTS holds no guest");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(module_surface),
        cmocka_unit_test(component_surface),
        cmocka_unit_test(truncations),
        cmocka_unit_test(bit_flips),
        cmocka_unit_test(byte_swaps),
        cmocka_unit_test(order),
        cmocka_unit_test(preambles),
        cmocka_unit_test(module_sections),
        cmocka_unit_test(component_sections),
        cmocka_unit_test(lying_sizes),
        cmocka_unit_test(limits),
        cmocka_unit_test(sees_everything),
        cmocka_unit_test(passes_failures_on),
        cmocka_unit_test(names),
        cmocka_unit_test(real_guests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
