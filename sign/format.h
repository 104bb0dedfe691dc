/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam for signature formats: a new format is one file and one row of sign_formats[]. A format sees bytes
 * and keys and never where they came from.
 */
#ifndef WAYBILL_SIGN_FORMAT_H
#define WAYBILL_SIGN_FORMAT_H

#include "base/io.h"
#include "sign/key.h"
#include "sign/report.h"

struct sign_keyring {
    struct sign_key *const *keys; /* borrowed; distinct keys */
    size_t n;
};

struct sign_format {
    const char *name; /* "embedded" */

    /* Signs what `from` gives (read twice) and writes the signed file to `to`; neither commits nor aborts.
     * What was signed before by other keys stays. ERR_UNSUPPORTED: the format does not know keys of that
     * type. */
    int (*sign)(const struct source_opener *from, const struct sign_key *key, struct sink *to, struct err *e);

    /* Reads the stream to its end and adds checks to the report. Sets verdict and reason: 0, ERR_UNSIGNED,
     * ERR_UNTRUSTED, ERR_DIGEST, ERR_FORMAT. Returns non-zero only when nothing could be said (the stream
     * failed, out of memory). */
    int (*verify)(struct source *from, const struct sign_keyring *keys, struct sign_report *report,
                  struct err *e);

    /* Reads the stream to its end and appends one line per signature found to out; none: nothing. */
    int (*list)(struct source *from, struct buf *out, struct err *e);
};

extern const struct sign_format *const sign_formats[];
extern const size_t sign_n_formats;

/* sign_format_find - by name; NULL for an unknown one. */
const struct sign_format *sign_format_find(const char *name);

extern const struct sign_format sign_embedded;

/* sign_verify - all formats that a file can carry by itself, over one stream; an empty keyring is ERR_USAGE.
 * As `verify` above. */
MUST_CHECK int sign_verify(struct source *from, const struct sign_keyring *keys, struct sign_report *report,
                           struct err *e);

#endif
