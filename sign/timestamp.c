/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps (RFC 3161): see sign_cert_timestamp. */
#include "base/limits.h"
#include "base/time.h"
#include "sign/cert_ops.h"
#include "sign/der.h"

/* What a TSTInfo says, RFC 3161 section 2.4.2. */
struct info {
    struct digest imprint;
    int64_t at;
};

/* AlgorithmIdentifier of a hash, with NULL or without parameters. */
static bool take_hash_alg(struct bytes *b, enum hash_alg *ret)
{
    static const struct {
        uint8_t oid[9]; /* 2.16.840.1.101.3.4.2.x */
        enum hash_alg alg;
    } known[] = {
        {{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}, HASH_SHA256},
        {{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}, HASH_SHA384},
        {{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}, HASH_SHA512},
    };
    struct bytes seq, oid;
    if (!sign_der_take(b, DER_SEQUENCE, &seq) || !sign_der_take(&seq, DER_OID, &oid) ||
        (seq.len && !bytes_eq(seq, BYTES_LIT("\x05\0"))))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (bytes_eq(oid, BYTES_ARR(known[i].oid))) {
            *ret = known[i].alg;
            return true;
        }
    return false;
}

static int read_info(struct bytes der, struct info *ret, struct err *e)
{
    struct bytes seq, version, policy, imprint, hash, serial, time;
    if (!sign_der_take(&der, DER_SEQUENCE, &seq) || der.len || !sign_der_take_uint(&seq, &version) ||
        version.len != 1 || version.ptr[0] != 1 || !sign_der_take(&seq, DER_OID, &policy) ||
        !sign_der_take(&seq, DER_SEQUENCE, &imprint))
        return err_set(e, ERR_FORMAT, "malformed time stamp");
    if (!take_hash_alg(&imprint, &ret->imprint.alg))
        return err_set(e, ERR_UNSUPPORTED, "a time stamp with another hash than SHA-256, -384 or -512");
    if (!sign_der_take(&imprint, DER_OCTET_STRING, &hash) || imprint.len ||
        hash.len != hash_len(ret->imprint.alg) || !sign_der_take(&seq, DER_INTEGER, &serial) ||
        !sign_der_take(&seq, DER_GENERALIZED_TIME, &time) || !time_parse_generalized(time, &ret->at))
        return err_set(e, ERR_FORMAT, "malformed time stamp");
    memset(ret->imprint.value, 0, sizeof(ret->imprint.value));
    memcpy(ret->imprint.value, hash.ptr, hash.len);
    return 0;
}

static struct bytes strip_zeros(struct bytes b)
{
    while (b.len && b.ptr[0] == 0)
        b = bytes_of(b.ptr + 1, b.len - 1);
    return b;
}

static bool is_signer(const struct sign_cert *c, const struct sign_cert_token *t)
{
    return bytes_eq(c->issuer_der, t->issuer_der) && bytes_eq(c->serial, strip_zeros(t->serial));
}

/* The certificates of a token, and a chain of some of them and of the store's. */
struct path {
    struct sign_chain bag;                /* owns */
    struct sign_cert *chain[LIMIT_CERTS]; /* borrowed */
    size_t n;
};

static void path_done(struct path *p)
{
    sign_chain_done(&p->bag);
}

static bool is_above(const struct sign_cert *c, const struct sign_cert *last)
{
    struct err ignored = ERR_INIT;
    return c != last && !bytes_eq(c->der, last->der) && bytes_eq(c->subject_der, last->issuer_der) &&
           sign_cert_signed_by(last, c, &ignored) == 0;
}

/* The signer's certificate, and above it what the token has: its order means nothing. */
static int build(const struct sign_cert_token *t, const struct sign_store *store, struct path *p,
                 struct err *e)
{
    for (size_t i = 0; i < t->n; i++) {
        int r = sign_chain_add(&p->bag, t->ders[i], e);
        if (r)
            return r;
    }
    for (size_t i = 0; i < p->bag.n && !p->n; i++)
        if (is_signer(p->bag.certs[i], t))
            p->chain[p->n++] = p->bag.certs[i];
    for (size_t i = 0; i < sign_store_len(store) && !p->n; i++) {
        const struct sign_anchor *a = sign_store_at(store, i);
        if (a->kind == SIGN_STORE_TSA && is_signer(a->cert, t))
            p->chain[p->n++] = a->cert;
    }
    if (!p->n)
        return err_set(e, ERR_CERT, "the certificate of who made the time stamp is not there");
    for (bool more = true; more && p->n < LIMIT_CERTS;) {
        const struct sign_cert *last = p->chain[p->n - 1];
        more = false;
        for (size_t i = 0; i < p->bag.n && !more && !bytes_eq(last->issuer_der, last->subject_der); i++)
            if (is_above(p->bag.certs[i], last)) {
                p->chain[p->n++] = p->bag.certs[i];
                more = true;
            }
    }
    return 0;
}

/* SigningCertificateV2 (RFC 5035 section 3): the first hash is that of the signer's certificate, by SHA-256
 * where no algorithm stands in front. */
static int check_signed_name(const struct sign_cert_token *t, const struct sign_cert *signer, struct err *e)
{
    struct bytes rest = t->signer_v2, seq, list, first, hash;
    enum hash_alg alg = HASH_SHA256;
    struct digest d;
    if (!rest.len)
        return 0;
    if (!sign_der_take(&rest, DER_SEQUENCE, &seq) || rest.len || !sign_der_take(&seq, DER_SEQUENCE, &list) ||
        !sign_der_take(&list, DER_SEQUENCE, &first))
        return err_set(e, ERR_FORMAT, "malformed time stamp token: signingCertificateV2");
    bool has_alg = first.len && first.ptr[0] == DER_SEQUENCE;
    if ((has_alg && !take_hash_alg(&first, &alg)) || !sign_der_take(&first, DER_OCTET_STRING, &hash))
        return err_set(e, ERR_UNSUPPORTED, "a time stamp token that names its signer in an unknown way");
    int r = hash_bytes(alg, signer->der, &d, e);
    if (r)
        return r;
    if (!bytes_eq(hash, bytes_of(d.value, hash_len(alg))))
        return err_set(e, ERR_CERT, "the time stamp is by another certificate than it says");
    return 0;
}

int sign_cert_timestamp(struct bytes token, struct bytes message, const struct sign_store *store,
                        int64_t *ret_at, struct err *e)
{
    const struct sign_cert_ops *ops;
    AUTO_DONE(sign_cert_token) t = {.n = 0};
    AUTO_DONE(path) p = {.n = 0};
    struct info info = {.at = 0};
    struct digest got;
    if (token.len > LIMIT_TIMESTAMP)
        return err_set(e, ERR_LIMIT, "a time stamp of more than %u bytes", LIMIT_TIMESTAMP);
    int r = sign_cert_plugin(&ops, e);
    if (!r)
        r = ops->token_open(token, &t, e);
    if (!r)
        r = read_info(t.info, &info, e);
    if (!r)
        r = hash_bytes(info.imprint.alg, message, &got, e);
    if (r)
        return r;
    if (!digest_eq(&got, &info.imprint))
        return err_set(e, ERR_DIGEST, "the time stamp is of something else");
    r = build(&t, store, &p, e);
    if (!r)
        r = ops->token_verify(token, p.chain[0], e);
    if (!r)
        r = check_signed_name(&t, p.chain[0], e);
    if (!r)
        r = sign_cert_chain_check(p.chain, p.n, store, info.at, SIGN_PROFILE_TSA, NULL, e);
    if (!r)
        *ret_at = info.at;
    return r;
}
