/* SPDX-License-Identifier: Apache-2.0 */
/* From what a user writes to a place in a registry. */
#ifndef WAYBILL_OCI_LOCATE_H
#define WAYBILL_OCI_LOCATE_H

#include "oci/endpoint.h"

/* oci_ref_locate - oci_ref_parse, and then a package becomes the reference it stands for, and, for reading, a
 * name without a host what conf->registries makes of it. A package may take two requests: its registry's
 * registry.json, remembered for an hour, and the tags where more than one version would do.
 * write: the exact version of a package is the tag. Returns 0, ERR_USAGE, ERR_UNSUPPORTED, ERR_CONFIG,
 * ERR_NOTFOUND (no such version), ERR_FORMAT (a registry.json that is none), or the failures of requests. */
MUST_CHECK int oci_ref_locate(const char *text, const struct oci_endpoint_conf *conf, bool write,
                              struct oci_ref *ret, struct err *e);

#endif
