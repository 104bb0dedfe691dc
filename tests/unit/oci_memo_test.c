/* SPDX-License-Identifier: Apache-2.0 */
/* Memos: what is kept comes back to its key alone, until it expires; damage and foreign files are absence. */
#include "oci/memo.h"

#include "base/limits.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>

#define NOW 1000

/* What is kept for the key "k", or "" when there is nothing. */
static const char *kept(const struct scratch *s, const char *kind, const char *key, time_t now)
{
    static char text[64];
    struct err e = ERR_INIT;
    AUTO_DONE(buf) out = BUF_SECRET_INIT(LIMIT_MEMO);
    int r = oci_memo_get(s->path, kind, key, now, &out, &e);
    assert_true(r == 0 || r == ERR_NOTFOUND);
    if (r)
        assert_int_equal(out.len, 0);
    (void)snprintf(text, sizeof(text), "%s", buf_cstr(&out));
    return text;
}

/* The path of the only memo of a kind. */
static const char *only(const struct scratch *s, const char *kind)
{
    static char path[PATH_MAX];
    char name[PATH_MAX] = "";
    DIR *d = opendir(scratch_path(s, kind));
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));)
        if (entry->d_name[0] != '.')
            (void)snprintf(name, sizeof(name), "%s", entry->d_name);
    (void)closedir(d);
    assert_true(*name);
    assert_true(snprintf(path, sizeof(path), "%s/%s/%s", s->path, kind, name) < PATH_MAX);
    return path;
}

static void kept_until_it_expires(void **state)
{
    const struct scratch *s = *state;
    struct stat st;
    oci_memo_put(s->path, "token", "k", "value", NOW + 10);
    assert_string_equal(kept(s, "token", "k", NOW), "value");
    assert_string_equal(kept(s, "token", "k", NOW + 9), "value");
    assert_string_equal(kept(s, "token", "k", NOW + 10), "");
    assert_int_equal(stat(only(s, "token"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(scratch_path(s, "token"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void another_key_or_kind_has_none(void **state)
{
    const struct scratch *s = *state;
    oci_memo_put(s->path, "token", "k", "value", NOW + 10);
    assert_string_equal(kept(s, "token", "other", NOW), "");
    assert_string_equal(kept(s, "challenge", "k", NOW), "");
    /* a file under the name of another key, as a collision of hashes would be */
    char from[PATH_MAX];
    (void)snprintf(from, sizeof(from), "%s", only(s, "token"));
    oci_memo_put(s->path, "second", "other", "x", NOW + 10);
    assert_int_equal(rename(from, only(s, "second")), 0);
    assert_string_equal(kept(s, "second", "other", NOW), "");
}

static void replaced_dropped_cleared(void **state)
{
    const struct scratch *s = *state;
    oci_memo_put(s->path, "token", "k", "one", NOW + 10);
    oci_memo_put(s->path, "token", "k", "two", NOW + 10);
    assert_string_equal(kept(s, "token", "k", NOW), "two");
    assert_int_equal(folder_count(scratch_path(s, "token")), 1);
    oci_memo_put(s->path, "token", "l", "three", NOW + 10);
    oci_memo_drop(s->path, "token", "k");
    assert_string_equal(kept(s, "token", "k", NOW), "");
    assert_string_equal(kept(s, "token", "l", NOW), "three");
    oci_memo_put(s->path, "other", "k", "stays", NOW + 10);
    oci_memo_clear(s->path, "token");
    assert_string_equal(kept(s, "token", "l", NOW), "");
    assert_string_equal(kept(s, "other", "k", NOW), "stays");
    oci_memo_clear(s->path, "none");
    oci_memo_clear(NULL, "token");
    oci_memo_drop(NULL, "token", "k");
}

static void not_kept(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) out = BUF_INIT(LIMIT_MEMO);
    char *large = calloc(1, LIMIT_MEMO + 2);
    assert_non_null(large);
    memset(large, 'x', LIMIT_MEMO + 1);
    oci_memo_put(s->path, "token", "k", large, NOW + 10);
    free(large);
    oci_memo_put(s->path, "token", "k", "no time", 0);
    oci_memo_put(NULL, "token", "k", "nowhere", NOW);
    assert_int_equal(folder_count(s->path), 0);
    assert_fails(oci_memo_get(NULL, "token", "k", NOW, &out, &e), ERR_NOTFOUND);
    assert_fails(oci_memo_get("/nonexistent", "token", "k", NOW, &out, &e), ERR_NOTFOUND);
}

/* Every cut and every flipped bit is absence, or the very value. */
static void damage(void **state)
{
    const struct scratch *s = *state;
    uint8_t whole[512];
    oci_memo_put(s->path, "token", "k", "value", NOW + 10);
    const char *path = only(s, "token");
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t len = read(fd, whole, sizeof(whole));
    assert_true(len > 0 && len < (ssize_t)sizeof(whole));
    for (ssize_t i = 0; i < len; i++) {
        assert_int_equal(ftruncate(fd, i), 0);
        assert_string_equal(kept(s, "token", "k", NOW), "");
        assert_int_equal(pwrite(fd, whole, (size_t)len, 0), len);
        uint8_t changed = whole[i] ^ 1;
        assert_int_equal(pwrite(fd, &changed, 1, i), 1);
        (void)kept(s, "token", "k", NOW);
        assert_int_equal(pwrite(fd, &whole[i], 1, i), 1);
    }
    assert_string_equal(kept(s, "token", "k", NOW), "value");
    static const char *const bad[] = {"",
                                      "{}",
                                      "[]",
                                      "null",
                                      "{\"key\":\"k\",\"expires\":-1,\"value\":\"v\"}",
                                      "{\"key\":\"k\",\"expires\":99999,\"value\":5}",
                                      "{\"key\":\"k\",\"expires\":99999,\"value\":\"v\"} x"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bad[i], strlen(bad[i]), 0), strlen(bad[i]));
        assert_string_equal(kept(s, "token", "k", NOW), "");
    }
    (void)close(fd);
}

static void foreign_files(void **state)
{
    const struct scratch *s = *state;
    char path[PATH_MAX];
    oci_memo_put(s->path, "token", "k", "value", NOW + 10);
    (void)snprintf(path, sizeof(path), "%s", only(s, "token"));
    assert_int_equal(chmod(path, 0640), 0);
    assert_string_equal(kept(s, "token", "k", NOW), "");
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(s->path, 0777), 0);
    assert_string_equal(kept(s, "token", "k", NOW), "");
    assert_int_equal(chmod(s->path, 0700), 0);
    assert_string_equal(kept(s, "token", "k", NOW), "value");
    /* a link to a good memo, a FIFO, a folder */
    assert_int_equal(rename(path, scratch_path(s, "moved")), 0);
    assert_int_equal(symlink(scratch_path(s, "moved"), path), 0);
    assert_string_equal(kept(s, "token", "k", NOW), "");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_string_equal(kept(s, "token", "k", NOW), "");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_string_equal(kept(s, "token", "k", NOW), "");
    oci_memo_put(s->path, "token", "k", "again", NOW + 10); /* cannot be, and says nothing */
    assert_string_equal(kept(s, "token", "k", NOW), "");
}

static void foreign_owner(void **state)
{
    const struct scratch *s = *state;
    oci_memo_put(s->path, "token", "k", "value", NOW + 10);
    if (geteuid() != 0)
        skip_because("only root can give files away");
    assert_int_equal(chown(only(s, "token"), 12345, (gid_t)-1), 0);
    assert_string_equal(kept(s, "token", "k", NOW), "");
    assert_int_equal(chown(only(s, "token"), 0, (gid_t)-1), 0);
    assert_string_equal(kept(s, "token", "k", NOW), "value");
    assert_int_equal(chown(s->path, 12345, (gid_t)-1), 0);
    assert_string_equal(kept(s, "token", "k", NOW), "");
    assert_int_equal(chown(s->path, 0, (gid_t)-1), 0);
}

/* Whoever reads sees one of the values whole. */
static void writers_at_once(void **state)
{
    const struct scratch *s = *state;
    enum { WRITERS = 4, ROUNDS = 100 };
    static const char *const values[WRITERS] = {"aaaaaaaa", "bbbbbbbbbbbbbbbb", "cc", "dddddd"};
    pid_t pids[WRITERS];
    oci_memo_put(s->path, "token", "k", values[0], NOW + 10);
    for (size_t i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        for (size_t n = 0; pids[i] == 0 && n < ROUNDS; n++)
            oci_memo_put(s->path, "token", "k", values[i], NOW + 10);
        if (pids[i] == 0)
            _exit(0);
    }
    for (size_t n = 0; n < ROUNDS; n++) {
        const char *got = kept(s, "token", "k", NOW);
        bool known = false;
        for (size_t i = 0; i < WRITERS; i++)
            known = known || strcmp(got, values[i]) == 0;
        assert_true(known);
    }
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
    assert_int_equal(folder_count(scratch_path(s, "token")), 1);
}

static int seal(const struct scratch *s, const char *a, const char *b, char **ret, struct err *e)
{
    const struct bytes parts[] = {bytes_str(a), bytes_str(b)};
    return oci_memo_seal(s->path, parts, ARRAY_LEN(parts), ret, e);
}

static void seals(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct stat st;
    AUTO_FREE char *one = NULL, *again = NULL, *other = NULL, *new = NULL;
    assert_ok(seal(s, "user", "password", &one, &e));
    assert_ok(seal(s, "user", "password", &again, &e));
    assert_ok(seal(s, "user", "passwore", &other, &e));
    assert_int_equal(strlen(one), 64);
    assert_string_equal(one, again);
    assert_string_not_equal(one, other);
    assert_int_equal(stat(scratch_path(s, "seal"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 32);
    assert_int_equal(chmod(scratch_path(s, "seal"), 0644), 0);
    assert_fails(seal(s, "user", "password", &new, &e), ERR_NOTFOUND);
    assert_int_equal(unlink(scratch_path(s, "seal")), 0);
    assert_ok(seal(s, "user", "password", &new, &e)); /* with another key */
    assert_string_not_equal(one, new);
    scratch_write(s, "seal", BYTES_LIT("short"));
    free(TAKE(new));
    assert_fails(seal(s, "user", "password", &new, &e), ERR_NOTFOUND);
    assert_null(new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(kept_until_it_expires),
        scratch_test(another_key_or_kind_has_none),
        scratch_test(replaced_dropped_cleared),
        scratch_test(not_kept),
        scratch_test(damage),
        scratch_test(foreign_files),
        scratch_test(foreign_owner),
        scratch_test(writers_at_once),
        scratch_test(seals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
