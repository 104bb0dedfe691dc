/* SPDX-License-Identifier: Apache-2.0 */
/* Referrers in an image layout: the entries of index.json whose manifests have the subject, and those that a
 * list under the tag of the referrers tag schema names, where a layout was filled from a registry. */
#include "base/limits.h"
#include "base/log.h"
#include "oci/layout.h"

static int read_manifest(struct oci_tree *tree, const struct oci_desc *desc, struct oci_manifest *ret,
                         uint64_t *ret_size, struct err *e)
{
    AUTO_DONE(buf) body = BUF_INIT(LIMIT_MANIFEST);
    int r = oci_layout_blob(tree, &desc->digest, &body, e);
    if (!r)
        r = oci_manifest_parse(buf_bytes(&body), desc->media_type, ret, e);
    if (!r)
        *ret_size = body.len;
    return r;
}

/* One entry; what cannot be read is not hidden: a signature that is damaged is not one that is not there. */
static int look_at(struct oci_tree *tree, const struct oci_desc *entry, const struct digest *subject,
                   const char *wanted, struct oci_referrers *ret, struct err *e)
{
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    struct oci_desc desc = *entry;
    int r = read_manifest(tree, entry, &m, &desc.size, e);
    if (r == ERR_NOTFOUND) { /* image-spec 1.1: blobs may be elsewhere */
        log_info("referrers: %s", e->msg);
        return 0;
    }
    if (r || !m.has_subject || !digest_eq(&m.subject.digest, subject))
        return r;
    const char *type = oci_referrers_type(&m);
    if (!oci_referrers_wanted(type, wanted))
        return 0;
    return oci_referrers_add(ret, &desc, type, m.annotations, e);
}

static int look_at_list(struct oci_tree *tree, const struct oci_desc *entry, const struct digest *subject,
                        const char *wanted, struct oci_referrers *ret, struct err *e)
{
    AUTO_DONE(oci_manifest) list = {.doc = NULL};
    uint64_t size;
    int r = read_manifest(tree, entry, &list, &size, e);
    for (size_t i = 0; !r && list.is_index && i < list.n_entries; i++)
        r = look_at(tree, &list.entries[i], subject, wanted, ret, e);
    return r;
}

int oci_layout_referrers(struct oci_endpoint *ep, const struct digest *subject, const char *artifact_type,
                         struct oci_referrers *ret, struct err *e)
{
    const struct oci_manifest *index = NULL;
    struct oci_tree *tree = oci_layout_tree(ep);
    char tag[OCI_REFERRERS_TAG_MAX];
    (void)oci_referrers_tag(subject, tag);
    int r = oci_layout_index_get(oci_layout_index_of(ep), &index, e);
    for (size_t i = 0; !r && i < index->n_entries; i++) {
        const struct oci_desc *entry = &index->entries[i];
        const char *name = oci_annotation(entry->annotations, OCI_ANNOTATION_REF);
        if (!oci_manifest_type_known(entry->media_type) || digest_eq(&entry->digest, subject))
            continue;
        r = name && strcmp(name, tag) == 0 ? look_at_list(tree, entry, subject, artifact_type, ret, e)
                                           : look_at(tree, entry, subject, artifact_type, ret, e);
    }
    if (r)
        return err_wrap(e, "referrers");
    oci_referrers_settle(ret);
    return 0;
}
