/* SPDX-License-Identifier: Apache-2.0 */
/* Key files in PEM from before PKCS#8: ECPrivateKey (RFC 5915, "SEC 1") and RSAPrivateKey (RFC 8017 appendix
 * A.1.2), as openssl's older commands write them. */
#include "sign/keyfile.h"

#include "base/limits.h"
#include "sign/alg.h"
#include "sign/der.h"
#include "sign/pem.h"
#include "sign/pkcs8.h"

#define LABEL_PARAMETERS "EC PARAMETERS"
#define LABEL_EC         "EC PRIVATE KEY"
#define LABEL_RSA        "RSA PRIVATE KEY"
#define LABEL_RSA_PUBLIC "RSA PUBLIC KEY"

/* RFC 5480 section 2.1.1, with the tag. */
#define OID_EC BYTES_LIT("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01")

/* The same key as PKCS#8 has it, so that there is one way to read it. */
static int parse_as(struct bytes identifier, struct bytes der, struct sign_key **ret, struct err *e)
{
    AUTO_DONE(buf) seq = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) whole = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    sign_der_put_uint(&seq, BYTES_NONE);
    buf_append_bytes(&seq, identifier);
    sign_der_put(&seq, DER_OCTET_STRING, der);
    int r = buf_check(&seq, e);
    if (r)
        return r;
    sign_der_put(&whole, DER_SEQUENCE, buf_bytes(&seq));
    r = buf_check(&whole, e);
    return r ? r : sign_pkcs8_parse(buf_bytes(&whole), ret, e);
}

int sign_pkcs1_parse(struct bytes der, struct sign_key **ret, struct err *e)
{
    return parse_as(sign_alg_rsa.identifier, der, ret, e);
}

/* The name of the curve in the key; empty: it has none. false: malformed, or numbers instead of a name. */
static bool curve_of(struct bytes der, struct bytes *ret)
{
    struct bytes seq, version, secret, part;
    *ret = BYTES_NONE;
    if (!sign_der_take(&der, DER_SEQUENCE, &seq) || !sign_der_take_uint(&seq, &version) ||
        !sign_der_take(&seq, DER_OCTET_STRING, &secret))
        return false;
    if (!sign_der_take(&seq, DER_CONTEXT_0, &part))
        return true;
    return sign_der_take(&part, DER_OID, ret) && part.len == 0;
}

int sign_sec1_parse(struct bytes der, struct bytes curve, struct sign_key **ret, struct err *e)
{
    AUTO_DONE(buf) seq = BUF_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) identifier = BUF_INIT(LIMIT_KEY_FILE);
    struct bytes own;
    if (!curve_of(der, &own))
        return err_set(e, ERR_FORMAT, "malformed EC private key, or one that does not name its curve");
    if (own.len && curve.len && !bytes_eq(own, curve))
        return err_set(e, ERR_FORMAT, "the EC private key is on another curve than the parameters before it");
    if (!own.len && !curve.len)
        return err_set(e, ERR_FORMAT, "the EC private key does not name its curve");
    buf_append_bytes(&seq, OID_EC);
    sign_der_put(&seq, DER_OID, own.len ? own : curve);
    int r = buf_check(&seq, e);
    if (r)
        return r;
    sign_der_put(&identifier, DER_SEQUENCE, buf_bytes(&seq));
    r = buf_check(&identifier, e);
    return r ? r : parse_as(buf_bytes(&identifier), der, ret, e);
}

/* Headers in a block are OpenSSL's own encryption (RFC 1421's syntax). */
static int refuse_headers(struct bytes block, struct err *e)
{
    const uint8_t *lf = memchr(block.ptr, '\n', block.len);
    size_t at = lf ? (size_t)(lf - block.ptr) + 1 : block.len;
    if (!bytes_starts(bytes_of(block.ptr + at, block.len - at), BYTES_LIT("Proc-Type:")))
        return 0;
    return err_set(e, ERR_UNSUPPORTED,
                   "the private key is encrypted in OpenSSL's old way (Proc-Type), whose key is one round of "
                   "MD5 over the password; 'openssl pkcs8 -topk8 -in OLD -out NEW' converts it");
}

static bool find(struct bytes content, const char *wanted, struct bytes *ret_block)
{
    struct bytes label;
    return sign_pem_find(content, &label, ret_block) && bytes_eq_str(label, wanted);
}

static bool sec1_detect(struct bytes content)
{
    return sign_pem_has(content, LABEL_PARAMETERS) || sign_pem_has(content, LABEL_EC);
}

/* ECParameters, RFC 5480 section 2.1.1: the name of a curve. */
static int take_parameters(struct bytes *content, struct buf *der, struct bytes *ret_curve, struct err *e)
{
    struct bytes block, rest;
    if (!find(*content, LABEL_PARAMETERS, &block))
        return 0;
    int r = sign_pem_take(&block, der, e);
    if (r)
        return r;
    rest = buf_bytes(der);
    if (!sign_der_take(&rest, DER_OID, ret_curve) || rest.len)
        return err_set(e, ERR_UNSUPPORTED, "the parameters of the EC key do not name a curve");
    *content = block;
    return 0;
}

static int sec1_parse(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                      struct err *e)
{
    (void)password;
    AUTO_DONE(buf) parameters = BUF_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) der = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    struct bytes curve = BYTES_NONE, block;
    int r = take_parameters(&content, &parameters, &curve, e);
    if (r)
        return r;
    if (!find(content, LABEL_EC, &block))
        return err_set(e, ERR_FORMAT, "no block \"" LABEL_EC "\" behind the parameters");
    r = refuse_headers(block, e);
    if (!r)
        r = sign_pem_decode(block, &der, e);
    return r ? r : sign_sec1_parse(buf_bytes(&der), curve, ret, e);
}

static bool pkcs1_detect(struct bytes content)
{
    return sign_pem_has(content, LABEL_RSA) || sign_pem_has(content, LABEL_RSA_PUBLIC);
}

static int pkcs1_parse(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                       struct err *e)
{
    (void)password;
    AUTO_DONE(buf) der = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    struct bytes block = BYTES_NONE;
    bool private = find(content, LABEL_RSA, &block);
    int r = refuse_headers(block, e);
    if (!r)
        r = sign_pem_decode(block, &der, e);
    if (r)
        return r;
    return private ? sign_pkcs1_parse(buf_bytes(&der), ret, e)
                   : sign_key_new_public(&sign_alg_rsa, buf_bytes(&der), ret, e);
}

const struct sign_keyfile sign_keyfile_sec1 = {
    .name = "sec1",
    .title = "SEC 1 PEM",
    .detect = sec1_detect,
    .parse = sec1_parse,
};

const struct sign_keyfile sign_keyfile_pkcs1 = {
    .name = "pkcs1",
    .title = "PKCS#1 PEM",
    .detect = pkcs1_detect,
    .parse = pkcs1_parse,
};
