/* SPDX-License-Identifier: Apache-2.0 */
/* From what a user writes to a place in a registry. */
#ifndef WAYBILL_OCI_LOCATE_H
#define WAYBILL_OCI_LOCATE_H

#include "oci/endpoint.h"

/* oci_ref_locate - replaces a package by the reference it stands for, and, for reading, a name without a host
 * by what conf->registries makes of it; all others stay as they are. A package may take two requests: its
 * registry's registry.json, remembered for an hour, and the tags where more than one version would do. write:
 * the exact version of a package is the tag. Returns 0, ERR_USAGE, ERR_CONFIG, ERR_NOTFOUND (no such
 * version), ERR_FORMAT (a registry.json that is none), or the failures of requests. */
MUST_CHECK int oci_ref_locate(struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool write,
                              struct err *e);

#endif
