/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded signature of the WebAssembly tool conventions (Signatures.md), for whole modules: the hashes
 * that a signature lists must be the hashes of the file, all of them, in order, the last one at the end of
 * the file. Signatures over some parts of a file do not verify. This header is for the files of this format
 * only.
 */
#ifndef WAYBILL_SIGN_EMBEDDED_H
#define WAYBILL_SIGN_EMBEDDED_H

#include "sign/format.h"

#define SIGN_EMBEDDED_NAME "embedded"

/* sign_embedded_sign / _verify - see struct sign_format. */
MUST_CHECK int sign_embedded_sign(const struct source_opener *from, const struct sign_key *key,
                                  struct sink *to, struct err *e);
MUST_CHECK int sign_embedded_verify(struct source *from, const struct sign_trust *trust,
                                    struct sign_report *report, struct err *e);

#endif
