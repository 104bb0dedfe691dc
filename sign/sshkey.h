/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys as SSH writes them: RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4. */
#ifndef WAYBILL_SIGN_SSHKEY_H
#define WAYBILL_SIGN_SSHKEY_H

#include "sign/key.h"

/* sign_sshkey_type - "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ssh-rsa". */
const char *sign_sshkey_type(const struct sign_key *k);

/* sign_sshkey_put - appends the blob of the public key; failures are the buffer's. */
void sign_sshkey_put(const struct sign_key *k, struct buf *out);

#endif
