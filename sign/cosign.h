/* SPDX-License-Identifier: Apache-2.0 */
/* The payload of cosign's simple signing (cosign's specs/SIGNATURE_SPEC.md, containers' atomic-signature):
 * {"critical": {"identity": {"docker-reference"}, "image": {"docker-manifest-digest"}, "type"}, "optional"}.
 */
#ifndef WAYBILL_SIGN_COSIGN_H
#define WAYBILL_SIGN_COSIGN_H

#include "base/json.h"
#include "sign/trust.h"

struct sign_cosign_payload {
    struct jdoc *doc;            /* owned; what follows is borrowed from it */
    const char *digest;          /* of the manifest, as it is written */
    const char *reference;       /* the repository it was signed in */
    const struct jval *optional; /* an object, or NULL */
};
void sign_cosign_payload_done(struct sign_cosign_payload *p);

/* sign_cosign_payload_parse - strict: exactly the members above, and of type "cosign container image
 * signature". ret: zeroed; sign_cosign_payload_done in any case. ERR_FORMAT, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int sign_cosign_payload_parse(struct bytes text, struct sign_cosign_payload *ret, struct err *e);

/* sign_cosign_payload_write - appends the bytes that cosign itself signs for the same: as Go writes JSON,
 * members of "optional" sorted. ERR_USAGE: the subject's repository is not known, or an annotation is there
 * twice. */
MUST_CHECK int sign_cosign_payload_write(const struct sign_subject *subject,
                                         const struct sign_pair *annotations, size_t n_annotations,
                                         struct buf *out, struct err *e);

#endif
