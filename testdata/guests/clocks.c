/* SPDX-License-Identifier: Apache-2.0 */
/* Tells what its clocks and random numbers say; one line for each. Usage: clocks OPERATION... */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

static unsigned long long now(__wasi_clockid_t id)
{
    __wasi_timestamp_t t = 0;
    if (__wasi_clock_time_get(id, 1, &t) != 0)
        exit(9);
    return t;
}

static unsigned long long resolution(__wasi_clockid_t id)
{
    __wasi_timestamp_t t = 0;
    if (__wasi_clock_res_get(id, &t) != 0)
        exit(9);
    return t;
}

static void show_random(void)
{
    unsigned char bytes[70];
    if (getentropy(bytes, 3) != 0 || getentropy(bytes + 3, 67) != 0)
        exit(9);
    printf("random ");
    for (size_t i = 0; i < sizeof(bytes); i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

/* What a wait of both kinds does to the clocks. */
static void show_waits(void)
{
    unsigned long long before = now(__WASI_CLOCKID_MONOTONIC);
    const struct timespec relative = {.tv_nsec = 50000000};
    int r = nanosleep(&relative, NULL);
    unsigned long long between = now(__WASI_CLOCKID_MONOTONIC), until = between + 50000000;
    const struct timespec absolute = {.tv_sec = (time_t)(until / 1000000000),
                                      .tv_nsec = (long)(until % 1000000000)};
    int s = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &absolute, NULL);
    unsigned long long after = now(__WASI_CLOCKID_MONOTONIC);
    printf("waits %d %d %s %s\n", r, s, between - before >= 50000000 ? "enough" : "early",
           after >= until ? "enough" : "early");
}

static void show_poll(void)
{
    struct pollfd in = {.fd = 0, .events = POLLIN};
    int r = poll(&in, 1, 20);
    printf("poll %d %d\n", r, (int)in.revents);
}

/* Addresses that are not in the memory, clocks that there are not. */
static __wasi_timestamp_t *const outside = (__wasi_timestamp_t *)(uintptr_t)0xfffffffcU;

static void show_refusals(void)
{
    __wasi_timestamp_t t = 7;
    printf("outside %d %d\n", __wasi_clock_time_get(1, 0, outside), __wasi_clock_res_get(0, outside));
    printf("none %d %d %d\n", __wasi_clock_time_get(2, 0, &t), __wasi_clock_res_get(3, &t),
           __wasi_clock_time_get(4, 0, &t));
}

/* The same for what --deterministic puts in place of the engine's own, which trap. */
static void show_more_refusals(void)
{
    static __wasi_event_t event;
    static __wasi_subscription_t sub;
    __wasi_size_t n;
    printf("random %d\n", __wasi_random_get((uint8_t *)outside, 8));
    printf("poll %d %d %d %d\n", __wasi_poll_oneoff(&sub, &event, 0, &n),
           __wasi_poll_oneoff((__wasi_subscription_t *)outside, &event, 1, &n),
           __wasi_poll_oneoff(&sub, (__wasi_event_t *)outside, 1, &n),
           __wasi_poll_oneoff(&sub, &event, 0x7fffffff, &n));
    sub.u.u.clock.id = 2;
    int no_clock = __wasi_poll_oneoff(&sub, &event, 1, &n);
    sub.u.tag = 3;
    int no_kind = __wasi_poll_oneoff(&sub, &event, 1, &n);
    printf("poll %d %d %d\n", no_clock, no_kind, __wasi_poll_oneoff(&sub, (__wasi_event_t *)&sub, 1, &n));
}

static void show_nan(void)
{
    volatile double zero = 0;
    double nan = zero / zero;
    uint64_t bits;
    memcpy(&bits, &nan, sizeof(bits));
    printf("nan %016llx\n", (unsigned long long)bits);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "wall") == 0)
            printf("wall %llu\n", now(__WASI_CLOCKID_REALTIME));
        else if (strcmp(argv[i], "monotonic") == 0)
            printf("monotonic %llu\n", now(__WASI_CLOCKID_MONOTONIC));
        else if (strcmp(argv[i], "resolution") == 0)
            printf("resolution %llu %llu\n", resolution(__WASI_CLOCKID_REALTIME),
                   resolution(__WASI_CLOCKID_MONOTONIC));
        else if (strcmp(argv[i], "random") == 0)
            show_random();
        else if (strcmp(argv[i], "waits") == 0)
            show_waits();
        else if (strcmp(argv[i], "poll") == 0)
            show_poll();
        else if (strcmp(argv[i], "refusals") == 0)
            show_refusals();
        else if (strcmp(argv[i], "more-refusals") == 0)
            show_more_refusals();
        else if (strcmp(argv[i], "nan") == 0)
            show_nan();
        else
            return 9;
    }
    return 0;
}
