/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/conf.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static const struct cmd_network no_options;
static char folder[] = "/tmp/waybill-conf-XXXXXX";

static void set(const char *name, const char *value)
{
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void environment(const char *home, const char *cache, const char *docker)
{
    set("HOME", home);
    set("XDG_CACHE_HOME", cache);
    set("DOCKER_CONFIG", docker);
    static const char *const others[] = {"XDG_CONFIG_HOME",       "XDG_RUNTIME_DIR",  "REGISTRY_AUTH_FILE",
                                         "DOCKER_AUTH_CONFIG",    "WAYBILL_USERNAME", "WAYBILL_PASSWORD",
                                         "WAYBILL_IDENTITY_TOKEN"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        set(others[i], NULL);
}

static void check(const char *home, const char *cache, const char *store, const char *modules)
{
    struct err e = ERR_INIT;
    AUTO_DONE(conf) c;
    environment(home, cache, NULL);
    assert_int_equal(conf_load(&c, &no_options, false, &e), 0);
    if (store) {
        assert_string_equal(c.store_dir, store);
        assert_string_equal(c.modules_dir, modules);
    } else {
        assert_null(c.store_dir);
        assert_null(c.modules_dir);
    }
    assert_int_equal(c.credentials.conf.n_sources, 0);
}

static void test_folders(void **state)
{
    (void)state;
    check("/h", NULL, "/h/.cache/waybill/store", "/h/.cache/waybill/modules");
    check("/h", "/c", "/c/waybill/store", "/c/waybill/modules");
    check(NULL, "/c", "/c/waybill/store", "/c/waybill/modules");
    check("/h", "", "/h/.cache/waybill/store", "/h/.cache/waybill/modules");
    check("/h", "relative", "/h/.cache/waybill/store", "/h/.cache/waybill/modules");
    check(NULL, "relative", NULL, NULL);
    check("relative", NULL, NULL, NULL);
    check("", "", NULL, NULL);
    check(NULL, NULL, NULL, NULL);
}

static void write_config(const char *path, const char *text)
{
    struct err e = ERR_INIT;
    assert_int_equal(file_write(AT_FDCWD, path, bytes_str(text), 0600, FILE_REPLACE, &e), 0);
}

/* Docker's file, which is the last source. */
static const struct oci_cred_source *file_of(const struct conf *c)
{
    assert_true(c->credentials.conf.n_sources > 0);
    return &c->credentials.sources[c->credentials.conf.n_sources - 1];
}

static void test_credentials(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    char docker[128], path[160];
    (void)snprintf(docker, sizeof(docker), "%s/.docker", folder);
    (void)snprintf(path, sizeof(path), "%s/config.json", docker);
    environment(folder, NULL, NULL);
    {
        AUTO_DONE(conf) c;
        assert_int_equal(conf_load(&c, &no_options, true, &e), 0); /* there is none */
        assert_int_equal(file_of(&c)->text.len, 0);
    }
    assert_int_equal(dir_make(docker, 0700, &e), 0);
    write_config(path, "{}");
    {
        AUTO_DONE(conf) c;
        assert_int_equal(conf_load(&c, &no_options, true, &e), 0);
        assert_string_equal(file_of(&c)->path, path);
        assert_true(bytes_eq_str(file_of(&c)->text, "{}"));
        const struct flow_conf flow = conf_flow(&c, &(struct cmd_network){.plain_http = true}, NULL);
        assert_true(flow.endpoint.plain_http);
        assert_ptr_equal(flow.endpoint.credentials, &c.credentials.conf);
        assert_string_equal(flow.store_dir, c.store_dir);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0); /* a folder in its place */
    {
        AUTO_DONE(conf) c;
        assert_int_equal(conf_load(&c, &no_options, true, &e), ERR_CONFIG);
        assert_non_null(strstr(e.msg, path));
    }
    assert_int_equal(rmdir(path), 0);
    environment("/nowhere", NULL, folder);
    (void)snprintf(path, sizeof(path), "%s/config.json", folder);
    write_config(path, "{\"auths\":{}}");
    {
        AUTO_DONE(conf) c;
        assert_int_equal(conf_load(&c, &no_options, true, &e), 0);
        assert_true(bytes_eq_str(file_of(&c)->text, "{\"auths\":{}}"));
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(docker), 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_credentials),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
