/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One upload of a blob to a registry: begun by a POST, filled by PATCHes, ended by a PUT with the digest; or
 * the PUT alone brings the bytes. distribution-spec 1.1, "Pushing blobs". What broke off is taken up where
 * the registry says it ended, also by a later process (memo "session").
 */
#ifndef WAYBILL_OCI_UPLOAD_H
#define WAYBILL_OCI_UPLOAD_H

#include "oci/registry.h"

/* Parts when the whole does not go through: what the strictest registries take. */
#define OCI_UPLOAD_CHUNK (4U << 20)

/* What became of a step that failed. */
enum upload_end {
    UPLOAD_REFUSED, /* for good */
    UPLOAD_AGAIN,   /* the network or the registry failed: the upload may go on */
    UPLOAD_SMALLER, /* less at a time may do */
    UPLOAD_GONE,    /* the upload is unknown, or of no use: another one may do */
};

struct oci_upload {
    struct oci_registry *reg;
    char digest[DIGEST_STR_MAX];
    uint64_t size;
    struct opener_part part;       /* over the blob */
    char *url;                     /* where it goes on, as the registry last said; NULL: none is open */
    uint64_t offset;               /* bytes that the registry has acknowledged */
    uint64_t chunk;                /* most bytes of one PATCH; 0: no bound */
    uint64_t chunk_min;            /* OCI-Chunk-Min-Length; 0: none */
    bool resumed;                  /* begun by an earlier process */
    bool doubt;                    /* the registry may have more or less than `offset` */
    bool remembered;               /* its URL is in a memo */
    int64_t remembered_at;         /* seconds of the monotonic clock */
    struct net_http_response last; /* the last answer, for its Retry-After */
};

/* oci_upload_init - no request is made. reg, from: outlive it. Released with oci_upload_done. */
void oci_upload_init(struct oci_upload *u, struct oci_registry *reg, const struct oci_desc *desc,
                     const struct source_opener *from);
void oci_upload_done(struct oci_upload *u);

/* oci_upload_start - POST. from_repo: a repository of the same registry that may have the blob, or NULL.
 * *ret_mounted: the blob is there, and no upload is open. */
MUST_CHECK int oci_upload_start(struct oci_upload *u, const char *from_repo, bool *ret_mounted,
                                struct err *e);

/* oci_upload_whole - POST with the digest and the whole blob ("Single POST"), for a small one. *ret_stored:
 * the blob is there. Else an upload is open as after oci_upload_start, since a registry may take it as such
 * or refuse it. */
MUST_CHECK int oci_upload_whole(struct oci_upload *u, bool *ret_stored, struct err *e);

/* oci_upload_resumable - whether what breaks off may be taken up at this registry, as far as the open upload
 * tells. */
bool oci_upload_resumable(const struct oci_upload *u);

/* oci_upload_take_up - asks for the state of the upload whose URL an earlier process remembered; false when
 * there is none, or none that is of use. */
bool oci_upload_take_up(struct oci_upload *u);

/* oci_upload_put - the whole blob with the PUT that ends the upload. */
MUST_CHECK int oci_upload_put(struct oci_upload *u, enum upload_end *ret_end, struct err *e);

/* oci_upload_patch - the blob from u->offset on by PATCHes of at most u->chunk bytes, then the PUT. What
 * breaks off is taken up here as long as that brings it forward. */
MUST_CHECK int oci_upload_patch(struct oci_upload *u, enum upload_end *ret_end, struct err *e);

/* oci_upload_forget - closes it without telling the registry. */
void oci_upload_forget(struct oci_upload *u);

/* oci_upload_range - the value of a Range header of an upload ("0-99", also "bytes=0-99") as the offset
 * behind it. acked: what the registry has acknowledged before. Values that say less than that, or nothing
 * (0-0, 0--1, counted from the start of a part), give acked; those beyond `size` are false, with *ret
 * untouched. */
bool oci_upload_range(struct bytes value, uint64_t acked, uint64_t size, uint64_t *ret);

#endif
