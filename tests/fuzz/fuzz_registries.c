/* SPDX-License-Identifier: Apache-2.0 */
/* registries.conf: whatever it says, what is tried is a reference with a host. */
#include "oci/registries.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct oci_registries *reg, const char *text)
{
    struct err e = ERR_INIT;
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    AUTO_DONE(oci_candidates) c = {NULL, 0};
    if (oci_ref_parse(text, &ref, &e) != 0)
        abort();
    if (ref.short_name && (oci_registries_short(reg, &ref, &e) != 0 || !*ref.host))
        return;
    int r = oci_registries_candidates(reg, &ref, &c, &e);
    if (r ? c.n != 0 : c.n == 0)
        abort();
    for (size_t i = 0; i < c.n; i++)
        if (c.list[i].ref.kind != OCI_REF_REGISTRY || c.list[i].ref.short_name || !*c.list[i].ref.host)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"example.com/team/a:1", "a.wild.example/b:1", "tool:1", "a/b"};
    struct err e = ERR_INIT;
    AUTO_DONE(oci_registries) reg = {0};
    if (oci_registries_add(&reg, bytes_of(data, size), "registries.conf", &e) != 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        check(&reg, names[i]);
    return 0;
}
