/* SPDX-License-Identifier: Apache-2.0 */
/*
 * minisign's signatures of files and its public keys ("Signature format" and "Public key format" of its
 * manual), and the row "minisign", which only verifies:
 *
 *     untrusted comment: <text>
 *     base64(algorithm ‖ key number ‖ signature)        "ED": of BLAKE2b-512 of the file, "Ed": of the file
 *     trusted comment: <text>
 *     base64(signature over the 64 bytes of the signature above ‖ the trusted comment)
 */
#ifndef WAYBILL_SIGN_MINISIGN_H
#define WAYBILL_SIGN_MINISIGN_H

#include "base/bytes.h"
#include "base/err.h"

#define SIGN_MINISIGN_NUMBER 8U
#define SIGN_MINISIGN_LEN    64U /* of an Ed25519 signature */

struct sign_minisig {
    bool of_hash; /* "ED" */
    uint8_t number[SIGN_MINISIGN_NUMBER];
    uint8_t signature[SIGN_MINISIGN_LEN];
    struct bytes comment;              /* the trusted one; borrowed from the text */
    uint8_t global[SIGN_MINISIGN_LEN]; /* over signature and comment */
};

/* sign_minisig_parse - a .minisig file. ERR_FORMAT, ERR_UNSUPPORTED (another algorithm), ERR_LIMIT. */
MUST_CHECK int sign_minisig_parse(struct bytes text, struct sign_minisig *ret, struct err *e);

#endif
