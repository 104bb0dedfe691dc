/* SPDX-License-Identifier: Apache-2.0 */
/* A keyless bundle and its trusted root as files. Without arguments a test; with "DIGEST FOLDER" it writes
 * bundle.json, about what has that digest (64 hexadecimal digits), and root.json, for tests of the program.
 */
#include "tests/unit/sign_keyless_story.h"

#define STATEMENT                                                                                       \
    "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"digest\":{\"sha256\":\"%.64s\"}}]," \
    "\"predicateType\":\"https://sigstore.dev/cosign/sign/v1\",\"predicate\":{}}"

static void make_about(const struct world *w, const char *hex, struct made *m)
{
    char statement[512];
    (void)snprintf(statement, sizeof(statement), STATEMENT, hex);
    struct story s = a_story;
    s.envelope = true;
    s.statement = statement;
    s.kind = DSSE_1;
    make(w, &s, m);
}

static void test_made(void **state)
{
    struct err e = ERR_INIT;
    AUTO_DONE(made) m = MADE_INIT;
    AUTO(sign_root) root = NULL;
    make_about(*state, HEX, &m);
    ASSERT_OK(sign_root_parse(buf_bytes(&m.root), &root, &e));
    AUTO_DONE(outcome) o = think(&a_story, &m, root, buf_bytes(&m.bundle));
    OUTCOME(o, 0);
}

static int write_file(const char *folder, const char *name, struct bytes content)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f)
        return 1;
    size_t n = fwrite(content.ptr, 1, content.len, f);
    return fclose(f) != 0 || n != content.len;
}

static int write_files(const char *hex, const char *folder)
{
    void *world = NULL;
    AUTO_DONE(made) m = MADE_INIT;
    if (strlen(hex) != 64 || world_make(&world) != 0)
        return 2;
    make_about(world, hex, &m);
    int r = write_file(folder, "bundle.json", buf_bytes(&m.bundle)) ||
            write_file(folder, "root.json", buf_bytes(&m.root));
    (void)world_free(&world);
    return r;
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return write_files(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_made)};
    return cmocka_run_group_tests(tests, world_make, world_free);
}
