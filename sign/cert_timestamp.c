/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "sign/cert_ops.h"

#include <gnutls/abstract.h>
#include <gnutls/pkcs7.h>
#include <gnutls/x509.h>

#define OID_TST_INFO  "1.2.840.113549.1.9.16.1.4" /* id-ct-TSTInfo, RFC 3161 section 2.4.2 */

#define OID_SIGNER    "1.2.840.113549.1.9.16.2.12" /* with SHA-1: that it is there is all that it says */
#define OID_SIGNER_V2 "1.2.840.113549.1.9.16.2.47"

static int refuse(int code, struct err *e)
{
    if (code == GNUTLS_E_MEMORY_ERROR)
        return err_nomem(e);
    return err_set(e, ERR_FORMAT, "malformed time stamp token: %s", gnutls_strerror(code));
}

static int import(struct bytes der, gnutls_pkcs7_t *ret, struct err *e)
{
    gnutls_pkcs7_t p = NULL;
    AUTO_FREE uint8_t *copy = malloc(der.len + 1);
    if (!copy || gnutls_pkcs7_init(&p) < 0)
        return err_nomem(e);
    if (der.len)
        memcpy(copy, der.ptr, der.len);
    const gnutls_datum_t d = {copy, (unsigned)der.len};
    int r = gnutls_pkcs7_import(p, &d, GNUTLS_X509_FMT_DER);
    if (r < 0) {
        gnutls_pkcs7_deinit(p);
        return refuse(r, e);
    }
    *ret = p;
    return 0;
}

static int take_certs(gnutls_pkcs7_t p, struct sign_cert_token *t, struct err *e)
{
    int n = gnutls_pkcs7_get_crt_count(p);
    if (n < 0)
        n = 0; /* none: the signer's stands in the trust store */
    if (n > (int)LIMIT_CERTS)
        return err_set(e, ERR_LIMIT, "a time stamp token with more than %u certificates", LIMIT_CERTS);
    t->ders = calloc((size_t)n + 1, sizeof(*t->ders));
    if (!t->ders)
        return err_nomem(e);
    for (int i = 0; i < n; i++) {
        gnutls_datum_t d;
        int r = gnutls_pkcs7_get_crt_raw2(p, (unsigned)i, &d);
        if (r < 0)
            return refuse(r, e);
        r = sign_cert_copy(bytes_of(d.data, d.size), &t->ders[t->n++], e);
        gnutls_free(d.data);
        if (r)
            return r;
    }
    return 0;
}

/* RFC 3161 section 2.4.2 and RFC 5816: which certificate the signer meant is signed along. */
static int take_signed_name(gnutls_pkcs7_attrs_t attrs, struct sign_cert_token *t, struct err *e)
{
    for (unsigned i = 0;; i++) {
        char *oid = NULL;
        gnutls_datum_t d = {NULL, 0};
        int r = gnutls_pkcs7_get_attr(attrs, i, &oid, &d, 0);
        if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            break;
        if (r < 0)
            return refuse(r, e);
        t->names_signer = t->names_signer || strcmp(oid, OID_SIGNER) == 0 || strcmp(oid, OID_SIGNER_V2) == 0;
        r = strcmp(oid, OID_SIGNER_V2) == 0 && !t->signer_v2.ptr
                ? sign_cert_copy(bytes_of(d.data, d.size), &t->signer_v2, e)
                : 0;
        gnutls_free(d.data);
        if (r)
            return r;
    }
    return t->names_signer ? 0
                           : err_set(e, ERR_FORMAT, "malformed time stamp token: whose it is is not signed");
}

static int take_signer(gnutls_pkcs7_t p, struct sign_cert_token *t, struct err *e)
{
    gnutls_pkcs7_signature_info_st info;
    if (gnutls_pkcs7_get_signature_count(p) != 1)
        return err_set(e, ERR_FORMAT, "malformed time stamp token: not one signature");
    int r = gnutls_pkcs7_get_signature_info(p, 0, &info);
    if (r < 0)
        return refuse(r, e);
    /* RFC 5652 section 5.4: without signed attributes the content alone is signed, and RFC 3161 wants some.
     */
    if (!info.issuer_dn.size || !info.signer_serial.size || !info.signed_attrs)
        r = err_set(e, ERR_UNSUPPORTED, "a time stamp token whose signer is not named by issuer and serial");
    else
        r = sign_cert_copy(bytes_of(info.issuer_dn.data, info.issuer_dn.size), &t->issuer_der, e);
    if (!r)
        r = sign_cert_copy(bytes_of(info.signer_serial.data, info.signer_serial.size), &t->serial, e);
    if (!r)
        r = take_signed_name(info.signed_attrs, t, e);
    gnutls_pkcs7_signature_info_deinit(&info);
    return r;
}

static int take_info(gnutls_pkcs7_t p, struct sign_cert_token *t, struct err *e)
{
    gnutls_datum_t d;
    const char *oid = gnutls_pkcs7_get_embedded_data_oid(p);
    if (!oid || strcmp(oid, OID_TST_INFO) != 0)
        return err_set(e, ERR_FORMAT, "malformed time stamp token: it signs something else than a time");
    int r = gnutls_pkcs7_get_embedded_data(p, 0, &d);
    if (r < 0)
        return refuse(r, e);
    r = sign_cert_copy(bytes_of(d.data, d.size), &t->info, e);
    gnutls_free(d.data);
    return r;
}

int sign_cert_token_open(struct bytes der, struct sign_cert_token *ret, struct err *e)
{
    gnutls_pkcs7_t p = NULL;
    int r = import(der, &p, e);
    if (r)
        return r;
    r = take_info(p, ret, e);
    if (!r)
        r = take_signer(p, ret, e);
    if (!r)
        r = take_certs(p, ret, e);
    gnutls_pkcs7_deinit(p);
    return r;
}

/* GnuTLS 3.7 leaks memory where a signer's key cannot be used: that is found out first. */
static bool has_key(gnutls_x509_crt_t crt)
{
    gnutls_pubkey_t key = NULL;
    bool good = gnutls_pubkey_init(&key) >= 0 && gnutls_pubkey_import_x509(key, crt, 0) >= 0;
    gnutls_pubkey_deinit(key);
    return good;
}

static int check_alg(gnutls_pkcs7_t p, struct err *e)
{
    gnutls_pkcs7_signature_info_st info;
    int r = gnutls_pkcs7_get_signature_info(p, 0, &info);
    if (r < 0)
        return refuse(r, e);
    bool good = sign_cert_is_strong((int)info.algo);
    gnutls_pkcs7_signature_info_deinit(&info);
    return good ? 0 : err_set(e, ERR_CERT, "the time stamp is signed with a hash that is broken or unknown");
}

static int verify(gnutls_pkcs7_t p, gnutls_x509_crt_t crt, struct err *e)
{
    if (!has_key(crt))
        return err_set(e, ERR_CERT, "the time stamp is signed by a key of an unknown type");
    int r = check_alg(p, e);
    if (r)
        return r;
    /* Also compares messageDigest and contentType with the content. The times are the caller's to look at. */
    r = gnutls_pkcs7_verify_direct(
        p, crt, 0, NULL, GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS);
    return r < 0
               ? err_set(e, ERR_UNTRUSTED, "the signature of the time stamp is wrong: %s", gnutls_strerror(r))
               : 0;
}

int sign_cert_token_verify(struct bytes der, const struct sign_cert *signer, struct err *e)
{
    gnutls_pkcs7_t p = NULL;
    gnutls_x509_crt_t crt = NULL;
    int r = import(der, &p, e);
    if (r)
        return r;
    r = sign_cert_open(signer->der, &crt, e);
    if (!r)
        r = verify(p, crt, e);
    gnutls_x509_crt_deinit(crt);
    gnutls_pkcs7_deinit(p);
    return r;
}
