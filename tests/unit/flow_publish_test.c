/* SPDX-License-Identifier: Apache-2.0 */
/* push, into image layouts. */
#include "flow/publish.h"
#include "tests/unit/unit.h"

#define MODULE "\0asm\1\0\0\0\1\4\1\x60\0\0"

static const struct flow_conf conf = {.endpoint = {.user_agent = "test"}};

static const char *reference(const struct scratch *s, const char *name, const char *rest)
{
    static char text[256];
    (void)snprintf(text, sizeof(text), "oci:%s/%s%s", s->path, name, rest);
    return text;
}

static int push(const struct scratch *s, const char *file, const char *name, const char *rest,
                const struct oci_pair *annotations, size_t n, struct digest *ret, struct err *e)
{
    AUTO_DONE(flow_published) p = {.name = NULL};
    int r = flow_push(&conf, scratch_path(s, file), reference(s, name, rest), annotations, n, &p, e);
    if (!r)
        *ret = p.digest;
    return r;
}

static void reports(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    scratch_write(s, "m.wasm", BYTES_LIT(MODULE));
    for (int again = 0; again < 2; again++) {
        AUTO_DONE(flow_published) p = {.name = NULL};
        assert_ok(flow_push(&conf, scratch_path(s, "m.wasm"), reference(s, "lay", ":v1"), NULL, 0, &p, &e));
        assert_int_equal(p.size, sizeof(MODULE) - 1);
        assert_int_equal(p.existed, again);
        assert_string_equal(p.name, reference(s, "lay", ":v1"));
        assert_string_equal(p.repo, reference(s, "lay", ""));
    }
    AUTO_DONE(flow_published) p = {.name = NULL};
    assert_ok(flow_push(&conf, scratch_path(s, "m.wasm"), reference(s, "lay", ""), NULL, 0, &p, &e));
    assert_string_equal(p.name, reference(s, "lay", ":latest"));
    assert_int_equal(open_fds(), fds);
}

/* The same file and annotations: the same digest, whatever the place, the time, the mode or the order. */
static void reproducible(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    const struct oci_pair ab[] = {{"a", "1"}, {"b", "2"}}, ba[] = {{"b", "2"}, {"a", "1"}};
    struct digest first, second, plain, renamed;
    scratch_write(s, "m.wasm", BYTES_LIT(MODULE));
    assert_int_equal(mkdirat(s->fd, "d", 0755), 0);
    scratch_write(s, "d/m.wasm", BYTES_LIT(MODULE));
    scratch_write(s, "n.wasm", BYTES_LIT(MODULE));
    assert_int_equal(fchmodat(s->fd, "d/m.wasm", 0600, 0), 0);
    const struct timespec then = {.tv_sec = 86400}, times[2] = {then, then};
    assert_int_equal(utimensat(s->fd, "d/m.wasm", times, 0), 0);
    assert_ok(push(s, "m.wasm", "one", ":x", ab, 2, &first, &e));
    assert_ok(push(s, "d/m.wasm", "two", ":y", ba, 2, &second, &e));
    assert_ok(push(s, "m.wasm", "one", ":z", NULL, 0, &plain, &e));
    assert_ok(push(s, "n.wasm", "one", ":z", NULL, 0, &renamed, &e));
    assert_true(digest_eq(&first, &second));
    assert_false(digest_eq(&first, &plain));
    assert_false(digest_eq(&renamed, &plain)); /* the title */
}

static void refuses(void **state)
{
    const struct scratch *s = *state;
    const struct {
        struct bytes content;
        int code;
    } cases[] = {
        {BYTES_NONE, ERR_FORMAT},
        {BYTES_LIT("hello"), ERR_FORMAT},
        {BYTES_LIT("(module)"), ERR_FORMAT},
        {BYTES_LIT(MODULE "\1\1\0"), ERR_FORMAT},
        {BYTES_LIT(MODULE "\2"), ERR_FORMAT},
    };
    struct err e = ERR_INIT;
    struct digest d;
    size_t fds = open_fds();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        scratch_write(s, "bad.wasm", cases[i].content);
        assert_fails(push(s, "bad.wasm", "lay", ":v1", NULL, 0, &d, &e), cases[i].code);
        assert_non_null(strstr(e.msg, "bad.wasm"));
        assert_false(scratch_has(s, "lay"));
    }
    assert_fails(push(s, "none.wasm", "lay", ":v1", NULL, 0, &d, &e), ERR_NOTFOUND);
    assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
    assert_fails(push(s, "fifo", "lay", ":v1", NULL, 0, &d, &e), ERR_IO);
    assert_fails(push(s, ".", "lay", ":v1", NULL, 0, &d, &e), ERR_IO);
    assert_fails(push(s, "bad.wasm", "lay", ":.bad", NULL, 0, &d, &e), ERR_USAGE);
    assert_false(scratch_has(s, "lay"));
    assert_int_equal(open_fds(), fds);
}

/* A digest in the reference is a demand. */
static void wanted_digest(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct digest d, again;
    char text[DIGEST_STR_MAX], rest[DIGEST_STR_MAX + 8];
    scratch_write(s, "m.wasm", BYTES_LIT(MODULE));
    scratch_write(s, "other.wasm", BYTES_LIT(MODULE "\0\1\0"));
    assert_ok(push(s, "m.wasm", "lay", ":v1", NULL, 0, &d, &e));
    (void)snprintf(rest, sizeof(rest), ":v2@%s", digest_str(&d, text));
    assert_ok(push(s, "m.wasm", "lay", rest, NULL, 0, &again, &e));
    assert_true(digest_eq(&d, &again));
    size_t blobs = folder_count(scratch_path(s, "lay/blobs/sha256"));
    assert_fails(push(s, "other.wasm", "lay", rest, NULL, 0, &again, &e), ERR_DIGEST);
    assert_int_equal(folder_count(scratch_path(s, "lay/blobs/sha256")), blobs);
}

/* A damaged blob of the layout is mended by the next push of the same file. */
static void mends(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct digest d;
    scratch_write(s, "m.wasm", BYTES_LIT(MODULE));
    assert_ok(push(s, "m.wasm", "lay", ":v1", NULL, 0, &d, &e));
    struct digest blob;
    char name[DIGEST_STR_MAX + 32], hex[DIGEST_STR_MAX];
    assert_ok(hash_bytes(HASH_SHA256, BYTES_LIT(MODULE), &blob, &e));
    (void)snprintf(name, sizeof(name), "lay/blobs/sha256/%s", digest_hex(&blob, hex));
    scratch_write(s, name, BYTES_LIT("\0asm"));
    assert_ok(push(s, "m.wasm", "lay", ":v1", NULL, 0, &d, &e));
    assert_true(scratch_holds(s, name, BYTES_LIT(MODULE)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(reports),       scratch_test(reproducible), scratch_test(refuses),
        scratch_test(wanted_digest), scratch_test(mends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
