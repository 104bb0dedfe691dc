/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSH's key files: private ones (its PROTOCOL.key), in the clear or encrypted with AES and a key that
 * bcrypt made of the password, and the one line of public ones.
 */
#include "base/hash.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/text.h"
#include "sign/bcrypt.h"
#include "sign/gcry.h"
#include "sign/keyfile.h"
#include "sign/openssh.h"
#include "sign/pem.h"
#include "sign/sshkey.h"
#include "sign/sshwire.h"

#define LABEL      "OPENSSH PRIVATE KEY"
#define MAGIC      bytes_of("openssh-key-v1", sizeof("openssh-key-v1"))
#define BLOCK      16U /* of AES */
#define BLOCK_NONE 8U
#define KEY_MAX    32U
#define SALT_LEN   16U
#define ROUNDS     24U /* what ssh-keygen makes since 9.4 */

static const struct cipher {
    const char *name;
    int alg, mode;
    size_t key_len; /* 0: it does not encrypt */
    size_t block;
} ciphers[] = {
    {"aes256-ctr", GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_CTR, 32, BLOCK}, /* the one that is written */
    {"aes192-ctr", GCRY_CIPHER_AES192, GCRY_CIPHER_MODE_CTR, 24, BLOCK},
    {"aes128-ctr", GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_CTR, 16, BLOCK},
    {"aes256-cbc", GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_CBC, 32, BLOCK},
    {"aes192-cbc", GCRY_CIPHER_AES192, GCRY_CIPHER_MODE_CBC, 24, BLOCK},
    {"aes128-cbc", GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_CBC, 16, BLOCK},
    {"none", 0, 0, 0, BLOCK_NONE},
};

/* A file without its armor; all is borrowed from that. */
struct container {
    const struct cipher *cipher;
    struct bytes salt;
    uint32_t rounds;
    struct bytes public_key; /* blob */
    struct bytes secret;     /* encrypted, if there is a cipher */
};

static int malformed(struct err *e)
{
    return err_set(e, ERR_FORMAT, "malformed OpenSSH private key");
}

static int find_cipher(struct bytes name, struct bytes kdf, struct bytes options, struct container *c,
                       struct err *e)
{
    char text[64];
    c->cipher = NULL;
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++)
        if (bytes_eq_str(name, ciphers[i].name))
            c->cipher = &ciphers[i];
    if (!c->cipher)
        return err_set(e, ERR_UNSUPPORTED,
                       "an OpenSSH key encrypted with %s; AES in the modes CTR and CBC is taken",
                       text_escape(name, text, sizeof(text)));
    if (!c->cipher->key_len)
        return bytes_eq_str(kdf, "none") && !options.len ? 0 : malformed(e);
    if (!bytes_eq_str(kdf, "bcrypt"))
        return err_set(e, ERR_UNSUPPORTED, "an OpenSSH key whose password goes through %s",
                       text_escape(kdf, text, sizeof(text)));
    if (!sign_sshwire_take_string(&options, &c->salt) || !sign_sshwire_take_u32(&options, &c->rounds) ||
        options.len || !c->salt.len)
        return malformed(e);
    if (c->rounds == 0 || c->rounds > LIMIT_BCRYPT_ROUNDS || c->salt.len > 64)
        return err_set(e, ERR_LIMIT, "an OpenSSH key with %u rounds of bcrypt; %u are taken at most",
                       c->rounds, LIMIT_BCRYPT_ROUNDS);
    return 0;
}

static int container_parse(struct bytes raw, struct container *ret, struct err *e)
{
    struct bytes magic, cipher, kdf, options;
    uint32_t n;
    if (!bytes_take(&raw, MAGIC.len, &magic) || !bytes_eq(magic, MAGIC) ||
        !sign_sshwire_take_string(&raw, &cipher) || !sign_sshwire_take_string(&raw, &kdf) ||
        !sign_sshwire_take_string(&raw, &options) || !sign_sshwire_take_u32(&raw, &n))
        return malformed(e);
    int r = find_cipher(cipher, kdf, options, ret, e);
    if (r)
        return r;
    if (n != 1)
        return err_set(e, ERR_UNSUPPORTED, "an OpenSSH key file with %u keys", n);
    if (!sign_sshwire_take_string(&raw, &ret->public_key) || !sign_sshwire_take_string(&raw, &ret->secret) ||
        raw.len || ret->secret.len == 0 || ret->secret.len % ret->cipher->block)
        return malformed(e);
    return 0;
}

/* Encrypts or decrypts in place. */
static int apply(const struct container *c, struct bytes password, bool seal, uint8_t *data, size_t len,
                 struct err *e)
{
    uint8_t derived[KEY_MAX + BLOCK];
    gcry_cipher_hd_t h = NULL;
    int r = hash_init(e);
    if (!r && !password.len)
        r = err_set(e, ERR_AUTH, "an empty password");
    if (!r)
        r = sign_bcrypt_derive(password, c->salt, c->rounds, derived, c->cipher->key_len + BLOCK, e);
    if (r)
        return r;
    const uint8_t *iv = derived + c->cipher->key_len;
    gcry_error_t g = gcry_cipher_open(&h, c->cipher->alg, c->cipher->mode, 0);
    if (!g)
        g = gcry_cipher_setkey(h, derived, c->cipher->key_len);
    if (!g)
        g = c->cipher->mode == GCRY_CIPHER_MODE_CTR ? gcry_cipher_setctr(h, iv, BLOCK)
                                                    : gcry_cipher_setiv(h, iv, BLOCK);
    if (!g)
        g = seal ? gcry_cipher_encrypt(h, data, len, NULL, 0) : gcry_cipher_decrypt(h, data, len, NULL, 0);
    gcry_cipher_close(h);
    mem_wipe(derived, sizeof(derived));
    return g ? sign_gcry_fail(g, e) : 0;
}

static int unlock(const struct container *c, const struct sign_password *password, uint8_t *data, size_t len,
                  struct err *e)
{
    AUTO_DONE(buf) typed = BUF_SECRET_INIT(LIMIT_PASSWORD);
    if (!c->cipher->key_len)
        return 0;
    int r = sign_password_get(password, false, &typed, e);
    return r ? r : apply(c, buf_bytes(&typed), false, data, len, e);
}

/* Two equal numbers in front say whether the password was right. */
static int take_check(const struct container *c, struct bytes *plain, struct err *e)
{
    uint32_t one, two;
    if (!sign_sshwire_take_u32(plain, &one) || !sign_sshwire_take_u32(plain, &two))
        return malformed(e);
    if (one == two)
        return 0;
    return c->cipher->key_len ? err_set(e, ERR_AUTH, "wrong password, or the file was changed")
                              : malformed(e);
}

/* 1, 2, 3, ... up to a whole block. */
static bool is_padding(struct bytes rest, size_t block)
{
    for (size_t i = 0; i < rest.len; i++)
        if (rest.ptr[i] != i + 1)
            return false;
    return rest.len < block;
}

static int private_parse(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                         struct err *e)
{
    AUTO_DONE(buf) raw = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) plain = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO(sign_key) public_key = NULL;
    AUTO(sign_key) k = NULL;
    struct container c = {.cipher = NULL};
    struct bytes rest, comment;
    int r = sign_pem_decode_first(content, &raw, e);
    if (!r)
        r = container_parse(buf_bytes(&raw), &c, e);
    if (!r)
        r = sign_sshkey_read(c.public_key, &public_key, e);
    if (r)
        return r;
    buf_append_bytes(&plain, c.secret);
    if ((r = buf_check(&plain, e)) || (r = unlock(&c, password, plain.ptr, plain.len, e)))
        return r;
    rest = buf_bytes(&plain);
    if ((r = take_check(&c, &rest, e)) || (r = sign_openssh_take_secret(&rest, public_key, &k, e)))
        return r;
    if (!sign_sshwire_take_string(&rest, &comment) || !is_padding(rest, c.cipher->block))
        return malformed(e);
    *ret = TAKE(k);
    return 0;
}

static bool private_detect(struct bytes content)
{
    return sign_pem_has(content, LABEL);
}

static bool private_is_encrypted(struct bytes content)
{
    AUTO_DONE(buf) raw = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    struct err ignored = ERR_INIT;
    struct container c;
    return !sign_pem_decode_first(content, &raw, &ignored) &&
           !container_parse(buf_bytes(&raw), &c, &ignored) && c.cipher->key_len;
}

/* The part that is encrypted, padded. */
static int put_plain(const struct sign_key *k, size_t block, struct buf *out, struct err *e)
{
    uint32_t check;
    int r = hash_random(&check, sizeof(check), e);
    if (r)
        return r;
    sign_sshwire_put_u32(out, check);
    sign_sshwire_put_u32(out, check);
    r = sign_openssh_put_secret(k, out, e);
    if (r)
        return r;
    sign_sshwire_put_string(out, BYTES_NONE); /* a comment */
    for (uint8_t i = 1; out->len % block && !out->failed; i++)
        buf_append_u8(out, i);
    return buf_check(out, e);
}

static int lock(struct container *c, const struct sign_password *password, uint8_t salt[SALT_LEN],
                struct buf *plain, struct err *e)
{
    AUTO_DONE(buf) typed = BUF_SECRET_INIT(LIMIT_PASSWORD);
    if (!c->cipher->key_len)
        return 0;
    int r = sign_password_get(password, true, &typed, e);
    if (!r && !typed.len)
        r = err_set(e, ERR_USAGE, "OpenSSH does not encrypt with an empty password");
    if (!r)
        r = hash_random(salt, SALT_LEN, e);
    if (r)
        return r;
    c->salt = bytes_of(salt, SALT_LEN);
    c->rounds = ROUNDS;
    return apply(c, buf_bytes(&typed), true, plain->ptr, plain->len, e);
}

/* Encrypted where there is a password. */
static int private_write(const struct sign_key *k, const struct sign_password *password, struct buf *out,
                         struct err *e)
{
    AUTO_DONE(buf) plain = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) raw = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) part = BUF_INIT(LIMIT_KEY_FILE);
    uint8_t salt[SALT_LEN];
    struct container c = {.cipher = &ciphers[password ? 0 : ARRAY_LEN(ciphers) - 1]};
    int r = put_plain(k, c.cipher->block, &plain, e);
    if (!r)
        r = lock(&c, password, salt, &plain, e);
    if (r)
        return r;
    if (password) {
        sign_sshwire_put_string(&part, c.salt);
        sign_sshwire_put_u32(&part, c.rounds);
    }
    buf_append_bytes(&raw, MAGIC);
    sign_sshwire_put_string(&raw, bytes_str(c.cipher->name));
    sign_sshwire_put_string(&raw, bytes_str(password ? "bcrypt" : "none"));
    sign_sshwire_put_string(&raw, buf_bytes(&part));
    sign_sshwire_put_u32(&raw, 1);
    buf_reset(&part);
    sign_sshkey_put(k, &part);
    if ((r = buf_check(&part, e)))
        return r;
    sign_sshwire_put_string(&raw, buf_bytes(&part));
    sign_sshwire_put_string(&raw, buf_bytes(&plain));
    r = buf_check(&raw, e);
    return r ? r : sign_pem_encode_wide(LABEL, 70, buf_bytes(&raw), out, e);
}

static struct bytes take_word(struct bytes *text)
{
    struct bytes word;
    size_t n = 0;
    while (n < text->len && text->ptr[n] != ' ' && text->ptr[n] != '\t')
        n++;
    (void)bytes_take(text, n, &word);
    while (text->len && (text->ptr[0] == ' ' || text->ptr[0] == '\t'))
        *text = bytes_of(text->ptr + 1, text->len - 1);
    return word;
}

static bool public_detect(struct bytes content)
{
    return sign_sshkey_is_type(bytes_trim(content, " \t\r\n"));
}

static int public_parse(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                        struct err *e)
{
    (void)password;
    AUTO_DONE(buf) blob = BUF_INIT(LIMIT_KEY_FILE);
    struct bytes line = bytes_trim(content, " \t\r\n");
    if (memchr(line.ptr, '\n', line.len))
        return err_set(e, ERR_FORMAT, "more than one line where an OpenSSH public key is one");
    struct bytes type = take_word(&line), base64 = take_word(&line);
    int r = sign_sshkey_decode(type, base64, &blob, e);
    return r ? r : sign_sshkey_read(buf_bytes(&blob), ret, e);
}

static int public_write(const struct sign_key *k, struct buf *out, struct err *e)
{
    return sign_sshkey_write(k, NULL, out, e);
}

const struct sign_keyfile sign_keyfile_openssh = {
    .name = "openssh",
    .title = "OpenSSH private key",
    .detect = private_detect,
    .parse = private_parse,
    .is_encrypted = private_is_encrypted,
    .write_private = private_write,
    .write_public = public_write,
};

const struct sign_keyfile sign_keyfile_openssh_public = {
    .name = "openssh-public",
    .title = "OpenSSH public key",
    .detect = public_detect,
    .parse = public_parse,
    .write_public = public_write,
};
