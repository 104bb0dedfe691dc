/* SPDX-License-Identifier: Apache-2.0 */
/* Pushing: POST for a place, one PUT of the whole blob, manifests last. distribution-spec 1.1, "Push". */
#include "oci/registry.h"

#include "base/limits.h"
#include "base/log.h"
#include "net/retry.h"
#include "net/url.h"

#include <stdio.h>

/* Whole uploads (look, POST, PUT) that are tried when the registry or the network fails in the middle. */
#define UPLOADS_MAX 4U

static bool is_stored(int status)
{
    return status == 200 || status == 201 || status == 202 || status == 204;
}

/* Is the blob there? A registry that cannot say gets the blob. */
static int blob_exists(struct oci_registry *reg, const char *digest, bool *ret, struct err *e)
{
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    AUTO_FREE char *url = NULL;
    int r = oci_registry_url(reg, "blobs", digest, &url, e);
    if (r)
        return r;
    struct net_http_request req = {.method = "HEAD", .url = url, .follow = true, .idempotent = true};
    r = oci_registry_send(reg, &req, &resp, e);
    if (r)
        return r;
    if (resp.status == 401 || resp.status == 403)
        return oci_registry_failure(reg, &resp, "look for the blob", e);
    *ret = resp.status == 200;
    return 0;
}

/* A Location may be on another host; credentials stay with the registry's own (oci_registry_send). The rest
 * of the URL is the registry's business and is kept as it is, with the digest behind it. */
static int upload_url(const struct net_http_response *resp, const char *digest, char **ret, struct err *e)
{
    AUTO_FREE char *joined = NULL;
    AUTO_DONE(buf) url = BUF_INIT(NET_URL_MAX);
    struct bytes location;
    struct net_url from, to;
    const char *colon = strchr(digest, ':');
    if (!net_http_field(resp, "Location", 0, &location))
        return err_set(e, ERR_REGISTRY, "the registry does not say where to upload to");
    int r = net_url_join(resp->url, location, &joined, e);
    if (r == 0)
        r = net_url_parse(joined, &to, e);
    if (r == 0)
        r = net_url_parse(resp->url, &from, e);
    if (r == 0)
        r = net_url_may_lead(&from, &to, e);
    if (r) {
        err_recode(e, ERR_REGISTRY);
        return err_wrap(e, "upload location");
    }
    buf_printf(&url, "%s%cdigest=%.*s%%3A%s", joined, strchr(joined, '?') ? '&' : '?', (int)(colon - digest),
               digest, colon + 1);
    r = buf_check(&url, e);
    if (r)
        return r;
    *ret = buf_take_str(&url);
    return *ret ? 0 : err_nomem(e);
}

static int upload_start(struct oci_registry *reg, const char *digest, char **ret_url, struct err *e)
{
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    AUTO_FREE char *url = NULL;
    int r = oci_registry_url(reg, "blobs", "uploads/", &url, e);
    if (r)
        return r;
    struct net_http_request req = {.method = "POST", .url = url, .follow = true, .idempotent = true};
    r = oci_registry_send(reg, &req, &resp, e);
    if (r)
        return r;
    if (resp.status != 202)
        return oci_registry_failure(reg, &resp, "start of an upload", e);
    return upload_url(&resp, digest, ret_url, e);
}

/* One upload from the start. resp: the answer to the PUT, if there was one.
 * *ret_again: it failed in a way that another upload may not. */
static int upload_once(struct oci_registry *reg, const char *digest, const struct source_opener *from,
                       struct net_http_response *resp, bool *ret_again, struct err *e)
{
    static const struct net_http_field type = {"Content-Type", "application/octet-stream"};
    AUTO_FREE char *url = NULL;
    *ret_again = false;
    int r = upload_start(reg, digest, &url, e);
    if (r)
        return r;
    struct net_http_request req = {
        .method = "PUT",
        .url = url,
        .fields = &type,
        .n_fields = 1,
        .body = from,
        .follow = true,
    };
    r = oci_registry_send(reg, &req, resp, e);
    *ret_again = r == ERR_NETWORK;
    if (r)
        return r;
    if (is_stored(resp->status))
        return 0;
    *ret_again =
        net_retry_status(resp->status) || resp->status == 404; /* 404: the upload is unknown by now */
    return oci_registry_failure(reg, resp, "upload", e);
}

/* Looks for the blob, then uploads it; again while that may help, since a broken upload may have arrived
 * after all. */
static int blob_bring(struct oci_registry *reg, const char *digest, const struct source_opener *from,
                      bool *ret_existed, struct err *e)
{
    for (unsigned n = 1;; n++) {
        AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
        bool exists = false, again;
        int r = blob_exists(reg, digest, &exists, e);
        if (r)
            return r;
        if (exists) {
            *ret_existed = n == 1;
            return 0;
        }
        r = upload_once(reg, digest, from, &resp, &again, e);
        if (r == 0)
            *ret_existed = false;
        if (r == 0 || !again || n == UPLOADS_MAX)
            return r;
        log_info("blob %s: %s; uploading again", digest, e->msg);
        if (!net_http_pause(reg->http, n, resp.url ? &resp : NULL))
            return r;
    }
}

int oci_registry_blob_push(struct oci_endpoint *ep, const struct oci_desc *desc,
                           const struct source_opener *from, bool *ret_existed, struct err *e)
{
    char digest[DIGEST_STR_MAX];
    int r = blob_bring(oci_registry_of(ep), digest_str(&desc->digest, digest), from, ret_existed, e);
    return r ? err_wrap(e, "blob %s", digest) : 0;
}

/* Which digest the registry says it stored the manifest under; silence is fine. */
static int stored_check(const struct net_http_response *resp, const struct digest *digest, struct err *e)
{
    struct bytes value;
    struct digest said;
    struct err ignored = ERR_INIT;
    char text[DIGEST_STR_MAX];
    if (net_http_field(resp, "Docker-Content-Digest", 0, &value) &&
        digest_parse(value, &said, &ignored) == 0 && said.alg == digest->alg && !digest_eq(&said, digest))
        return err_set(e, ERR_DIGEST, "the registry stored the manifest as %s", digest_str(&said, text));
    return 0;
}

int oci_registry_manifest_put(struct oci_registry *reg, struct bytes body, const char *media_type,
                              const struct digest *digest, const char *tag, struct net_http_response *resp,
                              struct err *e)
{
    AUTO_DONE(net_http_response) unused = NET_HTTP_RESPONSE_INIT;
    AUTO_FREE char *url = NULL;
    struct opener_bytes opener;
    char text[DIGEST_STR_MAX], what[DIGEST_STR_MAX + 16];
    const char *reference = tag ? tag : digest_str(digest, text);
    if (!resp)
        resp = &unused;
    int r = oci_registry_url(reg, "manifests", reference, &url, e);
    if (r)
        return r;
    (void)snprintf(what, sizeof(what), "manifest %s", reference);
    struct source_opener source = opener_bytes_init(&opener, body);
    const struct net_http_field type = {"Content-Type", media_type};
    struct net_http_request req = {
        .method = "PUT",
        .url = url,
        .fields = &type,
        .n_fields = 1,
        .body = &source,
        .follow = true,
        .idempotent = true,
    };
    r = oci_registry_send(reg, &req, resp, e);
    if (r)
        return err_wrap(e, "%s", what);
    if (!is_stored(resp->status))
        return oci_registry_failure(reg, resp, what, e);
    r = stored_check(resp, digest, e);
    return r ? err_wrap(e, "%s", what) : 0;
}

int oci_registry_manifest_push(struct oci_endpoint *ep, struct bytes body, const char *media_type,
                               const struct digest *digest, const char *tag, struct err *e)
{
    struct oci_registry *reg = oci_registry_of(ep);
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    int r = oci_registry_manifest_put(reg, body, media_type, digest, tag, &resp, e);
    return r ? r : oci_registry_subject_add(reg, body, media_type, digest, &resp, e);
}

int oci_registry_child_push(struct oci_endpoint *ep, struct bytes body, const char *media_type,
                            const struct digest *digest, struct err *e)
{
    return oci_registry_manifest_push(ep, body, media_type, digest, NULL, e);
}
