/* SPDX-License-Identifier: Apache-2.0 */
/* obtain and pull, from image layouts and files. Whatever goes wrong, nothing is written. */
#include "flow/obtain.h"
#include "flow/publish.h"
#include "tests/unit/sign_fixture.h"
#include "tests/unit/unit.h"

#include <sys/random.h>
#include <sys/syscall.h>

static const struct flow_conf conf = {.endpoint = {.user_agent = "test"}};

/* What is to happen in the middle of a pull: between the check of the bytes and the making of the output file
 * lies a call for random bytes, which is replaced here. */
static void (*in_between)(void);

ssize_t getrandom(void *buf, size_t len, unsigned flags)
{
    if (in_between)
        in_between();
    return syscall(SYS_getrandom, buf, len, flags);
}

static const char *reference(const struct scratch *s, const char *rest)
{
    static char text[256];
    (void)snprintf(text, sizeof(text), "oci:%s/lay%s", s->path, rest);
    return text;
}

static struct digest digest_of(struct bytes data)
{
    struct err e = ERR_INIT;
    struct digest d;
    assert_ok(hash_bytes(HASH_SHA256, data, &d, &e));
    return d;
}

static const char *blob_name(struct digest d)
{
    static char name[DIGEST_STR_MAX + 32];
    char hex[DIGEST_STR_MAX];
    (void)snprintf(name, sizeof(name), "lay/blobs/sha256/%s", digest_hex(&d, hex));
    return name;
}

/* Pushes a module as lay:v1, signed by the key unless that is NULL; wasm: its bytes. */
static void publish(const struct scratch *s, const struct sign_key *k, struct buf *wasm, struct digest *ret)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) plain = BUF_INIT(4096);
    AUTO_DONE(flow_published) p = {.name = NULL};
    put_module(&plain, 1);
    if (k)
        assert_ok(embed(buf_bytes(&plain), k, wasm, &e));
    else
        buf_append_bytes(wasm, buf_bytes(&plain));
    scratch_write(s, "m.wasm", buf_bytes(wasm));
    assert_ok(flow_push(&conf, scratch_path(s, "m.wasm"), reference(s, ":v1"), NULL, 0, &p, &e));
    *ret = p.digest;
}

/* Pulls to "out" with one key or none; nothing but "out" may appear in the folder, and only on success. */
static int pull(const struct scratch *s, const char *rest, struct sign_key *k, struct err *e)
{
    struct sign_key *keys[] = {k};
    const struct sign_trust ring = {.keys = {keys, k ? 1 : 0}};
    const struct flow_demand demand = {.given = &ring};
    size_t fds = open_fds(), files = folder_count(s->path);
    bool there = scratch_has(s, "out");
    struct flow_artifact a;
    int r = flow_pull(&conf, reference(s, rest), scratch_path(s, "out"), &demand, &a, e);
    flow_artifact_done(&a);
    assert_int_equal(open_fds(), fds);
    assert_int_equal(folder_count(s->path), files + (!r && !there ? 1 : 0));
    return r;
}

static void pulls(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) wasm = BUF_INIT(4096);
    struct digest d;
    char text[DIGEST_STR_MAX], rest[DIGEST_STR_MAX + 8];
    publish(s, NULL, &wasm, &d);
    static const char *const tags[] = {":v1", ""};
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        assert_ok(pull(s, tags[i], NULL, &e));
        assert_true(scratch_holds(s, "out", buf_bytes(&wasm)));
        scratch_write(s, "out",
                      BYTES_LIT("an older file, longer than the new one: "
                                "0123456789012345678901234567890123456789"));
    }
    (void)snprintf(rest, sizeof(rest), "@%s", digest_str(&d, text));
    assert_ok(pull(s, rest, NULL, &e));
    assert_true(scratch_holds(s, "out", buf_bytes(&wasm)));

    struct flow_artifact a;
    assert_ok(flow_pull(&conf, reference(s, ":v1"), scratch_path(s, "out"), NULL, &a, &e));
    struct digest bytes = digest_of(buf_bytes(&wasm));
    assert_true(digest_eq(&a.digest, &bytes));
    assert_true(digest_eq(&a.manifest.digest, &d));
    assert_int_equal(a.size, wasm.len);
    assert_string_equal(a.name, reference(s, ":v1"));
    assert_string_equal(a.repo, reference(s, ""));
    assert_false(a.from_file);
    flow_artifact_done(&a);
    flow_artifact_done(&a);
}

static void pull_fails_without_trace(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) wasm = BUF_INIT(4096);
    AUTO_DONE(buf) bad = BUF_INIT(4096);
    struct digest d;
    publish(s, NULL, &wasm, &d);
    const char *blob = blob_name(digest_of(buf_bytes(&wasm)));
    scratch_write(s, "out", BYTES_LIT("old"));

    buf_append_bytes(&bad, buf_bytes(&wasm));
    bad.ptr[bad.len - 1] ^= 1;
    scratch_write(s, blob, buf_bytes(&bad));
    assert_fails(pull(s, ":v1", NULL, &e), ERR_DIGEST);
    scratch_write(s, blob, bytes_of(wasm.ptr, wasm.len - 1));
    assert_fails(pull(s, ":v1", NULL, &e), ERR_DIGEST);
    buf_append_u8(&bad, 0);
    scratch_write(s, blob, buf_bytes(&bad));
    assert_fails(pull(s, ":v1", NULL, &e), ERR_DIGEST);
    assert_int_equal(unlinkat(s->fd, blob, 0), 0);
    assert_fails(pull(s, ":v1", NULL, &e), ERR_NOTFOUND);
    scratch_write(s, "copy.wasm", buf_bytes(&wasm));
    assert_int_equal(symlinkat("../../../copy.wasm", s->fd, blob), 0);
    assert_fails(pull(s, ":v1", NULL, &e), ERR_IO);

    assert_fails(pull(s, ":v2", NULL, &e), ERR_NOTFOUND);
    assert_fails(pull(s, ":.v", NULL, &e), ERR_USAGE);
    scratch_write(s, blob_name(d), BYTES_LIT("{}"));
    assert_fails(pull(s, ":v1", NULL, &e), ERR_DIGEST);
    assert_true(scratch_holds(s, "out", BYTES_LIT("old")));
}

static void bad_outputs(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) wasm = BUF_INIT(4096);
    struct digest d;
    publish(s, NULL, &wasm, &d);
    assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
    assert_int_equal(mkdirat(s->fd, "dir", 0700), 0);
    const struct {
        const char *path;
        int code;
    } cases[] = {{"nowhere/out", ERR_NOTFOUND},
                 {"dir", ERR_IO},
                 {"dir/", ERR_USAGE},
                 {"fifo", ERR_IO},
                 {"m.wasm/x", ERR_IO}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct flow_artifact a;
        size_t files = folder_count(s->path);
        assert_fails(flow_pull(&conf, reference(s, ":v1"), scratch_path(s, cases[i].path), NULL, &a, &e),
                     cases[i].code);
        flow_artifact_done(&a);
        assert_int_equal(folder_count(s->path), files);
        assert_int_equal(folder_count(scratch_path(s, "dir")), 0);
    }
}

static void signatures(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO(sign_key) ours = fixture_key(1);
    AUTO(sign_key) foreign = fixture_key(2);
    AUTO_DONE(buf) plain = BUF_INIT(4096);
    AUTO_DONE(buf) wasm = BUF_INIT(8192);
    struct digest d;
    publish(s, NULL, &plain, &d);
    assert_fails(pull(s, ":v1", ours, &e), ERR_UNSIGNED);
    assert_false(scratch_has(s, "out"));
    publish(s, ours, &wasm, &d);
    assert_fails(pull(s, ":v1", foreign, &e), ERR_UNTRUSTED);
    assert_false(scratch_has(s, "out"));
    assert_ok(pull(s, ":v1", ours, &e));
    assert_true(scratch_holds(s, "out", buf_bytes(&wasm)));

    /* The report says what was found, also of a failure. */
    struct sign_key *keys[] = {foreign};
    const struct sign_trust ring = {.keys = {keys, 1}};
    const struct flow_demand demand = {.given = &ring};
    struct flow_artifact a;
    assert_fails(flow_obtain(&conf, reference(s, ":v1"), FLOW_WANT_BYTES, &demand, &a, &e), ERR_UNTRUSTED);
    assert_int_equal(a.report.verdict, ERR_UNTRUSTED);
    assert_true(a.report.n > 0);
    flow_artifact_done(&a);
}

static const struct scratch *tampered;

static void tamper(void)
{
    AUTO_DONE(buf) evil = BUF_INIT(8192);
    AUTO_DONE(buf) wasm = BUF_INIT(8192);
    struct err e = ERR_INIT;
    AUTO(sign_key) ours = fixture_key(1);
    put_module(&evil, 1);
    in_between = NULL;
    assert_ok(embed(buf_bytes(&evil), ours, &wasm, &e));
    const char *blob = blob_name(digest_of(buf_bytes(&wasm)));
    wasm.ptr[wasm.len - 1] ^= 1;
    int fd = openat(tampered->fd, blob, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, wasm.ptr, wasm.len, 0), wasm.len);
    assert_int_equal(close(fd), 0);
}

/* Somebody writes to a layout's blob after its signature was checked and before it is copied out. */
static void changed_after_check(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO(sign_key) ours = fixture_key(1);
    AUTO_DONE(buf) wasm = BUF_INIT(8192);
    struct digest d;
    publish(s, ours, &wasm, &d);
    tampered = s;
    in_between = tamper;
    assert_fails(pull(s, ":v1", ours, &e), ERR_DIGEST);
    assert_null(in_between);
    assert_false(scratch_has(s, "out"));
}

/* To standard output: behind what was written there before, and not in its place. */
static void to_standard_output(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) wasm = BUF_INIT(4096);
    AUTO_DONE(buf) want = BUF_INIT(4096);
    struct digest d;
    publish(s, NULL, &wasm, &d);
    (void)fflush(stdout);
    AUTO_FD int saved = dup(STDOUT_FILENO);
    AUTO_FD int file = openat(s->fd, "stdout", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(file, "head", 4), 4);
    assert_int_equal(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
    struct flow_artifact a;
    int r = flow_pull(&conf, reference(s, ":v1"), "-", NULL, &a, &e);
    ssize_t n = write(STDOUT_FILENO, "tail", 4);
    assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
    flow_artifact_done(&a);
    assert_ok(r);
    assert_int_equal(n, 4);
    buf_append_str(&want, "head");
    buf_append_bytes(&want, buf_bytes(&wasm));
    buf_append_str(&want, "tail");
    assert_true(scratch_holds(s, "stdout", buf_bytes(&want)));
}

static void obtains(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) wasm = BUF_INIT(4096);
    struct digest d;
    size_t fds = open_fds();
    publish(s, NULL, &wasm, &d);
    struct flow_artifact a;
    struct flow_reading reading;
    AUTO_DONE(buf) got = BUF_INIT(4096);
    assert_ok(flow_obtain(&conf, reference(s, ":v1"), FLOW_WANT_BYTES | FLOW_WANT_CONFIG, NULL, &a, &e));
    assert_true(bytes_eq(buf_bytes(&a.bytes), buf_bytes(&wasm)));
    assert_int_equal(a.fd, -1);
    assert_int_equal(a.config_len, strlen(a.config));
    assert_non_null(strstr(a.config, "\"os\":\"wasip1\""));
    assert_ok(source_read_all(flow_artifact_read(&a, &reading), &got, &e));
    assert_true(bytes_eq(buf_bytes(&got), buf_bytes(&wasm)));
    flow_artifact_done(&a);
    buf_reset(&got);
    assert_ok(flow_obtain(&conf, reference(s, ":v1"), 0, NULL, &a, &e));
    assert_int_equal(a.bytes.len, 0);
    assert_null(a.config);
    assert_ok(source_read_all(flow_artifact_read(&a, &reading), &got, &e));
    assert_true(bytes_eq(buf_bytes(&got), buf_bytes(&wasm)));
    flow_artifact_done(&a);
    assert_int_equal(open_fds(), fds);
}

/* Puts bytes into the layout under their digest, and tags them in the index when a type is given. */
static struct digest plant(const struct scratch *s, struct bytes data, const char *type, const char *tag,
                           uint64_t size)
{
    struct digest d = digest_of(data);
    char text[DIGEST_STR_MAX];
    scratch_write(s, blob_name(d), data);
    if (type) {
        AUTO_DONE(buf) index = BUF_INIT(4096);
        buf_printf(&index,
                   "{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_INDEX
                   "\",\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\","
                   "\"size\":%llu,\"annotations\":{\"" OCI_ANNOTATION_REF "\":\"%s\"}}]}",
                   type, digest_str(&d, text), (unsigned long long)size, tag);
        scratch_write(s, "lay/index.json", buf_bytes(&index));
    }
    return d;
}

/* An index of n times one manifest. */
static void index_of(struct buf *out, const char *type, const struct digest *d, size_t size, unsigned n)
{
    char text[DIGEST_STR_MAX];
    buf_reset(out);
    buf_append_str(out, "{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_INDEX "\",\"manifests\":[");
    for (unsigned i = 0; i < n; i++)
        buf_printf(out, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}", i ? "," : "", type,
                   digest_str(d, text), size);
    buf_append_str(out, "]}");
}

static void indexes(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) wasm = BUF_INIT(4096);
    AUTO_DONE(buf) index = BUF_INIT(4096);
    AUTO_DONE(buf) outer = BUF_INIT(4096);
    struct digest d;
    publish(s, NULL, &wasm, &d);
    struct stat st;
    assert_int_equal(fstatat(s->fd, blob_name(d), &st, 0), 0);
    size_t size = (size_t)st.st_size;

    index_of(&index, OCI_TYPE_MANIFEST, &d, size, 1);
    struct digest inner = plant(s, buf_bytes(&index), OCI_TYPE_INDEX, "i", index.len);
    assert_ok(pull(s, ":i", NULL, &e));
    assert_true(scratch_holds(s, "out", buf_bytes(&wasm)));
    struct flow_artifact a;
    assert_ok(flow_obtain(&conf, reference(s, ":i"), FLOW_WANT_MANIFEST, NULL, &a, &e));
    assert_true(a.parsed.is_index && digest_eq(&a.manifest.digest, &inner));
    flow_artifact_done(&a);

    index_of(&outer, OCI_TYPE_INDEX, &inner, index.len, 1);
    (void)plant(s, buf_bytes(&outer), OCI_TYPE_INDEX, "i", outer.len);
    assert_ok(pull(s, ":i", NULL, &e));                        /* an index in an index */
    index_of(&outer, OCI_TYPE_MANIFEST, &inner, index.len, 1); /* which the outer one takes for a manifest */
    (void)plant(s, buf_bytes(&outer), OCI_TYPE_INDEX, "i", outer.len);
    assert_fails(pull(s, ":i", NULL, &e), ERR_FORMAT);
    (void)plant(s, buf_bytes(&index), OCI_TYPE_MANIFEST, "i", index.len); /* the type lies */
    assert_fails(pull(s, ":i", NULL, &e), ERR_FORMAT);
    (void)plant(s, buf_bytes(&index), OCI_TYPE_INDEX, "i", index.len + 1);
    assert_fails(pull(s, ":i", NULL, &e), ERR_DIGEST);
    index_of(&index, OCI_TYPE_MANIFEST, &d, size + 1, 1);
    (void)plant(s, buf_bytes(&index), OCI_TYPE_INDEX, "i", index.len);
    assert_fails(pull(s, ":i", NULL, &e), ERR_DIGEST);
    index_of(&index, OCI_TYPE_MANIFEST, &d, size, 2);
    (void)plant(s, buf_bytes(&index), OCI_TYPE_INDEX, "i", index.len);
    assert_fails(pull(s, ":i", NULL, &e), ERR_NOTFOUND);
    index_of(&index, OCI_TYPE_MANIFEST, &d, size, 0);
    (void)plant(s, buf_bytes(&index), OCI_TYPE_INDEX, "i", index.len);
    assert_fails(pull(s, ":i", NULL, &e), ERR_NOTFOUND);
}

#define CONFIG_TEXT "{\"architecture\":\"wasm\",\"os\":\"wasip1\",\"layerDigests\":[\"%s\"]}"

/* Manifests that are well-formed and still no artifact to take. */
static void odd_artifacts(void **state)
{
    const struct scratch *s = *state;
    static const struct {
        const char *config_type, *layer_type, *layer_digest; /* as the config tells it; NULL: the right one */
        unsigned layers;
        long long more; /* what the manifest adds to the layer's size */
        int pull, config;
    } cases[] = {
        {"application/vnd.wasm.config.v0+json", "application/wasm", NULL, 1, 0, 0, 0},
        {"application/vnd.wasm.config.v0+json", "application/wasm", NULL, 2, 0, ERR_FORMAT, ERR_FORMAT},
        {"application/vnd.wasm.config.v0+json", "application/wasm", NULL, 0, 0, ERR_FORMAT, ERR_FORMAT},
        {"application/vnd.wasm.config.v0+json", "text/plain", NULL, 1, 0, ERR_FORMAT, ERR_FORMAT},
        {"application/vnd.oci.image.config.v1+json", "text/plain", NULL, 1, 0, ERR_UNSUPPORTED,
         ERR_UNSUPPORTED},
        {"application/vnd.wasm.config.v0+json", "application/wasm", NULL, 1, 1, ERR_DIGEST, ERR_DIGEST},
        {"application/vnd.wasm.config.v0+json", "application/wasm", NULL, 1, -1, ERR_DIGEST, ERR_DIGEST},
        {"application/vnd.wasm.config.v0+json", "application/wasm", "sha256:00", 1, 0, 0, ERR_FORMAT},
    };
    struct digest d;
    AUTO_DONE(buf) wasm = BUF_INIT(4096);
    publish(s, NULL, &wasm, &d);
    struct digest layer = digest_of(buf_bytes(&wasm));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        char text[DIGEST_STR_MAX], layer_text[DIGEST_STR_MAX];
        AUTO_DONE(buf) config = BUF_INIT(4096);
        AUTO_DONE(buf) body = BUF_INIT(4096);
        (void)digest_str(&layer, layer_text);
        buf_printf(&config, CONFIG_TEXT, cases[i].layer_digest ? cases[i].layer_digest : layer_text);
        struct digest c = plant(s, buf_bytes(&config), NULL, NULL, 0);
        buf_printf(&body,
                   "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu},"
                   "\"layers\":[",
                   cases[i].config_type, digest_str(&c, text), config.len);
        for (unsigned n = 0; n < cases[i].layers; n++)
            buf_printf(&body, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%lld}", n ? "," : "",
                       cases[i].layer_type, layer_text, (long long)wasm.len + cases[i].more);
        buf_append_str(&body, "]}");
        (void)plant(s, buf_bytes(&body), OCI_TYPE_MANIFEST, "odd", body.len);
        (void)unlinkat(s->fd, "out", 0);
        assert_fails(pull(s, ":odd", NULL, &e), cases[i].pull);
        assert_int_equal(scratch_has(s, "out"), cases[i].pull == 0);
        struct flow_artifact a;
        assert_fails(flow_obtain(&conf, reference(s, ":odd"), FLOW_WANT_CONFIG, NULL, &a, &e),
                     cases[i].config);
        flow_artifact_done(&a);
        /* A config blob that is damaged or missing. */
        if (cases[i].config)
            continue;
        config.ptr[config.len - 1] = ']';
        scratch_write(s, blob_name(c), buf_bytes(&config));
        assert_fails(flow_obtain(&conf, reference(s, ":odd"), FLOW_WANT_CONFIG, NULL, &a, &e), ERR_DIGEST);
        flow_artifact_done(&a);
        assert_int_equal(unlinkat(s->fd, blob_name(c), 0), 0);
        assert_fails(flow_obtain(&conf, reference(s, ":odd"), FLOW_WANT_CONFIG, NULL, &a, &e), ERR_NOTFOUND);
        flow_artifact_done(&a);
    }
}

static void files(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    AUTO(sign_key) ours = fixture_key(1);
    AUTO(sign_key) foreign = fixture_key(2);
    AUTO_DONE(buf) plain = BUF_INIT(4096);
    AUTO_DONE(buf) wasm = BUF_INIT(8192);
    put_module(&plain, 1);
    assert_ok(embed(buf_bytes(&plain), ours, &wasm, &e));
    scratch_write(s, "m.wasm", buf_bytes(&wasm));
    assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
    const struct {
        const char *name;
        struct sign_key *key;
        int code;
    } cases[] = {{"m.wasm", NULL, 0},          {"m.wasm", ours, 0},    {"m.wasm", foreign, ERR_UNTRUSTED},
                 {"none", NULL, ERR_NOTFOUND}, {"fifo", NULL, ERR_IO}, {".", NULL, ERR_IO}};
    struct digest want = digest_of(buf_bytes(&wasm));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (unsigned get = 0; get <= FLOW_WANT_BYTES; get++) {
            struct sign_key *keys[] = {cases[i].key};
            const struct sign_trust ring = {.keys = {keys, cases[i].key ? 1 : 0}};
            const struct flow_demand demand = {.given = &ring};
            struct flow_artifact a;
            assert_fails(flow_obtain(&conf, scratch_path(s, cases[i].name), get, &demand, &a, &e),
                         cases[i].code);
            if (!cases[i].code) {
                assert_true(a.from_file && digest_eq(&a.digest, &want));
                assert_int_equal(a.size, wasm.len);
                assert_int_equal(a.bytes.len, get ? wasm.len : 0);
            }
            flow_artifact_done(&a);
        }
    }
    assert_int_equal(open_fds(), fds);
}

/* "-": a pipe is read to its end, a file from its start. */
static void standard_input(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) wasm = BUF_INIT(4096);
    put_module(&wasm, 1);
    struct digest want = digest_of(buf_bytes(&wasm));
    scratch_write(s, "m.wasm", buf_bytes(&wasm));
    AUTO_FD int saved = dup(STDIN_FILENO);
    size_t fds = open_fds();
    for (int piped = 0; piped < 2; piped++) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        assert_int_equal(write(pipes[1], wasm.ptr, wasm.len), wasm.len);
        (void)close(pipes[1]);
        AUTO_FD int file = openat(s->fd, "m.wasm", O_RDONLY | O_CLOEXEC);
        assert_int_equal(dup2(piped ? pipes[0] : file, STDIN_FILENO), STDIN_FILENO);
        struct flow_artifact a;
        int r = flow_obtain(&conf, "-", 0, NULL, &a, &e);
        assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
        assert_ok(r);
        assert_true(digest_eq(&a.digest, &want));
        assert_int_equal(a.size, wasm.len);
        flow_artifact_done(&a);
        (void)close(pipes[0]);
    }
    assert_int_equal(open_fds(), fds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(pulls),          scratch_test(pull_fails_without_trace),
        scratch_test(bad_outputs),    scratch_test(signatures),
        scratch_test(obtains),        scratch_test(changed_after_check),
        scratch_test(indexes),        scratch_test(to_standard_output),
        scratch_test(odd_artifacts),  scratch_test(files),
        scratch_test(standard_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
