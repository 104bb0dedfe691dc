/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

static bool take_leb(struct bytes *b, unsigned bits, uint64_t *ret)
{
    struct bytes rest = *b;
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte;
        if (!bytes_take_u8(&rest, &byte))
            return false;
        unsigned room = bits - shift;
        if (room < 7 && (byte >> room) != 0)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    *b = rest;
    *ret = value;
    return true;
}

bool bytes_take_leb32(struct bytes *b, uint32_t *ret)
{
    uint64_t value;
    if (!take_leb(b, 32, &value))
        return false;
    *ret = (uint32_t)value;
    return true;
}

bool bytes_take_leb64(struct bytes *b, uint64_t *ret)
{
    return take_leb(b, 64, ret);
}

bool bytes_take_sleb(struct bytes *b, unsigned bits, int64_t *ret)
{
    struct bytes rest = *b;
    uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        uint8_t byte;
        if (!bytes_take_u8(&rest, &byte))
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) != 0)
            continue;
        unsigned room = bits - shift;
        if (room < 7) { /* the bits above the sign bit must repeat it */
            uint8_t sign = (uint8_t)((byte & 0x7f) >> (room - 1));
            if (sign != 0 && sign != (0x7f >> (room - 1)))
                return false;
        }
        if ((byte & 0x40) != 0 && shift + 7 < 64)
            value |= ~UINT64_C(0) << (shift + 7);
        *b = rest;
        memcpy(ret, &value, sizeof(*ret));
        return true;
    }
    return false;
}

/* How many continuation bytes follow `lead`, and the smallest code point such a form may have; 4 means
 * malformed. */
static unsigned utf8_tail(uint8_t lead, uint32_t *ret_min, uint32_t *ret_bits)
{
    if (lead < 0x80) {
        *ret_bits = lead;
        *ret_min = 0;
        return 0;
    }
    if ((lead & 0xe0) == 0xc0) {
        *ret_bits = lead & 0x1fU;
        *ret_min = 0x80;
        return 1;
    }
    if ((lead & 0xf0) == 0xe0) {
        *ret_bits = lead & 0x0fU;
        *ret_min = 0x800;
        return 2;
    }
    if ((lead & 0xf8) == 0xf0) {
        *ret_bits = lead & 0x07U;
        *ret_min = 0x10000;
        return 3;
    }
    return 4;
}

bool bytes_take_utf8(struct bytes *b, uint32_t *ret)
{
    struct bytes rest = *b;
    uint8_t byte;
    uint32_t code, min;
    if (!bytes_take_u8(&rest, &byte))
        return false;
    unsigned tail = utf8_tail(byte, &min, &code);
    if (tail == 4)
        return false;
    for (unsigned i = 0; i < tail; i++) {
        if (!bytes_take_u8(&rest, &byte) || (byte & 0xc0) != 0x80)
            return false;
        code = code << 6 | (byte & 0x3fU);
    }
    if (code < min || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return false;
    *b = rest;
    *ret = code;
    return true;
}

bool bytes_is_utf8(struct bytes b)
{
    uint32_t code;
    while (b.len)
        if (!bytes_take_utf8(&b, &code))
            return false;
    return true;
}

bool bytes_eq_ct(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    unsigned diff = 0;
    for (size_t i = 0; i < a.len; i++)
        diff |= (unsigned)(a.ptr[i] ^ b.ptr[i]);
    return diff == 0;
}

size_t leb32_write(uint8_t out[5], uint32_t v)
{
    size_t n = 0;
    do {
        uint8_t byte = v & 0x7f;
        v >>= 7;
        out[n++] = (uint8_t)(byte | (v ? 0x80 : 0));
    } while (v);
    return n;
}

struct bytes bytes_trim(struct bytes b, const char *blanks)
{
    size_t n = strlen(blanks);
    while (b.len && memchr(blanks, b.ptr[0], n))
        b = bytes_of(b.ptr + 1, b.len - 1);
    while (b.len && memchr(blanks, b.ptr[b.len - 1], n))
        b.len--;
    return b;
}
