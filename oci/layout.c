/* SPDX-License-Identifier: Apache-2.0 */
/* An OCI image layout on disk. image-spec 1.1, image-layout.md. */
#include "base/limits.h"
#include "base/text.h"
#include "oci/cas.h"
#include "oci/endpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LAYOUT_FILE      "oci-layout"
#define INDEX_FILE       "index.json"
#define LAYOUT_TEXT      "{\"imageLayoutVersion\":\"1.0.0\"}"
#define EMPTY_INDEX      "{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_INDEX "\",\"manifests\":[]}"
#define LAYOUT_DIR_MODE  0777
#define LAYOUT_FILE_MODE 0666

struct layout {
    struct oci_endpoint base;
    int root;
};

static void layout_close(struct oci_endpoint *base)
{
    struct layout *l = (struct layout *)base;
    (void)close(l->root);
    free(l);
}

static int read_index(struct layout *l, struct oci_manifest *ret, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_INDEX);
    int r = file_read(l->root, INDEX_FILE, true, &text, e);
    if (r)
        return r == ERR_NOTFOUND ? err_set(e, ERR_FORMAT, INDEX_FILE " is missing") : r;
    r = oci_manifest_parse(buf_bytes(&text), NULL, ret, e);
    if (!r && !ret->is_index) {
        oci_manifest_done(ret);
        r = err_set(e, ERR_FORMAT, "not an index");
    }
    return r ? err_wrap(e, INDEX_FILE) : 0;
}

/* The entry that a tag names; without a tag the only entry there is, or else the one tagged latest. */
static int find_tag(const struct oci_manifest *index, const char *tag, const struct oci_desc **ret,
                    struct err *e)
{
    if (!tag && index->n_entries == 1) {
        *ret = &index->entries[0];
        return 0;
    }
    const struct oci_desc *found = NULL;
    const char *wanted = tag ? tag : "latest";
    for (size_t i = 0; i < index->n_entries; i++) {
        const char *name = oci_annotation(index->entries[i].annotations, OCI_ANNOTATION_REF);
        if (!name || strcmp(name, wanted) != 0)
            continue;
        if (found && !digest_eq(&found->digest, &index->entries[i].digest))
            return err_set(e, ERR_FORMAT, INDEX_FILE " has two different entries tagged %s", wanted);
        found = &index->entries[i];
    }
    if (!found)
        return err_set(e, ERR_NOTFOUND,
                       tag ? "no artifact tagged %s in the layout" : "which one? none is tagged %s", wanted);
    *ret = found;
    return 0;
}

static int layout_resolve(struct oci_endpoint *base, const char *tag, const struct digest *digest,
                          struct oci_pinned *ret, struct err *e)
{
    struct layout *l = (struct layout *)base;
    AUTO_DONE(oci_manifest) index = {.doc = NULL};
    const struct oci_desc *desc = NULL;
    struct oci_pinned p = {.body = BUF_INIT(LIMIT_MANIFEST)};
    int r = 0;
    if (!digest) {
        r = read_index(l, &index, e);
        if (!r)
            r = find_tag(&index, tag, &desc, e);
        if (r)
            return r;
    }
    p.digest = digest ? *digest : desc->digest;
    r = oci_cas_read(l->root, &p.digest, &p.body, e);
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
    AUTO_DONE(oci_manifest) index = {.doc = NULL};
    int r = read_index((struct layout *)base, &index, e);
    for (size_t i = 0; !r && i < index.n_entries; i++) {
        const char *tag = oci_annotation(index.entries[i].annotations, OCI_ANNOTATION_REF);
        if (tag)
            buf_append(out, tag, strlen(tag) + 1);
        r = buf_check(out, e);
    }
    return r;
}

static int layout_blob_open(struct oci_endpoint *base, const struct oci_desc *desc, int *ret_fd,
                            struct err *e)
{
    return oci_cas_open(((struct layout *)base)->root, &desc->digest, desc->size, ret_fd, e);
}

static int layout_blob_fetch(struct oci_endpoint *base, const struct oci_desc *desc, struct sink *to,
                             struct err *e)
{
    AUTO_FD int fd = -1;
    struct source_file s;
    int r = layout_blob_open(base, desc, &fd, e);
    return r ? r : stream_copy(source_file_init(&s, fd), to, NULL, e);
}

/* What lies there already is trusted only after it was read: a push over a damaged blob mends it. */
static bool blob_is_sound(struct layout *l, const struct digest *digest, uint64_t size)
{
    AUTO_FD int fd = -1;
    struct err ignored;
    return oci_cas_open(l->root, digest, size, &fd, &ignored) == 0 &&
           oci_cas_check(fd, digest, &ignored) == 0;
}

static int layout_blob_push(struct oci_endpoint *base, const struct oci_desc *desc,
                            const struct source_opener *from, bool *ret_existed, struct err *e)
{
    struct layout *l = (struct layout *)base;
    if (blob_is_sound(l, &desc->digest, desc->size)) {
        *ret_existed = true;
        return 0;
    }
    struct oci_cas_put put;
    struct source *source = NULL;
    int r = oci_cas_make(l->root, desc->digest.alg, LAYOUT_DIR_MODE, e);
    if (r)
        return r;
    oci_cas_sweep(l->root, desc->digest.alg);
    r = oci_cas_put_init(&put, l->root, &desc->digest, desc->size, LAYOUT_FILE_MODE, e);
    if (r)
        return r;
    r = from->open(from->ctx, &source, e);
    if (!r)
        r = stream_copy(source, &put.verify.base, NULL, e);
    if (!r)
        r = sink_commit(&put.verify.base, e);
    source_close(source);
    sink_abort(&put.verify.base);
    if (!r)
        *ret_existed = false;
    return r;
}

/* Whether any entry names the digest. */
static bool has_entry(const struct oci_manifest *index, const struct digest *digest)
{
    for (size_t i = 0; i < index->n_entries; i++)
        if (digest_eq(&index->entries[i].digest, digest))
            return true;
    return false;
}

/* index.json again with an entry for the manifest; what else it says stays, but for an older entry of the
 * same tag. */
static int write_index(const struct oci_manifest *old, const char *media_type, const struct digest *digest,
                       uint64_t size, const char *tag, struct buf *out, struct err *e)
{
    struct jout w = {.out = out};
    const struct jval *root = jdoc_root(old->doc), *value;
    const char *key;
    jout_object(&w, NULL);
    for (const void *i = jobj_next(root, NULL, &key, &value); i; i = jobj_next(root, i, &key, &value))
        if (strcmp(key, "manifests") != 0)
            jout_value(&w, key, value);
    jout_array(&w, "manifests");
    for (size_t i = 0; i < old->n_entries; i++) {
        const char *name = oci_annotation(old->entries[i].annotations, OCI_ANNOTATION_REF);
        if (!tag || !name || strcmp(name, tag) != 0)
            jout_value(&w, NULL, jarr_at(jobj_get(root, "manifests"), i));
    }
    const struct oci_pair ref = {OCI_ANNOTATION_REF, tag};
    int r = 0;
    if (tag || !has_entry(old, digest))
        r = oci_desc_write(&w, NULL, media_type, digest, size, &ref, tag ? 1 : 0, e);
    jout_array_end(&w);
    jout_object_end(&w);
    return r ? r : buf_check(out, e);
}

/* A layout that is full is left as it is: what could not be read again is not written. */
static int check_index(struct bytes text, struct err *e)
{
    AUTO_DONE(oci_manifest) again = {.doc = NULL};
    int r = oci_manifest_parse(text, NULL, &again, e);
    return r ? err_wrap(e, "the new " INDEX_FILE) : 0;
}

/* Writers of one layout wait for each other; the lock is on the folder itself, so that no foreign file is
 * left in it. */
static int lock_layout(struct layout *l, int *ret_fd, struct err *e)
{
    int r = dir_open(l->root, ".", false, ret_fd, e);
    while (!r && flock(*ret_fd, LOCK_EX) < 0)
        if (errno != EINTR)
            r = err_set_errno(e, ERR_IO, errno, "lock");
    return r;
}

static int layout_manifest_push(struct oci_endpoint *base, struct bytes body, const char *media_type,
                                const struct digest *digest, const char *tag, struct err *e)
{
    struct layout *l = (struct layout *)base;
    AUTO_FD int lock = -1;
    AUTO_DONE(oci_manifest) index = {.doc = NULL};
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_INDEX);
    int r = oci_cas_make(l->root, digest->alg, LAYOUT_DIR_MODE, e);
    if (!r)
        r = oci_cas_put_bytes(l->root, digest, body, LAYOUT_FILE_MODE, e);
    if (!r)
        r = lock_layout(l, &lock, e);
    if (!r)
        r = read_index(l, &index, e);
    if (!r)
        r = write_index(&index, media_type, digest, body.len, tag, &text, e);
    if (!r)
        r = check_index(buf_bytes(&text), e);
    if (!r)
        r = file_write(l->root, INDEX_FILE, buf_bytes(&text), LAYOUT_FILE_MODE, FILE_REPLACE, e);
    return r;
}

static const struct oci_endpoint_ops layout_ops = {
    .close = layout_close,
    .resolve = layout_resolve,
    .tags = layout_tags,
    .blob_fetch = layout_blob_fetch,
    .blob_open = layout_blob_open,
    .blob_push = layout_blob_push,
    .manifest_push = layout_manifest_push,
};

static int check_layout(int root, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(4096);
    AUTO(jdoc) doc = NULL;
    const char *version;
    int r = file_read(root, LAYOUT_FILE, true, &text, e);
    if (r)
        return r == ERR_NOTFOUND ? err_set(e, ERR_FORMAT, "no image layout: it has no file " LAYOUT_FILE) : r;
    r = jdoc_parse(buf_bytes(&text), &doc, e);
    if (!r)
        r = jobj_want_string(jdoc_root(doc), "imageLayoutVersion", true, &version, e);
    if (!r && strncmp(version, "1.", 2) != 0)
        r = err_set(e, ERR_UNSUPPORTED, "imageLayoutVersion is not 1.x");
    return r ? err_wrap(e, LAYOUT_FILE) : 0;
}

/* Whether a folder holds anything that a layout in the making would not. */
static int check_empty(int root, struct err *e)
{
    AUTO_FD int fd = -1;
    int r = dir_open(root, ".", false, &fd, e);
    DIR *d = r ? NULL : fdopendir(fd);
    if (!d)
        return r ? r : err_set_errno(e, ERR_IO, errno, "opendir");
    fd = -1; /* the DIR's */
    for (struct dirent *entry; !r && (entry = readdir(d));) {
        const char *name = entry->d_name;
        if (name[0] != '.' && strcmp(name, INDEX_FILE) != 0 && strcmp(name, "blobs") != 0)
            r = err_set(e, ERR_FORMAT, "the folder is neither empty nor an image layout");
    }
    (void)closedir(d);
    return r;
}

/* The oci-layout file comes last: a folder without it is no layout yet. */
static int make_layout(struct layout *l, struct err *e)
{
    AUTO_FD int lock = -1;
    AUTO_DONE(oci_manifest) index = {.doc = NULL};
    struct stat st;
    int r = lock_layout(l, &lock, e);
    if (r || fstatat(l->root, LAYOUT_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return r;
    r = check_empty(l->root, e);
    if (!r)
        r = oci_cas_make(l->root, HASH_SHA256, LAYOUT_DIR_MODE, e);
    if (!r)
        r = file_write(l->root, INDEX_FILE, BYTES_LIT(EMPTY_INDEX), LAYOUT_FILE_MODE, FILE_KEEP, e);
    if (!r)
        r = read_index(l, &index, e); /* somebody else's index.json stays his */
    if (!r)
        r = file_write(l->root, LAYOUT_FILE, BYTES_LIT(LAYOUT_TEXT), LAYOUT_FILE_MODE, FILE_KEEP, e);
    return r;
}

int oci_layout_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool create,
                    struct oci_endpoint **ret, struct err *e)
{
    (void)conf;
    char shown[300];
    struct layout l = {.base = {.ops = &layout_ops}, .root = -1};
    int r = create ? dir_make(ref->path, LAYOUT_DIR_MODE, e) : 0;
    if (!r)
        r = dir_open(AT_FDCWD, ref->path, false, &l.root, e);
    if (r)
        return r;
    if (create)
        r = make_layout(&l, e);
    if (!r)
        r = check_layout(l.root, e);
    struct layout *heap = r ? NULL : malloc(sizeof(*heap));
    if (!r && !heap)
        r = err_nomem(e);
    if (r) {
        (void)close(l.root);
        return err_wrap(e, "%s", text_escape_str(ref->path, shown, sizeof(shown)));
    }
    *heap = l;
    *ret = &heap->base;
    return 0;
}
