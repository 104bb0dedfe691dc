/* SPDX-License-Identifier: Apache-2.0 */
/* Private to flow/grant*.c: the capabilities that are known. A new one is a row. */
#ifndef WAYBILL_FLOW_GRANT_IMPL_H
#define WAYBILL_FLOW_GRANT_IMPL_H

#include "flow/grant.h"

struct flow_row {
    bool refuses;     /* FLOW_NEVER: its functions are there and deny what they are asked for */
    const char *name; /* as in policies: a package, or an interface of one */
    enum flow_way way;
    const char *option; /* FLOW_BY_OPTION: what gives it */
    const char
        *claims[6]; /* what claims call it, in all the spellings that are seen; none: they do not govern it */
    const char *core[8]; /* functions of WASI preview 1 that are it, "path_" standing for all that start so */
    const char *about;   /* FLOW_NEVER: why there is none, in a few words; else what is granted */
};

/* flow_row_of - the row of a capability, or of an interface of a component ("wasi:http/types@0.2.0"): the
 * longest name that covers it. NULL: none. */
const struct flow_row *flow_row_of(const char *name);

/* flow_row_of_core - the row of an import of a core module; NULL: none. */
const struct flow_row *flow_row_of_core(struct bytes module, struct bytes name);

/* The rows in the order of a listing. */
extern const struct flow_row flow_rows[];
extern const size_t flow_n_rows;

/* flow_row_is_called - whether claims call it so. row: may be NULL. */
bool flow_row_is_called(const struct flow_row *row, const char *listed);

/* flow_grant_claimed / flow_grant_allowed - what claims and policy say. */
MUST_CHECK int flow_grant_claimed(const struct sign_report *report, const char *capability,
                                  enum flow_answer *ret, struct err *e);
enum flow_answer flow_grant_allowed(const struct sign_decision *decision, const char *capability);

#endif
