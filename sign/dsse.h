/* SPDX-License-Identifier: Apache-2.0 */
/* DSSE, the Dead Simple Signing Envelope (secure-systems-lab/dsse v1.0: protocol.md, envelope.md). What is
 * verified and what is parsed afterwards are the same bytes: `payload` of struct sign_dsse. */
#ifndef WAYBILL_SIGN_DSSE_H
#define WAYBILL_SIGN_DSSE_H

#include "base/json.h"
#include "base/limits.h"
#include "sign/sigstore_key.h"

#define SIGN_DSSE_IN_TOTO "application/vnd.in-toto+json"

struct sign_dsse {
    struct buf payload;   /* decoded */
    struct buf signature; /* decoded */
    char *payload_type;   /* owned */
    char *key_id;         /* owned; "" where none is stated: unsigned, a hint */
};

#define SIGN_DSSE_INIT                                                                  \
    {                                                                                   \
        .payload = BUF_INIT(LIMIT_BUNDLE), .signature = BUF_INIT(LIMIT_DSSE_SIGNATURE), \
    }
void sign_dsse_done(struct sign_dsse *d);

/* sign_dsse_read - from an envelope in JSON. ret: SIGN_DSSE_INIT; sign_dsse_done in any case. Members that
 * are not known are passed over, as envelope.md demands. ERR_FORMAT, also for any number of signatures but
 * one; ERR_LIMIT. */
MUST_CHECK int sign_dsse_read(const struct jval *envelope, struct sign_dsse *ret, struct err *e);

/* sign_dsse_parse - the same from text. */
MUST_CHECK int sign_dsse_parse(struct bytes text, struct sign_dsse *ret, struct err *e);

/* sign_dsse_pae - appends what is signed (protocol.md, "Signature Definition"); failures are the buffer's. */
void sign_dsse_pae(const char *payload_type, struct bytes payload, struct buf *out);

/* sign_dsse_pae_max - how long that is at most. */
size_t sign_dsse_pae_max(const char *payload_type, struct bytes payload);

/* sign_dsse_sign - appends the signature over payload; as sign_sigstore_sign. */
MUST_CHECK int sign_dsse_sign(const struct sign_key *k, const char *payload_type, struct bytes payload,
                              struct buf *signature, struct err *e);

/* sign_dsse_write - an envelope with one signature. key: its member name, or NULL. Failures are the
 * buffer's. */
void sign_dsse_write(struct jout *w, const char *key, const char *payload_type, struct bytes payload,
                     struct bytes signature);

#endif
