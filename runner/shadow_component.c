/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of WASI 0.2. Such a function is called with what the guest says its type is: every argument is
 * looked at before it is used. A result of another type than the guest's is refused by the engine.
 */
#include "base/limits.h"
#include "runner/guest.h"
#include "runner/shadow.h"

#define SECOND 1000000000ULL

typedef wasmtime_component_val_t val_t;

static struct runner_session *session_of(wasmtime_context_t *context)
{
    struct runner_outcome *o = wasmtime_context_get_data(context);
    return &o->session;
}

static wasmtime_error_t *wrong_type(void)
{
    return wasmtime_error_new("the component declares a function of WASI with another type than it has");
}

static val_t u64_val(uint64_t v)
{
    return (val_t){.kind = WASMTIME_COMPONENT_U64, .of.u64 = v};
}

static void set_name(wasm_name_t *to, const char *name)
{
    wasm_byte_vec_new(to, strlen(name), name);
}

/* The record datetime. */
static val_t datetime_val(uint64_t ns)
{
    val_t v = {.kind = WASMTIME_COMPONENT_RECORD};
    wasmtime_component_valrecord_new_uninit(&v.of.record, 2);
    set_name(&v.of.record.data[0].name, "seconds");
    v.of.record.data[0].val = u64_val(ns / SECOND);
    set_name(&v.of.record.data[1].name, "nanoseconds");
    v.of.record.data[1].val = (val_t){.kind = WASMTIME_COMPONENT_U32, .of.u32 = (uint32_t)(ns % SECOND)};
    return v;
}

/* One function for all that take nothing and give a value; which one: what the linker hands to it. */
enum what { NOW, RESOLUTION, WALL_NOW, WALL_RESOLUTION, RANDOM, SEED };

static val_t value_of(struct runner_session *s, enum what what)
{
    uint64_t random[2];
    val_t v = {.kind = WASMTIME_COMPONENT_TUPLE};
    switch (what) {
    case NOW: return u64_val(runner_clock_read(&s->clock, RUNNER_CLOCK_MONOTONIC));
    case RESOLUTION: return u64_val(s->clock.resolution);
    case WALL_NOW: return datetime_val(runner_clock_read(&s->clock, RUNNER_CLOCK_WALL));
    case WALL_RESOLUTION: return datetime_val(s->clock.resolution);
    case RANDOM: runner_random_fill(&s->random, (uint8_t *)random, 8); return u64_val(random[0]);
    case SEED: break;
    }
    runner_random_fill(&s->random, (uint8_t *)random, sizeof(random));
    wasmtime_component_valtuple_new_uninit(&v.of.tuple, 2);
    v.of.tuple.data[0] = u64_val(random[0]);
    v.of.tuple.data[1] = u64_val(random[1]);
    return v;
}

static wasmtime_error_t *give(void *data, wasmtime_context_t *context,
                              const wasmtime_component_func_type_t *type, val_t *args, size_t n_args,
                              val_t *results, size_t n_results)
{
    const enum what *what = data;
    (void)type, (void)args;
    if (n_args != 0 || n_results != 1)
        return wrong_type();
    results[0] = value_of(session_of(context), *what);
    return NULL;
}

/* get-random-bytes: func(len: u64) -> list<u8>. In this form a byte takes 32. */
static wasmtime_error_t *give_bytes(void *data, wasmtime_context_t *context,
                                    const wasmtime_component_func_type_t *type, val_t *args, size_t n_args,
                                    val_t *results, size_t n_results)
{
    (void)data, (void)type;
    if (n_args != 1 || n_results != 1 || args[0].kind != WASMTIME_COMPONENT_U64)
        return wrong_type();
    if (args[0].of.u64 > LIMIT_RANDOM)
        return wasmtime_error_new("more random bytes at once than a deterministic run gives");
    const size_t n = (size_t)args[0].of.u64;
    val_t v = {.kind = WASMTIME_COMPONENT_LIST};
    wasmtime_component_vallist_new_uninit(&v.of.list, n);
    for (size_t i = 0; i < n; i++) {
        uint8_t byte;
        runner_random_fill(&session_of(context)->random, &byte, 1);
        v.of.list.data[i] = (val_t){.kind = WASMTIME_COMPONENT_U8, .of.u8 = byte};
    }
    results[0] = v;
    return NULL;
}

/* A function of wasi:sockets that gives result<..., error-code>: err(access-denied). */
static wasmtime_error_t *deny(void *data, wasmtime_context_t *context,
                              const wasmtime_component_func_type_t *type, val_t *args, size_t n_args,
                              val_t *results, size_t n_results)
{
    const char *use = data;
    (void)type;
    /* What is borrowed has to be given back before the call ends. */
    for (size_t i = 0; i < n_args; i++)
        if (args[i].kind == WASMTIME_COMPONENT_RESOURCE) {
            wasmtime_error_t *error = wasmtime_component_resource_any_drop(context, args[i].of.resource);
            if (error)
                return error;
        }
    if (n_results != 1)
        return wrong_type();
    bool named = n_args > 0 && args[n_args - 1].kind == WASMTIME_COMPONENT_STRING;
    const wasm_name_t *name = named ? &args[n_args - 1].of.string : NULL;
    runner_session_denied(session_of(context), "wasi:sockets", use,
                          named ? bytes_of(name->data, name->size) : BYTES_NONE, "access-denied");
    val_t code = {.kind = WASMTIME_COMPONENT_ENUM}, v = {.kind = WASMTIME_COMPONENT_RESULT};
    set_name(&code.of.enumeration, "access-denied");
    v.of.result.val = wasmtime_component_val_new(&code);
    results[0] = v;
    return NULL;
}

struct shadow {
    const char *interface, *name;
    wasmtime_component_func_callback_t callback;
    enum what what;
    bool always;
};

/* The names are those that the engine has them under; a guest's version may be any of 0.2. */
#define WASI_0_2(interface) "wasi:" interface "@0.2.12"

static wasmtime_error_t *define(wasmtime_component_linker_instance_t *root, const struct shadow *s)
{
    static const enum what values[] = {NOW, RESOLUTION, WALL_NOW, WALL_RESOLUTION, RANDOM, SEED};
    wasmtime_component_linker_instance_t *instance = NULL;
    void *data = s->callback == deny ? (void *)(uintptr_t)s->name : (void *)(uintptr_t)&values[s->what];
    wasmtime_error_t *error =
        wasmtime_component_linker_instance_add_instance(root, s->interface, strlen(s->interface), &instance);
    if (!error)
        error = wasmtime_component_linker_instance_add_func(instance, s->name, strlen(s->name), s->callback,
                                                            data, NULL);
    if (instance)
        wasmtime_component_linker_instance_delete(instance);
    return error;
}

wasmtime_error_t *runner_shadow_component(wasmtime_component_linker_t *linker, bool deterministic)
{
    static const struct shadow shadows[] = {
        {WASI_0_2("clocks/monotonic-clock"), "now", give, NOW, true},
        {WASI_0_2("clocks/monotonic-clock"), "resolution", give, RESOLUTION, true},
        {WASI_0_2("clocks/wall-clock"), "now", give, WALL_NOW, true},
        {WASI_0_2("clocks/wall-clock"), "resolution", give, WALL_RESOLUTION, true},
        {WASI_0_2("random/random"), "get-random-bytes", give_bytes, RANDOM, false},
        {WASI_0_2("random/random"), "get-random-u64", give, RANDOM, false},
        {WASI_0_2("random/insecure"), "get-insecure-random-bytes", give_bytes, RANDOM, false},
        {WASI_0_2("random/insecure"), "get-insecure-random-u64", give, RANDOM, false},
        {WASI_0_2("random/insecure-seed"), "insecure-seed", give, SEED, false},
        {WASI_0_2("sockets/tcp-create-socket"), "create-tcp-socket", deny, NOW, true},
        {WASI_0_2("sockets/udp-create-socket"), "create-udp-socket", deny, NOW, true},
        {WASI_0_2("sockets/ip-name-lookup"), "resolve-addresses", deny, NOW, true},
    };
    wasmtime_error_t *error = NULL;
    wasmtime_component_linker_allow_shadowing(linker, true);
    for (size_t i = 0; !error && i < ARRAY_LEN(shadows); i++) {
        if (!shadows[i].always && !deterministic)
            continue;
        wasmtime_component_linker_instance_t *root = wasmtime_component_linker_root(linker);
        error = define(root, &shadows[i]);
        wasmtime_component_linker_instance_delete(root);
    }
    return error;
}
