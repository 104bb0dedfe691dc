/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of IP addresses that a server must not lead us to. Pure functions. */
#ifndef WAYBILL_NET_ADDRESS_H
#define WAYBILL_NET_ADDRESS_H

#include "base/macro.h"

#include <stdbool.h>
#include <stdint.h>

struct net_address {
    uint8_t
        v6[16]; /* IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2), also when it is behind NAT64's 64:ff9b::/96 */
};

/* net_address_parse - an IPv4 or IPv6 address as text, without brackets. False: it is none. */
bool net_address_parse(const char *text, struct net_address *ret);

/* net_address_of - from the 4 or 16 bytes of an address in network order. */
struct net_address net_address_of(const void *bytes, size_t len);

bool net_address_eq(const struct net_address *a, const struct net_address *b);

/* net_address_is_loopback - 127.0.0.0/8 (RFC 1122 3.2.1.3) or ::1. */
bool net_address_is_loopback(const struct net_address *a);

/* net_address_is_unspecified - 0.0.0.0 or ::, where a connection ends up on this machine. */
bool net_address_is_unspecified(const struct net_address *a);

/* net_address_is_link_local - 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291 2.5.6). */
bool net_address_is_link_local(const struct net_address *a);

/* net_address_is_metadata - where machines of clouds find their credentials: 169.254.169.254 and what else is
 * used for that. */
bool net_address_is_metadata(const struct net_address *a);

#endif
