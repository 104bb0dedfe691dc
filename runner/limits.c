/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/limits.h"

#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

enum unit { UNIT_MS, UNIT_BYTES, UNIT_COUNT };

/* By their options' names, so that whoever reads the message knows what to change. */
static const struct limit {
    const char *cause, *name;
    enum unit unit;
} limits[] = {
    [RUNNER_LIMIT_NONE] = {"", "", UNIT_COUNT},
    [RUNNER_LIMIT_TIME] = {"out of time", "timeout", UNIT_MS},
    [RUNNER_LIMIT_CPU_TIME] = {"out of processor time", "cpu-time", UNIT_MS},
    [RUNNER_LIMIT_FUEL] = {"out of fuel", "fuel", UNIT_COUNT},
    [RUNNER_LIMIT_MEMORY] = {"out of memory", "max-memory", UNIT_BYTES},
    [RUNNER_LIMIT_STACK] = {"out of stack", "max-stack", UNIT_BYTES},
    [RUNNER_LIMIT_TABLES] = {"too many tables", "max-tables", UNIT_COUNT},
    [RUNNER_LIMIT_TABLE_ELEMENTS] = {"a table is too large", "max-table-elements", UNIT_COUNT},
    [RUNNER_LIMIT_OUTPUT] = {"too much output", "max-output", UNIT_BYTES},
    [RUNNER_LIMIT_MODULE] = {"the module is too large", "max-module-size", UNIT_BYTES},
    [RUNNER_LIMIT_COMPILE_TIME] = {"compiling takes too long", "compile-timeout", UNIT_MS},
    [RUNNER_LIMIT_COMPILE_MEMORY] = {"compiling takes too much memory", "compile-memory", UNIT_BYTES},
};

/* The largest unit that the value is a whole number of. */
static void format_value(uint64_t value, enum unit unit, char *ret, size_t size)
{
    static const struct {
        uint64_t factor;
        const char *name;
    } times[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}},
      sizes[] = {{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, ""}}, *u = sizes;
    if (unit == UNIT_MS)
        u = times;
    while (unit != UNIT_COUNT && u->factor > 1 && (value == 0 || value % u->factor != 0))
        u++;
    (void)snprintf(ret, size, "%" PRIu64 "%s", unit == UNIT_COUNT ? value : value / u->factor,
                   unit == UNIT_COUNT ? "" : u->name);
}

const char *runner_limit_text(enum runner_limit limit, uint64_t value, char ret[RUNNER_LIMIT_TEXT])
{
    char number[32];
    format_value(value, limits[limit].unit, number, sizeof(number));
    (void)snprintf(ret, RUNNER_LIMIT_TEXT, "%s (%s %s)", limits[limit].cause, limits[limit].name, number);
    return ret;
}

int runner_limit_status(enum runner_limit limit)
{
    bool time = limit == RUNNER_LIMIT_TIME || limit == RUNNER_LIMIT_CPU_TIME;
    return time ? RUNNER_STATUS_TIMEOUT : RUNNER_STATUS_TRAP;
}

static uint64_t or_default(uint64_t value, uint64_t usual)
{
    return value ? value : usual;
}

uint64_t runner_limit_value(enum runner_limit limit, const struct runner_limits *l, uint64_t stack)
{
    switch (limit) {
    case RUNNER_LIMIT_TIME: return l->timeout_ms;
    case RUNNER_LIMIT_CPU_TIME: return l->cpu_ms;
    case RUNNER_LIMIT_FUEL: return l->fuel;
    case RUNNER_LIMIT_MEMORY: return or_default(l->max_memory, LIMIT_GUEST_MEMORY);
    case RUNNER_LIMIT_STACK: return stack;
    case RUNNER_LIMIT_TABLES: return or_default(l->max_tables, LIMIT_GUEST_TABLES);
    case RUNNER_LIMIT_TABLE_ELEMENTS: return or_default(l->max_table_elements, LIMIT_GUEST_TABLE_ELEMENTS);
    case RUNNER_LIMIT_OUTPUT: return l->max_output;
    default: return 0;
    }
}

/* The engine takes signed numbers. */
static int64_t as_signed(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

bool runner_limits_watched(const struct runner_limits *l)
{
    return l->timeout_ms || l->cpu_ms || l->max_output;
}

int runner_limits_set(wasmtime_store_t *store, const struct runner_limits *l, const struct runner_code *code,
                      struct err *e)
{
    if (code->uninterruptible && runner_limits_watched(l))
        return err_set(e, ERR_CONFIG, "the code was compiled for guests without limits on time and output");
    if (l->fuel && !code->metered)
        return err_set(e, ERR_CONFIG, "the code was compiled without counting fuel");
    wasmtime_store_limiter(store, as_signed(runner_limit_value(RUNNER_LIMIT_MEMORY, l, 0)),
                           as_signed(runner_limit_value(RUNNER_LIMIT_TABLE_ELEMENTS, l, 0)),
                           LIMIT_GUEST_INSTANCES, as_signed(runner_limit_value(RUNNER_LIMIT_TABLES, l, 0)),
                           LIMIT_GUEST_MEMORIES);
    wasmtime_error_t *error = NULL;
    if (code->metered)
        error = wasmtime_context_set_fuel(wasmtime_store_context(store), or_default(l->fuel, UINT64_MAX));
    if (!error)
        return 0;
    wasmtime_error_delete(error);
    return err_set(e, ERR_OTHER, "the engine does not take the fuel");
}

static bool ends(struct bytes text, const char *end)
{
    size_t n = strlen(end);
    return text.len >= n && memcmp(text.ptr + text.len - n, end, n) == 0;
}

/* Components' failures, and those to put a guest together, have no code, but a text whose last line is the
 * first cause. Names that the guest chose stand in the lines before. */
static enum runner_limit judge_text(struct bytes text)
{
    static const char tables[] = "resource limit exceeded: table count too high at ";
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\0'))
        text.len--;
    const uint8_t *newline = memrchr(text.ptr, '\n', text.len);
    struct bytes line = text;
    if (newline)
        line = bytes_of(newline + 1, (size_t)(text.ptr + text.len - newline) - 1);
    if (ends(line, "wasm trap: call stack exhausted"))
        return RUNNER_LIMIT_STACK;
    if (ends(line, "wasm trap: all fuel consumed by WebAssembly"))
        return RUNNER_LIMIT_FUEL;
    if (ends(line, " exceeds memory limits"))
        return RUNNER_LIMIT_MEMORY;
    if (ends(line, " elements exceeds table limits"))
        return RUNNER_LIMIT_TABLE_ELEMENTS;
    return memmem(line.ptr, line.len, tables, sizeof(tables) - 1) ? RUNNER_LIMIT_TABLES : RUNNER_LIMIT_NONE;
}

enum runner_limit runner_limits_judge(const wasmtime_error_t *error, const wasm_trap_t *trap)
{
    wasmtime_trap_code_t code;
    wasm_name_t message;
    if (trap && wasmtime_trap_code(trap, &code))
        return code == WASMTIME_TRAP_CODE_STACK_OVERFLOW ? RUNNER_LIMIT_STACK
               : code == WASMTIME_TRAP_CODE_OUT_OF_FUEL  ? RUNNER_LIMIT_FUEL
                                                         : RUNNER_LIMIT_NONE;
    if (trap)
        wasm_trap_message(trap, &message);
    else
        wasmtime_error_message(error, &message);
    enum runner_limit limit = judge_text(bytes_of(message.data, message.size));
    wasm_byte_vec_delete(&message);
    return limit;
}

bool runner_limits_memory_full(wasmtime_context_t *context, const wasmtime_instance_t *instance,
                               const struct runner_limits *l)
{
    const uint64_t max = runner_limit_value(RUNNER_LIMIT_MEMORY, l, 0);
    char *name;
    size_t len;
    wasmtime_extern_t item;
    bool full = false;
    for (size_t i = 0; !full && wasmtime_instance_export_nth(context, instance, i, &name, &len, &item); i++) {
        if (item.kind == WASMTIME_EXTERN_MEMORY)
            full = wasmtime_memory_data_size(context, &item.of.memory) +
                       wasmtime_memory_page_size(context, &item.of.memory) >
                   max;
        wasmtime_extern_delete(&item);
    }
    return full;
}

/* What the engine's WASI opens for itself at the guest's first call. */
#define ENGINE_FILES 3U

/* Descriptors that can be looked at: beyond them all are taken for free. */
#define FILES_SEEN 4096U

static int mark_open(uint8_t seen[FILES_SEEN], struct err *e)
{
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return err_set_errno(e, ERR_IO, errno, "look at the open files");
    for (struct dirent *d = readdir(dir); d; d = readdir(dir)) {
        unsigned long fd = strtoul(d->d_name, NULL, 10);
        if (d->d_name[0] != '.' && fd < FILES_SEEN && fd != (unsigned long)dirfd(dir))
            seen[fd] = 1;
    }
    (void)closedir(dir);
    return 0;
}

/* The kernel bounds the number of a descriptor and not how many there are, so those in between count. */
static rlim_t bound_for(uint64_t n, const uint8_t seen[FILES_SEEN])
{
    rlim_t end = 0;
    for (uint64_t left = n + ENGINE_FILES; left > 0; end++) {
        if (end == FILES_SEEN)
            return end + left;
        left -= seen[end] ? 0 : 1;
    }
    return end;
}

int runner_files_limit(struct runner_files *f, uint64_t n, uint64_t ending, struct err *e)
{
    uint8_t seen[FILES_SEEN] = {0};
    struct rlimit limit;
    if (n == 0)
        return 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return err_set_errno(e, ERR_IO, errno, "read the limit on open files");
    if (n >= limit.rlim_cur)
        return 0;
    int r = mark_open(seen, e);
    if (r != 0)
        return r;
    f->before = limit;
    limit.rlim_cur = bound_for(n > ending ? n - ending : 0, seen);
    if (limit.rlim_cur >= f->before.rlim_cur)
        return 0;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return err_set_errno(e, ERR_IO, errno, "lower the limit on open files");
    f->lowered = true;
    return 0;
}

void runner_files_done(struct runner_files *f)
{
    if (f->lowered)
        (void)setrlimit(RLIMIT_NOFILE, &f->before);
    f->lowered = false;
}
