/* SPDX-License-Identifier: Apache-2.0 */
/* Pushing manifests. distribution-spec 1.1, "Pushing manifests". */
#include "oci/registry.h"

#include "base/log.h"

#include <stdio.h>

/* How often a manifest is put when the registry misses a blob of it. */
#define PUTS_MAX 3U

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

/* Whether the registry misses a blob. All were there before: it finds one a moment later where another client
 * writes the same blob just now (docker-registry), or where its storage is slow to show what it has. */
static bool misses_blob(const struct net_http_response *resp)
{
    AUTO_DONE(buf) words = BUF_INIT(1024);
    if (resp->status != 400 && resp->status != 404)
        return false;
    oci_registry_errors(buf_bytes(&resp->body), &words);
    return strstr(buf_cstr(&words), "BLOB_UNKNOWN") != NULL;
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
    for (unsigned n = 1; !r && n < PUTS_MAX && misses_blob(resp); n++) {
        log_info("%s: the registry does not find a blob that it has; again", what);
        (void)net_http_pause(reg->http, n, NULL);
        net_http_response_done(resp);
        *resp = (struct net_http_response)NET_HTTP_RESPONSE_INIT;
        r = oci_registry_send(reg, &req, resp, e);
    }
    if (r)
        return err_wrap(e, "%s", what);
    if (!oci_registry_is_stored(resp->status))
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
