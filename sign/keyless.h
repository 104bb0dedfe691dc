/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures by certificates and what transparency logs say of signatures: the one place where the formats of
 * Sigstore ask whether a certificate, or a log, can be believed. */
#ifndef WAYBILL_SIGN_KEYLESS_H
#define WAYBILL_SIGN_KEYLESS_H

#include "base/json.h"
#include "sign/report.h"
#include "sign/trust.h"

struct sign_dsse;

/* A signature whose maker is not yet known. All of it is what some place says. */
struct sign_keyless {
    const struct bytes *chain;  /* certificates in DER, the leaf first; not all formats bring more than it */
    size_t n_chain;             /* 0: there is no certificate, the signature is by `key` */
    const struct sign_key *key; /* a trusted key that made the signature (checked); NULL with certificates */
    struct bytes message; /* what was signed: the payload of simple signing, PAE of an envelope, the artifact
                             of a message signature; never empty */
    struct bytes signature;           /* over message; with certificates not checked yet */
    const struct sign_dsse *envelope; /* what `message` is the PAE of, or NULL */
    struct bytes envelope_json; /* the envelope as it was read, for cosign's attestations; bundles: empty */
    const struct jval *entries; /* a bundle's tlogEntries (at most LIMIT_TLOG_ENTRIES, TransparencyLogEntry of
                                   protobuf-specs), or NULL */
    bool needs_promise; /* a bundle of v0.1, whose entries have a signed entry timestamp; later ones have an
                           inclusion proof */
    const struct jval *timestamps; /* a bundle's rfc3161Timestamps, or NULL */
    const struct jval *set;        /* cosign's annotation dev.sigstore.cosign/bundle, parsed, or NULL */
};

/* sign_keyless_check - whether the signature is by an identity that the trust knows: the leaf leads to an
 * authority of trust->root at each time that a log or a time-stamping authority of it proves - one at least
 * -, a log of certificates has seen it, it belongs to one of trust->identities, a log of signatures has an
 * entry about this very signature, and message was signed by the leaf's key. A root without identities makes
 * nothing good. Every entry that is there must hold; of time stamps those by authorities that the root does
 * not have are passed over. *ret_good true: key, key_id, issuer, subject and signed_at of the check are
 * filled in and the caller goes on to what the signature says (neither ok nor code are touched). *ret_good
 * false: the outcome of the check is set: ERR_UNTRUSTED (no root was given, another identity), ERR_CERT,
 * ERR_EXPIRED, ERR_FORMAT. With `key` instead of certificates only entries and time stamps are looked at, if
 * there are any, and signed_at is filled in. Returns non-zero only when nothing could be said (out of
 * memory). */
MUST_CHECK int sign_keyless_check(const struct sign_keyless *in, const struct sign_trust *trust,
                                  struct sign_check *check, bool *ret_good, struct err *e);

#endif
