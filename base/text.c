/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdio.h>

bool text_is_harmless(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        return false;
    bool hidden = code == 0x061c || (code >= 0x200b && code <= 0x200f) ||
                  (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
    return !hidden && !(code >= 0xe0000 && code <= 0xe007f);
}

char *text_escape(struct bytes text, char *out, size_t size)
{
    static const char dots[] = "...";
    size_t at = 0;
    while (text.len) {
        char piece[16];
        struct bytes rest = text;
        uint32_t code = 0;
        bool well_formed = bytes_take_utf8(&rest, &code);
        size_t n = well_formed ? text.len - rest.len : 1;
        if (!well_formed) {
            (void)snprintf(piece, sizeof(piece), "\\x%02x", (unsigned)text.ptr[0]);
        } else if (text_is_harmless(code)) {
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
