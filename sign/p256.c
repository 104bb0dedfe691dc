/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA on P-256 with SHA-256 (FIPS 186-5) on libgcrypt; signatures as Ecdsa-Sig-Value (RFC 3279 section
 * 2.2.3), read strictly. */
#include "base/hash.h"
#include "sign/alg.h"
#include "sign/der.h"
#include "sign/gcry.h"

#define LEN          32U
#define POINT_LEN    65U
#define SIG_MAX      72U /* two INTEGERs of at most 33 bytes */

#define CURVE_OID    BYTES_LIT("\x2a\x86\x48\xce\x3d\x03\x01\x07")
#define PRIVATE_SEXP "(private-key(ecc(curve \"NIST P-256\")(d %b)))"

/* SP 800-186 section 3.2.1.3: the order of the base point, big-endian. */
static const uint8_t order_n[LEN] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                     0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

/* 1 to n-1, as digits without leading zeros. */
static bool in_range(struct bytes digits)
{
    if (digits.len == 0 || digits.len > LEN)
        return false;
    return digits.len < LEN || memcmp(digits.ptr, order_n, LEN) < 0;
}

static bool secret_in_range(const uint8_t *secret)
{
    struct bytes digits = bytes_of(secret, LEN);
    while (digits.len && digits.ptr[0] == 0)
        digits = bytes_of(digits.ptr + 1, digits.len - 1);
    return in_range(digits);
}

static int p256_check(const uint8_t *public_key, struct err *e)
{
    AUTO(gcry_context) ctx = NULL;
    AUTO(gcry_mpi_point) point = gcry_mpi_point_new(0);
    AUTO(gcry_mpi) value = NULL;
    if (!point)
        return err_nomem(e);
    if (public_key[0] != 4)
        return err_set(e, ERR_UNSUPPORTED, "P-256 public keys are taken as uncompressed points only");
    gcry_error_t g = gcry_mpi_scan(&value, GCRYMPI_FMT_USG, public_key, POINT_LEN, NULL);
    if (!g)
        g = gcry_mpi_ec_new(&ctx, NULL, "NIST P-256");
    if (g)
        return sign_gcry_fail(g, e);
    if (gcry_mpi_ec_decode_point(point, value, ctx) != 0 || !gcry_mpi_ec_curve_point(point, ctx))
        return err_set(e, ERR_FORMAT, "not a P-256 public key: no point of the curve");
    return 0;
}

static int p256_generate(uint8_t ret_secret[SIGN_SECRET_LEN], struct err *e)
{
    int r;
    do
        r = hash_random(ret_secret, SIGN_SECRET_LEN, e);
    while (!r && !secret_in_range(ret_secret));
    return r;
}

static int p256_derive(const uint8_t secret[SIGN_SECRET_LEN], uint8_t *ret_public, struct err *e)
{
    AUTO(gcry_sexp) key = NULL;
    AUTO(gcry_context) ctx = NULL;
    if (!secret_in_range(secret))
        return err_set(e, ERR_FORMAT, "the number of the P-256 private key is out of range");
    int r = sign_gcry_secret(PRIVATE_SEXP, bytes_of(secret, SIGN_SECRET_LEN), &key, e);
    if (r)
        return r;
    gcry_error_t g = gcry_mpi_ec_new(&ctx, key, NULL);
    if (g)
        return sign_gcry_fail(g, e);
    AUTO(gcry_mpi) q = gcry_mpi_ec_get_mpi("q", ctx, 1);
    uint8_t point[POINT_LEN];
    size_t n = 0;
    if (!q || gcry_mpi_print(GCRYMPI_FMT_USG, point, sizeof(point), &n, q) != 0 || n != sizeof(point))
        return err_set(e, ERR_OTHER, "libgcrypt gives no P-256 public key");
    memcpy(ret_public, point, sizeof(point));
    return 0;
}

static int message_sexp(const char *format, struct bytes message, gcry_sexp_t *ret, struct err *e)
{
    struct digest d;
    int r = hash_bytes(HASH_SHA256, message, &d, e);
    if (r)
        return r;
    gcry_error_t g = gcry_sexp_build(ret, NULL, format, (int)LEN, d.value);
    return g ? sign_gcry_fail(g, e) : 0;
}

static int p256_sign(const struct sign_key *k, struct bytes message, struct buf *out, struct err *e)
{
    AUTO(gcry_sexp) key = NULL;
    AUTO(gcry_sexp) data = NULL;
    AUTO(gcry_sexp) sig = NULL;
    int r = sign_gcry_secret(PRIVATE_SEXP, BYTES_ARR(k->secret), &key, e);
    if (!r)
        r = message_sexp("(data(flags rfc6979)(hash sha256 %b))", message, &data, e);
    if (r)
        return r;
    uint8_t raw_r[LEN + 1], raw_s[LEN + 1];
    gcry_buffer_t half_r = {.data = raw_r, .size = sizeof(raw_r)};
    gcry_buffer_t half_s = {.data = raw_s, .size = sizeof(raw_s)};
    gcry_error_t g = gcry_pk_sign(&sig, data, key);
    if (!g)
        g = gcry_sexp_extract_param(sig, NULL, "&rs", &half_r, &half_s, NULL);
    if (g)
        return sign_gcry_fail(g, e);
    AUTO_DONE(buf) both = BUF_INIT(SIG_MAX);
    sign_der_put_uint(&both, bytes_of(raw_r, half_r.len));
    sign_der_put_uint(&both, bytes_of(raw_s, half_s.len));
    r = buf_check(&both, e);
    if (r)
        return r;
    sign_der_put(out, DER_SEQUENCE, buf_bytes(&both));
    return buf_check(out, e);
}

static bool signature_parse(struct bytes der, struct bytes *ret_r, struct bytes *ret_s)
{
    struct bytes both;
    return sign_der_take(&der, DER_SEQUENCE, &both) && der.len == 0 && sign_der_take_uint(&both, ret_r) &&
           sign_der_take_uint(&both, ret_s) && both.len == 0 && in_range(*ret_r) && in_range(*ret_s);
}

static int p256_verify(const struct sign_key *k, struct bytes message, struct bytes signature, bool *ret_good,
                       struct err *e)
{
    struct bytes raw_r, raw_s;
    if (!signature_parse(signature, &raw_r, &raw_s)) {
        *ret_good = false;
        return 0;
    }
    AUTO(gcry_sexp) key = NULL;
    AUTO(gcry_sexp) data = NULL;
    AUTO(gcry_sexp) sig = NULL;
    AUTO(gcry_mpi) mpi_r = NULL;
    AUTO(gcry_mpi) mpi_s = NULL;
    int r = message_sexp("(data(flags raw)(hash sha256 %b))", message, &data, e);
    if (r)
        return r;
    gcry_error_t g = gcry_mpi_scan(&mpi_r, GCRYMPI_FMT_USG, raw_r.ptr, raw_r.len, NULL);
    if (!g)
        g = gcry_mpi_scan(&mpi_s, GCRYMPI_FMT_USG, raw_s.ptr, raw_s.len, NULL);
    if (!g)
        g = gcry_sexp_build(&sig, NULL, "(sig-val(ecdsa(r %M)(s %M)))", mpi_r, mpi_s);
    if (!g)
        g = gcry_sexp_build(&key, NULL, "(public-key(ecc(curve \"NIST P-256\")(q %b)))", (int)POINT_LEN,
                            k->public_key);
    return g ? sign_gcry_fail(g, e) : sign_gcry_verdict(gcry_pk_verify(sig, data, key), ret_good, e);
}

/* ECPrivateKey, RFC 5915 section 3. The curve may be repeated in it, and must then be the same. */
static int p256_read_private(struct bytes der, struct bytes *ret_secret, struct bytes *ret_public,
                             struct err *e)
{
    struct bytes seq, version, secret, part, oid, point = BYTES_NONE;
    bool good = sign_der_take(&der, DER_SEQUENCE, &seq) && der.len == 0 &&
                sign_der_take_uint(&seq, &version) && bytes_eq(version, BYTES_LIT("\x01")) &&
                sign_der_take(&seq, DER_OCTET_STRING, &secret) && secret.len == SIGN_SECRET_LEN;
    if (good && sign_der_take(&seq, DER_CONTEXT_0, &part))
        good = sign_der_take(&part, DER_OID, &oid) && part.len == 0 && bytes_eq(oid, CURVE_OID);
    if (good && sign_der_take(&seq, DER_CONTEXT_1, &part))
        good = sign_der_take_bits(&part, DER_BIT_STRING, &point) && part.len == 0 && point.len;
    if (!good || seq.len)
        return err_set(e, ERR_FORMAT, "malformed P-256 private key");
    *ret_secret = secret;
    *ret_public = point;
    return 0;
}

static void p256_put_private(const struct sign_key *k, struct buf *out)
{
    AUTO_DONE(buf) seq = BUF_SECRET_INIT(256);
    AUTO_DONE(buf) point = BUF_INIT(128);
    sign_der_put_bits(&point, DER_BIT_STRING, bytes_of(k->public_key, POINT_LEN));
    sign_der_put_uint(&seq, BYTES_LIT("\x01"));
    sign_der_put(&seq, DER_OCTET_STRING, BYTES_ARR(k->secret));
    sign_der_put(&seq, DER_CONTEXT_1, buf_bytes(&point));
    out->failed = out->failed ? out->failed : point.failed ? point.failed : seq.failed;
    sign_der_put(out, DER_SEQUENCE, buf_bytes(&seq));
}

const struct sign_alg sign_alg_p256 = {
    .type = SIGN_KEY_P256,
    .name = "p256",
    .public_len = POINT_LEN,
    .scheme = {SIGN_MODE_ECDSA_DER, HASH_SHA256},
    .identifier = {(const uint8_t *)"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
                                    "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
                   21},
    .generate = p256_generate,
    .derive = p256_derive,
    .check = p256_check,
    .sign = p256_sign,
    .verify = p256_verify,
    .read_private = p256_read_private,
    .put_private = p256_put_private,
};
