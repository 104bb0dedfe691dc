/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, SHA-384 and SHA-512 (FIPS 180-4), BLAKE2b (RFC 7693), HMAC-SHA-256 (RFC 2104), AES-256-GMAC (NIST
 * SP 800-38D), and digests as image-spec 1.1 "Digests" writes them. */
#ifndef WAYBILL_BASE_HASH_H
#define WAYBILL_BASE_HASH_H

#include "base/bytes.h"
#include "base/err.h"

/* SHA-384 is for signatures and certificates, BLAKE2b with 64 bytes for minisign's: no digest is written with
 * them. */
enum hash_alg { HASH_SHA256, HASH_SHA512, HASH_SHA384, HASH_BLAKE2B };

#define HASH_SHA256_LEN  32
#define HASH_SHA384_LEN  48
#define HASH_SHA512_LEN  64
#define HASH_BLAKE2B_LEN 64
#define DIGEST_STR_MAX   (7 + 2 * HASH_SHA512_LEN + 1)

struct digest {
    enum hash_alg alg;
    uint8_t value[HASH_SHA512_LEN]; /* the first hash_len(alg) bytes count, the others are zero */
};

struct hash_state;

size_t hash_len(enum hash_alg alg);
const char *hash_name(enum hash_alg alg); /* "sha256" */

/* hash_init - makes libgcrypt ready; every function here does it by itself, other users of libgcrypt call it
 * first. ERR_OTHER: libgcrypt is not usable. Thread: any. */
MUST_CHECK int hash_init(struct err *e);

/* hash_open - a running hash, the caller frees it; ERR_NOMEM or ERR_OTHER (libgcrypt is not usable). */
MUST_CHECK int hash_open(enum hash_alg alg, struct hash_state **ret, struct err *e);
void hash_free(struct hash_state *h);
void hash_update(struct hash_state *h, struct bytes data);
/* hash_final - the digest of all so far; the state goes on and may take more bytes (a rolling hash). */
void hash_final(struct hash_state *h, struct digest *ret);
/* hash_see - hash_update in the form that a source_tee takes; ctx is the hash_state. Returns 0. */
int hash_see(void *ctx, struct bytes data, struct err *e);
DEFINE_AUTO(hash_state, hash_free);

MUST_CHECK int hash_bytes(enum hash_alg alg, struct bytes data, struct digest *ret, struct err *e);

/* hash_hmac_sha256 - over the concatenation of n parts. */
MUST_CHECK int hash_hmac_sha256(struct bytes key, const struct bytes *parts, size_t n,
                                uint8_t ret[HASH_SHA256_LEN], struct err *e);

#define HASH_GMAC_KEY 32
#define HASH_GMAC_LEN 16

/* hash_gmac_open - AES-256-GMAC, many times faster than HMAC where the processor has AES, under a key that
 * must be used for one message only: the nonce is zero. The caller frees *ret. ERR_NOMEM, ERR_OTHER. */
struct hash_gmac;
MUST_CHECK int hash_gmac_open(const uint8_t key[HASH_GMAC_KEY], struct hash_gmac **ret, struct err *e);
MUST_CHECK int hash_gmac_update(struct hash_gmac *m, struct bytes data, struct err *e);
/* hash_gmac_final - the tag of all that came; nothing may come afterwards. */
MUST_CHECK int hash_gmac_final(struct hash_gmac *m, uint8_t ret[HASH_GMAC_LEN], struct err *e);
void hash_gmac_free(struct hash_gmac *m);
DEFINE_AUTO(hash_gmac, hash_gmac_free);

/* hash_random - unpredictable bytes of the kernel, fit for keys. */
MUST_CHECK int hash_random(void *buf, size_t len, struct err *e);

/* digest_parse - "sha256:<64 lower-case hex>" or "sha512:<128>"; ERR_FORMAT for anything else,
 * ERR_UNSUPPORTED for another algorithm in the grammar of image-spec 1.1. */
MUST_CHECK int digest_parse(struct bytes text, struct digest *ret, struct err *e);

/* digest_str - writes the text form into out and returns out. digest_hex: the part behind the colon. */
char *digest_str(const struct digest *d, char out[DIGEST_STR_MAX]);
char *digest_hex(const struct digest *d, char out[DIGEST_STR_MAX]);
bool digest_eq(const struct digest *a, const struct digest *b);

#endif
