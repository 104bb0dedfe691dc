/* SPDX-License-Identifier: Apache-2.0 */
/* PEM (RFC 7468), strictly: no headers inside a block, nothing but blanks around it where a function does not
 * say otherwise. */
#ifndef WAYBILL_SIGN_PEM_H
#define WAYBILL_SIGN_PEM_H

#include "base/buf.h"

/* sign_pem_label - whether the text starts, behind blanks, with the first line of a block; *ret_label: what
 * it says the block is ("PUBLIC KEY"). */
bool sign_pem_label(struct bytes text, struct bytes *ret_label);

/* sign_pem_decode - appends the bytes of the only block. out: a secret buffer when the block may hold one.
 * ERR_FORMAT. */
MUST_CHECK int sign_pem_decode(struct bytes text, struct buf *out, struct err *e);

/* sign_pem_find - the first block of a text, behind what explains it to people (RFC 7468 section 2 permits
 * that before a block, and openssl and certtool write it). *ret_block: from its first line to the end of the
 * text, as sign_pem_decode takes it. false, both untouched or of no use: there is none. */
bool sign_pem_find(struct bytes text, struct bytes *ret_label, struct bytes *ret_block);

/* sign_pem_has - whether the first block is called so. sign_pem_decode_first - as sign_pem_decode, of a text
 * with something before its only block. */
bool sign_pem_has(struct bytes text, const char *label);
MUST_CHECK int sign_pem_decode_first(struct bytes text, struct buf *out, struct err *e);

/* sign_pem_take - cuts the block with which the text begins off it, and appends its bytes. ERR_FORMAT. */
MUST_CHECK int sign_pem_take(struct bytes *text, struct buf *out, struct err *e);

/* sign_pem_encode - appends a block, in lines of 64 characters, _wide: of so many; failures are the buffer's.
 */
MUST_CHECK int sign_pem_encode_wide(const char *label, size_t width, struct bytes data, struct buf *out,
                                    struct err *e);
MUST_CHECK int sign_pem_encode(const char *label, struct bytes data, struct buf *out, struct err *e);

#endif
