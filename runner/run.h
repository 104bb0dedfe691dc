/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a guest: bytes and grants in, an exit status out. The guest reaches its standard streams and what
 * the grants name, and nothing else: no variable of the environment, no folder, no network. Whether the bytes
 * may be trusted is not asked here.
 */
#ifndef WAYBILL_RUNNER_RUN_H
#define WAYBILL_RUNNER_RUN_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/macro.h"
#include "runner/sandbox.h"

#define RUNNER_STATUS_TIMEOUT 124
#define RUNNER_STATUS_TRAP    134

/* A limit in words: "out of fuel (fuel 1000)". */
#define RUNNER_LIMIT_TEXT 96

/* One folder that the guest may open files in. */
struct runner_dir {
    const char *host;  /* an existing folder; resolved once */
    const char *guest; /* what the guest calls it; UTF-8, not empty, no two alike */
    bool writable;
};

/* What one run may use up, from before the first instruction of the guest; 0 stands for the default that is
 * named. */
struct runner_limits {
    uint64_t timeout_ms;         /* of the clock on the wall; 0: none */
    uint64_t cpu_ms;             /* of this process's processor time; 0: none */
    uint64_t fuel;               /* instructions, about; 0: none. The host's code.metered must be set */
    uint64_t max_memory;         /* bytes that each linear memory may have; 0: LIMIT_GUEST_MEMORY */
    uint64_t max_tables;         /* 0: LIMIT_GUEST_TABLES */
    uint64_t max_table_elements; /* that each table may have; 0: LIMIT_GUEST_TABLE_ELEMENTS */
    uint64_t max_output;         /* bytes to standard output and error together; 0: none */
    uint64_t max_open_files;     /* descriptors that the guest can have open, by way of RLIMIT_NOFILE of this
                                    process, which is put back after the run; 0: left as it is */
};

/* What decides how modules are compiled, and what that may take; 0 stands for the default that is named. */
struct runner_code {
    bool uninterruptible;    /* no run has a limit on time, processor time or output, or needs ticks of the
                                engine's epoch: the code is faster, and compiled faster */
    bool metered;            /* fuel is counted, which costs time */
    uint64_t max_stack;      /* bytes that a guest's stack may take, at most half of RLIMIT_STACK; 0:
                                LIMIT_GUEST_STACK, or less where the process has little */
    uint64_t max_module;     /* bytes; 0, and at most: LIMIT_MODULE */
    uint64_t compile_ms;     /* of processor time; 0: LIMIT_COMPILE_MS */
    uint64_t compile_memory; /* bytes; 0: LIMIT_COMPILE_MEMORY */
};

/* One exported function, to be called in place of the main one. */
struct runner_invoke {
    /* Of a core module: the export's name. Of a component: "NAME(ARGS)", ARGS in WAVE (runner/wave.h); NAME
     * is that of the function, with those of the instances around it as far as it takes to tell which is
     * meant: "ns:pkg/face@1.0.0#func", "ns:pkg/face.func", "face.func", "func". */
    const char *call;
    const char *const *args; /* of a core module: decimal numbers, one for each parameter; an integer may be
                                signed or not, or hexadecimal with 0x in front */
    size_t n_args;
    bool json; /* results as JSON, see wave_print_json */
};

struct runner_grants {
    const char *const *argv; /* UTF-8; argv[0] is the program's name */
    size_t argc;
    const char *const *env; /* "NAME=VALUE", UTF-8: all the variables that the guest sees; of two of one name
                               the last */
    size_t n_env;
    const struct runner_dir *dirs;
    size_t n_dirs;
    bool kernel_dirs; /* folders may be, or hold, those of which the kernel makes the content: procfs, sysfs
                         and their like, through which a guest reaches this process */
    /* Files in place of this process's own standard streams; NULL: these. Outputs are made (0666 less the
     * umask) and emptied when all else is ready to start. */
    const char *stdin_file, *stdout_file, *stderr_file;
    uint64_t clock_ns; /* readings of clocks are rounded down to this; 0: RUNNER_CLOCK_NS */
    uint64_t epoch;    /* runner_conf.deterministic: when the clock starts, in seconds since 1970 */
    uint64_t seed;     /* runner_conf.deterministic: of random numbers */
    struct runner_limits limits;
    const struct runner_invoke *invoke; /* NULL: the main function is run */
    /* Where the core dump of a guest that traps goes (runner/coredump.h), or NULL: committed when it is
     * whole, aborted in any other case. What is not open before the run the sandbox does not let it open. */
    struct sink *coredump;
    /* Where a profile of a core module goes, in the form of Firefox's profiler, or NULL; likewise. A sample
     * is taken each profile_ns (0: RUNNER_PROFILE_NS), when the guest enters a function or a loop; code must
     * not be uninterruptible. */
    struct sink *profile;
    uint64_t profile_ns;
};

#define RUNNER_PROFILE_NS 10000000U

/* How finely clocks tell the time where nobody says: as coarse as browsers are with isolated pages (5 us; 100
 * us else) would break programs that measure short times; 1 us is what most of these ask for. */
#define RUNNER_CLOCK_NS 1000U

struct runner_conf {
    const char *cache_dir; /* private folder for compiled code, made when missing; NULL: nothing is kept */
    /* A guest that waits inside a host call (for input, asleep) cannot be interrupted: when it has not come
     * back a moment after it was over a limit this is called, on another thread, and is to end the process
     * with that status. why: one line. NULL: the guest ends as soon as its call returns. */
    void (*on_deadline)(void *ctx, int status, const char *why);
    void *on_deadline_ctx;
    uint64_t cache_max; /* bytes that all compiled code in cache_dir may have; 0: LIMIT_CACHE_CODE */
    /* The same input gives the same output: clocks that start at runner_grants.epoch and move on by one
     * resolution with each reading, random numbers out of runner_grants.seed, one form of NaN. */
    bool deterministic;
    struct runner_code code;
    /* With a sandbox the process is given up to one run: runner_host_new closes the descriptors that are open
     * but 0, 1, 2 and `keep`, and before the guest's first instruction all else goes that it does not need,
     * for good and for all threads (see runner/sandbox.h). */
    enum runner_sandbox_mode sandbox;
    const int *keep;
    size_t n_keep;
    /* The names of compiled functions go to /tmp/perf-PID.map as they are loaded, for perf(1). */
    bool perf_map;
    /* Traps say files and lines, too. The engine takes that from its environment: when its host is made,
     * WASMTIME_BACKTRACE_DETAILS must be 1 with this and must not without. */
    bool source_lines;
    uint32_t pool; /* instances that there will be at once, of all modules: room for them is set aside when
                      the host is made, so that each is made and dropped in less time. It is address space
                      (some 4 GiB for each linear memory) and takes memory only when it is used; where it is
                      not to be had the log says so, and instances are made one by one. 0: likewise */
    bool has_dirs; /* runs will be granted folders: files that a core module is denied are logged */
};

/* What a run took. */
struct runner_stats {
    uint64_t load_ns;        /* starting the engine, compiling or fetching what was kept, linking */
    uint64_t instantiate_ns; /* opening what is granted, the sandbox, the instance with its start function */
    uint64_t run_ns;         /* the rest, up to the guest's end */
    bool kept;               /* the compiled code was there before */
    bool metered;            /* fuel was counted */
    uint64_t fuel;           /* what was used of it */
};

struct runner_result {
    int status; /* 0 to 255: the guest's own, RUNNER_STATUS_TIMEOUT or RUNNER_STATUS_TRAP */
    bool trapped;
    bool timed_out;
    char limit[RUNNER_LIMIT_TEXT]; /* the limit that ended the guest, in words; or "" */
    int output_errno; /* why not all of its output was written; 0: all was, or it was over the limit */
    char *message;    /* trapped: the cause and the backtrace, some lines that end in a newline, escaped; else
                         NULL */
    char *values; /* of an invoked function that returned: what, each result on a line of its own, or a JSON
                     array; else NULL */
    struct runner_sandbox_report sandbox; /* what was in force */
    struct runner_stats stats;
    bool dumped, profiled; /* there is a core dump, a profile */
};

/* runner_engine_name - the engine and its version, "wasmtime 48.0.8". */
const char *runner_engine_name(void);

/* The engine, and what all runs have in common. */
struct runner_host;

/* A module or component that is compiled and linked, to be run any number of times: each run is an instance
 * of its own, with nothing left of those before. */
struct runner_program;

/* runner_host_new - conf: borrowed, outlives the host. The caller frees *ret after the programs. ERR_CONFIG
 * (a stack that the process does not have), ERR_NOMEM. */
MUST_CHECK int runner_host_new(const struct runner_conf *conf, struct runner_host **ret, struct err *e);
void runner_host_free(struct runner_host *h);
DEFINE_AUTO(runner_host, runner_host_free);

/* runner_program_load - compiles, or takes what was compiled before, and links. module: a binary, or text as
 * runner_is_text tells; not needed any more afterwards.  digest: the SHA-256 that the caller has just
 * computed over these very bytes, which compiled code is kept under; NULL: computed here. The caller frees
 * *ret. ERR_NOT_RUNNABLE (not a valid module, an import that is not offered), ERR_LIMIT (module too large,
 * compiling takes too much), ERR_NOMEM. Compiling is done in a child process, which is gone when this
 * returns. A cache that cannot be used is logged and never a failure. */
MUST_CHECK int runner_program_load(struct runner_host *h, struct bytes module, const struct digest *digest,
                                   struct runner_program **ret, struct err *e);
/* What was compiled. */
struct runner_compiled {
    struct digest digest; /* SHA-256 of the binary */
    bool component;
    bool was_kept;      /* it was there before */
    uint64_t code_size; /* bytes */
};

/* runner_compile - sees to it that the compiled code of a module is kept, to be run later without compiling.
 * module, digest: as of runner_program_load. Returns what runner_program_load does, and why the code is not
 * kept. */
MUST_CHECK int runner_compile(struct runner_host *h, struct bytes module, const struct digest *digest,
                              struct runner_compiled *ret, struct err *e);

void runner_program_free(struct runner_program *p);
DEFINE_AUTO(runner_program, runner_program_free);

/* runner_program_run - one run of a core module of WASI preview 1 (its `_start`) or a component of the world
 * wasi:cli/command 0.2 (its wasi:cli/run: ok is status 0, err 1); or the call of one function: status 0 when
 * it returns, whatever that is, and of a core module `_initialize` is called first, where it has one. ret:
 * filled once the guest was started, however it ended; the caller releases it with runner_result_done.
 * ERR_NOT_RUNNABLE (over the limits at its start, nothing to run in it), ERR_USAGE (no such function,
 * arguments that do not fit it, a grant that is not UTF-8 or no NAME=VALUE, two streams that are one file, a
 * folder of the kernel's), ERR_NOTFOUND and ERR_IO (a folder or a file), ERR_UNSUPPORTED (the sandbox that is
 * required), ERR_NOMEM. Thread: one run of a host at a time. */
MUST_CHECK int runner_program_run(const struct runner_program *p, const struct runner_grants *grants,
                                  struct runner_result *ret, struct err *e);

/* runner_run - the three for one run.  name: stands in front of messages. */
MUST_CHECK int runner_run(const struct runner_conf *conf, struct bytes module, const struct digest *digest,
                          const char *name, const struct runner_grants *grants, struct runner_result *ret,
                          struct err *e);

/* runner_check - whether runner_run would start the guest: it is compiled (and kept), linked, and its grants
 * are looked at, but no output is opened and nothing of it is run. Errors are those of the three. */
MUST_CHECK int runner_check(const struct runner_conf *conf, struct bytes module, const struct digest *digest,
                            const char *name, const struct runner_grants *grants, struct err *e);

void runner_result_done(struct runner_result *r);

#endif
