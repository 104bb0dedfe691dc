/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam for signature formats: a new format is one file and one row of sign_formats[]. A format sees bytes
 * and keys and never where they came from. A format that stands inside files has `sign` and `verify`, one
 * that stands beside what it signs has `detect`, `judge` and `make`.
 */
#ifndef WAYBILL_SIGN_FORMAT_H
#define WAYBILL_SIGN_FORMAT_H

#include "base/io.h"
#include "sign/key.h"
#include "sign/report.h"
#include "sign/scan.h"
#include "sign/trust.h"

/* How a detached signature hangs on what it signs. */
enum sign_hang {
    SIGN_HANG_REFERRER, /* a manifest of its own, whose subject is the signed one */
    SIGN_HANG_SIG_TAG,  /* one more layer of the image under the tag sha256-<hex>.sig (cosign) */
    SIGN_HANG_ATT_TAG,  /* the same for sha256-<hex>.att */
};

/* A detached signature that was made. */
struct sign_product {
    enum sign_hang hang;
    const char *artifact_type; /* of the manifest; NULL: none */
    const char *config_type;   /* of its empty config; NULL: that of an empty one */
    const char *media_type;    /* of the blob */
    struct buf blob;
    struct buf annotations;          /* of the blob's descriptor: a JSON object of strings, or empty */
    struct buf manifest_annotations; /* the same of the manifest */
};
void sign_product_done(struct sign_product *p);

/* What a detached signature is to say. */
struct sign_order {
    const struct sign_subject *subject;
    const struct sign_key *key;
    struct bytes statement;              /* attestations: the in-toto statement, whole; empty: a signature */
    const struct sign_pair *annotations; /* to be signed along */
    size_t n_annotations;
    struct bytes certificates; /* notation: the chain as PEM, leaf first; else empty */
    int64_t now, expires_at;   /* seconds since 1970; expires_at 0: never */
    const char *agent;         /* "waybill/0.2.0" */
    const char *ssh_namespace; /* as of struct sign_trust */
};

/* What goes into a signature that stands inside a file. */
struct sign_claims; /* sign/claims.h */
struct sign_file_order {
    const struct sign_key *key;
    const struct sign_key *subject;   /* claims: the module's own key; NULL: the one that `claims` names */
    const struct sign_claims *claims; /* claims: what to state; else NULL */
};

/* A signature that stands in a file, as it says itself. */
struct sign_mark {
    const char *format;
    char text[ERR_MSG_MAX]; /* in one line; text of the file in it is escaped */
    bool fits; /* what it says of the file's content is so; the signature itself is not checked */
    size_t first, end, but; /* it is over the sections first..end-1 but this one (SIZE_MAX: none) */
};

struct sign_marks {
    struct sign_mark *at; /* owned */
    size_t n;
};
void sign_marks_done(struct sign_marks *m);

/* sign_marks_add - one more, to be filled in; *ret is valid until the next. ERR_NOMEM. */
MUST_CHECK int sign_marks_add(struct sign_marks *m, const char *format, struct sign_mark **ret,
                              struct err *e);

struct sign_format {
    const char *name; /* "embedded" */
    bool annotates;   /* its signatures can hold annotations, which `judge` then looks for */

    /* Signs what `from` gives (read more than once) and writes the signed file to `to`; neither commits nor
     * aborts. What embedded signatures other keys made stay. ERR_UNSUPPORTED: the format does not know keys
     * of that type; ERR_DIGEST: what was signed before would not be right any more. */
    int (*sign)(const struct source_opener *from, const struct sign_file_order *order, struct sink *to,
                struct err *e);

    /* Adds checks to the report for a file, none where it bears nothing of the format, and marks the sections
     * that a good signature covers. Returns non-zero only when nothing could be said (the file could not be
     * read again, out of memory). */
    int (*verify)(struct sign_scan *scan, const struct sign_trust *trust, struct sign_report *report,
                  struct err *e);

    /* Adds what signatures a well-formed file bears, unchecked; none: nothing. */
    int (*list)(const struct sign_scan *scan, struct sign_marks *to, struct err *e);

    /* Whether a blob is of this format, from its types alone: what no format detects is not even fetched. */
    bool (*detect)(const char *media_type, const char *artifact_type);

    /* Whether a file that lies beside what it signs starts as this format does; NULL: there are none. */
    bool (*is_file)(struct bytes content);
    /* Whether such a file is about the bytes themselves and not about a digest of them; NULL: never. */
    bool (*wants_content)(struct bytes content);

    /* Adds one check or more, whatever the blob is. Returns non-zero only when nothing could be said. */
    int (*judge)(const struct sign_carrier *carrier, const struct sign_subject *subject,
                 const struct sign_trust *trust, struct sign_report *report, struct err *e);

    /* ret: sign_product_done, whatever is returned. ERR_UNSUPPORTED, ERR_USAGE. */
    int (*make)(const struct sign_order *order, struct sign_product *ret, struct err *e);
};

extern const struct sign_format *const sign_formats[];
extern const size_t sign_n_formats;

/* sign_format_find - by name; NULL for an unknown one. */
const struct sign_format *sign_format_find(const char *name);

/* sign_format_detect - the format of a blob, by its types; NULL: none. */
const struct sign_format *sign_format_detect(const char *media_type, const char *artifact_type);

/* sign_format_of_file - the format of a file that lies beside what it signs, by its content; NULL: none. */
const struct sign_format *sign_format_of_file(struct bytes content);

extern const struct sign_format sign_embedded, sign_claims_jwt, sign_sigstore, sign_cosign, sign_notation,
    sign_ssh, sign_minisign;

/* sign_list - what signatures of any format a well-formed file bears: see sign_format.list. */
MUST_CHECK int sign_list(const struct sign_scan *scan, struct sign_marks *to, struct err *e);

/* sign_verify - all formats that a file can carry by itself, in one pass over it (where it bears claims there
 * are more, and these make sure that they read the same); nothing is settled. A malformed file is a check
 * that failed, and so are sections that no good signature covers a note. ret_file: the SHA-256 digest of the
 * file, or NULL. ERR_USAGE: the trust is empty, or an expression in it is malformed. */
MUST_CHECK int sign_verify(const struct source_opener *from, const struct sign_trust *trust,
                           struct sign_report *report, struct digest *ret_file, struct err *e);

#endif
