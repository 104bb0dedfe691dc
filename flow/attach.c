/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/graph.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "oci/locate.h"

#include <fcntl.h>

#define EMPTY        "{}"
#define DEFAULT_TYPE "application/octet-stream"

/* What the new manifest is made of. */
struct made {
    const struct flow_attach *how;
    struct oci_desc config, layer, subject;
    const char *title;
};

/* image-spec 1.1, manifest.md, "Guidelines for Artifact Usage". The empty config goes without its "data",
 * which there are registries that refuse. */
static int write_manifest(const struct made *m, struct buf *out, struct err *e)
{
    const struct flow_attach *how = m->how;
    const struct oci_pair title = {OCI_ANNOTATION_TITLE, m->title};
    struct jout w = {.out = out};
    jout_object(&w, NULL);
    jout_uint(&w, "schemaVersion", 2);
    jout_string(&w, "mediaType", OCI_TYPE_MANIFEST);
    jout_string(&w, "artifactType", how->artifact_type);
    int r = oci_desc_write(&w, "config", m->config.media_type, &m->config.digest, m->config.size, NULL, 0, e);
    jout_array(&w, "layers");
    if (!r)
        r = oci_desc_write(&w, NULL, m->layer.media_type, &m->layer.digest, m->layer.size, &title, 1, e);
    jout_array_end(&w);
    if (!r)
        r = oci_desc_write(&w, "subject", m->subject.media_type, &m->subject.digest, m->subject.size, NULL, 0,
                           e);
    if (!r)
        r = oci_annotations_write(&w, how->annotations, how->n_annotations, e);
    jout_object_end(&w);
    return r ? r : buf_check(out, e);
}

/* The file's digest; the bytes themselves are sent by a second reading. */
static int survey(const struct source_opener *file, struct digest *ret, struct err *e)
{
    AUTO(hash_state) hash = NULL;
    struct source *source = NULL;
    uint8_t chunk[64U << 10];
    int r = hash_open(HASH_SHA256, &hash, e);
    if (!r)
        r = file->open(file->ctx, &source, e);
    for (size_t n = 1; !r && n > 0;) {
        r = source_read(source, chunk, sizeof(chunk), &n, e);
        if (!r)
            hash_update(hash, bytes_of(chunk, n));
    }
    source_close(source);
    if (!r)
        hash_final(hash, ret);
    return r;
}

static int find_subject(const struct oci_ref *ref, struct oci_endpoint *ep, struct oci_pinned *pinned,
                        struct oci_manifest *m, struct made *made, struct err *e)
{
    int r =
        ep->ops->resolve(ep, ref->tag[0] ? ref->tag : NULL, ref->has_digest ? &ref->digest : NULL, pinned, e);
    if (!r)
        r = oci_manifest_parse(buf_bytes(&pinned->body), pinned->media_type, m, e);
    if (!r)
        made->subject = (struct oci_desc){
            .media_type = m->media_type, .digest = pinned->digest, .size = pinned->body.len};
    return r;
}

static int push_all(struct oci_endpoint *ep, const struct made *made, const struct source_opener *file,
                    const struct buf *manifest, struct flow_published *p, struct err *e)
{
    struct opener_bytes empty;
    struct source_opener config = opener_bytes_init(&empty, BYTES_LIT(EMPTY));
    bool existed;
    int r = ep->ops->blob_push(ep, &made->layer, file, &p->existed, e);
    if (!r)
        r = ep->ops->blob_push(ep, &made->config, &config, &existed, e);
    if (!r)
        r = ep->ops->manifest_push(ep, buf_bytes(manifest), OCI_TYPE_MANIFEST, &p->digest, NULL, e);
    return r || !ep->ops->finish ? r : ep->ops->finish(ep, e);
}

static int attach(const struct flow_conf *conf, const struct oci_ref *ref, const struct source_opener *file,
                  struct made *made, struct flow_published *p, struct err *e)
{
    AUTO(oci_endpoint) ep = NULL;
    AUTO_DONE(oci_pinned) pinned = {.media_type = NULL};
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    AUTO_DONE(buf) manifest = BUF_INIT(LIMIT_MANIFEST);
    int r = 0;
    if (ref->kind !=
        OCI_REF_REGISTRY) { /* nothing comes into being for the sake of a subject that is not there */
        r = oci_endpoint_open(ref, &conf->endpoint, false, &ep, e);
        oci_endpoint_close(TAKE(ep));
    }
    if (!r)
        r = oci_endpoint_open(ref, &conf->endpoint, true, &ep, e);
    if (!r)
        r = find_subject(ref, ep, &pinned, &m, made, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, BYTES_LIT(EMPTY), &made->config.digest, e);
    if (!r)
        r = write_manifest(made, &manifest, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, buf_bytes(&manifest), &p->digest, e);
    return r ? r : push_all(ep, made, file, &manifest, p, e);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int check_types(const struct flow_attach *how, struct err *e)
{
    char shown[128];
    const char *types[] = {how->artifact_type, how->media_type};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i] && !oci_media_type_valid(types[i]))
            return err_set(e, ERR_USAGE, "'%s' is no media type",
                           text_escape_str(types[i], shown, sizeof(shown)));
    return 0;
}

int flow_attach(const struct flow_conf *conf, const char *path, const char *reference,
                const struct flow_attach *how, struct flow_published *ret, struct digest *ret_subject,
                struct err *e)
{
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    AUTO_FD int fd = -1;
    struct opener_file file;
    struct opener_progress shown;
    struct source_opener opener;
    struct made made = {
        .how = how,
        .config = {.media_type = OCI_TYPE_EMPTY, .size = sizeof(EMPTY) - 1},
        .layer = {.media_type = how->media_type ? how->media_type : DEFAULT_TYPE},
        .title = base_name(path),
    };
    *ret = (struct flow_published){.name = NULL};
    int r = check_types(how, e);
    if (!r)
        r = oci_ref_locate(reference, &conf->endpoint, true, &ref, e);
    if (!r)
        r = file_open_read(AT_FDCWD, path, false, &fd, e);
    if (!r)
        r = oci_ref_names(&ref, &ret->name, &ret->repo, e);
    if (!r)
        r = opener_file_init(&file, fd, &opener, e);
    if (!r)
        r = survey(&opener, &made.layer.digest, e);
    if (r)
        return r;
    ret->size = made.layer.size = opener.size;
    opener = opener_progress_init(&shown, opener, conf->progress);
    r = attach(conf, &ref, &opener, &made, ret, e);
    if (!r)
        *ret_subject = made.subject.digest;
    return r;
}
