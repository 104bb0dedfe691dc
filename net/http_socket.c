/* SPDX-License-Identifier: Apache-2.0 */
/* Where a connection goes: addresses that the user gave, sockets that somebody else connects, and places that
 * no server may lead us to. */
#include "base/text.h"
#include "net/address.h"
#include "net/http_curl.h"
#include "net/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The address of a socket; false for families other than those of IP. */
static bool address_read(int family, const struct sockaddr *at, size_t len, struct net_address *ret)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (family == AF_INET && len >= sizeof(v4)) {
        memcpy(&v4, at, sizeof(v4));
        *ret = net_address_of(&v4.sin_addr, 4);
        return true;
    }
    if (family == AF_INET6 && len >= sizeof(v6)) {
        memcpy(&v6, at, sizeof(v6));
        *ret = net_address_of(&v6.sin6_addr, 16);
        return true;
    }
    return false;
}

/* sin_port and sin6_port are at the same place. */
static void port_set(struct curl_sockaddr *at, uint16_t port)
{
    struct sockaddr_in v4;
    memcpy(&v4, &at->addr, sizeof(v4));
    v4.sin_port = htons(port);
    memcpy(&at->addr, &v4, sizeof(v4));
}

static uint16_t port_of(const struct curl_sockaddr *at)
{
    struct sockaddr_in v4;
    memcpy(&v4, &at->addr, sizeof(v4));
    return ntohs(v4.sin_port);
}

static bool is_here(const struct net_address *a)
{
    return net_address_is_loopback(a) || net_address_is_unspecified(a);
}

/* Whether all addresses that a host has now are this machine's. */
static bool leads_here(const char *host)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    struct net_address address;
    if (getaddrinfo(host, NULL, &hints, &all) != 0)
        return false;
    bool here = all != NULL;
    for (const struct addrinfo *at = all; here && at; at = at->ai_next)
        here = address_read(at->ai_family, at->ai_addr, at->ai_addrlen, &address) && is_here(&address);
    freeaddrinfo(all);
    return here;
}

/* Whether the origin is on this machine. A token service may be asked before the registry itself was: then
 * its name has to do. */
static bool origin_is_here(const struct net_http_socket *s)
{
    const struct net_url *origin = &s->hop->origin;
    struct net_resolve given;
    struct net_address address;
    if (s->known != NET_HTTP_HOME_UNKNOWN)
        return s->known == NET_HTTP_HOME_HERE;
    if (net_resolve_find(s->conf->resolve, s->conf->n_resolve, origin->host, origin->port, &given))
        return net_address_parse(given.addr, &address) && is_here(&address);
    return net_url_is_loopback(origin->host) || leads_here(origin->host);
}

/* libcurl connects to a proxy of the environment with that one's port. One whose port is the server's, too,
 * cannot be told from the server. */
static bool is_proxy(const struct net_http_hop *hop, const struct curl_sockaddr *at)
{
    return !hop->direct && port_of(at) != hop->at.port;
}

/* Who is elsewhere does not lead to this machine. */
static int here_check(struct net_http_socket *s, const struct net_address *address)
{
    char shown[300];
    if (s->hop->home && s->tried != NET_HTTP_HOME_ELSEWHERE)
        s->tried = is_here(address) ? NET_HTTP_HOME_HERE : NET_HTTP_HOME_ELSEWHERE;
    if (s->hop->home || !is_here(address) || origin_is_here(s))
        return 0;
    return err_set(s->e, ERR_NETWORK, "%s has an address of this machine: refused to be led there",
                   text_escape_str(s->hop->at.host, shown, sizeof(shown)));
}

/* Names lead anywhere, and so do redirects: what counts is the address that is about to be connected to. The
 * user may name a link-local host, by name or by address, and a metadata service by its address. */
static int address_check(const struct net_http_hop *hop, const struct net_address *address, struct err *e)
{
    char shown[300];
    struct net_address named;
    bool literal = hop->home && net_address_parse(hop->at.host, &named) && net_address_eq(&named, address);
    if (literal || (hop->home && !net_address_is_metadata(address)))
        return 0;
    if (!net_address_is_link_local(address) && !net_address_is_metadata(address))
        return 0;
    return err_set(e, ERR_NETWORK, "%s has a link-local or metadata address: refused to connect",
                   text_escape_str(hop->at.host, shown, sizeof(shown)));
}

static int dial(struct net_http_socket *s)
{
    const struct net_url *at = &s->hop->at;
    struct net_resolve known;
    bool given = net_resolve_find(s->conf->resolve, s->conf->n_resolve, at->host, at->port, &known);
    return s->conf->dial(s->conf->dial_ctx, given ? known.addr : at->host, given ? known.to_port : at->port,
                         &s->dialled, s->e);
}

/* libcurl can be told that a socket is connected already, but 7.88 then fails. So it gets a socket of its own
 * to connect, to a place on this machine where nobody will ever read, and before the first byte the dialled
 * one takes its descriptor: see on_connected. */
static int placeholder_make(struct net_http_socket *s, struct curl_sockaddr *at)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t len = sizeof(name);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0 || bind(s->listener, (const struct sockaddr *)&name, len) < 0 ||
        listen(s->listener, 1) < 0 || getsockname(s->listener, (struct sockaddr *)&name, &len) < 0)
        return -1;
    s->placeholder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at->family = AF_INET;
    at->protocol = 0;
    at->addrlen = len;
    memcpy(&at->addr, &name, len);
    return s->placeholder;
}

static curl_socket_t open_dialled(struct net_http_socket *s, struct curl_sockaddr *at)
{
    s->failure = dial(s);
    if (s->failure)
        return CURL_SOCKET_BAD;
    int flags = fcntl(s->dialled, F_GETFL);
    if (flags >= 0 && fcntl(s->dialled, F_SETFL, flags | O_NONBLOCK) == 0 && placeholder_make(s, at) >= 0)
        return s->placeholder;
    s->failure = err_set_errno(s->e, ERR_IO, errno, "a socket in place of a connection");
    return CURL_SOCKET_BAD;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static bool on_connected(struct net_http_socket *s)
{
    bool good = s->dialled < 0 || dup3(s->dialled, s->placeholder, O_CLOEXEC) >= 0;
    close_fd(&s->dialled);
    close_fd(&s->listener);
    return good;
}

/* Before TLS's first byte. */
static CURLcode on_tls(CURL *easy, void *tls, void *ctx)
{
    (void)easy, (void)tls;
    return on_connected(ctx) ? CURLE_OK : CURLE_COULDNT_CONNECT;
}

/* Before HTTP's first byte. */
static int on_request(void *ctx, char *to, char *from, int to_port, int from_port)
{
    (void)to, (void)from, (void)to_port, (void)from_port;
    return on_connected(ctx) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *at)
{
    struct net_http_socket *s = ctx;
    struct net_address address;
    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (s->conf->dial)
        return open_dialled(s, at);
    if (address_read(at->family, &at->addr, at->addrlen, &address)) {
        s->failure = address_check(s->hop, &address, s->e);
        if (!s->failure && !is_proxy(s->hop, at))
            s->failure = here_check(s, &address);
    }
    if (s->failure)
        return CURL_SOCKET_BAD;
    if (s->port)
        port_set(at, s->port);
    return socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
}

/* libcurl looks a name up only when it has no address for it. */
static bool resolve_make(struct net_http_socket *s)
{
    const struct net_url *at = &s->hop->at;
    struct net_address literal;
    struct net_resolve known;
    char entry[sizeof(at->host) + sizeof(known.addr) + 16];
    if (net_resolve_find(s->conf->resolve, s->conf->n_resolve, at->host, at->port, &known)) {
        s->port = known.to_port != at->port ? known.to_port : 0;
    } else if (s->conf->dial && !net_address_parse(at->host, &literal)) {
        (void)snprintf(known.addr, sizeof(known.addr), "127.0.0.1"); /* never connected to */
    } else {
        return true;
    }
    bool v6 = strchr(known.addr, ':') != NULL;
    (void)snprintf(entry, sizeof(entry), "%s:%u:%s%s%s", at->host, at->port, v6 ? "[" : "", known.addr,
                   v6 ? "]" : "");
    s->resolve = curl_slist_append(NULL, entry);
    return s->resolve != NULL;
}

void net_http_socket_init(struct net_http_socket *s, const struct net_http_conf *conf,
                          const struct net_http_hop *hop, struct err *e)
{
    *s = (struct net_http_socket){
        .conf = conf, .hop = hop, .e = e, .dialled = -1, .listener = -1, .placeholder = -1};
}

bool net_http_socket_set(CURL *easy, struct net_http_socket *s)
{
    bool ok = resolve_make(s);
#define SET(option, value) (ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK)
    if (s->resolve)
        SET(CURLOPT_RESOLVE, s->resolve);
    if (s->hop->direct)
        SET(CURLOPT_PROXY, "");
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(CURLOPT_OPENSOCKETDATA, s);
    if (s->conf->dial) {
        SET(CURLOPT_SSL_CTX_FUNCTION, on_tls);
        SET(CURLOPT_SSL_CTX_DATA, s);
        SET(CURLOPT_PREREQFUNCTION, on_request);
        SET(CURLOPT_PREREQDATA, s);
    }
#undef SET
    return ok;
}

void net_http_socket_done(struct net_http_socket *s)
{
    curl_slist_free_all(s->resolve);
    s->resolve = NULL;
    close_fd(&s->dialled);
    close_fd(&s->listener);
}
