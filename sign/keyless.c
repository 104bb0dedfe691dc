/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/keyless.h"

#include "base/hex.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "sign/der.h"
#include "sign/fulcio.h"
#include "sign/pattern.h"
#include "sign/rekor.h"
#include "sign/root.h"
#include "sign/sigstore_key.h"

#include <stdio.h>

/* What is found on the way. */
struct findings {
    struct sign_chain chain; /* owned */
    struct sign_key *leaf;   /* owned; NULL: by a trusted key */
    struct sign_fulcio_identity identity;
    const struct sign_log *logs[LIMIT_TLOG_ENTRIES + 1]; /* that have an entry */
    size_t n_logs;
    int64_t times[2 * LIMIT_TLOG_ENTRIES + 1]; /* proven */
    size_t n_times;
    struct err no_time; /* why a time stamp proves none */
};

static void findings_done(struct findings *f)
{
    sign_chain_done(&f->chain);
    sign_key_free(f->leaf);
    sign_fulcio_identity_done(&f->identity);
}

/* The certificates, and whether the leaf's key made the signature. */
static int check_signature(const struct sign_keyless *in, const struct sign_trust *trust, struct findings *f,
                           struct err *e)
{
    bool good = false;
    for (size_t i = 0; i < in->n_chain; i++) {
        int r = sign_chain_add(&f->chain, in->chain[i], e);
        if (r)
            return r;
        /* protobuf-specs, X509CertificateChain: a bundle brings no root. Cosign's annotations do. */
        const struct sign_cert *c = f->chain.certs[i];
        if (i && in->entries && bytes_eq(c->issuer_der, c->subject_der))
            return err_set(e, ERR_CERT, "a bundle that brings its own root");
    }
    int r = sign_cert_take_key(f->chain.certs[0], &f->leaf, e);
    if (!r)
        r = sign_sigstore_verify(f->leaf, trust, in->message, in->signature, &good, e);
    if (!r && !good)
        r = err_set(e, ERR_UNTRUSTED, "not by the key of its certificate");
    return r;
}

/* A time from somewhere else: not of the future. */
static int add_time(struct findings *f, const struct sign_trust *trust, int64_t at, struct err *e)
{
    char text[TIME_STR_MAX];
    if (at > trust->now && at - trust->now > LIMIT_CLOCK_SKEW)
        return err_set(e, ERR_EXPIRED, "signed in the future, at %s", time_str(at, text));
    f->times[f->n_times++] = at;
    return 0;
}

static int add_proof(struct findings *f, const struct sign_trust *trust, const struct sign_rekor_proof *proof,
                     struct err *e)
{
    f->logs[f->n_logs++] = proof->log;
    return proof->time ? add_time(f, trust, proof->time, e) : 0;
}

static int check_entries(const struct sign_keyless *in, const struct sign_trust *trust, struct findings *f,
                         struct err *e)
{
    const struct sign_rekor_about about = {
        .in = in, .leaf = f->chain.n ? f->chain.certs[0] : NULL, .key = in->key};
    struct sign_rekor_proof proof;
    size_t n = jarr_len(in->entries);
    if (n > LIMIT_TLOG_ENTRIES)
        return err_set(e, ERR_LIMIT, "more than %u log entries", LIMIT_TLOG_ENTRIES);
    for (size_t i = 0; i < n; i++) {
        int r = sign_rekor_check(jarr_at(in->entries, i), &about, in->needs_promise, trust->root, &proof, e);
        if (!r)
            r = add_proof(f, trust, &proof, e);
        if (r)
            return err_wrap(e, "log entry %zu", i + 1);
    }
    if (!in->set)
        return 0;
    int r = sign_rekor_check_set(in->set, &about, trust->root, &proof, e);
    if (!r)
        r = add_proof(f, trust, &proof, e);
    return r ? err_wrap(e, "log entry") : 0;
}

/* A TimeStampResp (RFC 3161 section 2.4.2) around the token, or the token itself. */
static bool find_token(struct bytes der, struct bytes *ret)
{
    struct bytes all = der, whole, status, number;
    if (!sign_der_take(&all, DER_SEQUENCE, &whole) || all.len)
        return false;
    if (!sign_der_take(&whole, DER_SEQUENCE, &status)) {
        *ret = der;
        return true;
    }
    /* granted, or granted with modifications */
    if (!sign_der_take_uint(&status, &number) || number.len > 1 || (number.len && number.ptr[0] != 1))
        return false;
    *ret = whole;
    return true;
}

/* By one of the root's authorities; *ret_known false: by another one, for the reason in e. */
static int check_token(struct bytes token, const struct sign_keyless *in, const struct sign_root *root,
                       int64_t *ret_at, bool *ret_known, struct err *e)
{
    *ret_known = false;
    (void)err_set(e, ERR_UNTRUSTED, "the trusted root has no time-stamping authority");
    for (size_t i = 0; i < root->n_tsas; i++) {
        const struct sign_authority *tsa = &root->tsas[i];
        int64_t at = 0;
        int r = sign_cert_timestamp(token, in->signature, tsa->anchor, &at, e);
        if (r == ERR_CERT || r == ERR_UNTRUSTED)
            continue;
        if (!r && !sign_window_has(&tsa->window, at))
            r = err_set(e, ERR_EXPIRED, "made when the authority %s is not trusted", tsa->name);
        if (!r) {
            *ret_at = at;
            *ret_known = true;
        }
        return r;
    }
    return 0;
}

static int check_timestamp(const struct jval *v, const struct sign_keyless *in,
                           const struct sign_trust *trust, struct findings *f, struct err *e)
{
    AUTO_DONE(buf) der = BUF_INIT(LIMIT_TIMESTAMP);
    struct bytes token;
    bool known = false;
    int64_t at = 0;
    if (!v || jval_kind(v) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "no object");
    int r = jobj_only(v, (const char *const[]){"signedTimestamp"}, 1, e);
    if (!r)
        r = jobj_want_b64(v, "signedTimestamp", &der, e);
    if (!r && !find_token(buf_bytes(&der), &token))
        r = err_set(e, ERR_FORMAT, "no answer of a time-stamping authority with a time stamp in it");
    if (!r)
        r = check_token(token, in, trust->root, &at, &known, e);
    if (r)
        return r;
    if (known)
        return add_time(f, trust, at, e);
    f->no_time = *e;
    return 0;
}

static int check_timestamps(const struct sign_keyless *in, const struct sign_trust *trust, struct findings *f,
                            struct err *e)
{
    size_t n = jarr_len(in->timestamps);
    if (n > LIMIT_TLOG_ENTRIES)
        return err_set(e, ERR_LIMIT, "more than %u time stamps", LIMIT_TLOG_ENTRIES);
    for (size_t i = 0; i < n; i++)
        if (check_timestamp(jarr_at(in->timestamps, i), in, trust, f, e))
            return err_wrap(e, "time stamp %zu", i + 1);
    return 0;
}

/* A log whose entries bear no time of their own (Rekor v2) was trusted at the times that others prove. */
static int check_logs(const struct findings *f, struct err *e)
{
    for (size_t i = 0; i < f->n_logs; i++)
        for (size_t k = 0; k < f->n_times; k++)
            if (!sign_window_has(&f->logs[i]->window, f->times[k]))
                return err_set(e, ERR_EXPIRED, "signed at a time when the log %s is not trusted",
                               f->logs[i]->origin);
    return 0;
}

static int check_certificate(const struct sign_trust *trust, struct findings *f, struct err *e)
{
    if (f->n_logs == 0)
        return err_set(e, ERR_UNTRUSTED, "by a certificate, and in no log");
    if (f->n_times == 0 && f->no_time.code)
        return err_set(e, ERR_UNTRUSTED, "nothing proves when it was signed: %s", f->no_time.msg);
    int r = sign_fulcio_check(&f->chain, trust->root, f->times, f->n_times, e);
    return r ? r : sign_fulcio_identity_read(f->chain.certs[0], &f->identity, e);
}

static int check_identity(const struct sign_trust *trust, const struct findings *f, struct err *e)
{
    char subject[160], issuer[160];
    (void)text_escape_str(f->identity.subject, subject, sizeof(subject));
    (void)text_escape_str(f->identity.issuer, issuer, sizeof(issuer));
    if (trust->n_identities == 0 && trust->any_identity)
        return 0;
    if (trust->n_identities == 0)
        return err_set(e, ERR_UNTRUSTED, "by %s, as %s says, and no identity is trusted", subject, issuer);
    for (size_t i = 0; i < trust->n_identities; i++) {
        bool match = false;
        int r =
            sign_identity_matches(&trust->identities[i], f->identity.issuer, f->identity.subject, &match, e);
        if (r || match)
            return r;
    }
    return err_set(e, ERR_UNTRUSTED, "by %s, as %s says, which is not trusted", subject, issuer);
}

static int judge(const struct sign_keyless *in, const struct sign_trust *trust, struct findings *f,
                 struct err *e)
{
    int r = in->n_chain ? check_signature(in, trust, f, e) : 0;
    if (!r)
        r = check_entries(in, trust, f, e);
    if (!r)
        r = check_timestamps(in, trust, f, e);
    if (!r)
        r = check_logs(f, e);
    if (!r && in->n_chain)
        r = check_certificate(trust, f, e);
    return !r && in->n_chain ? check_identity(trust, f, e) : r;
}

/* Who it was and when: the earliest of the proven times. */
static void fill(struct findings *f, struct sign_check *check)
{
    for (size_t i = 0; i < f->n_times; i++)
        if (i == 0 || f->times[i] < check->signed_at)
            check->signed_at = f->times[i];
    if (!f->leaf)
        return;
    (void)snprintf(check->key, sizeof(check->key), "%s", f->identity.subject);
    (void)sign_key_fingerprint(f->leaf, check->key_id);
    free(check->subject);
    free(check->issuer);
    check->subject = TAKE(f->identity.subject);
    check->issuer = TAKE(f->identity.issuer);
}

int sign_keyless_check(const struct sign_keyless *in, const struct sign_trust *trust,
                       struct sign_check *check, bool *ret_good, struct err *e)
{
    AUTO_DONE(findings) f = {.n_times = 0};
    *ret_good = false;
    if (!trust->root)
        return sign_check_set(check, ERR_UNTRUSTED, "by a certificate, and no trusted root was given");
    int r = judge(in, trust, &f, e);
    if (r)
        return sign_check_fail(check, r, e);
    fill(&f, check);
    *ret_good = true;
    return 0;
}
