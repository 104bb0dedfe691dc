/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is read can be written, and what is written is read as the same. */
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rewrite(const struct jdoc *doc, struct buf *out)
{
    struct jout w = {.out = out};
    jout_value(&w, NULL, jdoc_root(doc));
    if (out->failed)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO(jdoc) doc = NULL;
    if (jdoc_parse(bytes_of(data, size), &doc, &e) != 0) {
        if (!bytes_is_utf8(bytes_str(e.msg)) && strlen(e.msg) + 1 < sizeof(e.msg))
            abort();
        return 0;
    }
    AUTO(jdoc) again = NULL;
    AUTO_DONE(buf) first = BUF_INIT(64U << 20);
    AUTO_DONE(buf) second = BUF_INIT(64U << 20);
    rewrite(doc, &first);
    if (jdoc_parse(buf_bytes(&first), &again, &e) != 0)
        abort();
    rewrite(again, &second);
    if (!bytes_eq(buf_bytes(&first), buf_bytes(&second)))
        abort();
    return 0;
}
