/* SPDX-License-Identifier: Apache-2.0 */
/* Names of X.509 as policies state them, and whether a certificate has one: see cert.h. */
#include "base/hex.h"
#include "base/text.h"
#include "sign/cert.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#define PREFIX   BYTES_LIT("x509.subject:")
#define ATTR_MAX 1024U /* X.520's own bounds are 2 to 64, but for the ones without any */
#define SPECIAL  "\"+,;<>#= \\"

static const struct {
    const char *name, *oid;
} types[] = {
    {"CN", "2.5.4.3"},
    {"SERIALNUMBER", "2.5.4.5"},
    {"C", "2.5.4.6"},
    {"L", "2.5.4.7"},
    {"ST", "2.5.4.8"},
    {"S", "2.5.4.8"}, /* as Windows writes it */
    {"STREET", "2.5.4.9"},
    {"O", "2.5.4.10"},
    {"OU", "2.5.4.11"},
    {"POSTALCODE", "2.5.4.17"},
    {"DC", "0.9.2342.19200300.100.1.25"},
    {"UID", "0.9.2342.19200300.100.1.1"},
    {"EMAIL", "1.2.840.113549.1.9.1"},
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static int malformed(const char *text, struct err *e)
{
    char shown[200];
    return err_set(e, ERR_CONFIG, "\"%s\" is no subject: attributes such as \"C=US, O=Example\", or \"*\"",
                   text_escape_str(text, shown, sizeof(shown)));
}

/* The OID of a type, which may be one itself; NULL: unknown. */
static const char *oid_of(struct bytes type, char room[64])
{
    (void)snprintf(room, 64, "%.*s", BYTES_FMT(type));
    if (type.len >= 64)
        return NULL;
    if (type.len && strspn(room, "0123456789.") == type.len)
        return room;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcasecmp(types[i].name, room) == 0)
            return types[i].oid;
    return NULL;
}

/* RFC 4514 section 2.4: a backslash and a special character, or two hexadecimal digits. */
static bool take_escaped(struct bytes *b, struct buf *out)
{
    struct bytes two;
    uint8_t c = 0;
    char pair[2];
    if (b->len && strchr(SPECIAL, (char)b->ptr[0])) {
        (void)bytes_take_u8(b, &c);
        buf_append_u8(out, c);
        return c != 0;
    }
    if (!bytes_take(b, 2, &two))
        return false;
    for (size_t i = 0; i < 2; i++)
        pair[i] = (char)tolower(two.ptr[i]);
    if (!hex_decode_lower(bytes_of(pair, 2), &c) || c == 0)
        return false;
    buf_append_u8(out, c);
    return true;
}

/* The value up to the next comma, which goes with it. */
static bool take_value(struct bytes *b, struct buf *out, bool *ret_more)
{
    size_t solid = 0; /* up to the last character that is no blank, or escaped */
    *ret_more = false;
    while (b->len && is_blank(b->ptr[0]))
        *b = bytes_of(b->ptr + 1, b->len - 1);
    while (b->len) {
        uint8_t c = 0;
        (void)bytes_take_u8(b, &c);
        if (c == ',') {
            *ret_more = true;
            break;
        }
        if (c == '+' || c == ';' || c == '"' || c == '<' || c == '>')
            return false;
        if (c == '\\' ? !take_escaped(b, out) : (buf_append_u8(out, c), false))
            return false;
        if (c == '\\' || !is_blank(c))
            solid = out->len;
    }
    if (out->failed || solid == 0)
        return false;
    out->len = solid;
    return true;
}

static bool has_attr(const struct sign_cert *c, const char *oid, struct bytes value)
{
    for (size_t i = 0; i < c->n_attrs; i++)
        if (c->attrs[i].value && strcmp(c->attrs[i].oid, oid) == 0 && bytes_eq_str(value, c->attrs[i].value))
            return true;
    return false;
}

/* c: NULL: only look whether the text is right. */
static int walk(const struct sign_cert *c, const char *text, bool *ret, struct err *e)
{
    struct bytes rest = bytes_str(text), ignored;
    bool all = true;
    if (bytes_starts(rest, PREFIX))
        (void)bytes_take(&rest, PREFIX.len, &ignored);
    rest = bytes_trim(rest, " \t");
    if (bytes_eq_str(rest, "*")) {
        *ret = true;
        return 0;
    }
    for (bool more = true; more;) {
        AUTO_DONE(buf) value = BUF_INIT(ATTR_MAX);
        struct bytes type;
        char room[64];
        const uint8_t *eq = rest.len ? memchr(rest.ptr, '=', rest.len) : NULL;
        if (!eq)
            return malformed(text, e);
        (void)bytes_take(&rest, (size_t)(eq - rest.ptr), &type);
        (void)bytes_take(&rest, 1, &ignored);
        const char *oid = oid_of(bytes_trim(type, " \t"), room);
        if (!oid || !take_value(&rest, &value, &more))
            return malformed(text, e);
        all = all && c && has_attr(c, oid, buf_bytes(&value));
    }
    *ret = all;
    return 0;
}

int sign_subject_check(const char *text, struct err *e)
{
    bool ignored;
    return walk(NULL, text, &ignored, e);
}

int sign_subject_matches(const struct sign_cert *c, const char *text, bool *ret, struct err *e)
{
    return walk(c, text, ret, e);
}
