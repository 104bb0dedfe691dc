/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/kind.h"
#include "tests/unit/unit.h"

/* What is written, byte for byte: a change here changes the digest of everything that was ever pushed. */
#define LAYER "sha256:66f1d5ef1a69ec9a9c5e6de7a6a4ed2d8b5d6a3b4d9d4a7d1a8ea76f7d0b4e63"

static const char module_config[] =
    "{\"created\":\"1970-01-01T00:00:00Z\",\"author\":null,\"architecture\":\"wasm\","
    "\"os\":\"wasip1\",\"layerDigests\":[\"" LAYER "\"],\"component\":null}";
static const char component_config[] =
    "{\"created\":\"1970-01-01T00:00:00Z\",\"author\":null,\"architecture\":\"wasm\","
    "\"os\":\"wasip2\",\"layerDigests\":[\"" LAYER "\"],\"component\":{\"exports\":[\"wasi:cli/run@0.2.0\"],"
    "\"imports\":[\"wasi:io/streams@0.2.0\",\"f\"],\"target\":null}}";

#define MANIFEST                                                                                         \
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","                 \
    "\"config\":{\"mediaType\":\"application/vnd.wasm.config.v0+json\",\"digest\":\"%s\",\"size\":%zu}," \
    "\"layers\":[{\"mediaType\":\"application/wasm\",\"digest\":\"" LAYER "\",\"size\":1234,"            \
    "\"annotations\":{\"org.opencontainers.image.title\":\"hello.wasm\"}}]%s}"

static struct wbin_item items[3];

static void fill(struct wbin_info *info, enum wbin_kind kind)
{
    items[0] = (struct wbin_item){.name = BYTES_LIT("wasi:io/streams@0.2.0"), .kind = WBIN_INSTANCE};
    items[1] = (struct wbin_item){.name = BYTES_LIT("f"), .kind = WBIN_FUNC};
    items[2] = (struct wbin_item){.name = BYTES_LIT("wasi:cli/run@0.2.0"), .kind = WBIN_INSTANCE};
    *info = (struct wbin_info){
        .kind = kind, .imports = items, .n_imports = 2, .exports = items + 2, .n_exports = 1};
}

static void write_one(enum wbin_kind kind, const struct oci_pair *annotations, size_t n, struct buf *config,
                      struct buf *manifest)
{
    struct err e = ERR_INIT;
    struct wbin_info info;
    fill(&info, kind);
    struct oci_module module = {.info = &info, .size = 1234, .title = "hello.wasm"};
    assert_ok(digest_parse(BYTES_LIT(LAYER), &module.digest, &e));
    AUTO_DONE(oci_written) made = OCI_WRITTEN_INIT;
    assert_ok(oci_kind_to_write("cncf")->write(&module, annotations, n, &made, &e));
    assert_int_equal(made.fd, -1);
    assert_int_equal(made.layer.size, 1234);
    buf_append_bytes(config, buf_bytes(&made.config));
    buf_append_bytes(manifest, buf_bytes(&made.manifest));
}

static void golden(enum wbin_kind kind, const char *want_config, const struct oci_pair *annotations, size_t n,
                   const char *want_annotations)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) config = BUF_INIT(4096);
    AUTO_DONE(buf) manifest = BUF_INIT(4096);
    AUTO_DONE(buf) want = BUF_INIT(4096);
    struct digest d;
    char text[DIGEST_STR_MAX];
    write_one(kind, annotations, n, &config, &manifest);
    assert_string_equal(buf_cstr(&config), want_config);
    assert_ok(hash_bytes(HASH_SHA256, bytes_str(want_config), &d, &e));
    buf_printf(&want, MANIFEST, digest_str(&d, text), strlen(want_config), want_annotations);
    assert_string_equal(buf_cstr(&manifest), buf_cstr(&want));

    /* What we write we read, as the kind it is. */
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    const struct oci_desc *layer = NULL;
    assert_ok(oci_manifest_parse(buf_bytes(&manifest), OCI_TYPE_MANIFEST, &m, &e));
    assert_ptr_equal(oci_kind_of(&m), &oci_kinds[0]);
    assert_ok(oci_kind_module(&oci_kinds[0], &m, NULL, &layer, &e));
    assert_int_equal(layer->size, 1234);
    assert_string_equal(oci_annotation(layer->annotations, OCI_ANNOTATION_TITLE), "hello.wasm");
    assert_ok(oci_kinds[0].check_config(&m, buf_bytes(&config), &e));
}

static void golden_bytes(void **state)
{
    (void)state;
    static const struct oci_pair one[] = {{"org.opencontainers.image.version", "1"}, {"a", "\xc3\xa9\""}};
    static const struct oci_pair two[] = {{"a", "\xc3\xa9\""}, {"org.opencontainers.image.version", "1"}};
    static const char annotations[] =
        ",\"annotations\":{\"a\":\"\xc3\xa9\\\"\",\"org.opencontainers.image.version\":\"1\"}";
    golden(WBIN_MODULE, module_config, NULL, 0, "");
    golden(WBIN_COMPONENT, component_config, NULL, 0, "");
    golden(WBIN_COMPONENT, component_config, one, 2, annotations);
    golden(WBIN_COMPONENT, component_config, two, 2, annotations);
}

/* The digests of the two artifacts above without annotations, computed by another program. */
static void golden_digests(void **state)
{
    (void)state;
    static const struct {
        enum wbin_kind kind;
        const char *digest;
    } cases[] = {
        {WBIN_MODULE, "sha256:26e20be9a2d37b5efbe40dc5a6e986c18e6337a52012f4fcb9e8b2b213fc1a9c"},
        {WBIN_COMPONENT, "sha256:e3855e8ee43d50acf159e2f0d9d9d7fc20459176493d7b1a136d88cd72c1dabf"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) config = BUF_INIT(4096);
        AUTO_DONE(buf) manifest = BUF_INIT(4096);
        struct digest d;
        char text[DIGEST_STR_MAX];
        write_one(cases[i].kind, NULL, 0, &config, &manifest);
        assert_ok(hash_bytes(HASH_SHA256, buf_bytes(&manifest), &d, &e));
        assert_string_equal(digest_str(&d, text), cases[i].digest);
    }
}

static void room(void **state)
{
    (void)state;
    struct wbin_info info;
    fill(&info, WBIN_COMPONENT);
    struct oci_module module = {.info = &info, .size = 1, .title = "t"};
    struct err e = ERR_INIT;
    struct oci_written small = {.config = BUF_INIT(50), .manifest = BUF_INIT(4096), .fd = -1};
    assert_fails(oci_kinds[0].write(&module, NULL, 0, &small, &e), ERR_LIMIT);
    oci_written_done(&small);
    small = (struct oci_written){.config = BUF_INIT(4096), .manifest = BUF_INIT(50), .fd = -1};
    assert_fails(oci_kinds[0].write(&module, NULL, 0, &small, &e), ERR_LIMIT);
    oci_written_done(&small);
}

#define DESC(type)           "{\"mediaType\":\"" type "\",\"digest\":\"" LAYER "\",\"size\":2}"
#define IMAGE_CONFIG         "application/vnd.oci.image.config.v1+json"
#define WASM_LAYER           "application/vnd.wasm.content.layer.v1+wasm"
#define MODULE_LAYER         "application/vnd.module.wasm.content.layer.v1+wasm"
#define RUNWASI_LAYER        "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm"
#define BODY(config, layers) "{\"schemaVersion\":2,\"config\":" config ",\"layers\":[" layers "]}"

#define SPIN_APP             "application/vnd.fermyon.spin.application.v1+config"
#define COMPAT(variant)                                                                                \
    "{\"schemaVersion\":2,\"config\":" DESC(IMAGE_CONFIG) ",\"layers\":[" DESC(                        \
        "application/vnd.docker.image.rootfs.diff.tar.gzip") "],\"annotations\":{\"module.wasm.image/" \
                                                             "variant\":\"" variant "\"}}"

static void recognises(void **state)
{
    (void)state;
    static const struct {
        const char *body, *kind;
        int module;
    } cases[] = {
        {BODY(DESC(OCI_TYPE_WASM_CONFIG), DESC(OCI_TYPE_WASM)), "cncf-wasm-v0", 0},
        {BODY(DESC(OCI_TYPE_WASM_CONFIG), ""), "cncf-wasm-v0", ERR_FORMAT},
        {BODY(DESC(OCI_TYPE_WASM_CONFIG), DESC(OCI_TYPE_WASM) "," DESC(OCI_TYPE_WASM)), "cncf-wasm-v0",
         ERR_FORMAT},
        {BODY(DESC(OCI_TYPE_WASM_CONFIG), DESC("application/octet-stream")), "cncf-wasm-v0", ERR_FORMAT},
        {BODY(DESC("application/vnd.wasm.config.v1+json"), DESC(WASM_LAYER)), "wasm-to-oci", 0},
        {BODY(DESC("application/vnd.wasm.config.v1+json"), DESC(OCI_TYPE_WASM)), "wasm-to-oci", 0},
        {BODY(DESC("application/vnd.wasm.config.v1+json"), DESC("text/plain")), "wasm-to-oci", ERR_FORMAT},
        {BODY(DESC("application/vnd.module.wasm.config.v1+json"), DESC(MODULE_LAYER)), "solo-wasm", 0},
        {BODY(DESC("application/vnd.module.wasm.config.v1+json"), DESC("text/plain") "," DESC(MODULE_LAYER)),
         "solo-wasm", 0},
        {BODY(DESC("application/vnd.module.wasm.config.v1+json"), DESC(MODULE_LAYER) "," DESC(MODULE_LAYER)),
         "solo-wasm", ERR_FORMAT},
        {BODY(DESC("application/vnd.wasmcloud.actor.archive.config"), DESC(MODULE_LAYER)), "wasmcloud-actor",
         0},
        {BODY(DESC(IMAGE_CONFIG), DESC(RUNWASI_LAYER)), "runwasi-image", 0},
        {BODY(DESC(IMAGE_CONFIG), DESC(RUNWASI_LAYER) "," DESC(RUNWASI_LAYER)), "runwasi-image", ERR_FORMAT},
        {BODY(DESC(IMAGE_CONFIG), DESC(OCI_TYPE_WASM)), "wasm-layer", 0},
        {BODY(DESC(OCI_TYPE_EMPTY), DESC("text/plain") "," DESC(OCI_TYPE_WASM)), "wasm-layer", 0},
        {BODY(DESC(OCI_TYPE_EMPTY), DESC(OCI_TYPE_WASM) "," DESC(OCI_TYPE_WASM)), "wasm-layer", ERR_FORMAT},
        {BODY(DESC(IMAGE_CONFIG), DESC("application/vnd.oci.image.layer.v1.tar+gzip")), "wasm-image", 0},
        {BODY(DESC(IMAGE_CONFIG), DESC("application/vnd.oci.image.layer.v1.tar")), "wasm-image", 0},
        {BODY(DESC(IMAGE_CONFIG), DESC("application/vnd.oci.image.layer.v1.tar+zstd")), "wasm-image", 0},
        {BODY(DESC(IMAGE_CONFIG), DESC("application/vnd.oci.image.layer.v1.tar+xz")), NULL, 0},
        {BODY(DESC("application/vnd.docker.container.image.v1+json"),
              DESC("application/vnd.docker.image.rootfs.diff.tar.gzip")),
         "wasm-image", 0},
        {COMPAT("compat"), "wasm-image-compat", 0},
        {COMPAT("compat-smart"), "wasm-image", 0},
        {BODY(DESC(IMAGE_CONFIG), DESC(WASM_LAYER) "," DESC(SPIN_APP)), "spin-app", 0},
        {BODY(DESC(SPIN_APP), DESC(WASM_LAYER)), "spin-app", 0},
        {BODY(DESC(IMAGE_CONFIG), DESC("text/plain")), NULL, 0},
        {"{\"schemaVersion\":2,\"manifests\":[]}", NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_manifest) m = {.doc = NULL};
        const struct oci_desc *layer = NULL;
        assert_ok(oci_manifest_parse(bytes_str(cases[i].body), NULL, &m, &e));
        const struct oci_kind *kind = oci_kind_of(&m);
        assert_int_equal(kind != NULL, cases[i].kind != NULL);
        if (kind) {
            assert_string_equal(kind->name, cases[i].kind);
            assert_fails(oci_kind_module(kind, &m, NULL, &layer, &e), cases[i].module);
        }
        assert_int_equal(layer != NULL, cases[i].kind && !cases[i].module);
    }
}

#define CONFIG(arch, os, rest) "{\"architecture\":" arch ",\"os\":" os "," rest "}"
#define DIGESTS                "\"layerDigests\":[\"" LAYER "\"]"

static void checks_config(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        bool good;
    } cases[] = {
        {module_config, true},
        {component_config, true},
        {CONFIG("\"wasm\"", "\"wasip1\"", DIGESTS), true},
        {CONFIG("\"wasm\"", "\"wasip2\"", DIGESTS ",\"more\":1"), true},
        {CONFIG("\"amd64\"", "\"wasip1\"", DIGESTS), false},
        {CONFIG("null", "\"wasip1\"", DIGESTS), false},
        {CONFIG("\"wasm\"", "\"linux\"", DIGESTS), false},
        {CONFIG("\"wasm\"", "7", DIGESTS), false},
        {CONFIG("\"wasm\"", "\"wasip1\"", "\"layerDigests\":[]"), false},
        {CONFIG("\"wasm\"", "\"wasip1\"", "\"layerDigests\":[\"" LAYER "\",\"" LAYER "\"]"), false},
        {CONFIG("\"wasm\"", "\"wasip1\"", "\"layerDigests\":[\"sha256:00\"]"), false},
        {CONFIG("\"wasm\"", "\"wasip1\"", "\"layerDigests\":[1]"), false},
        {CONFIG("\"wasm\"", "\"wasip1\"", "\"layerDigests\":{}"), false},
        {CONFIG("\"wasm\"", "\"wasip1\"", "\"x\":1"), false},
        {CONFIG("\"wasm\"", "\"wasip2\"", DIGESTS ",\"component\":[]"), false},
        {CONFIG("\"wasm\"", "\"wasip2\"", DIGESTS ",\"os\":\"wasip1\""), false},
        {"", false},
        {"[]", false},
        {"null", false},
        {"{}", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_manifest) m = {.doc = NULL};
        assert_ok(oci_manifest_parse(BYTES_LIT(BODY(DESC(OCI_TYPE_WASM_CONFIG), DESC(OCI_TYPE_WASM))), NULL,
                                     &m, &e));
        int r = oci_kinds[0].check_config(&m, bytes_str(cases[i].config), &e);
        if (r != (cases[i].good ? 0 : ERR_FORMAT))
            print_message("# %s: %s\n", cases[i].config, e.msg);
        assert_int_equal(r, cases[i].good ? 0 : ERR_FORMAT);
        if (r)
            assert_true(strncmp(e.msg, "config: ", 8) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bytes), cmocka_unit_test(golden_digests), cmocka_unit_test(room),
        cmocka_unit_test(recognises),   cmocka_unit_test(checks_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
