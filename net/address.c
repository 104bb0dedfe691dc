/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
/* RFC 6052 2.1: what a NAT64 translates to the IPv4 address in the last four bytes. */
static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

struct net_address net_address_of(const void *bytes, size_t len)
{
    struct net_address a = {{0}};
    if (len == 4) {
        memcpy(a.v6, mapped, sizeof(mapped));
        memcpy(a.v6 + 12, bytes, 4);
    } else {
        memcpy(a.v6, bytes, sizeof(a.v6));
        if (memcmp(a.v6, nat64, sizeof(nat64)) == 0)
            memcpy(a.v6, mapped, sizeof(mapped));
    }
    return a;
}

bool net_address_parse(const char *text, struct net_address *ret)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        *ret = net_address_of(&v4, 4);
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return false;
    *ret = net_address_of(&v6, 16);
    return true;
}

bool net_address_eq(const struct net_address *a, const struct net_address *b)
{
    return memcmp(a->v6, b->v6, sizeof(a->v6)) == 0;
}

static bool is_v4(const struct net_address *a)
{
    return memcmp(a->v6, mapped, sizeof(mapped)) == 0;
}

bool net_address_is_loopback(const struct net_address *a)
{
    static const struct net_address one = {{[15] = 1}};
    return is_v4(a) ? a->v6[12] == 127 : net_address_eq(a, &one);
}

bool net_address_is_unspecified(const struct net_address *a)
{
    static const struct net_address v6 = {{0}}, v4 = {{[10] = 0xff, [11] = 0xff}};
    return net_address_eq(a, &v6) || net_address_eq(a, &v4);
}

bool net_address_is_link_local(const struct net_address *a)
{
    return is_v4(a) ? a->v6[12] == 169 && a->v6[13] == 254 : a->v6[0] == 0xfe && (a->v6[1] & 0xc0) == 0x80;
}

bool net_address_is_metadata(const struct net_address *a)
{
    static const char *const known[] = {
        "169.254.169.254", "fd00:ec2::254", /* nearly all clouds; AWS over IPv6 */
        "169.254.170.2",                    /* AWS: credentials of ECS tasks */
        "169.254.170.23",  "fd00:ec2::23",  /* AWS: credentials of EKS pods */
        "100.100.100.200",                  /* Alibaba */
        "192.0.0.192",                      /* Oracle */
        "fd20:ce::254",                     /* Google over IPv6 */
    };
    struct net_address one;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (net_address_parse(known[i], &one) && net_address_eq(a, &one))
            return true;
    }
    return false;
}
