/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: the memory of a core module that calls a function of ours. */
#ifndef WAYBILL_RUNNER_MEMORY_H
#define WAYBILL_RUNNER_MEMORY_H

#include "runner/engine.h"

/* Valid until the guest runs again: it may grow its memory, which may move. */
struct runner_memory {
    uint8_t *ptr;
    size_t len;
};

/* runner_memory_of - what the caller exports as "memory"; empty where it exports none. */
struct runner_memory runner_memory_of(wasmtime_caller_t *caller);

/* runner_memory_at - n bytes at a guest's address; NULL where they do not all lie in the memory. */
uint8_t *runner_memory_at(const struct runner_memory *m, uint32_t address, uint64_t n);

/* The numbers in a guest's memory are little-endian and need no alignment. */
uint64_t runner_memory_get(const uint8_t *at, unsigned n_bytes);
void runner_memory_put(uint8_t *at, unsigned n_bytes, uint64_t value);

#endif
