/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the referrers of a manifest. distribution-spec 1.1, "Listing Referrers", "Referrers Tag Schema". */
#include "oci/registry.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/parallel.h"
#include "net/link.h"
#include "net/url.h"

#include <stdio.h>

/* What a registry answered to a question for the API. */
enum api { API_LISTED, API_NONE, API_NO_REPOSITORY };

/* A query value, RFC 3986 2.3. */
static void add_escaped(struct buf *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (; *text; text++) {
        if (strchr(plain, *text))
            buf_append_u8(out, (uint8_t)*text);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

static int api_url(const struct oci_registry *reg, const struct digest *subject, const char *artifact_type,
                   char **ret, struct err *e)
{
    AUTO_DONE(buf) last = BUF_INIT(NET_URL_MAX);
    char digest[DIGEST_STR_MAX];
    buf_append_str(&last, digest_str(subject, digest));
    if (artifact_type) {
        buf_append_str(&last, "?artifactType=");
        add_escaped(&last, artifact_type);
    }
    int r = buf_check(&last, e);
    return r ? r : oci_registry_url(reg, "referrers", buf_cstr(&last), ret, e);
}

static bool says(const struct net_http_response *resp, const char *code)
{
    AUTO_DONE(buf) words = BUF_INIT(1024);
    oci_registry_errors(buf_bytes(&resp->body), &words);
    return strncmp(buf_cstr(&words), code, strlen(code)) == 0;
}

/* Pages that are no index of the specification come from servers that serve something else at such paths,
 * with status 200 as well as others. */
static int judge(const struct oci_registry *reg, const struct net_http_response *resp, enum api *ret,
                 struct err *e)
{
    struct bytes type;
    switch (resp->status) {
    case 200:
        *ret = net_http_field(resp, "Content-Type", 0, &type) && bytes_eq_str(type, OCI_TYPE_INDEX)
                   ? API_LISTED
                   : API_NONE;
        return 0;
    case 404: *ret = says(resp, "NAME_UNKNOWN") ? API_NO_REPOSITORY : API_NONE; return 0;
    case 400:
    case 405:
    case 406: *ret = API_NONE; return 0;
    default: return oci_registry_failure(reg, resp, "list of referrers", e);
    }
}

static int take_index(struct bytes body, const char *wanted, struct oci_referrers *ret, size_t *ret_n,
                      struct err *e)
{
    AUTO_DONE(oci_manifest) index = {.doc = NULL};
    int r = oci_manifest_parse(body, OCI_TYPE_INDEX, &index, e);
    if (!r && !index.is_index)
        r = err_set(e, ERR_FORMAT, "not an index");
    for (size_t i = 0; !r && i < index.n_entries; i++) {
        const struct oci_desc *d = &index.entries[i];
        if (oci_referrers_wanted(d->artifact_type, wanted))
            r = oci_referrers_add(ret, d, d->artifact_type, d->annotations, e);
    }
    if (!r)
        *ret_n = index.n_entries;
    return r;
}

static int get_page(struct oci_registry *reg, const char *url, struct net_http_response *resp, struct err *e)
{
    static const struct net_http_field accept = {"Accept", OCI_TYPE_INDEX};
    struct net_http_request req = {.method = "GET",
                                   .url = url,
                                   .fields = &accept,
                                   .n_fields = 1,
                                   .max_body = LIMIT_MANIFEST,
                                   .follow = true,
                                   .idempotent = true};
    return oci_registry_send(reg, &req, resp, e);
}

/* One page; *url becomes the next one's, NULL behind the last. */
static int one_page(struct oci_registry *reg, char **url, unsigned n, const char *wanted,
                    struct oci_referrers *ret, enum api *api, struct err *e)
{
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    size_t entries = 0;
    char *next = NULL;
    int r = get_page(reg, *url, &resp, e);
    if (!r)
        r = judge(reg, &resp, api, e);
    if (!r && *api != API_LISTED && n > 0)
        r = err_set(e, ERR_REGISTRY, "a further page is not there");
    if (!r && *api == API_LISTED)
        r = take_index(buf_bytes(&resp.body), wanted, ret, &entries, e);
    if (!r && *api == API_LISTED)
        r = net_link_next(&resp, &next, e);
    if (r)
        return r;
    free(*url);
    *url = next;
    /* A filter may leave a page empty; a registry that knows of none has no reason to. */
    if (next && entries == 0 && !wanted)
        return err_set(e, ERR_REGISTRY, "a page without referrers that leads to another");
    return 0;
}

/* filter: what the registry is asked to look for; wanted: what is kept. */
static int ask_api(struct oci_registry *reg, const struct digest *subject, const char *filter,
                   const char *wanted, struct oci_referrers *ret, enum api *ret_api, struct err *e)
{
    AUTO_FREE char *url = NULL;
    int r = api_url(reg, subject, filter, &url, e);
    for (unsigned n = 0; !r && url; n++)
        r = n < LIMIT_PAGES ? one_page(reg, &url, n, wanted, ret, ret_api, e)
                            : err_set(e, ERR_LIMIT, "more than %u pages", LIMIT_PAGES);
    return r;
}

int oci_registry_subject_tag(struct oci_registry *reg, const struct digest *subject, struct oci_pinned *ret,
                             struct oci_manifest *ret_index, struct err *e)
{
    char tag[OCI_REFERRERS_TAG_MAX];
    struct oci_pinned p;
    struct oci_manifest m;
    (void)oci_referrers_tag(subject, tag);
    int r = reg->base.ops->resolve(&reg->base, tag, NULL, &p, e);
    if (r)
        return r;
    /* GitLab takes such a tag for the digest that it looks like, and gives the subject itself. */
    if (digest_eq(&p.digest, subject))
        r = err_set(e, ERR_NOTFOUND, "tag %s names the subject", tag);
    else
        r = oci_manifest_parse(buf_bytes(&p.body), p.media_type, &m, e);
    if (!r && !m.is_index) {
        oci_manifest_done(&m);
        r = err_set(e, ERR_EXISTS, "tag %s names something that is no list of referrers", tag);
    }
    if (r) {
        oci_pinned_done(&p);
        return r == ERR_NOTFOUND ? r : err_wrap(e, "referrers");
    }
    *ret = p;
    *ret_index = m;
    return 0;
}

/* The list under the tag; *ret_any: there is one. */
static int ask_tag(struct oci_registry *reg, const struct digest *subject, const char *wanted,
                   struct oci_referrers *ret, bool *ret_any, struct err *e)
{
    AUTO_DONE(oci_pinned) pinned = {.media_type = NULL};
    AUTO_DONE(oci_manifest) index = {.doc = NULL};
    int r = oci_registry_subject_tag(reg, subject, &pinned, &index, e);
    if (r == ERR_EXISTS)
        log_info("%s", e->msg);
    *ret_any = r == 0;
    if (r == ERR_NOTFOUND || r == ERR_EXISTS)
        return 0;
    for (size_t i = 0; !r && i < index.n_entries; i++) {
        const struct oci_desc *d = &index.entries[i];
        if (oci_referrers_wanted(d->artifact_type, wanted))
            r = oci_referrers_add(ret, d, d->artifact_type, d->annotations, e);
    }
    return r;
}

/* A registry may filter by what it takes for the type, and be wrong (oci_referrers_typed): when a filter
 * leaves nothing, everything is looked at. */
static int ask_filtered(struct oci_registry *reg, const struct digest *subject, const char *wanted,
                        struct oci_referrers *ret, enum api *ret_api, struct err *e)
{
    int r = ask_api(reg, subject, wanted, wanted, ret, ret_api, e);
    if (r || !wanted || *ret_api != API_LISTED || ret->n)
        return r;
    return ask_api(reg, subject, NULL, wanted, ret, ret_api, e);
}

/* The two questions, each with its own answer. */
struct question {
    struct oci_registry *reg;
    const struct digest *subject;
    const char *wanted;
    struct oci_referrers listed, under_tag;
    enum api api;
    bool tagged;
};

static int ask(void *ctx, size_t i, struct err *e)
{
    struct question *q = ctx;
    return i == 0 ? ask_filtered(q->reg, q->subject, q->wanted, &q->listed, &q->api, e)
                  : ask_tag(q->reg, q->subject, q->wanted, &q->under_tag, &q->tagged, e);
}

/* Both are asked, always: what was attached before a registry learned the API lies under the tag, and what
 * was attached since does not. Nothing that was remembered of the registry may save one of the two requests,
 * since a signature that is not seen is as good as removed. */
int oci_registry_referrers(struct oci_endpoint *ep, const struct digest *subject, const char *artifact_type,
                           struct oci_referrers *ret, struct err *e)
{
    struct question q = {.reg = oci_registry_of(ep),
                         .subject = subject,
                         .wanted = artifact_type,
                         .listed = OCI_REFERRERS_INIT,
                         .under_tag = OCI_REFERRERS_INIT,
                         .api = API_NONE};
    int r = parallel_run(2, 2, ask, &q, e);
    if (!r && q.api == API_NO_REPOSITORY && !q.tagged)
        r = err_set(e, ERR_NOTFOUND, "the registry has no such repository");
    if (!r)
        r = oci_referrers_append(ret, &q.listed, e);
    if (!r)
        r = oci_referrers_append(ret, &q.under_tag, e);
    oci_referrers_done(&q.listed);
    oci_referrers_done(&q.under_tag);
    if (r)
        return err_wrap(e, "referrers");
    oci_referrers_settle(ret);
    return 0;
}

int oci_registry_referrers_api(struct oci_registry *reg, const struct digest *subject,
                               const struct digest *referrer, bool *ret, struct err *e)
{
    AUTO_DONE(oci_referrers) list = OCI_REFERRERS_INIT;
    enum api api = API_NONE;
    int r = ask_api(reg, subject, NULL, NULL, &list, &api, e);
    if (!r)
        *ret = api == API_LISTED && oci_referrers_find(&list, referrer) != NULL;
    return r;
}
