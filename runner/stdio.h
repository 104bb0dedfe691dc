/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: the guest's standard streams. */
#ifndef WAYBILL_RUNNER_STDIO_H
#define WAYBILL_RUNNER_STDIO_H

#include "runner/output.h"

/* runner_stdio_set - opens the files that the grants name, all of them before an output is emptied, and gives
 * the guest these and this process's own streams, the outputs by way of output (initialised). ERR_USAGE (one
 * regular file for two streams), ERR_NOTFOUND, ERR_IO, ERR_NOMEM. */
MUST_CHECK int runner_stdio_set(wasi_config_t *wasi, const struct runner_grants *g,
                                struct runner_output *output, struct err *e);

#endif
