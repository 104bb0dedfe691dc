/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts as SARIF 2.1.0 (OASIS), which code scanning reads. */
#ifndef WAYBILL_CLI_SARIF_H
#define WAYBILL_CLI_SARIF_H

#include "base/json.h"
#include "sign/report.h"

struct sarif {
    struct jout w;
};

/* sarif_begin - starts a log of one run over `out`; its rules are the codes that a verdict may have. */
void sarif_begin(struct sarif *s, struct buf *out);

/* sarif_add - one result for a target: a pass, or an error by the rule of its code, with what was found as
 * its message. */
void sarif_add(struct sarif *s, const char *target, const struct sign_report *report, int code,
               const char *reason);
void sarif_end(struct sarif *s);

#endif
