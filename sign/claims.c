/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/claims.h"

#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "sign/claims_hash.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME SIGN_CLAIMS_NAME

/* Whether the hash that the token states is that of the file. *ret_first: the first section that is in it:
 * where an embedded signature was put in front of a file with claims, these are as right as they were. */
static int hash_is_right(const struct sign_scan *scan, const struct sign_token *t, bool *ret,
                         size_t *ret_first, struct err *e)
{
    struct digest d;
    char hex[DIGEST_STR_MAX];
    bool old = t->format_revision < SIGN_CLAIMS_REVISION;
    int r = old ? sign_claims_hash_raw(scan, &d, e) : sign_claims_hash(scan, false, &d, e);
    if (r)
        return r;
    *ret_first = 0;
    *ret = strcasecmp(digest_hex(&d, hex), t->hash) == 0;
    if (*ret || old || !scan->has_signature)
        return 0;
    r = sign_claims_hash(scan, true, &d, e);
    if (r)
        return r;
    *ret_first = 1;
    *ret = strcasecmp(digest_hex(&d, hex), t->hash) == 0;
    return 0;
}

/* The key of the ring that the token says it is by; NULL: none. */
static const struct sign_key *find_key(const struct sign_keyring *keys, const struct sign_token *t)
{
    for (size_t i = 0; i < keys->n; i++)
        if (sign_key_type(keys->keys[i]) == SIGN_KEY_ED25519 &&
            bytes_eq(sign_key_public(keys->keys[i]), BYTES_ARR(t->issuer_key)))
            return keys->keys[i];
    return NULL;
}

/* Whether `pins`, nkeys with blanks between them, names this one, or none of its kind. */
static bool is_pinned(const char *pins, const char *nkey)
{
    bool any = false;
    size_t len = strlen(nkey), n;
    for (const char *at = pins + strspn(pins, " "); *at; at += n + strspn(at + n, " ")) {
        n = strcspn(at, " ");
        if (n == len && memcmp(at, nkey, len) == 0)
            return true;
        any = any || *at == *nkey;
    }
    return !any;
}

static int check_time(struct sign_check *c, const struct sign_token *t, int64_t now)
{
    char at[TIME_STR_MAX];
    if (t->expires_at && now >= t->expires_at)
        return sign_check_set(c, ERR_EXPIRED, "the claims expired at %s", time_str(t->expires_at, at));
    if (now < t->not_before)
        return sign_check_set(c, ERR_EXPIRED, "the claims are not valid before %s",
                              time_str(t->not_before, at));
    return c->code = 0;
}

/* Everything but who it is by. Sets the check's code: 0 when nothing is wrong. */
static int check_rest(struct sign_check *c, const struct sign_scan *scan, const struct sign_token *t,
                      const struct sign_trust *trust, size_t *ret_first, struct err *e)
{
    bool good = false;
    if (trust->claims && !is_pinned(trust->claims, t->issuer))
        return sign_check_set(c, ERR_UNTRUSTED, "claims by another account than asked for: %s", t->issuer);
    if (trust->claims && !is_pinned(trust->claims, t->subject))
        return sign_check_set(c, ERR_UNTRUSTED, "claims about another module than asked for: %s", t->subject);
    if (t->format_revision < SIGN_CLAIMS_REVISION && !trust->old_claims)
        return sign_check_set(c, ERR_DIGEST,
                              "claims of revision %" PRIu64 ": before %u they were not bound to the module",
                              t->format_revision, SIGN_CLAIMS_REVISION);
    struct err why = ERR_INIT;
    int r = hash_is_right(scan, t, &good, ret_first, &why);
    if (r == ERR_FORMAT || r == ERR_LIMIT)
        return sign_check_set(c, r, "%s", why.msg);
    if (r) {
        *e = why;
        return r;
    }
    if (!good)
        return sign_check_set(c, ERR_DIGEST,
                              "the claims are for other content: the module's hash is another");
    return check_time(c, t, trust->now);
}

/* What is claimed, whoever claims it: a limit holds for all that is. */
static int set_capabilities(struct sign_check *c, const struct sign_token *t, struct err *e)
{
    AUTO_DONE(buf) list = BUF_INIT(LIMIT_CLAIMS);
    struct jout w = {.out = &list};
    if (!t->capabilities)
        return 0;
    jout_value(&w, NULL, t->capabilities);
    int r = buf_check(&list, e);
    if (!r)
        c->capabilities = buf_take_str(&list);
    return r;
}

/* The facts of a good token. */
static int set_good(struct sign_check *c, struct sign_scan *scan, size_t first, const struct sign_token *t,
                    struct err *e)
{
    char name[80], version[40];
    c->issuer = strdup(t->issuer);
    c->subject = strdup(t->subject);
    if (!c->issuer || !c->subject)
        return err_nomem(e);
    c->signed_at = t->issued_at;
    c->expires_at = t->expires_at;
    c->revision = t->revision;
    (void)sign_scan_cover(scan, first, scan->n_sections, scan->claims_at, c->covers, sizeof(c->covers));
    return sign_check_set(c, 0, "claims by %s for %s%s%s%s%s, over %s", t->issuer, t->subject,
                          t->name ? ", " : "", t->name ? text_escape_str(t->name, name, sizeof(name)) : "",
                          t->version ? " " : "",
                          t->version ? text_escape_str(t->version, version, sizeof(version)) : "", c->covers);
}

static int judge(struct sign_check *c, struct sign_scan *scan, const struct sign_token *t,
                 const struct sign_trust *trust, struct err *e)
{
    bool good = false;
    size_t first = 0;
    const struct sign_key *key = find_key(&trust->keys, t);
    if (!key)
        return sign_check_set(c, ERR_UNTRUSTED, "claims by %s, which is no given key", t->issuer);
    (void)snprintf(c->key, sizeof(c->key), "%s", sign_key_name(key));
    int r = sign_key_verify(key, t->message, BYTES_ARR(t->signature), &good, e);
    if (r)
        return r;
    if (!good)
        return sign_check_set(c, ERR_UNTRUSTED, "the signature by %s is wrong", t->issuer);
    r = check_rest(c, scan, t, trust, &first, e);
    if (r || c->code)
        return r;
    (void)sign_key_fingerprint(key, c->key_id);
    return set_good(c, scan, first, t, e);
}

int sign_claims_verify(struct sign_scan *scan, const struct sign_trust *trust, struct sign_report *report,
                       struct err *e)
{
    AUTO_DONE(sign_token) token = {.doc = NULL};
    struct sign_check *c;
    struct err why = ERR_INIT;
    /* Who asks for some parts, or for a signature beside the file, wants no other. */
    if (!scan->n_claims || scan->broken.code || trust->sections || trust->detached.len)
        return 0;
    int r = sign_report_begin(report, NAME, SIGN_CHECK_SIGNATURE, NULL, &c, e);
    if (r)
        return r;
    if (scan->n_claims > 1)
        return sign_check_set(c, ERR_FORMAT, "%zu sections with claims, where one may be", scan->n_claims);
    if (scan->claims_too_big)
        return sign_check_set(c, ERR_LIMIT, "claims of more than %u bytes", LIMIT_CLAIMS);
    r = sign_token_parse(buf_bytes(&scan->claims), &token, &why);
    if (r == ERR_NOMEM) {
        *e = why;
        return r;
    }
    if (r)
        return sign_check_set(c, r, "%s", why.msg);
    r = set_capabilities(c, &token, e);
    return r ? r : judge(c, scan, &token, trust, e);
}

/* Adds to the mark's text what fits. */
static void put(struct sign_mark *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct sign_mark *m, const char *format, ...)
{
    va_list args;
    size_t n = strlen(m->text);
    va_start(args, format);
    (void)vsnprintf(m->text + n, sizeof(m->text) - n, format, args);
    va_end(args);
}

/* The first ones by name, as many as a line takes. */
static void put_list(struct sign_mark *m, const char *what, const struct jval *list)
{
    char one[60];
    enum { ROOM_LEFT = 160 };
    if (!list)
        return;
    size_t n = jarr_len(list), i = 0;
    put(m, ", %s", n ? what : "no ");
    for (; i < n && strlen(m->text) + ROOM_LEFT < sizeof(m->text); i++)
        put(m, "%s %s", i ? "," : "", text_escape_str(jval_string(jarr_at(list, i)), one, sizeof(one)));
    if (n == 0)
        put(m, "%s", what);
    else if (i < n)
        put(m, " and %zu more", n - i);
}

static void describe(const struct sign_token *t, struct sign_mark *m)
{
    char name[80], version[40], at[TIME_STR_MAX];
    put(m, "by %s for %s", t->issuer, t->subject);
    if (t->name)
        put(m, ", %s", text_escape_str(t->name, name, sizeof(name)));
    if (t->version)
        put(m, "%s %s", t->name ? "" : ", version", text_escape_str(t->version, version, sizeof(version)));
    if (t->revision >= 0)
        put(m, ", revision %" PRId64, t->revision);
    if (t->not_before)
        put(m, ", from %s", time_str(t->not_before, at));
    if (t->expires_at)
        put(m, ", until %s", time_str(t->expires_at, at));
    put_list(m, "capabilities", t->capabilities);
    if (t->tags && jarr_len(t->tags))
        put_list(m, "tags", t->tags);
}

static int claims_list(const struct sign_scan *scan, struct sign_marks *to, struct err *e)
{
    AUTO_DONE(sign_token) token = {.doc = NULL};
    struct sign_mark *m;
    struct err why = ERR_INIT;
    if (!scan->n_claims)
        return 0;
    int r = sign_marks_add(to, NAME, &m, e);
    if (r)
        return r;
    m->but = scan->claims_at;
    if (scan->n_claims > 1)
        (void)snprintf(m->text, sizeof(m->text), "%zu sections with claims, where one may be",
                       scan->n_claims);
    else if (scan->claims_too_big || sign_token_parse(buf_bytes(&scan->claims), &token, &why))
        (void)snprintf(m->text, sizeof(m->text), "no claims that can be read: %.400s", why.msg);
    else {
        describe(&token, m);
        r = hash_is_right(scan, &token, &m->fits, &m->first, &why);
        if (r && r != ERR_FORMAT && r != ERR_LIMIT) {
            *e = why;
            return r;
        }
    }
    m->end = m->fits ? scan->n_sections : 0;
    return 0;
}

const struct sign_format sign_claims_jwt = {
    .name = SIGN_CLAIMS_NAME,
    .sign = sign_claims_sign,
    .verify = sign_claims_verify,
    .list = claims_list,
};
