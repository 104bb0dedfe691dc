/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/publish.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/parallel.h"
#include "oci/kind.h"
#include "oci/locate.h"

#include <fcntl.h>

/* The file's digest and surface, in one reading. */
static int survey(const struct source_opener *file, struct wbin_info *info, struct digest *ret, struct err *e)
{
    AUTO(hash_state) hash = NULL;
    struct source *source;
    struct source_tee tee;
    int r = hash_open(HASH_SHA256, &hash, e);
    if (!r)
        r = file->open(file->ctx, &source, e);
    if (r)
        return r;
    r = wbin_scan(source_tee_init(&tee, source, hash_see, hash), info, e);
    source_close(source);
    if (!r)
        hash_final(hash, ret);
    return r;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A blob on its way, one of those that go at once. */
struct blob {
    struct oci_endpoint *ep;
    struct oci_desc desc;
    const struct source_opener *from;
    bool existed;
};

static int push_blob(void *ctx, size_t i, struct err *e)
{
    struct blob *b = (struct blob *)ctx + i;
    return b->ep->ops->blob_push(b->ep, &b->desc, b->from, &b->existed, e);
}

/* The layer, which is the file itself or what its kind has made of it, and the config. */
static int push_blobs(const struct flow_conf *conf, struct oci_endpoint *ep,
                      const struct oci_written *written, const char *config_type,
                      const struct source_opener *file, bool *ret_existed, struct err *e)
{
    struct opener_file made;
    struct opener_progress shown;
    struct opener_bytes text;
    struct source_opener layer = *file, config = opener_bytes_init(&text, buf_bytes(&written->config));
    struct blob blobs[] = {
        {ep, written->layer, &layer, false},
        {ep, {.media_type = config_type, .size = written->config.len}, &config, false},
    };
    int r = written->fd >= 0 ? opener_file_init(&made, written->fd, &layer, e) : 0;
    if (!r)
        r = hash_bytes(HASH_SHA256, buf_bytes(&written->config), &blobs[1].desc.digest, e);
    if (r)
        return r;
    layer = opener_progress_init(&shown, layer, conf->progress);
    r = parallel_run(ARRAY_LEN(blobs), ARRAY_LEN(blobs), push_blob, blobs, e);
    *ret_existed = blobs[0].existed;
    return r;
}

/* Blobs first, the manifest last: a push that is cut off leaves nothing that can be pulled by halves. */
static int push_all(const struct flow_conf *conf, const struct oci_ref *ref, const struct oci_kind *kind,
                    const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                    struct flow_published *p, struct err *e)
{
    AUTO(oci_endpoint) ep = NULL;
    AUTO_DONE(oci_written) made = OCI_WRITTEN_INIT;
    const char *tag = ref->tag[0] ? ref->tag : NULL;
    int r = kind->write(module, annotations, n, &made, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, buf_bytes(&made.manifest), &p->digest, e);
    if (!r && ref->has_digest && !digest_eq(&p->digest, &ref->digest))
        r = err_set(e, ERR_DIGEST, "the artifact's digest is another one than the reference states");
    if (!r)
        r = oci_endpoint_open(ref, &conf->endpoint, true, &ep, e);
    if (!r)
        r = push_blobs(conf, ep, &made, kind->config_type, module->content, &p->existed, e);
    if (!r)
        r = ep->ops->manifest_push(ep, buf_bytes(&made.manifest), OCI_TYPE_MANIFEST, &p->digest, tag, e);
    return r || !ep->ops->finish ? r : ep->ops->finish(ep, e);
}

static int push_file(const struct flow_conf *conf, int fd, const char *path, const struct oci_ref *ref,
                     const struct oci_pair *annotations, size_t n, struct flow_published *p, struct err *e)
{
    AUTO_DONE(wbin_info) info = {.kind = WBIN_MODULE};
    struct opener_file file;
    struct source_opener opener;
    struct oci_module module = {
        .info = &info, .title = base_name(path), .path = path, .created = conf->created, .content = &opener};
    const struct oci_kind *kind = oci_kind_to_write(conf->format ? conf->format : "cncf");
    if (!kind)
        return err_set(e, ERR_USAGE, "no format is called '%s'", conf->format);
    int r = opener_file_init(&file, fd, &opener, e);
    if (!r)
        r = survey(&opener, &info, &module.digest, e);
    if (r)
        return err_wrap(e, "%s", path);
    p->size = module.size = opener.size;
    return push_all(conf, ref, kind, &module, annotations, n, p, e);
}

int flow_push(const struct flow_conf *conf, const char *path, const char *reference,
              const struct oci_pair *annotations, size_t n, struct flow_published *ret, struct err *e)
{
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    AUTO_FD int fd = -1;
    *ret = (struct flow_published){.name = NULL};
    int r = oci_ref_locate(reference, &conf->endpoint, true, &ref, e);
    if (!r)
        oci_ref_default_tag(&ref);
    if (!r)
        r = file_open_read(AT_FDCWD, path, false, &fd, e);
    if (!r)
        r = oci_ref_names(&ref, &ret->name, &ret->repo, e);
    return r ? r : push_file(conf, fd, path, &ref, annotations, n, ret, e);
}

void flow_published_done(struct flow_published *p)
{
    free(TAKE(p->name));
    free(TAKE(p->repo));
}
