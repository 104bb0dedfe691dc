/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/store.h"

#include "base/log.h"
#include "oci/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#define STORE_DIR_MODE  0700
#define STORE_FILE_MODE 0600
#define STAMP           "swept"
#define SWEEP_SECONDS   (24 * 3600)

int oci_store_open(const char *dir, struct oci_store *ret, struct err *e)
{
    int r = dir_make(dir, STORE_DIR_MODE, e);
    if (!r)
        r = dir_open(AT_FDCWD, dir, true, &ret->root, e);
    return r ? err_wrap(e, "store") : 0;
}

void oci_store_done(struct oci_store *s)
{
    if (s->root >= 0)
        (void)close(TAKE_FD(s->root));
}

/* Damage is no failure of the caller's: the blob is fetched again. */
static int as_absent(int r, struct err *e)
{
    if (r == 0 || r == ERR_NOTFOUND || r == ERR_NOMEM)
        return r;
    log_info("store: %s; fetching it again", e->msg);
    return err_recode(e, ERR_NOTFOUND);
}

int oci_store_get(struct oci_store *s, const struct digest *d, uint64_t size, int *ret_fd, struct err *e)
{
    return as_absent(oci_cas_open(s->root, d, size, ret_fd, e), e);
}

int oci_store_read(struct oci_store *s, const struct digest *d, struct buf *out, struct err *e)
{
    int r = as_absent(oci_cas_read(s->root, d, out, e), e);
    if (r)
        buf_reset(out);
    return r;
}

/* Killed processes leave little behind, and seldom: once a day is often enough to look for it. */
static void sweep(struct oci_store *s)
{
    struct stat st;
    time_t now = time(NULL);
    if (fstatat(s->root, STAMP, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime <= now &&
        st.st_mtime + SWEEP_SECONDS > now)
        return;
    AUTO_FD int fd = openat(s->root, STAMP, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, STORE_FILE_MODE);
    if (fd < 0 || futimens(fd, NULL) < 0)
        log_debug("store: no stamp can be kept");
    oci_cas_sweep(s->root, HASH_SHA256);
    oci_cas_sweep(s->root, HASH_SHA512);
    oci_partial_sweep(s);
}

/* Nothing is waited for: a blob is checked whenever it is used, and one that a crash spoils is fetched again.
 */
int oci_store_put_init(struct oci_store *s, struct oci_cas_put *put, const struct digest *d, uint64_t size,
                       int *keep_fd, struct err *e)
{
    sweep(s);
    int r = oci_cas_make(s->root, d->alg, STORE_DIR_MODE, e);
    if (!r)
        r = oci_cas_put_init(put, s->root, d, size, STORE_FILE_MODE, e);
    if (r)
        return err_wrap(e, "store");
    put->file.quick = true;
    put->file.keep_fd = keep_fd;
    return 0;
}

int oci_store_adopt(struct oci_store *s, const struct digest *d, int dirfd, const char *name, struct err *e)
{
    int r = oci_cas_make(s->root, d->alg, STORE_DIR_MODE, e);
    sweep(s);
    if (!r)
        r = oci_cas_adopt(s->root, d, dirfd, name, e);
    return r ? err_wrap(e, "store") : 0;
}

int oci_store_put_bytes(struct oci_store *s, const struct digest *d, struct bytes data, struct err *e)
{
    int r = oci_cas_make(s->root, d->alg, STORE_DIR_MODE, e);
    if (!r)
        r = oci_cas_put_bytes(s->root, d, data, STORE_FILE_MODE, true, e);
    return r ? err_wrap(e, "store") : 0;
}
