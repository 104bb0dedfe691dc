/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/unstable.h"

#include "runner/failure.h"
#include "runner/guest.h"
#include "runner/shadow.h"

/* The functions of snapshot 0; all return an errno. i: i32, I: i64. */
static const struct function {
    const char *name, *params;
    bool converts; /* it is one of the second module */
} functions[] = {
    {"args_get", "ii", false},
    {"args_sizes_get", "ii", false},
    {"environ_get", "ii", false},
    {"environ_sizes_get", "ii", false},
    {"clock_res_get", "ii", false},
    {"clock_time_get", "iIi", false},
    {"fd_advise", "iIIi", false},
    {"fd_allocate", "iII", false},
    {"fd_close", "i", false},
    {"fd_datasync", "i", false},
    {"fd_fdstat_get", "ii", false},
    {"fd_fdstat_set_flags", "ii", false},
    {"fd_fdstat_set_rights", "iII", false},
    {"fd_filestat_get", "ii", true},
    {"fd_filestat_set_size", "iI", false},
    {"fd_filestat_set_times", "iIIi", false},
    {"fd_pread", "iiiIi", false},
    {"fd_prestat_get", "ii", false},
    {"fd_prestat_dir_name", "iii", false},
    {"fd_pwrite", "iiiIi", false},
    {"fd_read", "iiii", false},
    {"fd_readdir", "iiiIi", false},
    {"fd_renumber", "ii", false},
    {"fd_seek", "iIii", false},
    {"fd_sync", "i", false},
    {"fd_tell", "ii", false},
    {"fd_write", "iiii", false},
    {"path_create_directory", "iii", false},
    {"path_filestat_get", "iiiii", true},
    {"path_filestat_set_times", "iiiiIIi", false},
    {"path_link", "iiiiiii", false},
    {"path_open", "iiiiiIIii", false},
    {"path_readlink", "iiiiii", false},
    {"path_remove_directory", "iii", false},
    {"path_rename", "iiiiii", false},
    {"path_symlink", "iiiii", false},
    {"path_unlink_file", "iii", false},
    {"poll_oneoff", "iiii", true},
    {"proc_raise", "i", false},
    {"random_get", "ii", false},
    {"sched_yield", "", false},
    {"sock_recv", "iiiiii", false},
    {"sock_send", "iiiii", false},
    {"sock_shutdown", "ii", false},
};

/* The second module: a memory of its own takes what preview 1 writes, and is given what it reads. filestat
 * has 32 bits for nlink in place of 64, the subscription to a clock 64 more in front. */
static const char converting[] =
    "(module"
    " (import \"" RUNNER_PREVIEW1 "\" \"fd_filestat_get\" (func $fd (param i32 i32) (result i32)))"
    " (import \"" RUNNER_PREVIEW1
    "\" \"path_filestat_get\" (func $path (param i32 i32 i32 i32 i32) (result i32)))"
    " (import \"" RUNNER_PREVIEW1 "\" \"poll_oneoff\" (func $poll (param i32 i32 i32 i32) (result i32)))"
    " (import \"guest\" \"memory\" (memory $guest 0))"
    " (memory $own (export \"memory\") 1)"
    " (func $give (param $to i32)"
    "  (i64.store $guest (local.get $to) (i64.load $own (i32.const 0)))"
    "  (i64.store $guest offset=8 (local.get $to) (i64.load $own (i32.const 8)))"
    "  (i32.store $guest offset=16 (local.get $to) (i32.load8_u $own (i32.const 16)))"
    "  (i32.store $guest offset=20 (local.get $to)"
    "   (select (i32.const -1) (i32.load $own (i32.const 24)) (i32.load $own (i32.const 28))))"
    "  (i64.store $guest offset=24 (local.get $to) (i64.load $own (i32.const 32)))"
    "  (i64.store $guest offset=32 (local.get $to) (i64.load $own (i32.const 40)))"
    "  (i64.store $guest offset=40 (local.get $to) (i64.load $own (i32.const 48)))"
    "  (i64.store $guest offset=48 (local.get $to) (i64.load $own (i32.const 56))))"
    " (func (export \"fd_filestat_get\") (param $fd i32) (param $to i32) (result i32) (local $errno i32)"
    "  (local.set $errno (call $fd (local.get $fd) (i32.const 0)))"
    "  (if (i32.eqz (local.get $errno)) (then (call $give (local.get $to))))"
    "  (local.get $errno))"
    " (func (export \"path_filestat_get\")"
    "  (param $fd i32) (param $flags i32) (param $at i32) (param $len i32) (param $to i32) (result i32)"
    "  (local $errno i32)"
    "  (if (i32.gt_u (local.get $len) (i32.const 4096)) (then (return (i32.const 37))))" /* nametoolong */
    "  (memory.copy $own $guest (i32.const 64) (local.get $at) (local.get $len))"
    "  (local.set $errno"
    "   (call $path (local.get $fd) (local.get $flags) (i32.const 64) (local.get $len) (i32.const 0)))"
    "  (if (i32.eqz (local.get $errno)) (then (call $give (local.get $to))))"
    "  (local.get $errno))"
    " (func $take (param $from i32) (param $to i32)"
    "  (i64.store $own (local.get $to) (i64.load $guest (local.get $from)))"
    "  (i32.store $own offset=8 (local.get $to) (i32.load8_u $guest offset=8 (local.get $from)))"
    "  (if (i32.load8_u $guest offset=8 (local.get $from))"
    "   (then (i32.store $own offset=16 (local.get $to) (i32.load $guest offset=16 (local.get $from))))"
    "   (else"
    "    (i32.store $own offset=16 (local.get $to) (i32.load $guest offset=24 (local.get $from)))"
    "    (i64.store $own offset=24 (local.get $to) (i64.load $guest offset=32 (local.get $from)))"
    "    (i64.store $own offset=32 (local.get $to) (i64.load $guest offset=40 (local.get $from)))"
    "    (i32.store16 $own offset=40 (local.get $to) (i32.load16_u $guest offset=48 (local.get $from))))))"
    " (func (export \"poll_oneoff\")"
    "  (param $in i32) (param $out i32) (param $n i32) (param $done i32) (result i32)"
    "  (local $i i32) (local $errno i32)"
    "  (if (i32.gt_u (local.get $n) (i32.const 512)) (then (return (i32.const 28))))" /* inval */
    "  (block $end (loop $next"
    "   (br_if $end (i32.ge_u (local.get $i) (local.get $n)))"
    "   (call $take (i32.add (local.get $in) (i32.mul (local.get $i) (i32.const 56)))"
    "    (i32.mul (local.get $i) (i32.const 48)))"
    "   (local.set $i (i32.add (local.get $i) (i32.const 1)))"
    "   (br $next)))"
    "  (local.set $errno (call $poll (i32.const 0) (i32.const 32768) (local.get $n) (i32.const 65528)))"
    "  (if (i32.eqz (local.get $errno)) (then"
    "   (memory.copy $guest $own (local.get $out) (i32.const 32768)"
    "    (i32.mul (i32.load $own (i32.const 65528)) (i32.const 32)))"
    "   (i32.store $guest (local.get $done) (i32.load $own (i32.const 65528)))))"
    "  (local.get $errno)))";

struct alias {
    struct runner_unstable *unstable;
    const struct function *function;
};

struct runner_unstable {
    const wasmtime_linker_t *linker;
    struct runner_module modules[2]; /* that which hands on, that which converts */
    bool used[ARRAY_LEN(functions)];
    struct alias aliases[ARRAY_LEN(functions)];
};

void runner_unstable_free(struct runner_unstable *u)
{
    if (!u)
        return;
    runner_module_done(&u->modules[0]);
    runner_module_done(&u->modules[1]);
    free(u);
}

static bool name_is(const wasm_name_t *name, const char *want)
{
    return bytes_eq_str(runner_name_bytes(name), want);
}

/* Which functions the module imports; returns whether any. */
static bool find_used(const wasmtime_module_t *module, bool used[])
{
    bool any = false;
    wasm_importtype_vec_t imports;
    wasmtime_module_imports(module, &imports);
    for (size_t i = 0; i < imports.size; i++) {
        if (!name_is(wasm_importtype_module(imports.data[i]), RUNNER_UNSTABLE))
            continue;
        for (size_t j = 0; j < ARRAY_LEN(functions); j++)
            used[j] |= name_is(wasm_importtype_name(imports.data[i]), functions[j].name);
        any = true;
    }
    wasm_importtype_vec_delete(&imports);
    return any;
}

static void append_type(const struct function *f, struct buf *out)
{
    buf_append_str(out, " (param");
    for (const char *p = f->params; *p; p++)
        buf_append_str(out, *p == 'I' ? " i64" : " i32");
    buf_append_str(out, ") (result i32)");
}

static void append_function(const struct function *f, struct buf *out)
{
    buf_printf(out, " (func (export \"%s\")", f->name);
    append_type(f, out);
    const bool seek = strcmp(f->name, "fd_seek") == 0;
    if (seek) /* preview 1 traps over what is no whence; 28 is inval */
        buf_append_str(out, " (if (i32.gt_u (local.get 2) (i32.const 2)) (then (return (i32.const 28))))");
    for (int i = 0; f->params[i]; i++) {
        if (seek && i == 2) /* current, end, set in place of set, current, end */
            buf_append_str(out, " (i32.rem_u (i32.add (local.get 2) (i32.const 1)) (i32.const 3))");
        else
            buf_printf(out, " (local.get %d)", i);
    }
    buf_printf(out, " (call $%s))", f->name);
}

/* The first module: preview 1 is called with what was given, by an instance that has the guest's memory. */
static void write_handing_on(const bool used[], struct buf *out)
{
    buf_append_str(out, "(module");
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (!used[i] || functions[i].converts)
            continue;
        buf_printf(out, " (import \"" RUNNER_PREVIEW1 "\" \"%s\" (func $%s", functions[i].name,
                   functions[i].name);
        append_type(&functions[i], out);
        buf_append_str(out, "))");
    }
    buf_append_str(out, " (import \"guest\" \"memory\" (memory 0)) (export \"memory\" (memory 0))");
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (used[i] && !functions[i].converts)
            append_function(&functions[i], out);
    buf_append_str(out, ")");
}

static wasm_trap_t *trap_new(const char *why)
{
    return wasmtime_trap_new(why, strlen(why));
}

/* What a module imports: functions of preview 1, and the guest's memory. False: that is not there. */
static bool gather(const struct runner_unstable *u, wasmtime_caller_t *caller,
                   const wasm_importtype_vec_t *imports, wasmtime_extern_t *ret, size_t *ret_n)
{
    wasmtime_context_t *context = wasmtime_caller_context(caller);
    for (size_t i = 0; i < imports->size; i++) {
        const wasm_name_t *name = wasm_importtype_name(imports->data[i]);
        bool memory = name_is(wasm_importtype_module(imports->data[i]), "guest");
        bool found = memory ? wasmtime_caller_export_get(caller, name->data, name->size, &ret[i])
                            : wasmtime_linker_get(u->linker, context, RUNNER_PREVIEW1,
                                                  strlen(RUNNER_PREVIEW1), name->data, name->size, &ret[i]);
        if (!found)
            return false;
        *ret_n = i + 1;
    }
    return true;
}

static wasm_trap_t *instantiate(const struct runner_unstable *u, wasmtime_caller_t *caller, bool converts,
                                wasmtime_instance_t *ret)
{
    wasmtime_extern_t items[ARRAY_LEN(functions) + 1];
    size_t n = 0;
    wasm_importtype_vec_t imports;
    wasm_trap_t *trap = NULL;
    wasmtime_error_t *error = NULL;
    const wasmtime_module_t *module = u->modules[converts].module;
    wasmtime_module_imports(module, &imports);
    bool found = imports.size <= ARRAY_LEN(items) && gather(u, caller, &imports, items, &n);
    wasm_importtype_vec_delete(&imports);
    if (found)
        error = wasmtime_instance_new(wasmtime_caller_context(caller), module, items, n, ret, &trap);
    else
        trap = trap_new("it exports no memory, which " RUNNER_UNSTABLE " works on");
    for (size_t i = 0; i < n; i++)
        wasmtime_extern_delete(&items[i]);
    return error ? runner_failure_trap(error) : trap;
}

static wasm_trap_t *call(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *v, size_t n)
{
    const struct alias *a = env;
    const bool converts = a->function->converts;
    wasmtime_context_t *context = wasmtime_caller_context(caller);
    struct runner_outcome *o = wasmtime_context_get_data(context);
    struct runner_unstable_use *use = &o->unstable;
    wasm_trap_t *trap = NULL;
    wasmtime_extern_t item;
    if (!use->ready[converts]) {
        trap = instantiate(a->unstable, caller, converts, &use->instances[converts]);
        if (trap)
            return trap;
        use->ready[converts] = true;
    }
    const char *name = a->function->name;
    if (!wasmtime_instance_export_get(context, &use->instances[converts], name, strlen(name), &item))
        return trap_new("the adapter of " RUNNER_UNSTABLE " lacks a function");
    wasmtime_error_t *error = wasmtime_func_call_unchecked(context, &item.of.func, v, n, &trap);
    wasmtime_extern_delete(&item);
    return error ? runner_failure_trap(error) : trap;
}

static int define(struct runner_unstable *u, wasmtime_linker_t *linker, struct err *e)
{
    wasmtime_error_t *error = NULL;
    for (size_t i = 0; !error && i < ARRAY_LEN(functions); i++) {
        if (!u->used[i])
            continue;
        const char *name = functions[i].name;
        u->aliases[i] = (struct alias){u, &functions[i]};
        wasm_functype_t *type = runner_errno_function(functions[i].params);
        error = wasmtime_linker_define_func_unchecked(linker, RUNNER_UNSTABLE, strlen(RUNNER_UNSTABLE), name,
                                                      strlen(name), type, call, &u->aliases[i], NULL);
        wasm_functype_delete(type);
    }
    return error ? runner_failure_set(e, ERR_OTHER, error) : 0;
}

int runner_unstable_link(wasm_engine_t *engine, const struct runner_conf *conf, wasmtime_linker_t *linker,
                         const wasmtime_module_t *module, struct runner_unstable **ret, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(64U << 10);
    struct runner_unstable *u = calloc(1, sizeof(*u));
    if (!u)
        return err_nomem(e);
    u->linker = linker;
    if (!find_used(module, u->used)) {
        free(u);
        return 0;
    }
    write_handing_on(u->used, &text);
    int r = buf_check(&text, e);
    if (r == 0)
        r = runner_module_load(engine, buf_bytes(&text), NULL, conf, &u->modules[0], NULL, e);
    if (r == 0)
        r = runner_module_load(engine, bytes_str(converting), NULL, conf, &u->modules[1], NULL, e);
    if (r == 0)
        r = define(u, linker, e);
    if (r == 0)
        *ret = u;
    else
        runner_unstable_free(u);
    return r ? err_wrap(e, "the adapter of " RUNNER_UNSTABLE) : 0;
}
