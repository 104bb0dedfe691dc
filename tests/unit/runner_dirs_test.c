/* SPDX-License-Identifier: Apache-2.0 */
/* Folders: read-only unless granted otherwise, and no way out of them. */
#include "tests/unit/runner_guest.h"

/* One operation of testdata/guests/files.c on the folder `granted`, which the guest calls /data. */
static struct ran operate(const struct scratch *s, bool writable, const char *op, const char *a,
                          const char *b)
{
    const char *const argv[] = {"files", op, a, b};
    const struct runner_dir dir = {scratch_path(s, "granted"), "/data", writable};
    const struct runner_grants g = {.argv = argv, .argc = b ? 4 : 3, .dirs = &dir, .n_dirs = 1};
    return guest_run_named("files", &g, scratch_path(s, "cache"));
}

static int fill(void **state)
{
    if (scratch_setup(state) != 0)
        return -1;
    struct scratch *s = *state;
    if (mkdir(scratch_path(s, "granted"), 0700) != 0 || mkdir(scratch_path(s, "granted/sub"), 0700) != 0 ||
        mkdir(scratch_path(s, "other"), 0700) != 0 ||
        symlink("../secret", scratch_path(s, "granted/relative-link")) != 0 ||
        symlink(scratch_path(s, "secret"), scratch_path(s, "granted/absolute-link")) != 0 ||
        symlink("..", scratch_path(s, "granted/up")) != 0 ||
        symlink("/", scratch_path(s, "granted/root")) != 0 ||
        symlink("file", scratch_path(s, "granted/inner-link")) != 0)
        return -1;
    scratch_write(s, "secret", BYTES_LIT("secret"));
    scratch_write(s, "granted/file", BYTES_LIT("content"));
    return 0;
}
#define folder_test(f) cmocka_unit_test_setup_teardown(f, fill, scratch_teardown)

static void files_can_be_read(void **state)
{
    struct scratch *s = *state;
    struct ran ran = operate(s, false, "read", "/data/file", NULL);
    assert_int_equal(ran.status, 0);
    assert_string_equal(ran.output, "content");
    ran = operate(s, false, "read", "/data/sub/../inner-link", NULL);
    assert_string_equal(ran.output, "content");
    ran = operate(s, false, "list", "/data", NULL);
    assert_int_equal(ran.status, 0);
    assert_non_null(strstr(ran.output, "file\n"));
}

static void read_only_means_nothing_changes(void **state)
{
    struct scratch *s = *state;
    static const char *const ops[][3] = {
        {"write", "/data/file", "x"},         {"write", "/data/new", "x"},
        {"append", "/data/file", "x"},        {"mkdir", "/data/dir", NULL},
        {"unlink", "/data/file", NULL},       {"rename", "/data/file", "/data/moved"},
        {"link", "/data/file", "/data/hard"}, {"symlink", "file", "/data/soft"},
    };
    size_t before = folder_count(scratch_path(s, "granted"));
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        assert_int_equal(operate(s, false, ops[i][0], ops[i][1], ops[i][2]).status, 1);
    assert_true(scratch_holds(s, "granted/file", BYTES_LIT("content")));
    assert_int_equal(folder_count(scratch_path(s, "granted")), before);
}

static void writable_folders_take_writes(void **state)
{
    struct scratch *s = *state;
    assert_int_equal(operate(s, true, "write", "/data/new", "fresh").status, 0);
    assert_true(scratch_holds(s, "granted/new", BYTES_LIT("fresh")));
    assert_int_equal(operate(s, true, "rename", "/data/new", "/data/sub/moved").status, 0);
    assert_int_equal(operate(s, true, "append", "/data/sub/moved", "er").status, 0);
    assert_true(scratch_holds(s, "granted/sub/moved", BYTES_LIT("fresher")));
    assert_int_equal(operate(s, true, "unlink", "/data/sub/moved", NULL).status, 0);
    assert_false(scratch_has(s, "granted/sub/moved"));
}

static void there_is_no_way_out(void **state)
{
    struct scratch *s = *state;
    static const char *const paths[] = {
        "/data/../secret",
        "/data/sub/../../secret",
        "/data/relative-link",
        "/data/absolute-link",
        "/data/up/secret",
        "/data/up/../secret",
        "/etc/passwd",
        "/data/root/etc/passwd",
        "/data/up/",
        "/data/root/",
        "secret",
        "../secret",
        "/data/./../secret",
        "/data//..//secret",
    };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        for (int writable = 0; writable < 2; writable++) {
            struct ran ran = operate(s, writable, "read", paths[i], NULL);
            assert_int_equal(ran.status, 1);
            assert_null(strstr(ran.output, "secret\n"));
            assert_int_equal(operate(s, writable, "write", paths[i], "x").status, 1);
            assert_int_equal(operate(s, writable, "list", paths[i], NULL).status, 1);
        }
    }
    assert_int_equal(operate(s, true, "write", "/data/../other/new", "x").status, 1);
    assert_int_equal(operate(s, true, "rename", "/data/file", "/data/../other/file").status, 1);
    assert_int_equal(operate(s, true, "rename", "/data/up/secret", "/data/taken").status, 1);
    assert_int_equal(operate(s, true, "link", "/data/up/secret", "/data/taken").status, 1);
    assert_true(scratch_holds(s, "secret", BYTES_LIT("secret")));
    assert_int_equal(folder_count(scratch_path(s, "other")), 0);
}

/* A link that the guest makes itself leads nowhere either. */
static void a_link_made_by_the_guest_leads_nowhere(void **state)
{
    struct scratch *s = *state;
    (void)operate(s, true, "symlink", "../secret", "/data/own");
    assert_int_equal(operate(s, true, "read", "/data/own", NULL).status, 1);
    (void)operate(s, true, "symlink", "/", "/data/top");
    assert_int_equal(operate(s, true, "list", "/data/top/", NULL).status, 1);
}

static void nothing_granted_is_nothing_reached(void **state)
{
    (void)state;
    const char *const argv[] = {"files", "read", "/etc/passwd"}, *const here[] = {"files", "list", "."};
    assert_int_equal(guest_run_named("files", &(struct runner_grants){.argv = argv, .argc = 3}, NULL).status,
                     1);
    assert_int_equal(guest_run_named("files", &(struct runner_grants){.argv = here, .argc = 3}, NULL).status,
                     1);
}

static void two_folders_keep_their_own_rights(void **state)
{
    struct scratch *s = *state;
    char granted[PATH_MAX], other[PATH_MAX];
    (void)snprintf(granted, sizeof(granted), "%s/granted", s->path);
    (void)snprintf(other, sizeof(other), "%s/other", s->path);
    const struct runner_dir dirs[] = {{granted, "/in", false}, {other, "/out", true}};
    const char *const out[] = {"files", "write", "/out/new", "x"}, *const in[] = {"files", "write", "/in/new",
                                                                                  "x"};
    struct runner_grants g = {.argv = out, .argc = 4, .dirs = dirs, .n_dirs = 2};
    assert_int_equal(guest_run_named("files", &g, NULL).status, 0);
    g.argv = in;
    assert_int_equal(guest_run_named("files", &g, NULL).status, 1);
    assert_true(scratch_holds(s, "other/new", BYTES_LIT("x")));
}

static void folders_that_cannot_be_granted(void **state)
{
    struct scratch *s = *state;
    const struct runner_dir missing = {"/nonexistent/folder", "/data", false},
                            file = {scratch_path(s, "secret"), "/data", false},
                            magic = {"/proc/self/cwd", "/data", false};
    const struct runner_dir twice[] = {{".", "/data", false}, {"/", "/data", true}};
    assert_int_equal(
        guest_run_named("trap", &(struct runner_grants){.dirs = &missing, .n_dirs = 1}, NULL).code,
        ERR_NOTFOUND);
    assert_int_equal(guest_run_named("trap", &(struct runner_grants){.dirs = &file, .n_dirs = 1}, NULL).code,
                     ERR_IO);
    assert_int_equal(guest_run_named("trap", &(struct runner_grants){.dirs = &magic, .n_dirs = 1}, NULL).code,
                     ERR_IO);
    assert_int_equal(guest_run_named("trap", &(struct runner_grants){.dirs = twice, .n_dirs = 2}, NULL).code,
                     ERR_USAGE);
}

/* The link is the user's own word; what it names at the start is what is granted. */
static void a_link_as_host_is_followed_once(void **state)
{
    struct scratch *s = *state;
    char link[PATH_MAX];
    (void)snprintf(link, sizeof(link), "%s/link", s->path);
    assert_int_equal(symlink("granted", link), 0);
    const char *const argv[] = {"files", "read", "/data/file"};
    const struct runner_dir dir = {link, "/data", false};
    const struct runner_grants g = {.argv = argv, .argc = 3, .dirs = &dir, .n_dirs = 1};
    assert_string_equal(guest_run_named("files", &g, NULL).output, "content");
    const char *const out[] = {"files", "read", "/data/../secret"};
    const struct runner_grants up = {.argv = out, .argc = 3, .dirs = &dir, .n_dirs = 1};
    assert_int_equal(guest_run_named("files", &up, NULL).status, 1);
}

static void dots_in_host_name_another_folder_and_no_more(void **state)
{
    struct scratch *s = *state;
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/granted/sub/..", s->path);
    const char *const in[] = {"files", "read", "/data/file"}, *const out[] = {"files", "read",
                                                                              "/data/../secret"};
    const struct runner_dir dir = {path, "/data", false};
    struct runner_grants g = {.argv = in, .argc = 3, .dirs = &dir, .n_dirs = 1};
    assert_string_equal(guest_run_named("files", &g, NULL).output, "content");
    g.argv = out;
    assert_int_equal(guest_run_named("files", &g, NULL).status, 1);
}

/* Rights go with the name that is used: a writable folder in a read-only one, and the other way round. */
static void folders_in_one_another_keep_their_own_rights(void **state)
{
    struct scratch *s = *state;
    char outer[PATH_MAX], inner[PATH_MAX];
    (void)snprintf(outer, sizeof(outer), "%s/granted", s->path);
    (void)snprintf(inner, sizeof(inner), "%s/granted/sub", s->path);
    for (int inner_writable = 0; inner_writable < 2; inner_writable++) {
        const struct runner_dir dirs[] = {{outer, "/outer", !inner_writable},
                                          {inner, "/inner", inner_writable}};
        const char *const by_inner[] = {"files", "write", "/inner/new", "x"}, *const by_outer[] = {
                                                                                  "files", "write",
                                                                                  "/outer/sub/new", "x"};
        struct runner_grants g = {.argv = by_inner, .argc = 4, .dirs = dirs, .n_dirs = 2};
        assert_int_equal(guest_run_named("files", &g, NULL).status, !inner_writable);
        g.argv = by_outer;
        assert_int_equal(guest_run_named("files", &g, NULL).status, inner_writable);
    }
}

static void folders_of_the_kernel_need_a_word_more(void **state)
{
    (void)state;
    static const char *const hosts[] = {"/proc", "/proc/self", "/", "/proc/../proc/self"};
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        const char *const argv[] = {"files", "read", "/data/nothing"};
        const struct runner_dir dir = {hosts[i], "/data", false};
        struct runner_grants g = {.argv = argv, .argc = 3, .dirs = &dir, .n_dirs = 1};
        struct ran ran = guest_run_named("files", &g, NULL);
        assert_int_equal(ran.code, ERR_USAGE);
        assert_non_null(strstr(ran.text, "it shows the kernel and all processes"));
        g.kernel_dirs = true;
        ran = guest_run_named("files", &g, NULL);
        assert_int_equal(ran.code, 0);
        assert_int_equal(ran.status, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(files_can_be_read),
        folder_test(read_only_means_nothing_changes),
        folder_test(writable_folders_take_writes),
        folder_test(there_is_no_way_out),
        folder_test(a_link_made_by_the_guest_leads_nowhere),
        folder_test(nothing_granted_is_nothing_reached),
        folder_test(two_folders_keep_their_own_rights),
        folder_test(folders_that_cannot_be_granted),
        folder_test(a_link_as_host_is_followed_once),
        folder_test(dots_in_host_name_another_folder_and_no_more),
        folder_test(folders_in_one_another_keep_their_own_rights),
        folder_test(folders_of_the_kernel_need_a_word_more),
    };
    int failed = cmocka_run_group_tests_name("runner/dirs", tests, NULL, NULL);
    guest_options.sandbox = RUNNER_SANDBOX_AUTO;
    return failed + cmocka_run_group_tests_name("runner/dirs in the sandbox", tests, NULL, NULL);
}
