/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, manifests and indexes: read strictly, written reproducibly. image-spec 1.1. */
#ifndef WAYBILL_OCI_MANIFEST_H
#define WAYBILL_OCI_MANIFEST_H

#include "base/hash.h"
#include "base/json.h"

#define OCI_TYPE_MANIFEST    "application/vnd.oci.image.manifest.v1+json"
#define OCI_TYPE_INDEX       "application/vnd.oci.image.index.v1+json"
#define OCI_TYPE_DOCKER      "application/vnd.docker.distribution.manifest.v2+json"
#define OCI_TYPE_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define OCI_TYPE_EMPTY       "application/vnd.oci.empty.v1+json"
#define OCI_ANNOTATION_TITLE "org.opencontainers.image.title"
#define OCI_ANNOTATION_REF   "org.opencontainers.image.ref.name"

/* image-spec 1.1, descriptor.md. Strings and annotations are borrowed from the parsed document, or from the
 * caller when one is made for writing. */
struct oci_desc {
    const char *media_type;
    struct digest digest;
    uint64_t size;
    const char *artifact_type;      /* or NULL */
    const struct jval *annotations; /* an object of strings, or NULL */
    const char *os, *architecture;  /* of its platform, or NULL */
};

struct oci_manifest {
    struct jdoc *doc; /* owned; everything below borrows from it */
    bool is_index;
    const char *media_type;    /* never NULL: from the body, or else from the Content-Type */
    const char *artifact_type; /* or NULL */
    bool has_config, has_subject;
    struct oci_desc config, subject;
    struct oci_desc *entries; /* layers of a manifest, manifests of an index */
    size_t n_entries;
    const struct jval *annotations; /* or NULL */
    char *fallback_type;            /* owned: backs media_type when the body has none */
};

/* oci_desc_parse - ERR_FORMAT: not an object, digest or size missing or malformed, annotations that are no
 * strings. Embedded "data", where there is some, must have the stated size and digest (ERR_DIGEST). */
MUST_CHECK int oci_desc_parse(const struct jval *v, struct oci_desc *ret, struct err *e);

/* oci_manifest_parse - body: the bytes as they came; content_type: the header's value without parameters, or
 * NULL. Refused with ERR_FORMAT: schemaVersion other than 2, a body with both "layers" and "manifests" or
 * neither, a mediaType that contradicts the content type or the members, a manifest without config. Unknown
 * members are ignored, as the specification wants. ret: oci_manifest_done. */
MUST_CHECK int oci_manifest_parse(struct bytes body, const char *content_type, struct oci_manifest *ret,
                                  struct err *e);
void oci_manifest_done(struct oci_manifest *m);

/* oci_manifest_type_known - one of the four manifest and index types above. */
bool oci_manifest_type_known(const char *media_type);

/* oci_media_type_valid - "type/subtype" of at most 255 visible characters (RFC 6838 4.2). */
bool oci_media_type_valid(const char *type);

/* oci_annotation - the value of an annotation, or NULL. */
const char *oci_annotation(const struct jval *annotations, const char *key);

/* An annotation to be written. */
struct oci_pair {
    const char *key, *value;
};

/* oci_desc_write - one descriptor, its annotations as oci_annotations_write does them. */
MUST_CHECK int oci_desc_write(struct jout *w, const char *key, const char *media_type,
                              const struct digest *digest, uint64_t size, const struct oci_pair *annotations,
                              size_t n, struct err *e);

/* oci_annotations_write - an "annotations" member in the order of the keys' bytes; nothing when n is 0.
 * ERR_NOMEM. */
MUST_CHECK int oci_annotations_write(struct jout *w, const struct oci_pair *annotations, size_t n,
                                     struct err *e);

#endif
