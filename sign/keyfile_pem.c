/* SPDX-License-Identifier: Apache-2.0 */
/* Key files in PEM: PKCS#8 (RFC 5958, with version 1 and 2) and SubjectPublicKeyInfo (RFC 5280). Text may
 * stand before the block. */
#include "sign/keyfile.h"

#include "base/limits.h"
#include "sign/alg.h"
#include "sign/der.h"
#include "sign/pem.h"
#include "sign/pkcs8.h"

#define LABEL_PRIVATE "PRIVATE KEY"
#define LABEL_PUBLIC  "PUBLIC KEY"

/* Cuts an AlgorithmIdentifier off *der. DER has one form for each value, so its bytes are compared. */
static int take_alg(struct bytes *der, const struct sign_alg **ret, struct err *e)
{
    struct bytes whole = *der, content, oid;
    if (!sign_der_take(der, DER_SEQUENCE, &content))
        return err_set(e, ERR_FORMAT, "malformed key: no algorithm");
    whole.len -= der->len;
    for (size_t i = 0; i < sign_n_algs; i++)
        if (bytes_eq(whole, sign_algs[i]->identifier)) {
            *ret = sign_algs[i];
            return 0;
        }
    if (!sign_der_take(&content, DER_OID, &oid))
        return err_set(e, ERR_FORMAT, "malformed key: the algorithm has no object identifier");
    return err_set(e, ERR_UNSUPPORTED,
                   "the key's algorithm is none of Ed25519, ECDSA on P-256 or P-384, RSA");
}

static bool pkcs8_detect(struct bytes content)
{
    return sign_pem_has(content, LABEL_PRIVATE);
}

/* OneAsymmetricKey, RFC 5958 section 2: attributes are passed over, a public key must be the right one. */
int sign_pkcs8_parse(struct bytes der, struct sign_key **ret, struct err *e)
{
    const struct sign_alg *alg;
    struct bytes seq, version, octets, attributes, outer = BYTES_NONE, inner = BYTES_NONE, secret;
    if (!sign_der_take(&der, DER_SEQUENCE, &seq) || der.len || !sign_der_take_uint(&seq, &version))
        return err_set(e, ERR_FORMAT, "malformed private key");
    bool v2 = bytes_eq(version, BYTES_LIT("\x01"));
    if (version.len && !v2)
        return err_set(e, ERR_UNSUPPORTED, "a private key of an unknown version");
    int r = take_alg(&seq, &alg, e);
    if (r)
        return r;
    if (!sign_der_take(&seq, DER_OCTET_STRING, &octets))
        return err_set(e, ERR_FORMAT, "malformed private key: no octets");
    (void)sign_der_take(&seq, DER_CONTEXT_0, &attributes);
    if (seq.len && (!v2 || !sign_der_take_bits(&seq, DER_CONTEXT_1_PRIMITIVE, &outer) || !outer.len))
        return err_set(e, ERR_FORMAT,
                       "malformed private key: neither attributes nor a public key at its end");
    if (seq.len)
        return err_set(e, ERR_FORMAT, "malformed private key: trailing bytes");
    r = alg->read_private(alg, octets, &secret, &inner, e);
    if (r)
        return r;
    if (outer.len && inner.len && !bytes_eq(outer, inner))
        return err_set(e, ERR_FORMAT, "malformed private key: two public keys that differ");
    return sign_key_new_private(alg, secret, outer.len ? outer : inner, ret, e);
}

static int pkcs8_parse(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                       struct err *e)
{
    (void)password;
    AUTO_DONE(buf) der = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    int r = sign_pem_decode_first(content, &der, e);
    return r ? r : sign_pkcs8_parse(buf_bytes(&der), ret, e);
}

static bool spki_detect(struct bytes content)
{
    return sign_pem_has(content, LABEL_PUBLIC);
}

static int spki_parse_der(struct bytes rest, struct sign_key **ret, struct err *e)
{
    const struct sign_alg *alg;
    struct bytes seq, bits;
    if (!sign_der_take(&rest, DER_SEQUENCE, &seq) || rest.len)
        return err_set(e, ERR_FORMAT, "malformed public key");
    int r = take_alg(&seq, &alg, e);
    if (r)
        return r;
    if (!sign_der_take_bits(&seq, DER_BIT_STRING, &bits) || seq.len)
        return err_set(e, ERR_FORMAT, "malformed public key: no key of whole bytes");
    return sign_key_new_public(alg, bits, ret, e);
}

static int spki_parse(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                      struct err *e)
{
    (void)password;
    AUTO_DONE(buf) der = BUF_INIT(LIMIT_KEY_FILE);
    int r = sign_pem_decode_first(content, &der, e);
    return r ? r : spki_parse_der(buf_bytes(&der), ret, e);
}

int sign_key_from_spki(struct bytes der, const char *name, struct sign_key **ret, struct err *e)
{
    AUTO(sign_key) k = NULL;
    int r = spki_parse_der(der, &k, e);
    if (!r)
        r = sign_key_rename(k, name, e);
    if (!r)
        *ret = TAKE(k);
    return r;
}

int sign_pkcs8_put(const struct sign_key *k, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) octets = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) seq = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    k->alg->put_private(k, &octets);
    int r = buf_check(&octets, e);
    if (r)
        return r;
    sign_der_put_uint(&seq, BYTES_NONE);
    buf_append_bytes(&seq, k->alg->identifier);
    sign_der_put(&seq, DER_OCTET_STRING, buf_bytes(&octets));
    r = buf_check(&seq, e);
    if (r)
        return r;
    sign_der_put(out, DER_SEQUENCE, buf_bytes(&seq));
    return buf_check(out, e);
}

static int pkcs8_write(const struct sign_key *k, const struct sign_password *password, struct buf *out,
                       struct err *e)
{
    (void)password;
    AUTO_DONE(buf) der = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    int r = sign_pkcs8_put(k, &der, e);
    return r ? r : sign_pem_encode(LABEL_PRIVATE, buf_bytes(&der), out, e);
}

static int spki_write(const struct sign_key *k, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) der = BUF_INIT(LIMIT_KEY_FILE);
    sign_key_put_spki(k, &der);
    int r = buf_check(&der, e);
    return r ? r : sign_pem_encode(LABEL_PUBLIC, buf_bytes(&der), out, e);
}

const struct sign_keyfile sign_keyfile_pkcs8 = {
    .name = "pkcs8",
    .title = "PKCS#8 PEM",
    .detect = pkcs8_detect,
    .parse = pkcs8_parse,
    .write_private = pkcs8_write,
};

const struct sign_keyfile sign_keyfile_spki = {
    .name = "spki",
    .title = "SPKI PEM",
    .detect = spki_detect,
    .parse = spki_parse,
    .write_public = spki_write,
};

int sign_key_write_private(const struct sign_key *k, struct buf *out, struct err *e)
{
    return sign_keyfile_write_private(&sign_keyfile_pkcs8, k, NULL, out, e);
}

int sign_key_write_public(const struct sign_key *k, struct buf *out, struct err *e)
{
    return sign_keyfile_write_public(&sign_keyfile_spki, k, out, e);
}
