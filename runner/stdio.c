/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { STREAMS = 3 };

struct stream {
    const char *path; /* NULL: this process's own */
    int fd;
    struct stat st;
};

/* Follows symbolic links as a shell's redirection does. */
static int open_stream(struct stream *s, bool output, struct err *e)
{
    const int flags = (output ? O_WRONLY | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOCTTY;
    if (!s->path)
        return 0;
    s->fd = open(s->path, flags, 0666);
    if (s->fd < 0 || fstat(s->fd, &s->st) != 0)
        return err_set_errno(e, ERR_IO, errno, "%s", s->path);
    if (S_ISDIR(s->st.st_mode))
        return err_set_errno(e, ERR_IO, EISDIR, "%s", s->path);
    return 0;
}

static bool is_same_file(const struct stream *a, const struct stream *b)
{
    return a->path && b->path && S_ISREG(a->st.st_mode) && a->st.st_dev == b->st.st_dev &&
           a->st.st_ino == b->st.st_ino;
}

static int open_streams(struct stream *streams, struct err *e)
{
    for (int i = 0; i < STREAMS; i++) {
        int r = open_stream(&streams[i], i > 0, e);
        if (r != 0)
            return r;
        for (int j = 0; j < i; j++)
            if (is_same_file(&streams[j], &streams[i]))
                return err_set(e, ERR_USAGE, "%s: one file is to be two streams of the guest's",
                               streams[i].path);
    }
    for (int i = 1; i < STREAMS; i++)
        if (streams[i].path && S_ISREG(streams[i].st.st_mode) && ftruncate(streams[i].fd, 0) != 0)
            return err_set_errno(e, ERR_IO, errno, "%s", streams[i].path);
    return 0;
}

/* What the guest writes goes to the descriptor that was opened and looked at: the engine's own way would open
 * the path once more. */
static ptrdiff_t write_out(void *data, const unsigned char *bytes, size_t n)
{
    const int *fd = data;
    size_t done = 0;
    while (done < n) {
        ssize_t k = write(*fd, bytes + done, n - done);
        if (k < 0 && errno != EINTR)
            return -errno;
        if (k > 0)
            done += (size_t)k;
    }
    return (ptrdiff_t)n;
}

static void close_out(void *data)
{
    auto_fd(data);
    free(data);
}

static int set_output(wasi_config_t *wasi, struct stream *s, bool is_error, struct err *e)
{
    int *fd = malloc(sizeof(*fd));
    if (!fd)
        return err_nomem(e);
    *fd = TAKE_FD(s->fd);
    if (is_error)
        wasi_config_set_stderr_custom(wasi, write_out, fd, close_out);
    else
        wasi_config_set_stdout_custom(wasi, write_out, fd, close_out);
    return 0;
}

static int set_input(wasi_config_t *wasi, const struct stream *s, struct err *e)
{
    char by_fd[64];
    (void)snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", s->fd);
    if (!wasi_config_set_stdin_file(wasi, by_fd))
        return err_set(e, ERR_IO, "%s cannot be read", s->path);
    return 0;
}

static int set_streams(wasi_config_t *wasi, struct stream *streams, struct err *e)
{
    int r = open_streams(streams, e);
    if (r == 0 && streams[0].path)
        r = set_input(wasi, &streams[0], e);
    for (int i = 1; r == 0 && i < STREAMS; i++)
        if (streams[i].path)
            r = set_output(wasi, &streams[i], i == 2, e);
    return r;
}

int runner_stdio_set(wasi_config_t *wasi, const struct runner_grants *g, struct err *e)
{
    struct stream streams[STREAMS] = {{.path = g->stdin_file, .fd = -1},
                                      {.path = g->stdout_file, .fd = -1},
                                      {.path = g->stderr_file, .fd = -1}};
    wasi_config_inherit_stdin(wasi);
    wasi_config_inherit_stdout(wasi);
    wasi_config_inherit_stderr(wasi);
    int r = set_streams(wasi, streams, e);
    for (int i = 0; i < STREAMS; i++)
        auto_fd(&streams[i].fd);
    return r;
}
