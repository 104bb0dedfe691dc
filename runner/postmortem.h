/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: what there is to say of a guest that trapped, while its store is still there. */
#ifndef WAYBILL_RUNNER_POSTMORTEM_H
#define WAYBILL_RUNNER_POSTMORTEM_H

#include "runner/guest.h"

/* runner_postmortem - writes the core dump of a guest that ended with o->trap or o->error into
 * grants->coredump, if there is one to be written: the calls, as far as the engine tells them; of a core
 * module also what it exports of memories and of globals of number types. in_time: it was not ended from
 * outside, by a limit. True: the sink is committed; else it is aborted. What goes wrong is said in the log.
 */
bool runner_postmortem(const struct runner_program *p, const struct runner_grants *grants, bool in_time,
                       wasmtime_store_t *store, const struct runner_outcome *o);

#endif
