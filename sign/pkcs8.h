/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys in DER: OneAsymmetricKey (RFC 5958), version 1 written, 1 and 2 read. For this room only. */
#ifndef WAYBILL_SIGN_PKCS8_H
#define WAYBILL_SIGN_PKCS8_H

#include "sign/key.h"

/* sign_pkcs8_parse - ERR_FORMAT, ERR_UNSUPPORTED. */
MUST_CHECK int sign_pkcs8_parse(struct bytes der, struct sign_key **ret, struct err *e);

/* sign_pkcs8_put - appends it to a secret buffer. k: has a secret. */
MUST_CHECK int sign_pkcs8_put(const struct sign_key *k, struct buf *out, struct err *e);

#endif
