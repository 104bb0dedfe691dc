/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/watchdog.h"

#include <errno.h>

#define MS_PER_S  1000U
#define NS_PER_MS 1000000L
#define NS_PER_S  1000000000L

static struct timespec add_ms(struct timespec at, uint64_t ms)
{
    const uint64_t forever = 100ULL * 365 * 86400 * MS_PER_S; /* keeps time_t from overflowing */
    if (ms > forever)
        ms = forever;
    at.tv_sec += (time_t)(ms / MS_PER_S);
    at.tv_nsec += (long)(ms % MS_PER_S) * NS_PER_MS;
    if (at.tv_nsec >= NS_PER_S) {
        at.tv_sec++;
        at.tv_nsec -= NS_PER_S;
    }
    return at;
}

/* Waits, with the lock held, until `at` or until stop is asked for; true: the time came. */
static bool wait_until(struct runner_watchdog *w, const struct timespec *at)
{
    int r = 0;
    while (!w->stop && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&w->wake, &w->lock, at);
    return !w->stop;
}

static void *watch(void *arg)
{
    struct runner_watchdog *w = arg;
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    (void)pthread_mutex_lock(&w->lock);
    at = add_ms(at, w->timeout_ms);
    if (wait_until(w, &at)) {
        atomic_store(&w->fired, true);
        wasmtime_engine_increment_epoch(w->engine);
        at = add_ms(at, WATCHDOG_GRACE_MS);
        if (wait_until(w, &at) && w->on_deadline)
            w->on_deadline(w->ctx);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

int runner_watchdog_start(struct runner_watchdog *w, wasm_engine_t *engine, uint64_t timeout_ms,
                          void (*on_deadline)(void *ctx), void *ctx, struct err *e)
{
    pthread_condattr_t attr;
    w->engine = engine;
    w->timeout_ms = timeout_ms;
    w->on_deadline = on_deadline;
    w->ctx = ctx;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&w->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    int r = pthread_create(&w->thread, NULL, watch, w);
    if (r != 0)
        return err_set_errno(e, ERR_OTHER, r, "start the timeout's thread");
    w->running = true;
    return 0;
}

void runner_watchdog_done(struct runner_watchdog *w)
{
    if (!w->running)
        return;
    (void)pthread_mutex_lock(&w->lock);
    w->stop = true;
    (void)pthread_cond_signal(&w->wake);
    (void)pthread_mutex_unlock(&w->lock);
    (void)pthread_join(w->thread, NULL);
    (void)pthread_cond_destroy(&w->wake);
    (void)pthread_mutex_destroy(&w->lock);
    w->running = false;
}

bool runner_watchdog_fired(const struct runner_watchdog *w)
{
    return atomic_load(&w->fired);
}
