/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/file.h"
#include "base/plugin.h"
#include "tests/unit/unit.h"

/* The plugin "http" of this very build, copied under a name. False when it was not built. */
static bool place_plugin(const struct scratch *s, const char *name)
{
    struct err e = ERR_INIT;
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 40);
    assert_true(n > 0);
    path[n] = '\0';
    char *slash = strstr(path, "/tests/unit/");
    if (!slash)
        return false;
    (void)snprintf(slash, 40, "/lib/waybill/http.so");
    AUTO_DONE(buf) so = BUF_INIT(64U << 20);
    if (file_read(AT_FDCWD, path, false, &so, &e) != 0)
        return false;
    scratch_write(s, name, buf_bytes(&so));
    return true;
}

static void missing_or_damaged(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    const void *ops = NULL;
    plugin_set_folder(s->path);
    assert_fails(plugin_load("http", &ops, &e), ERR_CONFIG);
    assert_non_null(strstr(e.msg, s->path));
    scratch_write(s, "http.so", BYTES_NONE);
    assert_fails(plugin_load("http", &ops, &e), ERR_CONFIG);
    scratch_write(s, "http.so",
                  BYTES_LIT("\x7f"
                            "ELF and nothing else"));
    assert_fails(plugin_load("http", &ops, &e), ERR_CONFIG);
    assert_null(ops);
    char folder[PATH_MAX + 10];
    memset(folder, 'x', sizeof(folder) - 1);
    folder[0] = '/';
    folder[sizeof(folder) - 1] = '\0';
    plugin_set_folder(folder);
    assert_fails(plugin_load("http", &ops, &e), ERR_CONFIG);
    plugin_set_folder(NULL);
    assert_fails(plugin_load("http", &ops, &e), ERR_CONFIG); /* nothing beside the test's own folder */
}

static void another_plugin(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    const void *ops = NULL;
    if (!place_plugin(s, "other.so"))
        skip_because("the plugin http was not built");
    plugin_set_folder(s->path);
    assert_fails(plugin_load("other", &ops, &e), ERR_CONFIG);
    assert_non_null(strstr(e.msg, "another version"));
    assert_null(ops);
    plugin_set_folder(NULL);
}

static void loaded_once(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    const void *ops = NULL, *again = NULL;
    if (!place_plugin(s, "http.so"))
        skip_because("the plugin http was not built");
    plugin_set_folder(s->path);
    assert_ok(plugin_load("http", &ops, &e));
    assert_non_null(ops);
    assert_int_equal(unlinkat(s->fd, "http.so", 0), 0);
    assert_ok(plugin_load("http", &again, &e));
    assert_ptr_equal(ops, again);
    plugin_set_folder(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(missing_or_damaged),
        scratch_test(another_plugin),
        scratch_test(loaded_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
