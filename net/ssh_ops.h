/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the front (ssh.c, in the program) and the shared object "ssh":
 *
 *     ssh_plugin.c   its one symbol, and connections through other connections
 *     ssh_connect.c  configuration files and TCP
 *     ssh_login.c    the server's key and ours
 *     ssh_thread.c   the thread that owns a connection, and what others ask it for
 *     ssh_stream.c   one stream: a channel on one side, a socket on the other
 */
#ifndef WAYBILL_NET_SSH_OPS_H
#define WAYBILL_NET_SSH_OPS_H

#include "net/ssh.h"

struct net_ssh_conn;

struct net_ssh_ops {
    int (*open)(const struct net_ssh_conf *conf, struct net_ssh_conn **ret, struct err *e);
    void (*close)(struct net_ssh_conn *c); /* takes NULL */
    /* subsystem: its name, and host and port mean nothing; else NULL. */
    int (*stream)(struct net_ssh_conn *c, const char *subsystem, const char *host, uint16_t port, int *ret_fd,
                  struct err *e);
    int (*failure)(struct net_ssh_conn *c, struct err *e);
};

#endif
