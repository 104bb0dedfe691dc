/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the front (cert.c, in the program, with the rules for chains in chain.c) and the shared object
 * "cert", which decodes and checks signatures by GnuTLS:
 *
 *     cert_plugin.c     its one symbol, what a certificate says of itself, the signature of one by another
 *     cert_parts.c      names, alternative names, extensions, purposes
 *     cert_timestamp.c  time stamp tokens
 */
#ifndef WAYBILL_SIGN_CERT_OPS_H
#define WAYBILL_SIGN_CERT_OPS_H

#include "base/buf.h"
#include "sign/cert.h"

/* A time stamp token, taken apart and believed in nothing. */
struct sign_cert_token {
    struct bytes *ders; /* the certificates in it, in any order; owned, and each of them */
    size_t n;
    struct bytes info;       /* the TSTInfo; owned */
    struct bytes issuer_der; /* of the signer's certificate, and its serial number; owned */
    struct bytes serial;
    bool names_signer;      /* there is a signed attribute signingCertificate, or signingCertificateV2 */
    struct bytes signer_v2; /* the value of the latter (RFC 5035 section 3); owned; or empty */
};

struct sign_cert_ops {
    /* c: der, tbs and so on are set. Fills in the rest but the fingerprint; on failure too, what is there is
     * released with the certificate. */
    int (*parse)(struct sign_cert *c, struct err *e);
    /* ERR_CERT: the signature is wrong. */
    int (*signed_by)(const struct sign_cert *c, const struct sign_cert *issuer, struct err *e);
    int (*token_open)(struct bytes der, struct sign_cert_token *ret, struct err *e);
    /* The signature of the token, by that certificate, over its TSTInfo. ERR_UNTRUSTED: it is wrong. */
    int (*token_verify)(struct bytes der, const struct sign_cert *signer, struct err *e);
};

/* sign_cert_plugin - the ops, loaded. */
MUST_CHECK int sign_cert_plugin(const struct sign_cert_ops **ret, struct err *e);

void sign_cert_token_done(struct sign_cert_token *t);

/* For the files of the plugin: */

struct gnutls_x509_crt_int;

/* sign_cert_parts - extensions, names and purposes. */
MUST_CHECK int sign_cert_parts(struct gnutls_x509_crt_int *crt, struct sign_cert *c, struct err *e);

/* sign_cert_copy - a copy of bytes (also of none), and of text: ERR_FORMAT when there is a NUL in it or it is
 * not UTF-8. */
MUST_CHECK int sign_cert_copy(struct bytes from, struct bytes *ret, struct err *e);
MUST_CHECK int sign_cert_text(struct bytes from, char **ret, struct err *e);

/* sign_cert_open - the certificate for GnuTLS; gnutls_x509_crt_deinit by the caller. */
MUST_CHECK int sign_cert_open(struct bytes der, struct gnutls_x509_crt_int **ret, struct err *e);

/* sign_cert_refuse - the failure of a call of GnuTLS. */
int sign_cert_refuse(int code, const char *what, struct err *e);

/* sign_cert_is_strong - whether a gnutls_sign_algorithm_t has one of today's hashes. */
bool sign_cert_is_strong(int alg);

MUST_CHECK int sign_cert_token_open(struct bytes der, struct sign_cert_token *ret, struct err *e);
MUST_CHECK int sign_cert_token_verify(struct bytes der, const struct sign_cert *signer, struct err *e);

extern const struct sign_cert_ops sign_cert_plugin_ops;

#endif
