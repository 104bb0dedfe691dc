/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define JOBS 1000U

struct jobs {
    atomic_uint calls[JOBS];
    atomic_uint running, most;
    pthread_t caller;
    atomic_uint elsewhere; /* jobs that another thread than the caller's had */
    unsigned fail_at;      /* and every job that divides by it; 0: none */
    unsigned slow_at;      /* 1 + the number of a job that takes long */
};

static int job(void *ctx, size_t i, struct err *e)
{
    struct jobs *j = ctx;
    const struct timespec little = {.tv_nsec = 200000}, long_time = {.tv_nsec = 100 * 1000000};
    unsigned now = atomic_fetch_add(&j->running, 1) + 1, most = atomic_load(&j->most);
    while (now > most && !atomic_compare_exchange_weak(&j->most, &most, now))
        ;
    (void)atomic_fetch_add(&j->calls[i], 1);
    if (!pthread_equal(pthread_self(), j->caller))
        (void)atomic_fetch_add(&j->elsewhere, 1);
    (void)nanosleep(i + 1 == j->slow_at ? &long_time : &little, NULL);
    (void)atomic_fetch_sub(&j->running, 1);
    if (j->fail_at && i % j->fail_at == 0 && i)
        return err_set(e, ERR_NETWORK, "job %zu", i);
    return 0;
}

static unsigned called(const struct jobs *j)
{
    unsigned n = 0;
    for (size_t i = 0; i < JOBS; i++) {
        assert_true(j->calls[i] <= 1);
        n += j->calls[i];
    }
    return n;
}

static void each_job_once(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 2, 8, 16, 1000};
    for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
        struct jobs j = {.caller = pthread_self()};
        struct err e = ERR_INIT;
        assert_ok(parallel_run(JOBS, widths[i], job, &j, &e));
        assert_int_equal(called(&j), JOBS);
        assert_true(j.most <= widths[i] && j.most <= 16);
        assert_int_equal(e.code, 0);
    }
}

static void several_at_once(void **state)
{
    (void)state;
    struct jobs j = {.caller = pthread_self()};
    struct err e = ERR_INIT;
    assert_ok(parallel_run(JOBS, 4, job, &j, &e));
    assert_true(j.most > 1 && j.most <= 4);
    assert_true(j.elsewhere > 0 && j.elsewhere < JOBS);
}

static void none_and_one(void **state)
{
    (void)state;
    struct jobs j = {.caller = pthread_self()};
    struct err e = ERR_INIT;
    assert_ok(parallel_run(0, 8, job, &j, &e));
    assert_int_equal(called(&j), 0);
    assert_ok(parallel_run(1, 8, job, &j, &e));
    assert_int_equal(called(&j), 1);
    assert_int_equal(j.elsewhere, 0);
}

/* In their order, on the caller's thread, and none after the one that failed. */
static void width_one(void **state)
{
    (void)state;
    struct jobs j = {.caller = pthread_self(), .fail_at = 7};
    struct err e = ERR_INIT;
    assert_fails(parallel_run(JOBS, 1, job, &j, &e), ERR_NETWORK);
    assert_string_equal(e.msg, "job 7");
    assert_int_equal(called(&j), 8);
    assert_int_equal(j.most, 1);
    assert_int_equal(j.elsewhere, 0);
}

/* Jobs 3, 6 and 9 may all have started; whichever ended first, the failure is that of 3. */
static void lowest_failure(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        struct jobs j = {.caller = pthread_self(), .fail_at = 3, .slow_at = round % 2 ? 4 : 0};
        struct err e = ERR_INIT;
        assert_fails(parallel_run(JOBS, 8, job, &j, &e), ERR_NETWORK);
        assert_string_equal(e.msg, "job 3");
        assert_int_equal(j.running, 0);
    }
}

static void none_after_a_failure(void **state)
{
    (void)state;
    struct jobs j = {.caller = pthread_self(), .fail_at = 100};
    struct err e = ERR_INIT;
    assert_fails(parallel_run(JOBS, 8, job, &j, &e), ERR_NETWORK);
    assert_string_equal(e.msg, "job 100");
    for (size_t i = 0; i <= 100; i++)
        assert_int_equal(j.calls[i], 1);
    assert_true(called(&j) < 300); /* those that had started, with a wide margin for a busy machine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_job_once),  cmocka_unit_test(several_at_once),
        cmocka_unit_test(none_and_one),   cmocka_unit_test(width_one),
        cmocka_unit_test(lowest_failure), cmocka_unit_test(none_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
