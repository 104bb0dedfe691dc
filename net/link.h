/* SPDX-License-Identifier: Apache-2.0 */
/* The header Link of paged lists. RFC 8288. */
#ifndef WAYBILL_NET_LINK_H
#define WAYBILL_NET_LINK_H

#include "net/http.h"

/* net_link_parse - the target of the first link in a Link value whose relation is "next": *ret is borrowed
 * from value, empty when there is none. ERR_FORMAT for a malformed value. */
MUST_CHECK int net_link_parse(struct bytes value, struct bytes *ret, struct err *e);

/* net_link_next - the URL of the next page; *ret: heap, NULL when this was the last. A link to another origin
 * is ERR_NETWORK: no honest list goes on elsewhere. */
MUST_CHECK int net_link_next(const struct net_http_response *resp, char **ret, struct err *e);

#endif
