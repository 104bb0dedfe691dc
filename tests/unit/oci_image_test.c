/* SPDX-License-Identifier: Apache-2.0 */
/* Images and Spin applications: their JSON, the search in layers and its caps, and the images that are made.
 */
#include "base/file.h"
#include "base/plugin.h"
#include "oci/kind_rows.h"
#include "tests/registry/fixture.h"
#include "tests/unit/unit.h"

static char plugins[PATH_MAX];

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void paths(void **state)
{
    (void)state;
    static const struct {
        const char *config, *path; /* NULL: malformed */
    } cases[] = {
        {"{}", ""},
        {"{\"config\":null}", ""},
        {"{\"config\":{\"Entrypoint\":[],\"Cmd\":null}}", ""},
        {"{\"config\":{\"Entrypoint\":[\"\"]}}", ""},
        {"{\"config\":{\"Cmd\":[\"/a.wasm\",\"x\"]}}", "a.wasm"},
        {"{\"config\":{\"Entrypoint\":[\"/e\"],\"Cmd\":[\"/c\"]}}", "e"},
        {"{\"config\":{\"Cmd\":[\"c\"],\"WorkingDir\":\"/w/x/\"}}", "w/x/c"},
        {"{\"config\":{\"Cmd\":[\"/c\"],\"WorkingDir\":\"/w\"}}", "c"},
        {"{\"config\":{\"Cmd\":[\"../../../c\"],\"WorkingDir\":\"/w/x\"}}", "c"},
        {"{\"config\":{\"Cmd\":[\".//a/./b/../c/\"]}}", "a/c"},
        {"{\"config\":{\"Cmd\":[\"/..\"]}}", ""},
        {"{\"config\":{\"Cmd\":[7]}}", NULL},
        {"{\"config\":{\"Cmd\":\"/c\"}}", NULL},
        {"{\"config\":[]}", NULL},
        {"{\"os\":1}", NULL},
        {"{\"config\":{\"Labels\":{\"com.fermyon.spin.lockedAppDigest\":1}}}", NULL},
        {"[]", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_image) image = {.doc = NULL};
        AUTO_DONE(buf) path = BUF_INIT(100);
        assert_fails(oci_image_parse(bytes_str(cases[i].config), &image, &e), cases[i].path ? 0 : ERR_FORMAT);
        if (!cases[i].path)
            continue;
        assert_ok(oci_image_path(&image, &path, &e));
        assert_string_equal(buf_cstr(&path), cases[i].path);
    }
    struct err e = ERR_INIT;
    const struct oci_image far = {.entry = "/0123456789/0123456789"};
    AUTO_DONE(buf) small = BUF_INIT(15);
    assert_fails(oci_image_path(&far, &small, &e), ERR_LIMIT);
}

#define COMPONENT(id) "{\"id\":\"" id "\",\"source\":{\"digest\":\"sha256:" ZEROS "\"}}"

static void spin_sources(void **state)
{
    (void)state;
    static const struct {
        const char *app, *id;
        int code;
        const char *words;
    } cases[] = {
        {"{\"components\":[" COMPONENT("a") "]}", NULL, 0, NULL},
        {"{\"components\":[" COMPONENT("a") "]}", "a", 0, NULL},
        {"{\"components\":[" COMPONENT("a") "," COMPONENT("b") "]}", "b", 0, NULL},
        {"{\"components\":[" COMPONENT("a") "," COMPONENT("b") "]}", NULL, ERR_USAGE,
         "which component? there are: a, b"},
        {"{\"components\":[" COMPONENT("a") "]}", "x", ERR_USAGE, "no such component; there are: a"},
        {"{\"components\":[" COMPONENT("\\u001b[2J") "]}", "x", ERR_USAGE, "there are: \\x1b[2J"},
        {"{\"components\":[" COMPONENT("a") "," COMPONENT("a") "]}", "a", ERR_FORMAT, "same id"},
        {"{\"components\":[]}", NULL, ERR_FORMAT, "no components"},
        {"{\"components\":[{}]}", NULL, ERR_FORMAT, "id"},
        {"{\"components\":[{\"id\":\"a\"}]}", NULL, ERR_FORMAT, "source"},
        {"{\"components\":[{\"id\":\"a\",\"source\":{}}]}", NULL, ERR_UNSUPPORTED, "not given by a digest"},
        {"{\"components\":[{\"id\":\"a\",\"source\":{\"digest\":\"md5:0\"}}]}", NULL, ERR_UNSUPPORTED, ""},
        {"{\"components\":[{\"id\":\"a\",\"source\":{\"digest\":\"x\"}}]}", NULL, ERR_FORMAT, ""},
        {"{}", NULL, ERR_FORMAT, "components"},
        {"[]", NULL, ERR_FORMAT, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        struct digest d;
        assert_fails(oci_spin_source(bytes_str(cases[i].app), cases[i].id, &d, &e), cases[i].code);
        if (cases[i].code && !strstr(e.msg, cases[i].words))
            fail_msg("'%s' is not in '%s'", cases[i].words, e.msg);
    }
}

/* Blobs in memory: the first is the config, the others are layers. */
struct world {
    struct buf blobs[4];
    struct oci_desc descs[4];
    size_t n, opened;
    int failure;
};

static void world_done(struct world *w)
{
    for (size_t i = 0; i < w->n; i++)
        buf_done(&w->blobs[i]);
}

static int world_open(void *ctx, const struct oci_desc *desc, int *ret_fd, struct err *e)
{
    struct world *w = ctx;
    AUTO_FD int fd = -1;
    w->opened++;
    if (w->failure)
        return err_set(e, (enum err_code)w->failure, "not to be had");
    for (size_t i = 0; i < w->n; i++) {
        if (!digest_eq(&w->descs[i].digest, &desc->digest))
            continue;
        struct sink_fd to;
        assert_int_equal(file_unnamed(NULL, &fd, e), 0);
        assert_int_equal(sink_write(sink_fd_init(&to, fd), buf_bytes(&w->blobs[i]), e), 0);
        *ret_fd = TAKE_FD(fd);
        return 0;
    }
    return err_set(e, ERR_NOTFOUND, "no blob");
}

static struct buf *world_add(struct world *w)
{
    w->blobs[w->n] = (struct buf)BUF_INIT(64U << 20);
    return &w->blobs[w->n++];
}

static int world_locate(struct world *w, struct oci_place *ret, struct err *e)
{
    for (size_t i = 0; i < w->n; i++) {
        w->descs[i] = (struct oci_desc){.media_type = i ? "application/vnd.oci.image.layer.v1.tar"
                                                        : OCI_TYPE_IMAGE_CONFIG,
                                        .size = w->blobs[i].len};
        assert_int_equal(hash_bytes(HASH_SHA256, buf_bytes(&w->blobs[i]), &w->descs[i].digest, e), 0);
    }
    const struct oci_manifest m = {
        .has_config = true, .config = w->descs[0], .entries = w->descs + 1, .n_entries = w->n - 1};
    const struct oci_choice choice = {.component = NULL};
    const struct oci_blobs blobs = {.open = world_open, .ctx = w};
    return oci_kind_locate(oci_kind_to_write("image"), &m, &choice, &blobs, ret, e);
}

/* n members NAME0, NAME1, ... of no bytes. */
static void put_members(struct buf *tar, const char *name, unsigned n)
{
    struct err e = ERR_INIT;
    struct sink_buf sink;
    AUTO(oci_archive_out) out = NULL;
    assert_ok(oci_archive_write(sink_buf_init(&sink, tar), OCI_COMPRESSION_NONE, &out, &e));
    for (unsigned i = 0; i < n; i++) {
        char text[64];
        struct source_bytes none;
        (void)snprintf(text, sizeof(text), name, i);
        assert_ok(oci_archive_add(out, text, 0, source_bytes_init(&none, BYTES_NONE), &e));
    }
    assert_ok(oci_archive_finish(out, &e));
}

static void caps(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct oci_place p = OCI_PLACE_INIT;
    __attribute__((cleanup(world_done))) struct world w = {.n = 0};
    size_t fds = open_fds();
    buf_append_str(world_add(&w), "{}");
    put_members(world_add(&w), "%u.wasm", LIMIT_IMAGE_CANDIDATES);
    assert_fails(world_locate(&w, &p, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "1000 wasm files"));
    buf_reset(&w.blobs[1]);
    put_members(&w.blobs[1], "%u.wasm", LIMIT_IMAGE_CANDIDATES + 1);
    assert_fails(world_locate(&w, &p, &e), ERR_LIMIT);
    assert_int_equal(open_fds(), fds);
}

/* The layers are read from the top, and no further than needed. */
static void order(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct oci_place p = OCI_PLACE_INIT;
    __attribute__((cleanup(world_done))) struct world w = {.n = 0};
    buf_append_str(world_add(&w), "{\"config\":{\"Cmd\":[\"/m0.wasm\"]}}");
    put_members(world_add(&w), "m%u.wasm", 2);
    put_members(world_add(&w), "m%u.wasm", 1);
    assert_ok(world_locate(&w, &p, &e));
    assert_int_equal(w.opened, 2); /* config, upper layer */
    assert_ptr_equal(p.layer, &w.descs[2]);
    assert_string_equal(p.member, "m0.wasm");
    assert_int_equal(p.size, 0);
    oci_place_done(&p);
    w.failure = ERR_NETWORK;
    assert_fails(world_locate(&w, &p, &e), ERR_NETWORK);
}

static int closes(void *ctx, struct source **ret, struct err *e)
{
    (void)ctx, (void)ret;
    return err_set(e, ERR_IO, "gone");
}

/* The images that are made: reproducible, and read again. A file that is another one by then is noticed. */
static void writes(void **state)
{
    (void)state;
    static const char *const formats[] = {"compat", "image"};
    static const struct bytes wasm = {(const uint8_t *)"\0asm\1\0\0\0", 8};
    static const struct bytes other = {(const uint8_t *)"\0asm\1\0\0\1", 8};
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct err e = ERR_INIT;
        struct wbin_info info = {.kind = WBIN_MODULE};
        struct opener_bytes bytes;
        struct source_opener content = opener_bytes_init(&bytes, wasm);
        struct oci_module module = {
            .info = &info, .size = 8, .title = "m.wasm", .path = "x/m.wasm", .content = &content};
        const struct oci_kind *kind = oci_kind_to_write(formats[i]);
        AUTO_DONE(oci_written) a = OCI_WRITTEN_INIT;
        AUTO_DONE(oci_written) b = OCI_WRITTEN_INIT;
        AUTO_DONE(oci_written) c = OCI_WRITTEN_INIT;
        AUTO_DONE(oci_written) d = OCI_WRITTEN_INIT;
        assert_ok(hash_bytes(HASH_SHA256, wasm, &module.digest, &e));
        assert_ok(kind->write(&module, NULL, 0, &a, &e));
        assert_ok(kind->write(&module, NULL, 0, &b, &e));
        assert_true(bytes_eq(buf_bytes(&a.manifest), buf_bytes(&b.manifest)));
        AUTO_DONE(oci_manifest) m = {.doc = NULL};
        assert_ok(oci_manifest_parse(buf_bytes(&a.manifest), OCI_TYPE_MANIFEST, &m, &e));
        assert_ptr_equal(oci_kind_of(&m), kind);
        opener_bytes_init(&bytes, other);
        assert_fails(kind->write(&module, NULL, 0, &c, &e), ERR_IO);
        content.open = closes;
        assert_fails(kind->write(&module, NULL, 0, &d, &e), ERR_IO);
        assert_string_equal(e.msg, "gone");
    }
    assert_null(oci_kind_to_write("tar"));
}

static int group_setup(void **state)
{
    (void)state;
    if (!fixture_plugins(plugins))
        return -1;
    plugin_set_folder(plugins);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths), cmocka_unit_test(spin_sources), cmocka_unit_test(caps),
        cmocka_unit_test(order), cmocka_unit_test(writes),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
