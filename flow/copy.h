/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy: artifacts, images and indexes from any place to any other, byte for byte, so that every digest stays.
 * Content comes before what names it, and a tag last: a copy that is cut off leaves nothing that is there by
 * halves. Blobs that are there are not sent again, those of another repository of the same registry are
 * mounted.
 */
#ifndef WAYBILL_FLOW_COPY_H
#define WAYBILL_FLOW_COPY_H

#include "flow/obtain.h"

struct flow_copy {
    bool all_tags;  /* every tag of the source but those of tools */
    bool recursive; /* with the referrers of every manifest copied, theirs, and what tools keep under tags of
                       the manifest's digest ("sha256-<hex>.sig") */
};

struct flow_copied {
    char *repo, *name;                   /* of the destination; name with its tag */
    struct digest digest;                /* of the manifest; of the last one when there were several tags */
    uint64_t tags, manifests, referrers; /* what was pushed: tags, manifests in all, those with a subject */
    uint64_t known;                      /* manifests that were there already and were not pushed */
    uint64_t blobs, bytes;               /* blobs that were sent, and their bytes */
    uint64_t mounted, existed;           /* blobs that were not sent, since they were mounted or there */
    uint64_t foreign;                    /* layers that are not for distribution: left where they are */
};

/* flow_copy_run - conf->platform: of an index only the manifest that it names. tag_done: called for each tag
 * that was copied, or NULL. A `to` with a digest must be what `from` is (ERR_DIGEST, and nothing is pushed).
 * ret: flow_copied_done, whatever is returned. Errors: those of struct oci_endpoint_ops. */
MUST_CHECK int flow_copy_run(const struct flow_conf *conf, const char *from, const char *to,
                             const struct flow_copy *how, struct flow_copied *ret, struct err *e);
void flow_copied_done(struct flow_copied *c);

#endif
