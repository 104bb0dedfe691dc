/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/kind.h"

/*
 * CNCF TAG-Runtime, "Wasm OCI Artifact layout" v0: one layer application/wasm and a config that says os
 * wasip1 or wasip2.
 */
static bool cncf_recognise(const struct oci_manifest *m)
{
    return !m->is_index && m->has_config && strcmp(m->config.media_type, OCI_TYPE_WASM_CONFIG) == 0;
}

static int cncf_module(const struct oci_manifest *m, const struct oci_desc **ret, struct err *e)
{
    if (m->n_entries != 1)
        return err_set(e, ERR_FORMAT, "a wasm artifact has one layer, this one has %zu", m->n_entries);
    if (strcmp(m->entries[0].media_type, OCI_TYPE_WASM) != 0)
        return err_set(e, ERR_FORMAT, "the layer of a wasm artifact is " OCI_TYPE_WASM);
    *ret = &m->entries[0];
    return 0;
}

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

const struct oci_kind oci_kinds[] = {
    {"cncf-wasm-v0", cncf_recognise, cncf_module, cncf_check_config, cncf_write, OCI_TYPE_WASM_CONFIG},
};
const size_t oci_n_kinds = ARRAY_LEN(oci_kinds);

const struct oci_kind *oci_kind_of(const struct oci_manifest *m)
{
    for (size_t i = 0; i < oci_n_kinds; i++)
        if (oci_kinds[i].recognise(m))
            return &oci_kinds[i];
    return NULL;
}
