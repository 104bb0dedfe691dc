/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

static const char b64_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char b64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *hex_encode(struct bytes data, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < data.len; i++) {
        out[2 * i] = digits[data.ptr[i] >> 4];
        out[2 * i + 1] = digits[data.ptr[i] & 15];
    }
    out[2 * data.len] = '\0';
    return out;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool hex_decode_lower(struct bytes text, uint8_t *out)
{
    if (text.len % 2)
        return false;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.ptr[i]), low = hex_digit(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char *alphabet(enum b64_kind kind)
{
    return kind == B64_STD ? b64_std : b64_url;
}

void b64_encode(enum b64_kind kind, struct bytes data, struct buf *out)
{
    const char *letters = alphabet(kind);
    for (size_t i = 0; i < data.len; i += 3) {
        size_t n = data.len - i < 3 ? data.len - i : 3;
        uint32_t v = (uint32_t)data.ptr[i] << 16;
        if (n > 1)
            v |= (uint32_t)data.ptr[i + 1] << 8;
        if (n > 2)
            v |= data.ptr[i + 2];
        for (size_t k = 0; k <= n; k++)
            buf_append_u8(out, (uint8_t)letters[v >> (18 - 6 * k) & 63]);
        for (size_t k = n; kind == B64_STD && k < 3; k++)
            buf_append_u8(out, '=');
    }
}

/* Digits alone: what padding there was is gone. */
static int decode_digits(const char *letters, struct bytes text, struct buf *out, struct err *e)
{
    if (text.len % 4 == 1)
        return err_set(e, ERR_FORMAT, "base64: one digit left over");
    for (size_t i = 0; i < text.len; i += 4) {
        size_t n = text.len - i < 4 ? text.len - i : 4;
        uint32_t v = 0;
        for (size_t k = 0; k < n; k++) {
            const char *at = text.ptr[i + k] ? strchr(letters, text.ptr[i + k]) : NULL;
            if (!at)
                return err_set(e, ERR_FORMAT, "base64: a character outside the alphabet");
            v |= (uint32_t)(at - letters) << (18 - 6 * k);
        }
        if ((n == 2 && (v & 0xffff)) || (n == 3 && (v & 0xff)))
            return err_set(e, ERR_FORMAT, "base64: unused bits are not zero");
        for (size_t k = 0; k + 1 < n; k++)
            buf_append_u8(out, (uint8_t)(v >> (16 - 8 * k)));
    }
    return buf_check(out, e);
}

/* The digits of a text whose length with padding is right. */
static bool cut_padding(struct bytes *text)
{
    if (text->len % 4)
        return false;
    for (int pad = 0; pad < 2 && text->len && text->ptr[text->len - 1] == '='; pad++)
        text->len--;
    return true;
}

int b64_decode(enum b64_kind kind, struct bytes text, struct buf *out, struct err *e)
{
    if (kind == B64_STD && !cut_padding(&text))
        return err_set(e, ERR_FORMAT, "base64: the length is no multiple of 4");
    return decode_digits(alphabet(kind), text, out, e);
}

int b64_decode_any(struct bytes text, struct buf *out, struct err *e)
{
    bool url = text.len && (memchr(text.ptr, '-', text.len) || memchr(text.ptr, '_', text.len));
    (void)cut_padding(&text);
    return decode_digits(url ? b64_url : b64_std, text, out, e);
}
