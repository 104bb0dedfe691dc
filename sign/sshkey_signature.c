/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures as SSH writes them: the name of an algorithm, and what that makes. */
#include "sign/alg.h"
#include "sign/der.h"
#include "sign/sshkey.h"
#include "sign/sshwire.h"

#include "base/limits.h"
#include "base/text.h"

#define ORDER_MAX   48U
#define ON_DEVICE   "sk-ssh-ed25519@openssh.com"
#define WAS_TOUCHED 0x01 /* PROTOCOL.u2f: the flag "user present" */

struct row {
    const char *name;
    const struct sign_alg *alg;
    struct sign_scheme scheme;
    size_t order; /* ECDSA: bytes of r and of s */
};

/* The first for each algorithm is the one that signs. */
static const struct row rows[] = {
    {"ssh-ed25519", &sign_alg_ed25519, {SIGN_MODE_ED25519, HASH_SHA512}, 0},
    {"ecdsa-sha2-nistp256", &sign_alg_p256, {SIGN_MODE_ECDSA_RAW, HASH_SHA256}, 32},
    {"ecdsa-sha2-nistp384", &sign_alg_p384, {SIGN_MODE_ECDSA_RAW, HASH_SHA384}, 48},
    {"rsa-sha2-512", &sign_alg_rsa, {SIGN_MODE_RSA_PKCS1, HASH_SHA512}, 0},
    {"rsa-sha2-256", &sign_alg_rsa, {SIGN_MODE_RSA_PKCS1, HASH_SHA256}, 0},
};

struct sign_scheme sign_sshkey_scheme(const struct sign_key *k)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].alg == k->alg)
            return rows[i].scheme;
    return k->alg->scheme; /* there is a row for each algorithm */
}

static void put_ecdsa(struct bytes raw, size_t order, struct buf *out)
{
    AUTO_DONE(buf) two = BUF_INIT(4 * ORDER_MAX);
    sign_sshwire_put_mpint(&two, bytes_of(raw.ptr, order));
    sign_sshwire_put_mpint(&two, bytes_of(raw.ptr + order, order));
    if (two.failed)
        out->failed = two.failed;
    sign_sshwire_put_string(out, buf_bytes(&two));
}

int sign_sshkey_put_signature(const struct sign_key *k, struct sign_scheme scheme, struct bytes raw,
                              struct buf *out, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        if (row->alg != k->alg || row->scheme.mode != scheme.mode || row->scheme.hash != scheme.hash)
            continue;
        sign_sshwire_put_string(out, bytes_str(row->name));
        if (!row->order)
            sign_sshwire_put_string(out, raw);
        else if (raw.len == 2 * row->order)
            put_ecdsa(raw, row->order, out);
        else
            return err_set(e, ERR_FORMAT, "an ECDSA signature of %zu bytes", raw.len);
        return buf_check(out, e);
    }
    return err_set(e, ERR_UNSUPPORTED, "SSH has no such signatures by keys for %s", k->alg->name);
}

static int malformed(struct err *e)
{
    return err_set(e, ERR_FORMAT, "malformed SSH signature");
}

static bool put_padded(struct buf *out, struct bytes digits, size_t len)
{
    if (digits.len > len)
        return false;
    for (size_t i = digits.len; i < len; i++)
        buf_append_u8(out, 0);
    buf_append_bytes(out, digits);
    return true;
}

static bool read_ecdsa(struct bytes two, size_t order, struct buf *raw)
{
    struct bytes first, second;
    return sign_sshwire_take_mpint(&two, &first) && sign_sshwire_take_mpint(&two, &second) && two.len == 0 &&
           put_padded(raw, first, order) && put_padded(raw, second, order);
}

static int refuse(const struct sign_key *k, struct bytes name, struct err *e)
{
    char text[64];
    if (bytes_eq_str(name, "ssh-rsa") || bytes_eq_str(name, "ssh-dss"))
        return err_set(e, ERR_UNSUPPORTED, "an SSH signature with SHA-1 (\"%s\")",
                       text_escape(name, text, sizeof(text)));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (bytes_eq_str(name, rows[i].name))
            return err_set(e, ERR_FORMAT, "an SSH signature \"%s\" by a key for %s", rows[i].name,
                           k->alg->name);
    return err_set(e, ERR_UNSUPPORTED, "an SSH signature \"%s\"", text_escape(name, text, sizeof(text)));
}

int sign_sshkey_read_signature(const struct sign_key *k, struct bytes blob, struct sign_scheme *ret_scheme,
                               struct buf *raw, struct err *e)
{
    struct bytes name, made;
    if (!sign_sshwire_take_string(&blob, &name) || !sign_sshwire_take_string(&blob, &made) || blob.len)
        return malformed(e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].alg != k->alg || !bytes_eq_str(name, rows[i].name))
            continue;
        if (!rows[i].order)
            buf_append_bytes(raw, made);
        else if (!read_ecdsa(made, rows[i].order, raw))
            return malformed(e);
        *ret_scheme = rows[i].scheme;
        return buf_check(raw, e);
    }
    return refuse(k, name, e);
}

/* PROTOCOL.u2f: what a token signs is SHA-256 of the application, flags, a counter, SHA-256 of the message.
 */
static int verify_on_device(const struct sign_sshkey *k, struct bytes message, struct bytes blob,
                            bool *ret_good, struct err *e)
{
    AUTO_DONE(buf) told = BUF_INIT(2 * HASH_SHA256_LEN + 5);
    struct bytes name, made, tail;
    struct digest application, content;
    if (!sign_sshwire_take_string(&blob, &name) || !bytes_eq_str(name, ON_DEVICE) ||
        !sign_sshwire_take_string(&blob, &made) || !bytes_take(&blob, 5, &tail) || blob.len)
        return malformed(e);
    if (!(tail.ptr[0] & WAS_TOUCHED))
        return err_set(e, ERR_UNSUPPORTED, "a signature by a token that nobody had to touch");
    int r = hash_bytes(HASH_SHA256, k->application, &application, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, message, &content, e);
    if (r)
        return r;
    buf_append(&told, application.value, HASH_SHA256_LEN);
    buf_append_bytes(&told, tail);
    buf_append(&told, content.value, HASH_SHA256_LEN);
    r = buf_check(&told, e);
    return r ? r : sign_key_verify(k->key, buf_bytes(&told), made, ret_good, e);
}

int sign_sshkey_verify(const struct sign_sshkey *k, struct bytes message, struct bytes blob, bool *ret_good,
                       struct err *e)
{
    AUTO_DONE(buf) raw = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    struct sign_scheme scheme;
    if (k->on_device)
        return verify_on_device(k, message, blob, ret_good, e);
    int r = sign_sshkey_read_signature(k->key, blob, &scheme, &raw, e);
    return r ? r : sign_key_verify_as(k->key, scheme, message, buf_bytes(&raw), ret_good, e);
}
