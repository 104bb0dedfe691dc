/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include "base/plugin.h"
#include "net/http_ops.h"

struct net_http {
    struct net_http_conf conf;
    const struct net_http_ops *ops; /* NULL until the first request */
    struct net_http_session *session;
};

int net_http_open(const struct net_http_conf *conf, struct net_http **ret, struct err *e)
{
    struct net_http *http = calloc(1, sizeof(*http));
    if (!http)
        return err_nomem(e);
    http->conf = *conf;
    *ret = http;
    return 0;
}

void net_http_close(struct net_http *http)
{
    if (!http)
        return;
    if (http->ops)
        http->ops->close(http->session);
    free(http);
}

static int session_start(struct net_http *http, struct err *e)
{
    const void *ops;
    struct net_http_session *session;
    int r = plugin_load("http", &ops, e);
    if (r)
        return r;
    r = ((const struct net_http_ops *)ops)->open(&http->conf, &session, e);
    if (r)
        return r;
    http->ops = ops;
    http->session = session;
    return 0;
}

int net_http_send(struct net_http *http, const struct net_http_request *req, struct net_http_response *ret,
                  struct err *e)
{
    int r = http->ops ? 0 : session_start(http, e);
    if (r)
        return r;
    struct net_http_response resp = NET_HTTP_RESPONSE_INIT;
    r = http->ops->send(http->session, req, &resp, e);
    if (r) {
        net_http_response_done(&resp);
        return r;
    }
    net_http_response_done(ret);
    *ret = resp;
    return 0;
}

bool net_http_pause(const struct net_http *http, unsigned attempt, const struct net_http_response *resp)
{
    int64_t wait = net_http_wait(&http->conf, attempt, resp);
    if (wait < 0)
        return false;
    net_sleep(wait);
    return true;
}
