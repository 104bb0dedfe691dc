/* SPDX-License-Identifier: Apache-2.0 */
/* The seam for kinds of wasm artifacts: a new kind is one row of oci_kinds[]: how to recognise, read and
 * write it. */
#ifndef WAYBILL_OCI_KIND_H
#define WAYBILL_OCI_KIND_H

#include "base/limits.h"
#include "base/wbin.h"
#include "oci/manifest.h"

#define OCI_TYPE_WASM         "application/wasm"
#define OCI_TYPE_WASM_CONFIG  "application/vnd.wasm.config.v0+json"
#define OCI_TYPE_IMAGE_CONFIG "application/vnd.oci.image.config.v1+json"

/* A module that is to be wrapped. Everything is borrowed. */
struct oci_module {
    const struct wbin_info *info;
    struct digest digest;
    uint64_t size;
    const char *title;                   /* the file's name, without folders */
    const char *path;                    /* the file's name as it was given */
    const char *created;                 /* RFC 3339; NULL: OCI_CREATED */
    const struct source_opener *content; /* kinds that wrap the bytes read it; may be NULL for the others */
    const char *temp_dir;                /* for layers that are made; NULL: /tmp */
};

/* When nobody says otherwise everything was made then: the same module makes the same artifact on any day. */
#define OCI_CREATED "1970-01-01T00:00:00Z"

/* What a kind makes of a module. */
struct oci_written {
    struct buf config, manifest;
    struct oci_desc layer; /* the one layer */
    int fd;                /* its bytes, in a file without a name; -1: they are the module's */
};
#define OCI_WRITTEN_INIT                                                                 \
    {                                                                                    \
        .config = BUF_INIT(LIMIT_CONFIG), .manifest = BUF_INIT(LIMIT_MANIFEST), .fd = -1 \
    }
void oci_written_done(struct oci_written *w);

/* Which module of an artifact is meant that has several. */
struct oci_choice {
    const char *component; /* the id of one in a Spin application; NULL: the only one */
    const char *layer;     /* a layer's digest or its place, from "1"; NULL: the only one */
};

/* The blobs of an artifact, for kinds that have to look into them. */
struct oci_blobs {
    /* An open descriptor of a regular file with the blob's bytes, which are NOT yet checked. The caller
     * closes it. */
    int (*open)(void *ctx, const struct oci_desc *desc, int *ret_fd, struct err *e);
    void *ctx;
    const char *temp_dir; /* for members that are taken out of a tar; NULL: /tmp */
};

/* Where a module is. */
struct oci_place {
    const struct oci_desc *layer; /* borrowed from the manifest: the module, or a tar with the module in it */
    char *member;                 /* owned: its name in the tar; NULL: the layer is the module */
    int fd;                       /* owned: the member's bytes in a file without a name; else -1 */
    struct digest digest;         /* of the module: of the member as SHA-256, or the layer's */
    uint64_t size;
};
#define OCI_PLACE_INIT \
    {                  \
        .fd = -1       \
    }
void oci_place_done(struct oci_place *p);

struct oci_kind {
    const char *name;   /* "cncf-wasm-v0" */
    const char *format; /* its name as something to be written; NULL: only read */

    /* How to recognise it: by the type of the config (NULL: any) and, where that says nothing of wasm, by a
     * layer and an annotation of the manifest. */
    const char *config_type;
    const char *layer_type;         /* of the layer that is the module; one that starts with + is an ending,
                                       OCI_ANY_TAR any         tar */
    bool by_config;                 /* the config's type is enough */
    bool alone;                     /* the module's layer is the only one */
    const char *annotation, *value; /* or NULL */

    /* Checks a config blob against the manifest: ERR_FORMAT. NULL: nothing is asked of it. */
    int (*check_config)(const struct oci_manifest *m, struct bytes config, struct err *e);

    /* As oci_kind_locate. NULL: a layer is the module, and its type says which. */
    int (*locate)(const struct oci_manifest *m, const struct oci_choice *choice,
                  const struct oci_blobs *blobs, struct oci_place *ret, struct err *e);

    /* Appends the config's and the manifest's bytes, and makes the layer where it is not the module: the same
     * input gives the same bytes. NULL: only read. */
    int (*write)(const struct oci_module *module, const struct oci_pair *annotations, size_t n,
                 struct oci_written *ret, struct err *e);
};

#define OCI_ANY_TAR "tar"

extern const struct oci_kind oci_kinds[];
extern const size_t oci_n_kinds;

/* oci_kind_of - the first row that recognises the manifest; NULL: no wasm artifact that is known. */
const struct oci_kind *oci_kind_of(const struct oci_manifest *m);

/* oci_kind_to_write - the row of a format: "cncf", "wasm-to-oci", "compat", "image"; NULL for another name.
 */
const struct oci_kind *oci_kind_to_write(const char *format);

/* oci_kind_module - the descriptor of the layer that is the module, or holds it, by the layers' types alone;
 * borrowed from m. layer: as of oci_choice. ERR_FORMAT when there is none, or more than one to choose from;
 * ERR_USAGE when `layer` names none. */
MUST_CHECK int oci_kind_module(const struct oci_kind *kind, const struct oci_manifest *m, const char *layer,
                               const struct oci_desc **ret, struct err *e);

/* oci_kind_locate - finds the module. What is read to find it is checked against its digest; the layer that
 * is returned as the module is not. ret: oci_place_done after success. ERR_USAGE: one of several is to be
 * named by `choice`, or what it names is not there. ERR_UNSUPPORTED: an image that holds no wasm. ERR_FORMAT:
 * nothing there, more than one where nothing can be named, or a link. ERR_LIMIT, ERR_DIGEST, and what `blobs`
 * says. */
MUST_CHECK int oci_kind_locate(const struct oci_kind *kind, const struct oci_manifest *m,
                               const struct oci_choice *choice, const struct oci_blobs *blobs,
                               struct oci_place *ret, struct err *e);

#endif
