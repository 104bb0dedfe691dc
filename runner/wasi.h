/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: grants as the engine's WASI takes them. */
#ifndef WAYBILL_RUNNER_WASI_H
#define WAYBILL_RUNNER_WASI_H

#include "runner/output.h"

/* The granted folders, open. */
struct runner_folders {
    struct runner_sandbox_folder *items;
    size_t n;
};
void runner_folders_done(struct runner_folders *f);

/* runner_wasi_new - arguments, variables, folders and the three standard streams; nothing else.
 * output: initialised, for the two that are written to. The caller deletes *ret or hands it to a store.
 * ret_folders: zeroed by the caller, who releases it after a failure, too; the very folders that *ret has,
 * which needs it no more. ERR_USAGE, ERR_NOTFOUND, ERR_IO, ERR_NOMEM. */
MUST_CHECK int runner_wasi_new(const struct runner_grants *grants, struct runner_output *output,
                               struct runner_folders *ret_folders, wasi_config_t **ret, struct err *e);

#endif
