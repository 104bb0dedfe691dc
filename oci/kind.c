/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/kind.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "oci/kind_rows.h"

#define DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define ANY_WASM      "+wasm"

const struct oci_kind oci_kinds[] = {
    /* CNCF TAG-Runtime, "Wasm OCI Artifact layout" v0: what is written unless something else is asked for. */
    {.name = "cncf-wasm-v0",
     .format = "cncf",
     .config_type = OCI_TYPE_WASM_CONFIG,
     .layer_type = OCI_TYPE_WASM,
     .by_config = true,
     .alone = true,
     .check_config = oci_cncf_check_config,
     .write = oci_cncf_write},
    /* wasm-to-oci, Krustlet, Kubewarden. */
    {.name = "wasm-to-oci",
     .format = "wasm-to-oci",
     .config_type = "application/vnd.wasm.config.v1+json",
     .layer_type = ANY_WASM,
     .by_config = true,
     .write = oci_wasm_to_oci_write},
    /* Solo's and Istio's image specification, the variant "oci". */
    {.name = "solo-wasm",
     .config_type = "application/vnd.module.wasm.config.v1+json",
     .layer_type = ANY_WASM,
     .by_config = true},
    /* wash up to 0.28. */
    {.name = "wasmcloud-actor",
     .config_type = "application/vnd.wasmcloud.actor.archive.config",
     .layer_type = ANY_WASM,
     .by_config = true},
    /* Spin; in its first releases the application was the config, since then it is a layer. */
    {.name = "spin-app",
     .config_type = OCI_SPIN_APP,
     .layer_type = ANY_WASM,
     .by_config = true,
     .locate = oci_spin_locate},
    {.name = "spin-app",
     .config_type = OCI_TYPE_IMAGE_CONFIG,
     .layer_type = OCI_SPIN_APP,
     .locate = oci_spin_locate},
    /* runwasi's oci-tar-builder. */
    {.name = "runwasi-image",
     .config_type = OCI_TYPE_IMAGE_CONFIG,
     .layer_type = "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm"},
    /* Whatever else has a layer that says it is wasm: oras with a media type given by hand. */
    {.name = "wasm-layer", .layer_type = OCI_TYPE_WASM},
    /* Solo's and Istio's image specification, the variant "compat". */
    {.name = "wasm-image-compat",
     .format = "compat",
     .config_type = OCI_TYPE_IMAGE_CONFIG,
     .layer_type = OCI_ANY_TAR,
     .annotation = OCI_VARIANT,
     .value = "compat",
     .locate = oci_image_locate,
     .write = oci_compat_write},
    /* WasmEdge, crun, Docker with wasm: an image like any other, with the module as its program. */
    {.name = "wasm-image",
     .format = "image",
     .config_type = OCI_TYPE_IMAGE_CONFIG,
     .layer_type = OCI_ANY_TAR,
     .locate = oci_image_locate,
     .write = oci_image_write},
    {.name = "wasm-image",
     .config_type = DOCKER_CONFIG,
     .layer_type = OCI_ANY_TAR,
     .locate = oci_image_locate},
};
const size_t oci_n_kinds = ARRAY_LEN(oci_kinds);

void oci_written_done(struct oci_written *w)
{
    buf_done(&w->config);
    buf_done(&w->manifest);
    if (w->fd >= 0)
        (void)close(TAKE_FD(w->fd));
}

void oci_place_done(struct oci_place *p)
{
    free(TAKE(p->member));
    if (p->fd >= 0)
        (void)close(TAKE_FD(p->fd));
}

bool oci_layer_tar(const char *type)
{
    static const char *const types[] = {
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.docker.image.rootfs.diff.tar.zstd",
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(types[i], type) == 0)
            return true;
    return false;
}

static bool layer_matches(const struct oci_kind *kind, const struct oci_desc *layer)
{
    const char *type = layer->media_type, *want = kind->layer_type;
    size_t len = strlen(type), end = strlen(want);
    if (strcmp(want, OCI_ANY_TAR) == 0)
        return oci_layer_tar(type);
    if (*want == '+')
        return strcmp(type, OCI_TYPE_WASM) == 0 || (len > end && strcmp(type + len - end, want) == 0);
    return strcmp(type, want) == 0;
}

static const struct oci_desc *first_match(const struct oci_kind *kind, const struct oci_manifest *m,
                                          size_t from)
{
    for (size_t i = from; i < m->n_entries; i++)
        if (layer_matches(kind, &m->entries[i]))
            return &m->entries[i];
    return NULL;
}

static bool recognises(const struct oci_kind *kind, const struct oci_manifest *m)
{
    if (m->is_index || !m->has_config)
        return false;
    if (kind->config_type && strcmp(kind->config_type, m->config.media_type) != 0)
        return false;
    const char *value = kind->annotation ? oci_annotation(m->annotations, kind->annotation) : NULL;
    if (kind->annotation && (!value || strcmp(value, kind->value) != 0))
        return false;
    return kind->by_config || first_match(kind, m, 0);
}

const struct oci_kind *oci_kind_of(const struct oci_manifest *m)
{
    for (size_t i = 0; i < oci_n_kinds; i++)
        if (recognises(&oci_kinds[i], m))
            return &oci_kinds[i];
    return NULL;
}

const struct oci_kind *oci_kind_to_write(const char *format)
{
    for (size_t i = 0; i < oci_n_kinds; i++)
        if (oci_kinds[i].format && strcmp(oci_kinds[i].format, format) == 0)
            return &oci_kinds[i];
    return NULL;
}

int oci_layer_chosen(const struct oci_manifest *m, const char *text, const struct oci_desc **ret,
                     struct err *e)
{
    char shown[160];
    struct digest digest;
    struct err ignored;
    bool by_digest = digest_parse(bytes_str(text), &digest, &ignored) == 0;
    size_t len = strlen(text);
    bool by_place = len > 0 && len < 6 && strspn(text, "0123456789") == len;
    size_t place = by_place ? (size_t)strtoul(text, NULL, 10) : 0;
    for (size_t i = 0; i < m->n_entries; i++)
        if (by_digest ? digest_eq(&m->entries[i].digest, &digest) : i + 1 == place) {
            *ret = &m->entries[i];
            return 0;
        }
    (void)text_escape_str(text, shown, sizeof(shown));
    if (!by_digest && !by_place)
        return err_set(e, ERR_USAGE, "layer %s is neither a digest nor a number", shown);
    return err_set(e, ERR_USAGE, "no layer %s: there are %zu, the first is 1", shown, m->n_entries);
}

static int chosen_module(const struct oci_kind *kind, const struct oci_manifest *m, const char *layer,
                         const struct oci_desc **ret, struct err *e)
{
    const struct oci_desc *found;
    char shown[100];
    int r = oci_layer_chosen(m, layer, &found, e);
    if (!r && !layer_matches(kind, found))
        r = err_set(e, ERR_FORMAT, "that layer is of type %s, which is no module",
                    text_escape_str(found->media_type, shown, sizeof(shown)));
    if (!r)
        *ret = found;
    return r;
}

int oci_kind_module(const struct oci_kind *kind, const struct oci_manifest *m, const char *layer,
                    const struct oci_desc **ret, struct err *e)
{
    if (layer)
        return chosen_module(kind, m, layer, ret, e);
    const struct oci_desc *found = first_match(kind, m, 0);
    if (kind->alone && m->n_entries != 1)
        return err_set(e, ERR_FORMAT, "a %s artifact has one layer, this one has %zu", kind->name,
                       m->n_entries);
    if (!found)
        return err_set(e, ERR_FORMAT, "a %s artifact has a layer of type %s%s, this one has none", kind->name,
                       *kind->layer_type == '+' ? "..." : "", kind->layer_type);
    if (first_match(kind, m, (size_t)(found - m->entries) + 1))
        return err_set(e, ERR_FORMAT, "more than one layer is wasm");
    *ret = found;
    return 0;
}

int oci_kind_locate(const struct oci_kind *kind, const struct oci_manifest *m,
                    const struct oci_choice *choice, const struct oci_blobs *blobs, struct oci_place *ret,
                    struct err *e)
{
    struct oci_place place = OCI_PLACE_INIT;
    if (choice->component && kind->locate != oci_spin_locate)
        return err_set(e, ERR_USAGE, "a %s artifact has no components to choose from", kind->name);
    int r = kind->locate ? kind->locate(m, choice, blobs, &place, e)
                         : oci_kind_module(kind, m, choice->layer, &place.layer, e);
    if (r) {
        oci_place_done(&place);
        return r;
    }
    if (!place.member) {
        place.digest = place.layer->digest;
        place.size = place.layer->size;
    }
    *ret = place;
    return 0;
}

int oci_blobs_read(const struct oci_blobs *blobs, const struct oci_desc *desc, struct buf *out, struct err *e)
{
    AUTO_FD int fd = -1;
    struct source_file file;
    struct digest got;
    if (desc->size > out->max)
        return err_set(e, ERR_LIMIT, "larger than %zu bytes", out->max);
    int r = blobs->open(blobs->ctx, desc, &fd, e);
    if (!r)
        r = source_read_all(source_file_init(&file, fd), out, e);
    if (!r)
        r = hash_bytes(desc->digest.alg, buf_bytes(out), &got, e);
    if (!r && !digest_eq(&got, &desc->digest))
        r = err_set(e, ERR_DIGEST, "not what its digest says");
    return r;
}

int oci_manifest_write(struct oci_written *ret, bool media_type, const char *config_type, const char *title,
                       const struct oci_pair *annotations, size_t n, struct err *e)
{
    const struct oci_pair titled = {OCI_ANNOTATION_TITLE, title};
    struct digest config;
    struct jout w = {.out = &ret->manifest};
    int r = buf_check(&ret->config, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, buf_bytes(&ret->config), &config, e);
    if (r)
        return r;
    jout_object(&w, NULL);
    jout_uint(&w, "schemaVersion", 2);
    if (media_type)
        jout_string(&w, "mediaType", OCI_TYPE_MANIFEST);
    r = oci_desc_write(&w, "config", config_type, &config, ret->config.len, NULL, 0, e);
    jout_array(&w, "layers");
    if (!r)
        r = oci_desc_write(&w, NULL, ret->layer.media_type, &ret->layer.digest, ret->layer.size, &titled,
                           title ? 1 : 0, e);
    jout_array_end(&w);
    if (!r)
        r = oci_annotations_write(&w, annotations, n, e);
    jout_object_end(&w);
    return r ? r : buf_check(&ret->manifest, e);
}
