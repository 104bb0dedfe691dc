/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption with a password as PKCS#5 has it (RFC 8018 section 6.2, "PBES2"): with PBKDF2 or scrypt (RFC
 * 7914 section 7) and AES in CBC mode. For this room only. */
#ifndef WAYBILL_SIGN_PBES2_H
#define WAYBILL_SIGN_PBES2_H

#include "sign/key.h"

/* sign_pbes2_open - decrypts an EncryptedPrivateKeyInfo (RFC 5958 section 3); out: a secret buffer. The
 * password is asked for once all else is known to be good. ERR_FORMAT, ERR_UNSUPPORTED (another algorithm),
 * ERR_LIMIT (a cost above LIMIT_PBKDF2_ROUNDS, LIMIT_SCRYPT_COST), ERR_AUTH (a wrong password: nothing in the
 * file proves that it is the file that is wrong), and what sign_password_get says. */
MUST_CHECK int sign_pbes2_open(struct bytes der, const struct sign_password *password, struct buf *out,
                               struct err *e);

#endif
