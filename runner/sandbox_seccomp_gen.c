/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of the build: writes the filter of system calls, as libseccomp makes it, to standard output. To
 * load that library and let it work at each start would take longer than a small guest runs.
 *
 * Three answers: what the engine needs is allowed. What nobody here has a reason to call, a guest's least of
 * all, ends the process (SIGSYS): programs, other processes, namespaces, the kernel's own machinery. Anything
 * else fails, known calls with EPERM and those that are newer than this list with ENOSYS, which libraries
 * take for an older kernel and do without.
 */
#include "runner/sandbox_layers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define MINE __attribute__((cleanup(release)))

static const char *const allowed[] = {
    /* memory, see also with_arguments */
    "brk", "munmap", "mremap", "madvise", "mincore", "membarrier", "memfd_create",
    /* open files */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2",
    "lseek", "close", "close_range", "dup", "fstat", "fstatfs", "ftruncate", "fallocate", "fadvise64",
    "fsync", "fdatasync", "getdents64",
    /* files by name, which Landlock bounds; what only looks or sets times it does not */
    "openat", "openat2", "newfstatat", "statx", "readlinkat", "faccessat", "faccessat2", "mkdirat",
    "unlinkat", "renameat", "renameat2", "linkat", "symlinkat", "utimensat",
    /* waiting */
    "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
    "epoll_pwait2", "eventfd2", "timerfd_create", "timerfd_settime", "futex", "nanosleep", "clock_nanosleep",
    "restart_syscall",
    /* threads of our own, see also with_arguments */
    "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "exit", "exit_group",
    /* signals */
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait", "sigaltstack",
    "timer_settime", "timer_gettime", "timer_delete", "setitimer", "getitimer",
    /* what there is to know */
    "clock_gettime", "clock_getres", "gettimeofday", "time", "times", "getrusage", "getrandom", "getpid",
    "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "uname", "getcpu"};

static const char *const denied[] = {
    /* found out by libraries, or by a guest's way through them */
    "open",
    "creat",
    "stat",
    "lstat",
    "access",
    "truncate",
    "rename",
    "unlink",
    "mkdir",
    "rmdir",
    "link",
    "symlink",
    "readlink",
    "chdir",
    "fchdir",
    "getcwd",
    "umask",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "mknod",
    "mknodat",
    "utime",
    "utimes",
    "futimesat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "getxattr",
    "lgetxattr",
    "fgetxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "statfs",
    "flock",
    "sync",
    "syncfs",
    "dup2",
    "dup3",
    "pipe",
    "pipe2",
    "sendfile",
    "splice",
    "tee",
    "copy_file_range",
    "inotify_init1",
    "fanotify_init",
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "sendto",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "sendmmsg",
    "recvmmsg",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "getsockname",
    "getpeername",
    "fork",
    "vfork",
    "wait4",
    "waitid",
    "kill",
    "tkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "pidfd_open",
    "pidfd_send_signal",
    "pidfd_getfd",
    "setpriority",
    "sched_setaffinity",
    "sched_setscheduler",
    "setrlimit",
    "timer_create",
    "mlock",
    "mlockall",
    "pkey_alloc",
    "pkey_mprotect",
    "shmget",
    "shmat",
    "msgget",
    "semget",
    "mq_open",
    "landlock_create_ruleset",
    "landlock_add_rule",
    "landlock_restrict_self",
    "seccomp",
    "arch_prctl",
    "capget",
    "capset",
    "setpgid",
    "setsid",
    "syslog"};

static const char *const deadly[] = {"execve",
                                     "execveat",
                                     "ptrace",
                                     "process_vm_readv",
                                     "process_vm_writev",
                                     "process_madvise",
                                     "kcmp",
                                     "setuid",
                                     "setgid",
                                     "setreuid",
                                     "setregid",
                                     "setresuid",
                                     "setresgid",
                                     "setfsuid",
                                     "setfsgid",
                                     "setgroups",
                                     "unshare",
                                     "setns",
                                     "chroot",
                                     "pivot_root",
                                     "mount",
                                     "umount2",
                                     "move_mount",
                                     "open_tree",
                                     "fsopen",
                                     "fsconfig",
                                     "fsmount",
                                     "fspick",
                                     "mount_setattr",
                                     "name_to_handle_at",
                                     "open_by_handle_at",
                                     "swapon",
                                     "swapoff",
                                     "bpf",
                                     "perf_event_open",
                                     "userfaultfd",
                                     "io_uring_setup",
                                     "io_uring_enter",
                                     "io_uring_register",
                                     "add_key",
                                     "request_key",
                                     "keyctl",
                                     "init_module",
                                     "finit_module",
                                     "delete_module",
                                     "kexec_load",
                                     "kexec_file_load",
                                     "reboot",
                                     "personality",
                                     "modify_ldt",
                                     "iopl",
                                     "ioperm",
                                     "acct",
                                     "quotactl",
                                     "settimeofday",
                                     "adjtimex",
                                     "clock_settime",
                                     "clock_adjtime",
                                     "sethostname",
                                     "setdomainname",
                                     "vhangup",
                                     "lookup_dcookie",
                                     "memfd_secret"};

/* What the engine asks a terminal or another standard stream; no TIOCSTI, which types for the user. */
static const unsigned long requests[] = {TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX};

/* No owner (F_SETOWN): the kernel would send it signals. */
static const int controls[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,     F_GETFL,     F_SETFL,
                               F_GETLK, F_SETLK,         F_OFD_GETLK, F_OFD_SETLK, F_GET_SEALS, F_ADD_SEALS};

/* PR_SET_VMA, of a later header: names of mappings. */
static const int properties[] = {PR_SET_NAME, PR_GET_NAME, 0x53564d41};

#define NEW_NAMESPACES                                                                            \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET)

static void release(scmp_filter_ctx *filter)
{
    seccomp_release(*filter);
}

static int add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        int r = number == __NR_SCMP_ERROR ? -EINVAL : seccomp_rule_add(filter, action, number, 0);
        if (r != 0)
            return r;
    }
    return 0;
}

/* A call where one argument may be one of a list, and EPERM else. */
static int add_values(scmp_filter_ctx filter, int number, unsigned argument, const uint64_t *values, size_t n)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
                             SCMP_CMP64(argument, SCMP_CMP_EQ, values[i], 0));
    return r;
}

static int add_ints(scmp_filter_ctx filter, int number, unsigned argument, const int *values, size_t n)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_values(filter, number, argument, &(uint64_t){(uint64_t)values[i]}, 1);
    return r;
}

/* Calls that are allowed by their arguments. */
static int with_arguments(scmp_filter_ctx f)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(requests); i++)
        r = add_values(f, SCMP_SYS(ioctl), 1, &(uint64_t){requests[i]}, 1);
    if (r == 0)
        r = add_ints(f, SCMP_SYS(fcntl), 1, controls, ARRAY_LEN(controls));
    if (r == 0)
        r = add_ints(f, SCMP_SYS(prctl), 0, properties, ARRAY_LEN(properties));
    /* No new code: the module's is there. */
    const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_exec);
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_exec);
    /* A thread, but no process. clone3 has its flags in memory, where no filter sees them. */
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | NEW_NAMESPACES, CLONE_THREAD));
    /* A signal to ourselves: abort(). Limits are read, and not set. */
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                             SCMP_A0(SCMP_CMP_EQ, SANDBOX_PID_PLACE, 0));
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, SCMP_A0(SCMP_CMP_EQ, 0, 0),
                             SCMP_A2(SCMP_CMP_EQ, 0, 0));
    return r;
}

int main(void)
{
    MINE scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!f)
        return 1;
    int r = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    /* A binary tree: the kernel tries each call once when it takes the filter. */
    if (r == 0)
        r = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (r == 0)
        r = add_names(f, SCMP_ACT_ALLOW, allowed, ARRAY_LEN(allowed));
    if (r == 0)
        r = add_names(f, SCMP_ACT_ERRNO(EPERM), denied, ARRAY_LEN(denied));
    if (r == 0)
        r = add_names(f, SCMP_ACT_KILL_PROCESS, deadly, ARRAY_LEN(deadly));
    if (r == 0)
        r = with_arguments(f);
    if (r == 0)
        r = seccomp_export_bpf(f, STDOUT_FILENO);
    return r == 0 ? 0 : 1;
}
