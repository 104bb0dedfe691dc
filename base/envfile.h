/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of environment variables, one NAME=VALUE a line. NAME is letters, digits, "_", "." and "-", not a
 * digit first; VALUE is all that stands behind the first "=", as it is: no quotes, escapes or references are
 * known. Empty lines and those that start with "#" say nothing. There is no other kind of line.
 */
#ifndef WAYBILL_BASE_ENVFILE_H
#define WAYBILL_BASE_ENVFILE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/macro.h"

/* envfile_parse - calls see for each variable, in the order of the text; the slices are borrowed from it.
 * What see returns other than 0 ends it and is returned. ERR_FORMAT with the number of the line (anything
 * else than such a line; text that is not UTF-8; control characters other than a tab), ERR_LIMIT (more than
 * LIMIT_ENV_FILE bytes). */
MUST_CHECK int envfile_parse(struct bytes text,
                             int (*see)(void *ctx, struct bytes name, struct bytes value, struct err *e),
                             void *ctx, struct err *e);

/* envfile_is_name - what may stand in front of "=". */
bool envfile_is_name(struct bytes name);

#endif
