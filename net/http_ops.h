/* SPDX-License-Identifier: Apache-2.0 */
/* Between the front (http.c, in the program) and the shared object "http" (http_plugin.c, http_send.c,
 * http_curl.c). */
#ifndef WAYBILL_NET_HTTP_OPS_H
#define WAYBILL_NET_HTTP_OPS_H

#include "net/http.h"
#include "net/url.h"

struct net_http_session;

struct net_http_ops {
    int (*open)(const struct net_http_conf *conf, struct net_http_session **ret, struct err *e);
    void (*close)(struct net_http_session *s); /* takes NULL */
    int (*send)(struct net_http_session *s, const struct net_http_request *req, struct net_http_response *ret,
                struct err *e);
};

/* One exchange: a request without redirects and retries, and what became of it. */
struct net_http_hop {
    const struct net_http_request *req;
    const char *method;
    const char *url;
    struct net_url at;     /* url, parsed */
    struct net_url origin; /* what the user named */
    bool home;             /* at the host of that origin */
    bool with_cert;        /* at that origin itself: the client certificate is shown */
    bool same_origin;      /* as the URL of req: the authorization may be sent */
    bool with_body;        /* the body of req is sent */
    bool direct;           /* no proxy: the host is this machine, or its address was given */
    bool http1;            /* do not speak HTTP/2 */
    uint64_t resume;       /* bytes that `to` has got from earlier tries */
    uint64_t resume_total; /* size of the whole as an earlier try said, UINT64_MAX when unknown */

    uint64_t received; /* out: bytes that `to` has got with this try */
    uint64_t total;    /* out: size of the whole, UINT64_MAX when unknown */
    bool retryable;    /* out: the failure is one of the network */
    bool stalled;      /* out: the failure is that nothing came for a long time */
    bool sent;         /* out: a part of the request was sent before it failed */
    bool http2_failed; /* out: the failure is one of HTTP/2's own */
};

/* net_http_exchange - carries one hop out; resp is empty before, and holds the response when 0 is returned.
 */
MUST_CHECK int net_http_exchange(struct net_http_session *s, struct net_http_hop *hop,
                                 struct net_http_response *resp, struct err *e);

/* The whole of net_http_send over net_http_exchange. */
MUST_CHECK int net_http_session_send(struct net_http_session *s, const struct net_http_request *req,
                                     struct net_http_response *ret, struct err *e);

MUST_CHECK int net_http_session_open(const struct net_http_conf *conf, struct net_http_session **ret,
                                     struct err *e);
void net_http_session_close(struct net_http_session *s);
const struct net_http_conf *net_http_session_conf(const struct net_http_session *s);

/* net_http_response_reset - empties a response for the next hop, keeping nothing but limits. */
void net_http_response_reset(struct net_http_response *resp);

/* net_http_wait - milliseconds to wait before retry number `attempt` (from 1) after resp (or NULL): the
 * backoff, or what its Retry-After asks for if that is longer; negative when that is over max_wait_ms. */
int64_t net_http_wait(const struct net_http_conf *conf, unsigned attempt,
                      const struct net_http_response *resp);

void net_sleep(int64_t ms);

#endif
