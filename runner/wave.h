/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WAVE, the text form of the component model's values (WebAssembly Value Encoding, crates/wasm-wave of
 * wasm-tools), and the same values as JSON. Types and values are trees of our own, which know no engine.
 */
#ifndef WAYBILL_RUNNER_WAVE_H
#define WAYBILL_RUNNER_WAVE_H

#include "base/json.h"

/* X(name, spelling in WIT) */
#define WAVE_KINDS(X)     \
    X(BOOL, "bool")       \
    X(S8, "s8")           \
    X(S16, "s16")         \
    X(S32, "s32")         \
    X(S64, "s64")         \
    X(U8, "u8")           \
    X(U16, "u16")         \
    X(U32, "u32")         \
    X(U64, "u64")         \
    X(F32, "f32")         \
    X(F64, "f64")         \
    X(CHAR, "char")       \
    X(STRING, "string")   \
    X(LIST, "list")       \
    X(RECORD, "record")   \
    X(TUPLE, "tuple")     \
    X(VARIANT, "variant") \
    X(ENUM, "enum")       \
    X(OPTION, "option")   \
    X(RESULT, "result")   \
    X(FLAGS, "flags")     \
    X(MAP, "map")

enum wave_kind {
#define X(name, text) WAVE_##name,
    WAVE_KINDS(X)
#undef X
};

struct wave_type;

struct wave_part {
    char *name;             /* owned; NULL where parts have none */
    struct wave_type *type; /* owned; NULL: nothing */
};

/* A type and its parts: the element of a LIST; the fields of a RECORD; those of a TUPLE, without names; the
 * cases of a VARIANT or ENUM; none and some of an OPTION; ok and err of a RESULT; the names of FLAGS; key and
 * value of a MAP. */
struct wave_type {
    enum wave_kind kind;
    size_t n;
    struct wave_part *parts; /* owned */
};

/* A value, which makes sense with its type only. One of all zero bytes may be released, whatever its type. */
struct wave_value {
    union {
        bool boolean;
        int64_t s;  /* S8 to S64 */
        uint64_t u; /* U8 to U64 */
        float f32;
        double f64;
        uint32_t character; /* a Unicode scalar value */
        size_t n;           /* STRING: bytes; LIST, TUPLE, RECORD, MAP: items; FLAGS: flags;
                               VARIANT, ENUM, OPTION, RESULT: which part */
    };
    union {
        char *text;               /* owned; STRING: UTF-8; FLAGS: a byte each, 0 or 1 */
        struct wave_value *items; /* owned; LIST, TUPLE, RECORD: in the type's order; MAP: key, value, key,
                                     ...; VARIANT, OPTION, RESULT: one, or NULL where the part has no type */
    };
};

/* wave_kind_name - as WIT spells it. */
const char *wave_kind_name(enum wave_kind kind);

/* wave_type_new - with room for n parts, which the caller fills; freed with wave_type_free. NULL: no memory.
 */
struct wave_type *wave_type_new(enum wave_kind kind, size_t n);
void wave_type_free(struct wave_type *type);
DEFINE_AUTO(wave_type, wave_type_free);

/* wave_type_has_cases - whether its values are one of its parts: VARIANT, OPTION, RESULT. */
bool wave_type_has_cases(const struct wave_type *type);

/* wave_value_done - frees what it owns and zeroes it. */
void wave_value_done(const struct wave_type *type, struct wave_value *value);

/* wave_parse - one value and nothing behind it.  text: UTF-8, at most LIMIT_WAVE_TEXT bytes; a map is written
 * as a list of pairs. ret: wave_value_done by the caller. ERR_USAGE with the column, counted in characters
 * from 1 (and the line, from the second on), ERR_LIMIT, ERR_NOMEM. WAVE's README, "Encoding". */
MUST_CHECK int wave_parse(const struct wave_type *type, struct bytes text, struct wave_value *ret,
                          struct err *e);

/* wave_call_name - the part of a call ("NAME(ARGS)") in front of its first parenthesis, without blanks around
 * it.  ret_args: where the parenthesis is, or the text's length. */
struct bytes wave_call_name(struct bytes call, size_t *ret_args);

/* wave_parse_args - the arguments of a call.  params: a RECORD of the parameters, with their names; the last
 * ones may be left out where they are options.  at: where the parenthesis is; the call may also end there,
 * which stands for "()". ret: a value of params. WAVE's README, "Function calls". Errors as wave_parse. */
MUST_CHECK int wave_parse_args(const struct wave_type *params, struct bytes call, size_t at,
                               struct wave_value *ret, struct err *e);

/* wave_print - appends a value in WAVE, on one line; what a terminal might act on is escaped. */
void wave_print(const struct wave_type *type, const struct wave_value *value, struct buf *out);

/* wave_print_json - the value as JSON: numbers exact, but not-a-number and the infinities are "nan", "inf"
 * and "-inf"; char and enum are strings, flags an array of names, a tuple an array, a map an array of pairs;
 * a variant and a result an object with its case as the one member, which is null where there is no payload;
 * none is null and some its payload, or {"some": payload} where that is an option itself. */
void wave_print_json(struct jout *w, const char *key, const struct wave_type *type,
                     const struct wave_value *value);

/* wave_print_float - the shortest decimal number that reads back as the same; nan, inf, -inf. */
void wave_print_float(double value, bool single, struct buf *out);

/* wave_read_float / wave_read_int - a number by WAVE's grammar, as wave_parse reads it. min is not positive;
 * of a minimum of 0 a minus is wrong. Return false when it is no such number, or out of range, which
 * *ret_range then says. */
bool wave_read_float(struct bytes text, bool single, double *ret, bool *ret_range);
bool wave_read_int(struct bytes text, int64_t min, uint64_t max, uint64_t *ret, bool *ret_range);

#endif
