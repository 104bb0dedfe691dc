/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel that lacks something, for tests: calls that fail from now on, in this process and what it starts.
 */
#ifndef WAYBILL_TESTS_DENY_H
#define WAYBILL_TESTS_DENY_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DENY_MAX 8

/* Returns 0, or -1 with errno. */
static inline int deny_calls(const long *calls, size_t n, int with)
{
    struct sock_filter program[DENY_MAX + 3];
    size_t len = 0;
    program[len++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < n && i < DENY_MAX; i++)
        program[len++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], (uint8_t)(n - i), 0);
    program[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)with);
    const struct sock_fprog whole = {.len = (unsigned short)len, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole);
}

static const long deny_landlock[] = {SYS_landlock_create_ruleset, SYS_landlock_add_rule,
                                     SYS_landlock_restrict_self};
static const long deny_seccomp[] = {SYS_seccomp};
static const long deny_close_range[] = {SYS_close_range};

#endif
