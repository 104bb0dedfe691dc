/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from the files that --key names. */
#ifndef WAYBILL_CLI_KEYS_H
#define WAYBILL_CLI_KEYS_H

#include "cli/opt.h"
#include "sign/format.h"

/* keys_read - one key file. ERR_NOTFOUND, ERR_LIMIT, and what sign_key_parse says. */
MUST_CHECK int keys_read(const char *path, struct sign_key **ret, struct err *e);

/* Public keys; of two equal ones the first is kept. */
struct keys {
    struct sign_key **all; /* owned */
    size_t n;
};

/* keys_load - ERR_USAGE for a private key: the one who verifies has no use for it. ret: keys_done, also after
 * a failure. */
MUST_CHECK int keys_load(const struct opt_list *paths, struct keys *ret, struct err *e);
void keys_done(struct keys *k);
/* keys_trust - the keys, and the time of now. */
struct sign_trust keys_trust(const struct keys *k);

#endif
