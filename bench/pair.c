/* SPDX-License-Identifier: Apache-2.0 */
/* Times two commands as whole processes, in turns, and prints the medians, their ratio and the peak memory of
 * each. Usage: pair [-p PREPARE] RUNS LABEL COMMAND-A... -- COMMAND-B...     (both with standard output to
 * /dev/null) PREPARE is run by the shell before each command, and not timed; the word {run} in an argument
 * becomes a number that no other run has. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_RUNS 2000
#define MAX_ARGS 64
#define ARG_SIZE 4096

extern char **environ;

struct series {
    char **argv;
    double ms[MAX_RUNS];
    long peak_kib;
};

static char *prepare[] = {(char[]){"sh"}, (char[]){"-c"}, NULL, NULL};
static unsigned counter;

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void run(char **argv, struct rusage *usage)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    int r = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    if (r != 0 || wait4(pid, &status, 0, usage) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        (void)fprintf(stderr, "pair: %s failed%s%s\n", argv[0], r ? ": " : "", r ? strerror(r) : "");
        exit(1);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
}

/* The arguments with this run's number in the place of {run}. */
static char **numbered(char **argv)
{
    static char text[MAX_ARGS][ARG_SIZE];
    static char *out[MAX_ARGS + 1];
    size_t n = 0;
    counter++;
    for (; argv[n] && n < MAX_ARGS; n++) {
        const char *at = strstr(argv[n], "{run}");
        out[n] = argv[n];
        if (at) {
            (void)snprintf(text[n], ARG_SIZE, "%.*s%u%s", (int)(at - argv[n]), argv[n], counter, at + 5);
            out[n] = text[n];
        }
    }
    out[n] = NULL;
    return out;
}

static void run_once(struct series *s, int i)
{
    struct rusage usage;
    if (prepare[2])
        run(prepare, &usage);
    char **argv = numbered(s->argv);
    double start = now_ms();
    run(argv, &usage);
    s->ms[i] = now_ms() - start;
    if (usage.ru_maxrss > s->peak_kib)
        s->peak_kib = usage.ru_maxrss;
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
    if (argc > 2 && strcmp(argv[1], "-p") == 0) {
        prepare[2] = argv[2];
        argv += 2;
        argc -= 2;
    }
    int runs = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0, split = 3;
    while (split < argc && strcmp(argv[split], "--") != 0)
        split++;
    if (runs < 1 || runs > MAX_RUNS || split + 1 >= argc || argc > MAX_ARGS) {
        (void)fprintf(stderr, "usage: pair [-p PREPARE] RUNS LABEL COMMAND-A... -- COMMAND-B...\n");
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
