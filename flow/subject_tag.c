/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures as layers of an image under a tag that is made of the digest of what is signed. cosign's
 * SIGNATURE_SPEC.md, "Storage".
 *
 * Adding a layer is reading, changing and writing, and registries let two writers overwrite each other. Those
 * of one user and machine wait for each other on a lock; against others the image is read again after it was
 * written, and what is missing is added once more.
 */
#include "flow/subject.h"

#include "base/limits.h"
#include "base/log.h"
#include "oci/memo.h"

#include <stdio.h>
#include <time.h>

#define TRIES_MAX   10U
#define SETTLE_MS   50
#define CONFIG_TYPE "application/vnd.oci.image.config.v1+json"

/* The image as it is there. */
struct image {
    struct oci_pinned pinned;
    struct oci_manifest m;
    bool there;
};

static void image_done(struct image *i)
{
    oci_manifest_done(&i->m);
    oci_pinned_done(&i->pinned);
}

static int image_read(struct flow_subject *s, const char *tag, struct image *ret, struct err *e)
{
    int r = s->ep->ops->resolve(s->ep, tag, NULL, &ret->pinned, e);
    if (r == ERR_NOTFOUND)
        return 0;
    if (!r)
        r = oci_manifest_parse(buf_bytes(&ret->pinned.body), ret->pinned.media_type, &ret->m, e);
    if (!r && ret->m.is_index)
        r = err_set(e, ERR_FORMAT, "an index where an image of signatures should be");
    ret->there = !r;
    return r ? err_wrap(e, "%s", tag) : 0;
}

/* Whether a layer says what `what` says: the blob, and each of its annotations. */
static bool layer_is(const struct oci_desc *layer, const struct flow_hanging *what)
{
    if (!digest_eq(&layer->digest, what->digest))
        return false;
    for (size_t i = 0; i < what->n_annotations; i++) {
        const char *value = oci_annotation(layer->annotations, what->annotations[i].key);
        if (!value || strcmp(value, what->annotations[i].value) != 0)
            return false;
    }
    return true;
}

static bool image_has(const struct image *image, const struct flow_hanging *what)
{
    for (size_t i = 0; image->there && i < image->m.n_entries; i++)
        if (layer_is(&image->m.entries[i], what))
            return true;
    return false;
}

/* An image's config, image-spec 1.1: its layers are no archives, so that their digests are those of their
 * content as well. */
static int write_config(const struct image *image, const struct flow_hanging *what, struct buf *out,
                        struct err *e)
{
    struct jout w = {.out = out};
    char digest[DIGEST_STR_MAX];
    jout_object(&w, NULL);
    jout_string(&w, "architecture", "");
    jout_string(&w, "os", "");
    jout_object(&w, "config");
    jout_object_end(&w);
    jout_object(&w, "rootfs");
    jout_string(&w, "type", "layers");
    jout_array(&w, "diff_ids");
    for (size_t i = 0; image->there && i < image->m.n_entries; i++)
        jout_string(&w, NULL, digest_str(&image->m.entries[i].digest, digest));
    jout_string(&w, NULL, digest_str(what->digest, digest));
    jout_array_end(&w);
    jout_object_end(&w);
    jout_object_end(&w);
    return buf_check(out, e);
}

/* The manifest again, with one layer more and the new config; what others wrote into it stays. */
static int write_manifest(const struct image *image, const struct flow_hanging *what,
                          const struct oci_desc *config, struct buf *out, struct err *e)
{
    struct jout w = {.out = out};
    const struct jval *root = image->there ? jdoc_root(image->m.doc) : NULL, *value;
    const char *key;
    jout_object(&w, NULL);
    jout_uint(&w, "schemaVersion", 2);
    jout_string(&w, "mediaType", image->there ? image->m.media_type : OCI_TYPE_MANIFEST);
    int r = oci_desc_write(&w, "config", CONFIG_TYPE, &config->digest, config->size, NULL, 0, e);
    jout_array(&w, "layers");
    for (size_t i = 0; image->there && i < image->m.n_entries; i++)
        jout_value(&w, NULL, jarr_at(jobj_get(root, "layers"), i));
    if (!r)
        r = oci_desc_write(&w, NULL, what->media_type, what->digest, what->blob->size, what->annotations,
                           what->n_annotations, e);
    jout_array_end(&w);
    for (const void *i = root ? jobj_next(root, NULL, &key, &value) : NULL; i;
         i = jobj_next(root, i, &key, &value))
        if (strcmp(key, "schemaVersion") != 0 && strcmp(key, "mediaType") != 0 &&
            strcmp(key, "config") != 0 && strcmp(key, "layers") != 0)
            jout_value(&w, key, value);
    jout_object_end(&w);
    return r ? r : buf_check(out, e);
}

static int push_bytes(struct oci_endpoint *ep, struct bytes data, const char *media_type,
                      struct oci_desc *ret, struct err *e)
{
    struct opener_bytes text;
    const struct source_opener from = opener_bytes_init(&text, data);
    bool existed;
    *ret = (struct oci_desc){.media_type = media_type, .size = data.len};
    int r = hash_bytes(HASH_SHA256, data, &ret->digest, e);
    return r ? r : ep->ops->blob_push(ep, ret, &from, &existed, e);
}

static int image_write(struct flow_subject *s, const char *tag, const struct image *image,
                       const struct flow_hanging *what, struct err *e)
{
    AUTO_DONE(buf) config = BUF_INIT(LIMIT_CONFIG);
    AUTO_DONE(buf) manifest = BUF_INIT(LIMIT_MANIFEST);
    struct oci_desc config_desc;
    struct digest digest;
    const char *type = image->there ? image->m.media_type : OCI_TYPE_MANIFEST;
    int r = image->there && image->m.n_entries >= LIMIT_LAYERS
                ? err_set(e, ERR_LIMIT, "%s holds %u signatures already", tag, LIMIT_LAYERS)
                : write_config(image, what, &config, e);
    if (!r)
        r = push_bytes(s->ep, buf_bytes(&config), CONFIG_TYPE, &config_desc, e);
    if (!r)
        r = write_manifest(image, what, &config_desc, &manifest, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, buf_bytes(&manifest), &digest, e);
    return r ? r : s->ep->ops->manifest_push(s->ep, buf_bytes(&manifest), type, &digest, tag, e);
}

static void settle(unsigned n)
{
    const struct timespec t = {.tv_nsec = (long)n * SETTLE_MS * 1000000};
    (void)nanosleep(&t, NULL);
}

/* Until the image is seen to have the layer. */
static int add_layer(struct flow_subject *s, const char *tag, const struct flow_hanging *what,
                     struct digest *ret, struct err *e)
{
    for (unsigned n = 0; n <= TRIES_MAX; n++) {
        AUTO_DONE(image) image = {.there = false};
        int r = image_read(s, tag, &image, e);
        if (r)
            return r;
        if (image_has(&image, what)) {
            *ret = image.pinned.digest;
            return 0;
        }
        if (n > 1)
            log_info("%s: somebody else writes it at the same time; again", tag);
        r = n < TRIES_MAX ? image_write(s, tag, &image, what, e) : 0;
        if (r)
            return r;
        settle(n);
    }
    return err_set(e, ERR_REGISTRY, "%s: others overwrite it again and again", tag);
}

bool flow_subject_tag_name(const struct digest *subject, const char *suffix, char out[FLOW_TAG_MAX])
{
    char hex[DIGEST_STR_MAX];
    if (subject->alg != HASH_SHA256)
        return false;
    (void)snprintf(out, FLOW_TAG_MAX, "sha256-%s%s", digest_hex(subject, hex), suffix);
    return true;
}

int flow_subject_tag(struct flow_subject *s, const char *suffix, const struct flow_hanging *what,
                     struct digest *ret, char ret_tag[FLOW_TAG_MAX], struct err *e)
{
    AUTO_FD int lock = -1;
    char lock_name[16], digest[DIGEST_STR_MAX];
    const struct oci_desc blob = {
        .media_type = what->media_type, .digest = *what->digest, .size = what->blob->size};
    bool existed;
    if (!flow_subject_tag_name(&s->desc.digest, suffix, ret_tag))
        return err_set(e, ERR_UNSUPPORTED, "no %s tag can be made for %s: SHA-256 is wanted", suffix,
                       digest_str(&s->desc.digest, digest));
    (void)snprintf(lock_name, sizeof(lock_name), "tags-%02x", s->desc.digest.value[0]);
    oci_memo_lock(s->memo_dir, lock_name, &lock);
    int r = s->ep->ops->blob_push(s->ep, &blob, what->blob, &existed, e);
    return r ? r : add_layer(s, ret_tag, what, ret, e);
}
