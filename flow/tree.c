/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/graph.h"

#include "base/limits.h"
#include "flow/seen.h"
#include "flow/subject.h"
#include "flow/verify.h"
#include "oci/locate.h"

#include <stdio.h>

/* Manifests that are fetched since their list does not say what they are. */
#define FETCHES_MAX 256U

struct walk {
    struct oci_endpoint *ep;
    unsigned fetched;
    struct flow_tree *tree;
    struct flow_seen seen;
    unsigned max_depth;
    struct flow_measure measure; /* what signatures are judged by */
    struct oci_store no_store;   /* what is looked at here is seldom looked at again */
    struct flow_fetch fetch;
    struct oci_pinned root;
    struct oci_manifest root_manifest;
};

static void walk_done(struct walk *w)
{
    oci_manifest_done(&w->root_manifest);
    oci_pinned_done(&w->root);
    oci_endpoint_close(TAKE(w->ep));
    flow_seen_done(&w->seen);
}

const char *flow_tree_text(const struct flow_tree *t, uint32_t at)
{
    return at ? buf_cstr(&t->text) + at : NULL;
}

static uint32_t keep(struct flow_tree *t, const char *text, uint32_t before)
{
    const char *last = flow_tree_text(t, before);
    if (!text)
        return 0;
    if (last && strcmp(last, text) == 0)
        return before;
    if (t->text.len == 0)
        buf_append_u8(&t->text, 0);
    uint32_t at = (uint32_t)t->text.len;
    buf_append(&t->text, text, strlen(text) + 1);
    return at;
}

static int add(struct flow_tree *t, const struct flow_node *node, const char *media_type,
               const char *artifact_type, const char *annotations, struct err *e)
{
    static const struct flow_node none = {.size = 0};
    if (t->n >= LIMIT_GRAPH)
        return err_set(e, ERR_LIMIT, "more than %u manifests", LIMIT_GRAPH);
    if (t->n == t->room) {
        size_t room = t->room ? 2 * t->room : 16;
        struct flow_node *all = reallocarray(t->all, room, sizeof(*all));
        if (!all)
            return err_nomem(e);
        t->all = all;
        t->room = room;
    }
    const struct flow_node *before = t->n ? &t->all[t->n - 1] : &none;
    struct flow_node one = *node;
    one.media_type = keep(t, media_type, before->media_type);
    one.artifact_type = keep(t, artifact_type, before->artifact_type);
    one.annotations = keep(t, annotations, before->annotations);
    t->all[t->n++] = one;
    return buf_check(&t->text, e);
}

/* What a node's signatures come to: the first good one, else the first. */
static int set_finding(struct flow_tree *t, struct flow_node *node, const struct sign_report *report,
                       struct err *e)
{
    char text[ERR_MSG_MAX];
    if (report->n == 0)
        return 0;
    const struct sign_check *c = &report->checks[0];
    for (size_t i = report->n; i > 0; i--)
        if (report->checks[i - 1].ok)
            c = &report->checks[i - 1];
    (void)snprintf(text, sizeof(text), "%.200s%s%.280s", c->key, *c->key ? ": " : "", c->text);
    node->judged = true;
    node->code = c->ok ? 0 : c->code;
    node->finding = keep(t, text, 0);
    return buf_check(&t->text, e);
}

/* The node that was added last, by what its list says it is. */
static int judge(struct walk *w, const struct sign_subject *subject, const struct oci_referrer *x,
                 const char *type, struct err *e)
{
    AUTO(flow_verify) v = NULL;
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    const struct oci_desc desc = {.digest = x->digest, .size = x->size, .artifact_type = type};
    if (!w->measure.looks || !flow_verify_may_be(type))
        return 0;
    int r = flow_verify_new(&w->fetch, &w->measure.trust, true, &v, e);
    if (!r)
        r = flow_verify_referrer(v, subject, &desc, &report, e);
    if (!r)
        r = flow_verify_tell_unseen(v, &report, e);
    return r ? r : set_finding(w->tree, &w->tree->all[w->tree->n - 1], &report, e);
}

/* cosign's image of signatures or attestations, which is no referrer. */
static int add_tagged(struct walk *w, const struct sign_subject *subject, const char *suffix, struct err *e)
{
    AUTO(flow_verify) v = NULL;
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    AUTO_DONE(oci_pinned) pinned = {.media_type = NULL};
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    char tag[FLOW_TAG_MAX];
    if (!flow_subject_tag_name(&subject->digest, suffix, tag))
        return 0;
    int r = flow_verify_new(&w->fetch, &w->measure.trust, true, &v, e);
    if (!r)
        r = flow_verify_tagged(v, subject, suffix, &report, &pinned, e);
    if (!r)
        r = flow_verify_tell_unseen(v, &report, e);
    if (!r && pinned.body.len)
        r = oci_manifest_parse(buf_bytes(&pinned.body), pinned.media_type, &m, e);
    if (r || !m.doc)
        return r;
    const struct flow_node node = {.digest = pinned.digest, .size = pinned.body.len, .depth = 1};
    r = add(w->tree, &node, m.media_type, m.n_entries ? m.entries[0].media_type : oci_referrers_type(&m),
            NULL, e);
    if (r)
        return r;
    w->tree->all[w->tree->n - 1].tag = keep(w->tree, tag, 0);
    return set_finding(w->tree, &w->tree->all[w->tree->n - 1], &report, e);
}

/* One whose list does not say its type; ret_type: heap, or NULL. */
static int find_type(struct walk *w, const struct oci_referrer *x, const char *listed, char **ret_type,
                     struct err *e)
{
    AUTO_DONE(oci_pinned) pinned = {.media_type = NULL};
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    struct err ignored;
    if (w->fetched >= FETCHES_MAX || oci_referrers_typed(listed))
        return 0;
    w->fetched++;
    if (w->ep->ops->resolve(w->ep, NULL, &x->digest, &pinned, &ignored) != 0 ||
        oci_manifest_parse(buf_bytes(&pinned.body), pinned.media_type, &m, &ignored) != 0 ||
        !oci_referrers_type(&m))
        return 0;
    *ret_type = strdup(oci_referrers_type(&m));
    return *ret_type ? 0 : err_nomem(e);
}

static int add_listed(struct walk *w, const struct sign_subject *subject, const struct oci_referrers *list,
                      const struct oci_referrer *x, const struct flow_node *node, const char *wanted,
                      bool *ret_added, struct err *e)
{
    AUTO_FREE char *found = NULL;
    const char *listed = oci_referrers_text(list, x->artifact_type);
    int r = find_type(w, x, listed, &found, e);
    const char *type = found ? found : listed;
    *ret_added = !r && oci_referrers_wanted(type, wanted);
    if (r || !*ret_added)
        return r;
    r = add(w->tree, node, oci_referrers_text(list, x->media_type), type,
            oci_referrers_text(list, x->annotations), e);
    return r ? r : judge(w, subject, x, type, e);
}

static int walk(struct walk *w, const struct sign_subject *subject, const char *artifact_type, unsigned depth,
                struct err *e)
{
    AUTO_DONE(oci_referrers) list = OCI_REFERRERS_INIT;
    if (depth > w->max_depth)
        return 0;
    int r = w->ep->ops->referrers(w->ep, &subject->digest, artifact_type, &list, e);
    if (!r && list.n && depth > LIMIT_REFERRER_DEPTH)
        r = err_set(e, ERR_LIMIT, "referrers of referrers, more than %u deep", LIMIT_REFERRER_DEPTH);
    for (size_t i = 0; !r && i < list.n; i++) {
        const struct oci_referrer *x = &list.all[i];
        bool is_new, added = false;
        r = flow_seen_add(&w->seen, &x->digest, &is_new, e);
        const struct flow_node node = {
            .digest = x->digest, .size = x->size, .depth = depth, .again = !r && !is_new};
        const char *type = oci_referrers_text(&list, x->media_type);
        const struct sign_subject next = {
            .digest = x->digest, .size = x->size, .media_type = type ? type : "", .repo = subject->repo};
        if (!r)
            r = add_listed(w, subject, &list, x, &node, artifact_type, &added, e);
        if (!r && is_new && added)
            r = walk(w, &next, NULL, depth + 1, e);
    }
    return r;
}

static int add_root(struct walk *w, const struct oci_ref *ref, struct sign_subject *ret, struct err *e)
{
    AUTO_DONE(buf) annotations = BUF_INIT(LIMIT_MANIFEST);
    struct jout out = {.out = &annotations};
    struct oci_manifest *m = &w->root_manifest;
    int r = w->ep->ops->resolve(w->ep, ref->tag[0] ? ref->tag : NULL, ref->has_digest ? &ref->digest : NULL,
                                &w->root, e);
    if (!r)
        r = oci_manifest_parse(buf_bytes(&w->root.body), w->root.media_type, m, e);
    if (r)
        return r;
    if (m->annotations && jobj_len(m->annotations))
        jout_value(&out, NULL, m->annotations);
    const struct flow_node node = {.digest = w->root.digest, .size = w->root.body.len};
    r = buf_check(&annotations, e);
    if (!r)
        r = flow_seen_add(&w->seen, &w->root.digest, NULL, e);
    if (!r)
        r = add(w->tree, &node, m->media_type, oci_referrers_type(m),
                annotations.len ? buf_cstr(&annotations) : NULL, e);
    *ret = (struct sign_subject){.digest = w->root.digest,
                                 .size = w->root.body.len,
                                 .media_type = m->media_type,
                                 .repo = ref->kind == OCI_REF_REGISTRY ? w->tree->repo : NULL,
                                 .content = buf_bytes(&w->root.body)};
    return r;
}

static int walk_open(struct walk *w, const struct flow_conf *conf, const struct oci_ref *ref,
                     const struct flow_demand *demand, struct err *e)
{
    struct sign_decision decision = {0};
    int r = flow_seen_init(&w->seen, e);
    if (!r)
        r = flow_measure_take(demand, w->tree->repo, &w->measure, &decision, e);
    sign_decision_done(&decision);
    if (r == ERR_POLICY) /* what is to be taken is not asked here */
        r = 0;
    if (!r)
        r = oci_endpoint_open(ref, &conf->endpoint, false, &w->ep, e);
    w->no_store = (struct oci_store)OCI_STORE_INIT;
    w->fetch = (struct flow_fetch){.ep = w->ep, .store = &w->no_store, .temp_dir = conf->temp_dir};
    return r;
}

int flow_tree_get(const struct flow_conf *conf, const char *reference, const char *artifact_type,
                  unsigned max_depth, const struct flow_demand *demand, struct flow_tree *ret, struct err *e)
{
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    struct sign_subject root;
    *ret = (struct flow_tree){.text = BUF_INIT(2 * LIMIT_REFERRER_TEXT)};
    AUTO_DONE(walk) w = {.tree = ret, .max_depth = max_depth ? max_depth : LIMIT_REFERRER_DEPTH + 1};
    int r = oci_ref_locate(reference, &conf->endpoint, false, &ref, e);
    if (!r)
        r = oci_ref_names(&ref, &ret->name, &ret->repo, e);
    if (!r)
        r = walk_open(&w, conf, &ref, demand, e);
    if (!r)
        r = add_root(&w, &ref, &root, e);
    if (!r)
        r = walk(&w, &root, artifact_type, 1, e);
    if (!r && w.measure.looks && !artifact_type)
        r = add_tagged(&w, &root, ".sig", e);
    if (!r && w.measure.looks && !artifact_type)
        r = add_tagged(&w, &root, ".att", e);
    return r;
}

void flow_tree_done(struct flow_tree *t)
{
    free(TAKE(t->name));
    free(TAKE(t->repo));
    free(TAKE(t->all));
    buf_done(&t->text);
}
