/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/registries.h"
#include "tests/unit/unit.h"

static const char conf_text[] = "unqualified-search-registries = [\"first.example/\", \"second.example\"]\n"
                                "short-name-mode = \"enforcing\"\n"
                                "[[registry]]\n"
                                "prefix = \"example.com\"\n"
                                "location = \"inner.example/all\"\n"
                                "[[registry.mirror]]\n"
                                "location = \"mirror-a.example/x\"\n"
                                "[[registry.mirror]]\n"
                                "location = \"mirror-b.example\"\n"
                                "insecure = true\n"
                                "pull-from-mirror = \"digest-only\"\n"
                                "[[registry]]\n"
                                "location = \"example.com/team\"\n"
                                "mirror-by-digest-only = true\n"
                                "[[registry.mirror]]\n"
                                "location = \"team.example\"\n"
                                "[[registry]]\n"
                                "prefix = \"*.wild.example\"\n"
                                "insecure = true\n"
                                "[[registry]]\n"
                                "prefix = \"bad.example\"\n"
                                "blocked = true\n"
                                "[aliases]\n"
                                "\"tool\" = \"alias.example/tools/tool\"\n"
                                "\"gone\" = \"alias.example/gone\"\n"
                                "\"a/b\" = \"alias.example/ab\"\n";

static const char later_text[] = "unqualified-search-registries = [\"only.example\"]\n"
                                 "[[registry]]\n"
                                 "prefix = \"bad.example\"\n"
                                 "[aliases]\n"
                                 "\"gone\" = \"\"\n";

static void load(struct oci_registries *reg, const char *text)
{
    struct err e = ERR_INIT;
    assert_int_equal(oci_registries_add(reg, bytes_str(text), "registries.conf", &e), 0);
}

#define DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

/* What is tried for a reference, in order: "trust:reference" joined by blanks. */
static void tried(const struct oci_registries *reg, const char *text, const char *want)
{
    static const char trust[] = {
        [OCI_TRUST_TLS] = 't', [OCI_TRUST_UNVERIFIED] = 'u', [OCI_TRUST_PLAIN] = 'p'};
    struct err e = ERR_INIT;
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    AUTO_DONE(oci_candidates) c = {NULL, 0};
    AUTO_DONE(buf) got = BUF_INIT(4096);
    assert_int_equal(oci_ref_parse(text, &ref, &e), 0);
    assert_int_equal(oci_registries_candidates(reg, &ref, &c, &e), 0);
    for (size_t i = 0; i < c.n; i++) {
        buf_printf(&got, "%s%c:", i ? " " : "", trust[c.list[i].trust]);
        oci_ref_str(&c.list[i].ref, &got);
    }
    assert_string_equal(buf_cstr(&got), want);
}

static void candidates(void **state)
{
    (void)state;
    AUTO_DONE(oci_registries) reg = {0};
    load(&reg, conf_text);
    tried(&reg, "other.example/a:1", "t:other.example/a:1");
    tried(&reg, "example.com/a/b:1", "t:mirror-a.example/x/a/b:1 t:inner.example/all/a/b:1");
    tried(&reg, "example.com/a@" DIGEST,
          "t:mirror-a.example/x/a@" DIGEST " u:mirror-b.example/a@" DIGEST " p:mirror-b.example/a@" DIGEST
          " t:inner.example/all/a@" DIGEST);
    tried(&reg, "example.com/team/a:1", "t:example.com/team/a:1");
    tried(&reg, "example.com/team/a@" DIGEST, "t:team.example/a@" DIGEST " t:example.com/team/a@" DIGEST);
    tried(&reg, "example.com/teams:1", "t:mirror-a.example/x/teams:1 t:inner.example/all/teams:1");
    tried(&reg, "example.com:5000/a:1", "t:example.com:5000/a:1");
    tried(&reg, "a.b.wild.example/c:1", "u:a.b.wild.example/c:1 p:a.b.wild.example/c:1");
    tried(&reg, "wild.example/c:1", "t:wild.example/c:1");
    tried(&reg, "xwild.example/c:1", "t:xwild.example/c:1");
}

static void blocked(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(oci_registries) reg = {0};
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    AUTO_DONE(oci_candidates) c = {NULL, 0};
    assert_int_equal(oci_ref_parse("bad.example/a:1", &ref, &e), 0);
    load(&reg, conf_text);
    assert_int_equal(oci_registries_candidates(&reg, &ref, &c, &e), ERR_POLICY);
    assert_non_null(strstr(e.msg, "bad.example"));
    load(&reg, later_text); /* the later file's rule for the prefix takes the place of the earlier one's */
    assert_int_equal(oci_registries_candidates(&reg, &ref, &c, &e), 0);
    assert_int_equal(c.n, 1);
}

static void short_is(const struct oci_registries *reg, const char *text, const char *want)
{
    struct err e = ERR_INIT;
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    AUTO_DONE(buf) got = BUF_INIT(4096);
    assert_int_equal(oci_ref_parse(text, &ref, &e), 0);
    assert_true(ref.short_name);
    assert_int_equal(oci_registries_short(reg, &ref, &e), 0);
    oci_ref_str(&ref, &got);
    assert_string_equal(buf_cstr(&got), want);
}

static void short_names(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(oci_registries) reg = {0};
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    short_is(&reg, "tool:1", "docker.io/library/tool:1");
    load(&reg, conf_text);
    short_is(&reg, "tool:1", "alias.example/tools/tool:1");
    short_is(&reg, "tool@" DIGEST, "alias.example/tools/tool@" DIGEST);
    short_is(&reg, "a/b:2", "alias.example/ab:2");
    short_is(&reg, "gone:1", "alias.example/gone:1");
    assert_int_equal(oci_ref_parse("nowhere:1", &ref, &e), 0);
    assert_int_equal(oci_registries_short(&reg, &ref, &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "first.example"));
    load(&reg, later_text);
    short_is(&reg, "nowhere:1", "only.example/nowhere:1");
    short_is(&reg, "gone:1", "only.example/gone:1");
    short_is(&reg, "c/d:1", "only.example/c/d:1");
}

static void refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "unqualified-search-registries = \"docker.io\"\n",
        "unqualified-search-registries = [1]\n",
        "[registry]\n",
        "[[registry]]\n",
        "[[registry]]\nprefix = 1\n",
        "[[registry]]\nlocation = \"https://a.example\"\n",
        "[[registry]]\nprefix = \"a.example\"\nblocked = \"yes\"\n",
        "[[registry]]\nprefix = \"a.example\"\ninsecure = 1\n",
        "[[registry]]\nprefix = \"a.example\"\n[[registry.mirror]]\n",
        "[[registry]]\nprefix = \"a\"\n[[registry.mirror]]\nlocation = \"b\"\npull-from-mirror = \"c\"\n",
        "[aliases]\n\"a\" = 1\n",
        "aliases = []\n",
        "[[registry]\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_registries) reg = {0};
        assert_int_equal(oci_registries_add(&reg, bytes_str(texts[i]), "registries.conf", &e), ERR_CONFIG);
        assert_non_null(strstr(e.msg, "registries.conf"));
    }
}

/* A rule that makes no reference of a name is the file's mistake. */
static void no_reference(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(oci_registries) reg = {0};
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    AUTO_DONE(oci_candidates) c = {NULL, 0};
    load(&reg, "[[registry]]\nprefix = \"a.example\"\nlocation = \"NO SUCH\"\n");
    assert_int_equal(oci_ref_parse("a.example/b:1", &ref, &e), 0);
    assert_int_equal(oci_registries_candidates(&reg, &ref, &c, &e), ERR_CONFIG);
    AUTO_DONE(oci_registries) nameless = {0};
    load(&nameless, "[[registry]]\nprefix = \"a.example\"\nlocation = \"short\"\n");
    assert_int_equal(oci_registries_candidates(&nameless, &ref, &c, &e), ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates), cmocka_unit_test(blocked),      cmocka_unit_test(short_names),
        cmocka_unit_test(refused),    cmocka_unit_test(no_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
