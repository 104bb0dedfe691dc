/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where in a TOML text something stands. What reads the text as JSON forgets that, and it is wanted for
 * messages alone: so the text, known to be TOML, is gone through once more, and only as far as needed. On
 * anything unexpected it stops where it is.
 */
#include "base/limits.h"
#include "base/toml.h"

#define KEY_MAX 512 /* bytes of a key that is looked for: hosts, names and digests are shorter */
#define NOT     SIZE_MAX

struct finder {
    const char *start, *p, *end;
    const struct toml_at *path[LIMIT_JSON_DEPTH]; /* the outermost first */
    size_t seen[LIMIT_JSON_DEPTH];                /* of an index in the path: elements [[...]] so far */
    size_t n;
    size_t best; /* how much of the path was found */
    const char *at;
};

static bool more(const struct finder *f)
{
    return f->p < f->end && f->best < f->n;
}

static bool next_is(struct finder *f, const char *text)
{
    size_t len = strlen(text);
    return (size_t)(f->end - f->p) >= len && memcmp(f->p, text, len) == 0;
}

static bool take(struct finder *f, const char *text)
{
    bool there = next_is(f, text);
    if (there)
        f->p += strlen(text);
    return there;
}

static void skip_blanks(struct finder *f)
{
    while (f->p < f->end && (*f->p == ' ' || *f->p == '\t'))
        f->p++;
}

/* Blanks, ends of lines and comments. */
static void skip_lines(struct finder *f)
{
    for (; f->p < f->end && strchr(" \t\r\n#", *f->p) && *f->p; f->p++)
        if (*f->p == '#')
            while (f->p + 1 < f->end && f->p[1] != '\n')
                f->p++;
}

/* The path was followed to depth; here stands what is there. */
static void note(struct finder *f, size_t depth, const char *at)
{
    if (depth != NOT && depth > f->best) {
        f->best = depth;
        f->at = at;
    }
}

static size_t put_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00 >> n) | c);
    return n;
}

/* What stands behind a backslash, as UTF-8; returns how many bytes. */
static size_t escape(struct finder *f, char out[4])
{
    static const char letters[] = "btnfre\"\\", means[] = "\b\t\n\f\r\033\"\\";
    char c = f->p < f->end ? *f->p++ : 0;
    const char *simple = c ? strchr(letters, c) : NULL;
    if (simple) {
        out[0] = means[simple - letters];
        return 1;
    }
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    uint32_t value = 0;
    for (; digits && f->p < f->end; digits--, f->p++) {
        const char *hex = "0123456789abcdef", *d = *f->p ? strchr(hex, *f->p | 0x20) : NULL;
        if (!d)
            return 0;
        value = value << 4 | (uint32_t)(d - hex);
    }
    return put_utf8(value & 0x1fffff, out);
}

/* One part of a key into out; false: there is none. */
static bool take_key(struct finder *f, char out[KEY_MAX])
{
    size_t n = 0;
    const char *start = f->p;
    char quote = f->p < f->end && (*f->p == '"' || *f->p == '\'') ? *f->p++ : 0;
    while (f->p < f->end && *f->p != '\n') {
        char c = *f->p, text[4] = {c, 0, 0, 0};
        size_t len = 1;
        if (quote ? c == quote : strchr(" \t.=]", c) != NULL)
            break;
        f->p++;
        if (quote == '"' && c == '\\')
            len = escape(f, text);
        if (n + len >= KEY_MAX)
            len = 0;
        memcpy(out + n, text, len);
        n += len;
    }
    out[n] = 0;
    if (quote && f->p < f->end)
        f->p++;
    return f->p > start;
}

/* One step from a table to its member. */
static size_t step(struct finder *f, size_t depth, const char *key, const char *at)
{
    if (depth == NOT || depth >= f->n || !f->path[depth]->key || strcmp(f->path[depth]->key, key) != 0)
        return NOT;
    note(f, depth + 1, at);
    return depth + 1;
}

static void skip_string(struct finder *f)
{
    char quote = *f->p;
    const char three[] = {quote, quote, quote, 0}, one[] = {quote, 0};
    const char *close = next_is(f, three) ? three : one;
    f->p += strlen(close);
    while (f->p < f->end && !next_is(f, close))
        f->p += quote == '"' && *f->p == '\\' && f->p + 1 < f->end ? 2 : 1;
    /* A text in three quotes may end in one or two of its own. */
    while (take(f, one))
        ;
}

static void value(struct finder *f, size_t depth, unsigned nesting);

/* "key.key = value" in the table at depth. */
static void member(struct finder *f, size_t depth, unsigned nesting)
{
    char key[KEY_MAX];
    for (;;) {
        const char *at = f->p;
        if (!take_key(f, key))
            return;
        depth = step(f, depth, key, at);
        skip_blanks(f);
        if (!take(f, "."))
            break;
        skip_blanks(f);
    }
    if (!take(f, "="))
        return;
    skip_blanks(f);
    value(f, depth, nesting);
}

static void list(struct finder *f, size_t depth, unsigned nesting, bool is_table)
{
    const char *close = is_table ? "}" : "]";
    f->p++;
    for (size_t i = 0; more(f); i++) {
        skip_lines(f);
        if (take(f, close))
            return;
        const char *before = f->p;
        if (is_table) {
            member(f, depth, nesting);
        } else {
            bool meant = depth != NOT && depth < f->n && !f->path[depth]->key && f->path[depth]->index == i;
            if (meant)
                note(f, depth + 1, f->p);
            value(f, meant ? depth + 1 : NOT, nesting);
        }
        skip_lines(f);
        if (!take(f, ",") && f->p == before)
            return;
    }
}

static void value(struct finder *f, size_t depth, unsigned nesting)
{
    if (!more(f) || nesting > 2 * LIMIT_JSON_DEPTH)
        return;
    if (*f->p == '"' || *f->p == '\'')
        skip_string(f);
    else if (*f->p == '[' || *f->p == '{')
        list(f, depth, nesting + 1, *f->p == '{');
    else
        while (f->p < f->end && !strchr(",]}#\r\n", *f->p))
            f->p++;
}

/* At an array of tables in the path: its last element, or the one that begins here. */
static size_t element(struct finder *f, size_t depth, bool begins, const char *at)
{
    if (depth == NOT || depth >= f->n || f->path[depth]->key)
        return depth;
    if (begins)
        f->seen[depth]++;
    if (f->seen[depth] != f->path[depth]->index + 1)
        return NOT;
    note(f, depth + 1, at);
    return depth + 1;
}

/* "[key.key]" or "[[key.key]]": the depth of the table that begins. */
static size_t header(struct finder *f)
{
    char key[KEY_MAX];
    size_t depth = 0;
    bool is_element = take(f, "[[");
    if (!is_element)
        (void)take(f, "[");
    for (;;) {
        skip_blanks(f);
        const char *at = f->p;
        if (!take_key(f, key))
            return NOT;
        depth = step(f, depth, key, at);
        skip_blanks(f);
        bool last = !take(f, ".");
        depth = element(f, depth, last && is_element, at);
        if (last)
            break;
    }
    (void)take(f, is_element ? "]]" : "]");
    return depth;
}

static void count_lines(struct bytes text, const char *at, unsigned *ret_line, unsigned *ret_column)
{
    unsigned line = 1, column = 1;
    for (const char *p = (const char *)text.ptr; p && p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*p & 0xc0) != 0x80) {
            column++;
        }
    }
    *ret_line = line;
    *ret_column = column;
}

void toml_locate(struct bytes text, const struct toml_at *at, unsigned *ret_line, unsigned *ret_column)
{
    const char *start = text.ptr ? (const char *)text.ptr : "";
    struct finder f = {.start = start, .p = start, .end = start + text.len, .at = start};
    for (const struct toml_at *i = at; i && f.n < ARRAY_LEN(f.path); i = i->up)
        f.n++;
    size_t left = f.n;
    for (const struct toml_at *i = at; i && left > 0; i = i->up)
        f.path[--left] = i;
    size_t depth = 0;
    (void)take(&f, "\xef\xbb\xbf");
    for (skip_lines(&f); more(&f); skip_lines(&f)) {
        const char *before = f.p;
        if (*f.p == '[')
            depth = header(&f);
        else
            member(&f, depth, 0);
        if (f.p == before)
            break;
    }
    count_lines(text, f.at, ret_line, ret_column);
}
