/* SPDX-License-Identifier: Apache-2.0 */
/* SFTP: against OpenSSH's server on the other end of a pair of sockets, and against servers that lie. */
#include "net/sftp.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/parallel.h"
#include "net/sftp_wire.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define SERVER "/usr/lib/openssh/sftp-server"

/* A server's process, and the stream to it. */
struct server {
    pid_t pid;
    struct net_sftp *sftp;
};

static void server_start(struct server *v)
{
    int pair[2];
    struct err e = ERR_INIT;
    posix_spawn_file_actions_t actions;
    char program[] = SERVER;
    char *const argv[] = {program, NULL};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, pair[1], 0), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, pair[1], 1), 0);
    assert_int_equal(posix_spawn(&v->pid, SERVER, &actions, NULL, argv, NULL), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(pair[1]);
    assert_ok(net_sftp_open_fd(pair[0], 10000, &v->sftp, &e));
}

static void server_stop(struct server *v)
{
    net_sftp_close(v->sftp);
    (void)waitpid(v->pid, NULL, 0);
}

#define NEED_SERVER                \
    if (access(SERVER, X_OK) != 0) \
    skip_because("sftp-server (openssh-sftp-server) is not installed")

static void put_file(struct net_sftp *s, const char *path, size_t n)
{
    struct err e = ERR_INIT;
    struct net_sftp_file *f = NULL;
    uint8_t buf[10007];
    assert_ok(
        net_sftp_file_open(s, path, NET_SFTP_WRITE | NET_SFTP_CREATE | NET_SFTP_TRUNCATE, 0644, &f, &e));
    for (size_t done = 0; done < n;) {
        size_t k = n - done < sizeof(buf) ? n - done : sizeof(buf);
        for (size_t i = 0; i < k; i++)
            buf[i] = (uint8_t)((done + i) * 7 >> 2);
        assert_ok(net_sftp_write(f, bytes_of(buf, k), &e));
        done += k;
    }
    assert_ok(net_sftp_sync(f, &e));
    assert_ok(net_sftp_file_close(f, &e));
}

static int check_file(struct net_sftp *s, const char *path, size_t n, size_t step, struct err *e)
{
    struct net_sftp_file *f = NULL;
    AUTO_FREE uint8_t *buf = malloc(step);
    size_t done = 0, got = 1;
    int r = buf ? net_sftp_file_open(s, path, NET_SFTP_READ, 0, &f, e) : err_nomem(e);
    if (r)
        return r;
    while (r == 0 && got > 0) {
        r = net_sftp_read(f, buf, step, &got, e);
        for (size_t i = 0; r == 0 && i < got; i++)
            if (buf[i] != (uint8_t)((done + i) * 7 >> 2))
                r = err_set(e, ERR_OTHER, "wrong at %zu", done + i);
        done += got;
    }
    if (r == 0 && done != n)
        r = err_set(e, ERR_OTHER, "%zu bytes", done);
    net_sftp_file_drop(f);
    return r;
}

static void test_files(void **state)
{
    static const size_t sizes[] = {0, 1, 32767, 32768, 32769, 5U << 20};
    struct scratch *s = *state;
    struct server v;
    struct err e = ERR_INIT;
    struct net_sftp_attr attr;
    struct net_sftp_file *f = NULL;
    uint8_t buf[64];
    size_t n;
    NEED_SERVER;
    server_start(&v);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        put_file(v.sftp, scratch_path(s, "f"), sizes[i]);
        assert_ok(check_file(v.sftp, scratch_path(s, "f"), sizes[i], 1000, &e));
        assert_ok(check_file(v.sftp, scratch_path(s, "f"), sizes[i], 1U << 20, &e));
        assert_ok(net_sftp_stat(v.sftp, scratch_path(s, "f"), true, &attr, &e));
        assert_int_equal(attr.size, sizes[i]);
        assert_int_equal(attr.kind, NET_SFTP_REGULAR);
    }
    assert_ok(net_sftp_file_open(v.sftp, scratch_path(s, "f"), NET_SFTP_READ, 0, &f, &e));
    assert_ok(net_sftp_pread(f, 4000000, buf, sizeof(buf), &n, &e));
    assert_int_equal(n, sizeof(buf));
    assert_int_equal(buf[1], (uint8_t)(4000001ULL * 7 >> 2));
    assert_ok(net_sftp_read(f, buf, sizeof(buf), &n, &e));
    assert_int_equal(buf[0], (uint8_t)(4000064ULL * 7 >> 2));
    net_sftp_seek(f, 3);
    assert_ok(net_sftp_read(f, buf, 1, &n, &e));
    assert_int_equal(buf[0], (uint8_t)(3 * 7 >> 2));
    assert_ok(net_sftp_pread(f, 5U << 20, buf, sizeof(buf), &n, &e));
    assert_int_equal(n, 0);
    assert_ok(net_sftp_file_stat(f, &attr, &e));
    assert_int_equal(attr.size, 5U << 20);
    assert_ok(net_sftp_write(f, BYTES_LIT("x"), &e)); /* it was opened for reading: the answer comes later */
    assert_true(net_sftp_flush(f, &e) != 0);
    net_sftp_file_drop(f);
    server_stop(&v);
}

static int count_names(void *ctx, const char *name, const struct net_sftp_attr *attr, struct err *e)
{
    (void)e;
    *(int *)ctx += strcmp(name, "one") == 0 ? 1 : strcmp(name, "two") == 0 && attr->size == 3 ? 10 : 100;
    return 0;
}

static int refuse_name(void *ctx, const char *name, const struct net_sftp_attr *attr, struct err *e)
{
    (void)ctx, (void)name, (void)attr;
    return err_set(e, ERR_LIMIT, "enough");
}

static void test_names(void **state)
{
    struct scratch *s = *state;
    struct server v;
    struct err e = ERR_INIT;
    struct net_sftp_attr attr;
    struct net_sftp_file *f = NULL;
    char dir[PATH_MAX], one[PATH_MAX], two[PATH_MAX];
    int names = 0;
    NEED_SERVER;
    server_start(&v);
    (void)snprintf(dir, sizeof(dir), "%s/d", s->path);
    (void)snprintf(one, sizeof(one), "%s/d/one", s->path);
    (void)snprintf(two, sizeof(two), "%s/d/two", s->path);
    assert_fails(net_sftp_stat(v.sftp, dir, true, &attr, &e), ERR_NOTFOUND);
    assert_fails(net_sftp_list(v.sftp, dir, count_names, &names, &e), ERR_NOTFOUND);
    assert_ok(net_sftp_mkdir(v.sftp, dir, 0755, &e));
    assert_fails(net_sftp_mkdir(v.sftp, dir, 0755, &e), ERR_EXISTS);
    assert_fails(net_sftp_mkdir(v.sftp, scratch_path(s, "no/d"), 0755, &e), ERR_NOTFOUND);
    put_file(v.sftp, one, 3);
    put_file(v.sftp, two, 5);
    assert_fails(
        net_sftp_file_open(v.sftp, one, NET_SFTP_WRITE | NET_SFTP_CREATE | NET_SFTP_NEW, 0644, &f, &e),
        ERR_EXISTS);
    assert_fails(net_sftp_file_open(v.sftp, scratch_path(s, "no"), NET_SFTP_READ, 0, &f, &e), ERR_NOTFOUND);
    assert_ok(net_sftp_rename(v.sftp, one, two, &e));
    assert_fails(net_sftp_stat(v.sftp, one, true, &attr, &e), ERR_NOTFOUND);
    assert_int_equal(symlink("two", one), 0);
    assert_ok(net_sftp_stat(v.sftp, one, false, &attr, &e));
    assert_int_equal(attr.kind, NET_SFTP_LINK);
    assert_ok(net_sftp_stat(v.sftp, one, true, &attr, &e));
    assert_int_equal(attr.kind, NET_SFTP_REGULAR);
    assert_ok(net_sftp_list(v.sftp, dir, count_names, &names, &e));
    assert_int_equal(names, 11);
    assert_fails(net_sftp_list(v.sftp, dir, refuse_name, NULL, &e), ERR_LIMIT);
    assert_fails(net_sftp_rmdir(v.sftp, dir, &e), ERR_IO);
    assert_ok(net_sftp_unlink(v.sftp, one, &e));
    assert_ok(net_sftp_unlink(v.sftp, two, &e));
    assert_ok(net_sftp_rmdir(v.sftp, dir, &e));
    server_stop(&v);
}

struct job {
    struct net_sftp *sftp;
    const struct scratch *s;
};

/* Even ones write, odd ones read: all of it on one stream. */
static int one_job(void *ctx, size_t i, struct err *e)
{
    const struct job *job = ctx;
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", job->s->path, i % 2 ? "in" : "out");
    if (i % 2)
        return check_file(job->sftp, path, 8U << 20, 100000, e);
    (void)snprintf(path, sizeof(path), "%s/out%zu", job->s->path, i);
    put_file(job->sftp, path, 8U << 20);
    return check_file(job->sftp, path, 8U << 20, 100000, e);
}

static void test_threads(void **state)
{
    struct scratch *s = *state;
    struct server v;
    struct err e = ERR_INIT;
    NEED_SERVER;
    server_start(&v);
    put_file(v.sftp, scratch_path(s, "in"), 8U << 20);
    struct job job = {v.sftp, s};
    assert_ok(parallel_run(8, 4, one_job, &job, &e));
    server_stop(&v);
}

/* The server is killed while much is on its way. */
static void test_server_dies(void **state)
{
    struct scratch *s = *state;
    struct server v;
    struct err e = ERR_INIT;
    struct net_sftp_file *f = NULL;
    struct net_sftp_attr attr;
    AUTO_FREE uint8_t *buf = calloc(1, 1U << 20);
    int r = 0;
    NEED_SERVER;
    assert_non_null(buf);
    server_start(&v);
    assert_ok(
        net_sftp_file_open(v.sftp, scratch_path(s, "f"), NET_SFTP_WRITE | NET_SFTP_CREATE, 0644, &f, &e));
    assert_ok(net_sftp_write(f, bytes_of(buf, 1U << 20), &e));
    assert_int_equal(kill(v.pid, SIGKILL), 0);
    for (int i = 0; i < 1000 && r == 0; i++)
        r = net_sftp_write(f, bytes_of(buf, 1U << 20), &e);
    assert_fails(r, ERR_NETWORK);
    assert_fails(net_sftp_stat(v.sftp, "/", true, &attr, &e), ERR_NETWORK);
    assert_fails(net_sftp_file_close(f, &e), ERR_NETWORK);
    server_stop(&v);
}

/* A server that says what it is told to and then ends. */
static int scripted(struct bytes script, long timeout_ms, bool end, int *ret_other, struct net_sftp **ret,
                    struct err *e)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(write(pair[1], script.ptr, script.len), script.len);
    if (end)
        (void)shutdown(pair[1], SHUT_WR);
    int r = net_sftp_open_fd(pair[0], timeout_ms, ret, e);
    if (r)
        (void)close(pair[1]);
    else
        *ret_other = pair[1];
    return r;
}

#define VERSION "\0\0\0\5\2\0\0\0\3"

static void test_greetings(void **state)
{
    struct err e = ERR_INIT;
    struct net_sftp *s = NULL;
    int other = -1;
    (void)state;
    assert_fails(scripted(BYTES_NONE, 50, true, &other, &s, &e), ERR_NETWORK);
    assert_fails(scripted(BYTES_NONE, 50, false, &other, &s, &e), ERR_NETWORK);
    assert_fails(scripted(BYTES_LIT("SSH-2.0-x\r\n"), 50, true, &other, &s, &e), ERR_IO);
    assert_fails(scripted(BYTES_LIT("\0\0\0\0"), 50, true, &other, &s, &e), ERR_IO);
    assert_fails(scripted(BYTES_LIT("\0\0\0\5\2\0\0\0\6"), 50, true, &other, &s, &e), ERR_UNSUPPORTED);
    assert_fails(scripted(BYTES_LIT("\0\0\0\5\x65\0\0\0\3"), 50, true, &other, &s, &e), ERR_IO);
    assert_fails(scripted(BYTES_LIT("\0\0\0\4\2\0\0\0"), 50, true, &other, &s, &e), ERR_IO);
    assert_fails(scripted(BYTES_LIT("\x7f\xff\xff\xff\2"), 50, true, &other, &s, &e), ERR_IO);
    /* without the extensions: no rename that would not replace, no fsync that is none */
    assert_ok(scripted(BYTES_LIT(VERSION), 50, false, &other, &s, &e));
    assert_fails(net_sftp_rename(s, "a", "b", &e), ERR_UNSUPPORTED);
    net_sftp_close(s);
    (void)close(other);
}

static void test_lies(void **state)
{
    static const struct {
        struct bytes answer;
        int want;
    } lies[] = {
        {{(const uint8_t *)"\0\0\0\5\x69\0\0\0\x09", 9}, ERR_IO},                /* another id */
        {{(const uint8_t *)"\0\0\0\1\x69", 5}, ERR_IO},                          /* no id */
        {{(const uint8_t *)"\0\0\0\5\x69\0\0\0\1", 9}, ERR_IO},                  /* no attributes */
        {{(const uint8_t *)"\0\0\0\x09\x65\0\0\0\1\0\0\0\0", 13}, ERR_IO},       /* success */
        {{(const uint8_t *)"\0\0\0\x09\x65\0\0\0\1\0\0\0\2", 13}, ERR_NOTFOUND}, /* no words */
        {{(const uint8_t *)"\0\0\0\x09\x65\0\0\0\1\0\0\0\3", 13}, ERR_AUTH},
        {{(const uint8_t *)"\0\0\0\x09\x65\0\0\0\1\0\0\0\7", 13}, ERR_NETWORK},
        {{(const uint8_t *)"\0\0\0\x09\x65\0\0\0\1\0\0\0\x08", 13}, ERR_UNSUPPORTED},
        {{(const uint8_t *)"\0\0\0\x09\x69\0\0\0\1\0\0\0\1", 13}, ERR_IO}, /* size cut off */
        {{(const uint8_t *)"\0\0\0\x0d\x69\0\0\0\1\x80\0\0\0\xff\xff\xff\xff", 17}, ERR_IO}, /* extended */
        {{(const uint8_t *)"\0\0\0\5\x69\0\0", 7}, ERR_NETWORK},                             /* cut off */
        {{(const uint8_t *)"\0\x7f\0\0\x69", 5}, ERR_IO},                                    /* too long */
    };
    struct err e = ERR_INIT;
    struct net_sftp_attr attr;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct net_sftp *s = NULL;
        int other = -1;
        assert_ok(scripted(BYTES_LIT(VERSION), 200, false, &other, &s, &e));
        assert_int_equal(write(other, lies[i].answer.ptr, lies[i].answer.len), lies[i].answer.len);
        (void)shutdown(other, SHUT_WR);
        assert_fails(net_sftp_stat(s, "x", true, &attr, &e), lies[i].want);
        net_sftp_close(s);
        (void)close(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_files),       scratch_test(test_names),         scratch_test(test_threads),
        scratch_test(test_server_dies), cmocka_unit_test(test_greetings), cmocka_unit_test(test_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
