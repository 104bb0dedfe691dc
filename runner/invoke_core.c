/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of core modules. Their numbers are those of WAVE, and an integer may be meant as signed or not.
 */
#include "runner/invoke.h"

#include "base/limits.h"
#include "base/text.h"

#include <stdio.h>

/* The function of that name; NULL: none. Appends the names of all where they are wanted. */
static const wasm_functype_t *find(const wasm_exporttype_vec_t *exports, struct bytes name, struct buf *names)
{
    for (size_t i = 0; i < exports->size; i++) {
        const wasm_functype_t *func =
            wasm_externtype_as_functype_const(wasm_exporttype_type(exports->data[i]));
        if (!func)
            continue;
        struct bytes is = runner_name_bytes(wasm_exporttype_name(exports->data[i]));
        if (bytes_eq(is, name))
            return func;
        if (names->len < ERR_MSG_MAX) {
            buf_append_str(names, names->len ? ", " : "");
            buf_append_bytes(names, is);
        }
    }
    return NULL;
}

/* The engine's wasm_valtype_kind ends the process over some types, so they are asked for another way. */
static int copy_type(const wasm_valtype_t *from, struct wave_type **ret, struct err *e)
{
    enum wave_kind kind;
    wasmtime_valtype_t type;
    wasmtime_valtype_new(from, &type);
    const uint8_t is = type.kind;
    wasmtime_valtype_delete(&type);
    switch (is) {
    case WASMTIME_VALTYPE_KIND_I32: kind = WAVE_S32; break;
    case WASMTIME_VALTYPE_KIND_I64: kind = WAVE_S64; break;
    case WASMTIME_VALTYPE_KIND_F32: kind = WAVE_F32; break;
    case WASMTIME_VALTYPE_KIND_F64: kind = WAVE_F64; break;
    default:
        return err_set(e, ERR_NOT_RUNNABLE, "%s, whose values cannot be written down",
                       is == WASMTIME_VALTYPE_KIND_V128 ? "a v128" : "a reference");
    }
    *ret = wave_type_new(kind, 0);
    return *ret ? 0 : err_nomem(e);
}

static int copy_types(const wasm_valtype_vec_t *from, enum wave_kind kind, struct wave_type **ret,
                      struct err *e)
{
    AUTO(wave_type) types = wave_type_new(kind, from->size);
    int r = types ? 0 : err_nomem(e);
    for (size_t i = 0; r == 0 && i < from->size; i++)
        r = copy_type(from->data[i], &types->parts[i].type, e);
    if (r == 0)
        *ret = TAKE(types);
    return r;
}

static int read_hex(struct bytes text, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;
    if (text.len < 3 || text.len > 18 || text.ptr[0] != '0' || (text.ptr[1] | 0x20) != 'x')
        return -1;
    for (size_t i = 2; i < text.len; i++) {
        const char digit[] = {(char)text.ptr[i], '\0'};
        char *end;
        value = value << 4 | strtoul(digit, &end, 16);
        if (end == digit || *end)
            return -1;
    }
    *ret = value;
    return value > max ? -1 : 0;
}

static bool read_arg(struct bytes text, enum wave_kind kind, struct wave_value *v, bool *range)
{
    const bool narrow = kind == WAVE_S32;
    const uint64_t max = narrow ? UINT32_MAX : UINT64_MAX;
    double real;
    switch (kind) {
    case WAVE_F32:
        if (!wave_read_float(text, true, &real, range))
            return false;
        v->f32 = (float)real;
        return true;
    case WAVE_F64: return wave_read_float(text, false, &v->f64, range);
    default: break;
    }
    if (read_hex(text, max, &v->u) != 0 &&
        !wave_read_int(text, narrow ? INT32_MIN : INT64_MIN, max, &v->u, range))
        return false;
    if (narrow)
        v->s = (int32_t)(uint32_t)v->u;
    return true;
}

static const char *core_name(enum wave_kind kind)
{
    return kind == WAVE_S32 ? "i32" : kind == WAVE_S64 ? "i64" : wave_kind_name(kind);
}

static int read_args(const struct runner_invoke *invoke, struct runner_call *call, struct err *e)
{
    char shown[64];
    const struct wave_type *params = call->params;
    if (invoke->n_args != params->n)
        return err_set(e, ERR_USAGE, "it takes %zu argument%s, %zu %s given", params->n,
                       params->n == 1 ? "" : "s", invoke->n_args, invoke->n_args == 1 ? "is" : "are");
    call->args.items = calloc(params->n ? params->n : 1, sizeof(*call->args.items));
    if (!call->args.items)
        return err_nomem(e);
    call->args.n = params->n;
    for (size_t i = 0; i < params->n; i++) {
        bool range = false;
        struct bytes text = bytes_str(invoke->args[i]);
        enum wave_kind kind = params->parts[i].type->kind;
        if (!read_arg(text, kind, &call->args.items[i], &range))
            return err_set(e, ERR_USAGE,
                           range ? "argument %zu: %s is out of the range of %s"
                                 : "argument %zu: '%s' is no number (%s)",
                           i + 1, text_escape(text, shown, sizeof(shown)), core_name(kind));
    }
    return 0;
}

static int prepare(const wasm_functype_t *func, const struct runner_invoke *invoke, struct runner_call *call,
                   struct err *e)
{
    int r = copy_types(wasm_functype_params(func), WAVE_RECORD, &call->params, e);
    if (r != 0)
        return err_wrap(e, "its parameters");
    r = copy_types(wasm_functype_results(func), WAVE_TUPLE, &call->results, e);
    if (r != 0)
        return err_wrap(e, "its results");
    return read_args(invoke, call, e);
}

int runner_core_call_prepare(const struct runner_program *p, const struct runner_invoke *invoke,
                             struct runner_call *call, struct err *e)
{
    char shown[128];
    struct bytes name = bytes_str(invoke->call);
    AUTO_DONE(buf) names = BUF_INIT(ERR_MSG_MAX + 2 * LIMIT_WASM_NAME);
    wasm_exporttype_vec_t exports;
    wasmtime_module_exports(p->code.module, &exports);
    const wasm_functype_t *func = find(&exports, name, &names);
    int r = 0;
    call->json = invoke->json;
    if (func)
        r = prepare(func, invoke, call, e);
    wasm_exporttype_vec_delete(&exports);
    if (func)
        return r ? err_wrap(e, "function %s", text_escape(name, shown, sizeof(shown))) : 0;
    if (memchr(name.ptr, '(', name.len))
        return err_set(
            e, ERR_USAGE,
            "it is a core module and no component: its functions take their arguments behind TARGET");
    return runner_exports_say("no function", name, "it exports", &names, e);
}

static void give(enum wave_kind kind, const struct wave_value *v, wasmtime_val_t *ret)
{
    switch (kind) {
    case WAVE_S32: *ret = (wasmtime_val_t){WASMTIME_I32, {.i32 = (int32_t)v->s}}; break;
    case WAVE_S64: *ret = (wasmtime_val_t){WASMTIME_I64, {.i64 = v->s}}; break;
    case WAVE_F32: *ret = (wasmtime_val_t){WASMTIME_F32, {.f32 = v->f32}}; break;
    default: *ret = (wasmtime_val_t){WASMTIME_F64, {.f64 = v->f64}}; break;
    }
}

static void take(const wasmtime_val_t *from, struct wave_value *v)
{
    switch (from->kind) {
    case WASMTIME_I32: v->s = from->of.i32; break;
    case WASMTIME_I64: v->s = from->of.i64; break;
    case WASMTIME_F32: v->f32 = from->of.f32; break;
    default: v->f64 = from->of.f64; break;
    }
}

static int take_results(const struct runner_call *call, const wasmtime_val_t *from, struct runner_outcome *o,
                        struct err *e)
{
    struct wave_value results = {.n = call->results->n};
    results.items = calloc(results.n ? results.n : 1, sizeof(*results.items));
    if (!results.items)
        return err_nomem(e);
    for (size_t i = 0; i < results.n; i++)
        take(&from[i], &results.items[i]);
    int r = runner_call_print(call, &results, &o->values, e);
    wave_value_done(call->results, &results);
    return r;
}

int runner_core_call(const struct runner_call *call, wasmtime_context_t *context, const wasmtime_func_t *func,
                     struct runner_outcome *o, struct err *e)
{
    const size_t n_args = call->params->n, n = n_args + call->results->n;
    AUTO_FREE char *memory = calloc(n ? n : 1, sizeof(wasmtime_val_t));
    wasmtime_val_t *vals = (wasmtime_val_t *)(void *)memory;
    if (!vals)
        return err_nomem(e);
    for (size_t i = 0; i < n_args; i++)
        give(call->params->parts[i].type->kind, &call->args.items[i], &vals[i]);
    o->called = true;
    o->error = wasmtime_func_call(context, func, vals, n_args, vals + n_args, n - n_args, &o->trap);
    return o->error || o->trap ? 0 : take_results(call, vals + n_args, o, e);
}
