/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again, and the header values that decide it. Pure functions. */
#ifndef WAYBILL_NET_RETRY_H
#define WAYBILL_NET_RETRY_H

#include "base/bytes.h"

#include <time.h>

/* net_retry_status - whether a status says "later" rather than "no": 408, 429, 500, 502, 503, 504. */
bool net_retry_status(int status);

/* net_retry_after - the value of a Retry-After header, seconds or an HTTP date (RFC 9110 10.2.3 and 5.6.7).
 * now: the present in seconds since the epoch.  *ret_ms: how long to wait, 0 for a date that is past.
 * Returns false, with *ret_ms untouched, when the value is neither. */
bool net_retry_after(struct bytes value, time_t now, int64_t *ret_ms);

/* net_retry_backoff - milliseconds before try number `attempt` + 1 (attempt counts from 1): base_ms doubled
 * per attempt, at most max_ms, of which the upper half is scaled by `random`. */
int64_t net_retry_backoff(unsigned attempt, int64_t base_ms, int64_t max_ms, uint32_t random);

struct net_content_range {
    uint64_t first, last; /* offsets, both inclusive */
    uint64_t total;       /* size of the whole, UINT64_MAX when the server did not say */
};

/* net_content_range_parse - "bytes 10-99/100" or "bytes 10-99/ *" (without the blank), RFC 9110 14.4; false
 * for anything else and for numbers that contradict each other. */
bool net_content_range_parse(struct bytes value, struct net_content_range *ret);

#endif
