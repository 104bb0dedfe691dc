/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/mounts.h"
#include "tests/unit/unit.h"

static void lines(void **state)
{
    (void)state;
    static const char proc[] = "36 35 0:4 / /a/proc rw,nosuid shared:1 - proc proc rw\n";
    static const char odd[] = "36 35 0:4 / /a\\040b\\134 rw - sysfs none rw\n";
    static const char plain[] = "36 35 98:0 /proc /a/proc rw - ext4 /dev/sda1 rw\n";
    static const char named[] = "36 35 98:0 / /proc rw - ext4 proc rw\n",
                      longer[] = "1 2 0:4 / /p rw - procx x rw\n";
    static const struct {
        const char *line, *folder, *where; /* where: NULL: not one */
    } cases[] = {
        {proc, "/", "/a/proc"},    {proc, "/a", "/a/proc"}, {proc, "/a/proc", "/a/proc"},
        {proc, "/a/p", NULL},      {proc, "/b", NULL},      {proc, "/a/proc/self", NULL},
        {odd, "/a b\\", "/a b\\"}, {odd, "/a", NULL},       {plain, "/", NULL},
        {named, "/", NULL},        {longer, "/", NULL},     {"", "/", NULL},
        {"1 2 3", "/", NULL},      {" - proc", "/", NULL},  {"1 2 3 4 /x - ", "/", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char where[RUNNER_MOUNT_MAX];
        bool found = runner_mounts_line(cases[i].line, cases[i].folder, where);
        if (found != (cases[i].where != NULL))
            print_message("# %s in %s\n", cases[i].line, cases[i].folder);
        assert_int_equal(found, cases[i].where != NULL);
        if (found)
            assert_string_equal(where, cases[i].where);
    }
}

static void a_long_point_is_cut_by_nobody(void **state)
{
    (void)state;
    static char line[3 * RUNNER_MOUNT_MAX], where[RUNNER_MOUNT_MAX];
    (void)snprintf(line, sizeof(line), "1 2 3 4 /%0*d rw - proc proc rw\n", RUNNER_MOUNT_MAX, 0);
    assert_false(runner_mounts_line(line, "/", where));
}

static void folders_of_this_machine(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool kernel;
    } cases[] = {{"/proc", true}, {"/proc/self", true}, {"/", true}, {"/usr", false}, {"tests", false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        char where[RUNNER_MOUNT_MAX];
        bool kernel = !cases[i].kernel;
        AUTO_FD int fd = open(cases[i].path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(runner_mounts_kernel(fd, &kernel, where, &e), 0);
        assert_int_equal(kernel, cases[i].kernel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(a_long_point_is_cut_by_nobody),
        cmocka_unit_test(folders_of_this_machine),
    };
    return cmocka_run_group_tests_name("runner/mounts", tests, NULL, NULL);
}
