/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/ref.h"
#include "tests/unit/unit.h"

#define HEX64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA256 "sha256:" HEX64
#define SHA512 "sha512:" HEX64 HEX64

static const struct {
    const char *text;
    enum oci_ref_kind kind;
    const char *host, *path, *tag;
    bool digest;
    const char *canonical; /* NULL: the text itself */
} good_texts[] = {
    /* docker.io and its defaults */
    {"alpine", OCI_REF_REGISTRY, "docker.io", "library/alpine", "latest", false,
     "docker.io/library/alpine:latest"},
    {"alpine:3", OCI_REF_REGISTRY, "docker.io", "library/alpine", "3", false, "docker.io/library/alpine:3"},
    {"me/app", OCI_REF_REGISTRY, "docker.io", "me/app", "latest", false, "docker.io/me/app:latest"},
    {"docker.io/alpine", OCI_REF_REGISTRY, "docker.io", "library/alpine", "latest", false,
     "docker.io/library/alpine:latest"},
    {"Docker.IO/me/app:1", OCI_REF_REGISTRY, "docker.io", "me/app", "1", false, "docker.io/me/app:1"},
    {"index.docker.io/alpine", OCI_REF_REGISTRY, "docker.io", "library/alpine", "latest", false,
     "docker.io/library/alpine:latest"},
    {"alpine@" SHA256, OCI_REF_REGISTRY, "docker.io", "library/alpine", "", true,
     "docker.io/library/alpine@" SHA256},
    {"host:5000", OCI_REF_REGISTRY, "docker.io", "library/host", "5000", false,
     "docker.io/library/host:5000"},
    {"a/b/c", OCI_REF_REGISTRY, "docker.io", "a/b/c", "latest", false, "docker.io/a/b/c:latest"},
    /* hosts */
    {"localhost/app:1", OCI_REF_REGISTRY, "localhost", "app", "1", false, NULL},
    {"LOCALHOST/app:1", OCI_REF_REGISTRY, "localhost", "app", "1", false, "localhost/app:1"},
    {"ghcr.io/o/n:v1", OCI_REF_REGISTRY, "ghcr.io", "o/n", "v1", false, NULL},
    {"GHCR.io/o/n:V1", OCI_REF_REGISTRY, "ghcr.io", "o/n", "V1", false, "ghcr.io/o/n:V1"},
    {"reg:5000/n:v1", OCI_REF_REGISTRY, "reg:5000", "n", "v1", false, NULL},
    {"reg:65535/n:v1", OCI_REF_REGISTRY, "reg:65535", "n", "v1", false, NULL},
    {"127.0.0.1:5000/n:v1", OCI_REF_REGISTRY, "127.0.0.1:5000", "n", "v1", false, NULL},
    {"[::1]:5000/n:v1", OCI_REF_REGISTRY, "[::1]:5000", "n", "v1", false, NULL},
    {"[2001:DB8::1]/n:v1", OCI_REF_REGISTRY, "[2001:db8::1]", "n", "v1", false, "[2001:db8::1]/n:v1"},
    {"[::ffff:192.0.2.128]:443/n:v1", OCI_REF_REGISTRY, "[::ffff:192.0.2.128]:443", "n", "v1", false, NULL},
    {"a-b.c--d.e/n:v1", OCI_REF_REGISTRY, "a-b.c--d.e", "n", "v1", false, NULL},
    /* tags and digests */
    {"r.io/n:v1@" SHA256, OCI_REF_REGISTRY, "r.io", "n", "v1", true, NULL},
    {"r.io/n@" SHA512, OCI_REF_REGISTRY, "r.io", "n", "", true, NULL},
    {"r.io/n:_", OCI_REF_REGISTRY, "r.io", "n", "_", false, NULL},
    {"r.io/n:A.b-C_9", OCI_REF_REGISTRY, "r.io", "n", "A.b-C_9", false, NULL},
    /* repositories */
    {"r.io/a.b_c__d-e---f/0:t", OCI_REF_REGISTRY, "r.io", "a.b_c__d-e---f/0", "t", false, NULL},
    /* layouts */
    {"oci:dir", OCI_REF_LAYOUT, "", "dir", "", false, NULL},
    {"oci:dir:v1", OCI_REF_LAYOUT, "", "dir", "v1", false, NULL},
    {"oci:/a/b.c:v1@" SHA256, OCI_REF_LAYOUT, "", "/a/b.c", "v1", true, NULL},
    {"oci:./x", OCI_REF_LAYOUT, "", "./x", "", false, NULL},
    {"oci:a:b/c", OCI_REF_LAYOUT, "", "a:b/c", "", false, NULL},
    {"oci:a:b/c:v1", OCI_REF_LAYOUT, "", "a:b/c", "v1", false, NULL},
    {"oci:dir/:v1", OCI_REF_LAYOUT, "", "dir/", "v1", false, NULL},
    {"oci:me@home", OCI_REF_LAYOUT, "", "me@home", "", false, NULL},
    {"oci:me@shared:v1", OCI_REF_LAYOUT, "", "me@shared", "v1", false, NULL},
    {"oci:Ger\xc3\xa4t UPPER", OCI_REF_LAYOUT, "", "Ger\xc3\xa4t UPPER", "", false, NULL},
    /* archives: names as of layouts */
    {"oci-archive:a.tar", OCI_REF_ARCHIVE, "", "a.tar", "", false, NULL},
    {"oci-archive:/x/a.tar:v1@" SHA256, OCI_REF_ARCHIVE, "", "/x/a.tar", "v1", true, NULL},
    {"oci-archive:a:b/c.tar", OCI_REF_ARCHIVE, "", "a:b/c.tar", "", false, NULL},
    {"oci-archive:a:b.tar", OCI_REF_ARCHIVE, "", "a", "b.tar", false, NULL},
    {"oci-archive:me@home.tar", OCI_REF_ARCHIVE, "", "me@home.tar", "", false, NULL},
    {"oci-archive:-", OCI_REF_ARCHIVE, "", "-", "", false, NULL},
    {"oci-archive", OCI_REF_REGISTRY, "docker.io", "library/oci-archive", "latest", false,
     "docker.io/library/oci-archive:latest"},
    /* folders over SSH */
    {"sftp://h/d", OCI_REF_SFTP, "h", "/d", "", false, NULL},
    {"sftp://h/", OCI_REF_SFTP, "h", "/", "", false, NULL},
    {"sftp://me@Host.Example:2222/srv/lay:v1@" SHA256, OCI_REF_SFTP, "host.example:2222", "/srv/lay", "v1",
     true, "sftp://me@host.example:2222/srv/lay:v1@" SHA256},
    {"sftp://my_server/d:1", OCI_REF_SFTP, "my_server", "/d", "1", false, NULL},
    {"sftp://me@[2001:db8::1]:22/d", OCI_REF_SFTP, "[2001:db8::1]:22", "/d", "", false, NULL},
    {"sftp://h/~/d", OCI_REF_SFTP, "h", "/~/d", "", false, NULL},
    {"sftp://h/a%20b/$(c)", OCI_REF_SFTP, "h", "/a%20b/$(c)", "", false, NULL},
    {"sftp://h/me@home", OCI_REF_SFTP, "h", "/me@home", "", false, NULL},
    {"sftp://h/a:b/c", OCI_REF_SFTP, "h", "/a:b/c", "", false, NULL},
    {"sftp:22", OCI_REF_REGISTRY, "docker.io", "library/sftp", "22", false, "docker.io/library/sftp:22"},
};

static void good(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good_texts); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_ref) ref = {.host = NULL};
        AUTO_DONE(buf) text = BUF_INIT(4096);
        int r = oci_ref_parse(good_texts[i].text, &ref, &e);
        if (r)
            print_message("# %s: %s\n", good_texts[i].text, e.msg);
        assert_int_equal(r, 0);
        assert_int_equal(ref.kind, good_texts[i].kind);
        assert_string_equal(ref.host, good_texts[i].host);
        assert_string_equal(ref.path, good_texts[i].path);
        assert_string_equal(ref.tag, good_texts[i].tag);
        assert_int_equal(ref.has_digest, good_texts[i].digest);
        oci_ref_str(&ref, &text);
        assert_string_equal(buf_cstr(&text),
                            good_texts[i].canonical ? good_texts[i].canonical : good_texts[i].text);

        AUTO_FREE char *full = NULL;
        AUTO_FREE char *repo = NULL;
        AUTO_DONE(oci_ref) again = {.host = NULL};
        assert_ok(oci_ref_names(&ref, &full, &repo, &e));
        assert_string_equal(full, buf_cstr(&text));
        assert_ok(oci_ref_parse(full, &again, &e)); /* canonical text means the same */
        assert_true(strcmp(again.host, ref.host) == 0 && strcmp(again.path, ref.path) == 0 &&
                    strcmp(again.tag, ref.tag) == 0 && again.has_digest == ref.has_digest);
        buf_reset(&text);
        oci_ref_repo_str(&ref, &text);
        assert_string_equal(buf_cstr(&text), repo);
    }
}

static const char *const bad_texts[] = {
    "",
    ":",
    "@",
    "/",
    ":tag",
    "@" SHA256,
    "r.io/",
    "r.io//n",
    "/n",
    "r.io/n/",
    "r.io/n:",
    "r.io/n@",
    /* hosts */
    "-r.io/n",
    "r.io-/n",
    "r..io/n",
    ".r.io/n",
    "r.io./n",
    "r-.io/n",
    "r.-io/n",
    "r_x.io/n",
    "r.io:/n",
    "r.io:0/n",
    "r.io:65536/n",
    "r.io:123456/n",
    "r.io:99999999999999999999/n",
    "r.io:5a/n",
    "r.io:+5/n",
    "r.io:5:6/n",
    "[::1/n",
    "[]/n",
    "[:]/n",
    "[1234]/n",
    "[:::]/n",
    "[::1]x/n",
    "[::1]:/n",
    "[::g]/n",
    "[::1%25eth0]/n",
    "[1:2:3:4:5:6:7:8:9]/n",
    "::1/n",
    "\xc3\xa9.io/n",
    "r.io\n/n",
    "user@r.io/n",
    /* archives and folders over SSH */
    "oci-archive:",
    "oci-archive::v1",
    "oci-archive:@" SHA256,
    "oci-archive:a.tar:",
    "oci-archive:a.tar:-x",
    "oci-archive:a.tar@sha256:12",
    "sftp://",
    "sftp://h",
    "sftp:///d",
    "sftp://h:v1",
    "sftp://@h/d",
    "sftp://me@/d",
    "sftp://me:secret@h/d",
    "sftp://a@b@h/d",
    "sftp://-oProxyCommand=x/d",
    "sftp://-h/d",
    "sftp://-me@h/d",
    "sftp://.me@h/d",
    "sftp://$(id)@h/d",
    "sftp://h;id/d",
    "sftp://h`id`/d",
    "sftp://h|id/d",
    "sftp://h h/d",
    "sftp://h%68/d",
    "sftp://h\n/d",
    "sftp://h:/d",
    "sftp://h:0/d",
    "sftp://h:65536/d",
    "sftp://[::1/d",
    "sftp://h/d:",
    "sftp://h/d:v1:v2",
    "sftp://h/d@sha256:12",
    "user:pw@r.io/n",
    "https://r.io/n",
    "http://r.io/n",
    /* repositories */
    "r.io/N",
    "r.io/Name:1",
    "UPPER/x",
    "r.io/n n",
    "r.io/.n",
    "r.io/n.",
    "r.io/n..n",
    "r.io/n___n",
    "r.io/_n",
    "r.io/-n",
    "r.io/n-",
    "r.io/n._n",
    "r.io/n/./m",
    "r.io/../n",
    "r.io/n%2f",
    "r.io/n?x",
    "r.io/n#x",
    "r.io/\xc3\xa9",
    "r.io/n\x1b[2J",
    "r.io/n\\m",
    "r.io/n\n",
    /* tags */
    "r.io/n:.v",
    "r.io/n:-v",
    "r.io/n:v:w",
    "r.io/n:v w",
    "r.io/n:v/w",
    "r.io/n:v+w",
    "r.io/n:\xc3\xa9",
    /* digests */
    "r.io/n@sha256",
    "r.io/n@sha256:",
    "r.io/n@sha256:" HEX64 "0",
    "r.io/n@sha512:" HEX64,
    "r.io/n@SHA256:" HEX64,
    "r.io/n@" SHA256 ":v1",
    "r.io/n@" SHA256 "@" SHA256,
    "r.io/n@" HEX64,
    /* layouts */
    "oci:",
    "oci::v1",
    "oci:@" SHA256,
    "oci:dir:",
    "oci:dir:.v",
    "oci:dir:a:b",
    "oci:dir@sha256:00",
    "oci:dir@" SHA256 "/x",
};

static void bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_texts); i++) {
        struct err e = ERR_INIT;
        struct oci_ref ref = {.kind = (enum oci_ref_kind)77, .host = NULL};
        int r = oci_ref_parse(bad_texts[i], &ref, &e);
        if (r != ERR_USAGE)
            print_message("# %s: %s\n", bad_texts[i], r ? e.msg : "was taken");
        assert_int_equal(r, ERR_USAGE);
        assert_int_equal(ref.kind, 77);
        assert_null(ref.host);
        assert_true(strncmp(e.msg, "reference ", 10) == 0);
        assert_null(strpbrk(e.msg, "\x1b\n"));
    }
    struct err e = ERR_INIT;
    struct oci_ref ref;
    assert_fails(oci_ref_parse("r.io/n@blake3:" HEX64, &ref, &e), ERR_UNSUPPORTED);
}

/* distribution-spec 1.1: tags to 128, host and name to 255. */
static void lengths(void **state)
{
    (void)state;
    char text[70000];
    for (size_t extra = 0; extra < 2; extra++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_ref) ref = {.host = NULL};
        memset(text, 't', sizeof(text));
        memcpy(text, "r.io/n:", 7);
        text[7 + LIMIT_TAG + extra] = '\0';
        assert_fails(oci_ref_parse(text, &ref, &e), extra ? ERR_USAGE : 0);
        assert_int_equal(oci_tag_valid(text + 7), !extra);

        AUTO_DONE(oci_ref) named = {.host = NULL};
        memset(text, 'n', sizeof(text));
        memcpy(text, "r.io/", 5);
        text[LIMIT_NAME + extra] = '\0';
        assert_fails(oci_ref_parse(text, &named, &e), extra ? ERR_USAGE : 0);

        /* What docker.io adds counts too. */
        AUTO_DONE(oci_ref) official = {.host = NULL};
        text[LIMIT_NAME - strlen("docker.io/library/") + extra] = '\0';
        memset(text, 'n', strlen(text));
        assert_fails(oci_ref_parse(text, &official, &e), extra ? ERR_USAGE : 0);
    }
    struct err e = ERR_INIT;
    struct oci_ref ref;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_fails(oci_ref_parse(text, &ref, &e), ERR_USAGE);
    memcpy(text, "oci:", 4);
    assert_fails(oci_ref_parse(text, &ref, &e), ERR_LIMIT);
    assert_false(oci_tag_valid(""));
}

/* It is the text alone that decides, never what lies in the working folder. */
static void paths(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool path;
    } cases[] = {
        {"-", true},
        {"/abs/a.wasm", true},
        {"/abs/a:b@c", true},
        {"./ghcr.io/o/n:v1", true},
        {"../x:y", true},
        {"a.wasm", true},
        {"a", true},
        {"", true},
        {"dir/a.wasm", true},
        {".hidden", true},
        {"...", true},
        {"x.y/a.wasm", false},
        {"ghcr.io/o/n", false},
        {"localhost/n", false},
        {"LocalHost/n", false},
        {"localhosts/n", true},
        {"a:b", false},
        {"a@b", false},
        {"dir/a:v1", false},
        {"oci:dir", false},
        {"oci-archive:a.tar", false},
        {"sftp://h/d", false},
        {"./sftp://h/d", true},
        {"[::1]/n", false},
        {".../n", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (oci_ref_is_path(cases[i].text) != cases[i].path)
            fail_msg("%s", cases[i].text);
}

static void default_tag(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(oci_ref) plain = {.host = NULL};
    AUTO_DONE(oci_ref) pinned = {.host = NULL};
    AUTO_DONE(oci_ref) tagged = {.host = NULL};
    assert_ok(oci_ref_parse("oci:d", &plain, &e));
    oci_ref_default_tag(&plain);
    assert_string_equal(plain.tag, "latest");
    assert_ok(oci_ref_parse("oci:d@" SHA256, &pinned, &e));
    oci_ref_default_tag(&pinned);
    assert_string_equal(pinned.tag, "");
    assert_ok(oci_ref_parse("oci:d:x", &tagged, &e));
    oci_ref_default_tag(&tagged);
    assert_string_equal(tagged.tag, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),  cmocka_unit_test(bad),         cmocka_unit_test(lengths),
        cmocka_unit_test(paths), cmocka_unit_test(default_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
