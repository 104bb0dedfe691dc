/* SPDX-License-Identifier: Apache-2.0 */
/* The wall behind the engine: a guest calls a host function that is hostile, as a hole in the engine would
 * be. */
#include "base/file.h"
#include "runner/sandbox.h"
#include "tests/tool/deny.h"
#include "tests/unit/runner_sandbox_attempts.h"
#include "tests/unit/unit.h"

#include <wasmtime.h>

/* Statuses of a child beside an errno. */
enum { CHILD_FAILED = 250, CHILD_ABORTED = 251 };

/* How one is run. */
struct how {
    enum runner_sandbox_mode mode;
    bool on_old_thread; /* by a thread that was there before the sandbox */
    const long *lacks;  /* system calls that the kernel is not to have */
    size_t n_lacks;
};

static const char guest[] = "(module (import \"stub\" \"attempt\" (func $attempt (result i32)))"
                            "(func (export \"go\") (result i32) (call $attempt)))";

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int (*fn)(void);
    int result; /* of the thread; -1 until it has one */
} old_thread = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, -1};

static void *serve(void *arg)
{
    (void)arg;
    (void)pthread_mutex_lock(&old_thread.lock);
    while (!old_thread.fn)
        (void)pthread_cond_wait(&old_thread.wake, &old_thread.lock);
    old_thread.result = old_thread.fn();
    (void)pthread_cond_broadcast(&old_thread.wake);
    (void)pthread_mutex_unlock(&old_thread.lock);
    return NULL;
}

static int ask_old_thread(int (*fn)(void))
{
    (void)pthread_mutex_lock(&old_thread.lock);
    old_thread.fn = fn;
    (void)pthread_cond_broadcast(&old_thread.wake);
    while (old_thread.result < 0)
        (void)pthread_cond_wait(&old_thread.wake, &old_thread.lock);
    (void)pthread_mutex_unlock(&old_thread.lock);
    return old_thread.result;
}

struct stub {
    int (*fn)(void);
    bool on_old_thread;
};

static wasm_trap_t *call_stub(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *args, size_t n_args,
                              wasmtime_val_t *results, size_t n_results)
{
    const struct stub *stub = env;
    (void)caller, (void)args, (void)n_args, (void)n_results;
    results[0].kind = WASMTIME_I32;
    results[0].of.i32 = stub->on_old_thread ? ask_old_thread(stub->fn) : stub->fn();
    return NULL;
}

/* Ends the child where something other than the attempt goes wrong. */
static void must(bool ok, const char *what)
{
    if (ok)
        return;
    print_message("# child: %s: %s\n", what, strerror(errno));
    _exit(CHILD_FAILED);
}

static wasmtime_module_t *compile(wasm_engine_t *engine)
{
    wasm_byte_vec_t binary;
    wasmtime_module_t *module = NULL;
    must(!wasmtime_wat2wasm(guest, sizeof(guest) - 1, &binary), "text");
    must(!wasmtime_module_new(engine, (uint8_t *)binary.data, binary.size, &module), "compile");
    wasm_byte_vec_delete(&binary);
    return module;
}

static int call_guest(wasm_engine_t *engine, wasmtime_module_t *module, wasmtime_linker_t *linker)
{
    wasmtime_context_t *context = wasmtime_store_context(wasmtime_store_new(engine, NULL, NULL));
    wasmtime_instance_t instance;
    wasmtime_extern_t go;
    wasmtime_val_t result;
    wasm_trap_t *trap = NULL;
    must(!wasmtime_linker_instantiate(linker, context, module, &instance, &trap) && !trap, "instantiate");
    must(wasmtime_instance_export_get(context, &instance, "go", 2, &go), "export");
    must(!wasmtime_func_call(context, &go.of.func, NULL, 0, &result, 1, &trap) && !trap, "call");
    return result.of.i32;
}

/* As runner_run does it: close, load, open what is granted, seal, instantiate. */
static int child(const struct how *how, int (*fn)(void), int *ret_code, struct runner_sandbox_report *report)
{
    static struct stub stub;
    struct err e = ERR_INIT;
    pthread_t thread;
    stub = (struct stub){fn, how->on_old_thread};
    must(how->n_lacks == 0 || deny_calls(how->lacks, how->n_lacks, ENOSYS) == 0, "deny");
    int closed = how->mode == RUNNER_SANDBOX_OFF ? 0 : runner_sandbox_close(NULL, 0);
    wasm_engine_t *engine = wasm_engine_new();
    wasmtime_module_t *module = compile(engine);
    wasmtime_linker_t *linker = wasmtime_linker_new(engine);
    wasm_functype_t *type = wasm_functype_new_0_1(wasm_valtype_new_i32());
    must(!wasmtime_linker_define_func(linker, "stub", 4, "attempt", 7, type, call_stub, &stub, NULL), "link");
    must(!how->on_old_thread || pthread_create(&thread, NULL, serve, NULL) == 0, "thread");
    const struct runner_sandbox_folder folders[] = {{open("ro", O_PATH | O_DIRECTORY | O_CLOEXEC), false},
                                                    {open("rw", O_PATH | O_DIRECTORY | O_CLOEXEC), true}};
    const struct runner_sandbox_conf conf = {how->mode, folders, 2};
    must(folders[0].fd >= 0 && folders[1].fd >= 0, "folders");
    *ret_code = runner_sandbox_enter(&conf, closed, report, &e);
    return *ret_code == 0 ? call_guest(engine, module, linker) : 0;
}

/* The status as waitpid gives it. */
static int attempt(const struct how *how, int (*fn)(void))
{
    int status, code;
    struct runner_sandbox_report report;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int r = child(how, fn, &code, &report);
        _exit(code ? CHILD_FAILED : r);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool is_refused(int status)
{
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV;
    int r = WEXITSTATUS(status);
    return r == EPERM || r == EACCES || r == ENOSYS || r == EXDEV || r == EBADF;
}

static void arrange(struct scratch *s)
{
    assert_int_equal(fchdir(s->fd), 0);
    (void)mkdir("ro", 0755), (void)mkdir("rw", 0755), (void)mkdir("rw/sub", 0755);
    (void)unlink("rw/new"), (void)unlink("rw/sub/moved"), (void)unlink("rw/secret"), (void)unlink("rw/file");
    (void)unlink("rw/link"), (void)unlink("rw/pipe"), (void)unlink("ro/new"), (void)unlink("mine");
    scratch_write(s, "ro/file", BYTES_LIT("granted"));
    scratch_write(s, "rw/mine", BYTES_LIT("mine"));
    scratch_write(s, "secret", BYTES_LIT("secret"));
}

static int fill(void **state)
{
    static struct buf program = BUF_INIT(16U << 20);
    struct err e = ERR_INIT;
    if (scratch_setup(state) != 0)
        return -1;
    arrange(*state);
    place.inherited = open("secret", O_RDONLY);
    if (program.len == 0 && file_read(AT_FDCWD, "/bin/true", false, &program, &e) != 0)
        return -1;
    place.program = program.ptr;
    place.program_size = program.len;
    place.victim = fork();
    if (place.victim == 0) {
        (void)pause();
        _exit(0);
    }
    return place.victim < 0 ? -1 : 0;
}

static int clear(void **state)
{
    int status;
    (void)kill(place.victim, SIGKILL);
    (void)waitpid(place.victim, &status, 0);
    (void)close(place.inherited);
    return chdir("/") == 0 ? scratch_teardown(state) : -1;
}
#define wall_test(f) cmocka_unit_test_setup_teardown(f, fill, clear)

static void check(struct scratch *s, const struct attempt *a, const struct how *how, bool possible)
{
    arrange(s);
    int status = attempt(how, a->fn);
    bool right = possible ? status == 0 : is_refused(status);
    if (!right)
        print_message("# %s: %s, status %#x\n", a->name, possible ? "impossible" : "not refused", status);
    assert_true(right);
}

/* Else the next tests would prove nothing. */
static void without_the_sandbox_all_is_possible(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
        if (attempts[i].when != MAYBE)
            check(*state, &attempts[i], &(struct how){.mode = RUNNER_SANDBOX_OFF}, true);
}

static bool has_all_layers(void)
{
    struct runner_sandbox_report report;
    runner_sandbox_probe(RUNNER_SANDBOX_REQUIRE, &report);
    for (unsigned i = 0; i < RUNNER_SANDBOX_LAYERS; i++)
        if (report.missing[i])
            return false;
    return true;
}

static void with_it_only_what_was_granted_is(void **state)
{
    if (!has_all_layers())
        skip_because("this kernel lacks a layer");
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
        check(*state, &attempts[i], &(struct how){.mode = RUNNER_SANDBOX_REQUIRE},
              attempts[i].when == ALWAYS);
}

static void threads_that_were_there_are_no_way_out(void **state)
{
    if (!has_all_layers())
        skip_because("this kernel lacks a layer");
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
        check(*state, &attempts[i], &(struct how){.mode = RUNNER_SANDBOX_REQUIRE, .on_old_thread = true},
              attempts[i].when == ALWAYS);
}

static void without_landlock_the_rest_holds(void **state)
{
    const struct how how = {.mode = RUNNER_SANDBOX_AUTO, .lacks = deny_landlock, .n_lacks = 3};
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
        if (attempts[i].wall != OWNER_TOO)
            check(*state, &attempts[i], &how, attempts[i].when == ALWAYS || attempts[i].wall == LANDLOCK);
}

static void abort_handler(int signal)
{
    (void)signal;
    _exit(CHILD_ABORTED);
}

static int abort_with_handler(void)
{
    (void)signal(SIGABRT, abort_handler);
    abort();
}

static void an_abort_still_reaches_its_handler(void **state)
{
    (void)state;
    int status = attempt(&(struct how){.mode = RUNNER_SANDBOX_AUTO}, abort_with_handler);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), CHILD_ABORTED);
}

static int can(void)
{
    return 0;
}

/* What runner_sandbox_enter returns and reports on a kernel that lacks some calls. */
static int enter_without(enum runner_sandbox_mode mode, const long *lacks, size_t n,
                         struct runner_sandbox_report *ret)
{
    struct {
        int code;
        struct runner_sandbox_report report;
    } *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const struct how how = {.mode = mode, .lacks = lacks, .n_lacks = n};
    int status;
    assert_true(shared != MAP_FAILED);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(child(&how, can, &shared->code, &shared->report));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    *ret = shared->report;
    int code = shared->code;
    (void)munmap(shared, sizeof(*shared));
    return code;
}

static void what_is_missing_is_said(void **state)
{
    static const struct {
        enum runner_sandbox_layer layer;
        const long *calls;
        size_t n;
    } lacks[] = {{RUNNER_SANDBOX_LANDLOCK, deny_landlock, 3},
                 {RUNNER_SANDBOX_SECCOMP, deny_seccomp, 1},
                 {RUNNER_SANDBOX_DESCRIPTORS, deny_close_range, 1}};
    struct runner_sandbox_report report;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lacks); i++) {
        assert_int_equal(enter_without(RUNNER_SANDBOX_AUTO, lacks[i].calls, lacks[i].n, &report), 0);
        for (unsigned layer = 0; has_all_layers() && layer < RUNNER_SANDBOX_LAYERS; layer++)
            assert_int_equal(report.missing[layer], layer == lacks[i].layer ? ENOSYS : 0);
        assert_int_equal(enter_without(RUNNER_SANDBOX_REQUIRE, lacks[i].calls, lacks[i].n, &report),
                         ERR_UNSUPPORTED);
    }
}

static void a_report_in_words(void **state)
{
    AUTO_DONE(buf) text = BUF_INIT(4096);
    struct runner_sandbox_report report = {.mode = RUNNER_SANDBOX_AUTO, .landlock_abi = 6};
    (void)state;
    report.missing[RUNNER_SANDBOX_SECCOMP] = ENOSYS;
    runner_sandbox_describe(&report, &text);
    assert_string_equal(buf_cstr(&text), "landlock: in force, version 6\n"
                                         "seccomp: missing: Function not implemented\n"
                                         "no_new_privs: in force\n"
                                         "capabilities: in force\n"
                                         "descriptors: in force\n");
    AUTO_DONE(buf) off = BUF_INIT(4096);
    runner_sandbox_probe(RUNNER_SANDBOX_OFF, &report);
    runner_sandbox_describe(&report, &off);
    assert_string_equal(buf_cstr(&off), "off\n");
}

/* Reads what /proc says of a process's threads; every one has the line. */
static void assert_threads_say(pid_t pid, const char *line)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    size_t n = 0;
    assert_non_null(tasks);
    for (struct dirent *entry; (entry = readdir(tasks));) {
        char status[4096];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "/proc/%d/task/%.20s/status", (int)pid, entry->d_name);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        status[fread(status, 1, sizeof(status) - 1, file)] = '\0';
        (void)fclose(file);
        if (!strstr(status, line))
            print_message("# thread %s lacks: %s in:\n%s\n", entry->d_name, line, status);
        assert_non_null(strstr(status, line));
        n++;
    }
    (void)closedir(tasks);
    assert_true(n > 1);
}

static int say_and_wait(void)
{
    (void)!write(1, ".", 1);
    (void)pause();
    (void)poll(NULL, 0, 60000);
    return 0;
}

static void each_thread_has_nothing_left(void **state)
{
    const struct how how = {.mode = RUNNER_SANDBOX_AUTO, .on_old_thread = true};
    struct runner_sandbox_report report;
    int ready[2], status, code;
    char byte;
    (void)state;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(ready[1], 1);
        _exit(child(&how, say_and_wait, &code, &report));
    }
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    static const char *const lines[] = {"\nNoNewPrivs:\t1\n",
                                        "\nSeccomp:\t2\n",
                                        "\nCapEff:\t0000000000000000\n",
                                        "\nCapPrm:\t0000000000000000\n",
                                        "\nCapInh:\t0000000000000000\n",
                                        "\nCapAmb:\t0000000000000000\n"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_threads_say(pid, lines[i]);
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)close(ready[0]);
}

static void descriptors_are_kept_by_name(void **state)
{
    (void)state;
    int fds[6], status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            fds[i] = dup(0);
        const int keep[] = {fds[4], fds[1], fds[2], 0, -1};
        must(runner_sandbox_close(keep, ARRAY_LEN(keep)) == 0, "close");
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            must((fcntl(fds[i], F_GETFD) >= 0) == (i == 1 || i == 2 || i == 4), "kept or closed");
        _exit(fcntl(0, F_GETFD) >= 0 && fcntl(2, F_GETFD) >= 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        wall_test(without_the_sandbox_all_is_possible),
        wall_test(with_it_only_what_was_granted_is),
        wall_test(threads_that_were_there_are_no_way_out),
        wall_test(without_landlock_the_rest_holds),
        wall_test(each_thread_has_nothing_left),
        wall_test(an_abort_still_reaches_its_handler),
        wall_test(what_is_missing_is_said),
        cmocka_unit_test(a_report_in_words),
        cmocka_unit_test(descriptors_are_kept_by_name),
    };
    return cmocka_run_group_tests_name("runner/sandbox", tests, NULL, NULL);
}
