/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a token service. */
#include "oci/auth_session.h"

#include "base/json.h"
#include "base/limits.h"
#include "net/url.h"

/* Tokens of services that do not say how long they last, and the least that is believed. */
#define TOKEN_LIFE_MIN 60U
#define CLIENT_ID      "waybill"

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

/* Our own scope asks for all that the session will need, and to remove only when that is asked for; the
 * registry's is taken when it names something else. It comes last: there are services that read the last one
 * alone. one: all of them in one parameter, as OAuth2 has it. */
static void scopes_add(const struct oci_auth *a, const struct oci_challenge *c, bool one, struct buf *form)
{
    AUTO_DONE(buf) own = BUF_INIT(LIMIT_NAME * 2);
    AUTO_DONE(buf) all = BUF_INIT(NET_URL_MAX);
    buf_printf(&own, "repository:%s:", a->repo);
    const char *last = c->scope;
    if (*a->repo && (!last || strncmp(last, buf_cstr(&own), own.len) == 0)) {
        bool removes = last && strstr(last + own.len, "delete");
        buf_printf(&own, "%s%s", a->actions, removes ? ",delete" : "");
        last = buf_cstr(&own);
    }
    const char *end = buf_cstr(&a->also) + a->also.len;
    for (const char *at = buf_cstr(&a->also); at < end; at += strlen(at) + 1) {
        if (one)
            buf_printf(&all, "%s ", at);
        else
            form_add(form, "scope", at);
    }
    buf_append_str(&all, last ? last : "");
    if (all.failed || own.failed)
        form->failed = ERR_NOMEM;
    else if (all.len)
        form_add(form, "scope", buf_cstr(&all));
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

static int token_keep(struct oci_auth *a, const struct oci_challenge *c, const struct net_http_response *resp,
                      struct err *e)
{
    char *token;
    uint64_t life;
    if (resp->status == 401 || resp->status == 403)
        return err_set(e, ERR_AUTH, "the token service %s",
                       oci_cred_is_empty(&a->cred) ? "wants credentials, see \"waybill login\""
                                                   : "refuses the credentials");
    if (resp->status != 200)
        return err_set(e, ERR_REGISTRY, "the token service answers with status %d", resp->status);
    int r = oci_token_parse(buf_bytes(&resp->body), &token, &life, e);
    if (r)
        return r;
    buf_reset(&a->value);
    buf_printf(&a->value, "Bearer %s", token);
    a->expires = oci_auth_seconds() + (int64_t)life;
    a->of_memo = false;
    oci_secret_free(token);
    r = buf_check(&a->value, e);
    if (r == 0)
        oci_auth_keep_token(a, c, life);
    return r;
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
    scopes_add(a, c, true, &form);
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
    scopes_add(a, c, false, &query);
    const char *joint = query.len == 0 ? "" : strchr(c->realm, '?') ? "&" : "?";
    buf_printf(&url, "%s%s%s", c->realm, joint, buf_cstr(&query));
    if (a->cred.user)
        oci_auth_basic(&a->cred, &basic);
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

int oci_auth_token(struct oci_auth *a, const struct oci_challenge *c, struct err *e)
{
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    bool send = false;
    int r = realm_check(a, c->realm, &send, e);
    if (r == 0)
        r = oci_auth_cred(a, e);
    if (r)
        return r;
    if (!oci_cred_is_empty(&a->cred) && !send)
        return err_set(e, ERR_AUTH,
                       "the registry wants the credentials sent to a token service over plain HTTP");
    bool post = a->cred.identity_token != NULL;
    r = post ? token_post(a, c, &resp, e) : token_get(a, c, &resp, e);
    if (r == 0 && post && (resp.status == 404 || resp.status == 405) && a->cred.user)
        r = token_get(a, c, &resp, e);
    if (r == 0)
        r = token_keep(a, c, &resp, e);
    return r ? err_wrap(e, "token") : 0;
}
