/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/package.h"
#include "oci/ref.h"
#include "tests/unit/unit.h"

static void metadata(void **state)
{
    (void)state;
    static const struct {
        const char *text, *registry, *prefix;
        int code;
    } cases[] = {
        {"{\"preferredProtocol\":\"oci\",\"oci\":{\"registry\":\"ghcr.io\",\"namespacePrefix\":\"webassembly/"
         "\"}}",
         "ghcr.io", "webassembly/", 0},
        {"{\"oci\":{\"registry\":\"ghcr.io\"}}", "ghcr.io", "", 0},
        {"{\"oci\":{}}", "asked.example", "", 0},
        {"{}", "asked.example", "", 0},
        {"{\"ociRegistry\":\"old.example\",\"ociNamespacePrefix\":\"p/\"}", "old.example", "p/", 0},
        {"{\"ociRegistry\":\"old.example\",\"oci\":{\"registry\":\"new.example\"}}", "old.example", "", 0},
        {"{\"preferredProtocol\":\"warg\",\"warg\":{\"url\":\"https://warg.example\"}}", NULL, NULL,
         ERR_UNSUPPORTED},
        {"{\"preferredProtocol\":\"warg\",\"oci\":{\"registry\":\"ghcr.io\"}}", "ghcr.io", "", 0},
        {"{\"oci\":\"ghcr.io\"}", NULL, NULL, ERR_FORMAT},
        {"{\"oci\":{\"registry\":1}}", NULL, NULL, ERR_FORMAT},
        {"[]", NULL, NULL, ERR_FORMAT},
        {"", NULL, NULL, ERR_FORMAT},
        {"<html></html>", NULL, NULL, ERR_FORMAT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_package_place) p = {NULL, NULL};
        assert_int_equal(oci_package_metadata_parse(bytes_str(cases[i].text), "asked.example", &p, &e),
                         cases[i].code);
        if (cases[i].code)
            continue;
        assert_string_equal(p.registry, cases[i].registry);
        assert_string_equal(p.prefix, cases[i].prefix);
    }
}

static const char conf_text[] =
    "default_registry = \"acme.example\"\n"
    "[namespace_registries]\n"
    "wasi = \"ours.example\"\n"
    "custom = { registry = \"key.example\", metadata = { preferredProtocol = \"oci\", oci = { registry = "
    "\"ghcr.io\", namespacePrefix = \"a/\" } } }\n"
    "[package_registry_overrides]\n"
    "\"wasi:http\" = \"theirs.example\"\n"
    "[registry.\"acme.example\"]\n"
    "type = \"oci\"\n";

static void registry_of(const char *conf, const char *package, const char *host, const char *place)
{
    struct err e = ERR_INIT;
    AUTO_DONE(oci_package_place) p = {NULL, NULL};
    AUTO_FREE char *got = NULL;
    assert_int_equal(oci_package_registry(bytes_str(conf), "config.toml", package, &got, &p, &e), 0);
    assert_string_equal(got, host);
    if (place)
        assert_string_equal(p.registry, place);
    else
        assert_null(p.registry);
}

static void registries(void **state)
{
    (void)state;
    registry_of(conf_text, "wasi:http", "theirs.example", NULL);
    registry_of(conf_text, "wasi:cli", "ours.example", NULL);
    registry_of(conf_text, "custom:x", "key.example", "ghcr.io");
    registry_of(conf_text, "other:x", "acme.example", NULL);
    registry_of("", "wasi:http", "wasi.dev", NULL);
    registry_of("", "ba:x", "bytecodealliance.org", NULL);
    static const char *const wrong[] = {
        "",
        "default_registry = 1\n",
        "[namespace_registries]\nother = 1\n",
        "[namespace_registries]\nother = { registry = \"a.example\" }\n",
        "[namespace_registries.other]\nregistry = \"a.example\"\nmetadata = { preferredProtocol = \"x\" }\n",
        "default_registry =\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_package_place) p = {NULL, NULL};
        AUTO_FREE char *host = NULL;
        assert_int_equal(oci_package_registry(bytes_str(wrong[i]), "config.toml", "other:x", &host, &p, &e),
                         ERR_CONFIG);
        assert_non_null(strstr(e.msg, "config.toml"));
        assert_null(host);
    }
}

static void references(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum oci_ref_kind kind;
        const char *path, *tag;
    } cases[] = {
        {"wasi:http@0.2.0", OCI_REF_PACKAGE, "wasi:http", "0.2.0"},
        {"wasi:http@0.2", OCI_REF_PACKAGE, "wasi:http", "0.2"},
        {"my-ns:my-pkg@*", OCI_REF_PACKAGE, "my-ns:my-pkg", "*"},
        {"a:b@1.0.0-rc.1", OCI_REF_PACKAGE, "a:b", "1.0.0-rc.1"},
        {"hello:v1", OCI_REF_REGISTRY, "library/hello", "v1"},
        {"oci:dir@1.0.0", OCI_REF_LAYOUT, "dir@1.0.0", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_ref) ref = {.host = NULL};
        AUTO_DONE(buf) text = BUF_INIT(512);
        assert_int_equal(oci_ref_parse(cases[i].text, &ref, &e), 0);
        assert_int_equal(ref.kind, cases[i].kind);
        assert_string_equal(ref.path, cases[i].path);
        assert_string_equal(ref.tag, cases[i].tag);
        assert_false(oci_ref_is_path(cases[i].text));
        oci_ref_str(&ref, &text);
        if (ref.kind == OCI_REF_PACKAGE)
            assert_string_equal(buf_cstr(&text), cases[i].text);
    }
    static const char *const wrong[] = {"Wasi:http@0.2.0", "wasi:http@v1", "wasi:http@",      "wasi:@1.0.0",
                                        ":http@1.0.0",     "a:b:c@1.0.0",  "a:b@1.0.0@1.0.0", "a/b:c@1.0.0"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err e = ERR_INIT;
        struct oci_ref ref;
        assert_int_equal(oci_ref_parse(wrong[i], &ref, &e), ERR_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata),
        cmocka_unit_test(registries),
        cmocka_unit_test(references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
