/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/partial.h"

#include "base/limits.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define FOLDER        "partial"
#define STALE_SECONDS (7 * 24 * 3600)
/* The file may be moved away between our opening it and our lock: so often it is opened again. */
#define OPENS_MAX 4U
/* So much is handed to the disk at a time while more arrives, so that an fsync at the end finds little to
 * do. */
#define BEHIND (16U << 20)
/* From this size on the bytes are hashed by a thread of their own, which reads them back from the page cache:
 * at 1 GiB over loopback that takes 1.4 s where hashing between the writes takes 2.2 s. */
#define THREAD_MIN (8U << 20)
#define HASH_STEP  (1U << 20)

struct oci_partial {
    struct sink base;
    struct oci_store *store;
    struct digest want;
    uint64_t size;
    uint64_t behind; /* bytes up to which writing to the disk was begun */
    int folder, fd;
    char name[DIGEST_STR_MAX];
    struct hash_state *hash; /* of the first `hashed` bytes; the thread's while it runs */
    uint64_t hashed;
    bool running; /* the thread */
    pthread_t thread;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t more;
    uint64_t seen; /* bytes in the file */
    bool ended;    /* no more will come */
    int failure;   /* of the thread, described in problem */
    struct err problem;
};

static int open_folder(int root, int *ret_fd, struct err *e)
{
    if (mkdirat(root, FOLDER, 0700) < 0 && errno != EEXIST)
        return err_set_errno(e, ERR_IO, errno, "mkdir " FOLDER);
    int fd = openat(root, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(e, ERR_IO, errno, FOLDER);
    *ret_fd = fd;
    return 0;
}

/* Whether the open file is still what the name leads to. */
static bool is_named(const struct oci_partial *p, const struct stat *st)
{
    struct stat there;
    return fstatat(p->folder, p->name, &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_dev == st->st_dev &&
           there.st_ino == st->st_ino;
}

static bool is_usable(const struct oci_partial *p, const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_uid == geteuid() && st->st_nlink == 1 && (st->st_mode & 077) == 0 &&
           st->st_size >= 0 && (uint64_t)st->st_size <= p->size;
}

/* One attempt: *ret_again when what was there had to go, or went by itself. */
static int open_once(struct oci_partial *p, bool *ret_again, struct err *e)
{
    struct stat st;
    int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    AUTO_FD int fd = openat(p->folder, p->name, flags, 0600);
    *ret_again = fd < 0 && errno == ELOOP;
    if (*ret_again)
        (void)unlinkat(p->folder, p->name, 0);
    if (fd < 0)
        return err_set_errno(e, ERR_IO, errno, FOLDER "/%s", p->name);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? err_set(e, ERR_EXISTS, FOLDER "/%s: another process is at it", p->name)
                                    : err_set_errno(e, ERR_IO, errno, "lock " FOLDER "/%s", p->name);
    if (fstat(fd, &st) < 0)
        return err_set_errno(e, ERR_IO, errno, FOLDER "/%s", p->name);
    bool named = is_named(p, &st);
    *ret_again = !named || !is_usable(p, &st);
    if (*ret_again) {
        if (named)
            (void)unlinkat(p->folder, p->name, 0);
        return err_set(e, ERR_IO, FOLDER "/%s: not a file of ours", p->name);
    }
    p->fd = TAKE_FD(fd);
    p->seen = p->behind = (uint64_t)st.st_size;
    return 0;
}

/* Takes the file's bytes up to `to` into the hash. */
static int hash_up_to(struct oci_partial *p, uint64_t to, uint8_t *chunk, struct err *e)
{
    struct source_file file;
    struct source *s = source_file_init(&file, p->fd);
    file.at = (off_t)p->hashed;
    while (p->hashed < to) {
        size_t n, want = to - p->hashed < STREAM_CHUNK ? (size_t)(to - p->hashed) : STREAM_CHUNK;
        int r = source_read(s, chunk, want, &n, e);
        if (!r && n == 0)
            r = err_set(e, ERR_IO, FOLDER "/%s changes while it is read", p->name);
        if (r)
            return r;
        hash_update(p->hash, bytes_of(chunk, n));
        p->hashed += n;
    }
    return 0;
}

/* Waits until there is something to hash; false when everything is. */
static bool wait_for_more(struct oci_partial *p, uint64_t *ret_to)
{
    (void)pthread_mutex_lock(&p->lock);
    while (!p->ended && p->seen - p->hashed < HASH_STEP)
        (void)pthread_cond_wait(&p->more, &p->lock);
    *ret_to = p->seen;
    (void)pthread_mutex_unlock(&p->lock);
    return *ret_to > p->hashed;
}

static void *hash_thread(void *ctx)
{
    struct oci_partial *p = ctx;
    struct err e = ERR_INIT;
    AUTO_FREE uint8_t *chunk = malloc(STREAM_CHUNK);
    int r = chunk ? 0 : err_nomem(&e);
    for (uint64_t to; !r && wait_for_more(p, &to);)
        r = hash_up_to(p, to, chunk, &e);
    (void)pthread_mutex_lock(&p->lock);
    p->failure = r;
    p->problem = e;
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Where no thread can be had the work is done at the end. */
static void thread_start(struct oci_partial *p)
{
    if (p->running || p->size < THREAD_MIN)
        return;
    p->ended = false;
    p->failure = 0;
    p->running = pthread_create(&p->thread, NULL, hash_thread, p) == 0;
}

static void thread_end(struct oci_partial *p)
{
    if (!p->running)
        return;
    (void)pthread_mutex_lock(&p->lock);
    p->ended = true;
    (void)pthread_cond_signal(&p->more);
    (void)pthread_mutex_unlock(&p->lock);
    (void)pthread_join(p->thread, NULL);
    p->running = false;
}

static void has_come(struct oci_partial *p, size_t n)
{
    (void)pthread_mutex_lock(&p->lock);
    p->seen += n;
    if (p->running)
        (void)pthread_cond_signal(&p->more);
    (void)pthread_mutex_unlock(&p->lock);
}

static int partial_write(struct sink *base, struct bytes data, struct err *e)
{
    struct oci_partial *p = (struct oci_partial *)base;
    if (data.len > p->size - p->seen)
        return err_set(e, ERR_DIGEST, "longer than the %llu bytes it should have",
                       (unsigned long long)p->size);
    thread_start(p);
    while (data.len) {
        ssize_t n = pwrite(p->fd, data.ptr, data.len, (off_t)p->seen);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(e, ERR_IO, errno, "write");
        has_come(p, (size_t)n);
        data = bytes_of(data.ptr + n, data.len - (size_t)n);
    }
    if (p->seen - p->behind >= BEHIND) { /* a file system that cannot has it all to do at the end */
        (void)sync_file_range(p->fd, (off_t)p->behind, (off_t)(p->seen - p->behind), SYNC_FILE_RANGE_WRITE);
        p->behind = p->seen;
    }
    return 0;
}

int oci_partial_check(struct oci_partial *p, struct err *e)
{
    struct digest got;
    char is[DIGEST_STR_MAX], want[DIGEST_STR_MAX];
    if (p->seen != p->size)
        return err_set(e, ERR_DIGEST, "%llu bytes where %llu were expected", (unsigned long long)p->seen,
                       (unsigned long long)p->size);
    AUTO_FREE uint8_t *chunk = malloc(STREAM_CHUNK);
    if (!chunk)
        return err_nomem(e);
    thread_end(p);
    if (p->failure) {
        *e = p->problem;
        return p->failure;
    }
    int r = hash_up_to(p, p->size, chunk, e);
    if (r)
        return r;
    hash_final(p->hash, &got);
    if (!digest_eq(&got, &p->want))
        return err_set(e, ERR_DIGEST, "digest is %s, expected %s", digest_str(&got, is),
                       digest_str(&p->want, want));
    return 0;
}

static int partial_commit(struct sink *base, struct err *e)
{
    return oci_partial_check((struct oci_partial *)base, e);
}

static void partial_abort(struct sink *base)
{
    (void)base;
}

int oci_partial_open(struct oci_store *store, const struct digest *d, uint64_t size, struct oci_partial **ret,
                     struct err *e)
{
    char hex[DIGEST_STR_MAX];
    AUTO(oci_partial) p = calloc(1, sizeof(*p));
    if (!p)
        return err_nomem(e);
    *p = (struct oci_partial){.base = {partial_write, partial_commit, partial_abort},
                              .store = store,
                              .want = *d,
                              .size = size,
                              .folder = -1,
                              .fd = -1,
                              .lock = PTHREAD_MUTEX_INITIALIZER,
                              .more = PTHREAD_COND_INITIALIZER};
    (void)snprintf(p->name, sizeof(p->name), "%s-%s", hash_name(d->alg), digest_hex(d, hex));
    bool again = true;
    int r = open_folder(store->root, &p->folder, e);
    if (!r)
        r = hash_open(d->alg, &p->hash, e);
    if (r)
        return r;
    for (unsigned n = 0; again && n < OPENS_MAX; n++)
        r = open_once(p, &again, e);
    if (!r)
        *ret = TAKE(p);
    return r;
}

void oci_partial_close(struct oci_partial *p)
{
    if (!p)
        return;
    thread_end(p);
    hash_free(p->hash);
    if (p->fd >= 0)
        (void)close(p->fd);
    if (p->folder >= 0)
        (void)close(p->folder);
    free(p);
}

uint64_t oci_partial_have(const struct oci_partial *p)
{
    return p->seen;
}

struct sink *oci_partial_sink(struct oci_partial *p)
{
    return &p->base;
}

int oci_partial_fd(const struct oci_partial *p)
{
    return p->fd;
}

int oci_partial_restart(struct oci_partial *p, struct err *e)
{
    struct hash_state *hash;
    int r = hash_open(p->want.alg, &hash, e);
    if (r)
        return r;
    thread_end(p);
    hash_free(p->hash);
    p->hash = hash;
    p->seen = p->behind = p->hashed = 0;
    p->failure = 0;
    return ftruncate(p->fd, 0) < 0 ? err_set_errno(e, ERR_IO, errno, "truncate " FOLDER "/%s", p->name) : 0;
}

void oci_partial_drop(struct oci_partial *p)
{
    struct stat st;
    if (p->fd >= 0 && fstat(p->fd, &st) == 0 && is_named(p, &st))
        (void)unlinkat(p->folder, p->name, 0);
}

int oci_partial_keep(struct oci_partial *p, int *ret_fd, struct err *e)
{
    AUTO_FD int fd = ret_fd ? fcntl(p->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (ret_fd && fd < 0)
        return err_set_errno(e, ERR_IO, errno, "dup");
    int r = oci_store_adopt(p->store, &p->want, p->folder, p->name, e);
    if (!r && ret_fd)
        *ret_fd = TAKE_FD(fd);
    return r;
}

int oci_partial_take(struct oci_partial *p, struct sink_file *to, bool *ret_taken, struct err *e)
{
    /* Before it has a name in the user's folder, so that a process killed while the disk works leaves none
     * there. */
    if (fsync(p->fd) < 0)
        return err_set_errno(e, ERR_IO, errno, "fsync " FOLDER "/%s", p->name);
    return sink_file_take(to, p->folder, p->name, p->fd, ret_taken, e);
}

/* A partial that somebody is at is locked; its time says little, since a download may be slow. */
static void sweep_one(int folder, const char *name)
{
    struct stat st;
    AUTO_FD int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mtime + STALE_SECONDS < time(NULL) &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void)unlinkat(folder, name, 0);
}

void oci_partial_sweep(struct oci_store *store)
{
    int folder = openat(store->root, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = folder >= 0 ? fdopendir(folder) : NULL;
    if (!d && folder >= 0)
        (void)close(folder);
    if (!d)
        return;
    for (struct dirent *entry; (entry = readdir(d));)
        if (entry->d_name[0] != '.')
            sweep_one(dirfd(d), entry->d_name);
    (void)closedir(d);
}
