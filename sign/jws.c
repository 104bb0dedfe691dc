/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/jws.h"

#include "base/hex.h"
#include "base/limits.h"
#include "base/text.h"

void sign_jws_done(struct sign_jws *j)
{
    jdoc_free(j->doc);
    jdoc_free(j->protected_doc);
    buf_done(&j->message);
    buf_done(&j->payload);
    buf_done(&j->signature);
}

/* Both texts are of the document, and stay. */
static int decode(const char *text, const char *what, struct buf *out, struct err *e)
{
    int r = b64_decode(B64_URL, bytes_str(text), out, e);
    return r ? err_wrap(e, "malformed JWS: %s", what) : 0;
}

static int check_members(const struct jval *root, struct err *e)
{
    static const char *const known[] = {"payload", "protected", "header", "signature"};
    const char *key;
    const struct jval *value;
    char shown[64];
    if (jval_kind(root) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "malformed JWS: no object");
    for (const void *it = jobj_next(root, NULL, &key, &value); it; it = jobj_next(root, it, &key, &value)) {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            is_known = is_known || strcmp(key, known[i]) == 0;
        if (strcmp(key, "signatures") == 0)
            return err_set(e, ERR_UNSUPPORTED, "a JWS in the general form, which may have many signatures");
        if (!is_known)
            return err_set(e, ERR_FORMAT, "malformed JWS: a member \"%s\"",
                           text_escape_str(key, shown, sizeof(shown)));
    }
    return 0;
}

static int check_header(const struct jval *header, const struct jval *other, struct err *e)
{
    static const char *const refused[] = {"jwk", "jku", "x5u", "b64", "zip", "enc"};
    const char *key;
    const struct jval *value;
    char shown[64];
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (jobj_get(header, refused[i]))
            return err_set(e, ERR_FORMAT, "a JWS with \"%s\" in its header, which is not taken", refused[i]);
    for (const void *it = other ? jobj_next(header, NULL, &key, &value) : NULL; it;
         it = jobj_next(header, it, &key, &value))
        if (jobj_get(other, key))
            return err_set(e, ERR_FORMAT, "malformed JWS: \"%s\" stands in both headers",
                           text_escape_str(key, shown, sizeof(shown)));
    return 0;
}

static int read_headers(struct sign_jws *j, const char *text, struct err *e)
{
    AUTO_DONE(buf) json = BUF_INIT(LIMIT_JWS);
    const char *alg;
    int r = decode(text, "the protected header", &json, e);
    if (!r)
        r = jdoc_parse(buf_bytes(&json), &j->protected_doc, e);
    if (r)
        return r;
    j->protected_header = jdoc_root(j->protected_doc);
    if (jval_kind(j->protected_header) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "malformed JWS: the protected header is no object");
    r = jobj_want_string(j->protected_header, "alg", true, &alg, e);
    if (!r)
        r = jobj_want_object(jdoc_root(j->doc), "header", false, &j->header, e);
    if (!r)
        r = check_header(j->protected_header, j->header, e);
    if (!r && j->header)
        r = check_header(j->header, NULL, e);
    if (!r && jobj_get(j->header, "crit"))
        r = err_set(e, ERR_FORMAT, "malformed JWS: \"crit\" stands in the header that is not signed");
    return r;
}

int sign_jws_parse(struct bytes text, struct sign_jws *ret, struct err *e)
{
    const char *protected_text, *payload, *signature;
    *ret = (struct sign_jws){
        .message = BUF_INIT(LIMIT_JWS), .payload = BUF_INIT(LIMIT_JWS), .signature = BUF_INIT(LIMIT_JWS)};
    if (text.len > LIMIT_JWS)
        return err_set(e, ERR_LIMIT, "a JWS of more than %u bytes", LIMIT_JWS);
    int r = jdoc_parse(text, &ret->doc, e);
    if (r)
        return r;
    const struct jval *root = jdoc_root(ret->doc);
    r = check_members(root, e);
    if (!r)
        r = jobj_want_string(root, "protected", true, &protected_text, e);
    if (!r)
        r = jobj_want_string(root, "payload", true, &payload, e);
    if (!r)
        r = jobj_want_string(root, "signature", true, &signature, e);
    if (!r)
        r = read_headers(ret, protected_text, e);
    if (!r)
        r = decode(payload, "the payload", &ret->payload, e);
    if (!r)
        r = decode(signature, "the signature", &ret->signature, e);
    if (r)
        return r;
    buf_append_str(&ret->message, protected_text);
    buf_append_u8(&ret->message, '.');
    buf_append_str(&ret->message, payload);
    return buf_check(&ret->message, e);
}

bool sign_jws_is_critical(const struct sign_jws *j, const char *name)
{
    const struct jval *crit = jobj_get(j->protected_header, "crit");
    for (size_t i = 0; i < jarr_len(crit); i++) {
        const char *one = jval_string(jarr_at(crit, i));
        if (one && strcmp(one, name) == 0)
            return true;
    }
    return false;
}

int sign_jws_check_crit(const struct sign_jws *j, const char *const *known, size_t n, struct err *e)
{
    const struct jval *crit = jobj_get(j->protected_header, "crit");
    char shown[64];
    if (!crit || jval_kind(crit) != JKIND_ARRAY || jarr_len(crit) == 0)
        return err_set(e, ERR_FORMAT, "malformed JWS: \"crit\" is not there, or names nothing");
    for (size_t i = 0; i < jarr_len(crit); i++) {
        const char *name = jval_string(jarr_at(crit, i));
        bool is_known = false;
        for (size_t k = 0; name && k < n; k++)
            is_known = is_known || strcmp(name, known[k]) == 0;
        if (!is_known)
            return err_set(e, ERR_FORMAT, "a JWS with \"%s\" in \"crit\", which is not understood",
                           text_escape_str(name ? name : "", shown, sizeof(shown)));
        if (!jobj_get(j->protected_header, name))
            return err_set(e, ERR_FORMAT, "malformed JWS: \"crit\" names \"%s\", which is not there", name);
        for (size_t k = 0; k < i; k++)
            if (strcmp(jval_string(jarr_at(crit, k)), name) == 0)
                return err_set(e, ERR_FORMAT, "malformed JWS: \"crit\" names \"%s\" twice", name);
    }
    return 0;
}

int sign_jws_check(const struct sign_jws *j, const char *alg, struct sign_scheme scheme,
                   const struct sign_key *key, struct err *e)
{
    const char *stated;
    char shown[64];
    bool good = false;
    int r = jobj_want_string(j->protected_header, "alg", true, &stated, e);
    if (r)
        return r;
    if (strcmp(stated, alg) != 0)
        return err_set(e, ERR_FORMAT, "the JWS says alg \"%s\", and its key is for %s",
                       text_escape_str(stated, shown, sizeof(shown)), alg);
    r = sign_key_verify_as(key, scheme, buf_bytes(&j->message), buf_bytes(&j->signature), &good, e);
    if (r)
        return r;
    return good ? 0 : err_set(e, ERR_UNTRUSTED, "the signature is wrong");
}

int sign_jws_make(struct bytes protected_header, struct bytes payload, struct sign_scheme scheme,
                  const struct sign_key *key, void (*header)(struct jout *w, void *ctx), void *ctx,
                  struct buf *out, struct err *e)
{
    AUTO_DONE(buf) message = BUF_INIT(LIMIT_JWS);
    AUTO_DONE(buf) signature = BUF_INIT(LIMIT_JWS);
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_JWS);
    b64_encode(B64_URL, protected_header, &message);
    size_t dot = message.len;
    buf_append_u8(&message, '.');
    b64_encode(B64_URL, payload, &message);
    int r = buf_check(&message, e);
    if (!r)
        r = sign_key_sign_as(key, scheme, buf_bytes(&message), &signature, e);
    if (r)
        return r;
    b64_encode(B64_URL, buf_bytes(&signature), &text);
    r = buf_check(&text, e);
    if (r)
        return r;
    struct jout w = {.out = out};
    jout_object(&w, NULL);
    jout_bytes(&w, "payload", bytes_of(message.ptr + dot + 1, message.len - dot - 1));
    jout_bytes(&w, "protected", bytes_of(message.ptr, dot));
    jout_object(&w, "header");
    header(&w, ctx);
    jout_object_end(&w);
    jout_bytes(&w, "signature", buf_bytes(&text));
    jout_object_end(&w);
    return buf_check(out, e);
}
