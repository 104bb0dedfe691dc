/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: Ed25519 (RFC 8032), ECDSA on P-256 and P-384 (FIPS 186-5), RSA of 2048 to 8192 bits (RFC 8017). */
#ifndef WAYBILL_SIGN_KEY_H
#define WAYBILL_SIGN_KEY_H

#include "base/buf.h"
#include "base/hash.h"

enum sign_key_type { SIGN_KEY_ED25519, SIGN_KEY_P256, SIGN_KEY_P384, SIGN_KEY_RSA };

/* How a signature is made of a message. */
enum sign_mode {
    SIGN_MODE_ED25519,   /* RFC 8032, pure: 64 bytes R‖S; the hash does not count */
    SIGN_MODE_ED25519PH, /* RFC 8032 section 5.1, prehashed with SHA-512 */
    SIGN_MODE_ECDSA_DER, /* FIPS 186-5; Ecdsa-Sig-Value of RFC 3279 */
    SIGN_MODE_ECDSA_RAW, /* r‖s, each as long as the curve's order (RFC 7518 section 3.4) */
    SIGN_MODE_RSA_PKCS1, /* RFC 8017 section 8.2 */
    SIGN_MODE_RSA_PSS,   /* RFC 8017 section 8.1, MGF1 and salt of the hash */
};

struct sign_scheme {
    enum sign_mode mode;
    enum hash_alg hash;
};

#define SIGN_FINGERPRINT_MAX 72 /* "SHA256:" and 64 hexadecimal digits */

struct sign_key; /* a public key, or a key pair; secrets are wiped by sign_key_free */

/* A private key that something else holds: ssh-agent. */
struct sign_external {
    /* Appends a signature over message, in the form that the scheme says. ERR_UNSUPPORTED: it does not sign
     * like that; ERR_AUTH: it refuses. */
    int (*sign)(void *ctx, struct sign_scheme scheme, struct bytes message, struct buf *out, struct err *e);
    void (*free)(void *ctx); /* or NULL */
    void *ctx;
};

/* sign_key_generate - a new pair from the kernel's random numbers; RSA of 3072 bits. sign_key_generate_rsa -
 * of another size: ERR_UNSUPPORTED for one that is not taken. */
MUST_CHECK int sign_key_generate(enum sign_key_type type, struct sign_key **ret, struct err *e);
MUST_CHECK int sign_key_generate_rsa(unsigned bits, struct sign_key **ret, struct err *e);
void sign_key_free(struct sign_key *k);
DEFINE_AUTO(sign_key, sign_key_free);

/* Where the password of an encrypted key file comes from. */
struct sign_password {
    /* Appends it to a secret buffer; it may be empty. is_new: a file is to be encrypted, so somebody who
     * types it types it twice. */
    int (*get)(void *ctx, bool is_new, struct buf *ret, struct err *e);
    void *ctx;
};

/* sign_password_get - asks. ERR_USAGE for NULL: there is none. */
MUST_CHECK int sign_password_get(const struct sign_password *p, bool is_new, struct buf *ret, struct err *e);

/* sign_key_open - a key file's content: whichever kind of sign/keyfile.h recognises it. name: for messages,
 * kept in the key (the file's name as the user gave it). password: asked only for an encrypted file; may be
 * NULL. ERR_FORMAT, ERR_UNSUPPORTED (a kind or an algorithm that waybill does not have, a weak key),
 * ERR_LIMIT, ERR_USAGE (encrypted, and no password), ERR_AUTH (a wrong password). sign_key_parse - without a
 * password. */
MUST_CHECK int sign_key_open(struct bytes content, const char *name, const struct sign_password *password,
                             struct sign_key **ret, struct err *e);
MUST_CHECK int sign_key_parse(struct bytes content, const char *name, struct sign_key **ret, struct err *e);

/* sign_key_rename - for a key that goes by another name than its file (in a policy). ERR_NOMEM. */
MUST_CHECK int sign_key_rename(struct sign_key *k, const char *name, struct err *e);

enum sign_key_type sign_key_type(const struct sign_key *k);
const char *sign_key_type_name(enum sign_key_type type); /* "ed25519", "p256", "p384", "rsa" */
bool sign_key_is_private(const struct sign_key *k);
/* sign_key_bits - of the modulus or the curve: 256, 384, 2048. */
unsigned sign_key_bits(const struct sign_key *k);
const char *sign_key_name(const struct sign_key *k);
/* sign_key_nkey_kind - whose key it is in an nkeys file: 'A' an account's, 'M' a module's (sign/nkey.h), or 0
 * where the file does not say. sign_key_set_nkey_kind - for a key that is to be written as one. */
char sign_key_nkey_kind(const struct sign_key *k);
void sign_key_set_nkey_kind(struct sign_key *k, char kind);
/* sign_key_fingerprint - "SHA256:<hex of SHA-256 of the SPKI DER>"; returns out. */
const char *sign_key_fingerprint(const struct sign_key *k, char out[SIGN_FINGERPRINT_MAX]);
/* sign_key_public - what the BIT STRING of a SubjectPublicKeyInfo holds. Ed25519: the 32 bytes of the public
 * key; ECDSA: the uncompressed point, 65 or 97 bytes; RSA: RSAPublicKey in DER (RFC 8017 appendix A.1.1).
 * Borrowed. */
struct bytes sign_key_public(const struct sign_key *k);

/* sign_key_write_private / _public - append PKCS#8 "PRIVATE KEY" / SPKI "PUBLIC KEY" PEM (RFC 5958, 5280,
 * 8410, 7468). The private form goes to a buffer made with BUF_SECRET_INIT. ERR_USAGE for a public key,
 * ERR_UNSUPPORTED for a private one that something else holds. */
MUST_CHECK int sign_key_write_private(const struct sign_key *k, struct buf *out, struct err *e);
MUST_CHECK int sign_key_write_public(const struct sign_key *k, struct buf *out, struct err *e);

/* sign_key_sign - appends the signature over message that sign_key_scheme describes. ECDSA is deterministic
 * (RFC 6979). ERR_USAGE for a public key. */
MUST_CHECK int sign_key_sign(const struct sign_key *k, struct bytes message, struct buf *out, struct err *e);

/* sign_key_verify - *ret_good: whether the signature is right. Malformed signatures are "not right" and no
 * error; an error means that nothing could be said (out of memory). All guards of libgcrypt 1.10 are applied
 * before it sees the input. */
MUST_CHECK int sign_key_verify(const struct sign_key *k, struct bytes message, struct bytes signature,
                               bool *ret_good, struct err *e);

/* sign_key_scheme - what sign_key_sign and sign_key_verify do: Ed25519 pure, ECDSA_DER with SHA-256 for P-256
 * and SHA-384 for P-384, RSA_PKCS1 with SHA-256. */
struct sign_scheme sign_key_scheme(const struct sign_key *k);

/* sign_key_sign_as / _verify_as - the same with another scheme: Ed25519 keys know the two modes of Ed25519,
 * ECDSA keys both forms and RSA keys both paddings with each hash. ERR_UNSUPPORTED: keys of that type know no
 * such scheme; verifying, that is "not right". */
MUST_CHECK int sign_key_sign_as(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                                struct buf *out, struct err *e);
MUST_CHECK int sign_key_verify_as(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                                  struct bytes signature, bool *ret_good, struct err *e);

/* sign_key_from_spki - the public key of a SubjectPublicKeyInfo in DER (RFC 5280 section 4.1), as
 * certificates hold it. name: as of sign_key_parse. */
MUST_CHECK int sign_key_from_spki(struct bytes der, const char *name, struct sign_key **ret, struct err *e);

/* sign_key_put_spki - appends the SubjectPublicKeyInfo in DER; failures are the buffer's. */
void sign_key_put_spki(const struct sign_key *k, struct buf *out);

/* sign_key_eq - whether two keys have the same public key. */
bool sign_key_eq(const struct sign_key *a, const struct sign_key *b);

#endif
