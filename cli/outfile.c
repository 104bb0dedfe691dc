/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/outfile.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

/* What goes through the pipe: a length and as many bytes, again and again; the length 0 means that this was
 * all. The end without it means that there is to be no file. */
#define PIECE_MAX (64U << 10)

static int write_full(int fd, const void *from, size_t n)
{
    const uint8_t *p = from;
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno != EINTR)
            return errno;
        if (k > 0) {
            p += k;
            n -= (size_t)k;
        }
    }
    return 0;
}

static bool read_full(int fd, void *to, size_t n)
{
    uint8_t *p = to;
    while (n > 0) {
        ssize_t k = read(fd, p, n);
        if (k == 0 || (k < 0 && errno != EINTR))
            return false;
        if (k > 0) {
            p += k;
            n -= (size_t)k;
        }
    }
    return true;
}

/* ---- in the child ---- */

/* False: there is to be no file. */
static bool receive(int data, struct sink *to, struct err *why)
{
    static uint8_t piece[PIECE_MAX];
    int r = 0;
    uint32_t n;
    for (;;) {
        if (!read_full(data, &n, sizeof(n)) || n > sizeof(piece) || !read_full(data, piece, n))
            return false;
        if (n == 0)
            break;
        if (r == 0) /* what follows a failure is read nevertheless: the parent waits for nothing */
            r = sink_write(to, bytes_of(piece, n), why);
    }
    if (r == 0)
        r = sink_commit(to, why);
    why->code = r;
    return true;
}

/* What the user sends to all of a terminal's processes is the parent's affair. */
static void ignore_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        (void)signal(numbers[i], SIG_IGN);
}

__attribute__((noreturn)) static void serve(int data, int answer, struct sink *to)
{
    struct err why = ERR_INIT;
    ignore_signals();
    (void)close(STDIN_FILENO);
    (void)close(STDOUT_FILENO);
    (void)close(STDERR_FILENO);
    if (receive(data, to, &why))
        (void)write_full(answer, &why, sizeof(why));
    sink_abort(to);
    _exit(0);
}

/* ---- in the parent ---- */

static int outfile_write(struct sink *s, struct bytes data, struct err *e)
{
    const struct outfile *o = (const struct outfile *)s;
    struct bytes piece = BYTES_NONE;
    int errnum = 0;
    while (errnum == 0 && data.len > 0) {
        (void)bytes_take(&data, data.len < PIECE_MAX ? data.len : PIECE_MAX, &piece);
        const uint32_t n = (uint32_t)piece.len;
        errnum = write_full(o->data, &n, sizeof(n));
        if (errnum == 0)
            errnum = write_full(o->data, piece.ptr, piece.len);
    }
    return errnum ? err_set_errno(e, ERR_IO, errnum, "hand the file over") : 0;
}

static int outfile_commit(struct sink *s, struct err *e)
{
    const struct outfile *o = (const struct outfile *)s;
    const uint32_t end = 0;
    struct err why;
    int errnum = write_full(o->data, &end, sizeof(end));
    if (errnum)
        return err_set_errno(e, ERR_IO, errnum, "hand the file over");
    if (!read_full(o->answer, &why, sizeof(why)))
        return err_set(e, ERR_IO, "the process that writes the file ended");
    if (why.code)
        *e = why;
    return why.code;
}

/* Waits for the child to have gone, so that what it may have left behind is gone as well. */
static void outfile_abort(struct sink *s)
{
    struct outfile *o = (struct outfile *)s;
    uint8_t any;
    if (o->data < 0)
        return;
    (void)close(TAKE_FD(o->data));
    (void)read_full(o->answer, &any, sizeof(any));
    (void)close(TAKE_FD(o->answer));
}

static int start(struct outfile *o, int data[2], int answer[2], struct sink *to, struct err *e)
{
    const pid_t pid = fork();
    if (pid < 0)
        return err_set_errno(e, ERR_OTHER, errno, "fork");
    if (pid == 0) {
        (void)close(data[1]);
        (void)close(answer[0]);
        serve(data[0], answer[1], to);
    }
    o->data = TAKE_FD(data[1]);
    o->answer = TAKE_FD(answer[0]);
    return 0;
}

int outfile_open(struct outfile *o, const char *path, struct err *e)
{
    struct sink_file file;
    int data[2] = {-1, -1}, answer[2] = {-1, -1};
    *o = (struct outfile){{outfile_write, outfile_commit, outfile_abort}, -1, -1};
    int r = sink_file_init(&file, AT_FDCWD, path, 0600, FILE_REPLACE, e);
    if (r)
        return r;
    if (pipe2(data, O_CLOEXEC) < 0 || pipe2(answer, O_CLOEXEC) < 0)
        r = err_set_errno(e, ERR_IO, errno, "pipe");
    if (!r)
        r = start(o, data, answer, &file.base, e);
    for (size_t i = 0; i < 2; i++) {
        auto_fd(&data[i]);
        auto_fd(&answer[i]);
    }
    if (o->data >= 0)
        file.named = false; /* what has a name is the child's to remove */
    sink_abort(&file.base);
    return r;
}

void outfile_done(struct outfile *o)
{
    outfile_abort(&o->base); /* also of one that was never opened */
}
