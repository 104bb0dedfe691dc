/* SPDX-License-Identifier: Apache-2.0 */
/* A setting of the engine's WASI that its C API lacks. */
#ifndef WAYBILL_WASI_H
#define WAYBILL_WASI_H

#include <wasi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* waybill_wasi_on_own_thread - from now on the guest's file operations and sleeps happen on the thread that
 * calls the guest, as Wasmtime's command line has them; else each is handed to another thread and waited for.
 * config: of wasi_config_new, not yet given away. */
void waybill_wasi_on_own_thread(wasi_config_t *config);

#ifdef __cplusplus
}
#endif

#endif
