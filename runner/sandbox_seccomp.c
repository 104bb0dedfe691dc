/* SPDX-License-Identifier: Apache-2.0 */
/* The filter that sandbox_seccomp_gen.c made when this was built. */
#include "runner/sandbox_layers.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>

/* BPF_MAXINSNS of the kernel. */
#define INSTRUCTIONS_MAX 4096U

/* Puts our own process id where the filter compares with one. */
static bool set_pid(struct sock_filter *program, size_t n, uint32_t pid)
{
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        if (BPF_CLASS(program[i].code) == BPF_JMP && program[i].k == SANDBOX_PID_PLACE) {
            program[i].k = pid;
            found = true;
        }
    }
    return found;
}

int sandbox_seccomp_load(void)
{
    struct sock_filter program[INSTRUCTIONS_MAX];
    const size_t n = sandbox_filter_size / sizeof(*program);
    const struct sock_fprog whole = {.len = (unsigned short)n, .filter = program};
    if (n > INSTRUCTIONS_MAX)
        return E2BIG;
    memcpy(program, sandbox_filter, n * sizeof(*program));
    if (!set_pid(program, n, (uint32_t)getpid()))
        return EINVAL;
    long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &whole);
    if (r < 0)
        return errno;
    return r == 0 ? 0 : EBUSY; /* a thread that has a filter of its own */
}

int sandbox_seccomp_probe(void)
{
    const uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 ? 0 : errno;
}
