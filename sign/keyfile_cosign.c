/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cosign's encrypted private keys: a PEM block of JSON that names scrypt (RFC 7914) and secretbox, around
 * PKCS#8. A file can name any cost: only those that cosign and go-securesystemslib have ever written are
 * taken, so that nobody's file makes us use more memory or time than that.
 */
#include "sign/keyfile.h"

#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"
#include "sign/gcry.h"
#include "sign/pem.h"
#include "sign/pkcs8.h"
#include "sign/secretbox.h"

#define LABEL     "ENCRYPTED SIGSTORE PRIVATE KEY"
#define LABEL_OLD "ENCRYPTED COSIGN PRIVATE KEY"

#define SALT_LEN  32U
#define COST      65536U /* what cosign v2 writes: 64 MiB */
#define BLOCK     8U     /* libgcrypt has no other either */

struct box {
    uint8_t salt[SALT_LEN], nonce[SIGN_SECRETBOX_NONCE];
    uint64_t cost;
    struct buf text; /* tag and ciphertext */
};

static bool cosign_detect(struct bytes content)
{
    return sign_pem_has(content, LABEL) || sign_pem_has(content, LABEL_OLD);
}

static bool cosign_is_encrypted(struct bytes content)
{
    (void)content;
    return true;
}

static int want_name(const struct jval *v, const char *name, struct err *e)
{
    const char *got;
    int r = jobj_want_string(v, "name", true, &got, e);
    if (!r && strcmp(got, name) != 0)
        return err_set(e, ERR_UNSUPPORTED, "the key is not encrypted with scrypt and nacl/secretbox");
    return r;
}

/* Exactly len bytes in base64. */
static int want_bytes(const struct jval *v, const char *key, size_t len, uint8_t *ret, struct err *e)
{
    AUTO_DONE(buf) raw = BUF_INIT(LIMIT_KEY_FILE);
    const char *text;
    int r = jobj_want_string(v, key, true, &text, e);
    if (!r && (r = b64_decode(B64_STD, bytes_str(text), &raw, e)))
        return err_wrap(e, "%s", key);
    if (r)
        return r;
    if (raw.len != len)
        return err_set(e, ERR_FORMAT, "%s: %zu bytes instead of %zu", key, raw.len, len);
    memcpy(ret, raw.ptr, len);
    return 0;
}

static int kdf_parse(const struct jval *root, struct box *b, struct err *e)
{
    const struct jval *kdf, *params;
    uint64_t block = 0, parallel = 0;
    int r;
    if ((r = jobj_want_object(root, "kdf", true, &kdf, e)) || (r = want_name(kdf, "scrypt", e)) ||
        (r = jobj_want_object(kdf, "params", true, &params, e)) ||
        (r = jobj_want_uint(params, "N", true, UINT32_MAX, &b->cost, e)) ||
        (r = jobj_want_uint(params, "r", true, UINT32_MAX, &block, e)) ||
        (r = jobj_want_uint(params, "p", true, UINT32_MAX, &parallel, e)))
        return r;
    if ((b->cost != 32768 && b->cost != 65536 && b->cost != 131072) || block != BLOCK || parallel != 1)
        return err_set(e, ERR_LIMIT, "the cost of the key's scrypt is none of those that cosign writes");
    return want_bytes(kdf, "salt", SALT_LEN, b->salt, e);
}

static int box_parse(struct bytes json, struct box *b, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    const struct jval *cipher;
    const char *text;
    int r = jdoc_parse(json, &doc, e);
    if (r)
        return r;
    const struct jval *root = jdoc_root(doc);
    if ((r = kdf_parse(root, b, e)) || (r = jobj_want_object(root, "cipher", true, &cipher, e)) ||
        (r = want_name(cipher, "nacl/secretbox", e)) ||
        (r = want_bytes(cipher, "nonce", sizeof(b->nonce), b->nonce, e)) ||
        (r = jobj_want_string(root, "ciphertext", true, &text, e)))
        return r;
    if ((r = b64_decode(B64_STD, bytes_str(text), &b->text, e)))
        return err_wrap(e, "ciphertext");
    return b->text.len > SIGN_SECRETBOX_TAG ? 0 : err_set(e, ERR_FORMAT, "ciphertext: too short");
}

/* The key of the box, out of the password. */
static int derive(const struct box *b, struct bytes password, uint8_t ret[SIGN_SECRETBOX_KEY], struct err *e)
{
    int r = hash_init(e);
    if (r)
        return r;
    gcry_error_t g =
        gcry_kdf_derive(password.len ? (const void *)password.ptr : "", password.len, GCRY_KDF_SCRYPT,
                        (int)b->cost, b->salt, SALT_LEN, 1, SIGN_SECRETBOX_KEY, ret);
    return g ? sign_gcry_fail(g, e) : 0;
}

static int box_open(const struct box *b, const struct sign_password *password, struct buf *ret, struct err *e)
{
    AUTO_DONE(buf) secret = BUF_SECRET_INIT(LIMIT_PASSWORD);
    uint8_t key[SIGN_SECRETBOX_KEY];
    int r = sign_password_get(password, false, &secret, e);
    if (!r)
        r = derive(b, buf_bytes(&secret), key, e);
    if (r)
        return r;
    r = sign_secretbox_open(key, b->nonce, buf_bytes(&b->text), ret, e);
    mem_wipe(key, sizeof(key));
    return r == ERR_AUTH ? err_set(e, ERR_AUTH, "wrong password, or the file was changed") : r;
}

static int cosign_parse(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                        struct err *e)
{
    AUTO_DONE(buf) json = BUF_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) der = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    struct box b = {.text = BUF_INIT(LIMIT_KEY_FILE)};
    int r = sign_pem_decode_first(content, &json, e);
    if (!r)
        r = box_parse(buf_bytes(&json), &b, e);
    if (!r)
        r = box_open(&b, password, &der, e);
    buf_done(&b.text);
    return r ? r : sign_pkcs8_parse(buf_bytes(&der), ret, e);
}

static void put_bytes(struct jout *w, const char *key, struct bytes value)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_KEY_FILE);
    b64_encode(B64_STD, value, &text);
    if (text.failed)
        w->out->failed = text.failed;
    jout_string(w, key, buf_cstr(&text));
}

/* The members in cosign's order. */
static void box_put(const struct box *b, struct buf *out)
{
    struct jout w = {.out = out};
    jout_object(&w, NULL);
    jout_object(&w, "kdf");
    jout_string(&w, "name", "scrypt");
    jout_object(&w, "params");
    jout_uint(&w, "N", b->cost);
    jout_uint(&w, "r", BLOCK);
    jout_uint(&w, "p", 1);
    jout_object_end(&w);
    put_bytes(&w, "salt", BYTES_ARR(b->salt));
    jout_object_end(&w);
    jout_object(&w, "cipher");
    jout_string(&w, "name", "nacl/secretbox");
    put_bytes(&w, "nonce", BYTES_ARR(b->nonce));
    jout_object_end(&w);
    put_bytes(&w, "ciphertext", buf_bytes(&b->text));
    jout_object_end(&w);
}

static int box_seal(struct box *b, struct bytes der, struct bytes password, struct err *e)
{
    uint8_t key[SIGN_SECRETBOX_KEY];
    int r;
    b->cost = COST;
    if ((r = hash_random(b->salt, sizeof(b->salt), e)) || (r = hash_random(b->nonce, sizeof(b->nonce), e)) ||
        (r = derive(b, password, key, e)))
        return r;
    r = sign_secretbox_seal(key, b->nonce, der, &b->text, e);
    mem_wipe(key, sizeof(key));
    return r;
}

static int cosign_write(const struct sign_key *k, const struct sign_password *password, struct buf *out,
                        struct err *e)
{
    AUTO_DONE(buf) secret = BUF_SECRET_INIT(LIMIT_PASSWORD);
    AUTO_DONE(buf) der = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) json = BUF_INIT(LIMIT_KEY_FILE);
    struct box b = {.text = BUF_INIT(LIMIT_KEY_FILE)};
    int r = sign_pkcs8_put(k, &der, e);
    if (!r)
        r = sign_password_get(password, true, &secret, e);
    if (!r)
        r = box_seal(&b, buf_bytes(&der), buf_bytes(&secret), e);
    if (!r)
        box_put(&b, &json);
    buf_done(&b.text);
    if (!r)
        r = buf_check(&json, e);
    return r ? r : sign_pem_encode(LABEL, buf_bytes(&json), out, e);
}

const struct sign_keyfile sign_keyfile_cosign = {
    .name = "cosign",
    .title = "cosign's encrypted PEM",
    .encrypts = true,
    .detect = cosign_detect,
    .parse = cosign_parse,
    .is_encrypted = cosign_is_encrypted,
    .write_private = cosign_write,
};
