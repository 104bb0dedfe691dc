/* SPDX-License-Identifier: Apache-2.0 */
/* Times two commands as whole processes, in turns, and prints the medians, their ratio and the peak memory of
 * each. Usage: pair RUNS LABEL COMMAND-A... -- COMMAND-B...     (both with standard output to /dev/null) */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define MAX_RUNS 2000

extern char **environ;

struct series {
    char **argv;
    double ms[MAX_RUNS];
    long peak_kib;
};

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void run_once(struct series *s, int i)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    struct rusage usage;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    double start = now_ms();
    int r = posix_spawnp(&pid, s->argv[0], &actions, NULL, s->argv, environ);
    if (r != 0 || wait4(pid, &status, 0, &usage) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        (void)fprintf(stderr, "pair: %s failed%s%s\n", s->argv[0], r ? ": " : "", r ? strerror(r) : "");
        exit(1);
    }
    s->ms[i] = now_ms() - start;
    if (usage.ru_maxrss > s->peak_kib)
        s->peak_kib = usage.ru_maxrss;
    (void)posix_spawn_file_actions_destroy(&actions);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(struct series *s, int runs)
{
    qsort(s->ms, (size_t)runs, sizeof(s->ms[0]), by_value);
    return s->ms[runs / 2];
}

int main(int argc, char **argv)
{
    static struct series a, b;
    int runs = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0, split = 3;
    while (split < argc && strcmp(argv[split], "--") != 0)
        split++;
    if (runs < 1 || runs > MAX_RUNS || split + 1 >= argc) {
        (void)fprintf(stderr, "usage: pair RUNS LABEL COMMAND-A... -- COMMAND-B...\n");
        return 2;
    }
    argv[split] = NULL;
    a.argv = argv + 3;
    b.argv = argv + split + 1;
    for (int i = 0; i < 3 && i < runs; i++) { /* warm up */
        run_once(&a, i);
        run_once(&b, i);
    }
    a.peak_kib = b.peak_kib = 0;
    for (int i = 0; i < runs; i++) {
        run_once(&a, i);
        run_once(&b, i);
    }
    double ma = median(&a, runs), mb = median(&b, runs);
    printf("%-44s %9.2f ms %9.2f ms  ratio %5.2f   difference %6.2f ms   peak %6.1f MiB %6.1f MiB\n", argv[2],
           ma, mb, ma / mb, ma - mb, (double)a.peak_kib / 1024, (double)b.peak_kib / 1024);
    return 0;
}
