/* SPDX-License-Identifier: Apache-2.0 */
/* Key files: whatever is taken as a key can be written in each form that it has, read again, and used. */
#include "base/limits.h"
#include "sign/keyfile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

static int password_get(void *ctx, bool is_new, struct buf *ret, struct err *e)
{
    (void)ctx;
    (void)is_new;
    (void)e;
    buf_append_str(ret, "x");
    return 0;
}
static const struct sign_password password = {password_get, NULL};

static void again(const struct sign_key *k, struct bytes text)
{
    struct err e = ERR_INIT;
    AUTO(sign_key) same = NULL;
    must(sign_key_open(text, "again", &password, &same, &e) == 0);
    must(sign_key_type(same) == sign_key_type(k) && sign_key_eq(same, k));
}

/* Those that encrypt are left out: they cost what scrypt costs. */
static void every_form(const struct sign_key *k)
{
    for (size_t i = 0; i < sign_n_keyfiles; i++) {
        const struct sign_keyfile *kind = sign_keyfiles[i];
        struct err e = ERR_INIT;
        AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_KEY_FILE);
        if (kind->detect && sign_keyfile_write_public(kind, k, &text, &e) == 0)
            again(k, buf_bytes(&text));
        buf_reset(&text);
        if (kind->detect && !kind->encrypts && sign_key_is_private(k) &&
            sign_keyfile_write_private(kind, k, NULL, &text, &e) == 0)
            again(k, buf_bytes(&text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO(sign_key) k = NULL;
    AUTO_DONE(buf) signature = BUF_INIT(2048);
    bool good = false;
    int r = sign_key_open(bytes_of(data, size), "fuzz", &password, &k, &e);
    if (r) {
        must(r == ERR_FORMAT || r == ERR_UNSUPPORTED || r == ERR_LIMIT || r == ERR_AUTH || r == ERR_USAGE);
        must(e.code == r && e.msg[0] && !k);
        return 0;
    }
    every_form(k);
    must(sign_key_verify(k, BYTES_LIT("m"), bytes_of(data, size < 64 ? size : 64), &good, &e) == 0 && !good);
    if (!sign_key_is_private(k))
        return 0;
    /* Primes are not checked to be any: libgcrypt finds that what they make is wrong. */
    if (sign_key_sign(k, BYTES_LIT("m"), &signature, &e) != 0 && sign_key_type(k) == SIGN_KEY_RSA)
        return 0;
    must(sign_key_verify(k, BYTES_LIT("m"), buf_bytes(&signature), &good, &e) == 0 && good);
    return 0;
}
