/* SPDX-License-Identifier: Apache-2.0 */
/* Questions on the terminal, whatever standard input and output are. */
#ifndef WAYBILL_CLI_PROMPT_H
#define WAYBILL_CLI_PROMPT_H

#include "base/buf.h"

#include <stdbool.h>

/* prompt_line - asks and reads a line. text: "Password: ".  echo: what is typed can be seen. *ret: secret,
 * heap. The terminal is as before afterwards, also when a signal ends the program.
 * ERR_USAGE: there is no terminal, or the answer is empty; ERR_IO, ERR_NOMEM, ERR_INTERRUPTED. */
MUST_CHECK int prompt_line(const char *text, bool echo, char **ret, struct err *e);

/* prompt_password - the same for the password of a key, which may be empty: appends to a secret buffer. */
MUST_CHECK int prompt_password(const char *text, struct buf *ret, struct err *e);

#endif
