/* SPDX-License-Identifier: Apache-2.0 */
/* The wiping function of the C library is replaced here, so that a test sees what is wiped. */
#undef _FORTIFY_SOURCE
#include "base/buf.h"
#include "tests/unit/unit.h"

static struct {
    size_t calls, bytes;
    uint8_t first[8];
} wiped;

static void record_wipe(void *ptr, size_t len)
{
    wiped.calls++;
    wiped.bytes += len;
    memcpy(wiped.first, ptr, len < sizeof(wiped.first) ? len : sizeof(wiped.first));
    for (volatile uint8_t *p = ptr; len; len--)
        *p++ = 0;
}

void explicit_bzero(void *ptr, size_t len)
{
    record_wipe(ptr, len);
}

/* What explicit_bzero becomes with _FORTIFY_SOURCE. */
void __explicit_bzero_chk(void *ptr, size_t len, size_t room);
void __explicit_bzero_chk(void *ptr, size_t len, size_t room)
{
    assert_true(len <= room);
    record_wipe(ptr, len);
}

static void grows(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) b = BUF_INIT(100000);
    for (unsigned i = 0; i < 100000; i++)
        buf_append_u8(&b, (uint8_t)(i * 7));
    assert_ok(buf_check(&b, &e));
    assert_int_equal(b.len, 100000);
    assert_true(b.cap <= b.max + 1);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(b.ptr[i], (uint8_t)(i * 7));
    assert_int_equal(b.ptr[b.len], 0);
}

static void maximum_is_sticky(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) b = BUF_INIT(4);
    buf_append_str(&b, "abcd");
    assert_ok(buf_check(&b, &e));
    buf_append_str(&b, "");
    assert_ok(buf_check(&b, &e));
    buf_append_u8(&b, 'e');
    assert_fails(buf_check(&b, &e), ERR_LIMIT);
    assert_string_equal(e.msg, "larger than 4 bytes");
    buf_append(&b, NULL, 0);
    assert_fails(buf_check(&b, &e), ERR_LIMIT);
    assert_int_equal(b.len, 4);
    assert_null(buf_reserve(&b, 0));
    buf_reset(&b);
    assert_ok(buf_check(&b, &e));
    buf_append_str(&b, "wxyz");
    assert_string_equal(buf_cstr(&b), "wxyz");

    AUTO_DONE(buf) none = BUF_INIT(0);
    buf_append(&none, NULL, 0);
    assert_ok(buf_check(&none, &e));
    buf_append_u8(&none, 1);
    assert_fails(buf_check(&none, &e), ERR_LIMIT);
}

static void huge_request(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) b = BUF_INIT(1000);
    buf_append_str(&b, "x");
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_fails(buf_check(&b, &e), ERR_LIMIT);
#ifndef __SANITIZE_ADDRESS__ /* which aborts on what no malloc can give */
    AUTO_DONE(buf) wide = BUF_INIT(SIZE_MAX - 1);
    assert_null(buf_reserve(&wide, SIZE_MAX / 2));
    assert_fails(buf_check(&wide, &e), ERR_NOMEM);
#endif
}

static void prints(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) b = BUF_INIT(8);
    buf_printf(&b, "%s-%d", "ab", 12);
    assert_string_equal(buf_cstr(&b), "ab-12");
    buf_printf(&b, "%s", "xyz");
    assert_string_equal(buf_cstr(&b), "ab-12xyz");
    buf_printf(&b, "%s", "");
    assert_ok(buf_check(&b, &e));
    buf_printf(&b, "%c", '!');
    assert_fails(buf_check(&b, &e), ERR_LIMIT);
    assert_string_equal(buf_cstr(&b), "ab-12xyz");
}

static void hands_over(void **state)
{
    (void)state;
    AUTO_DONE(buf) b = BUF_INIT(8);
    AUTO_FREE char *empty = buf_take_str(&b);
    assert_string_equal(empty, "");
    buf_append_str(&b, "abc");
    AUTO_FREE char *text = buf_take_str(&b);
    assert_string_equal(text, "abc");
    assert_null(b.ptr);
    assert_int_equal(b.len + b.cap, 0);
    assert_string_equal(buf_cstr(&b), "");
    buf_append_str(&b, "def");
    assert_string_equal(buf_cstr(&b), "def");
}

static void leb(void **state)
{
    (void)state;
    AUTO_DONE(buf) b = BUF_INIT(16);
    buf_append_leb32(&b, 624485);
    buf_append_leb32(&b, 0);
    assert_true(bytes_eq(buf_bytes(&b), BYTES_LIT("\xe5\x8e\x26\x00")));
}

/* A secret leaves no copy behind: not when the buffer grows, not at its end. */
static void secrets(void **state)
{
    (void)state;
    memset(&wiped, 0, sizeof(wiped));
    struct buf b = BUF_SECRET_INIT(4096);
    buf_append_str(&b, "PRIVATE!");
    size_t first = b.cap;
    for (unsigned i = 0; i < 1000; i++)
        buf_append_u8(&b, 'x');
    assert_true(wiped.calls >= 1 && wiped.bytes >= first);
    assert_memory_equal(wiped.first, "PRIVATE!", 8);
    size_t calls = wiped.calls, bytes = wiped.bytes, cap = b.cap;
    buf_done(&b);
    assert_int_equal(wiped.calls, calls + 1);
    assert_int_equal(wiped.bytes, bytes + cap);
    assert_memory_equal(wiped.first, "PRIVATE!", 8);

    struct buf plain = BUF_INIT(16);
    buf_append_str(&plain, "public");
    buf_done(&plain);
    assert_int_equal(wiped.calls, calls + 1);
    buf_done(&plain);
    mem_wipe(NULL, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows),   cmocka_unit_test(maximum_is_sticky), cmocka_unit_test(huge_request),
        cmocka_unit_test(prints),  cmocka_unit_test(hands_over),        cmocka_unit_test(leb),
        cmocka_unit_test(secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
