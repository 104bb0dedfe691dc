/* SPDX-License-Identifier: Apache-2.0 */
/* A blob in pieces: in order, once, bounded; broken, short, too long, refused. And when one connection is
 * left. */
#include "base/limits.h"
#include "flow/fetch.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <time.h>

#define SIZE  1000003U
#define PIECE 10000U
#define NONE  UINT64_MAX

/* An endpoint with one blob. */
struct place {
    struct oci_endpoint base;
    uint8_t *data;
    pthread_mutex_t lock; /* guards the rest */
    uint64_t bad_at;      /* the part that begins there, or from there on when `all`, is what it is not */
    int failure;          /* what it fails with, after `give` bytes; 0: it just ends there */
    uint64_t give;
    bool all, flip;
    unsigned parts, wholes, rests;
    uint64_t handed, ahead; /* what the sink has got; the most that was asked for beyond it */
    unsigned busy, width;   /* parts under way; the most there were */
};

static int give(struct place *p, uint64_t from, uint64_t n, struct sink *to, struct err *e)
{
    int r = 0;
    for (uint64_t at = 0, step = 1; !r && at < n; step = step * 7 % 5003) {
        uint64_t part = n - at < step ? n - at : step;
        r = sink_write(to, bytes_of(p->data + from + at, (size_t)part), e);
        at += part;
    }
    return r;
}

static bool part_begins(struct place *p, uint64_t from, uint64_t size)
{
    (void)pthread_mutex_lock(&p->lock);
    p->parts++;
    if (++p->busy > p->width)
        p->width = p->busy;
    if (from + size - p->handed > p->ahead)
        p->ahead = from + size - p->handed;
    bool bad = p->all ? from >= p->bad_at : from == p->bad_at;
    (void)pthread_mutex_unlock(&p->lock);
    return bad;
}

static int place_part(struct oci_endpoint *ep, const struct oci_desc *desc, uint64_t from, uint64_t size,
                      struct sink *to, struct err *e)
{
    struct place *p = (struct place *)ep;
    const struct timespec pause = {.tv_nsec = (long)(from / 7 % 5) * 100000};
    bool bad = part_begins(p, from, size);
    assert_true(size > 0 && from + size <= desc->size);
    (void)nanosleep(&pause, NULL);
    int r;
    if (bad && p->flip) {
        AUTO_FREE uint8_t *wrong = malloc(size);
        assert_non_null(wrong);
        memset(wrong, 1, size);
        r = sink_write(to, bytes_of(wrong, (size_t)size), e);
    } else {
        r = give(p, from, bad ? p->give : size, to, e);
        if (!r && bad && p->failure)
            r = err_set(e, (enum err_code)p->failure, "the line is cut");
    }
    (void)pthread_mutex_lock(&p->lock);
    p->busy--;
    (void)pthread_mutex_unlock(&p->lock);
    return r;
}

static int place_fetch(struct oci_endpoint *ep, const struct oci_desc *desc, struct sink *to, struct err *e)
{
    struct place *p = (struct place *)ep;
    p->wholes++;
    return give(p, 0, desc->size, to, e);
}

static int place_resume(struct oci_endpoint *ep, const struct oci_desc *desc, uint64_t from, struct sink *to,
                        struct err *e)
{
    struct place *p = (struct place *)ep;
    p->rests++;
    return give(p, from, desc->size - from, to, e);
}

static const struct oci_endpoint_ops ops = {
    .blob_fetch = place_fetch, .blob_resume = place_resume, .blob_part = place_part};

static void place_open(struct place *p, struct oci_desc *ret)
{
    struct err e = ERR_INIT;
    *p = (struct place){.base = {&ops}, .lock = PTHREAD_MUTEX_INITIALIZER, .bad_at = NONE};
    p->data = malloc(SIZE);
    assert_non_null(p->data);
    for (size_t i = 0; i < SIZE; i++)
        p->data[i] = (uint8_t)(i * 31 + (i >> 11));
    *ret = (struct oci_desc){.media_type = "a/b", .size = SIZE};
    assert_ok(hash_bytes(HASH_SHA256, bytes_of(p->data, SIZE), &ret->digest, &e));
}

/* A sink that takes nothing but the right bytes, in order, from one thread. */
struct reader {
    struct sink base;
    struct place *p;
    pthread_t thread;
    uint64_t got, fail_at;
};

static int reader_write(struct sink *base, struct bytes data, struct err *e)
{
    struct reader *r = (struct reader *)base;
    assert_true(pthread_equal(r->thread, pthread_self()));
    assert_true(r->got + data.len <= SIZE);
    assert_memory_equal(data.ptr, r->p->data + r->got, data.len);
    if (r->got + data.len > r->fail_at)
        return err_set(e, ERR_IO, "the disk is full");
    r->got += data.len;
    (void)pthread_mutex_lock(&r->p->lock);
    r->p->handed = r->got;
    (void)pthread_mutex_unlock(&r->p->lock);
    return 0;
}

/* Fetches from `from` on; *ret_got: how far the sink got. */
static int fetch(struct place *p, const struct oci_desc *desc, uint64_t from, uint64_t fail_at,
                 uint64_t *ret_got, struct err *e)
{
    struct reader r = {{.write = reader_write}, p, pthread_self(), from, fail_at};
    p->handed = from;
    int x = flow_pieces_fetch(&p->base, desc, from, PIECE, &r.base, e);
    *ret_got = r.got;
    assert_int_equal(p->busy, 0);
    return x;
}

static void test_in_order(void **state)
{
    (void)state;
    struct place p;
    struct oci_desc desc;
    struct err e = ERR_INIT;
    place_open(&p, &desc);
    const uint64_t starts[] = {0, 1, 123456, SIZE - 3 * PIECE, SIZE - PIECE, SIZE - 1, SIZE};
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        uint64_t got = 0;
        p.parts = 0;
        assert_ok(fetch(&p, &desc, starts[i], NONE, &got, &e));
        assert_int_equal(got, SIZE);
        assert_int_equal(p.parts, (SIZE - starts[i] + PIECE - 1) / PIECE);
    }
    assert_true(p.ahead <= (FLOW_PIECES_HELD + 1) * PIECE); /* the sink counts one while it takes it */
    assert_true(p.width > 1 && p.width <= 4);
    free(p.data);
}

static void breaks(int failure, int want, uint64_t given)
{
    struct place p;
    struct oci_desc desc;
    struct err e = ERR_INIT;
    uint64_t got = 0;
    for (unsigned round = 0; round < 20; round++) {
        place_open(&p, &desc);
        p.bad_at = (uint64_t)round * PIECE;
        p.failure = failure;
        p.give = given;
        p.all = round & 1;
        assert_fails(fetch(&p, &desc, 0, NONE, &got, &e), want);
        assert_int_equal(got, p.bad_at + given);
        assert_true(p.parts <= round + 1 + FLOW_PIECES_HELD);
        free(p.data);
    }
}

static void test_breaks(void **state)
{
    (void)state;
    breaks(ERR_NETWORK, ERR_NETWORK, 0);
    breaks(ERR_NETWORK, ERR_NETWORK, 4321);
    breaks(ERR_UNSUPPORTED, ERR_UNSUPPORTED, 0);
    breaks(0, ERR_UNSUPPORTED, PIECE - 1);
}

static void test_too_long(void **state)
{
    (void)state;
    struct place p;
    struct oci_desc desc;
    struct err e = ERR_INIT;
    uint64_t got = 0;
    place_open(&p, &desc);
    p.bad_at = 5 * PIECE;
    p.give = PIECE + 1;
    assert_fails(fetch(&p, &desc, 0, NONE, &got, &e), ERR_UNSUPPORTED);
    assert_true(got >= p.bad_at && got <= p.bad_at + PIECE);
    free(p.data);
}

static void test_sink_fails(void **state)
{
    (void)state;
    struct place p;
    struct oci_desc desc;
    struct err e = ERR_INIT;
    uint64_t got = 0;
    place_open(&p, &desc);
    assert_fails(fetch(&p, &desc, 0, 12 * PIECE, &got, &e), ERR_IO);
    assert_int_equal(got, 12 * PIECE);
    assert_true(p.parts <= 13 + FLOW_PIECES_HELD);
    free(p.data);
}

static int nothing_write(struct sink *base, struct bytes data, struct err *e)
{
    const struct timespec pause = {.tv_nsec = 30000000};
    (void)base, (void)data, (void)e;
    (void)nanosleep(&pause, NULL);
    return 0;
}

/* What is left, how big it is and a slow sink are no reasons to leave a connection. */
static void test_watch(void **state)
{
    (void)state;
    static const uint8_t zeros[100];
    const struct flow_pieces_rule eager = {.size_min = 1000, .left_min = 500, .piece = PIECE};
    const struct flow_pieces_rule strict = {
        .size_min = 0, .left_min = 0, .rate = UINT64_MAX / 2, .watch_ms = 10, .piece = PIECE};
    struct sink sink = {.write = nothing_write};
    struct flow_watch w;
    struct err e = ERR_INIT;
    struct sink *s = flow_watch_init(&w, &sink, &eager, 1000, 0);
    assert_fails(sink_write(s, BYTES_ARR(zeros), &e), ERR_INTERRUPTED);
    assert_true(w.slow);
    s = flow_watch_init(&w, &sink, &eager, 999, 0);
    assert_ok(sink_write(s, BYTES_ARR(zeros), &e));
    s = flow_watch_init(&w, &sink, &eager, 1000, 401);
    assert_ok(sink_write(s, BYTES_ARR(zeros), &e));
    s = flow_watch_init(&w, &sink, NULL, 1000, 0);
    assert_ok(sink_write(s, BYTES_ARR(zeros), &e));
    assert_false(w.slow);

    s = flow_watch_init(&w, &sink, &strict, 1000, 0);
    assert_ok(sink_write(s, BYTES_ARR(zeros), &e));
    const struct timespec pause = {.tv_nsec = 20000000};
    (void)nanosleep(&pause, NULL);
    assert_fails(sink_write(s, BYTES_ARR(zeros), &e), ERR_INTERRUPTED);
    assert_true(w.slow);
}

/* The whole way into the store: pieces at once, with the first connection's bytes kept. */
static int fetch_blob(const struct scratch *dir, struct place *p, const struct oci_desc *desc, struct err *e)
{
    static const struct flow_pieces_rule at_once = {.piece = PIECE};
    struct oci_store store = OCI_STORE_INIT;
    struct flow_fetch f = {.ep = &p->base, .store = &store, .temp_dir = dir->path, .pieces = &at_once};
    AUTO_FD int fd = -1;
    assert_int_equal(oci_store_open(scratch_path(dir, "store"), &store, e), 0);
    size_t fds = open_fds();
    int r = flow_fetch_blob(&f, desc, NULL, &fd, e);
    if (!r) {
        AUTO_FREE uint8_t *got = malloc(desc->size);
        assert_non_null(got);
        assert_int_equal(pread(fd, got, desc->size, 0), desc->size);
        assert_memory_equal(got, p->data, desc->size);
        (void)close(TAKE_FD(fd));
    }
    assert_int_equal(open_fds(), fds);
    flow_fetch_done(&f);
    oci_store_done(&store);
    return r;
}

/* As place_open, of the least size that is kept when it breaks off. */
static void big_open(struct place *p, struct oci_desc *ret)
{
    struct err e = ERR_INIT;
    place_open(p, ret);
    ret->size = (1U << 20) + 17;
    free(p->data);
    p->data = calloc(1, ret->size);
    assert_non_null(p->data);
    for (size_t i = 0; i < ret->size; i++)
        p->data[i] = (uint8_t)(i * 31 + (i >> 11));
    assert_ok(hash_bytes(HASH_SHA256, bytes_of(p->data, ret->size), &ret->digest, &e));
}

struct outcome {
    uint64_t bad_at;
    bool all, flip;
    int failure, want;
    unsigned wholes, rests;
};

static void test_into_the_store(void **state)
{
    const struct scratch *dir = *state;
    /* the first connection gives one byte, and is left */
    static const struct outcome outcomes[] = {
        {.bad_at = NONE, .wholes = 1},
        {.bad_at = 1 + 9 * PIECE, .failure = ERR_UNSUPPORTED, .wholes = 1, .rests = 1},
        {.bad_at = 1, .all = true, .failure = ERR_UNSUPPORTED, .wholes = 1, .rests = 1},
        {.bad_at = 1, .all = true, .failure = ERR_REGISTRY, .wholes = 1, .rests = 1},
        {.bad_at = 1 + 9 * PIECE, .flip = true, .wholes = 2},
        {.bad_at = 1 + 9 * PIECE, .all = true, .failure = ERR_NETWORK, .want = ERR_NETWORK, .wholes = 1},
        {.bad_at = NONE, .rests = 1}, /* what the one before left */
    };
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        const struct outcome *o = &outcomes[i];
        struct place p;
        struct oci_desc desc;
        struct err e = ERR_INIT;
        char hex[DIGEST_STR_MAX], name[DIGEST_STR_MAX + 32];
        big_open(&p, &desc);
        p.bad_at = o->bad_at;
        p.all = o->all;
        p.flip = o->flip;
        p.failure = o->failure;
        assert_fails(fetch_blob(dir, &p, &desc, &e), o->want);
        assert_int_equal(p.wholes, o->wholes);
        assert_int_equal(p.rests, o->rests);
        (void)snprintf(name, sizeof(name), "store/blobs/sha256/%s", digest_hex(&desc.digest, hex));
        assert_int_equal(scratch_has(dir, name), !o->want);
        if (!o->want)
            assert_int_equal(unlink(scratch_path(dir, name)), 0);
        free(p.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),   cmocka_unit_test(test_breaks), cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_sink_fails), cmocka_unit_test(test_watch),  scratch_test(test_into_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
