/* SPDX-License-Identifier: Apache-2.0 */
/* login and logout: credentials tried at a registry, and kept where the next command finds them. */
#ifndef WAYBILL_OCI_LOGIN_H
#define WAYBILL_OCI_LOGIN_H

#include "oci/endpoint.h"

/* oci_login_host - the registry that "HOST[:PORT]" or "https://HOST[:PORT]/" names, as references write it:
 * every name of Docker Hub is "docker.io". *ret: heap. ERR_USAGE, ERR_NOMEM. */
MUST_CHECK int oci_login_host(const char *text, char **ret, struct err *e);

/* oci_login_check - whether a registry takes conf->credentials: GET /v2/ and what that asks for.
 * *ret_asked: it wanted to know; false: it answers anybody, so nothing is known about them. ERR_AUTH when it
 * does not take them; ERR_NETWORK, ERR_REGISTRY. */
MUST_CHECK int oci_login_check(const struct oci_endpoint_conf *conf, const char *host, bool *ret_asked,
                               struct err *e);

/* Where credentials were put. */
struct oci_login_place {
    char *helper; /* its name, or NULL */
    char *path;   /* the file, or NULL */
};
void oci_login_place_done(struct oci_login_place *p);

/* oci_login_store - with the first helper that a source names for the host; a file that the user chose is
 * where the search ends. Without one: in the first file that is there, else in the last one.
 * ERR_CONFIG (also: nowhere to put them), ERR_AUTH (the helper failed or is not installed), ERR_IO. */
MUST_CHECK int oci_login_store(const struct oci_cred_conf *conf, const char *host,
                               const struct oci_cred *cred, struct oci_login_place *ret, struct err *e);

/* oci_login_erase - from every helper and file. removed is called for each place that had some; its failures
 * end it. ERR_NOTFOUND when there were none, else as oci_login_store. */
MUST_CHECK int oci_login_erase(const struct oci_cred_conf *conf, const char *host,
                               void (*removed)(void *ctx, const struct oci_login_place *place), void *ctx,
                               struct err *e);

#endif
