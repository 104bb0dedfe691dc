/* SPDX-License-Identifier: Apache-2.0 */
/* DSSE: the vector of its protocol document, and envelopes that must not be taken. */
#include "sign/dsse.h"
#include "tests/unit/sign_sigstore_fixture.h"

static void pae(const char *type, const char *payload, const char *want)
{
    struct err e = ERR_INIT;
    struct bytes body = bytes_str(payload);
    AUTO_DONE(buf) out = BUF_INIT(sign_dsse_pae_max(type, body));
    sign_dsse_pae(type, body, &out);
    ASSERT_OK(buf_check(&out, &e));
    assert_string_equal(buf_cstr(&out), want);
}

static void test_pae(void **state)
{
    (void)state;
    pae("http://example.com/HelloWorld", "hello world",
        "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    pae("", "", "DSSEv1 0  0 ");
    /* lengths count bytes and not characters */
    pae("t\xc3\xa4", "\xe2\x82\xac", "DSSEv1 3 t\xc3\xa4 3 \xe2\x82\xac");
    /* a blank in the type does not move the border */
    pae("a 1 b", "c", "DSSEv1 5 a 1 b 1 c");
}

/* secure-systems-lab/dsse, protocol.md, "Test Vectors": d, X and Y in hexadecimal; r and s as
 * Ecdsa-Sig-Value. */
static void test_protocol_vector(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    AUTO_DONE(buf) signature = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    uint8_t d[32], point[65], want[80];
    struct bytes expected = unhex("3044022003726ab101ad56c2763b6c6aac8e487275e2a79193a09dc5f859d9f8ef3c4a"
                                  "3b022051eab0c06a369b64a7222537d4887a893dc200ae21060074d57825235b624864",
                                  want);
    ASSERT_OK(sign_key_new_private(
        &sign_alg_p256, unhex("d73ec437fd6346e3619c5ebfdfff0f6916804955ad32ac9ac492b0ede1f6ffb7", d),
        unhex("04"
              "67cd390f77aa359cb08c2235f652270493a9ed832b0abcc01f70954c0390d238"
              "0c782bd54e269125a44f4433aff1432ce94e12bca73aa67ac80cea12608ddf74",
              point),
        &k, &e));
    ASSERT_OK(sign_dsse_sign(k, "http://example.com/HelloWorld", BYTES_LIT("hello world"), &signature, &e));
    assert_true(bytes_eq(buf_bytes(&signature), expected));

    static const char envelope[] = "{\"payload\": \"aGVsbG8gd29ybGQ=\", \"payloadType\": "
                                   "\"http://example.com/HelloWorld\", \"signatures\": [{\"sig\": "
                                   "\"MEQCIANyarEBrVbCdjtsaqyOSHJ14qeRk6CdxfhZ2fjvPEo7AiBR6rDAajabZKciJTfUiHq"
                                   "JPcIAriEGAHTVeCUjW2JIZA==\"}]}";
    AUTO_DONE(sign_dsse) parsed = SIGN_DSSE_INIT;
    ASSERT_OK(sign_dsse_parse(BYTES_LIT(envelope), &parsed, &e));
    assert_string_equal(parsed.payload_type, "http://example.com/HelloWorld");
    assert_string_equal(parsed.key_id, "");
    assert_true(bytes_eq(buf_bytes(&parsed.payload), BYTES_LIT("hello world")));
    assert_true(bytes_eq(buf_bytes(&parsed.signature), expected));
}

static int parse(const char *text)
{
    struct err e = ERR_INIT;
    AUTO_DONE(sign_dsse) d = SIGN_DSSE_INIT;
    int r = sign_dsse_parse(bytes_str(text), &d, &e);
    assert_int_equal(r != 0, e.msg[0] != '\0');
    return r;
}

#define WITH(payload, rest) "{\"payload\":\"" payload "\",\"payloadType\":\"t\"," rest "}"
#define ONE                 "\"signatures\":[{\"sig\":\"AA==\"}]"

static void test_base64(void **state)
{
    (void)state;
    assert_int_equal(parse(WITH("-_-_", ONE)), 0); /* either alphabet, */
    assert_int_equal(parse(WITH("+/+/", ONE)), 0);
    assert_int_equal(parse(WITH("AAA", ONE)), 0); /* padded or not */
    assert_int_equal(parse(WITH("AAA=", ONE)), 0);
    assert_int_equal(parse(WITH("", ONE)), 0);
    static const char *const bad[] = {
        WITH("-/-/", ONE), WITH("+_+_", ONE), WITH("AAAA\\n", ONE),  WITH("AA\\r\\nAA", ONE),
        WITH(" AAA", ONE), WITH("AAB=", ONE), WITH("AAB", ONE),      WITH("AB==", ONE),
        WITH("AA=", ONE),  WITH("A===", ONE), WITH("AA==AA==", ONE), WITH("A", ONE),
        WITH("=", ONE),    WITH("AA=A", ONE),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (parse(bad[i]) != ERR_FORMAT)
            fail_msg("taken: %s", bad[i]);
}

static void test_shape(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "null",
        "{}",
        WITH("AAAA", "\"signatures\":[]"),
        WITH("AAAA", "\"signatures\":[{\"sig\":\"AA==\"},{\"sig\":\"AA==\"}]"),
        WITH("AAAA", "\"signatures\":[null]"),
        WITH("AAAA", "\"signatures\":[\"AA==\"]"),
        WITH("AAAA", "\"signatures\":[{}]"),
        WITH("AAAA", "\"signatures\":[{\"sig\":1}]"),
        WITH("AAAA", "\"signatures\":[{\"sig\":\"AA==\",\"keyid\":1}]"),
        WITH("AAAA", "\"signatures\":{\"sig\":\"AA==\"}"),
        WITH("AAAA", "\"signature\":[{\"sig\":\"AA==\"}]"),
        WITH("AAAA", "\"payload\":\"AAAA\"," ONE),
        WITH("AAAA", ONE) "x",
        WITH("AAAA", ONE) "{}",
        "\xef\xbb\xbf" WITH("AAAA", ONE),
        "{\"payload\":1,\"payloadType\":\"t\"," ONE "}",
        "{\"payload\":\"AAAA\"," ONE "}",
        "{\"payload\":\"AAAA\",\"payloadType\":\"a\\u0000b\"," ONE "}",
        "{\"payload\":\"AAAA\",\"payloadType\":\"\xff\"," ONE "}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (parse(bad[i]) != ERR_FORMAT)
            fail_msg("taken: %s", bad[i]);
    /* envelope.md: members that are not known are passed over */
    assert_int_equal(parse(WITH("AAAA", "\"other\":1," ONE)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pae),
        cmocka_unit_test(test_protocol_vector),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
