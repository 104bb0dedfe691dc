/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are at a registry: challenges (RFC 9110 11.6.1), Basic (RFC 7617) and the Bearer token flow of the
 * distribution project ("Token Authentication Specification", "OAuth2").
 *
 * Where credentials may go: to the registry's origin; and to the realm that the registry itself names, if
 * that is https, or the same host, or both are loopback. The realm of an https registry is https; redirects
 * are not followed there.
 *
 * What was learned is remembered (oci/memo.h), so that the next run needs no 401: tokens until they expire,
 * under the registry's origin, the scopes and the identity; and what a registry asks for, under its origin,
 * unless anybody on the way could have said that: over plain HTTP it is kept of this machine alone.
 */
#ifndef WAYBILL_OCI_AUTH_H
#define WAYBILL_OCI_AUTH_H

#include "net/http.h"
#include "oci/cred.h"

/* Challenges */

enum oci_auth_scheme { OCI_AUTH_NONE, OCI_AUTH_BASIC, OCI_AUTH_BEARER };

struct oci_challenge {
    enum oci_auth_scheme scheme;
    char *realm, *service, *scope, *error; /* owned; NULL when absent */
};

/* oci_challenge_add - reads one WWW-Authenticate value, which may hold several challenges, and keeps the
 * strongest of those and of what *c holds already; schemes that we do not speak are skipped. Returns 0,
 * ERR_FORMAT (then *c is unchanged) or ERR_NOMEM. */
MUST_CHECK int oci_challenge_add(struct bytes value, struct oci_challenge *c, struct err *e);
void oci_challenge_done(struct oci_challenge *c);

/* Sessions */

struct oci_auth; /* may be used by several threads at once: one asks for a token, the others take it */

struct oci_auth_conf {
    struct net_http *http;            /* borrowed */
    const char *root;                 /* "https://ghcr.io": the registry's origin; copied */
    const char *host;                 /* under which credentials are looked up */
    const char *repo;                 /* copied; "": of no repository, for a login */
    const char *actions;              /* "pull" or "pull,push"; a constant */
    const struct oci_cred_conf *cred; /* borrowed; NULL: anonymous */
    const char *memo_dir;             /* borrowed; NULL: nothing is remembered */
    const char *known_as;             /* what memos know the registry by; copied; NULL: root */
};

/* oci_auth_open - reads the credential sources; no request is made and no helper is run. Released with
 * oci_auth_free (takes NULL). Returns 0, ERR_CONFIG or ERR_NOMEM. */
MUST_CHECK int oci_auth_open(const struct oci_auth_conf *conf, struct oci_auth **ret, struct err *e);
void oci_auth_free(struct oci_auth *a);
DEFINE_AUTO(oci_auth, oci_auth_free);

/* oci_auth_value - the Authorization value for the next request, appended to out (nothing: send none): what
 * was remembered, at first; a token about to expire is replaced. out: a BUF_SECRET_INIT(OCI_AUTH_VALUE_MAX).
 * Returns 0 or the failures of oci_auth_answer. */
#define OCI_AUTH_VALUE_MAX (512U << 10)
MUST_CHECK int oci_auth_value(struct oci_auth *a, struct buf *out, struct err *e);

/* oci_auth_answer - does what the challenges of a 401 ask for, so that repeating the request has a chance.
 * sent: the value that the request went with, or NULL; when that is no longer the session's nothing is done.
 * resp: the 401, from the registry's own origin.
 * Returns 0, ERR_AUTH (there is nothing to answer with, the token service refuses, its realm is not
 * acceptable, a helper failed), ERR_NETWORK, ERR_REGISTRY (a reply that makes no sense), ERR_NOMEM. */
MUST_CHECK int oci_auth_answer(struct oci_auth *a, const char *sent, const struct net_http_response *resp,
                               struct err *e);

/* oci_auth_renew - after a 403: whether the request is worth repeating, because it went with a token of an
 * earlier run, which may allow less than a new one; that token is forgotten. */
bool oci_auth_renew(struct oci_auth *a, const char *sent);

/* oci_auth_also - asks for one more scope from now on, as a mount wants one to pull from the other
 * repository. scope: "repository:other:pull". When the token service will not give it the session is as it
 * was before, and what needed the scope is better left. Returns 0 or the failures of oci_auth_answer. */
MUST_CHECK int oci_auth_also(struct oci_auth *a, const char *scope, struct err *e);

/* oci_auth_anonymous - whether there are no credentials, as far as is known. */
bool oci_auth_anonymous(struct oci_auth *a);

/* oci_token_parse - a token service's reply: the token goes to *ret (heap, fit for a header), its life in
 * seconds (at least 60) to *ret_life. ERR_REGISTRY, ERR_NOMEM. */
MUST_CHECK int oci_token_parse(struct bytes body, char **ret, uint64_t *ret_life, struct err *e);

#endif
