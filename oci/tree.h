/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that an image layout stands on: a folder, a tar file, a folder elsewhere. What the files mean is
 * layout.c's business; a new place for them is one file with one `struct oci_tree_ops`.
 *
 *     oci-layout, index.json     small files on top
 *     blobs/<alg>/<hex>          content, which appears whole or not at all
 *
 * The blob_* functions may be called from several threads at once.
 */
#ifndef WAYBILL_OCI_TREE_H
#define WAYBILL_OCI_TREE_H

#include "base/file.h"
#include "oci/endpoint.h"

#define OCI_LAYOUT_FILE "oci-layout"
#define OCI_INDEX_FILE  "index.json"

struct oci_tree;

/* What a tree's list shows its names to. */
struct oci_tree_names {
    int (*see)(struct oci_tree_names *n, const char *name, struct err *e);
};

struct oci_tree_ops {
    void (*close)(struct oci_tree *t);

    /* Appends a file on top: ERR_NOTFOUND, ERR_LIMIT (more than out may hold), ERR_IO (also for a link and
     * whatever else is no regular file). */
    int (*read)(struct oci_tree *t, const char *name, struct buf *out, struct err *e);

    /* Writes a file on top, whole or not at all. existing: FILE_REPLACE, or FILE_KEEP. Under the lock. */
    int (*write)(struct oci_tree *t, const char *name, struct bytes data, enum file_existing existing,
                 struct err *e);

    /* Makes the folder blobs/sha256, which a layout has also where it holds nothing. Under the lock. */
    int (*make)(struct oci_tree *t, struct err *e);

    /* Shows the names on top, in no order; stops at the first failure, which it returns. */
    int (*list)(struct oci_tree *t, struct oci_tree_names *names, struct err *e);

    /* Keeps other writers of the same tree out until unlock. Readers do not care: a file is replaced whole.
     */
    int (*lock)(struct oci_tree *t, struct err *e);
    void (*unlock)(struct oci_tree *t);

    /* Writes a blob's bytes to `to`, and neither checks their digest nor commits. size: UINT64_MAX for any;
     * another size is ERR_DIGEST. ERR_NOTFOUND. */
    int (*blob_get)(struct oci_tree *t, const struct digest *d, uint64_t size, struct sink *to,
                    struct err *e);

    /* NULL unless blobs are files of this machine: as blob_open of an endpoint. */
    int (*blob_open)(struct oci_tree *t, const struct digest *d, uint64_t size, int *ret_fd, struct err *e);

    /* Whether a blob need not be put: one on this machine is read and checked, since a damaged one is to be
     * mended; where reading it would cost what sending it costs the size is enough. */
    bool (*blob_has)(struct oci_tree *t, const struct digest *d, uint64_t size);

    /* Puts a blob there, which appears only if its size and digest are right (ERR_DIGEST). */
    int (*blob_put)(struct oci_tree *t, const struct digest *d, const struct source_opener *from,
                    struct err *e);

    /* Removes a blob; one that is not there is no failure. */
    int (*blob_remove)(struct oci_tree *t, const struct digest *d, struct err *e);

    /* Says what the blobs are wanted for, until close: `alone` by one who removes some, or not by those who
     * put some and rely on those that are there; the second kind waits for the first, which is refused
     * (ERR_UNSUPPORTED) while there are others. NULL where there is no way to say so. */
    int (*claim)(struct oci_tree *t, bool alone, struct err *e);

    /* NULL where every write is final: makes all that was written appear at once. */
    int (*finish)(struct oci_tree *t, struct err *e);
};

struct oci_tree {
    const struct oci_tree_ops *ops;
};

/* oci_layout_over - the image layout in a tree, as an endpoint that owns the tree; it is closed also when
 * this fails. create: an empty tree becomes a layout. ERR_FORMAT: no image layout; ERR_UNSUPPORTED: not of
 * version
 * 1. Source: image-spec 1.1, image-layout.md. */
MUST_CHECK int oci_layout_over(struct oci_tree *tree, bool create, struct oci_endpoint **ret, struct err *e);

/* oci_tree_folder - the folder `path`. create: it is made where it is missing. ERR_NOTFOUND, ERR_IO. */
MUST_CHECK int oci_tree_folder(const char *path, bool create, struct oci_tree **ret, struct err *e);

/* oci_tree_folder_at - an open folder; the descriptor stays the caller's. */
MUST_CHECK int oci_tree_folder_at(int root, struct oci_tree **ret, struct err *e);

#endif
