/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the shared object "http": what its files share of libcurl. */
#ifndef WAYBILL_NET_HTTP_CURL_H
#define WAYBILL_NET_HTTP_CURL_H

#include "net/http_ops.h"

#include <curl/curl.h>

/* net_http_easy_take - a handle that no other thread uses, the one that was used last where there is a
 * choice: it owns a connection that is still open. It shares look-ups and TLS sessions with the others of the
 * session, and has no further option set. */
MUST_CHECK int net_http_easy_take(struct net_http_session *s, CURL **ret, struct err *e);

/* net_http_easy_give - hands it back, with all of its options gone. */
void net_http_easy_give(struct net_http_session *s, CURL *easy);

/* net_http_http1_set / net_http_http1 - what was learned of HTTP/2 with one request holds for all of the
 * session: those that may not be repeated would else fail. */
void net_http_http1_set(struct net_http_session *s);
bool net_http_http1(const struct net_http_session *s);

/* net_http_home_learn / net_http_home - where the host of the origin is, by the addresses that were connected
 * to: once it was elsewhere it stays there, whatever its name leads to later. */
enum net_http_home { NET_HTTP_HOME_UNKNOWN, NET_HTTP_HOME_HERE, NET_HTTP_HOME_ELSEWHERE };
void net_http_home_learn(struct net_http_session *s, enum net_http_home where);
enum net_http_home net_http_home(const struct net_http_session *s);

/* How the connection of one hop is made: what the callbacks of http_socket.c work on. */
struct net_http_socket {
    const struct net_http_conf *conf;
    const struct net_http_hop *hop;
    struct err *e;
    struct curl_slist *resolve;
    uint16_t port;            /* to connect to instead of that of the URL; 0: none */
    int failure;              /* of a callback; described in e */
    enum net_http_home known; /* before this hop */
    enum net_http_home tried; /* out: of a hop to the origin's host, that no proxy was asked to reach */

    /* With conf->dial; -1: none. */
    int dialled;     /* the socket that is to take the place of libcurl's */
    int listener;    /* what libcurl's connects to meanwhile */
    int placeholder; /* libcurl's */
};

/* net_http_socket_init - before everything else. */
void net_http_socket_init(struct net_http_socket *s, const struct net_http_conf *conf,
                          const struct net_http_hop *hop, struct err *e);

/* net_http_socket_set - look-ups, proxies and sockets. s: stays where it is until the handle is reset;
 * released with net_http_socket_done. False: libcurl refuses an option or memory is exhausted. */
MUST_CHECK bool net_http_socket_set(CURL *easy, struct net_http_socket *s);
void net_http_socket_done(struct net_http_socket *s);

/* net_http_tls_set - authorities, the client certificate, checks. False: libcurl refuses an option. */
MUST_CHECK bool net_http_tls_set(CURL *easy, const struct net_http_conf *conf,
                                 const struct net_http_hop *hop);

/* net_http_tls_failure - describes a failure that has to do with certificates or is one of TLS's handshake.
 * text: libcurl's words for it. Returns ERR_NETWORK, ERR_CONFIG (a file cannot be used), or 0: it is
 * something else, and e is untouched. */
int net_http_tls_failure(CURL *easy, CURLcode code, const char *text, const struct net_http_conf *conf,
                         const struct net_http_hop *hop, struct err *e);

/* net_http_ended_early - whether a new connection ended after the TLS handshake and before a response, with
 * nothing of a body sent. */
bool net_http_ended_early(CURL *easy, CURLcode code);

/* net_http_tls_guess - what may be behind a connection that ended without a response, as the end of a
 * message;
 * "" where there is nothing to guess. */
const char *net_http_tls_guess(CURL *easy, CURLcode code, const struct net_http_hop *hop);

#endif
