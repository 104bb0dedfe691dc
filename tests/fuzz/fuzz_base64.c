/* SPDX-License-Identifier: Apache-2.0 */
/* base64, hexadecimal and digests: each text that is taken is the one text for its bytes. */
#include "base/hash.h"
#include "base/hex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(enum b64_kind kind, struct bytes text)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) raw = BUF_INIT(text.len);
    AUTO_DONE(buf) back = BUF_INIT(text.len);
    if (b64_decode(kind, text, &raw, &e) != 0)
        return;
    b64_encode(kind, buf_bytes(&raw), &back);
    if (back.failed || !bytes_eq(buf_bytes(&back), text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    struct err e = ERR_INIT;
    decode(B64_STD, text);
    decode(B64_URL, text);
    AUTO_FREE uint8_t *raw = malloc(size / 2 + 1);
    AUTO_FREE char *hex = malloc(size + 1);
    if (!raw || !hex)
        return 0;
    if (hex_decode_lower(text, raw) && !bytes_eq_str(text, hex_encode(bytes_of(raw, size / 2), hex)))
        abort();
    struct digest d;
    char shown[DIGEST_STR_MAX];
    if (digest_parse(text, &d, &e) == 0 && !bytes_eq_str(text, digest_str(&d, shown)))
        abort();
    return 0;
}
