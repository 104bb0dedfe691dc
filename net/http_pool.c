/* SPDX-License-Identifier: Apache-2.0 */
/* The session: handles of libcurl, which own the connections, for as many threads as there are. */
#include "base/log.h"
#include "net/http_curl.h"

#include <pthread.h>
#include <stdatomic.h>

/* Handles that are kept when nobody uses them; as many as parallel_run has threads. */
#define IDLE_MAX 16U

struct net_http_session {
    struct net_http_conf conf;
    CURLSH *share; /* look-ups and TLS sessions; connections cannot be shared between threads */
    pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];
    atomic_bool http1;
    atomic_int home;      /* enum net_http_home */
    pthread_mutex_t lock; /* of what follows */
    CURL *idle[IDLE_MAX];
    size_t n_idle;
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static bool global_usable;
static atomic_flag warned = ATOMIC_FLAG_INIT;

static void global_init(void)
{
    global_usable = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static void share_lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *ctx)
{
    (void)easy, (void)access;
    (void)pthread_mutex_lock(&((struct net_http_session *)ctx)->share_locks[data]);
}

static void share_unlock(CURL *easy, curl_lock_data data, void *ctx)
{
    (void)easy;
    (void)pthread_mutex_unlock(&((struct net_http_session *)ctx)->share_locks[data]);
}

static bool share_open(struct net_http_session *s)
{
    s->share = curl_share_init();
    return s->share && curl_share_setopt(s->share, CURLSHOPT_LOCKFUNC, share_lock) == CURLSHE_OK &&
           curl_share_setopt(s->share, CURLSHOPT_UNLOCKFUNC, share_unlock) == CURLSHE_OK &&
           curl_share_setopt(s->share, CURLSHOPT_USERDATA, s) == CURLSHE_OK &&
           curl_share_setopt(s->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK &&
           curl_share_setopt(s->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

int net_http_session_open(const struct net_http_conf *conf, struct net_http_session **ret, struct err *e)
{
    (void)pthread_once(&global_once, global_init);
    if (!global_usable)
        return err_set(e, ERR_OTHER, "libcurl cannot be used");
    struct net_http_session *s = calloc(1, sizeof(*s));
    if (!s)
        return err_nomem(e);
    s->conf = *conf;
    (void)pthread_mutex_init(&s->lock, NULL);
    for (size_t i = 0; i < ARRAY_LEN(s->share_locks); i++)
        (void)pthread_mutex_init(&s->share_locks[i], NULL);
    if (!share_open(s)) {
        net_http_session_close(s);
        return err_nomem(e);
    }
    if (conf->insecure && !atomic_flag_test_and_set(&warned))
        log_warn("certificates are not checked: anybody on the way can read and change what is sent");
    *ret = s;
    return 0;
}

void net_http_session_close(struct net_http_session *s)
{
    if (!s)
        return;
    while (s->n_idle)
        curl_easy_cleanup(s->idle[--s->n_idle]);
    (void)curl_share_cleanup(s->share);
    for (size_t i = 0; i < ARRAY_LEN(s->share_locks); i++)
        (void)pthread_mutex_destroy(&s->share_locks[i]);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

const struct net_http_conf *net_http_session_conf(const struct net_http_session *s)
{
    return &s->conf;
}

void net_http_http1_set(struct net_http_session *s)
{
    s->http1 = true;
    (void)pthread_mutex_lock(&s->lock);
    while (s->n_idle) /* their connections may be of the kind that failed */
        curl_easy_cleanup(s->idle[--s->n_idle]);
    (void)pthread_mutex_unlock(&s->lock);
}

bool net_http_http1(const struct net_http_session *s)
{
    return s->http1;
}

void net_http_home_learn(struct net_http_session *s, enum net_http_home where)
{
    int before = s->home;
    while ((int)where > before && !atomic_compare_exchange_weak(&s->home, &before, (int)where))
        continue;
}

enum net_http_home net_http_home(const struct net_http_session *s)
{
    return (enum net_http_home)s->home;
}

int net_http_easy_take(struct net_http_session *s, CURL **ret, struct err *e)
{
    CURL *easy = NULL;
    (void)pthread_mutex_lock(&s->lock);
    if (s->n_idle)
        easy = s->idle[--s->n_idle];
    (void)pthread_mutex_unlock(&s->lock);
    if (!easy) {
        easy = curl_easy_init();
        if (!easy || curl_easy_setopt(easy, CURLOPT_SHARE, s->share) != CURLE_OK) {
            curl_easy_cleanup(easy);
            return err_nomem(e);
        }
    }
    *ret = easy;
    return 0;
}

void net_http_easy_give(struct net_http_session *s, CURL *easy)
{
    curl_easy_reset(easy); /* keeps connections and the share */
    (void)pthread_mutex_lock(&s->lock);
    if (s->n_idle < IDLE_MAX) {
        s->idle[s->n_idle++] = easy;
        easy = NULL;
    }
    (void)pthread_mutex_unlock(&s->lock);
    curl_easy_cleanup(easy);
}
