/* SPDX-License-Identifier: Apache-2.0 */
/* The little of DER (ITU-T X.690) that keys and signatures need, read strictly: definite lengths in their
 * shortest form, single-byte tags. A reader that returns false leaves *b and *ret untouched. */
#ifndef WAYBILL_SIGN_DER_H
#define WAYBILL_SIGN_DER_H

#include "base/buf.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_CONTEXT_0 = 0xa0,           /* [0], constructed */
    DER_CONTEXT_1 = 0xa1,           /* [1], constructed */
    DER_CONTEXT_3 = 0xa3,           /* [3], constructed */
    DER_CONTEXT_1_PRIMITIVE = 0x81, /* [1] IMPLICIT over a primitive type */
};

/* sign_der_take - cuts one value with that tag off *b; ret: its content. */
bool sign_der_take(struct bytes *b, enum der_tag tag, struct bytes *ret);

/* sign_der_take_uint - an INTEGER that is not negative; ret: its digits, big-endian, without leading zeros
 * (empty for 0). */
bool sign_der_take_uint(struct bytes *b, struct bytes *ret);

/* sign_der_take_bits - a BIT STRING, under that tag, of whole bytes. */
bool sign_der_take_bits(struct bytes *b, enum der_tag tag, struct bytes *ret);

/* sign_der_put - appends a value; failures are the buffer's. */
void sign_der_put(struct buf *out, enum der_tag tag, struct bytes content);

/* sign_der_put_uint - an INTEGER from big-endian digits, with or without leading zeros. */
void sign_der_put_uint(struct buf *out, struct bytes digits);

/* sign_der_put_bits - a BIT STRING of whole bytes. */
void sign_der_put_bits(struct buf *out, enum der_tag tag, struct bytes content);

#endif
