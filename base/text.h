/* SPDX-License-Identifier: Apache-2.0 */
/* Text that comes from elsewhere and goes to a terminal. */
#ifndef WAYBILL_BASE_TEXT_H
#define WAYBILL_BASE_TEXT_H

#include "base/buf.h"

/* text_escape - text with control characters, terminal escapes, bidirectional overrides and malformed UTF-8
 * shown as \xNN or \u{NNNN}; cut with "..." so that it fits out (size bytes with its NUL). Returns out. */
char *text_escape(struct bytes text, char *out, size_t size);
char *text_escape_str(const char *text, char *out, size_t size);

/* text_is_harmless - whether text_escape leaves a code point as it is. */
bool text_is_harmless(uint32_t code);

#endif
