/* SPDX-License-Identifier: Apache-2.0 */
/* wasmsign2's own key files: one byte that says which, and the raw Ed25519 key; the private one is the seed
 * with the public key behind it. */
#include "sign/keyfile.h"

#include "sign/alg.h"

#define PUBLIC     0x01
#define PRIVATE    0x81
#define KEY        32U
#define LEN_PUBLIC (1 + KEY)
#define LEN_SECRET (1 + KEY + KEY)

static bool wasmsign2_detect(struct bytes content)
{
    return (content.len == LEN_PUBLIC && content.ptr[0] == PUBLIC) ||
           (content.len == LEN_SECRET && content.ptr[0] == PRIVATE);
}

static int wasmsign2_parse(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                           struct err *e)
{
    (void)password;
    if (content.len == LEN_PUBLIC)
        return sign_key_new_public(&sign_alg_ed25519, bytes_of(content.ptr + 1, KEY), ret, e);
    return sign_key_new_private(&sign_alg_ed25519, bytes_of(content.ptr + 1, KEY),
                                bytes_of(content.ptr + 1 + KEY, KEY), ret, e);
}

static int check(const struct sign_key *k, struct err *e)
{
    if (k->alg != &sign_alg_ed25519)
        return err_set(e, ERR_UNSUPPORTED, "wasmsign2 knows Ed25519 keys, and this is one for %s",
                       k->alg->name);
    return 0;
}

static int wasmsign2_write_private(const struct sign_key *k, const struct sign_password *password,
                                   struct buf *out, struct err *e)
{
    (void)password;
    int r = check(k, e);
    if (r)
        return r;
    buf_append_u8(out, PRIVATE);
    buf_append_bytes(out, sign_key_secret(k));
    buf_append_bytes(out, sign_key_public(k));
    return buf_check(out, e);
}

static int wasmsign2_write_public(const struct sign_key *k, struct buf *out, struct err *e)
{
    int r = check(k, e);
    if (r)
        return r;
    buf_append_u8(out, PUBLIC);
    buf_append_bytes(out, sign_key_public(k));
    return buf_check(out, e);
}

const struct sign_keyfile sign_keyfile_wasmsign2 = {
    .name = "wasmsign2",
    .title = "wasmsign2's raw key",
    .detect = wasmsign2_detect,
    .parse = wasmsign2_parse,
    .write_private = wasmsign2_write_private,
    .write_public = wasmsign2_write_public,
};
