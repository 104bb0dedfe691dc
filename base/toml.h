/* SPDX-License-Identifier: Apache-2.0 */
/* TOML 1.0, the language of the files that people write, read as JSON: one set of accessors for both. */
#ifndef WAYBILL_BASE_TOML_H
#define WAYBILL_BASE_TOML_H

#include "base/json.h"

/* toml_parse - ERR_CONFIG with line and column, ERR_LIMIT (over LIMIT_TOML), ERR_NOMEM. Dates and times
 * become RFC 3339 strings. */
MUST_CHECK int toml_parse(struct bytes text, struct jdoc **ret, struct err *e);

/* A place in a document: the key of a table's member or, with key NULL, the index of an array's element, and
 * what it is in. */
struct toml_at {
    const struct toml_at *up; /* NULL: the document itself */
    const char *key;
    size_t index;
};

/* toml_locate - line and column (from 1, in characters) of a member's key or an element in a text that
 * toml_parse has read; where there is no such place, those of what it would be in, which is line 1 at the
 * least. */
void toml_locate(struct bytes text, const struct toml_at *at, unsigned *ret_line, unsigned *ret_column);

#endif
