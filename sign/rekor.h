/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a transparency log says of a signature (Rekor: sigstore/rekor, versions 1 and 2), checked without
 * asking it. A log has promised to take an entry (signed entry timestamp), or has it (inclusion proof under a
 * checkpoint that it signed); and the entry must be about this very signature, by this very key, of this very
 * artifact: an entry that merely verifies says nothing.
 */
#ifndef WAYBILL_SIGN_REKOR_H
#define WAYBILL_SIGN_REKOR_H

#include "sign/cert.h"
#include "sign/keyless.h"
#include "sign/root.h"

/* What an entry must be about. */
struct sign_rekor_about {
    const struct sign_keyless *in; /* message, signature, envelope, envelope_json */
    const struct sign_cert *leaf;  /* who signed, or NULL: */
    const struct sign_key *key;    /* a trusted key */
};

/* What an entry has proven. */
struct sign_rekor_proof {
    const struct sign_log *log; /* borrowed from the root */
    int64_t time;               /* when it was taken in, as promised; 0: not proven */
};

/* sign_rekor_check - an entry of a bundle (TransparencyLogEntry of protobuf-specs). Every promise and proof
 * in it must hold. needs_promise: a signed entry timestamp must be there, as in bundles of v0.1; else an
 * inclusion proof, as in those of v0.2 and later. ERR_FORMAT, ERR_LIMIT, ERR_UNSUPPORTED (a kind of entry, or
 * the key of the log); ERR_UNTRUSTED (a log that the root does not have, a wrong promise or checkpoint,
 * another signature or key); ERR_DIGEST (another artifact, or a proof that leads elsewhere); ERR_EXPIRED
 * (taken in when the log was not trusted). */
MUST_CHECK int sign_rekor_check(const struct jval *entry, const struct sign_rekor_about *about,
                                bool needs_promise, const struct sign_root *root,
                                struct sign_rekor_proof *ret, struct err *e);

/* sign_rekor_check_set - cosign's annotation dev.sigstore.cosign/bundle, {"SignedEntryTimestamp", "Payload":
 * {"body", "integratedTime", "logIndex", "logID"}}: the promise alone. Errors as above. */
MUST_CHECK int sign_rekor_check_set(const struct jval *set, const struct sign_rekor_about *about,
                                    const struct sign_root *root, struct sign_rekor_proof *ret,
                                    struct err *e);

/* Of the body of an entry: "hashedrekord" and "0.0.1". kind, version: borrowed from the document. */
struct sign_rekor_kind {
    const char *kind, *version;
};

/* sign_rekor_kind_read - what a body says that it is. ERR_FORMAT. */
MUST_CHECK int sign_rekor_kind_read(const struct jval *body, struct sign_rekor_kind *ret, struct err *e);

/* sign_rekor_body_check - whether a body is about that: kinds hashedrekord and dsse 0.0.1 and 0.0.2, intoto
 * 0.0.2, and intoto 0.0.1 where the text of the envelope is at hand. ERR_FORMAT, ERR_UNSUPPORTED, ERR_DIGEST,
 * ERR_UNTRUSTED. */
MUST_CHECK int sign_rekor_body_check(const struct jval *body, const struct sign_rekor_about *about,
                                     struct err *e);

#endif
