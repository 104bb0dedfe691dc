/* SPDX-License-Identifier: Apache-2.0 */
/* The stream: packets out and in. While one is sent those that arrive are taken in, or both sides would wait
 * for each other once every buffer between them is full. */
#include "net/sftp.h"

#include "base/limits.h"
#include "base/text.h"
#include "net/sftp_wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Room for a header beside the data. */
#define PACKET_MAX (LIMIT_SFTP_PACKET + 1024U)

void net_sftp_put_u32(struct buf *b, uint32_t v)
{
    const uint8_t raw[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    buf_append(b, raw, sizeof(raw));
}

void net_sftp_put_u64(struct buf *b, uint64_t v)
{
    net_sftp_put_u32(b, (uint32_t)(v >> 32));
    net_sftp_put_u32(b, (uint32_t)v);
}

void net_sftp_put_string(struct buf *b, struct bytes s)
{
    net_sftp_put_u32(b, (uint32_t)s.len);
    buf_append_bytes(b, s);
}

static uint32_t u32_of(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool net_sftp_take_u32(struct bytes *b, uint32_t *ret)
{
    struct bytes raw;
    if (!bytes_take(b, 4, &raw))
        return false;
    *ret = u32_of(raw.ptr);
    return true;
}

bool net_sftp_take_u64(struct bytes *b, uint64_t *ret)
{
    uint32_t high, low;
    if (b->len < 8 || !net_sftp_take_u32(b, &high) || !net_sftp_take_u32(b, &low))
        return false;
    *ret = (uint64_t)high << 32 | low;
    return true;
}

bool net_sftp_take_string(struct bytes *b, struct bytes *ret)
{
    uint32_t n;
    return net_sftp_take_u32(b, &n) && bytes_take(b, n, ret);
}

/* The stream is of no use any more. */
static int fail(struct net_sftp *s, struct err *e)
{
    if (!s->failure.code)
        s->failure = *e;
    return e->code;
}

/* Hands the packet that is complete to the request it answers. */
static int packet_deliver(struct net_sftp *s, struct err *e)
{
    struct bytes body = bytes_of(s->packet, s->want), id;
    uint8_t type;
    uint32_t number;
    if (!bytes_take_u8(&body, &type) || !bytes_take(&body, 4, &id))
        return err_set(e, ERR_IO, "SFTP: a packet that is too short");
    number = u32_of(id.ptr);
    struct net_sftp_call **at = &s->calls;
    while (*at && (*at)->id != number)
        at = &(*at)->next;
    struct net_sftp_call *call = *at;
    if (!call)
        return err_set(e, ERR_IO, "SFTP: an answer that nobody asked for");
    *at = call->next;
    call->done = true;
    call->type = type;
    call->packet = TAKE(s->packet);
    call->body = body;
    if (call->dropped)
        net_sftp_drop(s, call);
    return 0;
}

/* The length of the next packet is here. */
static int packet_begin(struct net_sftp *s, struct err *e)
{
    uint32_t n = u32_of(s->head);
    if (n == 0 || n > PACKET_MAX)
        return err_set(e, ERR_IO, "SFTP: a packet of %u bytes", n);
    s->packet = malloc(n);
    if (!s->packet)
        return err_nomem(e);
    s->want = n;
    s->have = 0;
    return 0;
}

/* Takes in what is there, without waiting. *ret_any: bytes came. *ret_whole (may be NULL): stops at a whole
 * packet, which stays in s->packet. */
static int receive(struct net_sftp *s, bool *ret_any, bool *ret_whole, struct err *e)
{
    int r = 0;
    while (r == 0) {
        uint8_t *to = s->packet ? s->packet : s->head;
        size_t want = s->packet ? s->want : sizeof(s->head);
        ssize_t n = recv(s->fd, to + s->have, want - s->have, MSG_DONTWAIT);
        /* an end that comes right behind an answer is for the next time */
        if ((n < 0 && (errno == EAGAIN || errno == EINTR)) || (n <= 0 && *ret_any))
            return 0;
        if (n < 0)
            return err_set_errno(e, ERR_NETWORK, errno, "SFTP");
        if (n == 0)
            return err_set(e, ERR_NETWORK, "SFTP: the server ended the stream");
        *ret_any = true;
        s->have += (size_t)n;
        if (s->have < want)
            continue;
        if (!s->packet) {
            r = packet_begin(s, e);
            continue;
        }
        s->have = 0;
        if (ret_whole) {
            *ret_whole = true;
            return 0;
        }
        r = packet_deliver(s, e);
        free(TAKE(s->packet));
    }
    return r;
}

/* Waits for one of the events, and takes in what came. */
static int wait_for(struct net_sftp *s, short events, bool *ret_whole, struct err *e)
{
    struct pollfd p = {.fd = s->fd, .events = events};
    bool any = false;
    int n = poll(&p, 1, s->timeout_ms > INT32_MAX ? INT32_MAX : (int)s->timeout_ms);
    if (n < 0 && errno == EINTR)
        return 0;
    if (n < 0)
        return err_set_errno(e, ERR_NETWORK, errno, "SFTP");
    if (n == 0)
        return err_set(e, ERR_NETWORK, "SFTP: the server did not answer for %ld s", s->timeout_ms / 1000);
    return p.revents & (POLLIN | POLLHUP | POLLERR) ? receive(s, &any, ret_whole, e) : 0;
}

static void advance(struct iovec *parts, int *first, size_t n)
{
    while (n > 0) {
        struct iovec *v = &parts[*first];
        size_t step = n < v->iov_len ? n : v->iov_len;
        v->iov_base = (uint8_t *)v->iov_base + step;
        v->iov_len -= step;
        n -= step;
        if (v->iov_len == 0)
            ++*first;
    }
}

static int send_parts(struct net_sftp *s, struct bytes head, struct bytes data, struct err *e)
{
    struct iovec parts[2];
    int first = 0, count = data.len ? 2 : 1, r = 0;
    memcpy(&parts[0].iov_base, &head.ptr, sizeof(void *));
    memcpy(&parts[1].iov_base, &data.ptr, sizeof(void *));
    parts[0].iov_len = head.len;
    parts[1].iov_len = data.len;
    while (r == 0 && first < count) {
        struct msghdr m = {.msg_iov = parts + first, .msg_iovlen = (size_t)(count - first)};
        ssize_t n = sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0)
            advance(parts, &first, (size_t)n);
        else if (errno == EAGAIN)
            r = wait_for(s, POLLIN | POLLOUT, NULL, e);
        else if (errno != EINTR)
            r = err_set(e, ERR_NETWORK, "SFTP: the server ended the stream");
    }
    return r;
}

int net_sftp_begin(struct net_sftp *s, uint8_t type, const struct buf *args, const struct bytes *data,
                   struct net_sftp_call **ret, struct err *e)
{
    AUTO_DONE(buf) head = BUF_INIT(PACKET_MAX);
    struct bytes tail = data ? *data : BYTES_NONE;
    if (s->failure.code) {
        *e = s->failure;
        return e->code;
    }
    int r = buf_check(args, e);
    if (r)
        return r;
    struct net_sftp_call *call = calloc(1, sizeof(*call));
    if (!call)
        return err_nomem(e);
    call->id = ++s->last_id;
    net_sftp_put_u32(&head, (uint32_t)(5 + args->len + (data ? 4 : 0) + tail.len));
    buf_append_u8(&head, type);
    net_sftp_put_u32(&head, call->id);
    buf_append_bytes(&head, buf_bytes(args));
    if (data)
        net_sftp_put_u32(&head, (uint32_t)tail.len);
    r = buf_check(&head, e);
    if (r) {
        free(call);
        return r;
    }
    call->next = s->calls;
    s->calls = call;
    r = send_parts(s, buf_bytes(&head), tail, e);
    if (r) {
        net_sftp_drop(s, call);
        return fail(s, e);
    }
    *ret = call;
    return 0;
}

int net_sftp_await(struct net_sftp *s, struct net_sftp_call *call, struct err *e)
{
    while (!call->done) {
        if (s->failure.code)
            *e = s->failure;
        if (s->failure.code || wait_for(s, POLLIN, NULL, e))
            return fail(s, e);
    }
    return 0;
}

void net_sftp_drop(struct net_sftp *s, struct net_sftp_call *call)
{
    (void)s;
    if (!call)
        return;
    if (!call->done) {
        call->dropped = true;
        return;
    }
    free(call->packet);
    free(call);
}

/* The server's first packet: its version and what it can beside it. Other versions answer to a client of
 * version 3 as version 3. */
static int version_parse(struct net_sftp *s, struct err *e)
{
    struct bytes body = bytes_of(s->packet, s->want), name, value;
    uint8_t type;
    uint32_t version;
    if (!bytes_take_u8(&body, &type) || type != SFTP_VERSION || !net_sftp_take_u32(&body, &version))
        return err_set(e, ERR_IO, "SFTP: the server speaks something else");
    if (version != 3)
        return err_set(e, ERR_UNSUPPORTED, "SFTP: version %u, not 3", version);
    while (net_sftp_take_string(&body, &name) && net_sftp_take_string(&body, &value)) {
        if (bytes_eq_str(name, "posix-rename@openssh.com") && bytes_eq_str(value, "1"))
            s->can_rename = true;
        if (bytes_eq_str(name, "fsync@openssh.com") && bytes_eq_str(value, "1"))
            s->can_sync = true;
    }
    return 0;
}

static int greet(struct net_sftp *s, struct err *e)
{
    static const uint8_t hello[] = {0, 0, 0, 5, SFTP_INIT, 0, 0, 0, 3};
    bool whole = false;
    int r = send_parts(s, BYTES_ARR(hello), BYTES_NONE, e);
    while (r == 0 && !whole)
        r = wait_for(s, POLLIN, &whole, e);
    if (r == 0)
        r = version_parse(s, e);
    free(TAKE(s->packet));
    return r;
}

int net_sftp_open_fd(int fd, long timeout_ms, struct net_sftp **ret, struct err *e)
{
    struct net_sftp *s = calloc(1, sizeof(*s));
    if (!s) {
        (void)close(fd);
        return err_nomem(e);
    }
    s->fd = fd;
    s->timeout_ms = timeout_ms;
    (void)pthread_mutex_init(&s->lock, NULL);
    int r = greet(s, e);
    if (r) {
        net_sftp_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

int net_sftp_open(struct net_ssh *ssh, struct net_sftp **ret, struct err *e)
{
    const struct net_ssh_conf conf = NET_SSH_CONF_INIT;
    int fd;
    int r = net_ssh_subsystem(ssh, "sftp", &fd, e);
    return r ? r : net_sftp_open_fd(fd, conf.io_timeout_ms, ret, e);
}

void net_sftp_close(struct net_sftp *s)
{
    if (!s)
        return;
    (void)close(s->fd);
    while (s->calls) {
        struct net_sftp_call *call = s->calls;
        s->calls = call->next;
        call->done = true;
        net_sftp_drop(s, call);
    }
    free(s->packet);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}
