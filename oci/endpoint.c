/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/endpoint.h"

#include "oci/mirror.h"

/* One row per place; the index is enum oci_ref_kind. */
static int (*const openers[])(const struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool create,
                              struct oci_endpoint **ret, struct err *e) = {
    [OCI_REF_REGISTRY] = oci_registry_open,
    [OCI_REF_LAYOUT] = oci_layout_open,
    [OCI_REF_ARCHIVE] = oci_layout_archive_open,
    [OCI_REF_SFTP] = oci_layout_sftp_open,
};

int oci_endpoint_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool create,
                      struct oci_endpoint **ret, struct err *e)
{
    if (ref->kind == OCI_REF_PACKAGE)
        return err_set(e, ERR_USAGE, "a package has to be located first");
    if (ref->kind == OCI_REF_REGISTRY && conf->registries && conf->registries->n_rules && !create &&
        !conf->remove)
        return oci_mirror_open(ref, conf, ret, e);
    return openers[ref->kind](ref, conf, create, ret, e);
}

void oci_endpoint_close(struct oci_endpoint *ep)
{
    if (ep)
        ep->ops->close(ep);
}

void oci_pinned_done(struct oci_pinned *p)
{
    free(TAKE(p->media_type));
    buf_done(&p->body);
}
