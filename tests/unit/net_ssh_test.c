/* SPDX-License-Identifier: Apache-2.0 */
/* Names of servers; then streams through OpenSSH's own server: many at once, big ones, both ways, closed in
 * any order. */
#include "net/ssh.h"

#include "base/parallel.h"
#include "base/plugin.h"
#include "tests/registry/fixture.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define SSHD "/usr/sbin/sshd"

static char plugins[PATH_MAX];

static void test_url(void **state)
{
    static const struct {
        const char *text, *user, *host;
        uint16_t port;
    } good[] = {
        {"a", "", "a", 0},       {"me@a.example", "me", "a.example", 0},
        {"a:22", "", "a", 22},   {"m_e.1-2@127.0.0.1:65535", "m_e.1-2", "127.0.0.1", 65535},
        {"[::1]", "", "::1", 0}, {"u@[fe80::1]:2222", "u", "fe80::1", 2222},
    };
    static const char *const bad[] = {
        "",       "@",      "@a",  "u@",   "u:p@a", "a:",  "a:0",   "a:65536", "a:000022", "a:2x",
        "-a",     "-u@a",   "a b", "a/b",  "a;b",   "a$b", "u@v@a", "[::1",    "[]",       "[a]",
        "[::1]x", "[::1]:", "a%b", "u%@a", "\xff",  "a\n", "a:-1",  "a:+1",    "`a`",      "'a'",
    };
    struct err e = ERR_INIT;
    struct net_ssh_url u;
    char longest[300];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_ok(net_ssh_url_parse(bytes_str(good[i].text), &u, &e));
        assert_string_equal(u.user, good[i].user);
        assert_string_equal(u.host, good[i].host);
        assert_int_equal(u.port, good[i].port);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        u.port = 77;
        assert_fails(net_ssh_url_parse(bytes_str(bad[i]), &u, &e), ERR_FORMAT);
        assert_int_equal(u.port, 77);
    }
    assert_fails(net_ssh_url_parse(BYTES_LIT("a\0b"), &u, &e), ERR_FORMAT);
    memset(longest, 'a', sizeof(longest));
    assert_ok(net_ssh_url_parse(bytes_of(longest, sizeof(u.host) - 1), &u, &e));
    assert_fails(net_ssh_url_parse(bytes_of(longest, sizeof(u.host)), &u, &e), ERR_FORMAT);
    longest[sizeof(u.user)] = '@';
    assert_fails(net_ssh_url_parse(bytes_of(longest, 100), &u, &e), ERR_FORMAT);
}

/* A program that is waited for. */
static int run(char *const argv[])
{
    pid_t pid;
    int status;
    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, NULL) != 0)
        return -1;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void write_text(const struct scratch *s, const char *name, const char *text)
{
    scratch_write(s, name, bytes_str(text));
}

static int listen_any(uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

/* sshd, and a host behind it. */
struct world {
    pid_t sshd;
    uint16_t ssh_port, port;
    int listener;
    pthread_t host;
    char dir[PATH_MAX];
};

static bool all_out(int fd, const void *data, size_t n)
{
    const uint8_t *p = data;
    while (n > 0) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k <= 0)
            return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

#define BIG (24U << 20)

/* What a connection's first byte asks for: e(cho), s(ink, then a count), g(ive), h(ang up). */
static void *host_serve(void *ctx)
{
    AUTO_FD int fd = *(int *)ctx;
    AUTO_FREE uint8_t *buf = calloc(1, 65536);
    uint64_t count = 0;
    ssize_t n;
    char what;
    free(ctx);
    if (!buf || recv(fd, &what, 1, 0) != 1 || what == 'h')
        return NULL;
    if (what == 'g')
        for (; count < BIG && all_out(fd, buf, 65536); count += 65536)
            continue;
    else
        while ((n = recv(fd, buf, 65536, 0)) > 0 && (what == 's' || all_out(fd, buf, (size_t)n)))
            count += (uint64_t)n;
    if (what == 's')
        (void)all_out(fd, &count, sizeof(count));
    return NULL;
}

static void *host_run(void *ctx)
{
    const struct world *w = ctx;
    int fd;
    while ((fd = accept(w->listener, NULL, NULL)) >= 0) {
        pthread_t t;
        int *own = malloc(sizeof(*own));
        if (!own)
            return NULL;
        *own = fd;
        if (pthread_create(&t, NULL, host_serve, own) != 0)
            return NULL;
        (void)pthread_detach(t);
    }
    return NULL;
}

static void sshd_start(struct world *w, const struct scratch *s)
{
    char text[2048], command[PATH_MAX];
    int probe = listen_any(&w->ssh_port);
    (void)close(probe);
    (void)mkdir("/run/sshd", 0755);
    (void)snprintf(text, sizeof(text),
                   "ListenAddress 127.0.0.1\nPort %u\nHostKey %s/host\nPidFile none\nAuthorizedKeysFile "
                   "%s/id_ed25519.pub\nStrictModes no\nUsePAM no\nMaxSessions 100\n",
                   w->ssh_port, s->path, s->path);
    write_text(s, "sshd_config", text);
    (void)snprintf(command, sizeof(command), "%s/sshd_config", s->path);
    char program[] = SSHD, foreground[] = "-D", quiet[] = "-q", file[] = "-f";
    char *const argv[] = {program, foreground, quiet, file, command, NULL};
    assert_int_equal(posix_spawn(&w->sshd, SSHD, NULL, NULL, argv, NULL), 0);
}

static void keys_make(struct world *w, const struct scratch *s)
{
    static const char *const names[] = {"host", "id_ed25519"};
    char path[PATH_MAX], text[1024], pub[512] = "";
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", s->path, names[i]);
        char program[] = "/usr/bin/ssh-keygen", q[] = "-q", t[] = "-t", type[] = "ed25519", n[] = "-N",
             none[] = "", f[] = "-f";
        char *const argv[] = {program, q, t, type, n, none, f, path, NULL};
        assert_int_equal(run(argv), 0);
    }
    int fd = openat(s->fd, "host.pub", O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, pub, sizeof(pub) - 1) > 0);
    (void)close(fd);
    sshd_start(w, s);
    (void)snprintf(text, sizeof(text), "[127.0.0.1]:%u %s", w->ssh_port, pub);
    write_text(s, "known_hosts", text);
}

static void world_start(struct world *w, const struct scratch *s)
{
    (void)snprintf(w->dir, sizeof(w->dir), "%s", s->path);
    keys_make(w, s);
    w->listener = listen_any(&w->port);
    assert_int_equal(pthread_create(&w->host, NULL, host_run, w), 0);
}

static void world_stop(struct world *w)
{
    (void)shutdown(w->listener, SHUT_RDWR);
    (void)pthread_join(w->host, NULL);
    (void)close(w->listener);
    (void)kill(w->sshd, SIGTERM);
    (void)waitpid(w->sshd, NULL, 0);
}

/* sshd takes a moment to listen. */
static void open_patiently(const struct world *w, struct net_ssh **ret)
{
    struct err e = ERR_INIT;
    struct net_ssh_conf conf = NET_SSH_CONF_INIT;
    conf.env.dir = w->dir;
    conf.host = "127.0.0.1";
    conf.port = w->ssh_port;
    for (int i = 0; i < 100; i++) {
        if (net_ssh_open(&conf, ret, &e) == 0)
            return;
        (void)poll(NULL, 0, 50);
    }
    fail_msg("%s", e.msg);
}

struct traffic {
    struct net_ssh *ssh;
    uint16_t port;
};

struct writer {
    int fd;
    size_t n;
};

static void *write_pattern(void *ctx)
{
    const struct writer *w = ctx;
    uint8_t buf[9973];
    size_t done = 0;
    while (done < w->n) {
        size_t n = w->n - done < sizeof(buf) ? w->n - done : sizeof(buf);
        for (size_t i = 0; i < n; i++)
            buf[i] = (uint8_t)((done + i) * 31 >> 3);
        if (!all_out(w->fd, buf, n))
            return NULL;
        done += n;
    }
    (void)shutdown(w->fd, SHUT_WR);
    return NULL;
}

/* Everything comes back while more is on its way there, and then the end. */
static int echo(int fd, struct err *e)
{
    struct writer w = {fd, BIG};
    pthread_t t;
    uint8_t buf[16384];
    size_t done = 0;
    bool same = true;
    ssize_t n;
    if (pthread_create(&t, NULL, write_pattern, &w) != 0)
        return err_nomem(e);
    while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
        for (size_t i = 0; i < (size_t)n; i++)
            same = same && buf[i] == (uint8_t)((done + i) * 31 >> 3);
        done += (size_t)n;
    }
    (void)pthread_join(t, NULL);
    return same && done == BIG ? 0 : err_set(e, ERR_OTHER, "%zu bytes came back, right: %d", done, same);
}

static int sink_then_count(int fd, struct err *e)
{
    struct writer w = {fd, BIG};
    uint64_t count = 0;
    (void)write_pattern(&w);
    if (recv(fd, &count, sizeof(count), MSG_WAITALL) == (ssize_t)sizeof(count) && count == BIG)
        return 0;
    return err_set(e, ERR_OTHER, "%llu bytes arrived", (unsigned long long)count);
}

/* Nobody reads what is given: the others must not suffer. */
static int leave_early(int fd, struct err *e)
{
    uint8_t buf[100];
    if (recv(fd, buf, sizeof(buf), 0) <= 0)
        return err_set(e, ERR_OTHER, "nothing is given");
    (void)poll(NULL, 0, 100);
    return 0;
}

static int hung_up(int fd, struct err *e)
{
    char c;
    return recv(fd, &c, 1, 0) <= 0 ? 0 : err_set(e, ERR_OTHER, "somebody speaks");
}

static int one_stream(void *ctx, size_t i, struct err *e)
{
    static const struct {
        char what;
        int (*work)(int fd, struct err *e);
    } kinds[] = {{'e', echo}, {'s', sink_then_count}, {'g', leave_early}, {'h', hung_up}};
    const struct traffic *t = ctx;
    AUTO_FD int fd = -1;
    int r = net_ssh_dial(t->ssh, "127.0.0.1", t->port, &fd, e);
    if (r)
        return r;
    if (!all_out(fd, &kinds[i % ARRAY_LEN(kinds)].what, 1))
        return err_set(e, ERR_OTHER, "the stream is dead");
    return kinds[i % ARRAY_LEN(kinds)].work(fd, e);
}

static void test_streams(void **state)
{
    struct scratch *s = *state;
    struct world w = {.sshd = 0};
    struct net_ssh *ssh = NULL;
    struct err e = ERR_INIT;
    int fd = -1;
    if (access(SSHD, X_OK) != 0)
        skip_because("sshd (openssh-server) is not installed");
    world_start(&w, s);
    open_patiently(&w, &ssh);
    size_t before = open_fds();
    struct traffic t = {ssh, w.port};
    assert_ok(parallel_run(24, 8, one_stream, &t, &e));
    /* ports that nobody listens at; the connection lives on */
    assert_fails(net_ssh_dial(ssh, "127.0.0.1", 1, &fd, &e), ERR_NETWORK);
    assert_fails(net_ssh_subsystem(ssh, "nobody-has-this", &fd, &e), ERR_UNSUPPORTED);
    assert_int_equal(fd, -1);
    assert_int_equal(net_ssh_failure(ssh, &e), 0);
    for (int i = 0; i < 100 && open_fds() > before; i++)
        (void)poll(NULL, 0, 20);
    assert_true(open_fds() <= before);
    /* closed under a stream: its end, and no hanging */
    assert_ok(net_ssh_dial(ssh, "127.0.0.1", w.port, &fd, &e));
    assert_true(all_out(fd, "g", 1));
    net_ssh_close(ssh);
    uint8_t buf[65536];
    while (recv(fd, buf, sizeof(buf), 0) > 0)
        continue;
    (void)close(fd);
    world_stop(&w);
}

/* The server goes away under streams and under whoever asks for one. */
static void test_server_dies(void **state)
{
    struct scratch *s = *state;
    struct world w = {.sshd = 0};
    struct net_ssh *ssh = NULL;
    struct err e = ERR_INIT;
    char path[64], pids[64] = "", c;
    int fd = -1;
    if (access(SSHD, X_OK) != 0)
        skip_because("sshd (openssh-server) is not installed");
    world_start(&w, s);
    open_patiently(&w, &ssh);
    assert_ok(net_ssh_dial(ssh, "127.0.0.1", w.port, &fd, &e));
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", w.sshd, w.sshd);
    int list = open(path, O_RDONLY | O_CLOEXEC);
    if (list < 0 || read(list, pids, sizeof(pids) - 1) <= 0) {
        if (list >= 0)
            (void)close(list);
        print_message("# the kernel does not list children: sshd is not killed\n");
    } else {
        (void)close(list);
        assert_int_equal(kill((pid_t)strtol(pids, NULL, 10), SIGKILL), 0);
        assert_true(recv(fd, &c, 1, 0) <= 0);
        for (int i = 0; i < 100 && !net_ssh_failure(ssh, &e); i++)
            (void)poll(NULL, 0, 20);
        assert_int_equal(net_ssh_failure(ssh, &e), ERR_NETWORK);
        int other = -1;
        assert_fails(net_ssh_dial(ssh, "127.0.0.1", w.port, &other, &e), ERR_NETWORK);
    }
    (void)close(fd);
    net_ssh_close(ssh);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_url),
        scratch_test(test_streams),
        scratch_test(test_server_dies),
    };
    if (!fixture_plugins(plugins))
        return 1;
    plugin_set_folder(plugins);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
