/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to runner/: compiling, in a child process with bounds on its time and memory. What the compiler
 * needs for a module grows faster than the module, and nothing else stops it; it also may end its process.
 */
#ifndef WAYBILL_RUNNER_COMPILE_H
#define WAYBILL_RUNNER_COMPILE_H

#include "base/wbin.h"
#include "runner/engine.h"

/* runner_code_compile - the engine's native code of a module or component, which depends on nothing but the
 * binary, kind and runner_engine_identity.
 * engine: borrowed; no other thread uses it meanwhile.  binary: borrowed.  code: the bounds.
 * ret_fd: a file in memory that nobody can change any more, for the engine's deserialize functions; the
 * caller closes it. ERR_NOT_RUNNABLE (not valid), ERR_LIMIT (over a bound), ERR_IO, ERR_OTHER (the compiler
 * failed). The child is gone when this returns, and ends with this process. */
MUST_CHECK int runner_code_compile(wasm_engine_t *engine, enum wbin_kind kind, struct bytes binary,
                                   const struct runner_code *code, int *ret_fd, struct err *e);

#endif
