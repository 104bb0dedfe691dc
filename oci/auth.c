/* SPDX-License-Identifier: Apache-2.0 */
/* The session: which Authorization value to send, and how to get one. */
#include "oci/auth.h"

#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/url.h"

#include <time.h>

/* Tokens of services that do not say how long they last, and the least that is believed. */
#define TOKEN_LIFE_MIN 60U
/* A token is replaced so long before its end: enough for a request to get there. */
#define TOKEN_MARGIN 10
#define CLIENT_ID    "waybill"

struct oci_auth {
    struct net_http *http;
    char *root, *repo;
    const char *actions;
    struct oci_cred cred;
    struct oci_challenge challenge; /* the last one answered */
    struct buf value;               /* Authorization; empty: none */
    int64_t expires;                /* of a token, on the monotonic clock in seconds; 0: never */
};

static int64_t now(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec;
}

void oci_auth_free(struct oci_auth *a)
{
    if (!a)
        return;
    oci_cred_done(&a->cred);
    oci_challenge_done(&a->challenge);
    buf_done(&a->value);
    free(a->root);
    free(a->repo);
    free(a);
}

int oci_auth_open(const struct oci_auth_conf *conf, struct oci_cred *cred, struct oci_auth **ret,
                  struct err *e)
{
    AUTO(oci_auth) a = calloc(1, sizeof(*a));
    if (!a)
        return err_nomem(e);
    a->value = (struct buf)BUF_SECRET_INIT(LIMIT_TOKEN);
    a->http = conf->http;
    a->actions = conf->actions;
    a->root = strdup(conf->root);
    a->repo = strdup(conf->repo);
    if (!a->root || !a->repo)
        return err_nomem(e);
    a->cred = *cred;
    *cred = (struct oci_cred)OCI_CRED_INIT;
    *ret = TAKE(a);
    return 0;
}

bool oci_auth_anonymous(const struct oci_auth *a)
{
    return !a->cred.user && !a->cred.identity_token;
}

static void basic_value(const struct oci_cred *cred, struct buf *out)
{
    AUTO_DONE(buf) plain = BUF_SECRET_INIT(LIMIT_AUTH_FILE);
    buf_printf(&plain, "%s:%s", cred->user, cred->password);
    buf_append_str(out, "Basic ");
    b64_encode(B64_STD, buf_bytes(&plain), out);
    if (plain.failed)
        out->failed = plain.failed;
}

/* application/x-www-form-urlencoded, one "key=value". */
static void form_add(struct buf *out, const char *key, const char *value)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    buf_printf(out, "%s%s=", out->len ? "&" : "", key);
    for (; *value; value++) {
        if (strchr(plain, *value))
            buf_append_u8(out, (uint8_t)*value);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*value);
    }
}

/* Our own scope asks for all that the session will need; the registry's is taken when it names something
 * else. */
static void scope_add(const struct oci_auth *a, const struct oci_challenge *c, struct buf *form)
{
    AUTO_DONE(buf) own = BUF_INIT(LIMIT_NAME * 2);
    buf_printf(&own, "repository:%s:", a->repo);
    if (c->scope && strncmp(c->scope, buf_cstr(&own), own.len) != 0) {
        form_add(form, "scope", c->scope);
        return;
    }
    buf_append_str(&own, a->actions);
    form_add(form, "scope", buf_cstr(&own));
}

/* The rules of the header for where a token is asked for; *ret_send: credentials may go there. */
static int realm_check(const struct oci_auth *a, const char *realm, bool *ret_send, struct err *e)
{
    struct net_url registry, u;
    int r = net_url_parse(a->root, &registry, e);
    if (r == 0)
        r = net_url_parse(realm, &u, e);
    if (r == 0)
        r = net_url_may_lead(&registry, &u, e);
    if (r) {
        err_recode(e, ERR_AUTH);
        return err_wrap(e, "token service named by %s", registry.host);
    }
    *ret_send = u.tls || strcmp(u.host, registry.host) == 0 ||
                (net_url_is_loopback(u.host) && net_url_is_loopback(registry.host));
    return 0;
}

static bool token_char(char c)
{
    return c > ' ' && c < 0x7f;
}

int oci_token_parse(struct bytes body, char **ret, uint64_t *ret_life, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    const char *token = NULL;
    uint64_t life = TOKEN_LIFE_MIN;
    int r = jdoc_parse(body, &doc, e);
    if (r) /* the parser's own message would quote the text */
        return r == ERR_NOMEM ? r : err_set(e, ERR_REGISTRY, "token service: the reply is not JSON");
    const struct jval *root = jdoc_root(doc);
    r = jobj_want_string(root, "token", false, &token, e);
    if (r == 0 && (!token || !*token))
        r = jobj_want_string(root, "access_token", true, &token, e);
    if (r == 0)
        r = jobj_want_uint(root, "expires_in", false, INT32_MAX, &life, e);
    if (r) {
        err_recode(e, ERR_REGISTRY);
        return err_wrap(e, "token service");
    }
    size_t n = 0;
    while (token_char(token[n]))
        n++;
    if (n == 0 || token[n])
        return err_set(e, ERR_REGISTRY, "token service: the token is empty or not fit for a header");
    char *copy = strdup(token);
    if (!copy)
        return err_nomem(e);
    *ret = copy;
    *ret_life = life < TOKEN_LIFE_MIN ? TOKEN_LIFE_MIN : life;
    return 0;
}

static int token_keep(struct oci_auth *a, const struct net_http_response *resp, struct err *e)
{
    char *token;
    uint64_t life;
    if (resp->status == 401 || resp->status == 403)
        return err_set(e, ERR_AUTH, "the token service %s",
                       oci_auth_anonymous(a) ? "wants credentials" : "refuses the credentials");
    if (resp->status != 200)
        return err_set(e, ERR_REGISTRY, "the token service answers with status %d", resp->status);
    int r = oci_token_parse(buf_bytes(&resp->body), &token, &life, e);
    if (r)
        return r;
    buf_reset(&a->value);
    buf_printf(&a->value, "Bearer %s", token);
    a->expires = now() + (int64_t)life;
    oci_secret_free(token);
    return buf_check(&a->value, e);
}

/* OAuth2: the identity token as a refresh token, in a form. */
static int token_post(struct oci_auth *a, const struct oci_challenge *c, struct net_http_response *resp,
                      struct err *e)
{
    AUTO_DONE(buf) form = BUF_SECRET_INIT(LIMIT_TOKEN);
    form_add(&form, "grant_type", "refresh_token");
    form_add(&form, "client_id", CLIENT_ID);
    if (c->service)
        form_add(&form, "service", c->service);
    scope_add(a, c, &form);
    form_add(&form, "refresh_token", a->cred.identity_token);
    int r = buf_check(&form, e);
    if (r)
        return r;
    struct opener_bytes opener;
    struct source_opener body = opener_bytes_init(&opener, buf_bytes(&form));
    const struct net_http_field type = {"Content-Type", "application/x-www-form-urlencoded"};
    const struct net_http_request req = {
        .method = "POST",
        .url = c->realm,
        .fields = &type,
        .n_fields = 1,
        .body = &body,
        .max_body = LIMIT_TOKEN,
        .idempotent = true,
        .secret = true,
    };
    return net_http_send(a->http, &req, resp, e);
}

/* The distribution project's own flow: a query, with Basic credentials when there are some. */
static int token_get(struct oci_auth *a, const struct oci_challenge *c, struct net_http_response *resp,
                     struct err *e)
{
    AUTO_DONE(buf) url = BUF_INIT(NET_URL_MAX);
    AUTO_DONE(buf) query = BUF_INIT(NET_URL_MAX);
    AUTO_DONE(buf) basic = BUF_SECRET_INIT(LIMIT_AUTH_FILE);
    if (c->service)
        form_add(&query, "service", c->service);
    scope_add(a, c, &query);
    buf_printf(&url, "%s%c%s", c->realm, strchr(c->realm, '?') ? '&' : '?', buf_cstr(&query));
    if (a->cred.user)
        basic_value(&a->cred, &basic);
    int r = buf_check(&url, e);
    if (r == 0)
        r = buf_check(&query, e);
    if (r == 0)
        r = buf_check(&basic, e);
    if (r)
        return r;
    const struct net_http_request req = {
        .method = "GET",
        .url = buf_cstr(&url),
        .authorization = a->cred.user ? buf_cstr(&basic) : NULL,
        .max_body = LIMIT_TOKEN,
        .idempotent = true,
        .secret = true,
    };
    return net_http_send(a->http, &req, resp, e);
}

static int token_obtain(struct oci_auth *a, const struct oci_challenge *c, struct err *e)
{
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    bool send = false;
    int r = realm_check(a, c->realm, &send, e);
    if (r)
        return r;
    if (!oci_auth_anonymous(a) && !send)
        return err_set(e, ERR_AUTH,
                       "the registry wants the credentials sent to a token service over plain HTTP");
    bool post = a->cred.identity_token != NULL;
    r = post ? token_post(a, c, &resp, e) : token_get(a, c, &resp, e);
    if (r == 0 && post && (resp.status == 404 || resp.status == 405) && a->cred.user)
        r = token_get(a, c, &resp, e);
    if (r == 0)
        r = token_keep(a, &resp, e);
    return r ? err_wrap(e, "token") : 0;
}

static int challenge_read(const struct net_http_response *resp, struct oci_challenge *ret, struct err *e)
{
    struct bytes value;
    for (size_t n = 0; net_http_field(resp, "WWW-Authenticate", n, &value); n++) {
        int r = oci_challenge_add(value, ret, e);
        if (r == ERR_NOMEM)
            return r;
        if (r)
            log_warn("%s", e->msg);
    }
    if (ret->scheme == OCI_AUTH_NONE)
        return err_set(e, ERR_AUTH,
                       "the registry asks for no authentication that is known here (Basic, Bearer)");
    return 0;
}

int oci_auth_answer(struct oci_auth *a, const struct net_http_response *resp, struct err *e)
{
    AUTO_DONE(oci_challenge) c = {.scheme = OCI_AUTH_NONE};
    int r = challenge_read(resp, &c, e);
    if (r)
        return r;
    buf_reset(&a->value);
    a->expires = 0;
    if (c.scheme == OCI_AUTH_BEARER) {
        r = token_obtain(a, &c, e);
        if (r)
            return r;
    } else if (a->cred.user) {
        basic_value(&a->cred, &a->value);
        r = buf_check(&a->value, e);
        if (r)
            return r;
    } else {
        return err_set(e, ERR_AUTH,
                       "the registry wants a user name and a password, and there are none for it");
    }
    oci_challenge_done(&a->challenge);
    a->challenge = c;
    c = (struct oci_challenge){.scheme = OCI_AUTH_NONE};
    return 0;
}

int oci_auth_value(struct oci_auth *a, const char **ret, struct err *e)
{
    if (a->expires && now() >= a->expires - TOKEN_MARGIN) {
        int r = token_obtain(a, &a->challenge, e);
        if (r)
            return r;
    }
    *ret = a->value.len ? buf_cstr(&a->value) : NULL;
    return 0;
}
