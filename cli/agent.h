/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that the ssh-agent behind SSH_AUTH_SOCK holds. */
#ifndef WAYBILL_CLI_AGENT_H
#define WAYBILL_CLI_AGENT_H

#include "sign/key.h"

/* agent_names - whether --key names a key in the agent and no file: "agent:SHA256:...". */
bool agent_names(const char *text);

/* agent_find - the key that --key names so. ERR_USAGE, and as agent_key. */
MUST_CHECK int agent_find(const char *text, struct sign_key **ret, struct err *e);

/* agent_key - the private key that belongs to a public one, under its name. ERR_USAGE: there is no agent;
 * ERR_NOTFOUND: it does not have the key; ERR_IO, ERR_AUTH, ERR_FORMAT, ERR_LIMIT, ERR_TIMEOUT. */
MUST_CHECK int agent_key(const struct sign_key *public_key, struct sign_key **ret, struct err *e);

#endif
