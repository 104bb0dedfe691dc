/* SPDX-License-Identifier: Apache-2.0 */
/* libssh's sessions are one thread's: this one owns a connection and serves its streams; others put requests
 * into a queue and wait. */
#include "net/ssh_thread.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>

/* libssh takes in 4 KiB at a time; so often before the streams have their turn. */
#define INTAKE 64

struct net_ssh_conn {
    ssh_session session;
    ssh_event event;
    struct net_ssh_conn *below; /* what it goes through, or NULL */
    long io_timeout_ms;
    pthread_t thread;
    int wake;                       /* an eventfd */
    struct net_ssh_stream *streams; /* the thread's own */
    struct pollfd *polled;          /* likewise; room for n_polled */
    size_t n_polled;

    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t answered;
    struct net_ssh_request *asked;
    struct err failure; /* what ended it */
    bool stop;
};

int64_t net_ssh_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *net_ssh_words(ssh_session session, char *out, size_t size)
{
    const char *words = ssh_get_error(session);
    return text_escape_str(words && *words ? words : "no reason given", out, size);
}

static void nudge(const struct net_ssh_conn *c)
{
    const uint64_t one = 1;
    (void)!write(c->wake, &one, sizeof(one));
}

/* Begins what was asked for. Returns whether it is time to stop. */
static bool take_requests(struct net_ssh_conn *c)
{
    (void)pthread_mutex_lock(&c->lock);
    bool stop = c->stop;
    while (c->asked) {
        struct net_ssh_request *req = c->asked;
        struct net_ssh_stream *st;
        c->asked = req->next;
        req->result = net_ssh_stream_new(c->session, req, net_ssh_now() + c->io_timeout_ms, &st, req->e);
        if (req->result) {
            req->done = true;
            (void)pthread_cond_broadcast(&c->answered);
            continue;
        }
        st->next = c->streams;
        c->streams = st;
    }
    (void)pthread_mutex_unlock(&c->lock);
    return stop;
}

/* [0] the eventfd, [1] the connection, then the streams. Returns how many, 0: no memory. */
static size_t poll_make(struct net_ssh_conn *c, int *ret_wait)
{
    size_t n = 2;
    int wait = -1;
    for (const struct net_ssh_stream *st = c->streams; st; st = st->next)
        n++;
    if (n > c->n_polled) {
        struct pollfd *more = reallocarray(c->polled, n * 2, sizeof(*more));
        if (!more)
            return 0;
        c->polled = more;
        c->n_polled = n * 2;
    }
    bool write_too = ssh_get_poll_flags(c->session) & SSH_WRITE_PENDING;
    c->polled[0] = (struct pollfd){.fd = c->wake, .events = POLLIN};
    c->polled[1] =
        (struct pollfd){.fd = ssh_get_fd(c->session), .events = (short)(POLLIN | (write_too ? POLLOUT : 0))};
    n = 2;
    for (const struct net_ssh_stream *st = c->streams; st; st = st->next) {
        int events = net_ssh_stream_events(st), needs = net_ssh_stream_wait(st);
        c->polled[n++] =
            (struct pollfd){.fd = events < 0 ? -1 : st->fd, .events = (short)(events < 0 ? 0 : events)};
        if (needs >= 0 && (wait < 0 || needs < wait))
            wait = needs;
    }
    *ret_wait = wait;
    return n;
}

static bool is_up(struct net_ssh_conn *c)
{
    return ssh_is_connected(c->session) && ssh_get_fd(c->session) >= 0;
}

/* Lets libssh read and write. Returns whether the connection is up. */
static bool intake(struct net_ssh_conn *c)
{
    int rc = SSH_OK;
    for (int i = 0; i < INTAKE && rc == SSH_OK; i++)
        rc = ssh_event_dopoll(c->event, 0);
    return rc != SSH_ERROR && is_up(c);
}

static void turns(struct net_ssh_conn *c, size_t n)
{
    int64_t now = net_ssh_now();
    size_t i = 2;
    for (struct net_ssh_stream *st = c->streams; st; st = st->next, i++) {
        bool asked = st->request != NULL;
        if (asked)
            (void)pthread_mutex_lock(&c->lock);
        net_ssh_stream_turn(c->session, st, i < n ? c->polled[i].revents : 0, now);
        if (asked) {
            (void)pthread_cond_broadcast(&c->answered);
            (void)pthread_mutex_unlock(&c->lock);
        }
    }
    for (struct net_ssh_stream **at = &c->streams; *at;) {
        struct net_ssh_stream *st = *at;
        if (st->state != NET_SSH_STREAM_DONE) {
            at = &st->next;
            continue;
        }
        *at = st->next;
        net_ssh_stream_free(st);
    }
}

/* Nobody is left waiting. */
static void end(struct net_ssh_conn *c, bool stopped)
{
    char words[256];
    (void)pthread_mutex_lock(&c->lock);
    if (stopped)
        (void)err_set(&c->failure, ERR_NETWORK, "the SSH connection was closed");
    else
        (void)err_set(&c->failure, ERR_NETWORK, "the SSH connection ended: %s",
                      net_ssh_words(c->session, words, sizeof(words)));
    for (struct net_ssh_stream *st = c->streams; st; st = st->next)
        net_ssh_stream_refuse(st, &c->failure);
    for (struct net_ssh_request *req = c->asked; req; req = req->next) {
        *req->e = c->failure;
        req->result = c->failure.code;
        req->done = true;
    }
    c->asked = NULL;
    (void)pthread_cond_broadcast(&c->answered);
    (void)pthread_mutex_unlock(&c->lock);
    while (c->streams) {
        struct net_ssh_stream *st = c->streams;
        c->streams = st->next;
        net_ssh_stream_free(st);
    }
    ssh_event_remove_session(c->event, c->session);
    ssh_event_free(c->event);
    ssh_disconnect(c->session);
    ssh_free(c->session);
}

static void *serve(void *ctx)
{
    struct net_ssh_conn *c = ctx;
    bool up = true, stop = false;
    while (up && !stop) {
        int wait;
        size_t n = poll_make(c, &wait);
        uint64_t count;
        if (n == 0 || (poll(c->polled, n, wait) < 0 && errno != EINTR))
            break;
        if (c->polled[0].revents) {
            (void)!read(c->wake, &count, sizeof(count));
            stop = take_requests(c);
        }
        up = intake(c);
        /* new streams are in front, where the answers of poll are not theirs */
        turns(c, c->polled[0].revents ? 0 : n);
        /* a stream's write that finds the other end gone closes the connection, which is no event any more */
        up = up && is_up(c);
    }
    end(c, stop);
    return NULL;
}

static void conn_free(struct net_ssh_conn *c)
{
    if (c->wake >= 0)
        (void)close(c->wake);
    (void)pthread_mutex_destroy(&c->lock);
    (void)pthread_cond_destroy(&c->answered);
    free(c->polled);
    net_ssh_conn_close(c->below);
    free(c);
}

/* A thread without signals: they are for those of the program. */
static int thread_start(struct net_ssh_conn *c)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&c->thread, NULL, serve, c);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

int net_ssh_conn_start(ssh_session session, const struct net_ssh_conf *conf, struct net_ssh_conn *below,
                       struct net_ssh_conn **ret, struct err *e)
{
    struct net_ssh_conn *c = calloc(1, sizeof(*c));
    int r = 0;
    if (!c) {
        ssh_free(session);
        net_ssh_conn_close(below);
        return err_nomem(e);
    }
    c->session = session;
    c->below = below;
    c->io_timeout_ms = conf->io_timeout_ms;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_cond_init(&c->answered, NULL);
    ssh_set_blocking(session, 0);
    c->event = ssh_event_new();
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->wake < 0)
        r = err_set_errno(e, ERR_IO, errno, "eventfd");
    else if (!c->event || ssh_event_add_session(c->event, session) != SSH_OK)
        r = err_nomem(e);
    else if ((r = thread_start(c)))
        r = err_set_errno(e, ERR_OTHER, r, "no thread for an SSH connection");
    if (r) {
        ssh_event_free(c->event);
        ssh_free(session);
        conn_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

void net_ssh_conn_close(struct net_ssh_conn *c)
{
    if (!c)
        return;
    (void)pthread_mutex_lock(&c->lock);
    c->stop = true;
    (void)pthread_mutex_unlock(&c->lock);
    nudge(c);
    (void)pthread_join(c->thread, NULL);
    conn_free(c);
}

int net_ssh_conn_stream(struct net_ssh_conn *c, const char *subsystem, const char *host, uint16_t port,
                        int *ret_fd, struct err *e)
{
    struct net_ssh_request req = {.subsystem = subsystem, .host = host, .port = port, .fd = -1, .e = e};
    (void)pthread_mutex_lock(&c->lock);
    if (c->failure.code) {
        *e = c->failure;
        req.result = e->code;
    } else {
        req.next = c->asked;
        c->asked = &req;
        nudge(c);
        while (!req.done)
            (void)pthread_cond_wait(&c->answered, &c->lock);
    }
    (void)pthread_mutex_unlock(&c->lock);
    if (req.result)
        return req.result;
    *ret_fd = req.fd;
    return 0;
}

int net_ssh_conn_failure(struct net_ssh_conn *c, struct err *e)
{
    (void)pthread_mutex_lock(&c->lock);
    int r = c->failure.code;
    if (r)
        *e = c->failure;
    (void)pthread_mutex_unlock(&c->lock);
    return r;
}
