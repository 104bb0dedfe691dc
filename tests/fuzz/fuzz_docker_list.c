/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.json of what docker save writes: what is accepted can be walked, and tags are tags. */
#include "oci/docker.h"
#include "oci/ref.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO_DONE(oci_docker_list) list = {.doc = NULL};
    if (oci_docker_parse(bytes_of(data, size), &list, &e) != 0) {
        if (list.doc || list.images)
            abort(); /* a failure gave something out */
        return 0;
    }
    for (size_t i = 0; i < list.n; i++) {
        const struct oci_docker_image *image = &list.images[i];
        if (!image->config)
            abort();
        for (size_t k = 0; k < jarr_len(image->layers); k++)
            if (!jval_string(jarr_at(image->layers, k)))
                abort();
        for (size_t k = 0; k < jarr_len(image->tags); k++) {
            const char *tag = oci_docker_tag(jval_string(jarr_at(image->tags, k)));
            if (tag && !oci_tag_valid(tag))
                abort();
        }
    }
    return 0;
}
