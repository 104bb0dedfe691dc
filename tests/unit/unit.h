/* SPDX-License-Identifier: Apache-2.0 */
/* What unit tests share: cmocka, failures that say why, a folder that goes away, open descriptors counted. */
#ifndef WAYBILL_TESTS_UNIT_H
#define WAYBILL_TESTS_UNIT_H

#include "base/bytes.h"
#include "base/err.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* r == want, or the message that is there instead. */
static inline void unit_expect(int r, int want, const struct err *e, const char *file, int line)
{
    if (r != want)
        print_message("# %s:%d: %s where %s was expected: %s\n", file, line, err_name(r), err_name(want),
                      r ? e->msg : "");
    _assert_int_equal((LargestIntegralType)r, (LargestIntegralType)want, file, line);
}
#define assert_ok(call)          unit_expect((call), 0, &e, __FILE__, __LINE__)
#define assert_fails(call, want) unit_expect((call), (want), &e, __FILE__, __LINE__)

/* Ends the test as skipped and says why. */
#define skip_because(why)                      \
    do {                                       \
        print_message("# skipped: %s\n", why); \
        skip();                                \
    } while (0)

/* A temporary folder: setup and teardown for cmocka_unit_test_setup_teardown; *state is the struct. */
struct scratch {
    char path[64];
    int fd;
};

static inline int scratch_setup(void **state)
{
    struct scratch *s = malloc(sizeof(*s));
    if (!s)
        return -1;
    (void)snprintf(s->path, sizeof(s->path), "/tmp/waybill-unit-XXXXXX");
    if (!mkdtemp(s->path) || (s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        free(s);
        return -1;
    }
    *state = s;
    return 0;
}

static inline int scratch_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static inline int scratch_teardown(void **state)
{
    struct scratch *s = *state;
    (void)close(s->fd);
    int r = nftw(s->path, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(s);
    return r;
}
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

/* The absolute path of a name in the folder; two may be in use at a time. */
static inline const char *scratch_path(const struct scratch *s, const char *name)
{
    static char paths[2][PATH_MAX];
    static unsigned turn;
    char *out = paths[turn++ % 2];
    (void)snprintf(out, PATH_MAX, "%s/%s", s->path, name);
    return out;
}

static inline void scratch_write(const struct scratch *s, const char *name, struct bytes data)
{
    int fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data.len ? (const void *)data.ptr : "", data.len), data.len);
    assert_int_equal(close(fd), 0);
}

/* Whether a file holds exactly these bytes. */
static inline bool scratch_holds(const struct scratch *s, const char *name, struct bytes want)
{
    int fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    uint8_t *got = malloc(want.len + 1);
    assert_non_null(got);
    ssize_t n = read(fd, got, want.len + 1);
    bool same = n >= 0 && bytes_eq(bytes_of(got, (size_t)n), want);
    free(got);
    (void)close(fd);
    return same;
}

static inline bool scratch_has(const struct scratch *s, const char *name)
{
    struct stat st;
    return fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* How many names a folder holds, hidden ones too. */
static inline size_t folder_count(const char *path)
{
    DIR *d = opendir(path);
    assert_non_null(d);
    size_t n = 0;
    for (struct dirent *entry; (entry = readdir(d));)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    (void)closedir(d);
    return n;
}

static inline size_t open_fds(void)
{
    return folder_count("/proc/self/fd");
}

#endif
