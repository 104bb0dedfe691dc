/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/run.h"

#include "base/limits.h"
#include "runner/failure.h"
#include "runner/guest.h"
#include "runner/wasi.h"
#include "runner/watchdog.h"

#include <stdlib.h>
#include <waybill_stdio.h>

/* The engine's limit on memory is for each linear memory, so their number is limited too; likewise tables. */
#define MEMORIES_MAX       8
#define TABLES_MAX         64
#define TABLE_ELEMENTS_MAX (1 << 20)
#define INSTANCES_MAX      1024

/* More epochs than a watchdog ever lets pass. */
#define NO_DEADLINE (UINT64_MAX >> 1)

static void set_limits(wasmtime_store_t *store, const struct runner_limits *l)
{
    uint64_t memory = l->max_memory ? l->max_memory : LIMIT_GUEST_MEMORY;
    if (memory > INT64_MAX)
        memory = INT64_MAX;
    wasmtime_store_limiter(store, (int64_t)memory, TABLE_ELEMENTS_MAX, INSTANCES_MAX, TABLES_MAX,
                           MEMORIES_MAX);
    wasmtime_context_set_epoch_deadline(wasmtime_store_context(store), l->timeout_ms ? 1 : NO_DEADLINE);
}

static int new_store(const struct runner_host *host, const struct runner_grants *g, struct runner_outcome *o,
                     struct runner_folders *folders, wasmtime_store_t **ret, struct err *e)
{
    AUTO(wasi_config_t) wasi = NULL;
    runner_session_begin(&o->session, g, host->conf->deterministic);
    int r = runner_wasi_new(g, folders, &wasi, e);
    if (r != 0)
        return r;
    AUTO(wasmtime_store) store = wasmtime_store_new(host->engine, o, NULL);
    if (!store)
        return err_nomem(e);
    set_limits(store, &g->limits);
    wasmtime_error_t *error = wasmtime_context_set_wasi(wasmtime_store_context(store), TAKE(wasi));
    if (error)
        return runner_failure_set(e, ERR_OTHER, error);
    *ret = TAKE(store);
    return 0;
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

static int judge(struct runner_outcome *o, bool out_of_time, struct runner_result *ret, struct err *e)
{
    if (!o->exited && o->error)
        o->exited = wasmtime_error_exit_status(o->error, &o->status);
    struct runner_result res = {.status = o->status};
    if (!o->exited && (o->error || o->trap)) {
        if (!had_begun(o))
            return runner_failure_set(e, ERR_NOT_RUNNABLE, TAKE(o->error));
        res.timed_out = out_of_time;
        res.trapped = !out_of_time;
        res.status = out_of_time ? RUNNER_STATUS_TIMEOUT : RUNNER_STATUS_TRAP;
        int r = res.trapped ? runner_failure_text(o->error, o->trap, &res.message, e) : 0;
        if (r != 0)
            return r;
    }
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

int runner_program_run(const struct runner_program *p, const struct runner_grants *grants,
                       struct runner_result *ret, struct err *e)
{
    const struct runner_conf *conf = p->host->conf;
    AUTO(wasmtime_store) store = NULL;
    AUTO_DONE(runner_outcome) o = {.exited = false};
    AUTO_DONE(runner_watchdog) watchdog = {.running = false};
    AUTO_DONE(runner_folders) folders = {.n = 0};
    struct runner_sandbox_report report;
    int r = new_store(p->host, grants, &o, &folders, &store, e);
    if (r == 0)
        r = seal(p->host, &folders, &report, e);
    runner_folders_done(&folders);
    if (r == 0 && grants->limits.timeout_ms)
        r = runner_watchdog_start(&watchdog, p->host->engine, grants->limits.timeout_ms, conf->on_deadline,
                                  conf->on_deadline_ctx, e);
    if (r != 0)
        return r;
    if (p->code.kind == WBIN_COMPONENT)
        r = runner_component_start(p, grants->invoke, store, &o, e);
    else
        r = runner_core_start(p, grants->invoke, store, &o, e);
    runner_watchdog_done(&watchdog);
    if (r == 0)
        r = judge(&o, runner_watchdog_fired(&watchdog), ret, e);
    if (r == 0)
        ret->sandbox = report;
    if (waybill_stdio_flush() != 0 && r == 0 && ret->status == 0)
        ret->status = 1;
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
    AUTO(wasi_config_t) wasi = NULL;
    AUTO_DONE(runner_folders) folders = {.n = 0};
    struct runner_grants g = *grants;
    g.stdout_file = g.stderr_file = NULL;
    int r = runner_host_new(conf, &host, e);
    if (r == 0)
        r = runner_program_load(host, module, digest, &program, e);
    if (r == 0)
        r = program->code.kind == WBIN_MODULE ? runner_core_check(program, grants->invoke, e)
                                              : runner_component_check(program, grants->invoke, e);
    if (r == 0)
        r = runner_wasi_new(&g, &folders, &wasi, e);
    return r != 0 ? err_wrap(e, "%s", name) : 0;
}

void runner_result_done(struct runner_result *r)
{
    free(TAKE(r->message));
    free(TAKE(r->values));
}
