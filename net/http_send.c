/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects and retries: what to do after each exchange. */
#include "base/limits.h"
#include "base/log.h"
#include "net/http_ops.h"
#include "net/resolve.h"
#include "net/retry.h"

#include <inttypes.h>

/* A request that never reached a server is hardly one of a flaky network: fewer retries. */
#define RETRIES_UNSENT 2U
/* Whoever waits longer than this is told why. */
#define SILENT_MS 2000
/* So much of a download counts as progress, and the count of retries starts anew. */
#define PROGRESS (1U << 20)

struct exchange {
    struct net_http_session *session;
    const struct net_http_conf *conf;
    const struct net_http_request *req;
    struct net_http_response *resp;
    struct net_url origin; /* of req->url */
    char *url;             /* of the next hop; owned */
    const char *method;
    bool with_body;
    unsigned redirects, retries;
    uint64_t delivered; /* bytes that req->to has got */
    uint64_t mark;      /* delivered when retries was last set to 0 */
    uint64_t total;     /* size of the whole body, UINT64_MAX when unknown */
};

static int exchange_restart(struct exchange *x, struct err *e)
{
    char *url = strdup(x->req->url);
    if (!url)
        return err_nomem(e);
    free(x->url);
    x->url = url;
    x->method = x->req->method;
    x->with_body = x->req->body != NULL;
    x->redirects = 0;
    return 0;
}

static bool is_read(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static bool is_redirect(const struct exchange *x)
{
    struct bytes location;
    if (!x->req->follow || !net_http_field(x->resp, "Location", 0, &location))
        return false;
    switch (x->resp->status) {
    case 301:
    case 302: return is_read(x->method);
    case 303:
    case 307:
    case 308: return true;
    default: return false;
    }
}

static int redirect_follow(struct exchange *x, struct err *e)
{
    struct bytes location;
    struct net_url from, to;
    AUTO_FREE char *next = NULL;
    if (x->redirects++ == LIMIT_HTTP_REDIRECTS)
        return err_set(e, ERR_NETWORK, "more than %u redirects", LIMIT_HTTP_REDIRECTS);
    if (!net_http_field(x->resp, "Location", 0, &location))
        return err_set(e, ERR_NETWORK, "a redirect that leads nowhere");
    if (net_url_join(x->url, location, &next, e) || net_url_parse(next, &to, e) ||
        net_url_parse(x->url, &from, e)) {
        err_recode(e, ERR_NETWORK);
        return err_wrap(e, "redirect");
    }
    int r = net_url_may_lead(&from, &to, e);
    if (r)
        return r;
    if (x->resp->status == 303 && strcmp(x->method, "HEAD") != 0) {
        x->method = "GET";
        x->with_body = false;
    }
    free(x->url);
    x->url = TAKE(next);
    return 0;
}

/* How long to wait before the next try; negative: there is none. */
static int64_t retry_wait(const struct exchange *x, int r, const struct net_http_hop *hop)
{
    unsigned budget = x->conf->max_retries;
    if (r ? !hop->retryable : !net_retry_status(x->resp->status))
        return -1;
    if (x->req->end && x->delivered >= x->req->end) /* broken after the last byte */
        return -1;
    bool refused = r ? !hop->sent : x->resp->status == 429;
    if (!x->req->idempotent && !refused)
        return -1;
    if (r && !hop->sent && budget > RETRIES_UNSENT)
        budget = RETRIES_UNSENT;
    return x->retries < budget ? net_http_wait(x->conf, x->retries + 1, r ? NULL : x->resp) : -1;
}

static bool needs_no_proxy(const struct net_http_conf *conf, const struct net_url *at)
{
    struct net_resolve ignored;
    return conf->dial || net_url_is_loopback(at->host) ||
           net_resolve_find(conf->resolve, conf->n_resolve, at->host, at->port, &ignored);
}

static int hop_run(struct exchange *x, struct net_http_hop *hop, struct err *e)
{
    struct net_url u, home = x->origin;
    char shown[256];
    int r = net_url_parse(x->url, &u, e);
    if (r == 0 && x->conf->origin)
        r = net_url_parse(x->conf->origin, &home, e);
    if (r)
        return r;
    *hop = (struct net_http_hop){
        .req = x->req,
        .method = x->method,
        .url = x->url,
        .at = u,
        .origin = home,
        .home = strcmp(u.host, home.host) == 0,
        .with_cert = x->conf->cert && u.tls && net_url_same_origin(&u, &home),
        .same_origin = net_url_same_origin(&u, &x->origin),
        .with_body = x->with_body,
        .direct = needs_no_proxy(x->conf, &u),
        .resume = x->delivered,
        .resume_total = x->total,
    };
    net_http_response_reset(x->resp);
    log_debug("> %s %s", x->method, net_url_show(x->url, shown, sizeof(shown)));
    r = net_http_exchange(x->session, hop, x->resp, e);
    x->delivered += hop->received;
    if (hop->received)
        x->total = hop->total;
    if (x->delivered - x->mark >= PROGRESS) {
        x->mark = x->delivered;
        x->retries = 0;
    }
    if (r)
        return err_wrap(e, "%s %s", x->method, net_url_show(x->url, shown, sizeof(shown)));
    log_debug("< %d", x->resp->status);
    return 0;
}

static int exchange_loop(struct exchange *x, struct err *e)
{
    struct net_http_hop hop = {0};
    for (;;) {
        int r = hop_run(x, &hop, e);
        if (r == 0 && is_redirect(x)) {
            r = redirect_follow(x, e);
            if (r)
                return err_wrap(e, "%s", hop.method);
            continue;
        }
        int64_t wait = retry_wait(x, r, &hop);
        if (wait < 0)
            return r;
        x->retries++;
        log_say(hop.stalled || wait > SILENT_MS ? LOG_WARN : LOG_INFO, "%s; trying again in %" PRId64 " ms",
                r ? e->msg : "the server is busy", wait);
        net_sleep(wait);
        r = exchange_restart(x, e);
        if (r)
            return r;
    }
}

int net_http_session_send(struct net_http_session *s, const struct net_http_request *req,
                          struct net_http_response *ret, struct err *e)
{
    struct exchange x = {
        .session = s,
        .conf = net_http_session_conf(s),
        .req = req,
        .resp = ret,
        .delivered = req->resume,
        .mark = req->resume,
        .total = UINT64_MAX,
    };
    ret->fields.max = LIMIT_HTTP_HEADERS;
    ret->body.max = req->max_body > LIMIT_ERROR_BODY ? req->max_body : LIMIT_ERROR_BODY;
    ret->body.secret = req->secret;
    int r = net_url_parse(req->url, &x.origin, e);
    if (r == 0)
        r = exchange_restart(&x, e);
    if (r == 0)
        r = exchange_loop(&x, e);
    ret->url = r ? NULL : TAKE(x.url);
    ret->delivered = x.delivered;
    free(x.url);
    return r;
}
