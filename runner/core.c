/* SPDX-License-Identifier: Apache-2.0 */
/* Core modules on WASI preview 1: the commands and the reactors of its application ABI. */
#include "base/log.h"
#include "base/stopwatch.h"
#include "runner/failure.h"
#include "runner/guest.h"
#include "runner/invoke.h"
#include "runner/shadow.h"

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

static wasmtime_error_t *define_proc_exit(wasmtime_linker_t *linker, const char *module)
{
    static const char name[] = "proc_exit";
    wasm_functype_t *type = wasm_functype_new_1_0(wasm_valtype_new_i32());
    wasmtime_error_t *error = wasmtime_linker_define_func(linker, module, strlen(module), name,
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

static bool get_func(wasmtime_context_t *context, const wasmtime_instance_t *instance, const char *name,
                     wasmtime_func_t *ret)
{
    wasmtime_extern_t item;
    if (!wasmtime_instance_export_get(context, instance, name, strlen(name), &item))
        return false;
    bool ok = item.kind == WASMTIME_EXTERN_FUNC;
    if (ok)
        *ret = item.of.func;
    wasmtime_extern_delete(&item);
    return ok;
}

/* What each of the two kinds of the application ABI is entered by: `_start` runs a command to its end,
 * `_initialize` makes a reactor ready for calls. */
static int find_entry(wasmtime_context_t *context, const wasmtime_instance_t *instance, const char *name,
                      wasmtime_func_t *ret, struct err *e)
{
    if (!get_func(context, instance, name, ret))
        return ERR_NOTFOUND;
    if (takes_and_gives_nothing(context, ret))
        return 0;
    return err_set(e, ERR_NOT_RUNNABLE, "its %s is not a function without parameters and results", name);
}

static int no_start(bool is_reactor, struct err *e)
{
    return err_set(e, ERR_NOT_RUNNABLE, "%s",
                   is_reactor ? "it is a reactor, whose functions are called with --invoke"
                              : "it exports no _start: a library (see --invoke), or made for another host");
}

static int run_command(wasmtime_context_t *context, const wasmtime_instance_t *instance,
                       struct runner_outcome *o, struct err *e)
{
    wasmtime_func_t start;
    int r = find_entry(context, instance, "_start", &start, e);
    if (r == ERR_NOTFOUND)
        return no_start(get_func(context, instance, "_initialize", &start), e);
    if (r != 0)
        return r;
    o->called = true;
    o->error = wasmtime_func_call(context, &start, NULL, 0, NULL, 0, &o->trap);
    return 0;
}

static int run_call(wasmtime_context_t *context, const wasmtime_instance_t *instance, const char *name,
                    const struct runner_call *call, struct runner_outcome *o, struct err *e)
{
    wasmtime_func_t initialize, func;
    int r = find_entry(context, instance, "_initialize", &initialize, e);
    if (r != 0 && r != ERR_NOTFOUND)
        return r;
    if (r == 0 && strcmp(name, "_initialize") != 0) {
        o->called = true;
        o->error = wasmtime_func_call(context, &initialize, NULL, 0, NULL, 0, &o->trap);
        if (o->error || o->trap)
            return 0;
    }
    if (!get_func(context, instance, name, &func))
        return err_set(e, ERR_OTHER, "the engine does not find its own export");
    return runner_core_call(call, context, &func, o, e);
}

/* The engine's own functions, and those that are put over them. */
static wasmtime_error_t *define_wasi(struct runner_program *p)
{
    const struct runner_conf *conf = p->host->conf;
    struct err why = ERR_INIT;
    wasmtime_error_t *error = wasmtime_linker_define_wasi(p->linker);
    if (error)
        return error;
    wasmtime_linker_allow_shadowing(p->linker, true);
    if (conf->has_dirs && runner_paths_link(p->host->engine, conf, p->code.module, RUNNER_PREVIEW1, p->linker,
                                            p->linker, &p->paths, &why) != 0)
        log_warn("files that the guest is denied will not be logged: %s", why.msg);
    error = define_proc_exit(p->linker, RUNNER_PREVIEW1);
    if (!error)
        error = define_proc_exit(p->linker, RUNNER_UNSTABLE);
    return error ? error : runner_shadow_core(p->linker, RUNNER_PREVIEW1, conf->deterministic);
}

int runner_core_link(struct runner_program *p, struct err *e)
{
    p->linker = wasmtime_linker_new(p->host->engine);
    wasmtime_error_t *error = define_wasi(p);
    if (error)
        return runner_failure_set(e, ERR_OTHER, error);
    int r = runner_unstable_link(p->host->engine, p->host->conf, p->linker, p->code.module, &p->unstable, e);
    if (r != 0)
        return r;
    error = wasmtime_linker_instantiate_pre(p->linker, p->code.module, &p->pre);
    return error ? runner_failure_set(e, ERR_NOT_RUNNABLE, error) : 0;
}

static bool exports_func(const wasmtime_module_t *module, const char *name)
{
    wasm_exporttype_vec_t exports;
    bool found = false;
    wasmtime_module_exports(module, &exports);
    for (size_t i = 0; !found && i < exports.size; i++) {
        const wasm_name_t *n = wasm_exporttype_name(exports.data[i]);
        found = bytes_eq_str(bytes_of(n->data, n->size), name) &&
                wasm_externtype_kind(wasm_exporttype_type(exports.data[i])) == WASM_EXTERN_FUNC;
    }
    wasm_exporttype_vec_delete(&exports);
    return found;
}

int runner_core_check(const struct runner_program *p, const struct runner_invoke *invoke, struct err *e)
{
    AUTO_DONE(runner_call) call = {.params = NULL};
    if (invoke)
        return runner_core_call_prepare(p, invoke, &call, e);
    if (exports_func(p->code.module, "_start"))
        return 0;
    return no_start(exports_func(p->code.module, "_initialize"), e);
}

int runner_core_start(const struct runner_program *p, const struct runner_invoke *invoke,
                      wasmtime_store_t *store, struct runner_outcome *o, struct err *e)
{
    wasmtime_context_t *context = wasmtime_store_context(store);
    AUTO_DONE(runner_call) call = {.params = NULL};
    int r = invoke ? runner_core_call_prepare(p, invoke, &call, e) : 0;
    if (r != 0)
        return r;
    o->paths.paths = p->paths;
    o->error = wasmtime_instance_pre_instantiate(p->pre, context, &o->instance, &o->trap);
    if (o->error || o->trap)
        return 0;
    o->instantiated = true;
    o->instantiated_ns = stopwatch_ns();
    return invoke ? run_call(context, &o->instance, invoke->call, &call, o, e)
                  : run_command(context, &o->instance, o, e);
}
