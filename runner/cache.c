/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/cache.h"

#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>

/* Compiled code is a few times larger than its module. */
#define CODE_MAX (4ULL * LIMIT_MODULE)
/* How much of it is looked at together: what is mapped counts as memory of this process. */
#define WINDOW (4U << 20)
/* When an entry was used is written down as exactly as this, in seconds: it costs a write. */
#define USE_STEP 600

struct head {
    uint8_t magic[sizeof(RUNNER_CACHE_MAGIC) - 1];
    uint8_t salt[RUNNER_CACHE_SALT];
    uint8_t tag[HASH_GMAC_LEN];
    uint8_t text_len[sizeof(uint32_t)];
};
_Static_assert(sizeof(struct head) == RUNNER_CACHE_HEAD, "the head has no holes");

/* A regular file of ours that nobody else can write to (nor read, when it is secret). */
static int check_ours(int fd, bool secret, const char *what, struct stat *ret, struct err *e)
{
    if (fstat(fd, ret) != 0)
        return err_set_errno(e, ERR_IO, errno, "%s", what);
    if (!S_ISREG(ret->st_mode) || ret->st_uid != geteuid() || (ret->st_mode & (secret ? 077 : 022)) != 0)
        return err_set(e, ERR_CONFIG, "%s belongs to somebody else or is open to others", what);
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
    struct stat st;
    int r = file_open_read(dirfd, "key", true, &fd, e);
    if (r == 0)
        r = check_ours(fd, true, "the key", &st, e);
    if (r == 0 && st.st_size != RUNNER_CACHE_KEY)
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

int runner_cache_open(const char *dir, uint64_t max, struct runner_cache *ret, struct err *e)
{
    struct runner_cache c = {.dirfd = -1, .max = max ? max : LIMIT_CACHE_CODE};
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

static void put_le32(uint8_t to[4], uint32_t n)
{
    for (size_t i = 0; i < 4; i++)
        to[i] = (uint8_t)(n >> 8 * i);
}

static uint32_t get_le32(const uint8_t from[4])
{
    uint32_t n = 0;
    for (size_t i = 0; i < 4; i++)
        n |= (uint32_t)from[i] << 8 * i;
    return n;
}

/* A tag that is begun, under the entry's own key. The length of the key text goes in front of it, so that no
 * byte can move between the parts. */
static int begin_tag(const struct runner_cache *c, const struct head *h, struct bytes key_text,
                     struct hash_gmac **ret, struct err *e)
{
    uint8_t key[HASH_SHA256_LEN];
    const struct bytes parts[] = {BYTES_ARR(h->magic), BYTES_ARR(h->salt), BYTES_ARR(h->text_len), key_text};
    int r = hash_hmac_sha256(BYTES_ARR(c->key), parts, ARRAY_LEN(parts), key, e);
    if (r == 0)
        r = hash_gmac_open(key, ret, e);
    mem_wipe(key, sizeof(key));
    return r;
}

static int new_head(const struct runner_cache *c, struct bytes key_text, struct bytes code, struct head *ret,
                    struct err *e)
{
    AUTO(hash_gmac) tag = NULL;
    if (key_text.len > RUNNER_CACHE_TEXT)
        return err_set(e, ERR_LIMIT, "a key text of %zu bytes", key_text.len);
    memcpy(ret->magic, RUNNER_CACHE_MAGIC, sizeof(ret->magic));
    put_le32(ret->text_len, (uint32_t)key_text.len);
    int r = hash_random(ret->salt, sizeof(ret->salt), e);
    if (r == 0)
        r = begin_tag(c, ret, key_text, &tag, e);
    if (r == 0)
        r = hash_gmac_update(tag, code, e);
    return r != 0 ? r : hash_gmac_final(tag, ret->tag, e);
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

static int tag_window(struct hash_gmac *tag, int fd, size_t at, size_t size, struct err *e)
{
    void *code = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, (off_t)at);
    if (code == MAP_FAILED)
        return err_set_errno(e, ERR_IO, errno, "map the entry");
    int r = hash_gmac_update(tag, bytes_of(code, size), e);
    (void)munmap(code, size);
    return r;
}

static int check_code(const struct runner_cache *c, const struct head *h, struct bytes key_text, int fd,
                      size_t size, struct err *e)
{
    AUTO(hash_gmac) tag = NULL;
    uint8_t want[HASH_GMAC_LEN];
    int r = begin_tag(c, h, key_text, &tag, e);
    for (size_t at = 0; r == 0 && at < size; at += WINDOW)
        r = tag_window(tag, fd, at, size - at < WINDOW ? size - at : WINDOW, e);
    if (r == 0)
        r = hash_gmac_final(tag, want, e);
    if (r == 0 && !bytes_eq_ct(BYTES_ARR(h->tag), BYTES_ARR(want)))
        r = err_set(e, ERR_FORMAT, "the entry is not what was written");
    return r;
}

static int open_entry(int dirfd, const char *name, int *ret_fd, struct stat *ret, struct err *e)
{
    AUTO_FD int fd = -1;
    int r = file_open_read(dirfd, name, true, &fd, e);
    if (r == 0)
        r = check_ours(fd, false, "the entry", ret, e);
    if (r != 0)
        return r;
    if (ret->st_size < (off_t)RUNNER_CACHE_HEAD || (uint64_t)ret->st_size > CODE_MAX)
        return err_set(e, ERR_LIMIT, "an entry cannot have %jd bytes", (intmax_t)ret->st_size);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* What stands in front of the code. */
static int read_front(int fd, struct head *ret, struct buf *text, struct err *e)
{
    const struct bytes magic = BYTES_LIT(RUNNER_CACHE_MAGIC);
    int r = read_exact(fd, (uint8_t *)ret, sizeof(*ret), "the entry", e);
    if (r != 0)
        return r;
    uint32_t len = get_le32(ret->text_len);
    if (!bytes_eq(BYTES_ARR(ret->magic), magic) || len > RUNNER_CACHE_TEXT)
        return err_set(e, ERR_FORMAT, "no entry of this cache");
    uint8_t *to = buf_reserve(text, len ? len : 1);
    if (!to)
        return buf_check(text, e);
    r = read_exact(fd, to, len, "the entry", e);
    if (r == 0)
        text->len += len;
    return r;
}

/* The file system may note when a file was read late, or not at all. */
static void note_use(int fd, const struct stat *st)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    if (time(NULL) - st->st_atime >= USE_STEP)
        (void)futimens(fd, times);
}

int runner_cache_get(const struct runner_cache *c, struct bytes key_text, int *ret_fd, struct err *e)
{
    char name[DIGEST_STR_MAX];
    AUTO_DONE(buf) text = BUF_INIT(RUNNER_CACHE_TEXT);
    AUTO_FD int entry = -1;
    AUTO_FD int copy = -1;
    struct head head;
    struct stat st;
    int r = entry_name(key_text, name, e);
    if (r == 0)
        r = open_entry(c->dirfd, name, &entry, &st, e);
    if (r == 0)
        r = read_front(entry, &head, &text, e);
    if (r == 0 && !bytes_eq(buf_bytes(&text), key_text))
        r = err_set(e, ERR_FORMAT, "the entry is another one's");
    if (r == 0 && (uint64_t)st.st_size < sizeof(head) + key_text.len)
        r = err_set(e, ERR_FORMAT, "the entry changes as it is read");
    if (r != 0)
        return r;
    size_t size = (size_t)st.st_size - sizeof(head) - key_text.len;
    r = sealed_copy(entry, size, &copy, e);
    if (r == 0)
        r = check_code(c, &head, key_text, copy, size, e);
    if (r != 0)
        return r;
    note_use(entry, &st);
    *ret_fd = TAKE_FD(copy);
    return 0;
}

static int make_room(const struct runner_cache *c, uint64_t size, struct err *e)
{
    if (size > c->max)
        return err_set(e, ERR_LIMIT, "its %" PRIu64 " bytes are more than all compiled code may have", size);
    return runner_cache_trim(c->dirfd, c->max - size, e);
}

int runner_cache_put(const struct runner_cache *c, struct bytes key_text, struct bytes code, struct err *e)
{
    char name[DIGEST_STR_MAX];
    struct head head;
    struct sink_file file;
    int r = entry_name(key_text, name, e);
    if (r == 0)
        r = make_room(c, sizeof(head) + key_text.len + code.len, e);
    if (r == 0)
        r = new_head(c, key_text, code, &head, e);
    if (r == 0)
        r = sink_file_init(&file, c->dirfd, name, 0600, FILE_REPLACE, e);
    if (r != 0)
        return r;
    file.quick = true; /* an entry that a crash damaged is seen, and made again */
    r = sink_write(&file.base, bytes_of(&head, sizeof(head)), e);
    if (r == 0)
        r = sink_write(&file.base, key_text, e);
    if (r == 0)
        r = sink_write(&file.base, code, e);
    if (r == 0)
        r = sink_commit(&file.base, e);
    sink_abort(&file.base);
    return r;
}

int runner_cache_read_text(int dirfd, const char *name, struct buf *out, struct err *e)
{
    AUTO_FD int fd = -1;
    struct head head;
    struct stat st;
    int r = open_entry(dirfd, name, &fd, &st, e);
    return r != 0 ? r : read_front(fd, &head, out, e);
}
