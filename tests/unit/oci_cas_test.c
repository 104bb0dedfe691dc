/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/cas.h"
#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <time.h>

static struct digest digest_of(enum hash_alg alg, struct bytes data)
{
    struct err e = ERR_INIT;
    struct digest d;
    assert_ok(hash_bytes(alg, data, &d, &e));
    return d;
}

/* "blobs/sha256/<hex>", in one of two static rooms. */
static const char *blob_name(const struct digest *d)
{
    static char names[2][DIGEST_STR_MAX + 16];
    static unsigned turn;
    char hex[DIGEST_STR_MAX];
    char *out = names[turn++ % 2];
    (void)snprintf(out, sizeof(names[0]), "blobs/%s/%s", hash_name(d->alg), digest_hex(d, hex));
    return out;
}

static size_t blobs_in(const struct scratch *s, const char *alg)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "blobs/%s", alg);
    return folder_count(scratch_path(s, name));
}

static void put_and_open(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    static const enum hash_alg algs[] = {HASH_SHA256, HASH_SHA512};
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        struct digest d = digest_of(algs[i], BYTES_LIT("blob"));
        AUTO_DONE(buf) out = BUF_INIT(4);
        int fd = -7;
        assert_fails(oci_cas_open(s->fd, &d, 4, &fd, &e), ERR_NOTFOUND);
        assert_non_null(strstr(e.msg, "is missing"));
        assert_fails(oci_cas_put_bytes(s->fd, &d, BYTES_LIT("blob"), 0600, false, &e), ERR_NOTFOUND);
        assert_ok(oci_cas_make(s->fd, algs[i], 0700, &e));
        assert_ok(oci_cas_make(s->fd, algs[i], 0700, &e));
        assert_fails(oci_cas_open(s->fd, &d, 4, &fd, &e), ERR_NOTFOUND);
        assert_int_equal(fd, -7);
        for (int again = 0; again < 2; again++)
            assert_ok(oci_cas_put_bytes(s->fd, &d, BYTES_LIT("blob"), 0600, false, &e));
        assert_true(scratch_holds(s, blob_name(&d), BYTES_LIT("blob")));
        assert_ok(oci_cas_read(s->fd, &d, &out, &e));
        assert_string_equal(buf_cstr(&out), "blob");
        assert_ok(oci_cas_open(s->fd, &d, UINT64_MAX, &fd, &e));
        assert_ok(oci_cas_check(fd, &d, &e));
        (void)close(fd);
        assert_fails(oci_cas_open(s->fd, &d, 5, &fd, &e), ERR_DIGEST);
        assert_int_equal(blobs_in(s, hash_name(algs[i])), 1);
    }
    assert_int_equal(open_fds(), fds);
}

static void refuses_wrong_bytes(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    struct digest d = digest_of(HASH_SHA256, BYTES_LIT("blob"));
    struct oci_cas_put put;
    assert_ok(oci_cas_make(s->fd, HASH_SHA256, 0700, &e));
    const struct bytes wrong[] = {BYTES_LIT("blub"), BYTES_LIT("blo"), BYTES_LIT("blobs"), BYTES_NONE};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_fails(oci_cas_put_bytes(s->fd, &d, wrong[i], 0600, false, &e), ERR_DIGEST);
        assert_ok(oci_cas_put_init(&put, s->fd, &d, 4, 0600, &e));
        int r = sink_write(&put.verify.base, wrong[i], &e);
        if (!r)
            r = sink_commit(&put.verify.base, &e);
        assert_fails(r, ERR_DIGEST);
        sink_abort(&put.verify.base);
    }
    assert_ok(oci_cas_put_init(&put, s->fd, &d, 4, 0600, &e));
    assert_ok(sink_write(&put.verify.base, BYTES_LIT("blob"), &e));
    sink_abort(&put.verify.base);
    assert_int_equal(blobs_in(s, "sha256"), 0);
    assert_int_equal(open_fds(), fds);
}

static void damage(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct digest d = digest_of(HASH_SHA256, BYTES_LIT("blob"));
    AUTO_DONE(buf) out = BUF_INIT(100);
    int fd = -1;
    assert_ok(oci_cas_make(s->fd, HASH_SHA256, 0700, &e));
    const struct bytes wrong[] = {BYTES_LIT("blub"), BYTES_LIT("blo"), BYTES_LIT("blobs"), BYTES_NONE};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        scratch_write(s, blob_name(&d), wrong[i]);
        buf_reset(&out);
        assert_fails(oci_cas_read(s->fd, &d, &out, &e), ERR_DIGEST);
        assert_ok(oci_cas_open(s->fd, &d, UINT64_MAX, &fd, &e));
        assert_fails(oci_cas_check(fd, &d, &e), ERR_DIGEST);
        (void)close(fd);
    }
    AUTO_DONE(buf) small = BUF_INIT(3);
    scratch_write(s, blob_name(&d), BYTES_LIT("blob"));
    assert_fails(oci_cas_read(s->fd, &d, &small, &e), ERR_LIMIT);
    /* A put mends what is damaged. */
    scratch_write(s, blob_name(&d), BYTES_LIT("blub"));
    assert_ok(oci_cas_put_bytes(s->fd, &d, BYTES_LIT("blob"), 0600, false, &e));
    assert_true(scratch_holds(s, blob_name(&d), BYTES_LIT("blob")));
}

/* No link on the way to a blob is followed, neither to read nor to write. */
static void links(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    int fd = -7;
    struct digest d = digest_of(HASH_SHA256, BYTES_LIT("blob"));
    scratch_write(s, "elsewhere", BYTES_LIT("blob"));
    assert_ok(oci_cas_make(s->fd, HASH_SHA256, 0700, &e));
    assert_int_equal(symlinkat("../../elsewhere", s->fd, blob_name(&d)), 0);
    assert_fails(oci_cas_open(s->fd, &d, 4, &fd, &e), ERR_IO);
    assert_ok(oci_cas_put_bytes(s->fd, &d, BYTES_LIT("blob"), 0600, false, &e)); /* the link is replaced */
    assert_ok(oci_cas_open(s->fd, &d, 4, &fd, &e));
    (void)close(fd);
    assert_int_equal(unlinkat(s->fd, blob_name(&d), 0), 0);
    assert_int_equal(mkfifoat(s->fd, blob_name(&d), 0600), 0);
    assert_fails(oci_cas_open(s->fd, &d, 4, &fd, &e), ERR_IO);
    assert_fails(oci_cas_put_bytes(s->fd, &d, BYTES_LIT("blob"), 0600, false, &e), ERR_IO);
    assert_int_equal(unlinkat(s->fd, blob_name(&d), 0), 0);

    /* The folders. */
    static const char *const folders[] = {"blobs/sha256", "blobs"};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        assert_int_equal(renameat(s->fd, folders[i], s->fd, "moved"), 0);
        assert_int_equal(symlinkat(i ? "moved" : "../moved", s->fd, folders[i]), 0);
        assert_fails(oci_cas_open(s->fd, &d, 4, &fd, &e), ERR_IO);
        assert_ok(oci_cas_make(s->fd, HASH_SHA256, 0700, &e));
        assert_fails(oci_cas_put_bytes(s->fd, &d, BYTES_LIT("blob"), 0600, false, &e), ERR_IO);
        oci_cas_sweep(s->fd, HASH_SHA256);
        assert_int_equal(unlinkat(s->fd, folders[i], 0), 0);
        assert_int_equal(renameat(s->fd, "moved", s->fd, folders[i]), 0);
    }
    assert_int_equal(blobs_in(s, "sha256"), 0);
    assert_int_equal(open_fds(), fds);
}

static void age(const struct scratch *s, const char *name, time_t seconds)
{
    const struct timespec then = {.tv_sec = time(NULL) - seconds}, times[2] = {then, then};
    assert_int_equal(utimensat(s->fd, name, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* Only what is ours, temporary and old goes. */
static void sweep(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    oci_cas_sweep(s->fd, HASH_SHA256); /* no folder yet */
    assert_ok(oci_cas_make(s->fd, HASH_SHA256, 0700, &e));
    static const struct {
        const char *name;
        time_t age;
        bool stays;
    } files[] = {
        {"blobs/sha256/.waybill-00112233.tmp", 7200, false},
        {"blobs/sha256/.waybill-fresh.tmp", 60, true},
        {"blobs/sha256/.waybill-x", 7200, true},
        {"blobs/sha256/.waybill-", 7200, true},
        {"blobs/sha256/other.tmp", 7200, true},
        {"blobs/sha256/0123", 7200, true},
        {"blobs/.waybill-elsewhere.tmp", 7200, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        scratch_write(s, files[i].name, BYTES_LIT("x"));
        age(s, files[i].name, files[i].age);
    }
    assert_int_equal(mkdirat(s->fd, "blobs/sha256/.waybill-dir.tmp", 0700), 0);
    age(s, "blobs/sha256/.waybill-dir.tmp", 7200);
    oci_cas_sweep(s->fd, HASH_SHA256);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        assert_int_equal(scratch_has(s, files[i].name), files[i].stays);
    assert_true(scratch_has(s, "blobs/sha256/.waybill-dir.tmp"));
    assert_int_equal(open_fds(), fds);
}

/* Several processes put the same blob at once, and one more puts rubbish. */
static void concurrent_puts(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    static uint8_t data[300000];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 13 >> 2);
    struct digest d = digest_of(HASH_SHA256, BYTES_ARR(data));
    assert_ok(oci_cas_make(s->fd, HASH_SHA256, 0700, &e));
    pid_t pids[5];
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i])
            continue;
        int bad = 0;
        if (i == 0)
            data[1000] ^= 1;
        for (int n = 0; n < 20; n++) {
            int r = oci_cas_put_bytes(s->fd, &d, BYTES_ARR(data), 0600, false, &e);
            bad |= r != (i == 0 ? ERR_DIGEST : 0);
            int fd = -1;
            if (i && oci_cas_open(s->fd, &d, sizeof(data), &fd, &e) == 0) {
                bad |= oci_cas_check(fd, &d, &e) != 0;
                (void)close(fd);
            }
        }
        _exit(bad);
    }
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(blobs_in(s, "sha256"), 1);
    assert_true(scratch_holds(s, blob_name(&d), BYTES_ARR(data)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(put_and_open), scratch_test(refuses_wrong_bytes),
        scratch_test(damage),       scratch_test(links),
        scratch_test(sweep),        scratch_test(concurrent_puts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
