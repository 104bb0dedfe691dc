/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/profiler.h"

#include "base/log.h"
#include "base/stopwatch.h"
#include "runner/failure.h"

#include <errno.h>

#define NS_PER_S 1000000000U

static uint64_t cpu_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* On the guest's thread: at the entry of a function or the head of a loop. */
static wasmtime_error_t *on_tick(wasmtime_context_t *context, void *data, uint64_t *ret_delta,
                                 wasmtime_update_deadline_kind_t *ret_kind)
{
    struct runner_profiler *p = data;
    const uint64_t now = cpu_ns();
    (void)context;
    *ret_delta = 1;
    *ret_kind = WASMTIME_UPDATE_DEADLINE_CONTINUE;
    wasmtime_guestprofiler_sample(p->engines, p->store, now - p->cpu_ns);
    p->cpu_ns = now;
    return runner_watchdog_fired(p->watchdog) == RUNNER_LIMIT_NONE ? NULL
                                                                   : wasmtime_error_new("over a limit");
}

static struct timespec time_of(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
}

static void *tick(void *arg)
{
    struct runner_profiler *p = arg;
    uint64_t next = stopwatch_ns() + p->interval_ns;
    (void)pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        const struct timespec at = time_of(next);
        if (pthread_cond_timedwait(&p->wake, &p->lock, &at) != ETIMEDOUT)
            continue;
        wasmtime_engine_increment_epoch(p->engine);
        next = stopwatch_ns() + p->interval_ns;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int start_ticker(struct runner_profiler *p, struct err *e)
{
    pthread_condattr_t attr;
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&p->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    int r = pthread_create(&p->ticker, NULL, tick, p);
    if (r != 0)
        return err_set_errno(e, ERR_OTHER, r, "start the profiler's thread");
    p->running = true;
    return 0;
}

int runner_profiler_start(struct runner_profiler *p, const struct runner_program *program,
                          const struct runner_grants *grants, const struct runner_watchdog *w,
                          wasmtime_store_t *store, struct err *e)
{
    wasm_name_t name;
    if (!grants->profile)
        return 0;
    if (program->code.kind != WBIN_MODULE)
        return err_set(e, ERR_UNSUPPORTED, "the engine profiles no components, only modules");
    if (program->host->conf->code.uninterruptible)
        return err_set(e, ERR_CONFIG, "code that cannot be interrupted cannot be profiled");
    p->store = store;
    p->watchdog = w;
    p->engine = program->host->engine;
    p->interval_ns = grants->profile_ns ? grants->profile_ns : RUNNER_PROFILE_NS;
    wasm_name_new_from_string(&name, grants->argc ? grants->argv[0] : "guest");
    const wasmtime_guestprofiler_modules_t module = {&name, program->code.module};
    p->engines = wasmtime_guestprofiler_new(p->engine, &name, p->interval_ns, &module, 1);
    wasm_name_delete(&name);
    p->cpu_ns = cpu_ns();
    wasmtime_store_epoch_deadline_callback(store, on_tick, p, NULL);
    wasmtime_context_set_epoch_deadline(wasmtime_store_context(store), 1);
    return start_ticker(p, e);
}

static void stop_ticker(struct runner_profiler *p)
{
    if (!p->running)
        return;
    (void)pthread_mutex_lock(&p->lock);
    p->stop = true;
    (void)pthread_cond_signal(&p->wake);
    (void)pthread_mutex_unlock(&p->lock);
    (void)pthread_join(p->ticker, NULL);
    (void)pthread_cond_destroy(&p->wake);
    (void)pthread_mutex_destroy(&p->lock);
    p->running = false;
}

static int write_profile(wasmtime_guestprofiler_t *engines, struct sink *to, struct err *e)
{
    wasm_byte_vec_t json;
    wasmtime_error_t *error = wasmtime_guestprofiler_finish(engines, &json);
    if (error)
        return runner_failure_set(e, ERR_OTHER, error);
    int r = sink_write(to, bytes_of(json.data, json.size), e);
    wasm_byte_vec_delete(&json);
    return r == 0 ? sink_commit(to, e) : r;
}

bool runner_profiler_finish(struct runner_profiler *p, const struct runner_grants *grants)
{
    struct err why = ERR_INIT;
    stop_ticker(p);
    if (!p->engines)
        return false;
    int r = write_profile(TAKE(p->engines), grants->profile, &why);
    if (r != 0)
        log_warn("there is no profile: %s", why.msg);
    sink_abort(grants->profile);
    return r == 0;
}

void runner_profiler_done(struct runner_profiler *p)
{
    stop_ticker(p);
    if (p->engines)
        wasmtime_guestprofiler_delete(TAKE(p->engines));
}
