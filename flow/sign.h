/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of, and attestations about, what a reference names: made and brought to where it is. */
#ifndef WAYBILL_FLOW_SIGN_H
#define WAYBILL_FLOW_SIGN_H

#include "flow/subject.h"

struct flow_signing {
    const struct sign_format *format;    /* one that makes detached signatures */
    const struct sign_key *key;          /* private */
    const char *predicate_type;          /* NULL: a signature; else an attestation of this type (a URI) */
    struct bytes predicate;              /* its JSON */
    const struct sign_pair *annotations; /* to be signed along */
    size_t n_annotations;
    struct bytes certificates; /* PEM, leaf first; formats with certificates */
    int64_t now, expires_at;   /* seconds since 1970; 0: it does not expire */
    const char *identity;      /* the repository that a signature names; NULL: that of the reference */
    bool recursive;            /* of an index: each of its manifests, too */
};

/* One signature that was made. */
struct flow_signature {
    struct digest subject, manifest; /* the manifest that holds the signature */
    char tag[FLOW_TAG_MAX];          /* under which it is; "": it is a referrer */
};

struct flow_signed {
    char *name, *repo;          /* as of flow_artifact */
    struct flow_signature *all; /* owned; of the reference itself first */
    size_t n;
};
void flow_signed_done(struct flow_signed *s);

/* flow_sign - the reference is resolved once and signed by its digest. With `recursive`, nothing is written
 * before all manifests of the index were read. ERR_UNSUPPORTED: the format makes no detached signatures, no
 * attestations, or none with such a key. ret: flow_signed_done, whatever is returned; it says what was made
 * also after a failure. */
MUST_CHECK int flow_sign(const struct flow_conf *conf, const char *reference, const struct flow_signing *how,
                         struct flow_signed *ret, struct err *e);

#endif
