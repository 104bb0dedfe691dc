/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors. A function that can fail returns 0 or a negative `enum err_code`; its last parameter is the
 * caller's `struct err`, which holds the message inline: nothing to free, usable when memory is exhausted.
 *
 *     return err_set(e, ERR_DIGEST, "blob %s: got %s", want, got);
 *     return err_wrap(e, "pull %s", ref);
 */
#ifndef WAYBILL_BASE_ERR_H
#define WAYBILL_BASE_ERR_H

#include "base/macro.h"

/* X(name, value, text, exit status). The one place where a failure gets its number, words and exit status. */
#define ERR_CODES(X)                                      \
    X(OTHER, 1, "failed", 1)                              \
    X(NOMEM, 2, "out of memory", 1)                       \
    X(IO, 3, "input/output error", 1)                     \
    X(EXISTS, 4, "already exists", 1)                     \
    X(UNSUPPORTED, 5, "not supported", 1)                 \
    X(INTERRUPTED, 6, "interrupted", 1)                   \
    X(USAGE, 10, "wrong usage", 2)                        \
    X(CONFIG, 11, "configuration error", 2)               \
    X(NETWORK, 20, "network failure", 3)                  \
    X(REGISTRY, 21, "the registry failed", 3)             \
    X(NOTFOUND, 30, "not found", 4)                       \
    X(AUTH, 31, "not authorised", 5)                      \
    X(UNSIGNED, 40, "no signature", 10)                   \
    X(UNTRUSTED, 41, "no signature by a trusted key", 12) \
    X(CERT, 42, "certificate not acceptable", 13)         \
    X(EXPIRED, 43, "expired or not yet valid", 14)        \
    X(POLICY, 44, "denied by policy", 15)                 \
    X(FORMAT, 50, "malformed", 16)                        \
    X(LIMIT, 51, "over a limit", 16)                      \
    X(DIGEST, 52, "digest mismatch", 17)                  \
    X(CAPABILITY, 60, "capability denied", 18)            \
    X(TIMEOUT, 70, "out of time", 124)                    \
    X(REFUSED, 71, "refused to run", 126)                 \
    X(NOT_RUNNABLE, 72, "not runnable", 126)              \
    X(TRAP, 73, "the guest trapped", 134)

enum err_code {
#define X(name, value, text, status) ERR_##name = -(value),
    ERR_CODES(X)
#undef X
};

#define ERR_MSG_MAX 512

struct err {
    int code;              /* 0 or an enum err_code */
    char msg[ERR_MSG_MAX]; /* one line, never ends in a newline; remote text in it is already escaped */
};

#define ERR_INIT             \
    {                        \
        .code = 0, .msg = "" \
    }

/* err_set - records a failure and returns its code, so that `return err_set(...)` is one line.
 * e: the caller's object, replaced.  code: an enum err_code.  fmt: one line without the context that callers
 * add. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* err_set_errno - as err_set, with ": <strerror(errnum)>" behind the message. ENOENT becomes ERR_NOTFOUND,
 * ENOMEM ERR_NOMEM and EEXIST ERR_EXISTS where code is ERR_IO. */
int err_set_errno(struct err *e, enum err_code code, int errnum, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* err_nomem - the failure of an allocation; always returns ERR_NOMEM. */
int err_nomem(struct err *e);

/* err_wrap - puts "context: " in front of the message that is there; returns the code that is there. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* err_recode - changes the code of a recorded failure and keeps its message; returns the new code. */
int err_recode(struct err *e, enum err_code code);

/* err_text / err_name / err_exit_status - what the table says of a code (err_name: "DIGEST"); 0 has the exit
 * status 0, an unknown code 1. */
const char *err_text(int code);
const char *err_name(int code);
int err_exit_status(int code);

#endif
