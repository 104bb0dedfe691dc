/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: ends a guest that is out of time. */
#ifndef WAYBILL_RUNNER_WATCHDOG_H
#define WAYBILL_RUNNER_WATCHDOG_H

#include "runner/engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* How long a guest may take to come back from a host call after its deadline. */
#define WATCHDOG_GRACE_MS 200

struct runner_watchdog {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool running, stop;
    atomic_bool fired;
    uint64_t timeout_ms;
    wasm_engine_t *engine; /* borrowed */
    void (*on_deadline)(void *ctx);
    void *ctx;
};

/* runner_watchdog_start - from now on: after timeout_ms the engine's epoch moves on by one, a little later
 * on_deadline (may be NULL) is called. w: zeroed by the caller, at a fixed address until
 * runner_watchdog_done. ERR_OTHER. */
MUST_CHECK int runner_watchdog_start(struct runner_watchdog *w, wasm_engine_t *engine, uint64_t timeout_ms,
                                     void (*on_deadline)(void *ctx), void *ctx, struct err *e);

/* runner_watchdog_done - no call and no tick after this. Harmless on a zeroed or finished one. */
void runner_watchdog_done(struct runner_watchdog *w);

/* runner_watchdog_fired - whether the deadline passed. */
bool runner_watchdog_fired(const struct runner_watchdog *w);

#endif
