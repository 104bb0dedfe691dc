/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "oci/endpoint.h"
#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <time.h>

#define INDEX_HEAD "{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_INDEX "\",\"manifests\":["
#define CONFIG     "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" /* of "{}" */

static struct digest digest_of(struct bytes data)
{
    struct err e = ERR_INIT;
    struct digest d;
    assert_ok(hash_bytes(HASH_SHA256, data, &d, &e));
    return d;
}

/* "lay/blobs/sha256/<hex>" */
static const char *blob_name(const struct digest *d)
{
    static char name[DIGEST_STR_MAX + 32];
    char hex[DIGEST_STR_MAX];
    (void)snprintf(name, sizeof(name), "lay/blobs/sha256/%s", digest_hex(d, hex));
    return name;
}

static int open_layout(const struct scratch *s, bool create, struct oci_endpoint **ret, struct err *e)
{
    static const struct oci_endpoint_conf conf = {.user_agent = "test"};
    char text[128];
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    (void)snprintf(text, sizeof(text), "oci:%s/lay", s->path);
    int r = oci_ref_parse(text, &ref, e);
    return r ? r : oci_endpoint_open(&ref, &conf, create, ret, e);
}

static struct oci_endpoint *layout(const struct scratch *s)
{
    struct err e = ERR_INIT;
    struct oci_endpoint *ep = NULL;
    assert_ok(open_layout(s, true, &ep, &e));
    return ep;
}

static int push_blob(struct oci_endpoint *ep, struct bytes data, bool *ret_existed, struct err *e)
{
    struct opener_bytes ob;
    struct source_opener from = opener_bytes_init(&ob, data);
    struct oci_desc desc = {.media_type = "a/b", .digest = digest_of(data), .size = data.len};
    return ep->ops->blob_push(ep, &desc, &from, ret_existed, e);
}

/* The manifest of an artifact with one layer. */
static void manifest_of(struct bytes layer, struct buf *out)
{
    char text[DIGEST_STR_MAX];
    struct digest d = digest_of(layer);
    buf_printf(out,
               "{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_MANIFEST
               "\",\"config\":{\"mediaType\":\"a/c\","
               "\"digest\":\"" CONFIG
               "\",\"size\":2},\"layers\":[{\"mediaType\":\"a/b\",\"digest\":\"%s\",\"size\":%zu}]}",
               digest_str(&d, text), layer.len);
}

static int push(struct oci_endpoint *ep, const char *content, const char *tag, struct digest *ret,
                struct err *e)
{
    AUTO_DONE(buf) body = BUF_INIT(4096);
    bool existed;
    manifest_of(bytes_str(content), &body);
    *ret = digest_of(buf_bytes(&body));
    int r = push_blob(ep, bytes_str(content), &existed, e);
    if (!r)
        r = push_blob(ep, BYTES_LIT("{}"), &existed, e);
    if (!r)
        r = ep->ops->manifest_push(ep, buf_bytes(&body), OCI_TYPE_MANIFEST, ret, tag, e);
    return r;
}

/* The same, and all that waited is in index.json. */
static int push_now(struct oci_endpoint *ep, const char *content, const char *tag, struct digest *ret,
                    struct err *e)
{
    int r = push(ep, content, tag, ret, e);
    return r ? r : ep->ops->finish(ep, e);
}

static int resolve(struct oci_endpoint *ep, const char *tag, const struct digest *digest, struct digest *ret,
                   struct err *e)
{
    struct oci_pinned p;
    int r = ep->ops->resolve(ep, tag, digest, &p, e);
    if (r)
        return r;
    *ret = p.digest;
    struct digest got = digest_of(buf_bytes(&p.body));
    assert_true(digest_eq(&got, &p.digest));
    oci_pinned_done(&p);
    return 0;
}

static void expect_tag(struct oci_endpoint *ep, const char *tag, const struct digest *want)
{
    struct err e = ERR_INIT;
    struct digest got;
    assert_ok(resolve(ep, tag, NULL, &got, &e));
    assert_true(digest_eq(&got, want));
}

/* What a new layout and its first artifact look like, byte for byte. */
static void makes_layout(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    struct oci_endpoint *ep = layout(s);
    assert_true(scratch_holds(s, "lay/oci-layout", BYTES_LIT("{\"imageLayoutVersion\":\"1.0.0\"}")));
    assert_true(scratch_holds(s, "lay/index.json", BYTES_LIT(INDEX_HEAD "]}")));
    struct digest d;
    assert_ok(push(ep, "one", "v1", &d, &e));
    AUTO_DONE(buf) want = BUF_INIT(4096);
    AUTO_DONE(buf) body = BUF_INIT(4096);
    char text[DIGEST_STR_MAX];
    manifest_of(BYTES_LIT("one"), &body);
    buf_printf(
        &want,
        INDEX_HEAD
        "{\"mediaType\":\"" OCI_TYPE_MANIFEST
        "\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\"}}]}",
        digest_str(&d, text), body.len);
    assert_true(scratch_holds(s, "lay/index.json", buf_bytes(&want)));
    assert_int_equal(folder_count(scratch_path(s, "lay")), 3);
    assert_int_equal(folder_count(scratch_path(s, "lay/blobs/sha256")), 3);
    expect_tag(ep, "v1", &d);
    expect_tag(ep, NULL, &d);
    oci_endpoint_close(ep);
    assert_ok(open_layout(s, false, &ep, &e));
    expect_tag(ep, "v1", &d);
    oci_endpoint_close(ep);
    assert_int_equal(open_fds(), fds);
}

static void resolves(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct digest one, two, got;
    AUTO(oci_endpoint) ep = layout(s);
    assert_fails(resolve(ep, NULL, NULL, &got, &e), ERR_NOTFOUND);
    assert_ok(push(ep, "one", "v1", &one, &e));
    assert_ok(push(ep, "two", "v2", &two, &e));
    expect_tag(ep, "v1", &one);
    expect_tag(ep, "v2", &two);
    assert_fails(resolve(ep, "v3", NULL, &got, &e), ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, "v3"));
    assert_fails(resolve(ep, "V1", NULL, &got, &e), ERR_NOTFOUND);
    assert_fails(resolve(ep, NULL, NULL, &got, &e), ERR_NOTFOUND); /* which one? */
    assert_ok(push(ep, "two", "latest", &two, &e));
    expect_tag(ep, NULL, &two);
    assert_ok(resolve(ep, NULL, &one, &got, &e));
    assert_true(digest_eq(&got, &one));
    assert_ok(resolve(ep, "v2", &one, &got, &e)); /* the digest counts */
    assert_true(digest_eq(&got, &one));
    struct digest other = digest_of(BYTES_LIT("nowhere"));
    assert_fails(resolve(ep, NULL, &other, &got, &e), ERR_NOTFOUND);
}

static void ambiguous(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct digest one, two, got;
    AUTO(oci_endpoint) ep = layout(s);
    assert_ok(push(ep, "one", "a", &one, &e));
    assert_ok(push(ep, "two", "b", &two, &e));
    AUTO_DONE(buf) body = BUF_INIT(4096);
    AUTO_DONE(buf) index = BUF_INIT(4096);
    manifest_of(BYTES_LIT("one"), &body);
    const struct digest *digests[] = {&one, &two, &one};
    for (size_t n = 1; n < 3; n++) { /* n = 1: two different ones; n = 2: the same one twice */
        char text[DIGEST_STR_MAX];
        buf_reset(&index);
        buf_append_str(&index, INDEX_HEAD);
        for (size_t i = 0; i < 2; i++)
            buf_printf(&index,
                       "%s{\"mediaType\":\"" OCI_TYPE_MANIFEST
                       "\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"" OCI_ANNOTATION_REF
                       "\":\"a\"}}",
                       i ? "," : "", digest_str(digests[i * n], text), body.len);
        buf_append_str(&index, "]}");
        scratch_write(s, "lay/index.json", buf_bytes(&index));
        if (n == 1)
            assert_fails(resolve(ep, "a", NULL, &got, &e), ERR_FORMAT);
        else
            expect_tag(ep, "a", &one);
    }
}

static void blobs(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    AUTO(oci_endpoint) ep = layout(s);
    struct oci_desc desc = {.digest = digest_of(BYTES_LIT("content")), .size = 7};
    bool existed = true;
    int fd = -7;
    assert_fails(ep->ops->blob_open(ep, &desc, &fd, &e), ERR_NOTFOUND);
    assert_ok(push_blob(ep, BYTES_LIT("content"), &existed, &e));
    assert_false(existed);
    assert_ok(push_blob(ep, BYTES_LIT("content"), &existed, &e));
    assert_true(existed);
    assert_ok(push_blob(ep, BYTES_NONE, &existed, &e));

    AUTO_DONE(buf) got = BUF_INIT(100);
    struct sink_buf to;
    assert_ok(ep->ops->blob_fetch(ep, &desc, sink_buf_init(&to, &got), &e));
    assert_string_equal(buf_cstr(&got), "content");
    assert_ok(ep->ops->blob_open(ep, &desc, &fd, &e));
    (void)close(fd);
    fd = -7;
    desc.size = 8;
    assert_fails(ep->ops->blob_open(ep, &desc, &fd, &e), ERR_DIGEST);
    desc.size = 7;

    /* Damage: refused to a reader when the size shows it, mended by a push in any case. */
    const struct bytes wrong[] = {BYTES_LIT("contenT"), BYTES_LIT("conten"), BYTES_NONE};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        scratch_write(s, blob_name(&desc.digest), wrong[i]);
        int r = ep->ops->blob_open(ep, &desc, &fd, &e);
        assert_int_equal(r, wrong[i].len == 7 ? 0 : ERR_DIGEST);
        if (!r)
            (void)close(fd);
        existed = true;
        assert_ok(push_blob(ep, BYTES_LIT("content"), &existed, &e));
        assert_false(existed);
        assert_true(scratch_holds(s, blob_name(&desc.digest), BYTES_LIT("content")));
    }
    /* A source that is not what the descriptor says leaves nothing. */
    const struct bytes lies[] = {BYTES_LIT("Content"), BYTES_LIT("content!"), BYTES_LIT("cont"), BYTES_NONE};
    assert_int_equal(unlinkat(s->fd, blob_name(&desc.digest), 0), 0);
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct opener_bytes ob;
        struct source_opener from = opener_bytes_init(&ob, lies[i]);
        assert_fails(ep->ops->blob_push(ep, &desc, &from, &existed, &e), ERR_DIGEST);
    }
    assert_false(scratch_has(s, blob_name(&desc.digest)));
    assert_int_equal(folder_count(scratch_path(s, "lay/blobs/sha256")), 1); /* the empty one */
    assert_int_equal(open_fds(), fds + 2); /* the folder, and the claim on its blobs */
}

static void damaged_manifests(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct digest d, got;
    AUTO(oci_endpoint) ep = layout(s);
    assert_ok(push(ep, "one", "v1", &d, &e));
    scratch_write(s, blob_name(&d), BYTES_LIT("{\"schemaVersion\":2}"));
    assert_fails(resolve(ep, "v1", NULL, &got, &e), ERR_DIGEST);
    assert_fails(resolve(ep, NULL, &d, &got, &e), ERR_DIGEST);
    assert_int_equal(unlinkat(s->fd, blob_name(&d), 0), 0);
    assert_fails(resolve(ep, "v1", NULL, &got, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "missing"));
    assert_fails(resolve(ep, NULL, &d, &got, &e), ERR_NOTFOUND);
    scratch_write(s, "lay/elsewhere", BYTES_LIT("x"));
    assert_int_equal(symlinkat("../../elsewhere", s->fd, blob_name(&d)), 0);
    assert_fails(resolve(ep, "v1", NULL, &got, &e), ERR_IO);

    /* An index that lies about the size. */
    AUTO_DONE(buf) index = BUF_INIT(4096);
    char text[DIGEST_STR_MAX];
    assert_ok(push_now(ep, "one", "v1", &d, &e));
    buf_printf(&index, INDEX_HEAD "{\"mediaType\":\"" OCI_TYPE_MANIFEST "\",\"digest\":\"%s\",\"size\":3}]}",
               digest_str(&d, text));
    scratch_write(s, "lay/index.json", buf_bytes(&index));
    assert_fails(resolve(ep, NULL, NULL, &got, &e), ERR_DIGEST);
}

static void damaged_index(void **state)
{
    const struct scratch *s = *state;
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{}",
        "{\"schemaVersion\":2}",
        INDEX_HEAD "]}x",
        INDEX_HEAD "{}]}",
        "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a/c\",\"digest\":\"" CONFIG
        "\",\"size\":2},\"layers\":[]}",
    };
    struct err e = ERR_INIT;
    struct digest d, got;
    AUTO(oci_endpoint) ep = layout(s);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        scratch_write(s, "lay/index.json", bytes_str(bad[i]));
        assert_fails(resolve(ep, "v1", NULL, &got, &e), ERR_FORMAT);
        assert_non_null(strstr(e.msg, "index.json"));
        assert_fails(push(ep, "one", "v1", &d, &e), ERR_FORMAT);
        assert_true(scratch_holds(s, "lay/index.json", bytes_str(bad[i]))); /* not made worse */
    }
    assert_int_equal(unlinkat(s->fd, "lay/index.json", 0), 0);
    assert_fails(resolve(ep, "v1", NULL, &got, &e), ERR_FORMAT);
    scratch_write(s, "real.json", BYTES_LIT(INDEX_HEAD "]}"));
    assert_int_equal(symlinkat("../real.json", s->fd, "lay/index.json"), 0);
    assert_fails(resolve(ep, "v1", NULL, &got, &e), ERR_IO);
    assert_fails(push(ep, "one", "v1", &d, &e), ERR_IO);
    assert_true(scratch_holds(s, "real.json", BYTES_LIT(INDEX_HEAD "]}")));
    assert_int_equal(unlinkat(s->fd, "lay/index.json", 0), 0);
    assert_int_equal(mkfifoat(s->fd, "lay/index.json", 0600), 0);
    assert_fails(resolve(ep, "v1", NULL, &got, &e), ERR_IO);
}

static void bad_layout_files(void **state)
{
    const struct scratch *s = *state;
    static char big[5000];
    memset(big, ' ', sizeof(big) - 1);
    const struct {
        const char *text;
        int code;
    } cases[] = {
        {"", ERR_FORMAT},
        {"1.0.0", ERR_FORMAT},
        {"[]", ERR_FORMAT},
        {"{}", ERR_FORMAT},
        {"{\"imageLayoutVersion\":1}", ERR_FORMAT},
        {"{\"imageLayoutVersion\":\"2.0.0\"}", ERR_UNSUPPORTED},
        {"{\"imageLayoutVersion\":\"1.0.0\"}{}", ERR_FORMAT},
        {"{\"imageLayoutVersion\":\"1.1.0\",\"more\":1}\n", 0},
        {big, ERR_LIMIT},
    };
    oci_endpoint_close(layout(s));
    size_t fds = open_fds();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int create = 0; create < 2; create++) {
            struct err e = ERR_INIT;
            AUTO(oci_endpoint) ep = NULL;
            scratch_write(s, "lay/oci-layout", bytes_str(cases[i].text));
            assert_fails(open_layout(s, create, &ep, &e), cases[i].code);
        }
    }
    struct err e = ERR_INIT;
    struct oci_endpoint *ep = NULL;
    assert_int_equal(renameat(s->fd, "lay/oci-layout", s->fd, "moved"), 0);
    assert_fails(open_layout(s, false, &ep, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "no image layout"));
    assert_int_equal(symlinkat("../moved", s->fd, "lay/oci-layout"), 0);
    assert_fails(open_layout(s, false, &ep, &e), ERR_IO);
    assert_fails(open_layout(s, true, &ep, &e), ERR_IO);
    assert_int_equal(open_fds(), fds);
}

static void other_peoples_folders(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    struct oci_endpoint *ep = NULL;
    assert_fails(open_layout(s, false, &ep, &e), ERR_NOTFOUND);
    assert_false(scratch_has(s, "lay"));
    scratch_write(s, "lay", BYTES_LIT("a file"));
    assert_fails(open_layout(s, true, &ep, &e), ERR_IO);
    assert_int_equal(unlinkat(s->fd, "lay", 0), 0);

    assert_int_equal(mkdirat(s->fd, "lay", 0700), 0);
    scratch_write(s, "lay/thesis.tex", BYTES_LIT("x"));
    assert_fails(open_layout(s, true, &ep, &e), ERR_FORMAT);
    assert_int_equal(folder_count(scratch_path(s, "lay")), 1);
    assert_int_equal(unlinkat(s->fd, "lay/thesis.tex", 0), 0);

    scratch_write(s, "lay/index.json", BYTES_LIT("{\"name\":\"my web site\"}"));
    assert_fails(open_layout(s, true, &ep, &e), ERR_FORMAT);
    assert_false(scratch_has(s, "lay/oci-layout"));
    assert_true(scratch_holds(s, "lay/index.json", BYTES_LIT("{\"name\":\"my web site\"}")));
    assert_int_equal(unlinkat(s->fd, "lay/index.json", 0), 0);

    /* What an interrupted making left is taken up, hidden files are nobody's business. */
    scratch_write(s, "lay/.gitignore", BYTES_LIT("x"));
    scratch_write(s, "lay/index.json", BYTES_LIT(INDEX_HEAD "]}"));
    assert_ok(open_layout(s, true, &ep, &e));
    oci_endpoint_close(ep);
    /* Foreign files beside a layout stay and do not disturb. */
    struct digest d;
    ep = layout(s);
    scratch_write(s, "lay/README", BYTES_LIT("hello"));
    scratch_write(s, "lay/blobs/sha256/not-a-digest", BYTES_LIT("x"));
    assert_ok(push(ep, "one", "v1", &d, &e));
    expect_tag(ep, "v1", &d);
    assert_true(scratch_holds(s, "lay/README", BYTES_LIT("hello")));
    assert_true(scratch_has(s, "lay/blobs/sha256/not-a-digest"));
    oci_endpoint_close(ep);
    assert_int_equal(open_fds(), fds);
}

/* A new tag touches no other entry and no member that we do not know. */
static void retag(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct digest one, two;
    AUTO(oci_endpoint) ep = layout(s);
    assert_ok(push_now(ep, "one", NULL, &one, &e));
    assert_ok(push_now(ep, "two", NULL, &two, &e));
    AUTO_DONE(buf) body = BUF_INIT(4096);
    AUTO_DONE(buf) index = BUF_INIT(4096);
    AUTO_DONE(buf) want = BUF_INIT(4096);
    char text[DIGEST_STR_MAX], text2[DIGEST_STR_MAX];
    manifest_of(BYTES_LIT("one"), &body);
    static const char head[] = "{\"schemaVersion\":2,\"x-unknown\":{\"b\":[1,null],\"a\":\"\xc3\xa9\"},"
                               "\"annotations\":{\"k\":\"v\"},\"manifests\":[";
    static const char stays[] = "{\"mediaType\":\"" OCI_TYPE_MANIFEST
                                "\",\"digest\":\"%s\",\"size\":%zu,\"platform\":{\"os\":\"wasip1\"},"
                                "\"annotations\":{\"own\":\"1\",\"" OCI_ANNOTATION_REF "\":\"other\"}},";
    static const char tagged[] =
        "{\"mediaType\":\"" OCI_TYPE_MANIFEST
        "\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"" OCI_ANNOTATION_REF "\":\"v1\"}}]}";
    (void)digest_str(&one, text);
    (void)digest_str(&two, text2);
    buf_append_str(&index, head);
    buf_printf(&index, stays, text, body.len);
    buf_printf(&index, tagged, text, body.len);
    scratch_write(s, "lay/index.json", buf_bytes(&index));
    assert_ok(push_now(ep, "two", "v1", &two, &e));
    buf_append_str(&want, head);
    buf_printf(&want, stays, text, body.len);
    buf_printf(&want, tagged, text2, body.len);
    assert_true(scratch_holds(s, "lay/index.json", buf_bytes(&want)));
    expect_tag(ep, "other", &one);
    expect_tag(ep, "v1", &two);
    /* Again: nothing changes. */
    assert_ok(push_now(ep, "two", "v1", &two, &e));
    assert_true(scratch_holds(s, "lay/index.json", buf_bytes(&want)));
    /* Without a tag: the entry is there already, and its tag stays. */
    assert_ok(push_now(ep, "two", NULL, &two, &e));
    assert_true(scratch_holds(s, "lay/index.json", buf_bytes(&want)));
}

/* An index that cannot take one more entry stays readable. */
static void full(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct digest d;
    AUTO(oci_endpoint) ep = layout(s);
    AUTO_DONE(buf) index = BUF_INIT(LIMIT_INDEX);
    buf_append_str(&index, INDEX_HEAD);
    for (unsigned i = 0; i < LIMIT_MANIFESTS; i++)
        buf_printf(&index,
                   "%s{\"mediaType\":\"" OCI_TYPE_MANIFEST "\",\"digest\":\"" CONFIG
                   "\",\"size\":2,\"annotations\":{\"" OCI_ANNOTATION_REF "\":\"t%u\"}}",
                   i ? "," : "", i);
    buf_append_str(&index, "]}");
    assert_ok(buf_check(&index, &e));
    scratch_write(s, "lay/index.json", buf_bytes(&index));
    assert_fails(push(ep, "one", "new", &d, &e), ERR_LIMIT);
    assert_true(scratch_holds(s, "lay/index.json", buf_bytes(&index)));
    assert_ok(push(ep, "one", "t7", &d, &e)); /* one goes, one comes */
    expect_tag(ep, "t7", &d);
}

/* Pushers of one new layout, all at once: every tag of every one is there in the end. */
static void concurrent(void **state)
{
    const struct scratch *s = *state;
    enum { PUSHERS = 6, TAGS = 6 };
    pid_t pids[PUSHERS];
    for (unsigned i = 0; i < PUSHERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i])
            continue;
        struct err e = ERR_INIT;
        struct oci_endpoint *ep = NULL;
        int r = open_layout(s, true, &ep, &e); /* its first push is written at once, others wait */
        for (unsigned n = 0; !r && n < TAGS; n++) {
            char tag[16];
            struct digest d;
            (void)snprintf(tag, sizeof(tag), "t%u-%u", i, n);
            r = push(ep, tag, tag, &d, &e);
            if (!r)
                r = push(ep, "common", "common", &d, &e);
        }
        oci_endpoint_close(TAKE(ep));
        if (r)
            print_message("# pusher %u: %s\n", i, e.msg);
        _exit(r != 0);
    }
    for (unsigned i = 0; i < PUSHERS; i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    AUTO(oci_endpoint) ep = layout(s);
    for (unsigned i = 0; i < PUSHERS; i++) {
        for (unsigned n = 0; n < TAGS; n++) {
            char tag[16];
            (void)snprintf(tag, sizeof(tag), "t%u-%u", i, n);
            AUTO_DONE(buf) body = BUF_INIT(4096);
            manifest_of(bytes_str(tag), &body);
            struct digest want = digest_of(buf_bytes(&body));
            expect_tag(ep, tag, &want);
        }
    }
    /* Blobs and manifests of all tags and of the common one, the config; no temporary file. */
    assert_int_equal(folder_count(scratch_path(s, "lay/blobs/sha256")), 2 * (PUSHERS * TAGS + 1) + 1);
    assert_int_equal(folder_count(scratch_path(s, "lay")), 3);
}

/* How often a text stands in the index.json that is on the disk. */
static size_t index_says(const struct scratch *s, const char *text)
{
    char bytes[8192];
    size_t n = 0;
    FILE *f = fopen(scratch_path(s, "lay/index.json"), "r");
    assert_non_null(f);
    bytes[fread(bytes, 1, sizeof(bytes) - 1, f)] = '\0';
    (void)fclose(f);
    for (const char *at = bytes; (at = strstr(at, text)); at++)
        n++;
    return n;
}

/* The first of several is written at once, the others together: as if one had come after the other. */
static void in_quick_succession(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct digest one, two, other;
    char text[DIGEST_STR_MAX];
    AUTO(oci_endpoint) ep = layout(s);
    AUTO(oci_endpoint) somebody = layout(s);
    assert_ok(push(ep, "one", "v1", &one, &e));
    assert_int_equal(index_says(s, "\"v1\""), 1);
    assert_ok(push(ep, "one", "v2", &one, &e));
    assert_ok(push(ep, "two", "v2", &two, &e)); /* takes it from the one before */
    assert_ok(push(ep, "two", NULL, &two, &e)); /* has an entry then */
    assert_ok(push(ep, "two", "v1", &two, &e)); /* takes it from one that is written */
    assert_ok(push(ep, "three", NULL, &other, &e));
    assert_ok(push(somebody, "other", "theirs", &other, &e));
    assert_int_equal(index_says(s, "\"theirs\""), 1);
    expect_tag(ep, "theirs", &other); /* who asks sees all */
    expect_tag(ep, "v1", &two);
    expect_tag(ep, "v2", &two);
    expect_tag(somebody, "v1", &two);
    assert_int_equal(index_says(s, "\"v1\""), 1);
    assert_int_equal(index_says(s, "\"v2\""), 1);
    assert_int_equal(index_says(s, "\"theirs\""), 1);
    assert_int_equal(index_says(s, digest_str(&two, text)), 2);
    assert_int_equal(index_says(s, digest_str(&one, text)), 0);
    assert_int_equal(index_says(s, "\"digest\""), 4);
}

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* However many tags there are, the index is written twice a second. */
static void written_seldom(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct digest d;
    struct stat now, before = {.st_ino = 0};
    double start = seconds(), written = 0;
    AUTO(oci_endpoint) ep = layout(s);
    for (unsigned i = 0; i < 100; i++) {
        char tag[16];
        (void)snprintf(tag, sizeof(tag), "t%u", i);
        assert_ok(push(ep, "one", tag, &d, &e));
        assert_int_equal(stat(scratch_path(s, "lay/index.json"), &now), 0);
        written += now.st_ino != before.st_ino || now.st_size != before.st_size;
        before = now;
    }
    assert_true(written <= 2 + 2 * (seconds() - start));
    AUTO_DONE(buf) tags = BUF_INIT(4096);
    assert_ok(ep->ops->tags(ep, &tags, &e));
    size_t n = 0;
    for (size_t i = 0; i < tags.len; i++)
        n += tags.ptr[i] == 0;
    assert_int_equal(n, 100);
}

/* Machines that are busy may take longer than entries wait: then there is nothing to see. */
static void expect_waiting(const struct scratch *s, const char *tag)
{
    if (index_says(s, tag))
        print_message("# %s was written already\n", tag);
}

/* What waits is written before a blob that may take long, and when the layout is closed. */
static void waits_for_nothing_long(void **state)
{
    const struct scratch *s = *state;
    static uint8_t large[1 << 20];
    struct err e = ERR_INIT;
    struct digest d;
    bool existed;
    AUTO(oci_endpoint) ep = layout(s);
    assert_ok(push(ep, "one", "v1", &d, &e));
    assert_ok(push(ep, "one", "v2", &d, &e));
    expect_waiting(s, "\"v2\"");
    assert_ok(push_blob(ep, bytes_of(large, sizeof(large)), &existed, &e));
    assert_int_equal(index_says(s, "\"v2\""), 1);
    assert_ok(push(ep, "one", "v3", &d, &e));
    expect_waiting(s, "\"v3\"");
    (void)usleep(600000);
    assert_ok(push(ep, "one", "v4", &d, &e));
    assert_int_equal(index_says(s, "\"v3\""), 1);
    assert_int_equal(index_says(s, "\"v4\""), 1);
    assert_ok(push(ep, "one", "v5", &d, &e));
    oci_endpoint_close(TAKE(ep));
    assert_int_equal(index_says(s, "\"v5\""), 1);
}

/* A process that is killed: what the index names is there, and what was pushed can be pushed again. */
static void killed_half_way(void **state)
{
    const struct scratch *s = *state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct err e = ERR_INIT;
        struct digest d;
        struct oci_endpoint *ep = NULL;
        int r = open_layout(s, true, &ep, &e);
        for (unsigned n = 0; !r && n < 4; n++)
            r = push(ep, n ? "more" : "first", n ? "more" : "first", &d, &e);
        _exit(r ? 1 : 7);
    }
    int status = -1;
    struct err e = ERR_INIT;
    struct digest d, got;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 7);
    AUTO(oci_endpoint) ep = layout(s);
    assert_ok(resolve(ep, "first", NULL, &got, &e));
    assert_ok(push_now(ep, "more", "more", &d, &e));
    expect_tag(ep, "more", &d);
}

/* Bytes that are not those which were parsed count, also where the file looks the same otherwise. */
static void changed_underneath(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct digest one, got;
    struct stat before;
    const struct timespec *times;
    AUTO(oci_endpoint) ep = layout(s);
    assert_ok(push_now(ep, "one", "v1", &one, &e));
    expect_tag(ep, "v1", &one);
    assert_int_equal(stat(scratch_path(s, "lay/index.json"), &before), 0);
    times = (const struct timespec[]){before.st_atim, before.st_mtim};
    int fd = open(scratch_path(s, "lay/index.json"), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    char text[1024];
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    char *tag = strstr(text, "\"v1\"");
    assert_non_null(tag);
    assert_int_equal(pwrite(fd, "\"v2\"", 4, tag - text), 4);
    assert_int_equal(futimens(fd, times), 0);
    (void)close(fd);
    expect_tag(ep, "v2", &one);
    assert_fails(resolve(ep, "v1", NULL, &got, &e), ERR_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(makes_layout),
        scratch_test(resolves),
        scratch_test(ambiguous),
        scratch_test(blobs),
        scratch_test(damaged_index),
        scratch_test(damaged_manifests),
        scratch_test(bad_layout_files),
        scratch_test(retag),
        scratch_test(other_peoples_folders),
        scratch_test(full),
        scratch_test(concurrent),
        scratch_test(in_quick_succession),
        scratch_test(written_seldom),
        scratch_test(waits_for_nothing_long),
        scratch_test(killed_half_way),
        scratch_test(changed_underneath),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
