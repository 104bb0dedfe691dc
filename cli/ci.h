/* SPDX-License-Identifier: Apache-2.0 */
/* What a CI system tells its jobs about themselves, in their environment. */
#ifndef WAYBILL_CLI_CI_H
#define WAYBILL_CLI_CI_H

#include "sign/provenance.h"

#define CI_TEXTS        16
#define CI_DEPENDENCIES 1

enum ci_kind { CI_AUTO, CI_GITHUB, CI_GITLAB, CI_JENKINS, CI_NONE };

struct ci {
    struct sign_provenance provenance; /* what is known; borrows from the rest, and from the environment */
    struct sign_pair external[8], internal[8];
    struct sign_dependency dependencies[CI_DEPENDENCIES];
    char *texts[CI_TEXTS]; /* owned */
    size_t n_texts;
    bool failed; /* memory ran out */
};

/* ci_read - asks for variables with `get` (getenv). kind: CI_AUTO takes the first that shows itself, or none.
 * A user name and a password in a URL are left out. ERR_CONFIG: a kind was asked for that is not there;
 * ERR_NOMEM. ret: ci_done, whatever is returned; it must stay where it is. */
MUST_CHECK int ci_read(enum ci_kind kind, char *(*get)(const char *name), struct ci *ret, struct err *e);
void ci_done(struct ci *c);

#endif
