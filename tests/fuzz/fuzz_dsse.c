/* SPDX-License-Identifier: Apache-2.0 */
/* DSSE envelopes: what is taken is written again and read as the same. */
#include "sign/dsse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO_DONE(sign_dsse) d = SIGN_DSSE_INIT;
    AUTO_DONE(sign_dsse) again = SIGN_DSSE_INIT;
    AUTO_DONE(buf) out = BUF_INIT(LIMIT_BUNDLE);
    if (sign_dsse_parse(bytes_of(data, size), &d, &e) != 0)
        return 0;
    struct jout w = {.out = &out};
    sign_dsse_write(&w, NULL, d.payload_type, buf_bytes(&d.payload), buf_bytes(&d.signature));
    must(buf_check(&out, &e) == 0);
    must(sign_dsse_parse(buf_bytes(&out), &again, &e) == 0);
    must(strcmp(d.payload_type, again.payload_type) == 0);
    must(bytes_eq(buf_bytes(&d.payload), buf_bytes(&again.payload)));
    must(bytes_eq(buf_bytes(&d.signature), buf_bytes(&again.signature)));
    AUTO_DONE(buf) pae = BUF_INIT(sign_dsse_pae_max(d.payload_type, buf_bytes(&d.payload)));
    sign_dsse_pae(d.payload_type, buf_bytes(&d.payload), &pae);
    must(buf_check(&pae, &e) == 0);
    return 0;
}
