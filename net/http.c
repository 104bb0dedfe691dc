/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include "base/plugin.h"
#include "base/text.h"
#include "net/http_ops.h"
#include "net/resolve.h"

#include <errno.h>
#include <pthread.h>

struct net_http {
    struct net_http_conf conf;
    pthread_mutex_t lock;           /* of what follows, until it is there */
    const struct net_http_ops *ops; /* NULL until the first request */
    struct net_http_session *session;
};

static int file_check(const char *path, struct err *e)
{
    char shown[256];
    if (!path || access(path, R_OK) == 0)
        return 0;
    return err_set_errno(e, ERR_CONFIG, errno, "%s", text_escape_str(path, shown, sizeof(shown)));
}

/* Before the first request, and also when there will be none. */
static int conf_check(const struct net_http_conf *conf, struct err *e)
{
    struct net_resolve ignored;
    int r = file_check(conf->ca_file, e);
    if (r == 0)
        r = file_check(conf->cert, e);
    if (r == 0)
        r = file_check(conf->cert_key, e);
    for (size_t i = 0; r == 0 && i < conf->n_resolve; i++)
        r = net_resolve_parse(conf->resolve[i], &ignored, e);
    return r;
}

int net_http_open(const struct net_http_conf *conf, struct net_http **ret, struct err *e)
{
    int r = conf_check(conf, e);
    if (r)
        return r;
    struct net_http *http = calloc(1, sizeof(*http));
    if (!http)
        return err_nomem(e);
    http->conf = *conf;
    (void)pthread_mutex_init(&http->lock, NULL);
    *ret = http;
    return 0;
}

void net_http_close(struct net_http *http)
{
    if (!http)
        return;
    if (http->ops)
        http->ops->close(http->session);
    (void)pthread_mutex_destroy(&http->lock);
    free(http);
}

static int session_start(struct net_http *http, struct err *e)
{
    const void *ops;
    int r = plugin_load("http", &ops, e);
    if (r == 0)
        r = ((const struct net_http_ops *)ops)->open(&http->conf, &http->session, e);
    if (r == 0)
        http->ops = ops;
    return r;
}

/* Once, whatever the number of threads that send first. */
static int session_ready(struct net_http *http, struct err *e)
{
    (void)pthread_mutex_lock(&http->lock);
    int r = http->ops ? 0 : session_start(http, e);
    (void)pthread_mutex_unlock(&http->lock);
    return r;
}

int net_http_send(struct net_http *http, const struct net_http_request *req, struct net_http_response *ret,
                  struct err *e)
{
    int r = session_ready(http, e);
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
