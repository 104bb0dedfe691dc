/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"
#include "tests/unit/unit.h"

/* A source that gives its bytes in pieces of `step`, and fails at an offset. */
struct drip {
    struct source base;
    struct bytes rest;
    size_t step, fail_at, given;
    unsigned closed;
};

static int drip_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct drip *d = (struct drip *)base;
    if (d->given >= d->fail_at)
        return err_set(e, ERR_NETWORK, "cut off");
    struct bytes part;
    size_t n = cap < d->step ? cap : d->step;
    n = n < d->rest.len ? n : d->rest.len;
    assert_true(bytes_take(&d->rest, n, &part));
    if (n)
        memcpy(buf, part.ptr, n);
    d->given += n;
    *ret_n = n;
    return 0;
}

static void drip_close(struct source *base)
{
    ((struct drip *)base)->closed++;
}

static struct source *drip_init(struct drip *d, struct bytes data, size_t step, size_t fail_at)
{
    *d = (struct drip){.base = {drip_read, drip_close}, .rest = data, .step = step, .fail_at = fail_at};
    return &d->base;
}

/* A sink that counts what happens to it and can refuse to commit. */
struct ledger {
    struct sink base;
    struct buf got;
    unsigned commits, aborts;
    int commit_fails;
};

static int ledger_write(struct sink *base, struct bytes data, struct err *e)
{
    struct ledger *l = (struct ledger *)base;
    buf_append_bytes(&l->got, data);
    return buf_check(&l->got, e);
}

static int ledger_commit(struct sink *base, struct err *e)
{
    struct ledger *l = (struct ledger *)base;
    l->commits++;
    return l->commit_fails ? err_set(e, ERR_IO, "no room") : 0;
}

static void ledger_abort(struct sink *base)
{
    ((struct ledger *)base)->aborts++;
}

static struct sink *ledger_init(struct ledger *l)
{
    *l = (struct ledger){.base = {ledger_write, ledger_commit, ledger_abort}, .got = BUF_INIT(1U << 20)};
    return &l->base;
}

static void read_full(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct drip d;
    char room[8] = "";
    struct source *s = drip_init(&d, BYTES_LIT("abcdefgh"), 3, SIZE_MAX);
    assert_ok(source_read_full(s, room, 7, &e));
    assert_memory_equal(room, "abcdefg", 7);
    assert_ok(source_read_full(s, room, 0, &e));
    assert_fails(source_read_full(s, room, 2, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "truncated"));
    s = drip_init(&d, BYTES_LIT("abcdefgh"), 3, 3);
    assert_fails(source_read_full(s, room, 8, &e), ERR_NETWORK);
    source_close(s);
    assert_int_equal(d.closed, 1);
    source_close(NULL);
    struct source_bytes b;
    source_close(source_bytes_init(&b, BYTES_NONE));
}

static void read_all(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct drip d;
    for (size_t max = 0; max < 12; max++) {
        AUTO_DONE(buf) out = BUF_INIT(max);
        int r = source_read_all(drip_init(&d, BYTES_LIT("01234567"), 3, SIZE_MAX), &out, &e);
        assert_int_equal(r, max < 8 ? ERR_LIMIT : 0);
        if (!r)
            assert_true(bytes_eq_str(buf_bytes(&out), "01234567"));
        assert_true(out.len <= max);
    }
    AUTO_DONE(buf) out = BUF_INIT(100);
    buf_append_str(&out, "kept ");
    assert_ok(source_read_all(drip_init(&d, BYTES_LIT("and more"), 1, SIZE_MAX), &out, &e));
    assert_string_equal(buf_cstr(&out), "kept and more");
    assert_fails(source_read_all(drip_init(&d, BYTES_LIT("xyz"), 1, 2), &out, &e), ERR_NETWORK);

    /* Larger than one chunk. */
    size_t size = 700001;
    uint8_t *big = malloc(size);
    assert_non_null(big);
    memset(big, 7, size);
    AUTO_DONE(buf) all = BUF_INIT(1U << 20);
    assert_ok(source_read_all(drip_init(&d, bytes_of(big, size), SIZE_MAX, SIZE_MAX), &all, &e));
    assert_true(bytes_eq(buf_bytes(&all), bytes_of(big, size)));
    free(big);
}

static void limit(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct drip d;
    struct source_limit l;
    AUTO_DONE(buf) out = BUF_INIT(100);
    struct source *s = source_limit_init(&l, drip_init(&d, BYTES_LIT("0123456789"), 4, SIZE_MAX), 6);
    assert_ok(source_read_all(s, &out, &e));
    assert_string_equal(buf_cstr(&out), "012345");
    assert_int_equal(d.given, 6); /* what is behind stays for the next reader */
    size_t n = 99;
    char c;
    assert_ok(source_read(s, &c, 1, &n, &e));
    assert_int_equal(n, 0);
    buf_reset(&out);
    s = source_limit_init(&l, drip_init(&d, BYTES_LIT("01234"), 4, SIZE_MAX), 6);
    assert_fails(source_read_all(s, &out, &e), ERR_FORMAT);
    s = source_limit_init(&l, drip_init(&d, BYTES_LIT("01234"), 4, 0), 0);
    assert_ok(source_read(s, &c, 1, &n, &e)); /* asks for nothing */
    s = source_limit_init(&l, drip_init(&d, BYTES_LIT("0"), 4, SIZE_MAX), UINT64_MAX);
    assert_fails(source_read_all(s, &out, &e), ERR_FORMAT);
}

static int refuse(void *ctx, struct bytes data, struct err *e)
{
    size_t *left = ctx;
    if (data.len > *left)
        return err_set(e, ERR_POLICY, "seen enough");
    *left -= data.len;
    return 0;
}

static void tees(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct drip d;
    struct source_tee t;
    AUTO(hash_state) h = NULL;
    AUTO_DONE(buf) out = BUF_INIT(100);
    struct digest seen, want;
    assert_ok(hash_open(HASH_SHA256, &h, &e));
    assert_ok(source_read_all(
        source_tee_init(&t, drip_init(&d, BYTES_LIT("some bytes"), 3, SIZE_MAX), hash_see, h), &out, &e));
    hash_final(h, &seen);
    assert_ok(hash_bytes(HASH_SHA256, BYTES_LIT("some bytes"), &want, &e));
    assert_true(digest_eq(&seen, &want));
    size_t left = 4, n = 99;
    char room[3];
    struct source *s =
        source_tee_init(&t, drip_init(&d, BYTES_LIT("some bytes"), 3, SIZE_MAX), refuse, &left);
    assert_ok(source_read(s, room, 3, &n, &e));
    assert_fails(source_read(s, room, 3, &n, &e), ERR_POLICY);
    assert_int_equal(n, 3);
}

/* Runs data through a sink_verify; what arrives at the inner sink is committed only when all is right. */
static int verify(struct bytes data, size_t step, const struct digest *want, uint64_t size, struct ledger *l,
                  struct err *e)
{
    struct sink_verify v;
    struct drip d;
    int r = sink_verify_init(&v, ledger_init(l), want, size, e);
    if (!r)
        r = stream_copy(drip_init(&d, data, step, SIZE_MAX), &v.base, NULL, e);
    if (!r)
        r = sink_commit(&v.base, e);
    sink_abort(&v.base);
    assert_int_equal(l->aborts, 1);
    assert_int_equal(l->commits, r && !l->commit_fails ? 0 : 1);
    buf_done(&l->got);
    return r;
}

static void verifies(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct ledger l;
    struct digest good, bad, wide;
    assert_ok(hash_bytes(HASH_SHA256, BYTES_LIT("payload"), &good, &e));
    assert_ok(hash_bytes(HASH_SHA512, BYTES_LIT("payload"), &wide, &e));
    bad = good;
    bad.value[31] ^= 1;
    for (size_t step = 1; step < 9; step++) {
        assert_ok(verify(BYTES_LIT("payload"), step, &good, 7, &l, &e));
        assert_ok(verify(BYTES_LIT("payload"), step, &wide, 7, &l, &e));
        assert_fails(verify(BYTES_LIT("payload"), step, &bad, 7, &l, &e), ERR_DIGEST);
        assert_fails(verify(BYTES_LIT("payloaD"), step, &good, 7, &l, &e), ERR_DIGEST);
        assert_fails(verify(BYTES_LIT("payloa"), step, &good, 7, &l, &e), ERR_DIGEST);
        assert_fails(verify(BYTES_LIT("payload+"), step, &good, 7, &l, &e), ERR_DIGEST);
        assert_fails(verify(BYTES_LIT("payload"), step, &good, 8, &l, &e), ERR_DIGEST);
        assert_fails(verify(BYTES_LIT("payload"), step, &good, 6, &l, &e), ERR_DIGEST);
        assert_fails(verify(BYTES_NONE, step, &good, 7, &l, &e), ERR_DIGEST);
        assert_fails(verify(BYTES_LIT("payload"), step, &good, 0, &l, &e), ERR_DIGEST);
    }
    struct digest empty, zero = {.alg = HASH_SHA256};
    assert_ok(hash_bytes(HASH_SHA256, BYTES_NONE, &empty, &e));
    assert_ok(verify(BYTES_NONE, 1, &empty, 0, &l, &e));
    assert_fails(verify(BYTES_NONE, 1, &zero, 0, &l, &e), ERR_DIGEST);

    /* No byte too many reaches the inner sink, and its refusal to commit is passed on. */
    struct sink_verify v;
    assert_ok(sink_verify_init(&v, ledger_init(&l), &good, 7, &e));
    assert_fails(sink_write(&v.base, BYTES_LIT("payload!"), &e), ERR_DIGEST);
    assert_int_equal(l.got.len, 0);
    sink_abort(&v.base);
    assert_ok(sink_verify_init(&v, ledger_init(&l), &good, 7, &e));
    l.commit_fails = 1;
    assert_ok(sink_write(&v.base, BYTES_LIT("payload"), &e));
    assert_fails(sink_commit(&v.base, &e), ERR_IO);
    sink_abort(&v.base);
    assert_int_equal(l.aborts, 1);
    buf_done(&l.got);
    sink_abort(NULL);
}

static void copy(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct drip d;
    struct ledger l;
    struct sink_buf b;
    uint64_t n = 77;
    struct sink *to = ledger_init(&l);
    assert_fails(stream_copy(drip_init(&d, BYTES_LIT("abcdef"), 2, 4), to, &n, &e), ERR_NETWORK);
    assert_true(n == 77 && l.got.len == 4 && l.commits == 0);
    assert_ok(stream_copy(drip_init(&d, BYTES_LIT("gh"), 2, SIZE_MAX), to, &n, &e));
    assert_true(n == 2 && l.commits == 0 && l.aborts == 0 && d.closed == 0);
    buf_done(&l.got);

    AUTO_DONE(buf) out = BUF_INIT(3);
    to = sink_buf_init(&b, &out);
    assert_ok(sink_write(to, BYTES_LIT("abc"), &e));
    assert_ok(sink_commit(to, &e));
    assert_fails(sink_write(to, BYTES_LIT("d"), &e), ERR_LIMIT);
    sink_abort(to);
    assert_int_equal(out.len, 0);
}

struct meter {
    struct progress base;
    uint64_t done, total;
    unsigned calls;
};

static void meter_update(struct progress *p, uint64_t done, uint64_t total)
{
    struct meter *m = (struct meter *)p;
    m->done = done;
    m->total = total;
    m->calls++;
}

static void progress(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct meter m = {.base = {meter_update}};
    struct ledger l;
    struct drip d;
    struct sink_progress sp;
    struct sink *to = sink_progress_init(&sp, ledger_init(&l), &m.base, 6);
    assert_ok(stream_copy(drip_init(&d, BYTES_LIT("abcdef"), 2, SIZE_MAX), to, NULL, &e));
    assert_true(m.done == 6 && m.total == 6 && m.calls == 3);
    assert_ok(sink_commit(to, &e));
    sink_abort(to);
    assert_true(l.commits == 1 && l.aborts == 1);
    buf_done(&l.got);
    to = sink_progress_init(&sp, ledger_init(&l), NULL, 6);
    assert_ok(sink_write(to, BYTES_LIT("x"), &e));
    buf_done(&l.got);

    /* Each opening starts again. */
    struct opener_bytes ob;
    struct opener_progress op;
    m = (struct meter){.base = {meter_update}};
    struct source_opener opener =
        opener_progress_init(&op, opener_bytes_init(&ob, BYTES_LIT("abc")), &m.base);
    assert_int_equal(opener.size, 3);
    for (int i = 0; i < 2; i++) {
        AUTO_DONE(buf) out = BUF_INIT(10);
        struct source *s = NULL;
        assert_ok(opener.open(opener.ctx, &s, &e));
        assert_ok(source_read_all(s, &out, &e));
        assert_string_equal(buf_cstr(&out), "abc");
        assert_true(m.done == 3 && m.total == 3);
        source_close(s);
    }
}

/* An opener that counts how often it is opened. */
struct counted {
    struct opener_bytes bytes;
    unsigned opened;
};

static int counted_open(void *ctx, struct source **ret, struct err *e)
{
    (void)e;
    struct counted *c = ctx;
    c->opened++;
    *ret = source_bytes_init(&c->bytes.source, c->bytes.data);
    return 0;
}

static void part_is(struct opener_part *o, uint64_t first, uint64_t size, const char *want)
{
    struct err e = ERR_INIT;
    struct source *s = NULL;
    AUTO_DONE(buf) out = BUF_INIT(100);
    struct source_opener part = opener_part_of(o, first, size);
    assert_int_equal(part.size, size);
    assert_ok(part.open(part.ctx, &s, &e));
    assert_ok(source_read_all(s, &out, &e));
    source_close(s);
    assert_string_equal(buf_cstr(&out), want);
}

static void parts(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct counted c = {.bytes = {.data = BYTES_LIT("0123456789")}};
    struct opener_part o;
    opener_part_init(&o, (struct source_opener){counted_open, &c, 10});
    part_is(&o, 0, 4, "0123");
    part_is(&o, 4, 3, "456");
    part_is(&o, 7, 3, "789");
    assert_int_equal(c.opened, 1);
    part_is(&o, 7, 3, "789");
    assert_int_equal(c.opened, 2);
    part_is(&o, 2, 2, "23");
    assert_int_equal(c.opened, 3);
    part_is(&o, 6, 0, "");
    part_is(&o, 8, 2, "89");
    assert_int_equal(c.opened, 3);
    struct source *s;
    uint8_t some[16];
    size_t n;
    struct source_opener over = opener_part_of(&o, 8, 3);
    assert_ok(over.open(over.ctx, &s, &e));
    assert_ok(source_read(s, some, sizeof(some), &n, &e));
    assert_int_equal(n, 2);
    assert_fails(source_read(s, some, sizeof(some), &n, &e), ERR_FORMAT);
    over = opener_part_of(&o, 11, 1);
    assert_fails(over.open(over.ctx, &s, &e), ERR_FORMAT);
    opener_part_done(&o);
    opener_part_done(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_full), cmocka_unit_test(read_all), cmocka_unit_test(limit),
        cmocka_unit_test(tees),      cmocka_unit_test(verifies), cmocka_unit_test(copy),
        cmocka_unit_test(progress),  cmocka_unit_test(parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
