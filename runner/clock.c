/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/clock.h"

#include <time.h>

#define SECOND 1000000000ULL

static uint64_t read_ns(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0 || t.tv_sec < 0)
        return 0;
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

struct runner_clock runner_clock_real(uint64_t resolution_ns)
{
    return (struct runner_clock){.resolution = resolution_ns ? resolution_ns : 1,
                                 .start = read_ns(CLOCK_MONOTONIC)};
}

struct runner_clock runner_clock_fixed(uint64_t resolution_ns, uint64_t epoch_s)
{
    const uint64_t most = UINT64_MAX / SECOND;
    return (struct runner_clock){.resolution = resolution_ns ? resolution_ns : 1,
                                 .fixed = true,
                                 .epoch = (epoch_s < most ? epoch_s : most) * SECOND};
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

uint64_t runner_clock_read(struct runner_clock *c, enum runner_clock_id id)
{
    if (c->fixed) {
        uint64_t now = add(id == RUNNER_CLOCK_WALL ? c->epoch : 0, c->passed);
        c->passed = add(c->passed, c->resolution);
        return now;
    }
    uint64_t now = id == RUNNER_CLOCK_WALL ? read_ns(CLOCK_REALTIME) : read_ns(CLOCK_MONOTONIC) - c->start;
    return now - now % c->resolution;
}

void runner_clock_pass(struct runner_clock *c, enum runner_clock_id id, uint64_t until)
{
    uint64_t zero = id == RUNNER_CLOCK_WALL ? c->epoch : 0;
    if (c->fixed && until > zero && until - zero > c->passed)
        c->passed = until - zero;
}
