/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to compiled code: damaged modules, and a cache in which something was changed. */
#include "runner/module.h"

#include "base/log.h"
#include "runner/cache.h"
#include "runner/wat.h"
#include "tests/unit/runner_guest.h"

static unsigned warnings;

static void count_warning(void *ctx, enum log_level level, const char *text)
{
    (void)ctx, (void)text;
    warnings += level == LOG_WARN;
}

static wasm_engine_t *engine;

static int engine_setup(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    log_set_handler(count_warning, NULL, LOG_WARN);
    return runner_engine_new(&(struct runner_conf){.cache_dir = NULL}, &engine, &e);
}

static int engine_teardown(void **state)
{
    (void)state;
    wasm_engine_delete(engine);
    return 0;
}

static void binary_of(const char *name, struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) text = BUF_INIT(1U << 20);
    assert_true(guest_load(name, &text));
    assert_ok(runner_wat_parse(buf_bytes(&text), out, &e));
}

static int load(struct bytes file, const char *cache)
{
    struct err e = ERR_INIT;
    struct runner_module m;
    const struct runner_conf conf = {.cache_dir = cache};
    int r = runner_module_load(engine, file, NULL, &conf, &m, NULL, &e);
    if (r == 0)
        runner_module_done(&m);
    else
        assert_true(e.msg[0] != '\0' && !strchr(e.msg, '\n'));
    return r;
}

static void texts_are_told_from_binaries(void **state)
{
    (void)state;
    assert_true(runner_is_text(BYTES_LIT(" \n;; c\n(module)")));
    assert_true(runner_is_text(BYTES_LIT("(module)")));
    assert_false(runner_is_text(BYTES_LIT("; (module)")));
    assert_false(runner_is_text(BYTES_LIT("\0asm\1\0\0\0")));
    assert_false(runner_is_text(BYTES_LIT("ELF (")));
    assert_false(runner_is_text(BYTES_NONE));
}

static void texts_fail_with_their_place(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) out = BUF_INIT(1024);
    assert_fails(runner_wat_parse(BYTES_LIT("(module\n  (func $f\n"), &out, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, ":3:"));
    assert_fails(runner_wat_parse(BYTES_LIT("(module \xff)"), &out, &e), ERR_FORMAT);
    assert_fails(runner_wat_parse(BYTES_LIT("(module (memory 1) (data \"0123456789\" \"0123456789\"))"),
                                  &(struct buf)BUF_INIT(8), &e),
                 ERR_LIMIT);
    assert_int_equal(out.len, 0);
}

static void damaged_modules_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"trap", "component-ok"};
    assert_int_equal(load(BYTES_NONE, NULL), ERR_NOT_RUNNABLE);
    assert_int_equal(load(BYTES_LIT("\x7f"
                                    "ELF\2\1\1"),
                          NULL),
                     ERR_NOT_RUNNABLE);
    assert_int_equal(load(BYTES_LIT("\0asm\2\0\0\0"), NULL), ERR_NOT_RUNNABLE);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_DONE(buf) binary = BUF_INIT(1U << 20);
        binary_of(names[i], &binary);
        assert_int_equal(load(buf_bytes(&binary), NULL), 0);
        for (size_t n = 0; n < binary.len; n += i ? 13 : 1) {
            int cut = load(bytes_of(binary.ptr, n), NULL);
            assert_true(cut == ERR_NOT_RUNNABLE || cut == 0); /* cut between sections it may still be valid */
            binary.ptr[n] ^= 0x40;
            int flipped = load(buf_bytes(&binary), NULL);
            assert_true(flipped == ERR_NOT_RUNNABLE || flipped == 0);
            binary.ptr[n] ^= 0x40;
        }
    }
}

/* A compiled module is native code: one that comes as the module itself is not taken for a moment. */
static void compiled_code_is_not_a_module(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct runner_module m;
    wasm_byte_vec_t code;
    AUTO_DONE(buf) binary = BUF_INIT(1U << 20);
    binary_of("trap", &binary);
    const struct runner_conf conf = {.cache_dir = NULL};
    assert_ok(runner_module_load(engine, buf_bytes(&binary), NULL, &conf, &m, NULL, &e));
    assert_null(wasmtime_module_serialize(m.module, &code));
    assert_int_equal(load(bytes_of(code.data, code.size), NULL), ERR_NOT_RUNNABLE);
    wasm_byte_vec_delete(&code);
    runner_module_done(&m);
}

/* The only entry of a cache folder. */
static void entry_path(const char *cache, char path[PATH_MAX + NAME_MAX + 2])
{
    DIR *d = opendir(cache);
    assert_non_null(d);
    for (struct dirent *at; (at = readdir(d));)
        if (strlen(at->d_name) == 2 * HASH_SHA256_LEN)
            (void)snprintf(path, PATH_MAX + NAME_MAX + 2, "%s/%s", cache, at->d_name);
    (void)closedir(d);
}

static void flip_byte(const char *path, off_t at)
{
    uint8_t byte;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0xff;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
}

static void a_changed_entry_is_compiled_again(void **state)
{
    struct scratch *s = *state;
    AUTO_DONE(buf) binary = BUF_INIT(1U << 20);
    char path[PATH_MAX + NAME_MAX + 2] = "", cache[PATH_MAX];
    struct stat st;
    (void)snprintf(cache, sizeof(cache), "%s/cache", s->path);
    binary_of("trap", &binary);
    warnings = 0;
    assert_int_equal(load(buf_bytes(&binary), cache), 0);
    entry_path(cache, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(load(buf_bytes(&binary), cache), 0);
    assert_int_equal(warnings, 0);
    const off_t places[] = {0, 8, 40, 41, st.st_size / 3, st.st_size / 2, st.st_size - 1};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        flip_byte(path, places[i]);
        warnings = 0;
        assert_int_equal(load(buf_bytes(&binary), cache), 0);
        assert_int_equal(warnings, 1);
        assert_int_equal(load(buf_bytes(&binary), cache), 0);
        assert_int_equal(warnings, 1); /* it was replaced */
    }
    assert_int_equal(truncate(path, st.st_size / 2), 0);
    warnings = 0;
    assert_int_equal(load(buf_bytes(&binary), cache), 0);
    assert_int_equal(load(buf_bytes(&binary), cache), 0);
    assert_int_equal(warnings, 1);
}

/* Rightly signed, but not code of this engine: what another version may have left under the same name. */
static void authentic_nonsense_is_compiled_again(void **state)
{
    struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct runner_cache c;
    struct digest d;
    char text[DIGEST_STR_MAX], cache[PATH_MAX];
    AUTO_DONE(buf) binary = BUF_INIT(1U << 20);
    AUTO_DONE(buf) key = BUF_INIT(1024);
    (void)snprintf(cache, sizeof(cache), "%s/cache", s->path);
    binary_of("trap", &binary);
    assert_ok(hash_bytes(HASH_SHA256, buf_bytes(&binary), &d, &e));
    buf_printf(&key, "module %s ", digest_str(&d, text));
    runner_engine_identity(&(struct runner_conf){.cache_dir = cache}, &key);
    assert_ok(runner_cache_open(cache, 0, &c, &e));
    assert_ok(runner_cache_put(&c, buf_bytes(&key), BYTES_LIT("no code at all"), &e));
    runner_cache_done(&c);
    warnings = 0;
    assert_int_equal(load(buf_bytes(&binary), cache), 0);
    assert_int_equal(warnings, 1);
    assert_int_equal(load(buf_bytes(&binary), cache), 0);
    assert_int_equal(warnings, 1);
    assert_int_equal(folder_count(cache), 2);
}

/* An invalid module leaves nothing behind. */
static void only_valid_modules_are_kept(void **state)
{
    struct scratch *s = *state;
    char cache[PATH_MAX];
    (void)snprintf(cache, sizeof(cache), "%s/cache", s->path);
    assert_int_equal(load(BYTES_LIT("\0asm\1\0\0\0\1\xff"), cache), ERR_NOT_RUNNABLE);
    assert_int_equal(folder_count(cache), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_told_from_binaries),  cmocka_unit_test(texts_fail_with_their_place),
        cmocka_unit_test(damaged_modules_are_refused),   cmocka_unit_test(compiled_code_is_not_a_module),
        scratch_test(a_changed_entry_is_compiled_again), scratch_test(authentic_nonsense_is_compiled_again),
        scratch_test(only_valid_modules_are_kept),
    };
    return cmocka_run_group_tests_name("runner/module", tests, engine_setup, engine_teardown);
}
