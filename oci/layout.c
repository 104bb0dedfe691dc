/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of an OCI image layout mean, wherever they are. image-spec 1.1, image-layout.md. */
#include "oci/layout.h"
#include "base/limits.h"
#include "base/log.h"

#define LAYOUT_FILE OCI_LAYOUT_FILE
#define INDEX_FILE  OCI_INDEX_FILE
#define LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"
#define EMPTY_INDEX "{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_INDEX "\",\"manifests\":[]}"

struct layout {
    struct oci_endpoint base;
    struct oci_tree *tree;
    struct oci_layout_index index;
};

static struct oci_tree *tree_of(struct oci_endpoint *base)
{
    return ((struct layout *)base)->tree;
}

static struct oci_layout_index *index_of(struct oci_endpoint *base)
{
    return &((struct layout *)base)->index;
}

/* Where something failed, what was pushed before that stays, but in a tree that is written all at once. */
static void layout_close(struct oci_endpoint *base)
{
    struct err e = ERR_INIT;
    struct oci_tree *tree = tree_of(base);
    if (!tree->ops->finish && oci_layout_index_flush(index_of(base), &e) != 0)
        log_warn("tags that were pushed last are missing: %s", e.msg);
    oci_layout_index_done(index_of(base));
    tree->ops->close(tree);
    free(base);
}

/* The only artifact, or the only one with a tag: what was attached to it has none. */
static const struct oci_desc *only_entry(const struct oci_manifest *index)
{
    const struct oci_desc *found = NULL;
    for (size_t i = 0; i < index->n_entries; i++) {
        if (index->n_entries > 1 && !oci_annotation(index->entries[i].annotations, OCI_ANNOTATION_REF))
            continue;
        if (found && !digest_eq(&found->digest, &index->entries[i].digest))
            return NULL;
        found = &index->entries[i];
    }
    return found;
}

/* Whether an entry has a tag: "1.0", or a whole name that ends in it, as podman writes them. */
static bool has_tag(const struct oci_desc *entry, const char *tag, bool whole_name)
{
    const char *name = oci_annotation(entry->annotations, OCI_ANNOTATION_REF);
    const char *slash = name ? strrchr(name, '/') : NULL;
    const char *colon = whole_name && slash ? strrchr(slash, ':') : NULL;
    return name && strcmp(whole_name ? (colon ? colon + 1 : "") : name, tag) == 0;
}

/* The one artifact that the entries with a tag are of; NULL: there are none. */
static int find_entry(const struct oci_manifest *index, const char *tag, bool whole_name,
                      const struct oci_desc **ret, struct err *e)
{
    const struct oci_desc *found = NULL;
    for (size_t i = 0; i < index->n_entries; i++) {
        if (!has_tag(&index->entries[i], tag, whole_name))
            continue;
        if (found && !digest_eq(&found->digest, &index->entries[i].digest))
            return err_set(e, ERR_FORMAT, INDEX_FILE " has two different entries tagged %s", tag);
        found = &index->entries[i];
    }
    *ret = found;
    return 0;
}

/* The entry that a tag names; without a tag the only artifact there is, or else the one tagged latest. */
static int find_tag(const struct oci_manifest *index, const char *tag, const struct oci_desc **ret,
                    struct err *e)
{
    const char *wanted = tag ? tag : "latest";
    const struct oci_desc *found = tag ? NULL : only_entry(index);
    if (found) {
        *ret = found;
        return 0;
    }
    int r = find_entry(index, wanted, false, &found, e);
    if (!r && !found)
        r = find_entry(index, wanted, true, &found, e);
    if (!r && !found)
        r = err_set(e, ERR_NOTFOUND,
                    tag ? "no artifact tagged %s in the layout" : "which one? none is tagged %s", wanted);
    if (!r)
        *ret = found;
    return r;
}

/* The checked bytes of a small blob. */
static int read_blob(struct oci_tree *tree, const struct digest *d, struct buf *out, struct err *e)
{
    struct sink_buf to;
    struct digest got;
    char hex[DIGEST_STR_MAX];
    int r = tree->ops->blob_get(tree, d, UINT64_MAX, sink_buf_init(&to, out), e);
    if (!r)
        r = hash_bytes(d->alg, buf_bytes(out), &got, e);
    if (!r && !digest_eq(&got, d))
        r = err_set(e, ERR_DIGEST, "blob %s is damaged", digest_hex(d, hex));
    return r;
}

static int layout_resolve(struct oci_endpoint *base, const char *tag, const struct digest *digest,
                          struct oci_pinned *ret, struct err *e)
{
    struct oci_tree *tree = tree_of(base);
    const struct oci_manifest *index = NULL;
    const struct oci_desc *desc = NULL;
    struct oci_pinned p = {.body = BUF_INIT(LIMIT_MANIFEST)};
    int r = 0;
    if (!digest) {
        r = oci_layout_index_get(index_of(base), &index, e);
        if (!r)
            r = find_tag(index, tag, &desc, e);
        if (r)
            return r;
    }
    p.digest = digest ? *digest : desc->digest;
    r = read_blob(tree, &p.digest, &p.body, e);
    if (r == ERR_NOTFOUND && desc)
        r = err_set(e, ERR_FORMAT, "the manifest that " INDEX_FILE " names is missing");
    if (!r && desc && desc->size != p.body.len)
        r = err_set(e, ERR_DIGEST, "the manifest has %zu bytes, " INDEX_FILE " says %llu", p.body.len,
                    (unsigned long long)desc->size);
    if (!r && desc && !(p.media_type = strdup(desc->media_type)))
        r = err_nomem(e);
    if (r) {
        oci_pinned_done(&p);
        return r;
    }
    *ret = p;
    return 0;
}

static int layout_tags(struct oci_endpoint *base, struct buf *out, struct err *e)
{
    const struct oci_manifest *index = NULL;
    int r = oci_layout_index_get(index_of(base), &index, e);
    for (size_t i = 0; !r && i < index->n_entries; i++) {
        const char *tag = oci_annotation(index->entries[i].annotations, OCI_ANNOTATION_REF);
        if (tag)
            buf_append(out, tag, strlen(tag) + 1);
        r = buf_check(out, e);
    }
    return r;
}

static int layout_blob_open(struct oci_endpoint *base, const struct oci_desc *desc, int *ret_fd,
                            struct err *e)
{
    struct oci_tree *tree = tree_of(base);
    return tree->ops->blob_open(tree, &desc->digest, desc->size, ret_fd, e);
}

static int layout_blob_fetch(struct oci_endpoint *base, const struct oci_desc *desc, struct sink *to,
                             struct err *e)
{
    struct oci_tree *tree = tree_of(base);
    return tree->ops->blob_get(tree, &desc->digest, desc->size, to, e);
}

static int layout_blob_push(struct oci_endpoint *base, const struct oci_desc *desc,
                            const struct source_opener *from, bool *ret_existed, struct err *e)
{
    struct oci_tree *tree = tree_of(base);
    bool existed = tree->ops->blob_has(tree, &desc->digest, desc->size);
    struct source_opener sized = {from->open, from->ctx, desc->size};
    int r = existed ? 0 : oci_layout_index_before(index_of(base), desc->size, e);
    if (!r && !existed)
        r = tree->ops->blob_put(tree, &desc->digest, &sized, e);
    if (!r)
        *ret_existed = existed;
    return r;
}

static int layout_manifest_push(struct oci_endpoint *base, struct bytes body, const char *media_type,
                                const struct digest *digest, const char *tag, struct err *e)
{
    struct oci_tree *tree = tree_of(base);
    struct opener_bytes bytes;
    struct source_opener from = opener_bytes_init(&bytes, body);
    int r = tree->ops->blob_put(tree, digest, &from, e);
    return r ? r : oci_layout_index_add(index_of(base), media_type, digest, body.len, tag, e);
}

static int layout_finish(struct oci_endpoint *base, struct err *e)
{
    struct oci_tree *tree = tree_of(base);
    int r = oci_layout_index_flush(index_of(base), e);
    return r || !tree->ops->finish ? r : tree->ops->finish(tree, e);
}

static int layout_child_push(struct oci_endpoint *base, struct bytes body, const char *media_type,
                             const struct digest *digest, struct err *e)
{
    struct oci_tree *tree = tree_of(base);
    struct opener_bytes bytes;
    struct source_opener from = opener_bytes_init(&bytes, body);
    (void)media_type;
    return tree->ops->blob_put(tree, digest, &from, e);
}

struct oci_tree *oci_layout_tree(struct oci_endpoint *ep)
{
    return tree_of(ep);
}

struct oci_layout_index *oci_layout_index_of(struct oci_endpoint *ep)
{
    return index_of(ep);
}

int oci_layout_blob(struct oci_tree *tree, const struct digest *d, struct buf *out, struct err *e)
{
    return read_blob(tree, d, out, e);
}

#define LAYOUT_OPS                                                                                          \
    .close = layout_close, .resolve = layout_resolve, .tags = layout_tags, .blob_fetch = layout_blob_fetch, \
    .blob_push = layout_blob_push, .manifest_push = layout_manifest_push, .child_push = layout_child_push,  \
    .referrers = oci_layout_referrers, .remove = oci_layout_remove, .finish = layout_finish

/* Blobs of some trees can be read in place. */
static const struct oci_endpoint_ops plain_ops = {LAYOUT_OPS};
static const struct oci_endpoint_ops in_place_ops = {LAYOUT_OPS, .blob_open = layout_blob_open};

static int check_layout(struct oci_tree *tree, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_LAYOUT_FILE);
    AUTO(jdoc) doc = NULL;
    const char *version;
    int r = tree->ops->read(tree, LAYOUT_FILE, &text, e);
    if (r)
        return r == ERR_NOTFOUND ? err_set(e, ERR_FORMAT, "no image layout: it has no file " LAYOUT_FILE) : r;
    r = jdoc_parse(buf_bytes(&text), &doc, e);
    if (!r)
        r = jobj_want_string(jdoc_root(doc), "imageLayoutVersion", true, &version, e);
    if (!r && strncmp(version, "1.", 2) != 0)
        r = err_set(e, ERR_UNSUPPORTED, "imageLayoutVersion is not 1.x");
    return r ? err_wrap(e, LAYOUT_FILE) : 0;
}

/* Whether a tree holds anything that a layout in the making would not; hidden files are nobody's business. */
static int check_name(struct oci_tree_names *names, const char *name, struct err *e)
{
    (void)names;
    bool ours = name[0] == '.' || strcmp(name, INDEX_FILE) == 0 || strcmp(name, "blobs") == 0;
    return ours ? 0 : err_set(e, ERR_FORMAT, "the folder is neither empty nor an image layout");
}

/* The oci-layout file comes last: a tree without it is no layout yet. */
static int fill_layout(struct oci_tree *tree, struct err *e)
{
    AUTO_DONE(oci_manifest) index = {.doc = NULL};
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_LAYOUT_FILE);
    struct oci_tree_names names = {check_name};
    int r = tree->ops->read(tree, LAYOUT_FILE, &text, e);
    if (r != ERR_NOTFOUND)
        return 0; /* what it is worth is seen when it is read */
    r = tree->ops->list(tree, &names, e);
    if (!r)
        r = tree->ops->make(tree, e);
    if (!r)
        r = tree->ops->write(tree, INDEX_FILE, BYTES_LIT(EMPTY_INDEX), FILE_KEEP, e);
    if (!r)
        r = oci_layout_index_read(tree, &index, e); /* somebody else's index.json stays his */
    return r ? r : tree->ops->write(tree, LAYOUT_FILE, BYTES_LIT(LAYOUT_TEXT), FILE_KEEP, e);
}

static int make_layout(struct oci_tree *tree, struct err *e)
{
    int r = tree->ops->lock(tree, e);
    if (r)
        return r;
    r = fill_layout(tree, e);
    tree->ops->unlock(tree);
    return r;
}

int oci_layout_over(struct oci_tree *tree, bool create, struct oci_endpoint **ret, struct err *e)
{
    int r = create ? make_layout(tree, e) : 0;
    if (!r)
        r = check_layout(tree, e);
    if (!r && create && tree->ops->claim)
        r = tree->ops->claim(tree, false, e);
    struct layout *l = r ? NULL : malloc(sizeof(*l));
    if (!r && !l)
        r = err_nomem(e);
    if (r) {
        tree->ops->close(tree);
        return r;
    }
    *l = (struct layout){.base = {&plain_ops}, .tree = tree};
    oci_layout_index_init(&l->index, tree);
    if (tree->ops->blob_open)
        l->base.ops = &in_place_ops;
    *ret = &l->base;
    return 0;
}
