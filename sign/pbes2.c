/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/pbes2.h"

#include "base/hash.h"
#include "base/limits.h"
#include "sign/der.h"
#include "sign/gcry.h"

#define BLOCK   16U
#define KEY_MAX 32U
/* libgcrypt has scrypt with blocks of that size alone; so have all that write keys. */
#define SCRYPT_BLOCK 8U

/* RFC 8018 appendix A and C, RFC 7914 section 7; the contents of the OIDs. */
#define OID_PBES2  BYTES_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d")
#define OID_PBKDF2 BYTES_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c")
#define OID_SCRYPT BYTES_LIT("\x2b\x06\x01\x04\x01\xda\x47\x04\x0b")

static const struct prf {
    struct bytes oid;
    int hash;
} prfs[] = {
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x02\x07", 8}, GCRY_MD_SHA1}, /* the default is the first */
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x02\x09", 8}, GCRY_MD_SHA256},
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x02\x0a", 8}, GCRY_MD_SHA384},
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x02\x0b", 8}, GCRY_MD_SHA512},
};

static const struct cipher {
    struct bytes oid;
    int alg;
    size_t key_len;
} ciphers[] = {
    {{(const uint8_t *)"\x60\x86\x48\x01\x65\x03\x04\x01\x02", 9}, GCRY_CIPHER_AES128, 16},
    {{(const uint8_t *)"\x60\x86\x48\x01\x65\x03\x04\x01\x16", 9}, GCRY_CIPHER_AES192, 24},
    {{(const uint8_t *)"\x60\x86\x48\x01\x65\x03\x04\x01\x2a", 9}, GCRY_CIPHER_AES256, 32},
};

struct sealed {
    int kdf, sub; /* as gcry_kdf_derive names them: the hash of PBKDF2, the cost of scrypt */
    uint64_t rounds;
    struct bytes salt, iv, text;
    const struct cipher *cipher;
    uint64_t key_len; /* as the file says; 0: it does not */
};

static int malformed(struct err *e)
{
    return err_set(e, ERR_FORMAT, "malformed encrypted private key");
}

static int too_dear(struct err *e)
{
    return err_set(e, ERR_LIMIT, "the key's encryption costs more time or memory than any that is taken");
}

/* A number of at most 32 bits. */
static bool take_number(struct bytes *b, uint64_t *ret)
{
    struct bytes rest = *b, digits;
    uint64_t value = 0;
    if (!sign_der_take_uint(&rest, &digits) || digits.len > 4)
        return false;
    for (size_t i = 0; i < digits.len; i++)
        value = value << 8 | digits.ptr[i];
    *b = rest;
    *ret = value;
    return true;
}

/* An AlgorithmIdentifier: its OID, and what stands behind it. */
static bool take_identifier(struct bytes *b, struct bytes *ret_oid, struct bytes *ret_rest)
{
    struct bytes rest = *b, content, oid;
    if (!sign_der_take(&rest, DER_SEQUENCE, &content) || !sign_der_take(&content, DER_OID, &oid))
        return false;
    *b = rest;
    *ret_oid = oid;
    *ret_rest = content;
    return true;
}

static int read_prf(struct bytes *b, struct sealed *s, struct err *e)
{
    struct bytes oid, rest;
    s->sub = prfs[0].hash;
    if (!b->len)
        return 0;
    if (!take_identifier(b, &oid, &rest) || (rest.len && !bytes_eq(rest, BYTES_LIT("\x05\x00"))))
        return malformed(e);
    for (size_t i = 0; i < ARRAY_LEN(prfs); i++)
        if (bytes_eq(oid, prfs[i].oid)) {
            s->sub = prfs[i].hash;
            return 0;
        }
    return err_set(e, ERR_UNSUPPORTED, "the key's PBKDF2 is with none of HMAC-SHA-1, -256, -384 and -512");
}

/* PBKDF2-params, RFC 8018 appendix A.2. */
static int read_pbkdf2(struct bytes params, struct sealed *s, struct err *e)
{
    struct bytes b;
    s->kdf = GCRY_KDF_PBKDF2;
    if (!sign_der_take(&params, DER_SEQUENCE, &b) || params.len ||
        !sign_der_take(&b, DER_OCTET_STRING, &s->salt) || !take_number(&b, &s->rounds) || !s->rounds)
        return malformed(e);
    (void)take_number(&b, &s->key_len);
    int r = read_prf(&b, s, e);
    if (!r && b.len)
        return malformed(e);
    return r || s->rounds <= LIMIT_PBKDF2_ROUNDS ? r : too_dear(e);
}

/* scrypt-params, RFC 7914 section 7.1. */
static int read_scrypt(struct bytes params, struct sealed *s, struct err *e)
{
    struct bytes b;
    uint64_t cost, block;
    s->kdf = GCRY_KDF_SCRYPT;
    if (!sign_der_take(&params, DER_SEQUENCE, &b) || params.len ||
        !sign_der_take(&b, DER_OCTET_STRING, &s->salt) || !take_number(&b, &cost) ||
        !take_number(&b, &block) || !take_number(&b, &s->rounds) || !s->rounds || cost < 2 ||
        (cost & (cost - 1)))
        return malformed(e);
    (void)take_number(&b, &s->key_len);
    if (b.len)
        return malformed(e);
    if (block != SCRYPT_BLOCK)
        return err_set(e, ERR_UNSUPPORTED, "the key's scrypt has another block size than 8");
    if (cost > LIMIT_SCRYPT_COST || s->rounds > LIMIT_SCRYPT_TIME / cost)
        return too_dear(e);
    s->sub = (int)cost;
    return 0;
}

static int read_kdf(struct bytes *b, struct sealed *s, struct err *e)
{
    struct bytes oid, params;
    if (!take_identifier(b, &oid, &params))
        return malformed(e);
    int r = bytes_eq(oid, OID_PBKDF2) ? read_pbkdf2(params, s, e)
            : bytes_eq(oid, OID_SCRYPT)
                ? read_scrypt(params, s, e)
                : err_set(e, ERR_UNSUPPORTED, "the key is encrypted with neither PBKDF2 nor scrypt");
    return r || s->salt.len ? r : malformed(e);
}

static int read_cipher(struct bytes *b, struct sealed *s, struct err *e)
{
    struct bytes oid, params;
    if (!take_identifier(b, &oid, &params))
        return malformed(e);
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++)
        if (bytes_eq(oid, ciphers[i].oid))
            s->cipher = &ciphers[i];
    if (!s->cipher)
        return err_set(e, ERR_UNSUPPORTED, "the key is not encrypted with AES in CBC mode");
    if (!sign_der_take(&params, DER_OCTET_STRING, &s->iv) || params.len || s->iv.len != BLOCK ||
        (s->key_len && s->key_len != s->cipher->key_len))
        return malformed(e);
    return 0;
}

/* RFC 5958 section 3, RFC 8018 appendix A.4. */
static int sealed_parse(struct bytes der, struct sealed *s, struct err *e)
{
    struct bytes seq, oid, params, inner;
    if (!sign_der_take(&der, DER_SEQUENCE, &seq) || der.len || !take_identifier(&seq, &oid, &params) ||
        !sign_der_take(&seq, DER_OCTET_STRING, &s->text) || seq.len)
        return malformed(e);
    if (!bytes_eq(oid, OID_PBES2))
        return err_set(e, ERR_UNSUPPORTED,
                       "the key is encrypted in a way from before PBES2; 'openssl pkcs8 -topk8 -in OLD "
                       "-out NEW' encrypts it anew");
    if (!sign_der_take(&params, DER_SEQUENCE, &inner) || params.len)
        return malformed(e);
    int r = read_kdf(&inner, s, e);
    if (!r)
        r = read_cipher(&inner, s, e);
    if (r)
        return r;
    return inner.len || !s->text.len || s->text.len % BLOCK ? malformed(e) : 0;
}

static int decrypt(const struct sealed *s, const uint8_t *key, struct buf *ret, struct err *e)
{
    gcry_cipher_hd_t h = NULL;
    uint8_t *to = buf_reserve(ret, s->text.len);
    if (!to)
        return buf_check(ret, e);
    gcry_error_t g = gcry_cipher_open(&h, s->cipher->alg, GCRY_CIPHER_MODE_CBC, 0);
    if (!g)
        g = gcry_cipher_setkey(h, key, s->cipher->key_len);
    if (!g)
        g = gcry_cipher_setiv(h, s->iv.ptr, s->iv.len);
    if (!g)
        g = gcry_cipher_decrypt(h, to, s->text.len, s->text.ptr, s->text.len);
    gcry_cipher_close(h);
    if (g)
        return sign_gcry_fail(g, e);
    ret->len += s->text.len;
    return 0;
}

/* RFC 8018 section 6.1.1: as many bytes as each of them says. What is left must be a whole sequence: the
 * padding alone is right for one wrong password in 256. */
static bool unpad(struct bytes *b)
{
    uint8_t n = b->ptr[b->len - 1];
    if (n == 0 || n > BLOCK)
        return false;
    for (size_t i = 1; i <= n; i++)
        if (b->ptr[b->len - i] != n)
            return false;
    struct bytes plain = bytes_of(b->ptr, b->len - n), rest = plain, ignored;
    *b = plain;
    return sign_der_take(&rest, DER_SEQUENCE, &ignored) && rest.len == 0;
}

static int unseal(const struct sealed *s, struct bytes password, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) padded = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    uint8_t key[KEY_MAX];
    int r = hash_init(e);
    if (r)
        return r;
    gcry_error_t g =
        gcry_kdf_derive(password.len ? (const void *)password.ptr : "", password.len, s->kdf, s->sub,
                        s->salt.ptr, s->salt.len, (unsigned long)s->rounds, s->cipher->key_len, key);
    r = g ? sign_gcry_fail(g, e) : decrypt(s, key, &padded, e);
    mem_wipe(key, sizeof(key));
    if (r)
        return r;
    struct bytes plain = buf_bytes(&padded);
    if (!unpad(&plain))
        return err_set(e, ERR_AUTH, "wrong password, or the file was changed");
    buf_append_bytes(out, plain);
    return buf_check(out, e);
}

int sign_pbes2_open(struct bytes der, const struct sign_password *password, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) secret = BUF_SECRET_INIT(LIMIT_PASSWORD);
    struct sealed s = {.cipher = NULL};
    int r = sealed_parse(der, &s, e);
    if (!r)
        r = sign_password_get(password, false, &secret, e);
    return r ? r : unseal(&s, buf_bytes(&secret), out, e);
}
