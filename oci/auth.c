/* SPDX-License-Identifier: Apache-2.0 */
/* The session: which Authorization value to send. */
#include "oci/auth_session.h"

#include "base/hex.h"
#include "base/limits.h"
#include "base/log.h"

#include <time.h>

int64_t oci_auth_seconds(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec;
}

void oci_auth_free(struct oci_auth *a)
{
    if (!a)
        return;
    (void)pthread_mutex_destroy(&a->lock);
    oci_cred_place_done(&a->place);
    oci_cred_done(&a->cred);
    oci_challenge_done(&a->challenge);
    buf_done(&a->value);
    buf_done(&a->also);
    free(a->identity);
    free(a->known_as);
    free(a->root);
    free(a->repo);
    free(a);
}

int oci_auth_open(const struct oci_auth_conf *conf, struct oci_auth **ret, struct err *e)
{
    AUTO(oci_auth) a = calloc(1, sizeof(*a));
    if (!a)
        return err_nomem(e);
    if (pthread_mutex_init(&a->lock, NULL) != 0) {
        free(TAKE(a));
        return err_nomem(e);
    }
    a->value = (struct buf)BUF_SECRET_INIT(OCI_AUTH_VALUE_MAX);
    a->also = (struct buf)BUF_INIT(64U << 10);
    a->http = conf->http;
    a->actions = conf->actions;
    a->memo_dir = conf->memo_dir;
    a->root = strdup(conf->root);
    a->repo = strdup(conf->repo);
    a->known_as = strdup(conf->known_as ? conf->known_as : conf->root);
    if (!a->root || !a->repo || !a->known_as)
        return err_nomem(e);
    int r = 0;
    if (conf->cred) {
        a->helper = conf->cred->helper;
        r = oci_cred_find(conf->cred, conf->host, conf->repo, &a->place, e);
    }
    if (r == 0)
        r = oci_auth_identify(a, e);
    if (r == 0)
        *ret = TAKE(a);
    return r;
}

bool oci_auth_anonymous(struct oci_auth *a)
{
    (void)pthread_mutex_lock(&a->lock);
    bool none = a->cred_known ? oci_cred_is_empty(&a->cred)
                              : a->place.n_helpers == 0 && oci_cred_is_empty(&a->place.cred);
    (void)pthread_mutex_unlock(&a->lock);
    return none;
}

int oci_auth_cred(struct oci_auth *a, struct err *e)
{
    if (a->cred_known)
        return 0;
    int r = oci_cred_get(&a->helper, &a->place, &a->cred, e);
    a->cred_known = r == 0;
    return r;
}

void oci_auth_basic(const struct oci_cred *cred, struct buf *out)
{
    AUTO_DONE(buf) plain = BUF_SECRET_INIT(LIMIT_AUTH_FILE);
    buf_printf(&plain, "%s:%s", cred->user, cred->password);
    buf_append_str(out, "Basic ");
    b64_encode(B64_STD, buf_bytes(&plain), out);
    if (plain.failed)
        out->failed = plain.failed;
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

static int basic_answer(struct oci_auth *a, struct err *e)
{
    int r = oci_auth_cred(a, e);
    if (r)
        return r;
    if (!a->cred.user)
        return err_set(e, ERR_AUTH,
                       "the registry wants a user name and a password, and there are none for it, see "
                       "\"waybill login\"");
    oci_auth_basic(&a->cred, &a->value);
    return buf_check(&a->value, e);
}

static void forget(struct oci_auth *a)
{
    if (a->of_memo)
        oci_auth_drop_token(a);
    buf_reset(&a->value);
    a->expires = 0;
    a->of_memo = false;
}

/* Does what a challenge asks for, and keeps it. */
static int comply(struct oci_auth *a, struct oci_challenge *c, struct err *e)
{
    forget(a);
    int r = c->scheme == OCI_AUTH_BEARER ? oci_auth_token(a, c, e) : basic_answer(a, e);
    if (r) {
        forget(a);
        return r;
    }
    oci_challenge_done(&a->challenge);
    a->challenge = *c;
    *c = (struct oci_challenge){.scheme = OCI_AUTH_NONE};
    return 0;
}

static bool is_value(const struct oci_auth *a, const char *sent)
{
    return bytes_eq(buf_bytes(&a->value), sent ? bytes_str(sent) : BYTES_NONE);
}

int oci_auth_answer(struct oci_auth *a, const char *sent, const struct net_http_response *resp, struct err *e)
{
    AUTO_DONE(oci_challenge) c = {.scheme = OCI_AUTH_NONE};
    int r = challenge_read(resp, &c, e);
    if (r)
        return r;
    (void)pthread_mutex_lock(&a->lock);
    if (is_value(a, sent)) { /* else another thread has got a new one meanwhile */
        r = comply(a, &c, e);
        if (r == 0)
            oci_auth_keep_challenge(a, &a->challenge);
    }
    (void)pthread_mutex_unlock(&a->lock);
    return r;
}

bool oci_auth_renew(struct oci_auth *a, const char *sent)
{
    (void)pthread_mutex_lock(&a->lock);
    bool again = !is_value(a, sent);
    if (!again && a->of_memo) {
        forget(a);
        again = true;
    }
    (void)pthread_mutex_unlock(&a->lock);
    return again;
}

/* What the registry asked for in an earlier run is done before it asks again. That it fails means no more
 * than that the registry has to be asked. */
static int recall(struct oci_auth *a, struct err *e)
{
    AUTO_DONE(oci_challenge) c = {.scheme = OCI_AUTH_NONE};
    struct err why = ERR_INIT;
    a->recalled = true;
    if (oci_auth_recall_token(a) || !oci_auth_recall_challenge(a, &c))
        return 0;
    int r = oci_auth_cred(a, e);
    if (r || (c.scheme == OCI_AUTH_BASIC && !a->cred.user))
        return r;
    if (comply(a, &c, &why)) {
        log_debug("what the registry asked for the last time did not work: %s", why.msg);
        oci_auth_drop_challenge(a);
    }
    return 0;
}

int oci_auth_value(struct oci_auth *a, struct buf *out, struct err *e)
{
    int r = 0;
    (void)pthread_mutex_lock(&a->lock);
    if (!a->recalled)
        r = recall(a, e);
    if (r == 0 && a->expires && oci_auth_seconds() >= a->expires - OCI_AUTH_MARGIN)
        r = oci_auth_token(a, &a->challenge, e);
    if (r == 0)
        buf_append_bytes(out, buf_bytes(&a->value));
    (void)pthread_mutex_unlock(&a->lock);
    return r ? r : buf_check(out, e);
}

static bool has_scope(const struct oci_auth *a, const char *scope)
{
    const char *end = buf_cstr(&a->also) + a->also.len;
    for (const char *at = buf_cstr(&a->also); at < end; at += strlen(at) + 1)
        if (strcmp(at, scope) == 0)
            return true;
    return false;
}

int oci_auth_also(struct oci_auth *a, const char *scope, struct err *e)
{
    int r = 0;
    (void)pthread_mutex_lock(&a->lock);
    if (!has_scope(a, scope)) {
        size_t before = a->also.len;
        buf_append(&a->also, scope, strlen(scope) + 1);
        r = buf_check(&a->also, e);
        if (r == 0 && a->challenge.scheme == OCI_AUTH_BEARER)
            r = oci_auth_token(a, &a->challenge, e);
        if (r && !a->also.failed)
            a->also.len = before;
    }
    (void)pthread_mutex_unlock(&a->lock);
    return r;
}
