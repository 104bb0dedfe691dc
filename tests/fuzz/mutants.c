/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs mutants of guests through the whole runner: compiled, linked, instantiated and called, by an export
 * each fourth, in worker processes that may die. Usage: mutants COUNT SEED FOLDER GUEST... - the same numbers
 * and guests make the same mutants. A mutant that ends its worker by a signal, or that does not end, is kept
 * in FOLDER. Mutants get FOLDER/data, writable. TAP.
 */
#include "base/wbin.h"
#include "runner/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define WORKERS_MAX 16
#define GUESTS_MAX  256
#define LARGE       (8U << 10) /* takes long to compile, and is taken less often */
#define MUTANT_MAX  (1U << 20)
#define RUN_MS      40 /* a guest that loops is ended after this */
#define STUCK_S     60 /* no mutant takes this long: compiling, running and all */
#define FILE_MAX    (8U << 20)

enum outcome { RAN, TRAPPED, TIMED_OUT, REFUSED, FAILED, N_OUTCOMES };
static const char *const outcome_names[] = {"ran", "trapped", "timed out", "refused", "failed otherwise"};

struct guest {
    uint8_t *data;
    size_t len;
};

static struct {
    struct guest guests[GUESTS_MAX];
    size_t n_guests;
    uint64_t count, seed;
    const char *folder;
    char data[4096];
} job;

/* What the workers and their parent share. */
struct board {
    atomic_uint_fast64_t next;                 /* the first mutant that nobody took */
    atomic_uint_fast64_t current[WORKERS_MAX]; /* what each worker is at */
    atomic_uint_fast64_t outcomes[N_OUTCOMES];
};
static struct board *board;

struct rng {
    uint64_t state;
};

/* Steele, Lea and Flood's SplitMix64. */
static uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static size_t below(struct rng *r, size_t n)
{
    return n ? (size_t)(rng_next(r) % n) : 0;
}

/* Half of the places are anywhere, the others near the ends: types, imports and limits, or the last section.
 */
static size_t place(struct rng *r, size_t len)
{
    const size_t near = len < 256 ? len : 256;
    switch (below(r, 4)) {
    case 0: return below(r, near);
    case 1: return len - near + below(r, near);
    default: return below(r, len);
    }
}

static void overwrite(struct rng *r, struct guest *m)
{
    static const uint8_t telling[] = {0x00, 0x01, 0x3f, 0x40, 0x5f, 0x60, 0x70,
                                      0x7c, 0x7d, 0x7e, 0x7f, 0x80, 0xff};
    size_t at = place(r, m->len);
    switch (below(r, 4)) {
    case 0: m->data[at] ^= (uint8_t)(1U << below(r, 8)); break;
    case 1: m->data[at] = (uint8_t)rng_next(r); break;
    case 2: m->data[at] = telling[below(r, sizeof(telling))]; break;
    default: m->data[at] = (uint8_t)(m->data[at] + 1 - 2 * (int)below(r, 2)); break;
    }
}

/* Some bytes of the same guest or of another one, over what is there. */
static void transplant(struct rng *r, struct guest *m)
{
    const struct guest *from = below(r, 2) ? m : &job.guests[below(r, job.n_guests)];
    size_t at = place(r, m->len), source = place(r, from->len), n = 1 + below(r, 32);
    n = n < m->len - at ? n : m->len - at;
    n = n < from->len - source ? n : from->len - source;
    memmove(m->data + at, from->data + source, n);
}

static void cut(struct rng *r, struct guest *m)
{
    size_t at = place(r, m->len), n = 1 + below(r, 8);
    n = n < m->len - at ? n : m->len - at;
    if (m->len - n < 8)
        return;
    memmove(m->data + at, m->data + at + n, m->len - at - n);
    m->len -= n;
}

static void insert(struct rng *r, struct guest *m)
{
    size_t at = place(r, m->len), n = 1 + below(r, 8);
    if (m->len + n > MUTANT_MAX)
        return;
    memmove(m->data + at + n, m->data + at, m->len - at);
    m->len += n; /* what stood here is there twice now */
    if (below(r, 2))
        m->data[at] = (uint8_t)rng_next(r);
}

/* m: room for MUTANT_MAX bytes. */
static void make_mutant(uint64_t number, struct guest *m)
{
    struct rng r = {job.seed ^ (number * 0xd1342543de82ef95U)};
    const struct guest *from = &job.guests[below(&r, job.n_guests)];
    while (from->len > LARGE && below(&r, 16) != 0)
        from = &job.guests[below(&r, job.n_guests)];
    memcpy(m->data, from->data, from->len);
    m->len = from->len;
    /* Most are small changes in place: what shifts the rest of the bytes is seldom valid. */
    for (size_t n = below(&r, 2) ? 1 : 1 + below(&r, 4); n > 0; n--)
        switch (below(&r, 16)) {
        case 0: cut(&r, m); break;
        case 1: insert(&r, m); break;
        case 2:
        case 3:
        case 4: transplant(&r, m); break;
        default: overwrite(&r, m); break;
        }
}

/* The guest waits in a host call: the worker ends, and another takes over behind this mutant. */
static void on_deadline(void *ctx, int status, const char *why)
{
    (void)ctx, (void)why;
    _exit(status);
}

/* One of the mutant's exports to be called with some arguments, in place of its main function. Returns false
 * where there is none. call: room for the text, which the result borrows. */
static bool choose_call(const struct guest *m, struct rng *r, char *call, size_t size,
                        struct runner_invoke *ret)
{
    static const char *const numbers[] = {"1", "-2", "3"};
    static const char *const waves[] = {"",       "1",    "1, 2",    "\"ada\"",        "\"ada\", [1, 2]",
                                        "-1.5",   "true", "some(1)", "ok(2)",          "{a: 1}",
                                        "(1, 2)", "none", "'x'",     "[\"a\", \"b\"]", "err"};
    struct source_bytes source;
    struct wbin_info info = {.kind = WBIN_MODULE};
    struct err e = ERR_INIT;
    if (wbin_scan(source_bytes_init(&source, bytes_of(m->data, m->len)), &info, &e) != 0)
        return false;
    bool any = info.n_exports > 0;
    if (any) {
        struct bytes name = info.exports[below(r, info.n_exports)].name;
        bool component = info.kind == WBIN_COMPONENT;
        (void)snprintf(call, size, component ? "%.*s(%s)" : "%.*s", (int)(name.len < 200 ? name.len : 200),
                       (const char *)name.ptr, waves[below(r, ARRAY_LEN(waves))]);
        *ret = (struct runner_invoke){.call = call, .args = numbers, .n_args = component ? 0 : below(r, 4)};
        ret->json = below(r, 2);
    }
    wbin_info_done(&info);
    return any;
}

static enum outcome run_mutant(struct runner_host *host, uint64_t number, const struct guest *m)
{
    static const char *const argv[] = {"mutant", "write", "/data/file", "text"}, *const env[] = {"A=1"};
    const struct runner_dir dir = {job.data, "/data", true};
    struct runner_grants grants = {.argv = argv,
                                   .argc = ARRAY_LEN(argv),
                                   .env = env,
                                   .n_env = ARRAY_LEN(env),
                                   .dirs = &dir,
                                   .n_dirs = 1,
                                   .limits = {.timeout_ms = RUN_MS, .max_memory = 64U << 20}};
    char call[512];
    struct rng rng = {number};
    struct runner_invoke invoke;
    struct err e = ERR_INIT;
    struct runner_result result = {0};
    AUTO(runner_program) program = NULL;
    if (number % 4 == 3 && choose_call(m, &rng, call, sizeof(call), &invoke))
        grants.invoke = &invoke;
    int r = runner_program_load(host, bytes_of(m->data, m->len), NULL, &program, &e);
    if (r == 0)
        r = runner_program_run(program, &grants, &result, &e);
    if (r != 0)
        return r == ERR_NOT_RUNNABLE || r == ERR_LIMIT || r == ERR_USAGE ? REFUSED : FAILED;
    enum outcome outcome = result.timed_out ? TIMED_OUT : result.trapped ? TRAPPED : RAN;
    runner_result_done(&result);
    return outcome;
}

static void stderr_path(size_t worker, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s/stderr-%zu", job.folder, worker);
}

/* The guests' streams lead nowhere; the worker's last words are kept. */
static void set_streams(size_t worker)
{
    char path[4200];
    stderr_path(worker, path, sizeof(path));
    int null = open("/dev/null", O_RDWR), words = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    if (null < 0 || words < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(words, 2) < 0)
        _exit(1);
}

static void work(size_t worker)
{
    const struct rlimit no_core = {0, 0}, files = {FILE_MAX, FILE_MAX};
    const struct runner_conf conf = {.on_deadline = on_deadline};
    static uint8_t room[MUTANT_MAX];
    struct guest m = {room, 0};
    struct err e = ERR_INIT;
    struct runner_host *host = NULL;
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)setrlimit(RLIMIT_FSIZE, &files);
    (void)signal(SIGXFSZ, SIG_IGN);
    set_streams(worker);
    if (runner_host_new(&conf, &host, &e) != 0)
        _exit(1);
    for (;;) {
        uint64_t number = atomic_fetch_add(&board->next, 1);
        if (number >= job.count)
            break;
        atomic_store(&board->current[worker], number);
        make_mutant(number, &m);
        (void)!ftruncate(STDERR_FILENO, 0);
        (void)alarm(STUCK_S);
        atomic_fetch_add(&board->outcomes[run_mutant(host, number, &m)], 1);
    }
    runner_host_free(host);
    _exit(0);
}

static pid_t start(size_t worker)
{
    pid_t pid = fork();
    if (pid == 0)
        work(worker);
    if (pid < 0)
        perror("fork");
    return pid;
}

static bool write_file(const char *path, struct bytes data)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bool ok = fd >= 0 && write(fd, data.ptr, data.len) == (ssize_t)data.len;
    return fd >= 0 && close(fd) == 0 && ok;
}

/* Keeps the mutant and shows what the worker said. */
static void report(size_t worker, int status)
{
    char path[4200], line[512];
    static uint8_t room[MUTANT_MAX];
    struct guest m = {room, 0};
    uint64_t number = atomic_load(&board->current[worker]);
    make_mutant(number, &m);
    (void)snprintf(path, sizeof(path), "%s/mutant-%" PRIu64, job.folder, number);
    bool kept = write_file(path, bytes_of(m.data, m.len));
    printf("not ok - mutant %" PRIu64 " %s %d: %s%s\n", number, WIFSIGNALED(status) ? "signal" : "status",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), path, kept ? "" : " (not written)");
    stderr_path(worker, path, sizeof(path));
    FILE *f = fopen(path, "r");
    for (int i = 0; f && i < 40 && fgets(line, sizeof(line), f); i++)
        printf("# %s%s", line, strchr(line, '\n') ? "" : "\n");
    if (f)
        (void)fclose(f);
    (void)fflush(stdout);
}

/* Returns how many mutants ended their worker as none may, or -1. */
static int supervise(size_t n)
{
    pid_t pids[WORKERS_MAX];
    int bad = 0;
    for (size_t i = 0; i < n; i++)
        if ((pids[i] = start(i)) < 0)
            return -1;
    for (size_t running = n; running > 0;) {
        int status;
        pid_t pid = wait(&status);
        size_t i = 0;
        while (i < n && pids[i] != pid)
            i++;
        if (pid < 0 || i == n)
            return -1;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            running--;
            continue;
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == RUNNER_STATUS_TIMEOUT)
            atomic_fetch_add(&board->outcomes[TIMED_OUT], 1);
        else {
            report(i, status);
            bad++;
        }
        if ((pids[i] = start(i)) < 0)
            return -1;
    }
    return bad;
}

static bool read_guest(const char *path)
{
    struct stat st;
    struct guest *g = &job.guests[job.n_guests];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && st.st_size >= 8 && st.st_size <= MUTANT_MAX;
    g->len = ok ? (size_t)st.st_size : 0;
    g->data = ok ? malloc(g->len) : NULL;
    ok = g->data && read(fd, g->data, g->len) == (ssize_t)g->len;
    if (fd >= 0)
        (void)close(fd);
    job.n_guests += ok;
    return ok;
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool prepare(int argc, char **argv)
{
    if (argc < 5 || argc - 4 > GUESTS_MAX)
        return false;
    job.count = strtoull(argv[1], NULL, 10);
    job.seed = strtoull(argv[2], NULL, 10);
    job.folder = argv[3];
    (void)snprintf(job.data, sizeof(job.data), "%s/data", job.folder);
    if (mkdir(job.data, 0700) != 0 && errno != EEXIST)
        return false;
    for (int i = 4; i < argc; i++)
        if (!read_guest(argv[i]))
            return false;
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return board != MAP_FAILED && job.count > 0;
}

int main(int argc, char **argv)
{
    if (!prepare(argc, argv)) {
        (void)fprintf(stderr, "usage: mutants COUNT SEED FOLDER GUEST...\n");
        return 2;
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    double begin = now();
    (void)setenv("TOKIO_WORKER_THREADS", "1", 1);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    int bad = supervise(cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (size_t)cores);
    double seconds = now() - begin;
    printf("%s - %" PRIu64 " mutants of %zu guests, %d findings, %.0f a second\n# ", bad ? "not ok" : "ok",
           job.count, job.n_guests, bad, (double)job.count / seconds);
    for (size_t i = 0; i < N_OUTCOMES; i++)
        printf("%s %" PRIu64 "%s", outcome_names[i], (uint64_t)atomic_load(&board->outcomes[i]),
               i + 1 < N_OUTCOMES ? ", " : "\n");
    return bad != 0;
}
