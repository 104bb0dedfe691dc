/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdio.h>

/* The length of the well-formed UTF-8 sequence at the front of text, and its code point; 0 when there is
 * none. */
static size_t sequence(struct bytes text, uint32_t *ret_code)
{
    uint8_t lead = text.ptr[0];
    size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (n > text.len || !bytes_is_utf8(bytes_of(text.ptr, n)))
        return 0;
    uint32_t code = n == 1 ? lead : lead & (0x7fU >> n);
    for (size_t i = 1; i < n; i++)
        code = code << 6 | (text.ptr[i] & 0x3fU);
    *ret_code = code;
    return n;
}

static bool harmless(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        return false;
    bool bidi = code == 0x061c || (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
                (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
    return !bidi && !(code >= 0xe0000 && code <= 0xe007f);
}

char *text_escape(struct bytes text, char *out, size_t size)
{
    static const char dots[] = "...";
    size_t at = 0;
    while (text.len) {
        char piece[16];
        uint32_t code = 0;
        size_t n = sequence(text, &code);
        if (n == 0) {
            n = 1;
            (void)snprintf(piece, sizeof(piece), "\\x%02x", (unsigned)text.ptr[0]);
        } else if (harmless(code)) {
            (void)snprintf(piece, sizeof(piece), "%.*s", (int)n, (const char *)text.ptr);
        } else {
            (void)snprintf(piece, sizeof(piece), code < 0x80 ? "\\x%02x" : "\\u{%04x}", (unsigned)code);
        }
        size_t len = strlen(piece);
        bool last = text.len == n;
        if (at + len + (last ? 1 : sizeof(dots)) > size) {
            if (size >= at + sizeof(dots)) {
                memcpy(out + at, dots, sizeof(dots) - 1);
                at += sizeof(dots) - 1;
            }
            break;
        }
        memcpy(out + at, piece, len);
        at += len;
        text = bytes_of(text.ptr + n, text.len - n);
    }
    if (size)
        out[at] = '\0';
    return out;
}

char *text_escape_str(const char *text, char *out, size_t size)
{
    return text_escape(bytes_str(text), out, size);
}
