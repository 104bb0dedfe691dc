/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: ends a guest that is over a limit, of time or another that was noticed elsewhere. */
#ifndef WAYBILL_RUNNER_WATCHDOG_H
#define WAYBILL_RUNNER_WATCHDOG_H

#include "runner/engine.h"
#include "runner/limits.h"

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
    atomic_int fired; /* an enum runner_limit */
    struct timespec start, start_cpu, pause, pause_cpu;
    const struct runner_limits *limits; /* borrowed */
    const struct runner_conf *conf;     /* borrowed: on_deadline */
    wasm_engine_t *engine;              /* borrowed */
};

/* runner_watchdog_start - from now on: when a limit of time is reached, or runner_watchdog_fire is called,
 * the engine's epoch moves on by one, and a little later conf->on_deadline (may be NULL) is called. Nothing
 * is started where no limit needs it. w: zeroed by the caller, at a fixed address until runner_watchdog_done.
 * ERR_OTHER. */
MUST_CHECK int runner_watchdog_start(struct runner_watchdog *w, wasm_engine_t *engine,
                                     const struct runner_limits *limits, const struct runner_conf *conf,
                                     struct err *e);

/* runner_watchdog_fire - the guest is over a limit; the first one counts. From any thread. */
void runner_watchdog_fire(struct runner_watchdog *w, enum runner_limit limit);

/* runner_watchdog_done - no call and no tick after this. Harmless on a zeroed or finished one. */
void runner_watchdog_done(struct runner_watchdog *w);

/* runner_watchdog_pause - what comes until runner_watchdog_resume, by the same thread, counts for no limit of
 * time. */
void runner_watchdog_pause(struct runner_watchdog *w);
void runner_watchdog_resume(struct runner_watchdog *w);

/* runner_watchdog_fired - the limit that was reached, or RUNNER_LIMIT_NONE. */
enum runner_limit runner_watchdog_fired(const struct runner_watchdog *w);

/* runner_watchdog_attach - makes a store's guest end at a tick of the epoch, if it is this one's limit that
 * was reached: the engine has one epoch for all its stores. */
void runner_watchdog_attach(struct runner_watchdog *w, wasmtime_store_t *store);

#endif
