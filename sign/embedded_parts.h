/* SPDX-License-Identifier: Apache-2.0 */
/* Delimited parts of a file, for the files of the embedded format only: which of them must be signed, and
 * where delimiters are to stand. Sections that are not custom, and custom sections whose names match an
 * expression, are those that count. */
#ifndef WAYBILL_SIGN_EMBEDDED_PARTS_H
#define WAYBILL_SIGN_EMBEDDED_PARTS_H

#include "sign/scan.h"

#define SIGN_DELIMITER_SIZE 38U /* of the whole section: id, length, name with its length, 16 bytes */

/* sign_parts_wanted - how many parts, from the first one on, must be signed so that all sections that count
 * are. expression: POSIX extended. ERR_USAGE: a malformed expression; ERR_DIGEST: the file has no delimiters,
 * sections stand behind the last one, or no name matches. */
MUST_CHECK int sign_parts_wanted(const struct sign_scan *scan, const char *expression, size_t *ret,
                                 struct err *e);

/* A file with delimiters put into it: where sections that count and others follow one another, and at the
 * end. */
struct sign_split {
    struct source base;
    const struct source_opener *from;
    struct source *in;
    uint64_t *cuts;                             /* owned: offsets in the file, ascending */
    uint8_t (*delimiters)[SIGN_DELIMITER_SIZE]; /* owned */
    size_t n;
    uint64_t at; /* in the file */
    size_t next; /* the next cut */
    size_t put;  /* bytes of its delimiter that were given */
};

/* sign_split_init - ret_from: gives the file with its delimiters, as long as `to` and `from` are there. to:
 * sign_split_done by the caller, also after a failure. ERR_USAGE, ERR_FORMAT, ERR_LIMIT. */
MUST_CHECK int sign_split_init(struct sign_split *to, const struct source_opener *from,
                               const char *expression, struct source_opener *ret_from, struct err *e);
void sign_split_done(struct sign_split *s);

#endif
