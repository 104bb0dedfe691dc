/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/graph.h"
#include "oci/locate.h"

/* Whether a text that oci_ref_parse takes says a tag or a digest itself. */
static bool is_named(const char *reference, const struct oci_ref *ref)
{
    size_t n = strlen(reference), t = strlen(ref->tag);
    if (ref->has_digest)
        return true;
    return t && n > t && reference[n - t - 1] == ':' && strcmp(reference + n - t, ref->tag) == 0;
}

/* Nobody is asked about what is not there. What is damaged can be removed, and so can a digest that a layout
 * names without having it. */
static int look_for(struct oci_endpoint *ep, const struct oci_ref *ref, struct err *e)
{
    AUTO_DONE(oci_pinned) ignored = {.media_type = NULL};
    if (ref->has_digest && ref->kind != OCI_REF_REGISTRY)
        return 0;
    int r = ep->ops->resolve(ep, ref->tag, ref->has_digest ? &ref->digest : NULL, &ignored, e);
    return r == ERR_FORMAT || r == ERR_DIGEST || r == ERR_LIMIT ? 0 : r;
}

static int remove_it(struct oci_endpoint *ep, const struct oci_ref *ref, struct err *e)
{
    int r = ep->ops->remove(ep, ref->has_digest ? NULL : ref->tag, ref->has_digest ? &ref->digest : NULL, e);
    return r || !ep->ops->finish ? r : ep->ops->finish(ep, e);
}

int flow_remove(const struct flow_conf *conf, const char *reference, int (*ask)(void *ctx, struct err *e),
                void *ctx, struct flow_published *ret, struct err *e)
{
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    AUTO(oci_endpoint) ep = NULL;
    struct oci_endpoint_conf endpoint = conf->endpoint;
    endpoint.remove = true;
    *ret = (struct flow_published){.name = NULL};
    int r = oci_ref_locate(reference, &conf->endpoint, true, &ref, e);
    if (!r && !is_named(reference, &ref))
        r = err_set(e, ERR_USAGE, "which one? :TAG or @DIGEST is wanted");
    if (!r)
        r = oci_ref_names(&ref, &ret->name, &ret->repo, e);
    if (!r)
        r = oci_endpoint_open(&ref, &endpoint, false, &ep, e);
    if (!r && ask)
        r = look_for(ep, &ref, e);
    if (!r && ask)
        r = ask(ctx, e);
    if (!r)
        r = remove_it(ep, &ref, e);
    if (!r && ref.has_digest)
        ret->digest = ref.digest;
    return r;
}
