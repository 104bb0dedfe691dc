/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "sign/jws.h"
#include "sign/notation.h"

#include <inttypes.h>
#include <stdio.h>

struct envelope {
    struct sign_jws jws;
    struct sign_chain chain;
    struct sign_key *key; /* the leaf's */
    struct jdoc *payload;
    bool by_authority;  /* signing scheme notary.x509.signingAuthority */
    int64_t signed_at;  /* as the signer, or the authority, states */
    int64_t expires_at; /* 0: never */
    int64_t stamped_at; /* by a time stamp that was needed; 0: none */
    const char *store;  /* name of the anchor's store, borrowed from the trust */
};

static void envelope_done(struct envelope *v)
{
    sign_jws_done(&v->jws);
    sign_chain_done(&v->chain);
    sign_key_free(v->key);
    jdoc_free(v->payload);
}

/* The header that nobody signed: the chain, and what may stand beside it. */
static int read_header(struct envelope *v, struct err *e)
{
    static const char *const known[] = {"x5c", SIGN_NOTATION_TIMESTAMP, SIGN_NOTATION_AGENT};
    const struct jval *x5c, *value;
    const char *key;
    char shown[64];
    if (!v->jws.header)
        return err_set(e, ERR_FORMAT, "malformed signature: no header with certificates");
    for (const void *it = jobj_next(v->jws.header, NULL, &key, &value); it;
         it = jobj_next(v->jws.header, it, &key, &value)) {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            is_known = is_known || strcmp(key, known[i]) == 0;
        if (!is_known)
            return err_set(e, ERR_FORMAT, "malformed signature: \"%s\" in the header that is not signed",
                           text_escape_str(key, shown, sizeof(shown)));
    }
    int r = jobj_want_array(v->jws.header, "x5c", true, &x5c, e);
    if (!r && jarr_len(x5c) == 0)
        r = err_set(e, ERR_FORMAT, "malformed signature: no certificate");
    for (size_t i = 0; !r && i < jarr_len(x5c); i++) {
        AUTO_DONE(buf) der = BUF_INIT(LIMIT_CERT);
        const char *text = jval_string(jarr_at(x5c, i));
        if (!text)
            return err_set(e, ERR_FORMAT, "malformed signature: a certificate that is no string");
        r = b64_decode(B64_STD, bytes_str(text), &der, e);
        if (!r)
            r = sign_chain_add(&v->chain, buf_bytes(&der), e);
    }
    return r;
}

static int want_time(const struct sign_jws *j, const char *name, bool required, int64_t *ret, struct err *e)
{
    const char *text;
    int r = jobj_want_string(j->protected_header, name, required, &text, e);
    if (r || !text)
        return r;
    if (!time_parse_rfc3339(bytes_str(text), ret) || *ret <= 0)
        return err_set(e, ERR_FORMAT, "malformed signature: \"%s\" is no time", name);
    return 0;
}

static int read_scheme(struct envelope *v, struct err *e)
{
    const char *scheme, *content;
    char shown[64];
    const struct jval *p = v->jws.protected_header;
    int r = jobj_want_string(p, "cty", true, &content, e);
    if (!r)
        r = jobj_want_string(p, SIGN_NOTATION_SCHEME, true, &scheme, e);
    if (r)
        return r;
    if (strcmp(content, SIGN_NOTATION_PAYLOAD) != 0)
        return err_set(e, ERR_FORMAT, "malformed signature: what it signs is a \"%s\"",
                       text_escape_str(content, shown, sizeof(shown)));
    v->by_authority = strcmp(scheme, SIGN_NOTATION_AUTHORITY) == 0;
    if (!v->by_authority && strcmp(scheme, SIGN_NOTATION_X509) != 0)
        return err_set(e, ERR_UNSUPPORTED, "the signing scheme \"%s\" is not known",
                       text_escape_str(scheme, shown, sizeof(shown)));
    return 0;
}

/* What is signed beside the payload. Names of RFC 7515 that would say something of keys or contents are
 * refused, since this format gives them no meaning; other members are the signer's own and mean nothing. */
static int read_protected(struct envelope *v, struct err *e)
{
    static const char *const critical[] = {SIGN_NOTATION_SCHEME, SIGN_NOTATION_EXPIRY,
                                           SIGN_NOTATION_PROVEN_TIME};
    static const char *const foreign[] = {"kid", "x5c", "x5t", "x5t#S256", "typ"};
    const struct sign_jws *j = &v->jws;
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        if (jobj_get(j->protected_header, foreign[i]))
            return err_set(e, ERR_FORMAT, "malformed signature: \"%s\" in the header", foreign[i]);
    int r = sign_jws_check_crit(j, critical, ARRAY_LEN(critical), e);
    if (!r)
        r = read_scheme(v, e);
    const char *time = v->by_authority ? SIGN_NOTATION_PROVEN_TIME : SIGN_NOTATION_TIME;
    const char *other = v->by_authority ? SIGN_NOTATION_TIME : SIGN_NOTATION_PROVEN_TIME;
    if (!r)
        r = want_time(j, time, true, &v->signed_at, e);
    if (!r)
        r = want_time(j, SIGN_NOTATION_EXPIRY, false, &v->expires_at, e);
    if (r)
        return r;
    if (jobj_get(j->protected_header, other))
        return err_set(e, ERR_FORMAT, "malformed signature: \"%s\" with the other signing scheme", other);
    if (!sign_jws_is_critical(j, SIGN_NOTATION_SCHEME) ||
        (v->by_authority && !sign_jws_is_critical(j, SIGN_NOTATION_PROVEN_TIME)) ||
        (v->expires_at && !sign_jws_is_critical(j, SIGN_NOTATION_EXPIRY)))
        return err_set(e, ERR_FORMAT, "malformed signature: \"crit\" does not name all that must count");
    if (v->expires_at && v->expires_at <= v->signed_at)
        return err_set(e, ERR_FORMAT, "malformed signature: it expires before it was made");
    return 0;
}

static int check_signature(struct envelope *v, struct err *e)
{
    const char *alg;
    struct sign_scheme scheme;
    int r = sign_notation_alg(v->chain.certs[0], &alg, &scheme, e);
    if (!r)
        r = sign_cert_take_key(v->chain.certs[0], &v->key, e);
    return r ? r : sign_jws_check(&v->jws, alg, scheme, v->key, e);
}

static int check_chain(struct envelope *v, const struct sign_trust *trust, int64_t at, struct err *e)
{
    const struct sign_anchor *anchor;
    int r = sign_cert_chain_check(v->chain.certs, v->chain.n, trust->store, at,
                                  v->by_authority ? SIGN_PROFILE_AUTHORITY : SIGN_PROFILE_NOTARY, &anchor, e);
    if (!r)
        v->store = anchor->name;
    return r;
}

/* A chain that has expired since, by the time of a time stamp over the signature. */
static int check_stamped(struct envelope *v, const struct sign_trust *trust, struct err *e)
{
    AUTO_DONE(buf) token = BUF_INIT(LIMIT_TIMESTAMP);
    struct err why = *e;
    const char *text;
    int64_t at;
    int r = jobj_want_string(v->jws.header, SIGN_NOTATION_TIMESTAMP, false, &text, e);
    if (r)
        return r;
    if (!text) {
        *e = why;
        return e->code;
    }
    r = b64_decode(B64_STD, bytes_str(text), &token, e);
    if (!r)
        r = sign_cert_timestamp(buf_bytes(&token), buf_bytes(&v->jws.signature), trust->store, &at, e);
    if (r == ERR_NOMEM)
        return r;
    if (r)
        return err_set(e, ERR_EXPIRED, "%.200s; its time stamp does not help: %.200s", why.msg, e->msg);
    if (at > trust->now)
        return err_set(e, ERR_EXPIRED, "the time stamp is from the future");
    v->stamped_at = at;
    return check_chain(v, trust, at, e);
}

static int check_trust(struct envelope *v, const struct sign_trust *trust, struct err *e)
{
    if (v->by_authority && v->signed_at > trust->now)
        return err_set(e, ERR_EXPIRED, "the signature is from the future");
    int r = check_chain(v, trust, v->by_authority ? v->signed_at : trust->now, e);
    if (r == ERR_EXPIRED && !v->by_authority)
        r = check_stamped(v, trust, e);
    return r;
}

static int check_identity(const struct envelope *v, const struct sign_trust *trust, struct err *e)
{
    bool good = trust->n_identities == 0;
    char name[200];
    for (size_t i = 0; !good && i < trust->n_identities; i++) {
        const struct sign_identity *id = &trust->identities[i];
        /* An issuer is one of OpenID Connect, and patterns are for names that are one text: keyless. */
        if (id->issuer || id->subject_is_pattern || !id->subject)
            continue;
        /* A text that is no subject of X.509 is meant for others, an address of mail for example. */
        if (sign_subject_matches(v->chain.certs[0], id->subject, &good, e) != 0)
            good = false;
    }
    return good ? 0
                : err_set(e, ERR_UNTRUSTED, "\"%s\" is none of those who may sign",
                          text_escape_str(v->chain.certs[0]->subject, name, sizeof(name)));
}

static int check_target(const struct jval *target, const struct sign_subject *subject, struct err *e)
{
    const char *type, *digest;
    uint64_t size = 0;
    struct digest d;
    char shown[100];
    int r = jobj_want_string(target, "mediaType", true, &type, e);
    if (!r)
        r = jobj_want_string(target, "digest", true, &digest, e);
    if (!r)
        r = jobj_want_uint(target, "size", true, INT64_MAX, &size, e);
    if (!r)
        r = digest_parse(bytes_str(digest), &d, e);
    if (r)
        return err_wrap(e, "malformed payload");
    if (!digest_eq(&d, &subject->digest))
        return err_set(e, ERR_DIGEST, "signed for another artifact: %s",
                       text_escape_str(digest, shown, sizeof(shown)));
    if (size != subject->size || strcmp(type, subject->media_type) != 0)
        return err_set(e, ERR_DIGEST, "signed for the same digest with another size or type: %" PRIu64 ", %s",
                       size, text_escape_str(type, shown, sizeof(shown)));
    return 0;
}

static int check_annotations(const struct jval *target, const struct sign_trust *trust, struct err *e)
{
    const struct jval *all;
    char shown[100], want[100];
    int r = jobj_want_object(target, "annotations", false, &all, e);
    if (r)
        return err_wrap(e, "malformed payload");
    for (size_t i = 0; i < trust->n_annotations; i++) {
        const char *value = jval_string(jobj_get(all, trust->annotations[i].key));
        if (!value || strcmp(value, trust->annotations[i].value) != 0)
            return err_set(e, ERR_POLICY, "signed without the annotation %s=%s",
                           text_escape_str(trust->annotations[i].key, shown, sizeof(shown)),
                           text_escape_str(trust->annotations[i].value, want, sizeof(want)));
    }
    return 0;
}

static int only_members(const struct jval *v, const char *const *known, size_t n, struct err *e)
{
    const char *key;
    const struct jval *value;
    char shown[64];
    for (const void *it = jobj_next(v, NULL, &key, &value); it; it = jobj_next(v, it, &key, &value)) {
        bool is_known = false;
        for (size_t i = 0; i < n; i++)
            is_known = is_known || strcmp(key, known[i]) == 0;
        if (!is_known)
            return err_set(e, ERR_FORMAT, "malformed payload: a member \"%s\"",
                           text_escape_str(key, shown, sizeof(shown)));
    }
    return 0;
}

static int check_payload(struct envelope *v, const struct sign_subject *subject,
                         const struct sign_trust *trust, struct err *e)
{
    static const char *const outer[] = {"targetArtifact"};
    static const char *const inner[] = {"mediaType", "digest", "size", "annotations"};
    const struct jval *target;
    int r = jdoc_parse(buf_bytes(&v->jws.payload), &v->payload, e);
    if (!r)
        r = jobj_want_object(jdoc_root(v->payload), "targetArtifact", true, &target, e);
    if (r)
        return err_wrap(e, "malformed payload");
    r = only_members(jdoc_root(v->payload), outer, ARRAY_LEN(outer), e);
    if (!r)
        r = only_members(target, inner, ARRAY_LEN(inner), e);
    if (!r)
        r = check_target(target, subject, e);
    return r ? r : check_annotations(target, trust, e);
}

/* In the order in which a reason says most. */
static int examine(struct envelope *v, const struct sign_carrier *carrier, const struct sign_subject *subject,
                   const struct sign_trust *trust, struct err *e)
{
    char when[TIME_STR_MAX];
    if (!trust->store)
        return err_set(e, ERR_UNTRUSTED, "no trust store was given for its certificates");
    int r = sign_jws_parse(carrier->blob, &v->jws, e);
    if (!r)
        r = read_protected(v, e);
    if (!r)
        r = read_header(v, e);
    if (!r)
        r = check_signature(v, e);
    if (!r)
        r = check_payload(v, subject, trust, e);
    if (!r)
        r = check_trust(v, trust, e);
    if (!r)
        r = check_identity(v, trust, e);
    if (r)
        return r;
    if (v->expires_at && v->expires_at <= trust->now)
        return err_set(e, ERR_EXPIRED, "the signature expired at %s", time_str(v->expires_at, when));
    return 0;
}

static int report_good(const struct envelope *v, const struct sign_subject *subject, struct sign_check *c,
                       struct err *e)
{
    const struct sign_cert *leaf = v->chain.certs[0];
    char digest[DIGEST_STR_MAX], when[TIME_STR_MAX], store[100];
    (void)text_escape_str(leaf->subject, c->key, sizeof(c->key));
    (void)sign_key_fingerprint(v->key, c->key_id);
    (void)snprintf(c->covers, sizeof(c->covers), "manifest %s", digest_str(&subject->digest, digest));
    c->issuer = strdup(leaf->issuer);
    c->subject = strdup(leaf->subject);
    if (!c->issuer || !c->subject)
        return err_nomem(e);
    c->signed_at = v->stamped_at ? v->stamped_at : v->signed_at;
    c->expires_at = v->expires_at;
    (void)text_escape_str(v->store, store, sizeof(store));
    if (v->stamped_at)
        return sign_check_set(c, 0, "signed; trusted by the store \"%s\" at the time of its time stamp, %s",
                              store, time_str(v->stamped_at, when));
    return sign_check_set(c, 0, "signed; trusted by the store \"%s\"", store);
}

int sign_notation_judge(const struct sign_carrier *carrier, const struct sign_subject *subject,
                        const struct sign_trust *trust, struct sign_report *report, struct err *e)
{
    AUTO_DONE(envelope) v = {.signed_at = 0};
    struct err why = ERR_INIT;
    struct sign_check *c;
    int r = sign_report_begin(report, SIGN_NOTATION_NAME, SIGN_CHECK_SIGNATURE, carrier->where, &c, e);
    if (r)
        return r;
    if (strcmp(carrier->media_type, SIGN_NOTATION_COSE) == 0)
        return sign_check_set(c, ERR_UNSUPPORTED, "an envelope in COSE, which waybill does not read");
    r = examine(&v, carrier, subject, trust, &why);
    if (!r)
        return report_good(&v, subject, c, e);
    if (r == ERR_NOMEM || r == ERR_CONFIG) { /* no plugin */
        *e = why;
        return r;
    }
    return sign_check_set(c, r, "%s", why.msg);
}
