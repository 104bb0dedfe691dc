/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: from bytes to compiled code, by way of the cache. */
#ifndef WAYBILL_RUNNER_MODULE_H
#define WAYBILL_RUNNER_MODULE_H

#include "base/wbin.h"
#include "runner/engine.h"

struct runner_module {
    enum wbin_kind kind;
    wasmtime_module_t *module;       /* WBIN_MODULE */
    wasmtime_component_t *component; /* WBIN_COMPONENT */
};

/* runner_module_load - file: a binary or a text (runner/wat.h), borrowed.  digest: as of runner_run.
 * cache_dir: NULL for no cache. ret: runner_module_done by the caller. ERR_NOT_RUNNABLE (not valid),
 * ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int runner_module_load(wasm_engine_t *engine, struct bytes file, const struct digest *digest,
                                  const char *cache_dir, struct runner_module *ret, struct err *e);
void runner_module_done(struct runner_module *m);

#endif
