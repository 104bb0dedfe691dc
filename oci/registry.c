/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/registry.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "net/url.h"
#include "oci/sessions.h"

#include <stdio.h>

#define HUB_NAME "docker.io"
#define HUB_HOST "registry-1.docker.io"

const struct net_http_field oci_registry_accept = {
    "Accept", OCI_TYPE_MANIFEST ", " OCI_TYPE_INDEX ", " OCI_TYPE_DOCKER ", " OCI_TYPE_DOCKER_LIST};

int oci_registry_url(const struct oci_registry *reg, const char *kind, const char *last, char **ret,
                     struct err *e)
{
    AUTO_DONE(buf) url = BUF_INIT(NET_URL_MAX);
    buf_printf(&url, "%s/%s/%s", reg->url, kind, last);
    int r = buf_check(&url, e);
    if (r)
        return r;
    *ret = buf_take_str(&url);
    return *ret ? 0 : err_nomem(e);
}

static bool is_own(const struct oci_registry *reg, const char *url)
{
    struct net_url a, b;
    struct err ignored = ERR_INIT;
    return net_url_parse(reg->root, &a, &ignored) == 0 && net_url_parse(url, &b, &ignored) == 0 &&
           net_url_same_origin(&a, &b);
}

/* distribution-spec 1.1, "Warnings": shown, once in a row. */
static void warnings_show(struct oci_registry *reg, const struct net_http_response *resp)
{
    struct bytes value;
    char shown[sizeof(reg->warning)];
    for (size_t n = 0; n < 8 && net_http_field(resp, "Warning", n, &value); n++) {
        if (!bytes_starts(value, BYTES_LIT("299 - ")))
            continue;
        text_escape(bytes_of(value.ptr + 6, value.len - 6), shown, sizeof(shown));
        (void)pthread_mutex_lock(&reg->lock);
        if (strcmp(shown, reg->warning) != 0)
            log_warn("%s says: %s", reg->host, shown);
        memcpy(reg->warning, shown, sizeof(shown));
        (void)pthread_mutex_unlock(&reg->lock);
    }
}

/* Whether a failure of the registry's own may go away with another Authorization value, which the session has
 * then. *answered: its challenge was answered before. */
static int try_again(struct oci_registry *reg, const char *sent, const struct net_http_response *resp,
                     bool *answered, bool *ret_again, struct err *e)
{
    *ret_again = false;
    if ((resp->status != 401 && resp->status != 403) || *answered || !is_own(reg, resp->url))
        return 0;
    if (resp->status == 403) {
        *ret_again = oci_auth_renew(reg->auth, sent);
        return 0;
    }
    int r = oci_auth_answer(reg->auth, sent, resp, e);
    *ret_again = *answered = r == 0;
    return r;
}

/* Where there are credentials the first request is likely to be answered with a 401. It goes alone until that
 * is answered, so that those beside it do not come to the same. Returns whether greet_end is due. */
static bool greet_begin(struct oci_registry *reg)
{
    if (oci_auth_anonymous(reg->auth))
        return false;
    (void)pthread_mutex_lock(&reg->first);
    bool first = !reg->greeted;
    if (!first)
        (void)pthread_mutex_unlock(&reg->first);
    return first;
}

static void greet_end(struct oci_registry *reg, bool *first)
{
    if (!*first)
        return;
    *first = false;
    reg->greeted = true;
    (void)pthread_mutex_unlock(&reg->first);
}

int oci_registry_send(struct oci_registry *reg, struct net_http_request *req, struct net_http_response *resp,
                      struct err *e)
{
    bool own = is_own(reg, req->url), answered = false, again = true, first = own && greet_begin(reg);
    int r = 0;
    for (unsigned round = 0; r == 0 && again && round < 3; round++) {
        AUTO_DONE(buf) value = BUF_SECRET_INIT(OCI_AUTH_VALUE_MAX);
        if (own && (r = oci_auth_value(reg->auth, &value, e)))
            break;
        if (value.len)
            greet_end(reg, &first);
        req->authorization = value.len ? buf_cstr(&value) : NULL;
        if (round)
            req->resume = resp->delivered;
        r = net_http_send(reg->http, req, resp, e);
        if (r == 0)
            r = try_again(reg, req->authorization, resp, &answered, &again, e);
        req->authorization = NULL;
        greet_end(reg, &first);
    }
    greet_end(reg, &first);
    if (r == 0)
        warnings_show(reg, resp);
    return r;
}

int oci_registry_send_once(struct oci_registry *reg, struct net_http_request *req,
                           struct net_http_response *resp, struct err *e)
{
    AUTO_DONE(buf) value = BUF_SECRET_INIT(OCI_AUTH_VALUE_MAX);
    int r = is_own(reg, req->url) ? oci_auth_value(reg->auth, &value, e) : 0;
    if (r)
        return r;
    req->authorization = value.len ? buf_cstr(&value) : NULL;
    r = net_http_send(reg->http, req, resp, e);
    req->authorization = NULL;
    return r;
}

/* The Content-Type without its parameters; *ret stays NULL when there is none. */
static int content_type(const struct net_http_response *resp, char **ret, struct err *e)
{
    struct bytes value;
    char shown[256];
    if (!net_http_field(resp, "Content-Type", 0, &value))
        return 0;
    const uint8_t *semicolon = value.len ? memchr(value.ptr, ';', value.len) : NULL;
    if (semicolon)
        value.len = (size_t)(semicolon - value.ptr);
    while (value.len && strchr(" \t", value.ptr[value.len - 1]))
        value.len--;
    *ret = strdup(text_escape(value, shown, sizeof(shown)));
    return *ret ? 0 : err_nomem(e);
}

/* Docker-Content-Digest is a hint: registries were seen to send wrong ones. What counts is the body. */
static void digest_hint(const struct oci_registry *reg, const struct net_http_response *resp,
                        const struct digest *seen)
{
    struct bytes value;
    struct digest said;
    struct err ignored = ERR_INIT;
    if (net_http_field(resp, "Docker-Content-Digest", 0, &value) &&
        digest_parse(value, &said, &ignored) == 0 && said.alg == seen->alg && !digest_eq(&said, seen))
        log_warn("%s: the header Docker-Content-Digest names another digest than the manifest has",
                 reg->host);
}

static int manifest_get(struct oci_registry *reg, const char *reference, struct net_http_response *resp,
                        struct err *e)
{
    AUTO_FREE char *url = NULL;
    char what[DIGEST_STR_MAX + 16];
    int r = oci_registry_url(reg, "manifests", reference, &url, e);
    if (r)
        return r;
    struct net_http_request req = {
        .method = "GET",
        .url = url,
        .fields = &oci_registry_accept,
        .n_fields = 1,
        .max_body = LIMIT_MANIFEST,
        .follow = true,
        .idempotent = true,
    };
    r = oci_registry_send(reg, &req, resp, e);
    if (r)
        return r;
    (void)snprintf(what, sizeof(what), "manifest %s", reference);
    return resp->status == 200 ? 0 : oci_registry_failure(reg, resp, what, e);
}

static int registry_resolve(struct oci_endpoint *ep, const char *tag, const struct digest *digest,
                            struct oci_pinned *ret, struct err *e)
{
    struct oci_registry *reg = oci_registry_of(ep);
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    AUTO_FREE char *type = NULL;
    char want[DIGEST_STR_MAX], got[DIGEST_STR_MAX];
    struct digest seen;
    int r = manifest_get(reg, digest ? digest_str(digest, want) : tag, &resp, e);
    if (r == 0)
        r = hash_bytes(digest ? digest->alg : HASH_SHA256, buf_bytes(&resp.body), &seen, e);
    if (r)
        return r;
    if (digest && !digest_eq(digest, &seen))
        return err_set(e, ERR_DIGEST, "manifest %s: the registry sent one with the digest %s", want,
                       digest_str(&seen, got));
    digest_hint(reg, &resp, &seen);
    r = content_type(&resp, &type, e);
    if (r)
        return r;
    *ret = (struct oci_pinned){.digest = seen, .media_type = TAKE(type), .body = resp.body};
    resp.body = (struct buf)BUF_INIT(0);
    return 0;
}

/* end: 0 for the whole rest. */
static int blob_get(struct oci_registry *reg, const struct oci_desc *desc, uint64_t from, uint64_t end,
                    struct sink *to, struct net_http_response *resp, struct err *e)
{
    AUTO_FREE char *url = NULL;
    char digest[DIGEST_STR_MAX];
    int r = oci_registry_url(reg, "blobs", digest_str(&desc->digest, digest), &url, e);
    if (r)
        return r;
    struct net_http_request req = {.method = "GET",
                                   .url = url,
                                   .to = to,
                                   .resume = from,
                                   .end = end,
                                   .follow = true,
                                   .idempotent = true};
    r = oci_registry_send(reg, &req, resp, e);
    return r ? err_wrap(e, "blob %s", digest) : 0;
}

static int blob_failure(const struct oci_registry *reg, const struct net_http_response *resp,
                        const struct oci_desc *desc, struct err *e)
{
    char digest[DIGEST_STR_MAX], what[DIGEST_STR_MAX + 8];
    (void)snprintf(what, sizeof(what), "blob %s", digest_str(&desc->digest, digest));
    return oci_registry_failure(reg, resp, what, e);
}

static int registry_blob_fetch(struct oci_endpoint *ep, const struct oci_desc *desc, struct sink *to,
                               struct err *e)
{
    struct oci_registry *reg = oci_registry_of(ep);
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    int r = blob_get(reg, desc, 0, 0, to, &resp, e);
    if (r)
        return r;
    if (resp.status != 200 && resp.status != 206)
        return blob_failure(reg, &resp, desc, e);
    oci_registry_seen(reg, desc);
    return 0;
}

static int registry_blob_resume(struct oci_endpoint *ep, const struct oci_desc *desc, uint64_t from,
                                struct sink *to, struct err *e)
{
    struct oci_registry *reg = oci_registry_of(ep);
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    char digest[DIGEST_STR_MAX];
    int r = blob_get(reg, desc, from, 0, to, &resp, e);
    if (r) /* another part than the one asked for */
        return r == ERR_REGISTRY ? err_recode(e, ERR_UNSUPPORTED) : r;
    (void)digest_str(&desc->digest, digest);
    if (resp.status == 416)
        return err_set(e, ERR_UNSUPPORTED, "blob %s: the registry has nothing from byte %llu on", digest,
                       (unsigned long long)from);
    if (resp.status == 206)
        log_info("blob %s: %llu bytes were not fetched again", digest, (unsigned long long)from);
    else if (resp.status == 200)
        log_info("blob %s: the registry sent all of it again", digest);
    return resp.status == 200 || resp.status == 206 ? 0 : blob_failure(reg, &resp, desc, e);
}

static int registry_blob_part(struct oci_endpoint *ep, const struct oci_desc *desc, uint64_t from,
                              uint64_t size, struct sink *to, struct err *e)
{
    struct oci_registry *reg = oci_registry_of(ep);
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    char digest[DIGEST_STR_MAX];
    uint64_t end = from + size;
    int r = blob_get(reg, desc, from, end, to, &resp, e);
    if (r == ERR_NETWORK && resp.delivered == end) /* broken after the last byte */
        r = 0;
    if (r) /* another part than the one asked for */
        return r == ERR_REGISTRY ? err_recode(e, ERR_UNSUPPORTED) : r;
    if (resp.status / 100 != 2 && resp.status != 416)
        return blob_failure(reg, &resp, desc, e);
    if (resp.delivered != end)
        return err_set(e, ERR_UNSUPPORTED, "blob %s: the registry has no bytes from %llu to %llu",
                       digest_str(&desc->digest, digest), (unsigned long long)resp.delivered,
                       (unsigned long long)(end - 1));
    if (end == desc->size)
        oci_registry_seen(reg, desc);
    return 0;
}

static void registry_close(struct oci_endpoint *ep)
{
    struct oci_registry *reg = oci_registry_of(ep);
    oci_registry_cancel_done(reg);
    oci_auth_free(reg->auth);
    if (!reg->shared)
        net_http_close(reg->http);
    (void)pthread_mutex_destroy(&reg->lock);
    (void)pthread_mutex_destroy(&reg->first);
    free(reg->known_as);
    free(reg->root);
    free(reg->url);
    free(reg->host);
    free(reg);
}

static const struct oci_endpoint_ops registry_ops = {
    .close = registry_close,
    .resolve = registry_resolve,
    .tags = oci_registry_tags,
    .blob_fetch = registry_blob_fetch,
    .blob_resume = registry_blob_resume,
    .blob_part = registry_blob_part,
    .blob_push = oci_registry_blob_push,
    .manifest_push = oci_registry_manifest_push,
    .child_push = oci_registry_child_push,
    .manifest_known = oci_registry_manifest_known,
    .blob_mount = oci_registry_blob_mount,
    .referrers = oci_registry_referrers,
    .remove = oci_registry_remove,
};

/* Plain HTTP is for those who asked for it, and for registries on this machine: never where TLS was asked
 * for.
 */
static bool wants_http(const struct oci_endpoint_conf *conf, const char *host)
{
    bool tls = conf->ca_file || conf->cert || conf->cert_key || conf->insecure;
    return conf->plain_http || (!tls && net_url_is_loopback(host));
}

int oci_registry_root(const char *name, const struct oci_endpoint_conf *conf, struct buf *out, struct err *e)
{
    const char *host = strcmp(name, HUB_NAME) == 0 ? HUB_HOST : name;
    AUTO_DONE(buf) root = BUF_INIT(NET_URL_MAX);
    struct net_url u;
    buf_printf(&root, "https://%s", host);
    int r = buf_check(&root, e);
    if (r == 0)
        r = net_url_parse(buf_cstr(&root), &u, e);
    if (r)
        return err_recode(e, ERR_USAGE);
    buf_printf(out, "%s://%s", wants_http(conf, u.host) ? "http" : "https", host);
    return buf_check(out, e);
}

int oci_registry_known_as(const char *root, const struct oci_endpoint_conf *conf, struct buf *out,
                          struct err *e)
{
    buf_printf(out, "%s%s", root, conf->insecure ? " insecure" : "");
    for (size_t i = 0; i < conf->n_resolve; i++)
        buf_printf(out, " at %s", conf->resolve[i]);
    if (conf->via_url)
        buf_printf(out, " via %s", conf->via_url);
    return buf_check(out, e);
}

static int urls_make(struct oci_registry *reg, const struct oci_ref *ref,
                     const struct oci_endpoint_conf *conf, struct err *e)
{
    AUTO_DONE(buf) root = BUF_INIT(NET_URL_MAX);
    AUTO_DONE(buf) url = BUF_INIT(NET_URL_MAX);
    AUTO_DONE(buf) known_as = BUF_INIT(OCI_KNOWN_AS_MAX);
    int r = oci_registry_root(ref->host, conf, &root, e);
    if (r == 0)
        r = oci_registry_known_as(buf_cstr(&root), conf, &known_as, e);
    if (r)
        return r;
    buf_printf(&url, "%s/v2/%s", buf_cstr(&root), ref->path);
    r = buf_check(&url, e);
    if (r)
        return r;
    reg->root = buf_take_str(&root);
    reg->url = buf_take_str(&url);
    reg->known_as = buf_take_str(&known_as);
    reg->host = strdup(ref->host);
    return reg->root && reg->url && reg->known_as && reg->host ? 0 : err_nomem(e);
}

int oci_registry_http(const struct oci_endpoint_conf *conf, const char *root, struct oci_via_way *way,
                      struct net_http **ret, struct err *e)
{
    struct net_http_conf http = NET_HTTP_CONF_INIT;
    http.origin = root;
    http.ca_file = conf->ca_file;
    http.cert = conf->cert;
    http.cert_key = conf->cert_key;
    http.insecure = conf->insecure;
    http.resolve = conf->resolve;
    http.n_resolve = conf->n_resolve;
    if (conf->user_agent)
        http.user_agent = conf->user_agent;
    if (conf->max_wait_ms)
        http.max_wait_ms = conf->max_wait_ms > INT64_MAX ? INT64_MAX : (int64_t)conf->max_wait_ms;
    if (conf->via_url) {
        int r = oci_via_parse(conf->via_url, &way->at, e);
        if (r)
            return r;
        way->via = conf->via;
        http.dial = oci_via_dial;
        http.dial_ctx = way;
    }
    return net_http_open(&http, ret, e);
}

static int session_open(struct oci_registry *reg, const struct oci_ref *ref,
                        const struct oci_endpoint_conf *conf, bool push, struct err *e)
{
    reg->shared = conf->sessions != NULL;
    int r = reg->shared ? oci_sessions_get(conf->sessions, conf, reg->root, reg->known_as, &reg->http, e)
                        : oci_registry_http(conf, reg->root, &reg->way, &reg->http, e);
    if (r)
        return r;
    const struct oci_auth_conf auth = {
        .http = reg->http,
        .root = reg->root,
        .host = ref->host,
        .repo = ref->path,
        .actions = conf->remove ? "pull,push,delete"
                   : push       ? "pull,push"
                                : "pull",
        .cred = conf->credentials,
        .memo_dir = reg->memo_dir,
        .known_as = reg->known_as,
    };
    return oci_auth_open(&auth, &reg->auth, e);
}

int oci_registry_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool create,
                      struct oci_endpoint **ret, struct err *e)
{
    struct oci_registry *reg = calloc(1, sizeof(*reg));
    if (!reg)
        return err_nomem(e);
    reg->base.ops = &registry_ops;
    if (pthread_mutex_init(&reg->lock, NULL) != 0 || pthread_mutex_init(&reg->first, NULL) != 0) {
        free(reg);
        return err_nomem(e);
    }
    int r = urls_make(reg, ref, conf, e);
    reg->memo_dir = conf->memo_dir;
    if (r == 0)
        r = session_open(reg, ref, conf, create, e);
    if (r) {
        registry_close(&reg->base);
        return r;
    }
    *ret = &reg->base;
    return 0;
}
