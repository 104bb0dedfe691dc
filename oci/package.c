/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/package.h"

#include "base/text.h"
#include "base/toml.h"

void oci_package_place_done(struct oci_package_place *p)
{
    free(TAKE(p->registry));
    free(TAKE(p->prefix));
}

static int place_set(struct oci_package_place *p, const char *registry, const char *prefix, struct err *e)
{
    p->registry = strdup(registry);
    p->prefix = strdup(prefix ? prefix : "");
    if (p->registry && p->prefix)
        return 0;
    oci_package_place_done(p);
    return err_nomem(e);
}

/* {"preferredProtocol": "oci", "oci": {"registry": ..., "namespacePrefix": ...}}, or the older names
 * "ociRegistry" and "ociNamespacePrefix", which win where both are there. */
static int place_read(const struct jval *root, const char *host, struct oci_package_place *ret, struct err *e)
{
    const char *protocol, *registry = NULL, *prefix = NULL, *old_registry, *old_prefix;
    const struct jval *oci;
    int r = jobj_want_string(root, "preferredProtocol", false, &protocol, e);
    if (!r)
        r = jobj_want_object(root, "oci", false, &oci, e);
    if (!r && oci)
        r = jobj_want_string(oci, "registry", false, &registry, e);
    if (!r && oci)
        r = jobj_want_string(oci, "namespacePrefix", false, &prefix, e);
    if (!r)
        r = jobj_want_string(root, "ociRegistry", false, &old_registry, e);
    if (!r)
        r = jobj_want_string(root, "ociNamespacePrefix", false, &old_prefix, e);
    if (r)
        return r;
    if (protocol && strcmp(protocol, "oci") != 0 && !oci && !old_registry)
        return err_set(e, ERR_UNSUPPORTED, "the registry does not speak OCI");
    registry = old_registry ? old_registry : registry ? registry : host;
    return place_set(ret, registry, old_prefix ? old_prefix : prefix, e);
}

int oci_package_metadata_parse(struct bytes text, const char *host, struct oci_package_place *ret,
                               struct err *e)
{
    AUTO(jdoc) doc = NULL;
    int r = jdoc_parse(text, &doc, e);
    if (!r && jval_kind(jdoc_root(doc)) != JKIND_OBJECT)
        r = err_set(e, ERR_FORMAT, "not an object");
    return r ? r : place_read(jdoc_root(doc), host, ret, e);
}

/* "host", or {registry = "host", metadata = {...}}. */
static int mapping_read(const struct jval *v, const char **ret_host, struct oci_package_place *ret,
                        struct err *e)
{
    const struct jval *metadata;
    *ret_host = jval_string(v);
    if (*ret_host)
        return 0;
    int r = jobj_want_string(v, "registry", true, ret_host, e);
    if (!r)
        r = jobj_want_object(v, "metadata", true, &metadata, e);
    return r ? r : place_read(metadata, *ret_host, ret, e);
}

/* The order of wkg: the package, its namespace, the default, two namespaces that everybody knows. */
static int host_find(const struct jval *root, const char *package, const char **ret_host,
                     struct oci_package_place *ret, struct err *e)
{
    static const char *const known[][2] = {{"wasi", "wasi.dev"}, {"ba", "bytecodealliance.org"}};
    AUTO_FREE char *namespace = strndup(package, strcspn(package, ":"));
    if (!namespace)
        return err_nomem(e);
    const struct jval *v = jobj_get(jobj_get(root, "package_registry_overrides"), package);
    if (!v)
        v = jobj_get(jobj_get(root, "namespace_registries"), namespace);
    if (v)
        return mapping_read(v, ret_host, ret, e);
    int r = root ? jobj_want_string(root, "default_registry", false, ret_host, e) : 0;
    for (size_t i = 0; !r && !*ret_host && i < ARRAY_LEN(known); i++)
        if (strcmp(known[i][0], namespace) == 0)
            *ret_host = known[i][1];
    if (!r && !*ret_host)
        r = err_set(e, ERR_CONFIG, "no registry is configured for packages of %s", namespace);
    return r;
}

int oci_package_registry(struct bytes config, const char *path, const char *package, char **ret_host,
                         struct oci_package_place *ret, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    AUTO_DONE(oci_package_place) place = {NULL, NULL};
    const char *host = NULL;
    int r = config.len ? toml_parse(config, &doc, e) : 0;
    if (!r)
        r = host_find(doc ? jdoc_root(doc) : NULL, package, &host, &place, e);
    if (r == ERR_NOMEM)
        return r;
    if (r) {
        (void)err_recode(e, ERR_CONFIG);
        return err_wrap(e, "%s", path ? path : "packages");
    }
    char *copy = strdup(host);
    if (!copy)
        return err_nomem(e);
    *ret_host = copy;
    *ret = place;
    place = (struct oci_package_place){NULL, NULL};
    return 0;
}
