/* SPDX-License-Identifier: Apache-2.0 */
/* Other programs that unit tests run in their folder. */
#ifndef WAYBILL_TESTS_UNIT_SIGN_TOOL_H
#define WAYBILL_TESTS_UNIT_SIGN_TOOL_H

#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>

/* Runs argv in the folder, `in` (or nothing) as standard input and what it says thrown away; its status, 127
 * where there is no such program. */
static inline int tool_run(const struct scratch *s, const char *in, const char *const *argv)
{
    char *args[24];
    size_t n = 0;
    for (; argv[n]; n++)
        args[n] = strdup(argv[n]);
    args[n] = NULL;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        if (fchdir(s->fd) < 0)
            _exit(126);
        int from = in ? open(in, O_RDONLY) : null;
        if (dup2(from, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
            _exit(126);
        (void)unsetenv("SSH_AUTH_SOCK");
        execvp(args[0], args);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    while (n)
        free(args[--n]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
#define TOOL(s, in, ...) tool_run((s), (in), (const char *const[]){__VA_ARGS__, NULL})

/* The content of a file of the folder. */
static inline struct bytes tool_read(const struct scratch *s, const char *name, uint8_t *out, size_t size)
{
    int fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, out, size);
    assert_true(n >= 0 && (size_t)n < size);
    (void)close(fd);
    return bytes_of(out, (size_t)n);
}

#endif
