/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded signature of the WebAssembly tool conventions (Signatures.md): the hashes that a signature
 * lists must be the hashes of the file, all of them, in order, the last one at the end of the file; or, where
 * only some parts must be signed, the hashes of all parts up to the last of these.
 */
#ifndef WAYBILL_SIGN_EMBEDDED_H
#define WAYBILL_SIGN_EMBEDDED_H

#include "sign/format.h"

#define SIGN_EMBEDDED_NAME "embedded"

/* sign_embedded_sign / _verify - see struct sign_format. */
MUST_CHECK int sign_embedded_sign(const struct source_opener *from, const struct sign_file_order *order,
                                  struct sink *to, struct err *e);
MUST_CHECK int sign_embedded_verify(struct sign_scan *scan, const struct sign_trust *trust,
                                    struct sign_report *report, struct err *e);

/* sign_embedded_detached - appends to out a signature over the file that is to stand beside it: what would be
 * the payload of its section. old: the one that is there already, or empty; its signatures stay. ERR_FORMAT:
 * also a file with a signature inside; ERR_UNSUPPORTED, ERR_DIGEST: see sign_format.sign. */
MUST_CHECK int sign_embedded_detached(const struct source_opener *from, const struct sign_key *key,
                                      struct bytes old, struct buf *out, struct err *e);

/* sign_embedded_detach - moves the signature out: `to` gets the file without it, out its payload.
 * ERR_UNSIGNED: there is none; ERR_FORMAT. Neither commits nor aborts. */
MUST_CHECK int sign_embedded_detach(const struct source_opener *from, struct buf *out, struct sink *to,
                                    struct err *e);

/* sign_embedded_attach - puts a signature that stood beside the file into it. ERR_FORMAT: the file or the
 * signature is malformed, or the file has one; ERR_DIGEST: the signature is for other content. */
MUST_CHECK int sign_embedded_attach(const struct source_opener *from, struct bytes signature, struct sink *to,
                                    struct err *e);

#endif
