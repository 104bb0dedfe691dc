/* SPDX-License-Identifier: Apache-2.0 */
/* From what the caller knows and the configuration files say to a connection. */
#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "net/ssh_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* libssh writes to stderr where nobody else listens. */
static void on_log(int priority, const char *function, const char *buffer, void *userdata)
{
    char shown[512];
    (void)priority, (void)function, (void)userdata;
    log_debug("%s", text_escape_str(buffer, shown, sizeof(shown)));
}

/* "dir/name", with what libssh would expand in it doubled. */
static int join(const char *dir, const char *name, bool expanded, struct buf *out, struct err *e)
{
    buf_reset(out);
    for (const char *p = dir; *p; p++) {
        buf_append_u8(out, (uint8_t)*p);
        if (expanded && *p == '%')
            buf_append_u8(out, '%');
    }
    buf_printf(out, "/%s", name);
    return buf_check(out, e);
}

/* Whoever may write to a configuration file may run commands as us. Returns 1 when there is none. */
static int config_check(const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR ? 1 : err_set_errno(e, ERR_CONFIG, errno, "%s", path);
    if (S_ISREG(st.st_mode) && (st.st_uid == 0 || st.st_uid == geteuid()) && (st.st_mode & 022) == 0)
        return 0;
    return err_set(e, ERR_CONFIG, "%s: others than you may write to it, or own it", path);
}

static int config_read(ssh_session session, const char *dir, const char *name, struct err *e)
{
    char words[256];
    AUTO_DONE(buf) path = BUF_INIT(8192);
    int r = join(dir, name, false, &path, e);
    if (r == 0)
        r = config_check(buf_cstr(&path), e);
    if (r)
        return r < 0 ? r : 0;
    r = join(dir, name, true, &path, e);
    if (r)
        return r;
    if (ssh_options_parse_config(session, buf_cstr(&path)) != 0)
        return err_set(e, ERR_CONFIG, "%s/%s: %s", dir, name, net_ssh_words(session, words, sizeof(words)));
    return 0;
}

static int set_path(ssh_session session, enum ssh_options_e option, const char *dir, const char *name,
                    struct err *e)
{
    AUTO_DONE(buf) path = BUF_INIT(8192);
    int r = join(dir, name, true, &path, e);
    if (r == 0 && ssh_options_set(session, option, buf_cstr(&path)) != 0)
        r = err_nomem(e);
    return r;
}

/* What configuration files may change. */
static int set_defaults(ssh_session session, const struct net_ssh_conf *conf, struct err *e)
{
    const char *nowhere = "/nonexistent";
    const char *dir = conf->env.dir ? conf->env.dir : nowhere;
    int r = set_path(session, SSH_OPTIONS_KNOWNHOSTS, dir, "known_hosts", e);
    if (r == 0)
        r = set_path(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, conf->env.system ? conf->env.system : nowhere,
                     "ssh_known_hosts", e);
    if (r)
        return r;
    bool process = false;
    if (ssh_options_set(session, SSH_OPTIONS_HOST, conf->host) != 0 ||
        ssh_options_set(session, SSH_OPTIONS_SSH_DIR, dir) != 0 ||
        ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &process) != 0 ||
        (conf->user && ssh_options_set(session, SSH_OPTIONS_USER, conf->user) != 0) ||
        (conf->env.agent && ssh_options_set(session, SSH_OPTIONS_IDENTITY_AGENT, conf->env.agent) != 0))
        return err_nomem(e);
    return 0;
}

/* What they may not. */
static int set_rest(ssh_session session, const struct net_ssh_conf *conf, struct err *e)
{
    const int yes = 1, no = 0, quiet = SSH_LOG_NOLOG;
    const long seconds = conf->connect_timeout_ms / 1000, micros = conf->connect_timeout_ms % 1000 * 1000;
    const unsigned port = conf->port;
    if (ssh_options_set(session, SSH_OPTIONS_STRICTHOSTKEYCHECK, &yes) != 0 ||
        ssh_options_set(session, SSH_OPTIONS_PUBKEY_AUTH, &yes) != 0 ||
        ssh_options_set(session, SSH_OPTIONS_PASSWORD_AUTH, &no) != 0 ||
        ssh_options_set(session, SSH_OPTIONS_KBDINT_AUTH, &no) != 0 ||
        ssh_options_set(session, SSH_OPTIONS_GSSAPI_AUTH, &no) != 0 ||
        ssh_options_set(session, SSH_OPTIONS_LOG_VERBOSITY, &quiet) != 0 ||
        ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &seconds) != 0 ||
        ssh_options_set(session, SSH_OPTIONS_TIMEOUT_USEC, &micros) != 0 ||
        (port && ssh_options_set(session, SSH_OPTIONS_PORT, &port) != 0))
        return err_set(e, ERR_OTHER, "libssh refuses an option");
    return 0;
}

int net_ssh_prepare(const struct net_ssh_conf *conf, ssh_session *ret, struct err *e)
{
    (void)ssh_set_log_callback(on_log);
    ssh_session session = ssh_new();
    if (!session)
        return err_nomem(e);
    int r = set_defaults(session, conf, e);
    if (r == 0 && conf->env.dir)
        r = config_read(session, conf->env.dir, "config", e);
    if (r == 0 && conf->env.system)
        r = config_read(session, conf->env.system, "ssh_config", e);
    if (r == 0)
        r = set_rest(session, conf, e);
    if (r) {
        ssh_free(session);
        return r;
    }
    *ret = session;
    return 0;
}

/* Cuts " -X value" off the front. */
static struct bytes take_flag(struct bytes *text, const char *flag)
{
    struct bytes cut, value = BYTES_NONE;
    if (!bytes_starts(*text, bytes_str(flag)))
        return value;
    (void)bytes_take(text, strlen(flag), &cut);
    size_t n = 0;
    while (n < text->len && text->ptr[n] != ' ')
        n++;
    (void)bytes_take(text, n, &value);
    return value;
}

/* libssh turns ProxyJump into a command that runs ssh. We go there by ourselves: *ret is left alone when the
 * command is of another make. */
static int jump_find(const char *command, char **ret, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(4096);
    struct bytes rest = bytes_str(command), cut;
    if (!bytes_starts(rest, BYTES_LIT("ssh ")))
        return 0;
    (void)bytes_take(&rest, 3, &cut);
    struct bytes user = take_flag(&rest, " -l ");
    struct bytes port = take_flag(&rest, " -p ");
    struct bytes next = take_flag(&rest, " -J ");
    struct bytes way = take_flag(&rest, " -W ");
    if (!bytes_eq_str(way, "'[%h]:%p'") || !bytes_starts(rest, BYTES_LIT(" ")) ||
        memchr(rest.ptr + 1, ' ', rest.len - 1))
        return 0;
    struct bytes host = bytes_of(rest.ptr + 1, rest.len - 1);
    bool v6 = host.len && memchr(host.ptr, ':', host.len);
    if (user.len)
        buf_printf(&out, "%.*s@", BYTES_FMT(user));
    buf_printf(&out, v6 ? "[%.*s]" : "%.*s", BYTES_FMT(host));
    if (port.len)
        buf_printf(&out, ":%.*s", BYTES_FMT(port));
    if (next.len)
        buf_printf(&out, ",%.*s", BYTES_FMT(next));
    int r = buf_check(&out, e);
    if (r == 0)
        *ret = buf_take_str(&out);
    return r;
}

int net_ssh_target_find(ssh_session session, struct net_ssh_target *ret, struct err *e)
{
    struct net_ssh_target t = {.host = NULL};
    unsigned port = 22;
    char *host = NULL, *command = NULL;
    int r = 0;
    (void)ssh_options_get_port(session, &port);
    if (port == 0 || port > UINT16_MAX)
        return err_set(e, ERR_CONFIG, "SSH: no valid port");
    if (ssh_options_get(session, SSH_OPTIONS_HOST, &host) != SSH_OK)
        return err_nomem(e);
    t.port = (uint16_t)port;
    t.host = strdup(host);
    ssh_string_free_char(host);
    if (!t.host)
        return err_nomem(e);
    if (ssh_options_get(session, SSH_OPTIONS_PROXYCOMMAND, &command) == SSH_OK) {
        t.command = true;
        r = jump_find(command, &t.jump, e);
        ssh_string_free_char(command);
    }
    if (r)
        net_ssh_target_done(&t);
    else
        *ret = t;
    return r;
}

void net_ssh_target_done(struct net_ssh_target *t)
{
    free(TAKE(t->host));
    free(TAKE(t->jump));
}

/* Waits for a connection that has begun. Returns 0 or an errno. */
static int connect_wait(int fd, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int64_t left = deadline - net_ssh_now();
    int n = left > 0 ? poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left) : 0;
    int problem = 0;
    socklen_t size = sizeof(problem);
    if (n < 0)
        return errno;
    if (n == 0)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 ? problem : errno;
}

static int connect_one(const struct addrinfo *at, int64_t deadline, int *ret_fd)
{
    const int on = 1;
    AUTO_FD int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
    if (fd < 0)
        return errno;
    if (connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
        int problem = errno == EINPROGRESS || errno == EINTR ? connect_wait(fd, deadline) : errno;
        if (problem)
            return problem;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int net_ssh_tcp(const char *host, uint16_t port, long timeout_ms, int *ret_fd, struct err *e)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char service[8];
    int64_t deadline = net_ssh_now() + timeout_ms;
    (void)snprintf(service, sizeof(service), "%u", port);
    int r = getaddrinfo(host, service, &hints, &list);
    if (r)
        return err_set(e, ERR_NETWORK, "cannot look up %s: %s", host, gai_strerror(r));
    r = EHOSTUNREACH;
    for (const struct addrinfo *at = list; at && r; at = at->ai_next)
        r = connect_one(at, deadline, ret_fd);
    freeaddrinfo(list);
    return r ? err_set_errno(e, ERR_NETWORK, r, "cannot connect to %s:%u", host, port) : 0;
}

int net_ssh_establish(ssh_session session, const struct net_ssh_conf *conf, int fd, struct err *e)
{
    char words[256];
    if (fd >= 0) {
        /* a write that blocked would keep us from reading */
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        if (ssh_options_set(session, SSH_OPTIONS_FD, &fd) != 0) {
            (void)close(fd);
            return err_nomem(e);
        }
    }
    if (ssh_connect(session) != SSH_OK)
        return err_set(e, ERR_NETWORK, "SSH: %s", net_ssh_words(session, words, sizeof(words)));
    return net_ssh_login(session, conf, e);
}
