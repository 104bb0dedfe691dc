/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/watchdog.h"

#include <errno.h>

#define MS_PER_S  1000U
#define NS_PER_MS 1000000L
#define NS_PER_S  1000000000L

/* How often the processor time is looked at when little of it is left: a guest that waits uses none. */
#define CPU_STEP_MS 10

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

static struct timespec now_of(clockid_t clock)
{
    struct timespec now = {0};
    (void)clock_gettime(clock, &now);
    return now;
}

static uint64_t ms_between(struct timespec from, struct timespec to)
{
    int64_t ms = (int64_t)(to.tv_sec - from.tv_sec) * MS_PER_S + (to.tv_nsec - from.tv_nsec) / NS_PER_MS;
    return ms > 0 ? (uint64_t)ms : 0;
}

static void lower(uint64_t *ms, uint64_t to)
{
    if (to < *ms)
        *ms = to;
}

/* Which limit of time is reached; none: *ret_ms says when to look again. The threads that work for the guest
 * may use up the rest of its processor time sooner than one alone would, hence the half. */
static enum runner_limit look(const struct runner_watchdog *w, uint64_t *ret_ms)
{
    const struct runner_limits *l = w->limits;
    uint64_t next = UINT64_MAX;
    if (l->timeout_ms) {
        uint64_t used = ms_between(w->start, now_of(CLOCK_MONOTONIC));
        if (used >= l->timeout_ms)
            return RUNNER_LIMIT_TIME;
        lower(&next, l->timeout_ms - used);
    }
    if (l->cpu_ms) {
        uint64_t used = ms_between(w->start_cpu, now_of(CLOCK_PROCESS_CPUTIME_ID));
        if (used >= l->cpu_ms)
            return RUNNER_LIMIT_CPU_TIME;
        uint64_t half = (l->cpu_ms - used) / 2;
        lower(&next, half > CPU_STEP_MS ? half : CPU_STEP_MS);
    }
    *ret_ms = next;
    return RUNNER_LIMIT_NONE;
}

/* With the lock held, until a limit is reached; false: stop was asked for before. */
static bool wait_for_limit(struct runner_watchdog *w)
{
    while (!w->stop && atomic_load(&w->fired) == RUNNER_LIMIT_NONE) {
        uint64_t ms = 0;
        enum runner_limit limit = look(w, &ms);
        if (limit != RUNNER_LIMIT_NONE) {
            int none = RUNNER_LIMIT_NONE;
            (void)atomic_compare_exchange_strong(&w->fired, &none, limit);
            break;
        }
        struct timespec at = add_ms(now_of(CLOCK_MONOTONIC), ms);
        (void)pthread_cond_timedwait(&w->wake, &w->lock, &at);
    }
    return !w->stop;
}

static bool wait_for_stop(struct runner_watchdog *w, uint64_t ms)
{
    const struct timespec at = add_ms(now_of(CLOCK_MONOTONIC), ms);
    int r = 0;
    while (!w->stop && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&w->wake, &w->lock, &at);
    return w->stop;
}

static void *watch(void *arg)
{
    struct runner_watchdog *w = arg;
    (void)pthread_mutex_lock(&w->lock);
    if (wait_for_limit(w)) {
        wasmtime_engine_increment_epoch(w->engine);
        if (!wait_for_stop(w, WATCHDOG_GRACE_MS) && w->conf->on_deadline) {
            char text[RUNNER_LIMIT_TEXT];
            enum runner_limit limit = runner_watchdog_fired(w);
            w->conf->on_deadline(w->conf->on_deadline_ctx, runner_limit_status(limit),
                                 runner_limit_text(limit, runner_limit_value(limit, w->limits, 0), text));
        }
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

int runner_watchdog_start(struct runner_watchdog *w, wasm_engine_t *engine,
                          const struct runner_limits *limits, const struct runner_conf *conf, struct err *e)
{
    pthread_condattr_t attr;
    if (!runner_limits_watched(limits))
        return 0;
    w->engine = engine;
    w->limits = limits;
    w->conf = conf;
    w->start = now_of(CLOCK_MONOTONIC);
    w->start_cpu = now_of(CLOCK_PROCESS_CPUTIME_ID);
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&w->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    int r = pthread_create(&w->thread, NULL, watch, w);
    if (r != 0)
        return err_set_errno(e, ERR_OTHER, r, "start the thread that keeps the limits");
    w->running = true;
    return 0;
}

void runner_watchdog_fire(struct runner_watchdog *w, enum runner_limit limit)
{
    int none = RUNNER_LIMIT_NONE;
    (void)pthread_mutex_lock(&w->lock);
    (void)atomic_compare_exchange_strong(&w->fired, &none, limit);
    (void)pthread_cond_signal(&w->wake);
    (void)pthread_mutex_unlock(&w->lock);
}

/* at, later by what has passed on the clock since. */
static struct timespec add_passed(struct timespec at, struct timespec since, clockid_t clock)
{
    const struct timespec now = now_of(clock);
    const int64_t ns = (int64_t)(at.tv_nsec + now.tv_nsec) - since.tv_nsec + NS_PER_S; /* above 0 */
    return (struct timespec){at.tv_sec + now.tv_sec - since.tv_sec - 1 + (time_t)(ns / NS_PER_S),
                             (long)(ns % NS_PER_S)};
}

/* Whoever holds the lock keeps the watch from looking. */
void runner_watchdog_pause(struct runner_watchdog *w)
{
    if (!w->running)
        return;
    (void)pthread_mutex_lock(&w->lock);
    w->pause = now_of(CLOCK_MONOTONIC);
    w->pause_cpu = now_of(CLOCK_PROCESS_CPUTIME_ID);
}

void runner_watchdog_resume(struct runner_watchdog *w)
{
    if (!w->running)
        return;
    w->start = add_passed(w->start, w->pause, CLOCK_MONOTONIC);
    w->start_cpu = add_passed(w->start_cpu, w->pause_cpu, CLOCK_PROCESS_CPUTIME_ID);
    (void)pthread_mutex_unlock(&w->lock);
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

enum runner_limit runner_watchdog_fired(const struct runner_watchdog *w)
{
    return (enum runner_limit)atomic_load(&w->fired);
}

/* More epochs than a watchdog ever lets pass, and what a store's deadline is put off by. */
static wasmtime_error_t *on_tick(wasmtime_context_t *context, void *data, uint64_t *ret_delta,
                                 wasmtime_update_deadline_kind_t *ret_kind)
{
    const struct runner_watchdog *w = data;
    (void)context;
    *ret_delta = 1;
    *ret_kind = WASMTIME_UPDATE_DEADLINE_CONTINUE;
    return runner_watchdog_fired(w) == RUNNER_LIMIT_NONE ? NULL : wasmtime_error_new("over a limit");
}

void runner_watchdog_attach(struct runner_watchdog *w, wasmtime_store_t *store)
{
    wasmtime_store_epoch_deadline_callback(store, on_tick, w, NULL);
    wasmtime_context_set_epoch_deadline(wasmtime_store_context(store), 1);
}
