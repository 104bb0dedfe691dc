/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/cache.h"

#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

/* Compiled code is a few times larger than its module. */
#define CODE_MAX (4ULL * LIMIT_MODULE)

/* A regular file of ours that nobody else can write to (nor read, when it is secret). */
static int check_ours(int fd, bool secret, const char *what, off_t *ret_size, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_set_errno(e, ERR_IO, errno, "%s", what);
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (secret ? 077 : 022)) != 0)
        return err_set(e, ERR_CONFIG, "%s belongs to somebody else or is open to others", what);
    *ret_size = st.st_size;
    return 0;
}

static int read_exact(int fd, uint8_t *to, size_t size, const char *what, struct err *e)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = read(fd, to + at, size - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(e, ERR_IO, errno, "%s", what);
        if (n == 0)
            return err_set(e, ERR_FORMAT, "%s is truncated", what);
        at += (size_t)n;
    }
    return 0;
}

static int read_key(int dirfd, uint8_t ret[RUNNER_CACHE_KEY], struct err *e)
{
    AUTO_FD int fd = -1;
    off_t size = 0;
    int r = file_open_read(dirfd, "key", true, &fd, e);
    if (r == 0)
        r = check_ours(fd, true, "the key", &size, e);
    if (r == 0 && size != RUNNER_CACHE_KEY)
        r = err_set(e, ERR_CONFIG, "the key has not %u bytes", RUNNER_CACHE_KEY);
    return r != 0 ? r : read_exact(fd, ret, RUNNER_CACHE_KEY, "the key", e);
}

/* Of several processes that make a key at the same moment the first one's counts: so it is read back. */
static int make_key(int dirfd, uint8_t ret[RUNNER_CACHE_KEY], struct err *e)
{
    uint8_t key[RUNNER_CACHE_KEY];
    int r = hash_random(key, sizeof(key), e);
    if (r == 0)
        r = file_write(dirfd, "key", BYTES_ARR(key), 0600, FILE_KEEP, e);
    mem_wipe(key, sizeof(key));
    return r != 0 ? r : read_key(dirfd, ret, e);
}

static int open_dir(const char *dir, int *ret_fd, struct err *e)
{
    int r = dir_open(AT_FDCWD, dir, true, ret_fd, e);
    if (r != ERR_NOTFOUND)
        return r;
    r = dir_make(dir, 0700, e);
    return r != 0 ? r : dir_open(AT_FDCWD, dir, true, ret_fd, e);
}

int runner_cache_open(const char *dir, struct runner_cache *ret, struct err *e)
{
    struct runner_cache c = {.dirfd = -1};
    int r = open_dir(dir, &c.dirfd, e);
    if (r != 0)
        return r;
    r = read_key(c.dirfd, c.key, e);
    if (r == ERR_NOTFOUND)
        r = make_key(c.dirfd, c.key, e);
    if (r != 0) {
        runner_cache_done(&c);
        return r;
    }
    *ret = c;
    return 0;
}

void runner_cache_done(struct runner_cache *c)
{
    if (c->dirfd >= 0)
        (void)close(c->dirfd);
    c->dirfd = -1;
    mem_wipe(c->key, sizeof(c->key));
}

static int entry_name(struct bytes key_text, char name[DIGEST_STR_MAX], struct err *e)
{
    struct digest d;
    int r = hash_bytes(HASH_SHA256, key_text, &d, e);
    if (r == 0)
        (void)digest_hex(&d, name);
    return r;
}

/* The length of the key text goes in front, so that no byte can move between it and the code. */
static int entry_mac(const struct runner_cache *c, struct bytes key_text, struct bytes code,
                     uint8_t ret[HASH_SHA256_LEN], struct err *e)
{
    const uint64_t len = key_text.len;
    const struct bytes parts[] = {BYTES_LIT(RUNNER_CACHE_MAGIC), bytes_of(&len, sizeof(len)), key_text, code};
    return hash_hmac_sha256(BYTES_ARR(c->key), parts, ARRAY_LEN(parts), ret, e);
}

/* A copy of the next `size` bytes of a file that can be mapped, but never again written. */
static int sealed_copy(int from, size_t size, int *ret_fd, struct err *e)
{
    AUTO_FD int fd = memfd_create("waybill-code", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_set_errno(e, ERR_IO, errno, "make a file in memory");
    while (size > 0) {
        ssize_t n = sendfile(fd, from, NULL, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(e, ERR_IO, errno, "copy the entry");
        if (n == 0)
            return err_set(e, ERR_FORMAT, "the entry is truncated");
        size -= (size_t)n;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
        return err_set_errno(e, ERR_IO, errno, "seal the copy of the entry");
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int check_mac(const struct runner_cache *c, struct bytes key_text, int fd, size_t size,
                     const uint8_t mac[HASH_SHA256_LEN], struct err *e)
{
    uint8_t want[HASH_SHA256_LEN];
    void *code = NULL;
    if (size > 0)
        code = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (code == MAP_FAILED)
        return err_set_errno(e, ERR_IO, errno, "map the entry");
    int r = entry_mac(c, key_text, bytes_of(code, size), want, e);
    if (size > 0)
        (void)munmap(code, size);
    if (r == 0 && !bytes_eq_ct(bytes_of(mac, HASH_SHA256_LEN), BYTES_ARR(want)))
        r = err_set(e, ERR_FORMAT, "the entry is not what was written");
    return r;
}

static int open_entry(const struct runner_cache *c, struct bytes key_text, int *ret_fd, size_t *ret_size,
                      struct err *e)
{
    char name[DIGEST_STR_MAX];
    AUTO_FD int fd = -1;
    off_t size = 0;
    int r = entry_name(key_text, name, e);
    if (r == 0)
        r = file_open_read(c->dirfd, name, true, &fd, e);
    if (r == 0)
        r = check_ours(fd, false, "the entry", &size, e);
    if (r != 0)
        return r;
    if (size < (off_t)RUNNER_CACHE_HEAD || (uint64_t)size > CODE_MAX)
        return err_set(e, ERR_LIMIT, "an entry cannot have %jd bytes", (intmax_t)size);
    *ret_fd = TAKE_FD(fd);
    *ret_size = (size_t)size;
    return 0;
}

int runner_cache_get(const struct runner_cache *c, struct bytes key_text, int *ret_fd, struct err *e)
{
    const struct bytes magic = BYTES_LIT(RUNNER_CACHE_MAGIC);
    uint8_t head[RUNNER_CACHE_HEAD];
    AUTO_FD int entry = -1;
    AUTO_FD int copy = -1;
    size_t size = 0;
    int r = open_entry(c, key_text, &entry, &size, e);
    if (r == 0)
        r = read_exact(entry, head, sizeof(head), "the entry", e);
    if (r == 0 && !bytes_starts(BYTES_ARR(head), magic))
        r = err_set(e, ERR_FORMAT, "no entry of this cache");
    if (r == 0)
        r = sealed_copy(entry, size - sizeof(head), &copy, e);
    if (r == 0)
        r = check_mac(c, key_text, copy, size - sizeof(head), head + magic.len, e);
    if (r == 0)
        *ret_fd = TAKE_FD(copy);
    return r;
}

int runner_cache_put(const struct runner_cache *c, struct bytes key_text, struct bytes code, struct err *e)
{
    char name[DIGEST_STR_MAX];
    uint8_t mac[HASH_SHA256_LEN];
    struct sink_file file;
    int r = entry_name(key_text, name, e);
    if (r == 0)
        r = entry_mac(c, key_text, code, mac, e);
    if (r == 0)
        r = sink_file_init(&file, c->dirfd, name, 0600, FILE_REPLACE, e);
    if (r != 0)
        return r;
    r = sink_write(&file.base, BYTES_LIT(RUNNER_CACHE_MAGIC), e);
    if (r == 0)
        r = sink_write(&file.base, BYTES_ARR(mac), e);
    if (r == 0)
        r = sink_write(&file.base, code, e);
    if (r == 0)
        r = sink_commit(&file.base, e);
    sink_abort(&file.base);
    return r;
}
