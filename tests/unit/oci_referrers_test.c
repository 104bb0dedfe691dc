/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of referrers: what is kept, in which order, under which tag. */
#include "oci/referrers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct oci_desc numbered(unsigned n)
{
    struct oci_desc d = {.media_type = OCI_TYPE_MANIFEST, .size = n};
    for (size_t i = 0; i < 4; i++)
        d.digest.value[i] = (uint8_t)(n >> (24 - 8 * i));
    return d;
}

static void add(struct oci_referrers *r, unsigned n, const char *type)
{
    struct err e = ERR_INIT;
    const struct oci_desc d = numbered(n);
    assert_int_equal(oci_referrers_add(r, &d, type, NULL, &e), 0);
}

static void test_order_and_duplicates(void **state)
{
    (void)state;
    AUTO_DONE(oci_referrers) r = OCI_REFERRERS_INIT;
    add(&r, 3, "b/b");
    add(&r, 1, "b/b");
    add(&r, 2, "a/a");
    add(&r, 3, "z/other"); /* the first that was added stays */
    add(&r, 4, NULL);
    oci_referrers_settle(&r);
    const unsigned want[] = {4, 2, 1, 3};
    assert_int_equal(r.n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(r.all[i].size, want[i]);
    assert_null(oci_referrers_text(&r, r.all[0].artifact_type));
    assert_string_equal(oci_referrers_text(&r, r.all[3].artifact_type), "b/b");
    assert_string_equal(oci_referrers_text(&r, r.all[3].media_type), OCI_TYPE_MANIFEST);
    const struct digest d = numbered(2).digest, none = numbered(9).digest;
    assert_ptr_equal(oci_referrers_find(&r, &d), &r.all[1]);
    assert_null(oci_referrers_find(&r, &none));
}

static void test_annotations(void **state)
{
    (void)state;
    AUTO_DONE(oci_referrers) r = OCI_REFERRERS_INIT;
    AUTO(jdoc) doc = NULL;
    struct err e = ERR_INIT;
    const struct oci_desc d = numbered(1);
    assert_int_equal(jdoc_parse(BYTES_LIT("{\"k\": \"v\\u0007\"}"), &doc, &e), 0);
    assert_int_equal(oci_referrers_add(&r, &d, "a/b", jdoc_root(doc), &e), 0);
    assert_int_equal(oci_referrers_add(&r, &d, "a/b", NULL, &e), 0);
    assert_string_equal(oci_referrers_text(&r, r.all[0].annotations), "{\"k\":\"v\\u0007\"}");
    assert_null(oci_referrers_text(&r, r.all[1].annotations));
}

static void test_append(void **state)
{
    (void)state;
    AUTO_DONE(oci_referrers) r = OCI_REFERRERS_INIT;
    AUTO_DONE(oci_referrers) more = OCI_REFERRERS_INIT;
    struct err e = ERR_INIT;
    add(&more, 1, "a/b");
    assert_int_equal(oci_referrers_append(&r, &more, &e), 0);
    assert_int_equal(r.n, 1);
    assert_int_equal(more.n, 0);
    add(&more, 1, "x/y");
    add(&more, 2, "c/d");
    assert_int_equal(oci_referrers_append(&r, &more, &e), 0);
    oci_referrers_settle(&r);
    assert_int_equal(r.n, 2);
    assert_string_equal(oci_referrers_text(&r, r.all[0].artifact_type), "a/b");
    assert_string_equal(oci_referrers_text(&r, r.all[1].artifact_type), "c/d");
}

/* What most entries say alike is kept once, and there is an end. */
static void test_many(void **state)
{
    (void)state;
    AUTO_DONE(oci_referrers) r = OCI_REFERRERS_INIT;
    struct err e = ERR_INIT;
    for (unsigned n = 0; n < LIMIT_REFERRERS; n++)
        add(&r, LIMIT_REFERRERS - n, "a/b");
    assert_true(r.text.len < 100);
    const struct oci_desc d = numbered(0);
    assert_int_equal(oci_referrers_add(&r, &d, "a/b", NULL, &e), ERR_LIMIT);
    oci_referrers_settle(&r);
    assert_int_equal(r.n, LIMIT_REFERRERS);
    assert_int_equal(r.all[0].size, 1);
}

static void test_text_limit(void **state)
{
    (void)state;
    AUTO_DONE(oci_referrers) r = OCI_REFERRERS_INIT;
    AUTO_DONE(buf) long_type = BUF_INIT(2U << 20);
    struct err e = ERR_INIT;
    int x = 0;
    for (size_t i = 0; i < 1U << 20; i++)
        buf_append_u8(&long_type, 'x');
    for (unsigned n = 0; !x && n < 64; n++) {
        const struct oci_desc d = numbered(n);
        long_type.ptr[0] = (uint8_t)('a' + n % 2);
        x = oci_referrers_add(&r, &d, buf_cstr(&long_type), NULL, &e);
    }
    assert_int_equal(x, ERR_LIMIT);
}

static void test_tag(void **state)
{
    (void)state;
    struct digest d = {.alg = HASH_SHA256, .value = {0xab}};
    char tag[OCI_REFERRERS_TAG_MAX];
    assert_string_equal(oci_referrers_tag(&d, tag),
                        "sha256-ab00000000000000000000000000000000000000000000000000000000000000");
    d.alg = HASH_SHA512; /* cut to 64 characters of hex */
    assert_string_equal(oci_referrers_tag(&d, tag),
                        "sha512-ab00000000000000000000000000000000000000000000000000000000000000");
}

static void test_wanted(void **state)
{
    (void)state;
    assert_true(oci_referrers_wanted("a/b", NULL));
    assert_true(oci_referrers_wanted("a/b", "a/b"));
    assert_false(oci_referrers_wanted("a/b", "a/c"));
    assert_true(oci_referrers_wanted(NULL, "a/c"));
    assert_true(oci_referrers_wanted("", "a/c"));
    assert_true(oci_referrers_wanted(OCI_TYPE_EMPTY, "a/c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_duplicates),
        cmocka_unit_test(test_annotations),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_text_limit),
        cmocka_unit_test(test_tag),
        cmocka_unit_test(test_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
