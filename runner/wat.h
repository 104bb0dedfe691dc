/* SPDX-License-Identifier: Apache-2.0 */
/* The WebAssembly text format (core specification 3.0, chapter 6; components as wasm-tools writes them). */
#ifndef WAYBILL_RUNNER_WAT_H
#define WAYBILL_RUNNER_WAT_H

#include "base/buf.h"

/* runner_is_text - whether the first thing in it is a parenthesis or a comment of the text format. */
bool runner_is_text(struct bytes file);

/* runner_wat_parse - appends the binary of a text to out.
 * ERR_FORMAT with line and column, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int runner_wat_parse(struct bytes text, struct buf *out, struct err *e);

#endif
