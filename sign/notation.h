/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of the Notary Project: a JWS envelope (signature-envelope-jws.md) over a descriptor
 * (signature-specification.md), with the signer's X.509 chain in it. This header is for the files of this
 * format only.
 */
#ifndef WAYBILL_SIGN_NOTATION_H
#define WAYBILL_SIGN_NOTATION_H

#include "sign/cert.h"
#include "sign/format.h"

#define SIGN_NOTATION_NAME        "notation"
#define SIGN_NOTATION_ARTIFACT    "application/vnd.cncf.notary.signature"
#define SIGN_NOTATION_JWS         "application/jose+json"
#define SIGN_NOTATION_COSE        "application/cose"
#define SIGN_NOTATION_PAYLOAD     "application/vnd.cncf.notary.payload.v1+json"

#define SIGN_NOTATION_SCHEME      "io.cncf.notary.signingScheme"
#define SIGN_NOTATION_TIME        "io.cncf.notary.signingTime"
#define SIGN_NOTATION_PROVEN_TIME "io.cncf.notary.authenticSigningTime"
#define SIGN_NOTATION_EXPIRY      "io.cncf.notary.expiry"
#define SIGN_NOTATION_TIMESTAMP   "io.cncf.notary.timestampSignature"
#define SIGN_NOTATION_AGENT       "io.cncf.notary.signingAgent"
#define SIGN_NOTATION_X509        "notary.x509"
#define SIGN_NOTATION_AUTHORITY   "notary.x509.signingAuthority"
#define SIGN_NOTATION_THUMBPRINT  "io.cncf.notary.x509chain.thumbprint#S256"

/* sign_notation_alg - the one algorithm that a key may sign with (signature-specification.md, "Signature
 * Algorithm Requirements"). ERR_UNSUPPORTED: none. */
MUST_CHECK int sign_notation_alg(const struct sign_cert *leaf, const char **ret_name,
                                 struct sign_scheme *ret_scheme, struct err *e);

/* sign_notation_judge / _make - see struct sign_format. */
MUST_CHECK int sign_notation_judge(const struct sign_carrier *carrier, const struct sign_subject *subject,
                                   const struct sign_trust *trust, struct sign_report *report, struct err *e);
MUST_CHECK int sign_notation_make(const struct sign_order *order, struct sign_product *ret, struct err *e);

#endif
