/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/values.h"

#include "base/limits.h"

static void give_text(const char *text, size_t len, wasm_name_t *ret)
{
    wasm_byte_vec_new(ret, len, text ? text : "");
}

static void give_name(const struct wave_part *part, wasm_name_t *ret)
{
    give_text(part->name, strlen(part->name), ret);
}

static void give_record(const struct wave_type *type, const struct wave_value *v,
                        wasmtime_component_valrecord_t *ret)
{
    wasmtime_component_valrecord_new_uninit(ret, v->n);
    for (size_t i = 0; i < v->n; i++) {
        give_name(&type->parts[i], &ret->data[i].name);
        runner_values_give(type->parts[i].type, &v->items[i], &ret->data[i].val);
    }
}

static void give_flags(const struct wave_type *type, const struct wave_value *v,
                       wasmtime_component_valflags_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        n += v->text[i] != 0;
    wasmtime_component_valflags_new_uninit(ret, n);
    for (size_t i = v->n; i-- > 0;)
        if (v->text[i])
            give_name(&type->parts[i], &ret->data[--n]);
}

static wasmtime_component_val_t *give_payload(const struct wave_type *type, const struct wave_value *v)
{
    wasmtime_component_val_t payload;
    if (!v->items)
        return NULL;
    runner_values_give(type->parts[v->n].type, v->items, &payload);
    return wasmtime_component_val_new(&payload);
}

static void give_several(const struct wave_type *type, const struct wave_value *v,
                         wasmtime_component_val_t *ret)
{
    ret->kind = type->kind == WAVE_LIST    ? WASMTIME_COMPONENT_LIST
                : type->kind == WAVE_TUPLE ? WASMTIME_COMPONENT_TUPLE
                                           : WASMTIME_COMPONENT_MAP;
    if (type->kind == WAVE_LIST) {
        wasmtime_component_vallist_new_uninit(&ret->of.list, v->n);
        for (size_t i = 0; i < v->n; i++)
            runner_values_give(type->parts[0].type, &v->items[i], &ret->of.list.data[i]);
    } else if (type->kind == WAVE_TUPLE) {
        wasmtime_component_valtuple_new_uninit(&ret->of.tuple, v->n);
        for (size_t i = 0; i < v->n; i++)
            runner_values_give(type->parts[i].type, &v->items[i], &ret->of.tuple.data[i]);
    } else {
        wasmtime_component_valmap_new_uninit(&ret->of.map, v->n / 2);
        for (size_t i = 0; i < v->n / 2; i++) {
            runner_values_give(type->parts[0].type, &v->items[2 * i], &ret->of.map.data[i].key);
            runner_values_give(type->parts[1].type, &v->items[2 * i + 1], &ret->of.map.data[i].value);
        }
    }
}

static void give_scalar(const struct wave_type *type, const struct wave_value *v,
                        wasmtime_component_val_t *ret)
{
#define GIVE(KIND, member, value) \
    case WAVE_##KIND: *ret = (wasmtime_component_val_t){WASMTIME_COMPONENT_##KIND, {.member = value}}; break
    switch (type->kind) {
        GIVE(BOOL, boolean, v->boolean);
        GIVE(S8, s8, (int8_t)v->s);
        GIVE(S16, s16, (int16_t)v->s);
        GIVE(S32, s32, (int32_t)v->s);
        GIVE(S64, s64, v->s);
        GIVE(U8, u8, (uint8_t)v->u);
        GIVE(U16, u16, (uint16_t)v->u);
        GIVE(U32, u32, (uint32_t)v->u);
        GIVE(U64, u64, v->u);
        GIVE(F32, f32, v->f32);
        GIVE(F64, f64, v->f64);
    default: *ret = (wasmtime_component_val_t){WASMTIME_COMPONENT_CHAR, {.character = v->character}}; break;
    }
#undef GIVE
}

void runner_values_give(const struct wave_type *type, const struct wave_value *v,
                        wasmtime_component_val_t *ret)
{
    switch (type->kind) {
    case WAVE_STRING:
        ret->kind = WASMTIME_COMPONENT_STRING;
        give_text(v->text, v->n, &ret->of.string);
        break;
    case WAVE_LIST:
    case WAVE_TUPLE:
    case WAVE_MAP: give_several(type, v, ret); break;
    case WAVE_RECORD:
        ret->kind = WASMTIME_COMPONENT_RECORD;
        give_record(type, v, &ret->of.record);
        break;
    case WAVE_FLAGS:
        ret->kind = WASMTIME_COMPONENT_FLAGS;
        give_flags(type, v, &ret->of.flags);
        break;
    case WAVE_ENUM:
        ret->kind = WASMTIME_COMPONENT_ENUM;
        give_name(&type->parts[v->n], &ret->of.enumeration);
        break;
    case WAVE_VARIANT:
        ret->kind = WASMTIME_COMPONENT_VARIANT;
        give_name(&type->parts[v->n], &ret->of.variant.discriminant);
        ret->of.variant.val = give_payload(type, v);
        break;
    case WAVE_OPTION:
        ret->kind = WASMTIME_COMPONENT_OPTION;
        ret->of.option = give_payload(type, v);
        break;
    case WAVE_RESULT:
        ret->kind = WASMTIME_COMPONENT_RESULT;
        ret->of.result.is_ok = v->n == 0;
        ret->of.result.val = give_payload(type, v);
        break;
    default: give_scalar(type, v, ret); break;
    }
}

struct taking {
    size_t values;
    struct err *e;
};

static int take(struct taking *t, const struct wave_type *type, const wasmtime_component_val_t *from,
                struct wave_value *v);

static int mismatch(const struct taking *t, const struct wave_type *type)
{
    return err_set(t->e, ERR_NOT_RUNNABLE, "the engine returned something else than a %s",
                   wave_kind_name(type->kind));
}

static int new_items(const struct taking *t, size_t n, struct wave_value *v)
{
    v->items = n > LIMIT_WAVE_VALUES ? NULL : calloc(n ? n : 1, sizeof(*v->items));
    if (n > LIMIT_WAVE_VALUES)
        return err_set(t->e, ERR_LIMIT, "a result of more than %u values", LIMIT_WAVE_VALUES);
    return v->items ? 0 : err_nomem(t->e);
}

/* Items that stand side by side in the engine's memory, `size` bytes each. */
static int take_items(struct taking *t, const struct wave_type *type, size_t n, const void *data, size_t size,
                      struct wave_value *v)
{
    int r = new_items(t, n, v);
    if (r != 0)
        return r;
    v->n = n;
    for (size_t i = 0; r == 0 && i < n; i++) {
        const wasmtime_component_val_t *item = (const void *)((const char *)data + i * size);
        r = take(t, type->parts[type->kind == WAVE_LIST ? 0 : i].type, item, &v->items[i]);
    }
    return r;
}

static int take_record(struct taking *t, const struct wave_type *type,
                       const wasmtime_component_valrecord_t *from, struct wave_value *v)
{
    if (from->size != type->n)
        return mismatch(t, type);
    return take_items(t, type, from->size, from->size ? &from->data[0].val : NULL, sizeof(from->data[0]), v);
}

static int take_map(struct taking *t, const struct wave_type *type, const wasmtime_component_valmap_t *from,
                    struct wave_value *v)
{
    int r = new_items(t, 2 * from->size, v);
    if (r != 0)
        return r;
    v->n = 2 * from->size;
    for (size_t i = 0; r == 0 && i < from->size; i++) {
        r = take(t, type->parts[0].type, &from->data[i].key, &v->items[2 * i]);
        if (r == 0)
            r = take(t, type->parts[1].type, &from->data[i].value, &v->items[2 * i + 1]);
    }
    return r;
}

static int take_text(const struct taking *t, const wasm_name_t *from, struct wave_value *v)
{
    v->text = malloc(from->size + 1);
    if (!v->text)
        return err_nomem(t->e);
    if (from->size)
        memcpy(v->text, from->data, from->size);
    v->text[from->size] = '\0';
    v->n = from->size;
    return 0;
}

static int find_part(const struct taking *t, const struct wave_type *type, const wasm_name_t *name,
                     size_t *ret)
{
    for (size_t i = 0; i < type->n; i++) {
        if (bytes_eq_str(bytes_of(name->data, name->size), type->parts[i].name)) {
            *ret = i;
            return 0;
        }
    }
    return mismatch(t, type);
}

static int take_flags(const struct taking *t, const struct wave_type *type,
                      const wasmtime_component_valflags_t *from, struct wave_value *v)
{
    int r = 0;
    v->text = calloc(type->n ? type->n : 1, 1);
    if (!v->text)
        return err_nomem(t->e);
    v->n = type->n;
    for (size_t i = 0; r == 0 && i < from->size; i++) {
        size_t which;
        r = find_part(t, type, &from->data[i], &which);
        if (r == 0)
            v->text[which] = 1;
    }
    return r;
}

static int take_payload(struct taking *t, const struct wave_type *type, size_t which,
                        const wasmtime_component_val_t *from, struct wave_value *v)
{
    const struct wave_type *payload = type->parts[which].type;
    if (!payload != !from)
        return mismatch(t, type);
    v->n = which;
    if (!payload)
        return 0;
    v->items = calloc(1, sizeof(*v->items));
    return v->items ? take(t, payload, from, v->items) : err_nomem(t->e);
}

static int take_variant(struct taking *t, const struct wave_type *type,
                        const wasmtime_component_valvariant_t *from, struct wave_value *v)
{
    size_t which;
    int r = find_part(t, type, &from->discriminant, &which);
    return r == 0 ? take_payload(t, type, which, from->val, v) : r;
}

static int take_scalar(const struct taking *t, const struct wave_type *type,
                       const wasmtime_component_val_t *from, struct wave_value *v)
{
#define TAKES(KIND, member, to)                      \
    case WAVE_##KIND:                                \
        if (from->kind != WASMTIME_COMPONENT_##KIND) \
            break;                                   \
        v->to = from->of.member;                     \
        return 0
    switch (type->kind) {
        TAKES(BOOL, boolean, boolean);
        TAKES(S8, s8, s);
        TAKES(S16, s16, s);
        TAKES(S32, s32, s);
        TAKES(S64, s64, s);
        TAKES(U8, u8, u);
        TAKES(U16, u16, u);
        TAKES(U32, u32, u);
        TAKES(U64, u64, u);
        TAKES(F32, f32, f32);
        TAKES(F64, f64, f64);
        TAKES(CHAR, character, character);
    default: break;
    }
#undef TAKES
    return mismatch(t, type);
}

static wasmtime_component_valkind_t kind_of(const struct wave_type *type)
{
    switch (type->kind) {
    case WAVE_STRING: return WASMTIME_COMPONENT_STRING;
    case WAVE_LIST: return WASMTIME_COMPONENT_LIST;
    case WAVE_RECORD: return WASMTIME_COMPONENT_RECORD;
    case WAVE_TUPLE: return WASMTIME_COMPONENT_TUPLE;
    case WAVE_VARIANT: return WASMTIME_COMPONENT_VARIANT;
    case WAVE_ENUM: return WASMTIME_COMPONENT_ENUM;
    case WAVE_OPTION: return WASMTIME_COMPONENT_OPTION;
    case WAVE_RESULT: return WASMTIME_COMPONENT_RESULT;
    case WAVE_FLAGS: return WASMTIME_COMPONENT_FLAGS;
    default: return WASMTIME_COMPONENT_MAP;
    }
}

static int take(struct taking *t, const struct wave_type *type, const wasmtime_component_val_t *from,
                struct wave_value *v)
{
    if (t->values++ >= LIMIT_WAVE_VALUES)
        return err_set(t->e, ERR_LIMIT, "a result of more than %u values", LIMIT_WAVE_VALUES);
    if (type->kind <= WAVE_CHAR)
        return take_scalar(t, type, from, v);
    if (from->kind != kind_of(type))
        return mismatch(t, type);
    switch (type->kind) {
    case WAVE_STRING: return take_text(t, &from->of.string, v);
    case WAVE_LIST: return take_items(t, type, from->of.list.size, from->of.list.data, sizeof(*from), v);
    case WAVE_RECORD: return take_record(t, type, &from->of.record, v);
    case WAVE_TUPLE:
        if (from->of.tuple.size != type->n)
            return mismatch(t, type);
        return take_items(t, type, type->n, from->of.tuple.data, sizeof(*from), v);
    case WAVE_VARIANT: return take_variant(t, type, &from->of.variant, v);
    case WAVE_ENUM: return find_part(t, type, &from->of.enumeration, &v->n);
    case WAVE_OPTION: return take_payload(t, type, from->of.option ? 1 : 0, from->of.option, v);
    case WAVE_RESULT: return take_payload(t, type, from->of.result.is_ok ? 0 : 1, from->of.result.val, v);
    case WAVE_FLAGS: return take_flags(t, type, &from->of.flags, v);
    default: return take_map(t, type, &from->of.map, v);
    }
}

int runner_values_take(const struct wave_type *type, const wasmtime_component_val_t *value,
                       struct wave_value *ret, struct err *e)
{
    struct taking t = {.e = e};
    struct wave_value v = {.u = 0};
    int r = take(&t, type, value, &v);
    if (r == 0)
        *ret = v;
    else
        wave_value_done(type, &v);
    return r;
}
