/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: what functions of ours, which a guest calls in place of the engine's, keep for one run.
 */
#ifndef WAYBILL_RUNNER_SESSION_H
#define WAYBILL_RUNNER_SESSION_H

#include "runner/clock.h"
#include "runner/random.h"
#include "runner/run.h"

struct runner_session {
    struct runner_clock clock;
    struct runner_random random; /* runner_conf.deterministic */
    unsigned denied;             /* uses that were denied so far */
};

/* runner_session_begin - right before the engine's WASI is made, whose monotonic clock starts then: a moment
 * that is waited for is never told to have come too early. */
void runner_session_begin(struct runner_session *s, const struct runner_grants *g, bool deterministic);

/* runner_session_denied - says in the log, in one line of the form
 *     denied capability=wasi:filesystem use=path_open what=NAME error=perm
 * that a guest was refused something at run time. what: text of the guest's, or empty. After
 * LIMIT_DENIED_LINES of them one says that there were more. */
void runner_session_denied(struct runner_session *s, const char *capability, const char *use,
                           struct bytes what, const char *error);

#endif
