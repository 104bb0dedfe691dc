/* SPDX-License-Identifier: Apache-2.0 */
/* What other formats call a key. */
#ifndef WAYBILL_SIGN_KEYID_H
#define WAYBILL_SIGN_KEYID_H

#include "sign/key.h"

/* All append text; failures of memory are the buffer's.
 * sign_keyid_openssh - "SHA256:" and base64 without padding of the SHA-256 of the key's blob, as ssh-keygen
 * -l prints it. sign_keyid_wasmsign2 - 24 hexadecimal digits, of an Ed25519 key. sign_keyid_nkey - the public
 * key in the form of nkeys, of an Ed25519 key; kind: as of sign_nkey_encode. What Sigstore's bundles say is
 * sign_sigstore_hint. */
MUST_CHECK int sign_keyid_openssh(const struct sign_key *k, struct buf *out, struct err *e);
MUST_CHECK int sign_keyid_wasmsign2(const struct sign_key *k, struct buf *out, struct err *e);
void sign_keyid_nkey(const struct sign_key *k, char kind, struct buf *out);

#endif
