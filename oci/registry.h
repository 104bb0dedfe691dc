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
    bool shared; /* http is one of conf's sessions */
    struct oci_auth *auth;
    char *root;                 /* "https://ghcr.io" */
    char *url;                  /* "https://ghcr.io/v2/owner/name" */
    char *host;                 /* as the reference writes it, for messages */
    const char *memo_dir;       /* of struct oci_endpoint_conf */
    char *known_as;             /* what memos know the registry by: oci_registry_known_as */
    struct oci_via_way way;     /* how it is reached, where that is not straight */
    pthread_mutex_t first;      /* held by the first request until it is known what the registry asks for */
    bool greeted;               /* that is known; guarded by `first` */
    pthread_mutex_t lock;       /* guards the rest */
    char warning[256];          /* the last Warning shown */
    struct oci_cancel *cancels; /* requests that nobody waits for, until the end */
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

/* oci_registry_send_once - the same without an answer to a 401: for what is good to have and not worth a
 * token or the loss of one, as ending an upload is, which some registries want a scope of its own for. */
MUST_CHECK int oci_registry_send_once(struct oci_registry *reg, struct net_http_request *req,
                                      struct net_http_response *resp, struct err *e);

/* oci_registry_failure - the failure that an unwanted status is: 401 and 403 ERR_AUTH, 404 ERR_NOTFOUND, all
 * others ERR_REGISTRY, with the registry's own words (escaped, cut), and when to try again where it says so.
 * what: "manifest v1", for the message. Always returns an error. */
int oci_registry_failure(const struct oci_registry *reg, const struct net_http_response *resp,
                         const char *what, struct err *e);

/* oci_registry_is_stored - what registries answer when they have taken something: 200, 201, 202, 204. */
static inline bool oci_registry_is_stored(int status)
{
    return status == 200 || status == 201 || status == 202 || status == 204;
}

/* oci_registry_cancel - tells the registry, on a thread of its own, that an upload comes to nothing. Whether
 * that works is no matter. url: of the upload. oci_registry_cancel_done waits for all that were begun. */
void oci_registry_cancel(struct oci_registry *reg, const char *url);
void oci_registry_cancel_done(struct oci_registry *reg);

/* oci_registry_seen - remembers that the repository has a blob, so that a push to another one of the same
 * host can mount it. */
void oci_registry_seen(const struct oci_registry *reg, const struct oci_desc *desc);

/* The header Accept of requests for manifests. */
extern const struct net_http_field oci_registry_accept;

/* oci_registry_root - appends the origin that a host is spoken to at: "https://ghcr.io", or http where the
 * options or a loopback address say so. name: as a reference writes it. ERR_USAGE. */
MUST_CHECK int oci_registry_root(const char *name, const struct oci_endpoint_conf *conf, struct buf *out,
                                 struct err *e);

/* oci_registry_known_as - appends what memos know an origin by: root, and by which way it is reached where
 * that is an unusual one. What was learned with certificates unchecked, at a given address or behind an SSH
 * server may be of somebody else, and counts only for those who go that way again. */
#define OCI_KNOWN_AS_MAX (64U << 10)
MUST_CHECK int oci_registry_known_as(const char *root, const struct oci_endpoint_conf *conf, struct buf *out,
                                     struct err *e);

/* oci_registry_http - a session with the options of conf. root: the origin that is meant; way: room for how
 * it is reached; both for as long as the session. */
MUST_CHECK int oci_registry_http(const struct oci_endpoint_conf *conf, const char *root,
                                 struct oci_via_way *way, struct net_http **ret, struct err *e);

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
MUST_CHECK int oci_registry_child_push(struct oci_endpoint *ep, struct bytes body, const char *media_type,
                                       const struct digest *digest, struct err *e);

/* oci_registry_manifest_put - the request behind them alone: no list of referrers is looked after. resp: the
 * answer, initialised by the caller, or NULL. */
MUST_CHECK int oci_registry_manifest_put(struct oci_registry *reg, struct bytes body, const char *media_type,
                                         const struct digest *digest, const char *tag,
                                         struct net_http_response *resp, struct err *e);

/* Mounting, looking, removing, referrers: see struct oci_endpoint_ops. */
MUST_CHECK int oci_registry_blob_mount(struct oci_endpoint *ep, const struct oci_desc *desc,
                                       const char *from_repo, bool *ret_mounted, struct err *e);
MUST_CHECK int oci_registry_manifest_known(struct oci_endpoint *ep, const char *tag,
                                           const struct digest *digest, bool *ret, struct err *e);
MUST_CHECK int oci_registry_remove(struct oci_endpoint *ep, const char *tag, const struct digest *digest,
                                   struct err *e);
MUST_CHECK int oci_registry_referrers(struct oci_endpoint *ep, const struct digest *subject,
                                      const char *artifact_type, struct oci_referrers *ret, struct err *e);

/* oci_registry_subject_tag - the list of referrers that clients keep under a tag. ERR_NOTFOUND: there is
 * none; ERR_EXISTS: the tag is used for something else. ret, ret_index: the caller's to release. */
MUST_CHECK int oci_registry_subject_tag(struct oci_registry *reg, const struct digest *subject,
                                        struct oci_pinned *ret, struct oci_manifest *ret_index,
                                        struct err *e);

/* oci_registry_referrers_api - whether the registry's own list of referrers has one. */
MUST_CHECK int oci_registry_referrers_api(struct oci_registry *reg, const struct digest *subject,
                                          const struct digest *referrer, bool *ret, struct err *e);

/* oci_registry_subject_add - what is left to do when a manifest was pushed: nothing unless it has a subject
 * and the registry keeps no lists; then its entry in the list under the tag. resp: the answer to the push. */
MUST_CHECK int oci_registry_subject_add(struct oci_registry *reg, struct bytes body, const char *media_type,
                                        const struct digest *digest, const struct net_http_response *resp,
                                        struct err *e);
/* oci_registry_subject_drop - takes a referrer that was removed out of the list under the tag. */
MUST_CHECK int oci_registry_subject_drop(struct oci_registry *reg, const struct digest *subject,
                                         const struct digest *digest, struct err *e);

#endif
