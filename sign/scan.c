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
#include "sign/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SIGNATURE "signature"
#define DELIMITER "signature_delimiter"

/* Section ids of modules (core specification 5.5.2) and of components (Binary.md). */
enum { TYPE = 1, FUNCTION = 3, START = 8, CODE = 10, DATA_COUNT = 12 };
enum { CORE_MODULE = 1, COMPONENT = 4 };

struct pass {
    struct sign_scan *scan;
    struct wbin_reader reader;
    struct hash_state *hash;    /* of the bytes from scan->signed_at on, or NULL */
    struct hash_state *section; /* of the bytes of the current section, or NULL */
    uint8_t head[WBIN_PREAMBLE];
    size_t head_len; /* first bytes of the current section's payload */
    bool has_types, has_sections;
    bool tail; /* bytes were hashed since the last delimiter */
};

/* The stream, with a memory of its own failures: they are not the binary's. */
struct watched {
    struct source base;
    struct source *inner;
    struct hash_state *hash; /* of all bytes */
    struct err failed;
};

static int watched_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct watched *w = (struct watched *)base;
    int r = source_read(w->inner, buf, cap, ret_n, e);
    if (r)
        w->failed = *e;
    else
        hash_update(w->hash, bytes_of(buf, *ret_n));
    return r;
}

static void pass_done(struct pass *p)
{
    wbin_reader_done(&p->reader);
    hash_free(p->hash);
    hash_free(p->section);
}

static int see(void *ctx, struct bytes data, struct err *e)
{
    (void)e;
    struct pass *p = ctx;
    size_t room = sizeof(p->head) - p->head_len, n = data.len < room ? data.len : room;
    memcpy(p->head + p->head_len, data.ptr, n);
    p->head_len += n;
    if (p->hash)
        hash_update(p->hash, data);
    if (p->section)
        hash_update(p->section, data);
    return 0;
}

/* What is signed starts here. */
static int hash_restart(struct pass *p, struct err *e)
{
    hash_free(TAKE(p->hash));
    p->scan->signed_at = p->reader.offset;
    return hash_open(HASH_SHA256, &p->hash, e);
}

static void push_hash(struct pass *p)
{
    struct digest d;
    if (!p->hash)
        return;
    hash_final(p->hash, &d);
    if (p->scan->n_hashes < LIMIT_SIG_HASHES)
        memcpy(p->scan->hashes[p->scan->n_hashes], d.value, HASH_SHA256_LEN);
    p->scan->n_hashes++;
    p->tail = false;
}

bool sign_name_is_claims(struct bytes name)
{
    return bytes_eq_str(name, "wasmcloud_jwt") || bytes_eq_str(name, "jwt");
}

static enum sign_role role_of(const struct wbin_section *s)
{
    if (s->id != 0)
        return SIGN_ROLE_CONTENT;
    if (bytes_eq_str(s->name, SIGNATURE))
        return SIGN_ROLE_SIGNATURE;
    if (bytes_eq_str(s->name, DELIMITER))
        return SIGN_ROLE_DELIMITER;
    return sign_name_is_claims(s->name) ? SIGN_ROLE_CLAIMS : SIGN_ROLE_CONTENT;
}

/* One more row of the table. */
static int add_row(struct pass *p, const struct wbin_section *s, struct err *e)
{
    struct sign_scan *scan = p->scan;
    if (scan->n_sections == scan->room) {
        size_t room = scan->room ? 2 * scan->room : 32;
        struct sign_section *more = reallocarray(scan->sections, room, sizeof(*more));
        if (!more)
            return err_nomem(e);
        scan->sections = more;
        scan->room = room;
    }
    struct sign_section *row = &scan->sections[scan->n_sections];
    *row = (struct sign_section){.id = s->id,
                                 .role = role_of(s),
                                 .offset = s->offset,
                                 .header_size = s->header_size,
                                 .size = s->size,
                                 .name_at = (uint32_t)scan->names.len,
                                 .name_len = (uint32_t)s->name.len};
    if (scan->n_sections)
        row->part = row[-1].part + (row[-1].role == SIGN_ROLE_DELIMITER);
    buf_append_bytes(&scan->names, s->name);
    scan->n_sections++;
    return buf_check(&scan->names, e);
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

/* The payload of the first section of claims. */
static int take_claims(struct pass *p, const struct sign_section *row, struct err *e)
{
    struct sign_scan *scan = p->scan;
    if (scan->n_claims++)
        return 0;
    scan->claims_at = scan->n_sections - 1;
    scan->claims_too_big = row->size > LIMIT_CLAIMS;
    return scan->claims_too_big ? 0 : wbin_payload(&p->reader, &scan->claims, e);
}

static int take_section(struct pass *p, const struct wbin_section *s, const struct sign_section *row,
                        struct err *e)
{
    if (row->role == SIGN_ROLE_SIGNATURE) {
        p->scan->misplaced = true;
        return err_set(e, ERR_FORMAT, "a signature section at offset %" PRIu64 "%s", s->offset,
                       p->scan->flags & SIGN_SCAN_DETACHED ? ", where the signature is to stand elsewhere"
                       : p->scan->has_signature            ? ", in addition to the first one"
                                                           : " that is not the first section");
    }
    p->head_len = 0;
    int r = row->role == SIGN_ROLE_CLAIMS ? take_claims(p, row, e) : 0;
    if (!r)
        r = wbin_skip(&p->reader, e);
    if (r)
        return r;
    p->tail = true;
    if (row->role == SIGN_ROLE_DELIMITER)
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

static int take(struct pass *p, const struct wbin_section *s, struct err *e)
{
    struct sign_scan *scan = p->scan;
    int r = add_row(p, s, e);
    if (r)
        return r;
    const struct sign_section *row = &scan->sections[scan->n_sections - 1];
    bool first = scan->n_sections == 1 && !(scan->flags & SIGN_SCAN_DETACHED);
    return first && row->role == SIGN_ROLE_SIGNATURE ? take_signature(p, e) : take_section(p, s, row, e);
}

/* Around each section: its own hash. */
static int section_begin(struct pass *p, struct err *e)
{
    return p->scan->flags & SIGN_SCAN_SECTIONS ? hash_open(HASH_SHA256, &p->section, e) : 0;
}

static void section_end(struct pass *p)
{
    struct digest d;
    if (!p->section)
        return;
    hash_final(p->section, &d);
    memcpy(p->scan->sections[p->scan->n_sections - 1].sha256, d.value, HASH_SHA256_LEN);
    hash_free(TAKE(p->section));
}

static int walk(struct pass *p, struct source *from, struct err *e)
{
    struct wbin_section s;
    bool more = true;
    int r = wbin_open(&p->reader, from, e);
    if (r)
        return r;
    p->scan->kind = p->reader.kind;
    if (p->scan->flags & (SIGN_SCAN_SIGNED | SIGN_SCAN_DETACHED))
        r = hash_restart(p, e);
    p->reader.see = see;
    p->reader.see_ctx = p;
    while (!r) {
        r = section_begin(p, e);
        if (!r)
            r = wbin_next(&p->reader, &s, &more, e);
        if (r || !more)
            break;
        r = take(p, &s, e);
        if (!r)
            section_end(p);
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

static int run(struct source *from, struct sign_scan *ret, struct err *e)
{
    AUTO(hash_state) file = NULL;
    AUTO_DONE(pass) p = {.scan = ret};
    int r = hash_open(HASH_SHA256, &file, e);
    if (r)
        return r;
    struct watched w = {.base = {.read = watched_read}, .inner = from, .hash = file};
    r = walk(&p, &w.base, &ret->broken);
    if (w.failed.code || (r && r != ERR_FORMAT && r != ERR_LIMIT)) {
        *e = w.failed.code ? w.failed : ret->broken;
        return e->code;
    }
    if (r && (r = drain(&p, &w.base, e)))
        return r;
    hash_final(file, &ret->file);
    if (p.hash)
        hash_final(p.hash, &ret->total);
    ret->size = p.reader.offset;
    return 0;
}

int sign_scan_run(const struct source_opener *from, unsigned flags, struct sign_scan *ret, struct err *e)
{
    struct source *in;
    *ret = (struct sign_scan){.from = from,
                              .flags = flags,
                              .names = BUF_INIT(LIMIT_WASM_DECODED),
                              .payload = BUF_INIT(LIMIT_SIG_SECTION),
                              .claims = BUF_INIT(LIMIT_CLAIMS)};
    int r = from->open(from->ctx, &in, e);
    if (r)
        return r;
    r = run(in, ret, e);
    source_close(in);
    return r;
}

void sign_scan_done(struct sign_scan *s)
{
    free(TAKE(s->sections));
    buf_done(&s->names);
    buf_done(&s->payload);
    buf_done(&s->claims);
}

struct bytes sign_scan_hashes(const struct sign_scan *s)
{
    return s->n_hashes <= LIMIT_SIG_HASHES ? bytes_of(s->hashes, s->n_hashes * HASH_SHA256_LEN) : BYTES_NONE;
}

struct bytes sign_section_name(const struct sign_scan *s, size_t i)
{
    return bytes_of(s->names.ptr ? s->names.ptr + s->sections[i].name_at : NULL, s->sections[i].name_len);
}

char *sign_scan_cover(struct sign_scan *s, size_t first, size_t end, size_t but, char *out, size_t size)
{
    for (size_t i = first; i < end; i++)
        s->sections[i].covered = s->sections[i].covered || i != but;
    if (but == first)
        first++;
    if (but + 1 == end)
        end--;
    if (first >= end)
        (void)snprintf(out, size, "no section");
    else if (first + 1 == end)
        (void)snprintf(out, size, "section %zu", first);
    else if (but > first && but < end)
        (void)snprintf(out, size, "sections %zu-%zu but %zu", first, end - 1, but);
    else
        (void)snprintf(out, size, "sections %zu-%zu", first, end - 1);
    return out;
}

size_t sign_scan_part_end(const struct sign_scan *s, size_t part)
{
    size_t end = 0;
    while (end < s->n_sections && s->sections[end].part <= part)
        end++;
    return end;
}
