/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "tests/unit/unit.h"

#include <errno.h>

static void set_and_wrap(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(err_set(&e, ERR_DIGEST, "blob %d", 7), ERR_DIGEST);
    assert_int_equal(err_wrap(&e, "pull %s", "x"), ERR_DIGEST);
    assert_string_equal(e.msg, "pull x: blob 7");
    assert_int_equal(err_recode(&e, ERR_NOTFOUND), ERR_NOTFOUND);
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_string_equal(e.msg, "pull x: blob 7");
    assert_int_equal(err_nomem(&e), ERR_NOMEM);
}

static void cut(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    char big[2 * ERR_MSG_MAX];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    (void)err_set(&e, ERR_IO, "%s", big);
    assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
    (void)err_wrap(&e, "context");
    assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
    assert_memory_equal(e.msg, "context: xxx", 12);
    (void)err_wrap(&e, "%s", big);
    assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
    (void)err_set_errno(&e, ERR_IO, EIO, "%s", big);
    assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
}

static void from_errno(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(err_set_errno(&e, ERR_IO, ENOENT, "a"), ERR_NOTFOUND);
    assert_string_equal(e.msg, "a: No such file or directory");
    assert_int_equal(err_set_errno(&e, ERR_IO, ENOMEM, "a"), ERR_NOMEM);
    assert_int_equal(err_set_errno(&e, ERR_IO, EEXIST, "a"), ERR_EXISTS);
    assert_int_equal(err_set_errno(&e, ERR_IO, ENOSPC, "a"), ERR_IO);
    assert_int_equal(err_set_errno(&e, ERR_CONFIG, ENOENT, "a"), ERR_CONFIG);
}

/* The exit statuses that the design fixes. */
static void statuses(void **state)
{
    (void)state;
    static const struct {
        int code, status;
        const char *name;
    } want[] = {
        {0, 0, "OK"},
        {ERR_OTHER, 1, "OTHER"},
        {ERR_USAGE, 2, "USAGE"},
        {ERR_CONFIG, 2, "CONFIG"},
        {ERR_NETWORK, 3, "NETWORK"},
        {ERR_REGISTRY, 3, "REGISTRY"},
        {ERR_NOTFOUND, 4, "NOTFOUND"},
        {ERR_AUTH, 5, "AUTH"},
        {ERR_UNSIGNED, 10, "UNSIGNED"},
        {ERR_UNTRUSTED, 12, "UNTRUSTED"},
        {ERR_CERT, 13, "CERT"},
        {ERR_EXPIRED, 14, "EXPIRED"},
        {ERR_POLICY, 15, "POLICY"},
        {ERR_FORMAT, 16, "FORMAT"},
        {ERR_LIMIT, 16, "LIMIT"},
        {ERR_DIGEST, 17, "DIGEST"},
        {ERR_CAPABILITY, 18, "CAPABILITY"},
        {ERR_TIMEOUT, 124, "TIMEOUT"},
        {ERR_REFUSED, 126, "REFUSED"},
        {ERR_TRAP, 134, "TRAP"},
        {-9999, 1, "UNKNOWN"},
        {3, 1, "UNKNOWN"},
    };
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_int_equal(err_exit_status(want[i].code), want[i].status);
        assert_string_equal(err_name(want[i].code), want[i].name);
        assert_true(err_text(want[i].code)[0] != '\0');
    }
    static const int all[] = {
#define X(name, value, text, status) ERR_##name,
        ERR_CODES(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(all[i], all[k]);
}

struct said {
    unsigned n;
    char last[1200];
};

static void listen(void *ctx, enum log_level level, const char *text)
{
    struct said *s = ctx;
    s->n++;
    (void)snprintf(s->last, sizeof(s->last), "%d %s", (int)level, text);
}

static void logging(void **state)
{
    (void)state;
    struct said said = {0};
    log_warn("to nobody");
    log_set_handler(listen, &said, LOG_INFO);
    log_debug("too quiet");
    assert_int_equal(said.n, 0);
    log_info("x %d", 3);
    assert_string_equal(said.last, "1 x 3");
    log_warn("%2000s", "long");
    assert_int_equal(said.n, 2);
    assert_int_equal(strlen(said.last), 2 + 1023);
    log_handler *handler = NULL;
    void *ctx = NULL;
    enum log_level level = LOG_DEBUG;
    log_get_handler(&handler, &ctx, &level);
    assert_true(handler == listen && ctx == &said && level == LOG_INFO);
    log_set_handler(NULL, NULL, LOG_WARN);
    log_warn("to nobody");
    assert_int_equal(said.n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_and_wrap), cmocka_unit_test(cut),     cmocka_unit_test(from_errno),
        cmocka_unit_test(statuses),     cmocka_unit_test(logging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
