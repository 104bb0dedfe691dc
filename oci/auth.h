/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are at a registry: credentials from docker's configuration file, challenges (RFC 9110 11.6.1), Basic
 * (RFC 7617) and the Bearer token flow of the distribution project ("Token Authentication Specification",
 * "OAuth2").
 *
 * Where credentials may go: to the registry's origin; and to the realm that the registry itself names, if
 * that is https, or the same host, or both are loopback. The realm of an https registry is https; redirects
 * are not followed there.
 */
#ifndef WAYBILL_OCI_AUTH_H
#define WAYBILL_OCI_AUTH_H

#include "net/http.h"

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

/* Credentials */

struct oci_cred {
    char *user, *password; /* owned, wiped when released; both or neither */
    char *identity_token;  /* a refresh token, or NULL */
};

#define OCI_CRED_INIT \
    {                 \
        .user = NULL  \
    }

/* oci_cred_find - what docker's config.json says for a registry: the entry of "auths" that names the host and
 * the longest part of the repository's path. config: the file's text, may be empty.  path: its name for
 * messages, may be NULL.  host: "ghcr.io", "localhost:5000". *ret: untouched when nothing is found, so
 * initialise it; released with oci_cred_done. Returns 0, ERR_CONFIG (the message does not repeat the text) or
 * ERR_NOMEM. */
MUST_CHECK int oci_cred_find(struct bytes config, const char *path, const char *host, const char *repo,
                             struct oci_cred *ret, struct err *e);
void oci_cred_done(struct oci_cred *c);

/* Sessions */

struct oci_auth;

struct oci_auth_conf {
    struct net_http *http; /* borrowed */
    const char *root;      /* "https://ghcr.io": the registry's origin; copied */
    const char *repo;      /* copied */
    const char *actions;   /* "pull" or "pull,push"; a constant */
};

/* oci_auth_open - no request is made. cred: its content is taken over. Released with oci_auth_free (takes
 * NULL). */
MUST_CHECK int oci_auth_open(const struct oci_auth_conf *conf, struct oci_cred *cred, struct oci_auth **ret,
                             struct err *e);
void oci_auth_free(struct oci_auth *a);
DEFINE_AUTO(oci_auth, oci_auth_free);

/* oci_auth_value - the Authorization value for the next request, or NULL; a token about to expire is replaced
 * first. *ret: borrowed until the next call with this session. Returns 0 or the failures of oci_auth_answer.
 */
MUST_CHECK int oci_auth_value(struct oci_auth *a, const char **ret, struct err *e);

/* oci_auth_answer - does what the challenges of a 401 ask for, so that repeating the request has a chance.
 * resp: the 401, from the registry's own origin.
 * Returns 0, ERR_AUTH (there is nothing to answer with, the token service refuses, its realm is not
 * acceptable), ERR_NETWORK, ERR_REGISTRY (a reply that makes no sense), ERR_NOMEM. */
MUST_CHECK int oci_auth_answer(struct oci_auth *a, const struct net_http_response *resp, struct err *e);

/* oci_auth_anonymous - whether there are no credentials. */
bool oci_auth_anonymous(const struct oci_auth *a);

/* oci_token_parse - a token service's reply: the token goes to *ret (heap, fit for a header), its life in
 * seconds (at least 60) to *ret_life. ERR_REGISTRY, ERR_NOMEM. */
MUST_CHECK int oci_token_parse(struct bytes body, char **ret, uint64_t *ret_life, struct err *e);

/* oci_secret_free - wipes and frees a string; takes NULL. */
void oci_secret_free(char *s);

#endif
