/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of keyless signatures (sigstore/fulcio: docs/certificate-specification.md, docs/oid-info.md)
 * and the log of certificates that they stand in (RFC 6962). */
#ifndef WAYBILL_SIGN_FULCIO_H
#define WAYBILL_SIGN_FULCIO_H

#include "base/limits.h"
#include "sign/cert.h"
#include "sign/root.h"

struct sign_fulcio_identity {
    char *subject; /* the one subject alternative name: an address, a URI, a user name; owned */
    char *issuer;  /* of the identity, a URL: who says that it is the subject; owned */
};
void sign_fulcio_identity_done(struct sign_fulcio_identity *i);

/* sign_fulcio_identity_read - whom a leaf names. Exactly one subject alternative name of a kind that Fulcio
 * gives, and an issuer, which must be the same in both places where it can stand. ret: zeroed;
 * sign_fulcio_identity_done in any case. ERR_CERT, ERR_NOMEM. */
MUST_CHECK int sign_fulcio_identity_read(const struct sign_cert *leaf, struct sign_fulcio_identity *ret,
                                         struct err *e);

/* sign_fulcio_check - whether the leaf was good at each of n times: a chain from it to one of the root's
 * authorities holds, by way of certificates of the root or of the chain that came with the signature; it is
 * valid for a short time; and a log of the root has promised to take it in. chain: the leaf first.
 * ERR_CERT, ERR_EXPIRED, ERR_NOMEM. */
MUST_CHECK int sign_fulcio_check(const struct sign_chain *chain, const struct sign_root *root,
                                 const int64_t *times, size_t n, struct err *e);

/* A signed certificate timestamp (RFC 6962 section 3.2), borrowed. */
struct sign_sct {
    struct bytes log_id;
    uint64_t at; /* milliseconds since 1970 */
    struct bytes extensions;
    uint8_t hash, alg; /* RFC 5246 section 7.4.1.4.1 */
    struct bytes signature;
};

/* sign_sct_list - the timestamps of a list as the extension holds it (section 3.3): an OCTET STRING. *ret_n:
 * how many of the `max` in ret. ERR_FORMAT, ERR_LIMIT (LIMIT_SCTS). */
MUST_CHECK int sign_sct_list(struct bytes ext, struct sign_sct ret[LIMIT_SCTS], size_t *ret_n, struct err *e);

/* sign_sct_check - whether one of the timestamps in the certificate is by a log of the root, at a time when
 * it is trusted. issuer: who signed the certificate. ERR_CERT. */
MUST_CHECK int sign_sct_check(const struct sign_cert *cert, const struct sign_cert *issuer,
                              const struct sign_root *root, struct err *e);

#endif
