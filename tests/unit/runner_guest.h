/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a guest in a child process of its own: the engine keeps threads that do not survive a fork. */
#ifndef WAYBILL_TESTS_RUNNER_GUEST_H
#define WAYBILL_TESTS_RUNNER_GUEST_H

#include "base/file.h"
#include "base/limits.h"
#include "runner/run.h"
#include "tests/unit/unit.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define HOOK_STATUS 99

/* What the child reports, by way of shared descriptors. */
struct ran {
    int code; /* of runner_run */
    int status;
    bool trapped, timed_out, hooked;
    char text[8192];   /* the result's message, or the error's */
    char output[8192]; /* standard output */
    uint64_t ms;
};

/* How the children are to be run, for the tests that want it another way. */
static struct {
    bool no_hook;
    rlim_t address_space; /* bytes; 0: as much as there is */
    enum runner_sandbox_mode sandbox;
} guest_options;

static inline void guest_hook(void *ctx, int status, const char *why)
{
    (void)ctx, (void)status, (void)why;
    _exit(HOOK_STATUS);
}

static inline void child_run(struct bytes module, const struct runner_grants *g, struct runner_conf conf,
                             int report)
{
    struct err e = ERR_INIT;
    struct runner_result res = {.status = -1};
    struct ran ran = {.status = -1};
    const struct rlimit limit = {guest_options.address_space, guest_options.address_space};
    if (guest_options.address_space && setrlimit(RLIMIT_AS, &limit) != 0)
        _exit(1);
    conf.sandbox = guest_options.sandbox;
    conf.keep = &report;
    conf.n_keep = 1;
    ran.code = runner_run(&conf, module, NULL, "guest", g, &res, &e);
    if (ran.code == 0) {
        ran.status = res.status;
        ran.trapped = res.trapped;
        ran.timed_out = res.timed_out;
    }
    (void)snprintf(ran.text, sizeof(ran.text), "%s", ran.code ? e.msg : res.message ? res.message : "");
    runner_result_done(&res);
    _exit(write(report, &ran, sizeof(ran)) == (ssize_t)sizeof(ran) ? 0 : 1);
}

static inline uint64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* input: what standard input gives, a descriptor.  cache: a folder or NULL. */
static inline struct ran guest_run(struct bytes module, const struct runner_grants *g, const char *cache,
                                   int input)
{
    const struct runner_conf conf = {.cache_dir = cache,
                                     .on_deadline = guest_options.no_hook ? NULL : guest_hook};
    struct ran ran = {.status = -1};
    int report[2], status;
    FILE *output = tmpfile();
    assert_non_null(output);
    assert_int_equal(pipe2(report, O_CLOEXEC), 0);
    uint64_t start = now_ms();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (dup2(input, 0) < 0 || dup2(fileno(output), 1) < 0)
            _exit(1);
        child_run(module, g, conf, report[1]);
    }
    (void)close(report[1]);
    ssize_t n = read(report[0], &ran, sizeof(ran));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ran.ms = now_ms() - start;
    (void)close(report[0]);
    assert_true(WIFEXITED(status));
    ran.hooked = WEXITSTATUS(status) == HOOK_STATUS;
    if (!ran.hooked)
        assert_int_equal(n, sizeof(ran));
    rewind(output);
    ran.output[fread(ran.output, 1, sizeof(ran.output) - 1, output)] = '\0';
    (void)fclose(output);
    return ran;
}

/* A guest by its name: testdata/guests/NAME.wat, or NAME.wasm of the folder with the built ones; false: not
 * built. */
static inline bool guest_load(const char *name, struct buf *out)
{
    struct err e = ERR_INIT;
    char path[PATH_MAX];
    const char *built = getenv("GUESTS");
    (void)snprintf(path, sizeof(path), "testdata/guests/%s.wat", name);
    if (file_read(AT_FDCWD, path, false, out, &e) == 0)
        return true;
    (void)snprintf(path, sizeof(path), "%s/%s.wasm", built ? built : "build/guests", name);
    return file_read(AT_FDCWD, path, false, out, &e) == 0;
}

/* The same by name, with nothing on standard input. Where the guest is not built the test is skipped. */
static inline struct ran guest_run_named(const char *name, const struct runner_grants *g, const char *cache)
{
    AUTO_DONE(buf) module = BUF_INIT(LIMIT_MODULE);
    if (!guest_load(name, &module))
        skip_because("this guest is not built (make guests)");
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(input >= 0);
    struct ran ran = guest_run(buf_bytes(&module), g, cache, input);
    (void)close(input);
    return ran;
}

#endif
