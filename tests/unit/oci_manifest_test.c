/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "oci/manifest.h"
#include "tests/unit/unit.h"

#define EMPTY_DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" /* of "{}" */
#define DESC \
    "{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"" EMPTY_DIGEST "\",\"size\":2}"
#define HEAD       "{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_MANIFEST "\","
#define INDEX_HEAD "{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_INDEX "\","

static int parse(const char *body, const char *type, struct err *e)
{
    struct oci_manifest m;
    int r = oci_manifest_parse(bytes_str(body), type, &m, e);
    if (!r)
        oci_manifest_done(&m);
    return r;
}

static void reads_manifest(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    assert_ok(oci_manifest_parse(
        BYTES_LIT(
            HEAD "\"artifactType\":\"a/b\",\"config\":" DESC ",\"layers\":[" DESC
                 ",{\"mediaType\":\"application/wasm\",\"digest\":\"" EMPTY_DIGEST
                 "\",\"size\":2,\"data\":\"e30=\",\"urls\":[],\"unknown\":{},\"annotations\":{\"k\":\"v\"}}],"
                 "\"subject\":" DESC ",\"annotations\":{\"x\":\"y\"},\"unknown\":[1]}"),
        OCI_TYPE_MANIFEST, &m, &e));
    assert_false(m.is_index);
    assert_true(m.has_config && m.has_subject);
    assert_string_equal(m.media_type, OCI_TYPE_MANIFEST);
    assert_string_equal(m.artifact_type, "a/b");
    assert_int_equal(m.n_entries, 2);
    assert_string_equal(m.entries[1].media_type, "application/wasm");
    assert_int_equal(m.entries[1].size, 2);
    char text[DIGEST_STR_MAX];
    assert_string_equal(digest_str(&m.config.digest, text), EMPTY_DIGEST);
    assert_string_equal(oci_annotation(m.annotations, "x"), "y");
    assert_string_equal(oci_annotation(m.entries[1].annotations, "k"), "v");
    assert_null(oci_annotation(m.entries[1].annotations, "none"));
    assert_null(oci_annotation(NULL, "k"));
}

/* What the body says, what the registry says, and what comes of it. */
static void media_types(void **state)
{
    (void)state;
    static const char manifest[] = "\"config\":" DESC ",\"layers\":[" DESC "]}",
                      index[] = "\"manifests\":[" DESC "]}";
    const struct {
        const char *in_body, *content_type;
        bool is_index;
        const char *want; /* NULL: refused */
    } cases[] = {
        {OCI_TYPE_MANIFEST, OCI_TYPE_MANIFEST, false, OCI_TYPE_MANIFEST},
        {OCI_TYPE_MANIFEST, NULL, false, OCI_TYPE_MANIFEST},
        {OCI_TYPE_MANIFEST, "application/octet-stream", false, OCI_TYPE_MANIFEST},
        {OCI_TYPE_MANIFEST, "", false, OCI_TYPE_MANIFEST},
        {NULL, OCI_TYPE_MANIFEST, false, OCI_TYPE_MANIFEST},
        {NULL, OCI_TYPE_DOCKER, false, OCI_TYPE_DOCKER},
        {NULL, NULL, false, OCI_TYPE_MANIFEST},
        {NULL, "text/plain", false, OCI_TYPE_MANIFEST},
        {OCI_TYPE_DOCKER, OCI_TYPE_DOCKER, false, OCI_TYPE_DOCKER},
        {OCI_TYPE_INDEX, OCI_TYPE_INDEX, true, OCI_TYPE_INDEX},
        {NULL, OCI_TYPE_DOCKER_LIST, true, OCI_TYPE_DOCKER_LIST},
        {NULL, NULL, true, OCI_TYPE_INDEX},
        /* contradictions */
        {OCI_TYPE_MANIFEST, OCI_TYPE_DOCKER, false, NULL},
        {OCI_TYPE_MANIFEST, OCI_TYPE_INDEX, false, NULL},
        {OCI_TYPE_INDEX, OCI_TYPE_MANIFEST, true, NULL},
        {OCI_TYPE_INDEX, NULL, false, NULL},
        {NULL, OCI_TYPE_INDEX, false, NULL},
        {OCI_TYPE_MANIFEST, NULL, true, NULL},
        {NULL, OCI_TYPE_MANIFEST, true, NULL},
        {"application/json", NULL, false, NULL},
        {"application/vnd.oci.artifact.manifest.v1+json", NULL, false, NULL},
        {"", NULL, false, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) body = BUF_INIT(4096);
        buf_append_str(&body, "{\"schemaVersion\":2,");
        if (cases[i].in_body)
            buf_printf(&body, "\"mediaType\":\"%s\",", cases[i].in_body);
        buf_append_str(&body, cases[i].is_index ? index : manifest);
        AUTO_FREE char *type = cases[i].content_type ? strdup(cases[i].content_type) : NULL;
        AUTO_DONE(oci_manifest) m = {.doc = NULL};
        int r = oci_manifest_parse(buf_bytes(&body), type, &m, &e);
        if (type)
            memset(type, '?', strlen(type)); /* nothing is borrowed from it */
        assert_int_equal(r, cases[i].want ? 0 : ERR_FORMAT);
        if (!r) {
            assert_string_equal(m.media_type, cases[i].want);
            assert_int_equal(m.is_index, cases[i].is_index);
        }
    }
}

#define LAYERS      "\"layers\":[" DESC "]"
#define CONFIG      "\"config\":" DESC
#define DIGEST      "\"digest\":\"" EMPTY_DIGEST "\""
#define WITH(layer) HEAD CONFIG ",\"layers\":[" layer "]}"

static const struct {
    const char *body;
    int code;
} strict_cases[] = {
    {HEAD CONFIG "," LAYERS "}", 0},
    {HEAD CONFIG ",\"layers\":[]}", 0},
    {HEAD CONFIG "," LAYERS
                 ",\"annotations\":null,\"subject\":null,\"artifactType\":null,\"manifests\":null}",
     0},
    {INDEX_HEAD "\"manifests\":[]}", 0},
    {INDEX_HEAD "\"manifests\":[" DESC "],\"subject\":" DESC "}", 0},
    /* not an object, not JSON */
    {"", ERR_FORMAT},
    {"null", ERR_FORMAT},
    {"[]", ERR_FORMAT},
    {"\"" OCI_TYPE_MANIFEST "\"", ERR_FORMAT},
    {HEAD CONFIG "," LAYERS "} x", ERR_FORMAT},
    {"\xef\xbb\xbf" HEAD CONFIG "," LAYERS "}", ERR_FORMAT},
    {HEAD CONFIG "," LAYERS "," LAYERS "}", ERR_FORMAT},
    /* the version */
    {"{" CONFIG "," LAYERS "}", ERR_FORMAT},
    {"{\"schemaVersion\":1," CONFIG "," LAYERS "}", ERR_FORMAT},
    {"{\"schemaVersion\":3," CONFIG "," LAYERS "}", ERR_FORMAT},
    {"{\"schemaVersion\":2.0," CONFIG "," LAYERS "}", ERR_FORMAT},
    {"{\"schemaVersion\":\"2\"," CONFIG "," LAYERS "}", ERR_FORMAT},
    {"{\"schemaVersion\":-2," CONFIG "," LAYERS "}", ERR_FORMAT},
    {"{\"schemaVersion\":4294967298," CONFIG "," LAYERS "}", ERR_FORMAT},
    /* CVE-2021-41190: a body that can be read both ways, or neither */
    {"{\"schemaVersion\":2," CONFIG "," LAYERS ",\"manifests\":[]}", ERR_FORMAT},
    {"{\"schemaVersion\":2," LAYERS ",\"manifests\":[" DESC "]}", ERR_FORMAT},
    {"{\"schemaVersion\":2," CONFIG ",\"manifests\":[" DESC "]}", ERR_FORMAT},
    {"{\"schemaVersion\":2,\"config\":null,\"manifests\":[" DESC "]}", ERR_FORMAT},
    {"{\"schemaVersion\":2,\"layers\":[],\"manifests\":[]}", ERR_FORMAT},
    {"{\"schemaVersion\":2}", ERR_FORMAT},
    {HEAD CONFIG "}", ERR_FORMAT},
    {HEAD CONFIG ",\"fsLayers\":[]}", ERR_FORMAT},
    /* members of another type */
    {HEAD CONFIG ",\"layers\":{}}", ERR_FORMAT},
    {HEAD CONFIG ",\"layers\":[[]]}", ERR_FORMAT},
    {HEAD CONFIG ",\"layers\":[null]}", ERR_FORMAT},
    {HEAD LAYERS "}", ERR_FORMAT},
    {HEAD "\"config\":null," LAYERS "}", ERR_FORMAT},
    {HEAD "\"config\":[]," LAYERS "}", ERR_FORMAT},
    {HEAD CONFIG "," LAYERS ",\"artifactType\":1}", ERR_FORMAT},
    {HEAD CONFIG "," LAYERS ",\"subject\":\"x\"}", ERR_FORMAT},
    {HEAD CONFIG "," LAYERS ",\"subject\":{}}", ERR_FORMAT},
    {HEAD CONFIG "," LAYERS ",\"annotations\":[]}", ERR_FORMAT},
    {HEAD CONFIG "," LAYERS ",\"annotations\":{\"k\":1}}", ERR_FORMAT},
    {HEAD CONFIG "," LAYERS ",\"annotations\":{\"k\":null}}", ERR_FORMAT},
    {HEAD CONFIG "," LAYERS ",\"annotations\":{\"k\":\"1\",\"k\":\"2\"}}", ERR_FORMAT},
    {INDEX_HEAD "\"manifests\":{}}", ERR_FORMAT},
    {INDEX_HEAD "\"manifests\":[1]}", ERR_FORMAT},
    /* descriptors */
    {WITH("{" DIGEST ",\"size\":2}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"\"," DIGEST ",\"size\":2}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"text\"," DIGEST ",\"size\":2}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/\"," DIGEST ",\"size\":2}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"/b\"," DIGEST ",\"size\":2}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b c\"," DIGEST ",\"size\":2}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\\u001b[2J\"," DIGEST ",\"size\":2}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\\n\"," DIGEST ",\"size\":2}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/\xc3\xa9\"," DIGEST ",\"size\":2}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\",\"size\":2}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\",\"digest\":\"sha256:00\",\"size\":2}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\",\"digest\":\"blake3:00\",\"size\":2}"), ERR_UNSUPPORTED},
    {WITH("{\"mediaType\":\"a/b\",\"digest\":\"sha256:../../../../../../etc/passwd\",\"size\":2}"),
     ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST "}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":null}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":-1}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":2.5}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":\"2\"}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":1099511627776}"), 0},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":1099511627777}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":9223372036854775807}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":18446744073709551617}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":2,\"annotations\":{\"k\":[]}}"), ERR_FORMAT},
    /* embedded data that lies */
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":2,\"data\":\"e30=\"}"), 0},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":2,\"data\":null}"), 0},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":3,\"data\":\"e30=\"}"), ERR_DIGEST},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":2,\"data\":\"e10=\"}"), ERR_DIGEST},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":2,\"data\":\"\"}"), ERR_DIGEST},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":2,\"data\":\"e30\"}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":2,\"data\":\"e31=\"}"), ERR_FORMAT},
    {WITH("{\"mediaType\":\"a/b\"," DIGEST ",\"size\":2,\"data\":{}}"), ERR_FORMAT},
};

static void strictness(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(strict_cases); i++) {
        struct err e = ERR_INIT;
        int r = parse(strict_cases[i].body, NULL, &e);
        if (r != strict_cases[i].code)
            print_message("# %s: %s\n", strict_cases[i].body, r ? e.msg : "taken");
        assert_int_equal(r, strict_cases[i].code);
        assert_null(strpbrk(e.msg, "\x1b\n"));
    }
}

static void bounds(void **state)
{
    (void)state;
    AUTO_DONE(buf) b = BUF_INIT(LIMIT_MANIFEST + 2);
    struct err e = ERR_INIT;
    for (unsigned more = 0; more < 2; more++) {
        buf_reset(&b);
        buf_append_str(&b, HEAD CONFIG ",\"layers\":[" DESC);
        for (unsigned i = 1; i < LIMIT_LAYERS + more; i++)
            buf_append_str(&b, "," DESC);
        buf_append_str(&b, "]}");
        assert_fails(parse(buf_cstr(&b), NULL, &e), more ? ERR_LIMIT : 0);
        buf_reset(&b);
        buf_append_str(&b, INDEX_HEAD "\"manifests\":[" DESC);
        for (unsigned i = 1; i < LIMIT_MANIFESTS + more; i++)
            buf_append_str(&b, "," DESC);
        buf_append_str(&b, "]}");
        assert_fails(parse(buf_cstr(&b), NULL, &e), more ? ERR_LIMIT : 0);
        buf_reset(&b);
        buf_append_str(&b, HEAD CONFIG "," LAYERS ",\"annotations\":{\"k\":\"\"");
        for (unsigned i = 1; i < LIMIT_ANNOTATIONS + more; i++)
            buf_printf(&b, ",\"k%u\":\"\"", i);
        buf_append_str(&b, "}}");
        assert_fails(parse(buf_cstr(&b), NULL, &e), more ? ERR_LIMIT : 0);
        buf_reset(&b);
        buf_append_str(&b, HEAD CONFIG "," LAYERS "}");
        while (b.len < LIMIT_MANIFEST + more)
            buf_append_u8(&b, ' ');
        assert_fails(parse(buf_cstr(&b), NULL, &e), more ? ERR_LIMIT : 0);
    }
}

/* Every truncation and every bit flip of a manifest: read or cleanly refused. */
static void damage(void **state)
{
    (void)state;
    static const char body[] = HEAD CONFIG ",\"layers\":[" DESC "],\"annotations\":{\"k\":\"v\"}}";
    struct err e = ERR_INIT;
    for (size_t len = 0; len < sizeof(body) - 1; len++) {
        AUTO_FREE char *copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, body, len);
        copy[len] = '\0';
        assert_fails(parse(copy, NULL, &e), ERR_FORMAT);
    }
    for (size_t bit = 0; bit < 8 * (sizeof(body) - 1); bit++) {
        AUTO_DONE(oci_manifest) m = {.doc = NULL};
        AUTO_FREE char *copy = malloc(sizeof(body) - 1);
        assert_non_null(copy);
        memcpy(copy, body, sizeof(body) - 1);
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
        int r = oci_manifest_parse(bytes_of(copy, sizeof(body) - 1), NULL, &m, &e);
        assert_true(r == 0 || r == ERR_FORMAT || r == ERR_UNSUPPORTED || r == ERR_DIGEST || r == ERR_LIMIT);
    }
}

static void writes(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) out = BUF_INIT(4096);
    struct jout w = {.out = &out};
    struct digest d;
    const struct oci_pair pairs[] = {{"z", "1"}, {"a.b", "\"\n"}, {"a", ""}, {"B", "2"}};
    assert_ok(digest_parse(BYTES_LIT(EMPTY_DIGEST), &d, &e));
    assert_ok(oci_desc_write(&w, NULL, "a/b", &d, UINT64_MAX, pairs, ARRAY_LEN(pairs), &e));
    assert_string_equal(buf_cstr(&out),
                        "{\"mediaType\":\"a/b\",\"digest\":\"" EMPTY_DIGEST
                        "\",\"size\":18446744073709551615,"
                        "\"annotations\":{\"B\":\"2\",\"a\":\"\",\"a.b\":\"\\\"\\n\",\"z\":\"1\"}}");
    assert_string_equal(pairs[0].key, "z"); /* the caller's order stays */
    buf_reset(&out);
    w = (struct jout){.out = &out};
    assert_ok(oci_desc_write(&w, NULL, "a/b", &d, 0, NULL, 0, &e));
    assert_string_equal(buf_cstr(&out), "{\"mediaType\":\"a/b\",\"digest\":\"" EMPTY_DIGEST "\",\"size\":0}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_manifest), cmocka_unit_test(media_types), cmocka_unit_test(strictness),
        cmocka_unit_test(bounds),         cmocka_unit_test(damage),      cmocka_unit_test(writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
