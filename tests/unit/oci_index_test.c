/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/index.h"
#include "tests/unit/unit.h"

/* An entry whose digest is made of one digit. */
#define ZEROS "000000000000000000000000000000000000000000000000000000000000000"
#define ENTRY(digit, platform) \
    "{\"mediaType\":\"" OCI_TYPE_MANIFEST "\",\"digest\":\"sha256:" ZEROS digit "\",\"size\":2" platform "}"
#define ON(os, arch)   ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"}"
#define INDEX(entries) "{\"schemaVersion\":2,\"manifests\":[" entries "]}"

#define LINUX          ENTRY("1", ON("linux", "amd64"))
#define WASIP1         ENTRY("2", ON("wasip1", "wasm"))
#define WASIP2         ENTRY("3", ON("wasip2", "wasm"))
#define WASI           ENTRY("4", ON("wasi", "wasm"))
#define SWAP           ENTRY("5", ON("wasm", "wasip1")) /* some write them the other way round */

static void chooses(void **state)
{
    (void)state;
    static const struct {
        const char *body, *platform;
        int code;
        uint8_t last; /* of the digest */
    } cases[] = {
        {INDEX(LINUX), NULL, 0, 1},
        {INDEX(LINUX), "wasip1/wasm", ERR_NOTFOUND, 0},
        {INDEX(LINUX "," WASI "," WASIP1 "," WASIP2), NULL, 0, 3},
        {INDEX(LINUX "," WASI "," WASIP1), NULL, 0, 2},
        {INDEX(WASI "," LINUX), NULL, 0, 4},
        {INDEX(LINUX "," SWAP), NULL, 0, 5},
        {INDEX(LINUX "," WASI "," WASIP1 "," WASIP2), "wasi/wasm", 0, 4},
        {INDEX(LINUX "," WASI "," WASIP1 "," WASIP2), "wasm/wasi", 0, 4},
        {INDEX(LINUX "," WASI "," WASIP1 "," WASIP2), "linux/amd64", 0, 1},
        {INDEX(WASIP1 "," SWAP), NULL, ERR_USAGE, 0},
        {INDEX(WASIP1 "," SWAP), "wasip1/wasm", ERR_USAGE, 0},
        {INDEX(WASIP1 "," WASIP1), NULL, 0, 2},
        {INDEX(WASIP1 "," WASIP2), "wasip3/wasm", ERR_NOTFOUND, 0},
        {INDEX(WASIP1 "," WASIP2), "wasip1/", ERR_NOTFOUND, 0},
        {INDEX(WASIP1 "," WASIP2), "/", ERR_NOTFOUND, 0},
        {INDEX(WASIP1 "," WASIP2), "wasm", ERR_USAGE, 0},
        {INDEX(WASIP1 "," WASIP2), "", ERR_USAGE, 0},
        {INDEX(ENTRY("6", "") "," ENTRY("7", "")), NULL, ERR_NOTFOUND, 0},
        {INDEX(""), NULL, ERR_NOTFOUND, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_manifest) m = {.doc = NULL};
        const struct oci_desc *entry = NULL;
        assert_ok(oci_manifest_parse(bytes_str(cases[i].body), NULL, &m, &e));
        int r = oci_index_choose(&m, cases[i].platform, &entry, &e);
        assert_int_equal(r, cases[i].code);
        assert_int_equal(entry != NULL, r == 0);
        if (entry)
            assert_int_equal(entry->digest.value[31], cases[i].last);
    }
}

static void platforms_are_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {
        INDEX(ENTRY("1", ",\"platform\":[]")),
        INDEX(ENTRY("1", ",\"platform\":{\"os\":1}")),
        INDEX(ENTRY("1", ",\"platform\":{\"os\":\"a\",\"architecture\":{}}")),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = ERR_INIT;
        struct oci_manifest m;
        assert_fails(oci_manifest_parse(bytes_str(bad[i]), NULL, &m, &e), ERR_FORMAT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses),
        cmocka_unit_test(platforms_are_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
