/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `docker save` writes, and podman and skopeo as docker-archive: a tar with manifest.json, which names
 * for each image its configuration, its layers and its tags. It is shown as the image layout that it could
 * have been: manifests are made here, the same from the same archive, and digests computed from the members.
 */
#ifndef WAYBILL_OCI_DOCKER_H
#define WAYBILL_OCI_DOCKER_H

#include "oci/manifest.h"
#include "oci/tarball.h"

#define OCI_DOCKER_FILE "manifest.json"

/* One image; borrowed from the document. */
struct oci_docker_image {
    const char *config;        /* the name of a member */
    const struct jval *layers; /* such names, from the lowest; NULL: none */
    const struct jval *tags;   /* "name:tag"; NULL: none */
};

struct oci_docker_list {
    struct jdoc *doc; /* owned */
    struct oci_docker_image *images;
    size_t n;
};

/* oci_docker_parse - the text of manifest.json. ERR_FORMAT, and ERR_LIMIT over LIMIT_MANIFESTS images or
 * LIMIT_LAYERS layers of one. ret: oci_docker_list_done. Source: moby's image specification 1.2, "Combined
 * Image JSON + Filesystem Changeset Format". */
MUST_CHECK int oci_docker_parse(struct bytes text, struct oci_docker_list *ret, struct err *e);
void oci_docker_list_done(struct oci_docker_list *l);

/* oci_docker_tag - the tag in "name:tag", borrowed; NULL when there is none that the grammar of tags has. */
const char *oci_docker_tag(const char *name);

/* One blob of the layout: a member of the archive, or a manifest made here. */
struct oci_docker_blob {
    struct digest digest;
    uint64_t size;
    const struct oci_tar_member *member; /* NULL: body */
    struct buf body;
};

struct oci_docker {
    struct buf index; /* the text of index.json */
    struct oci_docker_blob *blobs;
    size_t n, cap;
};

/* oci_docker_open - reads every member that manifest.json names, once. ERR_FORMAT: also when one of them is
 * missing. ret: oci_docker_done; it borrows from the tarball. */
MUST_CHECK int oci_docker_open(struct oci_tarball *tar, struct oci_docker *ret, struct err *e);
void oci_docker_done(struct oci_docker *d);

/* oci_docker_find - borrowed; NULL when there is none. */
const struct oci_docker_blob *oci_docker_find(const struct oci_docker *d, const struct digest *digest);

#endif
