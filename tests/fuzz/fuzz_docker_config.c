/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's config.json, and the reply of a token service on the same bytes. */
#include "oci/auth.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const hosts[] = {"docker.io", "ghcr.io", "localhost:5000"};
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(oci_cred) c = OCI_CRED_INIT;
        int r = oci_cred_find(bytes_of(data, size), "config.json", hosts[i], "owner/name", &c, &e);
        if (r && (c.user || c.password || c.identity_token))
            abort(); /* a failure gave something out */
        if ((c.user == NULL) != (c.password == NULL))
            abort();
    }
    struct err e = ERR_INIT;
    char *token = NULL;
    uint64_t life = 0;
    if (oci_token_parse(bytes_of(data, size), &token, &life, &e) == 0 &&
        (!*token || strpbrk(token, "\r\n ") || life < 60))
        abort();
    oci_secret_free(token);
    return 0;
}
