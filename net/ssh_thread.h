/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the shared object "ssh": a connection, its thread and its streams. */
#ifndef WAYBILL_NET_SSH_THREAD_H
#define WAYBILL_NET_SSH_THREAD_H

#include "net/ssh_ops.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

/* What is kept of a stream in each direction, beside what libssh's windows let in. */
#define NET_SSH_STREAM_BUFFER (64U << 10)

enum net_ssh_stream_state {
    NET_SSH_STREAM_OPENING,   /* the channel was asked for */
    NET_SSH_STREAM_SUBSYSTEM, /* it is open, its subsystem was asked for */
    NET_SSH_STREAM_OPEN,      /* bytes go both ways */
    NET_SSH_STREAM_DONE       /* to be freed */
};

struct net_ssh_way {
    uint8_t *buf;   /* NET_SSH_STREAM_BUFFER bytes */
    size_t at, len; /* bytes [at, len) wait to be passed on */
    bool ended;     /* nothing more comes from where it comes from */
    bool told;      /* the other side knows that */
};

struct net_ssh_request;

/* A channel of libssh on one side, our end of a pair of sockets on the other. Only the connection's thread
 * looks into one. */
struct net_ssh_stream {
    struct net_ssh_stream *next;
    struct net_ssh_request *request; /* who waits for it to open; NULL once that is answered */
    enum net_ssh_stream_state state;
    ssh_channel channel;
    int fd;
    bool gone;     /* whoever has the other end of the pair has closed it */
    bool avail;    /* libssh may have bytes, or the end, for us */
    bool readable; /* fd may have */
    struct ssh_channel_callbacks_struct calls;
    struct net_ssh_way out; /* to the server */
    struct net_ssh_way in;  /* from there */
    int64_t deadline;       /* of the opening, in ms of the monotonic clock */
};

/* What another thread asks the connection's thread for; on the asking thread's stack. */
struct net_ssh_request {
    struct net_ssh_request *next;
    const char *subsystem, *host;
    uint16_t port;
    int fd; /* out */
    int result;
    struct err *e;
    bool done;
};

/* net_ssh_stream_new - a stream to what req says. net_ssh_stream_turn asks for its channel. */
MUST_CHECK int net_ssh_stream_new(ssh_session session, struct net_ssh_request *req, int64_t deadline,
                                  struct net_ssh_stream **ret, struct err *e);
void net_ssh_stream_free(struct net_ssh_stream *st);

/* net_ssh_stream_turn - moves what can be moved now, without waiting. revents: what poll said of st->fd. */
void net_ssh_stream_turn(ssh_session session, struct net_ssh_stream *st, short revents, int64_t now);

/* net_ssh_stream_events - what to poll st->fd for; negative: it is not to be polled. */
int net_ssh_stream_events(const struct net_ssh_stream *st);

/* net_ssh_stream_wait - how many ms its next turn may be put off when no descriptor says anything; negative:
 * for ever. */
int net_ssh_stream_wait(const struct net_ssh_stream *st);

/* net_ssh_stream_refuse - answers the request that waits for the stream, if one does, with the failure in e.
 */
void net_ssh_stream_refuse(struct net_ssh_stream *st, const struct err *e);

/* net_ssh_prepare - a session that knows where to go, by conf and the configuration files; not connected. */
MUST_CHECK int net_ssh_prepare(const struct net_ssh_conf *conf, ssh_session *ret, struct err *e);

/* Where a prepared session goes. */
struct net_ssh_target {
    char *host; /* owned */
    uint16_t port;
    char *jump;   /* owned; ProxyJump's servers, nearest first: "user@a:1,b"; NULL: none */
    bool command; /* there is a ProxyCommand */
};
MUST_CHECK int net_ssh_target_find(ssh_session session, struct net_ssh_target *ret, struct err *e);
void net_ssh_target_done(struct net_ssh_target *t);

/* net_ssh_tcp - a connected TCP socket. */
MUST_CHECK int net_ssh_tcp(const char *host, uint16_t port, long timeout_ms, int *ret_fd, struct err *e);

/* net_ssh_establish - connects over fd, which is taken over also on failure, or by ProxyCommand where fd is
 * -1; then checks the server's key and authenticates. */
MUST_CHECK int net_ssh_establish(ssh_session session, const struct net_ssh_conf *conf, int fd, struct err *e);

/* net_ssh_login - the second half of that. */
MUST_CHECK int net_ssh_login(ssh_session session, const struct net_ssh_conf *conf, struct err *e);

/* net_ssh_words - libssh's words for what went wrong, escaped. Returns out. */
const char *net_ssh_words(ssh_session session, char *out, size_t size);

/* net_ssh_conn_start - the connection over an open session, which it takes over, also on failure. below: the
 * one that it goes through, likewise, or NULL. */
MUST_CHECK int net_ssh_conn_start(ssh_session session, const struct net_ssh_conf *conf,
                                  struct net_ssh_conn *below, struct net_ssh_conn **ret, struct err *e);
void net_ssh_conn_close(struct net_ssh_conn *c);
MUST_CHECK int net_ssh_conn_stream(struct net_ssh_conn *c, const char *subsystem, const char *host,
                                   uint16_t port, int *ret_fd, struct err *e);
MUST_CHECK int net_ssh_conn_failure(struct net_ssh_conn *c, struct err *e);

int64_t net_ssh_now(void);

#endif
