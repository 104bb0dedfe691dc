/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ed25519 and Ed25519ph (RFC 8032) on libgcrypt. libgcrypt 1.10 takes S >= L, and ends the process (its
 * "mulm_25519: different sizes") for public keys whose y is below 2^192 or p-1: both are refused here before
 * it sees them. And it takes what is behind the first 64 KiB of a message for something else: long ones do
 * not come to it.
 */
#include "sign/ed25519.h"

#include "base/hash.h"
#include "sign/alg.h"
#include "sign/der.h"

#define LEN          ED25519_LEN
#define SIG_LEN      ED25519_SIG_LEN

#define PRIVATE_SEXP "(private-key(ecc(curve Ed25519)(flags eddsa)(d %b)))"

/* Little-endian, as everything in RFC 8032. */
static const uint8_t field_p_minus_1[LEN] = {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                             0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                             0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
static const uint8_t order_l[LEN] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                     0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                     0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

/* The y of the points of order 8. Those of order 1, 2 and 4 have y 1, p-1 and 0. */
static const uint8_t order_8_y[2][LEN] = {
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}};

static int compare_le(const uint8_t *a, const uint8_t *b)
{
    for (size_t i = LEN; i-- > 0;)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

static bool all_zero(const uint8_t *p, size_t n)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum |= p[i];
    return sum == 0;
}

int ed25519_public_sexp(const uint8_t *public_key, gcry_sexp_t *ret, struct err *e)
{
    gcry_error_t g = gcry_sexp_build(ret, NULL, "(public-key(ecc(curve Ed25519)(flags eddsa)(q %b)))",
                                     (int)LEN, public_key);
    return g ? sign_gcry_fail(g, e) : 0;
}

/* Whether there is a point with that y and sign. libgcrypt decodes it when it makes the context. */
static int check_on_curve(const uint8_t *public_key, struct err *e)
{
    AUTO(gcry_sexp) key = NULL;
    AUTO(gcry_context) ctx = NULL;
    int r = ed25519_public_sexp(public_key, &key, e);
    if (r)
        return r;
    gcry_error_t g = gcry_mpi_ec_new(&ctx, key, NULL);
    if (gcry_err_code(g) == GPG_ERR_ENOMEM)
        return err_nomem(e);
    AUTO(gcry_mpi_point) point = g ? NULL : gcry_mpi_ec_get_point("q", ctx, 1);
    if (!point || !gcry_mpi_ec_curve_point(point, ctx))
        return err_set(e, ERR_FORMAT, "not an Ed25519 public key: no point of the curve");
    return 0;
}

static int check_length(struct bytes got, const char *what, struct err *e)
{
    return got.len == LEN
               ? 0
               : err_set(e, ERR_FORMAT, "%s of %zu bytes where Ed25519 has %u", what, got.len, LEN);
}

static int ed25519_check(const struct sign_alg *alg, struct bytes public_key, struct err *e)
{
    (void)alg;
    uint8_t y[LEN];
    int r = check_length(public_key, "a public key", e);
    if (r)
        return r;
    memcpy(y, public_key.ptr, LEN);
    y[LEN - 1] &= 0x7f;
    if (compare_le(y, field_p_minus_1) > 0)
        return err_set(e, ERR_FORMAT, "not an Ed25519 public key: its number is not reduced");
    if (all_zero(y + 24, 8) || compare_le(y, field_p_minus_1) == 0 || compare_le(y, order_8_y[0]) == 0 ||
        compare_le(y, order_8_y[1]) == 0)
        return err_set(e, ERR_FORMAT, "not an acceptable Ed25519 public key: a point of small order or weak");
    return check_on_curve(public_key.ptr, e);
}

static int ed25519_generate(const struct sign_alg *alg, unsigned bits, struct buf *ret_secret, struct err *e)
{
    (void)alg;
    (void)bits;
    uint8_t *to = buf_reserve(ret_secret, LEN);
    if (!to)
        return buf_check(ret_secret, e);
    int r = hash_random(to, LEN, e);
    if (!r)
        ret_secret->len += LEN;
    return r;
}

static int ed25519_derive(const struct sign_alg *alg, struct bytes secret, struct buf *ret_public,
                          struct err *e)
{
    (void)alg;
    AUTO(gcry_sexp) key = NULL;
    AUTO(gcry_context) ctx = NULL;
    int r = check_length(secret, "a secret", e);
    if (!r)
        r = sign_gcry_secret(PRIVATE_SEXP, secret, &key, e);
    if (r)
        return r;
    gcry_error_t g = gcry_mpi_ec_new(&ctx, key, NULL);
    if (g)
        return sign_gcry_fail(g, e);
    AUTO(gcry_mpi) q = gcry_mpi_ec_get_mpi("q@eddsa", ctx, 0);
    unsigned bits = 0;
    const void *raw = q ? gcry_mpi_get_opaque(q, &bits) : NULL;
    if (!raw || bits != 8 * LEN)
        return err_set(e, ERR_OTHER, "libgcrypt gives no Ed25519 public key");
    buf_append(ret_public, raw, LEN);
    return buf_check(ret_public, e);
}

static bool ed25519_knows(struct sign_scheme scheme)
{
    return scheme.mode == SIGN_MODE_ED25519 || scheme.mode == SIGN_MODE_ED25519PH;
}

/* The one with "prehash" is hashed by libgcrypt too, and has RFC 8032's dom2 in front. */
static int message_sexp(struct sign_scheme scheme, struct bytes message, gcry_sexp_t *ret, struct err *e)
{
    const char *format = scheme.mode == SIGN_MODE_ED25519PH
                             ? "(data(flags eddsa prehash)(hash-algo sha512)(value %b))"
                             : "(data(flags eddsa)(hash-algo sha512)(value %b))";
    gcry_error_t g =
        gcry_sexp_build(ret, NULL, format, (int)message.len, message.len ? (const void *)message.ptr : "");
    return g ? sign_gcry_fail(g, e) : 0;
}

static int ed25519_sign(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                        struct buf *out, struct err *e)
{
    AUTO(gcry_sexp) key = NULL;
    AUTO(gcry_sexp) data = NULL;
    AUTO(gcry_sexp) sig = NULL;
    if (message.len > SIGN_GCRY_MAX)
        return ed25519_long_sign(sign_key_secret(k).ptr, k->public_key, scheme.mode == SIGN_MODE_ED25519PH,
                                 message, out, e);
    int r = sign_gcry_secret(PRIVATE_SEXP, sign_key_secret(k), &key, e);
    if (!r)
        r = message_sexp(scheme, message, &data, e);
    if (r)
        return r;
    uint8_t rs[SIG_LEN];
    gcry_buffer_t half_r = {.data = rs, .size = LEN}, half_s = {.data = rs + LEN, .size = LEN};
    gcry_error_t g = gcry_pk_sign(&sig, data, key);
    if (!g)
        g = gcry_sexp_extract_param(sig, NULL, "&rs", &half_r, &half_s, NULL);
    if (g)
        return sign_gcry_fail(g, e);
    if (half_r.len != LEN || half_s.len != LEN)
        return err_set(e, ERR_OTHER, "libgcrypt gives a signature of a wrong size");
    buf_append(out, rs, sizeof(rs));
    return buf_check(out, e);
}

static int ed25519_verify(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                          struct bytes signature, bool *ret_good, struct err *e)
{
    AUTO(gcry_sexp) key = NULL;
    AUTO(gcry_sexp) data = NULL;
    AUTO(gcry_sexp) sig = NULL;
    if (signature.len != SIG_LEN || compare_le(signature.ptr + LEN, order_l) >= 0) {
        *ret_good = false;
        return 0;
    }
    if (message.len > SIGN_GCRY_MAX)
        return ed25519_long_verify(k->public_key, scheme.mode == SIGN_MODE_ED25519PH, message, signature.ptr,
                                   ret_good, e);
    int r = message_sexp(scheme, message, &data, e);
    if (!r)
        r = ed25519_public_sexp(k->public_key, &key, e);
    if (r)
        return r;
    gcry_error_t g = gcry_sexp_build(&sig, NULL, "(sig-val(eddsa(r %b)(s %b)))", (int)LEN, signature.ptr,
                                     (int)LEN, signature.ptr + LEN);
    return g ? sign_gcry_fail(g, e) : sign_gcry_verdict(gcry_pk_verify(sig, data, key), ret_good, e);
}

/* RFC 8410 section 7: an OCTET STRING of its own around the seed. */
static int ed25519_read_private(const struct sign_alg *alg, struct bytes der, struct bytes *ret_secret,
                                struct bytes *ret_public, struct err *e)
{
    (void)alg;
    struct bytes seed;
    if (!sign_der_take(&der, DER_OCTET_STRING, &seed) || der.len || seed.len != LEN)
        return err_set(e, ERR_FORMAT, "malformed Ed25519 private key");
    *ret_secret = seed;
    *ret_public = BYTES_NONE;
    return 0;
}

static void ed25519_put_private(const struct sign_key *k, struct buf *out)
{
    sign_der_put(out, DER_OCTET_STRING, sign_key_secret(k));
}

const struct sign_alg sign_alg_ed25519 = {
    .type = SIGN_KEY_ED25519,
    .name = "ed25519",
    .scheme = {SIGN_MODE_ED25519, HASH_SHA512},
    .identifier = {(const uint8_t *)"\x30\x05\x06\x03\x2b\x65\x70", 7},
    .generate = ed25519_generate,
    .derive = ed25519_derive,
    .check = ed25519_check,
    .knows = ed25519_knows,
    .sign = ed25519_sign,
    .verify = ed25519_verify,
    .read_private = ed25519_read_private,
    .put_private = ed25519_put_private,
};
