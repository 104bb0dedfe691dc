/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/copy.h"

#include "base/limits.h"
#include "base/log.h"
#include "flow/copy_blobs.h"
#include "flow/tags.h"
#include "oci/index.h"
#include "oci/locate.h"

#include <stdio.h>

/* What a manifest is pushed as. */
enum role {
    ROOT,     /* what was asked for: its tag comes last of all */
    CHILD,    /* an index names it */
    REFERRER, /* it names a manifest that was copied */
    TOOL,     /* under a tag made of a digest */
};

struct copier {
    const struct flow_conf *conf;
    const struct flow_copy *how;
    const char *from; /* the source's reference, which messages about it start with */
    struct oci_ref from_ref, to_ref;
    struct flow_blobs b;        /* both endpoints, and what is known of blobs */
    struct flow_seen manifests; /* those that are in the destination, content and all */
    struct buf from_tags;       /* of the source, once they were needed */
    struct buf to_tags;         /* of the destination, when every tag is copied */
    bool has_from_tags;
    size_t listed; /* referrers in the lists that are held at this moment */
    struct flow_copied *done;
};

static void copier_done(struct copier *c)
{
    flow_blobs_done(&c->b);
    flow_seen_done(&c->manifests);
    oci_ref_done(&c->from_ref);
    oci_ref_done(&c->to_ref);
    buf_done(&c->from_tags);
    buf_done(&c->to_tags);
}

/* A manifest on its way. */
struct node {
    struct oci_pinned pinned;
    struct oci_manifest m;
};

static void node_done(struct node *n)
{
    oci_manifest_done(&n->m);
    oci_pinned_done(&n->pinned);
}

/* desc: what led here and must be right, or NULL. */
static int node_get(struct copier *c, const char *tag, const struct digest *digest,
                    const struct oci_desc *desc, struct node *ret, struct err *e)
{
    struct oci_endpoint *from = c->b.from;
    struct node n = {.m = {.doc = NULL}};
    int r = from->ops->resolve(from, tag, digest, &n.pinned, e);
    if (r)
        return err_wrap(e, "%s", c->from);
    if (desc && n.pinned.body.len != desc->size)
        r = err_set(e, ERR_DIGEST, "a manifest has another size than its descriptor states");
    else
        r = oci_manifest_parse(buf_bytes(&n.pinned.body), desc ? desc->media_type : n.pinned.media_type, &n.m,
                               e);
    if (r) {
        oci_pinned_done(&n.pinned);
        return err_wrap(e, "%s", c->from);
    }
    *ret = n;
    return 0;
}

static int copy_node(struct copier *c, const struct node *n, enum role role, const char *tag, unsigned depth,
                     struct err *e);

static int copy_child(struct copier *c, const struct oci_desc *entry, unsigned depth, struct err *e)
{
    AUTO_DONE(node) n = {.m = {.doc = NULL}};
    if (flow_seen_has(&c->manifests, &entry->digest))
        return 0;
    int r = node_get(c, NULL, &entry->digest, entry, &n, e);
    return r ? r : copy_node(c, &n, CHILD, NULL, depth + 1, e);
}

/* Everything that a manifest refers to, but its subject. */
static int copy_content(struct copier *c, const struct node *n, unsigned depth, struct err *e)
{
    int r = 0;
    if (!n->m.is_index)
        return flow_blobs_copy(&c->b, &n->m, &n->pinned.digest, e);
    if (depth >= LIMIT_REFERRER_DEPTH)
        return err_set(e, ERR_LIMIT, "indexes in indexes, more than %u deep", LIMIT_REFERRER_DEPTH);
    for (size_t i = 0; !r && i < n->m.n_entries; i++) {
        const struct oci_desc *entry = &n->m.entries[i];
        r = oci_manifest_type_known(entry->media_type) ? copy_child(c, entry, depth, e)
                                                       : flow_blobs_copy_one(&c->b, entry, e);
    }
    return r;
}

static int push(struct copier *c, const struct node *n, enum role role, const char *tag, struct err *e)
{
    struct oci_endpoint *to = c->b.to;
    const struct bytes body = buf_bytes(&n->pinned.body);
    int r = role == CHILD ? to->ops->child_push(to, body, n->m.media_type, &n->pinned.digest, e)
                          : to->ops->manifest_push(to, body, n->m.media_type, &n->pinned.digest, tag, e);
    if (!r) {
        c->done->manifests++;
        c->done->referrers += role == REFERRER;
    }
    return r;
}

/* One that its list names. What cannot be had is said and left out: lists outlive what they name. */
static int copy_referrer(struct copier *c, const struct oci_referrers *list, const struct oci_referrer *entry,
                         const struct digest *subject, unsigned depth, struct err *e)
{
    AUTO_DONE(node) n = {.m = {.doc = NULL}};
    char text[DIGEST_STR_MAX];
    const struct oci_desc desc = {.media_type = oci_referrers_text(list, entry->media_type),
                                  .digest = entry->digest,
                                  .size = entry->size};
    if (flow_seen_has(&c->manifests, &entry->digest))
        return 0;
    int r = node_get(c, NULL, &entry->digest, &desc, &n, e);
    if (r == ERR_NOTFOUND) {
        log_warn("referrer %s is listed and is not there", digest_str(&entry->digest, text));
        return 0;
    }
    if (!r && (!n.m.has_subject || !digest_eq(&n.m.subject.digest, subject))) {
        log_warn("referrer %s is listed and has another subject; left out", digest_str(&entry->digest, text));
        return 0;
    }
    return r ? r : copy_node(c, &n, REFERRER, NULL, depth + 1, e);
}

static int copy_listed(struct copier *c, const struct oci_referrers *list, const struct digest *subject,
                       unsigned depth, struct err *e)
{
    int r = 0;
    if (list->n && depth >= LIMIT_REFERRER_DEPTH)
        return err_set(e, ERR_LIMIT, "referrers of referrers, more than %u deep", LIMIT_REFERRER_DEPTH);
    c->listed += list->n;
    if (c->listed > LIMIT_REFERRERS)
        r = err_set(e, ERR_LIMIT, "more than %u referrers", LIMIT_REFERRERS);
    for (size_t i = 0; !r && i < list->n; i++)
        r = copy_referrer(c, list, &list->all[i], subject, depth, e);
    c->listed -= list->n;
    return r;
}

/* The next tag of the source that a tool made of the digest: "<alg>-<hex>.<what>". *at: where to go on. */
static const char *tool_tag(const struct copier *c, const struct digest *digest, size_t *at)
{
    char hex[DIGEST_STR_MAX], start[DIGEST_STR_MAX + 2];
    (void)snprintf(start, sizeof(start), "%s-%s.", hash_name(digest->alg), digest_hex(digest, hex));
    while (*at < c->from_tags.len) {
        const char *tag = buf_cstr(&c->from_tags) + *at;
        *at += strlen(tag) + 1;
        if (strncmp(tag, start, strlen(start)) == 0)
            return tag;
    }
    return NULL;
}

static int copy_tools(struct copier *c, const struct digest *digest, unsigned depth, struct err *e)
{
    size_t at = 0;
    int r = 0;
    for (const char *tag; !r && (tag = tool_tag(c, digest, &at));) {
        AUTO_DONE(node) n = {.m = {.doc = NULL}};
        r = node_get(c, tag, NULL, NULL, &n, e);
        if (!r)
            r = copy_node(c, &n, TOOL, tag, depth + 1, e);
    }
    return r;
}

/* *ret_any: some tool's tag is made of the digest. */
static int find_tools(struct copier *c, const struct digest *digest, bool *ret_any, struct err *e)
{
    size_t at = 0;
    if (!c->has_from_tags) {
        int r = c->b.from->ops->tags(c->b.from, &c->from_tags, e);
        if (r)
            return r;
        c->has_from_tags = true;
    }
    *ret_any = tool_tag(c, digest, &at) != NULL;
    return 0;
}

/* What refers to a manifest whose content is there. The root is made known by its digest first, since there
 * are registries that want a subject to be there. */
static int copy_referrers(struct copier *c, const struct node *n, enum role role, unsigned depth,
                          struct err *e)
{
    AUTO_DONE(oci_referrers) list = OCI_REFERRERS_INIT;
    struct oci_endpoint *from = c->b.from;
    const struct digest *subject = &n->pinned.digest;
    bool tools = false;
    int r = from->ops->referrers(from, subject, NULL, &list, e);
    if (!r)
        r = find_tools(c, subject, &tools, e);
    if (!r && role == ROOT && (list.n || tools)) {
        r = push(c, n, CHILD, NULL, e);
        c->done->manifests -= !r; /* it is counted when it gets its tag */
    }
    if (!r)
        r = copy_listed(c, &list, subject, depth, e);
    return r || !tools ? r : copy_tools(c, subject, depth, e);
}

static int copy_node(struct copier *c, const struct node *n, enum role role, const char *tag, unsigned depth,
                     struct err *e)
{
    bool is_new;
    int r = flow_seen_add(&c->manifests, &n->pinned.digest, &is_new, e);
    if (!r && is_new)
        r = copy_content(c, n, depth, e);
    if (!r && role != ROOT)
        r = push(c, n, role, tag, e);
    if (!r && is_new && c->how->recursive)
        r = copy_referrers(c, n, role, depth, e);
    return r || role != ROOT ? r : push(c, n, role, tag, e);
}

static bool has_tag(const struct buf *tags, const char *tag)
{
    const char *at = buf_cstr(tags), *end = at + tags->len;
    for (; at < end; at += strlen(at) + 1)
        if (strcmp(at, tag) == 0)
            return true;
    return false;
}

/* A tag that the destination has is asked for what it names: where that is what would be pushed nothing is.
 */
static int is_there(struct copier *c, const struct node *n, const char *tag, bool *ret, struct err *e)
{
    struct oci_endpoint *to = c->b.to;
    *ret = false;
    if (!tag || !to->ops->manifest_known || c->how->recursive || !has_tag(&c->to_tags, tag))
        return 0;
    int r = to->ops->manifest_known(to, tag, &n->pinned.digest, ret, e);
    if (r || !*ret)
        return r;
    c->done->known++;
    r = flow_seen_add(&c->manifests, &n->pinned.digest, NULL, e);
    if (!r && !n->m.is_index)
        flow_blobs_known(&c->b, &n->m);
    return r;
}

/* Of an index the manifest for the platform that was asked for. */
static int narrow(struct copier *c, struct node *n, struct err *e)
{
    int r = 0;
    for (unsigned depth = 0; !r && c->conf->platform && n->m.is_index; depth++) {
        struct node inner;
        const struct oci_desc *entry;
        r = depth < OCI_INDEX_DEPTH ? oci_index_choose(&n->m, c->conf->platform, &entry, e)
                                    : err_set(e, ERR_LIMIT, "indexes in indexes");
        if (!r)
            r = node_get(c, NULL, &entry->digest, entry, &inner, e);
        if (r)
            break;
        node_done(n);
        *n = inner;
    }
    return r;
}

static int open_to(struct copier *c, struct err *e)
{
    int r = c->b.to ? 0 : oci_endpoint_open(&c->to_ref, &c->conf->endpoint, true, &c->b.to, e);
    return r ? r : flow_blobs_relate(&c->b, &c->from_ref, &c->to_ref, e);
}

static int copy_tag(struct copier *c, const char *from_tag, const struct digest *digest, const char *to_tag,
                    struct err *e)
{
    AUTO_DONE(node) n = {.m = {.doc = NULL}};
    bool there = false;
    int r = node_get(c, from_tag, digest, NULL, &n, e);
    if (!r)
        r = narrow(c, &n, e);
    if (!r && c->to_ref.has_digest && !digest_eq(&c->to_ref.digest, &n.pinned.digest))
        r = err_set(e, ERR_DIGEST, "what is copied has another digest than the destination states");
    if (!r)
        r = open_to(c, e);
    if (!r)
        r = is_there(c, &n, to_tag, &there, e);
    if (!r && !there)
        r = copy_node(c, &n, ROOT, to_tag, 0, e);
    if (r)
        return r;
    c->done->digest = n.pinned.digest;
    c->done->tags += to_tag != NULL;
    return 0;
}

static int copy_all_tags(struct copier *c, const char *from, struct err *e)
{
    AUTO_DONE(buf) tags = BUF_INIT(LIMIT_TAGS);
    int r = flow_tags(c->conf, from, false, &tags, e);
    if (!r)
        r = open_to(c, e);
    if (!r && c->b.to->ops->manifest_known) {
        r = c->b.to->ops->tags(c->b.to, &c->to_tags, e);
        if (r == ERR_NOTFOUND) /* the repository comes into being */
            r = 0;
    }
    const char *at = buf_cstr(&tags), *end = at + tags.len;
    for (; !r && at < end; at += strlen(at) + 1) {
        r = copy_tag(c, at, NULL, at, e);
        if (r)
            err_wrap(e, "tag %s", at);
    }
    return r;
}

static int copy_all(struct copier *c, const char *from, struct err *e)
{
    const struct oci_ref *f = &c->from_ref, *t = &c->to_ref;
    int r = oci_endpoint_open(f, &c->conf->endpoint, false, &c->b.from, e);
    if (r)
        return err_wrap(e, "%s", from);
    if (c->how->all_tags)
        return copy_all_tags(c, from, e);
    return copy_tag(c, f->tag[0] ? f->tag : NULL, f->has_digest ? &f->digest : NULL,
                    t->tag[0] ? t->tag : NULL, e);
}

int flow_copy_run(const struct flow_conf *conf, const char *from, const char *to, const struct flow_copy *how,
                  struct flow_copied *ret, struct err *e)
{
    __attribute__((cleanup(copier_done))) struct copier c = {
        .conf = conf,
        .how = how,
        .from = from,
        .done = ret,
        .from_tags = BUF_INIT(LIMIT_TAGS),
        .to_tags = BUF_INIT(LIMIT_TAGS),
    };
    *ret = (struct flow_copied){.name = NULL};
    int r = flow_blobs_init(&c.b, conf->progress, ret, e);
    if (!r)
        r = flow_seen_init(&c.manifests, e);
    if (!r)
        r = oci_ref_locate(from, &conf->endpoint, false, &c.from_ref, e);
    if (!r)
        r = oci_ref_locate(to, &conf->endpoint, true, &c.to_ref, e);
    if (!r)
        oci_ref_default_tag(&c.to_ref);
    if (!r)
        r = oci_ref_names(&c.to_ref, &ret->name, &ret->repo, e);
    if (!r)
        r = copy_all(&c, from, e);
    return r || !c.b.to || !c.b.to->ops->finish ? r : c.b.to->ops->finish(c.b.to, e);
}

void flow_copied_done(struct flow_copied *c)
{
    free(TAKE(c->name));
    free(TAKE(c->repo));
}
