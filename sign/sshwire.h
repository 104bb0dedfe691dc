/* SPDX-License-Identifier: Apache-2.0 */
/* The data types of SSH's protocols (RFC 4251 section 5), for this room only. A reader that returns false
 * leaves *b and *ret untouched; failures of writers are the buffer's. */
#ifndef WAYBILL_SIGN_SSHWIRE_H
#define WAYBILL_SIGN_SSHWIRE_H

#include "base/buf.h"

bool sign_sshwire_take_u32(struct bytes *b, uint32_t *ret);

/* sign_sshwire_take_string - "string": a length and as many bytes. */
bool sign_sshwire_take_string(struct bytes *b, struct bytes *ret);

/* sign_sshwire_take_mpint - an "mpint" that is not negative, in its shortest form; ret: its digits,
 * big-endian, without leading zeros (empty for 0). */
bool sign_sshwire_take_mpint(struct bytes *b, struct bytes *ret);

void sign_sshwire_put_u32(struct buf *out, uint32_t v);
void sign_sshwire_put_string(struct buf *out, struct bytes s);

/* sign_sshwire_put_mpint - from big-endian digits, with or without leading zeros. */
void sign_sshwire_put_mpint(struct buf *out, struct bytes digits);

#endif
