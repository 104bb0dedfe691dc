/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of a private key as OpenSSH's files and its agent have them (PROTOCOL.key section 3,
 * draft-miller-ssh-agent section 3.2). For this room only. */
#ifndef WAYBILL_SIGN_OPENSSH_H
#define WAYBILL_SIGN_OPENSSH_H

#include "sign/key.h"

/* sign_openssh_take_secret - cuts the private key off *b: type and numbers, which must belong to public_key.
 * ERR_FORMAT. */
MUST_CHECK int sign_openssh_take_secret(struct bytes *b, const struct sign_key *public_key,
                                        struct sign_key **ret, struct err *e);

/* sign_openssh_put_secret - appends that to a secret buffer. k: has a secret. */
MUST_CHECK int sign_openssh_put_secret(const struct sign_key *k, struct buf *out, struct err *e);

#endif
