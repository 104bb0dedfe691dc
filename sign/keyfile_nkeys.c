/* SPDX-License-Identifier: Apache-2.0 */
/* nkeys as wash and nk keep them (.nk): the text of a seed or of a public key in one line. */
#include "sign/keyfile.h"

#include "base/limits.h"
#include "sign/alg.h"
#include "sign/nkey.h"

/* Base32 of the length of one of the two; whether it is one is for the parser to say. */
static bool nkeys_detect(struct bytes content)
{
    struct bytes text = bytes_trim(content, " \t\r\n");
    if (text.len != SIGN_NKEY_TEXT - 1 && text.len != SIGN_NKEY_SEED_TEXT - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= '2' && c <= '7'))
            return false;
    }
    return true;
}

static int parse_seed(struct bytes text, char *ret_kind, struct sign_key **ret, struct err *e)
{
    uint8_t seed[SIGN_NKEY_LEN];
    int r = sign_nkey_decode_seed(text, ret_kind, seed, e);
    if (!r)
        r = sign_key_new_private(&sign_alg_ed25519, BYTES_ARR(seed), BYTES_NONE, ret, e);
    mem_wipe(seed, sizeof(seed));
    return r;
}

static int parse_public(struct bytes text, char *ret_kind, struct sign_key **ret, struct err *e)
{
    uint8_t key[SIGN_NKEY_LEN];
    int r = sign_nkey_decode(text, ret_kind, key, e);
    return r ? r : sign_key_new_public(&sign_alg_ed25519, BYTES_ARR(key), ret, e);
}

static int nkeys_parse(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                       struct err *e)
{
    (void)password;
    struct bytes text = bytes_trim(content, " \t\r\n");
    AUTO(sign_key) k = NULL;
    char kind = 0;
    int r = sign_nkey_is_seed(text) ? parse_seed(text, &kind, &k, e) : parse_public(text, &kind, &k, e);
    if (r)
        return r;
    if (kind == 'X')
        return err_set(e, ERR_UNSUPPORTED, "an nkeys curve key: it encrypts and does not sign");
    sign_key_set_nkey_kind(k, kind);
    *ret = TAKE(k);
    return 0;
}

static int check(const struct sign_key *k, struct err *e)
{
    if (k->alg != &sign_alg_ed25519)
        return err_set(e, ERR_UNSUPPORTED, "nkeys are Ed25519 keys, and this is one for %s", k->alg->name);
    if (!k->nkey_kind)
        return err_set(e, ERR_USAGE, "nkeys say whose key it is: an account's, a module's");
    return 0;
}

static int nkeys_write_private(const struct sign_key *k, const struct sign_password *password,
                               struct buf *out, struct err *e)
{
    (void)password;
    char text[SIGN_NKEY_SEED_TEXT];
    int r = check(k, e);
    if (r)
        return r;
    buf_append_str(out, sign_nkey_encode_seed(k->nkey_kind, k->secret, text));
    mem_wipe(text, sizeof(text));
    buf_append_u8(out, '\n');
    return buf_check(out, e);
}

static int nkeys_write_public(const struct sign_key *k, struct buf *out, struct err *e)
{
    char text[SIGN_NKEY_TEXT];
    int r = check(k, e);
    if (r)
        return r;
    buf_append_str(out, sign_nkey_encode(k->nkey_kind, k->public_key, text));
    buf_append_u8(out, '\n');
    return buf_check(out, e);
}

const struct sign_keyfile sign_keyfile_nkeys = {
    .name = "nkeys",
    .title = "nkeys text",
    .detect = nkeys_detect,
    .parse = nkeys_parse,
    .write_private = nkeys_write_private,
    .write_public = nkeys_write_public,
};
