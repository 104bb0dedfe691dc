/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: what the engine says about a failure, in our form. The engine's text is escaped. */
#ifndef WAYBILL_RUNNER_FAILURE_H
#define WAYBILL_RUNNER_FAILURE_H

#include "runner/engine.h"

/* runner_failure_set - records the causes in one line; error: taken over, not NULL. Returns code. */
int runner_failure_set(struct err *e, enum err_code code, wasmtime_error_t *error);

/* runner_failure_trap - the same as a trap, for functions that a guest calls; error: taken over, not NULL.
 * The caller owns what is returned. */
wasm_trap_t *runner_failure_trap(wasmtime_error_t *error);

/* runner_failure_text - the causes in one line, the backtrace of the guest in the lines behind it.
 * error or trap: borrowed, one of them not NULL.  ret: the caller frees. ERR_NOMEM. */
MUST_CHECK int runner_failure_text(const wasmtime_error_t *error, const wasm_trap_t *trap, char **ret,
                                   struct err *e);

#endif
