/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was learned of registries and saves requests the next time: tokens, uploads in progress, what an
 * upload must look like, which repositories hold a blob. A memo is a hint: its absence costs a request, and
 * damage is absence.
 *
 *     DIR/<kind>/<name>    0600; {"key": ..., "expires": ..., "value": ...}
 *
 * The name is a hash of the key, and the key is compared when it is read.
 */
#ifndef WAYBILL_OCI_MEMO_H
#define WAYBILL_OCI_MEMO_H

#include "base/buf.h"

#include <time.h>

/* oci_memo_get - appends the value kept for a key. dir: NULL has none. kind: a word, "token". now: of time().
 * Returns 0, ERR_NOTFOUND (also: expired, damaged, not ours alone), ERR_NOMEM. */
MUST_CHECK int oci_memo_get(const char *dir, const char *kind, const char *key, time_t now, struct buf *out,
                            struct err *e);

/* oci_memo_put - keeps a text until `expires`, in the place of an older one. key, value: without NUL, valid
 * UTF-8, value at most LIMIT_MEMO bytes. A failure is told to the log alone. */
void oci_memo_put(const char *dir, const char *kind, const char *key, const char *value, time_t expires);

/* oci_memo_drop - forgets one. */
void oci_memo_drop(const char *dir, const char *kind, const char *key);

/* oci_memo_clear - forgets all of a kind. */
void oci_memo_clear(const char *dir, const char *kind);

/* oci_memo_seal - a text that stands for secrets in a key: HMAC-SHA-256 in hexadecimal over n parts, under a
 * random key that is made once and kept in DIR/seal. *ret: heap. ERR_NOTFOUND when no key can be had,
 * ERR_NOMEM. */
MUST_CHECK int oci_memo_seal(const char *dir, const struct bytes *parts, size_t n, char **ret, struct err *e);

/* oci_memo_lock - waits for the lock DIR/lock/NAME, which is given back when *ret_fd is closed. It keeps
 * apart those of one user and machine who change the same thing at a registry. Where none can be had there is
 * none: the reason is told to the log alone and *ret_fd is left as it is. dir: may be NULL. */
void oci_memo_lock(const char *dir, const char *name, int *ret_fd);

#endif
