/* SPDX-License-Identifier: Apache-2.0 */
/* A length stands before what it is the length of, and that of a module inside changes with what is left out
 * of it. So a component is walked twice by the same code: to learn the sizes, and to hash. */
#include "sign/claims_hash.h"

#include <stdlib.h>

/* Section ids of components that hold a binary (Binary.md). */
enum { CORE_MODULE = 1, COMPONENT = 4 };

/* The sizes that the sections with a binary in them will have, in the order of the file. */
struct sizes {
    uint32_t *at;
    size_t n, room, next;
};

struct walk {
    struct sizes *sizes;
    struct hash_state *hash; /* NULL in the walk that learns the sizes */
    unsigned depth;
    bool before_signature; /* leave out the first section at the top, an embedded signature */
};

static void sizes_done(struct sizes *s)
{
    free(s->at);
}

static int sizes_reserve(struct sizes *s, size_t *ret_i, struct err *e)
{
    if (s->n == LIMIT_WASM_SECTIONS)
        return err_set(e, ERR_LIMIT, "more than %u modules inside", LIMIT_WASM_SECTIONS);
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 16;
        uint32_t *more = reallocarray(s->at, room, sizeof(*more));
        if (!more)
            return err_nomem(e);
        s->at = more;
        s->room = room;
    }
    s->at[s->n] = 0;
    *ret_i = s->n++;
    return 0;
}

static int gather(void *ctx, struct bytes data, struct err *e)
{
    (void)e;
    buf_append_bytes(ctx, data); /* a failure shows at buf_check */
    return 0;
}

/* The payload of the current section as a stream. */
struct inner {
    struct source base;
    struct wbin_reader *reader;
};

static int inner_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    return wbin_read(((struct inner *)base)->reader, buf, cap, ret_n, e);
}

static void put(struct walk *w, struct bytes data, uint64_t *size)
{
    *size += data.len;
    if (w->hash)
        hash_update(w->hash, data);
}

static void put_head(struct walk *w, uint8_t id, uint32_t len, uint64_t *size)
{
    uint8_t head[6] = {id};
    size_t n = leb32_write(head + 1, len);
    put(w, bytes_of(head, 1 + n), size);
}

static int binary(struct walk *w, struct source *from, uint64_t *ret_size, struct err *e);

/* A section that holds a binary. */
static int nested(struct walk *w, struct wbin_reader *r, uint8_t id, uint64_t *size, struct err *e)
{
    struct inner in = {.base = {.read = inner_read}, .reader = r};
    struct walk deeper = {.sizes = w->sizes, .hash = w->hash, .depth = w->depth + 1};
    uint64_t inside = 0;
    size_t i = 0;
    int rc = 0;
    if (deeper.depth > LIMIT_WASM_NESTING)
        return err_set(e, ERR_LIMIT, "binaries more than %u deep inside one another", LIMIT_WASM_NESTING);
    if (!w->hash)
        rc = sizes_reserve(w->sizes, &i, e);
    else if (w->sizes->next == w->sizes->n)
        rc = err_set(e, ERR_IO, "the file changed while it was read");
    else
        put_head(w, id, w->sizes->at[w->sizes->next++], size);
    if (!rc)
        rc = binary(&deeper, &in.base, &inside, e);
    if (rc)
        return rc;
    *size += inside;
    if (!w->hash) {
        w->sizes->at[i] = (uint32_t)inside; /* never more than the section has */
        put_head(w, id, (uint32_t)inside, size);
    }
    return 0;
}

/* A section as it is, but for its length; front: the first bytes of its payload. */
static int plain(struct walk *w, struct wbin_reader *r, const struct wbin_section *s, struct bytes front,
                 uint64_t *size, struct err *e)
{
    uint8_t part[4096];
    size_t n = 1;
    int rc = 0;
    put_head(w, s->id, s->size, size);
    put(w, front, size);
    while (!rc && n) {
        rc = wbin_read(r, part, sizeof(part), &n, e);
        if (!rc)
            put(w, bytes_of(part, n), size);
    }
    return rc;
}

static int section(struct walk *w, struct wbin_reader *r, const struct wbin_section *s, struct bytes seen,
                   uint64_t *size, struct err *e)
{
    bool signature = w->before_signature && w->depth == 0 && s->offset == WBIN_PREAMBLE;
    if (signature || (s->id == 0 && sign_name_is_claims(s->name)))
        return wbin_skip(r, e);
    if (r->kind == WBIN_COMPONENT && (s->id == CORE_MODULE || s->id == COMPONENT))
        return nested(w, r, s->id, size, e);
    return plain(w, r, s, bytes_of(seen.ptr + s->header_size, seen.len - s->header_size), size, e);
}

static int sections(struct walk *w, struct wbin_reader *r, uint64_t *size, struct err *e)
{
    AUTO_DONE(buf) seen = BUF_INIT(LIMIT_WASM_NAME + 64);
    for (;;) {
        struct wbin_section s;
        bool more;
        buf_reset(&seen);
        r->see = gather;
        r->see_ctx = &seen;
        int rc = wbin_next(r, &s, &more, e);
        if (rc || !more)
            return rc;
        r->see = NULL;
        if ((rc = buf_check(&seen, e)) || (rc = section(w, r, &s, buf_bytes(&seen), size, e)))
            return rc;
    }
}

static int binary(struct walk *w, struct source *from, uint64_t *ret_size, struct err *e)
{
    static const uint8_t preamble[][WBIN_PREAMBLE] = {
        [WBIN_MODULE] = {0, 'a', 's', 'm', 1, 0, 0, 0},
        [WBIN_COMPONENT] = {0, 'a', 's', 'm', 0x0d, 0, 1, 0},
    };
    AUTO_DONE(wbin_reader) r = {.source = from};
    int rc = wbin_open(&r, from, e);
    if (rc)
        return rc;
    put(w, BYTES_ARR(preamble[r.kind]), ret_size);
    return sections(w, &r, ret_size, e);
}

static int pass(const struct sign_scan *scan, struct walk *w, struct err *e)
{
    struct source *in;
    struct source_tee tee;
    struct digest d;
    uint64_t size = 0;
    AUTO(hash_state) raw = NULL;
    int r = hash_open(HASH_SHA256, &raw, e);
    if (!r)
        r = scan->from->open(scan->from->ctx, &in, e);
    if (r)
        return r;
    r = binary(w, source_tee_init(&tee, in, hash_see, raw), &size, e);
    source_close(in);
    if (r)
        return r;
    hash_final(raw, &d);
    return digest_eq(&d, &scan->file) ? 0 : err_set(e, ERR_IO, "the file changed while it was read");
}

int sign_claims_hash(const struct sign_scan *scan, bool before_signature, struct digest *ret, struct err *e)
{
    AUTO_DONE(sizes) sizes = {.at = NULL};
    AUTO(hash_state) hash = NULL;
    struct walk w = {.sizes = &sizes, .before_signature = before_signature && scan->has_signature};
    int r = scan->kind == WBIN_COMPONENT ? pass(scan, &w, e) : 0;
    if (!r)
        r = hash_open(HASH_SHA256, &hash, e);
    w.hash = hash;
    if (!r)
        r = pass(scan, &w, e);
    if (!r)
        hash_final(hash, ret);
    return r;
}

int sign_claims_hash_raw(const struct sign_scan *scan, struct digest *ret, struct err *e)
{
    const struct sign_section *claims = &scan->sections[scan->claims_at];
    uint64_t at = 0, from = claims->offset, to = from + claims->header_size + claims->size;
    uint8_t part[4096];
    struct source *in;
    struct digest d;
    AUTO(hash_state) all = NULL;
    AUTO(hash_state) hash = NULL;
    size_t n = 1;
    int r = hash_open(HASH_SHA256, &all, e);
    if (!r)
        r = hash_open(HASH_SHA256, &hash, e);
    if (!r)
        r = scan->from->open(scan->from->ctx, &in, e);
    if (r)
        return r;
    for (; !r && n; at += n) {
        uint64_t edge = at < from ? from - at : at < to ? to - at : UINT64_MAX;
        r = source_read(in, part, edge < sizeof(part) ? (size_t)edge : sizeof(part), &n, e);
        if (r)
            break;
        hash_update(all, bytes_of(part, n));
        if (at < from || at >= to)
            hash_update(hash, bytes_of(part, n));
    }
    source_close(in);
    if (r)
        return r;
    hash_final(all, &d);
    hash_final(hash, ret);
    return digest_eq(&d, &scan->file) ? 0 : err_set(e, ERR_IO, "the file changed while it was read");
}
