/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ui.h"

#include "base/stopwatch.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>

static int write_all(int fd, const uint8_t *ptr, size_t len)
{
    while (len) {
        ssize_t n = write(fd, ptr, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        ptr += n;
        len -= (size_t)n;
    }
    return 0;
}

int ui_print_to(int fd, const struct buf *out, struct err *e)
{
    int r = buf_check(out, e);
    if (r)
        return r;
    int errnum = write_all(fd, out->ptr, out->len);
    if (errnum)
        return err_set_errno(e, ERR_IO, errnum, fd == STDOUT_FILENO ? "standard output" : "standard error");
    return 0;
}

int ui_print(const struct buf *out, struct err *e)
{
    return ui_print_to(STDOUT_FILENO, out, e);
}

void ui_text(struct buf *out, struct bytes text)
{
    char shown[1024];
    buf_append_str(out, text_escape(text, shown, sizeof(shown)));
}

void ui_text_str(struct buf *out, const char *text)
{
    ui_text(out, bytes_str(text));
}

struct jout ui_json_begin(struct buf *out, const char *schema)
{
    struct jout w = {.out = out, .indent = 2, .shown = true};
    jout_object(&w, NULL);
    jout_string(&w, "schema", schema);
    return w;
}

void ui_json_end(struct jout *w)
{
    jout_object_end(w);
    buf_append_str(w->out, "\n");
}

/* Where the message says itself what it is about; NULL when it does not. */
static const char *named(const char *message, const char *subject)
{
    const char *at = strstr(message, subject);
    return at && at[strlen(subject)] == ':' && (at == message || at[-1] == ' ') ? at : NULL;
}

/* Messages hold text of the command line too, so all of it is escaped; what was escaped before stays as it
 * is. */
void ui_error(const char *verb, const char *subject, const struct err *e)
{
    char text[2 * ERR_MSG_MAX], about[512], line[sizeof(text) + sizeof(about) + 256];
    const char *at = subject ? named(e->msg, subject) : NULL;
    (void)text_escape_str(e->msg, text, sizeof(text));
    (void)text_escape_str(subject ? subject : "", about, sizeof(about));
    (void)snprintf(line, sizeof(line), "waybill%s%s%s%s%s%s\n", verb ? ": " : "", verb ? verb : "",
                   subject ? " " : ": ", at ? "" : about, subject && !at ? ": " : "", text);
    (void)write_all(STDERR_FILENO, (const uint8_t *)line, strlen(line));
    if (e->code != ERR_USAGE)
        return;
    (void)snprintf(line, sizeof(line), "see 'waybill%s%s --help'\n", verb ? " " : "", verb ? verb : "");
    (void)write_all(STDERR_FILENO, (const uint8_t *)line, strlen(line));
}

void ui_log(void *ctx, enum log_level level, const char *text)
{
    (void)ctx;
    char shown[1024], line[sizeof(shown) + 32];
    (void)text_escape_str(text, shown, sizeof(shown));
    (void)snprintf(line, sizeof(line), "waybill: %s%s\n", level == LOG_WARN ? "warning: " : "", shown);
    (void)write_all(STDERR_FILENO, (const uint8_t *)line, strlen(line));
}

#define FIRST_MS 250 /* what takes less needs no bar */
#define EVERY_MS 100
#define BAR_MAX  40

static int64_t now_ms(void)
{
    return (int64_t)(stopwatch_ns() / 1000000);
}

static int columns(void)
{
    struct winsize w;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

static void draw(const struct ui_progress *p, int64_t now, uint64_t done, uint64_t total)
{
    static const char full[] = "========================================";
    char text[128], line[256];
    double mib = (double)(1U << 20), part = total ? (double)done / (double)total : 1.0;
    double speed = (double)(done - p->from) / mib / ((double)(now - p->start_ms + 1) / 1000.0);
    int width = snprintf(text, sizeof(text), "%.1f", (double)total / mib); /* so that nothing moves about */
    (void)snprintf(text, sizeof(text), "%3.0f%%  %*.1f of %.1f MiB  %6.1f MiB/s", part * 100.0, width,
                   (double)done / mib, (double)total / mib, speed);
    int room = columns() - (int)strlen(p->label) - (int)strlen(text) - 6;
    int bar = room > BAR_MAX ? BAR_MAX : room;
    int filled = (int)(part * (bar > 0 ? bar : 0));
    if (bar >= 8)
        (void)snprintf(line, sizeof(line), "\r%s [%.*s%*s] %s\x1b[K", p->label, filled, full, bar - filled,
                       "", text);
    else
        (void)snprintf(line, sizeof(line), "\r%.0f%%\x1b[K", part * 100.0);
    (void)write_all(STDERR_FILENO, (const uint8_t *)line, strlen(line));
}

static void update(struct progress *base, uint64_t done, uint64_t total)
{
    struct ui_progress *p = (struct ui_progress *)base;
    int64_t now = now_ms();
    if (!p->start_ms || done < p->last) {
        p->start_ms = now;
        p->from = done; /* what an earlier command brought was not brought in this time */
    }
    p->last = done;
    if (now - (p->drawn_ms ? p->drawn_ms : p->start_ms) < (p->drawn_ms ? EVERY_MS : FIRST_MS))
        return;
    draw(p, now, done, total);
    p->drawn_ms = now;
}

struct progress *ui_progress_init(struct ui_progress *p, const char *label, bool wanted)
{
    *p = (struct ui_progress){.base = {.update = update}, .label = label};
    return wanted && isatty(STDERR_FILENO) ? &p->base : NULL;
}

void ui_progress_done(struct ui_progress *p)
{
    static const char clear[] = "\r\x1b[K";
    if (p->drawn_ms)
        (void)write_all(STDERR_FILENO, (const uint8_t *)clear, sizeof(clear) - 1);
    p->drawn_ms = 0;
}
