/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/pem.h"

#include "base/hex.h"
#include "base/limits.h"

#define BEGIN BYTES_LIT("-----BEGIN ")
#define END   BYTES_LIT("-----END ")
#define DASH  BYTES_LIT("-----")

#define LINE  64U /* RFC 7468 section 2 */

/* A line up to LF or CRLF or the end of the text. */
static bool take_line(struct bytes *text, struct bytes *ret)
{
    if (text->len == 0)
        return false;
    const uint8_t *lf = memchr(text->ptr, '\n', text->len);
    size_t len = lf ? (size_t)(lf - text->ptr) : text->len;
    struct bytes line, ignored;
    (void)bytes_take(text, len, &line);
    (void)bytes_take(text, lf ? 1 : 0, &ignored);
    if (lf && line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    *ret = line;
    return true;
}

static bool boundary(struct bytes line, struct bytes start, struct bytes *ret_label)
{
    struct bytes rest = line, head;
    if (!bytes_starts(line, start) || !bytes_take(&rest, start.len, &head) || rest.len < DASH.len)
        return false;
    if (!bytes_eq(bytes_of(rest.ptr + rest.len - DASH.len, DASH.len), DASH))
        return false;
    *ret_label = bytes_of(rest.ptr, rest.len - DASH.len);
    return true;
}

bool sign_pem_label(struct bytes text, struct bytes *ret_label)
{
    struct bytes line;
    text = bytes_trim(text, " \t\r\n");
    return take_line(&text, &line) && boundary(line, BEGIN, ret_label);
}

bool sign_pem_find(struct bytes text, struct bytes *ret_label, struct bytes *ret_block)
{
    struct bytes line, block;
    text = bytes_trim(text, " \t\r\n");
    do {
        block = text;
        if (!take_line(&text, &line))
            return false;
    } while (!boundary(line, BEGIN, ret_label));
    *ret_block = block;
    return true;
}

int sign_pem_take(struct bytes *text, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) digits = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    struct bytes rest = *text, line, label, end;
    if (!take_line(&rest, &line) || !boundary(line, BEGIN, &label))
        return err_set(e, ERR_FORMAT, "no PEM block");
    for (;;) {
        if (!take_line(&rest, &line))
            return err_set(e, ERR_FORMAT, "the PEM block has no end");
        if (bytes_starts(line, DASH))
            break;
        buf_append_bytes(&digits, line);
    }
    if (!boundary(line, END, &end) || !bytes_eq(label, end))
        return err_set(e, ERR_FORMAT, "the PEM block does not end as it begins");
    int r = buf_check(&digits, e);
    if (!r)
        r = b64_decode(B64_STD, buf_bytes(&digits), out, e);
    if (!r)
        *text = rest;
    return r;
}

int sign_pem_decode(struct bytes text, struct buf *out, struct err *e)
{
    text = bytes_trim(text, " \t\r\n");
    int r = sign_pem_take(&text, out, e);
    if (!r && text.len)
        r = err_set(e, ERR_FORMAT, "something stands behind the PEM block");
    return r;
}

bool sign_pem_has(struct bytes text, const char *label)
{
    struct bytes got, block;
    return sign_pem_find(text, &got, &block) && bytes_eq_str(got, label);
}

int sign_pem_decode_first(struct bytes text, struct buf *out, struct err *e)
{
    struct bytes label, block;
    return sign_pem_decode(sign_pem_find(text, &label, &block) ? block : text, out, e);
}

int sign_pem_encode(const char *label, struct bytes data, struct buf *out, struct err *e)
{
    return sign_pem_encode_wide(label, LINE, data, out, e);
}

int sign_pem_encode_wide(const char *label, size_t width, struct bytes data, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) digits = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    b64_encode(B64_STD, data, &digits);
    int r = buf_check(&digits, e);
    if (r)
        return r;
    buf_printf(out, "-----BEGIN %s-----\n", label);
    struct bytes rest = buf_bytes(&digits), line;
    while (rest.len) {
        (void)bytes_take(&rest, rest.len < width ? rest.len : width, &line);
        buf_append_bytes(out, line);
        buf_append_u8(out, '\n');
    }
    buf_printf(out, "-----END %s-----\n", label);
    return buf_check(out, e);
}
