/* SPDX-License-Identifier: Apache-2.0 */
/* A verification report as text and as JSON. */
#ifndef WAYBILL_CLI_REPORT_H
#define WAYBILL_CLI_REPORT_H

#include "base/json.h"
#include "sign/policy.h"

/* report_text - one line per check. */
void report_text(struct buf *out, const struct sign_report *r);

/* report_policy_text - one line per demand of the policy that is not met. */
void report_policy_text(struct buf *out, const struct sign_decision *d);

/* report_policy_json - the member "policy", null where there is none. */
void report_policy_json(struct jout *w, const struct sign_decision *d);

/* report_json - the member "checks". */
void report_json(struct jout *w, const struct sign_report *r);

#endif
