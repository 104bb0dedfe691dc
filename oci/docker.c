/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/docker.h"

#include "base/limits.h"
#include "base/text.h"
#include "oci/ref.h"

#define TYPE_CONFIG "application/vnd.docker.container.image.v1+json"
#define TYPE_TAR    "application/vnd.docker.image.rootfs.diff.tar"
#define TYPE_GZIP   "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define TYPE_ZSTD   "application/vnd.docker.image.rootfs.diff.tar.zstd"

/* What the members were found to be; the index is that of oci_tarball.members. */
struct finding {
    bool wanted, hashed;
    const char *layer_type;
    struct digest digest;
};

struct search {
    struct oci_tarball_visit base;
    const struct oci_tarball *tar;
    struct finding *found;
};

static int check_strings(const struct jval *list, size_t limit, const char *what, struct err *e)
{
    size_t n = jarr_len(list);
    if (n > limit)
        return err_set(e, ERR_LIMIT, "more than %zu %s", limit, what);
    for (size_t i = 0; i < n; i++)
        if (!jval_string(jarr_at(list, i)))
            return err_set(e, ERR_FORMAT, "%s that are no strings", what);
    return 0;
}

static int parse_image(const struct jval *v, struct oci_docker_image *ret, struct err *e)
{
    if (jval_kind(v) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "an image is not an object");
    int r = jobj_want_string(v, "Config", true, &ret->config, e);
    if (!r)
        r = jobj_want_array(v, "Layers", false, &ret->layers, e);
    if (!r)
        r = jobj_want_array(v, "RepoTags", false, &ret->tags, e);
    if (!r)
        r = check_strings(ret->layers, LIMIT_LAYERS, "layers", e);
    return r ? r : check_strings(ret->tags, LIMIT_MANIFESTS, "tags", e);
}

int oci_docker_parse(struct bytes text, struct oci_docker_list *ret, struct err *e)
{
    struct oci_docker_list l = {.doc = NULL};
    int r = jdoc_parse(text, &l.doc, e);
    const struct jval *root = r ? NULL : jdoc_root(l.doc);
    if (!r && jval_kind(root) != JKIND_ARRAY)
        r = err_set(e, ERR_FORMAT, "not an array");
    if (!r && jarr_len(root) > LIMIT_MANIFESTS)
        r = err_set(e, ERR_LIMIT, "more than %u images", LIMIT_MANIFESTS);
    l.n = r ? 0 : jarr_len(root);
    l.images = calloc(l.n ? l.n : 1, sizeof(*l.images));
    if (!r && !l.images)
        r = err_nomem(e);
    for (size_t i = 0; !r && i < l.n; i++)
        r = parse_image(jarr_at(root, i), &l.images[i], e);
    if (r) {
        oci_docker_list_done(&l);
        return r;
    }
    *ret = l;
    return 0;
}

void oci_docker_list_done(struct oci_docker_list *l)
{
    free(TAKE(l->images));
    jdoc_free(TAKE(l->doc));
}

const char *oci_docker_tag(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *colon = strrchr(slash ? slash : name, ':');
    return colon && oci_tag_valid(colon + 1) ? colon + 1 : NULL;
}

static int want(struct search *s, const char *name, struct err *e)
{
    char shown[200];
    const struct oci_tar_member *m = oci_tarball_find(s->tar, name);
    if (!m || m->type != OCI_MEMBER_FILE)
        return err_set(e, ERR_FORMAT, m ? "the member %s is no regular file" : "the member %s is missing",
                       text_escape_str(name, shown, sizeof(shown)));
    s->found[m - s->tar->members].wanted = true;
    return 0;
}

static int want_all(struct search *s, const struct oci_docker_list *l, struct err *e)
{
    int r = 0;
    for (size_t i = 0; !r && i < l->n; i++) {
        r = want(s, l->images[i].config, e);
        for (size_t k = 0; !r && k < jarr_len(l->images[i].layers); k++)
            r = want(s, jval_string(jarr_at(l->images[i].layers, k)), e);
    }
    return r;
}

static const char *layer_type(struct bytes head)
{
    if (bytes_starts(head, BYTES_LIT("\x1f\x8b")))
        return TYPE_GZIP;
    return bytes_starts(head, BYTES_LIT("\x28\xb5\x2f\xfd")) ? TYPE_ZSTD : TYPE_TAR;
}

static int hash_member(struct oci_tarball_visit *v, const struct oci_tar_member *m, struct source *from,
                       struct err *e)
{
    struct search *s = (struct search *)v;
    struct finding *f = &s->found[m - s->tar->members];
    AUTO(hash_state) hash = NULL;
    uint8_t chunk[64U << 10];
    size_t n = 1;
    if (!f->wanted)
        return 0;
    int r = hash_open(HASH_SHA256, &hash, e);
    while (!r && n > 0) {
        r = source_read(from, chunk, sizeof(chunk), &n, e);
        if (!r && !f->layer_type)
            f->layer_type = layer_type(bytes_of(chunk, n));
        if (!r)
            hash_update(hash, bytes_of(chunk, n));
    }
    if (r)
        return r;
    hash_final(hash, &f->digest);
    f->hashed = true;
    return 0;
}

static int add_blob(struct oci_docker *d, const struct oci_docker_blob *blob, struct err *e)
{
    if (d->n == d->cap) {
        size_t cap = d->cap ? 2 * d->cap : 16;
        struct oci_docker_blob *more = reallocarray(d->blobs, cap, sizeof(*more));
        if (!more)
            return err_nomem(e);
        d->blobs = more;
        d->cap = cap;
    }
    d->blobs[d->n++] = *blob;
    return 0;
}

static int add_members(struct oci_docker *d, const struct search *s, struct err *e)
{
    int r = 0;
    for (size_t i = 0; !r && i < s->tar->n; i++) {
        const struct oci_tar_member *m = &s->tar->members[i];
        const struct oci_docker_blob blob = {.digest = s->found[i].digest, .size = m->size, .member = m};
        if (s->found[i].wanted && !s->found[i].hashed)
            r = err_set(e, ERR_IO, "the archive changed while it was read");
        else if (s->found[i].wanted)
            r = add_blob(d, &blob, e);
    }
    return r;
}

static int write_desc(struct jout *w, const char *key, const struct search *s, const char *name,
                      struct err *e)
{
    const struct oci_tar_member *m = oci_tarball_find(s->tar, name);
    const struct finding *f = &s->found[m - s->tar->members];
    return oci_desc_write(w, key, key ? TYPE_CONFIG : f->layer_type, &f->digest, m->size, NULL, 0, e);
}

static int write_manifest(const struct search *s, const struct oci_docker_image *image, struct buf *out,
                          struct err *e)
{
    struct jout w = {.out = out};
    jout_object(&w, NULL);
    jout_uint(&w, "schemaVersion", 2);
    jout_string(&w, "mediaType", OCI_TYPE_DOCKER);
    int r = write_desc(&w, "config", s, image->config, e);
    jout_array(&w, "layers");
    for (size_t i = 0; !r && i < jarr_len(image->layers); i++)
        r = write_desc(&w, NULL, s, jval_string(jarr_at(image->layers, i)), e);
    jout_array_end(&w);
    jout_object_end(&w);
    return r ? r : buf_check(out, e);
}

/* One entry a tag; an image without a tag is there by its digest. */
static int write_entries(struct jout *w, const struct oci_docker_image *image, const struct digest *digest,
                         uint64_t size, struct err *e)
{
    int r = 0;
    bool tagged = false;
    for (size_t i = 0; !r && i < jarr_len(image->tags); i++) {
        const struct oci_pair ref = {OCI_ANNOTATION_REF,
                                     oci_docker_tag(jval_string(jarr_at(image->tags, i)))};
        if (!ref.value)
            continue;
        tagged = true;
        r = oci_desc_write(w, NULL, OCI_TYPE_DOCKER, digest, size, &ref, 1, e);
    }
    return r || tagged ? r : oci_desc_write(w, NULL, OCI_TYPE_DOCKER, digest, size, NULL, 0, e);
}

static int make_manifests(struct oci_docker *d, const struct search *s, const struct oci_docker_list *l,
                          struct err *e)
{
    struct jout w = {.out = &d->index};
    int r = 0;
    jout_object(&w, NULL);
    jout_uint(&w, "schemaVersion", 2);
    jout_string(&w, "mediaType", OCI_TYPE_INDEX);
    jout_array(&w, "manifests");
    for (size_t i = 0; !r && i < l->n; i++) {
        struct oci_docker_blob blob = {.body = BUF_INIT(LIMIT_MANIFEST)};
        r = write_manifest(s, &l->images[i], &blob.body, e);
        blob.size = blob.body.len;
        if (!r)
            r = hash_bytes(HASH_SHA256, buf_bytes(&blob.body), &blob.digest, e);
        if (!r)
            r = write_entries(&w, &l->images[i], &blob.digest, blob.size, e);
        if (!r)
            r = add_blob(d, &blob, e);
        if (r)
            buf_done(&blob.body);
    }
    jout_array_end(&w);
    jout_object_end(&w);
    return r ? r : buf_check(&d->index, e);
}

static int read_all(struct oci_docker *d, struct oci_tarball *tar, const struct oci_docker_list *l,
                    struct err *e)
{
    AUTO_FREE struct finding *found = calloc(tar->n ? tar->n : 1, sizeof(*found));
    struct search s = {.base = {hash_member}, .tar = tar, .found = found};
    if (!found)
        return err_nomem(e);
    int r = want_all(&s, l, e);
    if (!r)
        r = oci_tarball_each(tar, &s.base, e);
    if (!r)
        r = add_members(d, &s, e);
    return r ? r : make_manifests(d, &s, l, e);
}

int oci_docker_open(struct oci_tarball *tar, struct oci_docker *ret, struct err *e)
{
    AUTO_DONE(oci_docker_list) list = {.doc = NULL};
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_INDEX);
    struct oci_docker d = {.index = BUF_INIT(LIMIT_INDEX)};
    int r = oci_tarball_read(tar, OCI_DOCKER_FILE, &text, e);
    if (!r)
        r = oci_docker_parse(buf_bytes(&text), &list, e);
    if (!r)
        r = read_all(&d, tar, &list, e);
    if (r) {
        oci_docker_done(&d);
        return err_wrap(e, OCI_DOCKER_FILE);
    }
    *ret = d;
    return 0;
}

void oci_docker_done(struct oci_docker *d)
{
    for (size_t i = 0; i < d->n; i++)
        buf_done(&d->blobs[i].body);
    free(TAKE(d->blobs));
    d->n = d->cap = 0;
    buf_done(&d->index);
}

const struct oci_docker_blob *oci_docker_find(const struct oci_docker *d, const struct digest *digest)
{
    for (size_t i = 0; i < d->n; i++)
        if (digest_eq(&d->blobs[i].digest, digest))
            return &d->blobs[i];
    return NULL;
}
