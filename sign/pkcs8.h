/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys in DER: OneAsymmetricKey (RFC 5958), version 1 written, 1 and 2 read; and what is read
 * besides. For this room only. */
#ifndef WAYBILL_SIGN_PKCS8_H
#define WAYBILL_SIGN_PKCS8_H

#include "sign/key.h"

/* sign_pkcs8_parse - ERR_FORMAT, ERR_UNSUPPORTED. */
MUST_CHECK int sign_pkcs8_parse(struct bytes der, struct sign_key **ret, struct err *e);

/* sign_pkcs8_put - appends it to a secret buffer. k: has a secret. */
MUST_CHECK int sign_pkcs8_put(const struct sign_key *k, struct buf *out, struct err *e);

/* sign_pkcs8_open - EncryptedPrivateKeyInfo (RFC 5958 section 3); errors: see sign_pbes2_open. */
MUST_CHECK int sign_pkcs8_open(struct bytes der, const struct sign_password *password, struct sign_key **ret,
                               struct err *e);

/* sign_sec1_parse - ECPrivateKey (RFC 5915). curve: the OID that stood before it, which must not contradict
 * the one in it, or BYTES_NONE. sign_pkcs1_parse - RSAPrivateKey (RFC 8017 appendix A.1.2). ERR_FORMAT,
 * ERR_UNSUPPORTED. */
MUST_CHECK int sign_sec1_parse(struct bytes der, struct bytes curve, struct sign_key **ret, struct err *e);
MUST_CHECK int sign_pkcs1_parse(struct bytes der, struct sign_key **ret, struct err *e);

#endif
