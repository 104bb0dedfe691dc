/* SPDX-License-Identifier: Apache-2.0 */
/* What formats need of the bytes that are signed: digests by several algorithms. */
#ifndef WAYBILL_SIGN_CONTENT_H
#define WAYBILL_SIGN_CONTENT_H

#include "base/io.h"
#include "sign/trust.h"

/* sign_content_hash - the digest of the subject's bytes by that algorithm: one that is known, or that of the
 * bytes at hand. ERR_UNSUPPORTED: there is neither; ERR_DIGEST: the bytes at hand are not the subject's;
 * ERR_NOMEM, ERR_OTHER. */
MUST_CHECK int sign_content_hash(const struct sign_subject *subject, enum hash_alg alg, struct digest *ret,
                                 struct err *e);

/* A file that signatures beside it are to be checked against, or made for. */
struct sign_content {
    struct digest digests[3]; /* SHA-256, SHA-512, BLAKE2b */
    uint64_t size;
    struct buf content; /* only where it was asked for */
};
void sign_content_done(struct sign_content *f);

/* sign_content_read - reads the stream to its end, once. keep: the content as well (minisign's legacy
 * signatures are over that); then files of more than LIMIT_MODULE are ERR_LIMIT. ret: sign_content_done. */
MUST_CHECK int sign_content_read(struct source *from, bool keep, struct sign_content *ret, struct err *e);

/* sign_content_subject - borrows from f; its digest is SHA-256. */
struct sign_subject sign_content_subject(const struct sign_content *f);

#endif
