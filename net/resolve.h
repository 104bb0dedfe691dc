/* SPDX-License-Identifier: Apache-2.0 */
/* Names whose address the user gave: --resolve HOST:PORT:ADDR[:PORT]. */
#ifndef WAYBILL_NET_RESOLVE_H
#define WAYBILL_NET_RESOLVE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct net_resolve {
    char host[256]; /* lower case, an IPv6 address without its brackets */
    uint16_t port;
    char addr[64]; /* an IP address without brackets */
    uint16_t to_port;
};

/* net_resolve_parse - one text of the form above. ADDR: an IPv4 address, or an IPv6 address, in brackets if a
 * port is behind it. ERR_USAGE. */
MUST_CHECK int net_resolve_parse(const char *text, struct net_resolve *ret, struct err *e);

/* net_resolve_find - the last of the texts (all of them accepted by net_resolve_parse) that is for this host
 * and port; false when there is none. host: as in struct net_url. */
bool net_resolve_find(const char *const *texts, size_t n, const char *host, uint16_t port,
                      struct net_resolve *ret);

#endif
