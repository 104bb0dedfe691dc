/* SPDX-License-Identifier: Apache-2.0 */
/* The fault-injecting registry for unit tests: started as a child on free loopback ports, ended with the
 * test. */
#ifndef WAYBILL_TESTS_REGISTRY_FIXTURE_H
#define WAYBILL_TESTS_REGISTRY_FIXTURE_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIXTURE_PROGRAM "tests/registry/registry.py"

struct fixture {
    pid_t pid;
    char folder[64], ports[96], log[96];
    unsigned port, alt, token;
};

static inline bool fixture_ports(struct fixture *f)
{
    FILE *file = fopen(f->ports, "re");
    if (!file)
        return false;
    int n = fscanf(file, "{\"main\": %u, \"alt\": %u, \"token\": %u}", &f->port, &f->alt, &f->token);
    (void)fclose(file);
    return n == 3;
}

/* argv: options of registry.py, ended by NULL, at most 20. False when it cannot be started; says why. */
static inline bool fixture_start(struct fixture *f, const char *const *options)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000000};
    const char *argv[32] = {"python3", "-B", FIXTURE_PROGRAM, "--max-seconds", "120"};
    size_t n = 5;
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/waybill-test-XXXXXX");
    if (access(FIXTURE_PROGRAM, R_OK) != 0 || !mkdtemp(f->folder)) {
        (void)fprintf(stderr, "skipped: no %s in the working folder\n", FIXTURE_PROGRAM);
        return false;
    }
    (void)snprintf(f->ports, sizeof(f->ports), "%s/ports", f->folder);
    (void)snprintf(f->log, sizeof(f->log), "%s/log", f->folder);
    argv[n++] = "--port-file";
    argv[n++] = f->ports;
    argv[n++] = "--log";
    argv[n++] = f->log;
    for (; *options && n + 1 < sizeof(argv) / sizeof(argv[0]); options++)
        argv[n++] = *options;
    f->pid = fork();
    if (f->pid == 0) {
        char *copy[32];
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that crashes leaves nothing running */
        memcpy(copy, argv, sizeof(copy));
        execvp(copy[0], copy);
        _exit(127);
    }
    for (int i = 0; f->pid > 0 && i < 500 && !fixture_ports(f); i++)
        (void)nanosleep(&pause, NULL);
    return f->port != 0;
}

static inline void fixture_stop(struct fixture *f)
{
    if (f->pid <= 0)
        return;
    (void)kill(f->pid, SIGTERM);
    (void)waitpid(f->pid, NULL, 0);
    (void)unlink(f->ports);
    (void)unlink(f->log);
    (void)rmdir(f->folder);
    f->pid = 0;
}

/* How many lines of the request log hold all of the given texts (NULL: no more). */
static inline unsigned fixture_logged(const struct fixture *f, const char *a, const char *b, const char *c)
{
    char line[4096];
    unsigned count = 0;
    FILE *file = fopen(f->log, "re");
    while (file && fgets(line, sizeof(line), file))
        count += (!a || strstr(line, a)) && (!b || strstr(line, b)) && (!c || strstr(line, c));
    if (file)
        (void)fclose(file);
    return count;
}

/* The folder of the plugins that belong to the running test program, build/<variant>/lib/waybill. */
static inline bool fixture_plugins(char out[PATH_MAX])
{
    char exe[PATH_MAX], relative[PATH_MAX + 32];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (n <= 0)
        return false;
    exe[n] = '\0';
    *strrchr(exe, '/') = '\0';
    (void)snprintf(relative, sizeof(relative), "%s/../../lib/waybill", exe);
    if (realpath(relative, out))
        return true;
    (void)fprintf(stderr, "skipped: no plugins at %s\n", relative);
    return false;
}

#endif
