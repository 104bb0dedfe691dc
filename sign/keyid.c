/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/keyid.h"

#include "base/hex.h"
#include "base/limits.h"
#include "sign/embedded_wire.h"
#include "sign/nkey.h"
#include "sign/sshkey.h"

int sign_keyid_openssh(const struct sign_key *k, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) blob = BUF_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) text = BUF_INIT(128);
    struct digest d;
    sign_sshkey_put(k, &blob);
    int r = buf_check(&blob, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, buf_bytes(&blob), &d, e);
    if (r)
        return r;
    b64_encode(B64_STD, bytes_of(d.value, HASH_SHA256_LEN), &text);
    r = buf_check(&text, e);
    if (r)
        return r;
    while (text.len && text.ptr[text.len - 1] == '=')
        text.len--;
    buf_append_str(out, "SHA256:");
    buf_append_bytes(out, buf_bytes(&text));
    return 0;
}

int sign_keyid_wasmsign2(const struct sign_key *k, struct buf *out, struct err *e)
{
    uint8_t id[SIGN_WIRE_KEY_ID_LEN];
    char text[2 * SIGN_WIRE_KEY_ID_LEN + 1];
    if (sign_key_type(k) != SIGN_KEY_ED25519)
        return err_set(e, ERR_UNSUPPORTED, "wasmsign2 knows Ed25519 keys only");
    int r = sign_wire_key_id(sign_key_public(k), id, e);
    if (!r)
        buf_append_str(out, hex_encode(BYTES_ARR(id), text));
    return r;
}

void sign_keyid_nkey(const struct sign_key *k, char kind, struct buf *out)
{
    char text[SIGN_NKEY_TEXT];
    if (sign_key_type(k) == SIGN_KEY_ED25519)
        buf_append_str(out, sign_nkey_encode(kind, sign_key_public(k).ptr, text));
}
