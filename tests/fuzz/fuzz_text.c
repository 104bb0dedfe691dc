/* SPDX-License-Identifier: Apache-2.0 */
/* Escaped text: UTF-8 without control characters, inside its room; and JSON strings made of any bytes. */
#include "base/json.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void escape_into(struct bytes text, size_t room)
{
    AUTO_FREE char *out = malloc(room);
    if (!out)
        return;
    (void)text_escape(text, out, room);
    size_t len = strnlen(out, room);
    if (len == room || !bytes_is_utf8(bytes_of(out, len)))
        abort();
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    struct err e = ERR_INIT;
    escape_into(text, 1);
    escape_into(text, 1 + size / 2);
    escape_into(text, 10 * size + 4);
    AUTO_DONE(buf) out = BUF_INIT(64U << 20);
    struct jout w = {.out = &out};
    jout_bytes(&w, NULL, text);
    AUTO(jdoc) doc = NULL;
    bool nul = size && memchr(data, 0, size);
    if (buf_check(&out, &e) != 0 || (jdoc_parse(buf_bytes(&out), &doc, &e) != 0) != nul)
        abort();
    if (doc && bytes_is_utf8(text) && !bytes_eq_str(text, jval_string(jdoc_root(doc))))
        abort();
    return 0;
}
