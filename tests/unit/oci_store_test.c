/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/store.h"
#include "tests/unit/unit.h"

#include <sys/wait.h>

static struct digest digest_of(struct bytes data)
{
    struct err e = ERR_INIT;
    struct digest d;
    assert_ok(hash_bytes(HASH_SHA256, data, &d, &e));
    return d;
}

static const char *blob_name(const struct digest *d)
{
    static char name[DIGEST_STR_MAX + 32];
    char hex[DIGEST_STR_MAX];
    (void)snprintf(name, sizeof(name), "st/blobs/sha256/%s", digest_hex(d, hex));
    return name;
}

static struct oci_store open_store(const struct scratch *s)
{
    struct err e = ERR_INIT;
    struct oci_store store = OCI_STORE_INIT;
    assert_ok(oci_store_open(scratch_path(s, "st"), &store, &e));
    return store;
}

static mode_t mode_of(const struct scratch *s, const char *name)
{
    struct stat st;
    assert_int_equal(fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    return st.st_mode & 07777;
}

static void opens(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    struct oci_store store = OCI_STORE_INIT;
    mode_t mask = umask(0);
    assert_ok(oci_store_open(scratch_path(s, "a/b/st"), &store, &e));
    assert_int_equal(mode_of(s, "a/b/st"), 0700);
    assert_int_equal(mode_of(s, "a"), 0700);
    oci_store_done(&store);
    assert_int_equal(store.root, -1);
    oci_store_done(&store);
    (void)umask(mask);

    scratch_write(s, "file", BYTES_NONE);
    assert_int_equal(symlinkat("a/b/st", s->fd, "link"), 0);
    assert_int_equal(mkdirat(s->fd, "open", 0700), 0);
    assert_int_equal(fchmodat(s->fd, "open", 0777, 0), 0);
    static const char *const refused[] = {"file", "link", "open"};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        assert_fails(oci_store_open(scratch_path(s, refused[i]), &store, &e), ERR_CONFIG);
        assert_non_null(strstr(e.msg, refused[i]));
        assert_int_equal(store.root, -1);
    }
    assert_int_equal(open_fds(), fds);
}

static void foreign_owner(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct oci_store store = open_store(s);
    oci_store_done(&store);
    if (fchownat(s->fd, "st", 12345, (gid_t)-1, 0) < 0)
        skip_because("a foreign owner can be made by root only");
    assert_fails(oci_store_open(scratch_path(s, "st"), &store, &e), ERR_CONFIG);
}

static void round_trip(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    struct oci_store store = open_store(s);
    struct digest d = digest_of(BYTES_LIT("blob"));
    AUTO_DONE(buf) out = BUF_INIT(100);
    int fd = -7;
    assert_fails(oci_store_get(&store, &d, 4, &fd, &e), ERR_NOTFOUND);
    assert_fails(oci_store_read(&store, &d, &out, &e), ERR_NOTFOUND);
    assert_ok(oci_store_put_bytes(&store, &d, BYTES_LIT("blob"), &e));
    assert_int_equal(mode_of(s, blob_name(&d)), 0600);
    assert_int_equal(mode_of(s, "st/blobs/sha256"), 0700);
    assert_ok(oci_store_get(&store, &d, 4, &fd, &e));
    (void)close(fd);
    fd = -7;
    assert_fails(oci_store_get(&store, &d, 5, &fd, &e), ERR_NOTFOUND);
    assert_int_equal(fd, -7);
    assert_ok(oci_store_read(&store, &d, &out, &e));
    assert_string_equal(buf_cstr(&out), "blob");
    assert_fails(oci_store_put_bytes(&store, &d, BYTES_LIT("blub"), &e), ERR_DIGEST);
    assert_true(scratch_holds(s, blob_name(&d), BYTES_LIT("blob")));
    oci_store_done(&store);
    assert_int_equal(open_fds(), fds);
}

static void keeps_descriptor(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    struct oci_store store = open_store(s);
    struct digest d = digest_of(BYTES_LIT("blob"));
    struct oci_cas_put put;
    int kept = -1;
    assert_ok(oci_store_put_init(&store, &put, &d, 4, &kept, &e));
    assert_ok(sink_write(&put.verify.base, BYTES_LIT("blob"), &e));
    assert_ok(sink_commit(&put.verify.base, &e));
    sink_abort(&put.verify.base);
    assert_true(kept >= 0);
    assert_ok(oci_cas_check(kept, &d, &e));
    (void)close(kept);
    kept = -1;
    assert_ok(oci_store_put_init(&store, &put, &d, 4, &kept, &e));
    assert_ok(sink_write(&put.verify.base, BYTES_LIT("blub"), &e));
    assert_fails(sink_commit(&put.verify.base, &e), ERR_DIGEST);
    sink_abort(&put.verify.base);
    assert_int_equal(kept, -1);
    oci_store_done(&store);
    assert_int_equal(open_fds(), fds);
}

/* Whatever is in a blob's place, it counts as absent, nothing of it is given out, and a put mends it. */
static void damaged_is_absent(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct oci_store store = open_store(s);
    struct digest d = digest_of(BYTES_LIT("blob"));
    AUTO_DONE(buf) out = BUF_INIT(100);
    assert_ok(oci_store_put_bytes(&store, &d, BYTES_LIT("blob"), &e));
    const struct bytes wrong[] = {BYTES_LIT("blub"), BYTES_LIT("blo"), BYTES_NONE,
                                  BYTES_LIT("blob and more")};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        scratch_write(s, blob_name(&d), wrong[i]);
        assert_fails(oci_store_read(&store, &d, &out, &e), ERR_NOTFOUND);
        assert_int_equal(out.len, 0);
        int fd = -1;
        int r = oci_store_get(&store, &d, 4, &fd, &e);
        assert_int_equal(r, wrong[i].len == 4 ? 0 : ERR_NOTFOUND);
        if (!r)
            (void)close(fd);
        assert_ok(oci_store_put_bytes(&store, &d, BYTES_LIT("blob"), &e));
        assert_true(scratch_holds(s, blob_name(&d), BYTES_LIT("blob")));
    }
    int fd = -1;
    scratch_write(s, "elsewhere", BYTES_LIT("blob"));
    assert_int_equal(unlinkat(s->fd, blob_name(&d), 0), 0);
    assert_int_equal(symlinkat("../../../elsewhere", s->fd, blob_name(&d)), 0);
    assert_fails(oci_store_get(&store, &d, 4, &fd, &e), ERR_NOTFOUND);
    assert_fails(oci_store_read(&store, &d, &out, &e), ERR_NOTFOUND);
    assert_ok(oci_store_put_bytes(&store, &d, BYTES_LIT("blob"), &e));
    assert_ok(oci_store_read(&store, &d, &out, &e));
    oci_store_done(&store);
}

static void sweeps_what_was_left(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct oci_store store = open_store(s);
    struct digest d = digest_of(BYTES_LIT("blob"));
    assert_ok(oci_store_put_bytes(&store, &d, BYTES_LIT("blob"), &e));
    scratch_write(s, "st/blobs/sha256/.waybill-dead.tmp", BYTES_LIT("half of a bl"));
    scratch_write(s, "st/blobs/sha256/.waybill-live.tmp", BYTES_LIT("half of a bl"));
    const struct timespec then = {.tv_sec = 1000000}, times[2] = {then, then};
    assert_int_equal(utimensat(s->fd, "st/blobs/sha256/.waybill-dead.tmp", times, 0), 0);
    struct oci_cas_put put;
    assert_ok(oci_store_put_init(&store, &put, &d, 4, NULL, &e));
    sink_abort(&put.verify.base);
    assert_false(scratch_has(s, "st/blobs/sha256/.waybill-dead.tmp"));
    assert_true(scratch_has(s, "st/blobs/sha256/.waybill-live.tmp"));
    assert_int_equal(folder_count(scratch_path(s, "st/blobs/sha256")), 2);

    /* once a day */
    scratch_write(s, "st/blobs/sha256/.waybill-dead.tmp", BYTES_LIT("half of a bl"));
    assert_int_equal(utimensat(s->fd, "st/blobs/sha256/.waybill-dead.tmp", times, 0), 0);
    assert_ok(oci_store_put_init(&store, &put, &d, 4, NULL, &e));
    sink_abort(&put.verify.base);
    assert_true(scratch_has(s, "st/blobs/sha256/.waybill-dead.tmp"));
    assert_int_equal(utimensat(s->fd, "st/swept", times, 0), 0);
    assert_ok(oci_store_put_init(&store, &put, &d, 4, NULL, &e));
    sink_abort(&put.verify.base);
    assert_false(scratch_has(s, "st/blobs/sha256/.waybill-dead.tmp"));
    oci_store_done(&store);
}

/* Processes that open, fill and read one store at the same time. */
static void concurrent(void **state)
{
    const struct scratch *s = *state;
    pid_t pids[4];
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i])
            continue;
        struct err e = ERR_INIT;
        struct oci_store store = OCI_STORE_INIT;
        int bad = oci_store_open(scratch_path(s, "st"), &store, &e) != 0;
        for (unsigned n = 0; !bad && n < 30; n++) {
            char text[32];
            (void)snprintf(text, sizeof(text), "blob %u", n);
            struct digest d;
            AUTO_DONE(buf) out = BUF_INIT(100);
            bad = hash_bytes(HASH_SHA256, bytes_str(text), &d, &e) != 0 ||
                  oci_store_put_bytes(&store, &d, bytes_str(text), &e) != 0 ||
                  oci_store_read(&store, &d, &out, &e) != 0 || !bytes_eq_str(buf_bytes(&out), text);
        }
        _exit(bad);
    }
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(folder_count(scratch_path(s, "st/blobs/sha256")), 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(opens),
        scratch_test(foreign_owner),
        scratch_test(round_trip),
        scratch_test(keeps_descriptor),
        scratch_test(damaged_is_absent),
        scratch_test(sweeps_what_was_left),
        scratch_test(concurrent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
