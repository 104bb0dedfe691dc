/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal, base64 and base64url (RFC 4648 sections 8, 4 and 5). */
#ifndef WAYBILL_BASE_HEX_H
#define WAYBILL_BASE_HEX_H

#include "base/buf.h"

/* hex_encode - lower case; out: 2 * data.len + 1 characters; returns out. */
char *hex_encode(struct bytes data, char *out);

/* hex_decode_lower - text.len / 2 bytes into out; false for an odd length or anything but 0-9a-f. */
bool hex_decode_lower(struct bytes text, uint8_t *out);

enum b64_kind {
    B64_STD, /* + and /, padded */
    B64_URL, /* - and _, not padded */
};

/* b64_encode - appends the text form, in one line. */
void b64_encode(enum b64_kind kind, struct bytes data, struct buf *out);

/* b64_decode - appends the bytes. Strict: no blanks, exact padding (B64_STD) or none (B64_URL), unused bits
 * zero; ERR_FORMAT otherwise. */
MUST_CHECK int b64_decode(enum b64_kind kind, struct bytes text, struct buf *out, struct err *e);

/* b64_decode_any - the same for texts that may be in either alphabet, but not in both, and padded or not, as
 * DSSE ("Protocol") and JSON of protocol buffers allow it. */
MUST_CHECK int b64_decode_any(struct bytes text, struct buf *out, struct err *e);

#endif
