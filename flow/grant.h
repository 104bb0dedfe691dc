/* SPDX-License-Identifier: Apache-2.0 */
/* The intersection: a guest is granted nothing that the policy does not let it have. */
#ifndef WAYBILL_FLOW_GRANT_H
#define WAYBILL_FLOW_GRANT_H

#include "sign/policy.h"

/* What the grants of a command line come to, in names that a policy may list. */
#define FLOW_GRANT_FILESYSTEM  "wasi:filesystem"
#define FLOW_GRANT_ENVIRONMENT "wasi:cli/environment"

/* flow_grant_check - whether a capability may be granted to what was decided on. decision: of a policy, or
 * zeroed where there is none, which limits nothing. capability: a package ("wasi:filesystem") or an interface
 * of one
 * ("wasi:cli/environment"), which its package in the policy's list covers. A rule in audit mode lets it pass
 * with a warning. ERR_CAPABILITY. */
MUST_CHECK int flow_grant_check(const struct sign_decision *decision, const char *capability, struct err *e);

#endif
