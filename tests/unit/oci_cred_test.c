/* SPDX-License-Identifier: Apache-2.0 */
/* Where credentials come from, helpers as real processes, and files that are changed. */
#include "oci/cred.h"

#include "base/limits.h"
#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <time.h>

static void string_is(const char *got, const char *want)
{
    if (want) {
        assert_non_null(got);
        assert_string_equal(got, want);
    } else {
        assert_null(got);
    }
}

/* A program docker-credential-NAME in the folder of the test. */
static void helper(const struct scratch *s, const char *name, const char *script)
{
    char file[64], text[1024];
    (void)snprintf(file, sizeof(file), "docker-credential-%s", name);
    (void)snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
    scratch_write(s, file, bytes_str(text));
    assert_int_equal(chmod(scratch_path(s, file), 0755), 0);
}

static struct oci_helper_conf helpers_in(const struct scratch *s)
{
    static char path[PATH_MAX];
    static char *environment[] = {path, NULL};
    (void)snprintf(path, sizeof(path), "PATH=%s:/usr/bin:/bin", s->path);
    return (struct oci_helper_conf){path + strlen("PATH="), environment, 10000};
}

/* Nothing of a helper is left: no zombie and no descriptor. */
static void nothing_left(size_t fds)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(open_fds(), fds);
}

static void helper_answers(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    const struct oci_helper_conf conf = helpers_in(s);
    const size_t fds = open_fds();
    helper(s, "good",
           "read server || [ \"$server\" ] || exit 9\n"
           "echo noise >&2\n"
           "[ \"$1\" = get ] && printf '{\"ServerURL\":\"%s\",\"Username\":\"%s\",\"Secret\":\"p:w\"}' x "
           "\"$server\"");
    helper(s, "token", "echo '{\"Username\":\"<token>\",\"Secret\":\"idt\"}'");
    helper(s, "deaf", "exec <&-; echo '{\"Username\":\"u\",\"Secret\":\"\"}'");
    {
        AUTO_DONE(oci_cred) c = OCI_CRED_INIT;
        assert_ok(oci_helper_get(&conf, "good", "ghcr.io", &c, &e));
        string_is(c.user, "ghcr.io");
        string_is(c.password, "p:w");
    }
    {
        AUTO_DONE(oci_cred) c = OCI_CRED_INIT;
        assert_ok(oci_helper_get(&conf, "token", "h", &c, &e));
        string_is(c.user, NULL);
        string_is(c.identity_token, "idt");
    }
    {
        AUTO_DONE(oci_cred) c = OCI_CRED_INIT;
        assert_ok(oci_helper_get(&conf, "deaf", "h", &c, &e));
        string_is(c.user, "u");
        string_is(c.password, "");
    }
    nothing_left(fds);
}

static void helper_fails(void **state)
{
    const struct scratch *s = *state;
    static const struct {
        const char *script;
        int want;
        const char *message;
    } cases[] = {
        {"echo 'credentials not found in native keychain'; exit 1", ERR_NOTFOUND, ""},
        {"echo '{}'", ERR_NOTFOUND, ""},
        {"echo '{\"Username\":\"\",\"Secret\":\"\"}'", ERR_NOTFOUND, ""},
        {"printf 'it is \\033[31mlocked\\n'; exit 1", ERR_AUTH,
         "failed with status 1: it is \\x1b[31mlocked"},
        {"echo SECRET >&2; exit 3", ERR_AUTH, "failed with status 3"},
        {"kill -9 $$", ERR_AUTH, "signal 9"},
        {"echo not JSON SECRET", ERR_AUTH, "its answer is not JSON"},
        {"", ERR_AUTH, "its answer is not JSON"},
        {"echo '[]'", ERR_AUTH, "not a JSON object"},
        {"echo '{\"Username\":5,\"Secret\":\"SECRET\"}'", ERR_AUTH, "Username"},
        {"echo '{\"Username\":\"a:b\",\"Secret\":\"SECRET\"}'", ERR_AUTH, "usable"},
        {"echo '{\"Username\":\"\",\"Secret\":\"SECRET\"}'", ERR_AUTH, "usable"},
        {"head -c 10000000 /dev/zero", ERR_AUTH, "more than"},
        {"head -c 10000000 /dev/zero >&2; echo '{}'", ERR_NOTFOUND, ""},
    };
    const struct oci_helper_conf conf = helpers_in(s);
    const size_t fds = open_fds();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_cred) c = OCI_CRED_INIT;
        helper(s, "x", cases[i].script);
        assert_fails(oci_helper_get(&conf, "x", "h", &c, &e), cases[i].want);
        assert_non_null(strstr(e.msg, cases[i].message));
        assert_null(strstr(e.msg, "SECRET"));
        assert_true(oci_cred_is_empty(&c));
        nothing_left(fds);
    }
}

/* One that hangs with its output open, and one that hangs with it closed. */
static void helper_hangs(void **state)
{
    const struct scratch *s = *state;
    static const char *const scripts[] = {"exec sleep 100", "exec >&- 2>&-; exec sleep 100"};
    struct oci_helper_conf conf = helpers_in(s);
    const size_t fds = open_fds();
    conf.timeout_ms = 200;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_cred) c = OCI_CRED_INIT;
        const time_t start = time(NULL);
        helper(s, "slow", scripts[i]);
        assert_fails(oci_helper_get(&conf, "slow", "h", &c, &e), ERR_AUTH);
        assert_non_null(strstr(e.msg, "in time"));
        assert_true(time(NULL) - start < 10);
        nothing_left(fds);
    }
}

static void helper_absent(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO_DONE(oci_cred) c = OCI_CRED_INIT;
    struct oci_helper_conf conf = helpers_in(s);
    assert_fails(oci_helper_get(&conf, "none", "h", &c, &e), ERR_UNSUPPORTED);
    helper(s, "here", "echo '{}'");
    assert_int_equal(fchdir(s->fd), 0);
    conf.path = ".::relative:/nonexistent"; /* the working folder is no place for programs */
    assert_fails(oci_helper_get(&conf, "here", "h", &c, &e), ERR_UNSUPPORTED);
    conf.path = NULL;
    assert_fails(oci_helper_get(&conf, "here", "h", &c, &e), ERR_UNSUPPORTED);
    conf = helpers_in(s);
    assert_int_equal(chmod(scratch_path(s, "docker-credential-here"), 0644), 0);
    assert_fails(oci_helper_get(&conf, "here", "h", &c, &e), ERR_UNSUPPORTED);
    assert_int_equal(chdir("/"), 0);
}

static void helper_stores(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    char user[] = "me", password[] = "p\"w", token[] = "idt";
    const struct oci_cred basic = {.user = user, .password = password}, identity = {.identity_token = token};
    struct oci_helper_conf conf = helpers_in(s);
    helper(s, "keep", "cat >\"${0%/*}/$1\"");
    assert_ok(oci_helper_store(&conf, "keep", "ghcr.io", &basic, &e));
    assert_true(scratch_holds(
        s, "store", BYTES_LIT("{\"ServerURL\":\"ghcr.io\",\"Username\":\"me\",\"Secret\":\"p\\\"w\"}")));
    assert_ok(oci_helper_store(&conf, "keep", "h", &identity, &e));
    assert_true(scratch_holds(
        s, "store", BYTES_LIT("{\"ServerURL\":\"h\",\"Username\":\"<token>\",\"Secret\":\"idt\"}")));
    assert_ok(oci_helper_erase(&conf, "keep", "ghcr.io", &e));
    assert_true(scratch_holds(s, "erase", BYTES_LIT("ghcr.io")));
    conf.environment = NULL; /* an empty one */
    helper(s, "env", "/usr/bin/env | grep -vE '^(PWD|SHLVL|_|OLDPWD)=' && exit 1; exit 0");
    assert_ok(oci_helper_erase(&conf, "env", "h", &e));
}

/* The user names say where an entry stands. */
#define PODMAN                                                                                      \
    "{\"auths\":{\"ghcr.io/owner\":{\"auth\":\"cG9kbWFuLW93bmVyOng=\"},\"both.example\":{\"auth\":" \
    "\"cG9kbWFuOng=\"}},\"credHelpers\":{\"helped.example\":\"podhelp\"}}"
#define DOCKER                                                                                          \
    "{\"auths\":{\"both.example\":{\"auth\":\"ZG9ja2VyOng=\"},\"ghcr.io\":{\"auth\":\"ZG9ja2VyOng=\"}," \
    "\"helped.example\":{\"auth\":\"ZG9ja2VyOng=\"},\"store.example\":{}},"                             \
    "\"credHelpers\":{\"own.example\":\"own\",\"file.example\":\"\",\"https://index.docker.io/v1/"      \
    "\":\"hub\"},"                                                                                      \
    "\"credsStore\":\"desktop\"}"

static void order_of_sources(void **state)
{
    (void)state;
    static const struct {
        const char *host, *repo, *user, *helpers;
    } cases[] = {
        {"ghcr.io", "owner/x", "podman-owner", ""},
        {"ghcr.io", "other/x", "docker", "desktop@ghcr.io "},
        {"both.example", "x", "podman", ""},
        {"own.example", "x", NULL, "own@own.example "},
        {"store.example", "x", NULL, "desktop@store.example "},
        {"helped.example", "x", "docker", "podhelp@helped.example desktop@helped.example "},
        {"file.example", "x", NULL, ""},
        {"docker.io", "x", NULL, "hub@https://index.docker.io/v1/ "},
    };
    const struct oci_cred_source sources[] = {{.path = "p", .text = BYTES_LIT(PODMAN), .podman = true},
                                              {.path = "missing"},
                                              {.path = "d", .text = BYTES_LIT(DOCKER)}};
    const struct oci_cred_conf conf = {.sources = sources, .n_sources = ARRAY_LEN(sources)};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_cred_place) place = {.n_helpers = 0};
        AUTO_DONE(buf) helpers = BUF_INIT(1024);
        assert_ok(oci_cred_find(&conf, cases[i].host, cases[i].repo, &place, &e));
        string_is(place.cred.user, cases[i].user);
        for (size_t k = 0; k < place.n_helpers; k++)
            buf_printf(&helpers, "%s@%s ", place.helpers[k].name, place.helpers[k].server);
        assert_string_equal(buf_cstr(&helpers), cases[i].helpers);
    }
}

static void given_counts_first(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    const struct oci_cred_source source = {.path = "d", .text = BYTES_LIT("not even JSON")};
    struct oci_cred_conf conf = {.user = "me", .password = "pw", .sources = &source, .n_sources = 1};
    {
        AUTO_DONE(oci_cred_place) place = {.n_helpers = 0};
        assert_ok(oci_cred_find(&conf, "h", "r", &place, &e));
        string_is(place.cred.user, "me");
    }
    conf.identity_token = "idt";
    {
        AUTO_DONE(oci_cred_place) place = {.n_helpers = 0};
        assert_ok(oci_cred_find(&conf, "h", "r", &place, &e));
        string_is(place.cred.user, NULL);
        string_is(place.cred.identity_token, "idt");
    }
}

/* Helpers are asked in turn; one that knows nothing leaves it to the next, and in the end to the file. */
static void get_in_turn(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    const struct oci_helper_conf run = helpers_in(s);
    const struct oci_cred_source sources[] = {
        {.path = "p", .text = BYTES_LIT("{\"credsStore\":\"not-installed\"}")},
        {.path = "q", .text = BYTES_LIT("{\"credsStore\":\"knows-not\"}")},
        {.path = "d", .text = BYTES_LIT("{\"credsStore\":\"last\",\"auths\":{\"h\":{\"auth\":\"dTpw\"}}}")}};
    const struct oci_cred_conf conf = {.sources = sources, .n_sources = ARRAY_LEN(sources)};
    helper(s, "knows-not", "echo 'credentials not found in native keychain'; exit 1");
    helper(s, "last", "echo '{\"Username\":\"helped\",\"Secret\":\"s\"}'");
    {
        AUTO_DONE(oci_cred_place) place = {.n_helpers = 0};
        AUTO_DONE(oci_cred) c = OCI_CRED_INIT;
        assert_ok(oci_cred_find(&conf, "h", "", &place, &e));
        assert_ok(oci_cred_get(&run, &place, &c, &e));
        string_is(c.user, "helped");
    }
    helper(s, "last", "echo '{}'");
    {
        AUTO_DONE(oci_cred_place) place = {.n_helpers = 0};
        AUTO_DONE(oci_cred) c = OCI_CRED_INIT;
        assert_ok(oci_cred_find(&conf, "h", "", &place, &e));
        assert_ok(oci_cred_get(&run, &place, &c, &e));
        string_is(c.user, "u");
    }
}

static void edits(void **state)
{
    (void)state;
    char user[] = "me", password[] = "p:w", token[] = "idt";
    const struct oci_cred basic = {.user = user, .password = password}, identity = {.identity_token = token};
    static const char ghcr[] = "ghcr.io", hub[] = "docker.io";
    const struct {
        const char *before, *host;
        bool podman;
        const struct oci_cred *cred;
        bool had;
        const char *after; /* without its layout */
    } cases[] = {
        {"", ghcr, false, &basic, false, "{\"auths\":{\"ghcr.io\":{\"auth\":\"bWU6cDp3\"}}}"},
        {"{}", hub, false, &basic, false,
         "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"bWU6cDp3\"}}}"},
        {"{}", hub, true, &identity, false, "{\"auths\":{\"docker.io\":{\"identitytoken\":\"idt\"}}}"},
        {"{\"a\":[1,2.5,{\"b\":null}],\"auths\":{\"x\":{\"auth\":\"eTp6\"},\"https://ghcr.io/"
         "\":{}},\"z\":true}",
         ghcr, false, &basic, true,
         "{\"a\":[1,2.5,{\"b\":null}],\"auths\":{\"x\":{\"auth\":\"eTp6\"},\"ghcr.io\":{\"auth\":"
         "\"bWU6cDp3\"}},\"z\":true}"},
        {"{\"auths\":{\"ghcr.io\":{},\"ghcr.io/o\":{}}}", ghcr, true, NULL, true,
         "{\"auths\":{\"ghcr.io/o\":{}}}"},
        {"{\"k\":1}", ghcr, false, NULL, false, "{\"k\":1}"},
        {"{\"auths\":null}", ghcr, false, NULL, false, "{\"auths\":{}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) out = BUF_INIT(LIMIT_AUTH_FILE);
        AUTO_DONE(buf) plain = BUF_INIT(LIMIT_AUTH_FILE);
        bool had = !cases[i].had;
        assert_ok(oci_cred_edit(bytes_str(cases[i].before), "f", cases[i].host, cases[i].podman,
                                cases[i].cred, &out, &had, &e));
        for (const char *c = buf_cstr(&out); *c; c++)
            if (!strchr(" \n", *c))
                buf_append_u8(&plain, (uint8_t)*c);
        assert_string_equal(buf_cstr(&plain), cases[i].after);
        assert_int_equal(had, cases[i].had);
    }
    static const char *const bad[] = {"[]", "null", "{\"auths\":[]}", "{\"auths\":{}", "SECRET"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) out = BUF_INIT(LIMIT_AUTH_FILE);
        bool had;
        assert_fails(oci_cred_edit(bytes_str(bad[i]), "f", "h", false, &basic, &out, &had, &e), ERR_CONFIG);
        assert_null(strstr(e.msg, "SECRET"));
    }
}

static void file_updates(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct stat st;
    char user[] = "u", password[] = "p";
    const struct oci_cred cred = {.user = user, .password = password};
    bool had = true;
    assert_ok(oci_cred_file_update(scratch_path(s, "new/folder/f.json"), "h", false, NULL, &had, &e));
    assert_false(had);
    assert_false(scratch_has(s, "new"));
    assert_ok(oci_cred_file_update(scratch_path(s, "new/folder/f.json"), "h", false, &cred, &had, &e));
    assert_false(had);
    assert_int_equal(stat(scratch_path(s, "new/folder/f.json"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(folder_count(scratch_path(s, "new/folder")), 1);
    /* a link stays one, and what it leads to is changed */
    scratch_write(s, "real", BYTES_LIT("{\"keep\":1}"));
    assert_int_equal(symlink("real", scratch_path(s, "link")), 0);
    assert_ok(oci_cred_file_update(scratch_path(s, "link"), "h", false, &cred, &had, &e));
    assert_int_equal(lstat(scratch_path(s, "link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(scratch_path(s, "real"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_ok(oci_cred_file_update(scratch_path(s, "link"), "h", false, NULL, &had, &e));
    assert_true(had);
    assert_true(scratch_holds(s, "real", BYTES_LIT("{\n        \"keep\": 1,\n        \"auths\": {}\n}\n")));
    assert_int_equal(symlink("nothing", scratch_path(s, "dangling")), 0);
    assert_fails(oci_cred_file_update(scratch_path(s, "dangling"), "h", false, &cred, &had, &e), ERR_CONFIG);
    assert_false(scratch_has(s, "nothing"));
    scratch_write(s, "broken", BYTES_LIT("{"));
    assert_fails(oci_cred_file_update(scratch_path(s, "broken"), "h", false, &cred, &had, &e), ERR_CONFIG);
    assert_true(scratch_holds(s, "broken", BYTES_LIT("{")));
}

/* No entry of any writer is lost. */
static void file_writers_at_once(void **state)
{
    const struct scratch *s = *state;
    enum { WRITERS = 6, ROUNDS = 5 };
    char user[] = "u", password[] = "p", host[32];
    const struct oci_cred cred = {.user = user, .password = password};
    pid_t pids[WRITERS];
    struct err e = ERR_INIT;
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        bool had;
        for (int n = 0; pids[i] == 0 && n < ROUNDS; n++) {
            (void)snprintf(host, sizeof(host), "h%d-%d", i, n);
            if (oci_cred_file_update(scratch_path(s, "f"), host, false, &cred, &had, &e))
                _exit(1);
        }
        if (pids[i] == 0)
            _exit(0);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    for (int i = 0; i < WRITERS * ROUNDS; i++) {
        bool had = false;
        (void)snprintf(host, sizeof(host), "h%d-%d", i / ROUNDS, i % ROUNDS);
        assert_ok(oci_cred_file_update(scratch_path(s, "f"), host, false, NULL, &had, &e));
        assert_true(had);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(helper_answers),
        scratch_test(helper_fails),
        scratch_test(helper_hangs),
        scratch_test(helper_absent),
        scratch_test(helper_stores),
        cmocka_unit_test(order_of_sources),
        cmocka_unit_test(given_counts_first),
        scratch_test(get_in_turn),
        cmocka_unit_test(edits),
        scratch_test(file_updates),
        scratch_test(file_writers_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
