/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: starting a guest of each kind. */
#ifndef WAYBILL_RUNNER_GUEST_H
#define WAYBILL_RUNNER_GUEST_H

#include "runner/engine.h"
#include "runner/module.h"

/* How a call into the guest ended: the first of these that says something counts. */
struct runner_outcome {
    bool exited; /* the guest ended itself */
    int status;  /* its status; without an exit: what its main function's return means */
    wasm_trap_t *trap;
    wasmtime_error_t *error;
    bool called; /* it went wrong in the guest's main function, not while the guest was put together */
};

/* runner_core_start / runner_component_start - link, instantiate and call the main function. store: limits,
 * deadline and WASI are set.  o: zeroed by the caller, runner_outcome_done. Return 0 with *o filled, or an
 * error of our own: ERR_NOT_RUNNABLE when there is nothing to call. */
MUST_CHECK int runner_core_start(wasm_engine_t *engine, wasmtime_store_t *store,
                                 const wasmtime_module_t *module, struct runner_outcome *o, struct err *e);
MUST_CHECK int runner_component_start(wasm_engine_t *engine, wasmtime_store_t *store,
                                      const wasmtime_component_t *component, struct runner_outcome *o,
                                      struct err *e);

void runner_outcome_done(struct runner_outcome *o);

#endif
