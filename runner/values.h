/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: types and values of the engine's component model as those of runner/wave.h, and back.
 */
#ifndef WAYBILL_RUNNER_VALUES_H
#define WAYBILL_RUNNER_VALUES_H

#include "runner/engine.h"
#include "runner/wave.h"

/* runner_values_params - the parameters of a function as a RECORD. The caller frees *ret. ERR_NOT_RUNNABLE
 * (a type whose values cannot be written down: resources, streams, futures), ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int runner_values_params(const wasmtime_component_func_type_t *func, struct wave_type **ret,
                                    struct err *e);

/* runner_values_result - likewise the type of its result; *ret is NULL where it has none. */
MUST_CHECK int runner_values_result(const wasmtime_component_func_type_t *func, struct wave_type **ret,
                                    struct err *e);

/* runner_values_give - a value for the engine. The engine ends the process over text that is not UTF-8 and
 * characters that are none, which a parsed value does not hold. The caller deletes *ret. */
void runner_values_give(const struct wave_type *type, const struct wave_value *value,
                        wasmtime_component_val_t *ret);

/* runner_values_take - a copy of a value of the engine's, of which nothing is believed. ret: wave_value_done
 * by the caller. ERR_NOT_RUNNABLE (of another type), ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int runner_values_take(const struct wave_type *type, const wasmtime_component_val_t *value,
                                  struct wave_value *ret, struct err *e);

#endif
