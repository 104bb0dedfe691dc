/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on a manifest: its referrers, seen, attached and removed. */
#ifndef WAYBILL_FLOW_GRAPH_H
#define WAYBILL_FLOW_GRAPH_H

#include "flow/publish.h"

/* One manifest of a tree, in the order of a walk from the root on. */
struct flow_node {
    struct digest digest;
    uint64_t size;
    uint32_t media_type, artifact_type, annotations; /* of flow_tree.text, 0: none; annotations as JSON */
    unsigned depth;                                  /* 0: the root */
    bool again;                                      /* it stands further up already, with what hangs on it */
    uint32_t tag;     /* what names it, where that is not a list of referrers */
    bool judged;      /* it holds signatures or attestations of what it hangs on, */
    int code;         /* the best of which is good (0), or fails for this reason; */
    uint32_t finding; /* "alice.pub: signed", of that one */
};

struct flow_tree {
    char *name, *repo; /* as of flow_artifact */
    struct flow_node *all;
    size_t n, room;
    struct buf text;
};

/* flow_tree_get - the referrers of what a reference names, and theirs. artifact_type: of the root's referrers
 * only those of this type (NULL: all). max_depth: how far down, 0: LIMIT_REFERRER_DEPTH. What the place lists
 * is what is shown; a manifest is fetched where the list does not say its type. demand: NULL, or what to
 * judge signatures by: they are fetched then, and cosign's images under tags of the root's digest are nodes,
 * too; whether the demand is met is not asked. ret: flow_tree_done, whatever is returned. ERR_LIMIT: more
 * than LIMIT_GRAPH, or deeper than LIMIT_REFERRER_DEPTH. */
MUST_CHECK int flow_tree_get(const struct flow_conf *conf, const char *reference, const char *artifact_type,
                             unsigned max_depth, const struct flow_demand *demand, struct flow_tree *ret,
                             struct err *e);
void flow_tree_done(struct flow_tree *t);

/* flow_tree_text - one of the texts of a node, or NULL. */
const char *flow_tree_text(const struct flow_tree *t, uint32_t at);

struct flow_attach {
    const char *artifact_type; /* required */
    const char *media_type;    /* of the file; NULL: application/octet-stream */
    const struct oci_pair *annotations;
    size_t n_annotations;
};

/* flow_attach - makes an artifact of a file, any file, whose subject is what the reference names. The same
 * file, annotations and subject give the same bytes on any day and machine. ret: flow_published_done; its
 * digest is the new manifest's, its size the file's. ret_subject: what it was attached to. */
MUST_CHECK int flow_attach(const struct flow_conf *conf, const char *path, const char *reference,
                           const struct flow_attach *how, struct flow_published *ret,
                           struct digest *ret_subject, struct err *e);

/* flow_remove - removes the tag or the manifest that a reference names, see struct oci_endpoint_ops. A
 * reference without either is ERR_USAGE: "latest" is to be said. ask: called when that was found, and nothing
 * is removed unless it returns 0; NULL: nobody is asked. ret: as of flow_attach; the digest is zero where a
 * tag was removed. */
MUST_CHECK int flow_remove(const struct flow_conf *conf, const char *reference,
                           int (*ask)(void *ctx, struct err *e), void *ctx, struct flow_published *ret,
                           struct err *e);

#endif
