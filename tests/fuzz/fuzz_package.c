/* SPDX-License-Identifier: Apache-2.0 */
/* A registry.json, and wkg's config.toml on the same bytes. */
#include "oci/package.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO_DONE(oci_package_place) place = {NULL, NULL};
    AUTO_DONE(oci_package_place) configured = {NULL, NULL};
    AUTO_FREE char *host = NULL;
    int r = oci_package_metadata_parse(bytes_of(data, size), "a.example", &place, &e);
    if ((r == 0) != (place.registry && place.prefix))
        abort();
    r = oci_package_registry(bytes_of(data, size), "config.toml", "custom:x", &host, &configured, &e);
    if ((r == 0) != (host != NULL) || (r && configured.registry))
        abort();
    return 0;
}
