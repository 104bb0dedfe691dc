/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint kind "registry" (distribution-spec 1.1): what its files share. */
#ifndef WAYBILL_OCI_REGISTRY_H
#define WAYBILL_OCI_REGISTRY_H

#include "oci/auth.h"
#include "oci/endpoint.h"

#include <pthread.h>

struct oci_registry {
    struct oci_endpoint base; /* first */
    struct net_http *http;
    struct oci_auth *auth;
    char *root;        /* "https://ghcr.io" */
    char *url;         /* "https://ghcr.io/v2/owner/name" */
    char *host;        /* as the reference writes it, for messages */
    char warning[256]; /* the last Warning shown */
    pthread_mutex_t warning_lock;
};

static inline struct oci_registry *oci_registry_of(struct oci_endpoint *ep)
{
    return (struct oci_registry *)ep;
}

/* oci_registry_send - one request: the authorization is added for the registry's own origin, and a 401 from
 * there is answered once. A sink that has bytes already gets the rest. req: its authorization and resume are
 * set here. resp: initialised by the caller. Returns what net_http_send and oci_auth_answer return. */
MUST_CHECK int oci_registry_send(struct oci_registry *reg, struct net_http_request *req,
                                 struct net_http_response *resp, struct err *e);

/* oci_registry_failure - the failure that an unwanted status is: 401 and 403 ERR_AUTH, 404 ERR_NOTFOUND, all
 * others ERR_REGISTRY, with the registry's own words (escaped, cut), and when to try again where it says so.
 * what: "manifest v1", for the message. Always returns an error. */
int oci_registry_failure(const struct oci_registry *reg, const struct net_http_response *resp,
                         const char *what, struct err *e);

/* oci_registry_url - "<url>/<kind>/<last>"; *ret: heap. */
MUST_CHECK int oci_registry_url(const struct oci_registry *reg, const char *kind, const char *last,
                                char **ret, struct err *e);

/* oci_registry_errors - appends what an error body says: "CODE: message" of up to three errors of the
 * specification's JSON, or the start of a plain text; nothing when it is neither. body: hostile bytes; out:
 * escaped text. */
void oci_registry_errors(struct bytes body, struct buf *out);

/* See struct oci_endpoint_ops. */
MUST_CHECK int oci_registry_tags(struct oci_endpoint *ep, struct buf *out, struct err *e);

/* Pushing: see struct oci_endpoint_ops. */
MUST_CHECK int oci_registry_blob_push(struct oci_endpoint *ep, const struct oci_desc *desc,
                                      const struct source_opener *from, bool *ret_existed, struct err *e);
MUST_CHECK int oci_registry_manifest_push(struct oci_endpoint *ep, struct bytes body, const char *media_type,
                                          const struct digest *digest, const char *tag, struct err *e);

#endif
