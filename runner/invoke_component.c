/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of components, also those of the instances that they export. */
#include "runner/invoke.h"

#include "base/limits.h"
#include "base/text.h"

#include <stdio.h>

#define PATH_MAX_ 8

/* A walk over all exported functions, looking for one. */
struct search {
    const wasm_engine_t *engine;
    const wasmtime_component_t *component;
    struct bytes name;
    const char *path[PATH_MAX_]; /* of where the walk is */
    size_t depth, seen;
    int best;                             /* as runner_export_match */
    size_t found;                         /* functions that match that well */
    wasmtime_component_func_type_t *type; /* of the first of them */
    wasmtime_component_export_index_t *func;
    struct buf all, matching; /* their names */
    struct err *e;
};

static void search_done(struct search *s)
{
    wasmtime_component_func_type_t_drop(s->type);
    wasmtime_component_export_index_t_drop(s->func);
    buf_done(&s->all);
    buf_done(&s->matching);
}

static void say_path(const struct search *s, struct buf *out)
{
    if (out->len > ERR_MSG_MAX)
        return;
    buf_append_str(out, out->len ? ", " : "");
    for (size_t i = 0; i < s->depth; i++)
        buf_printf(out, "%s%s", i ? "#" : "", s->path[i]);
}

/* What is at the path, by which an instance hands it out. */
static wasmtime_component_export_index_t *index_of_path(const struct search *s)
{
    wasmtime_component_export_index_t *at = NULL;
    for (size_t i = 0; i < s->depth; i++) {
        AUTO(wasmtime_component_export_index_t) in = at;
        at = wasmtime_component_get_export_index(s->component, in, s->path[i], strlen(s->path[i]));
        if (!at)
            return NULL;
    }
    return at;
}

static int visit_func(struct search *s, const wasmtime_component_func_type_t *type)
{
    int fits = runner_export_match(s->path, s->depth, s->name);
    if (s->seen++ >= LIMIT_INVOKE_EXPORTS)
        return err_set(s->e, ERR_LIMIT, "it exports more than %u functions", LIMIT_INVOKE_EXPORTS);
    say_path(s, &s->all);
    if (fits == 0 || fits < s->best)
        return 0;
    if (fits > s->best) {
        s->best = fits;
        s->found = 0;
        buf_reset(&s->matching);
    }
    say_path(s, &s->matching);
    if (s->found++ > 0)
        return 0;
    wasmtime_component_func_type_t_drop(s->type);
    wasmtime_component_export_index_t_drop(s->func);
    s->type = wasmtime_component_func_type_clone(type);
    s->func = index_of_path(s);
    return s->func ? 0 : err_set(s->e, ERR_OTHER, "the engine does not find its own export");
}

static int visit_instance(struct search *s, const wasmtime_component_instance_type_t *type);

static int visit(struct search *s, const char *name, size_t len, const wasmtime_component_item_t *item)
{
    bool instance = item->kind == WASMTIME_COMPONENT_ITEM_COMPONENT_INSTANCE;
    if (!instance && item->kind != WASMTIME_COMPONENT_ITEM_COMPONENT_FUNC)
        return 0;
    if (s->depth == PATH_MAX_)
        return 0;
    AUTO_FREE char *copy = strndup(name, len);
    if (!copy)
        return err_nomem(s->e);
    s->path[s->depth++] = copy;
    int r =
        instance ? visit_instance(s, item->of.component_instance) : visit_func(s, item->of.component_func);
    s->path[--s->depth] = NULL;
    return r;
}

/* Asking for the n-th export is as slow as counting to n. */
static int check_count(const struct search *s, size_t n)
{
    return n <= LIMIT_INVOKE_EXPORTS
               ? 0
               : err_set(s->e, ERR_LIMIT, "it exports more than %u things", LIMIT_INVOKE_EXPORTS);
}

static int visit_instance(struct search *s, const wasmtime_component_instance_type_t *type)
{
    const size_t n = wasmtime_component_instance_type_export_count(type, s->engine);
    int r = check_count(s, n);
    for (size_t i = 0; r == 0 && i < n; i++) {
        wasmtime_component_item_t item;
        const char *name;
        size_t len;
        if (!wasmtime_component_instance_type_export_nth(type, s->engine, i, &name, &len, &item))
            break;
        r = visit(s, name, len, &item);
        wasmtime_component_item_delete(&item);
    }
    return r;
}

static int visit_all(struct search *s)
{
    wasmtime_component_type_t *type = wasmtime_component_type(s->component);
    const size_t n = wasmtime_component_type_export_count(type, s->engine);
    int r = check_count(s, n);
    for (size_t i = 0; r == 0 && i < n; i++) {
        wasmtime_component_item_t item;
        const char *name;
        size_t len;
        if (!wasmtime_component_type_export_nth(type, s->engine, i, &name, &len, &item))
            break;
        r = visit(s, name, len, &item);
        wasmtime_component_item_delete(&item);
    }
    wasmtime_component_type_delete(type);
    return r;
}

static int find(struct search *s)
{
    int r = visit_all(s);
    if (r != 0)
        return r;
    if (s->found == 0)
        return runner_exports_say("no function", s->name, "it exports", &s->all, s->e);
    if (s->found > 1)
        return runner_exports_say("several functions", s->name, "write more of one of", &s->matching, s->e);
    return 0;
}

/* The results as those of a core function: a tuple, here of none or one. */
static int results_of(const wasmtime_component_func_type_t *func, struct wave_type **ret, struct err *e)
{
    AUTO(wave_type) result = NULL;
    int r = runner_values_result(func, &result, e);
    if (r != 0)
        return r;
    *ret = wave_type_new(WAVE_TUPLE, result ? 1 : 0);
    if (!*ret)
        return err_nomem(e);
    if (result)
        (*ret)->parts[0].type = TAKE(result);
    return 0;
}

static int prepare(const wasmtime_component_func_type_t *func, struct bytes text, size_t args,
                   struct runner_call *call, struct err *e)
{
    if (wasmtime_component_func_type_async(func))
        return err_set(e, ERR_NOT_RUNNABLE, "it is async, which is of WASI 0.3: only 0.2 is offered");
    int r = runner_values_params(func, &call->params, e);
    if (r == 0)
        r = results_of(func, &call->results, e);
    return r == 0 ? wave_parse_args(call->params, text, args, &call->args, e) : r;
}

int runner_component_call_prepare(const struct runner_program *p, const struct runner_invoke *invoke,
                                  struct runner_call *call, struct err *e)
{
    size_t args;
    char shown[128];
    struct bytes text = bytes_str(invoke->call);
    AUTO_DONE(search)
    s = {.engine = p->host->engine,
         .component = p->code.component,
         .name = wave_call_name(text, &args),
         .all = BUF_INIT(2 * LIMIT_WASM_NAME * PATH_MAX_),
         .matching = BUF_INIT(2 * LIMIT_WASM_NAME * PATH_MAX_),
         .e = e};
    int r = find(&s);
    if (r != 0)
        return r;
    call->json = invoke->json;
    call->nothing = "()";
    call->func = TAKE(s.func);
    r = prepare(s.type, text, args, call, e);
    return r ? err_wrap(e, "function %s", text_escape(s.name, shown, sizeof(shown))) : 0;
}

static int take_results(const struct runner_call *call, const wasmtime_component_val_t *from,
                        struct runner_outcome *o, struct err *e)
{
    struct wave_value one = {.u = 0};
    const struct wave_value results = {.n = call->results->n, .items = &one};
    const struct wave_type *type = results.n ? call->results->parts[0].type : NULL;
    int r = type ? runner_values_take(type, from, &one, e) : 0;
    if (r == 0)
        r = runner_call_print(call, &results, &o->values, e);
    if (type)
        wave_value_done(type, &one);
    return r;
}

int runner_component_call(const struct runner_call *call, wasmtime_context_t *context,
                          const wasmtime_component_func_t *func, struct runner_outcome *o, struct err *e)
{
    const size_t n = call->params->n;
    AUTO_FREE char *memory = calloc(n ? n : 1, sizeof(wasmtime_component_val_t));
    wasmtime_component_val_t *args = (wasmtime_component_val_t *)(void *)memory;
    wasmtime_component_val_t result = {.kind = WASMTIME_COMPONENT_BOOL};
    if (!args)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++)
        runner_values_give(call->params->parts[i].type, &call->args.items[i], &args[i]);
    o->called = true;
    o->error = wasmtime_component_func_call(func, context, args, n, &result, call->results->n);
    for (size_t i = 0; i < n; i++)
        wasmtime_component_val_delete(&args[i]);
    int r = o->error ? 0 : take_results(call, &result, o, e);
    wasmtime_component_val_delete(&result);
    return r;
}
