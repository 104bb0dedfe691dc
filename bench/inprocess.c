/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a run takes inside one process, as a program that embeds libwaybill sees it, and what an instance
 * that is alive takes of memory. Prints the medians of batches. Usage: inprocess [RUNS [ALIVE]]
 */
#include "runner/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCHES = 21 };

/* A command with a memory of its own, data in it, and the two imports that small commands have. */
static const char small[] = "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func (param i32)))"
                            "(import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i32 i32 i32 i32)"
                            " (result i32))) (memory (export \"memory\") 2) (data (i32.const 1024) \"hello\")"
                            "(func (export \"_start\") (i32.store (i32.const 2048) (i32.const 1))))";

static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void die(const char *what)
{
    fprintf(stderr, "inprocess: %s\n", what);
    exit(1);
}

/* The engine's part alone: a store, an instance, the call, all of it dropped. */
static void run_bare(const struct runner_program *p)
{
    wasmtime_store_t *store = wasmtime_store_new(p->host->engine, NULL, NULL);
    wasmtime_context_t *context = wasmtime_store_context(store);
    wasmtime_instance_t instance;
    wasmtime_extern_t start;
    wasm_trap_t *trap = NULL;
    if (wasmtime_instance_pre_instantiate(p->pre, context, &instance, &trap) || trap ||
        !wasmtime_instance_export_get(context, &instance, "_start", 6, &start) ||
        wasmtime_func_call(context, &start.of.func, NULL, 0, NULL, 0, &trap) || trap)
        die("the guest failed");
    wasmtime_extern_delete(&start);
    wasmtime_store_delete(store);
}

/* All that runner_program_run does. */
static void run_full(const struct runner_program *p)
{
    static const char *const argv[] = {"small"};
    const struct runner_grants grants = {.argv = argv, .argc = 1};
    struct runner_result result;
    struct err e = ERR_INIT;
    if (runner_program_run(p, &grants, &result, &e) != 0)
        die(e.msg);
    runner_result_done(&result);
}

static void measure(const char *name, const struct runner_program *p,
                    void (*run)(const struct runner_program *), unsigned runs)
{
    double batch[BATCHES];
    run(p);
    for (size_t b = 0; b < BATCHES; b++) {
        const double from = now_us();
        for (unsigned i = 0; i < runs; i++)
            run(p);
        batch[b] = (now_us() - from) / runs;
    }
    qsort(batch, BATCHES, sizeof(batch[0]), by_size);
    printf("%-52s %8.2f us (least %.2f)\n", name, batch[BATCHES / 2], batch[0]);
}

static long resident_bytes(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        die("/proc/self/statm");
    (void)fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

/* Instances that have run and are kept. */
static void keep_alive(const struct runner_program *p, size_t n)
{
    wasmtime_store_t **stores = calloc(n + 1, sizeof(struct wasmtime_store *));
    if (!stores)
        die("out of memory");
    const long before = resident_bytes();
    for (size_t i = 0; i < n; i++) {
        wasmtime_instance_t instance;
        wasmtime_extern_t start;
        wasm_trap_t *trap = NULL;
        stores[i] = wasmtime_store_new(p->host->engine, NULL, NULL);
        wasmtime_context_t *context = wasmtime_store_context(stores[i]);
        if (wasmtime_instance_pre_instantiate(p->pre, context, &instance, &trap) || trap ||
            !wasmtime_instance_export_get(context, &instance, "_start", 6, &start) ||
            wasmtime_func_call(context, &start.of.func, NULL, 0, NULL, 0, &trap) || trap)
            die("an instance could not be made");
        wasmtime_extern_delete(&start);
    }
    printf("%zu instances alive: %.1f KiB of memory each\n", n,
           (double)(resident_bytes() - before) / 1024 / (double)n);
    for (size_t i = 0; i < n; i++)
        wasmtime_store_delete(stores[i]);
    free(stores);
}

static void with_pool(uint32_t pool, unsigned runs, size_t alive)
{
    const struct runner_conf conf = {.pool = pool, .code = {.uninterruptible = true}};
    struct err e = ERR_INIT;
    AUTO(runner_host) host = NULL;
    AUTO(runner_program) program = NULL;
    if (runner_host_new(&conf, &host, &e) != 0 ||
        runner_program_load(host, bytes_str(small), NULL, &program, &e) != 0)
        die(e.msg);
    measure(pool ? "instantiate, run, drop; from the pool" : "instantiate, run, drop; one by one", program,
            run_bare, runs);
    measure(pool ? "runner_program_run; from the pool" : "runner_program_run; one by one", program, run_full,
            runs);
    keep_alive(program, alive);
}

int main(int argc, char **argv)
{
    const unsigned runs = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2000;
    const size_t alive = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;
    printf("# %s, a module of two pages that returns\n", runner_engine_name());
    with_pool(0, runs, alive);
    with_pool((uint32_t)alive, runs, alive);
    return 0;
}
