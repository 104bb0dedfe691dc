/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "oci/docker.h"
#include "tests/unit/unit.h"

static int parse(const char *text, struct oci_docker_list *l, struct err *e)
{
    return oci_docker_parse(bytes_str(text), l, e);
}

static void good(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(oci_docker_list) l = {.doc = NULL};
    assert_ok(parse("[{\"Config\":\"c\",\"RepoTags\":[\"a:1\"],\"Layers\":[\"x\",\"y\"]},"
                    "{\"Config\":\"d\",\"RepoTags\":null,\"Layers\":null,\"Other\":7}]",
                    &l, &e));
    assert_int_equal(l.n, 2);
    assert_string_equal(l.images[0].config, "c");
    assert_int_equal(jarr_len(l.images[0].layers), 2);
    assert_int_equal(jarr_len(l.images[0].tags), 1);
    assert_string_equal(l.images[1].config, "d");
    assert_int_equal(jarr_len(l.images[1].layers), 0);
    assert_int_equal(jarr_len(l.images[1].tags), 0);
}

static void bad(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "[",
        "[]x",
        "[1]",
        "[{}]",
        "[{\"Config\":1}]",
        "[{\"Config\":\"c\",\"Layers\":\"x\"}]",
        "[{\"Config\":\"c\",\"Layers\":[1]}]",
        "[{\"Config\":\"c\",\"RepoTags\":{}}]",
        "[{\"Config\":\"c\",\"RepoTags\":[null]}]",
        "[{\"Config\":\"c\",\"Config\":\"d\"}]",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_docker_list) l = {.doc = NULL};
        assert_fails(parse(texts[i], &l, &e), ERR_FORMAT);
        assert_null(l.doc);
    }
}

/* "[item,item,...]" with one more than is allowed, and with as many as are. */
static void limits(void **state)
{
    (void)state;
    static const struct {
        const char *head, *item, *tail;
        size_t most;
    } cases[] = {
        {"[", "{\"Config\":\"c\"}", "]", LIMIT_MANIFESTS},
        {"[{\"Config\":\"c\",\"Layers\":[", "\"x\"", "]}]", LIMIT_LAYERS},
        {"[{\"Config\":\"c\",\"RepoTags\":[", "\"x\"", "]}]", LIMIT_MANIFESTS},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t extra = 0; extra < 2; extra++) {
            struct err e = ERR_INIT;
            AUTO_DONE(buf) text = BUF_INIT(1U << 20);
            AUTO_DONE(oci_docker_list) l = {.doc = NULL};
            buf_append_str(&text, cases[i].head);
            for (size_t n = 0; n < cases[i].most + extra; n++)
                buf_printf(&text, "%s%s", n ? "," : "", cases[i].item);
            buf_append_str(&text, cases[i].tail);
            assert_fails(oci_docker_parse(buf_bytes(&text), &l, &e), extra ? ERR_LIMIT : 0);
        }
    }
}

static void tags(void **state)
{
    (void)state;
    static const struct {
        const char *name, *tag;
    } cases[] = {
        {"a:1", "1"},
        {"docker.io/a/b:v1.0", "v1.0"},
        {"localhost:5000/a", NULL},
        {"localhost:5000/a:x", "x"},
        {"a", NULL},
        {"", NULL},
        {"a:", NULL},
        {"a:-x", NULL},
        {"a:b c", NULL},
        {"a:\x1b[2J", NULL},
        {":x", "x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *tag = oci_docker_tag(cases[i].name);
        if (cases[i].tag)
            assert_string_equal(tag, cases[i].tag);
        else
            assert_null(tag);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(bad),
        cmocka_unit_test(limits),
        cmocka_unit_test(tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
