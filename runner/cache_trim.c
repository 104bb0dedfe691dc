/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/cache.h"

#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

/* Nobody writes at one file for so long, in seconds. */
#define LEFT_BEHIND 3600

struct item {
    char name[RUNNER_CACHE_NAME];
    uint64_t size;
    time_t used;
};

struct items {
    struct item *all;
    size_t n, room;
    uint64_t size;
};

static void items_done(struct items *s)
{
    free(s->all);
}

static bool is_entry(const char *name)
{
    return strlen(name) == RUNNER_CACHE_NAME - 1 && strspn(name, "0123456789abcdef") == RUNNER_CACHE_NAME - 1;
}

/* A file that was to become an entry, of a process that was killed over it. */
static bool is_left_behind(const char *name, const struct stat *st)
{
    static const char begin[] = ".waybill-";
    return strncmp(name, begin, sizeof(begin) - 1) == 0 && S_ISREG(st->st_mode) &&
           time(NULL) - st->st_mtime >= LEFT_BEHIND;
}

static int add(struct items *s, const char *name, const struct stat *st, struct err *e)
{
    if (s->n >= LIMIT_CACHE_FILES)
        return err_set(e, ERR_LIMIT, "more than %u files", LIMIT_CACHE_FILES);
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 64;
        struct item *all = reallocarray(s->all, room, sizeof(*all));
        if (!all)
            return err_nomem(e);
        s->all = all;
        s->room = room;
    }
    struct item *to = &s->all[s->n++];
    memcpy(to->name, name, sizeof(to->name));
    to->size = (uint64_t)st->st_size;
    to->used = st->st_atime > st->st_mtime ? st->st_atime : st->st_mtime;
    s->size += to->size;
    return 0;
}

static int scan(int dirfd, struct items *s, struct err *e)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    int r = 0;
    if (!d) {
        r = err_set_errno(e, ERR_IO, errno, "read the folder");
        if (fd >= 0)
            (void)close(fd);
        return r;
    }
    for (struct dirent *at; r == 0 && (at = readdir(d));) {
        struct stat st;
        if ((at->d_name[0] != '.' && !is_entry(at->d_name)) ||
            fstatat(dirfd, at->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (is_left_behind(at->d_name, &st))
            (void)unlinkat(dirfd, at->d_name, 0);
        else if (is_entry(at->d_name) && S_ISREG(st.st_mode))
            r = add(s, at->d_name, &st, e);
    }
    (void)closedir(d);
    return r;
}

static int by_use(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return x->used != y->used ? (x->used < y->used ? -1 : 1) : strcmp(x->name, y->name);
}

/* Of several processes one does it. Who has an entry open keeps it: its name alone goes. */
int runner_cache_trim(int dirfd, uint64_t max, struct err *e)
{
    AUTO_DONE(items) s = {.all = NULL};
    AUTO_FD int lock = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return 0;
    int r = scan(dirfd, &s, e);
    if (r != 0 || s.size <= max)
        return r;
    qsort(s.all, s.n, sizeof(*s.all), by_use);
    for (size_t i = 0; i < s.n && s.size > max; i++)
        if (unlinkat(dirfd, s.all[i].name, 0) == 0 || errno == ENOENT)
            s.size -= s.all[i].size;
    return 0;
}
