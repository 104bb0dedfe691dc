/* SPDX-License-Identifier: Apache-2.0 */
/* What the trust options, or the policy that was found, come to. */
#ifndef WAYBILL_CLI_TRUST_H
#define WAYBILL_CLI_TRUST_H

#include "cli/cmd.h"
#include "cli/pairs.h"
#include "flow/demand.h"

struct trust {
    struct flow_trust *loaded; /* owned; NULL: nothing was given or found */
    int64_t now;               /* --now, else the time of day */
    /* Private: what `loaded` borrows. */
    struct sign_identity identity;
    struct pairs annotations;
    struct sign_pair *pairs;
    char *policy;
};

/* trust_load - keys and roots that are given, or --policy, or else the policy in the folder of settings:
 * $XDG_CONFIG_HOME/waybill/policy.toml ($HOME/.config), /etc/waybill/policy.toml. One that is there and
 * cannot be read is an error. required: ERR_USAGE when there is nothing of all that. ret: trust_done,
 * whatever is returned; it must stay where it is. Returns what flow_trust_load returns. */
MUST_CHECK int trust_load(const struct cmd_trust *o, bool required, struct trust *ret, struct err *e);
/* trust_load_given - the same without looking for a policy: nothing is verified unless that is asked for. */
MUST_CHECK int trust_load_given(const struct cmd_trust *o, struct trust *ret, struct err *e);

/* trust_skip - for --allow-unsigned: says on stderr what is not asked, the policy that would be in force
 * among it. ERR_USAGE: an option that says what to verify with. */
MUST_CHECK int trust_skip(const struct cmd_trust *o, struct err *e);
void trust_done(struct trust *t);

/* trust_demand - the demand that is made with it. */
struct flow_demand trust_demand(const struct trust *t);

/* trust_time_parse - RFC 3339 ("2026-11-21T12:00:00Z", or with an offset), or seconds since 1970. ERR_USAGE.
 */
MUST_CHECK int trust_time_parse(const char *text, int64_t *ret, struct err *e);

#endif
