/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/sign.h"

#include "base/limits.h"
#include "oci/index.h"
#include "sign/statement.h"

#include <stdio.h>

void flow_signed_done(struct flow_signed *s)
{
    free(TAKE(s->name));
    free(TAKE(s->repo));
    free(TAKE(s->all));
    s->n = 0;
}

/* Annotations that a format wrote as a JSON object, in the form that manifests are written with. */
struct notes {
    struct jdoc *doc;
    struct oci_pair *all;
    size_t n;
};

static void notes_done(struct notes *n)
{
    jdoc_free(n->doc);
    free(n->all);
}

static int notes_read(struct bytes json, struct notes *ret, struct err *e)
{
    const struct jval *value;
    const char *key;
    if (json.len == 0)
        return 0;
    int r = jdoc_parse(json, &ret->doc, e);
    if (r)
        return r;
    const struct jval *root = jdoc_root(ret->doc);
    ret->all = calloc(jobj_len(root) + 1, sizeof(*ret->all));
    if (!ret->all)
        return err_nomem(e);
    for (const void *i = jobj_next(root, NULL, &key, &value); i; i = jobj_next(root, i, &key, &value))
        ret->all[ret->n++] = (struct oci_pair){key, jval_string(value)};
    return 0;
}

/* Brings what was made to its place. */
static int hang(struct flow_subject *s, const struct sign_product *made, struct flow_signature *ret,
                struct err *e)
{
    AUTO_DONE(notes) layer = {.doc = NULL};
    AUTO_DONE(notes) manifest = {.doc = NULL};
    struct opener_bytes text;
    struct digest digest;
    const struct source_opener blob = opener_bytes_init(&text, buf_bytes(&made->blob));
    int r = notes_read(buf_bytes(&made->annotations), &layer, e);
    if (!r)
        r = notes_read(buf_bytes(&made->manifest_annotations), &manifest, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, buf_bytes(&made->blob), &digest, e);
    if (r)
        return r;
    const struct flow_hanging what = {.artifact_type = made->artifact_type,
                                      .config_type = made->config_type,
                                      .media_type = made->media_type,
                                      .digest = &digest,
                                      .blob = &blob,
                                      .annotations = layer.all,
                                      .n_annotations = layer.n,
                                      .manifest_annotations = manifest.all,
                                      .n_manifest_annotations = manifest.n};
    switch (made->hang) {
    case SIGN_HANG_REFERRER: return flow_subject_refer(s, &what, &ret->manifest, NULL, e);
    case SIGN_HANG_SIG_TAG: return flow_subject_tag(s, ".sig", &what, &ret->manifest, ret->tag, e);
    case SIGN_HANG_ATT_TAG: return flow_subject_tag(s, ".att", &what, &ret->manifest, ret->tag, e);
    }
    return err_set(e, ERR_OTHER, "a signature that hangs on nothing");
}

static int sign_one(const struct flow_conf *conf, struct flow_subject *s, const struct flow_signing *how,
                    struct flow_signature *ret, struct err *e)
{
    AUTO_DONE(sign_product) made = {.artifact_type = NULL};
    AUTO_DONE(buf) statement = BUF_INIT(LIMIT_BUNDLE);
    const struct sign_subject subject = {.digest = s->desc.digest,
                                         .size = s->desc.size,
                                         .media_type = s->desc.media_type,
                                         .repo = how->identity                     ? how->identity
                                                 : s->ref.kind == OCI_REF_REGISTRY ? s->repo
                                                                                   : NULL};
    int r = 0;
    if (how->predicate_type)
        r = sign_statement_write(how->predicate_type, how->predicate, &subject, how->annotations,
                                 how->n_annotations, &statement, e);
    if (r)
        return r;
    const struct sign_order order = {.subject = &subject,
                                     .key = how->key,
                                     .statement = buf_bytes(&statement),
                                     .annotations = how->annotations,
                                     .n_annotations = how->n_annotations,
                                     .certificates = how->certificates,
                                     .now = how->now,
                                     .expires_at = how->expires_at,
                                     .agent = conf->endpoint.user_agent};
    r = how->format->make(&order, &made, e);
    if (!r)
        r = hang(s, &made, ret, e);
    ret->subject = subject.digest;
    return r;
}

/* What is to be signed: one manifest, or an index and all that it names. */
struct target {
    char *media_type; /* owned */
    struct digest digest;
    uint64_t size;
};

struct targets {
    struct target *all; /* owned */
    size_t n;
};

static void targets_done(struct targets *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->all[i].media_type);
    free(t->all);
}

static int targets_add(struct targets *t, const struct oci_desc *desc, struct err *e)
{
    for (size_t i = 0; i < t->n; i++)
        if (digest_eq(&t->all[i].digest, &desc->digest))
            return 0;
    struct target *more = reallocarray(t->all, t->n + 1, sizeof(*more));
    if (!more)
        return err_nomem(e);
    t->all = more;
    char *type = strdup(desc->media_type);
    if (!type)
        return err_nomem(e);
    t->all[t->n++] = (struct target){type, desc->digest, desc->size};
    return 0;
}

/* Each is fetched: what is not there, or is not what the index says, is not signed. */
static int targets_walk(struct oci_endpoint *ep, const struct oci_manifest *index, unsigned depth,
                        struct targets *t, struct err *e)
{
    int r = depth > OCI_INDEX_DEPTH
                ? err_set(e, ERR_LIMIT, "indexes in indexes, more than %d deep", OCI_INDEX_DEPTH)
                : 0;
    for (size_t i = 0; !r && i < index->n_entries; i++) {
        const struct oci_desc *entry = &index->entries[i];
        AUTO_DONE(oci_pinned) pinned = {.media_type = NULL};
        AUTO_DONE(oci_manifest) m = {.doc = NULL};
        r = ep->ops->resolve(ep, NULL, &entry->digest, &pinned, e);
        if (!r && pinned.body.len != entry->size)
            r = err_set(e, ERR_DIGEST, "the index states another size for its manifest");
        if (!r)
            r = oci_manifest_parse(buf_bytes(&pinned.body), entry->media_type, &m, e);
        if (!r)
            r = targets_add(t, entry, e);
        if (!r && m.is_index)
            r = targets_walk(ep, &m, depth + 1, t, e);
    }
    return r;
}

static int sign_all(const struct flow_conf *conf, struct flow_subject *s, const struct flow_signing *how,
                    const struct targets *t, struct flow_signed *ret, struct err *e)
{
    int r = 0;
    ret->all = calloc(t->n, sizeof(*ret->all));
    if (!ret->all)
        return err_nomem(e);
    for (size_t i = 0; !r && i < t->n; i++) {
        s->desc = (struct oci_desc){
            .media_type = t->all[i].media_type, .digest = t->all[i].digest, .size = t->all[i].size};
        r = sign_one(conf, s, how, &ret->all[i], e);
        ret->n += !r;
    }
    return r ? r : flow_subject_finish(s, e);
}

int flow_sign(const struct flow_conf *conf, const char *reference, const struct flow_signing *how,
              struct flow_signed *ret, struct err *e)
{
    AUTO_DONE(flow_subject) s = {.name = NULL};
    AUTO_DONE(targets) t = {.all = NULL};
    *ret = (struct flow_signed){.name = NULL};
    if (!how->format->make)
        return err_set(e, ERR_UNSUPPORTED, "%s signatures stand inside a file, not beside a reference",
                       how->format->name);
    int r = flow_subject_open(conf, reference, &s, e);
    if (!r)
        r = targets_add(&t, &s.desc, e);
    if (!r && how->recursive && s.m.is_index)
        r = targets_walk(s.ep, &s.m, 1, &t, e);
    if (!r)
        r = sign_all(conf, &s, how, &t, ret, e);
    ret->name = TAKE(s.name);
    ret->repo = TAKE(s.repo);
    return r;
}
