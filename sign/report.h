/* SPDX-License-Identifier: Apache-2.0 */
/* What a verification found: one check after the other, and the verdict. */
#ifndef WAYBILL_SIGN_REPORT_H
#define WAYBILL_SIGN_REPORT_H

#include "base/err.h"

#include <stdbool.h>

struct sign_check {
    const char *format; /* "embedded", "digest": a constant */
    bool ok;
    int code;               /* why not: an enum err_code; 0 when ok */
    char key[256];          /* the name of the key it is about, or "" */
    char text[ERR_MSG_MAX]; /* what was found, in one line */
};

struct sign_report {
    struct sign_check *checks; /* owned */
    size_t n;
    int verdict;              /* 0, or the enum err_code that decides the exit status */
    char reason[ERR_MSG_MAX]; /* of a verdict other than 0 */
};

#define SIGN_REPORT_INIT \
    {                    \
        .checks = NULL   \
    }

void sign_report_done(struct sign_report *r);
/* sign_report_add - one check; code 0 means ok. ERR_NOMEM. */
MUST_CHECK int sign_report_add(struct sign_report *r, const char *format, int code, const char *key,
                               struct err *e, const char *fmt, ...) PRINTF_LIKE(6, 7);

#endif
