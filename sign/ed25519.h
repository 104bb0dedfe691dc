/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 and Ed25519ph for messages of any length, for this room only. */
#ifndef WAYBILL_SIGN_ED25519_H
#define WAYBILL_SIGN_ED25519_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "sign/gcry.h"

#define ED25519_LEN     32U /* of a seed, a public key, and either half of a signature */
#define ED25519_SIG_LEN 64U

/* ed25519_public_sexp - the public key as libgcrypt takes it; public_key: ED25519_LEN bytes. */
MUST_CHECK int ed25519_public_sexp(const uint8_t *public_key, gcry_sexp_t *ret, struct err *e);

/* ed25519_long_sign - RFC 8032 section 5.1.6 on libgcrypt's points and numbers: it hands a message to its own
 * Ed25519 in an S-expression, which holds no more than SIGN_GCRY_MAX bytes. ph: Ed25519ph (section 5.1). The
 * signature was verified before it is appended to out. seed, public_key: ED25519_LEN bytes. */
MUST_CHECK int ed25519_long_sign(const uint8_t *seed, const uint8_t *public_key, bool ph,
                                 struct bytes message, struct buf *out, struct err *e);

/* ed25519_long_verify - section 5.1.7, likewise, without the cofactor. The caller has made sure of the public
 * key (sign_alg's check). signature: ED25519_SIG_LEN bytes. */
MUST_CHECK int ed25519_long_verify(const uint8_t *public_key, bool ph, struct bytes message,
                                   const uint8_t *signature, bool *ret_good, struct err *e);

#endif
