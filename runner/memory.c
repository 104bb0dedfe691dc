/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/memory.h"

struct runner_memory runner_memory_of(wasmtime_caller_t *caller)
{
    static const char name[] = "memory";
    struct runner_memory m = {NULL, 0};
    wasmtime_extern_t item;
    if (!wasmtime_caller_export_get(caller, name, sizeof(name) - 1, &item))
        return m;
    if (item.kind == WASMTIME_EXTERN_MEMORY) {
        wasmtime_context_t *context = wasmtime_caller_context(caller);
        m.ptr = wasmtime_memory_data(context, &item.of.memory);
        m.len = wasmtime_memory_data_size(context, &item.of.memory);
    }
    wasmtime_extern_delete(&item);
    return m;
}

uint8_t *runner_memory_at(const struct runner_memory *m, uint32_t address, uint64_t n)
{
    if (!m->ptr || n > m->len || address > m->len - n)
        return NULL;
    return m->ptr + address;
}

uint64_t runner_memory_get(const uint8_t *at, unsigned n_bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < n_bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

void runner_memory_put(uint8_t *at, unsigned n_bytes, uint64_t value)
{
    for (unsigned i = 0; i < n_bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}
