/* SPDX-License-Identifier: Apache-2.0 */
/* Where connections go: given addresses, sockets that the caller connects, places that are refused. */
#include "base/limits.h"
#include "net/http_curl.h"
#include "tests/registry/fixture.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static struct fixture registry;
static bool started;

static int group_setup(void **state)
{
    (void)state;
    static const char *const options[] = {NULL};
    started = fixture_start(&registry, options);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    fixture_stop(&registry);
    return 0;
}

#define NEED_REGISTRY()                             \
    do {                                            \
        (void)state;                                \
        if (!started)                               \
            skip_because("no fault registry here"); \
    } while (0)

static struct net_http_conf conf_make(void)
{
    struct net_http_conf conf = NET_HTTP_CONF_INIT;
    conf.max_retries = 0;
    conf.connect_timeout_ms = 5000;
    return conf;
}

/* One GET in a session of its own; *ret_status: of the response. */
static int get(const struct net_http_conf *conf, const char *url, int *ret_status, struct err *e)
{
    struct net_http_session *session;
    const struct net_http_request req = {.method = "GET", .url = url, .max_body = 100000, .follow = true};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    assert_int_equal(net_http_session_open(conf, &session, e), 0);
    int r = net_http_session_send(session, &req, &resp, e);
    net_http_session_close(session);
    *ret_status = resp.status;
    return r;
}

/* What dial was asked for. */
struct dialled {
    unsigned times;
    char host[256];
    uint16_t port;
    int failure;
};

static int dial(void *ctx, const char *host, uint16_t port, int *ret_fd, struct err *e)
{
    struct dialled *d = ctx;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)registry.port)};
    d->times++;
    d->port = port;
    (void)snprintf(d->host, sizeof(d->host), "%s", host);
    if (d->failure)
        return err_set(e, d->failure, "the tunnel is closed");
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    *ret_fd = fd;
    return 0;
}

static void dialled_by_the_caller(void **state)
{
    NEED_REGISTRY();
    static const struct {
        const char *url, *host;
        uint16_t port;
    } cases[] = {
        {"http://nobody.invalid/v2/", "nobody.invalid", 80},
        {"http://nobody.invalid:8080/v2/", "nobody.invalid", 8080},
        {"http://192.0.2.1:81/v2/", "192.0.2.1", 81},
        {"http://[2001:db8::1]/v2/", "2001:db8::1", 80},
        {"http://169.254.169.254/v2/", "169.254.169.254", 80},
        {"http://given.test/v2/", "192.0.2.9", 99},
    };
    static const char *const given[] = {"given.test:80:192.0.2.9:99"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        struct dialled d = {.times = 0};
        struct net_http_conf conf = conf_make();
        int status;
        conf.dial = dial;
        conf.dial_ctx = &d;
        conf.resolve = given;
        conf.n_resolve = 1;
        assert_ok(get(&conf, cases[i].url, &status, &e));
        assert_int_equal(status, 200);
        assert_int_equal(d.times, 1);
        assert_string_equal(d.host, cases[i].host);
        assert_int_equal(d.port, cases[i].port);
    }
    assert_true(fixture_logged(&registry, "\"host\": \"nobody.invalid:8080\"", NULL, NULL) > 0);
}

/* A connection of one host is not used for another, whatever stands behind the placeholder's address. */
static void dialled_once_per_host(void **state)
{
    NEED_REGISTRY();
    static const char *const urls[] = {"http://a.invalid/v2/", "http://a.invalid/v2/", "http://b.invalid/v2/",
                                       "http://a.invalid/v2/"};
    struct err e = ERR_INIT;
    struct dialled d = {.times = 0};
    struct net_http_conf conf = conf_make();
    struct net_http_session *session;
    conf.dial = dial;
    conf.dial_ctx = &d;
    assert_ok(net_http_session_open(&conf, &session, &e));
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        const struct net_http_request req = {.method = "GET", .url = urls[i], .max_body = 100000};
        AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
        assert_ok(net_http_session_send(session, &req, &resp, &e));
        assert_int_equal(resp.status, 200);
    }
    net_http_session_close(session);
    assert_int_equal(d.times, 2);
}

static void dialling_fails(void **state)
{
    NEED_REGISTRY();
    struct err e = ERR_INIT;
    struct dialled d = {.failure = ERR_AUTH};
    struct net_http_conf conf = conf_make();
    int status;
    conf.max_retries = 3;
    conf.dial = dial;
    conf.dial_ctx = &d;
    assert_fails(get(&conf, "http://a.invalid/v2/", &status, &e), ERR_AUTH);
    assert_non_null(strstr(e.msg, "the tunnel is closed"));
    assert_int_equal(d.times, 1);
}

/* Descriptors that dial gave are closed with the session. */
static void dialled_sockets_are_closed(void **state)
{
    NEED_REGISTRY();
    size_t before = open_fds();
    dialled_by_the_caller(state);
    dialled_once_per_host(state);
    assert_int_equal(open_fds(), before);
}

static void given_addresses(void **state)
{
    NEED_REGISTRY();
    char entry[128], same[128], url[128];
    struct err e = ERR_INIT;
    struct net_http_conf conf = conf_make();
    int status;
    (void)snprintf(entry, sizeof(entry), "given.test:80:127.0.0.1:%u", registry.port);
    (void)snprintf(same, sizeof(same), "given.test:%u:127.0.0.1", registry.port);
    (void)snprintf(url, sizeof(url), "http://given.test:%u/v2/", registry.port);
    const char *const given[] = {entry, same};
    conf.resolve = given;
    conf.n_resolve = 2;
    assert_ok(get(&conf, "http://given.test/v2/", &status, &e));
    assert_int_equal(status, 200);
    assert_ok(get(&conf, url, &status, &e));
    assert_int_equal(status, 200);
    assert_true(fixture_logged(&registry, "\"host\": \"given.test\"", NULL, NULL) > 0);
}

/* Names that turn out to have such an address; the port is one where nobody is, in case it is tried. */
static void refused_places(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *url, *entry;
        const char *refused; /* NULL: tried */
    } cases[] = {
        {"https://reg.test", "http://cdn.test:9/", "cdn.test:9:169.254.169.254", "link-local or metadata"},
        {"https://reg.test", "http://cdn.test:9/", "cdn.test:9:169.254.7.7", "link-local or metadata"},
        {"https://reg.test", "http://cdn.test:9/", "cdn.test:9:100.100.100.200", "link-local or metadata"},
        {"https://reg.test", "http://cdn.test:9/", "cdn.test:9:fd00:ec2::254", "link-local or metadata"},
        {"https://reg.test", "http://cdn.test:9/", "cdn.test:9:::ffff:169.254.169.254",
         "link-local or metadata"},
        {"https://reg.test", "http://cdn.test:9/", "cdn.test:9:fe80::1", "link-local or metadata"},
        {"http://cdn.test:9", "http://cdn.test:9/", "cdn.test:9:169.254.169.254", "link-local or metadata"},
        {"http://cdn.test:9", "http://cdn.test:9/", "cdn.test:9:127.0.0.1:1", NULL},
        {NULL, "http://cdn.test:9/", "cdn.test:9:100.100.100.200", "link-local or metadata"},
        {"https://reg.test", "http://cdn.test:9/", "cdn.test:9:127.0.0.1:1", "of this machine"},
        {"https://reg.test", "http://cdn.test:9/", "cdn.test:9:127.1.2.3:1", "of this machine"},
        {"https://reg.test", "http://cdn.test:9/", "cdn.test:9:::1", "of this machine"},
        {"https://reg.test", "http://cdn.test:9/", "cdn.test:9:::ffff:127.0.0.1", "of this machine"},
        {"https://reg.test", "http://cdn.test:9/", "cdn.test:9:0.0.0.0:1", "of this machine"},
        {"https://reg.test", "http://cdn.test:9/", "cdn.test:9:::", "of this machine"},
        {"https://192.0.2.1", "http://cdn.test:9/", "cdn.test:9:127.0.0.1:1", "of this machine"},
        {"https://nobody.invalid", "http://cdn.test:9/", "cdn.test:9:127.0.0.1:1", "of this machine"},
        {"https://here.test", "http://cdn.test:9/", "cdn.test:9:127.0.0.1:1", NULL},
        {"https://127.0.0.1", "http://cdn.test:9/", "cdn.test:9:127.0.0.1:1", NULL},
        {"https://localhost", "http://cdn.test:9/", "cdn.test:9:127.0.0.1:1", NULL},
        {"https://[::1]", "http://cdn.test:9/", "cdn.test:9:127.0.0.1:1", NULL},
        {NULL, "http://cdn.test:9/", "cdn.test:9:127.0.0.1:1", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        struct net_http_conf conf = conf_make();
        int status;
        conf.origin = cases[i].origin;
        const char *const given[] = {cases[i].entry, "reg.test:443:192.0.2.1", "here.test:443:127.0.0.1"};
        conf.resolve = given;
        conf.n_resolve = ARRAY_LEN(given);
        assert_fails(get(&conf, cases[i].url, &status, &e), ERR_NETWORK);
        assert_non_null(strstr(e.msg, cases[i].refused ? cases[i].refused : "onnect"));
        assert_int_equal(strstr(e.msg, "refused to") != NULL, cases[i].refused != NULL);
    }
}

/* A redirect to a name whose address is one of those. */
static void refused_after_a_redirect(void **state)
{
    NEED_REGISTRY();
    char url[128], rule[256];
    static const char *const given[] = {"cdn.test:80:169.254.169.254"};
    struct err e = ERR_INIT;
    struct net_http_session *session;
    struct net_http_conf conf = conf_make();
    struct opener_bytes opener;
    int status;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/_fault", registry.port);
    (void)snprintf(rule, sizeof(rule),
                   "{\"match\":{\"path\":\"/v2/go\"},\"action\":\"redirect\",\"to\":\"%s\"}",
                   "http://cdn.test/latest/meta-data");
    struct source_opener body = opener_bytes_init(&opener, bytes_str(rule));
    const struct net_http_request req = {.method = "POST", .url = url, .body = &body, .max_body = 100000};
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    assert_ok(net_http_session_open(&conf, &session, &e));
    assert_ok(net_http_session_send(session, &req, &resp, &e));
    net_http_session_close(session);
    conf.resolve = given;
    conf.n_resolve = 1;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/v2/go", registry.port);
    assert_fails(get(&conf, url, &status, &e), ERR_NETWORK);
    assert_non_null(strstr(e.msg, "cdn.test has a link-local or metadata address"));
}

/* What was connected to counts, and not what a name leads to afterwards. */
static void remembered_places(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct net_http_session *session;
    struct net_http_conf conf = conf_make();
    assert_ok(net_http_session_open(&conf, &session, &e));
    assert_int_equal(net_http_home(session), NET_HTTP_HOME_UNKNOWN);
    net_http_home_learn(session, NET_HTTP_HOME_HERE);
    net_http_home_learn(session, NET_HTTP_HOME_UNKNOWN);
    assert_int_equal(net_http_home(session), NET_HTTP_HOME_HERE);
    net_http_home_learn(session, NET_HTTP_HOME_ELSEWHERE);
    net_http_home_learn(session, NET_HTTP_HOME_HERE);
    assert_int_equal(net_http_home(session), NET_HTTP_HOME_ELSEWHERE);
    net_http_session_close(session);
}

/* The origin answers from this machine, and then leads to another name of it; once it is known to be
 * elsewhere it does not. */
static void learned_places(void **state)
{
    NEED_REGISTRY();
    char home[64], other[64], url[128];
    struct err e = ERR_INIT;
    struct net_http_session *session;
    struct net_http_conf conf = conf_make();
    (void)snprintf(home, sizeof(home), "reg.test:%u:127.0.0.1", registry.port);
    (void)snprintf(other, sizeof(other), "cdn.test:80:127.0.0.1:%u", registry.port);
    (void)snprintf(url, sizeof(url), "http://reg.test:%u/v2/", registry.port);
    const char *const given[] = {home, other};
    const char *const urls[] = {url, "http://cdn.test/v2/", "http://cdn.test/v2/"};
    conf.origin = url;
    conf.resolve = given;
    conf.n_resolve = 2;
    assert_ok(net_http_session_open(&conf, &session, &e));
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        const struct net_http_field apart = {"Connection", "close"};
        const struct net_http_request req = {
            .method = "GET", .url = urls[i], .fields = &apart, .n_fields = 1, .max_body = 100000};
        AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
        if (i == 2)
            net_http_home_learn(session, NET_HTTP_HOME_ELSEWHERE);
        assert_fails(net_http_session_send(session, &req, &resp, &e), i == 2 ? ERR_NETWORK : 0);
        assert_int_equal(net_http_home(session), i == 2 ? NET_HTTP_HOME_ELSEWHERE : NET_HTTP_HOME_HERE);
    }
    assert_non_null(strstr(e.msg, "cdn.test has an address of this machine"));
    net_http_session_close(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialled_by_the_caller),    cmocka_unit_test(dialled_once_per_host),
        cmocka_unit_test(dialling_fails),           cmocka_unit_test(dialled_sockets_are_closed),
        cmocka_unit_test(given_addresses),          cmocka_unit_test(refused_places),
        cmocka_unit_test(refused_after_a_redirect), cmocka_unit_test(remembered_places),
        cmocka_unit_test(learned_places),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
