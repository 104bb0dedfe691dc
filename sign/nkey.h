/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nkeys, the text form in which NATS and wasmCloud write Ed25519 keys: base32 (RFC 4648 section 6, no
 * padding) of a prefix, 32 bytes and their CRC-16/XMODEM, little-endian. The prefix says whose the key is:
 * 'A' an account, 'M' a module, 'O' an operator, 'U' a user, and so on; the text of a public key begins with
 * that letter, that of a seed with 'S' and that letter.
 */
#ifndef WAYBILL_SIGN_NKEY_H
#define WAYBILL_SIGN_NKEY_H

#include "base/bytes.h"
#include "base/err.h"

#define SIGN_NKEY_LEN       32U /* of a public key, and of a seed */
#define SIGN_NKEY_TEXT      57U /* 56 characters and a NUL */
#define SIGN_NKEY_SEED_TEXT 59U

/* sign_nkey_encode - the text of a public key; kind: one of "ACMNOPUVX". Returns out. */
char *sign_nkey_encode(char kind, const uint8_t key[SIGN_NKEY_LEN], char out[SIGN_NKEY_TEXT]);

/* sign_nkey_encode_seed - the text of a seed. It is a secret: the caller wipes it. Returns out. */
char *sign_nkey_encode_seed(char kind, const uint8_t seed[SIGN_NKEY_LEN], char out[SIGN_NKEY_SEED_TEXT]);

/* sign_nkey_decode / _decode_seed - strict: nothing around the text, capital letters, a kind that is known,
 * the check sum, unused bits zero. ret_kind: one of "ACMNOPUVX". ERR_FORMAT, and the message does not repeat
 * the text. */
MUST_CHECK int sign_nkey_decode(struct bytes text, char *ret_kind, uint8_t ret_key[SIGN_NKEY_LEN],
                                struct err *e);
MUST_CHECK int sign_nkey_decode_seed(struct bytes text, char *ret_kind, uint8_t ret_seed[SIGN_NKEY_LEN],
                                     struct err *e);

/* sign_nkey_is_seed - whether the text has the length and the first letter of a seed, no more. */
bool sign_nkey_is_seed(struct bytes text);

#endif
