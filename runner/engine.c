/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/engine.h"

#include "runner/run.h"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* Address space that one linear memory takes when accesses are checked by guard pages, and some for other
 * things. */
#define ROOMY_ADDRESS_SPACE (8ULL << 30)

/* Where the address space is limited (RLIMIT_AS), memories are kept small and accesses checked by
 * instructions. */
static bool address_space_is_roomy(void)
{
    void *p = mmap(NULL, ROOMY_ADDRESS_SPACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return false;
    (void)munmap(p, ROOMY_ADDRESS_SPACE);
    return true;
}

/* The guest's part of the stack: the engine's own default, or half of what there is (RLIMIT_STACK). A guest
 * that could use all of it would end the process and not only itself. */
static size_t guest_stack(void)
{
    const size_t usual = 512U << 10;
    struct rlimit stack;
    if (getrlimit(RLIMIT_STACK, &stack) != 0 || stack.rlim_cur / 2 > usual)
        return usual;
    return (size_t)stack.rlim_cur / 2;
}

int runner_engine_new(const struct runner_conf *conf, wasm_engine_t **ret, struct err *e)
{
    wasm_config_t *config = wasm_config_new();
    if (!config)
        return err_nomem(e);
    wasmtime_config_epoch_interruption_set(config, true);
    wasmtime_config_native_unwind_info_set(config, false); /* for native debuggers; backtraces do without */
    wasmtime_config_max_wasm_stack_set(config, guest_stack());
    wasmtime_config_wasm_component_model_map_set(config, true);
    if (conf->deterministic) {
        wasmtime_config_cranelift_nan_canonicalization_set(config, true);
        wasmtime_config_wasm_relaxed_simd_deterministic_set(config, true);
    }
    if (!address_space_is_roomy()) {
        wasmtime_config_memory_reservation_set(config, 0);
        wasmtime_config_memory_reservation_for_growth_set(config, 1U << 20);
        wasmtime_config_memory_guard_size_set(config, 1U << 16);
    }
    wasm_engine_t *engine = wasm_engine_new_with_config(config);
    if (!engine)
        return err_nomem(e);
    *ret = engine;
    return 0;
}

const char *runner_engine_name(void)
{
    return "wasmtime " WASMTIME_VERSION;
}

static void append_cpu(struct buf *out)
{
#if defined(__x86_64__)
    static const unsigned leaves[] = {1, 7, 0x80000001U};
    for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
        unsigned a = 0, b = 0, c = 0, d = 0;
        (void)__get_cpuid_count(leaves[i], 0, &a, &b, &c, &d);
        if (leaves[i] == 1)
            b = 0; /* which core this is */
        buf_printf(out, " %x-%x-%x", b, c, d);
    }
#else
    buf_printf(out, " %lx-%lx", getauxval(AT_HWCAP), getauxval(AT_HWCAP2));
#endif
}

void runner_engine_identity(const struct runner_conf *conf, struct buf *out)
{
    buf_printf(out, "%s epoch no-unwind map %s%s cpu", runner_engine_name(),
               address_space_is_roomy() ? "roomy" : "tight", conf->deterministic ? " deterministic" : "");
    append_cpu(out);
}
