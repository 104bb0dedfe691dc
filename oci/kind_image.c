/* SPDX-License-Identifier: Apache-2.0 */
/* The config of an image, image-spec 1.1, config.md: what it starts, and for what machine it says it is. */
#include "base/limits.h"
#include "oci/kind_rows.h"

/* The first string of an array, NULL where there is none. */
static int first_string(const struct jval *v, const char *key, const char **ret, struct err *e)
{
    const struct jval *list;
    int r = jobj_want_array(v, key, false, &list, e);
    if (r || jarr_len(list) == 0)
        return r;
    const char *text = jval_string(jarr_at(list, 0));
    if (!text)
        return err_set(e, ERR_FORMAT, "member \"%s\" is no list of strings", key);
    *ret = *text ? text : NULL;
    return 0;
}

static int parse_process(const struct jval *process, struct oci_image *image, struct err *e)
{
    const struct jval *labels;
    const char *command = NULL;
    int r = first_string(process, "Entrypoint", &image->entry, e);
    if (!r)
        r = first_string(process, "Cmd", &command, e);
    if (!r)
        r = jobj_want_string(process, "WorkingDir", false, &image->folder, e);
    if (!r)
        r = jobj_want_object(process, "Labels", false, &labels, e);
    if (!r)
        r = jobj_want_string(labels, "com.fermyon.spin.lockedAppDigest", false, &image->spin_app, e);
    if (!r && !image->entry)
        image->entry = command;
    return r;
}

int oci_image_parse(struct bytes config, struct oci_image *ret, struct err *e)
{
    struct oci_image image = {.doc = NULL};
    const struct jval *process = NULL;
    int r = jdoc_parse(config, &image.doc, e);
    const struct jval *root = r ? NULL : jdoc_root(image.doc);
    if (!r && jval_kind(root) != JKIND_OBJECT)
        r = err_set(e, ERR_FORMAT, "not an object");
    if (!r)
        r = jobj_want_string(root, "os", false, &image.os, e);
    if (!r)
        r = jobj_want_string(root, "architecture", false, &image.architecture, e);
    if (!r)
        r = jobj_want_object(root, "config", false, &process, e);
    if (!r && process)
        r = parse_process(process, &image, e);
    if (r) {
        oci_image_done(&image);
        return err_wrap(e, "config");
    }
    *ret = image;
    return 0;
}

void oci_image_done(struct oci_image *image)
{
    jdoc_free(TAKE(image->doc));
}

/* Appends the components of a path, without "." and empty ones; ".." takes one away. */
static void walk(struct buf *out, const char *path)
{
    while (*path) {
        size_t len = strcspn(path, "/");
        if (len == 2 && memcmp(path, "..", 2) == 0) {
            while (out->len && out->ptr[--out->len] != '/')
                ;
        } else if (len && !(len == 1 && *path == '.')) {
            if (out->len)
                buf_append_u8(out, '/');
            buf_append(out, path, len);
        }
        path += len + (path[len] == '/');
    }
    if (out->ptr)
        out->ptr[out->len] = '\0';
}

int oci_image_path(const struct oci_image *image, struct buf *out, struct err *e)
{
    if (image->entry && *image->entry != '/' && image->folder)
        walk(out, image->folder);
    if (image->entry)
        walk(out, image->entry);
    return buf_check(out, e);
}
