/* SPDX-License-Identifier: Apache-2.0 */
/* Which policy is in force on this machine. */
#ifndef WAYBILL_CLI_CONF_POLICY_H
#define WAYBILL_CLI_CONF_POLICY_H

#include "base/err.h"

/* conf_policy_find - the path of the policy: asked, where that is not NULL, else the user's
 * ($XDG_CONFIG_HOME/waybill/policy.toml, without that variable $HOME/.config/...), else the system's
 * (/etc/waybill/policy.toml). *ret: the caller's, NULL where there is none. One that is there counts even if
 * it cannot be read: that fails later, instead of another one being taken. ERR_NOMEM. */
MUST_CHECK int conf_policy_find(const char *asked, char **ret, struct err *e);

/* conf_policy_own - the user's, whether it is there or not; *ret is NULL where there is no home. */
MUST_CHECK int conf_policy_own(char **ret, struct err *e);

#endif
