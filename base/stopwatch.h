/* SPDX-License-Identifier: Apache-2.0 */
/* How long something takes. */
#ifndef WAYBILL_BASE_STOPWATCH_H
#define WAYBILL_BASE_STOPWATCH_H

#include <stdint.h>
#include <time.h>

/* stopwatch_ns - nanoseconds since some point in the past, which no change of the clock moves. */
static inline uint64_t stopwatch_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

#endif
