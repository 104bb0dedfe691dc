/* SPDX-License-Identifier: Apache-2.0 */
/* Types out of a text like WIT's, for tests: u8, list<u8>, option<u8>, result<u8,_>, tuple<u8,char>,
 * map<string,u8>, record{a:u8,b:bool}, variant{a,b(u8)}, enum{a,b}, flags{a,b}; no blanks. */
#ifndef WAYBILL_TESTS_WAVE_TYPES_H
#define WAYBILL_TESTS_WAVE_TYPES_H

#include "runner/wave.h"

#define WAVE_TYPES_PARTS 32

struct wave_types {
    const char *at;
    unsigned depth;
};

static struct wave_type *wave_types_read(struct wave_types *t);

static inline bool wave_types_take(struct wave_types *t, const char *text)
{
    size_t n = strlen(text);
    if (strncmp(t->at, text, n) != 0)
        return false;
    t->at += n;
    return true;
}

/* The words are those of wave_kind_name, the longest that fits. */
static inline bool wave_types_kind(struct wave_types *t, enum wave_kind *ret)
{
    size_t best = 0;
    for (int kind = WAVE_BOOL; kind <= WAVE_MAP; kind++) {
        const char *name = wave_kind_name((enum wave_kind)kind);
        if (strlen(name) > best && strncmp(t->at, name, strlen(name)) == 0) {
            best = strlen(name);
            *ret = (enum wave_kind)kind;
        }
    }
    t->at += best;
    return best > 0;
}

static inline bool wave_types_name(struct wave_types *t, struct wave_part *part)
{
    size_t n = strspn(t->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    if (n == 0)
        return false;
    part->name = strndup(t->at, n);
    t->at += n;
    return part->name != NULL;
}

static inline bool wave_types_part(struct wave_types *t, enum wave_kind kind, struct wave_part *part)
{
    const bool named = kind == WAVE_RECORD || kind == WAVE_VARIANT || kind == WAVE_ENUM || kind == WAVE_FLAGS;
    if (named && !wave_types_name(t, part))
        return false;
    switch (kind) {
    case WAVE_ENUM:
    case WAVE_FLAGS: return true;
    case WAVE_RECORD: return wave_types_take(t, ":") && (part->type = wave_types_read(t));
    case WAVE_VARIANT:
        return !wave_types_take(t, "(") || ((part->type = wave_types_read(t)) && wave_types_take(t, ")"));
    case WAVE_RESULT: return wave_types_take(t, "_") || (part->type = wave_types_read(t));
    default: return (part->type = wave_types_read(t)) != NULL;
    }
}

/* What stands between the brackets; an option's none is not written. */
static inline bool wave_types_parts(struct wave_types *t, struct wave_type *type)
{
    const bool angle = wave_types_take(t, "<");
    if (!angle && !wave_types_take(t, "{"))
        return false;
    size_t first = type->kind == WAVE_OPTION, room = type->n;
    type->n = first;
    do {
        if (type->n == room)
            return false;
        type->n++;
        if (!wave_types_part(t, type->kind, &type->parts[type->n - 1]))
            return false;
    } while (wave_types_take(t, ","));
    return wave_types_take(t, angle ? ">" : "}");
}

static inline bool wave_types_complete(struct wave_type *type)
{
    static const char *const names[2][2] = {{"none", "some"}, {"ok", "err"}};
    const bool option = type->kind == WAVE_OPTION;
    if (option || type->kind == WAVE_RESULT)
        for (size_t i = 0; i < 2; i++)
            if (i < type->n && !(type->parts[i].name = strdup(names[!option][i])))
                return false;
    return !(option || type->kind == WAVE_RESULT || type->kind == WAVE_MAP) || type->n == 2;
}

/* NULL: no type, or too deep. The caller frees it. */
static struct wave_type *wave_types_read(struct wave_types *t)
{
    enum wave_kind kind;
    if (t->depth >= 20 || !wave_types_kind(t, &kind))
        return NULL;
    if (kind < WAVE_LIST)
        return wave_type_new(kind, 0);
    const bool pair = kind == WAVE_OPTION || kind == WAVE_RESULT || kind == WAVE_MAP;
    AUTO(wave_type) type = wave_type_new(kind, kind == WAVE_LIST ? 1 : pair ? 2 : WAVE_TYPES_PARTS);
    t->depth++;
    bool ok = type && wave_types_parts(t, type) && wave_types_complete(type);
    t->depth--;
    return ok ? TAKE(type) : NULL;
}

/* NULL: not a type and nothing else. */
static inline struct wave_type *wave_type_of(const char *text)
{
    struct wave_types t = {.at = text};
    AUTO(wave_type) type = wave_types_read(&t);
    return type && *t.at == '\0' ? TAKE(type) : NULL;
}

#endif
