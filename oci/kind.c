/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/kind.h"

/* The digests that the config lists are those of the layers, in order. */
static int check_layer_digests(const struct oci_manifest *m, const struct jval *list, struct err *e)
{
    bool same = jarr_len(list) == m->n_entries;
    for (size_t i = 0; same && i < m->n_entries; i++) {
        const char *text = jval_string(jarr_at(list, i));
        struct digest d;
        same = text && digest_parse(bytes_str(text), &d, e) == 0 && digest_eq(&d, &m->entries[i].digest);
    }
    return same ? 0 : err_set(e, ERR_FORMAT, "layerDigests of the config are not the digests of the layers");
}

static int cncf_check_config(const struct oci_manifest *m, struct bytes config, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    const struct jval *layers, *component;
    const char *arch, *os;
    int r = jdoc_parse(config, &doc, e);
    const struct jval *root = r ? NULL : jdoc_root(doc);
    if (!r && jval_kind(root) != JKIND_OBJECT)
        r = err_set(e, ERR_FORMAT, "not an object");
    if (!r)
        r = jobj_want_string(root, "architecture", true, &arch, e);
    if (!r && strcmp(arch, "wasm") != 0)
        r = err_set(e, ERR_FORMAT, "architecture is not wasm");
    if (!r)
        r = jobj_want_string(root, "os", true, &os, e);
    if (!r && strcmp(os, "wasip1") != 0 && strcmp(os, "wasip2") != 0)
        r = err_set(e, ERR_FORMAT, "os is neither wasip1 nor wasip2");
    if (!r)
        r = jobj_want_object(root, "component", false, &component, e);
    if (!r)
        r = jobj_want_array(root, "layerDigests", true, &layers, e);
    if (!r)
        r = check_layer_digests(m, layers, e);
    return r ? err_wrap(e, "config") : 0;
}

static void write_names(struct jout *w, const char *key, const struct wbin_item *items, size_t n)
{
    jout_array(w, key);
    for (size_t i = 0; i < n; i++)
        jout_bytes(w, NULL, items[i].name);
    jout_array_end(w);
}

static void cncf_write_config(const struct oci_module *module, struct buf *out)
{
    const struct wbin_info *info = module->info;
    bool component = info->kind == WBIN_COMPONENT;
    char digest[DIGEST_STR_MAX];
    struct jout w = {.out = out};
    jout_object(&w, NULL);
    /* Required by readers, and fixed: the same module makes the same artifact on any day. */
    jout_string(&w, "created", "1970-01-01T00:00:00Z");
    jout_null(&w, "author");
    jout_string(&w, "architecture", "wasm");
    jout_string(&w, "os", component ? "wasip2" : "wasip1");
    jout_array(&w, "layerDigests");
    jout_string(&w, NULL, digest_str(&module->digest, digest));
    jout_array_end(&w);
    if (component) {
        jout_object(&w, "component");
        write_names(&w, "exports", info->exports, info->n_exports);
        write_names(&w, "imports", info->imports, info->n_imports);
        jout_null(&w, "target");
        jout_object_end(&w);
    } else {
        jout_null(&w, "component");
    }
    jout_object_end(&w);
}

static int cncf_write(const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                      struct buf *config, struct buf *manifest, struct err *e)
{
    const struct oci_pair title = {OCI_ANNOTATION_TITLE, module->title};
    struct digest config_digest;
    struct jout w = {.out = manifest};
    cncf_write_config(module, config);
    int r = buf_check(config, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, buf_bytes(config), &config_digest, e);
    if (r)
        return r;
    jout_object(&w, NULL);
    jout_uint(&w, "schemaVersion", 2);
    jout_string(&w, "mediaType", OCI_TYPE_MANIFEST);
    r = oci_desc_write(&w, "config", OCI_TYPE_WASM_CONFIG, &config_digest, config->len, NULL, 0, e);
    jout_array(&w, "layers");
    if (!r)
        r = oci_desc_write(&w, NULL, OCI_TYPE_WASM, &module->digest, module->size, &title, 1, e);
    jout_array_end(&w);
    if (!r)
        r = oci_annotations_write(&w, annotations, n, e);
    jout_object_end(&w);
    return r ? r : buf_check(manifest, e);
}

#define IMAGE_CONFIG "application/vnd.oci.image.config.v1+json"
#define ANY_WASM     "+wasm"

const struct oci_kind oci_kinds[] = {
    /* CNCF TAG-Runtime, "Wasm OCI Artifact layout" v0: what is written. */
    {"cncf-wasm-v0", OCI_TYPE_WASM_CONFIG, OCI_TYPE_WASM, true, true, cncf_check_config, cncf_write},
    /* wasm-to-oci, Krustlet, Kubewarden. */
    {"wasm-to-oci", "application/vnd.wasm.config.v1+json", ANY_WASM, true, false, NULL, NULL},
    /* Solo's and Istio's image specification, the variant "oci". */
    {"solo-wasm", "application/vnd.module.wasm.config.v1+json", ANY_WASM, true, false, NULL, NULL},
    /* wash up to 0.28. */
    {"wasmcloud-actor", "application/vnd.wasmcloud.actor.archive.config", ANY_WASM, true, false, NULL, NULL},
    /* runwasi's oci-tar-builder. */
    {"runwasi-image", IMAGE_CONFIG, "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm", false,
     false, NULL, NULL},
    /* Whatever else has a layer that says it is wasm: oras with a media type given by hand. */
    {"wasm-layer", NULL, OCI_TYPE_WASM, false, false, NULL, NULL},
};
const size_t oci_n_kinds = ARRAY_LEN(oci_kinds);

static bool layer_matches(const struct oci_kind *kind, const struct oci_desc *layer)
{
    const char *type = layer->media_type, *want = kind->layer_type;
    size_t len = strlen(type), end = strlen(want);
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
    return kind->by_config || first_match(kind, m, 0);
}

const struct oci_kind *oci_kind_of(const struct oci_manifest *m)
{
    for (size_t i = 0; i < oci_n_kinds; i++)
        if (recognises(&oci_kinds[i], m))
            return &oci_kinds[i];
    return NULL;
}

int oci_kind_module(const struct oci_kind *kind, const struct oci_manifest *m, const struct oci_desc **ret,
                    struct err *e)
{
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
