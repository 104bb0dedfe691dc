/* SPDX-License-Identifier: Apache-2.0 */
/* A blob on its way from one endpoint to another: whole, again, wrong, broken, given up. And the set of
 * digests that a copy keeps. */
#include "flow/relay.h"

#include "base/limits.h"
#include "flow/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BIG   (3U << 20)
#define SMALL 1000U

/* An endpoint with one blob, which it gives in uneven pieces. */
struct place {
    struct oci_endpoint base;
    uint8_t *data;
    size_t len;
    size_t fail_at; /* SIZE_MAX: nowhere */
    unsigned fetches;
};

static int place_fetch(struct oci_endpoint *ep, const struct oci_desc *desc, struct sink *to, struct err *e)
{
    struct place *p = (struct place *)ep;
    (void)desc;
    p->fetches++;
    for (size_t at = 0, step = 1; at < p->len; step = step * 7 % 100003) {
        size_t n = p->len - at < step ? p->len - at : step;
        if (at + n > p->fail_at)
            return err_set(e, ERR_NETWORK, "the line is cut");
        int r = sink_write(to, bytes_of(p->data + at, n), e);
        if (r)
            return r;
        at += n;
    }
    return 0;
}

static const struct oci_endpoint_ops ops = {.blob_fetch = place_fetch};

static void place_open(struct place *p, size_t len, struct oci_desc *ret)
{
    struct err e = ERR_INIT;
    *p = (struct place){.base = {&ops}, .len = len, .fail_at = SIZE_MAX};
    p->data = malloc(len);
    assert_non_null(p->data);
    for (size_t i = 0; i < len; i++)
        p->data[i] = (uint8_t)(i * 31 + (i >> 11));
    *ret = (struct oci_desc){.media_type = "a/b", .size = len};
    assert_int_equal(hash_bytes(HASH_SHA256, bytes_of(p->data, len), &ret->digest, &e), 0);
}

/* Reads to the end; *ret_n: bytes that were handed on, which are compared. */
static int drain(struct source *s, const struct place *p, size_t cap, size_t *ret_n, struct err *e)
{
    AUTO_FREE uint8_t *buf = malloc(cap);
    assert_non_null(buf);
    *ret_n = 0;
    for (;;) {
        size_t n = 0;
        int r = source_read(s, buf, cap, &n, e);
        if (r || n == 0)
            return r;
        assert_true(*ret_n + n <= p->len);
        assert_memory_equal(buf, p->data + *ret_n, n);
        *ret_n += n;
    }
}

static void whole(size_t len, unsigned want_fetches)
{
    struct place p;
    struct oci_desc desc;
    struct source_opener from;
    struct err e = ERR_INIT;
    place_open(&p, len, &desc);
    AUTO(flow_relay) relay = NULL;
    assert_int_equal(flow_relay_open(&p.base, &desc, &relay, &from, &e), 0);
    assert_int_equal(p.fetches, 0);
    assert_int_equal(from.size, len);
    const size_t caps[] = {1U << 20, 4099, 65536};
    for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
        struct source *s = NULL;
        size_t n;
        assert_int_equal(from.open(from.ctx, &s, &e), 0);
        assert_int_equal(drain(s, &p, caps[i], &n, &e), 0);
        assert_int_equal(n, len);
        source_close(s);
    }
    assert_int_equal(p.fetches, want_fetches);
    free(p.data);
}

static void test_whole(void **state)
{
    (void)state;
    whole(BIG, 3);
    whole(SMALL, 1);
    whole(1, 1);
}

/* A blob that is wrong in its last byte alone: no reader has all of it. */
static void wrong(size_t len)
{
    struct place p;
    struct oci_desc desc;
    struct source_opener from;
    struct source *s = NULL;
    struct err e = ERR_INIT;
    size_t n = 0;
    place_open(&p, len, &desc);
    p.data[len - 1] ^= 1;
    AUTO(flow_relay) relay = NULL;
    assert_int_equal(flow_relay_open(&p.base, &desc, &relay, &from, &e), 0);
    int r = from.open(from.ctx, &s, &e);
    if (!r)
        r = drain(s, &p, 65536, &n, &e);
    assert_int_equal(r, ERR_DIGEST);
    assert_true(n < len);
    source_close(s);
    free(p.data);
}

static void test_wrong(void **state)
{
    (void)state;
    wrong(BIG);
    wrong(SMALL);
}

static void test_too_long(void **state)
{
    (void)state;
    struct place p;
    struct oci_desc desc;
    struct source_opener from;
    struct source *s = NULL;
    struct err e = ERR_INIT;
    size_t n = 0;
    place_open(&p, BIG, &desc);
    desc.size = BIG - 5;
    AUTO(flow_relay) relay = NULL;
    assert_int_equal(flow_relay_open(&p.base, &desc, &relay, &from, &e), 0);
    assert_int_equal(from.open(from.ctx, &s, &e), 0);
    assert_int_equal(drain(s, &p, 65536, &n, &e), ERR_DIGEST);
    assert_true(n < desc.size);
    source_close(s);
    free(p.data);
}

/* A line that breaks is the reader's failure; opened again, all is read. */
static void test_broken(void **state)
{
    (void)state;
    struct place p;
    struct oci_desc desc;
    struct source_opener from;
    struct source *s = NULL;
    struct err e = ERR_INIT;
    size_t n = 0;
    place_open(&p, BIG, &desc);
    AUTO(flow_relay) relay = NULL;
    p.fail_at = 2U << 20;
    assert_int_equal(flow_relay_open(&p.base, &desc, &relay, &from, &e), 0);
    assert_int_equal(from.open(from.ctx, &s, &e), 0);
    assert_int_equal(drain(s, &p, 65536, &n, &e), ERR_NETWORK);
    assert_string_equal(e.msg, "the line is cut");
    source_close(s);
    p.fail_at = SIZE_MAX;
    assert_int_equal(from.open(from.ctx, &s, &e), 0);
    assert_int_equal(drain(s, &p, 65536, &n, &e), 0);
    assert_int_equal(n, BIG);
    source_close(s);
    free(p.data);
}

/* Who stops reading, or never begins, ends the thread. */
static void test_given_up(void **state)
{
    (void)state;
    struct place p;
    struct oci_desc desc;
    struct source_opener from;
    struct source *s = NULL;
    struct err e = ERR_INIT;
    uint8_t some[10];
    size_t n = 0;
    place_open(&p, BIG, &desc);
    AUTO(flow_relay) relay = NULL;
    assert_int_equal(flow_relay_open(&p.base, &desc, &relay, &from, &e), 0);
    assert_int_equal(from.open(from.ctx, &s, &e), 0);
    assert_int_equal(source_read(s, some, sizeof(some), &n, &e), 0);
    source_close(s);
    assert_int_equal(from.open(from.ctx, &s, &e), 0); /* open, without a close, when the relay goes */
    flow_relay_close(TAKE(relay));
    free(p.data);
}

static void test_seen(void **state)
{
    (void)state;
    AUTO_DONE(flow_seen) seen;
    struct err e = ERR_INIT;
    bool is_new;
    assert_int_equal(flow_seen_init(&seen, &e), 0);
    struct digest d = {.alg = HASH_SHA256};
    assert_false(flow_seen_has(&seen, &d));
    for (uint32_t n = 0; n < LIMIT_GRAPH; n++) {
        memcpy(d.value, &n, sizeof(n));
        assert_int_equal(flow_seen_add(&seen, &d, &is_new, &e), 0);
        assert_true(is_new);
    }
    assert_int_equal(flow_seen_add(&seen, &d, &is_new, &e), 0);
    assert_false(is_new);
    assert_true(flow_seen_has(&seen, &d));
    d.alg = HASH_SHA512;
    assert_false(flow_seen_has(&seen, &d));
    assert_int_equal(flow_seen_add(&seen, &d, NULL, &e), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),  cmocka_unit_test(test_wrong),    cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_broken), cmocka_unit_test(test_given_up), cmocka_unit_test(test_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
