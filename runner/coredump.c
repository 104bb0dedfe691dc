/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/coredump.h"

/* Of all sections but that of the data. */
#define SECTION_MAX (64U << 20)
/* What is looked at for bytes that are not zero; engines take no more than 100,000 segments. */
#define BLOCK_FINE   4096U
#define BLOCK_COARSE 65536U
#define FINE_UP_TO   (256U << 20)
/* Segments are written in parts, and a section's length is known before. */
#define HEADER_MAX 64U

enum { SECTION_CUSTOM = 0, SECTION_MEMORY = 5, SECTION_GLOBAL = 6, SECTION_DATA = 11 };
enum { I32_CONST = 0x41, I64_CONST = 0x42, F32_CONST = 0x43, F64_CONST = 0x44, END = 0x0b };
enum { NAMES_OF_MEMORIES = 6, NAMES_OF_GLOBALS = 7 };

static void append_leb64(struct buf *out, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        buf_append_u8(out, (uint8_t)(v | 0x80));
    buf_append_u8(out, (uint8_t)v);
}

static void append_sleb(struct buf *out, int64_t v)
{
    for (; v < -64 || v > 63; v = v < 0 ? ~(~v >> 7) : v >> 7)
        buf_append_u8(out, (uint8_t)((uint64_t)v | 0x80));
    buf_append_u8(out, (uint8_t)((uint64_t)v & 0x7f));
}

static void append_le(struct buf *out, unsigned n, uint64_t v)
{
    for (unsigned i = 0; i < n; i++)
        buf_append_u8(out, (uint8_t)(v >> (8 * i)));
}

static void append_name(struct buf *out, struct bytes name)
{
    buf_append_leb32(out, (uint32_t)name.len);
    buf_append_bytes(out, name);
}

static int put(const struct buf *what, struct sink *to, struct err *e)
{
    int r = buf_check(what, e);
    return r != 0 ? r : sink_write(to, buf_bytes(what), e);
}

/* custom: the name of a custom section, else NULL. */
static int put_section(uint8_t id, const char *custom, const struct buf *content, struct sink *to,
                       struct err *e)
{
    AUTO_DONE(buf) head = BUF_INIT(HEADER_MAX);
    AUTO_DONE(buf) name = BUF_INIT(HEADER_MAX);
    if (custom)
        append_name(&name, bytes_str(custom));
    buf_append_u8(&head, id);
    buf_append_leb32(&head, (uint32_t)(name.len + content->len));
    buf_append_bytes(&head, buf_bytes(&name));
    int r = put(&head, to, e);
    return r != 0 ? r : put(content, to, e);
}

static int put_process(const struct runner_coredump *d, struct sink *to, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(SECTION_MAX);
    buf_append_u8(&out, 0);
    append_name(&out, d->process);
    return put_section(SECTION_CUSTOM, "core", &out, to, e);
}

static int put_modules(const struct runner_coredump *d, struct sink *to, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(SECTION_MAX);
    buf_append_leb32(&out, (uint32_t)d->n_modules);
    for (size_t i = 0; i < d->n_modules; i++) {
        buf_append_u8(&out, 0);
        append_name(&out, d->modules[i]);
    }
    return put_section(SECTION_CUSTOM, "coremodules", &out, to, e);
}

static int put_instances(const struct runner_coredump *d, struct sink *to, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(SECTION_MAX);
    buf_append_leb32(&out, (uint32_t)d->n_modules);
    for (size_t i = 0; i < d->n_modules; i++) {
        const size_t n_memories = i == 0 ? d->n_memories : 0;
        buf_append_u8(&out, 0);
        buf_append_leb32(&out, (uint32_t)i);
        buf_append_leb32(&out, (uint32_t)n_memories);
        for (size_t m = 0; m < n_memories; m++)
            buf_append_leb32(&out, (uint32_t)m);
        buf_append_leb32(&out, 0);
    }
    return put_section(SECTION_CUSTOM, "coreinstances", &out, to, e);
}

static int put_stack(const struct runner_coredump *d, struct sink *to, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(SECTION_MAX);
    buf_append_u8(&out, 0);
    append_name(&out, BYTES_LIT("main"));
    buf_append_leb32(&out, (uint32_t)d->n_frames);
    for (size_t i = 0; i < d->n_frames; i++) {
        const struct runner_coredump_frame *f = &d->frames[i];
        buf_append_u8(&out, 0);
        buf_append_leb32(&out, f->instance);
        buf_append_leb32(&out, f->func);
        buf_append_leb32(&out, f->offset);
        buf_append_leb32(&out, 0); /* locals */
        buf_append_leb32(&out, 0); /* operands */
    }
    return put_section(SECTION_CUSTOM, "corestack", &out, to, e);
}

static int put_memories(const struct runner_coredump *d, struct sink *to, struct err *e)
{
    enum { MAX = 1, IS_64 = 4, PAGE_SIZE = 8, USUAL = 16 };
    AUTO_DONE(buf) out = BUF_INIT(SECTION_MAX);
    if (d->n_memories == 0)
        return 0;
    buf_append_leb32(&out, (uint32_t)d->n_memories);
    for (size_t i = 0; i < d->n_memories; i++) {
        const struct runner_coredump_memory *m = &d->memories[i];
        const bool custom = m->page_log2 != USUAL;
        buf_append_u8(&out,
                      (uint8_t)((m->has_max ? MAX : 0) | (m->is_64 ? IS_64 : 0) | (custom ? PAGE_SIZE : 0)));
        append_leb64(&out, m->size >> m->page_log2);
        if (m->has_max)
            append_leb64(&out, m->max);
        if (custom)
            buf_append_leb32(&out, m->page_log2);
    }
    return put_section(SECTION_MEMORY, NULL, &out, to, e);
}

static void append_global(struct buf *out, const struct runner_coredump_global *g)
{
    buf_append_u8(out, g->type);
    buf_append_u8(out, 0); /* not mutable */
    if (g->type == COREDUMP_I32 || g->type == COREDUMP_I64) {
        const bool is_64 = g->type == COREDUMP_I64;
        buf_append_u8(out, is_64 ? I64_CONST : I32_CONST);
        append_sleb(out, is_64 ? (int64_t)g->bits : (int32_t)(uint32_t)g->bits);
    } else {
        const bool is_64 = g->type == COREDUMP_F64;
        buf_append_u8(out, is_64 ? F64_CONST : F32_CONST);
        append_le(out, is_64 ? 8 : 4, g->bits);
    }
    buf_append_u8(out, END);
}

static int put_globals(const struct runner_coredump *d, struct sink *to, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(SECTION_MAX);
    if (d->n_globals == 0)
        return 0;
    buf_append_leb32(&out, (uint32_t)d->n_globals);
    for (size_t i = 0; i < d->n_globals; i++)
        append_global(&out, &d->globals[i]);
    return put_section(SECTION_GLOBAL, NULL, &out, to, e);
}

static uint32_t block_size(const struct runner_coredump *d)
{
    uint64_t all = 0;
    for (size_t i = 0; i < d->n_memories; i++)
        all += d->memories[i].size;
    return all <= FINE_UP_TO ? BLOCK_FINE : BLOCK_COARSE;
}

static bool is_zero(const uint8_t *p, uint64_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, (size_t)n - 1) == 0);
}

/* The next stretch of blocks with something in them, from *at on; false: there is none. */
static bool next_stretch(const struct runner_coredump_memory *m, uint32_t block, uint64_t *at,
                         struct bytes *ret)
{
    uint64_t from = *at;
    while (from < m->size && is_zero(m->ptr + from, m->size - from < block ? m->size - from : block))
        from += block;
    if (from >= m->size)
        return false;
    uint64_t to = from;
    while (to < m->size && !is_zero(m->ptr + to, m->size - to < block ? m->size - to : block))
        to += block;
    *at = to < m->size ? to : m->size;
    *ret = bytes_of(m->ptr + from, (size_t)(*at - from));
    return true;
}

static void append_segment_head(struct buf *out, const struct runner_coredump *d, size_t memory,
                                struct bytes data)
{
    const struct runner_coredump_memory *m = &d->memories[memory];
    const uint64_t offset = (uint64_t)(data.ptr - m->ptr);
    buf_append_u8(out, memory == 0 ? 0 : 2);
    if (memory > 0)
        buf_append_leb32(out, (uint32_t)memory);
    buf_append_u8(out, m->is_64 ? I64_CONST : I32_CONST);
    append_sleb(out, m->is_64 ? (int64_t)offset : (int32_t)(uint32_t)offset);
    buf_append_u8(out, END);
    append_leb64(out, data.len);
}

/* How many segments there are and how many bytes they take, or (to not NULL) the segments themselves. */
static int each_segment(const struct runner_coredump *d, uint64_t *ret_n, uint64_t *ret_size, struct sink *to,
                        struct err *e)
{
    AUTO_DONE(buf) head = BUF_INIT(HEADER_MAX);
    const uint32_t block = block_size(d);
    struct bytes data;
    *ret_n = *ret_size = 0;
    for (size_t i = 0; i < d->n_memories; i++) {
        for (uint64_t at = 0; next_stretch(&d->memories[i], block, &at, &data);) {
            buf_reset(&head);
            append_segment_head(&head, d, i, data);
            *ret_n += 1;
            *ret_size += head.len + data.len;
            int r = to ? put(&head, to, e) : buf_check(&head, e);
            if (r == 0 && to)
                r = sink_write(to, data, e);
            if (r != 0)
                return r;
        }
    }
    return 0;
}

static int put_data(const struct runner_coredump *d, struct sink *to, struct err *e)
{
    AUTO_DONE(buf) head = BUF_INIT(HEADER_MAX);
    AUTO_DONE(buf) count = BUF_INIT(HEADER_MAX);
    uint64_t n, size;
    int r = each_segment(d, &n, &size, NULL, e);
    if (r != 0 || n == 0)
        return r;
    append_leb64(&count, n);
    if (size + count.len > UINT32_MAX)
        return err_set(e, ERR_LIMIT, "the guest's memory holds more than fits into a core dump (4 GiB)");
    buf_append_u8(&head, SECTION_DATA);
    append_leb64(&head, size + count.len);
    buf_append_bytes(&head, buf_bytes(&count));
    r = put(&head, to, e);
    return r != 0 ? r : each_segment(d, &n, &size, to, e);
}

static void append_subsection(struct buf *out, uint8_t id, const struct buf *content)
{
    buf_append_u8(out, id);
    buf_append_leb32(out, (uint32_t)content->len);
    buf_append_bytes(out, buf_bytes(content));
}

/* The section "name" (WebAssembly core specification, appendix 7.4.1, with the subsections that the extended
 * name section adds). */
static int put_names(const struct runner_coredump *d, struct sink *to, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(SECTION_MAX);
    AUTO_DONE(buf) memories = BUF_INIT(SECTION_MAX);
    AUTO_DONE(buf) globals = BUF_INIT(SECTION_MAX);
    buf_append_leb32(&memories, (uint32_t)d->n_memories);
    for (size_t i = 0; i < d->n_memories; i++) {
        buf_append_leb32(&memories, (uint32_t)i);
        append_name(&memories, d->memories[i].name);
    }
    buf_append_leb32(&globals, (uint32_t)d->n_globals);
    for (size_t i = 0; i < d->n_globals; i++) {
        buf_append_leb32(&globals, (uint32_t)i);
        append_name(&globals, d->globals[i].name);
    }
    if (d->n_memories > 0)
        append_subsection(&out, NAMES_OF_MEMORIES, &memories);
    if (d->n_globals > 0)
        append_subsection(&out, NAMES_OF_GLOBALS, &globals);
    int r = buf_check(&memories, e);
    if (r == 0)
        r = buf_check(&globals, e);
    if (r != 0 || out.len == 0)
        return r;
    return put_section(SECTION_CUSTOM, "name", &out, to, e);
}

int runner_coredump_write(const struct runner_coredump *d, struct sink *to, struct err *e)
{
    static const uint8_t preamble[] = {0x00, 'a', 's', 'm', 0x01, 0x00, 0x00, 0x00};
    static int (*const parts[])(const struct runner_coredump *, struct sink *, struct err *) = {
        put_process, put_modules, put_instances, put_stack, put_memories, put_globals, put_data, put_names};
    int r = sink_write(to, BYTES_ARR(preamble), e);
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++)
        r = parts[i](d, to, e);
    return r;
}
