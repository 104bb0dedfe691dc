/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/subject.h"

#include "base/limits.h"
#include "base/parallel.h"
#include "oci/locate.h"

#define EMPTY "{}"

int flow_subject_open(const struct flow_conf *conf, const char *reference, struct flow_subject *ret,
                      struct err *e)
{
    *ret = (struct flow_subject){.memo_dir = conf->endpoint.memo_dir};
    const struct oci_ref *ref = &ret->ref;
    int r = oci_ref_locate(reference, &conf->endpoint, true, &ret->ref, e);
    if (!r)
        r = oci_ref_names(ref, &ret->name, &ret->repo, e);
    if (!r && ref->kind != OCI_REF_REGISTRY) {
        r = oci_endpoint_open(ref, &conf->endpoint, false, &ret->ep, e);
        oci_endpoint_close(TAKE(ret->ep));
    }
    if (!r)
        r = oci_endpoint_open(ref, &conf->endpoint, true, &ret->ep, e);
    if (!r)
        r = ret->ep->ops->resolve(ret->ep, ref->tag[0] ? ref->tag : NULL,
                                  ref->has_digest ? &ref->digest : NULL, &ret->pinned, e);
    if (!r)
        r = oci_manifest_parse(buf_bytes(&ret->pinned.body), ret->pinned.media_type, &ret->m, e);
    if (!r)
        ret->desc = (struct oci_desc){
            .media_type = ret->m.media_type, .digest = ret->pinned.digest, .size = ret->pinned.body.len};
    return r;
}

void flow_subject_done(struct flow_subject *s)
{
    oci_manifest_done(&s->m);
    oci_pinned_done(&s->pinned);
    oci_endpoint_close(TAKE(s->ep));
    oci_ref_done(&s->ref);
    free(TAKE(s->name));
    free(TAKE(s->repo));
}

/* The blob and the config, which do not wait for each other. */
struct upload {
    struct oci_endpoint *ep;
    struct oci_desc desc;
    struct source_opener from;
    bool existed;
};

static int upload(void *ctx, size_t i, struct err *e)
{
    struct upload *u = (struct upload *)ctx + i;
    return u->ep->ops->blob_push(u->ep, &u->desc, &u->from, &u->existed, e);
}

static int push_blobs(struct flow_subject *s, const struct flow_hanging *what, struct bytes config,
                      const struct oci_desc *config_desc, bool *ret_existed, struct err *e)
{
    struct opener_bytes text;
    struct upload both[] = {
        {s->ep,
         {.media_type = what->media_type, .digest = *what->digest, .size = what->blob->size},
         *what->blob,
         false},
        {s->ep, *config_desc, opener_bytes_init(&text, config), false},
    };
    int r = parallel_run(ARRAY_LEN(both), ARRAY_LEN(both), upload, both, e);
    if (!r && ret_existed)
        *ret_existed = both[0].existed;
    return r;
}

static int write_layer(struct jout *w, const struct flow_hanging *what, struct err *e)
{
    return oci_desc_write(w, NULL, what->media_type, what->digest, what->blob->size, what->annotations,
                          what->n_annotations, e);
}

/* The empty config goes without its "data", which there are registries that refuse. */
static int write_referrer(const struct flow_subject *s, const struct flow_hanging *what,
                          const struct oci_desc *config, struct buf *out, struct err *e)
{
    struct jout w = {.out = out};
    jout_object(&w, NULL);
    jout_uint(&w, "schemaVersion", 2);
    jout_string(&w, "mediaType", OCI_TYPE_MANIFEST);
    jout_string(&w, "artifactType", what->artifact_type);
    int r = oci_desc_write(&w, "config", config->media_type, &config->digest, config->size, NULL, 0, e);
    jout_array(&w, "layers");
    if (!r)
        r = write_layer(&w, what, e);
    jout_array_end(&w);
    if (!r)
        r = oci_desc_write(&w, "subject", s->desc.media_type, &s->desc.digest, s->desc.size, NULL, 0, e);
    if (!r)
        r = oci_annotations_write(&w, what->manifest_annotations, what->n_manifest_annotations, e);
    jout_object_end(&w);
    return r ? r : buf_check(out, e);
}

int flow_subject_refer(struct flow_subject *s, const struct flow_hanging *what, struct digest *ret,
                       bool *ret_existed, struct err *e)
{
    AUTO_DONE(buf) manifest = BUF_INIT(LIMIT_MANIFEST);
    struct oci_desc config = {.media_type = what->config_type ? what->config_type : OCI_TYPE_EMPTY,
                              .size = sizeof(EMPTY) - 1};
    int r = hash_bytes(HASH_SHA256, BYTES_LIT(EMPTY), &config.digest, e);
    if (!r)
        r = write_referrer(s, what, &config, &manifest, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, buf_bytes(&manifest), ret, e);
    if (!r)
        r = push_blobs(s, what, BYTES_LIT(EMPTY), &config, ret_existed, e);
    return r ? r : s->ep->ops->manifest_push(s->ep, buf_bytes(&manifest), OCI_TYPE_MANIFEST, ret, NULL, e);
}

int flow_subject_finish(struct flow_subject *s, struct err *e)
{
    return s->ep->ops->finish ? s->ep->ops->finish(s->ep, e) : 0;
}
