/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys and signatures as SSH writes them: RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8332 section
 * 3, RFC 8709 sections 4 and 6, OpenSSH's PROTOCOL.u2f. */
#ifndef WAYBILL_SIGN_SSHKEY_H
#define WAYBILL_SIGN_SSHKEY_H

#include "sign/key.h"

#define SIGN_SSH_FINGERPRINT_MAX 52 /* "SHA256:" and 43 digits */

/* A public key that was read. */
struct sign_sshkey {
    struct sign_key *key;     /* owned */
    bool on_device;           /* sk-ssh-ed25519@openssh.com: a FIDO token signs, and adds data of its own */
    struct bytes application; /* of such a key; borrowed from the blob */
};
void sign_sshkey_done(struct sign_sshkey *k);

/* sign_sshkey_parse - a public key's blob. Ed25519 (also on a FIDO token), ECDSA on P-256 and P-384, RSA.
 * ERR_FORMAT; ERR_UNSUPPORTED: a certificate, another algorithm, a weak key; ERR_NOMEM. */
MUST_CHECK int sign_sshkey_parse(struct bytes blob, struct sign_sshkey *ret, struct err *e);

/* sign_sshkey_read - the same without keys on tokens. */
MUST_CHECK int sign_sshkey_read(struct bytes blob, struct sign_key **ret, struct err *e);

/* sign_sshkey_is_type - whether a word starts as the name of an algorithm for keys or certificates does. */
bool sign_sshkey_is_type(struct bytes word);

/* sign_sshkey_decode - appends the blob of a key in its text form. type: the word in front of it, which must
 * be the one that is in the blob. ERR_FORMAT. */
MUST_CHECK int sign_sshkey_decode(struct bytes type, struct bytes base64, struct buf *out, struct err *e);

/* sign_sshkey_type - "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ssh-rsa". */
const char *sign_sshkey_type(const struct sign_key *k);

/* sign_sshkey_put - appends the blob of the public key; failures are the buffer's. */
void sign_sshkey_put(const struct sign_key *k, struct buf *out);

/* sign_sshkey_write - appends the line that stands in .pub files: type, base64, and the comment where there
 * is one (NULL or "": none). */
MUST_CHECK int sign_sshkey_write(const struct sign_key *k, const char *comment, struct buf *out,
                                 struct err *e);

/* sign_sshkey_fingerprint - of a blob, as ssh-keygen -l shows it: "SHA256:" and base64. Returns out. */
char *sign_sshkey_fingerprint(struct bytes blob, char out[SIGN_SSH_FINGERPRINT_MAX]);

/* sign_sshkey_scheme - how SSH's signatures by that key are made, RSA's with SHA-512. */
struct sign_scheme sign_sshkey_scheme(const struct sign_key *k);

/* sign_sshkey_put_signature - appends the blob of a signature that follows the scheme. ERR_UNSUPPORTED: SSH
 * has no such signatures. raw: in the form the scheme says. */
MUST_CHECK int sign_sshkey_put_signature(const struct sign_key *k, struct sign_scheme scheme,
                                         struct bytes raw, struct buf *out, struct err *e);

/* sign_sshkey_read_signature - a signature's blob into the form of *ret_scheme, appended to raw. ECDSA: r‖s.
 * ERR_FORMAT; ERR_UNSUPPORTED: SHA-1, another algorithm than the key's. */
MUST_CHECK int sign_sshkey_read_signature(const struct sign_key *k, struct bytes blob,
                                          struct sign_scheme *ret_scheme, struct buf *raw, struct err *e);

/* sign_sshkey_verify - *ret_good: whether the signature's blob is right for the message. ERR_FORMAT and
 * ERR_UNSUPPORTED as of sign_sshkey_read_signature; a token's also where nobody had to touch it. */
MUST_CHECK int sign_sshkey_verify(const struct sign_sshkey *k, struct bytes message, struct bytes blob,
                                  bool *ret_good, struct err *e);

#endif
