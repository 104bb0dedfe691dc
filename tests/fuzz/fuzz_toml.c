/* SPDX-License-Identifier: Apache-2.0 */
/* TOML by way of the engine's library, and the JSON that it makes. */
#include "base/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO(jdoc) doc = NULL;
    int r = toml_parse(bytes_of(data, size), &doc, &e);
    if (r && r != ERR_CONFIG && r != ERR_LIMIT && r != ERR_NOMEM)
        abort();
    if (r)
        return 0;
    if (jval_kind(jdoc_root(doc)) != JKIND_OBJECT)
        abort();
    AUTO_DONE(buf) out = BUF_INIT(64U << 20);
    struct jout w = {.out = &out};
    jout_value(&w, NULL, jdoc_root(doc));
    if (out.failed)
        abort();
    return 0;
}
