/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest that something is hung on: an attachment, a signature, an attestation. */
#ifndef WAYBILL_FLOW_SUBJECT_H
#define WAYBILL_FLOW_SUBJECT_H

#include "flow/obtain.h"

struct flow_subject {
    char *name, *repo;        /* as of flow_artifact */
    struct oci_pinned pinned; /* the manifest or index itself */
    struct oci_manifest m;    /* the same, parsed */
    struct oci_desc desc;     /* of it; borrows from m */
    /* Private. */
    struct oci_ref ref;
    struct oci_endpoint *ep;
    const char *memo_dir;
};

/* flow_subject_open - finds what a reference names, at a place that is there: nothing comes into being for
 * the sake of a subject that is not. ret: flow_subject_done, whatever is returned. conf outlives it. */
MUST_CHECK int flow_subject_open(const struct flow_conf *conf, const char *reference,
                                 struct flow_subject *ret, struct err *e);
void flow_subject_done(struct flow_subject *s);

/* One blob and the words around it. */
struct flow_hanging {
    const char *artifact_type; /* referrers: of the manifest */
    const char *config_type;   /* referrers: of the empty config; NULL: OCI_TYPE_EMPTY */
    const char *media_type;    /* of the blob */
    const struct digest *digest;
    const struct source_opener *blob;   /* its size is the blob's */
    const struct oci_pair *annotations; /* of the blob's descriptor */
    size_t n_annotations;
    const struct oci_pair *manifest_annotations; /* referrers */
    size_t n_manifest_annotations;
};

/* flow_subject_refer - pushes the blob and a manifest whose subject is this one. image-spec 1.1, manifest.md,
 * "Guidelines for Artifact Usage". ret: the new manifest's digest. The same input gives the same bytes. */
MUST_CHECK int flow_subject_refer(struct flow_subject *s, const struct flow_hanging *what, struct digest *ret,
                                  bool *ret_existed, struct err *e);

/* flow_subject_tag_name - "sha256-<hex><suffix>", the tag of a subject's signatures (".sig") or attestations
 * (".att"), into out. False for other digests than SHA-256: such a tag would be longer than tags are.
 * cosign's SIGNATURE_SPEC.md, "Storage". */
#define FLOW_TAG_MAX (7 + 64 + 4 + 1)
MUST_CHECK bool flow_subject_tag_name(const struct digest *subject, const char *suffix,
                                      char out[FLOW_TAG_MAX]);

/* flow_subject_tag - pushes the blob as one more layer of the image under the tag of flow_subject_tag_name,
 * which is made when it is not there. A blob that is there already with the
 * same annotations is not added again. Writers of one user and machine wait for each other; what another one
 * overwrote is added again. ret: the image's digest; ret_tag: its tag. ERR_UNSUPPORTED: such a subject has
 * no tag. */
MUST_CHECK int flow_subject_tag(struct flow_subject *s, const char *suffix, const struct flow_hanging *what,
                                struct digest *ret, char ret_tag[FLOW_TAG_MAX], struct err *e);

/* flow_subject_finish - makes all that was hung appear where that happens at once. */
MUST_CHECK int flow_subject_finish(struct flow_subject *s, struct err *e);

#endif
