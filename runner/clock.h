/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: the time as a guest is told it. */
#ifndef WAYBILL_RUNNER_CLOCK_H
#define WAYBILL_RUNNER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum runner_clock_id { RUNNER_CLOCK_WALL, RUNNER_CLOCK_MONOTONIC };

struct runner_clock {
    uint64_t resolution; /* nanoseconds, at least 1 */
    bool fixed;          /* it moves on with each reading and not by itself */
    uint64_t epoch;      /* fixed: what the wall clock says at first, in nanoseconds since 1970 */
    uint64_t passed;     /* fixed: nanoseconds since then, of both clocks */
    uint64_t start;      /* else: of CLOCK_MONOTONIC where the guest's is 0 */
};

/* runner_clock_real - the machine's clocks, the monotonic one from now on, as the engine's own is. */
struct runner_clock runner_clock_real(uint64_t resolution_ns);

/* runner_clock_fixed - clocks that stand still but for one resolution a reading. epoch_s: seconds since 1970;
 * what nanoseconds in 64 bits cannot say is cut (the year 2554). */
struct runner_clock runner_clock_fixed(uint64_t resolution_ns, uint64_t epoch_s);

/* runner_clock_read - nanoseconds, a multiple of the resolution (of a fixed one: from its start on). */
uint64_t runner_clock_read(struct runner_clock *c, enum runner_clock_id id);

/* runner_clock_pass - moves a fixed clock on to a reading, unless it is there already. */
void runner_clock_pass(struct runner_clock *c, enum runner_clock_id id, uint64_t until);

#endif
