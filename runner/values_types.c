/* SPDX-License-Identifier: Apache-2.0 */
/* Types. A component may use one type in two places of another, that again in two and so on: the tree is
 * bounded. */
#include "runner/values.h"

#include "base/limits.h"

struct copying {
    unsigned depth;
    size_t types;
    struct err *e;
};

static int copy_type(struct copying *c, const wasmtime_component_valtype_t *from, struct wave_type **ret);

/* Copies and deletes the engine's. */
static int take_type(struct copying *c, wasmtime_component_valtype_t *from, struct wave_type **ret)
{
    int r = copy_type(c, from, ret);
    wasmtime_component_valtype_delete(from);
    return r;
}

static int copy_name(struct copying *c, const char *name, size_t len, struct wave_part *part)
{
    part->name = strndup(name, len);
    return part->name ? 0 : err_nomem(c->e);
}

static int new_type(struct copying *c, enum wave_kind kind, size_t n, struct wave_type **ret)
{
    if (n > LIMIT_WAVE_TYPES - c->types)
        return err_set(c->e, ERR_LIMIT, "the function's type has more than %u parts", LIMIT_WAVE_TYPES);
    c->types += n;
    *ret = wave_type_new(kind, n);
    return *ret ? 0 : err_nomem(c->e);
}

static int copy_record(struct copying *c, const wasmtime_component_record_type_t *from, struct wave_type *to)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < to->n; i++) {
        wasmtime_component_valtype_t field;
        const char *name;
        size_t len;
        if (!wasmtime_component_record_type_field_nth(from, i, &name, &len, &field))
            return err_set(c->e, ERR_OTHER, "the engine has no field %zu", i);
        r = copy_name(c, name, len, &to->parts[i]);
        int taken = take_type(c, &field, &to->parts[i].type);
        r = r ? r : taken;
    }
    return r;
}

static int copy_tuple(struct copying *c, const wasmtime_component_tuple_type_t *from, struct wave_type *to)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < to->n; i++) {
        wasmtime_component_valtype_t item;
        if (!wasmtime_component_tuple_type_types_nth(from, i, &item))
            return err_set(c->e, ERR_OTHER, "the engine has no item %zu", i);
        r = take_type(c, &item, &to->parts[i].type);
    }
    return r;
}

static int copy_variant(struct copying *c, const wasmtime_component_variant_type_t *from,
                        struct wave_type *to)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < to->n; i++) {
        wasmtime_component_valtype_t payload;
        const char *name;
        size_t len;
        bool has_payload = false;
        if (!wasmtime_component_variant_type_case_nth(from, i, &name, &len, &has_payload, &payload))
            return err_set(c->e, ERR_OTHER, "the engine has no case %zu", i);
        r = copy_name(c, name, len, &to->parts[i]);
        int taken = has_payload ? take_type(c, &payload, &to->parts[i].type) : 0;
        r = r ? r : taken;
    }
    return r;
}

static int copy_enum(struct copying *c, const wasmtime_component_enum_type_t *from, struct wave_type *to)
{
    int r = 0;
    const char *name;
    size_t len;
    for (size_t i = 0; r == 0 && i < to->n; i++)
        r = wasmtime_component_enum_type_names_nth(from, i, &name, &len)
                ? copy_name(c, name, len, &to->parts[i])
                : err_set(c->e, ERR_OTHER, "the engine has no name %zu", i);
    return r;
}

static int copy_flags(struct copying *c, const wasmtime_component_flags_type_t *from, struct wave_type *to)
{
    int r = 0;
    const char *name;
    size_t len;
    for (size_t i = 0; r == 0 && i < to->n; i++)
        r = wasmtime_component_flags_type_names_nth(from, i, &name, &len)
                ? copy_name(c, name, len, &to->parts[i])
                : err_set(c->e, ERR_OTHER, "the engine has no flag %zu", i);
    return r;
}

static int copy_option(struct copying *c, const wasmtime_component_option_type_t *from, struct wave_type *to)
{
    wasmtime_component_valtype_t some;
    int r = copy_name(c, "none", 4, &to->parts[0]);
    if (r == 0)
        r = copy_name(c, "some", 4, &to->parts[1]);
    if (r != 0)
        return r;
    wasmtime_component_option_type_ty(from, &some);
    return take_type(c, &some, &to->parts[1].type);
}

static int copy_result(struct copying *c, const wasmtime_component_result_type_t *from, struct wave_type *to)
{
    wasmtime_component_valtype_t payload;
    int r = copy_name(c, "ok", 2, &to->parts[0]);
    if (r == 0)
        r = copy_name(c, "err", 3, &to->parts[1]);
    if (r == 0 && wasmtime_component_result_type_ok(from, &payload))
        r = take_type(c, &payload, &to->parts[0].type);
    if (r == 0 && wasmtime_component_result_type_err(from, &payload))
        r = take_type(c, &payload, &to->parts[1].type);
    return r;
}

static int copy_map(struct copying *c, const wasmtime_component_map_type_t *from, struct wave_type *to)
{
    wasmtime_component_valtype_t part;
    wasmtime_component_map_type_key(from, &part);
    int r = take_type(c, &part, &to->parts[0].type);
    if (r != 0)
        return r;
    wasmtime_component_map_type_value(from, &part);
    return take_type(c, &part, &to->parts[1].type);
}

static int copy_list(struct copying *c, const wasmtime_component_list_type_t *from, struct wave_type *to)
{
    wasmtime_component_valtype_t element;
    wasmtime_component_list_type_element(from, &element);
    return take_type(c, &element, &to->parts[0].type);
}

static size_t count_parts(const wasmtime_component_valtype_t *from)
{
    switch (from->kind) {
    case WASMTIME_COMPONENT_VALTYPE_LIST: return 1;
    case WASMTIME_COMPONENT_VALTYPE_RECORD:
        return wasmtime_component_record_type_field_count(from->of.record);
    case WASMTIME_COMPONENT_VALTYPE_TUPLE: return wasmtime_component_tuple_type_types_count(from->of.tuple);
    case WASMTIME_COMPONENT_VALTYPE_VARIANT:
        return wasmtime_component_variant_type_case_count(from->of.variant);
    case WASMTIME_COMPONENT_VALTYPE_ENUM: return wasmtime_component_enum_type_names_count(from->of.enum_);
    case WASMTIME_COMPONENT_VALTYPE_FLAGS: return wasmtime_component_flags_type_names_count(from->of.flags);
    case WASMTIME_COMPONENT_VALTYPE_OPTION:
    case WASMTIME_COMPONENT_VALTYPE_RESULT:
    case WASMTIME_COMPONENT_VALTYPE_MAP: return 2;
    default: return 0;
    }
}

static int copy_parts(struct copying *c, const wasmtime_component_valtype_t *from, struct wave_type *to)
{
    switch (to->kind) {
    case WAVE_LIST: return copy_list(c, from->of.list, to);
    case WAVE_RECORD: return copy_record(c, from->of.record, to);
    case WAVE_TUPLE: return copy_tuple(c, from->of.tuple, to);
    case WAVE_VARIANT: return copy_variant(c, from->of.variant, to);
    case WAVE_ENUM: return copy_enum(c, from->of.enum_, to);
    case WAVE_OPTION: return copy_option(c, from->of.option, to);
    case WAVE_RESULT: return copy_result(c, from->of.result, to);
    case WAVE_FLAGS: return copy_flags(c, from->of.flags, to);
    case WAVE_MAP: return copy_map(c, from->of.map, to);
    default: return 0;
    }
}

/* Every kind that can be written down; the engine's numbers are its own. */
static bool known_kind(wasmtime_component_valtype_kind_t from, enum wave_kind *ret)
{
    static const struct {
        wasmtime_component_valtype_kind_t from;
        enum wave_kind to;
    } kinds[] = {
        {WASMTIME_COMPONENT_VALTYPE_BOOL, WAVE_BOOL},       {WASMTIME_COMPONENT_VALTYPE_S8, WAVE_S8},
        {WASMTIME_COMPONENT_VALTYPE_S16, WAVE_S16},         {WASMTIME_COMPONENT_VALTYPE_S32, WAVE_S32},
        {WASMTIME_COMPONENT_VALTYPE_S64, WAVE_S64},         {WASMTIME_COMPONENT_VALTYPE_U8, WAVE_U8},
        {WASMTIME_COMPONENT_VALTYPE_U16, WAVE_U16},         {WASMTIME_COMPONENT_VALTYPE_U32, WAVE_U32},
        {WASMTIME_COMPONENT_VALTYPE_U64, WAVE_U64},         {WASMTIME_COMPONENT_VALTYPE_F32, WAVE_F32},
        {WASMTIME_COMPONENT_VALTYPE_F64, WAVE_F64},         {WASMTIME_COMPONENT_VALTYPE_CHAR, WAVE_CHAR},
        {WASMTIME_COMPONENT_VALTYPE_STRING, WAVE_STRING},   {WASMTIME_COMPONENT_VALTYPE_LIST, WAVE_LIST},
        {WASMTIME_COMPONENT_VALTYPE_RECORD, WAVE_RECORD},   {WASMTIME_COMPONENT_VALTYPE_TUPLE, WAVE_TUPLE},
        {WASMTIME_COMPONENT_VALTYPE_VARIANT, WAVE_VARIANT}, {WASMTIME_COMPONENT_VALTYPE_ENUM, WAVE_ENUM},
        {WASMTIME_COMPONENT_VALTYPE_OPTION, WAVE_OPTION},   {WASMTIME_COMPONENT_VALTYPE_RESULT, WAVE_RESULT},
        {WASMTIME_COMPONENT_VALTYPE_FLAGS, WAVE_FLAGS},     {WASMTIME_COMPONENT_VALTYPE_MAP, WAVE_MAP},
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].from == from) {
            *ret = kinds[i].to;
            return true;
        }
    }
    return false;
}

static int refuse(const struct copying *c, wasmtime_component_valtype_kind_t kind)
{
    const char *what = "a type that is not known";
    switch (kind) {
    case WASMTIME_COMPONENT_VALTYPE_OWN: what = "a resource (own)"; break;
    case WASMTIME_COMPONENT_VALTYPE_BORROW: what = "a resource (borrow)"; break;
    case WASMTIME_COMPONENT_VALTYPE_FUTURE: what = "a future, which is of WASI 0.3"; break;
    case WASMTIME_COMPONENT_VALTYPE_STREAM: what = "a stream, which is of WASI 0.3"; break;
    case WASMTIME_COMPONENT_VALTYPE_ERROR_CONTEXT: what = "an error-context, which is of WASI 0.3"; break;
    default: break;
    }
    return err_set(c->e, ERR_NOT_RUNNABLE, "%s, whose values cannot be written down", what);
}

static int copy_type(struct copying *c, const wasmtime_component_valtype_t *from, struct wave_type **ret)
{
    AUTO(wave_type) type = NULL;
    enum wave_kind kind;
    if (!known_kind(from->kind, &kind))
        return refuse(c, from->kind);
    if (c->depth >= LIMIT_WAVE_DEPTH)
        return err_set(c->e, ERR_LIMIT, "the function's type is more than %u deep", LIMIT_WAVE_DEPTH);
    int r = new_type(c, kind, count_parts(from), &type);
    c->depth++;
    if (r == 0)
        r = copy_parts(c, from, type);
    c->depth--;
    if (r == 0)
        *ret = TAKE(type);
    return r;
}

int runner_values_params(const wasmtime_component_func_type_t *func, struct wave_type **ret, struct err *e)
{
    struct copying c = {.e = e};
    AUTO(wave_type) params = NULL;
    int r = new_type(&c, WAVE_RECORD, wasmtime_component_func_type_param_count(func), &params);
    for (size_t i = 0; r == 0 && i < params->n; i++) {
        wasmtime_component_valtype_t type;
        const char *name;
        size_t len;
        struct wave_part *part = &params->parts[i];
        if (!wasmtime_component_func_type_param_nth(func, i, &name, &len, &type))
            return err_set(e, ERR_OTHER, "the engine has no parameter %zu", i);
        r = copy_name(&c, name, len, part);
        int taken = take_type(&c, &type, &part->type);
        if (r == 0 && taken != 0)
            r = err_wrap(e, "parameter %.100s", part->name);
    }
    if (r == 0)
        *ret = TAKE(params);
    return r;
}

int runner_values_result(const wasmtime_component_func_type_t *func, struct wave_type **ret, struct err *e)
{
    struct copying c = {.e = e};
    wasmtime_component_valtype_t type;
    *ret = NULL;
    if (!wasmtime_component_func_type_result(func, &type))
        return 0;
    int r = take_type(&c, &type, ret);
    return r ? err_wrap(e, "its result") : 0;
}
