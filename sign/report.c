/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void sign_report_done(struct sign_report *r)
{
    free(r->checks);
    *r = (struct sign_report)SIGN_REPORT_INIT;
}

int sign_report_add(struct sign_report *r, const char *format, int code, const char *key, struct err *e,
                    const char *fmt, ...)
{
    struct sign_check *more = realloc(r->checks, (r->n + 1) * sizeof(*more));
    if (!more)
        return err_nomem(e);
    r->checks = more;
    struct sign_check *c = &r->checks[r->n++];
    *c = (struct sign_check){.format = format, .ok = code == 0, .code = code};
    (void)snprintf(c->key, sizeof(c->key), "%s", key ? key : "");
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(c->text, sizeof(c->text), fmt, ap);
    va_end(ap);
    return 0;
}
