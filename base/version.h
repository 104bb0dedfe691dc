/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WAYBILL_BASE_VERSION_H
#define WAYBILL_BASE_VERSION_H

/* Semantic versioning; the Makefile, the man pages and CHANGELOG.md are checked against this line. */
#define WAYBILL_VERSION "0.1.0"

#endif
