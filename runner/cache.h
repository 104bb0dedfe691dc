/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of compiled code. Compiled code is run as it is, so an entry is worth as much as the proof that we
 * wrote it: each is authenticated under the folder's own key, with what it was asked for by. Nothing of an
 * entry is used before that is right, and what is used is the copy that was checked.
 *
 * An entry is a file named by the SHA-256 of its key text:
 *   "WBCODE2\n", salt (16 bytes), tag (16), length of the key text (4, little-endian), key text, code.
 * The tag is AES-256-GMAC over the code, under a key that no other entry has: HMAC-SHA-256 under the folder's
 * key over all that stands in front of the code, but for the tag. The folder is private to the user; its key
 * is the file "key", 32 random bytes, mode 0600.
 */
#ifndef WAYBILL_RUNNER_CACHE_H
#define WAYBILL_RUNNER_CACHE_H

#include "base/buf.h"
#include "base/hash.h"

#define RUNNER_CACHE_MAGIC "WBCODE2\n"
#define RUNNER_CACHE_SALT  16U
#define RUNNER_CACHE_HEAD \
    (sizeof(RUNNER_CACHE_MAGIC) - 1 + RUNNER_CACHE_SALT + HASH_GMAC_LEN + sizeof(uint32_t))
#define RUNNER_CACHE_KEY  32U
#define RUNNER_CACHE_TEXT 1024U /* most bytes of a key text */
#define RUNNER_CACHE_NAME (2 * HASH_SHA256_LEN + 1)

struct runner_cache {
    int dirfd;
    uint64_t max;
    uint8_t key[RUNNER_CACHE_KEY];
};

/* runner_cache_open - dir: made (0700) when missing, as is its key.  max: bytes that all entries may have; 0:
 * LIMIT_CACHE_CODE.
 * ret: runner_cache_done by the caller. ERR_CONFIG (the folder or the key is somebody else's or open to
 * others), ERR_IO, ERR_NOMEM. Safe with other processes at the same moment. */
MUST_CHECK int runner_cache_open(const char *dir, uint64_t max, struct runner_cache *ret, struct err *e);
void runner_cache_done(struct runner_cache *c);

/* runner_cache_get - the code kept under a key text, as an anonymous file in memory that nobody can change
 * any more; the caller closes *ret_fd. The entry counts as used. ERR_NOTFOUND; anything else (ERR_FORMAT,
 * ERR_CONFIG, ERR_LIMIT, ERR_IO ...) says why an entry that is there is not used. */
MUST_CHECK int runner_cache_get(const struct runner_cache *c, struct bytes key_text, int *ret_fd,
                                struct err *e);

/* runner_cache_put - keeps code under a key text, in place of what is there; for that, entries that were not
 * used for longest go first, so that all have no more than `max` bytes. The entry appears whole or not at
 * all, and whoever reads one that goes is not disturbed. ERR_LIMIT: it alone is larger. */
MUST_CHECK int runner_cache_put(const struct runner_cache *c, struct bytes key_text, struct bytes code,
                                struct err *e);

/* runner_cache_read_text - appends the key text that an entry states, which is not proved: for display. name:
 * of a file in the folder. ERR_FORMAT: no entry, or one of another program's; ERR_NOTFOUND, ERR_CONFIG. */
MUST_CHECK int runner_cache_read_text(int dirfd, const char *name, struct buf *out, struct err *e);

/* runner_cache_trim - runner/cache_trim.c: removes what was not used for longest until all entries have no
 * more than `max` bytes, and what killed processes left behind. */
MUST_CHECK int runner_cache_trim(int dirfd, uint64_t max, struct err *e);

#endif
