/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/sigstore_key.h"

#include "base/hex.h"

#include <stdio.h>

#define FINGERPRINT_PREFIX "SHA256:"

/* The schemes that a key's signatures may follow; the first is the one that signs. */
static size_t schemes_of(const struct sign_key *k, bool ed25519ph, struct sign_scheme ret[2])
{
    switch (sign_key_type(k)) {
    case SIGN_KEY_ED25519:
        ret[0] = (struct sign_scheme){SIGN_MODE_ED25519, HASH_SHA512};
        ret[1] = (struct sign_scheme){SIGN_MODE_ED25519PH, HASH_SHA512};
        return ed25519ph ? 2 : 1;
    case SIGN_KEY_P256: ret[0] = (struct sign_scheme){SIGN_MODE_ECDSA_DER, HASH_SHA256}; return 1;
    case SIGN_KEY_P384: /* cosign signs with SHA-384 and, unless told otherwise, verifies with SHA-256 */
        ret[0] = (struct sign_scheme){SIGN_MODE_ECDSA_DER, HASH_SHA256};
        ret[1] = (struct sign_scheme){SIGN_MODE_ECDSA_DER, HASH_SHA384};
        return 2;
    case SIGN_KEY_RSA: ret[0] = (struct sign_scheme){SIGN_MODE_RSA_PKCS1, HASH_SHA256}; return 1;
    }
    return 0;
}

int sign_sigstore_sign(const struct sign_key *k, struct bytes message, struct buf *out, struct err *e)
{
    struct sign_scheme schemes[2];
    if (schemes_of(k, false, schemes) == 0)
        return err_set(e, ERR_UNSUPPORTED, "keys of this type make no such signatures");
    return sign_key_sign_as(k, schemes[0], message, out, e);
}

int sign_sigstore_verify(const struct sign_key *k, const struct sign_trust *trust, struct bytes message,
                         struct bytes signature, bool *ret_good, struct err *e)
{
    struct sign_scheme schemes[2];
    size_t n = schemes_of(k, trust->ed25519ph, schemes);
    bool good = false;
    for (size_t i = 0; i < n && !good; i++) {
        int r = sign_key_verify_as(k, schemes[i], message, signature, &good, e);
        if (r)
            return r;
    }
    *ret_good = good;
    return 0;
}

int sign_sigstore_hint(const struct sign_key *k, struct buf *out, struct err *e)
{
    char id[SIGN_FINGERPRINT_MAX];
    uint8_t raw[HASH_SHA256_LEN];
    struct bytes hex = bytes_str(sign_key_fingerprint(k, id) + strlen(FINGERPRINT_PREFIX));
    if (hex.len != 2 * sizeof(raw) || !hex_decode_lower(hex, raw))
        return err_set(e, ERR_OTHER, "the key has no fingerprint");
    b64_encode(B64_STD, BYTES_ARR(raw), out);
    return buf_check(out, e);
}

/* The fingerprint that a hint states; false where it is of another form. */
static bool hint_to_fingerprint(const char *hint, char out[SIGN_FINGERPRINT_MAX])
{
    AUTO_DONE(buf) raw = BUF_INIT(HASH_SHA256_LEN);
    struct err ignored = ERR_INIT;
    char hex[2 * HASH_SHA256_LEN + 1];
    if (b64_decode_any(bytes_str(hint), &raw, &ignored) != 0 || raw.len != HASH_SHA256_LEN)
        return false;
    (void)snprintf(out, SIGN_FINGERPRINT_MAX, FINGERPRINT_PREFIX "%s", hex_encode(buf_bytes(&raw), hex));
    return true;
}

static void name_key(struct sign_check *check, const struct sign_key *k)
{
    (void)snprintf(check->key, sizeof(check->key), "%s", sign_key_name(k));
    (void)sign_key_fingerprint(k, check->key_id);
}

int sign_sigstore_by_key(const struct sign_trust *trust, const char *hint, struct bytes message,
                         struct bytes signature, struct sign_check *check, const struct sign_key **ret_key,
                         struct err *e)
{
    char wanted[SIGN_FINGERPRINT_MAX], id[SIGN_FINGERPRINT_MAX];
    const struct sign_key *named = NULL;
    bool hinted = hint_to_fingerprint(hint, wanted);
    *ret_key = NULL;
    for (size_t i = 0; i < trust->keys.n; i++) {
        const struct sign_key *k = trust->keys.keys[i];
        bool good = false;
        if (hinted && strcmp(sign_key_fingerprint(k, id), wanted) != 0)
            continue;
        named = hinted ? k : NULL;
        int r = sign_sigstore_verify(k, trust, message, signature, &good, e);
        if (r)
            return r;
        if (!good)
            continue;
        name_key(check, k);
        *ret_key = k;
        return 0;
    }
    if (named)
        return sign_check_set(check, ERR_UNTRUSTED, "says that it is by %s, and is not",
                              sign_key_name(named));
    if (hinted)
        return sign_check_set(check, ERR_UNTRUSTED, "by the key %s, which is not trusted", wanted);
    return sign_check_set(check, ERR_UNTRUSTED, "by none of the trusted keys");
}
