/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/compile.h"

#include "base/limits.h"
#include "base/text.h"
#include "runner/failure.h"
#include "runner/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* Native code is a few times larger than its module. */
#define CODE_MAX (8ULL * LIMIT_MODULE)

/* What the compiler says when it ends itself; two lines are shown. */
#define LAST_WORDS 2048U

/* How much more than processor time may pass by the clock, and how often that is looked at. */
#define WALL_FACTOR 4U
#define WALL_MS     10000U
#define STEP_MIN_MS 10
#define STEP_MAX_MS 1000

/* One compilation, as both processes know it. */
struct job {
    wasm_engine_t *engine;
    enum wbin_kind kind;
    struct bytes binary;
    uint64_t ms, memory;
    pid_t parent, child;
    int code;      /* where the code goes */
    int words;     /* the child's standard output and error */
    int report[2]; /* a pipe for one struct err; its code is 0 when all went well */
};

/* ---- in the child ---- */

static wasmtime_error_t *compile(const struct job *j, wasm_byte_vec_t *ret)
{
    wasmtime_module_t *module = NULL;
    wasmtime_component_t *component = NULL;
    wasmtime_error_t *error;
    if (j->kind == WBIN_COMPONENT) {
        error = wasmtime_component_new(j->engine, j->binary.ptr, j->binary.len, &component);
        return error ? error : wasmtime_component_serialize(component, ret);
    }
    error = wasmtime_module_new(j->engine, j->binary.ptr, j->binary.len, &module);
    return error ? error : wasmtime_module_serialize(module, ret);
}

static int write_code(int fd, const wasm_byte_vec_t *code, struct err *e)
{
    for (size_t at = 0; at < code->size;) {
        ssize_t n = write(fd, code->data + at, code->size - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(e, ERR_IO, errno, "write the compiled code");
        at += (size_t)n;
    }
    return 0;
}

/* Bytes that this process can write to and shares with nobody: what RLIMIT_DATA is compared with. */
static uint64_t data_in_use(void)
{
    char text[256];
    unsigned long long pages = 0;
    AUTO_FD int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    if (sscanf(text, "%*s %*s %*s %*s %*s %llu", &pages) != 1)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void bound(__rlimit_resource_t what, uint64_t soft)
{
    struct rlimit limit;
    if (getrlimit(what, &limit) != 0 || limit.rlim_cur <= soft)
        return;
    limit.rlim_cur = soft;
    limit.rlim_max = soft;
    (void)setrlimit(what, &limit);
}

/* Not RLIMIT_AS: each thread takes much more room for addresses than memory. Processor time is also bounded
 * here in case that the parent is stopped. */
static void bound_all(const struct job *j)
{
    bound(RLIMIT_DATA, data_in_use() + j->memory);
    bound(RLIMIT_CPU, j->ms / 1000 + 2);
    bound(RLIMIT_FSIZE, CODE_MAX);
    bound(RLIMIT_CORE, 0);
}

/* Nothing of the parent's stays open: no lock that a descriptor holds, no pipe, no terminal. */
static bool keep_descriptors(struct job *j)
{
    enum { CODE = 3, REPORT = 4, REST = 5 };
    int null = open("/dev/null", O_RDWR);
    /* Out of each other's way first. */
    int code = fcntl(j->code, F_DUPFD, REST), report = fcntl(j->report[1], F_DUPFD, REST);
    if (null < 0 || code < 0 || report < 0 || dup2(j->words, 2) < 0 || dup2(2, 1) < 0 || dup2(null, 0) < 0 ||
        dup2(code, CODE) < 0 || dup2(report, REPORT) < 0)
        return false;
    j->code = CODE;
    j->report[1] = REPORT;
    return close_range(REST, ~0U, 0) == 0;
}

static void default_signals(void)
{
    static const int numbers[] = {SIGABRT, SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        (void)signal(numbers[i], SIG_DFL);
    (void)signal(SIGXFSZ, SIG_IGN);
}

static int work(struct job *j, struct err *e)
{
    wasm_byte_vec_t code = {0};
    bound_all(j);
    wasmtime_error_t *error = compile(j, &code);
    if (error)
        return runner_failure_set(e, ERR_NOT_RUNNABLE, error);
    return write_code(j->code, &code, e);
}

/* Ends this process without a step into what the parent registered for its own end. */
static _Noreturn void child(struct job *j)
{
    struct err e = ERR_INIT;
    int status = 1;
    default_signals();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == j->parent && keep_descriptors(j)) {
        e.code = work(j, &e);
        status = write(j->report[1], &e, sizeof(e)) == (ssize_t)sizeof(e) ? 0 : 1;
    }
    for (;;)
        (void)syscall(SYS_exit_group, status);
}

/* ---- in the parent ---- */

static int over(enum runner_limit limit, uint64_t value, struct err *e)
{
    char text[RUNNER_LIMIT_TEXT];
    return err_set(e, ERR_LIMIT, "%s", runner_limit_text(limit, value, text));
}

static uint64_t now_ms(clockid_t clock)
{
    struct timespec t = {0};
    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Waits for the report; 0: it is there or never will be. What counts is processor time, which is the same on
 * a busy machine; by the clock there is more, for a child that does not get on. */
static int wait_report(const struct job *j, struct err *e)
{
    const uint64_t start = now_ms(CLOCK_MONOTONIC), wall = WALL_FACTOR * j->ms + WALL_MS;
    struct pollfd in = {.fd = j->report[0], .events = POLLIN};
    clockid_t clock;
    if (clock_getcpuclockid(j->child, &clock) != 0)
        return 0; /* it has ended */
    for (;;) {
        uint64_t used = now_ms(clock);
        if (used >= j->ms || now_ms(CLOCK_MONOTONIC) - start >= wall)
            return over(RUNNER_LIMIT_COMPILE_TIME, j->ms, e);
        uint64_t left = (j->ms - used) / 8; /* some threads at work */
        int n = poll(&in, 1, left < STEP_MIN_MS ? STEP_MIN_MS : left > STEP_MAX_MS ? STEP_MAX_MS : (int)left);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_set_errno(e, ERR_IO, errno, "wait for the compiler");
    }
}

/* What the engine says when it cannot have memory, or threads, which need some. */
static bool is_out_of_memory(struct bytes text)
{
    static const char *const signs[] = {"memory allocation of ", "(os error 12)", "Cannot allocate memory",
                                        "out of memory", "failed to spawn thread"};
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (memmem(text.ptr, text.len, signs[i], strlen(signs[i])))
            return true;
    return false;
}

/* It ended without a report. */
static int judge_end(const struct job *j, int status, struct err *e)
{
    char words[LAST_WORDS], shown[256];
    ssize_t n = pread(j->words, words, sizeof(words), 0);
    struct bytes text = bytes_of(words, n > 0 ? (size_t)n : 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return over(RUNNER_LIMIT_COMPILE_TIME, j->ms, e);
    if (is_out_of_memory(text))
        return over(RUNNER_LIMIT_COMPILE_MEMORY, j->memory, e);
    if (WIFSIGNALED(status))
        return err_set(e, ERR_NOT_RUNNABLE, "the compiler was ended by signal %d: %s", WTERMSIG(status),
                       text_escape(text, shown, sizeof(shown)));
    return err_set(e, ERR_OTHER, "the compiler did not start");
}

/* The first failure stands: code is that of wait_report. */
static int judge(const struct job *j, int r, int status, struct err *e)
{
    struct err report;
    if (r != 0)
        return r;
    ssize_t n;
    while ((n = read(j->report[0], &report, sizeof(report))) < 0 && errno == EINTR)
        ;
    if (n != (ssize_t)sizeof(report))
        return judge_end(j, status, e);
    report.msg[sizeof(report.msg) - 1] = '\0';
    if (report.code == 0)
        return 0;
    if (report.code == ERR_NOMEM || is_out_of_memory(bytes_str(report.msg)))
        return over(RUNNER_LIMIT_COMPILE_MEMORY, j->memory, e);
    *e = report;
    return report.code;
}

static int supervise(struct job *j, struct err *e)
{
    int status = 0;
    j->parent = getpid();
    j->child = fork();
    if (j->child < 0)
        return err_set_errno(e, ERR_OTHER, errno, "start the compiler's process");
    if (j->child == 0)
        child(j);
    (void)close(j->report[1]);
    j->report[1] = -1;
    int r = wait_report(j, e);
    if (r != 0)
        (void)kill(j->child, SIGKILL);
    while (waitpid(j->child, &status, 0) < 0 && errno == EINTR)
        ;
    return judge(j, r, status, e);
}

static int seal(int fd, struct err *e)
{
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
        return err_set_errno(e, ERR_IO, errno, "seal the compiled code");
    return 0;
}

int runner_code_compile(wasm_engine_t *engine, enum wbin_kind kind, struct bytes binary,
                        const struct runner_code *code, int *ret_fd, struct err *e)
{
    AUTO_FD int out = memfd_create("waybill-code", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    AUTO_FD int words = memfd_create("waybill-words", MFD_CLOEXEC);
    int report[2];
    if (out < 0 || words < 0)
        return err_set_errno(e, ERR_IO, errno, "make a file in memory");
    if (pipe2(report, O_CLOEXEC) != 0)
        return err_set_errno(e, ERR_IO, errno, "make a pipe");
    struct job j = {.engine = engine,
                    .kind = kind,
                    .binary = binary,
                    .ms = code->compile_ms ? code->compile_ms : LIMIT_COMPILE_MS,
                    .memory = code->compile_memory ? code->compile_memory : LIMIT_COMPILE_MEMORY,
                    .code = out,
                    .words = words,
                    .report = {report[0], report[1]}};
    int r = supervise(&j, e);
    (void)close(j.report[0]);
    if (j.report[1] >= 0)
        (void)close(j.report[1]);
    if (r == 0)
        r = seal(out, e);
    if (r == 0)
        *ret_fd = TAKE_FD(out);
    return r;
}
