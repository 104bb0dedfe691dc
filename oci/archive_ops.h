/* SPDX-License-Identifier: Apache-2.0 */
/* Between the front (archive.c, in the library) and the shared object "archive" (archive_plugin.c,
 * archive_read.c, archive_write.c). */
#ifndef WAYBILL_OCI_ARCHIVE_OPS_H
#define WAYBILL_OCI_ARCHIVE_OPS_H

#include "oci/archive.h"

struct oci_archive_ops {
    /* from, or where that is NULL fd. */
    int (*open)(struct source *from, int fd, enum oci_compression compression, struct oci_archive **ret,
                struct err *e);
    void (*close)(struct oci_archive *a);
    int (*next)(struct oci_archive *a, struct oci_member *ret, bool *ret_more, struct err *e);
    struct source *(*read)(struct oci_archive *a);
    int (*write)(struct sink *to, enum oci_compression compression, struct oci_archive_out **ret,
                 struct err *e);
    int (*add)(struct oci_archive_out *a, const char *name, uint64_t size, struct source *from,
               struct err *e);
    int (*finish)(struct oci_archive_out *a, struct err *e);
    void (*out_close)(struct oci_archive_out *a);
};

/* What every open archive starts with. */
struct oci_archive {
    const struct oci_archive_ops *ops;
};
struct oci_archive_out {
    const struct oci_archive_ops *ops;
};

extern const struct oci_archive_ops oci_archive_plugin_ops;

/* The plugin's own halves. */
MUST_CHECK int oci_archive_reader_open(struct source *from, int fd, enum oci_compression compression,
                                       struct oci_archive **ret, struct err *e);
void oci_archive_reader_close(struct oci_archive *a);
MUST_CHECK int oci_archive_reader_next(struct oci_archive *a, struct oci_member *ret, bool *ret_more,
                                       struct err *e);
struct source *oci_archive_reader_read(struct oci_archive *a);
MUST_CHECK int oci_archive_writer_open(struct sink *to, enum oci_compression compression,
                                       struct oci_archive_out **ret, struct err *e);
MUST_CHECK int oci_archive_writer_add(struct oci_archive_out *a, const char *name, uint64_t size,
                                      struct source *from, struct err *e);
MUST_CHECK int oci_archive_writer_finish(struct oci_archive_out *a, struct err *e);
void oci_archive_writer_close(struct oci_archive_out *a);

#endif
