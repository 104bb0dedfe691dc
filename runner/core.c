/* SPDX-License-Identifier: Apache-2.0 */
/* Core modules on WASI preview 1: the "command" of its application ABI, entered by `_start`. */
#include "runner/failure.h"
#include "runner/guest.h"
#include "runner/shadow.h"

#define PREVIEW1 "wasi_snapshot_preview1"

/* The engine's own proc_exit takes statuses below 126 only; POSIX programs use all 8 bits. */
static wasm_trap_t *proc_exit(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *args, size_t n_args,
                              wasmtime_val_t *results, size_t n_results)
{
    struct runner_outcome *o = wasmtime_context_get_data(wasmtime_caller_context(caller));
    static const char why[] = "exit";
    (void)env, (void)results, (void)n_results;
    o->exited = true;
    o->status = n_args == 1 ? args[0].of.i32 & 0xff : 0;
    return wasmtime_trap_new(why, sizeof(why) - 1);
}

static wasmtime_error_t *define_proc_exit(wasmtime_linker_t *linker)
{
    static const char module[] = PREVIEW1, name[] = "proc_exit";
    wasm_functype_t *type = wasm_functype_new_1_0(wasm_valtype_new_i32());
    wasmtime_linker_allow_shadowing(linker, true);
    wasmtime_error_t *error = wasmtime_linker_define_func(linker, module, sizeof(module) - 1, name,
                                                          sizeof(name) - 1, type, proc_exit, NULL, NULL);
    wasm_functype_delete(type);
    return error;
}

static bool takes_and_gives_nothing(wasmtime_context_t *context, const wasmtime_func_t *func)
{
    wasm_functype_t *type = wasmtime_func_type(context, func);
    bool nothing = wasm_functype_params(type)->size == 0 && wasm_functype_results(type)->size == 0;
    wasm_functype_delete(type);
    return nothing;
}

static int find_start(wasmtime_context_t *context, const wasmtime_instance_t *instance, wasmtime_func_t *ret,
                      struct err *e)
{
    static const char name[] = "_start";
    wasmtime_extern_t item;
    if (!wasmtime_instance_export_get(context, instance, name, sizeof(name) - 1, &item))
        return err_set(e, ERR_NOT_RUNNABLE, "it exports no _start: a library, or made for another host");
    bool ok = item.kind == WASMTIME_EXTERN_FUNC && takes_and_gives_nothing(context, &item.of.func);
    if (ok)
        *ret = item.of.func;
    wasmtime_extern_delete(&item);
    return ok ? 0
              : err_set(e, ERR_NOT_RUNNABLE, "its _start is not a function without parameters and results");
}

int runner_core_link(struct runner_program *p, struct err *e)
{
    p->linker = wasmtime_linker_new(p->host->engine);
    wasmtime_error_t *error = wasmtime_linker_define_wasi(p->linker);
    if (!error)
        error = define_proc_exit(p->linker);
    if (!error)
        error = runner_shadow_core(p->linker, PREVIEW1, p->host->conf->deterministic);
    if (error)
        return runner_failure_set(e, ERR_OTHER, error);
    error = wasmtime_linker_instantiate_pre(p->linker, p->code.module, &p->pre);
    return error ? runner_failure_set(e, ERR_NOT_RUNNABLE, error) : 0;
}

int runner_core_start(const struct runner_program *p, wasmtime_store_t *store, struct runner_outcome *o,
                      struct err *e)
{
    wasmtime_context_t *context = wasmtime_store_context(store);
    wasmtime_instance_t instance;
    wasmtime_func_t start;
    o->error = wasmtime_instance_pre_instantiate(p->pre, context, &instance, &o->trap);
    if (o->error || o->trap)
        return 0;
    int r = find_start(context, &instance, &start, e);
    if (r != 0)
        return r;
    o->called = true;
    o->error = wasmtime_func_call(context, &start, NULL, 0, NULL, 0, &o->trap);
    return 0;
}
