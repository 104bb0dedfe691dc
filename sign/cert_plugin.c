/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/plugin.h"
#include "sign/cert_ops.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include <stdio.h>

int sign_cert_refuse(int code, const char *what, struct err *e)
{
    if (code == GNUTLS_E_MEMORY_ERROR)
        return err_nomem(e);
    return err_set(e, ERR_FORMAT, "malformed certificate: %s: %s", what, gnutls_strerror(code));
}

int sign_cert_copy(struct bytes from, struct bytes *ret, struct err *e)
{
    uint8_t *p = malloc(from.len + 1);
    if (!p)
        return err_nomem(e);
    if (from.len)
        memcpy(p, from.ptr, from.len);
    p[from.len] = 0;
    *ret = bytes_of(p, from.len);
    return 0;
}

int sign_cert_text(struct bytes from, char **ret, struct err *e)
{
    if (!bytes_is_utf8(from) || (from.len && memchr(from.ptr, 0, from.len)))
        return err_set(e, ERR_FORMAT, "malformed certificate: a text with a NUL in it, or not in UTF-8");
    char *s = strndup(from.len ? (const char *)from.ptr : "", from.len);
    if (!s)
        return err_nomem(e);
    *ret = s;
    return 0;
}

int sign_cert_open(struct bytes der, struct gnutls_x509_crt_int **ret, struct err *e)
{
    AUTO_FREE uint8_t *copy = malloc(der.len + 1);
    gnutls_x509_crt_t crt = NULL;
    if (!copy || gnutls_x509_crt_init(&crt) < 0)
        return err_nomem(e);
    memcpy(copy, der.ptr, der.len);
    const gnutls_datum_t d = {copy, (unsigned)der.len};
    int r = gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER);
    if (r < 0) {
        gnutls_x509_crt_deinit(crt);
        return sign_cert_refuse(r, "its structure", e);
    }
    *ret = crt;
    return 0;
}

static int read_times(gnutls_x509_crt_t crt, struct sign_cert *c, struct err *e)
{
    time_t from = gnutls_x509_crt_get_activation_time(crt), to = gnutls_x509_crt_get_expiration_time(crt);
    if (from == (time_t)-1 || to == (time_t)-1)
        return err_set(e, ERR_FORMAT, "malformed certificate: its time of validity");
    c->not_before = (int64_t)from;
    c->not_after = (int64_t)to;
    return 0;
}

static void read_key(gnutls_x509_crt_t crt, struct sign_cert *c)
{
    unsigned bits = 0;
    int alg = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
    if (alg == GNUTLS_PK_RSA)
        c->key = SIGN_CERT_KEY_RSA;
    else if (alg == GNUTLS_PK_ECDSA)
        c->key = SIGN_CERT_KEY_EC;
    else if (alg == GNUTLS_PK_EDDSA_ED25519)
        c->key = SIGN_CERT_KEY_ED25519;
    /* GnuTLS counts the bits of whole bytes. */
    c->key_bits = c->key == SIGN_CERT_KEY_EC && bits == 528 ? 521 : bits;
}

bool sign_cert_is_strong(int alg)
{
    if (alg <= 0 || alg == GNUTLS_SIGN_EDDSA_ED25519)
        return alg > 0;
    gnutls_digest_algorithm_t hash = gnutls_sign_get_hash_algorithm((gnutls_sign_algorithm_t)alg);
    return hash == GNUTLS_DIG_SHA256 || hash == GNUTLS_DIG_SHA384 || hash == GNUTLS_DIG_SHA512;
}

static void read_alg(gnutls_x509_crt_t crt, struct sign_cert *c)
{
    int alg = gnutls_x509_crt_get_signature_algorithm(crt);
    const char *name = alg > 0 ? gnutls_sign_get_name((gnutls_sign_algorithm_t)alg) : NULL;
    c->weak = !sign_cert_is_strong(alg);
    (void)snprintf(c->sig_alg, sizeof(c->sig_alg), "%s", name ? name : "an unknown algorithm");
}

static int read_names(gnutls_x509_crt_t crt, struct sign_cert *c, struct err *e)
{
    gnutls_datum_t d;
    int r = gnutls_x509_crt_get_dn3(crt, &d, 0);
    if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) /* an empty name */
        r = sign_cert_text(BYTES_NONE, &c->subject, e);
    else if (r < 0)
        return sign_cert_refuse(r, "its subject", e);
    else {
        r = sign_cert_text(bytes_of(d.data, d.size), &c->subject, e);
        gnutls_free(d.data);
    }
    if (r)
        return r;
    r = gnutls_x509_crt_get_issuer_dn3(crt, &d, 0);
    if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return sign_cert_text(BYTES_NONE, &c->issuer, e);
    if (r < 0)
        return sign_cert_refuse(r, "its issuer", e);
    r = sign_cert_text(bytes_of(d.data, d.size), &c->issuer, e);
    gnutls_free(d.data);
    return r;
}

static int parse(struct sign_cert *c, struct err *e)
{
    gnutls_x509_crt_t crt = NULL;
    int r = sign_cert_open(c->der, &crt, e);
    if (r)
        return r;
    read_key(crt, c);
    read_alg(crt, c);
    r = read_times(crt, c, e);
    if (!r)
        r = read_names(crt, c, e);
    if (!r)
        r = sign_cert_parts(crt, c, e);
    gnutls_x509_crt_deinit(crt);
    return r;
}

static int verify(gnutls_x509_crt_t crt, gnutls_pubkey_t key, struct bytes tbs, struct err *e)
{
    char value[2048]; /* RSA of 16384 bits */
    size_t size = sizeof(value);
    AUTO_FREE uint8_t *copy = malloc(tbs.len);
    if (!copy)
        return err_nomem(e);
    memcpy(copy, tbs.ptr, tbs.len);
    const gnutls_datum_t data = {copy, (unsigned)tbs.len};
    int alg = gnutls_x509_crt_get_signature_algorithm(crt);
    if (alg <= 0 || gnutls_x509_crt_get_signature(crt, value, &size) < 0)
        return err_set(e, ERR_CERT, "is signed in an unknown way");
    const gnutls_datum_t signature = {(unsigned char *)value, (unsigned)size};
    int r = gnutls_pubkey_verify_data2(key, (gnutls_sign_algorithm_t)alg, 0, &data, &signature);
    return r < 0 ? err_set(e, ERR_CERT, "is not signed by that key: %s", gnutls_strerror(r)) : 0;
}

static int signed_by(const struct sign_cert *c, const struct sign_cert *issuer, struct err *e)
{
    gnutls_x509_crt_t crt = NULL, above = NULL;
    gnutls_pubkey_t key = NULL;
    int r = sign_cert_open(c->der, &crt, e);
    if (!r)
        r = sign_cert_open(issuer->der, &above, e);
    if (!r && gnutls_pubkey_init(&key) < 0)
        r = err_nomem(e);
    if (!r && gnutls_pubkey_import_x509(key, above, 0) < 0)
        r = err_set(e, ERR_CERT, "is signed by a key of an unknown type");
    if (!r)
        r = verify(crt, key, c->tbs, e);
    gnutls_pubkey_deinit(key);
    gnutls_x509_crt_deinit(above);
    gnutls_x509_crt_deinit(crt);
    return r;
}

const struct sign_cert_ops sign_cert_plugin_ops = {
    .parse = parse,
    .signed_by = signed_by,
    .token_open = sign_cert_token_open,
    .token_verify = sign_cert_token_verify,
};
PLUGIN_DEFINE("cert", &sign_cert_plugin_ops);
