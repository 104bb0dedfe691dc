/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/dsse.h"

#include "base/hex.h"

#define PAE_HEAD    "DSSEv1"
#define NUMBER_ROOM 24U /* a blank and the digits of a size_t */

void sign_dsse_done(struct sign_dsse *d)
{
    buf_done(&d->payload);
    buf_done(&d->signature);
    free(d->payload_type);
    free(d->key_id);
}

/* A member in base64, into out. */
static int read_b64(const struct jval *v, const char *key, struct buf *out, struct err *e)
{
    const char *text;
    int r = jobj_want_string(v, key, true, &text, e);
    if (r)
        return r;
    r = b64_decode_any(bytes_str(text), out, e);
    return r ? err_wrap(e, "member \"%s\"", key) : 0;
}

static int read_signature(const struct jval *v, struct sign_dsse *ret, struct err *e)
{
    const char *key_id;
    if (jval_kind(v) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "the signature is no object");
    int r = read_b64(v, "sig", &ret->signature, e);
    if (!r)
        r = jobj_want_string(v, "keyid", false, &key_id, e);
    if (r)
        return r;
    ret->key_id = strdup(key_id ? key_id : "");
    return ret->key_id ? 0 : err_nomem(e);
}

int sign_dsse_read(const struct jval *envelope, struct sign_dsse *ret, struct err *e)
{
    const struct jval *signatures;
    const char *type;
    if (jval_kind(envelope) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "a DSSE envelope is an object");
    int r = jobj_want_string(envelope, "payloadType", true, &type, e);
    if (!r)
        r = read_b64(envelope, "payload", &ret->payload, e);
    if (!r)
        r = jobj_want_array(envelope, "signatures", true, &signatures, e);
    if (r)
        return r;
    if (jarr_len(signatures) != 1)
        return err_set(e, ERR_FORMAT, "a DSSE envelope with %zu signatures instead of one",
                       jarr_len(signatures));
    if (!(ret->payload_type = strdup(type)))
        return err_nomem(e);
    return read_signature(jarr_at(signatures, 0), ret, e);
}

int sign_dsse_parse(struct bytes text, struct sign_dsse *ret, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    if (text.len > LIMIT_BUNDLE)
        return err_set(e, ERR_LIMIT, "an envelope of more than %u bytes", LIMIT_BUNDLE);
    int r = jdoc_parse(text, &doc, e);
    return r ? r : sign_dsse_read(jdoc_root(doc), ret, e);
}

size_t sign_dsse_pae_max(const char *payload_type, struct bytes payload)
{
    return strlen(PAE_HEAD) + 2 * NUMBER_ROOM + 2 + strlen(payload_type) + payload.len;
}

void sign_dsse_pae(const char *payload_type, struct bytes payload, struct buf *out)
{
    buf_printf(out, PAE_HEAD " %zu ", strlen(payload_type));
    buf_append_str(out, payload_type);
    buf_printf(out, " %zu ", payload.len);
    buf_append_bytes(out, payload);
}

int sign_dsse_sign(const struct sign_key *k, const char *payload_type, struct bytes payload,
                   struct buf *signature, struct err *e)
{
    AUTO_DONE(buf) message = BUF_INIT(sign_dsse_pae_max(payload_type, payload));
    sign_dsse_pae(payload_type, payload, &message);
    int r = buf_check(&message, e);
    return r ? r : sign_sigstore_sign(k, buf_bytes(&message), signature, e);
}

/* A member in base64. */
static void write_b64(struct jout *w, const char *key, struct bytes value)
{
    AUTO_DONE(buf) text = BUF_INIT(value.len / 3 * 4 + 5);
    b64_encode(B64_STD, value, &text);
    jout_bytes(w, key, buf_bytes(&text));
    if (text.failed)
        w->out->failed = text.failed;
}

void sign_dsse_write(struct jout *w, const char *key, const char *payload_type, struct bytes payload,
                     struct bytes signature)
{
    jout_object(w, key);
    write_b64(w, "payload", payload);
    jout_string(w, "payloadType", payload_type);
    jout_array(w, "signatures");
    jout_object(w, NULL);
    write_b64(w, "sig", signature);
    jout_object_end(w);
    jout_array_end(w);
    jout_object_end(w);
}
