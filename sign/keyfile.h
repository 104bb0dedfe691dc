/* SPDX-License-Identifier: Apache-2.0 */
/* The seam for kinds of key files: a new kind is one file and one row of sign_keyfiles[]. A kind may hold
 * private keys, public keys, or both. */
#ifndef WAYBILL_SIGN_KEYFILE_H
#define WAYBILL_SIGN_KEYFILE_H

#include "sign/key.h"

struct sign_keyfile {
    const char *name;  /* as `key convert --to` spells it: "pkcs8" */
    const char *title; /* for people: "PKCS#8 PEM" */
    bool encrypts;     /* write_private needs a password */
    /* NULL: it is only written. */
    bool (*detect)(struct bytes content);
    /* ERR_FORMAT, ERR_UNSUPPORTED, ERR_LIMIT; what sign_password_get says; ERR_AUTH: a wrong password. */
    int (*parse)(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                 struct err *e);
    bool (*is_encrypted)(struct bytes content); /* of content that it detects; NULL: never */
    /* NULL: there is no such form. Appended; private ones to a secret buffer. ERR_UNSUPPORTED: not for keys
     * of that type, or of a key that something else holds. */
    int (*write_private)(const struct sign_key *k, const struct sign_password *password, struct buf *out,
                         struct err *e);
    int (*write_public)(const struct sign_key *k, struct buf *out, struct err *e);
};

extern const struct sign_keyfile *const sign_keyfiles[];
extern const size_t sign_n_keyfiles;

extern const struct sign_keyfile sign_keyfile_pkcs8, sign_keyfile_spki, sign_keyfile_cosign,
    sign_keyfile_nkeys, sign_keyfile_wasmsign2, sign_keyfile_openssh, sign_keyfile_openssh_public,
    sign_keyfile_minisign, sign_keyfile_sec1, sign_keyfile_pkcs1, sign_keyfile_encrypted, sign_keyfile_der;

/* sign_keyfile_detect - the kind of a file by its content, or NULL. */
const struct sign_keyfile *sign_keyfile_detect(struct bytes content);

/* sign_keyfile_write_private / _public - what the kind writes, after ERR_USAGE for a public key and
 * ERR_UNSUPPORTED where it has no such form, or the key cannot be in it. */
MUST_CHECK int sign_keyfile_write_private(const struct sign_keyfile *kind, const struct sign_key *k,
                                          const struct sign_password *password, struct buf *out,
                                          struct err *e);
MUST_CHECK int sign_keyfile_write_public(const struct sign_keyfile *kind, const struct sign_key *k,
                                         struct buf *out, struct err *e);

#endif
