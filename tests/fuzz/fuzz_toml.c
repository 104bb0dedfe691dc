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
    /* Places that are there and places that are not are found somewhere. */
    const char *name = "";
    const struct jval *value = NULL;
    (void)jobj_next(jdoc_root(doc), NULL, &name, &value);
    const struct toml_at table = {NULL, name, 0}, element = {&table, NULL, 0}, inner = {&element, "a", 0};
    const struct toml_at *const ats[] = {NULL, &table, &element, &inner};
    for (size_t i = 0; i < ARRAY_LEN(ats); i++) {
        unsigned line = 0, column = 0;
        toml_locate(bytes_of(data, size), ats[i], &line, &column);
        if (!line || !column)
            abort();
    }
    return 0;
}
