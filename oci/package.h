/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packages as wkg names them: "wasi:http@0.2.0". A configuration file says which registry a namespace or
 * package belongs to (`config.toml` of wasm-pkg-tools: default_registry, namespace_registries,
 * package_registry_overrides), and that host says where its artifacts are
 * (https://HOST/.well-known/wasm-pkg/registry.json, docs/registry-metadata.md there).
 */
#ifndef WAYBILL_OCI_PACKAGE_H
#define WAYBILL_OCI_PACKAGE_H

#include "base/buf.h"
#include "base/json.h"

/* Where the packages of a registry are. */
struct oci_package_place {
    char *registry; /* "ghcr.io"; owned */
    char *prefix;   /* in front of "namespace/name", such as "webassembly/"; "" for none; owned */
};
void oci_package_place_done(struct oci_package_place *p);

/* oci_package_registry - the host that answers for a package, and its place where the configuration says
 * that, too. config: the file's text, may be empty. path: its name for messages. package: "namespace:name".
 * *ret_host: heap. *ret: its members stay NULL when the host has to be asked. ERR_CONFIG, also when nothing
 * is configured for the namespace. */
MUST_CHECK int oci_package_registry(struct bytes config, const char *path, const char *package,
                                    char **ret_host, struct oci_package_place *ret, struct err *e);

/* oci_package_metadata_parse - a registry.json. host: what asked for it, the registry where it names none.
 * ERR_FORMAT, ERR_UNSUPPORTED (another protocol than oci is preferred and none is given for oci). */
MUST_CHECK int oci_package_metadata_parse(struct bytes text, const char *host, struct oci_package_place *ret,
                                          struct err *e);

#endif
