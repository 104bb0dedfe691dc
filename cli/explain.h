/* SPDX-License-Identifier: Apache-2.0 */
/* What a run would let a guest have, and why: `run --explain`. */
#ifndef WAYBILL_CLI_EXPLAIN_H
#define WAYBILL_CLI_EXPLAIN_H

#include "cli/grants.h"
#include "flow/grant.h"
#include "flow/obtain.h"

/* What is to be explained. */
struct explanation {
    const struct flow_artifact *artifact; /* with its bytes */
    const struct grants_options *options;
    const struct grants *grants; /* what they come to */
    struct err *refused; /* why the run would not start, its code 0 where it would; where the module asks
                            for what there is not, explain says so here */
    struct runner_sandbox_report sandbox; /* what would be in force */
    bool json;
};

/* explain - appends the intersection of what the module asks for, its claims state, the policy allows and the
 * options give; as text, or as JSON ("waybill.run.explain/1"). ERR_NOT_RUNNABLE (it can be no module),
 * ERR_NOMEM. */
MUST_CHECK int explain(const struct explanation *x, struct buf *out, struct err *e);

/* explain_denied - after a module could not be put together: says in the log what it asks for and does not
 * get. */
void explain_denied(const struct flow_artifact *artifact);

#endif
