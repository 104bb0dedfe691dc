/* SPDX-License-Identifier: Apache-2.0 */
/* The seam for key algorithms, for this room only: a new one is one file and one row of sign_algs[]. */
#ifndef WAYBILL_SIGN_ALG_H
#define WAYBILL_SIGN_ALG_H

#include "sign/key.h"

#define SIGN_SECRET_LEN 32U
#define SIGN_PUBLIC_MAX 65U

struct sign_alg {
    enum sign_key_type type;
    const char *name;
    size_t public_len;
    struct sign_scheme scheme; /* the one that sign and verify follow */
    struct bytes
        identifier; /* the whole AlgorithmIdentifier in DER: RFC 8410 section 3, RFC 5480 section 2.1 */

    int (*generate)(uint8_t ret_secret[SIGN_SECRET_LEN], struct err *e);
    /* The public key of a secret: public_len bytes. ERR_FORMAT: no valid secret. */
    int (*derive)(const uint8_t secret[SIGN_SECRET_LEN], uint8_t *ret_public, struct err *e);
    /* ERR_FORMAT for public_len bytes that are no public key, or one that libgcrypt must not see. */
    int (*check)(const uint8_t *public_key, struct err *e);
    int (*sign)(const struct sign_key *k, struct bytes message, struct buf *out, struct err *e);
    int (*verify)(const struct sign_key *k, struct bytes message, struct bytes signature, bool *ret_good,
                  struct err *e);
    /* The content of PKCS#8's OCTET STRING. ret_public: borrowed from der, or empty when it is not there. */
    int (*read_private)(struct bytes der, struct bytes *ret_secret, struct bytes *ret_public, struct err *e);
    void (*put_private)(const struct sign_key *k, struct buf *out);
};

extern const struct sign_alg sign_alg_ed25519, sign_alg_p256;
extern const struct sign_alg *const sign_algs[];
extern const size_t sign_n_algs;

struct sign_key {
    const struct sign_alg *alg;
    bool is_private;
    uint8_t secret[SIGN_SECRET_LEN]; /* Ed25519: the seed; P-256: the number, big-endian */
    uint8_t public_key[SIGN_PUBLIC_MAX];
    char *name; /* owned */
};

/* sign_key_new_private / _public - checked keys without a name. public_key: BYTES_NONE, or what must be the
 * public key of the secret. ERR_FORMAT. */
MUST_CHECK int sign_key_new_private(const struct sign_alg *alg, struct bytes secret, struct bytes public_key,
                                    struct sign_key **ret, struct err *e);
MUST_CHECK int sign_key_new_public(const struct sign_alg *alg, struct bytes public_key, struct sign_key **ret,
                                   struct err *e);

#endif
