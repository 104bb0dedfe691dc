/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/wbin.h"

/* A list that grows by doubling. */
static int grow(void **list, size_t n, size_t size, struct err *e)
{
    if (n != 0 && (n & (n - 1)) != 0)
        return 0;
    void *more = reallocarray(*list, n ? 2 * n : 1, size);
    if (!more)
        return err_nomem(e);
    *list = more;
    return 0;
}

static int malformed(struct err *e, const char *what)
{
    return err_set(e, ERR_FORMAT, "malformed %s section", what);
}

static int add_item(struct wbin_item **list, size_t *n, struct wbin_item item, struct err *e)
{
    if (*n >= LIMIT_WASM_IMPORTS)
        return err_set(e, ERR_LIMIT, "more than %u imports or exports", LIMIT_WASM_IMPORTS);
    void *p = *list;
    int r = grow(&p, *n, sizeof(item), e);
    if (r)
        return r;
    *list = p;
    (*list)[(*n)++] = item;
    return 0;
}

static bool take_name(struct bytes *b, struct bytes *ret)
{
    uint32_t len;
    return bytes_take_leb32(b, &len) && len <= LIMIT_WASM_NAME && bytes_take(b, len, ret) &&
           bytes_is_utf8(*ret);
}

static bool skip_leb(struct bytes *b)
{
    uint32_t ignored;
    return bytes_take_leb32(b, &ignored);
}

static bool skip_s33(struct bytes *b)
{
    int64_t ignored;
    return bytes_take_sleb(b, 33, &ignored);
}

/* Core 5.3.3-5.3.5: a value or reference type is one byte (a negative number of seven bits), or 0x63 / 0x64
 * and a heap type. */
static bool skip_core_valtype(struct bytes *b)
{
    uint8_t first;
    if (!bytes_take_u8(b, &first) || first < 0x40 || first > 0x7f)
        return false;
    return (first != 0x63 && first != 0x64) || skip_s33(b);
}

/* Core 5.3.13 with threads, memory64 and custom page sizes: bit 0 maximum, 1 shared, 2 64-bit, 3 page size.
 */
static bool skip_limits(struct bytes *b)
{
    uint8_t flags;
    uint64_t ignored;
    return bytes_take_u8(b, &flags) && flags < 16 && bytes_take_leb64(b, &ignored) &&
           (!(flags & 1) || bytes_take_leb64(b, &ignored)) && (!(flags & 8) || skip_leb(b));
}

static bool skip_core_import_type(struct bytes *b, uint8_t kind)
{
    uint8_t ignored;
    switch (kind) {
    case 0: return skip_leb(b);
    case 1: return skip_core_valtype(b) && skip_limits(b);
    case 2: return skip_limits(b);
    case 3: return skip_core_valtype(b) && bytes_take_u8(b, &ignored) && ignored < 4;
    case 4: return bytes_take_u8(b, &ignored) && ignored == 0 && skip_leb(b);
    default: return false;
    }
}

static bool core_extern(uint8_t kind, enum wbin_extern *ret)
{
    static const enum wbin_extern kinds[] = {WBIN_FUNC, WBIN_TABLE, WBIN_MEMORY, WBIN_GLOBAL, WBIN_TAG};
    if (kind >= ARRAY_LEN(kinds))
        return false;
    *ret = kinds[kind];
    return true;
}

static bool module_import(struct bytes *b, struct wbin_item *ret)
{
    uint8_t kind;
    return take_name(b, &ret->module) && take_name(b, &ret->name) && bytes_take_u8(b, &kind) &&
           core_extern(kind, &ret->kind) && skip_core_import_type(b, kind);
}

static bool module_export(struct bytes *b, struct wbin_item *ret)
{
    uint8_t kind;
    return take_name(b, &ret->name) && bytes_take_u8(b, &kind) && core_extern(kind, &ret->kind) &&
           skip_leb(b);
}

/* Names of components are printed, compared and put into configs: no control characters (the grammar has
 * none). */
static bool take_component_name(struct bytes *b, struct bytes *ret)
{
    uint8_t form;
    struct bytes suffix;
    if (!bytes_take_u8(b, &form) || form > 2 || !take_name(b, ret))
        return false;
    for (size_t i = 0; i < ret->len; i++)
        if (ret->ptr[i] < 0x20 || ret->ptr[i] == 0x7f)
            return false;
    return form != 2 || take_name(b, &suffix);
}

/* Binary.md, "externdesc". */
static bool take_externdesc(struct bytes *b, enum wbin_extern *ret)
{
    static const enum wbin_extern kinds[] = {WBIN_CORE_MODULE,      WBIN_FUNC,    WBIN_VALUE, WBIN_TYPE,
                                             WBIN_COMPONENT_EXTERN, WBIN_INSTANCE};
    uint8_t sort, bound;
    if (!bytes_take_u8(b, &sort) || sort >= ARRAY_LEN(kinds))
        return false;
    *ret = kinds[sort];
    switch (sort) {
    case 0: return bytes_take_u8(b, &bound) && bound == 0x11 && skip_leb(b);
    case 2: return bytes_take_u8(b, &bound) && bound < 2 && (bound == 0 ? skip_leb(b) : skip_s33(b));
    case 3: return bytes_take_u8(b, &bound) && bound < 2 && (bound == 1 || skip_leb(b));
    default: return skip_leb(b);
    }
}

static bool component_import(struct bytes *b, struct wbin_item *ret)
{
    return take_component_name(b, &ret->name) && take_externdesc(b, &ret->kind);
}

/* Binary.md, "sort": 0x00 takes a core sort behind it. */
static bool take_sort(struct bytes *b, enum wbin_extern *ret)
{
    static const enum wbin_extern kinds[] = {WBIN_CORE_OTHER,       WBIN_FUNC,    WBIN_VALUE, WBIN_TYPE,
                                             WBIN_COMPONENT_EXTERN, WBIN_INSTANCE};
    uint8_t sort, core;
    if (!bytes_take_u8(b, &sort) || sort >= ARRAY_LEN(kinds))
        return false;
    *ret = kinds[sort];
    if (sort != 0)
        return true;
    if (!bytes_take_u8(b, &core) || !(core <= 4 || (core >= 0x10 && core <= 0x12)))
        return false;
    if (core == 0x11)
        *ret = WBIN_CORE_MODULE;
    return true;
}

static bool component_export(struct bytes *b, struct wbin_item *ret)
{
    uint8_t typed;
    enum wbin_extern ignored;
    return take_component_name(b, &ret->name) && take_sort(b, &ret->kind) && skip_leb(b) &&
           bytes_take_u8(b, &typed) && typed < 2 && (typed == 0 || take_externdesc(b, &ignored));
}

static int decode(struct bytes payload, bool (*one)(struct bytes *b, struct wbin_item *ret), const char *what,
                  struct wbin_item **list, size_t *n, struct err *e)
{
    uint32_t count;
    if (!bytes_take_leb32(&payload, &count))
        return malformed(e, what);
    for (uint32_t i = 0; i < count; i++) {
        struct wbin_item item = {.module = BYTES_NONE, .name = BYTES_NONE};
        if (!one(&payload, &item))
            return malformed(e, what);
        int r = add_item(list, n, item, e);
        if (r)
            return r;
    }
    return payload.len ? malformed(e, what) : 0;
}

int wbin_imports(enum wbin_kind kind, struct bytes payload, struct wbin_info *to, struct err *e)
{
    return decode(payload, kind == WBIN_MODULE ? module_import : component_import, "import", &to->imports,
                  &to->n_imports, e);
}

int wbin_exports(enum wbin_kind kind, struct bytes payload, struct wbin_info *to, struct err *e)
{
    return decode(payload, kind == WBIN_MODULE ? module_export : component_export, "export", &to->exports,
                  &to->n_exports, e);
}

const char *wbin_extern_name(enum wbin_extern kind)
{
    static const char *const names[] = {
        [WBIN_FUNC] = "func",
        [WBIN_TABLE] = "table",
        [WBIN_MEMORY] = "memory",
        [WBIN_GLOBAL] = "global",
        [WBIN_TAG] = "tag",
        [WBIN_CORE_MODULE] = "core module",
        [WBIN_VALUE] = "value",
        [WBIN_TYPE] = "type",
        [WBIN_COMPONENT_EXTERN] = "component",
        [WBIN_INSTANCE] = "instance",
        [WBIN_CORE_OTHER] = "core item",
    };
    return names[kind];
}

/* Memory that lives as long as the info: a chain of blocks. */
struct block {
    struct block *next;
    uint8_t data[];
};

static int keep(struct wbin_info *info, struct bytes *b, struct err *e)
{
    info->memory_size += b->len;
    if (info->memory_size > LIMIT_WASM_DECODED)
        return err_set(e, ERR_LIMIT, "more than %u bytes of names", LIMIT_WASM_DECODED);
    struct block *block = malloc(sizeof(*block) + b->len);
    if (!block)
        return err_nomem(e);
    block->next = info->memory;
    info->memory = block;
    if (b->len)
        memcpy(block->data, b->ptr, b->len);
    b->ptr = block->data;
    return 0;
}

void wbin_info_done(struct wbin_info *info)
{
    for (struct block *b = info->memory, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(info->sections);
    free(info->imports);
    free(info->exports);
    *info = (struct wbin_info){.kind = WBIN_MODULE};
}

static int add_section(struct wbin_info *info, struct wbin_section s, struct err *e)
{
    void *p = info->sections;
    int r = grow(&p, info->n_sections, sizeof(s), e);
    if (r)
        return r;
    info->sections = p;
    if (s.name.len && (r = keep(info, &s.name, e)))
        return r;
    info->sections[info->n_sections++] = s;
    return 0;
}

static int scan_section(struct wbin_reader *r, const struct wbin_section *s, struct wbin_info *info,
                        struct err *e)
{
    bool module = r->kind == WBIN_MODULE;
    bool imports = s->id == (module ? 2 : 10), exports = s->id == (module ? 7 : 11);
    if (!imports && !exports)
        return 0;
    AUTO_DONE(buf) payload = BUF_INIT(LIMIT_WASM_DECODED);
    int rc = wbin_payload(r, &payload, e);
    struct bytes kept = buf_bytes(&payload);
    if (!rc)
        rc = keep(info, &kept, e);
    if (!rc)
        rc = imports ? wbin_imports(r->kind, kept, info, e) : wbin_exports(r->kind, kept, info, e);
    return rc;
}

int wbin_scan(struct source *source, struct wbin_info *ret, struct err *e)
{
    AUTO_DONE(wbin_info) info = {.kind = WBIN_MODULE};
    AUTO_DONE(wbin_reader) r = {.chunk = NULL};
    int rc = wbin_open(&r, source, e);
    for (bool more = true; !rc && more;) {
        struct wbin_section s;
        rc = wbin_next(&r, &s, &more, e);
        if (!rc && more)
            rc = add_section(&info, s, e);
        if (!rc && more)
            rc = scan_section(&r, &s, &info, e);
    }
    if (rc)
        return rc;
    info.kind = r.kind;
    info.size = r.offset;
    *ret = info;
    info = (struct wbin_info){.kind = WBIN_MODULE};
    return 0;
}
