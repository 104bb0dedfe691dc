/* SPDX-License-Identifier: Apache-2.0 */
/* Versions as tags: Semantic Versioning 2.0.0. */
#ifndef WAYBILL_OCI_SEMVER_H
#define WAYBILL_OCI_SEMVER_H

#include "base/buf.h"

/* oci_semver_valid - "1.2.3", "1.2.3-rc.1", "1.2.3+build"; no "v" in front, no leading zeros. */
bool oci_semver_valid(const char *text);

/* oci_semver_compare - precedence (section 11; build metadata does not count) of two valid versions:
 * negative, 0 or positive. */
int oci_semver_compare(const char *a, const char *b);

/* oci_semver_wanted - whether a text says which versions are wanted: a version itself, "1.2", "1" or "*". */
bool oci_semver_wanted(const char *text);

/* oci_semver_best - of the tags the newest version that is wanted; what is no version is passed over. A
 * version before a release ("-rc.1") is taken only where it is itself what is wanted. tags: each with a NUL
 * behind it. Returns one of them, or NULL. */
const char *oci_semver_best(const struct buf *tags, const char *wanted);

#endif
