/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges, docker's configuration file, token replies. */
#include "oci/auth.h"

#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void string_is(const char *got, const char *want)
{
    if (want) {
        assert_non_null(got);
        assert_string_equal(got, want);
    } else {
        assert_null(got);
    }
}

static void challenges(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum oci_auth_scheme scheme;
        const char *realm, *service, *scope;
    } cases[] = {
        {"Basic realm=\"x, y\"", OCI_AUTH_BASIC, "x, y", NULL, NULL},
        {"basic", OCI_AUTH_BASIC, NULL, NULL, NULL},
        {"Bearer realm=\"https://auth/token\",service=\"r\",scope=\"repository:a/b:pull,push\"",
         OCI_AUTH_BEARER, "https://auth/token", "r", "repository:a/b:pull,push"},
        {"BEARER Realm = \"https://auth/t\" , SERVICE=r", OCI_AUTH_BEARER, "https://auth/t", "r", NULL},
        {"Basic realm=\"b\", Bearer realm=\"https://t\",service=\"s\"", OCI_AUTH_BEARER, "https://t", "s",
         NULL},
        {"Bearer realm=\"https://t\", Basic realm=\"b\"", OCI_AUTH_BEARER, "https://t", NULL, NULL},
        {"Negotiate, Basic realm=\"b\"", OCI_AUTH_BASIC, "b", NULL, NULL},
        {"Negotiate YWJj==, Basic realm=\"b\"", OCI_AUTH_BASIC, "b", NULL, NULL},
        {"Digest realm=\"d\", nonce=\"a,b\", Basic realm=\"b\"", OCI_AUTH_BASIC, "b", NULL, NULL},
        {"Bearer service=\"no realm\", Basic realm=\"b\"", OCI_AUTH_BASIC, "b", NULL, NULL},
        {"Bearer realm=\"a\\\"b\\\\c\"", OCI_AUTH_BEARER, "a\"b\\c", NULL, NULL},
        {"Bearer realm=\"https://t\",error=\"insufficient_scope\",", OCI_AUTH_BEARER, "https://t", NULL,
         NULL},
        {",, Basic realm=\"b\"", OCI_AUTH_BASIC, "b", NULL, NULL},
        {"Bearer realm=\"\"", OCI_AUTH_BEARER, "", NULL, NULL},
        {"Negotiate", OCI_AUTH_NONE, NULL, NULL, NULL},
        {"", OCI_AUTH_NONE, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        struct oci_challenge c = {.scheme = OCI_AUTH_NONE};
        assert_int_equal(oci_challenge_add(bytes_str(cases[i].value), &c, &e), 0);
        assert_int_equal(c.scheme, cases[i].scheme);
        string_is(c.realm, cases[i].realm);
        string_is(c.service, cases[i].service);
        string_is(c.scope, cases[i].scope);
        oci_challenge_done(&c);
    }
}

static void challenges_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Bearer realm=\"no end",
        "Bearer realm=\"no end\\",
        "Bearer realm=,service=x",
        "Bearer realm=\"a\",service=",
        "Bearer realm=\"a\" service=\"b\"",
        "Bearer realm=\"a\",realm=\"b\"",
        "Bearer realm=\"a\"x",
        "Bearer realm=\"a\r\nb\"",
        "\"Bearer\"",
        "= x",
        "Bearer\001",
    };
    struct err e = ERR_INIT;
    struct oci_challenge c = {.scheme = OCI_AUTH_NONE};
    assert_int_equal(oci_challenge_add(BYTES_LIT("Basic realm=\"kept\""), &c, &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(oci_challenge_add(bytes_str(bad[i]), &c, &e), ERR_FORMAT);
    assert_int_equal(oci_challenge_add(BYTES_LIT("Bearer realm=\"a\0b\""), &c, &e), ERR_FORMAT);
    assert_string_equal(c.realm, "kept");
    assert_int_equal(oci_challenge_add(BYTES_LIT("Bearer realm=\"r\""), &c, &e), 0);
    assert_int_equal(c.scheme, OCI_AUTH_BEARER);
    assert_int_equal(oci_challenge_add(BYTES_LIT("Basic realm=\"weaker\""), &c, &e), 0);
    assert_string_equal(c.realm, "r");
    oci_challenge_done(&c);
}

/* Every prefix of a good value either parses or is refused; none is read past its end (ASan). */
static void challenges_cut(void **state)
{
    (void)state;
    static const char value[] =
        "Negotiate ab==, Bearer realm=\"https://a/t\",service=\"s, t\" , scope=\"x\", Basic realm=b";
    for (size_t n = 0; n < sizeof(value); n++) {
        struct err e = ERR_INIT;
        struct oci_challenge c = {.scheme = OCI_AUTH_NONE};
        uint8_t *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, value, n);
        int r = oci_challenge_add(bytes_of(copy, n), &c, &e);
        assert_true(r == 0 || r == ERR_FORMAT);
        oci_challenge_done(&c);
        free(copy);
    }
}

/* What a file says of a registry, with the helpers' answers left out. */
static int find(struct bytes text, const char *path, const char *host, const char *repo, struct oci_cred *ret,
                struct err *e)
{
    const struct oci_cred_source source = {.path = path ? path : "file", .text = text};
    const struct oci_cred_conf conf = {.sources = &source, .n_sources = 1};
    AUTO_DONE(oci_cred_place) place = {.n_helpers = 0};
    int r = oci_cred_find(&conf, host, repo, &place, e);
    if (r)
        return r;
    *ret = place.cred;
    place.cred = (struct oci_cred)OCI_CRED_INIT;
    return 0;
}

/* "u:p" is dTpw, "user:pa:ss" is dXNlcjpwYTpzcw== */
#define CONFIG                                                                     \
    "{\"auths\":{"                                                                 \
    "\"https://index.docker.io/v1/\":{\"auth\":\"aHViOnA=\"},"                     \
    "\"ghcr.io\":{\"auth\":\"dXNlcjpwYTpzcw==\"},"                                 \
    "\"ghcr.io/owner\":{\"auth\":\"b3duZXI6cA==\"},"                               \
    "\"ghcr.io/owner/name\":{\"auth\":\"bmFtZTpw\"},"                              \
    "\"https://azure.example\":{\"auth\":\"MDAwMDo=\",\"identitytoken\":\"idt\"}," \
    "\"http://old.example/v2/\":{\"username\":\"a\",\"password\":\"b\"},"          \
    "\"tok.example\":{\"auth\":\"PHRva2VuPjphYmM=\"},"                             \
    "\"localhost:5000\":{\"auth\":\"dTpw\"},"                                      \
    "\"empty.example\":{}},"                                                       \
    "\"credsStore\":\"desktop\",\"HttpHeaders\":{\"X\":\"y\"}}"

static void config_lookup(void **state)
{
    (void)state;
    static const struct {
        const char *host, *repo, *user, *password, *identity;
    } cases[] = {
        {"docker.io", "library/x", "hub", "p", NULL},
        {"ghcr.io", "other/name", "user", "pa:ss", NULL},
        {"ghcr.io", "owner/other", "owner", "p", NULL},
        {"ghcr.io", "owner2/name", "user", "pa:ss", NULL},
        {"ghcr.io", "owner/name", "name", "p", NULL},
        {"ghcr.io", "owner/name/deeper", "name", "p", NULL},
        {"ghcr.io", "owner/name2", "owner", "p", NULL},
        {"azure.example", "x", "0000", "", "idt"},
        {"old.example", "x", "a", "b", NULL},
        {"tok.example", "x", NULL, NULL, "abc"},
        {"localhost:5000", "x", "u", "p", NULL},
        {"localhost:5001", "x", NULL, NULL, NULL},
        {"empty.example", "x", NULL, NULL, NULL},
        {"ghcr.io.evil.example", "x", NULL, NULL, NULL},
        {"io", "x", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_cred) c = OCI_CRED_INIT;
        assert_int_equal(find(BYTES_LIT(CONFIG), "c", cases[i].host, cases[i].repo, &c, &e), 0);
        string_is(c.user, cases[i].user);
        string_is(c.password, cases[i].password);
        string_is(c.identity_token, cases[i].identity);
    }
}

static void config_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"auths\":{\"h\":{\"auth\":\"SECRET!\"}}}",
        "{\"auths\":{\"h\":{\"auth\":\"U0VDUkVU\"}}}",
        "{\"auths\":{\"h\":{\"auth\":\"U0VDUkVUOgA=\"}}}",
        "{\"auths\":{\"h\":{\"auth\":5}}}",
        "{\"auths\":{\"h\":{\"identitytoken\":[]}}}",
        "{\"auths\":[\"SECRET\"]}",
        "{\"auths\":{\"h\":{\"auth\":\"dTpw\"}} SECRET",
        "{\"auths\":{},\"auths\":{}}",
        "SECRET",
        "[]",
        "null",
        "\"SECRET\"",
        "7",
        " ",
        "{\"credsStore\":[\"SECRET\"]}",
        "{\"credsStore\":\"../SECRET\"}",
        "{\"credsStore\":\"a b\"}",
        "{\"credHelpers\":[]}",
        "{\"credHelpers\":{\"h\":5}}",
        "{\"credHelpers\":{\"h\":\"a/b\"}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_cred) c = OCI_CRED_INIT;
        assert_int_equal(find(bytes_str(bad[i]), "/x/config.json", "h", "r", &c, &e), ERR_CONFIG);
        assert_non_null(strstr(e.msg, "/x/config.json"));
        assert_null(strstr(e.msg, "SECRET"));
        assert_null(c.user);
    }
}

static void config_empty(void **state)
{
    (void)state;
    static const char *const none[] = {"",
                                       "{}",
                                       "{\"auths\":{}}",
                                       "{\"auths\":null}",
                                       "{\"auths\":{\"h\":null}}",
                                       "{\"auths\":{\"h\":{\"auth\":\"\"}}}"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_cred) c = OCI_CRED_INIT;
        assert_int_equal(find(bytes_str(none[i]), NULL, "h", "r", &c, &e), 0);
        assert_null(c.user);
        assert_null(c.identity_token);
    }
}

static void tokens(void **state)
{
    (void)state;
    static const struct {
        const char *body, *token;
        uint64_t life;
    } cases[] = {
        {"{\"token\":\"t\"}", "t", 60},
        {"{\"access_token\":\"a\",\"expires_in\":300}", "a", 300},
        {"{\"token\":\"t\",\"access_token\":\"a\",\"expires_in\":5}", "t", 60},
        {"{\"token\":\"\",\"access_token\":\"a\"}", "a", 60},
    };
    struct err e = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *token = NULL;
        uint64_t life = 0;
        assert_int_equal(oci_token_parse(bytes_str(cases[i].body), &token, &life, &e), 0);
        string_is(token, cases[i].token);
        assert_int_equal(life, cases[i].life);
        oci_secret_free(token);
    }
    static const char *const bad[] = {"",
                                      "{}",
                                      "[]",
                                      "<html>",
                                      "{\"token\":5}",
                                      "{\"token\":\"\"}",
                                      "{\"token\":\"a b\"}",
                                      "{\"token\":\"a\\r\\nX: y\"}",
                                      "{\"token\":\"\\u00e9\"}",
                                      "{\"token\":\"t\",\"expires_in\":-1}",
                                      "{\"token\":\"t\",\"expires_in\":\"soon\"}",
                                      "{\"token\":\"SECRET\" x}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char *token = NULL;
        uint64_t life = 7;
        assert_int_equal(oci_token_parse(bytes_str(bad[i]), &token, &life, &e), ERR_REGISTRY);
        assert_null(token);
        assert_int_equal(life, 7);
        assert_null(strstr(e.msg, "SECRET"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenges),       cmocka_unit_test(challenges_malformed),
        cmocka_unit_test(challenges_cut),   cmocka_unit_test(config_lookup),
        cmocka_unit_test(config_malformed), cmocka_unit_test(config_empty),
        cmocka_unit_test(tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
