/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: linking and starting a guest of each kind. */
#ifndef WAYBILL_RUNNER_GUEST_H
#define WAYBILL_RUNNER_GUEST_H

#include "runner/engine.h"
#include "runner/module.h"
#include "runner/paths.h"
#include "runner/run.h"
#include "runner/session.h"
#include "runner/unstable.h"

struct runner_host {
    const struct runner_conf *conf;
    wasm_engine_t *engine;
    int descriptors;   /* what runner_sandbox_close said */
    uint64_t start_ns; /* what starting the engine took */
};

/* Of one kind, linked: the members of the other are NULL. */
struct runner_program {
    const struct runner_host *host;
    struct runner_module code;
    uint64_t load_ns; /* what starting the engine and loading took */
    wasmtime_linker_t *linker;
    wasmtime_instance_pre_t *pre;
    struct runner_paths *paths;       /* NULL: what they deny is not logged */
    struct runner_unstable *unstable; /* NULL: the module imports none of it */
    wasmtime_component_linker_t *component_linker;
    wasmtime_component_export_index_t *entry; /* wasi:cli/run's run, or NULL */
};

/* How a call into the guest ended: the first of these that says something counts. It is the data of the run's
 * store. */
struct runner_outcome {
    bool exited; /* the guest ended itself */
    int status;  /* its status; without an exit: what its main function's return means */
    wasm_trap_t *trap;
    wasmtime_error_t *error;
    struct runner_session session;
    struct runner_unstable_use unstable;
    char *values;      /* what an invoked function returned, or NULL */
    bool called;       /* it went wrong in the guest's main function, not while the guest was put together */
    bool instantiated; /* a core module, whose instance this is */
    wasmtime_instance_t instance;
    uint64_t instantiated_ns; /* when there was an instance (base/stopwatch.h); 0: it did not come to that */
    struct runner_paths_run paths;
};

/* runner_core_link / runner_component_link - p: its host and code are set. ERR_NOT_RUNNABLE (an import
 * that is not offered), ERR_OTHER. */
MUST_CHECK int runner_core_link(struct runner_program *p, struct err *e);
MUST_CHECK int runner_component_link(struct runner_program *p, struct err *e);

/* runner_core_check / runner_component_check - whether there is something to call, as far as that shows
 * before instantiation: what the next two find out with it. */
MUST_CHECK int runner_core_check(const struct runner_program *p, const struct runner_invoke *invoke,
                                 struct err *e);
MUST_CHECK int runner_component_check(const struct runner_program *p, const struct runner_invoke *invoke,
                                      struct err *e);

/* runner_core_start / runner_component_start - instantiate and call the main function, or the one that is
 * invoked. store: limits, deadline and WASI are set, its data is o.  invoke: or NULL.  o: zeroed by the
 * caller, runner_outcome_done. Return 0 with *o filled, or an error of our own: ERR_NOT_RUNNABLE when there
 * is nothing to call, and those of runner/invoke.h. */
MUST_CHECK int runner_core_start(const struct runner_program *p, const struct runner_invoke *invoke,
                                 wasmtime_store_t *store, struct runner_outcome *o, struct err *e);
MUST_CHECK int runner_component_start(const struct runner_program *p, const struct runner_invoke *invoke,
                                      wasmtime_store_t *store, struct runner_outcome *o, struct err *e);

void runner_outcome_done(struct runner_outcome *o);

#endif
