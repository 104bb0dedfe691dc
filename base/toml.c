/* SPDX-License-Identifier: Apache-2.0 */
#include "base/toml.h"

#include "base/limits.h"

#include <waybill_toml.h>

int toml_parse(struct bytes text, struct jdoc **ret, struct err *e)
{
    if (text.len > LIMIT_TOML)
        return err_set(e, ERR_LIMIT, "TOML of more than %u bytes", LIMIT_TOML);
    struct waybill_toml_error why;
    char *json;
    size_t len;
    const char *start = text.ptr ? (const char *)text.ptr : "";
    if (waybill_toml_to_json(start, text.len, &json, &len, &why) != 0)
        return err_set(e, ERR_CONFIG, "line %u column %u: %s", why.line, why.column, why.message);
    int r = jdoc_parse(bytes_of(json, len), ret, e);
    waybill_toml_free(json, len);
    /* The one thing that TOML can say and our JSON may not. */
    return r == ERR_FORMAT ? err_set(e, ERR_CONFIG, "a key or string holds a NUL character") : r;
}
