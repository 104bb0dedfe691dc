/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: where a guest spends its time, by looking at its stack at intervals. */
#ifndef WAYBILL_RUNNER_PROFILER_H
#define WAYBILL_RUNNER_PROFILER_H

#include "runner/guest.h"
#include "runner/watchdog.h"

struct runner_profiler {
    wasmtime_guestprofiler_t *engines;      /* NULL: nothing is profiled */
    const wasmtime_store_t *store;          /* borrowed */
    const struct runner_watchdog *watchdog; /* borrowed: what ends the guest at a tick */
    wasm_engine_t *engine;                  /* borrowed */
    uint64_t interval_ns, cpu_ns;           /* cpu_ns: of the thread at the last sample */
    pthread_t ticker;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool running, stop;
};

/* runner_profiler_start - from now on the guest is looked at, if the grants ask for it. In place of what the
 * store does at a tick of the epoch. w: borrowed. Before the first instruction; p: zeroed by the caller, at a
 * fixed address until runner_profiler_done. ERR_UNSUPPORTED (a component), ERR_CONFIG
 * (runner_code.uninterruptible), ERR_OTHER. */
MUST_CHECK int runner_profiler_start(struct runner_profiler *p, const struct runner_program *program,
                                     const struct runner_grants *grants, const struct runner_watchdog *w,
                                     wasmtime_store_t *store, struct err *e);

/* runner_profiler_finish - ends it and writes the profile into the grants' sink, which is committed, or
 * aborted after a failure. True: there is a profile. What goes wrong is said in the log. */
bool runner_profiler_finish(struct runner_profiler *p, const struct runner_grants *grants);

/* runner_profiler_done - harmless on a zeroed or finished one. */
void runner_profiler_done(struct runner_profiler *p);

#endif
