/* SPDX-License-Identifier: Apache-2.0 */
/* A few things at once. */
#ifndef WAYBILL_BASE_PARALLEL_H
#define WAYBILL_BASE_PARALLEL_H

#include "base/err.h"

/* parallel_run - calls job(ctx, i, e) once for each i below n, at most `width` at a time, each on some
 * thread; width 1, and n 1, use the caller's. After a failure no further job is started. Returns 0, or the
 * failure of the job with the lowest number of those that failed. Where a thread cannot be had, fewer are
 * used. */
MUST_CHECK int parallel_run(size_t n, size_t width, int (*job)(void *ctx, size_t i, struct err *e), void *ctx,
                            struct err *e);

#endif
