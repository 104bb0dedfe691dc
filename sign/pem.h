/* SPDX-License-Identifier: Apache-2.0 */
/* PEM (RFC 7468), strictly: one block, nothing but blanks around it, no headers inside. */
#ifndef WAYBILL_SIGN_PEM_H
#define WAYBILL_SIGN_PEM_H

#include "base/buf.h"

/* sign_pem_label - whether the text starts, behind blanks, with the first line of a block; *ret_label: what
 * it says the block is ("PUBLIC KEY"). */
bool sign_pem_label(struct bytes text, struct bytes *ret_label);

/* sign_pem_decode - appends the bytes of the only block. out: a secret buffer when the block may hold one.
 * ERR_FORMAT. */
MUST_CHECK int sign_pem_decode(struct bytes text, struct buf *out, struct err *e);

/* sign_pem_encode - appends a block, in lines of 64 characters, _wide: of so many; failures are the buffer's.
 */
MUST_CHECK int sign_pem_encode_wide(const char *label, size_t width, struct bytes data, struct buf *out,
                                    struct err *e);
MUST_CHECK int sign_pem_encode(const char *label, struct bytes data, struct buf *out, struct err *e);

#endif
