/* SPDX-License-Identifier: Apache-2.0 */
/* Running docker-credential-NAME. Its input is a file in memory, so that nothing waits for it to be read. */
#include "oci/cred.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define PROGRAM_PREFIX "docker-credential-"
#define NOT_FOUND      "credentials not found in native keychain"
#define STDERR_MAX     4096U

struct helper {
    const char *name;
    pid_t pid;        /* 0: none that has to be waited for */
    int out, err;     /* ends of pipes; -1 at their end */
    int64_t deadline; /* on the monotonic clock, milliseconds */
    struct buf *answer;
    struct buf said; /* on standard error */
};

static int64_t now_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The program in the folders of $PATH; relative ones do not count: they are the working folder's. */
static int program_find(const struct oci_helper_conf *conf, const char *name, char **ret, struct err *e)
{
    for (const char *at = conf->path, *end; at && *at; at = *end ? end + 1 : end) {
        AUTO_FREE char *path = NULL;
        struct stat st;
        end = at + strcspn(at, ":");
        if (*at != '/')
            continue;
        if (asprintf(&path, "%.*s/" PROGRAM_PREFIX "%s", (int)(end - at), at, name) < 0) {
            path = NULL;
            return err_nomem(e);
        }
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0) {
            *ret = TAKE(path);
            return 0;
        }
    }
    return err_set(
        e, ERR_UNSUPPORTED,
        "the credential helper " PROGRAM_PREFIX "%s, which the configuration names, is not installed", name);
}

static int input_make(struct bytes in, int *ret_fd, struct err *e)
{
    AUTO_FD int fd = memfd_create("waybill-helper", MFD_CLOEXEC);
    if (fd < 0)
        return err_set_errno(e, ERR_IO, errno, "make a file in memory");
    while (in.len) {
        ssize_t n = write(fd, in.ptr, in.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set_errno(e, ERR_IO, errno, "write to a file in memory");
        in = bytes_of(in.ptr + n, in.len - (size_t)n);
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_set_errno(e, ERR_IO, errno, "seek in a file in memory");
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* Signals that we ignore are not ignored in the helper. Returns an errno. */
static int spawn(const char *program, const char *verb, char *const *environment, const int fds[3],
                 pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t defaults;
    char *name = strdup(program), *argument = strdup(verb);
    char *argv[] = {name, argument, NULL};
    char *nothing[] = {NULL};
    if (!name || !argument || posix_spawn_file_actions_init(&actions) != 0) {
        free(name);
        free(argument);
        return ENOMEM;
    }
    int r = posix_spawnattr_init(&attr);
    if (r == 0) {
        (void)sigemptyset(&defaults);
        (void)sigaddset(&defaults, SIGPIPE);
        (void)sigaddset(&defaults, SIGXFSZ);
        r = posix_spawnattr_setsigdefault(&attr, &defaults);
        if (r == 0)
            r = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
        for (int i = 0; r == 0 && i < 3; i++)
            r = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
        if (r == 0)
            r = posix_spawn(ret_pid, program, &actions, &attr, argv, environment ? environment : nothing);
        (void)posix_spawnattr_destroy(&attr);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    free(name);
    free(argument);
    return r;
}

static int start(struct helper *h, const struct oci_helper_conf *conf, const char *verb, struct bytes in,
                 struct err *e)
{
    AUTO_FREE char *program = NULL;
    AUTO_FD int input = -1, out = -1, err = -1;
    int pipes[2];
    int r = program_find(conf, h->name, &program, e);
    if (r == 0)
        r = input_make(in, &input, e);
    if (r)
        return r;
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return err_set_errno(e, ERR_IO, errno, "pipe");
    h->out = pipes[0];
    out = pipes[1];
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return err_set_errno(e, ERR_IO, errno, "pipe");
    h->err = pipes[0];
    err = pipes[1];
    int errnum = spawn(program, verb, conf->environment, (const int[]){input, out, err}, &h->pid);
    if (errnum == 0)
        return 0;
    h->pid = 0;
    return err_set_errno(e, ERR_AUTH, errnum, "run %s", program);
}

/* One read from a pipe that has something; keep: bytes that are more than it may hold are dropped. */
static int drain(int *fd, struct buf *to, bool keep_all, struct err *e)
{
    char chunk[4096];
    ssize_t n = read(*fd, chunk, sizeof(chunk));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n <= 0) {
        (void)close(TAKE_FD(*fd));
        return 0;
    }
    size_t room = to->max - to->len, take = (size_t)n < room ? (size_t)n : room;
    buf_append(to, chunk, take);
    mem_wipe(chunk, (size_t)n);
    if (keep_all && take < (size_t)n)
        return err_set(e, ERR_AUTH, "it answers with more than %zu bytes", to->max);
    return buf_check(to, e);
}

static int time_left(const struct helper *h, int *ret_ms, struct err *e)
{
    int64_t left = h->deadline - now_ms();
    if (left <= 0)
        return err_set(e, ERR_AUTH, "it does not answer in time");
    *ret_ms = left > INT32_MAX ? INT32_MAX : (int)left;
    return 0;
}

/* Reads what it says until it closes its output. */
static int listen_to(struct helper *h, struct err *e)
{
    while (h->out >= 0) {
        struct pollfd p[] = {{.fd = h->out, .events = POLLIN}, {.fd = h->err, .events = POLLIN}};
        int left = 0;
        int r = time_left(h, &left, e);
        if (r)
            return r;
        if (poll(p, ARRAY_LEN(p), left) < 0 && errno != EINTR)
            return err_set_errno(e, ERR_IO, errno, "poll");
        if (p[0].revents && (r = drain(&h->out, h->answer, true, e)))
            return r;
        if (p[1].revents && (r = drain(&h->err, &h->said, false, e)))
            return r;
    }
    return 0;
}

/* *ret: as of waitpid. */
static int wait_for(struct helper *h, int *ret, struct err *e)
{
    struct timespec pause = {.tv_nsec = 500000};
    for (;;) {
        int left = 0;
        pid_t got = waitpid(h->pid, ret, WNOHANG);
        if (got == h->pid || (got < 0 && errno != EINTR)) {
            h->pid = 0;
            return got > 0 ? 0 : err_set_errno(e, ERR_IO, errno, "wait for it");
        }
        int r = time_left(h, &left, e);
        if (r)
            return r;
        (void)nanosleep(&pause, NULL);
        if (pause.tv_nsec < 50000000)
            pause.tv_nsec *= 2;
    }
}

/* Nothing is left running, and no zombie. */
static void end(struct helper *h)
{
    char shown[1024];
    if (h->pid > 0) {
        (void)kill(h->pid, SIGKILL);
        while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (h->said.len)
        log_debug(PROGRAM_PREFIX "%s says: %s", h->name,
                  text_escape(buf_bytes(&h->said), shown, sizeof(shown)));
    if (h->out >= 0)
        (void)close(h->out);
    if (h->err >= 0)
        (void)close(h->err);
    buf_done(&h->said);
}

static struct bytes trimmed(struct bytes b)
{
    while (b.len && strchr(" \t\r\n", b.ptr[b.len - 1]))
        b.len--;
    return b;
}

/* What an exit status other than 0 means: the message is on standard output. */
static int failure(int status, struct bytes answer, struct err *e)
{
    char shown[256];
    answer = trimmed(answer);
    if (bytes_eq_str(answer, NOT_FOUND))
        return err_set(e, ERR_NOTFOUND, "it has none");
    if (!WIFEXITED(status))
        return err_set(e, ERR_AUTH, "it was ended by signal %d", WTERMSIG(status));
    return err_set(e, ERR_AUTH, "it failed with status %d%s%s", WEXITSTATUS(status), answer.len ? ": " : "",
                   text_escape(answer, shown, sizeof(shown)));
}

static int helper_run(const struct oci_helper_conf *conf, const char *name, const char *verb, struct bytes in,
                      struct buf *answer, struct err *e)
{
    unsigned timeout = conf->timeout_ms ? conf->timeout_ms : LIMIT_HELPER_MS;
    struct helper h = {.name = name,
                       .out = -1,
                       .err = -1,
                       .deadline = now_ms() + timeout,
                       .answer = answer,
                       .said = BUF_SECRET_INIT(STDERR_MAX)};
    int status = 0;
    log_info("asking " PROGRAM_PREFIX "%s (%s)", name, verb);
    int r = start(&h, conf, verb, in, e);
    if (r == 0)
        r = listen_to(&h, e);
    if (r == 0)
        r = wait_for(&h, &status, e);
    end(&h);
    if (r == 0 && status != 0)
        r = failure(status, buf_bytes(answer), e);
    if (r == 0 || r == ERR_UNSUPPORTED)
        return r;
    if (r == ERR_IO)
        r = err_recode(e, ERR_AUTH);
    return err_wrap(e, "credential helper " PROGRAM_PREFIX "%s", name);
}

int oci_helper_parse(struct bytes answer, struct oci_cred *ret, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    AUTO_DONE(oci_cred) cred = OCI_CRED_INIT;
    const char *user, *secret;
    int r = jdoc_parse(answer, &doc, e);
    if (r) /* the parser's own message would quote the text */
        return r == ERR_NOMEM ? r : err_set(e, ERR_AUTH, "its answer is not JSON");
    if (jval_kind(jdoc_root(doc)) != JKIND_OBJECT)
        return err_set(e, ERR_AUTH, "its answer is not a JSON object");
    r = jobj_want_string(jdoc_root(doc), "Username", false, &user, e);
    if (r == 0)
        r = jobj_want_string(jdoc_root(doc), "Secret", false, &secret, e);
    if (r) {
        err_recode(e, ERR_AUTH);
        return err_wrap(e, "its answer");
    }
    if ((!user || !*user) && (!secret || !*secret))
        return err_set(e, ERR_NOTFOUND, "it has none");
    if (!user || !*user || !secret || strchr(user, ':'))
        return err_set(e, ERR_AUTH, "its answer holds no usable user name and secret");
    r = oci_cred_set(&cred, bytes_str(user), bytes_str(secret), e);
    if (r)
        return r;
    *ret = cred;
    cred = (struct oci_cred)OCI_CRED_INIT;
    return 0;
}

int oci_helper_get(const struct oci_helper_conf *conf, const char *name, const char *server,
                   struct oci_cred *ret, struct err *e)
{
    AUTO_DONE(buf) answer = BUF_SECRET_INIT(LIMIT_HELPER);
    int r = helper_run(conf, name, "get", bytes_str(server), &answer, e);
    if (r)
        return r;
    r = oci_helper_parse(buf_bytes(&answer), ret, e);
    return r ? err_wrap(e, "credential helper " PROGRAM_PREFIX "%s", name) : 0;
}

int oci_helper_store(const struct oci_helper_conf *conf, const char *name, const char *server,
                     const struct oci_cred *cred, struct err *e)
{
    AUTO_DONE(buf) answer = BUF_SECRET_INIT(LIMIT_HELPER);
    AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_AUTH_FILE);
    struct jout w = {.out = &text};
    jout_object(&w, NULL);
    jout_string(&w, "ServerURL", server);
    jout_string(&w, "Username", cred->identity_token ? OCI_CRED_TOKEN_USER : cred->user);
    jout_string(&w, "Secret", cred->identity_token ? cred->identity_token : cred->password);
    jout_object_end(&w);
    int r = buf_check(&text, e);
    return r ? r : helper_run(conf, name, "store", buf_bytes(&text), &answer, e);
}

int oci_helper_erase(const struct oci_helper_conf *conf, const char *name, const char *server, struct err *e)
{
    AUTO_DONE(buf) answer = BUF_SECRET_INIT(LIMIT_HELPER);
    return helper_run(conf, name, "erase", bytes_str(server), &answer, e);
}
