/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over a wasm binary for embedded signatures: the signature section, and the hashes that it should
 * list. */
#ifndef WAYBILL_SIGN_EMBEDDED_SCAN_H
#define WAYBILL_SIGN_EMBEDDED_SCAN_H

#include "base/limits.h"
#include "base/wbin.h"

struct sign_scan {
    enum wbin_kind kind;
    bool has_signature;  /* section 0 is a signature section, whole */
    bool misplaced;      /* a signature section anywhere else: broken says where */
    struct buf payload;  /* of the signature section */
    uint64_t signed_at;  /* offset of the first signed byte: behind the preamble and the signature section */
    uint64_t size;       /* of the file */
    struct err broken;   /* code 0, or what makes the binary malformed */
    struct digest total; /* SHA-256 of all signed bytes, also of a malformed binary */
    /* SHA-256 of the signed bytes up to the end of each delimiter section, and up to the end of the file when
     * something stands behind the last delimiter; n_hashes counts on where there is no more room. */
    uint8_t hashes[LIMIT_SIG_HASHES][HASH_SHA256_LEN];
    size_t n_hashes;
};

/* sign_scan_run - reads the stream to its end. ret: sign_scan_done by the caller, also after a failure.
 * Returns non-zero only when the stream failed or memory ran out; a malformed binary is ret->broken. */
MUST_CHECK int sign_scan_run(struct source *from, struct sign_scan *ret, struct err *e);
void sign_scan_done(struct sign_scan *s);

/* sign_scan_hashes - the list, one hash behind the other; empty when it is longer than a signature may be. */
struct bytes sign_scan_hashes(const struct sign_scan *s);

#endif
