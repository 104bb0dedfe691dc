/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to runner/: a line in the log for each file that a core module is denied. The functions of WASI
 * preview 1 that take a path are ours, which call the engine's and look at what these answer.
 *
 * The engine's functions work on the memory of the module instance that calls them, and called from C there
 * is none. So a module of our own stands between: it has the guest's memory and nothing but one function for
 * each of them, which hands its arguments on.
 */
#ifndef WAYBILL_RUNNER_PATHS_H
#define WAYBILL_RUNNER_PATHS_H

#include "runner/module.h"

#define RUNNER_PATHS 10 /* functions */

/* For one program. */
struct runner_paths {
    struct runner_module between;
    wasmtime_linker_t *engines; /* WASI as the engine has it */
};

/* For one run; zeroed before it. */
struct runner_paths_run {
    const struct runner_paths *paths;
    bool ready;
    wasmtime_func_t functions[RUNNER_PATHS];
};

/* runner_paths_link - puts the functions over those of the linker, if the module imports any of them; else
 * *ret is NULL. engines: WASI without what is ours; copied. The caller frees *ret after the linker. What
 * keeps it from being done is returned, and the linker is as it was. */
MUST_CHECK int runner_paths_link(wasm_engine_t *engine, const struct runner_conf *conf,
                                 const wasmtime_module_t *module, const char *wasi,
                                 const wasmtime_linker_t *engines, wasmtime_linker_t *linker,
                                 struct runner_paths **ret, struct err *e);
void runner_paths_free(struct runner_paths *p);

/* runner_paths_module - appends the module that stands between. */
void runner_paths_module(const char *wasi, struct buf *out);

#endif
