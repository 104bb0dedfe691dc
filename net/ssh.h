/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SSH connections (RFC 4251 to 4254): the server is checked against known_hosts files and never asked about,
 * we are known by a public key only. A connection carries any number of streams, each a plain socket here: to
 * a host behind the server (dial), or to one of its subsystems (net/sftp.h). The library behind it is loaded
 * with the first connection.
 */
#ifndef WAYBILL_NET_SSH_H
#define WAYBILL_NET_SSH_H

#include "base/bytes.h"
#include "base/err.h"

/* What OpenSSH keeps on this machine. Borrowed for as long as a connection; each may be NULL. */
struct net_ssh_env {
    const char *dir;    /* "$HOME/.ssh": config, known_hosts, id_ed25519, id_ecdsa, id_rsa */
    const char *system; /* "/etc/ssh": ssh_config, ssh_known_hosts */
    const char *agent;  /* socket of ssh-agent */
};

struct net_ssh_conf {
    struct net_ssh_env env;
    const char *user;        /* NULL: as the configuration files say, else the name of this process's user */
    const char *host;        /* name, alias of a configuration file, or address */
    uint16_t port;           /* 0: as the configuration files say, else 22 */
    long connect_timeout_ms; /* TCP, and then again for the handshake */
    long io_timeout_ms;      /* how long the server may take to answer a request */
};

#define NET_SSH_CONF_INIT                                    \
    {                                                        \
        .connect_timeout_ms = 15000, .io_timeout_ms = 30000, \
    }

/* ssh://[user@]host[:port] */
struct net_ssh_url {
    char user[64];  /* "" when there is none */
    char host[256]; /* an IPv6 address without its brackets */
    uint16_t port;  /* 0: none */
};

/* net_ssh_url_parse - the authority of a URL whose scheme the caller has cut off: "[user@]host[:port]",
 * whole. Refused: a password, an empty part, characters other than letters, digits and "._-" (so that nothing
 * is taken for an option or a pattern anywhere). Returns 0 or ERR_FORMAT. */
MUST_CHECK int net_ssh_url_parse(struct bytes authority, struct net_ssh_url *ret, struct err *e);

struct net_ssh; /* a connection; served by one thread of its own, used from any */

/* net_ssh_open - connects, checks the server's key, and authenticates: with the keys of the agent, then with
 * those of files that are not encrypted.
 *
 * Configuration files count as libssh reads them (Host, Match, HostName, Port, User, IdentityFile - the last
 * one -, UserKnownHostsFile, GlobalKnownHostsFile, IdentityAgent, Include, algorithms); StrictHostKeyChecking
 * does not. ProxyJump is followed by connections of our own. ProxyCommand and `Match exec` run commands, as
 * with ssh; therefore a file that somebody else may write to is refused, as with ssh.
 *
 * *ret: released with net_ssh_close (takes NULL) when every stream is closed; closing it ends those that are
 * not. Returns 0, ERR_NETWORK (no connection; the server's key is unknown, revoked, or not the one that is
 * known: the message has its fingerprint and the file), ERR_AUTH (no key that the server takes), ERR_CONFIG
 * (configuration file, or no plugin), ERR_NOMEM. */
MUST_CHECK int net_ssh_open(const struct net_ssh_conf *conf, struct net_ssh **ret, struct err *e);
void net_ssh_close(struct net_ssh *ssh);
DEFINE_AUTO(net_ssh, net_ssh_close);

/* net_ssh_dial - a stream to host:port as the server sees it (RFC 4254 7.2, "direct-tcpip"); names are looked
 * up there. *ret_fd: a connected stream socket (AF_UNIX) that the caller shuts down and closes as any other.
 * Returns 0, ERR_NETWORK (also: the server cannot connect), ERR_AUTH (the server forbids it), ERR_NOMEM. */
MUST_CHECK int net_ssh_dial(struct net_ssh *ssh, const char *host, uint16_t port, int *ret_fd, struct err *e);

/* net_ssh_subsystem - a stream to a subsystem of the server (RFC 4254 6.5), such as "sftp". As net_ssh_dial;
 * ERR_UNSUPPORTED: the server has none of that name. */
MUST_CHECK int net_ssh_subsystem(struct net_ssh *ssh, const char *name, int *ret_fd, struct err *e);

/* net_ssh_failure - 0 while the connection is up; else ERR_NETWORK with what ended it. */
int net_ssh_failure(struct net_ssh *ssh, struct err *e);

#endif
