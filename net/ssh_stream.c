/* SPDX-License-Identifier: Apache-2.0 */
/* One stream. Back-pressure: a way takes nothing more in while its buffer is full, so that the socket (or the
 * channel's window) fills up, and whoever sends has to wait. */
#include "base/text.h"
#include "net/ssh_thread.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* libssh does not say when a channel that was asked for is there, nor when an exchange of keys is over. */
#define LOOK_AGAIN_MS 10

static int on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len, int is_stderr,
                   void *ctx)
{
    struct net_ssh_stream *st = ctx;
    (void)session, (void)channel, (void)data;
    st->avail = true;
    return is_stderr ? (int)len : 0; /* nobody wants what a subsystem says there; the rest stays libssh's */
}

static void on_end(ssh_session session, ssh_channel channel, void *ctx)
{
    struct net_ssh_stream *st = ctx;
    (void)session, (void)channel;
    st->avail = true;
}

int net_ssh_stream_new(ssh_session session, struct net_ssh_request *req, int64_t deadline,
                       struct net_ssh_stream **ret, struct err *e)
{
    int pair[2];
    struct net_ssh_stream *st = calloc(1, sizeof(*st));
    if (!st)
        return err_nomem(e);
    st->fd = -1;
    st->deadline = deadline;
    st->out.buf = malloc(NET_SSH_STREAM_BUFFER);
    st->in.buf = malloc(NET_SSH_STREAM_BUFFER);
    st->channel = ssh_channel_new(session);
    st->calls.size = sizeof(st->calls);
    st->calls.userdata = st;
    st->calls.channel_data_function = on_data;
    st->calls.channel_eof_function = on_end;
    st->calls.channel_close_function = on_end;
    if (!st->out.buf || !st->in.buf || !st->channel ||
        ssh_set_channel_callbacks(st->channel, &st->calls) != SSH_OK) {
        net_ssh_stream_free(st);
        return err_nomem(e);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        int r = err_set_errno(e, ERR_IO, errno, "socketpair");
        net_ssh_stream_free(st);
        return r;
    }
    st->fd = pair[0];
    req->fd = pair[1];
    st->request = req;
    *ret = st;
    return 0;
}

void net_ssh_stream_free(struct net_ssh_stream *st)
{
    if (!st)
        return;
    if (st->channel) {
        ssh_remove_channel_callbacks(st->channel, &st->calls);
        ssh_channel_free(st->channel);
    }
    if (st->fd >= 0)
        (void)close(st->fd);
    free(st->out.buf);
    free(st->in.buf);
    free(st);
}

static void answer(struct net_ssh_stream *st)
{
    st->request->done = true;
    st->request = NULL;
}

void net_ssh_stream_refuse(struct net_ssh_stream *st, const struct err *e)
{
    struct net_ssh_request *req = st->request;
    st->state = NET_SSH_STREAM_DONE;
    if (!req)
        return;
    (void)close(req->fd);
    req->fd = -1;
    *req->e = *e;
    req->result = e->code;
    answer(st);
}

/* libssh puts the reason code of RFC 4254 5.1 into words: "... error (1) ...". */
static int open_failure(ssh_session session, const struct net_ssh_request *req, struct err *e)
{
    char words[256], host[280];
    (void)net_ssh_words(session, words, sizeof(words));
    if (!req->host)
        return err_set(e, ERR_NETWORK, "the SSH server opens no channel: %s", words);
    (void)text_escape_str(req->host, host, sizeof(host));
    if (strstr(words, "error (1)"))
        return err_set(e, ERR_AUTH, "the SSH server forbids connections to %s:%u", host, req->port);
    return err_set(e, ERR_NETWORK, "the SSH server cannot connect to %s:%u: %s", host, req->port, words);
}

static void open_turn(ssh_session session, struct net_ssh_stream *st, int64_t now)
{
    const struct net_ssh_request *req = st->request;
    struct err e = ERR_INIT;
    int rc;
    if (st->state == NET_SSH_STREAM_OPENING) {
        rc = req->host ? ssh_channel_open_forward(st->channel, req->host, req->port, "127.0.0.1", 0)
                       : ssh_channel_open_session(st->channel);
        if (rc == SSH_OK)
            st->state = req->host ? NET_SSH_STREAM_OPEN : NET_SSH_STREAM_SUBSYSTEM;
        else if (rc != SSH_AGAIN)
            (void)open_failure(session, req, &e);
    }
    if (st->state == NET_SSH_STREAM_SUBSYSTEM) {
        rc = ssh_channel_request_subsystem(st->channel, req->subsystem);
        if (rc == SSH_OK)
            st->state = NET_SSH_STREAM_OPEN;
        else if (rc != SSH_AGAIN)
            (void)err_set(&e, ERR_UNSUPPORTED, "the SSH server has no %s", req->subsystem);
    }
    if (!e.code && st->state != NET_SSH_STREAM_OPEN && now >= st->deadline)
        (void)err_set(&e, ERR_NETWORK, "the SSH server does not answer");
    if (e.code)
        net_ssh_stream_refuse(st, &e);
    else if (st->state == NET_SSH_STREAM_OPEN)
        answer(st);
}

/* From the socket to the buffer. */
static void out_fill(struct net_ssh_stream *st)
{
    struct net_ssh_way *w = &st->out;
    if (w->len > 0 || w->ended || !(st->readable || st->gone))
        return;
    ssize_t n = recv(st->fd, w->buf, NET_SSH_STREAM_BUFFER, MSG_DONTWAIT);
    st->readable = n == NET_SSH_STREAM_BUFFER;
    w->at = 0;
    if (n > 0)
        w->len = (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        w->ended = true;
}

/* From the buffer to the channel. */
static void out_drain(struct net_ssh_stream *st)
{
    struct net_ssh_way *w = &st->out;
    uint32_t window = ssh_channel_window_size(st->channel);
    size_t n = w->len - w->at < window ? w->len - w->at : window;
    if (n > 0) {
        int rc = ssh_channel_write(st->channel, w->buf + w->at, (uint32_t)n);
        if (rc < 0) {
            w->ended = w->told = true;
            w->at = w->len = 0;
            return;
        }
        w->at += (size_t)rc;
        if (w->at == w->len)
            w->at = w->len = 0;
    }
    if (w->ended && w->len == 0 && !w->told) {
        (void)ssh_channel_send_eof(st->channel);
        w->told = true;
    }
}

/* From the channel to the buffer. */
static void in_fill(struct net_ssh_stream *st)
{
    struct net_ssh_way *w = &st->in;
    if (w->len > 0 || w->ended || !st->avail)
        return;
    st->avail = false; /* what comes in meanwhile sets it again */
    int n = ssh_channel_read_nonblocking(st->channel, w->buf, NET_SSH_STREAM_BUFFER, 0);
    w->at = 0;
    if (n > 0) {
        w->len = (size_t)n;
        st->avail = true;
    } else if (n < 0) {
        w->ended = true;
    }
}

/* From the buffer to the socket. */
static void in_drain(struct net_ssh_stream *st)
{
    struct net_ssh_way *w = &st->in;
    while (w->at < w->len) {
        ssize_t n = send(st->fd, w->buf + w->at, w->len - w->at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0) {
            w->ended = w->told = true; /* nobody reads */
            break;
        }
        w->at += (size_t)n;
    }
    w->at = w->len = 0;
    if (w->ended && !w->told) {
        (void)shutdown(st->fd, SHUT_WR);
        w->told = true;
    }
}

void net_ssh_stream_turn(ssh_session session, struct net_ssh_stream *st, short revents, int64_t now)
{
    if (st->request)
        open_turn(session, st, now);
    if (st->state != NET_SSH_STREAM_OPEN)
        return;
    st->readable = st->readable || (revents & POLLIN);
    st->gone = st->gone || (revents & (POLLHUP | POLLERR));
    out_fill(st);
    out_drain(st);
    if (st->gone)
        st->in.ended = st->in.told = true;
    else
        in_fill(st);
    if (!st->in.told)
        in_drain(st);
    bool closed = ssh_channel_is_closed(st->channel) && !st->avail;
    if (st->in.told && (st->out.told || closed))
        st->state = NET_SSH_STREAM_DONE;
}

int net_ssh_stream_events(const struct net_ssh_stream *st)
{
    int events = 0;
    if (st->state != NET_SSH_STREAM_OPEN || st->gone)
        return -1;
    if (st->out.len == 0 && !st->out.ended)
        events |= POLLIN;
    if (st->in.len > 0)
        events |= POLLOUT;
    return events;
}

int net_ssh_stream_wait(const struct net_ssh_stream *st)
{
    if (st->state == NET_SSH_STREAM_DONE)
        return 0;
    if (st->state != NET_SSH_STREAM_OPEN)
        return LOOK_AGAIN_MS;
    if ((st->avail && st->in.len == 0 && !st->in.ended) ||
        (st->out.len == 0 && !st->out.ended && (st->readable || st->gone)))
        return 0;
    /* With room in the window, what keeps us from writing is an exchange of keys. */
    if ((st->out.len > 0 && ssh_channel_window_size(st->channel) > 0) ||
        (ssh_channel_is_closed(st->channel) && st->in.told))
        return LOOK_AGAIN_MS;
    return -1;
}
