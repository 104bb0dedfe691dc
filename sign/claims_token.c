/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/claims.h"

#include "base/hex.h"
#include "base/json.h"

#include <string.h>

void sign_token_done(struct sign_token *t)
{
    jdoc_free(TAKE(t->doc));
}

/* The text up to the next point, or to the end. */
static struct bytes take_field(struct bytes *rest)
{
    const uint8_t *point = rest->len ? memchr(rest->ptr, '.', rest->len) : NULL;
    struct bytes field = point ? bytes_of(rest->ptr, (size_t)(point - rest->ptr)) : *rest;
    *rest = point ? bytes_of(point + 1, rest->len - field.len - 1) : BYTES_NONE;
    return field;
}

/* One of the three parts as JSON. */
static int field_parse(struct bytes field, const char *what, struct jdoc **ret, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_CLAIMS);
    int r = b64_decode(B64_URL, field, &text, e);
    if (!r)
        r = buf_check(&text, e);
    if (!r)
        r = jdoc_parse(buf_bytes(&text), ret, e);
    return r ? err_wrap(e, "%s", what) : 0;
}

/* Exactly {"typ":"jwt","alg":"Ed25519"}: nothing in a header can name another key or way. */
static int check_header(struct bytes field, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    const char *typ, *alg;
    int r = field_parse(field, "the token's header", &doc, e);
    if (r)
        return r;
    const struct jval *root = jdoc_root(doc);
    if ((r = jobj_want_string(root, "typ", true, &typ, e)) ||
        (r = jobj_want_string(root, "alg", true, &alg, e)))
        return err_wrap(e, "the token's header");
    if (strcmp(typ, "jwt") != 0 || strcmp(alg, "Ed25519") != 0 || jobj_len(root) != 2)
        return err_set(e, ERR_FORMAT, "the token's header is not that of claims: type jwt, Ed25519");
    return 0;
}

static int want_time(const struct jval *v, const char *key, int64_t *ret, struct err *e)
{
    uint64_t n = 0;
    int r = jobj_want_uint(v, key, false, INT64_MAX, &n, e);
    *ret = (int64_t)n;
    return r;
}

/* An array of strings, or nothing. */
static int want_strings(const struct jval *v, const char *key, const struct jval **ret, struct err *e)
{
    int r = jobj_want_array(v, key, false, ret, e);
    if (r)
        return r;
    if (jarr_len(*ret) > LIMIT_CLAIMS_LIST)
        return err_set(e, ERR_LIMIT, "more than %u strings in \"%s\"", LIMIT_CLAIMS_LIST, key);
    for (size_t i = 0; i < jarr_len(*ret); i++)
        if (!jval_string(jarr_at(*ret, i)))
            return err_set(e, ERR_FORMAT, "\"%s\" has something in it that is no string", key);
    return 0;
}

static bool is_hash(const char *s)
{
    return strlen(s) == 2 * (size_t)HASH_SHA256_LEN && strspn(s, "0123456789ABCDEF") == strlen(s);
}

/* What stands in "wascap", about a module. */
static int parse_module(const struct jval *v, struct sign_token *t, struct err *e)
{
    uint64_t revision = UINT64_MAX;
    int r;
    if ((r = jobj_want_string(v, "name", false, &t->name, e)) ||
        (r = jobj_want_string(v, "ver", false, &t->version, e)) ||
        (r = jobj_want_string(v, "hash", true, &t->hash, e)) || (r = want_strings(v, "tags", &t->tags, e)) ||
        (r = want_strings(v, "caps", &t->capabilities, e)) ||
        (r = jobj_want_uint(v, "rev", false, INT32_MAX, &revision, e)))
        return r;
    t->revision = revision == UINT64_MAX ? -1 : (int64_t)revision;
    return is_hash(t->hash) ? 0 : err_set(e, ERR_FORMAT, "\"hash\" is not 64 hexadecimal digits in capitals");
}

static int parse_keys(struct sign_token *t, struct err *e)
{
    uint8_t ignored[SIGN_NKEY_LEN];
    char kind;
    if (sign_nkey_decode(bytes_str(t->issuer), &kind, t->issuer_key, e) || kind != 'A')
        return err_set(e, ERR_FORMAT, "the issuer is not an account's key");
    if (sign_nkey_decode(bytes_str(t->subject), &kind, ignored, e) || kind != 'M')
        return err_set(e, ERR_FORMAT, "the subject is not a module's key");
    return 0;
}

static int parse_claims(const struct jval *v, struct sign_token *t, struct err *e)
{
    const struct jval *module;
    int r;
    if ((r = jobj_want_string(v, "iss", true, &t->issuer, e)) ||
        (r = jobj_want_string(v, "sub", true, &t->subject, e)) ||
        (r = want_time(v, "iat", &t->issued_at, e)) || (r = want_time(v, "exp", &t->expires_at, e)) ||
        (r = want_time(v, "nbf", &t->not_before, e)) ||
        (r = jobj_want_uint(v, "wascap_revision", false, UINT32_MAX, &t->format_revision, e)) ||
        (r = jobj_want_object(v, "wascap", true, &module, e)) || (r = parse_keys(t, e)))
        return r;
    if (jobj_get(v, "exp") && jval_kind(jobj_get(v, "exp")) == JKIND_INT && t->expires_at == 0)
        t->expires_at = 1; /* 0 means "never" here, and 1970 there */
    return parse_module(module, t, e);
}

int sign_token_parse(struct bytes text, struct sign_token *ret, struct err *e)
{
    AUTO_DONE(buf) signature = BUF_INIT(LIMIT_CLAIMS);
    struct bytes rest = text;
    struct bytes header = take_field(&rest), claims = take_field(&rest);
    *ret = (struct sign_token){.doc = NULL, .message = bytes_of(text.ptr, header.len + 1 + claims.len)};
    if (!claims.len || !rest.len || memchr(rest.ptr, '.', rest.len))
        return err_set(e, ERR_FORMAT, "not a signed token of three parts");
    int r = check_header(header, e);
    if (!r && (r = b64_decode(B64_URL, rest, &signature, e)))
        (void)err_wrap(e, "the token's signature");
    if (!r)
        r = buf_check(&signature, e);
    if (r)
        return r;
    if (signature.len != sizeof(ret->signature))
        return err_set(e, ERR_FORMAT, "an Ed25519 signature of %zu bytes", signature.len);
    memcpy(ret->signature, signature.ptr, signature.len);
    r = field_parse(claims, "the claims", &ret->doc, e);
    return r || !(r = parse_claims(jdoc_root(ret->doc), ret, e)) ? r : err_wrap(e, "the claims");
}
