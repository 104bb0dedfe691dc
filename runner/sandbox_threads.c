/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock and capabilities are a thread's own. The engine has threads by the time we get here, and who holds
 * one thread of a process has them all, by way of memory: so each has to give up the same. As the C library
 * does for setuid, each is sent a signal whose handler does it.
 */
#include "runner/sandbox_layers.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#define THREADS_MAX 4096
#define ANSWER_MS   2000
#define PAUSE_US    50

static struct {
    void (*fn)(void *ctx);
    void *ctx;
    atomic_bool open; /* false: too late */
    atomic_uint answered;
} job;

struct seen {
    size_t n;
    int tids[THREADS_MAX];
};

static void on_signal(int signal)
{
    int saved = errno;
    (void)signal;
    if (atomic_load(&job.open))
        job.fn(job.ctx);
    errno = saved;
    atomic_fetch_add(&job.answered, 1);
}

/* Until the thread has answered, or ended instead. */
static int wait_for_answer(unsigned want, int tid)
{
    const struct timespec pause = {.tv_nsec = PAUSE_US * 1000L};
    for (int i = 0; i < ANSWER_MS * 1000 / PAUSE_US; i++) {
        if (atomic_load(&job.answered) >= want || syscall(SYS_tgkill, getpid(), tid, 0) != 0)
            return 0;
        (void)nanosleep(&pause, NULL);
    }
    return ETIMEDOUT;
}

static bool is_seen(const struct seen *seen, int tid)
{
    for (size_t i = 0; i < seen->n; i++)
        if (seen->tids[i] == tid)
            return true;
    return false;
}

/* One thread after the other: fn need not expect a second one beside it. */
static int call_on(struct seen *seen, int tid, int signal)
{
    unsigned before = atomic_load(&job.answered);
    if (seen->n == THREADS_MAX)
        return EOVERFLOW;
    seen->tids[seen->n++] = tid;
    if (syscall(SYS_tgkill, getpid(), tid, signal) != 0)
        return errno == ESRCH ? 0 : errno;
    return wait_for_answer(before + 1, tid);
}

/* Those that were not there before; how many goes to *ret_new. */
static int call_on_new(struct seen *seen, int signal, size_t *ret_new)
{
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks)
        return errno;
    const size_t before = seen->n;
    int r = 0;
    for (struct dirent *entry; r == 0 && (entry = readdir(tasks));) {
        int tid = (int)strtol(entry->d_name, NULL, 10);
        if (tid > 0 && !is_seen(seen, tid))
            r = call_on(seen, tid, signal);
    }
    (void)closedir(tasks);
    *ret_new = seen->n - before;
    return r;
}

int sandbox_threads_each(void (*fn)(void *ctx), void *ctx)
{
    struct seen seen = {.n = 1, .tids[0] = (int)syscall(SYS_gettid)};
    struct sigaction ours = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK}, theirs;
    const int signal = SIGRTMAX - 1;
    job.fn = fn;
    job.ctx = ctx;
    atomic_store(&job.open, true);
    (void)sigfillset(&ours.sa_mask);
    if (sigaction(signal, &ours, &theirs) != 0)
        return errno;
    size_t n_new = 1;
    int r = 0;
    while (r == 0 && n_new > 0)
        r = call_on_new(&seen, signal, &n_new);
    atomic_store(&job.open, false);
    if (r != ETIMEDOUT) /* a signal that is still to come would end the process */
        (void)sigaction(signal, &theirs, NULL);
    fn(ctx);
    return r;
}
