/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/engine.h"

#include "base/limits.h"
#include "base/log.h"
#include "runner/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

/* What stays in place of a memory or a table that is given back, to be cleared by us and not by the kernel.
 */
#define POOL_KEEP (64U << 10)

/* A pool's place for one memory: the 4 GiB that an index of 32 bits reaches and the guard behind them, twice
 * as wide as the engine has it. */
#define POOL_SLOT ((4ULL << 30) + (64ULL << 20))

/* A component may have several instances of modules, among them those that adapt one to the other. */
enum { POOL_PER_COMPONENT = 4, POOL_MAX = 16384 };

/* The engine ends the process when it cannot have the space that it is told to set aside. */
static bool pool_fits(uint32_t n)
{
    if (n > POOL_MAX)
        return false;
    const size_t size = (size_t)((n + 1) * POOL_SLOT + ROOMY_ADDRESS_SPACE);
    void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return false;
    (void)munmap(p, size);
    return true;
}

static void set_pool(wasm_config_t *config, uint32_t n)
{
    if (n == 0)
        return;
    if (!pool_fits(n)) {
        log_warn("there is no address space for a pool of %u instances: each is made by itself", n);
        return;
    }
    wasmtime_pooling_allocation_config_t *pool = wasmtime_pooling_allocation_config_new();
    wasmtime_pooling_allocation_config_total_component_instances_set(pool, n);
    wasmtime_pooling_allocation_config_total_core_instances_set(pool, n * POOL_PER_COMPONENT);
    wasmtime_pooling_allocation_config_total_memories_set(pool, n);
    wasmtime_pooling_allocation_config_total_tables_set(pool, n * POOL_PER_COMPONENT);
    wasmtime_pooling_allocation_config_total_stacks_set(pool, n);
    wasmtime_pooling_allocation_config_total_gc_heaps_set(pool, n);
    wasmtime_pooling_allocation_config_max_unused_warm_slots_set(pool, n);
    wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(pool, POOL_KEEP);
    wasmtime_pooling_allocation_config_table_keep_resident_set(pool, POOL_KEEP);
    wasmtime_pooling_allocation_strategy_set(config, pool);
    wasmtime_pooling_allocation_config_delete(pool);
}

/* Half of the stack is the host's: a guest that could use all of it would end the process and not only
 * itself. */
static uint64_t guest_stack_max(void)
{
    struct rlimit stack;
    if (getrlimit(RLIMIT_STACK, &stack) != 0 || stack.rlim_cur / 2 > LIMIT_GUEST_STACK_MAX)
        return LIMIT_GUEST_STACK_MAX;
    return stack.rlim_cur / 2;
}

int runner_engine_stack(const struct runner_code *code, uint64_t *ret, struct err *e)
{
    const uint64_t max = guest_stack_max();
    if (code->max_stack > max)
        return err_set(e, ERR_CONFIG,
                       "max-stack: %" PRIu64 " bytes are more than half of what this process has (ulimit -s)",
                       code->max_stack);
    *ret = code->max_stack ? code->max_stack : max < LIMIT_GUEST_STACK ? max : LIMIT_GUEST_STACK;
    return 0;
}

/* The engine also makes stacks of its own, which must have room for a guest's and the host's functions. */
static void set_stack(wasm_config_t *config, uint64_t stack)
{
    const uint64_t host = 3U << 19;
    wasmtime_config_async_stack_size_set(config, (size_t)(stack + host));
    wasmtime_config_max_wasm_stack_set(config, (size_t)stack);
}

/* The engine ends the process when it cannot open this file, and follows a link that lies in wait for it. */
static int make_perf_map(struct err *e)
{
    char path[64];
    struct stat st;
    (void)snprintf(path, sizeof(path), "/tmp/perf-%ld.map", (long)getpid());
    AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_set_errno(e, ERR_IO, errno, "%s", path);
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
        return err_set(e, ERR_IO, "%s: not a file of our own", path);
    return 0;
}

int runner_engine_new(const struct runner_conf *conf, wasm_engine_t **ret, struct err *e)
{
    uint64_t stack = 0;
    int r = runner_engine_stack(&conf->code, &stack, e);
    if (r != 0)
        return r;
    wasm_config_t *config = wasm_config_new();
    if (!config)
        return err_nomem(e);
    wasmtime_config_epoch_interruption_set(config, !conf->code.uninterruptible);
    wasmtime_config_native_unwind_info_set(config, false); /* for native debuggers; backtraces do without */
    wasmtime_config_consume_fuel_set(config, conf->code.metered);
    set_stack(config, stack);
    wasmtime_config_wasm_component_model_map_set(config, true);
    if (conf->perf_map) {
        r = make_perf_map(e);
        if (r != 0) {
            wasm_config_delete(config);
            return r;
        }
        wasmtime_config_profiler_set(config, WASMTIME_PROFILING_STRATEGY_PERFMAP);
    }
    if (conf->deterministic) {
        wasmtime_config_cranelift_nan_canonicalization_set(config, true);
        wasmtime_config_wasm_relaxed_simd_deterministic_set(config, true);
    }
    if (!address_space_is_roomy()) {
        wasmtime_config_memory_reservation_set(config, 0);
        wasmtime_config_memory_reservation_for_growth_set(config, 1U << 20);
        wasmtime_config_memory_guard_size_set(config, 1U << 16);
    }
    set_pool(config, conf->pool);
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
    buf_printf(out, "%s%s%s no-unwind map %s%s%s cpu", runner_engine_name(),
               conf->code.uninterruptible ? "" : " epoch", conf->code.metered ? " fuel" : "",
               address_space_is_roomy() ? "roomy" : "tight", conf->deterministic ? " deterministic" : "",
               conf->source_lines ? " lines" : "");
    append_cpu(out);
}
