/* SPDX-License-Identifier: Apache-2.0 */
/* Who made a signature of Sigstore's formats: a trusted key, or a certificate that the trust leads to. */
#ifndef WAYBILL_SIGN_SIGNER_H
#define WAYBILL_SIGN_SIGNER_H

#include "sign/keyless.h"

/* sign_signer_find - in: all but `key`, which it sets. hint: what the carrier says of the key, or "". The
 * keys of the trust are tried first and need no log; what logs say of the signature counts only with a root.
 * *ret_known false: the outcome of the check is set. Returns non-zero only when nothing could be said. */
MUST_CHECK int sign_signer_find(struct sign_keyless *in, const char *hint, const struct sign_trust *trust,
                                struct sign_check *check, bool *ret_known, struct err *e);

/* sign_signer_note - adds to the text of a check that is ok what was passed over: entries of logs, where
 * there is no root to check them by. */
void sign_signer_note(const struct sign_keyless *in, const struct sign_trust *trust,
                      struct sign_check *check);

/* sign_signer_judge_envelope - the whole way of an envelope with an in-toto statement: signer, subject, what
 * is said. in: envelope, chain, logs; message and signature are set here. The check is filled in. */
MUST_CHECK int sign_signer_judge_envelope(struct sign_keyless *in, const char *hint,
                                          const struct sign_subject *subject, const struct sign_trust *trust,
                                          struct sign_check *check, struct err *e);

#endif
