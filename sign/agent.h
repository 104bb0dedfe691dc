/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that ssh-agent holds (draft-miller-ssh-agent), over a connection that somebody else made. What an
 * agent says is not trusted: lengths are bounded, and a signature leaves only where it is right
 * (sign_key_sign_as).
 */
#ifndef WAYBILL_SIGN_AGENT_H
#define WAYBILL_SIGN_AGENT_H

#include "sign/key.h"

struct sign_agent;

/* sign_agent_new - fd: connected to the agent; taken over, also when this fails. The process must not die of
 * SIGPIPE. timeout_ms: for each answer, 0: LIMIT_AGENT_MS. ERR_NOMEM. */
MUST_CHECK int sign_agent_new(int fd, int timeout_ms, struct sign_agent **ret, struct err *e);
void sign_agent_free(struct sign_agent *a);
DEFINE_AUTO(sign_agent, sign_agent_free);

/* sign_agent_see - calls see for each key that waybill can use, with the comment that the agent keeps; a
 * non-zero return ends the walk and is returned. Both are valid during the call. ERR_FORMAT, ERR_LIMIT: a
 * malformed answer; ERR_AUTH: the agent refuses; ERR_IO, ERR_TIMEOUT. */
MUST_CHECK int sign_agent_see(struct sign_agent *a,
                              int (*see)(void *ctx, const struct sign_key *key, struct bytes comment,
                                         struct err *e),
                              void *ctx, struct err *e);

/* sign_agent_key - the private key that belongs to a public one. a: the key takes it over, also when this
 * fails. name: as of sign_key_parse. It signs with Ed25519, ECDSA with its curve's hash, RSA PKCS#1 v1.5 with
 * SHA-256 and SHA-512; anything else is ERR_UNSUPPORTED. ERR_NOTFOUND: the agent has no such key, and what
 * sign_agent_see says. */
MUST_CHECK int sign_agent_key(struct sign_agent *a, const struct sign_key *public_key, const char *name,
                              struct sign_key **ret, struct err *e);

/* sign_agent_find - the same by the key's fingerprint as `ssh-add -l` shows it: "SHA256:...". ERR_USAGE: no
 * fingerprint. */
MUST_CHECK int sign_agent_find(struct sign_agent *a, const char *fingerprint, const char *name,
                               struct sign_key **ret, struct err *e);

#endif
