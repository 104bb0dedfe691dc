/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <waybill_stdio.h>

/* What a pipe holds. */
#define CHUNK (64U << 10)

enum { OUT, ERROR, STREAMS };

void runner_output_init(struct runner_output *o, uint64_t max, struct runner_watchdog *watchdog)
{
    *o = (struct runner_output){.fds = {STDOUT_FILENO, STDERR_FILENO},
                                .files = {-1, -1},
                                .watchdog = watchdog,
                                .limited = max != 0,
                                .left = max};
    for (size_t i = 0; i < STREAMS; i++)
        o->pumps[i] = (struct runner_pump){.output = o, .from = -1, .in = -1};
    (void)pthread_mutex_init(&o->lock, NULL);
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* The guest's end is closed first: the thread reads to the pipe's end. */
static void pump_stop(struct runner_pump *p)
{
    close_end(&p->in);
    if (p->running)
        (void)pthread_join(p->thread, NULL);
    p->running = false;
    close_end(&p->from);
}

void runner_output_done(struct runner_output *o)
{
    if (!o->pumps[OUT].output)
        return;
    for (size_t i = 0; i < STREAMS; i++) {
        pump_stop(&o->pumps[i]);
        close_end(&o->files[i]);
    }
    (void)pthread_mutex_destroy(&o->lock);
    o->pumps[OUT].output = NULL;
}

/* Also to descriptors that somebody else made non-blocking. Returns 0 or an errno. */
static int write_whole(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            (void)poll(&wait, 1, -1);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

/* How many of the bytes may still be written. */
static size_t take_allowance(struct runner_output *o, size_t size)
{
    (void)pthread_mutex_lock(&o->lock);
    if (o->limited && size > o->left)
        size = (size_t)o->left;
    if (o->limited)
        o->left -= size;
    (void)pthread_mutex_unlock(&o->lock);
    return size;
}

static void note_failure(struct runner_output *o, int failed)
{
    (void)pthread_mutex_lock(&o->lock);
    if (!o->failed)
        o->failed = failed;
    (void)pthread_mutex_unlock(&o->lock);
}

/* Over the limit the rest is read and dropped, so that the guest comes to where it can be ended. */
static void *pump(void *arg)
{
    struct runner_pump *p = arg;
    uint8_t chunk[CHUNK];
    for (bool over = false;;) {
        ssize_t n = read(p->from, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return NULL;
        if (over)
            continue;
        size_t fits = take_allowance(p->output, (size_t)n);
        int failed = write_whole(p->to, chunk, fits);
        over = fits < (size_t)n;
        if (over)
            runner_watchdog_fire(p->output->watchdog, RUNNER_LIMIT_OUTPUT);
        if (failed) {
            note_failure(p->output, failed);
            close_end(&p->from); /* the guest's next write fails */
            return NULL;
        }
    }
}

static int pump_start(struct runner_pump *p, struct err *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set_errno(e, ERR_IO, errno, "make a pipe for the guest's output");
    p->from = ends[0];
    p->in = ends[1];
    int r = pthread_create(&p->thread, NULL, pump, p);
    if (r != 0)
        return err_set_errno(e, ERR_OTHER, r, "start the thread that counts the guest's output");
    p->running = true;
    return 0;
}

static bool can_be_written(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_PATH) == 0 && (flags & O_ACCMODE) != O_RDONLY;
}

static bool are_one_file(int a, int b)
{
    struct stat one, other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/* The engine takes a file by a path: this one leads to the open file itself. */
static bool set_file(wasi_config_t *wasi, size_t stream, int fd)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return stream == OUT ? wasi_config_set_stdout_file(wasi, path) : wasi_config_set_stderr_file(wasi, path);
}

/* What goes to one file goes through one pipe, and so keeps its order. */
static int set_pump(struct runner_output *o, size_t stream, wasi_config_t *wasi, struct err *e)
{
    struct runner_pump *p = &o->pumps[stream];
    if (stream == ERROR && o->pumps[OUT].running && are_one_file(o->fds[OUT], o->fds[ERROR]))
        p = &o->pumps[OUT];
    p->to = o->fds[p == &o->pumps[OUT] ? OUT : ERROR];
    int r = p->running ? 0 : pump_start(p, e);
    if (r == 0 && !set_file(wasi, stream, p->in))
        r = err_set(e, ERR_IO, "the guest's output cannot be opened");
    return r;
}

static int set_stream(struct runner_output *o, size_t stream, wasi_config_t *wasi, struct err *e)
{
    if (o->limited || !can_be_written(o->fds[stream]))
        return set_pump(o, stream, wasi, e);
    if (o->files[stream] >= 0)
        return set_file(wasi, stream, o->files[stream]) ? 0 : set_pump(o, stream, wasi, e);
    if (stream == OUT)
        wasi_config_inherit_stdout(wasi);
    else
        wasi_config_inherit_stderr(wasi);
    return 0;
}

int runner_output_set(struct runner_output *o, wasi_config_t *wasi, int out, int error, struct err *e)
{
    const int files[] = {out, error};
    for (size_t i = 0; i < STREAMS; i++) {
        o->files[i] = files[i];
        if (files[i] >= 0)
            o->fds[i] = files[i];
    }
    int r = set_stream(o, OUT, wasi, e);
    return r != 0 ? r : set_stream(o, ERROR, wasi, e);
}

int runner_output_finish(struct runner_output *o)
{
    for (size_t i = 0; i < STREAMS; i++)
        pump_stop(&o->pumps[i]);
    errno = 0;
    if (waybill_stdio_flush() != 0 && !o->failed)
        o->failed = errno ? errno : EIO;
    return o->failed;
}
