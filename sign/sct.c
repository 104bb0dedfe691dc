/* SPDX-License-Identifier: Apache-2.0 */
/* Signed certificate timestamps (RFC 6962): a log has seen the certificate before it was issued. */
#include "base/hash.h"
#include "base/limits.h"
#include "sign/der.h"
#include "sign/fulcio.h"

#define OID_SCTS "1.3.6.1.4.1.11129.2.4.2"

/* RFC 5246 section 7.4.1.4.1. */
enum { TLS_SHA256 = 4, TLS_RSA = 1, TLS_ECDSA = 3 };

/* The same OID in DER. */
static const uint8_t oid_scts[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02};

static bool take_number(struct bytes *b, size_t bytes, uint64_t *ret)
{
    struct bytes digits;
    uint64_t v = 0;
    if (!bytes_take(b, bytes, &digits))
        return false;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | digits.ptr[i];
    *ret = v;
    return true;
}

/* A vector with a length of two bytes in front. */
static bool take_vector(struct bytes *b, struct bytes *ret)
{
    struct bytes rest = *b;
    uint64_t len;
    if (!take_number(&rest, 2, &len) || !bytes_take(&rest, (size_t)len, ret))
        return false;
    *b = rest;
    return true;
}

static bool read_sct(struct bytes b, struct sign_sct *ret)
{
    uint8_t version;
    return bytes_take_u8(&b, &version) && version == 0 && bytes_take(&b, HASH_SHA256_LEN, &ret->log_id) &&
           take_number(&b, 8, &ret->at) && take_vector(&b, &ret->extensions) &&
           bytes_take_u8(&b, &ret->hash) && bytes_take_u8(&b, &ret->alg) &&
           take_vector(&b, &ret->signature) && b.len == 0;
}

int sign_sct_list(struct bytes ext, struct sign_sct ret[LIMIT_SCTS], size_t *ret_n, struct err *e)
{
    struct bytes outer, list, one;
    size_t n = 0;
    if (!sign_der_take(&ext, DER_OCTET_STRING, &outer) || ext.len || !take_vector(&outer, &list) || outer.len)
        return err_set(e, ERR_FORMAT, "malformed signed certificate timestamps");
    while (list.len) {
        if (n == LIMIT_SCTS)
            return err_set(e, ERR_LIMIT, "more than %u signed certificate timestamps", LIMIT_SCTS);
        if (!take_vector(&list, &one) || !read_sct(one, &ret[n]))
            return err_set(e, ERR_FORMAT, "malformed signed certificate timestamps");
        n++;
    }
    *ret_n = n;
    return 0;
}

/* Extensions but the one with the timestamps. */
static bool copy_extensions(struct bytes list, struct buf *out)
{
    bool found = false;
    while (list.len) {
        struct bytes one, oid;
        if (!sign_der_take(&list, DER_SEQUENCE, &one))
            return false;
        struct bytes content = one;
        if (!sign_der_take(&content, DER_OID, &oid))
            return false;
        if (!bytes_eq(oid, BYTES_ARR(oid_scts)))
            sign_der_put(out, DER_SEQUENCE, one);
        else if (found)
            return false;
        else
            found = true;
    }
    return found;
}

/* What the log saw, section 3.2: the TBSCertificate before the timestamps were put in. */
static bool rebuild(struct bytes tbs, struct buf *out)
{
    AUTO_DONE(buf) kept = BUF_INIT(LIMIT_CERT);
    AUTO_DONE(buf) wrapped = BUF_INIT(LIMIT_CERT);
    AUTO_DONE(buf) whole = BUF_INIT(LIMIT_CERT);
    struct bytes content, rest, field, exts, list;
    if (!sign_der_take(&tbs, DER_SEQUENCE, &content) || tbs.len)
        return false;
    rest = content;
    if (!sign_der_take(&rest, DER_CONTEXT_0, &field) || !sign_der_take(&rest, DER_INTEGER, &field))
        return false;
    for (unsigned i = 0; i < 5; i++) /* algorithm, issuer, validity, subject, key */
        if (!sign_der_take(&rest, DER_SEQUENCE, &field))
            return false;
    struct bytes head = bytes_of(content.ptr, content.len - rest.len);
    if (!sign_der_take(&rest, DER_CONTEXT_3, &exts) || rest.len ||
        !sign_der_take(&exts, DER_SEQUENCE, &list) || exts.len || !copy_extensions(list, &kept))
        return false;
    sign_der_put(&wrapped, DER_SEQUENCE, buf_bytes(&kept));
    buf_append_bytes(&whole, head);
    if (kept.len)
        sign_der_put(&whole, DER_CONTEXT_3, buf_bytes(&wrapped));
    sign_der_put(out, DER_SEQUENCE, buf_bytes(&whole));
    return !kept.failed && !wrapped.failed && !whole.failed && !out->failed;
}

static void put_number(struct buf *out, uint64_t v, unsigned bytes)
{
    while (bytes-- > 0)
        buf_append_u8(out, (uint8_t)(v >> (8 * bytes)));
}

/* Section 3.2: v1, certificate_timestamp, the time, precert_entry, the issuer's key, the certificate. */
static int put_signed(const struct sign_sct *sct, const struct sign_cert *issuer, struct bytes tbs,
                      struct buf *out, struct err *e)
{
    struct digest d;
    int r = hash_bytes(HASH_SHA256, issuer->spki, &d, e);
    if (r)
        return r;
    put_number(out, 0, 2);
    put_number(out, sct->at, 8);
    put_number(out, 1, 2);
    buf_append(out, d.value, HASH_SHA256_LEN);
    put_number(out, tbs.len, 3);
    buf_append_bytes(out, tbs);
    put_number(out, sct->extensions.len, 2);
    buf_append_bytes(out, sct->extensions);
    return buf_check(out, e);
}

static int check_one(const struct sign_sct *sct, const struct sign_cert *issuer, struct bytes tbs,
                     const struct sign_log *log, struct err *e)
{
    AUTO_DONE(buf) message = BUF_INIT(2 * (size_t)LIMIT_CERT);
    bool good = false, is_rsa;
    if (!log->key)
        return err_set(e, ERR_CERT, "the key of the log %s is of a type that is not known", log->origin);
    is_rsa = sign_key_type(log->key) == SIGN_KEY_RSA;
    if (sct->hash != TLS_SHA256 || sct->alg != (is_rsa ? TLS_RSA : TLS_ECDSA))
        return err_set(e, ERR_CERT, "a signed certificate timestamp with an algorithm that is not the log's");
    const struct sign_scheme scheme = {is_rsa ? SIGN_MODE_RSA_PKCS1 : SIGN_MODE_ECDSA_DER, HASH_SHA256};
    int r = put_signed(sct, issuer, tbs, &message, e);
    if (!r)
        r = sign_key_verify_as(log->key, scheme, buf_bytes(&message), sct->signature, &good, e);
    if (r)
        return r;
    if (!good)
        return err_set(e, ERR_CERT, "its signed certificate timestamp is not by the log %s", log->origin);
    if (sct->at / 1000 > INT64_MAX || !sign_window_has(&log->window, (int64_t)(sct->at / 1000)))
        return err_set(e, ERR_CERT,
                       "its signed certificate timestamp is of a time when the log %s is not trusted",
                       log->origin);
    return 0;
}

int sign_sct_check(const struct sign_cert *cert, const struct sign_cert *issuer, const struct sign_root *root,
                   struct err *e)
{
    AUTO_DONE(buf) tbs = BUF_INIT(LIMIT_CERT);
    struct sign_sct scts[LIMIT_SCTS];
    size_t n = 0;
    const struct sign_cert_ext *x = sign_cert_ext(cert, OID_SCTS);
    if (!x)
        return err_set(e, ERR_CERT, "the certificate has no signed certificate timestamp");
    int r = sign_sct_list(x->value, scts, &n, e);
    if (r)
        return err_recode(e, ERR_CERT);
    if (!rebuild(cert->tbs, &tbs))
        return tbs.failed == ERR_NOMEM
                   ? err_nomem(e)
                   : err_set(e, ERR_CERT, "the certificate has another form than logs have them");
    (void)err_set(e, ERR_CERT, "its signed certificate timestamp is by no log of the trusted root");
    r = ERR_CERT;
    for (size_t i = 0; r && i < n; i++) {
        const struct sign_log *log = sign_log_find(root->ctlogs, root->n_ctlogs, scts[i].log_id);
        if (log)
            r = check_one(&scts[i], issuer, buf_bytes(&tbs), log, e);
        if (r == ERR_NOMEM)
            return r;
    }
    return r;
}
