/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/bundle.h"

#include "base/hex.h"

#include <string.h>

void sign_bundle_done(struct sign_bundle *b)
{
    jdoc_free(b->doc);
    buf_done(&b->der);
    sign_dsse_done(&b->envelope);
}

bool sign_bundle_is(const char *media_type)
{
    static const char *const known[] = {
        SIGN_BUNDLE_V0_3,
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(media_type, known[i]) == 0)
            return true;
    return false;
}

/* Appends a certificate; *ret_len: how long it is. */
static int read_certificate(const struct jval *v, struct buf *out, size_t *ret_len, struct err *e)
{
    size_t before = out->len;
    if (!v || jval_kind(v) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "a certificate that is no object");
    int r = JOBJ_ONLY(v, e, "rawBytes");
    if (!r)
        r = jobj_want_b64(v, "rawBytes", out, e);
    if (r)
        return err_wrap(e, "certificate");
    *ret_len = out->len - before;
    return *ret_len ? 0 : err_set(e, ERR_FORMAT, "an empty certificate");
}

static int read_chain(const struct jval *list, struct sign_bundle *ret, struct err *e)
{
    size_t lengths[LIMIT_CHAIN], n = jarr_len(list), at = 0;
    if (n == 0)
        return err_set(e, ERR_FORMAT, "a chain without certificates");
    if (n > LIMIT_CHAIN)
        return err_set(e, ERR_LIMIT, "more than %u certificates", LIMIT_CHAIN);
    for (size_t i = 0; i < n; i++) {
        int r = read_certificate(jarr_at(list, i), &ret->der, &lengths[i], e);
        if (r)
            return r;
    }
    for (size_t i = 0; i < n; at += lengths[i++]) /* the buffer stays where it is from here on */
        ret->chain[i] = bytes_of(ret->der.ptr + at, lengths[i]);
    ret->n_chain = n;
    return 0;
}

static int read_leaf(const struct jval *v, struct sign_bundle *ret, struct err *e)
{
    size_t len;
    int r = read_certificate(v, &ret->der, &len, e);
    if (r)
        return r;
    ret->chain[0] = bytes_of(ret->der.ptr, len);
    ret->n_chain = 1;
    return 0;
}

/* Who signed, of which a bundle says exactly one thing. */
static int read_signer(const struct jval *v, struct sign_bundle *ret, struct err *e)
{
    const struct jval *key, *leaf, *chain, *list;
    int r = jobj_want_object(v, "publicKey", false, &key, e);
    if (!r)
        r = jobj_want_object(v, "certificate", false, &leaf, e);
    if (!r)
        r = jobj_want_object(v, "x509CertificateChain", false, &chain, e);
    if (r)
        return r;
    if (!!key + !!leaf + !!chain != 1)
        return err_set(e, ERR_FORMAT, "a bundle names a key, a certificate or a chain, and one of them only");
    if (leaf)
        return read_leaf(leaf, ret, e);
    if (chain) {
        r = JOBJ_ONLY(chain, e, "certificates");
        if (!r)
            r = jobj_want_array(chain, "certificates", true, &list, e);
        return r ? r : read_chain(list, ret, e);
    }
    r = JOBJ_ONLY(key, e, "hint");
    if (!r)
        r = jobj_want_string(key, "hint", false, &ret->hint, e);
    if (!r && !ret->hint)
        ret->hint = "";
    return r;
}

static int read_material(const struct jval *v, struct sign_bundle *ret, struct err *e)
{
    const struct jval *times;
    int r = JOBJ_ONLY(v, e, "publicKey", "certificate", "x509CertificateChain", "tlogEntries",
                      "timestampVerificationData");
    if (!r)
        r = read_signer(v, ret, e);
    if (!r)
        r = jobj_want_array(v, "tlogEntries", false, &ret->entries, e);
    if (!r)
        r = jobj_want_object(v, "timestampVerificationData", false, &times, e);
    if (!r && times)
        r = JOBJ_ONLY(times, e, "rfc3161Timestamps");
    if (!r && times)
        r = jobj_want_array(times, "rfc3161Timestamps", false, &ret->timestamps, e);
    if (r)
        return r;
    if (ret->entries && jarr_len(ret->entries) > LIMIT_TLOG_ENTRIES)
        return err_set(e, ERR_LIMIT, "more than %u log entries", LIMIT_TLOG_ENTRIES);
    if (ret->timestamps && jarr_len(ret->timestamps) > LIMIT_TLOG_ENTRIES)
        return err_set(e, ERR_LIMIT, "more than %u timestamps", LIMIT_TLOG_ENTRIES);
    return 0;
}

/* protobuf-specs, HashAlgorithm. */
static int hash_of_name(const char *name, enum hash_alg *ret, struct err *e)
{
    static const struct {
        const char *name;
        enum hash_alg alg;
    } known[] = {{"SHA2_256", HASH_SHA256}, {"SHA2_384", HASH_SHA384}, {"SHA2_512", HASH_SHA512}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].name, name) == 0) {
            *ret = known[i].alg;
            return 0;
        }
    return err_set(e, ERR_UNSUPPORTED, "a message signature with a hash that is not known");
}

static int read_digest(const struct jval *v, struct digest *ret, struct err *e)
{
    AUTO_DONE(buf) value = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    const char *alg;
    int r = JOBJ_ONLY(v, e, "algorithm", "digest");
    if (!r)
        r = jobj_want_string(v, "algorithm", true, &alg, e);
    if (!r)
        r = hash_of_name(alg, &ret->alg, e);
    if (!r)
        r = jobj_want_b64(v, "digest", &value, e);
    if (r)
        return r;
    if (value.len != hash_len(ret->alg))
        return err_set(e, ERR_FORMAT, "a message digest of %zu bytes", value.len);
    memcpy(ret->value, value.ptr, value.len);
    return 0;
}

static int read_message(const struct jval *v, struct sign_bundle *ret, struct err *e)
{
    const struct jval *digest;
    int r = JOBJ_ONLY(v, e, "messageDigest", "signature");
    if (!r)
        r = jobj_want_object(v, "messageDigest", true, &digest, e);
    if (!r)
        r = read_digest(digest, &ret->message, e);
    return r ? r : jobj_want_b64(v, "signature", &ret->envelope.signature, e);
}

static int read_content(const struct jval *root, struct sign_bundle *ret, struct err *e)
{
    const struct jval *message, *envelope;
    int r = jobj_want_object(root, "messageSignature", false, &message, e);
    if (!r)
        r = jobj_want_object(root, "dsseEnvelope", false, &envelope, e);
    if (r)
        return r;
    if (!message == !envelope)
        return err_set(e, ERR_FORMAT, "a bundle has either an envelope or a message signature");
    ret->is_message = message != NULL;
    return message ? read_message(message, ret, e) : sign_dsse_read(envelope, &ret->envelope, e);
}

static int read_bundle(const struct jval *root, struct sign_bundle *ret, struct err *e)
{
    const struct jval *material;
    const char *type;
    if (jval_kind(root) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "no object");
    int r = JOBJ_ONLY(root, e, "mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope");
    if (!r)
        r = jobj_want_string(root, "mediaType", true, &type, e);
    if (!r && !sign_bundle_is(type))
        r = err_set(e, ERR_FORMAT, "of a version that is not known");
    if (!r)
        ret->is_v0_1 = strstr(type, "version=0.1") != NULL;
    if (!r)
        r = jobj_want_object(root, "verificationMaterial", true, &material, e);
    if (!r)
        r = read_material(material, ret, e);
    return r ? r : read_content(root, ret, e);
}

int sign_bundle_parse(struct bytes text, struct sign_bundle *ret, struct err *e)
{
    if (text.len > LIMIT_BUNDLE)
        return err_set(e, ERR_LIMIT, "a bundle of more than %u bytes", LIMIT_BUNDLE);
    int r = jdoc_parse(text, &ret->doc, e);
    if (!r)
        r = read_bundle(jdoc_root(ret->doc), ret, e);
    return r ? err_wrap(e, "bundle") : 0;
}

int sign_bundle_write(const struct sign_key *k, const char *payload_type, struct bytes payload,
                      struct buf *out, struct err *e)
{
    AUTO_DONE(buf) signature = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    AUTO_DONE(buf) hint = BUF_INIT(64);
    int r = sign_dsse_sign(k, payload_type, payload, &signature, e);
    if (!r)
        r = sign_sigstore_hint(k, &hint, e);
    if (r)
        return r;
    struct jout w = {.out = out};
    jout_object(&w, NULL);
    jout_string(&w, "mediaType", SIGN_BUNDLE_V0_3);
    jout_object(&w, "verificationMaterial");
    jout_object(&w, "publicKey");
    jout_bytes(&w, "hint", buf_bytes(&hint));
    jout_object_end(&w);
    jout_object_end(&w);
    sign_dsse_write(&w, "dsseEnvelope", payload_type, payload, buf_bytes(&signature));
    jout_object_end(&w);
    return buf_check(out, e);
}
