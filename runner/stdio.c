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

static int set_input(wasi_config_t *wasi, const struct stream *s, struct err *e)
{
    char by_fd[64];
    (void)snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", s->fd);
    if (!wasi_config_set_stdin_file(wasi, by_fd))
        return err_set(e, ERR_IO, "%s cannot be read", s->path);
    return 0;
}

static int set_streams(wasi_config_t *wasi, struct stream *streams, struct runner_output *output,
                       struct err *e)
{
    int r = open_streams(streams, e);
    if (r == 0 && streams[0].path)
        r = set_input(wasi, &streams[0], e);
    if (r != 0)
        return r;
    return runner_output_set(output, wasi, TAKE_FD(streams[1].fd), TAKE_FD(streams[2].fd), e);
}

int runner_stdio_set(wasi_config_t *wasi, const struct runner_grants *g, struct runner_output *output,
                     struct err *e)
{
    struct stream streams[STREAMS] = {{.path = g->stdin_file, .fd = -1},
                                      {.path = g->stdout_file, .fd = -1},
                                      {.path = g->stderr_file, .fd = -1}};
    wasi_config_inherit_stdin(wasi);
    int r = set_streams(wasi, streams, output, e);
    for (int i = 0; i < STREAMS; i++)
        auto_fd(&streams[i].fd);
    return r;
}
