/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: from bytes to compiled code, by way of the cache. */
#ifndef WAYBILL_RUNNER_MODULE_H
#define WAYBILL_RUNNER_MODULE_H

#include "base/wbin.h"
#include "runner/engine.h"
#include "runner/run.h"

struct runner_module {
    enum wbin_kind kind;
    wasmtime_module_t *module;       /* WBIN_MODULE */
    wasmtime_component_t *component; /* WBIN_COMPONENT */
    bool was_kept;                   /* it was compiled before */
};

/* How it went with the cache. */
struct runner_kept {
    struct digest digest; /* SHA-256 of the binary */
    uint64_t size;        /* of the compiled code, bytes */
    bool found;           /* it was there before */
    int code;             /* why one that was not is not kept either; 0: it is */
    struct err why;       /* and in words */
};

/* runner_module_load - file: a binary or a text (runner/wat.h), borrowed.  digest: as of runner_run.
 * conf: of the engine, and with its cache. ret: runner_module_done by the caller.  kept: NULL, or where it is
 * said how it went with the cache, and no log line. ERR_NOT_RUNNABLE (not valid), ERR_LIMIT, ERR_NOMEM,
 * and those of runner_code_compile. */
MUST_CHECK int runner_module_load(wasm_engine_t *engine, struct bytes file, const struct digest *digest,
                                  const struct runner_conf *conf, struct runner_module *ret,
                                  struct runner_kept *kept, struct err *e);
void runner_module_done(struct runner_module *m);

#endif
