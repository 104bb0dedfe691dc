/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last step of the way: verified bytes and grants to the result of a run. Who goes this way misses no
 * decision: nothing is started that was not obtained to be run, and nothing is granted that the policy does
 * not let the artifact have or its claims do not state.
 */
#ifndef WAYBILL_FLOW_LAUNCH_H
#define WAYBILL_FLOW_LAUNCH_H

#include "flow/grant.h"
#include "flow/obtain.h"
#include "runner/run.h"

struct flow_launch {
    const char *target;               /* a file or a reference, see oci_ref_is_path */
    const struct flow_demand *demand; /* what must be proven. NULL, or with nothing to verify with: a file is
                                         run as it is, a reference is ERR_REFUSED */
    bool allow_unsigned;              /* but for this: a reference that nothing is demanded of is run, too */
    const struct runner_conf *runner; /* what follows from the grants is set by itself: has_dirs,
                                         code.metered, code.uninterruptible */
    const struct runner_grants *grants; /* argc 0: argv[0] is flow_launch_name */
};

/* flow_launch - obtains an artifact, checks it and its grants, and runs it. conf: borrowed for the call. ret:
 * as of runner_program_run; the caller releases it with runner_result_done. What fails before the guest's
 * first instruction is an error, of flow_obtain, flow_grant_check or runner_run; all that the guest does is
 * in ret. The engine starts as many threads as there are cores, or as the variable TOKIO_WORKER_THREADS
 * says when the first run of a process begins. */
MUST_CHECK int flow_launch(const struct flow_conf *conf, const struct flow_launch *launch,
                           struct runner_result *ret, struct err *e);

/* flow_launch_obtain - the first half: the artifact, its bytes verified. ret: flow_artifact_done by the
 * caller, whatever is returned. */
MUST_CHECK int flow_launch_obtain(const struct flow_conf *conf, const struct flow_launch *launch,
                                  struct flow_artifact *ret, struct err *e);

/* flow_launch_run - the second half, any number of times. launch: its target and demand are not looked at.
 * ERR_REFUSED: the artifact was not obtained to be run. */
MUST_CHECK int flow_launch_run(const struct flow_artifact *artifact, const struct flow_launch *launch,
                               struct runner_result *ret, struct err *e);

/* flow_launch_check - whether flow_launch_run would start the guest, as runner_check does it. */
MUST_CHECK int flow_launch_check(const struct flow_artifact *artifact, const struct flow_launch *launch,
                                 struct err *e);

/* flow_launch_name - what a guest is called, its argv[0]: the last component of the repository, or of the
 * file's path. It borrows from the artifact. */
const char *flow_launch_name(const struct flow_artifact *artifact);

#endif
