/* SPDX-License-Identifier: Apache-2.0 */
/* The one symbol of the shared object "ssh"; connections, through others where they have to. */
#include "base/limits.h"
#include "base/log.h"
#include "base/plugin.h"
#include "net/ssh_thread.h"

static int conn_open(const struct net_ssh_conf *conf, struct net_ssh_conn *below, unsigned depth,
                     struct net_ssh_conn **ret, struct err *e);

/* The connection to the last of "user@a:1,b". Each is reached through the one before it. */
static int jump_open(const struct net_ssh_conf *conf, char *jumps, unsigned depth, struct net_ssh_conn **ret,
                     struct err *e)
{
    struct net_ssh_conn *last = NULL;
    if (depth >= LIMIT_SSH_JUMPS)
        return err_set(e, ERR_CONFIG, "SSH: ProxyJump through more than %u servers", LIMIT_SSH_JUMPS);
    for (char *jump; (jump = strsep(&jumps, ",")); depth++) {
        struct net_ssh_conf hop = *conf;
        struct net_ssh_url at;
        int r = net_ssh_url_parse(bytes_str(jump), &at, e);
        if (r == 0) {
            hop.user = at.user[0] ? at.user : NULL;
            hop.host = at.host;
            hop.port = at.port;
            r = conn_open(&hop, TAKE(last), depth + 1, &last, e);
        }
        if (r) {
            net_ssh_conn_close(last);
            return err_wrap(e, "ProxyJump");
        }
    }
    *ret = last;
    return 0;
}

/* Something to speak over: -1 when that is up to ProxyCommand. */
static int way_open(const struct net_ssh_conf *conf, struct net_ssh_target *t, unsigned depth,
                    struct net_ssh_conn **below, int *ret_fd, struct err *e)
{
    int r = 0;
    if (!*below && t->jump)
        r = jump_open(conf, t->jump, depth, below, e);
    if (r)
        return r;
    if (*below)
        return net_ssh_conn_stream(*below, NULL, t->host, t->port, ret_fd, e);
    return t->command ? 0 : net_ssh_tcp(t->host, t->port, conf->connect_timeout_ms, ret_fd, e);
}

/* below: what to go through, which is taken over; NULL: what the configuration says. */
static int conn_open(const struct net_ssh_conf *conf, struct net_ssh_conn *below, unsigned depth,
                     struct net_ssh_conn **ret, struct err *e)
{
    struct net_ssh_target t = {.host = NULL};
    ssh_session session = NULL;
    int fd = -1;
    int r = net_ssh_prepare(conf, &session, e);
    if (r == 0)
        r = net_ssh_target_find(session, &t, e);
    if (r == 0)
        r = way_open(conf, &t, depth, &below, &fd, e);
    if (r == 0)
        r = net_ssh_establish(session, conf, fd, e);
    net_ssh_target_done(&t);
    if (r == 0)
        return net_ssh_conn_start(session, conf, below, ret, e);
    if (session)
        ssh_free(session);
    net_ssh_conn_close(below);
    return r;
}

static int open_plain(const struct net_ssh_conf *conf, struct net_ssh_conn **ret, struct err *e)
{
    return conn_open(conf, NULL, 0, ret, e);
}

static const struct net_ssh_ops ops = {
    .open = open_plain,
    .close = net_ssh_conn_close,
    .stream = net_ssh_conn_stream,
    .failure = net_ssh_conn_failure,
};

PLUGIN_DEFINE("ssh", &ops);
