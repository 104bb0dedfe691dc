/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/archive.h"

#include "base/plugin.h"
#include "oci/archive_ops.h"

static int load(const struct oci_archive_ops **ret, struct err *e)
{
    const void *ops;
    int r = plugin_load("archive", &ops, e);
    if (!r)
        *ret = ops;
    return r;
}

int oci_archive_open(struct source *from, enum oci_compression compression, struct oci_archive **ret,
                     struct err *e)
{
    const struct oci_archive_ops *ops;
    int r = load(&ops, e);
    return r ? r : ops->open(from, -1, compression, ret, e);
}

int oci_archive_open_fd(int fd, enum oci_compression compression, struct oci_archive **ret, struct err *e)
{
    const struct oci_archive_ops *ops;
    int r = load(&ops, e);
    return r ? r : ops->open(NULL, fd, compression, ret, e);
}

void oci_archive_close(struct oci_archive *a)
{
    if (a)
        a->ops->close(a);
}

int oci_archive_next(struct oci_archive *a, struct oci_member *ret, bool *ret_more, struct err *e)
{
    return a->ops->next(a, ret, ret_more, e);
}

struct source *oci_archive_read(struct oci_archive *a)
{
    return a->ops->read(a);
}

int oci_archive_write(struct sink *to, enum oci_compression compression, struct oci_archive_out **ret,
                      struct err *e)
{
    const struct oci_archive_ops *ops;
    int r = load(&ops, e);
    return r ? r : ops->write(to, compression, ret, e);
}

int oci_archive_add(struct oci_archive_out *a, const char *name, uint64_t size, struct source *from,
                    struct err *e)
{
    return a->ops->add(a, name, size, from, e);
}

int oci_archive_finish(struct oci_archive_out *a, struct err *e)
{
    return a->ops->finish(a, e);
}

void oci_archive_out_close(struct oci_archive_out *a)
{
    if (a)
        a->ops->out_close(a);
}
