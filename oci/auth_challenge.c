/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate: 1#challenge, challenge = scheme [ 1*SP ( token68 / #auth-param ) ]. RFC
 * 9110 11.2, 11.3, 11.6.1. */
#include "oci/auth.h"

#include "base/limits.h"

#include <strings.h>

void oci_challenge_done(struct oci_challenge *c)
{
    free(c->realm);
    free(c->service);
    free(c->scope);
    free(c->error);
    *c = (struct oci_challenge){.scheme = OCI_AUTH_NONE};
}

static bool is_tchar(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token68(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~+/", c));
}

/* Cuts the run of bytes that `test` accepts off the front. */
static struct bytes take_run(struct bytes *b, bool (*test)(uint8_t))
{
    struct bytes run = BYTES_NONE;
    size_t n = 0;
    while (n < b->len && test(b->ptr[n]))
        n++;
    (void)bytes_take(b, n, &run);
    return run;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static bool is_blank_or_comma(uint8_t c)
{
    return is_blank(c) || c == ',';
}

static bool is_equals(uint8_t c)
{
    return c == '=';
}

static bool take_char(struct bytes *b, uint8_t c)
{
    struct bytes taken;
    return b->len && b->ptr[0] == c && bytes_take(b, 1, &taken);
}

/* quoted-string, RFC 9110 5.6.4; control characters are refused. */
static bool take_quoted(struct bytes *b, struct buf *out)
{
    uint8_t c;
    if (!take_char(b, '"'))
        return false;
    while (bytes_take_u8(b, &c)) {
        if (c == '"')
            return true;
        if (c == '\\' && !bytes_take_u8(b, &c))
            return false;
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
        buf_append_u8(out, c);
    }
    return false;
}

static char **param_place(struct oci_challenge *c, struct bytes name)
{
    const struct {
        const char *name;
        char **place;
    } known[] = {{"realm", &c->realm}, {"service", &c->service}, {"scope", &c->scope}, {"error", &c->error}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (name.len == strlen(known[i].name) &&
            strncasecmp((const char *)name.ptr, known[i].name, name.len) == 0)
            return known[i].place;
    }
    return NULL;
}

/* The value of parameter `name`, behind its "=". */
static int param_take(struct bytes *b, struct bytes name, struct oci_challenge *c, struct err *e)
{
    AUTO_DONE(buf) value = BUF_INIT(LIMIT_HTTP_HEADERS);
    (void)take_run(b, is_blank);
    if (b->len && b->ptr[0] == '"') {
        if (!take_quoted(b, &value))
            return err_set(e, ERR_FORMAT, "challenge: a quoted value that does not end");
    } else {
        struct bytes token = take_run(b, is_tchar);
        if (token.len == 0)
            return err_set(e, ERR_FORMAT, "challenge: a parameter without a value");
        buf_append_bytes(&value, token);
    }
    (void)take_run(b, is_blank);
    if (b->len && b->ptr[0] != ',')
        return err_set(e, ERR_FORMAT, "challenge: no comma behind a parameter");
    char **place = param_place(c, name);
    if (!place)
        return 0;
    if (*place)
        return err_set(e, ERR_FORMAT, "challenge: a parameter that comes twice");
    *place = buf_take_str(&value);
    return *place ? 0 : err_nomem(e);
}

/* Looks for "name =" of a parameter; *b is untouched when a scheme stands there. */
static bool param_starts(struct bytes *b, struct bytes *ret_name)
{
    struct bytes look = *b;
    struct bytes name = take_run(&look, is_tchar);
    (void)take_run(&look, is_blank);
    if (name.len == 0 || !take_char(&look, '='))
        return false;
    *b = look;
    *ret_name = name;
    return true;
}

/* A token68 behind a scheme (as "Negotiate abc=="), up to the comma or the end. */
static bool token68_skip(struct bytes *b)
{
    struct bytes look = *b;
    struct bytes run = take_run(&look, is_token68);
    (void)take_run(&look, is_equals);
    (void)take_run(&look, is_blank);
    if (run.len == 0 || (look.len && look.ptr[0] != ','))
        return false;
    *b = look;
    return true;
}

static enum oci_auth_scheme scheme_of(struct bytes name)
{
    if (name.len == 6 && strncasecmp((const char *)name.ptr, "bearer", 6) == 0)
        return OCI_AUTH_BEARER;
    if (name.len == 5 && strncasecmp((const char *)name.ptr, "basic", 5) == 0)
        return OCI_AUTH_BASIC;
    return OCI_AUTH_NONE;
}

/* One challenge: its scheme and all parameters up to the next scheme. */
static int challenge_take(struct bytes *b, struct oci_challenge *ret, struct err *e)
{
    struct bytes name = take_run(b, is_tchar);
    if (name.len == 0 || (b->len && !is_blank_or_comma(b->ptr[0])))
        return err_set(e, ERR_FORMAT, "challenge: no scheme where one should be");
    ret->scheme = scheme_of(name);
    (void)take_run(b, is_blank);
    bool params = !token68_skip(b);
    for (;;) {
        (void)take_run(b, is_blank_or_comma);
        if (!params || !param_starts(b, &name))
            return 0;
        int r = param_take(b, name, ret, e);
        if (r)
            return r;
    }
}

static bool usable(const struct oci_challenge *c)
{
    return c->scheme == OCI_AUTH_BASIC || (c->scheme == OCI_AUTH_BEARER && c->realm);
}

int oci_challenge_add(struct bytes value, struct oci_challenge *c, struct err *e)
{
    struct oci_challenge best = {.scheme = OCI_AUTH_NONE};
    (void)take_run(&value, is_blank_or_comma);
    while (value.len) {
        struct oci_challenge one = {.scheme = OCI_AUTH_NONE};
        int r = challenge_take(&value, &one, e);
        if (r) {
            oci_challenge_done(&one);
            oci_challenge_done(&best);
            return r;
        }
        bool better = usable(&one) && one.scheme > best.scheme;
        oci_challenge_done(better ? &best : &one);
        if (better)
            best = one;
    }
    bool better = best.scheme > c->scheme;
    oci_challenge_done(better ? c : &best);
    if (better)
        *c = best;
    return 0;
}
