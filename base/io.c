/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include "base/limits.h"

int source_read(struct source *s, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    return s->read(s, buf, cap, ret_n, e);
}

void source_close(struct source *s)
{
    if (s && s->close)
        s->close(s);
}

int source_read_full(struct source *s, void *buf, size_t n, struct err *e)
{
    size_t have = 0;
    while (have < n) {
        size_t got;
        int r = s->read(s, (uint8_t *)buf + have, n - have, &got, e);
        if (r)
            return r;
        if (got == 0)
            return err_set(e, ERR_FORMAT, "truncated: %zu more bytes expected", n - have);
        have += got;
    }
    return 0;
}

int source_read_all(struct source *s, struct buf *out, struct err *e)
{
    for (size_t got = 1; got > 0;) {
        size_t room = out->max - out->len;
        size_t want = room < STREAM_CHUNK ? room : STREAM_CHUNK;
        uint8_t over;
        uint8_t *to = want ? buf_reserve(out, want) : &over;
        if (!to)
            return buf_check(out, e);
        int r = s->read(s, to, want ? want : 1, &got, e);
        if (r)
            return r;
        if (got && !want)
            return err_set(e, ERR_LIMIT, "larger than %zu bytes", out->max);
        out->len += got;
    }
    return 0;
}

int sink_write(struct sink *s, struct bytes data, struct err *e)
{
    return data.len ? s->write(s, data, e) : 0;
}

int sink_commit(struct sink *s, struct err *e)
{
    return s->commit(s, e);
}

void sink_abort(struct sink *s)
{
    if (s)
        s->abort(s);
}

int stream_copy(struct source *from, struct sink *to, uint64_t *ret_n, struct err *e)
{
    AUTO_FREE uint8_t *chunk = malloc(STREAM_CHUNK);
    if (!chunk)
        return err_nomem(e);
    uint64_t sum = 0;
    for (;;) {
        size_t got;
        int r = source_read(from, chunk, STREAM_CHUNK, &got, e);
        if (r)
            return r;
        if (got == 0)
            break;
        if ((r = sink_write(to, bytes_of(chunk, got), e)))
            return r;
        sum += got;
    }
    if (ret_n)
        *ret_n = sum;
    return 0;
}

static int bytes_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    (void)e;
    struct source_bytes *s = (struct source_bytes *)base;
    struct bytes part;
    size_t n = cap < s->rest.len ? cap : s->rest.len;
    (void)bytes_take(&s->rest, n, &part);
    if (n)
        memcpy(buf, part.ptr, n);
    *ret_n = n;
    return 0;
}

struct source *source_bytes_init(struct source_bytes *s, struct bytes data)
{
    *s = (struct source_bytes){.base = {.read = bytes_read}, .rest = data};
    return &s->base;
}

static int buf_write(struct sink *base, struct bytes data, struct err *e)
{
    struct sink_buf *s = (struct sink_buf *)base;
    buf_append_bytes(s->out, data);
    return buf_check(s->out, e);
}

static int buf_commit(struct sink *base, struct err *e)
{
    (void)base, (void)e;
    return 0;
}

static void buf_abort(struct sink *base)
{
    buf_reset(((struct sink_buf *)base)->out);
}

struct sink *sink_buf_init(struct sink_buf *s, struct buf *out)
{
    *s = (struct sink_buf){.base = {buf_write, buf_commit, buf_abort}, .out = out};
    return &s->base;
}

static int limit_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct source_limit *s = (struct source_limit *)base;
    if (s->left == 0) {
        *ret_n = 0;
        return 0;
    }
    size_t n;
    int r = source_read(s->inner, buf, cap < s->left ? cap : (size_t)s->left, &n, e);
    if (r)
        return r;
    if (n == 0)
        return err_set(e, ERR_FORMAT, "truncated: %llu more bytes expected", (unsigned long long)s->left);
    s->left -= n;
    *ret_n = n;
    return 0;
}

struct source *source_limit_init(struct source_limit *s, struct source *inner, uint64_t size)
{
    *s = (struct source_limit){.base = {.read = limit_read}, .inner = inner, .left = size};
    return &s->base;
}

static int tee_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct source_tee *s = (struct source_tee *)base;
    size_t n;
    int r = source_read(s->inner, buf, cap, &n, e);
    if (!r && n)
        r = s->see(s->ctx, bytes_of(buf, n), e);
    if (!r)
        *ret_n = n;
    return r;
}

struct source *source_tee_init(struct source_tee *s, struct source *inner,
                               int (*see)(void *ctx, struct bytes data, struct err *e), void *ctx)
{
    *s = (struct source_tee){.base = {.read = tee_read}, .inner = inner, .see = see, .ctx = ctx};
    return &s->base;
}

static int verify_write(struct sink *base, struct bytes data, struct err *e)
{
    struct sink_verify *s = (struct sink_verify *)base;
    if (data.len > s->size - s->seen)
        return err_set(e, ERR_DIGEST, "longer than the %llu bytes it should have",
                       (unsigned long long)s->size);
    s->seen += data.len;
    hash_update(s->hash, data);
    return sink_write(s->inner, data, e);
}

static int verify_commit(struct sink *base, struct err *e)
{
    struct sink_verify *s = (struct sink_verify *)base;
    if (s->seen != s->size)
        return err_set(e, ERR_DIGEST, "%llu bytes where %llu were expected", (unsigned long long)s->seen,
                       (unsigned long long)s->size);
    struct digest got;
    hash_final(s->hash, &got);
    if (!digest_eq(&got, &s->want)) {
        char got_text[DIGEST_STR_MAX], want_text[DIGEST_STR_MAX];
        return err_set(e, ERR_DIGEST, "digest is %s, expected %s", digest_str(&got, got_text),
                       digest_str(&s->want, want_text));
    }
    return sink_commit(s->inner, e);
}

static void verify_abort(struct sink *base)
{
    struct sink_verify *s = (struct sink_verify *)base;
    hash_free(TAKE(s->hash));
    sink_abort(s->inner);
}

int sink_verify_init(struct sink_verify *s, struct sink *inner, const struct digest *want, uint64_t size,
                     struct err *e)
{
    *s = (struct sink_verify){
        .base = {verify_write, verify_commit, verify_abort}, .inner = inner, .want = *want, .size = size};
    return hash_open(want->alg, &s->hash, e);
}

static int progress_write(struct sink *base, struct bytes data, struct err *e)
{
    struct sink_progress *s = (struct sink_progress *)base;
    int r = sink_write(s->inner, data, e);
    if (!r && s->progress)
        s->progress->update(s->progress, s->done += data.len, s->total);
    return r;
}

static int progress_commit(struct sink *base, struct err *e)
{
    return sink_commit(((struct sink_progress *)base)->inner, e);
}

static void progress_abort(struct sink *base)
{
    sink_abort(((struct sink_progress *)base)->inner);
}

struct sink *sink_progress_init(struct sink_progress *s, struct sink *inner, struct progress *p,
                                uint64_t total)
{
    *s = (struct sink_progress){.base = {progress_write, progress_commit, progress_abort},
                                .inner = inner,
                                .progress = p,
                                .total = total};
    return &s->base;
}

static int opener_progress_see(void *ctx, struct bytes data, struct err *e)
{
    (void)e;
    struct opener_progress *o = ctx;
    o->done += data.len;
    if (o->progress)
        o->progress->update(o->progress, o->done, o->inner.size);
    return 0;
}

static void opener_progress_close(struct source *base)
{
    struct source_tee *tee = (struct source_tee *)base;
    source_close(tee->inner);
}

static int opener_progress_open(void *ctx, struct source **ret, struct err *e)
{
    struct opener_progress *o = ctx;
    int r = o->inner.open(o->inner.ctx, &o->open, e);
    if (r)
        return r;
    o->done = 0;
    *ret = source_tee_init(&o->tee, o->open, opener_progress_see, o);
    o->tee.base.close = opener_progress_close;
    return 0;
}

struct source_opener opener_progress_init(struct opener_progress *o, struct source_opener inner,
                                          struct progress *p)
{
    *o = (struct opener_progress){.inner = inner, .progress = p};
    return (struct source_opener){opener_progress_open, o, inner.size};
}

static int part_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct opener_part *o = (struct opener_part *)base;
    size_t n = 0;
    if (o->left == 0) {
        *ret_n = 0;
        return 0;
    }
    int r = source_read(o->open, buf, cap < o->left ? cap : (size_t)o->left, &n, e);
    if (!r && n == 0)
        r = err_set(e, ERR_FORMAT, "truncated: %llu more bytes expected", (unsigned long long)o->left);
    if (r)
        return r;
    o->at += n;
    o->left -= n;
    *ret_n = n;
    return 0;
}

static int part_skip(struct opener_part *o, struct err *e)
{
    AUTO_FREE uint8_t *chunk = malloc(STREAM_CHUNK);
    if (!chunk)
        return err_nomem(e);
    o->left = o->first - o->at;
    for (size_t n; o->left > 0;) {
        int r = part_read(&o->base, chunk, STREAM_CHUNK, &n, e);
        if (r)
            return r;
    }
    return 0;
}

static int part_open(void *ctx, struct source **ret, struct err *e)
{
    struct opener_part *o = ctx;
    int r = 0;
    if (!o->open || o->at > o->first) {
        opener_part_done(o);
        o->at = 0;
        r = o->inner.open(o->inner.ctx, &o->open, e);
    }
    if (!r && o->at < o->first)
        r = part_skip(o, e);
    if (r)
        return r;
    o->left = o->size;
    *ret = &o->base;
    return 0;
}

void opener_part_init(struct opener_part *o, struct source_opener inner)
{
    *o = (struct opener_part){.base = {.read = part_read}, .inner = inner};
}

struct source_opener opener_part_of(struct opener_part *o, uint64_t first, uint64_t size)
{
    o->first = first;
    o->size = size;
    return (struct source_opener){part_open, o, size};
}

void opener_part_done(struct opener_part *o)
{
    source_close(o->open);
    o->open = NULL;
}

static int opener_bytes_open(void *ctx, struct source **ret, struct err *e)
{
    (void)e;
    struct opener_bytes *o = ctx;
    *ret = source_bytes_init(&o->source, o->data);
    return 0;
}

struct source_opener opener_bytes_init(struct opener_bytes *o, struct bytes data)
{
    o->data = data;
    return (struct source_opener){opener_bytes_open, o, data.len};
}
