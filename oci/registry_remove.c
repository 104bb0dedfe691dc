/* SPDX-License-Identifier: Apache-2.0 */
/* Removing, mounting, and looking whether a manifest is there. distribution-spec 1.1, "Content Management",
 * "Mounting a blob from another repository", "Checking if content exists in the registry". */
#include "oci/registry.h"

#include "base/limits.h"
#include "net/url.h"

#include <stdio.h>

static bool is_unsupported(const struct net_http_response *resp)
{
    AUTO_DONE(buf) words = BUF_INIT(1024);
    if (resp->status == 405 || resp->status == 501)
        return true;
    oci_registry_errors(buf_bytes(&resp->body), &words);
    return resp->status >= 400 && resp->status < 500 &&
           strncmp(buf_cstr(&words), "UNSUPPORTED", strlen("UNSUPPORTED")) == 0;
}

/* Some registries take a tag in a DELETE for the manifest that it names and remove that with all its tags, so
 * the answer to one that removes no tags is never to remove the digest instead: that is for the user to ask.
 */
static int delete (struct oci_registry *reg, const char *reference, bool is_tag, struct err *e)
{
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    AUTO_FREE char *url = NULL;
    char what[DIGEST_STR_MAX + 16];
    int r = oci_registry_url(reg, "manifests", reference, &url, e);
    if (r)
        return r;
    struct net_http_request req = {.method = "DELETE", .url = url, .follow = true, .idempotent = true};
    r = oci_registry_send(reg, &req, &resp, e);
    if (r)
        return r;
    if (resp.status == 202 || resp.status == 200 || resp.status == 204)
        return 0;
    (void)snprintf(what, sizeof(what), "manifest %s", reference);
    /* Debian's registry answers 400 DIGEST_INVALID to a tag */
    if (is_tag && (is_unsupported(&resp) || resp.status == 400))
        return err_set(e, ERR_UNSUPPORTED,
                       "the registry removes no tags; @DIGEST removes the manifest with all its tags");
    if (is_unsupported(&resp))
        return err_set(e, ERR_UNSUPPORTED, "the registry does not let manifests be removed");
    return oci_registry_failure(reg, &resp, what, e);
}

/* A referrer leaves the list that clients keep; the registry's own list does so by itself. */
static int remove_manifest(struct oci_registry *reg, const struct digest *digest, struct err *e)
{
    AUTO_DONE(oci_pinned) pinned = {.media_type = NULL};
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    struct err ignored;
    char text[DIGEST_STR_MAX];
    int r = reg->base.ops->resolve(&reg->base, NULL, digest, &pinned, e);
    if (!r)
        r = delete (reg, digest_str(digest, text), false, e);
    if (r || oci_manifest_parse(buf_bytes(&pinned.body), pinned.media_type, &m, &ignored) != 0 ||
        !m.has_subject)
        return r;
    return oci_registry_subject_drop(reg, &m.subject.digest, digest, e);
}

int oci_registry_remove(struct oci_endpoint *ep, const char *tag, const struct digest *digest, struct err *e)
{
    struct oci_registry *reg = oci_registry_of(ep);
    return digest ? remove_manifest(reg, digest, e) : delete (reg, tag, true, e);
}

int oci_registry_manifest_known(struct oci_endpoint *ep, const char *tag, const struct digest *digest,
                                bool *ret, struct err *e)
{
    struct oci_registry *reg = oci_registry_of(ep);
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    AUTO_FREE char *url = NULL;
    char text[DIGEST_STR_MAX];
    struct bytes value;
    int r = oci_registry_url(reg, "manifests", tag ? tag : digest_str(digest, text), &url, e);
    if (r)
        return r;
    struct net_http_request req = {.method = "HEAD",
                                   .url = url,
                                   .fields = &oci_registry_accept,
                                   .n_fields = 1,
                                   .follow = true,
                                   .idempotent = true};
    r = oci_registry_send(reg, &req, &resp, e);
    if (r)
        return r;
    if (resp.status == 401 || resp.status == 403)
        return oci_registry_failure(reg, &resp, "look for the manifest", e);
    *ret = resp.status == 200 && (!tag || (net_http_field(&resp, "Docker-Content-Digest", 0, &value) &&
                                           bytes_eq_str(value, digest_str(digest, text))));
    return 0;
}

/* The token must allow to pull from the other repository; where it does not the blob is pushed. */
static int ask_scope(struct oci_registry *reg, const char *from_repo, bool *ret_may, struct err *e)
{
    AUTO_DONE(buf) scope = BUF_INIT(2 * LIMIT_NAME);
    buf_printf(&scope, "repository:%s:pull", from_repo);
    int r = buf_check(&scope, e);
    if (!r)
        r = oci_auth_also(reg->auth, buf_cstr(&scope), e);
    *ret_may = r == 0;
    return r == ERR_AUTH || r == ERR_REGISTRY ? 0 : r;
}

/* A 202 has begun an upload that nobody goes on with; registries clear such away by themselves. */
int oci_registry_blob_mount(struct oci_endpoint *ep, const struct oci_desc *desc, const char *from_repo,
                            bool *ret_mounted, struct err *e)
{
    struct oci_registry *reg = oci_registry_of(ep);
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    AUTO_DONE(buf) last = BUF_INIT(NET_URL_MAX);
    AUTO_FREE char *url = NULL;
    char digest[DIGEST_STR_MAX];
    bool may = false;
    *ret_mounted = false;
    int r = ask_scope(reg, from_repo, &may, e);
    if (r || !may)
        return r;
    buf_printf(&last, "uploads/?mount=%s&from=", digest_str(&desc->digest, digest));
    for (const char *c = from_repo; *c;
         c++) /* a repository has nothing else that means something in a query */
        buf_append_str(&last, *c == '/' ? "%2F" : (const char[]){*c, '\0'});
    r = buf_check(&last, e);
    if (!r)
        r = oci_registry_url(reg, "blobs", buf_cstr(&last), &url, e);
    if (r)
        return r;
    struct net_http_request req = {.method = "POST", .url = url, .follow = true, .idempotent = true};
    r = oci_registry_send(reg, &req, &resp, e);
    if (r)
        return r == ERR_AUTH ? 0 : r;
    if (resp.status >= 500)
        return oci_registry_failure(reg, &resp, "mount", e);
    *ret_mounted = resp.status == 201;
    return 0;
}
