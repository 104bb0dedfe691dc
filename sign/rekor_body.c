/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of entries (sigstore/rekor, pkg/types; sigstore/rekor-tiles, api/proto): whether one is about
 * the signature at hand. Members that are not compared are passed over: the log answers for the body. */
#include "base/hex.h"
#include "base/limits.h"
#include "sign/dsse.h"
#include "sign/pem.h"
#include "sign/rekor.h"

#include <string.h>

int sign_rekor_kind_read(const struct jval *body, struct sign_rekor_kind *ret, struct err *e)
{
    struct sign_rekor_kind k;
    if (jval_kind(body) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "a body that is no object");
    int r = jobj_want_string(body, "kind", true, &k.kind, e);
    if (!r)
        r = jobj_want_string(body, "apiVersion", true, &k.version, e);
    if (!r)
        *ret = k;
    return r;
}

static int find_hash(const char *name, enum hash_alg *ret, struct err *e)
{
    static const struct {
        const char *name, *enum_name;
        enum hash_alg alg;
    } known[] = {
        {"sha256", "SHA2_256", HASH_SHA256},
        {"sha384", "SHA2_384", HASH_SHA384},
        {"sha512", "SHA2_512", HASH_SHA512},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(name, known[i].name) == 0 || strcmp(name, known[i].enum_name) == 0) {
            *ret = known[i].alg;
            return 0;
        }
    return err_set(e, ERR_UNSUPPORTED, "a hash that is not known");
}

/* {"algorithm", "value"}: hexadecimal, or of version 2 {"algorithm", "digest"}: base64. */
static int check_hash(const struct jval *parent, const char *key, struct bytes of, struct err *e)
{
    AUTO_DONE(buf) raw = BUF_INIT(HASH_SHA512_LEN + 1);
    const struct jval *v;
    const char *name, *hex;
    struct digest d;
    int r = jobj_want_object(parent, key, true, &v, e);
    if (!r)
        r = jobj_want_string(v, "algorithm", true, &name, e);
    if (!r)
        r = jobj_want_string(v, "value", false, &hex, e);
    if (!r)
        r = find_hash(name, &d.alg, e);
    if (!r)
        r = hash_bytes(d.alg, of, &d, e);
    if (!r && !hex)
        r = jobj_want_b64(v, "digest", &raw, e);
    if (r)
        return r;
    char own[DIGEST_STR_MAX];
    struct bytes want = bytes_of(d.value, hash_len(d.alg));
    if (hex ? strcmp(hex, hex_encode(want, own)) != 0 : !bytes_eq(buf_bytes(&raw), want))
        return err_set(e, ERR_DIGEST, "the log's entry is about something else");
    return 0;
}

static int check_signature(struct bytes got, const struct sign_rekor_about *about, struct err *e)
{
    if (!bytes_eq(got, about->in->signature))
        return err_set(e, ERR_UNTRUSTED, "the log's entry is about another signature");
    return 0;
}

static int refuse_signer(struct err *e)
{
    return err_set(e, ERR_UNTRUSTED, "the log's entry is about a signature by another key");
}

static int check_certificate(struct bytes der, const struct sign_rekor_about *about, struct err *e)
{
    AUTO(sign_cert) cert = NULL;
    AUTO(sign_key) key = NULL;
    if (about->leaf)
        return bytes_eq(der, about->leaf->der) ? 0 : refuse_signer(e);
    int r = sign_cert_parse(der, &cert, e);
    if (!r)
        r = sign_cert_take_key(cert, &key, e);
    if (r)
        return r;
    return sign_key_eq(key, about->key) ? 0 : refuse_signer(e);
}

/* A signature with a certificate is logged with it: a bare key would say nothing of who. */
static int check_key(struct bytes der, const struct sign_rekor_about *about, struct err *e)
{
    AUTO(sign_key) key = NULL;
    if (about->leaf)
        return refuse_signer(e);
    int r = sign_key_from_spki(der, "log", &key, e);
    if (r)
        return r;
    return sign_key_eq(key, about->key) ? 0 : refuse_signer(e);
}

/* Base64 of PEM. */
static int check_pem(const struct jval *v, const char *key, const struct sign_rekor_about *about,
                     struct err *e)
{
    AUTO_DONE(buf) pem = BUF_INIT(2 * (size_t)LIMIT_CERT);
    AUTO_DONE(buf) der = BUF_INIT(LIMIT_CERT);
    struct bytes label = BYTES_NONE;
    int r = jobj_want_b64(v, key, &pem, e);
    if (r)
        return r;
    (void)sign_pem_label(buf_bytes(&pem), &label);
    r = sign_pem_decode(buf_bytes(&pem), &der, e);
    if (r)
        return r;
    if (bytes_eq_str(label, "CERTIFICATE"))
        return check_certificate(buf_bytes(&der), about, e);
    if (bytes_eq_str(label, "PUBLIC KEY"))
        return check_key(buf_bytes(&der), about, e);
    return err_set(e, ERR_UNSUPPORTED, "an entry with neither a certificate nor a public key");
}

/* {"x509Certificate": {"rawBytes"}} or {"publicKey": {"rawBytes"}}, of version 2. */
static int check_verifier(const struct jval *parent, const struct sign_rekor_about *about, struct err *e)
{
    AUTO_DONE(buf) der = BUF_INIT(LIMIT_CERT);
    const struct jval *v, *cert, *key;
    int r = jobj_want_object(parent, "verifier", true, &v, e);
    if (!r)
        r = jobj_want_object(v, "x509Certificate", false, &cert, e);
    if (!r)
        r = jobj_want_object(v, "publicKey", false, &key, e);
    if (!r && !cert == !key)
        r = err_set(e, ERR_FORMAT, "an entry with not one verifier");
    if (!r)
        r = jobj_want_b64(cert ? cert : key, "rawBytes", &der, e);
    if (r)
        return r;
    return cert ? check_certificate(buf_bytes(&der), about, e) : check_key(buf_bytes(&der), about, e);
}

/* The only element of a list of signatures. */
static int want_one(const struct jval *v, const struct jval **ret, struct err *e)
{
    const struct jval *list;
    int r = jobj_want_array(v, "signatures", true, &list, e);
    if (r)
        return r;
    if (jarr_len(list) != 1 || jval_kind(jarr_at(list, 0)) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "an entry with not one signature");
    *ret = jarr_at(list, 0);
    return 0;
}

static int check_hashedrekord_1(const struct jval *spec, const struct sign_rekor_about *about, struct err *e)
{
    AUTO_DONE(buf) raw = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    const struct jval *data, *signature, *key;
    int r = jobj_want_object(spec, "data", true, &data, e);
    if (!r)
        r = check_hash(data, "hash", about->in->message, e);
    if (!r)
        r = jobj_want_object(spec, "signature", true, &signature, e);
    if (!r)
        r = jobj_want_b64(signature, "content", &raw, e);
    if (!r)
        r = check_signature(buf_bytes(&raw), about, e);
    if (!r)
        r = jobj_want_object(signature, "publicKey", true, &key, e);
    return r ? r : check_pem(key, "content", about, e);
}

static int check_hashedrekord_2(const struct jval *spec, const struct sign_rekor_about *about, struct err *e)
{
    AUTO_DONE(buf) raw = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    const struct jval *v, *signature;
    int r = jobj_want_object(spec, "hashedRekordV002", true, &v, e);
    if (!r)
        r = check_hash(v, "data", about->in->message, e);
    if (!r)
        r = jobj_want_object(v, "signature", true, &signature, e);
    if (!r)
        r = jobj_want_b64(signature, "content", &raw, e);
    if (!r)
        r = check_signature(buf_bytes(&raw), about, e);
    return r ? r : check_verifier(signature, about, e);
}

static int want_envelope(const struct sign_rekor_about *about, struct err *e)
{
    return about->in->envelope
               ? 0
               : err_set(e, ERR_DIGEST, "the log's entry is about an envelope, and this is none");
}

static int check_dsse_1(const struct jval *spec, const struct sign_rekor_about *about, struct err *e)
{
    AUTO_DONE(buf) raw = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    const struct jval *one;
    int r = want_envelope(about, e);
    if (!r)
        r = check_hash(spec, "payloadHash", buf_bytes(&about->in->envelope->payload), e);
    if (!r)
        r = want_one(spec, &one, e);
    if (!r)
        r = jobj_want_b64(one, "signature", &raw, e);
    if (!r)
        r = check_signature(buf_bytes(&raw), about, e);
    return r ? r : check_pem(one, "verifier", about, e);
}

static int check_dsse_2(const struct jval *spec, const struct sign_rekor_about *about, struct err *e)
{
    AUTO_DONE(buf) raw = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    const struct jval *v, *one;
    int r = want_envelope(about, e);
    if (!r)
        r = jobj_want_object(spec, "dsseV002", true, &v, e);
    if (!r)
        r = check_hash(v, "payloadHash", buf_bytes(&about->in->envelope->payload), e);
    if (!r)
        r = want_one(v, &one, e);
    if (!r)
        r = jobj_want_b64(one, "content", &raw, e);
    if (!r)
        r = check_signature(buf_bytes(&raw), about, e);
    return r ? r : check_verifier(one, about, e);
}

/* The envelope's text alone binds this kind to a signature: bundles do not have it. */
static int check_intoto_1(const struct jval *spec, const struct sign_rekor_about *about, struct err *e)
{
    const struct jval *content;
    int r = want_envelope(about, e);
    if (!r && !about->in->envelope_json.len)
        r = err_set(e, ERR_UNSUPPORTED,
                    "an entry of the kind intoto 0.0.1, which does not say what it is about");
    if (!r)
        r = jobj_want_object(spec, "content", true, &content, e);
    if (!r)
        r = check_hash(content, "hash", about->in->envelope_json, e);
    return r ? r : check_pem(spec, "publicKey", about, e);
}

/* The signature is base64 of base64. */
static int check_intoto_2(const struct jval *spec, const struct sign_rekor_about *about, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(2 * LIMIT_DSSE_SIGNATURE);
    AUTO_DONE(buf) raw = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    const struct jval *content, *envelope, *one;
    int r = want_envelope(about, e);
    if (!r)
        r = jobj_want_object(spec, "content", true, &content, e);
    if (!r)
        r = check_hash(content, "payloadHash", buf_bytes(&about->in->envelope->payload), e);
    if (!r)
        r = jobj_want_object(content, "envelope", true, &envelope, e);
    if (!r)
        r = want_one(envelope, &one, e);
    if (!r)
        r = jobj_want_b64(one, "sig", &text, e);
    if (!r)
        r = b64_decode_any(buf_bytes(&text), &raw, e);
    if (!r)
        r = check_signature(buf_bytes(&raw), about, e);
    return r ? r : check_pem(one, "publicKey", about, e);
}

int sign_rekor_body_check(const struct jval *body, const struct sign_rekor_about *about, struct err *e)
{
    static const struct {
        const char *kind, *version;
        int (*check)(const struct jval *, const struct sign_rekor_about *, struct err *);
    } known[] = {
        {"hashedrekord", "0.0.1", check_hashedrekord_1},
        {"hashedrekord", "0.0.2", check_hashedrekord_2},
        {"dsse", "0.0.1", check_dsse_1},
        {"dsse", "0.0.2", check_dsse_2},
        {"intoto", "0.0.1", check_intoto_1},
        {"intoto", "0.0.2", check_intoto_2},
    };
    struct sign_rekor_kind k;
    const struct jval *spec;
    int r = sign_rekor_kind_read(body, &k, e);
    if (!r)
        r = jobj_want_object(body, "spec", true, &spec, e);
    if (r)
        return r;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].kind, k.kind) == 0 && strcmp(known[i].version, k.version) == 0)
            return known[i].check(spec, about, e);
    return err_set(e, ERR_UNSUPPORTED, "an entry of a kind that is not known");
}
