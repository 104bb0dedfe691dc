/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing from an image layout: the entry of index.json goes, then those blobs that it referred to and that
 * nothing else does. Other blobs are never touched, whoever put them there. Somebody who is pushing may rely
 * on a blob that no manifest names yet, so blobs go only while nobody writes to the layout.
 */
#include "base/limits.h"
#include "base/log.h"
#include "oci/index.h"
#include "oci/layout.h"

/* A set of digests, small or sorted. */
struct digests {
    struct digest *all;
    size_t n, room;
};

static void digests_done(struct digests *d)
{
    free(TAKE(d->all));
}

static size_t find(const struct digests *d, const struct digest *x)
{
    size_t i = 0;
    while (i < d->n && !digest_eq(&d->all[i], x))
        i++;
    return i;
}

static int add(struct digests *d, const struct digest *x, struct err *e)
{
    if (find(d, x) < d->n)
        return 0;
    if (d->n == d->room) {
        size_t room = d->room ? 2 * d->room : 64;
        struct digest *all = reallocarray(d->all, room, sizeof(*all));
        if (!all)
            return err_nomem(e);
        d->all = all;
        d->room = room;
    }
    d->all[d->n++] = *x;
    return 0;
}

static void forget(struct digests *d, const struct digest *x)
{
    size_t i = find(d, x);
    if (i < d->n)
        d->all[i] = d->all[--d->n];
}

/* A walk over all that a manifest reaches, itself included. Its subject is not of that: a signature does not
 * keep what it was made for. */
struct walk {
    struct oci_tree *tree;
    struct digests seen; /* manifests that were read */
    int (*visit)(struct walk *w, const struct digest *digest, struct err *e);
    struct digests *set;
};

static int gather(struct walk *w, const struct digest *digest, struct err *e)
{
    return add(w->set, digest, e);
}

static int spare(struct walk *w, const struct digest *digest, struct err *e)
{
    (void)e;
    forget(w->set, digest);
    return 0;
}

static int walk_manifest(struct walk *w, const struct oci_desc *desc, unsigned depth, struct err *e)
{
    AUTO_DONE(buf) body = BUF_INIT(LIMIT_MANIFEST);
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    int r = w->visit(w, &desc->digest, e);
    if (r || !oci_manifest_type_known(desc->media_type) || find(&w->seen, &desc->digest) < w->seen.n)
        return r;
    if (depth > OCI_INDEX_DEPTH)
        return err_set(e, ERR_LIMIT, "indexes in indexes, more than %d deep", OCI_INDEX_DEPTH);
    r = add(&w->seen, &desc->digest, e);
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

static int walk_all(struct walk *w, const struct oci_desc *from, size_t n, struct err *e)
{
    int r = 0;
    for (size_t i = 0; !r && i < n; i++)
        r = walk_manifest(w, &from[i], 0, e);
    digests_done(&w->seen);
    return r;
}

static int sweep(struct oci_tree *tree, const struct oci_desc *gone, size_t n, struct err *e)
{
    AUTO_DONE(oci_manifest) index = {.doc = NULL};
    AUTO_DONE(digests) set = {.all = NULL};
    struct walk gathering = {.tree = tree, .visit = gather, .set = &set};
    struct walk sparing = {.tree = tree, .visit = spare, .set = &set};
    int r = 0;
    if (tree->ops->claim)
        r = tree->ops->claim(tree, true, e);
    else if (!tree->ops->finish) /* what is written all at once is nobody else's until then */
        r = err_set(e, ERR_UNSUPPORTED, "others may be writing to the layout");
    if (!r)
        r = walk_all(&gathering, gone, n, e);
    if (!r)
        r = oci_layout_index(tree, &index, e);
    if (!r)
        r = walk_all(&sparing, index.entries, index.n_entries, e);
    for (size_t i = 0; !r && i < set.n; i++)
        r = tree->ops->blob_remove(tree, &set.all[i], e);
    return r;
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
    int r = oci_layout_index(tree, index, e);
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
    int r = tree->ops->lock(tree, e);
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
