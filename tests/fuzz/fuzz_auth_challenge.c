/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate values: one per line of the input, as a registry may send several. */
#include "oci/auth.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = bytes_of(data, size), line, newline;
    struct oci_challenge c = {.scheme = OCI_AUTH_NONE};
    while (rest.len) {
        struct err e = ERR_INIT;
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        if (!bytes_take(&rest, end ? (size_t)(end - rest.ptr) : rest.len, &line))
            abort();
        (void)bytes_take(&rest, 1, &newline);
        enum oci_auth_scheme before = c.scheme;
        if (oci_challenge_add(line, &c, &e) == 0 && c.scheme < before)
            abort(); /* a weaker challenge took the place of a stronger one */
        if (c.scheme == OCI_AUTH_BEARER && !c.realm)
            abort();
    }
    oci_challenge_done(&c);
    return 0;
}
