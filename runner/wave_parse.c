/* SPDX-License-Identifier: Apache-2.0 */
/* From text to values, led by the type: what a word or a brace means depends on what is wanted. */
#include "runner/wave_reader.h"

#include "base/limits.h"
#include "base/text.h"

#include <stdio.h>

static int parse_value(struct wave_reader *r, const struct wave_type *type, struct wave_value *v);

/* Items that become part of a value as soon as they are begun, so that it can be released at any time. */
struct growing {
    struct wave_value *v;
    size_t room;
};

static struct wave_value *grow(struct growing *g, size_t n, struct err *e)
{
    if (g->v->n + n > g->room) {
        size_t room = g->room ? 2 * g->room : 8;
        struct wave_value *items = reallocarray(g->v->items, room, sizeof(*items));
        if (!items) {
            (void)err_nomem(e);
            return NULL;
        }
        g->v->items = items;
        g->room = room;
    }
    struct wave_value *item = g->v->items + g->v->n;
    memset(item, 0, n * sizeof(*item));
    g->v->n += n;
    return item;
}

static struct bytes unmarked(struct bytes word)
{
    bool marked = word.len && word.ptr[0] == '%';
    return bytes_of(word.ptr + marked, word.len - marked);
}

/* The part of that name; type->n when there is none. */
static size_t find_part(const struct wave_type *type, struct bytes name)
{
    size_t i = 0;
    while (i < type->n && !bytes_eq_str(name, type->parts[i].name))
        i++;
    return i;
}

static int unknown_part(const struct wave_reader *r, const struct wave_type *type, const char *what,
                        struct bytes word)
{
    char shown[64];
    AUTO_DONE(buf) names = BUF_INIT(256);
    for (size_t i = 0; i < type->n && names.len < 100; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", type->parts[i].name);
    return wave_reader_fail(r, word.ptr, "no %s %s: there are %.150s", what,
                            text_escape(word, shown, sizeof(shown)), buf_cstr(&names));
}

static int parse_bool(struct wave_reader *r, struct wave_value *v)
{
    struct wave_reader ahead = *r;
    struct bytes word = wave_reader_word(&ahead);
    if (!bytes_eq_str(word, "true") && !bytes_eq_str(word, "false"))
        return wave_reader_expected(r, "true or false");
    v->boolean = bytes_eq_str(word, "true");
    *r = ahead;
    return 0;
}

static bool read_number(enum wave_kind kind, struct bytes text, struct wave_value *v, bool *range)
{
    double real;
    switch (kind) {
    case WAVE_S8: return wave_read_int(text, INT8_MIN, INT8_MAX, &v->u, range);
    case WAVE_S16: return wave_read_int(text, INT16_MIN, INT16_MAX, &v->u, range);
    case WAVE_S32: return wave_read_int(text, INT32_MIN, INT32_MAX, &v->u, range);
    case WAVE_S64: return wave_read_int(text, INT64_MIN, INT64_MAX, &v->u, range);
    case WAVE_U8: return wave_read_int(text, 0, UINT8_MAX, &v->u, range);
    case WAVE_U16: return wave_read_int(text, 0, UINT16_MAX, &v->u, range);
    case WAVE_U32: return wave_read_int(text, 0, UINT32_MAX, &v->u, range);
    case WAVE_U64: return wave_read_int(text, 0, UINT64_MAX, &v->u, range);
    default: break;
    }
    if (!wave_read_float(text, kind == WAVE_F32, &real, range))
        return false;
    if (kind == WAVE_F32)
        v->f32 = (float)real;
    else
        v->f64 = real;
    return true;
}

static int parse_number(struct wave_reader *r, enum wave_kind kind, struct wave_value *v)
{
    char what[32], shown[64];
    bool range = false;
    struct wave_reader ahead = *r;
    struct bytes text = wave_reader_number(&ahead);
    if (text.len == 0 || !read_number(kind, text, v, &range)) {
        if (range)
            return wave_reader_fail(r, text.ptr, "%s is out of the range of %s",
                                    text_escape(text, shown, sizeof(shown)), wave_kind_name(kind));
        (void)snprintf(what, sizeof(what), "a number (%s)", wave_kind_name(kind));
        return wave_reader_expected(r, what);
    }
    *r = ahead;
    return 0;
}

static int parse_string(struct wave_reader *r, struct wave_value *v)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_WAVE_TEXT);
    int got = wave_reader_string(r, &text);
    if (got == 0)
        got = buf_check(&text, r->e);
    if (got != 0)
        return got;
    v->n = text.len;
    v->text = buf_take_str(&text);
    return v->text || v->n == 0 ? 0 : err_nomem(r->e);
}

/* Behind an item of a sequence: takes a comma and says whether there is more, or takes the end. */
static int parse_more(struct wave_reader *r, uint8_t end, bool *ret_more)
{
    char what[16];
    bool comma = wave_reader_accept(r, ',');
    if (wave_reader_accept(r, end)) {
        *ret_more = false;
        return 0;
    }
    (void)snprintf(what, sizeof(what), "',' or '%c'", end);
    *ret_more = comma;
    return comma ? 0 : wave_reader_expected(r, what);
}

/* What opens or closes, named in quotes where it is missing. */
static int expect(struct wave_reader *r, char c, const char *of)
{
    char what[64];
    (void)snprintf(what, sizeof(what), "'%c' of a %s", c, of);
    return wave_reader_accept(r, (uint8_t)c) ? 0 : wave_reader_expected(r, what);
}

static int parse_pair(struct wave_reader *r, const struct wave_type *type, struct wave_value *items)
{
    int got = expect(r, '(', "pair of key and value");
    if (got == 0)
        got = parse_value(r, type->parts[0].type, &items[0]);
    if (got == 0 && !wave_reader_accept(r, ','))
        got = wave_reader_expected(r, "',' behind a key");
    if (got == 0)
        got = parse_value(r, type->parts[1].type, &items[1]);
    if (got == 0) {
        (void)wave_reader_accept(r, ',');
        got = expect(r, ')', "pair of key and value");
    }
    return got;
}

static int compare_keys(const void *a, const void *b, void *ctx)
{
    const struct wave_value *x = a, *y = b;
    if (*(const enum wave_kind *)ctx == WAVE_STRING) {
        int order = memcmp(x->text ? x->text : "", y->text ? y->text : "", x->n < y->n ? x->n : y->n);
        return order ? order : (x->n > y->n) - (x->n < y->n);
    }
    return (x->u > y->u) - (x->u < y->u);
}

/* Sorts the pairs' keys, in a copy that borrows their texts, and compares neighbours. Keys are bool,
 * integers, char or string: their unused bytes are zero. */
static int check_keys(const struct wave_reader *r, const struct wave_type *type, const struct wave_value *v,
                      const uint8_t *at)
{
    enum wave_kind kind = type->parts[0].type->kind;
    size_t n = v->n / 2;
    AUTO_FREE char *memory = (char *)reallocarray(NULL, n ? n : 1, sizeof(struct wave_value));
    struct wave_value *keys = (struct wave_value *)(void *)memory;
    if (!keys)
        return err_nomem(r->e);
    for (size_t i = 0; i < n; i++)
        keys[i] = v->items[2 * i];
    qsort_r(keys, n, sizeof(*keys), compare_keys, &kind);
    for (size_t i = 1; i < n; i++)
        if (compare_keys(&keys[i - 1], &keys[i], &kind) == 0)
            return wave_reader_fail(r, at, "two pairs of this map have the same key");
    return 0;
}

static int parse_list(struct wave_reader *r, const struct wave_type *type, struct wave_value *v)
{
    struct growing g = {.v = v};
    bool map = type->kind == WAVE_MAP;
    int got = expect(r, '[', wave_kind_name(type->kind));
    const uint8_t *start = r->rest.ptr;
    bool more = got == 0 && !wave_reader_accept(r, ']');
    while (got == 0 && more) {
        struct wave_value *item = grow(&g, map ? 2 : 1, r->e);
        if (!item)
            return ERR_NOMEM;
        got = map ? parse_pair(r, type, item) : parse_value(r, type->parts[0].type, item);
        if (got == 0)
            got = parse_more(r, ']', &more);
    }
    return got == 0 && map ? check_keys(r, type, v, start) : got;
}

static int items_of_parts(const struct wave_type *type, struct wave_value *v, struct err *e)
{
    v->items = calloc(type->n ? type->n : 1, sizeof(*v->items));
    if (!v->items)
        return err_nomem(e);
    v->n = type->n;
    return 0;
}

static int parse_tuple(struct wave_reader *r, const struct wave_type *type, struct wave_value *v)
{
    bool more = true;
    int got = items_of_parts(type, v, r->e);
    if (got == 0)
        got = expect(r, '(', "tuple");
    for (size_t i = 0; got == 0 && i < type->n; i++) {
        if (!more)
            return wave_reader_fail(r, r->rest.ptr - 1, "the tuple has %zu values, not %zu", i, type->n);
        got = parse_value(r, type->parts[i].type, &v->items[i]);
        if (got == 0)
            got = parse_more(r, ')', &more);
    }
    return got == 0 && more ? wave_reader_fail(r, r->rest.ptr, "the tuple has only %zu values", type->n)
                            : got;
}

/* A name of a field or flag that was not there before. */
static int parse_name(struct wave_reader *r, const struct wave_type *type, const char *what, char *seen,
                      size_t *ret)
{
    char wanted[32], shown[64];
    (void)snprintf(wanted, sizeof(wanted), "the name of a %s", what);
    struct bytes word = wave_reader_word(r);
    if (word.len == 0)
        return wave_reader_expected(r, wanted);
    size_t i = find_part(type, unmarked(word));
    if (i == type->n)
        return unknown_part(r, type, what, word);
    if (seen[i])
        return wave_reader_fail(r, word.ptr, "the %s %s is there twice", what,
                                text_escape(word, shown, sizeof(shown)));
    seen[i] = 1;
    *ret = i;
    return 0;
}

static int parse_field(struct wave_reader *r, const struct wave_type *type, struct wave_value *v, char *seen)
{
    size_t i = 0;
    int got = parse_name(r, type, "field", seen, &i);
    if (got == 0 && !wave_reader_accept(r, ':'))
        got = wave_reader_expected(r, "':' behind a field's name");
    return got == 0 ? parse_value(r, type->parts[i].type, &v->items[i]) : got;
}

static int parse_record(struct wave_reader *r, const struct wave_type *type, struct wave_value *v)
{
    AUTO_FREE char *seen = calloc(type->n ? type->n : 1, 1);
    bool more = true;
    int got = seen ? items_of_parts(type, v, r->e) : err_nomem(r->e);
    if (got == 0)
        got = expect(r, '{', "record");
    if (got == 0 && wave_reader_peek(r) == '}')
        return wave_reader_expected(r, "a field (or {:}, where all are left out)");
    if (got == 0 && wave_reader_accept(r, ':')) {
        more = false;
        got = expect(r, '}', "record");
    }
    while (got == 0 && more) {
        got = parse_field(r, type, v, seen);
        if (got == 0)
            got = parse_more(r, '}', &more);
    }
    for (size_t i = 0; got == 0 && i < type->n; i++)
        if (!seen[i] && type->parts[i].type->kind != WAVE_OPTION)
            got = wave_reader_fail(r, r->rest.ptr - 1, "the record has no field %.100s", type->parts[i].name);
    return got;
}

static int parse_flags(struct wave_reader *r, const struct wave_type *type, struct wave_value *v)
{
    size_t ignored;
    v->text = calloc(type->n ? type->n : 1, 1);
    if (!v->text)
        return err_nomem(r->e);
    v->n = type->n;
    int got = expect(r, '{', "set of flags");
    bool more = got == 0 && !wave_reader_accept(r, '}');
    while (got == 0 && more) {
        got = parse_name(r, type, "flag", v->text, &ignored);
        if (got == 0)
            got = parse_more(r, '}', &more);
    }
    return got;
}

static int parse_payload(struct wave_reader *r, const struct wave_type *type, struct wave_value *v)
{
    v->items = calloc(1, sizeof(*v->items));
    return v->items ? parse_value(r, type->parts[v->n].type, v->items) : err_nomem(r->e);
}

/* "(VALUE)" behind a case that has a payload, and nothing behind one that has none. */
static int parse_case_payload(struct wave_reader *r, const struct wave_type *type, struct wave_value *v)
{
    char what[160];
    const struct wave_part *part = &type->parts[v->n];
    if (!part->type) {
        if (wave_reader_peek(r) == '(')
            return wave_reader_fail(r, r->rest.ptr, "%.100s has no value", part->name);
        return 0;
    }
    if (!wave_reader_accept(r, '(')) {
        (void)snprintf(what, sizeof(what), "'(' and a value behind %.100s", part->name);
        return wave_reader_expected(r, what);
    }
    int got = parse_payload(r, type, v);
    return got == 0 && !wave_reader_accept(r, ')') ? wave_reader_expected(r, "')'") : got;
}

static int parse_case(struct wave_reader *r, const struct wave_type *type, struct wave_value *v)
{
    struct bytes word = wave_reader_word(r);
    if (word.len == 0)
        return wave_reader_expected(r, type->kind == WAVE_ENUM ? "a name of an enum" : "a case of a variant");
    size_t i = find_part(type, unmarked(word));
    if (i == type->n)
        return unknown_part(r, type, "case", word);
    if (wave_is_word(word))
        return wave_reader_fail(r, word.ptr, "the case %s is written %%%s: WAVE has a word of that name",
                                type->parts[i].name, type->parts[i].name);
    v->n = i;
    return parse_case_payload(r, type, v);
}

/* An option or result: one of its two words, or what its usual case holds, as it is. */
static int parse_wrapped(struct wave_reader *r, const struct wave_type *type, struct wave_value *v)
{
    const bool option = type->kind == WAVE_OPTION;
    const size_t usual = option ? 1 : 0;
    struct wave_reader ahead = *r;
    size_t which = find_part(type, wave_reader_word(&ahead));
    if (which < type->n) {
        *r = ahead;
        v->n = which;
        return parse_case_payload(r, type, v);
    }
    const struct wave_type *inner = type->parts[usual].type;
    if (!inner || inner->kind == WAVE_OPTION || inner->kind == WAVE_RESULT)
        return wave_reader_expected(r, option ? "some(...) or none" : "ok or err");
    v->n = usual;
    return parse_payload(r, type, v);
}

static int parse_of_kind(struct wave_reader *r, const struct wave_type *type, struct wave_value *v)
{
    switch (type->kind) {
    case WAVE_BOOL: return parse_bool(r, v);
    case WAVE_CHAR: return wave_reader_char(r, &v->character);
    case WAVE_STRING: return parse_string(r, v);
    case WAVE_LIST:
    case WAVE_MAP: return parse_list(r, type, v);
    case WAVE_RECORD: return parse_record(r, type, v);
    case WAVE_TUPLE: return parse_tuple(r, type, v);
    case WAVE_VARIANT:
    case WAVE_ENUM: return parse_case(r, type, v);
    case WAVE_OPTION:
    case WAVE_RESULT: return parse_wrapped(r, type, v);
    case WAVE_FLAGS: return parse_flags(r, type, v);
    default: return parse_number(r, type->kind, v);
    }
}

static int parse_value(struct wave_reader *r, const struct wave_type *type, struct wave_value *v)
{
    if (r->depth >= LIMIT_WAVE_DEPTH)
        return err_set(r->e, ERR_LIMIT, "values more than %u deep", LIMIT_WAVE_DEPTH);
    if (r->values++ >= LIMIT_WAVE_VALUES)
        return err_set(r->e, ERR_LIMIT, "more than %u values", LIMIT_WAVE_VALUES);
    r->depth++;
    int got = parse_of_kind(r, type, v);
    r->depth--;
    return got;
}

static int parse_end(struct wave_reader *r)
{
    (void)wave_reader_peek(r);
    return r->rest.len ? wave_reader_expected(r, "the end") : 0;
}

int wave_parse(const struct wave_type *type, struct bytes text, struct wave_value *ret, struct err *e)
{
    struct wave_reader r;
    struct wave_value v = {.u = 0};
    int got = wave_reader_init(&r, text, e);
    if (got == 0)
        got = parse_value(&r, type, &v);
    if (got == 0)
        got = parse_end(&r);
    if (got == 0)
        *ret = v;
    else
        wave_value_done(type, &v);
    return got;
}

struct bytes wave_call_name(struct bytes call, size_t *ret_args)
{
    const uint8_t *at = call.len ? memchr(call.ptr, '(', call.len) : NULL;
    *ret_args = at ? (size_t)(at - call.ptr) : call.len;
    return bytes_trim(bytes_of(call.ptr, *ret_args), " \t\n\r");
}

static int parse_args(struct wave_reader *r, const struct wave_type *params, struct wave_value *v)
{
    size_t i = 0;
    int got = items_of_parts(params, v, r->e);
    bool open = got == 0 && wave_reader_accept(r, '(');
    bool more = open && !wave_reader_accept(r, ')');
    if (got == 0 && !open && r->rest.len)
        got = wave_reader_expected(r, "'('");
    for (; got == 0 && more; i++) {
        if (i == params->n)
            return wave_reader_fail(r, r->rest.ptr, "too many arguments: the function takes %zu", params->n);
        got = parse_value(r, params->parts[i].type, &v->items[i]);
        if (got == 0)
            got = parse_more(r, ')', &more);
        else if (got == ERR_USAGE)
            got = err_wrap(r->e, "argument %zu (%.100s)", i + 1, params->parts[i].name);
    }
    for (; got == 0 && i < params->n; i++)
        if (params->parts[i].type->kind != WAVE_OPTION)
            got = wave_reader_fail(r, r->rest.ptr - (open ? 1 : 0),
                                   "too few arguments: the function takes %zu, and %.100s is missing",
                                   params->n, params->parts[i].name);
    return got;
}

int wave_parse_args(const struct wave_type *params, struct bytes call, size_t at, struct wave_value *ret,
                    struct err *e)
{
    struct wave_reader r;
    struct wave_value v = {.u = 0};
    int got = wave_reader_init(&r, call, e);
    if (got == 0) {
        r.rest = bytes_of(call.ptr + at, call.len - at);
        got = parse_args(&r, params, &v);
    }
    if (got == 0)
        got = parse_end(&r);
    if (got == 0)
        *ret = v;
    else
        wave_value_done(params, &v);
    return got;
}
