/* SPDX-License-Identifier: Apache-2.0 */
/* How keys sign in Sigstore's formats: what cosign's signatures of a key may look like, which of these every
 * cosign verifies, and how a bundle hints at a key. */
#ifndef WAYBILL_SIGN_SIGSTORE_KEY_H
#define WAYBILL_SIGN_SIGSTORE_KEY_H

#include "sign/report.h"
#include "sign/trust.h"

/* sign_sigstore_sign - appends the signature over message that all versions of cosign verify: SHA-256 with
 * P-256, P-384 and RSA (PKCS #1 v1.5), Ed25519 pure. ERR_USAGE for a public key. */
MUST_CHECK int sign_sigstore_sign(const struct sign_key *k, struct bytes message, struct buf *out,
                                  struct err *e);

/* sign_sigstore_verify - *ret_good: whether it is the key's signature in one of the ways that cosign signs:
 * P-384 with SHA-384 and with SHA-256; Ed25519ph only where the trust says so. */
MUST_CHECK int sign_sigstore_verify(const struct sign_key *k, const struct sign_trust *trust,
                                    struct bytes message, struct bytes signature, bool *ret_good,
                                    struct err *e);

/* sign_sigstore_hint - appends what a bundle calls the key: base64 of the SHA-256 of its SubjectPublicKeyInfo
 * (protobuf-specs, PublicKeyIdentifier). */
MUST_CHECK int sign_sigstore_hint(const struct sign_key *k, struct buf *out, struct err *e);

/* sign_sigstore_by_key - looks for the key of the trust that made the signature. *ret_key: it, with key and
 * key_id of the check filled in; or NULL, with the outcome of the check set: ERR_UNTRUSTED. hint: what the
 * signature says of its key: a key that it excludes is not tried; "" or a text of another form excludes
 * none. */
MUST_CHECK int sign_sigstore_by_key(const struct sign_trust *trust, const char *hint, struct bytes message,
                                    struct bytes signature, struct sign_check *check,
                                    const struct sign_key **ret_key, struct err *e);

#endif
