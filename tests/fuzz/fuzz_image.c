/* SPDX-License-Identifier: Apache-2.0 */
/* The configs of images, locked Spin applications, and the search for a module in the layers of an image. The
 * input is a JSON text up to the first NUL, then two bytes with the size of the lower layer, then the layers.
 */
#include "base/file.h"
#include "base/limits.h"
#include "base/plugin.h"
#include "oci/archive_ops.h"
#include "oci/kind_rows.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The plugin is linked into this program. */
int plugin_load(const char *name, const void **ret_ops, struct err *e)
{
    (void)name, (void)e;
    *ret_ops = &oci_archive_plugin_ops;
    return 0;
}

static struct bytes blobs[3];

/* The place of a descriptor in this array is that of its bytes in the other. */
static struct oci_desc descs[3];

static int open_blob(void *ctx, const struct oci_desc *desc, int *ret_fd, struct err *e)
{
    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(descs); i++) {
        if (!digest_eq(&desc->digest, &descs[i].digest))
            continue;
        AUTO_FD int fd = memfd_create("blob", MFD_CLOEXEC);
        if (fd < 0 || (blobs[i].len && write(fd, blobs[i].ptr, blobs[i].len) != (ssize_t)blobs[i].len))
            return err_set(e, ERR_IO, "memfd");
        *ret_fd = TAKE_FD(fd);
        return 0;
    }
    return err_set(e, ERR_NOTFOUND, "no blob");
}

static void use_image(void)
{
    struct err e = ERR_INIT;
    AUTO_DONE(oci_image) image = {.doc = NULL};
    AUTO_DONE(buf) path = BUF_INIT(LIMIT_ARCHIVE_NAME);
    if (oci_image_parse(blobs[0], &image, &e) != 0 || oci_image_path(&image, &path, &e) != 0 || !path.len)
        return;
    const char *name = buf_cstr(&path);
    if (*name == '/' || strstr(name, "//") || strstr(name, "/../") || strncmp(name, "../", 3) == 0)
        abort();
}

static void use_place(const struct oci_place *p)
{
    struct source_file file;
    struct digest got;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) bytes = BUF_INIT(64U << 20);
    if (!p->layer || (p->member != NULL) != (p->fd >= 0))
        abort();
    if (!p->member)
        return;
    if (source_read_all(source_file_init(&file, p->fd), &bytes, &e) != 0 || bytes.len != p->size ||
        hash_bytes(HASH_SHA256, buf_bytes(&bytes), &got, &e) != 0 || !digest_eq(&got, &p->digest))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {OCI_TYPE_IMAGE_CONFIG, "application/vnd.oci.image.layer.v1.tar",
                                        "application/vnd.oci.image.layer.v1.tar+gzip"};
    struct err e = ERR_INIT;
    struct bytes rest = bytes_of(data, size);
    size_t text = strnlen((const char *)data, size);
    (void)bytes_take(&rest, text, &blobs[0]);
    blobs[1] = blobs[2] = BYTES_NONE;
    struct bytes head;
    if (bytes_take(&rest, 3, &head)) {
        size_t lower = (size_t)(head.ptr[1] | head.ptr[2] << 8);
        (void)bytes_take(&rest, lower < rest.len ? lower : rest.len, &blobs[1]);
        blobs[2] = rest;
    }
    for (size_t i = 0; i < ARRAY_LEN(descs); i++) {
        descs[i] = (struct oci_desc){.media_type = types[i], .size = blobs[i].len};
        if (hash_bytes(HASH_SHA256, blobs[i], &descs[i].digest, &e) != 0)
            abort();
    }
    use_image();
    struct digest source;
    (void)!oci_spin_source(blobs[0], NULL, &source, &e);
    (void)!oci_spin_source(blobs[0], "web", &source, &e);
    const struct oci_manifest m = {
        .has_config = true, .config = descs[0], .entries = descs + 1, .n_entries = 2};
    const struct oci_blobs from = {.open = open_blob};
    const struct oci_choice choice = {.component = NULL};
    struct oci_place place = OCI_PLACE_INIT;
    if (oci_kind_locate(oci_kind_to_write("image"), &m, &choice, &from, &place, &e) == 0)
        use_place(&place);
    oci_place_done(&place);
    struct oci_place app = OCI_PLACE_INIT;
    if (oci_spin_locate(&m, &choice, &from, &app, &e) == 0 && !app.layer)
        abort();
    oci_place_done(&app);
    return 0;
}
