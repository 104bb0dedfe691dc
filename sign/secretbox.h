/* SPDX-License-Identifier: Apache-2.0 */
/* NaCl's secretbox: XSalsa20 and Poly1305 (D. J. Bernstein, "Cryptography in NaCl", sections 7 to 10). A box
 * is the 16 bytes of the tag and the encrypted text. */
#ifndef WAYBILL_SIGN_SECRETBOX_H
#define WAYBILL_SIGN_SECRETBOX_H

#include "base/buf.h"

#define SIGN_SECRETBOX_KEY   32U
#define SIGN_SECRETBOX_NONCE 24U
#define SIGN_SECRETBOX_TAG   16U

/* sign_secretbox_seal - appends the box. A nonce is used once with a key. */
MUST_CHECK int sign_secretbox_seal(const uint8_t key[SIGN_SECRETBOX_KEY],
                                   const uint8_t nonce[SIGN_SECRETBOX_NONCE], struct bytes text,
                                   struct buf *out, struct err *e);

/* sign_secretbox_open - appends the text of a box to a secret buffer; ERR_AUTH: another key, or the box is
 * not what was sealed. The tags are compared in constant time, and nothing is decrypted before. */
MUST_CHECK int sign_secretbox_open(const uint8_t key[SIGN_SECRETBOX_KEY],
                                   const uint8_t nonce[SIGN_SECRETBOX_NONCE], struct bytes box,
                                   struct buf *out, struct err *e);

/* sign_hsalsa20 - a key out of a key and 16 bytes: the 20 rounds of Salsa20 without their final addition. */
void sign_hsalsa20(const uint8_t key[32], const uint8_t in[16], uint8_t out[32]);

#endif
