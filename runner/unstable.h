/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to runner/: `wasi_unstable`, which preview 1 was called before (snapshot 0, WebAssembly/WASI,
 * legacy/preview0). Its functions are those of preview 1, but for three layouts and one numbering: these are
 * converted.
 *
 * The engine's functions look for the memory of the instance that calls them. So ours call them from a small
 * module, the adapter, which has the guest's memory; it is made for the guest, and only for one that asks.
 */
#ifndef WAYBILL_RUNNER_UNSTABLE_H
#define WAYBILL_RUNNER_UNSTABLE_H

#include "runner/engine.h"
#include "runner/module.h"
#include "runner/run.h"

/* What is instantiated beside the guest, in its store, with its first call. */
struct runner_unstable_use {
    bool ready[2];
    wasmtime_instance_t instances[2];
};

struct runner_unstable;

/* runner_unstable_link - defines what a module imports of wasi_unstable, proc_exit excepted; *ret stays NULL
 * where that is nothing. linker: has preview 1, outlives *ret. conf: of the host. The caller frees *ret after
 * all that was linked. ERR_OTHER, ERR_NOMEM. */
MUST_CHECK int runner_unstable_link(wasm_engine_t *engine, const struct runner_conf *conf,
                                    wasmtime_linker_t *linker, const wasmtime_module_t *module,
                                    struct runner_unstable **ret, struct err *e);
void runner_unstable_free(struct runner_unstable *u);

#endif
