/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to runner/: a folder of compiled code. Compiled code is run as it is, so an entry is worth as much
 * as the proof that we wrote it: each carries an HMAC-SHA-256 under the folder's own key, over what it was
 * asked for by and its content. Nothing of an entry is used before that is right, and what is used is the
 * copy that was checked.
 *
 * An entry is a file named by the SHA-256 of its key text: "WBCODE1\n", the MAC (32 bytes), the code. The
 * folder is private to the user; its key is the file "key", 32 random bytes, mode 0600.
 */
#ifndef WAYBILL_RUNNER_CACHE_H
#define WAYBILL_RUNNER_CACHE_H

#include "base/buf.h"
#include "base/hash.h"

#define RUNNER_CACHE_MAGIC "WBCODE1\n"
#define RUNNER_CACHE_HEAD  (sizeof(RUNNER_CACHE_MAGIC) - 1 + HASH_SHA256_LEN)
#define RUNNER_CACHE_KEY   32U

struct runner_cache {
    int dirfd;
    uint8_t key[RUNNER_CACHE_KEY];
};

/* runner_cache_open - dir: made (0700) when missing, as is its key.
 * ret: runner_cache_done by the caller. ERR_CONFIG (the folder or the key is somebody else's or open to
 * others), ERR_IO, ERR_NOMEM. Safe with other processes at the same moment. */
MUST_CHECK int runner_cache_open(const char *dir, struct runner_cache *ret, struct err *e);
void runner_cache_done(struct runner_cache *c);

/* runner_cache_get - the code kept under a key text, as an anonymous file in memory that nobody can change
 * any more; the caller closes *ret_fd. ERR_NOTFOUND; anything else (ERR_FORMAT, ERR_CONFIG, ERR_LIMIT, ERR_IO
 * ...) says why an entry that is there is not used. */
MUST_CHECK int runner_cache_get(const struct runner_cache *c, struct bytes key_text, int *ret_fd,
                                struct err *e);

/* runner_cache_put - keeps code under a key text, in place of what is there. The entry appears whole or not
 * at all. */
MUST_CHECK int runner_cache_put(const struct runner_cache *c, struct bytes key_text, struct bytes code,
                                struct err *e);

#endif
