/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/guest.h"

#include "base/stopwatch.h"

#include <stdlib.h>

int runner_host_new(const struct runner_conf *conf, struct runner_host **ret, struct err *e)
{
    AUTO(runner_host) h = calloc(1, sizeof(*h));
    if (!h)
        return err_nomem(e);
    const uint64_t start = stopwatch_ns();
    h->conf = conf;
    if (conf->sandbox != RUNNER_SANDBOX_OFF)
        h->descriptors = runner_sandbox_close(conf->keep, conf->n_keep);
    int r = runner_engine_new(conf, &h->engine, e);
    h->start_ns = stopwatch_ns() - start;
    if (r == 0)
        *ret = TAKE(h);
    return r;
}

void runner_host_free(struct runner_host *h)
{
    if (h)
        wasm_engine_t_drop(h->engine);
    free(h);
}

int runner_program_load(struct runner_host *h, struct bytes module, const struct digest *digest,
                        struct runner_program **ret, struct err *e)
{
    AUTO(runner_program) p = calloc(1, sizeof(*p));
    if (!p)
        return err_nomem(e);
    p->host = h;
    const uint64_t start = stopwatch_ns();
    int r = runner_module_load(h->engine, module, digest, h->conf, &p->code, NULL, e);
    if (r == 0)
        r = p->code.kind == WBIN_COMPONENT ? runner_component_link(p, e) : runner_core_link(p, e);
    if (r != 0)
        return r;
    p->load_ns = h->start_ns + (stopwatch_ns() - start);
    *ret = TAKE(p);
    return 0;
}

int runner_compile(struct runner_host *h, struct bytes module, const struct digest *digest,
                   struct runner_compiled *ret, struct err *e)
{
    struct runner_module m;
    struct runner_kept kept = {.why = ERR_INIT};
    int r = runner_module_load(h->engine, module, digest, h->conf, &m, &kept, e);
    if (r != 0)
        return r;
    *ret = (struct runner_compiled){kept.digest, m.kind == WBIN_COMPONENT, kept.found, kept.size};
    runner_module_done(&m);
    if (kept.code == 0)
        return 0;
    *e = kept.why;
    return err_wrap(e, "the compiled code is not kept");
}

void runner_program_free(struct runner_program *p)
{
    if (!p)
        return;
    wasmtime_component_export_index_t_drop(p->entry);
    wasmtime_component_linker_t_drop(p->component_linker);
    wasmtime_instance_pre_drop(p->pre);
    wasmtime_linker_drop(p->linker);
    runner_paths_free(p->paths);
    runner_unstable_free(p->unstable);
    runner_module_done(&p->code);
    free(p);
}
