/* SPDX-License-Identifier: Apache-2.0 */
/* A session, for the files of oci/auth alone. Its lock is held by whoever calls what is declared here. */
#ifndef WAYBILL_OCI_AUTH_SESSION_H
#define WAYBILL_OCI_AUTH_SESSION_H

#include "oci/auth.h"

#include <pthread.h>

struct oci_auth {
    struct net_http *http;
    char *root, *repo;
    const char *actions;
    struct oci_helper_conf helper;
    const char *memo_dir;
    char *known_as; /* what memos know the registry by */
    char *identity; /* what memos know the credentials by; NULL: not remembered */
    pthread_mutex_t lock;

    struct oci_cred_place place; /* until cred_known */
    struct oci_cred cred;
    bool cred_known;

    struct buf also;                /* more scopes, each with a NUL behind it */
    struct oci_challenge challenge; /* the last one answered */
    struct buf value;               /* Authorization; empty: none */
    int64_t expires;                /* of a token, on the monotonic clock in seconds; 0: never */
    bool recalled;                  /* the memos were looked at */
    bool of_memo;                   /* value is a token of an earlier run */
};

/* oci_auth_cred - has the credentials in a->cred: the moment when a helper is run. */
MUST_CHECK int oci_auth_cred(struct oci_auth *a, struct err *e);

/* oci_auth_basic - a "Basic" value, appended. */
void oci_auth_basic(const struct oci_cred *cred, struct buf *out);

/* oci_auth_token - asks for a token as c says and has it in a->value; on failure that stays. */
MUST_CHECK int oci_auth_token(struct oci_auth *a, const struct oci_challenge *c, struct err *e);

/* oci_auth_seconds - of the monotonic clock. */
int64_t oci_auth_seconds(void);

/* A token is replaced so long before its end: enough for a request to get there. */
#define OCI_AUTH_MARGIN 10

/* Memos. */

/* oci_auth_identify - sets a->identity from what is known without running a helper. */
MUST_CHECK int oci_auth_identify(struct oci_auth *a, struct err *e);

/* oci_auth_recall_token - a remembered token to a->value and its challenge to a->challenge; false: none. */
bool oci_auth_recall_token(struct oci_auth *a);
/* oci_auth_recall_challenge - what the registry asked for the last time; false: it is not known. */
bool oci_auth_recall_challenge(struct oci_auth *a, struct oci_challenge *ret);
/* oci_auth_keep_token / oci_auth_keep_challenge - as they are in *a; life: seconds. */
void oci_auth_keep_token(struct oci_auth *a, const struct oci_challenge *c, uint64_t life);
void oci_auth_keep_challenge(struct oci_auth *a, const struct oci_challenge *c);
void oci_auth_drop_token(struct oci_auth *a);
void oci_auth_drop_challenge(struct oci_auth *a);

#endif
