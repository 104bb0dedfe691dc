/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from files that are named on the command line. */
#ifndef WAYBILL_CLI_KEYS_H
#define WAYBILL_CLI_KEYS_H

#include "sign/key.h"
#include "sign/keyfile.h"

/* keys_protect - no core dumps of this process and nobody else's debugger from now on: it has private keys.
 */
void keys_protect(void);

/* keys_read_with - one key file, whatever it is; password: may be NULL. ret_kind: the kind of file, and
 * ret_encrypted; may be NULL. ERR_NOTFOUND, ERR_LIMIT, and what sign_key_open says. */
MUST_CHECK int keys_read_with(const char *path, const struct sign_password *password, struct sign_key **ret,
                              const struct sign_keyfile **ret_kind, bool *ret_encrypted, struct err *e);

/* keys_read_private - the key to sign with, out of a file that may be encrypted, or held by an agent: see
 * cli/agent.h. password_fd: what --password-fd says, or NULL: see cli/password.h. ERR_USAGE for a public key
 * that no agent holds. */
MUST_CHECK int keys_read_private(const char *path, const char *password_fd, struct sign_key **ret,
                                 struct err *e);

#endif
