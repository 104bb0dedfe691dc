/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/run.h"

#include "base/stopwatch.h"
#include "runner/failure.h"
#include "runner/guest.h"
#include "runner/output.h"
#include "runner/postmortem.h"
#include "runner/profiler.h"
#include "runner/wasi.h"

#include <stdlib.h>

/* A guest while it runs, and what stands around it. */
struct running {
    const struct runner_program *program;
    const struct runner_limits *limits;
    struct runner_outcome outcome;
    struct runner_watchdog watchdog;
    struct runner_output output;
    struct runner_files files;
    struct runner_folders folders;
    wasmtime_store_t *store;
    bool memory_full; /* looked at while there was a store */
    int output_errno;
    uint64_t start_ns;
    struct runner_profiler profiler;
    struct runner_stats stats;
    bool dumped, profiled;
};

static void running_done(struct running *g)
{
    runner_profiler_done(&g->profiler);
    runner_files_done(&g->files);
    wasmtime_store_drop(g->store);
    runner_output_done(&g->output);
    runner_folders_done(&g->folders);
    runner_watchdog_done(&g->watchdog);
    runner_outcome_done(&g->outcome);
}

static int new_store(struct running *g, const struct runner_grants *grants, struct err *e)
{
    const struct runner_host *host = g->program->host;
    AUTO(wasi_config_t) wasi = NULL;
    runner_session_begin(&g->outcome.session, grants, host->conf->deterministic);
    runner_output_init(&g->output, g->limits->max_output, &g->watchdog);
    int r = runner_wasi_new(grants, &g->output, &g->folders, &wasi, e);
    if (r != 0)
        return r;
    g->store = wasmtime_store_new(host->engine, &g->outcome, NULL);
    if (!g->store)
        return err_nomem(e);
    runner_watchdog_attach(&g->watchdog, g->store);
    r = runner_limits_set(g->store, g->limits, &host->conf->code, e);
    if (r != 0)
        return r;
    wasmtime_error_t *error = wasmtime_context_set_wasi(wasmtime_store_context(g->store), TAKE(wasi));
    return error ? runner_failure_set(e, ERR_OTHER, error) : 0;
}

/* After this, nothing is opened but what the guest opens. */
static int seal(const struct runner_host *h, const struct runner_folders *folders,
                struct runner_sandbox_report *ret_report, struct err *e)
{
    const struct runner_sandbox_conf conf = {h->conf->sandbox, folders->items, folders->n};
    return runner_sandbox_enter(&conf, h->descriptors, ret_report, e);
}

/* Whether the guest's own code had begun when it went wrong; else it could not be put together. */
static bool had_begun(const struct runner_outcome *o)
{
    if (o->called || o->trap)
        return true;
    wasm_frame_vec_t frames;
    wasmtime_error_wasm_trace(o->error, &frames);
    bool begun = frames.size > 0;
    wasm_frame_vec_delete(&frames);
    return begun;
}

/* The limit that the failure comes from, if any: noticed from outside, by its cause, or by how it looks. */
static enum runner_limit judge_limit(const struct running *g)
{
    const struct runner_outcome *o = &g->outcome;
    enum runner_limit limit = runner_watchdog_fired(&g->watchdog);
    if (limit == RUNNER_LIMIT_NONE)
        limit = runner_limits_judge(o->error, o->trap);
    if (limit == RUNNER_LIMIT_NONE && g->memory_full)
        limit = RUNNER_LIMIT_MEMORY;
    return limit;
}

static int set_limit(const struct running *g, enum runner_limit limit, char ret[RUNNER_LIMIT_TEXT],
                     struct err *e)
{
    uint64_t stack = 0;
    int r = runner_engine_stack(&g->program->host->conf->code, &stack, e);
    if (r == 0 && limit != RUNNER_LIMIT_NONE)
        (void)runner_limit_text(limit, runner_limit_value(limit, g->limits, stack), ret);
    return r;
}

/* It went wrong in the guest, or before. */
static int judge_failure(struct running *g, struct runner_result *res, struct err *e)
{
    struct runner_outcome *o = &g->outcome;
    const enum runner_limit limit = judge_limit(g);
    int r = set_limit(g, limit, res->limit, e);
    if (r == 0 && !had_begun(o)) {
        r = runner_failure_set(e, ERR_NOT_RUNNABLE, TAKE(o->error));
        return limit == RUNNER_LIMIT_NONE ? r : err_wrap(e, "%s", res->limit);
    }
    res->status = runner_limit_status(limit);
    res->timed_out = res->status == RUNNER_STATUS_TIMEOUT;
    res->trapped = !res->timed_out;
    if (r == 0 && res->trapped && limit != RUNNER_LIMIT_OUTPUT)
        r = runner_failure_text(o->error, o->trap, &res->message, e);
    return r;
}

static int judge(struct running *g, struct runner_result *ret, struct err *e)
{
    struct runner_outcome *o = &g->outcome;
    int r = 0;
    if (!o->exited && o->error)
        o->exited = wasmtime_error_exit_status(o->error, &o->status);
    struct runner_result res = {.status = o->status};
    if (!o->exited && (o->error || o->trap)) {
        r = judge_failure(g, &res, e);
    } else if (runner_watchdog_fired(&g->watchdog) ==
               RUNNER_LIMIT_OUTPUT) { /* it ended before it was ended */
        r = set_limit(g, RUNNER_LIMIT_OUTPUT, res.limit, e);
        res.status = RUNNER_STATUS_TRAP;
        res.trapped = true;
    }
    res.output_errno = g->output_errno;
    if (res.output_errno != 0 && res.status == 0)
        res.status = 1;
    if (r != 0)
        return r;
    res.values = TAKE(o->values);
    *ret = res;
    return 0;
}

void runner_outcome_done(struct runner_outcome *o)
{
    wasmtime_error_drop(o->error);
    wasm_trap_t_drop(o->trap);
    free(o->values);
}

static struct runner_stats stats_of(const struct running *g)
{
    const struct runner_program *p = g->program;
    const uint64_t end = stopwatch_ns(), ready = g->outcome.instantiated_ns;
    uint64_t left = 0;
    struct runner_stats s = {.load_ns = p->load_ns,
                             .instantiate_ns = (ready ? ready : end) - g->start_ns,
                             .run_ns = ready ? end - ready : 0,
                             .kept = p->code.was_kept,
                             .metered = g->limits->fuel != 0};
    wasmtime_error_t *error =
        s.metered ? wasmtime_context_get_fuel(wasmtime_store_context(g->store), &left) : NULL;
    s.metered = s.metered && !error;
    s.fuel = s.metered ? g->limits->fuel - left : 0;
    wasmtime_error_drop(error);
    return s;
}

/* What there is to say of the guest while its store is there; time stands still for its limits. */
static void look_back(struct running *g, const struct runner_grants *grants)
{
    g->stats = stats_of(g);
    runner_watchdog_pause(&g->watchdog);
    g->profiled = runner_profiler_finish(&g->profiler, grants);
    g->dumped = runner_postmortem(
        g->program, grants, runner_watchdog_fired(&g->watchdog) == RUNNER_LIMIT_NONE, g->store, &g->outcome);
    runner_watchdog_resume(&g->watchdog);
}

/* Lets the guest go: what it wrote is on its way out, and the watchdog watches until it is there. */
static void end(struct running *g)
{
    g->memory_full = g->outcome.instantiated && runner_limits_memory_full(wasmtime_store_context(g->store),
                                                                          &g->outcome.instance, g->limits);
    runner_files_done(&g->files);
    wasmtime_store_drop(TAKE(g->store));
    g->output_errno = runner_output_finish(&g->output);
    runner_watchdog_done(&g->watchdog);
}

int runner_program_run(const struct runner_program *p, const struct runner_grants *grants,
                       struct runner_result *ret, struct err *e)
{
    AUTO_DONE(running) g = {.program = p, .limits = &grants->limits, .start_ns = stopwatch_ns()};
    struct runner_sandbox_report report;
    int r = new_store(&g, grants, e);
    if (r == 0)
        r = runner_files_limit(&g.files, grants->limits.max_open_files, g.folders.n, e);
    if (r == 0)
        r = seal(p->host, &g.folders, &report, e);
    runner_folders_done(&g.folders);
    if (r == 0)
        r = runner_watchdog_start(&g.watchdog, p->host->engine, g.limits, p->host->conf, e);
    if (r == 0)
        r = runner_profiler_start(&g.profiler, p, grants, &g.watchdog, g.store, e);
    if (r != 0)
        return r;
    if (p->code.kind == WBIN_COMPONENT)
        r = runner_component_start(p, grants->invoke, g.store, &g.outcome, e);
    else
        r = runner_core_start(p, grants->invoke, g.store, &g.outcome, e);
    if (r == 0)
        look_back(&g, grants);
    end(&g);
    if (r == 0)
        r = judge(&g, ret, e);
    if (r == 0) {
        ret->sandbox = report;
        ret->stats = g.stats;
        ret->dumped = g.dumped;
        ret->profiled = g.profiled;
    }
    return r;
}

int runner_run(const struct runner_conf *conf, struct bytes module, const struct digest *digest,
               const char *name, const struct runner_grants *grants, struct runner_result *ret, struct err *e)
{
    AUTO(runner_host) host = NULL;
    AUTO(runner_program) program = NULL;
    int r = runner_host_new(conf, &host, e);
    if (r == 0)
        r = runner_program_load(host, module, digest, &program, e);
    if (r == 0)
        r = runner_program_run(program, grants, ret, e);
    return r != 0 ? err_wrap(e, "%s", name) : 0;
}

int runner_check(const struct runner_conf *conf, struct bytes module, const struct digest *digest,
                 const char *name, const struct runner_grants *grants, struct err *e)
{
    AUTO(runner_host) host = NULL;
    AUTO(runner_program) program = NULL;
    struct runner_grants g = *grants;
    struct runner_watchdog unused = {.running = false};
    AUTO_DONE(runner_output) output;
    AUTO_DONE(runner_folders) folders = {.n = 0};
    runner_output_init(&output, grants->limits.max_output, &unused);
    AUTO(wasi_config_t) wasi = NULL; /* goes first: it may hold an end of output's pipes */
    g.stdout_file = g.stderr_file = NULL;
    int r = runner_host_new(conf, &host, e);
    if (r == 0)
        r = runner_program_load(host, module, digest, &program, e);
    if (r == 0)
        r = program->code.kind == WBIN_MODULE ? runner_core_check(program, grants->invoke, e)
                                              : runner_component_check(program, grants->invoke, e);
    if (r == 0)
        r = runner_wasi_new(&g, &output, &folders, &wasi, e);
    return r != 0 ? err_wrap(e, "%s", name) : 0;
}

void runner_result_done(struct runner_result *r)
{
    free(TAKE(r->message));
    free(TAKE(r->values));
}
