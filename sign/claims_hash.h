/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash of a module that claims state: SHA-256 over the preamble and every section but those that hold
 * claims, the lengths of sections in their shortest LEB128 form, and likewise for the modules and components
 * inside a component. This header is for the files of this format only.
 */
#ifndef WAYBILL_SIGN_CLAIMS_HASH_H
#define WAYBILL_SIGN_CLAIMS_HASH_H

#include "sign/scan.h"

/* sign_claims_hash - reads the scanned file again, and once more if it is a component. before_signature:
 * leave out the section of an embedded signature, too: it was put in later. ERR_FORMAT, ERR_LIMIT: what is
 * inside a component is malformed; ERR_IO: these are not the bytes that were scanned. */
MUST_CHECK int sign_claims_hash(const struct sign_scan *scan, bool before_signature, struct digest *ret,
                                struct err *e);

/* sign_claims_hash_raw - as revisions before 3 had it: the bytes of the file without the section of claims.
 */
MUST_CHECK int sign_claims_hash_raw(const struct sign_scan *scan, struct digest *ret, struct err *e);

#endif
