/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int code;
    const char *name, *text;
    int status;
} table[] = {
#define X(name, value, text, status) {ERR_##name, #name, text, status},
    ERR_CODES(X)
#undef X
};

static void set_message(struct err *e, enum err_code code, const char *fmt, va_list ap)
{
    e->code = code;
    (void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_message(e, code, fmt, ap);
    va_end(ap);
    return code;
}

static enum err_code refine(enum err_code code, int errnum)
{
    if (code != ERR_IO)
        return code;
    switch (errnum) {
    case ENOENT: return ERR_NOTFOUND;
    case ENOMEM: return ERR_NOMEM;
    case EEXIST: return ERR_EXISTS;
    default: return code;
    }
}

int err_set_errno(struct err *e, enum err_code code, int errnum, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_message(e, refine(code, errnum), fmt, ap);
    va_end(ap);
    size_t len = strlen(e->msg);
    (void)snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", strerror(errnum));
    return e->code;
}

int err_nomem(struct err *e)
{
    return err_set(e, ERR_NOMEM, "out of memory");
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char context[ERR_MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(context, sizeof(context), fmt, ap);
    va_end(ap);
    char old[ERR_MSG_MAX];
    memcpy(old, e->msg, sizeof(old));
    size_t len = strnlen(context, sizeof(context));
    memcpy(e->msg, context, len);
    (void)snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", old);
    return e->code;
}

int err_recode(struct err *e, enum err_code code)
{
    e->code = code;
    return code;
}

const char *err_text(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].code == code)
            return table[i].text;
    return code == 0 ? "ok" : "unknown failure";
}

const char *err_name(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].code == code)
            return table[i].name;
    return code == 0 ? "OK" : "UNKNOWN";
}

int err_exit_status(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].code == code)
            return table[i].status;
    return code == 0 ? 0 : 1;
}
