/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests, indexes and wasm configs. The first byte chooses what the registry says of the rest. */
#include "base/limits.h"
#include "oci/index.h"
#include "oci/kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_desc(const struct oci_desc *d)
{
    char text[DIGEST_STR_MAX];
    if (!d->media_type[0] || d->size > LIMIT_BLOB || strlen(digest_str(&d->digest, text)) < 71)
        abort();
    (void)oci_annotation(d->annotations, OCI_ANNOTATION_REF);
}

static void use_manifest(const struct oci_manifest *m, struct bytes body)
{
    struct err e = ERR_INIT;
    if (!m->media_type || !oci_manifest_type_known(m->media_type) || (!m->is_index && !m->has_config))
        abort();
    for (size_t i = 0; i < m->n_entries; i++)
        use_desc(&m->entries[i]);
    if (m->has_config)
        use_desc(&m->config);
    if (m->has_subject)
        use_desc(&m->subject);
    const struct oci_kind *kind = oci_kind_of(m);
    const struct oci_desc *module = NULL;
    if (kind && oci_kind_module(kind, m, NULL, &module, &e) == 0)
        use_desc(module);
    if (kind && kind->check_config)
        (void)kind->check_config(m, body, &e);
    static const char *const platforms[] = {NULL, "wasip1/wasm", "linux/amd64", "x"};
    for (size_t i = 0; m->is_index && i < ARRAY_LEN(platforms); i++)
        if (oci_index_choose(m, platforms[i], &module, &e) == 0)
            use_desc(module);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {
        NULL, OCI_TYPE_MANIFEST, OCI_TYPE_INDEX, OCI_TYPE_DOCKER, OCI_TYPE_DOCKER_LIST, "text/plain"};
    struct err e = ERR_INIT;
    struct bytes body = bytes_of(data, size);
    uint8_t choice;
    if (!bytes_take_u8(&body, &choice))
        return 0;
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    if (oci_manifest_parse(body, types[choice % ARRAY_LEN(types)], &m, &e) == 0)
        use_manifest(&m, body);
    /* The same bytes as the config of an artifact that is well-formed. */
    static const char good[] =
        "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" OCI_TYPE_WASM_CONFIG
        "\",\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\","
        "\"size\":2},\"layers\":[]}";
    AUTO_DONE(oci_manifest) plain = {.doc = NULL};
    if (oci_manifest_parse(bytes_str(good), NULL, &plain, &e) != 0)
        abort();
    (void)oci_kinds[0].check_config(&plain, body, &e);
    return 0;
}
