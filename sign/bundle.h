/* SPDX-License-Identifier: Apache-2.0 */
/* Sigstore bundles (sigstore/protobuf-specs, sigstore_bundle.proto, as JSON of protocol buffers): media types
 * of v0.1, v0.2 and v0.3. */
#ifndef WAYBILL_SIGN_BUNDLE_H
#define WAYBILL_SIGN_BUNDLE_H

#include "base/hash.h"
#include "base/limits.h"
#include "sign/dsse.h"

#define SIGN_BUNDLE_V0_3 "application/vnd.dev.sigstore.bundle.v0.3+json"

struct sign_bundle {
    struct jdoc *doc;                /* owned */
    bool is_v0_1;                    /* of the first version */
    const char *hint;                /* of the key, "" where none is stated; NULL: by a certificate */
    struct buf der;                  /* owned; the certificates one after the other */
    struct bytes chain[LIMIT_CHAIN]; /* the leaf first; borrowed from der */
    size_t n_chain;
    const struct jval *entries;    /* tlogEntries, or NULL */
    const struct jval *timestamps; /* rfc3161Timestamps, or NULL */
    bool is_message;               /* a message signature; else an envelope */
    struct sign_dsse envelope;     /* message signatures: its signature alone is used */
    struct digest message;         /* of what a message signature signs */
};

#define SIGN_BUNDLE_INIT                                           \
    {                                                              \
        .der = BUF_INIT(LIMIT_BUNDLE), .envelope = SIGN_DSSE_INIT, \
    }
void sign_bundle_done(struct sign_bundle *b);

/* sign_bundle_is - whether a media type is a bundle's, in one of its spellings. */
bool sign_bundle_is(const char *media_type);

/* sign_bundle_parse - strict: members that are not known are refused, since a bundle says by its media type
 * which there are. ret: SIGN_BUNDLE_INIT; sign_bundle_done in any case. ERR_FORMAT, ERR_LIMIT,
 * ERR_UNSUPPORTED (a message's hash), ERR_NOMEM. */
MUST_CHECK int sign_bundle_parse(struct bytes text, struct sign_bundle *ret, struct err *e);

/* sign_bundle_write - appends a v0.3 bundle with an envelope by a key. */
MUST_CHECK int sign_bundle_write(const struct sign_key *k, const char *payload_type, struct bytes payload,
                                 struct buf *out, struct err *e);

#endif
