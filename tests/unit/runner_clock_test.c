/* SPDX-License-Identifier: Apache-2.0 */
/* The time and the random numbers that guests are given. */
#include "runner/clock.h"
#include "runner/random.h"
#include "tests/unit/unit.h"

static void readings_are_multiples_and_never_go_back(void **state)
{
    (void)state;
    static const uint64_t resolutions[] = {1, 1000, 1000000, 7, 1000000000};
    for (size_t i = 0; i < ARRAY_LEN(resolutions); i++) {
        struct runner_clock c = runner_clock_real(resolutions[i]);
        uint64_t last = 0;
        for (int k = 0; k < 1000; k++) {
            uint64_t t = runner_clock_read(&c, RUNNER_CLOCK_MONOTONIC);
            assert_int_equal(t % resolutions[i], 0);
            assert_true(t >= last);
            last = t;
        }
        assert_int_equal(runner_clock_read(&c, RUNNER_CLOCK_WALL) % resolutions[i], 0);
    }
    struct runner_clock never = runner_clock_real(INT64_MAX);
    assert_int_equal(runner_clock_read(&never, RUNNER_CLOCK_MONOTONIC), 0);
    assert_int_equal(runner_clock_real(0).resolution, 1);
}

static void a_fixed_clock_moves_with_readings_alone(void **state)
{
    (void)state;
    struct runner_clock c = runner_clock_fixed(1000, 5);
    assert_int_equal(runner_clock_read(&c, RUNNER_CLOCK_WALL), 5000000000);
    assert_int_equal(runner_clock_read(&c, RUNNER_CLOCK_MONOTONIC), 1000);
    assert_int_equal(runner_clock_read(&c, RUNNER_CLOCK_WALL), 5000002000);
    runner_clock_pass(&c, RUNNER_CLOCK_MONOTONIC, 2000);
    assert_int_equal(runner_clock_read(&c, RUNNER_CLOCK_MONOTONIC), 3000);
    runner_clock_pass(&c, RUNNER_CLOCK_WALL, 6000000000);
    assert_int_equal(runner_clock_read(&c, RUNNER_CLOCK_MONOTONIC), 1000000000);
    runner_clock_pass(&c, RUNNER_CLOCK_WALL, 1);
    assert_int_equal(runner_clock_read(&c, RUNNER_CLOCK_MONOTONIC), 1000001000);
}

static void a_fixed_clock_ends_and_does_not_wrap(void **state)
{
    (void)state;
    struct runner_clock c = runner_clock_fixed(1U << 30, UINT64_MAX);
    uint64_t last = 0;
    runner_clock_pass(&c, RUNNER_CLOCK_MONOTONIC, UINT64_MAX - 5);
    for (int i = 0; i < 4; i++) {
        uint64_t wall = runner_clock_read(&c, RUNNER_CLOCK_WALL);
        assert_true(wall >= last);
        last = wall;
    }
    assert_true(runner_clock_read(&c, RUNNER_CLOCK_MONOTONIC) == UINT64_MAX);
}

/* RFC 8439, A.1, test vectors 1 and 2: key, nonce and then the counter are 0. */
static void random_numbers_are_chacha20s(void **state)
{
    (void)state;
    static const uint8_t first[] = {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90,
                                    0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28};
    static const uint8_t second[] = {0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a,
                                     0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d};
    struct runner_random r;
    uint8_t out[128];
    runner_random_seed(&r, 0);
    runner_random_fill(&r, out, sizeof(out));
    assert_memory_equal(out, first, sizeof(first));
    assert_memory_equal(out + 64, second, sizeof(second));
}

static void parts_are_the_same_bytes_and_seeds_others(void **state)
{
    (void)state;
    struct runner_random r;
    uint8_t whole[300], parts[300], other[300];
    runner_random_seed(&r, 1ULL << 40);
    runner_random_fill(&r, whole, sizeof(whole));
    runner_random_seed(&r, 1ULL << 40);
    for (size_t at = 0, n = 1; at < sizeof(parts); at += n, n = n * 3 % 97) {
        if (n > sizeof(parts) - at)
            n = sizeof(parts) - at;
        runner_random_fill(&r, parts + at, n);
    }
    assert_memory_equal(whole, parts, sizeof(whole));
    runner_random_seed(&r, 1);
    runner_random_fill(&r, other, sizeof(other));
    assert_memory_not_equal(whole, other, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_are_multiples_and_never_go_back),
        cmocka_unit_test(a_fixed_clock_moves_with_readings_alone),
        cmocka_unit_test(a_fixed_clock_ends_and_does_not_wrap),
        cmocka_unit_test(random_numbers_are_chacha20s),
        cmocka_unit_test(parts_are_the_same_bytes_and_seeds_others),
    };
    return cmocka_run_group_tests_name("runner/clock", tests, NULL, NULL);
}
