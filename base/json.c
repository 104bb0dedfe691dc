/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/hex.h"
#include "base/limits.h"
#include "base/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>

/* struct jdoc and struct jval are jansson's json_t by another name: its header stays in this file. */
static const json_t *native(const struct jval *v)
{
    return (const json_t *)(const void *)v;
}

static const struct jval *ours(const json_t *v)
{
    return (const struct jval *)(const void *)v;
}

/* What is parsed may be secret, so all that jansson gives back is wiped. */
static void wipe_and_free(void *ptr)
{
    if (ptr)
        mem_wipe(ptr, malloc_usable_size(ptr));
    free(ptr);
}

static void use_wiping(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
}

/* jansson has a depth cap of its own at 2048 and none on the number of values. */
static int check_bounds(struct bytes text, struct err *e)
{
    size_t depth = 0, values = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            values++;
            if (++depth > LIMIT_JSON_DEPTH)
                return err_set(e, ERR_LIMIT, "JSON nested deeper than %u levels", LIMIT_JSON_DEPTH);
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        } else if (c == ',') {
            values++;
        }
    }
    return values > LIMIT_JSON_VALUES
               ? err_set(e, ERR_LIMIT, "JSON with more than %u values", LIMIT_JSON_VALUES)
               : 0;
}

int jdoc_parse(struct bytes text, struct jdoc **ret, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int r = check_bounds(text, e);
    if (r)
        return r;
    (void)pthread_once(&once, use_wiping);
    json_error_t je;
    const char *start = text.ptr ? (const char *)text.ptr : "";
    json_t *root = json_loadb(start, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
    if (!root && json_error_code(&je) == json_error_out_of_memory)
        return err_nomem(e);
    if (!root) {
        char shown[JSON_ERROR_TEXT_LENGTH * 2];
        return err_set(e, ERR_FORMAT, "JSON line %d column %d: %s", je.line, je.column,
                       text_escape_str(je.text, shown, sizeof(shown)));
    }
    *ret = (struct jdoc *)(void *)root;
    return 0;
}

void jdoc_free(struct jdoc *doc)
{
    json_decref((json_t *)(void *)doc);
}

const struct jval *jdoc_root(const struct jdoc *doc)
{
    return (const struct jval *)(const void *)doc;
}

enum jkind jval_kind(const struct jval *v)
{
    switch (json_typeof(native(v))) {
    case JSON_TRUE:
    case JSON_FALSE: return JKIND_BOOL;
    case JSON_INTEGER: return JKIND_INT;
    case JSON_REAL: return JKIND_REAL;
    case JSON_STRING: return JKIND_STRING;
    case JSON_ARRAY: return JKIND_ARRAY;
    case JSON_OBJECT: return JKIND_OBJECT;
    case JSON_NULL: break;
    }
    return JKIND_NULL;
}

const char *jval_string(const struct jval *v)
{
    return json_string_value(native(v));
}

bool jval_bool(const struct jval *v)
{
    return v && json_is_true(native(v));
}

bool jval_int(const struct jval *v, int64_t *ret)
{
    if (!v || !json_is_integer(native(v)))
        return false;
    *ret = json_integer_value(native(v));
    return true;
}

size_t jarr_len(const struct jval *v)
{
    return json_array_size(native(v));
}

const struct jval *jarr_at(const struct jval *v, size_t i)
{
    return ours(json_array_get(native(v), i));
}

const struct jval *jobj_get(const struct jval *v, const char *key)
{
    return ours(json_object_get(native(v), key));
}

size_t jobj_len(const struct jval *v)
{
    return json_object_size(native(v));
}

const void *jobj_next(const struct jval *v, const void *iter, const char **ret_key,
                      const struct jval **ret_value)
{
    /* jansson's iterators take mutable objects; nothing is changed through them here. */
    union {
        const struct jval *in;
        json_t *out;
    } object = {v};
    union {
        const void *in;
        void *out;
    } at = {iter};
    void *next = iter ? json_object_iter_next(object.out, at.out) : json_object_iter(object.out);
    if (next) {
        *ret_key = json_object_iter_key(next);
        *ret_value = ours(json_object_iter_value(next));
    }
    return next;
}

static bool is_among(const char *key, const char *const *names, size_t n)
{
    while (n > 0)
        if (strcmp(key, names[--n]) == 0)
            return true;
    return false;
}

int jobj_only(const struct jval *v, const char *const *names, size_t n, struct err *e)
{
    const struct jval *member;
    const char *key;
    char shown[128];
    for (const void *i = jobj_next(v, NULL, &key, &member); i; i = jobj_next(v, i, &key, &member))
        if (!is_among(key, names, n))
            return err_set(e, ERR_FORMAT, "member \"%s\" has no place here",
                           text_escape_str(key, shown, sizeof(shown)));
    return 0;
}

/* A member of the wanted type; *ret NULL when it is absent or null. */
static int want(const struct jval *v, const char *key, bool required, enum jkind kind, const char *what,
                const struct jval **ret, struct err *e)
{
    const struct jval *found = jobj_get(v, key);
    if (found && jval_kind(found) == JKIND_NULL)
        found = NULL;
    if (!found && required)
        return err_set(e, ERR_FORMAT, "member \"%s\" is missing", key);
    if (found && jval_kind(found) != kind)
        return err_set(e, ERR_FORMAT, "member \"%s\" is not %s", key, what);
    *ret = found;
    return 0;
}

int jobj_want_string(const struct jval *v, const char *key, bool required, const char **ret, struct err *e)
{
    const struct jval *found;
    int r = want(v, key, required, JKIND_STRING, "a string", &found, e);
    if (!r)
        *ret = found ? jval_string(found) : NULL;
    return r;
}

int jobj_want_array(const struct jval *v, const char *key, bool required, const struct jval **ret,
                    struct err *e)
{
    return want(v, key, required, JKIND_ARRAY, "an array", ret, e);
}

int jobj_want_object(const struct jval *v, const char *key, bool required, const struct jval **ret,
                     struct err *e)
{
    return want(v, key, required, JKIND_OBJECT, "an object", ret, e);
}

int jobj_want_b64(const struct jval *v, const char *key, struct buf *out, struct err *e)
{
    const char *text;
    int r = jobj_want_string(v, key, true, &text, e);
    if (!r)
        r = b64_decode_any(bytes_str(text), out, e);
    return r ? err_wrap(e, "\"%s\"", key) : 0;
}

int jobj_want_uint(const struct jval *v, const char *key, bool required, uint64_t max, uint64_t *ret,
                   struct err *e)
{
    const struct jval *found;
    int r = want(v, key, required, JKIND_INT, "a whole number", &found, e);
    if (r || !found)
        return r;
    json_int_t n = json_integer_value(native(found));
    if (n < 0 || (uint64_t)n > max)
        return err_set(e, ERR_FORMAT, "member \"%s\" is out of range", key);
    *ret = (uint64_t)n;
    return 0;
}

static int write_piece(const char *ptr, size_t len, void *out)
{
    buf_append(out, ptr, len);
    return 0;
}

/* text with every malformed byte as U+FFFD. */
static void mend(struct bytes text, struct buf *out)
{
    while (text.len) {
        struct bytes rest = text, bad;
        uint32_t code;
        if (bytes_take_utf8(&rest, &code)) {
            buf_append(out, text.ptr, text.len - rest.len);
        } else {
            (void)bytes_take(&rest, 1, &bad);
            buf_append_str(out, "\xef\xbf\xbd");
        }
        text = rest;
    }
}

/* Outside of strings JSON is ASCII, so that what stands in its text may be escaped without reading it. */
static void put_shown(struct buf *out, struct bytes json)
{
    struct bytes rest = json;
    uint32_t code;
    while (rest.len && bytes_take_utf8(&rest, &code)) {
        size_t n = json.len - rest.len;
        if (code < 0x7f || text_is_harmless(code))
            buf_append(out, json.ptr, n);
        else if (code < 0x10000)
            buf_printf(out, "\\u%04X", (unsigned)code);
        else
            buf_printf(out, "\\u%04X\\u%04X", 0xd800U + ((unsigned)(code - 0x10000) >> 10),
                       0xdc00U + ((unsigned)code & 0x3ffU));
        json = rest;
    }
    buf_append_bytes(out, json);
}

static void put(struct jout *w, struct bytes json)
{
    if (w->shown)
        put_shown(w->out, json);
    else
        buf_append_bytes(w->out, json);
}

static void write_native(struct jout *w, const json_t *v, size_t flags)
{
    AUTO_DONE(buf) text = BUF_INIT(w->out->max);
    if (json_dump_callback(v, write_piece, w->shown ? &text : w->out, flags) != 0 || text.failed)
        w->out->failed = ERR_NOMEM;
    put(w, buf_bytes(&text));
}

static void write_string(struct jout *w, struct bytes text)
{
    AUTO_DONE(buf) mended = BUF_INIT(3 * text.len + 1);
    if (!bytes_is_utf8(text)) {
        mend(text, &mended);
        text = buf_bytes(&mended);
    }
    json_t *s = mended.failed ? NULL : json_stringn(text.ptr ? (const char *)text.ptr : "", text.len);
    if (s)
        write_native(w, s, JSON_ENCODE_ANY);
    else
        w->out->failed = ERR_NOMEM;
    json_decref(s);
}

static void new_line(struct jout *w)
{
    if (w->indent == 0)
        return;
    buf_append_u8(w->out, '\n');
    for (unsigned i = 0; i < w->depth * w->indent; i++)
        buf_append_u8(w->out, ' ');
}

static void lead(struct jout *w, const char *key)
{
    if (w->more)
        buf_append_u8(w->out, ',');
    if (w->depth)
        new_line(w);
    w->more = true;
    if (!key)
        return;
    write_string(w, bytes_str(key));
    buf_append_str(w->out, w->indent ? ": " : ":");
}

static void nest(struct jout *w, const char *key, char bracket)
{
    lead(w, key);
    buf_append_u8(w->out, (uint8_t)bracket);
    w->depth++;
    w->more = false;
}

static void unnest(struct jout *w, char bracket)
{
    w->depth--;
    if (w->more)
        new_line(w);
    buf_append_u8(w->out, (uint8_t)bracket);
    w->more = true;
}

void jout_object(struct jout *w, const char *key)
{
    nest(w, key, '{');
}

void jout_object_end(struct jout *w)
{
    unnest(w, '}');
}

void jout_array(struct jout *w, const char *key)
{
    nest(w, key, '[');
}

void jout_array_end(struct jout *w)
{
    unnest(w, ']');
}

void jout_bytes(struct jout *w, const char *key, struct bytes value)
{
    lead(w, key);
    write_string(w, value);
}

void jout_string(struct jout *w, const char *key, const char *value)
{
    if (value)
        jout_bytes(w, key, bytes_str(value));
    else
        jout_null(w, key);
}

void jout_uint(struct jout *w, const char *key, uint64_t value)
{
    lead(w, key);
    buf_printf(w->out, "%" PRIu64, value);
}

void jout_int(struct jout *w, const char *key, int64_t value)
{
    lead(w, key);
    buf_printf(w->out, "%" PRId64, value);
}

void jout_bool(struct jout *w, const char *key, bool value)
{
    lead(w, key);
    buf_append_str(w->out, value ? "true" : "false");
}

void jout_null(struct jout *w, const char *key)
{
    lead(w, key);
    buf_append_str(w->out, "null");
}

static void value_array(struct jout *w, const struct jval *value)
{
    for (size_t i = 0; i < jarr_len(value); i++)
        jout_value(w, NULL, jarr_at(value, i));
}

static void value_object(struct jout *w, const struct jval *value)
{
    const struct jval *member;
    const char *key;
    for (const void *i = jobj_next(value, NULL, &key, &member); i; i = jobj_next(value, i, &key, &member))
        jout_value(w, key, member);
}

void jout_value(struct jout *w, const char *key, const struct jval *value)
{
    switch (jval_kind(value)) { /* as deep as LIMIT_JSON_DEPTH */
    case JKIND_ARRAY:
        jout_array(w, key);
        value_array(w, value);
        jout_array_end(w);
        return;
    case JKIND_OBJECT:
        jout_object(w, key);
        value_object(w, value);
        jout_object_end(w);
        return;
    default: break;
    }
    lead(w, key);
    write_native(w, native(value), JSON_ENCODE_ANY | JSON_COMPACT);
}

void jout_text(struct jout *w, const char *key, struct bytes json)
{
    lead(w, key);
    put(w, json);
}
