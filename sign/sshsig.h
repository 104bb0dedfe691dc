/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SSHSIG, the signatures of `ssh-keygen -Y` (OpenSSH's PROTOCOL.sshsig), and the row "ssh".
 *
 * What is signed:
 *
 *   a file      its bytes, namespace "file": what `ssh-keygen -Y sign -n file FILE` makes and `ssh-keygen -Y
 *               verify -n file -s FILE.sig <FILE` takes.
 *   a manifest  the 71 bytes of its digest as text, "sha256:" and 64 lower-case hexadecimal digits without a
 *               line end ("sha512:" and 128 for such a digest), namespace "wasm-oci". The signature hangs on
 *               the manifest as a referrer: artifact type SIGN_SSHSIG_TYPE, one layer of that media type,
 *               which is the armored text. `printf %s "$DIGEST" | ssh-keygen -Y verify -n wasm-oci` takes it.
 *
 * The namespace is signed along, so neither passes for the other, nor for a signature of git. Hash: SHA-512
 * when signing; SHA-256 is taken as well. The key inside a signature is never trusted: it must be one of the
 * trust's, or stand in its allowed signers.
 */
#ifndef WAYBILL_SIGN_SSHSIG_H
#define WAYBILL_SIGN_SSHSIG_H

#include "base/buf.h"
#include "base/hash.h"
#include "sign/key.h"

#define SIGN_SSHSIG_TYPE           "application/vnd.waybill.sshsig.v1"
#define SIGN_SSHSIG_NAMESPACE      "wasm-oci"
#define SIGN_SSHSIG_NAMESPACE_FILE "file"

struct sign_sshsig {
    struct buf raw;   /* owned; the rest is borrowed from it */
    struct bytes key; /* blob */
    struct bytes name_space;
    enum hash_alg hash;
    struct bytes signature; /* blob */
};
#define SIGN_SSHSIG_INIT                     \
    {                                        \
        .raw = BUF_INIT(LIMIT_SSH_SIGNATURE) \
    }
void sign_sshsig_done(struct sign_sshsig *s);

/* sign_sshsig_parse - an armored signature, strictly: nothing but blanks around it, nothing behind the last
 * member. ret: SIGN_SSHSIG_INIT. ERR_FORMAT; ERR_LIMIT; ERR_UNSUPPORTED: another version, another hash, the
 * reserved field in use. */
MUST_CHECK int sign_sshsig_parse(struct bytes armored, struct sign_sshsig *ret, struct err *e);

/* sign_sshsig_write - appends an armored signature. message: the digest of what is signed, SHA-256 or
 * SHA-512. ERR_USAGE: a public key, or a namespace that is empty. */
MUST_CHECK int sign_sshsig_write(const struct sign_key *key, const char *name_space,
                                 const struct digest *message, struct buf *out, struct err *e);

#endif
