/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/signers.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "sign/pattern.h"
#include "sign/sshkey.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

struct signer {
    unsigned line;
    char *principals; /* patterns */
    char *namespaces; /* patterns; NULL: any */
    bool has_after, has_before;
    int64_t after, before; /* seconds since 1970 */
    struct buf key;
    char *unusable; /* why its signatures never count; NULL: they may */
};

struct sign_signers {
    char *name;
    struct signer *all;
    size_t n;
};

struct reader {
    struct sign_signers *to;
    unsigned line;
    struct err *e;
};

static void signer_done(struct signer *s)
{
    free(s->principals);
    free(s->namespaces);
    free(s->unusable);
    buf_done(&s->key);
}

void sign_signers_free(struct sign_signers *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        signer_done(&s->all[i]);
    free(s->all);
    free(s->name);
    free(s);
}

static int PRINTF_LIKE(2, 3) wrong(struct reader *rd, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(rd->e, ERR_CONFIG, "%s:%u: %s", rd->to->name, rd->line, text);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct bytes *text)
{
    while (text->len && is_blank(text->ptr[0]))
        *text = bytes_of(text->ptr + 1, text->len - 1);
}

/* Up to the next blank that stands in no quotes; a quote after a backslash is none. */
static bool take_word(struct bytes *text, struct bytes *ret)
{
    bool quoted = false;
    size_t n = 0;
    for (; n < text->len && (quoted || !is_blank(text->ptr[n])); n++)
        if (text->ptr[n] == '"' && (n == 0 || text->ptr[n - 1] != '\\'))
            quoted = !quoted;
    if (n == 0 || quoted)
        return false;
    (void)bytes_take(text, n, ret);
    skip_blanks(text);
    return true;
}

static int keep(struct bytes text, char **ret, struct err *e)
{
    *ret = strndup((const char *)text.ptr, text.len);
    return *ret ? 0 : err_nomem(e);
}

/* "YYYYMMDD", "YYYYMMDDHHMM" or "YYYYMMDDHHMMSS", with "Z" or "UTC" behind it or not. */
static bool read_time(struct bytes text, int64_t *ret)
{
    char full[] = "00000000000000Z";
    size_t digits = 0;
    if (!text.len)
        return false;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    struct bytes zone = bytes_of(text.ptr + digits, text.len - digits);
    bool utc = bytes_eq_str(zone, "Z") || bytes_eq_str(zone, "z") || bytes_eq_str(zone, "UTC");
    if ((digits != 8 && digits != 12 && digits != 14) || (zone.len && !utc))
        return false;
    memcpy(full, text.ptr, digits);
    return time_parse_generalized(bytes_str(full), ret);
}

/* Cuts `NAME` or `NAME="VALUE"` and the comma behind it off the options. */
static bool take_option(struct bytes *options, struct bytes *name, struct bytes *value)
{
    size_t n = 0;
    *name = BYTES_NONE;
    while (n < options->len && options->ptr[n] != ',' && options->ptr[n] != '=')
        n++;
    (void)bytes_take(options, n, name);
    *value = BYTES_NONE;
    if (options->len && options->ptr[0] == '=') {
        struct bytes rest = bytes_of(options->ptr + 1, options->len - 1), quote;
        const uint8_t *end =
            rest.len > 1 && rest.ptr[0] == '"' ? memchr(rest.ptr + 1, '"', rest.len - 1) : NULL;
        if (!end || end[-1] == '\\' || end == rest.ptr + 1)
            return false;
        (void)bytes_take(&rest, 1, &quote);
        (void)bytes_take(&rest, (size_t)(end - rest.ptr), value);
        (void)bytes_take(&rest, 1, &quote);
        *options = rest;
    }
    if (options->len == 0)
        return true;
    struct bytes comma;
    return options->ptr[0] == ',' && bytes_take(options, 1, &comma) && options->len > 0;
}

static bool is_name(struct bytes got, const char *want)
{
    return got.len == strlen(want) && strncasecmp((const char *)got.ptr, want, got.len) == 0;
}

static int read_bound(struct reader *rd, const char *name, struct bytes value, bool *has, int64_t *ret)
{
    if (*has)
        return wrong(rd, "%s stands there twice", name);
    if (!read_time(value, ret))
        return wrong(rd, "%s takes YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, and Z for UTC", name);
    *has = true;
    return 0;
}

static int read_option(struct reader *rd, struct bytes name, struct bytes value, struct signer *s)
{
    char text[64];
    if (is_name(name, "cert-authority") && !value.len) {
        free(s->unusable);
        s->unusable = strdup("it is named for certificates alone, which are not taken");
        return s->unusable ? 0 : err_nomem(rd->e);
    }
    if (is_name(name, "namespaces")) {
        if (s->namespaces || !value.len)
            return wrong(rd, "namespaces takes one list of patterns in quotes");
        return keep(value, &s->namespaces, rd->e);
    }
    if (is_name(name, "valid-after"))
        return read_bound(rd, "valid-after", value, &s->has_after, &s->after);
    if (is_name(name, "valid-before"))
        return read_bound(rd, "valid-before", value, &s->has_before, &s->before);
    return wrong(rd, "no such option: %s", text_escape(name, text, sizeof(text)));
}

static int read_options(struct reader *rd, struct bytes options, struct signer *s)
{
    struct bytes name, value;
    while (options.len) {
        if (!take_option(&options, &name, &value))
            return wrong(rd, "malformed options");
        int r = read_option(rd, name, value, s);
        if (r)
            return r;
    }
    if (s->has_after && s->has_before && s->before <= s->after)
        return wrong(rd, "valid-before is not behind valid-after");
    return 0;
}

static int read_key(struct reader *rd, struct bytes type, struct bytes base64, struct signer *s)
{
    AUTO_DONE(sign_sshkey) k = {.key = NULL};
    struct err why = ERR_INIT;
    s->key = (struct buf)BUF_INIT(LIMIT_KEY_FILE);
    int r = sign_sshkey_decode(type, base64, &s->key, &why);
    if (!r)
        r = sign_sshkey_parse(buf_bytes(&s->key), &k, &why);
    if (r == ERR_UNSUPPORTED && !s->unusable) {
        s->unusable = strdup(why.msg);
        return s->unusable ? 0 : err_nomem(rd->e);
    }
    if (r == ERR_NOMEM)
        return err_nomem(rd->e);
    return r && r != ERR_UNSUPPORTED ? wrong(rd, "%.200s", why.msg) : 0;
}

static int read_principals(struct reader *rd, struct bytes word, struct signer *s)
{
    if (word.ptr[0] == '"')
        word = bytes_of(word.ptr + 1, word.len - 2);
    if (!word.len || memchr(word.ptr, '"', word.len))
        return wrong(rd, "malformed principals");
    return keep(word, &s->principals, rd->e);
}

static int read_signer(struct reader *rd, struct bytes text, struct signer *s)
{
    struct bytes word, base64;
    if (!take_word(&text, &word))
        return wrong(rd, "malformed principals");
    int r = read_principals(rd, word, s);
    if (!r && !take_word(&text, &word))
        r = wrong(rd, "no key");
    if (!r && !sign_sshkey_is_type(word)) {
        r = read_options(rd, word, s);
        if (!r && !take_word(&text, &word))
            r = wrong(rd, "no key");
    }
    if (!r && !take_word(&text, &base64))
        r = wrong(rd, "no key");
    return r ? r : read_key(rd, word, base64, s);
}

static int add(struct reader *rd, struct bytes text)
{
    struct sign_signers *to = rd->to;
    if (to->n == LIMIT_SIGNER_LINES)
        return err_set(rd->e, ERR_LIMIT, "%s: more than %u signers", to->name, LIMIT_SIGNER_LINES);
    if (memchr(text.ptr, 0, text.len) || !bytes_is_utf8(text))
        return wrong(rd, "the line is no text");
    struct signer *more = reallocarray(to->all, to->n + 1, sizeof(*more));
    if (!more)
        return err_nomem(rd->e);
    to->all = more;
    to->all[to->n] = (struct signer){.line = rd->line};
    return read_signer(rd, text, &to->all[to->n++]);
}

static int read_lines(struct reader *rd, struct bytes text)
{
    while (text.len) {
        struct bytes line = BYTES_NONE, ignored;
        const uint8_t *lf = memchr(text.ptr, '\n', text.len);
        (void)bytes_take(&text, lf ? (size_t)(lf - text.ptr) : text.len, &line);
        (void)bytes_take(&text, lf ? 1 : 0, &ignored);
        rd->line++;
        if (line.len && line.ptr[line.len - 1] == '\r')
            line.len--;
        skip_blanks(&line);
        int r = line.len && line.ptr[0] != '#' ? add(rd, line) : 0;
        if (r)
            return r;
    }
    return 0;
}

int sign_signers_parse(struct bytes text, const char *name, struct sign_signers **ret, struct err *e)
{
    if (text.len > LIMIT_SIGNERS)
        return err_set(e, ERR_LIMIT, "%s: more than %u bytes", name, LIMIT_SIGNERS);
    AUTO(sign_signers) s = calloc(1, sizeof(*s));
    if (!s || !(s->name = strdup(name)))
        return err_nomem(e);
    struct reader rd = {s, 0, e};
    int r = read_lines(&rd, text);
    if (r)
        return r;
    if (s->n == 0)
        return err_set(e, ERR_CONFIG, "%s: it names no signer", name);
    *ret = TAKE(s);
    return 0;
}

/* Time in the product of the lengths at most: a star that was passed is only ever tried again at the last
 * one. */
static bool match_one(struct bytes pattern, struct bytes text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.len && (pattern.ptr[p] == '?' || pattern.ptr[p] == text.ptr[t])) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

static struct bytes take_element(struct bytes *list)
{
    struct bytes one = BYTES_NONE, comma;
    const uint8_t *end = memchr(list->ptr, ',', list->len);
    (void)bytes_take(list, end ? (size_t)(end - list->ptr) : list->len, &one);
    (void)bytes_take(list, end ? 1 : 0, &comma);
    return one;
}

bool sign_signers_match(struct bytes list, struct bytes text)
{
    bool found = false;
    while (list.len) {
        struct bytes one = take_element(&list);
        bool excludes = one.len && one.ptr[0] == '!';
        if (excludes)
            one = bytes_of(one.ptr + 1, one.len - 1);
        if (!one.len || !match_one(one, text))
            continue;
        if (excludes)
            return false;
        found = true;
    }
    return found;
}

static bool is_literal(struct bytes pattern)
{
    return pattern.len && pattern.ptr[0] != '!' && !memchr(pattern.ptr, '*', pattern.len) &&
           !memchr(pattern.ptr, '?', pattern.len);
}

/* The first principal of the list that an expression matches; those that are patterns themselves are nobody
 * in particular. */
static int match_expression(const struct sign_identity *id, struct bytes list, char **ret_who, struct err *e)
{
    while (list.len) {
        struct bytes one = take_element(&list);
        AUTO_FREE char *name = strndup((const char *)one.ptr, one.len);
        bool same = false;
        if (!name)
            return err_nomem(e);
        int r = is_literal(one) ? sign_identity_matches(id, NULL, name, &same, e) : 0;
        if (r)
            return r;
        if (same) {
            *ret_who = TAKE(name);
            return 0;
        }
    }
    return 0;
}

/* Which of those that are asked for it is, or whatever the line says where nobody is; NULL: none of them. */
static int find_asked_for(const struct signer *s, const struct sign_signers_query *q, char **ret_who,
                          struct err *e)
{
    const struct bytes list = bytes_str(s->principals);
    const char *who = q->n_identities ? NULL : s->principals;
    for (size_t i = 0; i < q->n_identities && !who; i++) {
        const struct sign_identity *id = &q->identities[i];
        if (id->issuer || !id->subject)
            continue;
        if (id->subject_is_pattern) {
            int r = match_expression(id, list, ret_who, e);
            if (r || *ret_who)
                return r;
        } else if (sign_signers_match(list, bytes_str(id->subject))) {
            who = id->subject;
        }
    }
    if (who && !(*ret_who = strdup(who)))
        return err_nomem(e);
    return 0;
}

/* Whether a signer's line allows the signature; *ret_who: heap, also when it does not. */
static int check_line(const struct sign_signers *file, const struct signer *s,
                      const struct sign_signers_query *q, char **ret_who, struct err *e)
{
    char who[128], what[64];
    (void)text_escape_str(s->principals, who, sizeof(who));
    int r = find_asked_for(s, q, ret_who, e);
    if (r)
        return r;
    if (s->unusable)
        return err_set(e, ERR_UNSUPPORTED, "by the key of line %u of %s: %s", s->line, file->name,
                       s->unusable);
    if (!*ret_who)
        return err_set(e, ERR_UNTRUSTED, "by %s, who is not asked for", who);
    if (s->namespaces && !sign_signers_match(bytes_str(s->namespaces), bytes_str(q->name_space)))
        return err_set(e, ERR_UNTRUSTED, "by %s, who may not sign for \"%s\" (line %u of %s)", who,
                       text_escape_str(q->name_space, what, sizeof(what)), s->line, file->name);
    if ((s->has_after && q->now < s->after) || (s->has_before && q->now > s->before))
        return err_set(e, ERR_EXPIRED, "by %s, whose key %s (line %u of %s)", who,
                       s->has_after && q->now < s->after ? "is not valid yet" : "has expired", s->line,
                       file->name);
    return 0;
}

/* What says more of why it does not count. */
static bool is_better(const struct err *why, const struct err *than)
{
    static const int order[] = {0, ERR_UNSUPPORTED, ERR_UNTRUSTED, ERR_EXPIRED};
    size_t a = 0, b = 0;
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        a = order[i] == why->code ? i : a;
        b = order[i] == than->code ? i : b;
    }
    return a > b;
}

int sign_signers_find(const struct sign_signers *s, const struct sign_signers_query *q, char **ret_who,
                      struct err *e)
{
    struct err best = ERR_INIT;
    char id[SIGN_SSH_FINGERPRINT_MAX];
    for (size_t i = 0; i < s->n; i++) {
        struct err why = ERR_INIT;
        AUTO_FREE char *who = NULL;
        if (!bytes_eq(buf_bytes(&s->all[i].key), q->key))
            continue;
        int r = check_line(s, &s->all[i], q, &who, &why);
        if (r == 0) {
            *ret_who = TAKE(who);
            return 0;
        }
        if (r == ERR_NOMEM || r == ERR_CONFIG) {
            *e = why;
            return r;
        }
        if (is_better(&why, &best))
            best = why;
    }
    if (!best.code)
        return err_set(e, ERR_UNTRUSTED, "by the key %s, which %s does not name",
                       sign_sshkey_fingerprint(q->key, id), s->name);
    *e = best;
    return best.code;
}
