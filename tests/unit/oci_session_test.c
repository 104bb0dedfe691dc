/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions against the fault-injecting registry: several threads, what is remembered, more scopes. */
#include "oci/registry.h"

#include "base/plugin.h"
#include "tests/registry/fixture.h"
#include "tests/unit/unit.h"

#define FILE_TEXT "{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}"
#define USER      "dXNlcjpwYXNzd29yZA==" /* user:password */
#define OTHER     "dXNlcjpoZW1saWc="     /* user:hemlig */

static char plugins[PATH_MAX];
static bool usable;

static int group_setup(void **state)
{
    (void)state;
    usable = fixture_plugins(plugins) && access(FIXTURE_PROGRAM, R_OK) == 0;
    if (usable)
        plugin_set_folder(plugins);
    return 0;
}

/* One registry with token authentication; endpoints to it remember in the folder of the test. */
struct world {
    struct fixture registry;
    char host[64], text[256];
    struct oci_ref ref;
    struct oci_cred_source source;
    struct oci_cred_conf cred;
    struct oci_endpoint_conf conf;
};

static void world_credentials(struct world *w, const char *coded)
{
    (void)snprintf(w->text, sizeof(w->text), FILE_TEXT, w->host, coded);
    w->source = (struct oci_cred_source){.path = "config.json", .text = bytes_str(w->text)};
}

static void world_open(struct world *w, const struct scratch *s, const char *const *options)
{
    static char path[] = "a/b";
    if (!usable)
        skip_because("needs " FIXTURE_PROGRAM " and the plugin http beside the test");
    *w = (struct world){.cred = {.n_sources = 1}};
    assert_true(fixture_start(&w->registry, options));
    (void)snprintf(w->host, sizeof(w->host), "127.0.0.1:%u", w->registry.port);
    w->ref = (struct oci_ref){.kind = OCI_REF_REGISTRY, .host = w->host, .path = path, .tag = "v1"};
    w->cred.sources = &w->source;
    w->conf = (struct oci_endpoint_conf){
        .user_agent = "session-test", .credentials = &w->cred, .memo_dir = s->path, .max_wait_ms = 1000};
    world_credentials(w, USER);
}

static struct oci_registry *endpoint(struct world *w)
{
    struct err e = ERR_INIT;
    struct oci_endpoint *ep = NULL;
    assert_ok(oci_registry_open(&w->ref, &w->conf, true, &ep, &e));
    return oci_registry_of(ep);
}

/* A request that needs a token; the manifest is not there. Returns the status or a failure. */
static int ask(struct oci_registry *reg, struct err *e)
{
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    AUTO_FREE char *url = NULL;
    int r = oci_registry_url(reg, "manifests", "none", &url, e);
    struct net_http_request req = {.method = "GET", .url = url, .max_body = 4096, .idempotent = true};
    if (r == 0)
        r = oci_registry_send(reg, &req, &resp, e);
    return r ? r : resp.status;
}

static int ask_anew(struct world *w)
{
    struct err e = ERR_INIT;
    struct oci_registry *reg = endpoint(w);
    int r = ask(reg, &e);
    oci_endpoint_close(&reg->base);
    return r;
}

/* Requests whose line in the log holds a text; one with "sent" in it is no request. */
static unsigned logged(const struct world *w, const char *text)
{
    return fixture_logged(&w->registry, text, "\"method\"", NULL) -
           fixture_logged(&w->registry, text, "\"method\"", "\"sent\"");
}

#define TOKENS(w)    logged(w, "/token?")
#define MANIFESTS(w) logged(w, "/manifests/none")
#define TOKEN_REGISTRY          \
    (const char *const[])       \
    {                           \
        "--auth", "token", NULL \
    }

static void a_token_serves_the_next_run(void **state)
{
    struct world w;
    world_open(&w, *state, TOKEN_REGISTRY);
    assert_int_equal(ask_anew(&w), 404);
    assert_int_equal(TOKENS(&w), 1);
    const unsigned first = MANIFESTS(&w);
    assert_int_equal(ask_anew(&w), 404);
    assert_int_equal(TOKENS(&w), 1);
    assert_int_equal(MANIFESTS(&w), first + 1); /* no 401 */
    fixture_stop(&w.registry);
}

static void other_credentials_other_token(void **state)
{
    struct world w;
    world_open(&w, *state, TOKEN_REGISTRY);
    assert_int_equal(ask_anew(&w), 404);
    world_credentials(&w, OTHER);
    assert_int_equal(ask_anew(&w), ERR_AUTH);
    w.cred.n_sources = 0;
    assert_int_equal(ask_anew(&w), 401); /* a token that allows nothing */
    w.cred.n_sources = 1;
    world_credentials(&w, USER);
    const unsigned before = TOKENS(&w);
    assert_int_equal(ask_anew(&w), 404);
    assert_int_equal(TOKENS(&w), before);
    fixture_stop(&w.registry);
}

/* What was remembered and is good no more is replaced by one answer to a 401. */
static void a_stale_token_is_replaced(void **state)
{
    const struct scratch *s = *state;
    struct world w;
    char text[1024], *at;
    world_open(&w, *state, TOKEN_REGISTRY);
    assert_int_equal(ask_anew(&w), 404);
    DIR *d = opendir(scratch_path(s, "token"));
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] == '.')
            continue;
        int fd = openat(dirfd(d), entry->d_name, O_RDWR | O_CLOEXEC);
        ssize_t n = read(fd, text, sizeof(text) - 1);
        assert_true(n > 0);
        text[n] = '\0';
        at = strstr(text, "\\\"token\\\":\\\"");
        assert_non_null(at);
        at[strlen("\\\"token\\\":\\\"")] ^= 1;
        assert_int_equal(pwrite(fd, text, (size_t)n, 0), n);
        (void)close(fd);
    }
    (void)closedir(d);
    const unsigned tokens = TOKENS(&w), manifests = MANIFESTS(&w);
    assert_int_equal(ask_anew(&w), 404);
    assert_int_equal(TOKENS(&w), tokens + 1);
    assert_int_equal(MANIFESTS(&w), manifests + 2);
    assert_int_equal(ask_anew(&w), 404);
    assert_int_equal(TOKENS(&w), tokens + 1);
    fixture_stop(&w.registry);
}

/* Without a token, what the registry asked for is known: no 401 either. */
static void a_challenge_is_remembered(void **state)
{
    struct world w;
    world_open(&w, *state, TOKEN_REGISTRY);
    assert_int_equal(ask_anew(&w), 404);
    char path[] = "other/repo";
    w.ref.path = path;
    const unsigned tokens = TOKENS(&w), manifests = MANIFESTS(&w);
    assert_int_equal(ask_anew(&w), 404);
    assert_int_equal(TOKENS(&w), tokens + 1);
    assert_int_equal(MANIFESTS(&w), manifests + 1);
    fixture_stop(&w.registry);
}

static void basic_is_remembered(void **state)
{
    struct world w;
    world_open(&w, *state, (const char *const[]){"--auth", "basic", NULL});
    assert_int_equal(ask_anew(&w), 404);
    const unsigned manifests = MANIFESTS(&w);
    assert_int_equal(manifests, 2);
    assert_int_equal(ask_anew(&w), 404);
    assert_int_equal(MANIFESTS(&w), manifests + 1);
    fixture_stop(&w.registry);
}

static void nothing_is_kept_without_a_folder(void **state)
{
    const struct scratch *s = *state;
    struct world w;
    world_open(&w, *state, TOKEN_REGISTRY);
    w.conf.memo_dir = NULL;
    assert_int_equal(ask_anew(&w), 404);
    assert_int_equal(ask_anew(&w), 404);
    assert_int_equal(TOKENS(&w), 2);
    assert_int_equal(folder_count(s->path), 0);
    fixture_stop(&w.registry);
}

enum { N_THREADS = 8 };

static void *thread_ask(void *ctx)
{
    struct err e = ERR_INIT;
    return ask(ctx, &e) == 404 ? ctx : NULL;
}

/* One of them asks for a token; the others take it. */
static void threads_share_a_token(void **state)
{
    struct world w;
    pthread_t threads[N_THREADS];
    void *results[N_THREADS];
    world_open(&w, *state, TOKEN_REGISTRY);
    struct oci_registry *reg = endpoint(&w);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, thread_ask, reg), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_join(threads[i], &results[i]), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_ptr_equal(results[i], reg);
    assert_int_equal(TOKENS(&w), 1);
    oci_endpoint_close(&reg->base);
    assert_int_equal(ask_anew(&w), 404);
    fixture_stop(&w.registry);
}

static void more_scopes(void **state)
{
    struct err e = ERR_INIT;
    struct world w;
    world_open(&w, *state, TOKEN_REGISTRY);
    struct oci_registry *reg = endpoint(&w);
    assert_int_equal(ask(reg, &e), 404);
    assert_ok(oci_auth_also(reg->auth, "repository:other:pull", &e));
    assert_ok(oci_auth_also(reg->auth, "repository:other:pull", &e)); /* is there already */
    assert_int_equal(TOKENS(&w), 2);
    /* our own scope is the last one */
    assert_int_equal(logged(&w, "scope=repository%3Aother%3Apull&scope=repository%3Aa%2Fb%3Apull%2Cpush"), 1);
    assert_int_equal(ask(reg, &e), 404);
    oci_endpoint_close(&reg->base);
    reg = endpoint(&w); /* before anything was asked */
    assert_ok(oci_auth_also(reg->auth, "repository:other:pull", &e));
    assert_int_equal(ask(reg, &e), 404);
    assert_int_equal(TOKENS(&w), 2);
    oci_endpoint_close(&reg->base);
    fixture_stop(&w.registry);
}

/* A scope that is refused leaves the session as it was. */
static void a_scope_too_many(void **state)
{
    struct err e = ERR_INIT;
    struct world w;
    world_open(&w, *state,
               (const char *const[]){
                   "--auth", "token", "--fault",
                   "{\"action\":\"status\",\"status\":403,\"times\":0,\"match\":{\"path\":\"other\"}}",
                   NULL});
    struct oci_registry *reg = endpoint(&w);
    assert_int_equal(ask(reg, &e), 404);
    assert_fails(oci_auth_also(reg->auth, "repository:other:pull", &e), ERR_AUTH);
    const unsigned tokens = TOKENS(&w);
    assert_int_equal(ask(reg, &e), 404);
    assert_int_equal(TOKENS(&w), tokens);
    oci_endpoint_close(&reg->base);
    fixture_stop(&w.registry);
}

/* A 403 on a token of an earlier run may mean that it allows less than a new one. */
static void renewed_after_403(void **state)
{
    struct world w;
    world_open(&w, *state,
               (const char *const[]){"--auth", "token", "--fault",
                                     "{\"action\":\"status\",\"status\":403,\"nth\":3,\"match\":{"
                                     "\"path\":\"/manifests/none\"}}",
                                     NULL});
    assert_int_equal(ask_anew(&w), 404); /* two requests: a 401, and with a token */
    assert_int_equal(ask_anew(&w), 404); /* the third is answered with 403 */
    fixture_stop(&w.registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(a_token_serves_the_next_run),
        scratch_test(other_credentials_other_token),
        scratch_test(a_stale_token_is_replaced),
        scratch_test(a_challenge_is_remembered),
        scratch_test(basic_is_remembered),
        scratch_test(nothing_is_kept_without_a_folder),
        scratch_test(threads_share_a_token),
        scratch_test(more_scopes),
        scratch_test(a_scope_too_many),
        scratch_test(renewed_after_403),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
