/* SPDX-License-Identifier: Apache-2.0 */
/* A stretch of network on the loopback interface: a TCP relay that holds every byte for so long in each
 * direction, and the first ones of a connection for a round trip more, which is what its handshake costs on a
 * real one. Usage: relay DELAY-MS TARGET-PORT PORT-FILE [HANDSHAKE-MS]; ends with SIGTERM, or after an hour.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PAIRS  128
#define PIECE      65536
#define MAX_QUEUED (16u << 20) /* per direction; more than delay times any rate that is of interest */

struct piece {
    struct piece *next;
    double due; /* ms */
    size_t at, len;
    bool end; /* the sender has no more */
    char data[PIECE];
};

/* One direction. */
struct way {
    int from, to;
    struct piece *first, *last;
    size_t queued;
    bool read_ended, done;
    double held_until;
};

struct pair {
    bool used;
    struct way up, down;
};

static struct pair pairs[MAX_PAIRS];
static double delay, handshake;

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void fatal(const char *what)
{
    (void)fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listen_on_free_port(const char *port_file)
{
    struct sockaddr_in addr = loopback(0);
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
        fatal("listen");
    FILE *file = fopen(port_file, "we");
    if (!file || fprintf(file, "%u\n", ntohs(addr.sin_port)) < 0 || fclose(file) != 0)
        fatal(port_file);
    return fd;
}

static void pair_open(int listener, uint16_t target)
{
    const int one = 1;
    struct sockaddr_in addr = loopback(target);
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    int server = client < 0 ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pair *p = pairs;
    while (p < pairs + MAX_PAIRS && p->used)
        p++;
    if (server < 0 || p == pairs + MAX_PAIRS ||
        connect(server, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        if (server >= 0)
            (void)close(server);
        if (client >= 0)
            (void)close(client);
        return;
    }
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    *p = (struct pair){
        .used = true, .up = {.from = client, .to = server}, .down = {.from = server, .to = client}};
    p->up.held_until = p->down.held_until = now_ms() + handshake;
}

static void way_free(struct way *w)
{
    while (w->first) {
        struct piece *next = w->first->next;
        free(w->first);
        w->first = next;
    }
}

static void pair_close(struct pair *p)
{
    (void)close(p->up.from);
    (void)close(p->up.to);
    way_free(&p->up);
    way_free(&p->down);
    p->used = false;
}

/* Takes what the sender has; false when the connection broke. */
static bool way_read(struct way *w)
{
    struct piece *piece = malloc(sizeof(*piece));
    if (!piece)
        fatal("malloc");
    ssize_t n = recv(w->from, piece->data, sizeof(piece->data), MSG_DONTWAIT);
    if (n < 0) {
        free(piece);
        return errno == EAGAIN || errno == EINTR;
    }
    double now = now_ms();
    piece->next = NULL;
    piece->due = (now > w->held_until ? now : w->held_until) + delay;
    piece->at = 0;
    piece->len = (size_t)n;
    piece->end = n == 0;
    if (n == 0)
        w->read_ended = true;
    if (w->first)
        w->last->next = piece;
    else
        w->first = piece;
    w->last = piece;
    w->queued += piece->len;
    return true;
}

/* Hands on what is due; false when the connection broke. */
static bool way_write(struct way *w, double now)
{
    while (w->first && w->first->due <= now) {
        struct piece *p = w->first;
        if (p->end) {
            (void)shutdown(w->to, SHUT_WR);
            w->done = true;
        }
        ssize_t n = p->end ? 0 : send(w->to, p->data + p->at, p->len - p->at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        p->at += (size_t)n;
        w->queued -= (size_t)n;
        if (p->at < p->len)
            return true;
        w->first = p->next;
        free(p);
    }
    return true;
}

static void way_poll(const struct way *w, double now, struct pollfd *from, struct pollfd *to, double *wake)
{
    if (!w->read_ended && w->queued < MAX_QUEUED)
        from->events |= POLLIN;
    if (!w->first)
        return;
    if (w->first->due <= now)
        to->events |= POLLOUT;
    else if (w->first->due < *wake)
        *wake = w->first->due;
}

/* What poll() waits for: the listener, then two sockets of each pair. The returned time is when bytes are
 * due. */
static double fill(struct pollfd *fds, int listener, double now)
{
    double wake = now + 1000;
    fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (size_t i = 0; i < MAX_PAIRS; i++) {
        struct pollfd *client = &fds[1 + 2 * i], *server = client + 1;
        *client = *server = (struct pollfd){.fd = -1};
        if (!pairs[i].used)
            continue;
        way_poll(&pairs[i].up, now, client, server, &wake);
        way_poll(&pairs[i].down, now, server, client, &wake);
        client->fd = client->events ? pairs[i].up.from : -1;
        server->fd = server->events ? pairs[i].up.to : -1;
    }
    return wake;
}

static void serve(struct pair *p, short client, short server)
{
    double now = now_ms();
    bool good = true;
    if (client & (POLLIN | POLLHUP | POLLERR) && !p->up.read_ended)
        good = way_read(&p->up);
    if (server & (POLLIN | POLLHUP | POLLERR) && !p->down.read_ended)
        good = good && way_read(&p->down);
    good = good && way_write(&p->up, now) && way_write(&p->down, now);
    if (!good || (p->up.done && p->down.done))
        pair_close(p);
}

int main(int argc, char **argv)
{
    static struct pollfd fds[1 + 2 * MAX_PAIRS];
    bool enough = argc == 4 || argc == 5;
    long target = enough ? strtol(argv[2], NULL, 10) : 0;
    delay = enough ? strtod(argv[1], NULL) : -1;
    handshake = argc == 5 ? strtod(argv[4], NULL) : 2 * delay;
    if (target < 1 || target > UINT16_MAX || delay < 0 || delay > 10000 || handshake < 0) {
        (void)fprintf(stderr, "usage: relay DELAY-MS TARGET-PORT PORT-FILE [HANDSHAKE-MS]\n");
        return 2;
    }
    (void)alarm(3600);
    int listener = listen_on_free_port(argv[3]);
    for (;;) {
        double now = now_ms(), left = fill(fds, listener, now) - now;
        struct timespec wait = {.tv_sec = (time_t)(left / 1e3), .tv_nsec = (long)(left * 1e6) % 1000000000};
        if (ppoll(fds, sizeof(fds) / sizeof(fds[0]), &wait, NULL) < 0 && errno != EINTR)
            fatal("poll");
        for (size_t i = 0; i < MAX_PAIRS; i++)
            if (pairs[i].used)
                serve(&pairs[i], fds[1 + 2 * i].revents, fds[2 + 2 * i].revents);
        if (fds[0].revents & POLLIN)
            pair_open(listener, (uint16_t)target);
    }
}
