/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: grants as the engine's WASI takes them. */
#ifndef WAYBILL_RUNNER_WASI_H
#define WAYBILL_RUNNER_WASI_H

#include "runner/engine.h"
#include "runner/run.h"

/* runner_wasi_new - arguments, variables, folders and the three standard streams; nothing else.
 * The caller deletes *ret or hands it to a store. ERR_USAGE, ERR_NOTFOUND, ERR_IO, ERR_NOMEM. */
MUST_CHECK int runner_wasi_new(const struct runner_grants *grants, wasi_config_t **ret, struct err *e);

#endif
