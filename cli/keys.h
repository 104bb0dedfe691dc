/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from files that are named on the command line. */
#ifndef WAYBILL_CLI_KEYS_H
#define WAYBILL_CLI_KEYS_H

#include "sign/key.h"

/* keys_read - one key file. ERR_NOTFOUND, ERR_LIMIT, and what sign_key_parse says. */
MUST_CHECK int keys_read(const char *path, struct sign_key **ret, struct err *e);

#endif
