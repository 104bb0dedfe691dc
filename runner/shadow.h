/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to runner/: functions of WASI that are ours where the engine's cannot be told what is wanted:
 * clocks of a given resolution, time and random numbers that repeat, and those whose denial is to be logged.
 * They are put over the engine's of the same name, which has to be allowed (allow_shadowing). The data of the
 * store is a struct runner_outcome.
 */
#ifndef WAYBILL_RUNNER_SHADOW_H
#define WAYBILL_RUNNER_SHADOW_H

#include "runner/engine.h"

/* runner_shadow_core - clock_time_get and clock_res_get of WASI preview 1; deterministic: random_get and
 * poll_oneoff, too. module: "wasi_snapshot_preview1". NULL or what went wrong. */
wasmtime_error_t *runner_shadow_core(wasmtime_linker_t *linker, const char *module, bool deterministic);

/* runner_shadow_component - now and resolution of wasi:clocks/monotonic-clock and wall-clock 0.2, the making
 * of sockets and the looking up of names, which are denied; deterministic: wasi:random, too. */
wasmtime_error_t *runner_shadow_component(wasmtime_component_linker_t *linker, bool deterministic);

/* runner_errno_function - a function type with these parameters (i: i32, I: i64) that gives an i32. The
 * caller deletes it. */
wasm_functype_t *runner_errno_function(const char *params);

#endif
