/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled code on disk: what is not exactly what was written under that key is never given out. */
#include "runner/cache.h"

#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <time.h>

#define KEY BYTES_LIT("module sha256:00 engine 1")
#define CODE         \
    BYTES_LIT("\x7f" \
              "ELF compiled code")

static void open_cache(struct scratch *s, struct runner_cache *c)
{
    struct err e = ERR_INIT;
    assert_ok(runner_cache_open(scratch_path(s, "cache"), 0, c, &e));
}

/* The name of the only entry, relative to the scratch folder. */
static const char *entry_of(struct scratch *s)
{
    static char name[512];
    DIR *d = opendir(scratch_path(s, "cache"));
    assert_non_null(d);
    for (struct dirent *at; (at = readdir(d));)
        if (strlen(at->d_name) == 2 * HASH_SHA256_LEN)
            (void)snprintf(name, sizeof(name), "cache/%s", at->d_name);
    (void)closedir(d);
    return name;
}

static size_t load(struct scratch *s, const char *name, uint8_t *to, size_t cap)
{
    int fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, to, cap);
    assert_true(n > 0);
    (void)close(fd);
    return (size_t)n;
}

/* When there is an entry it must be `want`, and the copy that is given out must be fixed for good. */
static int get(const struct runner_cache *c, struct bytes key, struct bytes want)
{
    struct err e = ERR_INIT;
    uint8_t got[256];
    int fd = -1, r = runner_cache_get(c, key, &fd, &e);
    if (r != 0) {
        assert_int_equal(fd, -1);
        return r;
    }
    ssize_t n = pread(fd, got, sizeof(got), 0);
    assert_true(n >= 0 && bytes_eq(bytes_of(got, (size_t)n), want));
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(fd, 1), -1);
    (void)close(fd);
    return 0;
}

static void gives_back_what_was_put(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    struct stat st;
    size_t fds = open_fds();
    open_cache(s, &c);
    assert_int_equal(get(&c, KEY, CODE), ERR_NOTFOUND);
    assert_ok(runner_cache_put(&c, KEY, CODE, &e));
    assert_int_equal(get(&c, KEY, CODE), 0);
    assert_int_equal(get(&c, BYTES_LIT("another key"), CODE), ERR_NOTFOUND);
    assert_ok(runner_cache_put(&c, KEY, BYTES_LIT("newer"), &e));
    assert_int_equal(get(&c, KEY, BYTES_LIT("newer")), 0);
    assert_ok(runner_cache_put(&c, BYTES_LIT("nothing"), BYTES_NONE, &e));
    assert_int_equal(get(&c, BYTES_LIT("nothing"), BYTES_NONE), 0);
    runner_cache_done(&c);
    open_cache(s, &c);
    assert_int_equal(get(&c, KEY, BYTES_LIT("newer")), 0);
    runner_cache_done(&c);
    assert_int_equal(stat(scratch_path(s, "cache"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(scratch_path(s, "cache/key"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, RUNNER_CACHE_KEY);
    assert_int_equal(open_fds(), fds);
}

static void every_flipped_byte_is_seen(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    uint8_t whole[256];
    open_cache(s, &c);
    assert_ok(runner_cache_put(&c, KEY, CODE, &e));
    size_t size = load(s, entry_of(s), whole, sizeof(whole));
    assert_int_equal(size, RUNNER_CACHE_HEAD + KEY.len + CODE.len);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        whole[bit / 8] ^= (uint8_t)(1U << bit % 8);
        scratch_write(s, entry_of(s), bytes_of(whole, size));
        assert_int_equal(get(&c, KEY, CODE), ERR_FORMAT);
        whole[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    scratch_write(s, entry_of(s), bytes_of(whole, size));
    assert_int_equal(get(&c, KEY, CODE), 0);
    runner_cache_done(&c);
}

static void shorter_and_longer_are_seen(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    uint8_t whole[256];
    open_cache(s, &c);
    assert_ok(runner_cache_put(&c, KEY, CODE, &e));
    size_t size = load(s, entry_of(s), whole, sizeof(whole));
    for (size_t n = 0; n < size; n++) {
        scratch_write(s, entry_of(s), bytes_of(whole, n));
        assert_int_equal(get(&c, KEY, CODE), n < RUNNER_CACHE_HEAD ? ERR_LIMIT : ERR_FORMAT);
    }
    whole[size] = 0;
    scratch_write(s, entry_of(s), bytes_of(whole, size + 1));
    assert_int_equal(get(&c, KEY, CODE), ERR_FORMAT);
    runner_cache_done(&c);
}

/* A good entry of one key in the place of another's. */
static void a_swapped_entry_is_seen(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    uint8_t whole[256];
    char first[512];
    open_cache(s, &c);
    assert_ok(runner_cache_put(&c, KEY, CODE, &e));
    (void)snprintf(first, sizeof(first), "%s", entry_of(s));
    size_t size = load(s, first, whole, sizeof(whole));
    assert_int_equal(unlinkat(s->fd, first, 0), 0);
    assert_ok(runner_cache_put(&c, BYTES_LIT("another key"), BYTES_LIT("other code"), &e));
    scratch_write(s, entry_of(s), bytes_of(whole, size));
    assert_int_equal(get(&c, BYTES_LIT("another key"), CODE), ERR_FORMAT);
    runner_cache_done(&c);
}

static void another_users_key_makes_entries_worthless(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    uint8_t key[RUNNER_CACHE_KEY] = {1};
    open_cache(s, &c);
    assert_ok(runner_cache_put(&c, KEY, CODE, &e));
    runner_cache_done(&c);
    scratch_write(s, "cache/key", BYTES_ARR(key));
    open_cache(s, &c);
    assert_int_equal(get(&c, KEY, CODE), ERR_FORMAT);
    runner_cache_done(&c);
}

static void a_bad_key_file_is_refused(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    open_cache(s, &c);
    runner_cache_done(&c);
    assert_int_equal(chmod(scratch_path(s, "cache/key"), 0640), 0);
    assert_fails(runner_cache_open(scratch_path(s, "cache"), 0, &c, &e), ERR_CONFIG);
    assert_int_equal(chmod(scratch_path(s, "cache/key"), 0600), 0);
    scratch_write(s, "cache/key", BYTES_LIT("short"));
    assert_fails(runner_cache_open(scratch_path(s, "cache"), 0, &c, &e), ERR_CONFIG);
    scratch_write(s, "cache/key", BYTES_NONE);
    assert_fails(runner_cache_open(scratch_path(s, "cache"), 0, &c, &e), ERR_CONFIG);
    assert_int_equal(unlink(scratch_path(s, "cache/key")), 0);
    scratch_write(s, "elsewhere", BYTES_LIT("0123456789abcdef0123456789abcdef"));
    assert_int_equal(chmod(scratch_path(s, "elsewhere"), 0600), 0);
    assert_int_equal(symlink("../elsewhere", scratch_path(s, "cache/key")), 0);
    assert_fails(runner_cache_open(scratch_path(s, "cache"), 0, &c, &e), ERR_IO);
}

static void an_entry_that_is_no_file_of_ours_is_refused(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    char name[512];
    open_cache(s, &c);
    assert_ok(runner_cache_put(&c, KEY, CODE, &e));
    (void)snprintf(name, sizeof(name), "%s", entry_of(s));
    assert_int_equal(chmod(scratch_path(s, name), 0666), 0);
    assert_int_equal(get(&c, KEY, CODE), ERR_CONFIG);
    assert_int_equal(chmod(scratch_path(s, name), 0600), 0);
    assert_int_equal(rename(scratch_path(s, name), scratch_path(s, "moved")), 0);
    assert_int_equal(symlink("../moved", scratch_path(s, name)), 0);
    assert_int_equal(get(&c, KEY, CODE), ERR_IO);
    assert_ok(runner_cache_put(&c, KEY, CODE, &e)); /* takes the link's place, leaves its target alone */
    assert_int_equal(get(&c, KEY, CODE), 0);
    assert_true(scratch_has(s, "moved"));
    assert_int_equal(unlink(scratch_path(s, name)), 0);
    assert_int_equal(mkdir(scratch_path(s, name), 0700), 0);
    assert_int_equal(get(&c, KEY, CODE), ERR_IO);
    assert_int_equal(runner_cache_put(&c, KEY, CODE, &e), ERR_IO);
    assert_int_equal(folder_count(scratch_path(s, "cache")), 2); /* no temporary file stays */
    assert_int_equal(rmdir(scratch_path(s, name)), 0);
    assert_int_equal(mkfifo(scratch_path(s, name), 0600), 0);
    assert_int_equal(get(&c, KEY, CODE), ERR_IO);
    runner_cache_done(&c);
}

static void somebody_elses_files_are_refused(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    if (geteuid() != 0)
        skip_because("only root can give files away");
    open_cache(s, &c);
    assert_ok(runner_cache_put(&c, KEY, CODE, &e));
    assert_int_equal(chown(scratch_path(s, entry_of(s)), 1, 1), 0);
    assert_int_equal(get(&c, KEY, CODE), ERR_CONFIG);
    runner_cache_done(&c);
    assert_int_equal(chown(scratch_path(s, "cache/key"), 1, 1), 0);
    assert_fails(runner_cache_open(scratch_path(s, "cache"), 0, &c, &e), ERR_CONFIG);
    assert_int_equal(chown(scratch_path(s, "cache"), 1, 1), 0);
    assert_fails(runner_cache_open(scratch_path(s, "cache"), 0, &c, &e), ERR_CONFIG);
}

static void a_folder_open_to_others_is_refused(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    assert_int_equal(mkdir(scratch_path(s, "cache"), 0700), 0);
    assert_int_equal(chmod(scratch_path(s, "cache"), 0777), 0);
    assert_fails(runner_cache_open(scratch_path(s, "cache"), 0, &c, &e), ERR_CONFIG);
    assert_int_equal(chmod(scratch_path(s, "cache"), 0700), 0);
    assert_int_equal(symlink("cache", scratch_path(s, "link")), 0);
    assert_true(runner_cache_open(scratch_path(s, "link"), 0, &c, &e) != 0);
    scratch_write(s, "file", BYTES_LIT("x"));
    assert_true(runner_cache_open(scratch_path(s, "file"), 0, &c, &e) != 0);
    assert_true(runner_cache_open(scratch_path(s, "file/cache"), 0, &c, &e) != 0);
}

/* Puts and gets for a while; what it gets must be one of the two codes, whole. */
static int write_and_read(const char *dir, uint8_t fill)
{
    static uint8_t code[20000];
    struct err e = ERR_INIT;
    struct runner_cache c;
    if (runner_cache_open(dir, 0, &c, &e) != 0)
        return 10;
    memset(code, fill, sizeof(code));
    for (int i = 0; i < 50; i++) {
        int fd;
        struct stat st;
        uint8_t first, last;
        if (runner_cache_put(&c, KEY, BYTES_ARR(code), &e) != 0)
            return 11;
        if (runner_cache_get(&c, KEY, &fd, &e) != 0)
            return 12;
        if (fstat(fd, &st) != 0 || st.st_size != sizeof(code) || pread(fd, &first, 1, 0) != 1 ||
            pread(fd, &last, 1, sizeof(code) - 1) != 1 || first != last)
            return 13;
        (void)close(fd);
    }
    runner_cache_done(&c);
    return 0;
}

static void processes_do_not_disturb_each_other(void **state)
{
    struct scratch *s = *state;
    pid_t pids[4];
    struct runner_cache c;
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0)
            _exit(write_and_read(scratch_path(s, "cache"), (uint8_t)i));
    }
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    open_cache(s, &c);
    assert_int_equal(folder_count(scratch_path(s, "cache")), 2);
    runner_cache_done(&c);
}

#define ENTRY_SIZE (RUNNER_CACHE_HEAD + 5 + 1000)

/* Entry i of some of one size, last used `age` seconds ago. */
static void put_aged(struct scratch *s, const struct runner_cache *c, unsigned i, time_t age)
{
    static const uint8_t code[1000];
    struct err e = ERR_INIT;
    struct digest d;
    char key[16], hex[DIGEST_STR_MAX], name[512];
    const struct timespec then = {.tv_sec = time(NULL) - age};
    const struct timespec times[2] = {then, then};
    (void)snprintf(key, sizeof(key), "key %u", i);
    assert_ok(runner_cache_put(c, bytes_str(key), BYTES_ARR(code), &e));
    assert_ok(hash_bytes(HASH_SHA256, bytes_str(key), &d, &e));
    (void)snprintf(name, sizeof(name), "cache/%s", digest_hex(&d, hex));
    assert_int_equal(utimensat(s->fd, name, times, 0), 0);
}

static bool has(const struct runner_cache *c, unsigned i)
{
    char key[16];
    struct err e = ERR_INIT;
    int fd = -1;
    (void)snprintf(key, sizeof(key), "key %u", i);
    int r = runner_cache_get(c, bytes_str(key), &fd, &e);
    if (r == 0)
        (void)close(fd);
    else
        assert_int_equal(r, ERR_NOTFOUND);
    return r == 0;
}

static void what_was_not_used_for_longest_goes(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    static const uint8_t large[5 * ENTRY_SIZE];
    assert_ok(runner_cache_open(scratch_path(s, "cache"), 4 * ENTRY_SIZE, &c, &e));
    for (unsigned i = 0; i < 4; i++)
        put_aged(s, &c, i, 40000 - 10000 * (time_t)i);
    assert_true(has(&c, 0)); /* and so it is the one that was used last */
    put_aged(s, &c, 4, 5000);
    assert_int_equal(folder_count(scratch_path(s, "cache")), 1 + 4);
    assert_true(has(&c, 0) && !has(&c, 1) && has(&c, 4));
    assert_int_equal(runner_cache_put(&c, KEY, BYTES_ARR(large), &e), ERR_LIMIT);
    assert_true(has(&c, 0) && has(&c, 2) && has(&c, 3) && has(&c, 4));
    c.max = 2 * ENTRY_SIZE;
    put_aged(s, &c, 5, 0);
    assert_int_equal(folder_count(scratch_path(s, "cache")), 1 + 2);
    assert_true(has(&c, 5));
    runner_cache_done(&c);
}

/* Whoever has the code goes on with it. */
static void one_that_is_read_is_not_harmed(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    uint8_t got[64];
    int fd = -1;
    open_cache(s, &c);
    assert_ok(runner_cache_put(&c, KEY, CODE, &e));
    assert_ok(runner_cache_get(&c, KEY, &fd, &e));
    assert_ok(runner_cache_trim(c.dirfd, 0, &e));
    assert_int_equal(get(&c, KEY, CODE), ERR_NOTFOUND);
    assert_int_equal(pread(fd, got, sizeof(got), 0), CODE.len);
    assert_memory_equal(got, CODE.ptr, CODE.len);
    (void)close(fd);
    runner_cache_done(&c);
}

/* Neither the key nor what is not ours goes, nor a file that somebody may be writing at. */
static void what_was_left_behind_is_swept(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    const struct timespec old[2] = {{.tv_sec = time(NULL) - 86400}, {.tv_sec = time(NULL) - 86400}};
    open_cache(s, &c);
    scratch_write(s, "cache/.waybill-01234567.tmp", BYTES_LIT("half an entry"));
    scratch_write(s, "cache/.waybill-89abcdef.tmp", BYTES_LIT("half an entry"));
    scratch_write(s, "cache/.other", BYTES_LIT("x"));
    scratch_write(s, "cache/other", BYTES_LIT("x"));
    assert_int_equal(utimensat(s->fd, "cache/.waybill-01234567.tmp", old, 0), 0);
    assert_int_equal(utimensat(s->fd, "cache/.other", old, 0), 0);
    assert_ok(runner_cache_put(&c, KEY, CODE, &e));
    assert_false(scratch_has(s, "cache/.waybill-01234567.tmp"));
    assert_true(scratch_has(s, "cache/.waybill-89abcdef.tmp"));
    assert_ok(runner_cache_trim(c.dirfd, 0, &e));
    assert_true(scratch_has(s, "cache/.other") && scratch_has(s, "cache/other") &&
                scratch_has(s, "cache/key"));
    assert_int_equal(get(&c, KEY, CODE), ERR_NOTFOUND);
    runner_cache_done(&c);
}

static void an_entry_says_what_it_is(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    AUTO_DONE(buf) text = BUF_INIT(RUNNER_CACHE_TEXT);
    open_cache(s, &c);
    assert_ok(runner_cache_put(&c, KEY, CODE, &e));
    assert_ok(runner_cache_read_text(c.dirfd, entry_of(s) + 6, &text, &e));
    assert_true(bytes_eq(buf_bytes(&text), KEY));
    scratch_write(s, entry_of(s), BYTES_LIT("WBCODE1\nwhat another version wrote, longer than a head is"));
    assert_fails(runner_cache_read_text(c.dirfd, entry_of(s) + 6, &text, &e), ERR_FORMAT);
    runner_cache_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(gives_back_what_was_put),
        scratch_test(every_flipped_byte_is_seen),
        scratch_test(shorter_and_longer_are_seen),
        scratch_test(a_swapped_entry_is_seen),
        scratch_test(another_users_key_makes_entries_worthless),
        scratch_test(a_bad_key_file_is_refused),
        scratch_test(an_entry_that_is_no_file_of_ours_is_refused),
        scratch_test(somebody_elses_files_are_refused),
        scratch_test(a_folder_open_to_others_is_refused),
        scratch_test(processes_do_not_disturb_each_other),
        scratch_test(what_was_not_used_for_longest_goes),
        scratch_test(one_that_is_read_is_not_harmed),
        scratch_test(what_was_left_behind_is_swept),
        scratch_test(an_entry_says_what_it_is),
    };
    return cmocka_run_group_tests_name("runner/cache", tests, NULL, NULL);
}
