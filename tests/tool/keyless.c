/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A keyless signature for tests of the program, by an authority and a log of its own. Usage: keyless HEX, the
 * SHA-256 digest of a manifest: writes bundle.json and trusted_root.json into the working folder, and prints
 * subject, issuer and the time of signing (seconds since 1970), a line each.
 */
#include "tests/unit/sign_keyless_story.h"

static const char *digest;

static void write_file(const char *path, struct bytes content)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(content.ptr, 1, content.len, f), content.len);
    assert_int_equal(fclose(f), 0);
}

static void write_story(void **state)
{
    char statement[512];
    struct story s = a_story;
    AUTO_DONE(made) m = MADE_INIT;
    (void)snprintf(
        statement, sizeof(statement),
        "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"digest\":{\"sha256\":\"%s\"}}],"
        "\"predicateType\":\"https://sigstore.dev/cosign/sign/v1\",\"predicate\":{}}",
        digest);
    s.envelope = true;
    s.kind = DSSE_1;
    s.statement = statement;
    make(*state, &s, &m);
    write_file("bundle.json", buf_bytes(&m.bundle));
    write_file("trusted_root.json", buf_bytes(&m.root));
    printf("%s\n%s\n%lld\n", SUBJECT, ISSUER, (long long)T0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(write_story)};
    if (argc != 2 || strlen(argv[1]) != 64)
        return 2;
    digest = argv[1];
    return cmocka_run_group_tests(tests, world_make, world_free);
}
