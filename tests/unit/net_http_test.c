/* SPDX-License-Identifier: Apache-2.0 */
/* Requests against the fault-injecting registry: streams, retries, resumed downloads, redirects. */
#include "net/http_ops.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "tests/registry/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BLOB_SIZE 300000U
#define AGAIN     "\"match\":{\"method\":\"GET\",\"path\":\"/blobs/\"}"

static struct fixture registry;
static bool started;
static struct net_http_session *session;
static uint8_t blob[BLOB_SIZE];
static char blob_path[160];

static int send_to(unsigned port, const char *method, const char *path, struct bytes body,
                   struct net_http_request *req, struct net_http_response *resp, struct err *e)
{
    char url[512];
    struct opener_bytes opener;
    struct source_opener source = opener_bytes_init(&opener, body);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, path);
    req->method = method;
    req->url = url;
    if (body.len)
        req->body = &source;
    net_http_response_done(resp);
    return net_http_session_send(session, req, resp, e);
}

static void control(const char *method, const char *rule)
{
    struct err e = ERR_INIT;
    struct net_http_request req = {.max_body = LIMIT_MANIFEST};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    assert_int_equal(send_to(registry.port, method, "/_fault", bytes_str(rule), &req, &resp, &e), 0);
    assert_int_equal(resp.status, 200);
}

/* Adds one rule. */
static void fault(const char *rule)
{
    control("POST", rule);
}

static int group_setup(void **state)
{
    (void)state;
    static const char *const options[] = {"--post-digest", NULL};
    const struct net_http_conf conf = {
        .user_agent = "net-test",
        .connect_timeout_ms = 5000,
        .stall_seconds = 1,
        .stall_bytes = 1,
        .answer_seconds = 2,
        .max_retries = 2,
        .backoff_ms = 10,
        .max_wait_ms = 2000,
    };
    struct err e = ERR_INIT;
    struct digest digest;
    char text[DIGEST_STR_MAX], path[200];
    for (size_t i = 0; i < BLOB_SIZE; i++)
        blob[i] = (uint8_t)(i * 31 + (i >> 8));
    started = fixture_start(&registry, options);
    if (!started)
        return 0;
    struct net_http_request req = {.max_body = 1000};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    int r = net_http_session_open(&conf, &session, &e);
    if (r == 0)
        r = hash_bytes(HASH_SHA256, BYTES_ARR(blob), &digest, &e);
    if (r)
        return r;
    (void)snprintf(blob_path, sizeof(blob_path), "/v2/a/blobs/%s", digest_str(&digest, text));
    (void)snprintf(path, sizeof(path), "/v2/a/blobs/uploads/?digest=%s", text);
    r = send_to(registry.port, "POST", path, BYTES_ARR(blob), &req, &resp, &e);
    return r ? r : resp.status - 201;
}

static int group_teardown(void **state)
{
    (void)state;
    net_http_session_close(session);
    fixture_stop(&registry);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    if (started)
        control("DELETE", "");
    return 0;
}

#define NEED_REGISTRY()                                \
    do {                                               \
        (void)state;                                   \
        if (!started) {                                \
            print_message("no fault registry here\n"); \
            skip();                                    \
        }                                              \
    } while (0)

/* Downloads the blob into *out. */
static int download(const char *path, struct buf *out, struct net_http_response *resp, struct err *e)
{
    struct sink_buf sink;
    struct net_http_request req = {.follow = true, .idempotent = true, .authorization = "Basic c2VjcmV0"};
    req.to = sink_buf_init(&sink, out);
    return send_to(registry.port, "GET", path, BYTES_NONE, &req, resp, e);
}

/* A download that ends well, with how many requests it took. */
static void download_good(unsigned requests)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) out = BUF_INIT(BLOB_SIZE * 2);
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    unsigned before = fixture_logged(&registry, "\"GET\"", "/blobs/", NULL);
    assert_int_equal(download(blob_path, &out, &resp, &e), 0);
    assert_int_equal(resp.status / 100, 2);
    assert_true(bytes_eq(buf_bytes(&out), BYTES_ARR(blob)));
    assert_int_equal(resp.delivered, BLOB_SIZE);
    assert_int_equal(fixture_logged(&registry, "\"GET\"", "/blobs/", NULL) - before, requests);
}

static void streams_and_reuses(void **state)
{
    NEED_REGISTRY();
    download_good(1);
    download_good(1);
    assert_int_equal(fixture_logged(&registry, "\"connection\": \"main-2\"", NULL, NULL), 0);
    assert_int_equal(fixture_logged(&registry, "\"accept_encoding\": \"", NULL, NULL), 0);
    assert_true(fixture_logged(&registry, "\"user_agent\": \"net-test\"", NULL, NULL) > 0);
}

static void busy_then_good(void **state)
{
    NEED_REGISTRY();
    fault("{" AGAIN ",\"times\":2,\"action\":\"status\",\"status\":503}");
    download_good(3);
    fault("{" AGAIN ",\"action\":\"drop\"}");
    download_good(2);
}

static void busy_for_good(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    AUTO_DONE(buf) out = BUF_INIT(BLOB_SIZE);
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    fault("{" AGAIN ",\"times\":0,\"action\":\"status\",\"status\":500,\"body\":\"why\"}");
    assert_int_equal(download(blob_path, &out, &resp, &e), 0);
    assert_int_equal(resp.status, 500);
    assert_int_equal(out.len, 0);
    assert_string_equal(buf_cstr(&resp.body), "why");
}

static void retry_after_is_obeyed(void **state)
{
    NEED_REGISTRY();
    struct timespec a, b;
    (void)clock_gettime(CLOCK_MONOTONIC, &a);
    fault("{" AGAIN ",\"action\":\"retry_after\",\"value\":1}");
    download_good(2);
    (void)clock_gettime(CLOCK_MONOTONIC, &b);
    assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 >= 1000);
    fault("{" AGAIN ",\"action\":\"retry_after\",\"date\":0}");
    download_good(2);
}

static void retry_after_over_the_cap(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    AUTO_DONE(buf) out = BUF_INIT(BLOB_SIZE);
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    fault("{" AGAIN ",\"action\":\"retry_after\",\"date\":3600}");
    assert_int_equal(download(blob_path, &out, &resp, &e), 0);
    assert_int_equal(resp.status, 429);
}

static void broken_downloads_go_on(void **state)
{
    NEED_REGISTRY();
    unsigned whole = fixture_logged(&registry, "\"range\": \"bytes=100000-\"", NULL, NULL);
    fault("{" AGAIN ",\"action\":\"drop_after_bytes\",\"bytes\":100000}");
    fault("{" AGAIN ",\"nth\":2,\"action\":\"drop_after_bytes\",\"bytes\":0}");
    download_good(3);
    assert_int_equal(fixture_logged(&registry, "\"range\": \"bytes=100000-\"", NULL, NULL), whole + 2);
}

static void count_warning(void *ctx, enum log_level level, const char *text)
{
    (void)text;
    *(unsigned *)ctx += level == LOG_WARN;
}

static void count_retry(void *ctx, enum log_level level, const char *text)
{
    (void)level;
    *(unsigned *)ctx += strstr(text, "trying again") != NULL;
}

/* A stall takes the user's time, and is said; a retry that nobody notices is not. */
static void stalled_download_goes_on(void **state)
{
    NEED_REGISTRY();
    unsigned warnings = 0;
    fault("{" AGAIN ",\"action\":\"stall\",\"bytes\":0,\"ms\":6000}");
    log_set_handler(count_warning, &warnings, LOG_DEBUG);
    download_good(2);
    assert_int_equal(warnings, 1);
    fault("{" AGAIN ",\"action\":\"drop_after_bytes\",\"bytes\":5000}");
    download_good(2);
    log_set_handler(NULL, NULL, LOG_WARN);
    assert_int_equal(warnings, 1);
}

/* At 100,000 bytes per second nothing stalls, and the blob takes three seconds. */
static void a_slow_answer_ends(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    struct net_http_request req = {.max_body = BLOB_SIZE};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    fault("{" AGAIN ",\"action\":\"bandwidth\",\"rate\":100000}");
    assert_int_equal(send_to(registry.port, "GET", blob_path, BYTES_NONE, &req, &resp, &e), ERR_NETWORK);
    fault("{" AGAIN ",\"action\":\"bandwidth\",\"rate\":100000}");
    download_good(1);
}

static void broken_download_for_good(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    AUTO_DONE(buf) out = BUF_INIT(BLOB_SIZE);
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    fault("{" AGAIN ",\"times\":0,\"action\":\"drop_after_bytes\",\"bytes\":10}");
    assert_int_equal(download(blob_path, &out, &resp, &e), ERR_NETWORK);
    assert_non_null(strstr(e.msg, "GET http://127.0.0.1:"));
    assert_int_equal(out.len, 30);
}

static void lies_about_ranges(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    static const char *const lies[] = {"bytes 5-299999/300000", "bytes 10-9/300000", "nonsense",
                                       "bytes 10-299999/400000"};
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        char rule[256];
        AUTO_DONE(buf) out = BUF_INIT(BLOB_SIZE);
        control("DELETE", "");
        fault("{" AGAIN ",\"action\":\"drop_after_bytes\",\"bytes\":10}");
        (void)snprintf(rule, sizeof(rule),
                       "{" AGAIN
                       ",\"times\":0,\"action\":\"set_header\",\"headers\":{\"Content-Range\":\"%s\"}}",
                       lies[i]);
        fault(rule);
        assert_int_equal(download(blob_path, &out, &resp, &e), ERR_REGISTRY);
        assert_int_equal(out.len, 10);
    }
}

static void whole_again_instead_of_a_part(void **state)
{
    NEED_REGISTRY();
    fault("{" AGAIN ",\"action\":\"drop_after_bytes\",\"bytes\":150000}");
    fault("{" AGAIN ",\"nth\":1,\"action\":\"ignore_range\"}");
    download_good(2);
}

/* Asks for the bytes from 1000 to 200000, the latter not among them. */
static int part(struct buf *out, struct net_http_response *resp, struct err *e)
{
    struct sink_buf sink;
    struct net_http_request req = {.follow = true, .idempotent = true, .resume = 1000, .end = 200000};
    req.to = sink_buf_init(&sink, out);
    return send_to(registry.port, "GET", blob_path, BYTES_NONE, &req, resp, e);
}

static void a_part_and_no_more(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    static const char *const rules[] = {"{" AGAIN ",\"times\":0,\"action\":\"redirect\"}",
                                        "{" AGAIN ",\"action\":\"drop_after_bytes\",\"bytes\":50000}",
                                        "{" AGAIN ",\"action\":\"drop\"}"};
    for (size_t i = 0; i <= ARRAY_LEN(rules); i++) {
        AUTO_DONE(buf) out = BUF_INIT(BLOB_SIZE);
        control("DELETE", "");
        if (i < ARRAY_LEN(rules))
            fault(rules[i]);
        assert_int_equal(part(&out, &resp, &e), 0);
        assert_int_equal(resp.status, 206);
        assert_int_equal(resp.delivered, 200000);
        assert_true(bytes_eq(buf_bytes(&out), bytes_of(blob + 1000, 199000)));
    }
    assert_int_equal(fixture_logged(&registry, "\"range\": \"bytes=51000-199999\"", NULL, NULL), 1);
    assert_int_equal(fixture_logged(&registry, "\"alt\"", "\"range\": \"bytes=1000-199999\"", NULL), 1);
}

static void another_part_than_asked_for(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    static const char *const lies[] = {
        "\"ignore_range\"",
        "\"long_body\"",
        "\"set_header\",\"headers\":{\"Content-Range\":\"bytes 1000-200000/300000\"}",
        "\"set_header\",\"headers\":{\"Content-Range\":\"bytes 999-199998/300000\"}",
        "\"set_header\",\"headers\":{\"Content-Range\":null}",
    };
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        char rule[256];
        AUTO_DONE(buf) out = BUF_INIT(BLOB_SIZE);
        control("DELETE", "");
        (void)snprintf(rule, sizeof(rule), "{" AGAIN ",\"action\":%s}", lies[i]);
        fault(rule);
        assert_int_equal(part(&out, &resp, &e), ERR_REGISTRY);
        assert_true(out.len <= 199000);
    }
    control("DELETE", "");
    AUTO_DONE(buf) out = BUF_INIT(BLOB_SIZE);
    fault("{" AGAIN ",\"action\":\"short_body\",\"bytes\":7}");
    assert_int_equal(part(&out, &resp, &e), 0);
    assert_int_equal(resp.delivered, 200000 - 7);
}

static void redirect_drops_credentials(void **state)
{
    NEED_REGISTRY();
    fault("{" AGAIN ",\"action\":\"redirect\"}");
    download_good(2);
    assert_int_equal(fixture_logged(&registry, "\"alt\"", "\"has_authorization\": true", NULL), 0);
    assert_true(fixture_logged(&registry, "\"alt\"", "\"has_authorization\": false", "\"status\": 200") > 0);
    assert_true(fixture_logged(&registry, "\"main\"", "\"has_authorization\": true", NULL) > 0);
}

static void redirects_refused(void **state)
{
    NEED_REGISTRY();
    static const char *const places[] = {"file:///etc/passwd", "http://169.254.169.254/latest",
                                         "http://u:p@127.0.0.1/", "gopher://x/"};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        char rule[256];
        struct err e = ERR_INIT;
        AUTO_DONE(buf) out = BUF_INIT(BLOB_SIZE);
        AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
        control("DELETE", "");
        (void)snprintf(rule, sizeof(rule), "{" AGAIN ",\"times\":0,\"action\":\"redirect\",\"to\":\"%s\"}",
                       places[i]);
        fault(rule);
        assert_int_equal(download(blob_path, &out, &resp, &e), ERR_NETWORK);
        assert_int_equal(out.len, 0);
    }
}

static void redirect_loop_ends(void **state)
{
    NEED_REGISTRY();
    char rule[256];
    struct err e = ERR_INIT;
    AUTO_DONE(buf) out = BUF_INIT(BLOB_SIZE);
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    (void)snprintf(rule, sizeof(rule),
                   "{" AGAIN ",\"times\":0,\"action\":\"redirect\",\"to\":\"http://127.0.0.1:%u\"}",
                   registry.port);
    fault(rule);
    unsigned before = fixture_logged(&registry, "\"redirect\"", NULL, NULL);
    assert_int_equal(download(blob_path, &out, &resp, &e), ERR_NETWORK);
    assert_int_equal(fixture_logged(&registry, "\"redirect\"", NULL, NULL) - before,
                     LIMIT_HTTP_REDIRECTS + 1);
}

static void body_over_the_cap(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    struct net_http_request req = {.max_body = 1000, .idempotent = true};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    assert_int_equal(send_to(registry.port, "GET", blob_path, BYTES_NONE, &req, &resp, &e), ERR_LIMIT);
    fault("{" AGAIN ",\"action\":\"status\",\"status\":404}");
    fault("{" AGAIN ",\"action\":\"long_body\",\"bytes\":200000}");
    req.max_body = 10;
    assert_int_equal(send_to(registry.port, "GET", "/v2/a/manifests/none", BYTES_NONE, &req, &resp, &e), 0);
    assert_int_equal(resp.status, 404);
    assert_true(resp.body.len > 10);
}

static void headers_over_the_cap(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    struct net_http_request req = {.max_body = BLOB_SIZE, .idempotent = true};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    AUTO_DONE(buf) rule = BUF_INIT(1 << 20);
    buf_append_str(&rule, "{" AGAIN ",\"times\":0,\"action\":\"set_header\",\"headers\":{\"X\":\"x\"");
    for (int i = 0; i < 100; i++)
        buf_printf(&rule, ",\"X-%d\":\"%04000d\"", i, i);
    buf_append_str(&rule, "}}");
    fault(buf_cstr(&rule));
    int r = send_to(registry.port, "GET", blob_path, BYTES_NONE, &req, &resp, &e);
    assert_true(r == ERR_LIMIT || r == ERR_NETWORK); /* libcurl has a cap of its own from 8.4 on */
}

static void uploads_are_not_repeated(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    struct net_http_request req = {.max_body = 1000};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    fault("{\"match\":{\"method\":\"PUT\"},\"times\":0,\"action\":\"drop_request\",\"bytes\":1000}");
    unsigned before = fixture_logged(&registry, "\"PUT\"", NULL, NULL);
    assert_int_equal(send_to(registry.port, "PUT", "/v2/a/x", BYTES_ARR(blob), &req, &resp, &e), ERR_NETWORK);
    assert_int_equal(fixture_logged(&registry, "\"PUT\"", NULL, NULL) - before, 1);
    req.idempotent = true;
    assert_int_equal(send_to(registry.port, "PUT", "/v2/a/x", BYTES_ARR(blob), &req, &resp, &e), ERR_NETWORK);
    assert_int_equal(fixture_logged(&registry, "\"PUT\"", NULL, NULL) - before, 4);
}

static void nobody_there(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    struct net_http_request req = {.max_body = 1000, .idempotent = true};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    assert_int_equal(send_to(1, "GET", "/v2/", BYTES_NONE, &req, &resp, &e), ERR_NETWORK);
}

/* An HTTP server where HTTPS was expected: said in words of ours, and not tried again. */
static void no_tls_there(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    char url[64];
    unsigned retries = 0;
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/v2/", registry.port);
    const struct net_http_request req = {.method = "GET", .url = url, .max_body = 1000, .idempotent = true};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    log_set_handler(count_retry, &retries, LOG_DEBUG);
    int r = net_http_session_send(session, &req, &resp, &e);
    log_set_handler(NULL, NULL, LOG_WARN);
    assert_int_equal(r, ERR_NETWORK);
    assert_non_null(strstr(e.msg, "no TLS there"));
    assert_int_equal(retries, 0);
}

/* A name that cannot be looked up, twice with one session: the second try must be like the first. */
static void unknown_name(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    const struct net_http_request req = {
        .method = "GET", .url = "http://nobody.invalid/", .max_body = 1000000, .idempotent = true};
    for (int i = 0; session && i < 2; i++) {
        AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
        int r = net_http_session_send(session, &req, &resp, &e);
        assert_true(r == ERR_NETWORK || r == 0); /* there are resolvers that answer everything */
    }
}

/* A sink that fails ends the request with its own failure, and nothing is retried. */
static int refuse(struct sink *s, struct bytes data, struct err *e)
{
    (void)s;
    (void)data;
    return err_set(e, ERR_DIGEST, "no");
}

static void sink_failure_ends_it(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    struct sink sink = {.write = refuse};
    struct net_http_request req = {.to = &sink, .idempotent = true};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    unsigned before = fixture_logged(&registry, "\"GET\"", "/blobs/", NULL);
    assert_int_equal(send_to(registry.port, "GET", blob_path, BYTES_NONE, &req, &resp, &e), ERR_DIGEST);
    assert_int_equal(fixture_logged(&registry, "\"GET\"", "/blobs/", NULL) - before, 1);
}

static void header_injection_is_refused(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    const struct net_http_field bad = {"Accept", "a\r\nX-Evil: 1"};
    struct net_http_request req = {.max_body = 1000, .fields = &bad, .n_fields = 1};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    assert_int_equal(send_to(registry.port, "GET", "/v2/", BYTES_NONE, &req, &resp, &e), ERR_FORMAT);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(streams_and_reuses),
        TEST(busy_then_good),
        TEST(busy_for_good),
        TEST(retry_after_is_obeyed),
        TEST(retry_after_over_the_cap),
        TEST(broken_downloads_go_on),
        TEST(stalled_download_goes_on),
        TEST(a_slow_answer_ends),
        TEST(broken_download_for_good),
        TEST(lies_about_ranges),
        TEST(whole_again_instead_of_a_part),
        TEST(a_part_and_no_more),
        TEST(another_part_than_asked_for),
        TEST(redirect_drops_credentials),
        TEST(redirects_refused),
        TEST(redirect_loop_ends),
        TEST(body_over_the_cap),
        TEST(headers_over_the_cap),
        TEST(uploads_are_not_repeated),
        TEST(nobody_there),
        TEST(no_tls_there),
        TEST(unknown_name),
        TEST(sink_failure_ends_it),
        TEST(header_injection_is_refused),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
