/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/paths.h"

#include "runner/failure.h"
#include "runner/guest.h"
#include "runner/memory.h"
#include "runner/shadow.h"

#include <stdlib.h>

/* WebAssembly/WASI, legacy/preview1/docs.md. All give an errno. */
static const struct path_function {
    const char *name, *params; /* i: i32, I: i64 */
    unsigned path;             /* which parameter is the path's address; its length is the next */
} functions[RUNNER_PATHS] = {
    {"path_create_directory", "iii", 1},
    {"path_filestat_get", "iiiii", 2},
    {"path_filestat_set_times", "iiiiIIi", 2},
    {"path_link", "iiiiiii", 2},
    {"path_open", "iiiiiIIii", 2},
    {"path_readlink", "iiiiii", 1},
    {"path_remove_directory", "iii", 1},
    {"path_rename", "iiiiii", 1},
    {"path_symlink", "iiiii", 3},
    {"path_unlink_file", "iii", 1},
};

/* --- The module between: WebAssembly core specification 3.0, chapter 5. --- */

enum { SECTION_TYPE = 1, SECTION_IMPORT = 2, SECTION_FUNCTION = 3, SECTION_EXPORT = 7, SECTION_CODE = 10 };
enum {
    I32 = 0x7f,
    I64 = 0x7e,
    FUNCTION_TYPE = 0x60,
    KIND_FUNC = 0,
    KIND_MEMORY = 2,
    CALL = 0x10,
    LOCAL_GET = 0x20,
    END = 0x0b
};

static void put_name(struct buf *out, const char *name)
{
    buf_append_leb32(out, (uint32_t)strlen(name));
    buf_append_str(out, name);
}

static void put_type(struct buf *out, const struct path_function *f)
{
    buf_append_u8(out, FUNCTION_TYPE);
    buf_append_leb32(out, (uint32_t)strlen(f->params));
    for (const char *p = f->params; *p; p++)
        buf_append_u8(out, *p == 'I' ? I64 : I32);
    buf_append_u8(out, 1);
    buf_append_u8(out, I32);
}

static void put_import(struct buf *out, const char *wasi, uint32_t i)
{
    put_name(out, wasi);
    put_name(out, functions[i].name);
    buf_append_u8(out, KIND_FUNC);
    buf_append_leb32(out, i);
}

static void put_export(struct buf *out, uint32_t i)
{
    put_name(out, functions[i].name);
    buf_append_u8(out, KIND_FUNC);
    buf_append_leb32(out, RUNNER_PATHS + i);
}

/* No locals; all parameters, a call, the end. */
static void put_code(struct buf *out, uint32_t i)
{
    AUTO_DONE(buf) body = BUF_INIT(256);
    buf_append_u8(&body, 0);
    for (uint32_t k = 0; functions[i].params[k]; k++) {
        buf_append_u8(&body, LOCAL_GET);
        buf_append_leb32(&body, k);
    }
    buf_append_u8(&body, CALL);
    buf_append_leb32(&body, i);
    buf_append_u8(&body, END);
    buf_append_leb32(out, (uint32_t)body.len);
    buf_append_bytes(out, buf_bytes(&body));
}

static void put_section(struct buf *out, uint8_t id, const char *wasi)
{
    static const char memory[] = "memory";
    AUTO_DONE(buf) s = BUF_INIT(4096);
    const bool with_memory = id == SECTION_IMPORT || id == SECTION_EXPORT;
    buf_append_leb32(&s, RUNNER_PATHS + with_memory);
    for (uint32_t i = 0; i < RUNNER_PATHS; i++) {
        switch (id) {
        case SECTION_TYPE: put_type(&s, &functions[i]); break;
        case SECTION_IMPORT: put_import(&s, wasi, i); break;
        case SECTION_FUNCTION: buf_append_leb32(&s, i); break;
        case SECTION_EXPORT: put_export(&s, i); break;
        default: put_code(&s, i); break;
        }
    }
    if (with_memory) {
        if (id == SECTION_IMPORT)
            put_name(&s, "guest");
        put_name(&s, memory);
        buf_append_u8(&s, KIND_MEMORY);
        buf_append_u8(&s, 0); /* imported: no maximum; exported: memory 0 */
        if (id == SECTION_IMPORT)
            buf_append_u8(&s, 0); /* at least no page */
    }
    buf_append_u8(out, id);
    buf_append_leb32(out, (uint32_t)s.len);
    buf_append_bytes(out, buf_bytes(&s));
}

void runner_paths_module(const char *wasi, struct buf *out)
{
    static const uint8_t sections[] = {SECTION_TYPE, SECTION_IMPORT, SECTION_FUNCTION, SECTION_EXPORT,
                                       SECTION_CODE};
    buf_append(out, "\0asm\1\0\0\0", 8);
    for (size_t i = 0; i < sizeof(sections); i++)
        put_section(out, sections[i], wasi);
}

/* --- Calls. --- */

static bool get_imports(const struct runner_paths *p, wasmtime_caller_t *caller, wasmtime_extern_t *ret)
{
    static const char wasi[] = RUNNER_PREVIEW1, memory[] = "memory";
    wasmtime_context_t *context = wasmtime_caller_context(caller);
    for (size_t i = 0; i < RUNNER_PATHS; i++)
        if (!wasmtime_linker_get(p->engines, context, wasi, sizeof(wasi) - 1, functions[i].name,
                                 strlen(functions[i].name), &ret[i]))
            return false;
    return wasmtime_caller_export_get(caller, memory, sizeof(memory) - 1, &ret[RUNNER_PATHS]);
}

/* With the first call of a run, since there is no memory before. */
static wasm_trap_t *make_ready(struct runner_paths_run *run, wasmtime_caller_t *caller)
{
    static const char none[] = "the module exports no memory that WASI could work on";
    wasmtime_context_t *context = wasmtime_caller_context(caller);
    wasmtime_extern_t imports[RUNNER_PATHS + 1], item;
    wasmtime_instance_t instance;
    wasm_trap_t *trap = NULL;
    if (!get_imports(run->paths, caller, imports))
        return wasmtime_trap_new(none, sizeof(none) - 1);
    wasmtime_error_t *error = wasmtime_instance_new(context, run->paths->between.module, imports,
                                                    RUNNER_PATHS + 1, &instance, &trap);
    if (error || trap)
        return error ? runner_failure_trap(error) : trap;
    for (size_t i = 0; i < RUNNER_PATHS; i++) {
        if (!wasmtime_instance_export_get(context, &instance, functions[i].name, strlen(functions[i].name),
                                          &item))
            return wasmtime_trap_new(none, sizeof(none) - 1);
        run->functions[i] = item.of.func;
    }
    run->ready = true;
    return NULL;
}

/* The answers that say "this is not yours"; others, as that there is no such file, are no denial. */
static const char *denial(int32_t errno_)
{
    switch (errno_) {
    case 63: return "perm";
    case 69: return "rofs";
    case 76: return "notcapable";
    default: return NULL;
    }
}

static wasm_trap_t *call(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *v, size_t n)
{
    const struct path_function *f = env;
    wasmtime_context_t *context = wasmtime_caller_context(caller);
    struct runner_outcome *o = wasmtime_context_get_data(context);
    const uint32_t address = (uint32_t)v[f->path].i32, len = (uint32_t)v[f->path + 1].i32;
    wasm_trap_t *trap = o->paths.ready ? NULL : make_ready(&o->paths, caller);
    if (trap)
        return trap;
    wasmtime_error_t *error =
        wasmtime_func_call_unchecked(context, &o->paths.functions[f - functions], v, n, &trap);
    if (error)
        return runner_failure_trap(error);
    const char *why = trap ? NULL : denial(v[0].i32);
    if (why) {
        const struct runner_memory m = runner_memory_of(caller);
        const uint8_t *path = runner_memory_at(&m, address, len);
        runner_session_denied(&o->session, "wasi:filesystem", f->name, bytes_of(path, path ? len : 0), why);
    }
    return trap;
}

/* What a module on wasi_unstable calls comes from modules with memories of their own, and there is one memory
 * that the module between works on: such calls are not looked at. */
static bool imports_any(const wasmtime_module_t *module, const char *wasi)
{
    wasm_importtype_vec_t imports;
    bool any = false, unstable = false;
    wasmtime_module_imports(module, &imports);
    for (size_t i = 0; i < imports.size; i++) {
        struct bytes from = runner_name_bytes(wasm_importtype_module(imports.data[i]));
        unstable |= bytes_eq_str(from, RUNNER_UNSTABLE);
        any |= bytes_eq_str(from, wasi) &&
               bytes_starts(runner_name_bytes(wasm_importtype_name(imports.data[i])), BYTES_LIT("path_"));
    }
    wasm_importtype_vec_delete(&imports);
    return any && !unstable;
}

static wasmtime_error_t *define(wasmtime_linker_t *linker, const char *wasi)
{
    wasmtime_error_t *error = NULL;
    for (size_t i = 0; !error && i < RUNNER_PATHS; i++) {
        wasm_functype_t *type = runner_errno_function(functions[i].params);
        error = wasmtime_linker_define_func_unchecked(linker, wasi, strlen(wasi), functions[i].name,
                                                      strlen(functions[i].name), type, call,
                                                      (void *)(uintptr_t)&functions[i], NULL);
        wasm_functype_delete(type);
    }
    return error;
}

int runner_paths_link(wasm_engine_t *engine, const struct runner_conf *conf, const wasmtime_module_t *module,
                      const char *wasi, const wasmtime_linker_t *engines, wasmtime_linker_t *linker,
                      struct runner_paths **ret, struct err *e)
{
    AUTO_DONE(buf) binary = BUF_INIT(8192);
    if (!imports_any(module, wasi))
        return 0;
    struct runner_paths *p = calloc(1, sizeof(*p));
    if (!p)
        return err_nomem(e);
    runner_paths_module(RUNNER_PREVIEW1, &binary);
    int r = buf_check(&binary, e);
    if (r == 0)
        r = runner_module_load(engine, buf_bytes(&binary), NULL, conf, &p->between, NULL, e);
    if (r == 0) {
        p->engines = wasmtime_linker_clone(engines);
        wasmtime_error_t *error = define(linker, wasi);
        r = error ? runner_failure_set(e, ERR_OTHER, error) : 0;
    }
    if (r == 0)
        *ret = p;
    else
        runner_paths_free(p);
    return r;
}

void runner_paths_free(struct runner_paths *p)
{
    if (!p)
        return;
    wasmtime_linker_drop(p->engines);
    runner_module_done(&p->between);
    free(p);
}
