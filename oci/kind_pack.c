/* SPDX-License-Identifier: Apache-2.0 */
/* Images that hold nothing but a module: what is built FROM scratch, without a builder. */
#include "base/file.h"
#include "base/limits.h"
#include "oci/kind_rows.h"

/* The module as the one member of a tar that goes to `to`. It must be what was surveyed. */
static int pack(const struct oci_module *module, const char *name, enum oci_compression compression,
                struct sink *to, struct err *e)
{
    AUTO(hash_state) hash = NULL;
    AUTO(oci_archive_out) tar = NULL;
    struct source *from = NULL;
    struct source_tee tee;
    struct digest got;
    int r = hash_open(module->digest.alg, &hash, e);
    if (!r)
        r = oci_archive_write(to, compression, &tar, e);
    if (!r)
        r = module->content->open(module->content->ctx, &from, e);
    if (!r)
        r = oci_archive_add(tar, name, module->size, source_tee_init(&tee, from, hash_see, hash), e);
    source_close(from);
    if (!r)
        r = oci_archive_finish(tar, e);
    if (r)
        return r;
    hash_final(hash, &got);
    return digest_eq(&got, &module->digest) ? 0 : err_set(e, ERR_IO, "the file changed while it was read");
}

/* A sink that hashes and counts, and passes on to a descriptor where there is one. */
struct counted {
    struct sink base;
    struct sink_fd file;
    struct hash_state *hash;
    uint64_t size;
};

static int counted_write(struct sink *base, struct bytes data, struct err *e)
{
    struct counted *c = (struct counted *)base;
    hash_update(c->hash, data);
    c->size += data.len;
    return c->file.fd < 0 ? 0 : sink_write(&c->file.base, data, e);
}

static int pack_counted(const struct oci_module *module, const char *name, enum oci_compression compression,
                        int fd, struct digest *ret_digest, uint64_t *ret_size, struct err *e)
{
    AUTO(hash_state) hash = NULL;
    struct counted to = {.base = {.write = counted_write}};
    int r = hash_open(HASH_SHA256, &hash, e);
    if (r)
        return r;
    (void)sink_fd_init(&to.file, fd);
    to.hash = hash;
    r = pack(module, name, compression, &to.base, e);
    if (r)
        return r;
    hash_final(hash, ret_digest);
    *ret_size = to.size;
    return 0;
}

/* image-spec 1.1, config.md. */
static void write_config(struct buf *out, const char *created, const char *name, const struct digest *diff)
{
    char digest[DIGEST_STR_MAX];
    AUTO_DONE(buf) path = BUF_INIT(LIMIT_ARCHIVE_NAME + 8);
    struct jout w = {.out = out};
    buf_printf(&path, "/%s", name);
    jout_object(&w, NULL);
    jout_string(&w, "created", created ? created : OCI_CREATED);
    jout_string(&w, "architecture", "wasm");
    jout_string(&w, "os", "wasi");
    jout_object(&w, "config");
    jout_array(&w, "Entrypoint");
    jout_string(&w, NULL, buf_cstr(&path));
    jout_array_end(&w);
    jout_object_end(&w);
    jout_object(&w, "rootfs");
    jout_string(&w, "type", "layers");
    jout_array(&w, "diff_ids");
    jout_string(&w, NULL, digest_str(diff, digest));
    jout_array_end(&w);
    jout_object_end(&w);
    jout_object_end(&w);
}

/* The user's annotations, and ours where the user says nothing else. */
static int with_ours(const struct oci_pair *theirs, size_t n, const struct oci_pair *ours, size_t n_ours,
                     struct oci_pair **ret, size_t *ret_n, struct err *e)
{
    struct oci_pair *all = calloc(n + n_ours, sizeof(*all));
    size_t len = 0;
    if (!all)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++)
        all[len++] = theirs[i];
    for (size_t i = 0; i < n_ours; i++) {
        size_t j = 0;
        while (j < n && strcmp(theirs[j].key, ours[i].key) != 0)
            j++;
        if (j == n)
            all[len++] = ours[i];
    }
    *ret = all;
    *ret_n = len;
    return 0;
}

struct image_form {
    const char *layer_type;
    enum oci_compression compression;
    const struct oci_pair *annotations;
    size_t n_annotations;
};

static int write_image(const struct image_form *form, const struct oci_module *module, const char *name,
                       const struct oci_pair *annotations, size_t n, struct oci_written *ret, struct err *e)
{
    AUTO_FREE struct oci_pair *all = NULL;
    AUTO_FD int fd = -1;
    struct digest diff;
    uint64_t size = 0;
    bool plain = form->compression == OCI_COMPRESSION_NONE;
    size_t n_all = 0;
    int r = with_ours(annotations, n, form->annotations, form->n_annotations, &all, &n_all, e);
    if (!r)
        r = file_unnamed(module->temp_dir, &fd, e);
    ret->layer = (struct oci_desc){.media_type = form->layer_type};
    if (!r)
        r = pack_counted(module, name, form->compression, fd, &ret->layer.digest, &ret->layer.size, e);
    diff = ret->layer.digest;
    if (!r && !plain)
        r = pack_counted(module, name, OCI_COMPRESSION_NONE, -1, &diff, &size, e);
    if (r)
        return r;
    ret->fd = TAKE_FD(fd);
    write_config(&ret->config, module->created, name, &diff);
    return oci_manifest_write(ret, true, OCI_TYPE_IMAGE_CONFIG, NULL, all, n_all, e);
}

/* solo-io/wasm image specification, "compat": one tar+gzip with plugin.wasm. */
int oci_compat_write(const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                     struct oci_written *ret, struct err *e)
{
    static const struct oci_pair ours[] = {{OCI_VARIANT, "compat"}};
    static const struct image_form form = {"application/vnd.oci.image.layer.v1.tar+gzip",
                                           OCI_COMPRESSION_GZIP, ours, ARRAY_LEN(ours)};
    return write_image(&form, module, "plugin.wasm", annotations, n, ret, e);
}

/* What crun and containerd's shims start. crun's "smart" handler wants a name that ends in .wasm. */
int oci_image_write(const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                    struct oci_written *ret, struct err *e)
{
    static const struct oci_pair ours[] = {{OCI_VARIANT, "compat-smart"}, {OCI_RUN_HANDLER, "wasm-smart"}};
    static const struct image_form form = {"application/vnd.oci.image.layer.v1.tar", OCI_COMPRESSION_NONE,
                                           ours, ARRAY_LEN(ours)};
    AUTO_DONE(buf) name = BUF_INIT(LIMIT_ARCHIVE_NAME);
    size_t len = strlen(module->title);
    buf_append_str(&name, module->title);
    if (len < 6 || strcmp(module->title + len - 5, ".wasm") != 0)
        buf_append_str(&name, ".wasm");
    int r = buf_check(&name, e);
    return r ? r : write_image(&form, module, buf_cstr(&name), annotations, n, ret, e);
}
