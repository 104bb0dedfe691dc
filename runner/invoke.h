/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: calling one exported function. It is found and its arguments are read before any code
 * of the guest runs. */
#ifndef WAYBILL_RUNNER_INVOKE_H
#define WAYBILL_RUNNER_INVOKE_H

#include "runner/guest.h"
#include "runner/values.h"

struct runner_call {
    struct wave_type *params;                /* a RECORD */
    struct wave_type *results;               /* a TUPLE, of any number */
    struct wave_value args;                  /* of params */
    wasmtime_component_export_index_t *func; /* of a component */
    bool json;
    const char *nothing; /* the line that stands for no result, or NULL */
};

/* runner_core_call_prepare / runner_component_call_prepare - call: runner_call_done by the caller, also after
 * a failure. ERR_USAGE (no such function or several of them, arguments that do not fit), ERR_NOT_RUNNABLE (a
 * type that cannot be written down, an async function), ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int runner_core_call_prepare(const struct runner_program *p, const struct runner_invoke *invoke,
                                        struct runner_call *call, struct err *e);
MUST_CHECK int runner_component_call_prepare(const struct runner_program *p,
                                             const struct runner_invoke *invoke, struct runner_call *call,
                                             struct err *e);

/* runner_core_call / runner_component_call - the call itself, in an instance of the program. Fill o: what was
 * returned as text in o->values, or how it ended. */
MUST_CHECK int runner_core_call(const struct runner_call *call, wasmtime_context_t *context,
                                const wasmtime_func_t *func, struct runner_outcome *o, struct err *e);
MUST_CHECK int runner_component_call(const struct runner_call *call, wasmtime_context_t *context,
                                     const wasmtime_component_func_t *func, struct runner_outcome *o,
                                     struct err *e);

/* runner_call_print - what was returned, as struct runner_result has it.  results: a value of call->results.
 * The caller frees *ret. ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int runner_call_print(const struct runner_call *call, const struct wave_value *results, char **ret,
                                 struct err *e);
void runner_call_done(struct runner_call *call);

/* runner_export_match - how well a name fits the function at a path of exports ({"ns:pkg/face@1.0.0",
 * "func"}): 2 in full, with "#" or "." between its parts; 1 when it leaves out the version, the package or
 * all instances, or has the version at its end; 0 not at all. */
int runner_export_match(const char *const *path, size_t n, struct bytes name);

/* runner_exports_say - ERR_USAGE: what is wrong with the name, and the n functions that may have been meant.
 * what: "no function", ... names: appended to as "a, b, c". */
int runner_exports_say(const char *what, struct bytes name, const char *but, const struct buf *names,
                       struct err *e);

#endif
