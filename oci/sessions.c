/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/sessions.h"

#include "net/http.h"
#include "oci/registry.h"

#include <stdio.h>

struct session {
    struct session *next;
    char *key, *root; /* owned */
    struct oci_via_way way;
    struct net_http *http;
};

struct oci_sessions {
    pthread_mutex_t lock;
    struct session *first;
};

int oci_sessions_new(struct oci_sessions **ret, struct err *e)
{
    struct oci_sessions *s = calloc(1, sizeof(*s));
    if (!s)
        return err_nomem(e);
    if (pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s);
        return err_nomem(e);
    }
    *ret = s;
    return 0;
}

static void session_free(struct session *one)
{
    net_http_close(one->http);
    free(one->key);
    free(one->root);
    free(one);
}

void oci_sessions_free(struct oci_sessions *s)
{
    if (!s)
        return;
    while (s->first) {
        struct session *one = s->first;
        s->first = one->next;
        session_free(one);
    }
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

/* Everything that makes two sessions different ones. */
static int make_key(const struct oci_endpoint_conf *conf, const char *known_as, char **ret, struct err *e)
{
    char *key;
    if (asprintf(&key, "%s\n%s\n%s\n%s\n%llu", known_as, conf->ca_file ? conf->ca_file : "",
                 conf->cert ? conf->cert : "", conf->cert_key ? conf->cert_key : "",
                 (unsigned long long)conf->max_wait_ms) < 0)
        return err_nomem(e);
    *ret = key;
    return 0;
}

static int add(struct oci_sessions *s, const struct oci_endpoint_conf *conf, const char *root, char *key,
               struct err *e)
{
    struct session *one = calloc(1, sizeof(*one));
    if (one) {
        one->key = strdup(key);
        one->root = strdup(root);
    }
    int r = one && one->key && one->root ? oci_registry_http(conf, one->root, &one->way, &one->http, e)
                                         : err_nomem(e);
    if (r) {
        if (one)
            session_free(one);
        return r;
    }
    one->next = s->first;
    s->first = one;
    return 0;
}

int oci_sessions_get(struct oci_sessions *s, const struct oci_endpoint_conf *conf, const char *root,
                     const char *known_as, struct net_http **ret, struct err *e)
{
    AUTO_FREE char *key = NULL;
    int r = make_key(conf, known_as, &key, e);
    if (r)
        return r;
    (void)pthread_mutex_lock(&s->lock);
    struct session *one = s->first;
    while (one && strcmp(one->key, key) != 0)
        one = one->next;
    if (!one) {
        r = add(s, conf, root, key, e);
        one = s->first;
    }
    if (!r)
        *ret = one->http;
    (void)pthread_mutex_unlock(&s->lock);
    return r;
}
