/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of HTTP: splitting, origins (RFC 6454) and resolving a reference against a base (RFC 3986
 * section 5.2). */
#ifndef WAYBILL_NET_URL_H
#define WAYBILL_NET_URL_H

#include "base/bytes.h"
#include "base/err.h"

#define NET_URL_MAX 16384U /* presigned URLs of object stores reach a few KiB */

struct net_url {
    bool tls;          /* https; else http */
    uint16_t port;     /* written or the scheme's own */
    char host[256];    /* lower case; an IPv6 address without its brackets */
    const char *place; /* path and query, borrowed from the text; "" when there is none */
};

/* net_url_parse - an absolute http or https URL.
 * text: at most NET_URL_MAX characters, which must outlive *ret. Refused: other schemes, a user name, a
 * fragment, control characters, blanks, quotes and backslashes, an empty host, an IPv4 address in another
 * form than four decimal numbers, a port of 0 or over 65535. Returns 0 or ERR_FORMAT (the message does not
 * repeat the text, which may hold a secret). */
MUST_CHECK int net_url_parse(const char *text, struct net_url *ret, struct err *e);

/* net_url_same_origin - same scheme, host and port. */
bool net_url_same_origin(const struct net_url *a, const struct net_url *b);

/* net_url_join - what `reference` (of a Location or Link header) means at `base`; its fragment is dropped.
 * *ret: heap, a URL that net_url_parse accepts. Returns 0, ERR_FORMAT or ERR_NOMEM. */
MUST_CHECK int net_url_join(const char *base, struct bytes reference, char **ret, struct err *e);

/* net_url_may_lead - whether a server at `from` may send us to `to` (redirect, upload location, token realm):
 * never from https to http, never from elsewhere to this machine, never to a link-local address or one of a
 * metadata service (net/address.h) of another origin. What addresses names have is looked at when they are
 * connected to: net/http_socket.c. Returns 0 or ERR_NETWORK. */
MUST_CHECK int net_url_may_lead(const struct net_url *from, const struct net_url *to, struct err *e);

/* net_url_is_loopback - localhost, 127.0.0.0/8 or ::1. host: as in net_url. */
bool net_url_is_loopback(const char *host);

/* net_url_show - "scheme://host/path" for messages: without the query, which may hold a secret, escaped and
 * cut to fit. Returns out. */
char *net_url_show(const char *text, char *out, size_t size);

#endif
