/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spin applications: a "locked" application in JSON whose components name their modules by digest; each of
 * those is a layer. Static files lie in other layers, or in bundles, and are not looked at.
 */
#include "base/limits.h"
#include "base/text.h"
#include "oci/kind_rows.h"

/* The ids of all components, for a message. */
static void list_ids(const struct jval *components, struct buf *out)
{
    char shown[100];
    for (size_t i = 0; i < jarr_len(components); i++) {
        const char *id = jval_string(jobj_get(jarr_at(components, i), "id"));
        buf_printf(out, "%s%s", i ? ", " : "", text_escape_str(id ? id : "", shown, sizeof(shown)));
    }
}

static int choose(const struct jval *components, const char *id, const struct jval **ret, struct err *e)
{
    AUTO_DONE(buf) ids = BUF_INIT(1U << 20);
    size_t n = jarr_len(components);
    const struct jval *found = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct jval *component = jarr_at(components, i);
        const char *its;
        int r = jobj_want_string(component, "id", true, &its, e);
        if (r)
            return r;
        if (id ? strcmp(id, its) != 0 : n != 1)
            continue;
        if (found)
            return err_set(e, ERR_FORMAT, "two components of the same id");
        found = component;
    }
    if (n == 0)
        return err_set(e, ERR_FORMAT, "no components");
    list_ids(components, &ids);
    if (!found)
        return err_set(e, ERR_USAGE,
                       id ? "no such component; there are: %s" : "which component? there are: %s",
                       buf_cstr(&ids));
    *ret = found;
    return 0;
}

int oci_spin_source(struct bytes app, const char *id, struct digest *ret, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    const struct jval *components, *component = NULL, *source = NULL;
    const char *digest = NULL;
    int r = jdoc_parse(app, &doc, e);
    if (!r && jval_kind(jdoc_root(doc)) != JKIND_OBJECT)
        r = err_set(e, ERR_FORMAT, "not an object");
    if (!r)
        r = jobj_want_array(jdoc_root(doc), "components", true, &components, e);
    if (!r)
        r = choose(components, id, &component, e);
    if (!r)
        r = jobj_want_object(component, "source", true, &source, e);
    if (!r)
        r = jobj_want_string(source, "digest", false, &digest, e);
    if (!r && !digest)
        r = err_set(e, ERR_UNSUPPORTED, "the component's module is not given by a digest");
    if (!r)
        r = digest_parse(bytes_str(digest), ret, e);
    return r ? err_wrap(e, "Spin application") : 0;
}

static const struct oci_desc *layer_of(const struct oci_manifest *m, const struct digest *digest)
{
    for (size_t i = 0; i < m->n_entries; i++)
        if (digest_eq(&m->entries[i].digest, digest))
            return &m->entries[i];
    return NULL;
}

/* The layer that the config's label names; in the absence of one, the layer of the application's type. */
static int find_app(const struct oci_manifest *m, const struct oci_blobs *blobs, const struct oci_desc **ret,
                    struct err *e)
{
    AUTO_DONE(buf) config = BUF_INIT(LIMIT_CONFIG);
    AUTO_DONE(oci_image) image = {.doc = NULL};
    struct digest digest;
    const struct oci_desc *app = NULL;
    int r = oci_blobs_read(blobs, &m->config, &config, e);
    if (r)
        return err_wrap(e, "config");
    r = oci_image_parse(buf_bytes(&config), &image, e);
    if (!r && image.spin_app && !(r = digest_parse(bytes_str(image.spin_app), &digest, e)))
        app = layer_of(m, &digest);
    for (size_t i = 0; !r && !image.spin_app && !app && i < m->n_entries; i++)
        if (strcmp(m->entries[i].media_type, OCI_SPIN_APP) == 0)
            app = &m->entries[i];
    if (!r && !app)
        r = err_set(e, ERR_FORMAT, "the layer of the Spin application is not there");
    if (!r)
        *ret = app;
    return r;
}

int oci_spin_locate(const struct oci_manifest *m, const struct oci_choice *choice,
                    const struct oci_blobs *blobs, struct oci_place *ret, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_CONFIG);
    const struct oci_desc *app = &m->config;
    struct digest digest;
    int r = 0;
    if (choice->layer)
        return err_set(e, ERR_USAGE, "the module of a Spin application is chosen by its component's id");
    if (strcmp(app->media_type, OCI_SPIN_APP) != 0)
        r = find_app(m, blobs, &app, e);
    if (!r && (r = oci_blobs_read(blobs, app, &text, e)))
        r = err_wrap(e, "Spin application");
    if (!r)
        r = oci_spin_source(buf_bytes(&text), choice->component, &digest, e);
    if (!r && !(ret->layer = layer_of(m, &digest)))
        r = err_set(e, ERR_FORMAT, "no layer is the component's module");
    return r;
}
