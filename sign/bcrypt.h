/* SPDX-License-Identifier: Apache-2.0 */
/* bcrypt_pbkdf, the key derivation of encrypted OpenSSH keys. No library that waybill could use has it:
 * libgcrypt's Blowfish has no key schedule with a salt, and libssh gives away no RSA key that it decrypted.
 */
#ifndef WAYBILL_SIGN_BCRYPT_H
#define WAYBILL_SIGN_BCRYPT_H

#include "base/bytes.h"
#include "base/err.h"

/* sign_bcrypt_derive - len bytes into out. password: not empty. rounds: 1 to LIMIT_BCRYPT_ROUNDS; each takes
 * about 10 ms. ERR_NOMEM, ERR_OTHER. OpenBSD's bcrypt_pbkdf(3). */
MUST_CHECK int sign_bcrypt_derive(struct bytes password, struct bytes salt, unsigned rounds, uint8_t *out,
                                  size_t len, struct err *e);

#endif
