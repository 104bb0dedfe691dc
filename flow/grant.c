/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/grant.h"

#include "base/log.h"

#include <string.h>

static bool covers(const char *listed, const char *capability)
{
    size_t n = strlen(listed);
    return strncmp(capability, listed, n) == 0 && (capability[n] == 0 || capability[n] == '/');
}

int flow_grant_check(const struct sign_decision *decision, const char *capability, struct err *e)
{
    bool allowed = !decision->limits_capabilities;
    for (size_t i = 0; !allowed && i < decision->n_capabilities; i++)
        allowed = covers(decision->capabilities[i], capability);
    if (allowed)
        return 0;
    if (decision->audit) {
        log_warn("not enforced: %s.capabilities: %s is not allowed", decision->rule, capability);
        return 0;
    }
    return err_set(e, ERR_CAPABILITY, "%s is not allowed (%.180s.capabilities)", capability, decision->rule);
}
