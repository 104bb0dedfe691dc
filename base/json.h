/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259), strict: one value and nothing behind it, no duplicate member names, no NUL in strings,
 * well-formed UTF-8, at most LIMIT_JSON_DEPTH levels and LIMIT_JSON_VALUES values. Values are borrowed from
 * the document. What held the text of values is wiped when it is released: it may be secret.
 */
#ifndef WAYBILL_BASE_JSON_H
#define WAYBILL_BASE_JSON_H

#include "base/buf.h"

struct jdoc; /* a parsed document; owned by the caller */
struct jval; /* a value in it */

enum jkind { JKIND_NULL, JKIND_BOOL, JKIND_INT, JKIND_REAL, JKIND_STRING, JKIND_ARRAY, JKIND_OBJECT };

/* jdoc_parse - ERR_FORMAT (with line and column), ERR_LIMIT, ERR_NOMEM. The text may be freed afterwards. */
MUST_CHECK int jdoc_parse(struct bytes text, struct jdoc **ret, struct err *e);
void jdoc_free(struct jdoc *doc);
const struct jval *jdoc_root(const struct jdoc *doc);
DEFINE_AUTO(jdoc, jdoc_free);

enum jkind jval_kind(const struct jval *v);
const char *jval_string(const struct jval *v); /* NULL when it is no string */
bool jval_bool(const struct jval *v);          /* false when it is no boolean */
/* jval_int - false, and *ret untouched, when it is no whole number. */
bool jval_int(const struct jval *v, int64_t *ret);

/* Arrays: the number of elements (0 when it is no array), and one of them. */
size_t jarr_len(const struct jval *v);
const struct jval *jarr_at(const struct jval *v, size_t i);

/* Objects: a member or NULL (also when v is NULL or no object). */
const struct jval *jobj_get(const struct jval *v, const char *key);

/* Walks the members in the order of the text: NULL for iter starts, NULL is returned behind the last. */
const void *jobj_next(const struct jval *v, const void *iter, const char **ret_key,
                      const struct jval **ret_value);
size_t jobj_len(const struct jval *v);

/* jobj_only - whether an object has no member but the n named ones; ERR_FORMAT names one that it has. */
MUST_CHECK int jobj_only(const struct jval *v, const char *const *names, size_t n, struct err *e);
#define JOBJ_ONLY(v, e, ...)                         \
    jobj_only(v, (const char *const[]){__VA_ARGS__}, \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), e)

/* jobj_want_* - a member of the given type. Absent (or null) with `required` false: 0, and *ret is set to
 * NULL (strings, arrays, objects) or left alone (integers). ERR_FORMAT when it is required and absent, or of
 * another type; the message names the key. */
MUST_CHECK int jobj_want_string(const struct jval *v, const char *key, bool required, const char **ret,
                                struct err *e);
MUST_CHECK int jobj_want_array(const struct jval *v, const char *key, bool required, const struct jval **ret,
                               struct err *e);
MUST_CHECK int jobj_want_object(const struct jval *v, const char *key, bool required, const struct jval **ret,
                                struct err *e);
/* jobj_want_b64 - appends the bytes of a string in base64, in either alphabet (see b64_decode_any). */
MUST_CHECK int jobj_want_b64(const struct jval *v, const char *key, struct buf *out, struct err *e);
/* jobj_want_uint - a whole number from 0 to max. */
MUST_CHECK int jobj_want_uint(const struct jval *v, const char *key, bool required, uint64_t max,
                              uint64_t *ret, struct err *e);

/*
 * Writing: text goes straight to a buffer, members in the order of the calls, so that the same calls give the
 * same bytes. key is NULL inside arrays and for the outermost value. Failures are the buffer's (buf_check).
 */
struct jout {
    struct buf *out;
    unsigned depth;
    bool more;       /* a value stands before this one on the same level */
    unsigned indent; /* spaces a level; 0: compact */
    bool shown;      /* to be shown: what terminals obey or hide, beyond ASCII too, as \u and four digits */
};

void jout_object(struct jout *w, const char *key);
void jout_object_end(struct jout *w);
void jout_array(struct jout *w, const char *key);
void jout_array_end(struct jout *w);
void jout_string(struct jout *w, const char *key,
                 const char *value); /* NULL: null; malformed UTF-8: as U+FFFD */
void jout_bytes(struct jout *w, const char *key, struct bytes value);
void jout_uint(struct jout *w, const char *key, uint64_t value);
void jout_int(struct jout *w, const char *key, int64_t value);
void jout_bool(struct jout *w, const char *key, bool value);
void jout_null(struct jout *w, const char *key);
/* jout_value - a parsed value again, laid out as the rest. */
void jout_value(struct jout *w, const char *key, const struct jval *value);
/* jout_text - JSON as it stands, which must have been parsed before: numbers keep their spelling. */
void jout_text(struct jout *w, const char *key, struct bytes json);

#endif
