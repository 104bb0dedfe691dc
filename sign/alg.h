/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam for key algorithms, for this room only: a new one is one row of sign_algs[], and one file where it
 * is none of a family that is there. The public key of each is what a SubjectPublicKeyInfo holds in its BIT
 * STRING.
 */
#ifndef WAYBILL_SIGN_ALG_H
#define WAYBILL_SIGN_ALG_H

#include "sign/key.h"

#define SIGN_SECRET_LEN 32U /* of Ed25519 and P-256 */

struct sign_curve; /* sign/ecdsa.c */

struct sign_alg {
    enum sign_key_type type;
    const char *name;
    struct sign_scheme scheme; /* what sign_key_sign and sign_key_verify follow */
    struct bytes identifier;   /* the whole AlgorithmIdentifier in DER: RFC 8410 section 3, RFC 5480 section
                                  2.1, RFC 3279 section 2.3.1 */
    const struct sign_curve *curve; /* ECDSA */

    /* Appends a new secret. bits: RSA alone. */
    int (*generate)(const struct sign_alg *alg, unsigned bits, struct buf *ret_secret, struct err *e);
    /* Appends the public key of a secret. ERR_FORMAT, ERR_UNSUPPORTED: no valid secret, or a weak one. */
    int (*derive)(const struct sign_alg *alg, struct bytes secret, struct buf *ret_public, struct err *e);
    /* ERR_FORMAT, ERR_UNSUPPORTED for bytes that are no public key, a weak one, or one that libgcrypt must
     * not see. */
    int (*check)(const struct sign_alg *alg, struct bytes public_key, struct err *e);
    /* Whether keys of this type sign like that. */
    bool (*knows)(struct sign_scheme scheme);
    int (*sign)(const struct sign_key *k, struct sign_scheme scheme, struct bytes message, struct buf *out,
                struct err *e);
    int (*verify)(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                  struct bytes signature, bool *ret_good, struct err *e);
    /* The content of PKCS#8's OCTET STRING. ret_public: borrowed from der, or empty when it is not there. */
    int (*read_private)(const struct sign_alg *alg, struct bytes der, struct bytes *ret_secret,
                        struct bytes *ret_public, struct err *e);
    void (*put_private)(const struct sign_key *k, struct buf *out);
};

extern const struct sign_alg sign_alg_ed25519, sign_alg_p256, sign_alg_p384, sign_alg_rsa;
extern const struct sign_alg *const sign_algs[];
extern const size_t sign_n_algs;

struct sign_key {
    const struct sign_alg *alg;
    bool is_private;
    uint8_t *secret; /* secret_alloc; Ed25519: the seed; ECDSA: the number, big-endian, as long as the curve's
                        order; RSA: RSAPrivateKey in DER. NULL: a public key, or one that signs elsewhere */
    size_t secret_len;
    uint8_t *public_key; /* owned */
    size_t public_len;
    struct sign_external external;
    char nkey_kind; /* as of sign_nkey_encode; 0: none */
    bool has_minisign_number;
    uint8_t minisign_number[8]; /* of the key's file, by which its signatures name it */
    char *name;                 /* owned */
};

static inline struct bytes sign_key_secret(const struct sign_key *k)
{
    return bytes_of(k->secret, k->secret_len);
}

/* sign_rsa_bits - of the modulus of a public key that was checked. */
unsigned sign_rsa_bits(struct bytes public_key);

/* sign_key_new_private / _public - checked keys without a name. public_key: BYTES_NONE, or what must be the
 * public key of the secret. ERR_FORMAT, ERR_UNSUPPORTED (weak). */
MUST_CHECK int sign_key_new_private(const struct sign_alg *alg, struct bytes secret, struct bytes public_key,
                                    struct sign_key **ret, struct err *e);
MUST_CHECK int sign_key_new_public(const struct sign_alg *alg, struct bytes public_key, struct sign_key **ret,
                                   struct err *e);

/* sign_key_new_external - a private key that something else holds (an agent), without a name. external: the
 * key takes it over, also when this fails. What it signs is verified before it is handed out. */
MUST_CHECK int sign_key_new_external(const struct sign_alg *alg, struct bytes public_key,
                                     const struct sign_external *external, struct sign_key **ret,
                                     struct err *e);

#endif
