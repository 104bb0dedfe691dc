/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/sshkey.h"

#include "base/hex.h"
#include "base/limits.h"
#include "sign/der.h"
#include "sign/keyfile.h"

const char *sign_sshkey_type(const struct sign_key *k)
{
    static const char *const names[] = {
        [SIGN_KEY_ED25519] = "ssh-ed25519",
        [SIGN_KEY_P256] = "ecdsa-sha2-nistp256",
        [SIGN_KEY_P384] = "ecdsa-sha2-nistp384",
        [SIGN_KEY_RSA] = "ssh-rsa",
    };
    return names[sign_key_type(k)];
}

static void put_length(struct buf *out, size_t len)
{
    for (unsigned shift = 32; shift > 0; shift -= 8)
        buf_append_u8(out, (uint8_t)(len >> (shift - 8)));
}

static void put_string(struct buf *out, struct bytes s)
{
    put_length(out, s.len);
    buf_append_bytes(out, s);
}

/* RFC 4251 section 5, "mpint": as DER's INTEGER, with a zero in front of a set top bit. */
static void put_number(struct buf *out, struct bytes digits)
{
    bool zero = digits.len && (digits.ptr[0] & 0x80);
    put_length(out, digits.len + zero);
    if (zero)
        buf_append_u8(out, 0);
    buf_append_bytes(out, digits);
}

static void put_rsa(struct bytes der, struct buf *out)
{
    struct bytes seq, n, exponent;
    if (!sign_der_take(&der, DER_SEQUENCE, &seq) || !sign_der_take_uint(&seq, &n) ||
        !sign_der_take_uint(&seq, &exponent))
        return; /* the key was checked when it was made */
    put_number(out, exponent);
    put_number(out, n);
}

void sign_sshkey_put(const struct sign_key *k, struct buf *out)
{
    put_string(out, bytes_str(sign_sshkey_type(k)));
    switch (sign_key_type(k)) {
    case SIGN_KEY_P256: put_string(out, BYTES_LIT("nistp256")); break;
    case SIGN_KEY_P384: put_string(out, BYTES_LIT("nistp384")); break;
    case SIGN_KEY_RSA: put_rsa(sign_key_public(k), out); return;
    case SIGN_KEY_ED25519: break;
    }
    put_string(out, sign_key_public(k));
}

static int openssh_write_public(const struct sign_key *k, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) blob = BUF_INIT(LIMIT_KEY_FILE);
    sign_sshkey_put(k, &blob);
    int r = buf_check(&blob, e);
    if (r)
        return r;
    buf_append_str(out, sign_sshkey_type(k));
    buf_append_u8(out, ' ');
    b64_encode(B64_STD, buf_bytes(&blob), out);
    buf_append_u8(out, '\n');
    return buf_check(out, e);
}

const struct sign_keyfile sign_keyfile_openssh_public = {
    .name = "openssh-public",
    .title = "OpenSSH public key",
    .write_public = openssh_write_public,
};
