/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line lets a guest have. */
#ifndef WAYBILL_CLI_GRANTS_H
#define WAYBILL_CLI_GRANTS_H

#include "cli/opt.h"
#include "runner/run.h"

struct grants {
    struct runner_grants runner; /* its arrays and the folders' names are owned by this struct */
    struct runner_dir *dirs;
    const char **argv;
};

/* grants_make - dirs: "HOST[::GUEST][:rw]" each, GUEST being HOST where it is not said.
 * name: a path or a repository whose last component becomes argv[0].  args: n of them, for argv[1] and on,
 * borrowed. g: zeroed by the caller, released with grants_done also after a failure. ERR_USAGE, ERR_NOMEM. */
MUST_CHECK int grants_make(struct grants *g, const struct opt_list *dirs, const char *name, char *const *args,
                           size_t n_args, struct err *e);
void grants_done(struct grants *g);

#endif
