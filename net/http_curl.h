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

#endif
