/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing from an image layout: the entry of index.json goes, then those blobs that it referred to and that
 * nothing else does. Other blobs are never touched, whoever put them there. Somebody who is pushing may rely
 * on a blob that no manifest names yet, so blobs go only while nobody writes to the layout.
 */
#include "base/digest_set.h"
#include "base/limits.h"
#include "base/log.h"
#include "oci/index.h"
#include "oci/layout.h"

/* A walk over all that a manifest reaches, itself included. Its subject is not of that: a signature does not
 * keep what it was made for. */
struct walk {
    struct oci_tree *tree;
    struct digest_set seen; /* manifests that were read */
    int (*visit)(struct walk *w, const struct digest *digest, struct err *e);
    struct digest_set gone; /* what the entries that went reach */
    struct digest_set kept; /* what of that is reached otherwise, too */
};

static int gather(struct walk *w, const struct digest *digest, struct err *e)
{
    return digest_set_add(&w->gone, digest, e);
}

static int spare(struct walk *w, const struct digest *digest, struct err *e)
{
    return digest_set_has(&w->gone, digest) ? digest_set_add(&w->kept, digest, e) : 0;
}

static void walk_done(struct walk *w)
{
    digest_set_done(&w->seen);
    digest_set_done(&w->gone);
    digest_set_done(&w->kept);
}

static int walk_init(struct walk *w, struct oci_tree *tree, struct err *e)
{
    *w = (struct walk){.tree = tree};
    int r = digest_set_init(&w->seen, e);
    if (!r)
        r = digest_set_init(&w->gone, e);
    return r ? r : digest_set_init(&w->kept, e);
}

static int walk_manifest(struct walk *w, const struct oci_desc *desc, unsigned depth, struct err *e)
{
    AUTO_DONE(buf) body = BUF_INIT(LIMIT_MANIFEST);
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    int r = w->visit(w, &desc->digest, e);
    if (r || !oci_manifest_type_known(desc->media_type) || digest_set_has(&w->seen, &desc->digest))
        return r;
    if (depth > OCI_INDEX_DEPTH)
        return err_set(e, ERR_LIMIT, "indexes in indexes, more than %d deep", OCI_INDEX_DEPTH);
    r = digest_set_add(&w->seen, &desc->digest, e);
    if (!r)
        r = oci_layout_blob(w->tree, &desc->digest, &body, e);
    if (r == ERR_NOTFOUND) /* it reaches nothing here */
        return 0;
    if (!r)
        r = oci_manifest_parse(buf_bytes(&body), desc->media_type, &m, e);
    if (!r && m.has_config)
        r = w->visit(w, &m.config.digest, e);
    for (size_t i = 0; !r && i < m.n_entries; i++)
        r = m.is_index ? walk_manifest(w, &m.entries[i], depth + 1, e) : w->visit(w, &m.entries[i].digest, e);
    return r;
}

static int walk_all(struct walk *w, int (*visit)(struct walk *w, const struct digest *digest, struct err *e),
                    const struct oci_desc *from, size_t n, struct err *e)
{
    int r = 0;
    w->visit = visit;
    for (size_t i = 0; !r && i < n; i++)
        r = walk_manifest(w, &from[i], 0, e);
    digest_set_done(&w->seen);
    return r;
}

static int remove_blobs(const struct walk *w, struct err *e)
{
    int r = 0;
    size_t at = 0;
    for (const struct digest *d; !r && (d = digest_set_next(&w->gone, &at));)
        if (!digest_set_has(&w->kept, d))
            r = w->tree->ops->blob_remove(w->tree, d, e);
    return r;
}

static int sweep(struct oci_tree *tree, const struct oci_desc *gone, size_t n, struct err *e)
{
    AUTO_DONE(oci_manifest) index = {.doc = NULL};
    AUTO_DONE(walk) w;
    int r = walk_init(&w, tree, e);
    if (!r && tree->ops->claim)
        r = tree->ops->claim(tree, true, e);
    else if (!r && !tree->ops->finish) /* what is written all at once is nobody else's until then */
        r = err_set(e, ERR_UNSUPPORTED, "others may be writing to the layout");
    if (!r)
        r = walk_all(&w, gather, gone, n, e);
    if (!r)
        r = oci_layout_index_read(tree, &index, e);
    if (!r)
        r = walk_all(&w, spare, index.entries, index.n_entries, e);
    return r ? r : remove_blobs(&w, e);
}

/* What is to go. */
struct target {
    const char *tag;
    const struct digest *digest;
};

static bool matches(const struct target *t, const struct oci_desc *entry)
{
    const char *name = oci_annotation(entry->annotations, OCI_ANNOTATION_REF);
    return t->digest ? digest_eq(&entry->digest, t->digest) : name && strcmp(name, t->tag) == 0;
}

/* index.json again without the entries that match; those are copied to gone, whose texts are index's. */
static int write_without(const struct oci_manifest *index, const struct target *t, struct oci_desc *gone,
                         size_t *ret_n, struct buf *out, struct err *e)
{
    struct jout w = {.out = out};
    const struct jval *root = jdoc_root(index->doc), *value;
    const char *key;
    size_t n = 0;
    jout_object(&w, NULL);
    for (const void *i = jobj_next(root, NULL, &key, &value); i; i = jobj_next(root, i, &key, &value))
        if (strcmp(key, "manifests") != 0)
            jout_value(&w, key, value);
    jout_array(&w, "manifests");
    for (size_t i = 0; i < index->n_entries; i++) {
        if (matches(t, &index->entries[i]))
            gone[n++] = index->entries[i];
        else
            jout_value(&w, NULL, jarr_at(jobj_get(root, "manifests"), i));
    }
    jout_array_end(&w);
    jout_object_end(&w);
    *ret_n = n;
    return buf_check(out, e);
}

static int drop_entries(struct oci_tree *tree, const struct target *t, struct oci_manifest *index,
                        struct oci_desc **ret_gone, size_t *ret_n, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_INDEX);
    char digest[DIGEST_STR_MAX];
    size_t n = 0;
    int r = oci_layout_index_read(tree, index, e);
    if (r)
        return r;
    AUTO_FREE struct oci_desc *gone = calloc(index->n_entries + 1, sizeof(*gone));
    if (!gone)
        return err_nomem(e);
    r = write_without(index, t, gone, &n, &text, e);
    if (!r && n == 0)
        r = err_set(e, ERR_NOTFOUND, OCI_INDEX_FILE " has no entry for %s",
                    t->digest ? digest_str(t->digest, digest) : t->tag);
    if (!r)
        r = tree->ops->write(tree, OCI_INDEX_FILE, buf_bytes(&text), FILE_REPLACE, e);
    if (r)
        return r;
    *ret_gone = TAKE(gone);
    *ret_n = n;
    return 0;
}

int oci_layout_remove(struct oci_endpoint *ep, const char *tag, const struct digest *digest, struct err *e)
{
    struct oci_tree *tree = oci_layout_tree(ep);
    AUTO_DONE(oci_manifest) index = {.doc = NULL};
    AUTO_FREE struct oci_desc *gone = NULL;
    const struct target t = {tag, digest};
    size_t n = 0;
    int r = oci_layout_index_flush(oci_layout_index_of(ep), e);
    if (!r)
        r = tree->ops->lock(tree, e);
    if (r)
        return r;
    r = drop_entries(tree, &t, &index, &gone, &n, e);
    tree->ops->unlock(tree);
    if (r)
        return r;
    r = sweep(tree, gone, n, e);
    if (r == ERR_NOMEM)
        return r;
    if (r)
        log_warn("blobs that nothing refers to any more stay: %s", e->msg);
    return 0;
}
