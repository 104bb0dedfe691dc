/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint kind "registry" against the fault-injecting registry: push, pull, credentials, lies. */
#include "oci/registry.h"

#include "base/plugin.h"
#include "tests/registry/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BLOB_SIZE 200000U
#define USER      "{\"auths\":{\"%s\":{\"auth\":\"dXNlcjpwYXNzd29yZA==\"}}}" /* user:password */
#define WRONG     "{\"auths\":{\"%s\":{\"auth\":\"dXNlcjpoZW1saWc=\"}}}"
#define IDENTITY  "{\"auths\":{\"%s\":{\"identitytoken\":\"idt\"}}}"

static char plugins[PATH_MAX];
static bool usable;
static uint8_t blob[BLOB_SIZE];
static struct oci_desc blob_desc, config_desc;
static char manifest[1024];

/* One registry and one endpoint to it. */
struct world {
    struct fixture registry;
    char host[64], auth[512];
    struct oci_ref ref;
    struct oci_cred_source source;
    struct oci_cred_conf cred;
    struct oci_endpoint_conf conf;
    struct oci_endpoint *ep;
};

static void desc_of(struct bytes data, struct oci_desc *ret)
{
    struct err e = ERR_INIT;
    ret->size = data.len;
    assert_int_equal(hash_bytes(HASH_SHA256, data, &ret->digest, &e), 0);
}

static int group_setup(void **state)
{
    (void)state;
    char a[DIGEST_STR_MAX], b[DIGEST_STR_MAX];
    for (size_t i = 0; i < BLOB_SIZE; i++)
        blob[i] = (uint8_t)(i * 7 + (i >> 8));
    desc_of(BYTES_ARR(blob), &blob_desc);
    desc_of(BYTES_LIT("{}"), &config_desc);
    (void)snprintf(manifest, sizeof(manifest),
                   "{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_MANIFEST "\","
                   "\"config\":{\"mediaType\":\"x/y\",\"digest\":\"%s\",\"size\":2},"
                   "\"layers\":[{\"mediaType\":\"application/wasm\",\"digest\":\"%s\",\"size\":%u}]}",
                   digest_str(&config_desc.digest, a), digest_str(&blob_desc.digest, b), BLOB_SIZE);
    usable = fixture_plugins(plugins) && access(FIXTURE_PROGRAM, R_OK) == 0;
    if (usable)
        plugin_set_folder(plugins);
    return 0;
}

static void endpoint_open(struct world *w, const char *auth)
{
    struct err e = ERR_INIT;
    oci_endpoint_close(w->ep);
    w->ep = NULL;
    (void)snprintf(w->auth, sizeof(w->auth), auth ? auth : "", w->host);
    w->source = (struct oci_cred_source){.path = "config.json", .text = bytes_str(w->auth)};
    w->cred = (struct oci_cred_conf){.sources = &w->source, .n_sources = 1};
    w->conf = (struct oci_endpoint_conf){
        .user_agent = "registry-test", .credentials = &w->cred, .max_wait_ms = 1000};
    assert_int_equal(oci_registry_open(&w->ref, &w->conf, true, &w->ep, &e), 0);
}

/* arguments: the credentials, one of the texts above or NULL; then options of registry.py, ended by NULL. */
static void world_open(struct world *w, const char *const *arguments)
{
    static char path[] = "a/b";
    if (!usable) {
        print_message("skipped: needs " FIXTURE_PROGRAM " and the plugin http beside the test\n");
        skip();
    }
    *w = (struct world){.ep = NULL};
    assert_true(fixture_start(&w->registry, arguments + 1));
    (void)snprintf(w->host, sizeof(w->host), "127.0.0.1:%u", w->registry.port);
    w->ref = (struct oci_ref){.kind = OCI_REF_REGISTRY, .host = w->host, .path = path, .tag = "v1"};
    endpoint_open(w, arguments[0]);
}

#define WORLD_OPEN(w, ...) world_open(w, (const char *const[]){__VA_ARGS__, NULL})

static void world_close(struct world *w)
{
    oci_endpoint_close(w->ep);
    fixture_stop(&w->registry);
}

static int blob_push(struct world *w, struct bytes data, const struct oci_desc *desc, bool *ret_existed,
                     struct err *e)
{
    struct opener_bytes opener;
    struct source_opener from = opener_bytes_init(&opener, data);
    return w->ep->ops->blob_push(w->ep, desc, &from, ret_existed, e);
}

static int push_all(struct world *w, struct err *e)
{
    bool existed;
    struct digest digest;
    int r = blob_push(w, BYTES_ARR(blob), &blob_desc, &existed, e);
    if (r == 0)
        r = blob_push(w, BYTES_LIT("{}"), &config_desc, &existed, e);
    if (r == 0)
        r = hash_bytes(HASH_SHA256, bytes_str(manifest), &digest, e);
    if (r == 0)
        r = w->ep->ops->manifest_push(w->ep, bytes_str(manifest), OCI_TYPE_MANIFEST, &digest, "v1", e);
    return r;
}

/* Resolves the tag and fetches the blob; the bytes that came are right when 0 is returned. */
static int pull_blob(struct world *w, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(BLOB_SIZE);
    struct sink_buf inner;
    struct sink_verify verify;
    int r = sink_verify_init(&verify, sink_buf_init(&inner, &out), &blob_desc.digest, BLOB_SIZE, e);
    if (r)
        return r;
    r = w->ep->ops->blob_fetch(w->ep, &blob_desc, &verify.base, e);
    if (r == 0)
        r = sink_commit(&verify.base, e);
    if (r == 0)
        assert_true(bytes_eq(buf_bytes(&out), BYTES_ARR(blob)));
    sink_abort(&verify.base);
    return r;
}

static int resolve(struct world *w, const struct digest *digest, struct err *e)
{
    struct oci_pinned pinned = {.media_type = NULL};
    int r = w->ep->ops->resolve(w->ep, "v1", digest, &pinned, e);
    if (r == 0) {
        assert_true(bytes_eq_str(buf_bytes(&pinned.body), manifest));
        assert_string_equal(pinned.media_type, OCI_TYPE_MANIFEST);
    }
    oci_pinned_done(&pinned);
    return r;
}

static unsigned logged(const struct world *w, const char *a, const char *b)
{
    return fixture_logged(&w->registry, a, b, NULL);
}

static void round_trip(void **state)
{
    (void)state;
    struct world w;
    struct err e = ERR_INIT;
    struct digest digest;
    bool existed = true;
    WORLD_OPEN(&w, NULL);
    assert_int_equal(blob_push(&w, BYTES_ARR(blob), &blob_desc, &existed, &e), 0);
    assert_false(existed);
    assert_int_equal(blob_push(&w, BYTES_ARR(blob), &blob_desc, &existed, &e), 0);
    assert_true(existed);
    assert_int_equal(logged(&w, "\"PUT\"", "/uploads/"), 1);
    assert_int_equal(push_all(&w, &e), 0);
    assert_int_equal(resolve(&w, NULL, &e), 0);
    assert_int_equal(logged(&w, "\"GET\"", NULL), 1);
    assert_int_equal(hash_bytes(HASH_SHA256, bytes_str(manifest), &digest, &e), 0);
    assert_int_equal(resolve(&w, &digest, &e), 0);
    assert_int_equal(hash_bytes(HASH_SHA512, bytes_str(manifest), &digest, &e), 0);
    assert_int_equal(resolve(&w, &digest, &e), ERR_NOTFOUND);
    assert_int_equal(pull_blob(&w, &e), 0);
    world_close(&w);
}

static void not_found(void **state)
{
    (void)state;
    struct world w;
    struct err e = ERR_INIT;
    WORLD_OPEN(&w, NULL);
    assert_int_equal(resolve(&w, NULL, &e), ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, "manifest v1: status 404 (MANIFEST_UNKNOWN: manifest unknown)"));
    assert_int_equal(pull_blob(&w, &e), ERR_NOTFOUND);
    world_close(&w);
}

static void basic(void **state)
{
    (void)state;
    struct world w;
    struct err e = ERR_INIT;
    WORLD_OPEN(&w, USER, "--auth", "basic");
    assert_int_equal(push_all(&w, &e), 0);
    assert_in_range(logged(&w, "\"status\": 401", NULL), 1, 2); /* of the first two, which go out at once */
    endpoint_open(&w, WRONG);
    assert_int_equal(resolve(&w, NULL, &e), ERR_AUTH);
    assert_null(strstr(e.msg, "hemlig"));
    endpoint_open(&w, NULL);
    assert_int_equal(resolve(&w, NULL, &e), ERR_AUTH);
    assert_non_null(strstr(e.msg, "there are none"));
    world_close(&w);
}

static void token_flow(void **state)
{
    (void)state;
    struct world w;
    struct err e = ERR_INIT;
    WORLD_OPEN(&w, USER, "--auth", "token", "--token-listener");
    assert_int_equal(push_all(&w, &e), 0);
    assert_int_equal(logged(&w, "\"token\"", "/token?"), 1);
    assert_int_equal(logged(&w, "\"main\"", "\"auth_scheme\": \"basic\""), 0);
    endpoint_open(&w, WRONG);
    assert_int_equal(resolve(&w, NULL, &e), ERR_AUTH);
    assert_non_null(strstr(e.msg, "refuses the credentials"));
    endpoint_open(&w, NULL);
    assert_int_equal(resolve(&w, NULL, &e), ERR_AUTH);
    assert_non_null(strstr(e.msg, "there are no credentials for 127.0.0.1"));
    world_close(&w);
}

static void token_kinds(void **state)
{
    (void)state;
    struct world w;
    struct err e = ERR_INIT;
    WORLD_OPEN(&w, IDENTITY, "--auth", "token", "--identity-token", "idt", "--token-field", "access_token");
    assert_int_equal(push_all(&w, &e), 0);
    assert_int_equal(logged(&w, "\"POST\"", "/token"), 1);
    world_close(&w);
    WORLD_OPEN(&w, USER, "--auth", "token", "--anonymous-pull");
    assert_int_equal(push_all(&w, &e), 0);
    endpoint_open(&w, NULL);
    assert_int_equal(resolve(&w, NULL, &e), 0);
    assert_int_equal(pull_blob(&w, &e), 0);
    assert_int_equal(push_all(&w, &e),
                     ERR_AUTH); /* all blobs are there, but the manifest may not be stored */
    world_close(&w);
}

static void token_ends_in_the_middle(void **state)
{
    (void)state;
    struct world w;
    struct err e = ERR_INIT;
    WORLD_OPEN(
        &w, USER, "--auth", "token", "--fault",
        "{\"match\":{\"method\":\"PUT\",\"path\":\"/uploads/\"},\"action\":\"unauthorized\"}", "--fault",
        "{\"match\":{\"method\":\"PUT\",\"path\":\"/manifests/\"},\"action\":\"unauthorized\"}", "--fault",
        "{\"match\":{\"method\":\"GET\",\"path\":\"/blobs/"
        "\"},\"action\":\"drop_after_bytes\",\"bytes\":70000}",
        "--fault",
        "{\"match\":{\"method\":\"GET\",\"path\":\"/blobs/\"},\"nth\":2,\"action\":\"unauthorized\"}");
    assert_int_equal(push_all(&w, &e), 0);
    assert_int_equal(pull_blob(&w, &e), 0);
    assert_int_equal(logged(&w, "/token?", NULL), 4);
    assert_int_equal(logged(&w, "\"range\": \"bytes=70000-\"", "\"status\": 206"), 1);
    world_close(&w);
}

static void unauthorized_for_good(void **state)
{
    (void)state;
    struct world w;
    struct err e = ERR_INIT;
    WORLD_OPEN(&w, USER, "--auth", "token", "--fault",
               "{\"match\":{\"path\":\"/manifests/\"},\"times\":0,\"action\":\"unauthorized\"}");
    assert_int_equal(resolve(&w, NULL, &e), ERR_AUTH);
    assert_int_equal(logged(&w, "/manifests/", NULL), 2);
    world_close(&w);
}

static void hostile_realms(void **state)
{
    (void)state;
    static const char *const realms[] = {"http://169.254.169.254/token",
                                         "http://u:p@127.0.0.1/token",
                                         "http://token.example/",
                                         "file:///etc/passwd",
                                         "",
                                         "//x"};
    for (size_t i = 0; i < ARRAY_LEN(realms); i++) {
        struct world w;
        struct err e = ERR_INIT;
        char rule[256];
        (void)snprintf(rule, sizeof(rule),
                       "{\"times\":0,\"action\":\"unauthorized\",\"challenge\":\"Bearer realm=\\\"%s\\\"\"}",
                       realms[i]);
        WORLD_OPEN(&w, USER, "--fault", rule);
        assert_int_equal(resolve(&w, NULL, &e), ERR_AUTH);
        world_close(&w);
    }
}

static void challenge_of_another_origin(void **state)
{
    (void)state;
    struct world w;
    struct err e = ERR_INIT;
    WORLD_OPEN(&w, USER, "--auth", "token", "--fault",
               "{\"match\":{\"method\":\"GET\",\"path\":\"/blobs/\"},\"nth\":2,\"action\":\"redirect\"}",
               "--fault", "{\"match\":{\"listener\":\"alt\"},\"times\":0,\"action\":\"unauthorized\"}");
    assert_int_equal(pull_blob(&w, &e), ERR_AUTH);
    assert_int_equal(logged(&w, "/token?", NULL), 1); /* the registry's own challenge, not the other's */
    assert_int_equal(logged(&w, "\"alt\"", "\"has_authorization\": true"), 0);
    world_close(&w);
}

static void upload_elsewhere(void **state)
{
    (void)state;
    static const char *const places[] = {"absolute", "alt"};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct world w;
        struct err e = ERR_INIT;
        WORLD_OPEN(&w, USER, "--auth", "basic", "--location", places[i]);
        assert_int_equal(push_all(&w, &e), 0);
        assert_int_equal(logged(&w, "\"alt\"", "\"has_authorization\": true"), 0);
        assert_int_equal(logged(&w, "\"alt\"", "\"PUT\""), i == 1 ? 2 : 0);
        world_close(&w);
    }
}

static void uploads_begin_again(void **state)
{
    (void)state;
    static const char *const faults[] = {
        "{\"match\":{\"method\":\"PUT\",\"path\":\"/uploads/\"},\"action\":\"drop_request\",\"bytes\":50000}",
        "{\"match\":{\"method\":\"PUT\",\"path\":\"/uploads/\"},\"action\":\"status\",\"status\":503}",
        "{\"match\":{\"method\":\"PUT\",\"path\":\"/uploads/\"},\"action\":\"status\",\"status\":404}",
    };
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct world w;
        struct err e = ERR_INIT;
        bool existed = true;
        WORLD_OPEN(&w, NULL, "--fault", faults[i]);
        assert_int_equal(blob_push(&w, BYTES_ARR(blob), &blob_desc, &existed, &e), 0);
        assert_false(existed);
        /* a request that died with a connection in use before may be sent again by libcurl itself */
        assert_in_range(logged(&w, "\"POST\"", "/uploads/"), i ? 2 : 1, 2);
        assert_int_equal(pull_blob(&w, &e), 0);
        world_close(&w);
    }
}

static void upload_failures(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        int code;
        const char *words;
    } cases[] = {
        {"{\"match\":{\"method\":\"PUT\"},\"times\":0,\"action\":\"drop_request\",\"bytes\":1}", ERR_NETWORK,
         "PUT http"},
        {"{\"match\":{\"method\":\"PUT\"},\"times\":0,\"action\":\"status\",\"status\":400,\"body\":"
         "\"\\u001b[31mno\"}",
         ERR_REGISTRY, "\\x1b[31mno"},
        {"{\"match\":{\"method\":\"PUT\"},\"times\":0,\"action\":\"retry_after\",\"value\":3600}",
         ERR_REGISTRY, "try again in 3600 s"},
        {"{\"match\":{\"method\":\"POST\"},\"times\":0,\"action\":\"status\",\"status\":403}", ERR_AUTH,
         "status 403"},
        {"{\"match\":{\"method\":\"POST\"},\"action\":\"set_header\",\"headers\":{\"Location\":null}}",
         ERR_REGISTRY, "where to upload"},
        {"{\"match\":{\"method\":\"POST\"},\"action\":\"set_header\",\"headers\":{\"Location\":\"http://u@x/"
         "\"}}",
         ERR_REGISTRY, "upload location"},
        {"{\"match\":{\"method\":\"POST\"},\"action\":\"set_header\",\"headers\":{\"Location\":\"http://"
         "169.254.1.1/\"}}",
         ERR_REGISTRY, "link-local"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        struct err e = ERR_INIT;
        bool existed;
        WORLD_OPEN(&w, NULL, "--fault", cases[i].fault);
        assert_int_equal(blob_push(&w, BYTES_ARR(blob), &blob_desc, &existed, &e), cases[i].code);
        assert_non_null(strstr(e.msg, cases[i].words));
        world_close(&w);
    }
}

static void manifest_lies(void **state)
{
    (void)state;
    struct world w;
    struct err e = ERR_INIT;
    struct digest digest;
    WORLD_OPEN(&w, NULL, "--fault",
               "{\"match\":{\"method\":\"GET\"},\"nth\":1,\"action\":\"flip_byte\",\"offset\":9}", "--fault",
               "{\"match\":{\"method\":\"GET\"},\"nth\":2,\"action\":\"wrong_digest\"}", "--fault",
               "{\"match\":{\"method\":\"GET\"},\"nth\":3,\"action\":\"short_body\"}", "--fault",
               "{\"match\":{\"method\":\"GET\"},\"nth\":4,\"action\":\"long_body\",\"bytes\":5000000}",
               "--fault", "{\"match\":{\"method\":\"GET\"},\"nth\":5,\"action\":\"wrong_docker_digest\"}",
               "--fault", "{\"match\":{\"method\":\"GET\"},\"nth\":6,\"action\":\"wrong_docker_digest\"}");
    assert_int_equal(push_all(&w, &e), 0);
    assert_int_equal(hash_bytes(HASH_SHA256, bytes_str(manifest), &digest, &e), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(resolve(&w, &digest, &e), ERR_DIGEST);
    assert_int_equal(resolve(&w, &digest, &e), ERR_LIMIT);
    assert_int_equal(resolve(&w, &digest, &e), 0);
    assert_int_equal(resolve(&w, NULL, &e), 0);
    world_close(&w);
}

static void manifest_stored_as_another(void **state)
{
    (void)state;
    struct world w;
    struct err e = ERR_INIT;
    WORLD_OPEN(
        &w, NULL, "--fault",
        "{\"match\":{\"method\":\"PUT\",\"path\":\"/manifests/\"},\"action\":\"wrong_docker_digest\"}");
    assert_int_equal(push_all(&w, &e), ERR_DIGEST);
    world_close(&w);
}

static void blob_lies(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        int code;
    } cases[] = {
        {"{\"match\":{\"method\":\"GET\"},\"action\":\"flip_byte\",\"offset\":199999}", ERR_DIGEST},
        {"{\"match\":{\"method\":\"GET\"},\"action\":\"wrong_digest\"}", ERR_DIGEST},
        {"{\"match\":{\"method\":\"GET\"},\"action\":\"long_body\"}", ERR_DIGEST},
        {"{\"match\":{\"method\":\"GET\"},\"action\":\"short_body\"}", ERR_DIGEST},
        {"{\"match\":{\"method\":\"GET\"},\"times\":0,\"action\":\"drop_after_bytes\",\"bytes\":5}",
         ERR_NETWORK},
        {"{\"match\":{\"method\":\"GET\"},\"times\":0,\"action\":\"status\",\"status\":204}", ERR_REGISTRY},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        struct err e = ERR_INIT;
        WORLD_OPEN(&w, NULL, "--fault", cases[i].fault);
        assert_int_equal(push_all(&w, &e), 0);
        assert_int_equal(pull_blob(&w, &e), cases[i].code);
        world_close(&w);
    }
}

static void words_of_errors(void **state)
{
    (void)state;
    static const struct {
        const char *body, *want;
    } cases[] = {
        {"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\"}]}", "DENIED: no"},
        {"{\"errors\":[{\"code\":\"A\"},{\"message\":\"b\"},{},5,{\"code\":\"too many\"}]}", "A; b"},
        {"{\"errors\":[{\"code\":\"A\\u001b]0;x\",\"message\":\"b\\nc\"}]}", "A\\x1b]0;x: b\\x0ac"},
        {"{\"errors\":{}}", ""},
        {"{\"message\":\"x\"}", ""},
        {"Too Many Requests (HAP429).\nmore", "Too Many Requests (HAP429)."},
        {"<html>x", ""},
        {"{not json", ""},
        {"\xff\xfe", ""},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_DONE(buf) out = BUF_INIT(4096);
        oci_registry_errors(bytes_str(cases[i].body), &out);
        assert_string_equal(buf_cstr(&out), cases[i].want);
    }
}

static void urls(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool plain;
        const char *url;
    } cases[] = {
        {"docker.io", false, "https://registry-1.docker.io/v2/p"},
        {"docker.io", true, "http://registry-1.docker.io/v2/p"},
        {"ghcr.io", false, "https://ghcr.io/v2/p"},
        {"registry.example:5000", true, "http://registry.example:5000/v2/p"},
        {"localhost:5000", false, "http://localhost:5000/v2/p"},
        {"127.0.0.2", false, "http://127.0.0.2/v2/p"},
        {"[::1]:5000", false, "http://[::1]:5000/v2/p"},
        {"[2001:db8::1]", false, "https://[2001:db8::1]/v2/p"},
    };
    static char path[] = "p";
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        char host[64];
        struct oci_ref ref = {.kind = OCI_REF_REGISTRY, .host = host, .path = path, .tag = "v1"};
        const struct oci_endpoint_conf conf = {.user_agent = "t", .plain_http = cases[i].plain};
        AUTO(oci_endpoint) ep = NULL;
        (void)snprintf(host, sizeof(host), "%s", cases[i].host);
        assert_int_equal(oci_registry_open(&ref, &conf, false, &ep, &e), 0);
        assert_string_equal(oci_registry_of(ep)->url, cases[i].url);
    }
}

/* Whoever asks for TLS gets it on loopback, too; and says so before there is a connection. */
static void urls_with_tls(void **state)
{
    (void)state;
    static char path[] = "p", host[] = "localhost:5000";
    static const char *const entry[] = {"nonsense"};
    const struct oci_ref ref = {.kind = OCI_REF_REGISTRY, .host = host, .path = path, .tag = "v1"};
    static const struct {
        struct oci_endpoint_conf conf;
        int result;
        const char *url;
    } cases[] = {
        {{.insecure = true}, 0, "https://localhost:5000/v2/p"},
        {{.ca_file = "/dev/null"}, 0, "https://localhost:5000/v2/p"},
        {{.cert = "/dev/null"}, 0, "https://localhost:5000/v2/p"},
        {{.ca_file = "/dev/null/x"}, ERR_CONFIG, NULL},
        {{.cert = "/dev/null/x"}, ERR_CONFIG, NULL},
        {{.cert = "/dev/null", .cert_key = "/dev/null/x"}, ERR_CONFIG, NULL},
        {{.resolve = entry, .n_resolve = 1}, ERR_USAGE, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO(oci_endpoint) ep = NULL;
        assert_int_equal(oci_registry_open(&ref, &cases[i].conf, false, &ep, &e), cases[i].result);
        if (cases[i].url)
            assert_string_equal(oci_registry_of(ep)->url, cases[i].url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(not_found),
        cmocka_unit_test(basic),
        cmocka_unit_test(token_flow),
        cmocka_unit_test(token_kinds),
        cmocka_unit_test(token_ends_in_the_middle),
        cmocka_unit_test(unauthorized_for_good),
        cmocka_unit_test(hostile_realms),
        cmocka_unit_test(challenge_of_another_origin),
        cmocka_unit_test(upload_elsewhere),
        cmocka_unit_test(uploads_begin_again),
        cmocka_unit_test(upload_failures),
        cmocka_unit_test(manifest_lies),
        cmocka_unit_test(manifest_stored_as_another),
        cmocka_unit_test(blob_lies),
        cmocka_unit_test(words_of_errors),
        cmocka_unit_test(urls),
        cmocka_unit_test(urls_with_tls),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
