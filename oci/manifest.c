/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/manifest.h"

#include "base/hex.h"
#include "base/limits.h"
#include "base/text.h"

static bool is_index_type(const char *type)
{
    return strcmp(type, OCI_TYPE_INDEX) == 0 || strcmp(type, OCI_TYPE_DOCKER_LIST) == 0;
}

bool oci_manifest_type_known(const char *type)
{
    return is_index_type(type) || strcmp(type, OCI_TYPE_MANIFEST) == 0 || strcmp(type, OCI_TYPE_DOCKER) == 0;
}

/* RFC 6838 4.2, without parameters: no blanks and no control characters is what matters here. */
bool oci_media_type_valid(const char *type)
{
    size_t len = strlen(type), slash = strcspn(type, "/");
    if (len == 0 || len > 255 || slash == 0 || slash + 1 >= len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (type[i] <= ' ' || type[i] > '~')
            return false;
    return true;
}

static int check_annotations(const struct jval *v, struct err *e)
{
    const char *key;
    const struct jval *value;
    if (v && jobj_len(v) > LIMIT_ANNOTATIONS)
        return err_set(e, ERR_LIMIT, "more than %u annotations", LIMIT_ANNOTATIONS);
    for (const void *i = v ? jobj_next(v, NULL, &key, &value) : NULL; i; i = jobj_next(v, i, &key, &value))
        if (!jval_string(value))
            return err_set(e, ERR_FORMAT, "an annotation is not a string");
    return 0;
}

/* image-spec 1.1, descriptor.md, "data": clients that use it MUST verify it; one that lies is refused. */
static int check_data(const struct jval *v, const struct oci_desc *desc, struct err *e)
{
    const char *data;
    int r = jobj_want_string(v, "data", false, &data, e);
    if (r || !data)
        return r;
    AUTO_DONE(buf) raw = BUF_INIT(LIMIT_MANIFEST);
    struct digest got;
    r = b64_decode(B64_STD, bytes_str(data), &raw, e);
    if (!r)
        r = hash_bytes(desc->digest.alg, buf_bytes(&raw), &got, e);
    if (r)
        return err_wrap(e, "embedded data");
    if (raw.len != desc->size || !digest_eq(&got, &desc->digest))
        return err_set(e, ERR_DIGEST, "a descriptor's embedded data is not what its digest says");
    return 0;
}

/* image-spec 1.1, image-index.md: os and architecture are what waybill looks at. */
static int parse_platform(const struct jval *v, struct oci_desc *d, struct err *e)
{
    const struct jval *platform;
    int r = jobj_want_object(v, "platform", false, &platform, e);
    if (r || !platform)
        return r;
    r = jobj_want_string(platform, "os", false, &d->os, e);
    return r ? r : jobj_want_string(platform, "architecture", false, &d->architecture, e);
}

int oci_desc_parse(const struct jval *v, struct oci_desc *ret, struct err *e)
{
    struct oci_desc d = {.media_type = NULL};
    const char *digest;
    if (jval_kind(v) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "a descriptor is not an object");
    int r = jobj_want_string(v, "mediaType", true, &d.media_type, e);
    if (!r && !oci_media_type_valid(d.media_type))
        r = err_set(e, ERR_FORMAT, "member \"mediaType\" is not a media type");
    if (!r)
        r = jobj_want_string(v, "digest", true, &digest, e);
    if (!r)
        r = digest_parse(bytes_str(digest), &d.digest, e);
    if (!r)
        r = jobj_want_uint(v, "size", true, LIMIT_BLOB, &d.size, e);
    if (!r)
        r = jobj_want_string(v, "artifactType", false, &d.artifact_type, e);
    if (!r)
        r = jobj_want_object(v, "annotations", false, &d.annotations, e);
    if (!r)
        r = check_annotations(d.annotations, e);
    if (!r)
        r = parse_platform(v, &d, e);
    if (!r)
        r = check_data(v, &d, e);
    if (!r)
        *ret = d;
    return r;
}

static int parse_entries(const struct jval *list, size_t limit, struct oci_manifest *m, struct err *e)
{
    size_t n = jarr_len(list);
    if (n > limit)
        return err_set(e, ERR_LIMIT, "more than %zu descriptors", limit);
    m->entries = calloc(n ? n : 1, sizeof(*m->entries));
    if (!m->entries)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++) {
        int r = oci_desc_parse(jarr_at(list, i), &m->entries[i], e);
        if (r)
            return err_wrap(e, "%s %zu", m->is_index ? "manifest" : "layer", i);
    }
    m->n_entries = n;
    return 0;
}

/* One optional descriptor; config is required in manifests. */
static int parse_one(const struct jval *root, const char *key, bool required, struct oci_desc *ret,
                     bool *ret_has, struct err *e)
{
    const struct jval *v;
    int r = jobj_want_object(root, key, required, &v, e);
    if (r || !v)
        return r;
    *ret_has = true;
    r = oci_desc_parse(v, ret, e);
    return r ? err_wrap(e, "%s", key) : 0;
}

static int parse_type(const struct jval *root, const char *content_type, struct oci_manifest *m,
                      struct err *e)
{
    const char *in_body;
    int r = jobj_want_string(root, "mediaType", false, &in_body, e);
    if (r)
        return r;
    const char *type = in_body ? in_body : content_type;
    char a[100], b[100];
    if (in_body && content_type && oci_manifest_type_known(content_type) &&
        strcmp(in_body, content_type) != 0)
        return err_set(e, ERR_FORMAT, "the body says it is %s, the registry says %s",
                       text_escape_str(in_body, a, sizeof(a)), text_escape_str(content_type, b, sizeof(b)));
    if (!type || (!in_body && !oci_manifest_type_known(type)))
        type = m->is_index ? OCI_TYPE_INDEX : OCI_TYPE_MANIFEST;
    if (!oci_manifest_type_known(type))
        return err_set(e, ERR_FORMAT, "%s is not a manifest or index that is known",
                       text_escape_str(type, a, sizeof(a)));
    if (is_index_type(type) != m->is_index)
        return err_set(e, ERR_FORMAT, "the members contradict the media type %s",
                       text_escape_str(type, a, sizeof(a)));
    if (type == content_type) {
        m->fallback_type = strdup(type);
        if (!m->fallback_type)
            return err_nomem(e);
        type = m->fallback_type;
    }
    m->media_type = type;
    return 0;
}

static int parse_members(const struct jval *root, const char *content_type, struct oci_manifest *m,
                         struct err *e)
{
    uint64_t version = 0;
    const struct jval *layers, *manifests;
    if (jval_kind(root) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "not an object");
    int r = jobj_want_uint(root, "schemaVersion", true, INT32_MAX, &version, e);
    if (!r && version != 2)
        r = err_set(e, ERR_FORMAT, "schemaVersion is not 2");
    if (!r)
        r = jobj_want_array(root, "layers", false, &layers, e);
    if (!r)
        r = jobj_want_array(root, "manifests", false, &manifests, e);
    if (r)
        return r;
    /* CVE-2021-41190: one body must not be read as both. */
    if ((layers || jobj_get(root, "config")) && manifests)
        return err_set(e, ERR_FORMAT, "both a manifest and an index");
    if (!layers && !manifests)
        return err_set(e, ERR_FORMAT, "neither \"layers\" nor \"manifests\"");
    m->is_index = manifests != NULL;
    r = parse_type(root, content_type, m, e);
    if (!r)
        r = jobj_want_string(root, "artifactType", false, &m->artifact_type, e);
    if (!r)
        r = parse_one(root, "config", !m->is_index, &m->config, &m->has_config, e);
    if (!r)
        r = parse_one(root, "subject", false, &m->subject, &m->has_subject, e);
    if (!r)
        r = jobj_want_object(root, "annotations", false, &m->annotations, e);
    if (!r)
        r = check_annotations(m->annotations, e);
    if (!r)
        r = parse_entries(m->is_index ? manifests : layers, m->is_index ? LIMIT_MANIFESTS : LIMIT_LAYERS, m,
                          e);
    return r;
}

int oci_manifest_parse(struct bytes body, const char *content_type, struct oci_manifest *ret, struct err *e)
{
    struct oci_manifest m = {.doc = NULL};
    if (body.len > LIMIT_MANIFEST)
        return err_set(e, ERR_LIMIT, "a manifest of more than %u bytes", LIMIT_MANIFEST);
    int r = jdoc_parse(body, &m.doc, e);
    if (!r)
        r = parse_members(jdoc_root(m.doc), content_type, &m, e);
    if (r) {
        oci_manifest_done(&m);
        return err_wrap(e, "manifest");
    }
    *ret = m;
    return 0;
}

void oci_manifest_done(struct oci_manifest *m)
{
    jdoc_free(TAKE(m->doc));
    free(TAKE(m->entries));
    free(TAKE(m->fallback_type));
}

const char *oci_annotation(const struct jval *annotations, const char *key)
{
    const struct jval *v = annotations ? jobj_get(annotations, key) : NULL;
    return v ? jval_string(v) : NULL;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct oci_pair *)a)->key, ((const struct oci_pair *)b)->key);
}

int oci_annotations_write(struct jout *w, const struct oci_pair *annotations, size_t n, struct err *e)
{
    if (n == 0)
        return 0;
    AUTO_FREE struct oci_pair *sorted = reallocarray(NULL, n, sizeof(*sorted));
    if (!sorted)
        return err_nomem(e);
    memcpy(sorted, annotations, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_key);
    jout_object(w, "annotations");
    for (size_t i = 0; i < n; i++)
        jout_string(w, sorted[i].key, sorted[i].value);
    jout_object_end(w);
    return 0;
}

int oci_desc_write(struct jout *w, const char *key, const char *media_type, const struct digest *digest,
                   uint64_t size, const struct oci_pair *annotations, size_t n, struct err *e)
{
    char text[DIGEST_STR_MAX];
    jout_object(w, key);
    jout_string(w, "mediaType", media_type);
    jout_string(w, "digest", digest_str(digest, text));
    jout_uint(w, "size", size);
    int r = oci_annotations_write(w, annotations, n, e);
    jout_object_end(w);
    return r;
}
