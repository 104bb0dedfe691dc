/* SPDX-License-Identifier: Apache-2.0 */
/* Files of variables: names that are names, values on one line, all of it from the text. */
#include "base/envfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int see(void *ctx, struct bytes name, struct bytes value, struct err *e)
{
    const struct bytes *text = ctx;
    (void)e;
    if (!envfile_is_name(name) || !bytes_is_utf8(value) || name.ptr < text->ptr ||
        value.ptr + value.len > text->ptr + text->len || value.ptr != name.ptr + name.len + 1)
        abort();
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == '\0' || value.ptr[i] == '\n')
            abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    struct err e = ERR_INIT;
    int r = envfile_parse(text, see, &text, &e);
    if (r != 0 && r != ERR_FORMAT && r != ERR_LIMIT)
        abort();
    return 0;
}
