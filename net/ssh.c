/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ssh.h"

#include "base/plugin.h"
#include "net/ssh_ops.h"

struct net_ssh {
    const struct net_ssh_ops *ops;
    struct net_ssh_conn *conn;
};

int net_ssh_open(const struct net_ssh_conf *conf, struct net_ssh **ret, struct err *e)
{
    const void *ops;
    int r = plugin_load("ssh", &ops, e);
    if (r)
        return r;
    struct net_ssh *ssh = calloc(1, sizeof(*ssh));
    if (!ssh)
        return err_nomem(e);
    ssh->ops = ops;
    r = ssh->ops->open(conf, &ssh->conn, e);
    if (r) {
        free(ssh);
        return r;
    }
    *ret = ssh;
    return 0;
}

void net_ssh_close(struct net_ssh *ssh)
{
    if (!ssh)
        return;
    ssh->ops->close(ssh->conn);
    free(ssh);
}

int net_ssh_dial(struct net_ssh *ssh, const char *host, uint16_t port, int *ret_fd, struct err *e)
{
    return ssh->ops->stream(ssh->conn, NULL, host, port, ret_fd, e);
}

int net_ssh_subsystem(struct net_ssh *ssh, const char *name, int *ret_fd, struct err *e)
{
    return ssh->ops->stream(ssh->conn, name, NULL, 0, ret_fd, e);
}

int net_ssh_failure(struct net_ssh *ssh, struct err *e)
{
    return ssh->ops->failure(ssh->conn, e);
}
