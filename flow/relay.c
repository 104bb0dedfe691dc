/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/relay.h"

#include <pthread.h>

/* Blobs up to this size are fetched once, whatever becomes of the push. */
#define SMALL_MAX (256U << 10)
/* What may lie between the one who fetches and the one who pushes. */
#define RING_SIZE (512U << 10)

/* A reading: the thread fills the ring, whoever reads empties it. */
struct reading {
    struct source base;
    struct sink in; /* the thread's end */
    struct flow_relay *relay;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint8_t *ring;
    size_t at, used;
    uint64_t left; /* bytes that the reader has not got */
    bool open, finished, given_up;
    struct err failure; /* of the thread, when it has finished */
};

struct flow_relay {
    struct oci_endpoint *from;
    struct oci_desc desc;
    struct buf small;
    bool fetched; /* small holds it */
    struct source_bytes bytes;
    struct reading reading;
};

static struct reading *reading_of_sink(struct sink *s)
{
    return (struct reading *)(void *)((char *)s - offsetof(struct reading, in));
}

/* Waits for room; 0 when nobody reads any more. */
static size_t room(struct reading *r)
{
    while (r->used == RING_SIZE && !r->given_up)
        (void)pthread_cond_wait(&r->changed, &r->lock);
    return r->given_up ? 0 : RING_SIZE - r->used;
}

static void ring_put(struct reading *r, struct bytes data)
{
    size_t end = (r->at + r->used) % RING_SIZE;
    size_t first = RING_SIZE - end < data.len ? RING_SIZE - end : data.len;
    memcpy(r->ring + end, data.ptr, first);
    memcpy(r->ring, data.ptr + first, data.len - first);
    r->used += data.len;
}

static void ring_take(struct reading *r, uint8_t *to, size_t n)
{
    size_t first = RING_SIZE - r->at < n ? RING_SIZE - r->at : n;
    memcpy(to, r->ring + r->at, first);
    memcpy(to + first, r->ring, n - first);
    r->at = (r->at + n) % RING_SIZE;
    r->used -= n;
}

static int in_write(struct sink *s, struct bytes data, struct err *e)
{
    struct reading *r = reading_of_sink(s);
    int x = 0;
    (void)pthread_mutex_lock(&r->lock);
    while (!x && data.len) {
        size_t n = room(r);
        struct bytes part;
        if (n == 0)
            x = err_set(e, ERR_INTERRUPTED, "nobody reads on");
        else if (bytes_take(&data, n < data.len ? n : data.len, &part))
            ring_put(r, part);
        (void)pthread_cond_broadcast(&r->changed);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return x;
}

static int in_commit(struct sink *s, struct err *e)
{
    (void)s, (void)e;
    return 0;
}

static void in_abort(struct sink *s)
{
    (void)s;
}

static void *fetch(void *ctx)
{
    struct reading *r = ctx;
    struct flow_relay *relay = r->relay;
    struct sink_verify verify;
    struct err e = ERR_INIT;
    int x = sink_verify_init(&verify, &r->in, &relay->desc.digest, relay->desc.size, &e);
    if (!x) {
        x = relay->from->ops->blob_fetch(relay->from, &relay->desc, &verify.base, &e);
        if (!x)
            x = sink_commit(&verify.base, &e);
        sink_abort(&verify.base);
    }
    (void)pthread_mutex_lock(&r->lock);
    r->failure = e;
    r->failure.code = x;
    r->finished = true;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* The last byte is kept back until the thread has found everything right: whoever pushes has then not yet
 * sent a whole blob. */
static size_t readable(const struct reading *r)
{
    return r->used && !r->finished && r->used == r->left ? r->used - 1 : r->used;
}

static int reading_read(struct source *s, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct reading *r = (struct reading *)s;
    int x = 0;
    (void)pthread_mutex_lock(&r->lock);
    while (readable(r) == 0 && !r->finished)
        (void)pthread_cond_wait(&r->changed, &r->lock);
    if (r->finished && r->failure.code) {
        *e = r->failure;
        x = r->failure.code;
    } else {
        size_t n = readable(r) < cap ? readable(r) : cap;
        ring_take(r, buf, n);
        r->left -= n;
        *ret_n = n;
    }
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
    return x;
}

static void reading_close(struct source *s)
{
    struct reading *r = (struct reading *)s;
    if (!r->open)
        return;
    (void)pthread_mutex_lock(&r->lock);
    r->given_up = true;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
    (void)pthread_join(r->thread, NULL);
    (void)pthread_mutex_destroy(&r->lock);
    (void)pthread_cond_destroy(&r->changed);
    free(TAKE(r->ring));
    r->open = false;
}

static int reading_open(void *ctx, struct source **ret, struct err *e)
{
    struct flow_relay *relay = ctx;
    struct reading *r = &relay->reading;
    reading_close(&r->base);
    *r = (struct reading){.base = {.read = reading_read, .close = reading_close},
                          .in = {in_write, in_commit, in_abort},
                          .relay = relay,
                          .left = relay->desc.size,
                          .failure = ERR_INIT};
    r->ring = malloc(RING_SIZE);
    if (!r->ring)
        return err_nomem(e);
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->changed, NULL);
    if (pthread_create(&r->thread, NULL, fetch, r) != 0) {
        (void)pthread_mutex_destroy(&r->lock);
        (void)pthread_cond_destroy(&r->changed);
        free(TAKE(r->ring));
        return err_set(e, ERR_OTHER, "no thread can be had");
    }
    r->open = true;
    *ret = &r->base;
    return 0;
}

static int fetch_small(struct flow_relay *relay, struct err *e)
{
    struct sink_verify verify;
    struct sink_buf to;
    relay->small.max = SMALL_MAX;
    int r = sink_verify_init(&verify, sink_buf_init(&to, &relay->small), &relay->desc.digest,
                             relay->desc.size, e);
    if (r)
        return r;
    r = relay->from->ops->blob_fetch(relay->from, &relay->desc, &verify.base, e);
    relay->fetched = !r;
    if (!r)
        r = sink_commit(&verify.base, e);
    if (r)
        relay->fetched = false;
    if (!relay->fetched)
        sink_abort(&verify.base);
    else
        hash_free(TAKE(verify.hash)); /* an abort would empty the buffer */
    return r;
}

static int small_open(void *ctx, struct source **ret, struct err *e)
{
    struct flow_relay *relay = ctx;
    int r = relay->fetched ? 0 : fetch_small(relay, e);
    if (!r)
        *ret = source_bytes_init(&relay->bytes, buf_bytes(&relay->small));
    return r;
}

int flow_relay_open(struct oci_endpoint *from, const struct oci_desc *desc, struct flow_relay **ret,
                    struct source_opener *ret_opener, struct err *e)
{
    struct flow_relay *relay = calloc(1, sizeof(*relay));
    if (!relay)
        return err_nomem(e);
    relay->from = from;
    relay->desc = *desc;
    *ret_opener = (struct source_opener){
        .open = desc->size <= SMALL_MAX ? small_open : reading_open, .ctx = relay, .size = desc->size};
    *ret = relay;
    return 0;
}

void flow_relay_close(struct flow_relay *r)
{
    if (!r)
        return;
    reading_close(&r->reading.base);
    buf_done(&r->small);
    free(r);
}
