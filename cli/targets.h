/* SPDX-License-Identifier: Apache-2.0 */
/* What a verb is to work on: its operands, and the lines of a file. */
#ifndef WAYBILL_CLI_TARGETS_H
#define WAYBILL_CLI_TARGETS_H

#include "base/buf.h"

struct targets {
    const char **all; /* owned, the texts are borrowed from argv and from `text` */
    size_t n;
    struct buf text;
};

#define TARGETS_INIT \
    {                \
        .all = NULL  \
    }

/* targets_load - the operands, and then the lines of the file (NULL: none; "-": standard input) without
 * blanks around them; empty ones, and those that begin with #, are passed over. ERR_USAGE: there is none at
 * all, or standard input is to be two things; ERR_LIMIT: more than LIMIT_TARGETS; ERR_FORMAT: a NUL. ret:
 * TARGETS_INIT; targets_done, whatever is returned. */
MUST_CHECK int targets_load(char *const *operands, size_t n_operands, const char *file, struct targets *ret,
                            struct err *e);
void targets_done(struct targets *t);

#endif
