/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of other tools: whatever they say, what comes out is a policy of ours. */
#include "base/limits.h"
#include "sign/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void import(const char *from, struct bytes text)
{
    struct err e = ERR_INIT;
    AUTO(sign_policy) p = NULL;
    AUTO_DONE(buf) out = BUF_INIT(LIMIT_TOML);
    int r = sign_policy_import(from, text, "name", &out, &e);
    if (r && r != ERR_FORMAT && r != ERR_UNSUPPORTED && r != ERR_LIMIT && r != ERR_NOMEM)
        abort();
    if (!r && sign_policy_parse(buf_bytes(&out), "p", &p, &e) != 0)
        abort();
}

/* The flags are the lines of the input. */
static void import_flags(struct bytes text)
{
    struct err e = ERR_INIT;
    char copy[4096], *args[64];
    size_t n = 0;
    AUTO_DONE(buf) out = BUF_INIT(LIMIT_TOML);
    if (text.len >= sizeof(copy))
        return;
    memcpy(copy, text.ptr ? (const char *)text.ptr : "", text.len);
    copy[text.len] = 0;
    for (char *p = copy; p && n < ARRAY_LEN(args);) {
        char *end = strchr(p, '\n');
        args[n++] = p;
        if (end)
            *end++ = 0;
        p = end;
    }
    if (sign_policy_import_cosign(args, n, &out, &e) == 0 && !out.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    import("containers", bytes_of(data, size));
    import("notation", bytes_of(data, size));
    if (size)
        import_flags(bytes_of(data, size));
    return 0;
}
