/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/partial.h"
#include "tests/unit/unit.h"

#include <sys/file.h>

#define TEXT "a blob that arrives in pieces"

static struct digest wanted(void)
{
    struct err e = ERR_INIT;
    struct digest d;
    assert_ok(hash_bytes(HASH_SHA256, BYTES_LIT(TEXT), &d, &e));
    return d;
}

static const char *name_in(const char *folder, const char *between)
{
    static char name[DIGEST_STR_MAX + 64];
    struct digest d = wanted();
    char hex[DIGEST_STR_MAX];
    (void)snprintf(name, sizeof(name), "st/%s/sha256%s%s", folder, between, digest_hex(&d, hex));
    return name;
}

static const char *partial_name(void)
{
    return name_in("partial", "-");
}

static struct oci_store open_store(const struct scratch *s)
{
    struct err e = ERR_INIT;
    struct oci_store store = OCI_STORE_INIT;
    assert_ok(oci_store_open(scratch_path(s, "st"), &store, &e));
    return store;
}

static struct oci_partial *open_partial(struct oci_store *store)
{
    struct err e = ERR_INIT;
    struct oci_partial *p = NULL;
    struct digest d = wanted();
    assert_ok(oci_partial_open(store, &d, strlen(TEXT), &p, &e));
    return p;
}

static void add(struct oci_partial *p, const char *text)
{
    struct err e = ERR_INIT;
    assert_ok(sink_write(oci_partial_sink(p), bytes_str(text), &e));
}

static void taken_up(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    struct oci_store store = open_store(s);
    struct oci_partial *p = open_partial(&store);
    assert_int_equal(oci_partial_have(p), 0);
    add(p, "a blob ");
    assert_fails(oci_partial_check(p, &e), ERR_DIGEST);
    oci_partial_close(p);
    assert_true(scratch_holds(s, partial_name(), BYTES_LIT("a blob ")));
    p = open_partial(&store);
    assert_int_equal(oci_partial_have(p), 7);
    add(p, "that arrives in pieces");
    assert_fails(sink_write(oci_partial_sink(p), BYTES_LIT("!"), &e), ERR_DIGEST);
    assert_ok(oci_partial_check(p, &e));
    int fd = -1;
    assert_ok(oci_partial_keep(p, &fd, &e));
    assert_true(fd >= 0);
    (void)close(fd);
    oci_partial_close(p);
    assert_false(scratch_has(s, partial_name()));
    assert_true(scratch_holds(s, name_in("blobs", "/"), BYTES_LIT(TEXT)));
    oci_store_done(&store);
    assert_int_equal(open_fds(), fds);
}

static void one_at_a_time(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct oci_store store = open_store(s);
    struct oci_partial *p = open_partial(&store), *other = NULL;
    struct digest d = wanted();
    assert_fails(oci_partial_open(&store, &d, strlen(TEXT), &other, &e), ERR_EXISTS);
    assert_null(other);
    oci_partial_close(p);
    oci_partial_close(open_partial(&store));
    oci_store_done(&store);
}

static void begun_anew(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct oci_store store = open_store(s);
    struct oci_partial *p = open_partial(&store);
    add(p, "a blob that is something else");
    assert_fails(oci_partial_check(p, &e), ERR_DIGEST);
    assert_ok(oci_partial_restart(p, &e));
    assert_int_equal(oci_partial_have(p), 0);
    add(p, TEXT);
    assert_ok(oci_partial_check(p, &e));
    oci_partial_drop(p);
    oci_partial_close(p);
    assert_false(scratch_has(s, partial_name()));
    scratch_write(s, partial_name(), BYTES_LIT(TEXT " and more"));
    assert_int_equal(fchmodat(s->fd, partial_name(), 0600, 0), 0);
    p = open_partial(&store);
    assert_int_equal(oci_partial_have(p), 0);
    oci_partial_close(p);
    oci_store_done(&store);
}

static void becomes_a_file(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    struct oci_store store = open_store(s);
    static const enum file_existing all[] = {FILE_REPLACE, FILE_REFUSE, FILE_REPLACE};
    mode_t mask = umask(027);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct oci_partial *p = open_partial(&store);
        struct sink_file out;
        struct stat st;
        bool taken = false;
        const char *name = i == 1 ? "second" : "out";
        add(p, TEXT);
        assert_ok(oci_partial_check(p, &e));
        assert_ok(sink_file_init(&out, s->fd, name, 0666, all[i], &e));
        assert_ok(oci_partial_take(p, &out, &taken, &e));
        assert_true(taken);
        oci_partial_close(p);
        assert_false(scratch_has(s, partial_name()));
        assert_ok(sink_commit(&out.base, &e));
        sink_abort(&out.base);
        assert_true(scratch_holds(s, name, BYTES_LIT(TEXT)));
        assert_int_equal(fstatat(s->fd, name, &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_int_equal(st.st_nlink, 1);
    }
    (void)umask(mask);
    assert_int_equal(folder_count(s->path), 3);
    oci_store_done(&store);
    assert_int_equal(open_fds(), fds);
}

/* Big enough for a thread that hashes while bytes arrive; the pieces are of odd sizes. */
static void hashed_beside(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    enum { SIZE = 9 << 20 };
    AUTO_FREE uint8_t *noise = malloc(SIZE);
    assert_non_null(noise);
    for (size_t i = 0; i < SIZE; i++)
        noise[i] = (uint8_t)((i * 2654435761U) >> 13);
    size_t fds = open_fds(), cut = 3333333;
    struct oci_store store = open_store(s);
    struct oci_partial *p = NULL;
    struct digest d;
    assert_ok(hash_bytes(HASH_SHA256, bytes_of(noise, SIZE), &d, &e));
    for (unsigned turn = 0; turn < 3; turn++) {
        assert_ok(oci_partial_open(&store, &d, SIZE, &p, &e));
        size_t at = (size_t)oci_partial_have(p);
        assert_int_equal(at, turn == 2 ? cut : 0);
        for (size_t n = 1; at < (turn == 1 ? cut : SIZE); at += n) {
            size_t end = turn == 1 ? cut : SIZE;
            n = (at * 7 + 1) % 300000 + 1;
            n = n < end - at ? n : end - at;
            assert_ok(sink_write(oci_partial_sink(p), bytes_of(noise + at, n), &e));
        }
        if (turn == 0) { /* to the start again, with the thread at work */
            assert_ok(oci_partial_restart(p, &e));
            assert_fails(oci_partial_check(p, &e), ERR_DIGEST);
        } else if (turn == 2) {
            assert_ok(oci_partial_check(p, &e));
            assert_ok(oci_partial_keep(p, NULL, &e));
        }
        oci_partial_close(p);
    }
    int fd = -1;
    assert_ok(oci_store_get(&store, &d, SIZE, &fd, &e));
    assert_ok(oci_cas_check(fd, &d, &e));
    (void)close(fd);
    oci_store_done(&store);
    assert_int_equal(open_fds(), fds);
}

static void swept(void **state)
{
    const struct scratch *s = *state;
    struct oci_store store = open_store(s);
    const struct timespec then = {.tv_sec = 1000000}, times[2] = {then, then};
    struct oci_partial *p = open_partial(&store);
    scratch_write(s, "st/partial/sha256-old", BYTES_LIT("x"));
    scratch_write(s, "st/partial/sha256-new", BYTES_LIT("x"));
    assert_int_equal(utimensat(s->fd, "st/partial/sha256-old", times, 0), 0);
    assert_int_equal(utimensat(s->fd, partial_name(), times, 0), 0);
    oci_partial_sweep(&store);
    assert_false(scratch_has(s, "st/partial/sha256-old"));
    assert_true(scratch_has(s, "st/partial/sha256-new"));
    assert_true(scratch_has(s, partial_name())); /* somebody is at it */
    oci_partial_close(p);
    oci_partial_sweep(&store);
    assert_false(scratch_has(s, partial_name()));
    oci_store_done(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(taken_up),       scratch_test(one_at_a_time), scratch_test(begun_anew),
        scratch_test(becomes_a_file), scratch_test(swept),         scratch_test(hashed_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
