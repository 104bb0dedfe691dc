/* SPDX-License-Identifier: Apache-2.0 */
/* Private to flow/copy.c: the blobs of a copy. */
#ifndef WAYBILL_FLOW_COPY_BLOBS_H
#define WAYBILL_FLOW_COPY_BLOBS_H

#include "flow/copy.h"
#include "flow/seen.h"

struct flow_blobs {
    struct oci_endpoint *from, *to; /* owned; NULL until they are open */
    struct flow_seen there;         /* blobs that are known to be in the destination */
    const char *mount_from;         /* the source's repository, when both are in one registry */
    bool same;                      /* source and destination are one place: all blobs are there */
    bool no_mounts;                 /* the registry did not mount one: it is not asked again */
    struct flow_copied *done;
    struct progress *progress; /* or NULL; of all blobs together: */
    uint64_t moved, expected;
};

/* flow_blobs_init - progress: or NULL; told of the bytes of all blobs that were found to be wanted so far. */
MUST_CHECK int flow_blobs_init(struct flow_blobs *b, struct progress *progress, struct flow_copied *done,
                               struct err *e);
void flow_blobs_done(struct flow_blobs *b);

/* flow_blobs_relate - what the two places have to do with each other; the references outlive *b. */
MUST_CHECK int flow_blobs_relate(struct flow_blobs *b, const struct oci_ref *from, const struct oci_ref *to,
                                 struct err *e);

/* flow_blobs_copy - the config and the layers of a manifest, several at once. */
MUST_CHECK int flow_blobs_copy(struct flow_blobs *b, const struct oci_manifest *m,
                               const struct digest *digest, struct err *e);
MUST_CHECK int flow_blobs_copy_one(struct flow_blobs *b, const struct oci_desc *desc, struct err *e);

/* flow_blobs_known - the destination has the manifest, and so its blobs. */
void flow_blobs_known(struct flow_blobs *b, const struct oci_manifest *m);

#endif
