/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords of key files, for every verb that has private keys: the first line that --password-fd gives; else
 * WAYBILL_PASSWORD, unless WAYBILL_USERNAME stands beside it, for then it is the registry's; else
 * COSIGN_PASSWORD; else asked for on the terminal. One from the environment may be empty.
 */
#ifndef WAYBILL_CLI_PASSWORD_H
#define WAYBILL_CLI_PASSWORD_H

#include "base/limits.h"
#include "sign/key.h"

struct password {
    const char *fd;   /* what --password-fd says; NULL: not given */
    const char *file; /* for the question */
    struct buf kept;  /* what was read: a descriptor has it only once */
    bool has;
};

#define PASSWORD_INIT(fd_, file_)                                                            \
    {                                                                                        \
        .fd = (fd_), .file = (file_), .kept = BUF_SECRET_INIT(LIMIT_PASSWORD), .has = false, \
    }
void password_done(struct password *p);

/* password_source - asks p when a password is needed; it must outlive what is returned. get: ERR_USAGE (no
 * descriptor, no terminal, two that differ), ERR_IO, ERR_INTERRUPTED. */
struct sign_password password_source(struct password *p);

#endif
