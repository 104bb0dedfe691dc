/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/sshwire.h"

bool sign_sshwire_take_u32(struct bytes *b, uint32_t *ret)
{
    struct bytes four;
    if (!bytes_take(b, 4, &four))
        return false;
    *ret =
        (uint32_t)four.ptr[0] << 24 | (uint32_t)four.ptr[1] << 16 | (uint32_t)four.ptr[2] << 8 | four.ptr[3];
    return true;
}

bool sign_sshwire_take_string(struct bytes *b, struct bytes *ret)
{
    struct bytes rest = *b;
    uint32_t len;
    if (!sign_sshwire_take_u32(&rest, &len) || !bytes_take(&rest, len, ret))
        return false;
    *b = rest;
    return true;
}

bool sign_sshwire_take_mpint(struct bytes *b, struct bytes *ret)
{
    struct bytes rest = *b, digits;
    if (!sign_sshwire_take_string(&rest, &digits))
        return false;
    if (digits.len && (digits.ptr[0] & 0x80))
        return false;
    if (digits.len && digits.ptr[0] == 0) {
        if (digits.len < 2 || !(digits.ptr[1] & 0x80))
            return false;
        digits = bytes_of(digits.ptr + 1, digits.len - 1);
    }
    *b = rest;
    *ret = digits;
    return true;
}

void sign_sshwire_put_u32(struct buf *out, uint32_t v)
{
    for (unsigned shift = 32; shift > 0; shift -= 8)
        buf_append_u8(out, (uint8_t)(v >> (shift - 8)));
}

void sign_sshwire_put_string(struct buf *out, struct bytes s)
{
    if (s.len > UINT32_MAX) {
        out->failed = ERR_LIMIT;
        return;
    }
    sign_sshwire_put_u32(out, (uint32_t)s.len);
    buf_append_bytes(out, s);
}

void sign_sshwire_put_mpint(struct buf *out, struct bytes digits)
{
    while (digits.len && digits.ptr[0] == 0)
        digits = bytes_of(digits.ptr + 1, digits.len - 1);
    bool zero = digits.len && (digits.ptr[0] & 0x80);
    sign_sshwire_put_u32(out, (uint32_t)(digits.len + zero));
    if (zero)
        buf_append_u8(out, 0);
    buf_append_bytes(out, digits);
}
