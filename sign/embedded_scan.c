/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The format hashes no byte of the preamble, so that nothing signed says whether the sections are those of a
 * module or of a component. What the sections hold decides instead: each holds something that cannot be in
 * the section of the same id of the other kind, where the other kind would have code.
 *  - A component's core module and component sections start with a preamble. A module's type section starts
 *    with a count, and a count of 0 ends it: an honest module with types never passes for a component that
 *    has code, nor a component with code for a module.
 *  - A module without types has no functions, so that its function and code sections are empty.
 *  - A component must have a section that is not custom: a module of custom sections only is no component.
 * A swapped preamble that still passes leaves a binary in which no function is defined or imported.
 */
#include "sign/embedded_scan.h"

#include <inttypes.h>

#define SIGNATURE "signature"
#define DELIMITER "signature_delimiter"

/* Section ids of modules (core specification 5.5.2) and of components (Binary.md). */
enum { TYPE = 1, FUNCTION = 3, START = 8, CODE = 10, DATA_COUNT = 12 };
enum { CORE_MODULE = 1, COMPONENT = 4 };

struct pass {
    struct sign_scan *scan;
    struct wbin_reader reader;
    struct hash_state *hash; /* of the bytes from scan->signed_at on */
    uint8_t head[WBIN_PREAMBLE];
    size_t head_len; /* first bytes of the current section's payload */
    bool has_types, has_sections;
    bool tail; /* bytes were hashed since the last delimiter */
};

/* The stream, with a memory of its own failures: they are not the binary's. */
struct watched {
    struct source base;
    struct source *inner;
    struct err failed;
};

static int watched_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct watched *w = (struct watched *)base;
    int r = source_read(w->inner, buf, cap, ret_n, e);
    if (r)
        w->failed = *e;
    return r;
}

static void pass_done(struct pass *p)
{
    wbin_reader_done(&p->reader);
    hash_free(p->hash);
}

static int see(void *ctx, struct bytes data, struct err *e)
{
    (void)e;
    struct pass *p = ctx;
    size_t room = sizeof(p->head) - p->head_len, n = data.len < room ? data.len : room;
    memcpy(p->head + p->head_len, data.ptr, n);
    p->head_len += n;
    hash_update(p->hash, data);
    return 0;
}

static int hash_restart(struct pass *p, struct err *e)
{
    hash_free(TAKE(p->hash));
    p->scan->signed_at = p->reader.offset;
    return hash_open(HASH_SHA256, &p->hash, e);
}

static void push_hash(struct pass *p)
{
    struct digest d;
    hash_final(p->hash, &d);
    if (p->scan->n_hashes < LIMIT_SIG_HASHES)
        memcpy(p->scan->hashes[p->scan->n_hashes], d.value, HASH_SHA256_LEN);
    p->scan->n_hashes++;
    p->tail = false;
}

/* The payload starts with the preamble of that kind. */
static int want_preamble(const struct pass *p, const struct wbin_section *s, enum wbin_kind want,
                         struct err *e)
{
    enum wbin_kind got;
    struct err ignored = ERR_INIT;
    if (wbin_preamble(bytes_of(p->head, p->head_len), &got, &ignored) == 0 && got == want)
        return 0;
    return err_set(e, ERR_FORMAT, "the %s section at offset %" PRIu64 " holds no %s",
                   wbin_section_name(p->scan->kind, s->id), s->offset,
                   want == WBIN_MODULE ? "module" : "component");
}

/* A module's section: one number (start, data count), or a count and as many things. */
static int check_module_section(struct pass *p, const struct wbin_section *s, struct err *e)
{
    const char *name = wbin_section_name(WBIN_MODULE, s->id);
    struct bytes head = bytes_of(p->head, p->head_len);
    uint32_t count;
    if (!bytes_take_leb32(&head, &count))
        return err_set(e, ERR_FORMAT, "the %s section at offset %" PRIu64 " does not start with a number",
                       name, s->offset);
    bool number = s->id == START || s->id == DATA_COUNT;
    if ((number || count == 0) && s->size != p->head_len - head.len)
        return err_set(e, ERR_FORMAT, "trailing bytes in the %s section at offset %" PRIu64, name, s->offset);
    if (s->id == TYPE)
        p->has_types = count > 0;
    if ((s->id == FUNCTION || s->id == CODE) && count > 0 && !p->has_types)
        return err_set(e, ERR_FORMAT, "a %s section at offset %" PRIu64 " in a module without types", name,
                       s->offset);
    return 0;
}

static int check_section(struct pass *p, const struct wbin_section *s, struct err *e)
{
    p->has_sections = true;
    if (p->scan->kind == WBIN_MODULE)
        return check_module_section(p, s, e);
    if (s->id == CORE_MODULE)
        return want_preamble(p, s, WBIN_MODULE, e);
    return s->id == COMPONENT ? want_preamble(p, s, WBIN_COMPONENT, e) : 0;
}

static int take_section(struct pass *p, const struct wbin_section *s, struct err *e)
{
    bool delimiter = s->id == 0 && bytes_eq_str(s->name, DELIMITER);
    if (s->id == 0 && bytes_eq_str(s->name, SIGNATURE)) {
        p->scan->misplaced = true;
        return err_set(e, ERR_FORMAT, "a signature section at offset %" PRIu64 "%s", s->offset,
                       p->scan->has_signature ? ", in addition to the first one"
                                              : " that is not the first section");
    }
    p->head_len = 0;
    int r = wbin_skip(&p->reader, e);
    if (r)
        return r;
    p->tail = true;
    if (delimiter)
        push_hash(p);
    return s->id == 0 ? 0 : check_section(p, s, e);
}

/* Section 0 when it is the signature section. */
static int take_signature(struct pass *p, struct err *e)
{
    int r = wbin_payload(&p->reader, &p->scan->payload, e);
    if (!r)
        r = hash_restart(p, e);
    if (!r)
        p->scan->has_signature = true;
    return r;
}

static int walk(struct pass *p, struct err *e)
{
    struct wbin_section s;
    bool more = true;
    int r = wbin_open(&p->reader, p->reader.source, e);
    if (r)
        return r;
    p->scan->kind = p->reader.kind;
    r = hash_restart(p, e);
    p->reader.see = see;
    p->reader.see_ctx = p;
    for (bool first = true; !r; first = false) {
        r = wbin_next(&p->reader, &s, &more, e);
        if (r || !more)
            break;
        if (first && s.id == 0 && bytes_eq_str(s.name, SIGNATURE))
            r = take_signature(p, e);
        else
            r = take_section(p, &s, e);
    }
    if (r)
        return r;
    if (p->scan->kind == WBIN_COMPONENT && !p->has_sections)
        return err_set(e, ERR_FORMAT, "a component without any section but custom ones");
    if (p->tail || p->scan->n_hashes == 0)
        push_hash(p);
    return 0;
}

/* What the reader of a malformed binary read ahead, and what it did not read. */
static int drain(struct pass *p, struct source *from, struct err *e)
{
    struct wbin_reader *r = &p->reader;
    AUTO_FREE uint8_t *chunk = malloc(STREAM_CHUNK);
    if (!chunk)
        return err_nomem(e);
    struct bytes data = bytes_of(r->chunk ? r->chunk + r->at : NULL, r->end - r->at);
    for (;;) {
        if (p->hash)
            hash_update(p->hash, data);
        r->offset += data.len;
        size_t n;
        int rc = source_read(from, chunk, STREAM_CHUNK, &n, e);
        if (rc || n == 0)
            return rc;
        data = bytes_of(chunk, n);
    }
}

int sign_scan_run(struct source *from, struct sign_scan *ret, struct err *e)
{
    *ret = (struct sign_scan){.payload = BUF_INIT(LIMIT_SIG_SECTION)};
    struct watched w = {.base = {.read = watched_read}, .inner = from};
    AUTO_DONE(pass) p = {.scan = ret, .reader = {.source = &w.base}};
    int r = walk(&p, &ret->broken);
    if (w.failed.code || (r && r != ERR_FORMAT && r != ERR_LIMIT)) {
        *e = w.failed.code ? w.failed : ret->broken;
        return e->code;
    }
    if (r && (r = drain(&p, &w.base, e)))
        return r;
    if (p.hash)
        hash_final(p.hash, &ret->total);
    ret->size = p.reader.offset;
    return 0;
}

void sign_scan_done(struct sign_scan *s)
{
    buf_done(&s->payload);
}

struct bytes sign_scan_hashes(const struct sign_scan *s)
{
    return s->n_hashes <= LIMIT_SIG_HASHES ? bytes_of(s->hashes, s->n_hashes * HASH_SHA256_LEN) : BYTES_NONE;
}
