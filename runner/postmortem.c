/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/postmortem.h"

#include "base/log.h"
#include "runner/coredump.h"

/* What is gathered; the names are the engine's, and live as long as the vectors here. */
struct findings {
    wasm_frame_vec_t trace;
    wasm_exporttype_vec_t exports;
    struct bytes *modules; /* one for each name */
    struct runner_coredump_frame *frames;
    struct runner_coredump_memory *memories;
    struct runner_coredump_global *globals;
    size_t n_modules, n_memories, n_globals;
};

static void findings_done(struct findings *f)
{
    wasm_frame_vec_delete(&f->trace);
    wasm_exporttype_vec_delete(&f->exports);
    free(f->modules);
    free(f->frames);
    free(f->memories);
    free(f->globals);
}

static struct bytes name_of(const wasm_name_t *name, struct bytes otherwise)
{
    return name && name->size > 0 ? bytes_of(name->data, name->size) : otherwise;
}

static uint32_t module_index(struct findings *f, struct bytes name)
{
    size_t i = 0;
    while (i < f->n_modules && !bytes_eq(f->modules[i], name))
        i++;
    if (i == f->n_modules)
        f->modules[f->n_modules++] = name;
    return (uint32_t)i;
}

/* The guest's own module is the one that was called first, which is the oldest frame's. */
static int gather_frames(struct findings *f, struct bytes process, struct err *e)
{
    const size_t n = f->trace.size;
    f->modules = calloc(n + 1, sizeof(*f->modules));
    f->frames = calloc(n + 1, sizeof(*f->frames));
    if (!f->modules || !f->frames)
        return err_nomem(e);
    for (size_t i = n; i-- > 0;) {
        const wasm_frame_t *frame = f->trace.data[i];
        const size_t offset = wasm_frame_func_offset(frame);
        f->frames[i] = (struct runner_coredump_frame){
            module_index(f, name_of(wasmtime_frame_module_name(frame), process)),
            wasm_frame_func_index(frame), offset < UINT32_MAX ? (uint32_t)offset : 0};
    }
    if (n == 0)
        (void)module_index(f, process);
    return 0;
}

static void add_memory(struct findings *f, wasmtime_context_t *context, struct bytes name,
                       const wasmtime_memory_t *memory)
{
    wasm_memorytype_t *type = wasmtime_memory_type(context, memory);
    struct runner_coredump_memory m = {.name = name,
                                       .ptr = wasmtime_memory_data(context, memory),
                                       .size = wasmtime_memory_data_size(context, memory),
                                       .page_log2 = wasmtime_memorytype_page_size_log2(type),
                                       .is_64 = wasmtime_memorytype_is64(type)};
    m.has_max = wasmtime_memorytype_maximum(type, &m.max);
    wasm_memorytype_delete(type);
    f->memories[f->n_memories++] = m;
}

static void add_global(struct findings *f, wasmtime_context_t *context, struct bytes name,
                       const wasmtime_global_t *global)
{
    wasmtime_val_t v;
    struct runner_coredump_global g = {.name = name};
    wasmtime_global_get(context, global, &v);
    switch (v.kind) {
    case WASMTIME_I32:
        g.type = COREDUMP_I32;
        g.bits = (uint32_t)v.of.i32;
        break;
    case WASMTIME_I64:
        g.type = COREDUMP_I64;
        g.bits = (uint64_t)v.of.i64;
        break;
    case WASMTIME_F32:
        g.type = COREDUMP_F32;
        memcpy(&g.bits, &v.of.f32, sizeof(v.of.f32));
        break;
    case WASMTIME_F64:
        g.type = COREDUMP_F64;
        memcpy(&g.bits, &v.of.f64, sizeof(v.of.f64));
        break;
    default: break;
    }
    wasmtime_val_unroot(&v);
    if (g.type)
        f->globals[f->n_globals++] = g;
}

static void add_export(struct findings *f, wasmtime_context_t *context, struct bytes name,
                       const wasmtime_extern_t *item)
{
    if (item->kind == WASMTIME_EXTERN_MEMORY)
        add_memory(f, context, name, &item->of.memory);
    else if (item->kind == WASMTIME_EXTERN_GLOBAL)
        add_global(f, context, name, &item->of.global);
}

static int gather_state(struct findings *f, wasmtime_context_t *context, const wasmtime_instance_t *instance,
                        const wasmtime_module_t *module, struct err *e)
{
    wasmtime_module_exports(module, &f->exports);
    const size_t n = f->exports.size;
    f->memories = calloc(n + 1, sizeof(*f->memories));
    f->globals = calloc(n + 1, sizeof(*f->globals));
    if (!f->memories || !f->globals)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++) {
        const struct bytes name = name_of(wasm_exporttype_name(f->exports.data[i]), BYTES_NONE);
        wasmtime_extern_t item;
        if (!wasmtime_instance_export_get(context, instance, (const char *)name.ptr, name.len, &item))
            continue;
        add_export(f, context, name, &item);
        wasmtime_extern_delete(&item);
    }
    return 0;
}

/* An end that the guest asked for is none to look into, and neither is a failure to put it together. */
static bool is_of_interest(const struct runner_outcome *o, const struct findings *f)
{
    int status;
    if (o->exited || (o->error && wasmtime_error_exit_status(o->error, &status)))
        return false;
    return (o->trap || o->error) && (o->called || f->trace.size > 0);
}

static int write_dump(const struct findings *f, struct bytes process, struct sink *to, struct err *e)
{
    const struct runner_coredump d = {.process = process,
                                      .modules = f->modules,
                                      .n_modules = f->n_modules,
                                      .frames = f->frames,
                                      .n_frames = f->trace.size,
                                      .memories = f->memories,
                                      .n_memories = f->n_memories,
                                      .globals = f->globals,
                                      .n_globals = f->n_globals};
    int r = runner_coredump_write(&d, to, e);
    return r == 0 ? sink_commit(to, e) : r;
}

bool runner_postmortem(const struct runner_program *p, const struct runner_grants *grants, bool in_time,
                       wasmtime_store_t *store, const struct runner_outcome *o)
{
    const struct bytes process = bytes_str(grants->argc ? grants->argv[0] : "guest");
    AUTO_DONE(findings) f = {.n_modules = 0};
    struct err why = ERR_INIT;
    if (!grants->coredump)
        return false;
    if (o->trap)
        wasm_trap_trace(o->trap, &f.trace);
    else if (o->error)
        wasmtime_error_wasm_trace(o->error, &f.trace);
    bool done = in_time && is_of_interest(o, &f);
    if (done) {
        int r = gather_frames(&f, process, &why);
        if (r == 0 && o->instantiated)
            r = gather_state(&f, wasmtime_store_context(store), &o->instance, p->code.module, &why);
        if (r == 0)
            r = write_dump(&f, process, grants->coredump, &why);
        if (r != 0)
            log_warn("there is no core dump: %s", why.msg);
        done = r == 0;
    }
    sink_abort(grants->coredump);
    return done;
}
