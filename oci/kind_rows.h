/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of oci_kinds[] are made of: between kind.c and kind_*.c. */
#ifndef WAYBILL_OCI_KIND_ROWS_H
#define WAYBILL_OCI_KIND_ROWS_H

#include "oci/archive.h"
#include "oci/kind.h"

#define OCI_VARIANT     "module.wasm.image/variant"
#define OCI_RUN_HANDLER "run.oci.handler"
#define OCI_SPIN_APP    "application/vnd.fermyon.spin.application.v1+config"

int oci_cncf_check_config(const struct oci_manifest *m, struct bytes config, struct err *e);
int oci_cncf_write(const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                   struct oci_written *ret, struct err *e);
int oci_wasm_to_oci_write(const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                          struct oci_written *ret, struct err *e);
int oci_compat_write(const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                     struct oci_written *ret, struct err *e);
int oci_image_write(const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                    struct oci_written *ret, struct err *e);
int oci_image_locate(const struct oci_manifest *m, const struct oci_choice *choice,
                     const struct oci_blobs *blobs, struct oci_place *ret, struct err *e);
int oci_spin_locate(const struct oci_manifest *m, const struct oci_choice *choice,
                    const struct oci_blobs *blobs, struct oci_place *ret, struct err *e);

/* oci_blobs_read - the checked text of a small blob, at most out->max. */
MUST_CHECK int oci_blobs_read(const struct oci_blobs *blobs, const struct oci_desc *desc, struct buf *out,
                              struct err *e);

/* oci_layer_tar - whether a media type is that of a tar layer. What it says of compression is not relied on:
 * container engines look at the bytes, so there are images where it is wrong. */
bool oci_layer_tar(const char *media_type);

/* oci_layer_chosen - the layer that a text names: a digest, or its place from "1". ERR_USAGE. */
MUST_CHECK int oci_layer_chosen(const struct oci_manifest *m, const char *text, const struct oci_desc **ret,
                                struct err *e);

/* oci_manifest_write - appends a manifest of one layer. media_type: with a member "mediaType" or without.
 * title: an annotation of the layer, or NULL. ret->config and ret->layer are set. */
MUST_CHECK int oci_manifest_write(struct oci_written *ret, bool media_type, const char *config_type,
                                  const char *title, const struct oci_pair *annotations, size_t n,
                                  struct err *e);

/* What an image's config says. Strings are borrowed from doc. */
struct oci_image {
    struct jdoc *doc; /* owned */
    const char *os, *architecture, *entry, *folder,
        *spin_app; /* each NULL where there is none; entry: the program */
};
MUST_CHECK int oci_image_parse(struct bytes config, struct oci_image *ret, struct err *e);
void oci_image_done(struct oci_image *image);

/* oci_image_path - the name in a tar of the program that an image starts; "" where it has none. */
MUST_CHECK int oci_image_path(const struct oci_image *image, struct buf *out, struct err *e);

/* oci_spin_source - the digest of a component's module in a locked application. id: NULL for the only one.
 * ERR_USAGE: several, or none of that id; the message lists them. */
MUST_CHECK int oci_spin_source(struct bytes app, const char *id, struct digest *ret, struct err *e);

#endif
