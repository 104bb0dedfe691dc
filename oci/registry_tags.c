/* SPDX-License-Identifier: Apache-2.0 */
/* The list of tags. distribution-spec 1.1, "Listing Tags". */
#include "oci/registry.h"

#include "base/json.h"
#include "base/limits.h"
#include "net/link.h"

static int add_tag(const struct jval *v, struct buf *out, struct err *e)
{
    const char *tag = jval_string(v);
    if (!tag || !oci_tag_valid(tag))
        return err_set(e, ERR_REGISTRY, "the list holds something that is no tag");
    buf_append(out, tag, strlen(tag) + 1);
    return buf_check(out, e);
}

/* One page: {"name": ..., "tags": [...]}, where some registries write null for an empty list. */
static int take_page(struct bytes body, struct buf *out, size_t *ret_n, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    const struct jval *tags = NULL;
    int r = jdoc_parse(body, &doc, e);
    if (!r && jval_kind(jdoc_root(doc)) != JKIND_OBJECT)
        r = err_set(e, ERR_FORMAT, "not an object");
    if (!r)
        r = jobj_want_array(jdoc_root(doc), "tags", false, &tags, e);
    for (size_t i = 0; !r && i < jarr_len(tags); i++)
        r = add_tag(jarr_at(tags, i), out, e);
    if (r)
        return r == ERR_FORMAT ? err_recode(e, ERR_REGISTRY) : r;
    *ret_n = jarr_len(tags);
    return 0;
}

static int get_page(struct oci_registry *reg, const char *url, struct net_http_response *resp, struct err *e)
{
    struct net_http_request req = {
        .method = "GET", .url = url, .max_body = LIMIT_MANIFEST, .follow = true, .idempotent = true};
    int r = oci_registry_send(reg, &req, resp, e);
    if (r)
        return r;
    return resp->status == 200 ? 0 : oci_registry_failure(reg, resp, "list of tags", e);
}

/* A page without tags that leads on would be a way to keep us here; so would a list without an end. */
static int list_all(struct oci_registry *reg, char **url, struct buf *out, struct err *e)
{
    for (unsigned pages = 0; *url; pages++) {
        AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
        size_t n = 0;
        char *next = NULL;
        int r = pages < LIMIT_PAGES ? get_page(reg, *url, &resp, e)
                                    : err_set(e, ERR_LIMIT, "more than %u pages", LIMIT_PAGES);
        if (!r)
            r = take_page(buf_bytes(&resp.body), out, &n, e);
        if (!r)
            r = net_link_next(&resp, &next, e);
        if (r)
            return r;
        free(*url);
        *url = next;
        if (n == 0 && next)
            return err_set(e, ERR_REGISTRY, "a page without tags that leads to another");
    }
    return 0;
}

int oci_registry_tags(struct oci_endpoint *ep, struct buf *out, struct err *e)
{
    struct oci_registry *reg = oci_registry_of(ep);
    char *url = NULL;
    int r = oci_registry_url(reg, "tags", "list?n=1000", &url, e);
    if (!r)
        r = list_all(reg, &url, out, e);
    free(url);
    return r ? err_wrap(e, "tags") : 0;
}
