/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: the engine as we configure it, and its objects as scoped variables. */
#ifndef WAYBILL_RUNNER_ENGINE_H
#define WAYBILL_RUNNER_ENGINE_H

#include "base/buf.h"
#include "runner/run.h"

#include <wasmtime.h>

/* The engine's own deleters do not take NULL. */
#define DEFINE_ENGINE_AUTO(tag, delete_fn)       \
    static inline void tag##_drop(struct tag *p) \
    {                                            \
        if (p)                                   \
            delete_fn(p);                        \
    }                                            \
    DEFINE_AUTO(tag, tag##_drop)

DEFINE_ENGINE_AUTO(wasm_engine_t, wasm_engine_delete);
DEFINE_ENGINE_AUTO(wasmtime_store, wasmtime_store_delete);
DEFINE_ENGINE_AUTO(wasmtime_module, wasmtime_module_delete);
DEFINE_ENGINE_AUTO(wasmtime_linker, wasmtime_linker_delete);
DEFINE_ENGINE_AUTO(wasmtime_instance_pre, wasmtime_instance_pre_delete);
DEFINE_ENGINE_AUTO(wasmtime_error, wasmtime_error_delete);
DEFINE_ENGINE_AUTO(wasm_trap_t, wasm_trap_delete);
DEFINE_ENGINE_AUTO(wasi_config_t, wasi_config_delete);
DEFINE_ENGINE_AUTO(wasmtime_component_t, wasmtime_component_delete);
DEFINE_ENGINE_AUTO(wasmtime_component_linker_t, wasmtime_component_linker_delete);
DEFINE_ENGINE_AUTO(wasmtime_component_export_index_t, wasmtime_component_export_index_delete);
DEFINE_ENGINE_AUTO(wasmtime_component_func_type_t, wasmtime_component_func_type_delete);

/* The modules that WASI preview 1 and what was before it are imported from. */
#define RUNNER_PREVIEW1 "wasi_snapshot_preview1"
#define RUNNER_UNSTABLE "wasi_unstable"

/* runner_name_bytes - borrowed; BYTES_NONE where the engine has no name. */
static inline struct bytes runner_name_bytes(const wasm_name_t *name)
{
    return name ? bytes_of(name->data, name->size) : BYTES_NONE;
}

/* runner_engine_new - the configuration that all of runner/ uses. The caller deletes *ret. ERR_CONFIG (more
 * stack than half of what the process has), ERR_IO (the perf map), ERR_NOMEM. */
MUST_CHECK int runner_engine_new(const struct runner_conf *conf, wasm_engine_t **ret, struct err *e);

/* runner_engine_stack - the guest's part of the stack in bytes. ERR_CONFIG as above. */
MUST_CHECK int runner_engine_stack(const struct runner_code *code, uint64_t *ret, struct err *e);

/* runner_engine_identity - appends everything but the module that decides what compiled code looks like: the
 * engine's version, our configuration, the features of this processor. One line of printable text. */
void runner_engine_identity(const struct runner_conf *conf, struct buf *out);

#endif
