/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time as text: RFC 3339, and what ASN.1 calls GeneralizedTime. Seconds since 1970 in UTC; nothing
 * here asks a clock. */
#ifndef WAYBILL_BASE_TIME_H
#define WAYBILL_BASE_TIME_H

#include "base/bytes.h"

#define TIME_STR_MAX 32 /* "2026-01-31T12:00:00Z" */

/* time_parse_rfc3339 - "2026-01-31T12:00:00Z", "2026-01-31T14:00:00.5+02:00", the whole text. Fractions of a
 * second are cut off, a second 60 is the first of the next minute. False for anything else, and for days that
 * no calendar has. RFC 3339 section 5.6. */
bool time_parse_rfc3339(struct bytes text, int64_t *ret);

/* time_parse_generalized - "20260131120000Z", with or without a fraction, as RFC 3161 section 2.4.2 and RFC
 * 5280 section 4.1.2.5.2 have it. */
bool time_parse_generalized(struct bytes text, int64_t *ret);

/* time_str - RFC 3339 in UTC, into out; for times outside the years 0 to 9999 the nearest one inside. Returns
 * out. */
char *time_str(int64_t t, char out[TIME_STR_MAX]);

#endif
