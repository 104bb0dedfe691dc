/* SPDX-License-Identifier: Apache-2.0 */
/* What code that got out of the engine might try. Each returns 0 when it could, or an errno. */
#ifndef WAYBILL_TESTS_RUNNER_SANDBOX_ATTEMPTS_H
#define WAYBILL_TESTS_RUNNER_SANDBOX_ATTEMPTS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The folder that the process works in: ro/file, rw/, rw/sub/, rw/mine, secret. */
static struct {
    pid_t victim;  /* another process of the same user */
    int inherited; /* a descriptor of `secret` */
    const void *program;
    size_t program_size; /* of /bin/true */
} place;

static inline int done(long r)
{
    return r < 0 ? errno : 0;
}

static inline int open_close(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int r = done(fd);
    if (fd >= 0)
        (void)close(fd);
    return r;
}

/* Within what was granted. */
static int read_granted(void)
{
    return open_close("ro/file", O_RDONLY);
}
static int list_granted(void)
{
    return open_close("ro", O_RDONLY | O_DIRECTORY);
}
static int create_granted(void)
{
    return open_close("rw/new", O_RDWR | O_CREAT | O_EXCL);
}
static int truncate_granted(void)
{
    return open_close("rw/mine", O_WRONLY | O_TRUNC);
}
static int move_granted_at(void)
{
    return done(renameat(AT_FDCWD, "rw/mine", AT_FDCWD, "rw/sub/moved"));
}
static int make_and_remove_granted(void)
{
    int r = done(mkdirat(AT_FDCWD, "rw/folder", 0700));
    return r ? r : done(unlinkat(AT_FDCWD, "rw/folder", AT_REMOVEDIR));
}
static void *nothing(void *arg)
{
    return arg;
}
static int start_thread(void)
{
    pthread_t thread;
    int r = pthread_create(&thread, NULL, nothing, NULL);
    return r ? r : pthread_join(thread, NULL);
}
static int use_memory_and_clocks(void)
{
    struct timespec now;
    char random[8];
    void *page = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || mprotect(page, 65536, PROT_READ | PROT_WRITE) != 0 || munmap(page, 65536) != 0)
        return errno;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0 || getrandom(random, sizeof(random), 0) < 0)
        return errno;
    int event = eventfd(1, EFD_CLOEXEC);
    struct pollfd wait = {.fd = event, .events = POLLIN};
    int r = done(poll(&wait, 1, 1000));
    (void)close(event);
    return r;
}
static int signal_self(void)
{
    return done(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0));
}

/* Files. */
static int read_outside(void)
{
    return open_close("secret", O_RDONLY);
}
static int read_passwd(void)
{
    return open_close("/etc/passwd", O_RDONLY);
}
static int list_root(void)
{
    return open_close("/", O_RDONLY | O_DIRECTORY);
}
static int write_read_only(void)
{
    return open_close("ro/file", O_WRONLY);
}
static int truncate_read_only(void)
{
    return open_close("ro/file", O_RDONLY | O_TRUNC);
}
static int truncate_by_name(void)
{
    return done(truncate("ro/file", 0));
}
static int create_read_only(void)
{
    return open_close("ro/new", O_RDWR | O_CREAT);
}
static int create_outside(void)
{
    return open_close("new", O_RDWR | O_CREAT);
}
static int temporary_outside(void)
{
    return open_close(".", O_RDWR | O_TMPFILE);
}
static int unlink_outside(void)
{
    return done(unlinkat(AT_FDCWD, "secret", 0));
}
static int unlink_read_only(void)
{
    return done(unlinkat(AT_FDCWD, "ro/file", 0));
}
static int move_out(void)
{
    return done(renameat(AT_FDCWD, "rw/mine", AT_FDCWD, "mine"));
}
static int move_in(void)
{
    return done(renameat(AT_FDCWD, "secret", AT_FDCWD, "rw/secret"));
}
static int move_from_read_only(void)
{
    return done(renameat(AT_FDCWD, "ro/file", AT_FDCWD, "rw/file"));
}
static int link_in(void)
{
    return done(linkat(AT_FDCWD, "secret", AT_FDCWD, "rw/secret", 0));
}
static int follow_own_link(void)
{
    int r = done(symlinkat("../secret", AT_FDCWD, "rw/link"));
    return r ? r : open_close("rw/link", O_RDONLY);
}
static int make_pipe_file(void)
{
    return done(mkfifo("rw/pipe", 0600));
}
static int change_mode(void)
{
    return done(chmod("secret", 0777));
}
static int change_mode_granted(void)
{
    return done(chmod("rw/mine", 04777));
}
static int change_folder(void)
{
    return done(chdir("/"));
}
static int own_memory_file(void)
{
    return open_close("/proc/self/mem", O_RDWR);
}
static int own_environment_file(void)
{
    return open_close("/proc/self/environ", O_RDONLY);
}
static int inherited_descriptor(void)
{
    char byte;
    return done(pread(place.inherited, &byte, 1, 0));
}

/* Programs and processes. */
static int execute(void)
{
    char *argv[] = {(char *)(uintptr_t) "true", NULL}, *env[] = {NULL};
    (void)execve("/bin/true", argv, env);
    return errno;
}
static int execute_memory(void)
{
    char *argv[] = {(char *)(uintptr_t) "true", NULL}, *env[] = {NULL};
    int fd = memfd_create("program", MFD_CLOEXEC);
    if (fd < 0 || write(fd, place.program, place.program_size) != (ssize_t)place.program_size)
        return errno;
    (void)syscall(SYS_execveat, fd, "", argv, env, AT_EMPTY_PATH);
    return errno;
}
static int fork_and_wait(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    int status;
    return pid < 0 ? errno : done(waitpid(pid, &status, 0));
}
static int fork_raw(void)
{
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(0);
    return done(pid);
}
static int new_user_namespace(void)
{
    return done(unshare(CLONE_NEWUSER));
}
static int kill_other(void)
{
    return done(kill(place.victim, 0));
}
static int kill_thread_of_other(void)
{
    return done(syscall(SYS_tgkill, place.victim, place.victim, 0));
}
static int kill_all_of_group(void)
{
    return done(kill(0, 0));
}
static int signals_by_file(void)
{
    int fd = memfd_create("owned", MFD_CLOEXEC);
    return fd < 0 ? errno : done(fcntl(fd, F_SETOWN, place.victim));
}
static int trace_other(void)
{
    return done(ptrace(PTRACE_SEIZE, place.victim, NULL, NULL));
}
static int read_memory_of_other(void)
{
    char byte;
    struct iovec to = {&byte, 1}, from = {&place, 1};
    return done(process_vm_readv(place.victim, &to, 1, &from, 1, 0));
}
static int descriptor_of_other(void)
{
    int fd = (int)syscall(SYS_pidfd_open, place.victim, 0);
    return fd < 0 ? errno : done(syscall(SYS_pidfd_getfd, fd, 0, 0));
}
static int raise_limit(void)
{
    struct rlimit limit;
    int r = done(getrlimit(RLIMIT_CORE, &limit));
    limit.rlim_cur = limit.rlim_max;
    return r ? r : done(setrlimit(RLIMIT_CORE, &limit));
}

/* Network. */
static int socket_of(int domain, int type)
{
    int fd = socket(domain, type | SOCK_CLOEXEC, 0);
    int r = done(fd);
    if (fd >= 0)
        (void)close(fd);
    return r;
}
static int socket_inet(void)
{
    return socket_of(AF_INET, SOCK_STREAM);
}
static int socket_inet6(void)
{
    return socket_of(AF_INET6, SOCK_DGRAM);
}
static int socket_unix(void)
{
    return socket_of(AF_UNIX, SOCK_STREAM);
}
static int socket_netlink(void)
{
    return socket_of(AF_NETLINK, SOCK_RAW);
}
static int socket_pair(void)
{
    int fds[2];
    return done(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
}

/* New code. */
static int map_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno
                                                                                                     : 0;
}
static int map_code_of_file(void)
{
    int fd = memfd_create("code", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 4096) != 0)
        return errno;
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? errno : 0;
}
static int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : done(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

/* The kernel. */
static int become_user(void)
{
    return done(syscall(SYS_setuid, getuid()));
}
static int change_root(void)
{
    return done(chroot("."));
}
static int remount(void)
{
    return done(mount("none", ".", NULL, MS_REMOUNT, NULL));
}
static int ring(void)
{
    struct io_uring_params params = {.flags = 0};
    return done(syscall(SYS_io_uring_setup, 1, &params));
}
static int load_bpf(void)
{
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return done(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}
static int read_keyring(void)
{
    return done(syscall(SYS_keyctl, 0, -3, 1));
}
static int page_faults(void)
{
    return done(syscall(SYS_userfaultfd, O_CLOEXEC | 1));
}
static int measure(void)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr)};
    return done(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}
static int old_personality(void)
{
    return done(syscall(SYS_personality, 0x0400000));
}
static int type_for_user(void)
{
    return done(ioctl(0, TIOCSTI, "x"));
}
static int dump_again(void)
{
    return done(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}
static int signal_at_death(void)
{
    return done(prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0));
}
#if defined(__x86_64__)
static int call_as_32_bit(void)
{
    long r = 20; /* getpid */
    __asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
    return r < 0 ? (int)-r : 0;
}
static int call_as_x32(void)
{
    return done(syscall(0x40000000 | SYS_getpid));
}
#endif

enum when {
    ALWAYS, /* possible in the sandbox, too */
    FREE,   /* without the sandbox only */
    MAYBE,  /* without it as the machine and the user are; never within */
};

/* What stops it. */
enum wall {
    SECCOMP,
    LANDLOCK,
    OWNER_TOO, /* Landlock, and for a user who is not root the mode of the file */
};

#define ATTEMPT_BY(fn, when, wall) \
    {                              \
#fn, fn, when, wall        \
    }
#define ATTEMPT(fn, when) ATTEMPT_BY(fn, when, SECCOMP)
#define ATTEMPT_FILE(fn)  ATTEMPT_BY(fn, FREE, LANDLOCK)
/* clang-format off */
static const struct attempt {
    const char *name;
    int (*fn)(void);
    enum when when;
    enum wall wall;
} attempts[] = {
    ATTEMPT(read_granted, ALWAYS),
    ATTEMPT(list_granted, ALWAYS),
    ATTEMPT(create_granted, ALWAYS),
    ATTEMPT(truncate_granted, ALWAYS),
    ATTEMPT(move_granted_at, ALWAYS),
    ATTEMPT(make_and_remove_granted, ALWAYS),
    ATTEMPT(start_thread, ALWAYS),
    ATTEMPT(use_memory_and_clocks, ALWAYS),
    ATTEMPT(signal_self, ALWAYS),
    ATTEMPT_FILE(read_outside),
    ATTEMPT_FILE(read_passwd),
    ATTEMPT_FILE(list_root),
    ATTEMPT_FILE(write_read_only),
    ATTEMPT_FILE(truncate_read_only),
    ATTEMPT_FILE(create_read_only),
    ATTEMPT_FILE(create_outside),
    ATTEMPT_FILE(temporary_outside),
    ATTEMPT_FILE(unlink_outside),
    ATTEMPT_FILE(unlink_read_only),
    ATTEMPT_FILE(move_out),
    ATTEMPT_FILE(move_in),
    ATTEMPT_FILE(move_from_read_only),
    ATTEMPT_FILE(link_in),
    ATTEMPT_FILE(follow_own_link),
    ATTEMPT_BY(own_memory_file, FREE, OWNER_TOO),
    ATTEMPT_BY(own_environment_file, FREE, OWNER_TOO),
    ATTEMPT(truncate_by_name, FREE),
    ATTEMPT(make_pipe_file, FREE),
    ATTEMPT(change_mode, FREE),
    ATTEMPT(change_mode_granted, FREE),
    ATTEMPT(change_folder, FREE),
    ATTEMPT(inherited_descriptor, FREE),
    ATTEMPT(execute, FREE),
    ATTEMPT(execute_memory, FREE),
    ATTEMPT(fork_and_wait, FREE),
    ATTEMPT(fork_raw, FREE),
    ATTEMPT(new_user_namespace, MAYBE),
    ATTEMPT(kill_other, FREE),
    ATTEMPT(kill_thread_of_other, FREE),
    ATTEMPT(kill_all_of_group, FREE),
    ATTEMPT(signals_by_file, FREE),
    ATTEMPT(trace_other, MAYBE),
    ATTEMPT(read_memory_of_other, MAYBE),
    ATTEMPT(descriptor_of_other, MAYBE),
    ATTEMPT(raise_limit, FREE),
    ATTEMPT(socket_inet, FREE),
    ATTEMPT(socket_inet6, MAYBE),
    ATTEMPT(socket_unix, FREE),
    ATTEMPT(socket_netlink, FREE),
    ATTEMPT(socket_pair, FREE),
    ATTEMPT(map_code, FREE),
    ATTEMPT(map_code_of_file, FREE),
    ATTEMPT(make_code, FREE),
    ATTEMPT(become_user, FREE),
    ATTEMPT(change_root, MAYBE),
    ATTEMPT(remount, MAYBE),
    ATTEMPT(ring, MAYBE),
    ATTEMPT(load_bpf, MAYBE),
    ATTEMPT(read_keyring, MAYBE),
    ATTEMPT(page_faults, MAYBE),
    ATTEMPT(measure, MAYBE),
    ATTEMPT(old_personality, FREE),
    ATTEMPT(type_for_user, MAYBE),
    ATTEMPT(dump_again, FREE),
    ATTEMPT(signal_at_death, FREE),
#if defined(__x86_64__)
    ATTEMPT(call_as_32_bit, MAYBE),
    ATTEMPT(call_as_x32, MAYBE),
#endif
};
/* clang-format on */

#endif
