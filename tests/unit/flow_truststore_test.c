/* SPDX-License-Identifier: Apache-2.0 */
/* Trust stores on disk: what is read, and that links and strange things are refused. */
#include "flow/truststore.h"

#include "base/plugin.h"
#include "flow/trust.h"
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
    AUTO(sign_store) store = NULL;
    int r = sign_store_new(&store, e);
    if (!r)
        r = flow_truststore_add(AT_FDCWD, s->path, &name, name ? 1 : 0, NULL, store, e);
    if (!r)
        *ret = TAKE(store);
    return r;
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

static int no_links_of_others(int fd, const char *path, struct err *e)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return st.st_mode & S_IWOTH ? err_set(e, ERR_CONFIG, "%s: others may write", path) : 0;
}

static int add(const struct scratch *s, const char *path, flow_truststore_guard *guard, size_t *ret_n,
               const char **ret_name, struct err *e)
{
    static char name[64];
    AUTO(sign_store) store = NULL;
    assert_int_equal(sign_store_new(&store, e), 0);
    int r = flow_truststore_add(s->fd, path, NULL, 0, guard, store, e);
    *ret_n = sign_store_len(store);
    (void)snprintf(name, sizeof(name), "%s", *ret_n ? sign_store_at(store, 0)->name : "");
    *ret_name = name;
    return r;
}

/* What --trust-store and policies name: files, plain folders, whole trust stores. */
static void adds(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct issued root;
    size_t n, fds = open_fds();
    const char *name;
    issue(&a_root, NULL, &root);
    folders(s);
    assert_int_equal(mkdirat(s->fd, "plain", 0755), 0);
    assert_fails(add(s, "plain", NULL, &n, &name, &e), ERR_CONFIG);
    assert_fails(add(s, ".", NULL, &n, &name, &e), ERR_CONFIG);
    assert_fails(add(s, "none", NULL, &n, &name, &e), ERR_NOTFOUND);
    scratch_write(s, "root.crt", buf_bytes(&root.der));
    scratch_write(s, "plain/a.crt", buf_bytes(&root.der));
    scratch_write(s, "plain/b.txt", BYTES_LIT("x"));
    scratch_write(s, "x509/ca/acme/a.crt", buf_bytes(&root.der));
    scratch_write(s, "x509/tsa/clock/a.crt", buf_bytes(&root.der));
    assert_ok(add(s, "root.crt", no_links_of_others, &n, &name, &e));
    assert_true(n == 1 && strcmp(name, "root.crt") == 0);
    assert_ok(add(s, "plain//", no_links_of_others, &n, &name, &e));
    assert_true(n == 1 && strcmp(name, "plain") == 0);
    assert_ok(add(s, ".", no_links_of_others, &n, &name, &e));
    assert_true(n == 2 && strcmp(name, "acme") == 0);
    static const char *const open_to_all[] = {"x509/ca/acme/a.crt", "x509/ca/acme", "x509/ca", "x509"};
    for (size_t i = 0; i < ARRAY_LEN(open_to_all); i++) {
        struct stat st;
        assert_int_equal(fstatat(s->fd, open_to_all[i], &st, 0), 0);
        assert_int_equal(fchmodat(s->fd, open_to_all[i], 0777, 0), 0);
        assert_fails(add(s, ".", no_links_of_others, &n, &name, &e), ERR_CONFIG);
        assert_ok(add(s, ".", NULL, &n, &name, &e));
        assert_int_equal(fchmodat(s->fd, open_to_all[i], st.st_mode & 07777, 0), 0);
    }
    assert_int_equal(symlinkat("../root.crt", s->fd, "plain/c.pem"), 0);
    assert_fails(add(s, "plain", NULL, &n, &name, &e), ERR_CONFIG);
    assert_int_equal(open_fds(), fds);
    issued_done(&root);
}

/* As the trust of a whole command. */
static void trust(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct issued root;
    AUTO(flow_trust) t = NULL;
    struct sign_trust for_all;
    const struct sign_rule *rule;
    AUTO_FREE char *file = strdup(scratch_path(s, "root.crt"));
    const char *const stores[] = {file, s->path};
    const struct flow_trust_conf conf = {.stores = stores, .n_stores = 2};
    issue(&a_root, NULL, &root);
    folders(s);
    scratch_write(s, "root.crt", buf_bytes(&root.der));
    assert_fails(flow_trust_load(&conf, &t, &e), ERR_CONFIG);
    scratch_write(s, "x509/tsa/clock/a.crt", buf_bytes(&root.der));
    assert_ok(flow_trust_load(&conf, &t, &e));
    flow_trust_for(t, NULL, T0, &for_all, &rule);
    assert_true(for_all.store && sign_store_len(for_all.store) == 2 && !rule);
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
    const struct CMUnitTest tests[] = {scratch_test(reads), scratch_test(links), scratch_test(strange),
                                       scratch_test(adds), scratch_test(trust)};
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
