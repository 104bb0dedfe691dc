/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP sessions that several endpoints share: one for each registry and way to it, so that what is asked of
 * many repositories goes over the same connections. */
#ifndef WAYBILL_OCI_SESSIONS_H
#define WAYBILL_OCI_SESSIONS_H

#include "oci/endpoint.h"

struct net_http;
struct oci_sessions;

/* oci_sessions_new - nothing is connected yet. Released with oci_sessions_free (takes NULL), when no endpoint
 * uses them any more and before what their options point to. */
MUST_CHECK int oci_sessions_new(struct oci_sessions **ret, struct err *e);
void oci_sessions_free(struct oci_sessions *s);
DEFINE_AUTO(oci_sessions, oci_sessions_free);

/* oci_sessions_get - the session for an origin by the options of conf; *ret is borrowed. known_as: see
 * oci_registry_known_as. Thread: any. Returns what oci_registry_http returns. */
MUST_CHECK int oci_sessions_get(struct oci_sessions *s, const struct oci_endpoint_conf *conf,
                                const char *root, const char *known_as, struct net_http **ret, struct err *e);

#endif
