/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/ed25519.h"

#include "base/hash.h"

/* RFC 8032 section 2: dom2 with a flag of 1 and no context. */
static const struct bytes dom2_ph = {(const uint8_t *)"SigEd25519 no Ed25519 collisions\1", 34};

/* Little-endian, as everything in RFC 8032. */
static int number(const uint8_t *le, size_t n, bool secret, gcry_mpi_t *ret, struct err *e)
{
    uint8_t be[HASH_SHA512_LEN];
    gcry_mpi_t m = NULL;
    for (size_t i = 0; i < n; i++)
        be[i] = le[n - 1 - i];
    gcry_error_t g = gcry_mpi_scan(&m, GCRYMPI_FMT_USG, be, n, NULL);
    mem_wipe(be, sizeof(be));
    if (g)
        return sign_gcry_fail(g, e);
    /* A point is multiplied by such a one in the same time whatever it is. */
    if (secret)
        gcry_mpi_set_flag(m, GCRYMPI_FLAG_SECURE);
    *ret = m;
    return 0;
}

static int number_out(gcry_mpi_t m, uint8_t le[ED25519_LEN], struct err *e)
{
    uint8_t be[ED25519_LEN];
    size_t n = 0;
    gcry_error_t g = gcry_mpi_print(GCRYMPI_FMT_USG, be, sizeof(be), &n, m);
    if (g)
        return sign_gcry_fail(g, e);
    for (size_t i = 0; i < ED25519_LEN; i++)
        le[i] = i < n ? be[n - 1 - i] : 0;
    return 0;
}

/* Section 5.1.2: y, and in the highest bit whether x is odd. */
static int encode(gcry_mpi_point_t point, gcry_ctx_t ctx, uint8_t out[ED25519_LEN], struct err *e)
{
    AUTO(gcry_mpi) x = gcry_mpi_new(0);
    AUTO(gcry_mpi) y = gcry_mpi_new(0);
    if (!x || !y)
        return err_nomem(e);
    if (gcry_mpi_ec_get_affine(x, y, point, ctx))
        return err_set(e, ERR_OTHER, "libgcrypt: a point at infinity");
    int r = number_out(y, out, e);
    if (!r && gcry_mpi_test_bit(x, 0))
        out[ED25519_LEN - 1] |= 0x80;
    return r;
}

/* The hash of the parts, behind dom2, as a number modulo L. */
static int hash_to_number(bool ph, const struct bytes *parts, size_t n, bool secret, gcry_mpi_t order,
                          gcry_mpi_t *ret, struct err *e)
{
    AUTO(hash_state) h = NULL;
    struct digest d;
    int r = hash_open(HASH_SHA512, &h, e);
    if (r)
        return r;
    if (ph)
        hash_update(h, dom2_ph);
    for (size_t i = 0; i < n; i++)
        hash_update(h, parts[i]);
    hash_final(h, &d);
    r = number(d.value, HASH_SHA512_LEN, secret, ret, e);
    mem_wipe(&d, sizeof(d));
    if (!r)
        gcry_mpi_mod(*ret, *ret, order);
    return r;
}

/* What is signed: the message, or its hash. */
static int find_message(bool ph, struct bytes message, struct digest *d, struct bytes *ret, struct err *e)
{
    int r = ph ? hash_bytes(HASH_SHA512, message, d, e) : 0;
    *ret = ph ? bytes_of(d->value, HASH_SHA512_LEN) : message;
    return r;
}

/* The curve, its order and its base point, and the point of the public key. */
struct curve {
    gcry_ctx_t ctx;
    gcry_mpi_t order;
    gcry_mpi_point_t base, key;
};

static void curve_done(struct curve *c)
{
    gcry_mpi_point_release(c->key);
    gcry_mpi_point_release(c->base);
    gcry_mpi_release(c->order);
    gcry_ctx_release(c->ctx);
}

static int curve_open(const uint8_t *public_key, struct curve *c, struct err *e)
{
    AUTO(gcry_sexp) sexp = NULL;
    int r = ed25519_public_sexp(public_key, &sexp, e);
    if (r)
        return r;
    gcry_error_t g = gcry_mpi_ec_new(&c->ctx, sexp, NULL);
    if (g)
        return sign_gcry_fail(g, e);
    c->order = gcry_mpi_ec_get_mpi("n", c->ctx, 1);
    c->base = gcry_mpi_ec_get_point("g", c->ctx, 1);
    c->key = gcry_mpi_ec_get_point("q", c->ctx, 1);
    return c->order && c->base && c->key ? 0 : err_set(e, ERR_OTHER, "libgcrypt has no Ed25519");
}

/* R is S*B - k*A, byte for byte. */
static int check(const struct curve *c, gcry_mpi_t s, gcry_mpi_t k, const uint8_t *want, bool *ret_good,
                 struct err *e)
{
    AUTO(gcry_mpi_point) sb = gcry_mpi_point_new(0);
    AUTO(gcry_mpi_point) ka = gcry_mpi_point_new(0);
    AUTO(gcry_mpi_point) difference = gcry_mpi_point_new(0);
    uint8_t got[ED25519_LEN];
    if (!sb || !ka || !difference)
        return err_nomem(e);
    gcry_mpi_ec_mul(sb, s, c->base, c->ctx);
    gcry_mpi_ec_mul(ka, k, c->key, c->ctx);
    gcry_mpi_ec_sub(difference, sb, ka, c->ctx);
    int r = encode(difference, c->ctx, got, e);
    if (!r)
        *ret_good = memcmp(got, want, sizeof(got)) == 0;
    return r;
}

int ed25519_long_verify(const uint8_t *public_key, bool ph, struct bytes message, const uint8_t *signature,
                        bool *ret_good, struct err *e)
{
    AUTO_DONE(curve) c = {.ctx = NULL};
    AUTO(gcry_mpi) s = NULL;
    AUTO(gcry_mpi) k = NULL;
    struct bytes parts[] = {bytes_of(signature, ED25519_LEN), bytes_of(public_key, ED25519_LEN), BYTES_NONE};
    struct digest d;
    int r = curve_open(public_key, &c, e);
    if (!r)
        r = find_message(ph, message, &d, &parts[2], e);
    if (!r)
        r = hash_to_number(ph, parts, ARRAY_LEN(parts), false, c.order, &k, e);
    if (!r)
        r = number(signature + ED25519_LEN, ED25519_LEN, false, &s, e);
    if (r)
        return r;
    if (gcry_mpi_cmp(s, c.order) >= 0) {
        *ret_good = false;
        return 0;
    }
    return check(&c, s, k, signature, ret_good, e);
}

/* R, and the secret number it is made from. prefix: the second half of the seed's hash. */
static int commit(const struct curve *c, struct bytes prefix, bool ph, struct bytes message, gcry_mpi_t *ret,
                  uint8_t ret_r[ED25519_LEN], struct err *e)
{
    AUTO(gcry_mpi_point) point = gcry_mpi_point_new(0);
    const struct bytes parts[] = {prefix, message};
    int r = point ? hash_to_number(ph, parts, ARRAY_LEN(parts), true, c->order, ret, e) : err_nomem(e);
    if (r)
        return r;
    gcry_mpi_ec_mul(point, *ret, c->base, c->ctx);
    return encode(point, c->ctx, ret_r, e);
}

/* S = r + k*a, into the second half of the signature; the first is there. */
static int answer(const struct curve *c, const uint8_t a_bytes[ED25519_LEN], gcry_mpi_t nonce, bool ph,
                  struct bytes public_key, struct bytes message, uint8_t signature[ED25519_SIG_LEN],
                  struct err *e)
{
    AUTO(gcry_mpi) a = NULL;
    AUTO(gcry_mpi) k = NULL;
    const struct bytes parts[] = {bytes_of(signature, ED25519_LEN), public_key, message};
    int r = number(a_bytes, ED25519_LEN, true, &a, e);
    if (!r)
        r = hash_to_number(ph, parts, ARRAY_LEN(parts), false, c->order, &k, e);
    if (r)
        return r;
    gcry_mpi_mulm(a, a, k, c->order);
    gcry_mpi_addm(a, a, nonce, c->order);
    return number_out(a, signature + ED25519_LEN, e);
}

int ed25519_long_sign(const uint8_t *seed, const uint8_t *public_key, bool ph, struct bytes message,
                      struct buf *out, struct err *e)
{
    AUTO_DONE(curve) c = {.ctx = NULL};
    AUTO(gcry_mpi) nonce = NULL;
    uint8_t signature[ED25519_SIG_LEN];
    struct digest own, d;
    struct bytes said = BYTES_NONE;
    bool good = false;
    int r = curve_open(public_key, &c, e);
    if (!r)
        r = find_message(ph, message, &d, &said, e);
    if (!r)
        r = hash_bytes(HASH_SHA512, bytes_of(seed, ED25519_LEN), &own, e);
    if (r)
        return r;
    own.value[0] &= 0xf8;
    own.value[ED25519_LEN - 1] = (uint8_t)((own.value[ED25519_LEN - 1] & 0x7f) | 0x40);
    r = commit(&c, bytes_of(own.value + ED25519_LEN, ED25519_LEN), ph, said, &nonce, signature, e);
    if (!r)
        r = answer(&c, own.value, nonce, ph, bytes_of(public_key, ED25519_LEN), said, signature, e);
    mem_wipe(&own, sizeof(own));
    if (!r)
        r = ed25519_long_verify(public_key, ph, message, signature, &good, e);
    if (!r && !good)
        r = err_set(e, ERR_OTHER, "a signature that is not right came out");
    if (r)
        return r;
    buf_append(out, signature, sizeof(signature));
    return buf_check(out, e);
}
