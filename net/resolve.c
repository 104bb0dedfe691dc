/* SPDX-License-Identifier: Apache-2.0 */
#include "net/resolve.h"

#include "base/text.h"
#include "net/address.h"
#include "net/url.h"

#include <stdio.h>
#include <string.h>

static int refuse(const char *text, const char *why, struct err *e)
{
    char shown[200];
    return err_set(e, ERR_USAGE, "'%s' is not HOST:PORT:ADDR[:PORT]: %s",
                   text_escape_str(text, shown, sizeof(shown)), why);
}

/* "HOST:PORT:" by the rules of URLs. Returns what is behind it, or NULL. */
static const char *take_name(const char *text, struct net_resolve *ret)
{
    char url[8 + 256 + 2 + 6 + 1];
    struct net_url u;
    struct err ignored = ERR_INIT;
    size_t host = text[0] == '[' ? strcspn(text, "]") : 0;
    host += strcspn(text + host, ":");
    if (text[host] != ':')
        return NULL;
    size_t n = host + 1 + strspn(text + host + 1, "0123456789");
    if (text[n] != ':' || n == host + 1)
        return NULL;
    if (snprintf(url, sizeof(url), "https://%.*s", (int)n, text) >= (int)sizeof(url) ||
        net_url_parse(url, &u, &ignored) || *u.place)
        return NULL;
    (void)snprintf(ret->host, sizeof(ret->host), "%s", u.host);
    ret->port = u.port;
    return text + n + 1;
}

/* "ADDR" or "ADDR:PORT" */
static bool take_address(const char *text, struct net_resolve *ret)
{
    char url[8 + sizeof(ret->addr) + 2 + 6 + 1];
    struct net_address address;
    struct net_url u;
    struct err ignored = ERR_INIT;
    const char *colon = strchr(text, ':');
    ret->to_port = ret->port;
    if (net_address_parse(text, &address)) {
        (void)snprintf(ret->addr, sizeof(ret->addr), "%s", text);
        return true;
    }
    /* without a port of its own, that of HOST */
    if (text[0] == '[')
        colon = strstr(text, "]:");
    int n = colon ? snprintf(url, sizeof(url), "https://%s", text)
                  : snprintf(url, sizeof(url), "https://%s:%u", text, ret->port);
    if (n >= (int)sizeof(url) || net_url_parse(url, &u, &ignored) || *u.place ||
        !net_address_parse(u.host, &address))
        return false;
    (void)snprintf(ret->addr, sizeof(ret->addr), "%.63s", u.host);
    ret->to_port = u.port;
    return true;
}

int net_resolve_parse(const char *text, struct net_resolve *ret, struct err *e)
{
    struct net_resolve r = {.port = 0};
    const char *rest = take_name(text, &r);
    if (!rest)
        return refuse(text, "no host and port in front", e);
    if (!take_address(rest, &r))
        return refuse(text, "no IP address behind the first port, or something behind it that is no port", e);
    *ret = r;
    return 0;
}

bool net_resolve_find(const char *const *texts, size_t n, const char *host, uint16_t port,
                      struct net_resolve *ret)
{
    struct net_resolve one;
    struct err ignored = ERR_INIT;
    while (n-- > 0) {
        if (net_resolve_parse(texts[n], &one, &ignored) == 0 && one.port == port &&
            strcmp(one.host, host) == 0) {
            *ret = one;
            return true;
        }
    }
    return false;
}
