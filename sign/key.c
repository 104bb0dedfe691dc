/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/key.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/secret.h"
#include "sign/alg.h"
#include "sign/der.h"

#include <stdio.h>

/* NIST SP 800-57 part 1: 2048 bits are for what need not hold beyond 2030. */
#define RSA_BITS 3072U

const struct sign_alg *const sign_algs[] = {&sign_alg_ed25519, &sign_alg_p256, &sign_alg_p384, &sign_alg_rsa};
const size_t sign_n_algs = ARRAY_LEN(sign_algs);

static const struct sign_alg *alg_of(enum sign_key_type type)
{
    for (size_t i = 0; i < sign_n_algs; i++)
        if (sign_algs[i]->type == type)
            return sign_algs[i];
    return NULL;
}

static int key_new(const struct sign_alg *alg, struct sign_key **ret, struct err *e)
{
    AUTO(sign_key) k = calloc(1, sizeof(*k));
    if (!k || !(k->name = strdup("")))
        return err_nomem(e);
    k->alg = alg;
    *ret = TAKE(k);
    return 0;
}

void sign_key_free(struct sign_key *k)
{
    if (!k)
        return;
    if (k->external.free)
        k->external.free(k->external.ctx);
    secret_free(k->secret, k->secret_len);
    free(k->public_key);
    free(k->name);
    free(k);
}

static int keep_public(struct sign_key *k, struct bytes public_key, struct err *e)
{
    k->public_key = malloc(public_key.len);
    if (!k->public_key)
        return err_nomem(e);
    memcpy(k->public_key, public_key.ptr, public_key.len);
    k->public_len = public_key.len;
    return 0;
}

static int keep_secret(struct sign_key *k, struct bytes secret, struct err *e)
{
    k->secret = secret_alloc(secret.len);
    if (!k->secret)
        return err_nomem(e);
    memcpy(k->secret, secret.ptr, secret.len);
    k->secret_len = secret.len;
    k->is_private = true;
    return 0;
}

int sign_key_new_private(const struct sign_alg *alg, struct bytes secret, struct bytes public_key,
                         struct sign_key **ret, struct err *e)
{
    AUTO(sign_key) k = NULL;
    AUTO_DONE(buf) derived = BUF_INIT(LIMIT_KEY_FILE);
    int r = hash_init(e);
    if (!r)
        r = alg->derive(alg, secret, &derived, e);
    if (!r)
        r = buf_check(&derived, e);
    if (r)
        return r;
    if (public_key.len && !bytes_eq(public_key, buf_bytes(&derived)))
        return err_set(e, ERR_FORMAT, "the public key in the file does not belong to the private key");
    if ((r = key_new(alg, &k, e)) || (r = keep_public(k, buf_bytes(&derived), e)) ||
        (r = keep_secret(k, secret, e)))
        return r;
    *ret = TAKE(k);
    return 0;
}

int sign_key_new_public(const struct sign_alg *alg, struct bytes public_key, struct sign_key **ret,
                        struct err *e)
{
    AUTO(sign_key) k = NULL;
    int r;
    if ((r = hash_init(e)) || (r = alg->check(alg, public_key, e)) || (r = key_new(alg, &k, e)) ||
        (r = keep_public(k, public_key, e)))
        return r;
    *ret = TAKE(k);
    return 0;
}

int sign_key_new_external(const struct sign_alg *alg, struct bytes public_key,
                          const struct sign_external *external, struct sign_key **ret, struct err *e)
{
    struct sign_key *k = NULL;
    int r = sign_key_new_public(alg, public_key, &k, e);
    if (r) {
        if (external->free)
            external->free(external->ctx);
        return r;
    }
    k->external = *external;
    k->is_private = true;
    *ret = k;
    return 0;
}

static int generate(enum sign_key_type type, unsigned bits, struct sign_key **ret, struct err *e)
{
    const struct sign_alg *alg = alg_of(type);
    AUTO_DONE(buf) secret = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    if (!alg)
        return err_set(e, ERR_UNSUPPORTED, "no such type of key");
    int r = hash_init(e);
    if (!r)
        r = alg->generate(alg, bits, &secret, e);
    if (!r)
        r = buf_check(&secret, e);
    return r ? r : sign_key_new_private(alg, buf_bytes(&secret), BYTES_NONE, ret, e);
}

int sign_key_generate(enum sign_key_type type, struct sign_key **ret, struct err *e)
{
    return generate(type, RSA_BITS, ret, e);
}

int sign_key_generate_rsa(unsigned bits, struct sign_key **ret, struct err *e)
{
    return generate(SIGN_KEY_RSA, bits, ret, e);
}

int sign_key_rename(struct sign_key *k, const char *name, struct err *e)
{
    char *copy = strdup(name);
    if (!copy)
        return err_nomem(e);
    free(k->name);
    k->name = copy;
    return 0;
}

enum sign_key_type sign_key_type(const struct sign_key *k)
{
    return k->alg->type;
}

const char *sign_key_type_name(enum sign_key_type type)
{
    const struct sign_alg *alg = alg_of(type);
    return alg ? alg->name : "unknown";
}

bool sign_key_is_private(const struct sign_key *k)
{
    return k->is_private;
}

const char *sign_key_name(const struct sign_key *k)
{
    return k->name;
}

struct bytes sign_key_public(const struct sign_key *k)
{
    return bytes_of(k->public_key, k->public_len);
}

void sign_key_put_spki(const struct sign_key *k, struct buf *out)
{
    AUTO_DONE(buf) seq = BUF_INIT(LIMIT_KEY_FILE);
    buf_append_bytes(&seq, k->alg->identifier);
    sign_der_put_bits(&seq, DER_BIT_STRING, sign_key_public(k));
    if (seq.failed)
        out->failed = seq.failed;
    sign_der_put(out, DER_SEQUENCE, buf_bytes(&seq));
}

const char *sign_key_fingerprint(const struct sign_key *k, char out[SIGN_FINGERPRINT_MAX])
{
    AUTO_DONE(buf) spki = BUF_INIT(LIMIT_KEY_FILE);
    struct err ignored = ERR_INIT;
    struct digest d;
    char hex[DIGEST_STR_MAX];
    sign_key_put_spki(k, &spki);
    bool good = !buf_check(&spki, &ignored) && !hash_bytes(HASH_SHA256, buf_bytes(&spki), &d, &ignored);
    (void)snprintf(out, SIGN_FINGERPRINT_MAX, "SHA256:%.64s", good ? digest_hex(&d, hex) : "unknown");
    return out;
}

char sign_key_nkey_kind(const struct sign_key *k)
{
    return k->nkey_kind;
}

void sign_key_set_nkey_kind(struct sign_key *k, char kind)
{
    k->nkey_kind = kind;
}

unsigned sign_key_bits(const struct sign_key *k)
{
    switch (k->alg->type) {
    case SIGN_KEY_P384: return 384;
    case SIGN_KEY_RSA: return sign_rsa_bits(sign_key_public(k));
    default: return 256;
    }
}

/* An agent may answer with anything: only what is right leaves here. */
static int sign_elsewhere(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                          struct buf *out, struct err *e)
{
    AUTO_DONE(buf) made = BUF_INIT(LIMIT_KEY_FILE);
    bool good = false;
    int r = k->external.sign(k->external.ctx, scheme, message, &made, e);
    if (!r)
        r = buf_check(&made, e);
    if (!r)
        r = k->alg->verify(k, scheme, message, buf_bytes(&made), &good, e);
    if (r)
        return r;
    if (!good)
        return err_set(e, ERR_OTHER, "%s: what holds the private key made a signature that is not right",
                       k->name);
    buf_append_bytes(out, buf_bytes(&made));
    return buf_check(out, e);
}

struct sign_scheme sign_key_scheme(const struct sign_key *k)
{
    return k->alg->scheme;
}

int sign_key_sign(const struct sign_key *k, struct bytes message, struct buf *out, struct err *e)
{
    return sign_key_sign_as(k, k->alg->scheme, message, out, e);
}

int sign_key_sign_as(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                     struct buf *out, struct err *e)
{
    if (!k->is_private)
        return err_set(e, ERR_USAGE, "%s is a public key; signing needs the private one", k->name);
    if (!k->alg->knows(scheme))
        return err_set(e, ERR_UNSUPPORTED, "keys for %s do not sign like that", k->alg->name);
    return k->secret ? k->alg->sign(k, scheme, message, out, e) : sign_elsewhere(k, scheme, message, out, e);
}

int sign_key_verify(const struct sign_key *k, struct bytes message, struct bytes signature, bool *ret_good,
                    struct err *e)
{
    return sign_key_verify_as(k, k->alg->scheme, message, signature, ret_good, e);
}

int sign_key_verify_as(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                       struct bytes signature, bool *ret_good, struct err *e)
{
    if (k->alg->knows(scheme))
        return k->alg->verify(k, scheme, message, signature, ret_good, e);
    *ret_good = false;
    return 0;
}

bool sign_key_eq(const struct sign_key *a, const struct sign_key *b)
{
    return a->alg == b->alg && bytes_eq(sign_key_public(a), sign_key_public(b));
}
