/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/sshkey.h"

#include "base/hex.h"
#include "base/limits.h"
#include "base/text.h"
#include "sign/alg.h"
#include "sign/der.h"
#include "sign/sshwire.h"

#include <stdio.h>

#define ON_DEVICE "sk-ssh-ed25519@openssh.com"

struct row {
    const char *type, *curve; /* RFC 5656 section 6.2.1 */
    const struct sign_alg *alg;
};

static const struct row rows[] = {
    {"ssh-ed25519", NULL, &sign_alg_ed25519},
    {"ecdsa-sha2-nistp256", "nistp256", &sign_alg_p256},
    {"ecdsa-sha2-nistp384", "nistp384", &sign_alg_p384},
    {"ssh-rsa", NULL, &sign_alg_rsa},
};

static const struct row *row_of(const struct sign_key *k)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].alg == k->alg)
            return &rows[i];
    return NULL; /* there is one for each algorithm */
}

void sign_sshkey_done(struct sign_sshkey *k)
{
    sign_key_free(TAKE(k->key));
}

static int malformed(struct err *e)
{
    return err_set(e, ERR_FORMAT, "malformed SSH public key");
}

/* RFC 4253 section 6.6: exponent and modulus, here as RSAPublicKey has them. */
static int read_rsa(struct bytes rest, struct sign_key **ret, struct err *e)
{
    AUTO_DONE(buf) numbers = BUF_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) der = BUF_INIT(LIMIT_KEY_FILE);
    struct bytes exponent, n;
    if (!sign_sshwire_take_mpint(&rest, &exponent) || !sign_sshwire_take_mpint(&rest, &n) || rest.len)
        return malformed(e);
    sign_der_put_uint(&numbers, n);
    sign_der_put_uint(&numbers, exponent);
    int r = buf_check(&numbers, e);
    if (r)
        return r;
    sign_der_put(&der, DER_SEQUENCE, buf_bytes(&numbers));
    r = buf_check(&der, e);
    return r ? r : sign_key_new_public(&sign_alg_rsa, buf_bytes(&der), ret, e);
}

static int read_key(const struct row *row, struct bytes rest, struct sign_key **ret, struct err *e)
{
    struct bytes curve, key;
    if (row->alg == &sign_alg_rsa)
        return read_rsa(rest, ret, e);
    if (row->curve && (!sign_sshwire_take_string(&rest, &curve) || !bytes_eq_str(curve, row->curve)))
        return malformed(e);
    if (!sign_sshwire_take_string(&rest, &key) || rest.len)
        return malformed(e);
    return sign_key_new_public(row->alg, key, ret, e);
}

static int read_on_device(struct bytes rest, struct sign_sshkey *ret, struct err *e)
{
    struct bytes key, application;
    if (!sign_sshwire_take_string(&rest, &key) || !sign_sshwire_take_string(&rest, &application) || rest.len)
        return malformed(e);
    int r = sign_key_new_public(&sign_alg_ed25519, key, &ret->key, e);
    ret->on_device = true;
    ret->application = application;
    return r;
}

static int refuse(struct bytes type, struct err *e)
{
    static const char suffix[] = "-cert-v01@openssh.com";
    char text[64];
    size_t len = sizeof(suffix) - 1;
    (void)text_escape(type, text, sizeof(text));
    if (type.len > len && memcmp(type.ptr + type.len - len, suffix, len) == 0)
        return err_set(e, ERR_UNSUPPORTED, "an SSH certificate (%s) is not taken, only keys", text);
    return err_set(e, ERR_UNSUPPORTED,
                   "an SSH key of type \"%s\"; taken are Ed25519, ECDSA on P-256 or P-384, RSA", text);
}

static int read_any(struct bytes type, struct bytes rest, struct sign_sshkey *ret, struct err *e)
{
    if (bytes_eq_str(type, ON_DEVICE))
        return read_on_device(rest, ret, e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (bytes_eq_str(type, rows[i].type))
            return read_key(&rows[i], rest, &ret->key, e);
    return refuse(type, e);
}

int sign_sshkey_parse(struct bytes blob, struct sign_sshkey *ret, struct err *e)
{
    struct sign_sshkey k = {.key = NULL};
    struct bytes type;
    if (!sign_sshwire_take_string(&blob, &type) || type.len == 0)
        return malformed(e);
    int r = read_any(type, blob, &k, e);
    if (!r)
        *ret = k;
    return r;
}

int sign_sshkey_read(struct bytes blob, struct sign_key **ret, struct err *e)
{
    AUTO_DONE(sign_sshkey) k = {.key = NULL};
    int r = sign_sshkey_parse(blob, &k, e);
    if (r)
        return r;
    if (k.on_device)
        return err_set(e, ERR_UNSUPPORTED,
                       "a key on a FIDO token counts only where an allowed_signers file names it");
    *ret = TAKE(k.key);
    return 0;
}

bool sign_sshkey_is_type(struct bytes word)
{
    return bytes_starts(word, BYTES_LIT("ssh-")) || bytes_starts(word, BYTES_LIT("ecdsa-sha2-")) ||
           bytes_starts(word, BYTES_LIT("sk-"));
}

int sign_sshkey_decode(struct bytes type, struct bytes base64, struct buf *out, struct err *e)
{
    struct bytes named, blob;
    size_t before = out->len;
    int r = b64_decode(B64_STD, base64, out, e);
    if (r)
        return err_wrap(e, "an SSH public key");
    if (out->len == before)
        return malformed(e);
    blob = bytes_of(out->ptr + before, out->len - before);
    if (!sign_sshwire_take_string(&blob, &named) || !bytes_eq(named, type))
        return err_set(e, ERR_FORMAT, "an SSH public key of another type than its line says");
    return 0;
}

const char *sign_sshkey_type(const struct sign_key *k)
{
    return row_of(k)->type;
}

static void put_rsa(struct bytes der, struct buf *out)
{
    struct bytes seq, n, exponent;
    if (!sign_der_take(&der, DER_SEQUENCE, &seq) || !sign_der_take_uint(&seq, &n) ||
        !sign_der_take_uint(&seq, &exponent))
        return; /* the key was checked when it was made */
    sign_sshwire_put_mpint(out, exponent);
    sign_sshwire_put_mpint(out, n);
}

void sign_sshkey_put(const struct sign_key *k, struct buf *out)
{
    const struct row *row = row_of(k);
    sign_sshwire_put_string(out, bytes_str(row->type));
    if (row->alg == &sign_alg_rsa) {
        put_rsa(sign_key_public(k), out);
        return;
    }
    if (row->curve)
        sign_sshwire_put_string(out, bytes_str(row->curve));
    sign_sshwire_put_string(out, sign_key_public(k));
}

int sign_sshkey_write(const struct sign_key *k, const char *comment, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) blob = BUF_INIT(LIMIT_KEY_FILE);
    sign_sshkey_put(k, &blob);
    int r = buf_check(&blob, e);
    if (r)
        return r;
    buf_append_str(out, sign_sshkey_type(k));
    buf_append_u8(out, ' ');
    b64_encode(B64_STD, buf_bytes(&blob), out);
    if (comment && *comment)
        buf_printf(out, " %s", comment);
    buf_append_u8(out, '\n');
    return buf_check(out, e);
}

char *sign_sshkey_fingerprint(struct bytes blob, char out[SIGN_SSH_FINGERPRINT_MAX])
{
    AUTO_DONE(buf) text = BUF_INIT(64);
    struct err ignored = ERR_INIT;
    struct digest d;
    if (!hash_bytes(HASH_SHA256, blob, &d, &ignored))
        b64_encode(B64_STD, bytes_of(d.value, HASH_SHA256_LEN), &text);
    bool good = !buf_check(&text, &ignored) && text.len;
    (void)snprintf(out, SIGN_SSH_FINGERPRINT_MAX, "SHA256:%.43s", good ? buf_cstr(&text) : "unknown");
    return out;
}
