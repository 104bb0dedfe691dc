/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wbin.h"

#include "base/limits.h"

#include <inttypes.h>

#define CHUNK (64U << 10)

/* Core specification 5.5.2: the names of the ids, and the order in which the sections stand. */
static const struct {
    const char *name;
    unsigned rank;
} core_sections[] = {
    {"custom", 0}, {"type", 1},   {"import", 2},      {"function", 3}, {"table", 4},
    {"memory", 5}, {"global", 7}, {"export", 8},      {"start", 9},    {"element", 10},
    {"code", 12},  {"data", 13},  {"data count", 11}, {"tag", 6},
};

/* Component model, Binary.md, "Component Definitions". */
static const char *const component_sections[] = {
    "custom", "core module", "core instance", "core type", "component", "instance", "alias",
    "type",   "canon",       "start",         "import",    "export",    "value",
};

const char *wbin_section_name(enum wbin_kind kind, uint8_t id)
{
    if (kind == WBIN_MODULE)
        return id < ARRAY_LEN(core_sections) ? core_sections[id].name : "unknown";
    return id < ARRAY_LEN(component_sections) ? component_sections[id] : "unknown";
}

int wbin_preamble(struct bytes head, enum wbin_kind *ret, struct err *e)
{
    static const uint8_t module[WBIN_PREAMBLE] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    static const uint8_t component[WBIN_PREAMBLE] = {0, 'a', 's', 'm', 0x0d, 0, 1, 0};
    if (head.len < WBIN_PREAMBLE || memcmp(head.ptr, module, 4) != 0)
        return err_set(e, ERR_FORMAT, "not a WebAssembly binary");
    if (memcmp(head.ptr, module, sizeof(module)) == 0)
        *ret = WBIN_MODULE;
    else if (memcmp(head.ptr, component, sizeof(component)) == 0)
        *ret = WBIN_COMPONENT;
    else
        return err_set(e, ERR_FORMAT, "WebAssembly binary of an unknown version (%02x %02x %02x %02x)",
                       head.ptr[4], head.ptr[5], head.ptr[6], head.ptr[7]);
    return 0;
}

/* Reads ahead when nothing is; *ret_eof when the stream has ended. */
static int fill(struct wbin_reader *r, bool *ret_eof, struct err *e)
{
    *ret_eof = false;
    if (r->at < r->end)
        return 0;
    r->at = r->end = 0;
    int rc = source_read(r->source, r->chunk, CHUNK, &r->end, e);
    *ret_eof = !rc && r->end == 0;
    return rc;
}

static int consume(struct wbin_reader *r, size_t n, struct bytes *ret, struct err *e)
{
    bool eof;
    int rc = fill(r, &eof, e);
    if (rc)
        return rc;
    if (eof)
        return err_set(e, ERR_FORMAT, "truncated at offset %" PRIu64, r->offset);
    size_t have = r->end - r->at;
    *ret = bytes_of(r->chunk + r->at, n < have ? n : have);
    r->at += ret->len;
    r->offset += ret->len;
    return r->see ? r->see(r->see_ctx, *ret, e) : 0;
}

static int take_u8(struct wbin_reader *r, uint8_t *ret, struct err *e)
{
    struct bytes one;
    int rc = consume(r, 1, &one, e);
    if (!rc)
        *ret = one.ptr[0];
    return rc;
}

/* A LEB128 number of 32 bits from the stream; ret_n: how many bytes it took. */
static int take_leb(struct wbin_reader *r, uint32_t *ret, uint32_t *ret_n, struct err *e)
{
    uint8_t raw[5];
    uint32_t n = 0;
    do {
        int rc = n < sizeof(raw) ? take_u8(r, &raw[n], e) : 0;
        if (rc)
            return rc;
    } while (n < sizeof(raw) && (raw[n++] & 0x80) != 0);
    struct bytes b = bytes_of(raw, n);
    if (!bytes_take_leb32(&b, ret))
        return err_set(e, ERR_FORMAT, "malformed LEB128 number at offset %" PRIu64, r->offset - n);
    *ret_n = n;
    return 0;
}

int wbin_open(struct wbin_reader *r, struct source *source, struct err *e)
{
    *r = (struct wbin_reader){.source = source, .name = BUF_INIT(LIMIT_WASM_NAME)};
    r->chunk = malloc(CHUNK);
    if (!r->chunk)
        return err_nomem(e);
    uint8_t head[WBIN_PREAMBLE];
    struct err ignored = ERR_INIT;
    for (size_t i = 0; i < sizeof(head); i++) {
        int rc = take_u8(r, &head[i], &ignored);
        if (rc == ERR_FORMAT)
            return err_set(e, ERR_FORMAT, "not a WebAssembly binary: only %zu bytes long", i);
        if (rc) {
            *e = ignored;
            return rc;
        }
    }
    return wbin_preamble(BYTES_ARR(head), &r->kind, e);
}

void wbin_reader_done(struct wbin_reader *r)
{
    free(TAKE(r->chunk));
    buf_done(&r->name);
}

int wbin_payload(struct wbin_reader *r, struct buf *out, struct err *e)
{
    while (r->left) {
        struct bytes part;
        int rc = consume(r, r->left, &part, e);
        if (rc)
            return rc;
        r->left -= (uint32_t)part.len;
        if (out)
            buf_append_bytes(out, part);
    }
    return out ? buf_check(out, e) : 0;
}

int wbin_skip(struct wbin_reader *r, struct err *e)
{
    return wbin_payload(r, NULL, e);
}

int wbin_read(struct wbin_reader *r, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct bytes part = BYTES_NONE;
    size_t n = cap < r->left ? cap : r->left;
    int rc = n ? consume(r, n, &part, e) : 0;
    if (rc)
        return rc;
    if (part.len)
        memcpy(buf, part.ptr, part.len);
    r->left -= (uint32_t)part.len;
    *ret_n = part.len;
    return 0;
}

static int check_id(struct wbin_reader *r, uint8_t id, struct err *e)
{
    if (++r->sections > LIMIT_WASM_SECTIONS)
        return err_set(e, ERR_LIMIT, "more than %u sections", LIMIT_WASM_SECTIONS);
    size_t known = r->kind == WBIN_MODULE ? ARRAY_LEN(core_sections) : ARRAY_LEN(component_sections);
    if (id >= known)
        return err_set(e, ERR_FORMAT, "unknown section id %u at offset %" PRIu64, id, r->offset - 1);
    if (r->kind == WBIN_COMPONENT || id == 0)
        return 0;
    if (core_sections[id].rank <= r->rank)
        return err_set(e, ERR_FORMAT, "%s section out of order at offset %" PRIu64, core_sections[id].name,
                       r->offset - 1);
    r->rank = core_sections[id].rank;
    return 0;
}

static int read_name(struct wbin_reader *r, struct wbin_section *s, struct err *e)
{
    uint32_t len, n;
    int rc = take_leb(r, &len, &n, e);
    if (rc)
        return rc;
    if (n > r->left || len > r->left - n)
        return err_set(e, ERR_FORMAT,
                       "the name of the custom section at offset %" PRIu64 " is longer than the section",
                       s->offset);
    if (len > LIMIT_WASM_NAME)
        return err_set(e, ERR_LIMIT, "a section name of %u bytes", len);
    uint32_t rest = r->left - n - len;
    r->left = len;
    buf_reset(&r->name);
    rc = wbin_payload(r, &r->name, e);
    if (rc)
        return rc;
    r->left = rest;
    s->name = buf_bytes(&r->name);
    if (!bytes_is_utf8(s->name))
        return err_set(e, ERR_FORMAT, "the name of the custom section at offset %" PRIu64 " is not UTF-8",
                       s->offset);
    return 0;
}

int wbin_next(struct wbin_reader *r, struct wbin_section *ret, bool *ret_more, struct err *e)
{
    bool eof;
    int rc = wbin_skip(r, e);
    if (!rc)
        rc = fill(r, &eof, e);
    if (rc)
        return rc;
    if (eof) {
        *ret_more = false;
        return 0;
    }
    struct wbin_section s = {.offset = r->offset, .name = BYTES_NONE};
    uint32_t n;
    rc = take_u8(r, &s.id, e);
    if (!rc)
        rc = check_id(r, s.id, e);
    if (!rc)
        rc = take_leb(r, &s.size, &n, e);
    if (rc)
        return rc;
    s.header_size = 1 + n;
    r->left = s.size;
    if (s.id == 0 && (rc = read_name(r, &s, e)))
        return rc;
    *ret = s;
    *ret_more = true;
    return 0;
}
