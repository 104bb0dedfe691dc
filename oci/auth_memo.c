/* SPDX-License-Identifier: Apache-2.0 */
/* What a session remembers for the next run: {"scheme", "realm", "service"}, of a token also {"token",
 * "until"}. A key is the registry's origin; of a token also its scopes and the identity. */
#include "oci/auth_session.h"

#include "base/json.h"
#include "base/limits.h"
#include "net/url.h"
#include "oci/memo.h"

#include <time.h>

#define TOKEN       "token"
#define CHALLENGE   "challenge"
#define ANONYMOUS   "anonymous"
#define KEY_MAX_LEN (128U << 10)
#define DAY         (24 * 60 * 60)
/* However long a token lasts, it is not kept longer: it may have been revoked. */
#define TOKEN_MAX DAY
/* A registry that changes what it asks for costs a request, so this is long. */
#define CHALLENGE_LIFE (30 * DAY)

int oci_auth_identify(struct oci_auth *a, struct err *e)
{
    const struct oci_cred *c = &a->place.cred;
    const char *const texts[] = {c->user, c->password, c->identity_token};
    struct bytes parts[2 * OCI_CRED_SOURCES + ARRAY_LEN(texts)];
    size_t n = 0;
    if (!a->memo_dir)
        return 0;
    if (a->place.n_helpers == 0 && oci_cred_is_empty(c)) {
        a->identity = strdup(ANONYMOUS);
        return a->identity ? 0 : err_nomem(e);
    }
    /* With the NUL behind each, so that no character can move from one to the next. */
    for (size_t i = 0; i < a->place.n_helpers; i++) {
        parts[n++] = bytes_of(a->place.helpers[i].name, strlen(a->place.helpers[i].name) + 1);
        parts[n++] = bytes_of(a->place.helpers[i].server, strlen(a->place.helpers[i].server) + 1);
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        parts[n++] = texts[i] ? bytes_of(texts[i], strlen(texts[i]) + 1) : BYTES_LIT("\1");
    int r = oci_memo_seal(a->memo_dir, parts, n, &a->identity, e);
    return r == ERR_NOTFOUND ? 0 : r; /* then nothing is remembered */
}

/* "https://ghcr.io <identity> repository:a/b:pull" */
static int token_key(const struct oci_auth *a, struct buf *out, struct err *e)
{
    buf_printf(out, "%s %s", a->known_as, a->identity);
    const char *end = buf_cstr(&a->also) + a->also.len;
    for (const char *at = buf_cstr(&a->also); at < end; at += strlen(at) + 1)
        buf_printf(out, " %s", at);
    buf_printf(out, " repository:%s:%s", a->repo, a->actions);
    return buf_check(out, e);
}

static bool remembers(const struct oci_auth *a)
{
    return a->memo_dir && a->identity && *a->repo;
}

static void challenge_write(struct jout *w, const struct oci_challenge *c)
{
    jout_string(w, "scheme", c->scheme == OCI_AUTH_BEARER ? "bearer" : "basic");
    if (c->scheme == OCI_AUTH_BEARER)
        jout_string(w, "realm", c->realm);
    if (c->service)
        jout_string(w, "service", c->service);
}

static int text_copy(const char *text, char **ret, struct err *e)
{
    *ret = text ? strdup(text) : NULL;
    return text && !*ret ? err_nomem(e) : 0;
}

static int challenge_parse(const struct jval *v, struct oci_challenge *ret, struct err *e)
{
    AUTO_DONE(oci_challenge) c = {.scheme = OCI_AUTH_NONE};
    const char *scheme, *realm, *service;
    int r = jobj_want_string(v, "scheme", true, &scheme, e);
    if (r == 0)
        r = jobj_want_string(v, "realm", false, &realm, e);
    if (r == 0)
        r = jobj_want_string(v, "service", false, &service, e);
    if (r)
        return r;
    c.scheme = strcmp(scheme, "bearer") == 0 ? OCI_AUTH_BEARER : OCI_AUTH_BASIC;
    if (c.scheme == OCI_AUTH_BEARER && !realm)
        return err_set(e, ERR_FORMAT, "no realm");
    r = text_copy(realm, &c.realm, e);
    if (r == 0)
        r = text_copy(service, &c.service, e);
    if (r)
        return r;
    *ret = c;
    c = (struct oci_challenge){.scheme = OCI_AUTH_NONE};
    return 0;
}

/* A token's memo: *ret_c, *ret_value and *ret_left (seconds). */
static int token_parse(struct bytes text, int64_t now, struct oci_challenge *ret_c, struct buf *value,
                       int64_t *ret_left, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    const char *token;
    uint64_t until = 0;
    int r = jdoc_parse(text, &doc, e);
    if (r == 0)
        r = jobj_want_string(jdoc_root(doc), "token", true, &token, e);
    if (r == 0)
        r = jobj_want_uint(jdoc_root(doc), "until", true, INT64_MAX, &until, e);
    if (r)
        return r;
    /* A clock that was set back makes nothing last longer than it can. */
    int64_t left = (int64_t)until - now;
    if (left <= OCI_AUTH_MARGIN || left > TOKEN_MAX || !*token || strpbrk(token, "\r\n"))
        return err_set(e, ERR_FORMAT, "not usable");
    r = challenge_parse(jdoc_root(doc), ret_c, e);
    if (r)
        return r;
    buf_printf(value, "Bearer %s", token);
    *ret_left = left;
    return buf_check(value, e);
}

bool oci_auth_recall_token(struct oci_auth *a)
{
    AUTO_DONE(buf) key = BUF_INIT(KEY_MAX_LEN);
    AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_MEMO);
    struct oci_challenge c = {.scheme = OCI_AUTH_NONE};
    struct err ignored = ERR_INIT;
    const time_t now = time(NULL);
    int64_t left = 0;
    if (!remembers(a) || token_key(a, &key, &ignored) ||
        oci_memo_get(a->memo_dir, TOKEN, buf_cstr(&key), now, &text, &ignored))
        return false;
    if (token_parse(buf_bytes(&text), now, &c, &a->value, &left, &ignored)) {
        oci_challenge_done(&c);
        buf_reset(&a->value);
        return false;
    }
    oci_challenge_done(&a->challenge);
    a->challenge = c;
    a->expires = oci_auth_seconds() + left;
    a->of_memo = true;
    return true;
}

void oci_auth_keep_token(struct oci_auth *a, const struct oci_challenge *c, uint64_t life)
{
    AUTO_DONE(buf) key = BUF_INIT(KEY_MAX_LEN);
    AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_MEMO);
    struct jout w = {.out = &text};
    struct err ignored = ERR_INIT;
    if (!remembers(a) || token_key(a, &key, &ignored))
        return;
    const time_t until = time(NULL) + (time_t)(life < TOKEN_MAX ? life : TOKEN_MAX);
    jout_object(&w, NULL);
    challenge_write(&w, c);
    jout_string(&w, "token", buf_cstr(&a->value) + strlen("Bearer "));
    jout_uint(&w, "until", (uint64_t)until);
    jout_object_end(&w);
    if (buf_check(&text, &ignored) == 0)
        oci_memo_put(a->memo_dir, TOKEN, buf_cstr(&key), buf_cstr(&text), until - OCI_AUTH_MARGIN);
}

void oci_auth_drop_token(struct oci_auth *a)
{
    AUTO_DONE(buf) key = BUF_INIT(KEY_MAX_LEN);
    struct err ignored = ERR_INIT;
    if (remembers(a) && token_key(a, &key, &ignored) == 0)
        oci_memo_drop(a->memo_dir, TOKEN, buf_cstr(&key));
}

/* A challenge says where credentials go. One that somebody on the way put in would otherwise take them long
 * after he is gone. */
static bool is_believed(const struct oci_auth *a)
{
    struct net_url u;
    struct err ignored = ERR_INIT;
    return net_url_parse(a->root, &u, &ignored) == 0 && (u.tls || net_url_is_loopback(u.host));
}

bool oci_auth_recall_challenge(struct oci_auth *a, struct oci_challenge *ret)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_MEMO);
    AUTO(jdoc) doc = NULL;
    struct err ignored = ERR_INIT;
    return remembers(a) &&
           oci_memo_get(a->memo_dir, CHALLENGE, a->known_as, time(NULL), &text, &ignored) == 0 &&
           jdoc_parse(buf_bytes(&text), &doc, &ignored) == 0 &&
           challenge_parse(jdoc_root(doc), ret, &ignored) == 0;
}

void oci_auth_keep_challenge(struct oci_auth *a, const struct oci_challenge *c)
{
    AUTO_DONE(buf) before = BUF_INIT(LIMIT_MEMO);
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_MEMO);
    struct jout w = {.out = &text};
    struct err ignored = ERR_INIT;
    const time_t now = time(NULL);
    if (!remembers(a) || !is_believed(a))
        return;
    jout_object(&w, NULL);
    challenge_write(&w, c);
    jout_object_end(&w);
    if (buf_check(&text, &ignored))
        return;
    /* Writing costs more than reading; what would soon be gone is written anew. */
    if (oci_memo_get(a->memo_dir, CHALLENGE, a->known_as, now + CHALLENGE_LIFE / 2, &before, &ignored) ||
        !bytes_eq(buf_bytes(&before), buf_bytes(&text)))
        oci_memo_put(a->memo_dir, CHALLENGE, a->known_as, buf_cstr(&text), now + CHALLENGE_LIFE);
}

void oci_auth_drop_challenge(struct oci_auth *a)
{
    if (remembers(a))
        oci_memo_drop(a->memo_dir, CHALLENGE, a->known_as);
}
