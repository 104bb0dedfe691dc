/* SPDX-License-Identifier: Apache-2.0 */
/* Components: of the world wasi:cli/command 0.2, entered by run of wasi:cli/run, or with functions to call.
 */
#include "base/stopwatch.h"
#include "runner/failure.h"
#include "runner/guest.h"
#include "runner/invoke.h"
#include "runner/shadow.h"

static wasmtime_component_export_index_t *find_export(const wasmtime_component_t *component,
                                                      const wasmtime_component_export_index_t *in,
                                                      const char *name)
{
    return wasmtime_component_get_export_index(component, in, name, strlen(name));
}

/* The engine takes a version for any other that is compatible with it: 0.2.0 stands for all of 0.2. NULL:
 * there is none. */
static wasmtime_component_export_index_t *find_run(const wasmtime_component_t *component)
{
    AUTO(wasmtime_component_export_index_t) interface = find_export(component, NULL, "wasi:cli/run@0.2.0");
    return interface ? find_export(component, interface, "run") : NULL;
}

static int no_run(const wasmtime_component_t *component, struct err *e)
{
    AUTO(wasmtime_component_export_index_t) run = find_export(component, NULL, "wasi:cli/run@0.2.0");
    AUTO(wasmtime_component_export_index_t) later = find_export(component, NULL, "wasi:cli/run@0.3.0");
    return err_set(
        e, ERR_NOT_RUNNABLE, "%s",
        run     ? "its wasi:cli/run has no run"
        : later ? "it is made for WASI 0.3 (wasi:cli/run@0.3), only 0.2 is offered"
                : "it exports no wasi:cli/run@0.2: a library (see --invoke), or made for another host");
}

/* The engine cannot convert every type to C, so the function's must be right before it is called. */
static bool is_run_type(const wasmtime_component_func_t *func, wasmtime_context_t *context)
{
    wasmtime_component_valtype_t result;
    AUTO(wasmtime_component_func_type_t) type = wasmtime_component_func_type(func, context);
    if (wasmtime_component_func_type_param_count(type) != 0 ||
        !wasmtime_component_func_type_result(type, &result))
        return false;
    bool ok = result.kind == WASMTIME_COMPONENT_VALTYPE_RESULT;
    if (ok) {
        wasmtime_component_valtype_t payload;
        bool has_ok = wasmtime_component_result_type_ok(result.of.result, &payload);
        if (has_ok)
            wasmtime_component_valtype_delete(&payload);
        bool has_err = wasmtime_component_result_type_err(result.of.result, &payload);
        if (has_err)
            wasmtime_component_valtype_delete(&payload);
        ok = !has_ok && !has_err;
    }
    wasmtime_component_valtype_delete(&result);
    return ok;
}

static int call_run(wasmtime_context_t *context, const wasmtime_component_func_t *func,
                    struct runner_outcome *o, struct err *e)
{
    wasmtime_component_val_t result = {.kind = WASMTIME_COMPONENT_BOOL};
    if (!is_run_type(func, context))
        return err_set(e, ERR_NOT_RUNNABLE,
                       "the run of its wasi:cli/run has another type than func() -> result");
    o->called = true;
    o->error = wasmtime_component_func_call(func, context, NULL, 0, &result, 1);
    if (!o->error) {
        o->status = result.of.result.is_ok ? 0 : 1;
        wasmtime_component_val_delete(&result);
    }
    return 0;
}

int runner_component_link(struct runner_program *p, struct err *e)
{
    p->entry = find_run(p->code.component);
    p->component_linker = wasmtime_component_linker_new(p->host->engine);
    wasmtime_error_t *error = wasmtime_component_linker_add_wasip2(p->component_linker);
    if (!error)
        error = runner_shadow_component(p->component_linker, p->host->conf->deterministic);
    return error ? runner_failure_set(e, ERR_OTHER, error) : 0;
}

int runner_component_check(const struct runner_program *p, const struct runner_invoke *invoke, struct err *e)
{
    AUTO_DONE(runner_call) call = {.params = NULL};
    if (invoke)
        return runner_component_call_prepare(p, invoke, &call, e);
    return p->entry ? 0 : no_run(p->code.component, e);
}

int runner_component_start(const struct runner_program *p, const struct runner_invoke *invoke,
                           wasmtime_store_t *store, struct runner_outcome *o, struct err *e)
{
    wasmtime_context_t *context = wasmtime_store_context(store);
    wasmtime_component_instance_t instance;
    wasmtime_component_func_t func;
    AUTO_DONE(runner_call) call = {.params = NULL};
    int r = invoke ? runner_component_call_prepare(p, invoke, &call, e) : runner_component_check(p, NULL, e);
    if (r != 0)
        return r;
    o->error =
        wasmtime_component_linker_instantiate(p->component_linker, context, p->code.component, &instance);
    if (o->error)
        return 0;
    o->instantiated_ns = stopwatch_ns();
    if (!wasmtime_component_instance_get_func(&instance, context, invoke ? call.func : p->entry, &func))
        return err_set(e, ERR_NOT_RUNNABLE, "the run of its wasi:cli/run is not a function");
    return invoke ? runner_component_call(&call, context, &func, o, e) : call_run(context, &func, o, e);
}
