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
};

struct sign_format {
    const char *name; /* "embedded" */

    /* Signs what `from` gives (read twice) and writes the signed file to `to`; neither commits nor aborts.
     * What was signed before by other keys stays. ERR_UNSUPPORTED: the format does not know keys of that
     * type. */
    int (*sign)(const struct source_opener *from, const struct sign_key *key, struct sink *to, struct err *e);

    /* Reads the stream to its end and adds checks to the report, none where the file bears nothing of the
     * format. Returns non-zero only when nothing could be said (the stream failed, out of memory). */
    int (*verify)(struct source *from, const struct sign_trust *trust, struct sign_report *report,
                  struct err *e);

    /* Reads the stream to its end and appends one line per signature found to out; none: nothing. */
    int (*list)(struct source *from, struct buf *out, struct err *e);

    /* Whether a blob is of this format, from its types alone: what no format detects is not even fetched. */
    bool (*detect)(const char *media_type, const char *artifact_type);

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

extern const struct sign_format sign_embedded, sign_sigstore, sign_cosign;

/* sign_verify - all formats that a file can carry by itself, over one stream that is read to its end, and
 * nothing settled. ERR_USAGE: the trust is empty. */
MUST_CHECK int sign_verify(struct source *from, const struct sign_trust *trust, struct sign_report *report,
                           struct err *e);

#endif
