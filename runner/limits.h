/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: the limits by their names, and those that the store and the process keep. */
#ifndef WAYBILL_RUNNER_LIMITS_H
#define WAYBILL_RUNNER_LIMITS_H

#include "runner/engine.h"
#include "runner/run.h"

#include <sys/resource.h>

enum runner_limit {
    RUNNER_LIMIT_NONE,
    RUNNER_LIMIT_TIME,
    RUNNER_LIMIT_CPU_TIME,
    RUNNER_LIMIT_FUEL,
    RUNNER_LIMIT_MEMORY,
    RUNNER_LIMIT_STACK,
    RUNNER_LIMIT_TABLES,
    RUNNER_LIMIT_TABLE_ELEMENTS,
    RUNNER_LIMIT_OUTPUT,
    RUNNER_LIMIT_MODULE,
    RUNNER_LIMIT_COMPILE_TIME,
    RUNNER_LIMIT_COMPILE_MEMORY,
};

/* runner_limit_text - "out of fuel (fuel 1000)"; value: in the limit's own unit, bytes or milliseconds. */
const char *runner_limit_text(enum runner_limit limit, uint64_t value, char ret[RUNNER_LIMIT_TEXT]);

/* runner_limit_status - what a run that it ends gives: RUNNER_STATUS_TIMEOUT for time, else
 * RUNNER_STATUS_TRAP. */
int runner_limit_status(enum runner_limit limit);

/* runner_limit_value - what a run's limit is: as asked for, or the default. stack: of the engine. */
uint64_t runner_limit_value(enum runner_limit limit, const struct runner_limits *l, uint64_t stack);

/* runner_limits_set - the limits that a store keeps: memories, tables, fuel. Before its first instance.
 * ERR_CONFIG (a limit that the code was not compiled for). */
MUST_CHECK int runner_limits_set(wasmtime_store_t *store, const struct runner_limits *l,
                                 const struct runner_code *code, struct err *e);

/* runner_limits_watched - whether a run has limits that are noticed from outside. */
bool runner_limits_watched(const struct runner_limits *l);

/* runner_limits_judge - which limit a failure of the guest's comes from, if any. error or trap: one of them
 * not NULL. */
enum runner_limit runner_limits_judge(const wasmtime_error_t *error, const wasm_trap_t *trap);

/* runner_limits_memory_full - whether a memory that the instance exports cannot grow by a page any more, for
 * the limit. */
bool runner_limits_memory_full(wasmtime_context_t *context, const wasmtime_instance_t *instance,
                               const struct runner_limits *l);

/* The process's bound on descriptors while a guest runs. */
struct runner_files {
    bool lowered;
    struct rlimit before;
};

/* runner_files_limit - lets n more descriptors be opened than are open, besides those of the engine; 0: as
 * many as before. ending: how many of those that are open will be closed, which take up some of n.
 * runner_files_done puts back what was. f: zeroed by the caller. ERR_IO. */
MUST_CHECK int runner_files_limit(struct runner_files *f, uint64_t n, uint64_t ending, struct err *e);
void runner_files_done(struct runner_files *f);

#endif
