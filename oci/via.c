/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/via.h"

#include <pthread.h>

/* One connection. Those that ended are kept: somebody may still look at them. */
struct link {
    struct link *next;
    struct net_ssh_url at;
    struct net_ssh *ssh;
};

struct oci_via {
    struct net_ssh_env env;
    pthread_mutex_t lock; /* held while one is opened, too: whoever wants the same one waits for it */
    struct link *links;
};

int oci_via_new(const struct net_ssh_env *env, struct oci_via **ret, struct err *e)
{
    struct oci_via *via = calloc(1, sizeof(*via));
    if (!via)
        return err_nomem(e);
    if (pthread_mutex_init(&via->lock, NULL) != 0) {
        free(via);
        return err_nomem(e);
    }
    via->env = *env;
    *ret = via;
    return 0;
}

void oci_via_free(struct oci_via *via)
{
    if (!via)
        return;
    while (via->links) {
        struct link *l = via->links;
        via->links = l->next;
        net_ssh_close(l->ssh);
        free(l);
    }
    (void)pthread_mutex_destroy(&via->lock);
    free(via);
}

int oci_via_parse(const char *url, struct net_ssh_url *ret, struct err *e)
{
    struct bytes rest = bytes_str(url), scheme;
    if (!bytes_starts(rest, BYTES_LIT("ssh://")))
        return err_set(e, ERR_USAGE, "--via wants ssh://[USER@]HOST[:PORT]");
    (void)bytes_take(&rest, 6, &scheme);
    if (rest.len && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    if (net_ssh_url_parse(rest, ret, e))
        return err_wrap(e, "--via"), err_recode(e, ERR_USAGE);
    return 0;
}

static bool same(const struct net_ssh_url *a, const struct net_ssh_url *b)
{
    return a->port == b->port && strcmp(a->user, b->user) == 0 && strcmp(a->host, b->host) == 0;
}

static int link_open(struct oci_via *via, const struct net_ssh_url *at, struct net_ssh **ret, struct err *e)
{
    struct net_ssh_conf conf = NET_SSH_CONF_INIT;
    conf.env = via->env;
    conf.user = at->user[0] ? at->user : NULL;
    conf.host = at->host;
    conf.port = at->port;
    struct link *l = calloc(1, sizeof(*l));
    if (!l)
        return err_nomem(e);
    int r = net_ssh_open(&conf, &l->ssh, e);
    if (r) {
        free(l);
        return err_wrap(e, "ssh://%s%s%s", at->user, at->user[0] ? "@" : "", at->host);
    }
    l->at = *at;
    l->next = via->links;
    via->links = l;
    *ret = l->ssh;
    return 0;
}

int oci_via_connect(struct oci_via *via, const struct net_ssh_url *at, struct net_ssh **ret, struct err *e)
{
    struct err ended = ERR_INIT;
    int r = 0;
    (void)pthread_mutex_lock(&via->lock);
    struct link *l = via->links;
    while (l && (!same(&l->at, at) || net_ssh_failure(l->ssh, &ended)))
        l = l->next;
    if (l)
        *ret = l->ssh;
    else
        r = link_open(via, at, ret, e);
    (void)pthread_mutex_unlock(&via->lock);
    return r;
}

int oci_via_dial(void *ctx, const char *host, uint16_t port, int *ret_fd, struct err *e)
{
    const struct oci_via_way *way = ctx;
    struct net_ssh *ssh;
    int r = oci_via_connect(way->via, &way->at, &ssh, e);
    return r ? r : net_ssh_dial(ssh, host, port, ret_fd, e);
}
