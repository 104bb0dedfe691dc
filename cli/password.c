/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/password.h"

#include "base/limits.h"
#include "base/text.h"
#include "cli/prompt.h"

#include <errno.h>
#include <stdio.h>

void password_done(struct password *p)
{
    buf_done(&p->kept);
}

static bool parse_fd(const char *text, int *ret)
{
    int fd = 0;
    if (!*text || strlen(text) > 5)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        fd = 10 * fd + (*text - '0');
    }
    *ret = fd;
    return true;
}

/* Byte by byte: what stands behind the line is left for others. */
static int read_line(const char *text, struct buf *ret, struct err *e)
{
    int fd;
    char c;
    if (!parse_fd(text, &fd))
        return err_set(e, ERR_USAGE, "--password-fd takes the number of a file descriptor");
    for (;;) {
        ssize_t n = read(fd, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(e, errno == EBADF ? ERR_USAGE : ERR_IO, errno, "file descriptor %d", fd);
        if (n == 0 || c == '\n')
            return buf_check(ret, e);
        if (c == '\0')
            return err_set(e, ERR_USAGE, "a password cannot hold a NUL");
        buf_append_u8(ret, (uint8_t)c);
    }
}

static const char *from_environment(void)
{
    const char *own = getenv("WAYBILL_USERNAME") ? NULL : getenv("WAYBILL_PASSWORD");
    return own ? own : getenv("COSIGN_PASSWORD");
}

static int ask(const struct password *p, bool is_new, struct buf *ret, struct err *e)
{
    AUTO_DONE(buf) again = BUF_SECRET_INIT(LIMIT_PASSWORD);
    char name[128], text[192];
    (void)text_escape(bytes_str(p->file), name, sizeof(name));
    (void)snprintf(text, sizeof(text), is_new ? "New password for %s: " : "Password for %s: ", name);
    int r = prompt_password(text, ret, e);
    if (r || !is_new)
        return r;
    r = prompt_password("The same again: ", &again, e);
    if (!r && !bytes_eq_ct(buf_bytes(ret), buf_bytes(&again)))
        r = err_set(e, ERR_USAGE, "the two passwords differ");
    return r;
}

static int get(void *ctx, bool is_new, struct buf *ret, struct err *e)
{
    struct password *p = ctx;
    if (!p->has) {
        const char *text = p->fd ? NULL : from_environment();
        int r = 0;
        if (p->fd)
            r = read_line(p->fd, &p->kept, e);
        else if (text)
            buf_append_str(&p->kept, text);
        else
            r = ask(p, is_new, &p->kept, e);
        if (!r)
            r = buf_check(&p->kept, e);
        if (r)
            return r;
        p->has = true;
    }
    buf_append_bytes(ret, buf_bytes(&p->kept));
    return 0;
}

struct sign_password password_source(struct password *p)
{
    return (struct sign_password){get, p};
}
