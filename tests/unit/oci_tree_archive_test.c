/* SPDX-License-Identifier: Apache-2.0 */
/* An archive as an endpoint: what the program's own tests cannot time. */
#include "base/limits.h"
#include "base/parallel.h"
#include "base/plugin.h"
#include "oci/endpoint.h"
#include "tests/registry/fixture.h"
#include "tests/unit/unit.h"

static char plugins[PATH_MAX];

#define BIG 300000U

struct place {
    struct oci_ref ref;
    struct oci_endpoint *ep;
};

static void place_done(struct place *p)
{
    oci_endpoint_close(TAKE(p->ep));
    oci_ref_done(&p->ref);
}

static int place_open(const struct scratch *s, const char *name, bool create, struct place *ret,
                      struct err *e)
{
    static const struct oci_endpoint_conf conf = {.user_agent = "test"};
    char text[128];
    (void)snprintf(text, sizeof(text), "oci-archive:%s/%s", s->path, name);
    *ret = (struct place){.ep = NULL};
    int r = oci_ref_parse(text, &ret->ref, e);
    return r ? r : oci_endpoint_open(&ret->ref, &conf, create, &ret->ep, e);
}

/* A blob of n bytes that no compression makes much smaller. */
static struct bytes content(size_t n, uint32_t seed)
{
    static uint8_t all[BIG];
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525U + 1013904223U;
        all[i] = (uint8_t)(seed >> 24);
    }
    return bytes_of(all, n);
}

static struct oci_desc desc_of(struct bytes data)
{
    struct err e = ERR_INIT;
    struct oci_desc d = {.media_type = "a/b", .size = data.len};
    assert_ok(hash_bytes(HASH_SHA256, data, &d.digest, &e));
    return d;
}

static int push_blob(struct oci_endpoint *ep, struct bytes data, struct err *e)
{
    struct opener_bytes ob;
    struct source_opener from = opener_bytes_init(&ob, data);
    struct oci_desc desc = desc_of(data);
    bool existed;
    return ep->ops->blob_push(ep, &desc, &from, &existed, e);
}

static int fetch(struct oci_endpoint *ep, const struct oci_desc *desc, struct err *e)
{
    AUTO_DONE(buf) got = BUF_INIT(BIG);
    struct sink_buf to;
    struct sink_verify verify;
    int r = sink_verify_init(&verify, sink_buf_init(&to, &got), &desc->digest, desc->size, e);
    if (!r)
        r = ep->ops->blob_fetch(ep, desc, &verify.base, e);
    if (!r)
        r = sink_commit(&verify.base, e);
    sink_abort(&verify.base);
    return r;
}

/* An archive with one blob. */
static void make(const struct scratch *s, const char *name, struct bytes data)
{
    struct err e = ERR_INIT;
    AUTO_DONE(place) p;
    assert_ok(place_open(s, name, true, &p, &e));
    assert_ok(push_blob(p.ep, data, &e));
    assert_ok(p.ep->ops->finish(p.ep, &e));
}

static void replaced_while_read(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    struct oci_desc one = desc_of(content(BIG, 1)), two = desc_of(content(BIG, 2));
    make(s, "a.tar", content(BIG, 1));
    make(s, "b.tar", content(BIG, 2));
    AUTO_DONE(place) p;
    assert_ok(place_open(s, "a.tar", false, &p, &e));
    assert_int_equal(renameat(s->fd, "b.tar", s->fd, "a.tar"), 0);
    assert_ok(fetch(p.ep, &one, &e)); /* the one that was opened */
    assert_fails(fetch(p.ep, &two, &e), ERR_NOTFOUND);
    place_done(&p);
    assert_ok(place_open(s, "a.tar", false, &p, &e));
    assert_ok(fetch(p.ep, &two, &e));
    assert_int_equal(truncate(scratch_path(s, "a.tar"), 4096), 0);
    assert_fails(fetch(p.ep, &two, &e), ERR_FORMAT);
    scratch_write(s, "a.tar", content(BIG, 3));
    assert_true(fetch(p.ep, &two, &e) != 0);
    place_done(&p);
    assert_int_equal(open_fds(), fds);
    assert_int_equal(folder_count(s->path), 1);
}

static void without_finish(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    AUTO_DONE(place) p;
    assert_ok(place_open(s, "a.tar", true, &p, &e));
    assert_ok(push_blob(p.ep, content(100, 1), &e));
    assert_false(scratch_has(s, "a.tar"));
    assert_int_equal(folder_count(s->path), 2); /* the folder and its lock */
    place_done(&p);
    assert_int_equal(folder_count(s->path), 0);

    make(s, "a.tar", content(100, 1));
    struct stat before, after;
    assert_int_equal(fstatat(s->fd, "a.tar", &before, 0), 0);
    assert_ok(place_open(s, "a.tar", true, &p, &e));
    assert_ok(push_blob(p.ep, content(100, 2), &e));
    place_done(&p);
    assert_int_equal(fstatat(s->fd, "a.tar", &after, 0), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(folder_count(s->path), 1);
    assert_int_equal(open_fds(), fds);
}

/* Opened to be read, then written to: what was there stays, and is still read. */
static void written_later(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct oci_desc one = desc_of(content(100, 1)), two = desc_of(content(100, 2));
    AUTO_DONE(place) p;
    assert_fails(place_open(s, "a.tar", false, &p, &e), ERR_NOTFOUND);
    place_done(&p);
    make(s, "a.tar", content(100, 1));
    assert_ok(place_open(s, "a.tar", false, &p, &e));
    assert_ok(p.ep->ops->finish(p.ep, &e)); /* nothing to do */
    assert_ok(fetch(p.ep, &one, &e));
    assert_ok(push_blob(p.ep, content(100, 2), &e));
    assert_ok(fetch(p.ep, &one, &e));
    assert_ok(fetch(p.ep, &two, &e));
    assert_ok(p.ep->ops->finish(p.ep, &e));
    place_done(&p);
    assert_ok(place_open(s, "a.tar", false, &p, &e));
    assert_ok(fetch(p.ep, &one, &e));
    assert_ok(fetch(p.ep, &two, &e));
    assert_int_equal(folder_count(s->path), 1);
}

#define WORKERS 4

struct crowd {
    struct oci_endpoint *ep;
    bool push;
};

static int work(void *ctx, size_t i, struct err *e)
{
    struct crowd *c = ctx;
    static const char *const texts[] = {"one", "two", "three", "four", "five", "six", "seven", "eight"};
    struct oci_desc desc = desc_of(bytes_str(texts[i % ARRAY_LEN(texts)]));
    if (c->push)
        return push_blob(c->ep, bytes_str(texts[i % ARRAY_LEN(texts)]), e);
    return fetch(c->ep, &desc, e);
}

static void several_threads(void **state)
{
    const struct scratch *s = *state;
    static const char *const names[] = {"a.tar", "a.tar.gz"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(place) p;
        assert_ok(place_open(s, names[i], true, &p, &e));
        struct crowd c = {p.ep, true};
        assert_ok(parallel_run(64, WORKERS, work, &c, &e));
        assert_ok(p.ep->ops->finish(p.ep, &e));
        place_done(&p);
        assert_ok(place_open(s, names[i], false, &p, &e));
        c = (struct crowd){p.ep, false};
        assert_ok(parallel_run(64, WORKERS, work, &c, &e));
    }
}

static int group_setup(void **state)
{
    (void)state;
    if (!fixture_plugins(plugins))
        return -1;
    plugin_set_folder(plugins);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(replaced_while_read),
        scratch_test(without_finish),
        scratch_test(written_later),
        scratch_test(several_threads),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
