/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/wave_reader.h"

#include "base/limits.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

int wave_reader_init(struct wave_reader *r, struct bytes text, struct err *e)
{
    struct bytes rest = text;
    uint32_t code;
    *r = (struct wave_reader){.all = text, .rest = text, .e = e};
    if (text.len > LIMIT_WAVE_TEXT)
        return err_set(e, ERR_LIMIT, "a text of more than %u bytes", LIMIT_WAVE_TEXT);
    while (bytes_take_utf8(&rest, &code))
        ;
    return rest.len ? wave_reader_fail(r, rest.ptr, "this is not UTF-8") : 0;
}

int wave_reader_fail(const struct wave_reader *r, const uint8_t *at, const char *fmt, ...)
{
    char message[256];
    size_t line = 1, column = 1;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    for (const uint8_t *p = r->all.ptr; p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if ((*p & 0xc0) != 0x80) {
            column++;
        }
    }
    if (line == 1)
        return err_set(r->e, ERR_USAGE, "column %zu: %s", column, message);
    return err_set(r->e, ERR_USAGE, "line %zu, column %zu: %s", line, column, message);
}

int wave_reader_expected(struct wave_reader *r, const char *what)
{
    char shown[64];
    uint32_t code;
    (void)wave_reader_peek(r);
    struct bytes after = r->rest, here = r->rest;
    if (!bytes_take_utf8(&after, &code))
        return wave_reader_fail(r, r->rest.ptr, "%s is expected, not the end", what);
    struct wave_reader ahead = *r;
    struct bytes word = wave_reader_number(&ahead);
    here = word.len ? word : bytes_of(here.ptr, here.len - after.len);
    return wave_reader_fail(r, r->rest.ptr, "%s is expected, not %s", what,
                            text_escape(here, shown, sizeof(shown)));
}

static void step(struct wave_reader *r, size_t n)
{
    r->rest = bytes_of(r->rest.ptr + n, r->rest.len - n);
}

uint8_t wave_reader_peek(struct wave_reader *r)
{
    while (r->rest.len) {
        uint8_t c = r->rest.ptr[0];
        if (c == '/' && r->rest.len > 1 && r->rest.ptr[1] == '/') {
            const uint8_t *end = memchr(r->rest.ptr, '\n', r->rest.len);
            step(r, end ? (size_t)(end - r->rest.ptr) : r->rest.len);
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            step(r, 1);
        } else {
            return c;
        }
    }
    return 0;
}

bool wave_reader_accept(struct wave_reader *r, uint8_t c)
{
    if (wave_reader_peek(r) != c || r->rest.len == 0)
        return false;
    step(r, 1);
    return true;
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static struct bytes take(struct wave_reader *r, size_t n)
{
    struct bytes word = bytes_of(r->rest.ptr, n);
    step(r, n);
    return word;
}

struct bytes wave_reader_word(struct wave_reader *r)
{
    size_t n = wave_reader_peek(r) == '%';
    if (n >= r->rest.len || !is_letter(r->rest.ptr[n]))
        return BYTES_NONE;
    while (n < r->rest.len &&
           (is_letter(r->rest.ptr[n]) || is_digit(r->rest.ptr[n]) || r->rest.ptr[n] == '-'))
        n++;
    return take(r, n);
}

/* All that could be meant as part of one, so that the whole of a wrong one is shown. */
struct bytes wave_reader_number(struct wave_reader *r)
{
    size_t n = 0;
    (void)wave_reader_peek(r);
    while (n < r->rest.len &&
           (is_letter(r->rest.ptr[n]) || is_digit(r->rest.ptr[n]) || memchr("+-._%", r->rest.ptr[n], 5)))
        n++;
    return take(r, n);
}

bool wave_is_word(struct bytes word)
{
    static const char *const words[] = {"true", "false", "some", "none", "ok", "err", "inf", "nan"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (bytes_eq_str(word, words[i]))
            return true;
    return false;
}

size_t wave_utf8_encode(uint32_t code, uint8_t out[4])
{
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; code >>= 6)
        out[i] = (uint8_t)(0x80 | (code & 0x3f));
    out[0] = (uint8_t)(first[n] | code);
    return n;
}

static bool hex_value(uint8_t c, uint32_t *ret)
{
    if (is_digit(c))
        *ret = c - (uint32_t)'0';
    else if (is_letter(c) && (c | 0x20) <= 'f')
        *ret = (c | 0x20U) - (uint32_t)'a' + 10;
    else
        return false;
    return true;
}

/* What stands behind "\u": one to six digits in braces, of a scalar value. */
static bool take_unicode(struct bytes *text, uint32_t *ret)
{
    uint8_t c = 0;
    uint32_t code = 0, digit;
    unsigned n = 0;
    if (!bytes_take_u8(text, &c) || c != '{')
        return false;
    while (bytes_take_u8(text, &c) && hex_value(c, &digit) && n++ < 6)
        code = code << 4 | digit;
    if (c != '}' || n == 0 || n > 6 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return false;
    *ret = code;
    return true;
}

/* One character of a literal, with escapes; the text is not empty and well-formed. */
static int take_char(const struct wave_reader *r, struct bytes *text, uint32_t *ret)
{
    static const char names[] = "'\"\\tnr", values[] = "'\"\\\t\n\r";
    const uint8_t *at = text->ptr;
    uint8_t c = 0;
    (void)bytes_take_utf8(text, ret);
    if (*ret != '\\')
        return 0;
    const char *known = bytes_take_u8(text, &c) && c ? strchr(names, c) : NULL;
    if (known)
        *ret = (uint8_t)values[known - names];
    else if (c != 'u' || !take_unicode(text, ret))
        return wave_reader_fail(r, at, "no such escape: \\t \\n \\r \\' \\\" \\\\ and \\u{HEX} are known");
    return 0;
}

static void append_char(struct buf *out, uint32_t code)
{
    uint8_t utf8[4];
    buf_append(out, utf8, wave_utf8_encode(code, utf8));
}

int wave_reader_char(struct wave_reader *r, uint32_t *ret)
{
    if (!wave_reader_accept(r, '\''))
        return wave_reader_expected(r, "a character in single quotes");
    const uint8_t *start = r->rest.ptr - 1;
    if (r->rest.len == 0 || r->rest.ptr[0] == '\'' || r->rest.ptr[0] == '\n')
        return wave_reader_fail(r, start, "a character is expected between the quotes");
    int got = take_char(r, &r->rest, ret);
    if (got != 0)
        return got;
    if (r->rest.len == 0 || r->rest.ptr[0] != '\'')
        return wave_reader_fail(r, start, "one character and a closing quote are expected");
    step(r, 1);
    return 0;
}

/* The lines between the quotes, from the first character of the first one.  end: in front of the closing
 * ones. */
static int take_lines(struct wave_reader *r, struct bytes text, struct buf *ret)
{
    size_t indent = 0;
    while (indent < text.len && text.ptr[text.len - 1 - indent] == ' ')
        indent++;
    if (indent < text.len && text.ptr[text.len - 1 - indent] != '\n')
        return wave_reader_fail(r, text.ptr + text.len, "only spaces may stand before the closing quotes");
    if (indent == text.len)
        return 0; /* no line at all */
    text.len -= indent + 1;
    for (bool first = true;; first = false) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        struct bytes line = bytes_of(text.ptr, end ? (size_t)(end - text.ptr) : text.len);
        for (size_t i = 0; i < indent; i++)
            if (i >= line.len || line.ptr[i] != ' ')
                return wave_reader_fail(r, line.ptr, "the line is indented less than the closing quotes");
        text = end ? bytes_of(end + 1, text.len - line.len - 1) : BYTES_NONE;
        line = bytes_of(line.ptr + indent, line.len - indent);
        if (line.len && line.ptr[line.len - 1] == '\r')
            line.len--;
        if (!first)
            buf_append_u8(ret, '\n');
        while (line.len) {
            uint32_t code;
            int got = take_char(r, &line, &code);
            if (got != 0)
                return got;
            append_char(ret, code);
        }
        if (!end)
            return 0;
    }
}

static int take_multiline(struct wave_reader *r, struct buf *ret)
{
    const uint8_t *start = r->rest.ptr;
    step(r, 3);
    const uint8_t *end = memmem(r->rest.ptr, r->rest.len, "\"\"\"", 3);
    if (!end)
        return wave_reader_fail(r, start, "the string has no closing \"\"\"");
    if (r->rest.ptr[0] == '\r')
        step(r, 1);
    if (r->rest.ptr[0] != '\n')
        return wave_reader_fail(r, start, "a new line is expected behind the opening \"\"\"");
    struct bytes text = bytes_of(r->rest.ptr + 1, (size_t)(end - r->rest.ptr) - 1);
    step(r, (size_t)(end - r->rest.ptr) + 3);
    return take_lines(r, text, ret);
}

int wave_reader_string(struct wave_reader *r, struct buf *ret)
{
    if (wave_reader_peek(r) != '"')
        return wave_reader_expected(r, "a string in double quotes");
    if (bytes_starts(r->rest, BYTES_LIT("\"\"\"")))
        return take_multiline(r, ret);
    const uint8_t *start = r->rest.ptr;
    step(r, 1);
    while (r->rest.len && r->rest.ptr[0] != '"' && r->rest.ptr[0] != '\n') {
        uint32_t code;
        int got = take_char(r, &r->rest, &code);
        if (got != 0)
            return got;
        append_char(ret, code);
    }
    if (r->rest.len == 0 || r->rest.ptr[0] != '"')
        return wave_reader_fail(r, start, "the string has no closing quote on its line");
    step(r, 1);
    return 0;
}
