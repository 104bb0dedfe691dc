/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/prompt.h"

#include "base/buf.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>

static volatile sig_atomic_t caught;

static void on_signal(int signal)
{
    caught = signal;
}

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define N_SIGNALS ARRAY_LEN(signals)

/* Signals that would end us only break the read, so that the terminal can be put back first. */
static void signals_hold(struct sigaction before[N_SIGNALS], sigset_t *mask)
{
    struct sigaction hold = {.sa_handler = on_signal};
    sigset_t ours;
    (void)sigemptyset(&hold.sa_mask);
    (void)sigemptyset(&ours);
    for (size_t i = 0; i < N_SIGNALS; i++)
        (void)sigaddset(&ours, signals[i]);
    (void)pthread_sigmask(SIG_BLOCK, &ours, mask); /* they come in ppoll alone: none is missed before it */
    caught = 0;
    for (size_t i = 0; i < N_SIGNALS; i++) {
        (void)sigaction(signals[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            (void)sigaction(signals[i], &hold, NULL);
    }
}

static void signals_release(const struct sigaction before[N_SIGNALS], const sigset_t *mask)
{
    for (size_t i = 0; i < N_SIGNALS; i++)
        (void)sigaction(signals[i], &before[i], NULL);
    (void)pthread_sigmask(SIG_SETMASK, mask, NULL);
    if (caught)
        (void)raise(caught);
}

static int line_read(int tty, const sigset_t *mask, struct buf *line, struct err *e)
{
    struct pollfd p = {.fd = tty, .events = POLLIN};
    for (;;) {
        char c;
        int ready = ppoll(&p, 1, NULL, mask);
        if (caught)
            return err_set(e, ERR_INTERRUPTED, "interrupted");
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t n = read(tty, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(e, ERR_IO, errno, "terminal");
        if (n == 0 || c == '\n' || c == '\r')
            return buf_check(line, e);
        if (c == '\0')
            return err_set(e, ERR_USAGE, "that is no text");
        buf_append_u8(line, (uint8_t)c);
    }
}

/* Text to the terminal; nothing depends on its getting there. */
static void say(int tty, const char *text)
{
    (void)!write(tty, text, strlen(text));
}

static int ask(const char *text, bool echo, const char *instead, struct buf *line, struct err *e)
{
    AUTO_FD int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct sigaction before[N_SIGNALS];
    struct termios was, quiet;
    sigset_t mask;
    if (tty < 0 || tcgetattr(tty, &was) < 0)
        return err_set(e, ERR_USAGE, "there is no terminal to ask on: see %s", instead);
    quiet = was;
    quiet.c_lflag |= ICANON;
    if (!echo)
        quiet.c_lflag &= ~(tcflag_t)ECHO;
    signals_hold(before, &mask);
    int r = tcsetattr(tty, TCSAFLUSH, &quiet) < 0 ? err_set_errno(e, ERR_IO, errno, "terminal") : 0;
    if (r == 0) {
        say(tty, text);
        r = line_read(tty, &mask, line, e);
        if (!echo)
            say(tty, "\n");
        (void)tcsetattr(tty, TCSAFLUSH, &was);
    }
    signals_release(before, &mask);
    return r;
}

int prompt_line(const char *text, bool echo, char **ret, struct err *e)
{
    AUTO_DONE(buf) line = BUF_SECRET_INIT(LIMIT_TOKEN);
    int r = ask(text, echo, "--username and --password-stdin", &line, e);
    if (r)
        return r;
    if (line.len == 0)
        return err_set(e, ERR_USAGE, "the answer is empty");
    *ret = buf_take_str(&line);
    return *ret ? 0 : err_nomem(e);
}

int prompt_password(const char *text, struct buf *ret, struct err *e)
{
    return ask(text, false, "--password-fd and WAYBILL_PASSWORD", ret, e);
}
