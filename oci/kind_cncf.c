/* SPDX-License-Identifier: Apache-2.0 */
/* Artifacts whose layer is the module: the CNCF's, and wasm-to-oci's. */
#include "base/limits.h"
#include "oci/kind_rows.h"

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

int oci_cncf_check_config(const struct oci_manifest *m, struct bytes config, struct err *e)
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
    jout_string(&w, "created", module->created ? module->created : OCI_CREATED); /* required by readers */
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

int oci_cncf_write(const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                   struct oci_written *ret, struct err *e)
{
    ret->layer =
        (struct oci_desc){.media_type = OCI_TYPE_WASM, .digest = module->digest, .size = module->size};
    cncf_write_config(module, &ret->config);
    return oci_manifest_write(ret, true, OCI_TYPE_WASM_CONFIG, module->title, annotations, n, e);
}

/* As the tool does: no mediaType, a config of nothing, the path as it was typed. */
int oci_wasm_to_oci_write(const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                          struct oci_written *ret, struct err *e)
{
    ret->layer = (struct oci_desc){.media_type = "application/vnd.wasm.content.layer.v1+wasm",
                                   .digest = module->digest,
                                   .size = module->size};
    buf_append_str(&ret->config, "{}");
    return oci_manifest_write(ret, false, "application/vnd.wasm.config.v1+json", module->path, annotations, n,
                              e);
}
