/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of WASI preview 1: WebAssembly/WASI, legacy/preview1/docs.md. */
#include "runner/guest.h"
#include "runner/memory.h"
#include "runner/shadow.h"

enum { OK = 0, BADF = 8, FAULT = 21, INVAL = 28 }; /* errno */

/* "subscription" and "event". */
enum {
    SUBSCRIPTION = 48,
    SUB_TAG = 8,
    SUB_CLOCK_ID = 16,
    SUB_TIMEOUT = 24,
    SUB_FLAGS = 40,
    EVENT = 32,
    EVENT_TYPE = 10,
    EVENT_NBYTES = 16,
    TAG_CLOCK = 0,
    TAG_FD_WRITE = 2,
    ABSTIME = 1,
};

static struct runner_session *session_of(wasmtime_caller_t *caller)
{
    struct runner_outcome *o = wasmtime_context_get_data(wasmtime_caller_context(caller));
    return &o->session;
}

static wasm_trap_t *answer(wasmtime_val_raw_t *results, int errno_)
{
    results[0].i32 = errno_;
    return NULL;
}

/* What the engine's own functions answer for a clock that is not offered, or none. */
static bool is_clock(uint32_t id, int *ret_errno)
{
    *ret_errno = id <= 1 ? OK : id <= 3 ? BADF : INVAL;
    return id <= 1;
}

static enum runner_clock_id clock_of(uint32_t id)
{
    return id == 0 ? RUNNER_CLOCK_WALL : RUNNER_CLOCK_MONOTONIC;
}

static wasm_trap_t *clock_time_get(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *v, size_t n)
{
    int why;
    const uint32_t id = (uint32_t)v[0].i32, address = (uint32_t)v[2].i32;
    (void)env, (void)n;
    if (!is_clock(id, &why))
        return answer(v, why);
    const struct runner_memory m = runner_memory_of(caller);
    uint8_t *at = runner_memory_at(&m, address, 8);
    if (!at)
        return answer(v, FAULT);
    runner_memory_put(at, 8, runner_clock_read(&session_of(caller)->clock, clock_of(id)));
    return answer(v, OK);
}

static wasm_trap_t *clock_res_get(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *v, size_t n)
{
    int why;
    const uint32_t address = (uint32_t)v[1].i32;
    (void)env, (void)n;
    if (!is_clock((uint32_t)v[0].i32, &why))
        return answer(v, why);
    const struct runner_memory m = runner_memory_of(caller);
    uint8_t *at = runner_memory_at(&m, address, 8);
    if (!at)
        return answer(v, FAULT);
    runner_memory_put(at, 8, session_of(caller)->clock.resolution);
    return answer(v, OK);
}

static wasm_trap_t *random_get(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *v, size_t n)
{
    const uint32_t address = (uint32_t)v[0].i32, len = (uint32_t)v[1].i32;
    const struct runner_memory m = runner_memory_of(caller);
    uint8_t *at = runner_memory_at(&m, address, len);
    (void)env, (void)n;
    if (!at)
        return answer(v, FAULT);
    runner_random_fill(&session_of(caller)->random, at, len);
    return answer(v, OK);
}

/* Whether the wait is for a time, and how much of it will have passed by then. */
static bool due_of(const struct runner_clock *c, const uint8_t *sub, uint64_t *ret)
{
    if (sub[SUB_TAG] != TAG_CLOCK)
        return false;
    const uint64_t timeout = runner_memory_get(sub + SUB_TIMEOUT, 8);
    const uint64_t zero = runner_memory_get(sub + SUB_CLOCK_ID, 4) == 0 ? c->epoch : 0;
    if (runner_memory_get(sub + SUB_FLAGS, 2) & ABSTIME)
        *ret = timeout > zero ? timeout - zero : 0;
    else
        *ret = timeout > UINT64_MAX - c->passed ? UINT64_MAX : c->passed + timeout;
    return true;
}

/* What is waited for: false when one is nothing that there is. *ret_until: the time at which the first has
 * come; no wait for a stream takes any. */
static bool first_due(const struct runner_clock *c, const uint8_t *subs, uint32_t n, uint64_t *ret_until)
{
    *ret_until = UINT64_MAX;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *sub = subs + (size_t)i * SUBSCRIPTION;
        uint64_t due = c->passed;
        if (sub[SUB_TAG] > TAG_FD_WRITE)
            return false;
        if (due_of(c, sub, &due) && runner_memory_get(sub + SUB_CLOCK_ID, 4) > 1)
            return false;
        if (due < *ret_until)
            *ret_until = due;
    }
    return true;
}

/* Time stands still while a guest computes, so that it must not pass while it waits either: the clocks are
 * put on to what the guest waits for, which may be so long after it began to. */
static uint32_t poll_fixed(const struct runner_clock *began, const struct runner_clock *c,
                           const uint8_t *subs, uint32_t n, uint8_t *events)
{
    uint32_t n_events = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *sub = subs + (size_t)i * SUBSCRIPTION;
        uint8_t *event = events + (size_t)n_events * EVENT;
        uint64_t due;
        const bool is_time = due_of(began, sub, &due);
        if (is_time && due > c->passed)
            continue;
        memset(event, 0, EVENT);
        memcpy(event, sub, 8); /* userdata */
        event[EVENT_TYPE] = sub[SUB_TAG];
        event[EVENT_NBYTES] = !is_time;
        n_events++;
    }
    return n_events;
}

static wasm_trap_t *poll_oneoff(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *v, size_t n)
{
    const uint32_t in = (uint32_t)v[0].i32, out = (uint32_t)v[1].i32, count = (uint32_t)v[2].i32;
    const struct runner_memory m = runner_memory_of(caller);
    struct runner_clock *c = &session_of(caller)->clock;
    const uint8_t *subs = runner_memory_at(&m, in, (uint64_t)count * SUBSCRIPTION);
    uint8_t *events = runner_memory_at(&m, out, (uint64_t)count * EVENT);
    uint8_t *n_events = runner_memory_at(&m, (uint32_t)v[3].i32, 4);
    uint64_t until;
    (void)env, (void)n;
    if (!subs || !events || !n_events)
        return answer(v, FAULT);
    const bool apart =
        events + (size_t)count * EVENT <= subs || subs + (size_t)count * SUBSCRIPTION <= events;
    if (count == 0 || !apart || !first_due(c, subs, count, &until))
        return answer(v, INVAL);
    const struct runner_clock began = *c;
    runner_clock_pass(c, RUNNER_CLOCK_MONOTONIC, until);
    runner_memory_put(n_events, 4, poll_fixed(&began, c, subs, count, events));
    return answer(v, OK);
}

wasm_functype_t *runner_errno_function(const char *params)
{
    wasm_valtype_t *types[16];
    wasm_valtype_vec_t in, out;
    wasm_valtype_t *result[1] = {wasm_valtype_new_i32()};
    size_t n = 0;
    for (; params[n] && n < ARRAY_LEN(types); n++)
        types[n] = params[n] == 'I' ? wasm_valtype_new_i64() : wasm_valtype_new_i32();
    wasm_valtype_vec_new(&in, n, types);
    wasm_valtype_vec_new(&out, 1, result);
    return wasm_functype_new(&in, &out);
}

wasmtime_error_t *runner_shadow_core(wasmtime_linker_t *linker, const char *module, bool deterministic)
{
    static const struct {
        const char *name, *params; /* i: i32, I: i64; all give an errno */
        wasmtime_func_unchecked_callback_t callback;
        bool always;
    } functions[] = {
        {"clock_time_get", "iIi", clock_time_get, true},
        {"clock_res_get", "ii", clock_res_get, true},
        {"random_get", "ii", random_get, false},
        {"poll_oneoff", "iiii", poll_oneoff, false},
    };
    wasmtime_error_t *error = NULL;
    for (size_t i = 0; !error && i < ARRAY_LEN(functions); i++) {
        if (!functions[i].always && !deterministic)
            continue;
        wasm_functype_t *type = runner_errno_function(functions[i].params);
        error = wasmtime_linker_define_func_unchecked(linker, module, strlen(module), functions[i].name,
                                                      strlen(functions[i].name), type, functions[i].callback,
                                                      NULL, NULL);
        wasm_functype_delete(type);
    }
    return error;
}
