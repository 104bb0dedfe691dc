/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/pieces.h"

#include "base/stopwatch.h"

#include <pthread.h>

#define WIDTH 4U

/* The rate lies well above what servers give one connection where they bound it, and well below what one
 * connection does where they do not. */
const struct flow_pieces_rule flow_pieces_usual = {
    .size_min = 64U << 20,
    .left_min = 32U << 20,
    .rate = 40000000,
    .watch_ms = 2000,
    .piece = 2U << 20,
};

static int64_t now_ns(void)
{
    return (int64_t)stopwatch_ns();
}

/* Whether what came since the watch began came too slowly; begins anew when it did not. */
static bool is_slow(struct flow_watch *w, int64_t now)
{
    int64_t ms = (now - w->since) / 1000000;
    if (ms < w->rule->watch_ms)
        return false;
    if (w->rule->watch_ms == 0 || w->came / (uint64_t)ms < w->rule->rate / 1000)
        return true;
    w->since = now;
    w->came = 0;
    return false;
}

static int watch_write(struct sink *base, struct bytes data, struct err *e)
{
    struct flow_watch *w = (struct flow_watch *)base;
    int64_t before = w->rule ? now_ns() : 0;
    int r = sink_write(w->inner, data, e);
    w->left -= data.len < w->left ? data.len : w->left;
    if (r || !w->rule)
        return r;
    int64_t now = now_ns();
    w->since = w->since ? w->since + (now - before) : now; /* the first bytes say nothing of a speed */
    w->came += data.len;
    if (w->left < w->rule->left_min || !is_slow(w, now))
        return 0;
    w->slow = true;
    return err_set(e, ERR_INTERRUPTED, "one connection is slow");
}

static int watch_commit(struct sink *base, struct err *e)
{
    return sink_commit(((struct flow_watch *)base)->inner, e);
}

static void watch_abort(struct sink *base)
{
    sink_abort(((struct flow_watch *)base)->inner);
}

struct sink *flow_watch_init(struct flow_watch *w, struct sink *inner, const struct flow_pieces_rule *rule,
                             uint64_t size, uint64_t have)
{
    *w = (struct flow_watch){.base = {watch_write, watch_commit, watch_abort},
                             .inner = inner,
                             .rule = rule && size >= rule->size_min ? rule : NULL,
                             .left = size - have};
    return &w->base;
}

struct pieces;

/* One piece, on its way or waiting for its turn. */
struct piece {
    struct sink base; /* what the request writes to */
    struct pieces *all;
    uint8_t *data;
    uint64_t from;
    size_t size, have;
    bool done;          /* the request has ended, and the caller's thread may look */
    struct err failure; /* of the request, then */
};

struct pieces {
    struct oci_endpoint *ep;
    const struct oci_desc *desc;
    size_t size; /* of each but the last */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t next;          /* the first byte that nobody has asked for */
    uint64_t taken, handed; /* pieces; piece n lives in held[n % FLOW_PIECES_HELD] */
    bool failed;            /* a piece has: no more are taken */
    bool given_up;          /* nobody wants those that are on their way */
    struct piece held[FLOW_PIECES_HELD];
};

static int piece_write(struct sink *base, struct bytes data, struct err *e)
{
    struct piece *p = (struct piece *)base;
    (void)pthread_mutex_lock(&p->all->lock);
    bool given_up = p->all->given_up;
    (void)pthread_mutex_unlock(&p->all->lock);
    if (given_up)
        return err_set(e, ERR_INTERRUPTED, "another part of the blob failed");
    if (data.len > p->size - p->have)
        return err_set(e, ERR_UNSUPPORTED, "more than the part of the blob that was asked for");
    memcpy(p->data + p->have, data.ptr, data.len);
    p->have += data.len;
    return 0;
}

/* Waits for a place; NULL when there is nothing left to ask for. */
static struct piece *piece_take(struct pieces *all)
{
    struct piece *p = NULL;
    (void)pthread_mutex_lock(&all->lock);
    while (!all->failed && all->next < all->desc->size && all->taken - all->handed == FLOW_PIECES_HELD)
        (void)pthread_cond_wait(&all->changed, &all->lock);
    if (!all->failed && all->next < all->desc->size) {
        uint64_t left = all->desc->size - all->next;
        p = &all->held[all->taken++ % FLOW_PIECES_HELD];
        p->from = all->next;
        p->size = left < all->size ? (size_t)left : all->size;
        p->have = 0;
        p->done = false;
        p->failure = (struct err)ERR_INIT;
        all->next += p->size;
    }
    (void)pthread_mutex_unlock(&all->lock);
    return p;
}

static int piece_fetch(struct pieces *all, struct piece *p, struct err *e)
{
    if (!p->data && !(p->data = malloc(all->size)))
        return err_nomem(e);
    int r = all->ep->ops->blob_part(all->ep, all->desc, p->from, p->size, &p->base, e);
    if (!r && p->have < p->size)
        r = err_set(e, ERR_UNSUPPORTED, "less than the part of the blob that was asked for");
    return r;
}

static void *fetch(void *ctx)
{
    struct pieces *all = ctx;
    for (struct piece *p; (p = piece_take(all));) {
        struct err e = ERR_INIT;
        int r = piece_fetch(all, p, &e);
        (void)pthread_mutex_lock(&all->lock);
        p->failure = e;
        p->failure.code = r;
        p->done = true;
        all->failed |= r != 0;
        (void)pthread_cond_broadcast(&all->changed);
        (void)pthread_mutex_unlock(&all->lock);
    }
    return NULL;
}

/* The piece whose turn it is, when its request has ended. One before it that failed is never passed. */
static struct piece *piece_wait(struct pieces *all)
{
    struct piece *p = &all->held[all->handed % FLOW_PIECES_HELD];
    (void)pthread_mutex_lock(&all->lock);
    while (all->taken == all->handed || !p->done)
        (void)pthread_cond_wait(&all->changed, &all->lock);
    (void)pthread_mutex_unlock(&all->lock);
    return p;
}

/* Hands on everything from the first piece on, in the caller's thread. */
static int hand_on(struct pieces *all, uint64_t from, struct sink *to, struct err *e)
{
    for (uint64_t at = from; at < all->desc->size;) {
        struct piece *p = piece_wait(all);
        int r = p->have ? sink_write(to, bytes_of(p->data, p->have), e) : 0; /* a part of one counts, too */
        if (r)
            return r;
        if (p->failure.code) {
            *e = p->failure;
            return e->code;
        }
        at += p->size;
        (void)pthread_mutex_lock(&all->lock);
        all->handed++;
        (void)pthread_cond_broadcast(&all->changed);
        (void)pthread_mutex_unlock(&all->lock);
    }
    return 0;
}

/* Without any thread there is nobody who fetches. */
static int run(struct pieces *all, uint64_t from, struct sink *to, struct err *e)
{
    pthread_t threads[WIDTH];
    size_t n = 0;
    while (n < WIDTH && pthread_create(&threads[n], NULL, fetch, all) == 0)
        n++;
    int r = n ? hand_on(all, from, to, e) : err_set(e, ERR_UNSUPPORTED, "no thread can be had");
    (void)pthread_mutex_lock(&all->lock);
    all->failed = all->given_up = r != 0;
    (void)pthread_cond_broadcast(&all->changed);
    (void)pthread_mutex_unlock(&all->lock);
    for (size_t i = 0; i < n; i++)
        (void)pthread_join(threads[i], NULL);
    return r;
}

int flow_pieces_fetch(struct oci_endpoint *ep, const struct oci_desc *desc, uint64_t from, uint64_t piece,
                      struct sink *to, struct err *e)
{
    struct pieces all = {.ep = ep,
                         .desc = desc,
                         .size = (size_t)piece,
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .changed = PTHREAD_COND_INITIALIZER,
                         .next = from};
    for (size_t i = 0; i < FLOW_PIECES_HELD; i++)
        all.held[i] = (struct piece){.base = {.write = piece_write}, .all = &all};
    int r = run(&all, from, to, e);
    for (size_t i = 0; i < FLOW_PIECES_HELD; i++)
        free(all.held[i].data);
    (void)pthread_mutex_destroy(&all.lock);
    (void)pthread_cond_destroy(&all.changed);
    return r;
}
