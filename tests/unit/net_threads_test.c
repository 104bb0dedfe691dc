/* SPDX-License-Identifier: Apache-2.0 */
/* One net_http, many threads: uploads and downloads at once against the fault-injecting registry. */
#include "base/hash.h"
#include "base/limits.h"
#include "base/parallel.h"
#include "base/plugin.h"
#include "net/http.h"
#include "tests/registry/fixture.h"
#include "tests/unit/unit.h"

#define BLOB_SIZE 200000U
#define THREADS   8U
#define JOBS      64U

struct world {
    struct fixture registry;
    struct net_http *http;
};

static bool world_open(struct world *w)
{
    static const char *const options[] = {"--post-digest", NULL};
    static char plugins[PATH_MAX];
    struct err e = ERR_INIT;
    struct net_http_conf conf = NET_HTTP_CONF_INIT;
    conf.user_agent = "threads-test";
    conf.backoff_ms = 10;
    *w = (struct world){.http = NULL};
    if (!fixture_plugins(plugins) || !fixture_start(&w->registry, options))
        return false;
    plugin_set_folder(plugins);
    assert_ok(net_http_open(&conf, &w->http, &e));
    return true;
}

static void world_close(struct world *w)
{
    net_http_close(w->http);
    fixture_stop(&w->registry);
}

/* The bytes of blob i; bytes of two blobs never agree for long. */
static void blob_fill(size_t i, uint8_t blob[BLOB_SIZE])
{
    for (size_t k = 0; k < BLOB_SIZE; k++)
        blob[k] = (uint8_t)(k * (2 * i + 3) + (k >> 8) + i);
}

static int upload(const struct world *w, size_t i, const char *digest, struct bytes blob, struct err *e)
{
    char url[256];
    struct opener_bytes opener;
    struct source_opener body = opener_bytes_init(&opener, blob);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/v2/t%zu/blobs/uploads/?digest=%s", w->registry.port,
                   i % 5, digest);
    const struct net_http_request req = {
        .method = "POST", .url = url, .body = &body, .max_body = 10000, .idempotent = true};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    int r = net_http_send(w->http, &req, &resp, e);
    return r || resp.status == 201 ? r : err_set(e, ERR_REGISTRY, "POST %zu: %d", i, resp.status);
}

static int download(const struct world *w, size_t i, const char *digest, struct bytes blob, struct err *e)
{
    char url[256];
    struct sink_buf sink;
    AUTO_DONE(buf) out = BUF_INIT(BLOB_SIZE);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/v2/t%zu/blobs/%s", w->registry.port, i % 5, digest);
    const struct net_http_request req = {.method = "GET",
                                         .url = url,
                                         .to = sink_buf_init(&sink, &out),
                                         .follow = true,
                                         .idempotent = true,
                                         .authorization = "Basic c2VjcmV0"};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    int r = net_http_send(w->http, &req, &resp, e);
    if (r)
        return r;
    if (resp.status / 100 != 2 || !bytes_eq(buf_bytes(&out), blob))
        return err_set(e, ERR_DIGEST, "GET %zu: %d, %zu bytes", i, resp.status, out.len);
    return 0;
}

static int there_and_back(void *ctx, size_t i, struct err *e)
{
    uint8_t blob[BLOB_SIZE];
    struct digest digest;
    char text[DIGEST_STR_MAX];
    blob_fill(i, blob);
    int r = hash_bytes(HASH_SHA256, BYTES_ARR(blob), &digest, e);
    if (r == 0)
        r = upload(ctx, i, digest_str(&digest, text), BYTES_ARR(blob), e);
    return r ? r : download(ctx, i, text, BYTES_ARR(blob), e);
}

#define WORLD_OPEN(w)                                                 \
    do {                                                              \
        (void)state;                                                  \
        if (!world_open(w))                                           \
            skip_because("no fault registry or no plugin http here"); \
    } while (0)

static void many_at_once(void **state)
{
    struct world w;
    struct err e = ERR_INIT;
    char connection[32];
    WORLD_OPEN(&w);
    assert_ok(parallel_run(JOBS, THREADS, there_and_back, &w, &e));
    assert_int_equal(fixture_logged(&w.registry, "\"POST\"", "\"status\": 201", NULL), JOBS);
    assert_int_equal(fixture_logged(&w.registry, "\"GET\"", "\"status\": 200", NULL), JOBS);
    /* connections are kept: no more than there are threads */
    (void)snprintf(connection, sizeof(connection), "\"main-%u\"", THREADS + 1);
    assert_int_equal(fixture_logged(&w.registry, connection, NULL, NULL), 0);
    world_close(&w);
}

/* Each thread's retries, resumed downloads and redirects are its own. */
static void faults_at_once(void **state)
{
    static const char rules[] =
        "[{\"match\":{\"method\":\"GET\",\"path\":\"/blobs/\"},\"times\":20,\"action\":\"drop_after_bytes\","
        "\"bytes\":70000},"
        "{\"match\":{\"method\":\"POST\",\"path\":\"/t1/"
        "\"},\"times\":5,\"action\":\"status\",\"status\":503},"
        "{\"match\":{\"method\":\"GET\",\"path\":\"/t2/\"},\"times\":5,\"action\":\"redirect\"}]";
    struct world w;
    struct err e = ERR_INIT;
    char url[64];
    struct opener_bytes opener;
    struct source_opener body = opener_bytes_init(&opener, BYTES_LIT(rules));
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    WORLD_OPEN(&w);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/_fault", w.registry.port);
    const struct net_http_request req = {.method = "POST", .url = url, .body = &body, .max_body = 10000};
    assert_ok(net_http_send(w.http, &req, &resp, &e));
    assert_int_equal(resp.status, 200);
    assert_ok(parallel_run(JOBS, THREADS, there_and_back, &w, &e));
    assert_int_equal(fixture_logged(&w.registry, "\"drop_after_bytes\"", NULL, NULL), 20);
    assert_int_equal(fixture_logged(&w.registry, "\"alt\"", "\"has_authorization\": true", NULL), 0);
    world_close(&w);
}

/* One thread's failure is described in its own err, and the others go on. */
static int good_or_bad(void *ctx, size_t i, struct err *e)
{
    const struct world *w = ctx;
    char url[128], want[16];
    struct err own = ERR_INIT;
    (void)snprintf(want, sizeof(want), "/bad/%zu", i);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", i % 2 ? 1 : w->registry.port, want);
    const struct net_http_request req = {.method = "GET", .url = url, .max_body = 10000};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    int r = net_http_send(w->http, &req, &resp, &own);
    if (i % 2 ? r == ERR_NETWORK && strstr(own.msg, want) : r == 0 && resp.status == 404)
        return 0;
    return err_set(e, ERR_OTHER, "%zu: %d %s", i, r, own.msg);
}

static void failures_at_once(void **state)
{
    struct world w;
    struct err e = ERR_INIT;
    WORLD_OPEN(&w);
    assert_ok(parallel_run(JOBS, THREADS, good_or_bad, &w, &e));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(faults_at_once),
        cmocka_unit_test(failures_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
