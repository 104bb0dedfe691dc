/* SPDX-License-Identifier: Apache-2.0 */
/* Writing by libarchive: what it would take from the machine or the clock is set to nothing. */
#include "base/limits.h"
#include "oci/archive_ops.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>

struct writer {
    struct oci_archive_out base;
    struct archive *lib;
    locale_t utf8;
    struct sink *to;
    struct err failure; /* of the sink */
    bool ending;        /* given up: nothing is written any more */
};

static struct writer *writer_of(struct oci_archive_out *a)
{
    return (struct writer *)a;
}

/* libarchive is told of a failure only when it is to end: one that it knows of earlier makes it forget its
 * memory.
 */
static la_ssize_t on_write(struct archive *lib, void *ctx, const void *data, size_t n)
{
    struct writer *w = ctx;
    if (!w->failure.code && !w->ending)
        (void)!sink_write(w->to, bytes_of(data, n), &w->failure);
    if (!w->ending)
        return (la_ssize_t)n;
    archive_set_error(lib, EIO, "given up");
    return -1;
}

static int failed(const struct writer *w, struct err *e)
{
    if (w->failure.code) {
        *e = w->failure;
        return e->code;
    }
    if (archive_errno(w->lib) == ENOMEM)
        return err_nomem(e);
    const char *said = archive_error_string(w->lib);
    return err_set(e, ERR_OTHER, "tar: %s", said ? said : "cannot be written");
}

static int set_up(struct writer *w, enum oci_compression compression, struct err *e)
{
    w->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    w->lib = archive_write_new();
    if (!w->lib)
        return err_nomem(e);
    int status = archive_write_set_format_pax_restricted(w->lib);
    if (status == ARCHIVE_OK && compression == OCI_COMPRESSION_GZIP) {
        status = archive_write_add_filter_gzip(w->lib);
        if (status == ARCHIVE_OK)
            status = archive_write_set_filter_option(w->lib, "gzip", "compression-level", "9");
        if (status == ARCHIVE_OK)
            status = archive_write_set_filter_option(w->lib, "gzip", "timestamp", NULL);
    }
    if (status == ARCHIVE_OK)
        status = archive_write_set_bytes_per_block(w->lib, (int)STREAM_CHUNK);
    if (status == ARCHIVE_OK)
        status = archive_write_set_bytes_in_last_block(w->lib, 1);
    if (status == ARCHIVE_OK)
        status = archive_write_open(w->lib, w, NULL, on_write, NULL);
    return status == ARCHIVE_OK ? 0 : failed(w, e);
}

int oci_archive_writer_open(struct sink *to, enum oci_compression compression, struct oci_archive_out **ret,
                            struct err *e)
{
    struct writer *w = calloc(1, sizeof(*w));
    if (!w)
        return err_nomem(e);
    w->base.ops = &oci_archive_plugin_ops;
    w->to = to;
    int r = set_up(w, compression, e);
    if (r) {
        oci_archive_writer_close(&w->base);
        return r;
    }
    *ret = &w->base;
    return 0;
}

static int put_header(struct writer *w, const char *name, uint64_t size, bool folder, struct err *e)
{
    struct archive_entry *entry = archive_entry_new();
    if (!entry)
        return err_nomem(e);
    archive_entry_copy_pathname(entry, name);
    archive_entry_set_filetype(entry, folder ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, folder ? 0755 : 0644);
    archive_entry_set_size(entry, folder ? 0 : (la_int64_t)size);
    archive_entry_set_mtime(entry, 0, 0);
    int status = archive_write_header(w->lib, entry);
    archive_entry_free(entry);
    return status == ARCHIVE_OK && !w->failure.code ? 0 : failed(w, e);
}

static int put_content(struct writer *w, uint64_t size, struct source *from, struct err *e)
{
    AUTO_FREE uint8_t *chunk = malloc(STREAM_CHUNK);
    struct source_limit limit;
    struct source *exact = source_limit_init(&limit, from, size);
    if (!chunk)
        return err_nomem(e);
    for (size_t n = 1; n > 0;) {
        int r = source_read(exact, chunk, STREAM_CHUNK, &n, e);
        if (r)
            return r;
        if (n && (archive_write_data(w->lib, chunk, n) != (la_ssize_t)n || w->failure.code))
            return failed(w, e);
    }
    return 0;
}

int oci_archive_writer_add(struct oci_archive_out *a, const char *name, uint64_t size, struct source *from,
                           struct err *e)
{
    struct writer *w = writer_of(a);
    if (size > LIMIT_BLOB)
        return err_set(e, ERR_LIMIT, "tar: a member of more than %llu bytes", (unsigned long long)LIMIT_BLOB);
    locale_t before = w->utf8 ? uselocale(w->utf8) : (locale_t)0;
    int r = put_header(w, name, size, from == NULL, e);
    if (before)
        (void)uselocale(before);
    return r || !from ? r : put_content(w, size, from, e);
}

int oci_archive_writer_finish(struct oci_archive_out *a, struct err *e)
{
    struct writer *w = writer_of(a);
    int status = archive_write_close(w->lib);
    return status == ARCHIVE_OK && !w->failure.code ? 0 : failed(w, e);
}

void oci_archive_writer_close(struct oci_archive_out *a)
{
    struct writer *w = writer_of(a);
    w->ending = true;
    if (w->lib)
        (void)archive_write_free(w->lib);
    if (w->utf8)
        freelocale(w->utf8);
    free(w);
}
