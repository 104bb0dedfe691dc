/* SPDX-License-Identifier: Apache-2.0 */
/* The seam for kinds of wasm artifacts: a new kind is one row of oci_kinds[]: how to recognise, read and
 * write it. */
#ifndef WAYBILL_OCI_KIND_H
#define WAYBILL_OCI_KIND_H

#include "base/wbin.h"
#include "oci/manifest.h"

#define OCI_TYPE_WASM        "application/wasm"
#define OCI_TYPE_WASM_CONFIG "application/vnd.wasm.config.v0+json"

/* A module that is to be wrapped. Everything is borrowed. */
struct oci_module {
    const struct wbin_info *info;
    struct digest digest;
    uint64_t size;
    const char *title; /* the file's name, without folders */
};

struct oci_kind {
    const char *name; /* "cncf-wasm-v0" */

    /* Whether a manifest is of this kind. */
    bool (*recognise)(const struct oci_manifest *m);

    /* The descriptor of the module; borrowed from m. ERR_FORMAT when the manifest breaks the rules of its
     * kind. */
    int (*module)(const struct oci_manifest *m, const struct oci_desc **ret, struct err *e);

    /* Checks a config blob against the manifest: ERR_FORMAT. */
    int (*check_config)(const struct oci_manifest *m, struct bytes config, struct err *e);

    /* Appends the config's and the manifest's bytes: the same input gives the same bytes. */
    int (*write)(const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                 struct buf *config, struct buf *manifest, struct err *e);
    const char *config_type;
};

extern const struct oci_kind oci_kinds[];
extern const size_t oci_n_kinds;

/* oci_kind_of - the first row that recognises the manifest; NULL: no wasm artifact that is known. */
const struct oci_kind *oci_kind_of(const struct oci_manifest *m);

#endif
