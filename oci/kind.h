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

    /* How to recognise it: by the type of the config (NULL: any) and, where that says nothing of wasm, by a
     * layer. */
    const char *config_type;
    const char *layer_type; /* of the layer that is the module; one that starts with + is an ending */
    bool by_config;         /* the config's type is enough */
    bool alone;             /* the module's layer is the only one */

    /* Checks a config blob against the manifest: ERR_FORMAT. NULL: nothing is asked of it. */
    int (*check_config)(const struct oci_manifest *m, struct bytes config, struct err *e);

    /* Appends the config's and the manifest's bytes: the same input gives the same bytes. NULL: only read. */
    int (*write)(const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                 struct buf *config, struct buf *manifest, struct err *e);
};

extern const struct oci_kind oci_kinds[];
extern const size_t oci_n_kinds;

/* oci_kind_of - the first row that recognises the manifest; NULL: no wasm artifact that is known. */
const struct oci_kind *oci_kind_of(const struct oci_manifest *m);

/* oci_kind_module - the descriptor of the module, borrowed from m. ERR_FORMAT when there is none, or more
 * than one to choose from. */
MUST_CHECK int oci_kind_module(const struct oci_kind *kind, const struct oci_manifest *m,
                               const struct oci_desc **ret, struct err *e);

#endif
