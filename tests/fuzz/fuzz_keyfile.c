/* SPDX-License-Identifier: Apache-2.0 */
/* Key files: whatever is taken as a key can be written, read again, and used. */
#include "base/limits.h"
#include "sign/key.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

static void again(struct sign_key *k, int (*write)(const struct sign_key *, struct buf *, struct err *))
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO(sign_key) same = NULL;
    must(write(k, &text, &e) == 0);
    must(sign_key_parse(buf_bytes(&text), "again", &same, &e) == 0);
    must(sign_key_type(same) == sign_key_type(k) && bytes_eq(sign_key_public(same), sign_key_public(k)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    AUTO_DONE(buf) signature = BUF_INIT(2048);
    bool good = false;
    int r = sign_key_parse(bytes_of(data, size), "fuzz", &k, &e);
    if (r) {
        must(r == ERR_FORMAT || r == ERR_UNSUPPORTED || r == ERR_LIMIT);
        must(e.code == r && e.msg[0] && !k);
        return 0;
    }
    again(k, sign_key_write_public);
    must(sign_key_verify(k, BYTES_LIT("m"), bytes_of(data, size < 64 ? size : 64), &good, &e) == 0 && !good);
    if (!sign_key_is_private(k))
        return 0;
    again(k, sign_key_write_private);
    must(sign_key_sign(k, BYTES_LIT("m"), &signature, &e) == 0);
    must(sign_key_verify(k, BYTES_LIT("m"), buf_bytes(&signature), &good, &e) == 0 && good);
    return 0;
}
