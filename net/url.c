/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include "base/buf.h"
#include "base/text.h"
#include "net/address.h"

#include <arpa/inet.h>
#include <strings.h>

static bool host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool text_ok(const char *text)
{
    size_t n = 0;
    for (; text[n]; n++) {
        unsigned char c = (unsigned char)text[n];
        if (n == NET_URL_MAX || c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}#", c))
            return false;
    }
    return true;
}

/* "2852039166", "0xa9.254.43518" and "127.1" are addresses to whoever looks names up, be it libcurl, a proxy
 * or an SSH server: a host whose last label is a number has to be one in the form that we can read. */
static bool is_odd_address(const char *host)
{
    static const char digits[] = "0123456789", hex[] = "0123456789abcdef";
    struct in_addr address;
    size_t end = strlen(host), at;
    if (end && host[end - 1] == '.')
        end--;
    for (at = end; at > 0 && host[at - 1] != '.';)
        at--;
    size_t n = end - at;
    bool number =
        n > 0 && (strspn(host + at, digits) >= n ||
                  (n > 1 && host[at] == '0' && host[at + 1] == 'x' && strspn(host + at + 2, hex) >= n - 2));
    return number && inet_pton(AF_INET, host, &address) != 1;
}

/* Copies the host at p into ret->host and returns where it ends, or NULL. */
static const char *take_host(const char *p, struct net_url *ret)
{
    size_t n = 0;
    if (*p == '[') {
        n = strcspn(p + 1, "]/?");
        struct in6_addr address;
        if (p[1 + n] != ']' || n >= INET6_ADDRSTRLEN)
            return NULL;
        memcpy(ret->host, p + 1, n);
        ret->host[n] = '\0';
        return inet_pton(AF_INET6, ret->host, &address) == 1 ? p + n + 2 : NULL;
    }
    for (; host_char(p[n]); n++) {
        if (n + 1 == sizeof(ret->host))
            return NULL;
        ret->host[n] = lower(p[n]);
    }
    ret->host[n] = '\0';
    return n > 0 && !is_odd_address(ret->host) ? p + n : NULL;
}

static const char *take_port(const char *p, uint16_t *ret)
{
    unsigned value = 0, digits = 0;
    for (; *p >= '0' && *p <= '9' && digits < 6; digits++)
        value = value * 10 + (unsigned)(*p++ - '0');
    if (digits == 0 || value == 0 || value > UINT16_MAX)
        return NULL;
    *ret = (uint16_t)value;
    return p;
}

int net_url_parse(const char *text, struct net_url *ret, struct err *e)
{
    struct net_url u = {.port = 80};
    const char *p = text;
    if (!text_ok(text))
        return err_set(e, ERR_FORMAT, "URL: too long, or with a character that does not belong in one");
    if (strncasecmp(p, "https://", 8) == 0) {
        u.tls = true;
        u.port = 443;
        p += 8;
    } else if (strncasecmp(p, "http://", 7) == 0) {
        p += 7;
    } else {
        return err_set(e, ERR_FORMAT, "URL: neither http nor https");
    }
    p = take_host(p, &u);
    if (!p || (*p && !strchr(":/?", *p)))
        return err_set(e, ERR_FORMAT, "URL: invalid host, or a user name in it");
    if (*p == ':')
        p = take_port(p + 1, &u.port);
    if (!p || (*p && !strchr("/?", *p)))
        return err_set(e, ERR_FORMAT, "URL: invalid port");
    u.place = p;
    *ret = u;
    return 0;
}

bool net_url_same_origin(const struct net_url *a, const struct net_url *b)
{
    return a->tls == b->tls && a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* RFC 3986 section 4.2: a colon before any slash makes a reference absolute. */
static bool has_scheme(struct bytes reference)
{
    for (size_t i = 0; i < reference.len; i++) {
        if (reference.ptr[i] == ':')
            return i > 0;
        if (strchr("/?#", reference.ptr[i]))
            return false;
    }
    return false;
}

/* How much of `base` stays in front of the reference: up to the authority, the path or its last slash. */
static size_t base_part(const char *base, const struct net_url *u, struct bytes reference)
{
    size_t path = strcspn(u->place, "?"), authority = (size_t)(u->place - base);
    if (has_scheme(reference))
        return 0;
    if (bytes_starts(reference, BYTES_LIT("//")))
        return u->tls ? 6 : 5;
    if (bytes_starts(reference, BYTES_LIT("/")))
        return authority;
    if (reference.len == 0 || bytes_starts(reference, BYTES_LIT("?")))
        return authority + path;
    while (path > 0 && u->place[path - 1] != '/')
        path--;
    return authority + path;
}

int net_url_join(const char *base, struct bytes reference, char **ret, struct err *e)
{
    struct net_url u, joined;
    int r = net_url_parse(base, &u, e);
    if (r)
        return r;
    const uint8_t *fragment = reference.len ? memchr(reference.ptr, '#', reference.len) : NULL;
    if (fragment)
        reference.len = (size_t)(fragment - reference.ptr);
    if (reference.len && memchr(reference.ptr, '\0', reference.len))
        return err_set(e, ERR_FORMAT, "URL: with a zero byte");
    AUTO_DONE(buf) out = BUF_INIT(NET_URL_MAX);
    size_t keep = base_part(base, &u, reference);
    buf_append(&out, base, keep);
    if (keep == (size_t)(u.place - base) && reference.len && !strchr("/?", reference.ptr[0]))
        buf_append_u8(&out, '/');
    buf_append_bytes(&out, reference);
    r = buf_check(&out, e);
    if (r == 0)
        r = net_url_parse(buf_cstr(&out), &joined, e);
    if (r)
        return r;
    *ret = buf_take_str(&out);
    return 0;
}

/* RFC 6761 6.3: names under localhost are this machine's too. */
static bool is_here(const char *host)
{
    static const char name[] = "localhost";
    struct net_address address;
    size_t n = strlen(host);
    if (net_address_parse(host, &address))
        return net_address_is_loopback(&address) || net_address_is_unspecified(&address);
    if (n && host[n - 1] == '.')
        n--;
    return n >= sizeof(name) - 1 && strncmp(host + n - (sizeof(name) - 1), name, sizeof(name) - 1) == 0 &&
           (n == sizeof(name) - 1 || host[n - sizeof(name)] == '.');
}

int net_url_may_lead(const struct net_url *from, const struct net_url *to, struct err *e)
{
    if (net_url_same_origin(from, to))
        return 0;
    if (from->tls && !to->tls)
        return err_set(e, ERR_NETWORK, "refused to be led from https to http at %s", to->host);
    if (is_here(to->host) && !is_here(from->host))
        return err_set(e, ERR_NETWORK, "refused to be led to this machine at %s", to->host);
    struct net_address address;
    if (net_address_parse(to->host, &address) &&
        (net_address_is_link_local(&address) || net_address_is_metadata(&address)))
        return err_set(e, ERR_NETWORK, "refused to be led to the link-local or metadata address %s",
                       to->host);
    return 0;
}

bool net_url_is_loopback(const char *host)
{
    struct net_address address;
    return strcmp(host, "localhost") == 0 ||
           (net_address_parse(host, &address) && net_address_is_loopback(&address));
}

char *net_url_show(const char *text, char *out, size_t size)
{
    return text_escape(bytes_of(text, strcspn(text, "?#")), out, size);
}
