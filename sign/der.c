/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/der.h"

/* X.690 8.1.3 and 10.1: up to 127 in one byte, else 0x80 | n and n bytes without leading zeros. */
static bool take_length(struct bytes *b, size_t *ret)
{
    uint8_t first, byte;
    if (!bytes_take_u8(b, &first))
        return false;
    if (first < 0x80) {
        *ret = first;
        return true;
    }
    unsigned n = first & 0x7fU;
    if (n == 0 || n > 4)
        return false;
    size_t len = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!bytes_take_u8(b, &byte) || (i == 0 && byte == 0))
            return false;
        len = len << 8 | byte;
    }
    if (len < 0x80)
        return false;
    *ret = len;
    return true;
}

bool sign_der_take(struct bytes *b, enum der_tag tag, struct bytes *ret)
{
    struct bytes rest = *b, content;
    uint8_t got;
    size_t len;
    if (!bytes_take_u8(&rest, &got) || got != tag || !take_length(&rest, &len) ||
        !bytes_take(&rest, len, &content))
        return false;
    *b = rest;
    *ret = content;
    return true;
}

bool sign_der_take_uint(struct bytes *b, struct bytes *ret)
{
    struct bytes rest = *b, digits;
    if (!sign_der_take(&rest, DER_INTEGER, &digits) || digits.len == 0 || (digits.ptr[0] & 0x80))
        return false;
    if (digits.ptr[0] == 0) {
        if (digits.len > 1 && !(digits.ptr[1] & 0x80))
            return false;
        digits = bytes_of(digits.ptr + 1, digits.len - 1);
    }
    *b = rest;
    *ret = digits;
    return true;
}

bool sign_der_take_bits(struct bytes *b, enum der_tag tag, struct bytes *ret)
{
    struct bytes rest = *b, bits;
    uint8_t unused;
    if (!sign_der_take(&rest, tag, &bits) || !bytes_take_u8(&bits, &unused) || unused != 0)
        return false;
    *b = rest;
    *ret = bits;
    return true;
}

static void put_head(struct buf *out, enum der_tag tag, size_t len)
{
    buf_append_u8(out, (uint8_t)tag);
    if (len < 0x80) {
        buf_append_u8(out, (uint8_t)len);
        return;
    }
    unsigned n = 1;
    while (n < sizeof(len) && len >> (8 * n))
        n++;
    buf_append_u8(out, (uint8_t)(0x80 | n));
    while (n-- > 0)
        buf_append_u8(out, (uint8_t)(len >> (8 * n)));
}

void sign_der_put(struct buf *out, enum der_tag tag, struct bytes content)
{
    put_head(out, tag, content.len);
    buf_append_bytes(out, content);
}

void sign_der_put_uint(struct buf *out, struct bytes digits)
{
    while (digits.len && digits.ptr[0] == 0)
        digits = bytes_of(digits.ptr + 1, digits.len - 1);
    bool zero = digits.len == 0 || (digits.ptr[0] & 0x80);
    put_head(out, DER_INTEGER, digits.len + zero);
    if (zero)
        buf_append_u8(out, 0);
    buf_append_bytes(out, digits);
}

void sign_der_put_bits(struct buf *out, enum der_tag tag, struct bytes content)
{
    put_head(out, tag, content.len + 1);
    buf_append_u8(out, 0);
    buf_append_bytes(out, content);
}
