/* SPDX-License-Identifier: Apache-2.0 */
/* Reading from the first place of several that has what is asked for. */
#ifndef WAYBILL_OCI_MIRROR_H
#define WAYBILL_OCI_MIRROR_H

#include "oci/endpoint.h"

/* oci_mirror_open - an endpoint for reading a reference by way of conf->registries: its mirrors, then its own
 * place. What one place cannot give is asked of the next; a blob that breaks off is taken up there, since the
 * caller checks its digest. It takes no pushes. Errors: those of oci_registries_candidates and
 * oci_registry_open. */
MUST_CHECK int oci_mirror_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf,
                               struct oci_endpoint **ret, struct err *e);

#endif
