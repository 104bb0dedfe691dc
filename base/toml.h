/* SPDX-License-Identifier: Apache-2.0 */
/* TOML 1.0, the language of the files that people write, read as JSON: one set of accessors for both. */
#ifndef WAYBILL_BASE_TOML_H
#define WAYBILL_BASE_TOML_H

#include "base/json.h"

/* toml_parse - ERR_CONFIG with line and column, ERR_LIMIT (over LIMIT_TOML), ERR_NOMEM. Dates and times
 * become RFC 3339 strings. */
MUST_CHECK int toml_parse(struct bytes text, struct jdoc **ret, struct err *e);

#endif
