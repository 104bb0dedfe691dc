/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: the layers of the sandbox, one file each. What can be missing is said by an errno. */
#ifndef WAYBILL_RUNNER_SANDBOX_LAYERS_H
#define WAYBILL_RUNNER_SANDBOX_LAYERS_H

#include "runner/sandbox.h"

/* Stands for our own process id in the filter that the build makes. */
#define SANDBOX_PID_PLACE 0x57425049U

/* sandbox_landlock_abi - the version of Landlock that this kernel offers, or a negative errno: ENOSYS, or
 * EOPNOTSUPP when it was switched off at its start. */
int sandbox_landlock_abi(void);

/* sandbox_landlock_make - a set of rules by which nothing but what is below the folders can be opened, made
 * or changed, no TCP port bound or connected, nobody outside sent a signal or reached by an abstract socket,
 * as far as the version knows these. Returns its descriptor, which the caller closes, or a negative errno. */
int sandbox_landlock_make(int abi, const struct runner_sandbox_folder *folders, size_t n);

/* What sandbox_privileges_drop does for one thread; each errno is 0 or the first that was met. */
struct sandbox_drop {
    int ruleset;       /* -1: none */
    bool dac_override; /* keep that capability, if it is there */
    int landlock, no_new_privs, capabilities;
};

/* sandbox_privileges_drop - on the calling thread: no new privileges, the rules, no other capability in any
 * set. May be called from a signal handler. */
void sandbox_privileges_drop(struct sandbox_drop *d);

/* sandbox_threads_each - calls fn(ctx) on each thread of the process, on one after the other, the calling
 * one last. fn: may be called from a signal handler. Returns 0 or an errno: ETIMEDOUT when a thread does not
 * answer, EOVERFLOW for too many. One call of it at a time. */
int sandbox_threads_each(void (*fn)(void *ctx), void *ctx);

/* What sandbox_seccomp_gen.c wrote when this was built: struct sock_filter, one behind the other. */
extern const uint8_t sandbox_filter[];
extern const size_t sandbox_filter_size; /* bytes */

/* sandbox_seccomp_load - the filter of system calls, for all threads. The calling thread has no_new_privs.
 * Returns 0 or an errno. */
int sandbox_seccomp_load(void);
/* sandbox_seccomp_probe - 0 when the kernel offers it. */
int sandbox_seccomp_probe(void);

/* sandbox_descriptors_close - all but 0, 1, 2 and those of keep, in any order. Returns 0 or an errno. */
int sandbox_descriptors_close(const int *keep, size_t n);
/* sandbox_descriptors_probe - 0 when the kernel offers it. */
int sandbox_descriptors_probe(void);

#endif
