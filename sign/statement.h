/* SPDX-License-Identifier: Apache-2.0 */
/* in-toto statements (in-toto/attestation, spec/v1/statement.md; v0.1 as cosign writes it): what is said
 * (predicate) of which artifacts (subjects). Subjects are matched by digest, never by name. */
#ifndef WAYBILL_SIGN_STATEMENT_H
#define WAYBILL_SIGN_STATEMENT_H

#include "base/json.h"
#include "sign/format.h"

#define SIGN_STATEMENT_V1   "https://in-toto.io/Statement/v1"
#define SIGN_STATEMENT_V0_1 "https://in-toto.io/Statement/v0.1"
/* cosign's "this artifact is signed": nothing else is a signature. */
#define SIGN_PREDICATE_SIGN "https://sigstore.dev/cosign/sign/v1"
/* The annotation of a Sigstore bundle's manifest that says the same of it, unsigned. */
#define SIGN_BUNDLE_PREDICATE "dev.sigstore.bundle.predicateType"

struct sign_statement {
    struct jdoc *doc;             /* owned; what follows is borrowed from it */
    const char *predicate_type;   /* a URI, not empty */
    const struct jval *predicate; /* of any kind; NULL: none */
    const struct jval *subjects;  /* an array of 1 to LIMIT_SUBJECTS objects with digests */
};

#define SIGN_STATEMENT_INIT \
    {                       \
        .doc = NULL         \
    }
void sign_statement_done(struct sign_statement *s);

/* sign_statement_parse - strict JSON; members that are not known are passed over, as statement.md demands.
 * ret: SIGN_STATEMENT_INIT; sign_statement_done in any case. ERR_FORMAT, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int sign_statement_parse(struct bytes text, struct sign_statement *ret, struct err *e);

/* sign_statement_subject - the first subject with the digest: under the name of its algorithm, in lower-case
 * hexadecimal; NULL: the statement is about something else. */
const struct jval *sign_statement_subject(const struct sign_statement *s, const struct digest *digest);

/* sign_statement_judge - what a statement says, once it is known who signed it: fills in the check, with
 * covers. Good is: it is about the subject, and a signature (predicate type SIGN_PREDICATE_SIGN, with the
 * trust's annotations) or an attestation, whose type and text are then in the check. ERR_FORMAT, ERR_DIGEST,
 * ERR_POLICY as the outcome. text: what was verified. Returns non-zero only for ERR_NOMEM. */
MUST_CHECK int sign_statement_judge(struct bytes text, const struct sign_subject *subject,
                                    const struct sign_trust *trust, struct sign_check *check, struct err *e);

/* sign_statement_kind - what a text that nobody has verified claims to be, for the report alone. */
enum sign_check_kind sign_statement_kind(struct bytes text);

/* sign_statement_write - appends a statement v1 about one subject. type: the predicate's, a URI. predicate:
 * JSON, which is taken as it stands, or empty: an empty object. annotations: of the subject, signed along.
 * ERR_FORMAT: the predicate is no JSON, or not of its type (sign_predicate_check). */
MUST_CHECK int sign_statement_write(const char *type, struct bytes predicate,
                                    const struct sign_subject *subject, const struct sign_pair *annotations,
                                    size_t n_annotations, struct buf *out, struct err *e);

/* sign_statement_of_order - the statement that an order asks to be signed: its own, which must be about the
 * subject and no signature, or one that says "signed" with the order's annotations, which is appended to
 * `written`. *ret_text: borrowed from either. parsed: SIGN_STATEMENT_INIT, what it says. ERR_USAGE,
 * ERR_UNSUPPORTED (it is to expire), ERR_DIGEST, ERR_FORMAT. */
MUST_CHECK int sign_statement_of_order(const struct sign_order *order, struct buf *written,
                                       struct bytes *ret_text, struct sign_statement *parsed, struct err *e);

/* sign_check_cover - states in the check what it covers: "manifest sha256:...", or "file sha256:...". */
void sign_check_cover(struct sign_check *check, const struct sign_subject *subject);

/* sign_annotations_want - whether an object (or NULL) has each of the trust's annotations as a member with
 * this string; otherwise the outcome of the check is set: ERR_POLICY. */
bool sign_annotations_want(const struct jval *found, const struct sign_trust *trust,
                           struct sign_check *check);

#endif
