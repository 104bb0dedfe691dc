/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns that a policy or an option states: POSIX extended regular expressions, always for the whole text.
 */
#ifndef WAYBILL_SIGN_PATTERN_H
#define WAYBILL_SIGN_PATTERN_H

#include "sign/trust.h"

/* sign_pattern_check - ERR_CONFIG: no such expression, longer than LIMIT_PATTERN, or one with a back
 * reference (matching those takes time without a bound). */
MUST_CHECK int sign_pattern_check(const char *pattern, struct err *e);

/* sign_pattern_matches - whether the whole text matches; text longer than LIMIT_PATTERN_TEXT does not. Upper
 * and lower case differ. ERR_CONFIG as of sign_pattern_check, ERR_NOMEM. */
MUST_CHECK int sign_pattern_matches(const char *pattern, const char *text, bool *ret, struct err *e);

/* sign_identity_matches - whether who stands behind a certificate is the one meant. issuer, subject: as
 * proven; NULL: the certificate has none, which matches nothing that is asked for. */
MUST_CHECK int sign_identity_matches(const struct sign_identity *want, const char *issuer,
                                     const char *subject, bool *ret, struct err *e);

#endif
