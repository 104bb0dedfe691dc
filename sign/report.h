/* SPDX-License-Identifier: Apache-2.0 */
/* What a verification found: one check after the other, and the verdict. */
#ifndef WAYBILL_SIGN_REPORT_H
#define WAYBILL_SIGN_REPORT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGN_KEY_ID_MAX 72

enum sign_check_kind {
    SIGN_CHECK_NOTE,        /* says something; neither good nor bad for the verdict when ok */
    SIGN_CHECK_SIGNATURE,   /* "this artifact is signed" */
    SIGN_CHECK_ATTESTATION, /* a signed statement of some other type: never counts as a signature */
};

struct sign_check {
    const char *format; /* "embedded", "sigstore", "digest": a constant */
    enum sign_check_kind kind;
    bool ok;
    bool is_unseen;               /* a note that there are more signatures, which were not looked at */
    int code;                     /* why not: an enum err_code; 0 when ok */
    char key[256];                /* the name of the key, or the identity, that it is by; or "" */
    char key_id[SIGN_KEY_ID_MAX]; /* sign_key_fingerprint of the key (certificates: of the leaf's), set when
                                     ok: two signatures with the same one are by one signer */
    char covers[160];             /* "manifest sha256:...", "module sha256:...", "sections 0-12"; or "" */
    char where[160];              /* sign_carrier.where, or "" */
    char text[ERR_MSG_MAX];       /* what was found, in one line */
    char *issuer, *subject;       /* who, as signed: the identity of a certificate, or of claims; or NULL */
    char *repository;     /* cosign: the docker-reference as signed; NULL: the format signs no such name */
    char *predicate_type; /* attestations: NULL unless ok */
    char *statement;      /* attestations: the in-toto statement as signed, JSON; NULL unless ok */
    char *
        capabilities; /* claims, also those that are not ok: a JSON array of strings; NULL: none are stated */
    int64_t signed_at, expires_at; /* seconds since 1970, as proven or signed; 0: not known */
    int64_t revision;              /* claims: "rev"; -1: not stated */
};

struct sign_report {
    struct sign_check *checks; /* owned, with their texts */
    size_t n;
    int verdict;              /* 0, or the enum err_code that decides the exit status */
    char reason[ERR_MSG_MAX]; /* of a verdict other than 0 */
};

#define SIGN_REPORT_INIT \
    {                    \
        .checks = NULL   \
    }

void sign_report_done(struct sign_report *r);

/* sign_report_add - one check, a note; code 0 means ok. ERR_NOMEM. */
MUST_CHECK int sign_report_add(struct sign_report *r, const char *format, int code, const char *key,
                               struct err *e, const char *fmt, ...) PRINTF_LIKE(6, 7);

/* sign_report_begin - one check that the caller fills in: kind, format and where are set, ok is false and the
 * code ERR_OTHER. *ret is valid until the next check is added. where: may be NULL. ERR_NOMEM. */
MUST_CHECK int sign_report_begin(struct sign_report *r, const char *format, enum sign_check_kind kind,
                                 const char *where, struct sign_check **ret, struct err *e);

/* sign_check_set - the outcome: code 0 means ok. Returns 0. */
int sign_check_set(struct sign_check *c, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* sign_check_fail - the failure in e as the outcome; code: as it was returned. Returns 0, or the code where
 * it says nothing of the signature (ERR_NOMEM, ERR_OTHER). */
MUST_CHECK int sign_check_fail(struct sign_check *c, int code, const struct err *e);
/* sign_report_take - moves the checks of another report behind those of this one. ERR_NOMEM: nothing moved.
 */
MUST_CHECK int sign_report_take(struct sign_report *to, struct sign_report *from, struct err *e);

/* sign_report_cut - forgets the checks from the n-th on. */
void sign_report_cut(struct sign_report *r, size_t n);

/* sign_report_unseen - the note that there is more than was looked at; NULL: there is not.
 * sign_report_code - what a failure comes to that has this code (0: nothing was found at all): where there is
 * more than was looked at, and no signature came near, ERR_UNTRUSTED and not ERR_UNSIGNED or what is wrong
 * with the worst. */
const struct sign_check *sign_report_unseen(const struct sign_report *r);
int sign_report_code(const struct sign_report *r, int code);

/* sign_report_settle - sets verdict and reason where no policy says more: a good signature is enough. Without
 * one, the code and text of the check that came nearest: what was
 * demanded to be signed along, expired, certificate, digest, untrusted, malformed; ERR_UNTRUSTED for what is
 * not supported, ERR_UNSIGNED when there is none at all. */
void sign_report_settle(struct sign_report *r);

#endif
