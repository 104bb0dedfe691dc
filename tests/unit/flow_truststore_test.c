/* SPDX-License-Identifier: Apache-2.0 */
/* Trust stores on disk: what is read, and that links and strange things are refused. */
#include "flow/truststore.h"

#include "base/plugin.h"
#include "tests/registry/fixture.h"
#include "tests/unit/sign_cert_fixture.h"

static char plugins[PATH_MAX];

static void folders(const struct scratch *s)
{
    static const char *const names[] = {"x509",          "x509/ca",  "x509/ca/acme",
                                        "x509/ca/other", "x509/tsa", "x509/tsa/clock"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(mkdirat(s->fd, names[i], 0755), 0);
}

static int load(const struct scratch *s, const char *name, struct sign_store **ret, struct err *e)
{
    return flow_truststore_load(s->path, &name, name ? 1 : 0, ret, e);
}

static void reads(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct issued root;
    AUTO_DONE(buf) pem = BUF_INIT(1U << 16);
    size_t fds = open_fds();
    issue(&a_root, NULL, &root);
    issued_pem(&root, &pem);
    folders(s);
    AUTO(sign_store) none = NULL;
    assert_fails(load(s, NULL, &none, &e), ERR_CONFIG);
    assert_fails(load(s, "ca:acme", &none, &e), ERR_CONFIG);
    scratch_write(s, "x509/ca/acme/a.pem", buf_bytes(&pem));
    scratch_write(s, "x509/ca/acme/b.crt", buf_bytes(&root.der));
    scratch_write(s, "x509/ca/acme/README", BYTES_LIT("hello"));
    scratch_write(s, "x509/ca/other/c.cer", buf_bytes(&root.der));
    scratch_write(s, "x509/ca/note.txt", BYTES_LIT("hello"));
    scratch_write(s, "x509/tsa/clock/t.pem", buf_bytes(&pem));
    AUTO(sign_store) all = NULL;
    assert_ok(load(s, NULL, &all, &e));
    assert_int_equal(sign_store_len(all), 4);
    AUTO(sign_store) acme = NULL;
    assert_ok(load(s, "ca:acme", &acme, &e));
    assert_int_equal(sign_store_len(acme), 2);
    assert_string_equal(sign_store_at(acme, 0)->name, "acme");
    assert_int_equal(sign_store_at(acme, 0)->kind, SIGN_STORE_CA);
    AUTO(sign_store) clock = NULL;
    assert_ok(load(s, "tsa:clock", &clock, &e));
    assert_int_equal(sign_store_at(clock, 0)->kind, SIGN_STORE_TSA);
    static const char *const wrong[] = {
        "ca:none", "acme",     "ca:", "ca:../acme",           "ca:.", "ca:..", "tsa:acme", "CA:acme", "x:y",
        "ca:a/b",  "ca:acme ", "",    "signingAuthority:acme"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_fails(load(s, wrong[i], &none, &e), ERR_CONFIG);
    assert_fails(flow_truststore_load("/nonexistent", NULL, 0, &none, &e), ERR_CONFIG);
    assert_null(none);
    assert_int_equal(open_fds(), fds);
    issued_done(&root);
}

static void links(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct issued root;
    AUTO(sign_store) none = NULL;
    issue(&a_root, NULL, &root);
    folders(s);
    scratch_write(s, "x509/ca/acme/a.pem", BYTES_LIT(""));
    assert_int_equal(unlinkat(s->fd, "x509/ca/acme/a.pem", 0), 0);
    scratch_write(s, "elsewhere.crt", buf_bytes(&root.der));
    assert_int_equal(symlinkat("../../../elsewhere.crt", s->fd, "x509/ca/acme/a.crt"), 0);
    assert_fails(load(s, "ca:acme", &none, &e), ERR_CONFIG);
    assert_non_null(strstr(e.msg, "symbolic link"));
    assert_fails(load(s, NULL, &none, &e), ERR_CONFIG);
    assert_int_equal(unlinkat(s->fd, "x509/ca/acme/a.crt", 0), 0);
    scratch_write(s, "x509/ca/acme/a.crt", buf_bytes(&root.der));
    assert_ok(load(s, "ca:acme", &none, &e));
    sign_store_free(TAKE(none));
    assert_int_equal(symlinkat("acme", s->fd, "x509/ca/linked"), 0);
    assert_fails(load(s, "ca:linked", &none, &e), ERR_CONFIG);
    assert_fails(load(s, NULL, &none, &e), ERR_CONFIG);
    assert_int_equal(unlinkat(s->fd, "x509/ca/linked", 0), 0);
    assert_int_equal(symlinkat("ca", s->fd, "x509/signingAuthority"), 0);
    assert_fails(load(s, "signingAuthority:acme", &none, &e), ERR_CONFIG);
    issued_done(&root);
}

static void strange(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct issued root, leaf;
    AUTO(sign_store) none = NULL;
    issue(&a_root, NULL, &root);
    issue(&a_leaf, &root, &leaf);
    folders(s);
    scratch_write(s, "x509/ca/acme/leaf.crt", buf_bytes(&leaf.der));
    assert_fails(load(s, "ca:acme", &none, &e), ERR_CERT);
    assert_non_null(strstr(e.msg, "leaf.crt"));
    scratch_write(s, "x509/ca/acme/leaf.crt", BYTES_LIT("nothing"));
    assert_fails(load(s, "ca:acme", &none, &e), ERR_FORMAT);
    assert_int_equal(unlinkat(s->fd, "x509/ca/acme/leaf.crt", 0), 0);
    assert_int_equal(mkdirat(s->fd, "x509/ca/acme/dir.pem", 0755), 0);
    assert_fails(load(s, "ca:acme", &none, &e), ERR_IO);
    issued_done(&leaf);
    issued_done(&root);
}

static int group_setup(void **state)
{
    (void)state;
    if (!fixture_plugins(plugins))
        return -1;
    plugin_set_folder(plugins);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {scratch_test(reads), scratch_test(links), scratch_test(strange)};
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
