/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/memo.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define NAME_MAX_LEN (DIGEST_STR_MAX + 32)
#define SEAL_NAME    "seal"
#define SEAL_LEN     32U

/* "<kind>/<hash of the key>" */
static int memo_name(const char *kind, const char *key, char ret[NAME_MAX_LEN], struct err *e)
{
    struct digest d;
    char hex[DIGEST_STR_MAX];
    int r = hash_bytes(HASH_SHA256, bytes_str(key), &d, e);
    if (r)
        return r;
    (void)snprintf(ret, NAME_MAX_LEN, "%.30s/%s", kind, digest_hex(&d, hex));
    return 0;
}

static int memo_parse(struct bytes text, const char *key, time_t now, struct buf *out, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    const char *is = NULL, *value = NULL;
    uint64_t expires = 0;
    int r = jdoc_parse(text, &doc, e);
    if (!r)
        r = jobj_want_string(jdoc_root(doc), "key", true, &is, e);
    if (!r)
        r = jobj_want_uint(jdoc_root(doc), "expires", true, INT64_MAX, &expires, e);
    if (!r)
        r = jobj_want_string(jdoc_root(doc), "value", true, &value, e);
    if (r)
        return r;
    if (strcmp(is, key) != 0 || (int64_t)expires <= (int64_t)now)
        return err_set(e, ERR_NOTFOUND, "expired, or of another key");
    buf_append_str(out, value);
    return buf_check(out, e);
}

/* The folder and the file must be ours alone: what stands in them is believed and may be secret. */
static int memo_read(const char *dir, const char *name, struct buf *text, struct err *e)
{
    AUTO_FD int root = -1, fd = -1;
    struct source_file file;
    struct stat st;
    int r = dir_open(AT_FDCWD, dir, true, &root, e);
    if (!r)
        r = file_open_read(root, name, true, &fd, e);
    if (r)
        return r;
    if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077))
        return err_set(e, ERR_CONFIG, "memo %s belongs to somebody else or is open to others", name);
    return source_read_all(source_file_init(&file, fd), text, e);
}

int oci_memo_get(const char *dir, const char *kind, const char *key, time_t now, struct buf *out,
                 struct err *e)
{
    char name[NAME_MAX_LEN];
    AUTO_DONE(buf) text = BUF_SECRET_INIT(2 * LIMIT_MEMO);
    if (!dir)
        return err_set(e, ERR_NOTFOUND, "no memos are kept");
    int r = memo_name(kind, key, name, e);
    if (!r)
        r = memo_read(dir, name, &text, e);
    if (!r)
        r = memo_parse(buf_bytes(&text), key, now, out, e);
    if (r && r != ERR_NOTFOUND && r != ERR_NOMEM) {
        log_debug("memo %s: not usable", name); /* the message could quote a secret */
        r = err_set(e, ERR_NOTFOUND, "memo %s is not usable", name);
    }
    return r;
}

static int memo_write(const char *dir, const char *kind, const char *key, const char *value, time_t expires,
                      struct err *e)
{
    char name[NAME_MAX_LEN];
    AUTO_FD int root = -1;
    AUTO_DONE(buf) path = BUF_INIT(4096);
    AUTO_DONE(buf) text = BUF_SECRET_INIT(2 * LIMIT_MEMO);
    struct jout w = {.out = &text};
    jout_object(&w, NULL);
    jout_string(&w, "key", key);
    jout_uint(&w, "expires", (uint64_t)expires);
    jout_string(&w, "value", value);
    jout_object_end(&w);
    buf_printf(&path, "%s/%s", dir, kind);
    int r = buf_check(&text, e);
    if (!r)
        r = buf_check(&path, e);
    if (!r)
        r = memo_name(kind, key, name, e);
    if (!r)
        r = dir_make(buf_cstr(&path), 0700, e);
    if (!r)
        r = dir_open(AT_FDCWD, dir, true, &root, e);
    return r ? r : file_write_quick(root, name, buf_bytes(&text), 0600, FILE_REPLACE, e);
}

void oci_memo_put(const char *dir, const char *kind, const char *key, const char *value, time_t expires)
{
    struct err e = ERR_INIT;
    if (dir && expires > 0 && strlen(value) <= LIMIT_MEMO &&
        memo_write(dir, kind, key, value, expires, &e) != 0)
        log_debug("memo: %s", e.msg);
}

void oci_memo_drop(const char *dir, const char *kind, const char *key)
{
    char name[NAME_MAX_LEN];
    AUTO_FD int root = -1;
    struct err ignored;
    if (dir && memo_name(kind, key, name, &ignored) == 0 &&
        dir_open(AT_FDCWD, dir, true, &root, &ignored) == 0)
        (void)unlinkat(root, name, 0);
}

void oci_memo_clear(const char *dir, const char *kind)
{
    AUTO_FD int root = -1;
    int fd = -1;
    struct err ignored;
    if (!dir || dir_open(AT_FDCWD, dir, true, &root, &ignored) || dir_open(root, kind, true, &fd, &ignored))
        return;
    DIR *d = fdopendir(fd);
    if (!d) {
        (void)close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(d));)
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(d), entry->d_name, 0);
    (void)closedir(d);
}

static int seal_read(const char *dir, struct buf *key, struct err *e)
{
    int r = memo_read(dir, SEAL_NAME, key, e);
    return r == 0 && key->len != SEAL_LEN ? err_set(e, ERR_CONFIG, "the seal has not %u bytes", SEAL_LEN) : r;
}

/* Of several processes that make one at the same moment the first one's counts: so it is read back. */
static int seal_make(const char *dir, struct buf *key, struct err *e)
{
    AUTO_FD int root = -1;
    uint8_t random[SEAL_LEN];
    int r = dir_make(dir, 0700, e);
    if (!r)
        r = dir_open(AT_FDCWD, dir, true, &root, e);
    if (!r)
        r = hash_random(random, sizeof(random), e);
    if (!r)
        r = file_write_quick(root, SEAL_NAME, BYTES_ARR(random), 0600, FILE_KEEP, e);
    mem_wipe(random, sizeof(random));
    return r ? r : seal_read(dir, key, e);
}

int oci_memo_seal(const char *dir, const struct bytes *parts, size_t n, char **ret, struct err *e)
{
    AUTO_DONE(buf) key = BUF_SECRET_INIT(SEAL_LEN);
    uint8_t mac[HASH_SHA256_LEN];
    char hex[2 * HASH_SHA256_LEN + 1];
    int r = seal_read(dir, &key, e);
    if (r == ERR_NOTFOUND)
        r = seal_make(dir, &key, e);
    if (!r)
        r = hash_hmac_sha256(buf_bytes(&key), parts, n, mac, e);
    if (r) {
        log_debug("memos: %s", e->msg);
        return r == ERR_NOMEM ? r : err_recode(e, ERR_NOTFOUND);
    }
    char *text = strdup(hex_encode(BYTES_ARR(mac), hex));
    if (!text)
        return err_nomem(e);
    *ret = text;
    return 0;
}

void oci_memo_lock(const char *dir, const char *name, int *ret_fd)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) path = BUF_INIT(4096);
    AUTO_FD int root = -1;
    if (!dir)
        return;
    buf_printf(&path, "%s/lock", dir);
    int r = buf_check(&path, &e);
    if (!r)
        r = dir_make(buf_cstr(&path), 0700, &e);
    if (!r)
        r = dir_open(AT_FDCWD, buf_cstr(&path), true, &root, &e);
    if (!r)
        r = file_lock(root, name, ret_fd, &e);
    if (r)
        log_debug("no lock: %s", e.msg);
}
