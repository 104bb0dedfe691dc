/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"
#include "tests/unit/unit.h"

static void hex(void **state)
{
    (void)state;
    char text[16];
    uint8_t raw[8] = {0};
    assert_string_equal(hex_encode(BYTES_LIT("\x00\xab\xff"), text), "00abff");
    assert_string_equal(hex_encode(BYTES_NONE, text), "");
    assert_true(hex_decode_lower(BYTES_LIT("00abff"), raw));
    assert_memory_equal(raw, "\x00\xab\xff", 3);
    assert_true(hex_decode_lower(BYTES_NONE, raw));
    static const char *const bad[] = {"0", "0AFF", "0g", "/0", ":0", "`0", "@0", " 0", "0x00", "\2600"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(hex_decode_lower(bytes_str(bad[i]), raw));
}

/* RFC 4648 section 10, and every byte value. */
static void base64_good(void **state)
{
    (void)state;
    static const char *const rfc[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    struct err e = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(rfc); i++) {
        AUTO_DONE(buf) out = BUF_INIT(64);
        b64_encode(B64_STD, bytes_str(rfc[i][0]), &out);
        assert_string_equal(buf_cstr(&out), rfc[i][1]);
        buf_reset(&out);
        assert_ok(b64_decode(B64_STD, bytes_str(rfc[i][1]), &out, &e));
        assert_string_equal(out.len ? buf_cstr(&out) : "", rfc[i][0]);
    }
    uint8_t all[256];
    for (unsigned i = 0; i < sizeof(all); i++)
        all[i] = (uint8_t)i;
    for (size_t n = 0; n <= sizeof(all); n++) {
        for (int kind = B64_STD; kind <= B64_URL; kind++) {
            AUTO_DONE(buf) text = BUF_INIT(400);
            AUTO_DONE(buf) back = BUF_INIT(256);
            b64_encode((enum b64_kind)kind, bytes_of(all, n), &text);
            assert_ok(b64_decode((enum b64_kind)kind, buf_bytes(&text), &back, &e));
            assert_true(bytes_eq(buf_bytes(&back), bytes_of(all, n)));
        }
    }
    AUTO_DONE(buf) url = BUF_INIT(16);
    b64_encode(B64_URL, BYTES_LIT("\xfb\xff\xfe\x01"), &url);
    assert_string_equal(buf_cstr(&url), "-__-AQ");
}

static void base64_bad(void **state)
{
    (void)state;
    static const struct {
        enum b64_kind kind;
        const char *text;
    } bad[] = {
        {B64_STD, "Zg"},         {B64_STD, "Zg="},     {B64_STD, "Zg==="},  {B64_STD, "Zg==Zg=="},
        {B64_STD, "Z==="},       {B64_STD, "===="},    {B64_STD, "="},      {B64_STD, "Zm9v\n"},
        {B64_STD, "Zm9 "},       {B64_STD, " Zm9v"},   {B64_STD, "Zm\n9v"}, {B64_STD, "Zh=="},
        {B64_STD, "Zm9="},       {B64_STD, "Zm-v"},    {B64_STD, "Zm_v"},   {B64_STD, "Zg=a"},
        {B64_STD, "Z\xc3\xa9v"}, {B64_URL, "Zg=="},    {B64_URL, "Zm8="},   {B64_URL, "Z"},
        {B64_URL, "Zh"},         {B64_URL, "Zm9"},     {B64_URL, "Zm+v"},   {B64_URL, "Zm/v"},
        {B64_URL, "Zm9vY"},      {B64_URL, "Zm9v Zg"},
    };
    struct err e = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO_DONE(buf) out = BUF_INIT(64);
        assert_fails(b64_decode(bad[i].kind, bytes_str(bad[i].text), &out, &e), ERR_FORMAT);
    }
    AUTO_DONE(buf) out = BUF_INIT(64);
    assert_fails(b64_decode(B64_STD, BYTES_LIT("Zm9\0"), &out, &e), ERR_FORMAT);
    AUTO_DONE(buf) small = BUF_INIT(2);
    assert_fails(b64_decode(B64_STD, BYTES_LIT("Zm9v"), &small, &e), ERR_LIMIT);
}

/* Either alphabet and any padding, but one way of each. */
static void base64_any(void **state)
{
    (void)state;
    static const char *const good[] = {
        "", "Zg", "Zg==", "Zm8", "Zm8=", "Zm9v", "-_-_", "+/+/", "-__-AQ", "+//+AQ=="};
    static const char *const bad[] = {
        "Z",      "Zg=",    "Zg===",    "Zm8==", "====", "=",     "Zh",   "Zh==", "Zm9",
        "Zm9v\n", "\rZm9v", "Zg==Zg==", "-/-/",  "+_+_", "Zm 9v", "Zg=a", "Zm9v="};
    struct err e = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        AUTO_DONE(buf) out = BUF_INIT(64);
        assert_ok(b64_decode_any(bytes_str(good[i]), &out, &e));
        assert_int_equal(out.len, strcspn(good[i], "=") * 3 / 4);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO_DONE(buf) out = BUF_INIT(64);
        assert_fails(b64_decode_any(bytes_str(bad[i]), &out, &e), ERR_FORMAT);
    }
    AUTO_DONE(buf) out = BUF_INIT(64);
    assert_fails(b64_decode_any(BYTES_LIT("Zm9v\0"), &out, &e), ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex),
        cmocka_unit_test(base64_good),
        cmocka_unit_test(base64_bad),
        cmocka_unit_test(base64_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
