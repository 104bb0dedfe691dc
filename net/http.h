/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests: streaming both ways, redirects followed by hand, credentials bound to one origin, stall
 * timeouts, retries. The library behind it is loaded with the first request. Proxies are taken from the
 * environment, except for this machine. Specification: RFC 9110.
 */
#ifndef WAYBILL_NET_HTTP_H
#define WAYBILL_NET_HTTP_H

#include "base/io.h"

struct net_http_conf {
    const char *user_agent;  /* borrowed for as long as the session */
    long connect_timeout_ms; /* name look-up, TCP and TLS together */
    long stall_seconds; /* a transfer slower than stall_bytes per second for so long is broken off; ten times
                           as long for requests with a body, since a server may take its time to store one */
    long stall_bytes;
    long answer_seconds; /* the longest that an exchange may take where neither side streams (no body, no
                            `to`), since a server may keep just above a stall; 0: as long as it likes */
    unsigned
        max_retries;    /* of one request, beyond the first try; counted anew after every 1 MiB of progress */
    int64_t backoff_ms; /* the wait before the first retry, doubled for each further one */
    int64_t max_wait_ms; /* the longest wait before a retry, also when Retry-After asks for more */

    /* What follows is borrowed for as long as the session. */
    const char *origin;   /* "https://host:port" that the user named. It alone may be at a link-local address,
                             and gets the client certificate; other hosts may be at an address of this machine
                             only if it is. NULL: the origin of each request */
    const char *ca_file;  /* PEM; the only authorities of certificates. NULL: the system's */
    const char *cert;     /* PEM; the client certificate with its chain, and the key where cert_key is NULL */
    const char *cert_key; /* PEM, not encrypted */
    bool insecure;        /* certificates of servers are not checked; said once by log_warn */
    const char *const *resolve; /* "HOST:PORT:ADDR[:PORT]": see net/resolve.h; such hosts need no proxy */
    size_t n_resolve;
    /* Instead of a TCP connection: a connected stream socket, which is closed when it is done with. host: not
     * looked up here, an address where `resolve` has one. There is no proxy then. May be called from several
     * threads at once. Returns 0 or what the request fails with. */
    int (*dial)(void *ctx, const char *host, uint16_t port, int *ret_fd, struct err *e);
    void *dial_ctx;
};

#define NET_HTTP_CONF_INIT                                                                             \
    {                                                                                                  \
        .user_agent = "waybill", .connect_timeout_ms = 15000, .stall_seconds = 30, .stall_bytes = 256, \
        .answer_seconds = 600, .max_retries = 4, .backoff_ms = 250, .max_wait_ms = 60000               \
    }

struct net_http_field {
    const char *name, *value;
};

struct net_http_request {
    const char *method;
    const char *url;
    const struct net_http_field *fields; /* sent on every hop, also to other origins: no secrets */
    size_t n_fields;
    const char *authorization;        /* value of Authorization, or NULL; goes to the origin of url only */
    const struct source_opener *body; /* or NULL; opened anew for each try */
    struct sink *to; /* gets the body of a 2xx response, is neither committed nor aborted; or NULL */
    uint64_t
        resume;   /* bytes of the body that `to` has got already, by an earlier request, or does not want */
    uint64_t end; /* the place in the body before which `to` ends, over `resume`; 0: the body's own end */
    size_t max_body; /* of a 2xx response without `to`: larger is ERR_LIMIT */
    bool follow;     /* redirects: 301, 302, 307, 308 (with a body: 307, 308), 303 as GET */
    bool idempotent; /* may be repeated when nobody knows whether it was carried out */
    bool secret;     /* the response's body is wiped when it is released */
};

struct net_http_response {
    int status;
    struct buf fields;  /* "Name: value" lines of the final response, each ended by a NUL */
    struct buf body;    /* without `to`, or of a response other than 2xx (those cut to LIMIT_ERROR_BODY) */
    char *url;          /* where the final response came from; owned */
    uint64_t delivered; /* bytes that `to` has got, with those of `resume` */
};

#define NET_HTTP_RESPONSE_INIT \
    {                          \
        .status = 0            \
    }

/* A session: connections are kept for the next request. Several threads may send at once, each over a
 * connection of its own. */
struct net_http;

/* net_http_open - no library is loaded and nothing is connected yet. ERR_USAGE: an entry of resolve;
 * ERR_CONFIG: a file that cannot be read. Released with net_http_close (takes
 * NULL) when no thread sends any more. */
MUST_CHECK int net_http_open(const struct net_http_conf *conf, struct net_http **ret, struct err *e);
void net_http_close(struct net_http *http);
DEFINE_AUTO(net_http, net_http_close);

/* net_http_send - one request with its redirects and retries. A download that breaks is taken up where it
 * broke (Range); `to` sees each byte once. 408, 429, 500, 502, 503, 504 are retried like a broken connection;
 * a Retry-After over max_wait_ms ends that, and the response is returned. ret: initialised; filled when 0 is
 * returned, whatever the status; released with net_http_response_done. Returns 0, ERR_NETWORK, ERR_REGISTRY
 * (another part of the body than the one that was asked for; with `end` also the whole of it; less than that
 * part is no failure where it says so, and shows in `delivered`), ERR_LIMIT (headers over LIMIT_HTTP_HEADERS,
 * body over max_body), ERR_FORMAT (url), ERR_CONFIG (a file of the options for TLS that holds something
 * else), the failures of `to` and of `body`, ERR_NOMEM, or what plugin_load
 * returns. */
MUST_CHECK int net_http_send(struct net_http *http, const struct net_http_request *req,
                             struct net_http_response *ret, struct err *e);

void net_http_response_done(struct net_http_response *resp);

/* net_http_field - value of the n-th (from 0) header called `name` in any case, without blanks around it.
 * Returns false when there is none. *ret: borrowed from the response, no NUL behind it is promised. */
bool net_http_field(const struct net_http_response *resp, const char *name, size_t n, struct bytes *ret);

/* net_http_pause - waits as before retry number `attempt` (from 1), for callers that repeat more than one
 * request. resp: the last response, whose Retry-After counts, or NULL. Returns false at once when that asks
 * for a longer wait than max_wait_ms. */
bool net_http_pause(const struct net_http *http, unsigned attempt, const struct net_http_response *resp);

#endif
