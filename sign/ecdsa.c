/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECDSA on P-256 and P-384 (FIPS 186-5) on libgcrypt, deterministic (RFC 6979); signatures as Ecdsa-Sig-Value
 * (RFC 3279 section 2.2.3), read strictly, or as r‖s (RFC 7518 section 3.4). libgcrypt takes compressed
 * points too; they are refused here, so that a key has one form.
 */
#include "base/hash.h"
#include "sign/alg.h"
#include "sign/der.h"
#include "sign/gcry.h"

#include <stdio.h>

#define LEN_MAX   48U
#define POINT_MAX (1 + 2 * LEN_MAX)
#define SIG_MAX   (2 * (LEN_MAX + 3) + 4)

struct sign_curve {
    const char *name;
    size_t len; /* of the order, of a coordinate and of the secret */
    uint8_t order[LEN_MAX];
    struct bytes oid;
    const char *gcry_name, *private_sexp, *public_sexp;
};

/* SP 800-186 section 3.2.1.3 and 3.2.1.4: the orders of the base points, big-endian. */
static const struct sign_curve p256 = {
    .name = "P-256",
    .len = 32,
    .order = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
              0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51},
    .oid = {(const uint8_t *)"\x2a\x86\x48\xce\x3d\x03\x01\x07", 8},
    .gcry_name = "NIST P-256",
    .private_sexp = "(private-key(ecc(curve \"NIST P-256\")(d %b)))",
    .public_sexp = "(public-key(ecc(curve \"NIST P-256\")(q %b)))",
};

static const struct sign_curve p384 = {
    .name = "P-384",
    .len = 48,
    .order = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
              0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
              0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73},
    .oid = {(const uint8_t *)"\x2b\x81\x04\x00\x22", 5},
    .gcry_name = "NIST P-384",
    .private_sexp = "(private-key(ecc(curve \"NIST P-384\")(d %b)))",
    .public_sexp = "(public-key(ecc(curve \"NIST P-384\")(q %b)))",
};

static struct bytes without_zeros(struct bytes digits)
{
    while (digits.len && digits.ptr[0] == 0)
        digits = bytes_of(digits.ptr + 1, digits.len - 1);
    return digits;
}

/* 1 to n-1, as digits without leading zeros. */
static bool in_range(const struct sign_curve *c, struct bytes digits)
{
    if (digits.len == 0 || digits.len > c->len)
        return false;
    return digits.len < c->len || memcmp(digits.ptr, c->order, c->len) < 0;
}

static int ecdsa_check(const struct sign_alg *alg, struct bytes public_key, struct err *e)
{
    const struct sign_curve *c = alg->curve;
    AUTO(gcry_context) ctx = NULL;
    AUTO(gcry_mpi_point) point = NULL;
    AUTO(gcry_mpi) value = NULL;
    bool whole = public_key.len == 1 + 2 * c->len;
    if (public_key.len == 1 + c->len && (public_key.ptr[0] == 2 || public_key.ptr[0] == 3))
        return err_set(e, ERR_UNSUPPORTED, "%s public keys are taken as uncompressed points only", c->name);
    if (!whole)
        return err_set(e, ERR_FORMAT, "a public key of %zu bytes where %s has %zu", public_key.len, c->name,
                       1 + 2 * c->len);
    if (public_key.ptr[0] != 4)
        return err_set(e, ERR_UNSUPPORTED, "%s public keys are taken as uncompressed points only", c->name);
    if (!(point = gcry_mpi_point_new(0)))
        return err_nomem(e);
    gcry_error_t g = gcry_mpi_scan(&value, GCRYMPI_FMT_USG, public_key.ptr, public_key.len, NULL);
    if (!g)
        g = gcry_mpi_ec_new(&ctx, NULL, c->gcry_name);
    if (g)
        return sign_gcry_fail(g, e);
    if (gcry_mpi_ec_decode_point(point, value, ctx) != 0 || !gcry_mpi_ec_curve_point(point, ctx))
        return err_set(e, ERR_FORMAT, "not a %s public key: no point of the curve", c->name);
    return 0;
}

static int ecdsa_generate(const struct sign_alg *alg, unsigned bits, struct buf *ret_secret, struct err *e)
{
    (void)bits;
    const struct sign_curve *c = alg->curve;
    uint8_t *to = buf_reserve(ret_secret, c->len);
    if (!to)
        return buf_check(ret_secret, e);
    int r;
    do
        r = hash_random(to, c->len, e);
    while (!r && !in_range(c, without_zeros(bytes_of(to, c->len))));
    if (!r)
        ret_secret->len += c->len;
    return r;
}

static int ecdsa_derive(const struct sign_alg *alg, struct bytes secret, struct buf *ret_public,
                        struct err *e)
{
    const struct sign_curve *c = alg->curve;
    AUTO(gcry_sexp) key = NULL;
    AUTO(gcry_context) ctx = NULL;
    if (secret.len != c->len)
        return err_set(e, ERR_FORMAT, "a secret of %zu bytes where %s has %zu", secret.len, c->name, c->len);
    if (!in_range(c, without_zeros(secret)))
        return err_set(e, ERR_FORMAT, "the number of the %s private key is out of range", c->name);
    int r = sign_gcry_secret(c->private_sexp, secret, &key, e);
    if (r)
        return r;
    gcry_error_t g = gcry_mpi_ec_new(&ctx, key, NULL);
    if (g)
        return sign_gcry_fail(g, e);
    AUTO(gcry_mpi) q = gcry_mpi_ec_get_mpi("q", ctx, 1);
    uint8_t point[POINT_MAX];
    size_t n = 0;
    if (!q || gcry_mpi_print(GCRYMPI_FMT_USG, point, sizeof(point), &n, q) != 0 || n != 1 + 2 * c->len)
        return err_set(e, ERR_OTHER, "libgcrypt gives no %s public key", c->name);
    buf_append(ret_public, point, n);
    return buf_check(ret_public, e);
}

static bool ecdsa_knows(struct sign_scheme scheme)
{
    return scheme.mode == SIGN_MODE_ECDSA_DER || scheme.mode == SIGN_MODE_ECDSA_RAW;
}

/* flags: "raw" or "rfc6979". */
static int message_sexp(const char *flags, enum hash_alg hash, struct bytes message, gcry_sexp_t *ret,
                        struct err *e)
{
    char format[64];
    struct digest d;
    int r = hash_bytes(hash, message, &d, e);
    if (r)
        return r;
    (void)snprintf(format, sizeof(format), "(data(flags %s)(hash %s %%b))", flags, hash_name(hash));
    gcry_error_t g = gcry_sexp_build(ret, NULL, format, (int)hash_len(hash), d.value);
    return g ? sign_gcry_fail(g, e) : 0;
}

static void put_raw(struct buf *out, size_t len, struct bytes digits)
{
    for (size_t i = digits.len; i < len; i++)
        buf_append_u8(out, 0);
    buf_append_bytes(out, digits);
}

static int put_signature(const struct sign_curve *c, enum sign_mode mode, struct bytes raw_r,
                         struct bytes raw_s, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) both = BUF_INIT(SIG_MAX);
    if (mode == SIGN_MODE_ECDSA_RAW) {
        put_raw(out, c->len, without_zeros(raw_r));
        put_raw(out, c->len, without_zeros(raw_s));
        return buf_check(out, e);
    }
    sign_der_put_uint(&both, raw_r);
    sign_der_put_uint(&both, raw_s);
    int r = buf_check(&both, e);
    if (r)
        return r;
    sign_der_put(out, DER_SEQUENCE, buf_bytes(&both));
    return buf_check(out, e);
}

static int ecdsa_sign(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                      struct buf *out, struct err *e)
{
    const struct sign_curve *c = k->alg->curve;
    AUTO(gcry_sexp) key = NULL;
    AUTO(gcry_sexp) data = NULL;
    AUTO(gcry_sexp) sig = NULL;
    int r = sign_gcry_secret(c->private_sexp, sign_key_secret(k), &key, e);
    if (!r)
        r = message_sexp("rfc6979", scheme.hash, message, &data, e);
    if (r)
        return r;
    uint8_t raw_r[LEN_MAX + 1], raw_s[LEN_MAX + 1];
    gcry_buffer_t half_r = {.data = raw_r, .size = sizeof(raw_r)};
    gcry_buffer_t half_s = {.data = raw_s, .size = sizeof(raw_s)};
    gcry_error_t g = gcry_pk_sign(&sig, data, key);
    if (!g)
        g = gcry_sexp_extract_param(sig, NULL, "&rs", &half_r, &half_s, NULL);
    if (g)
        return sign_gcry_fail(g, e);
    return put_signature(c, scheme.mode, bytes_of(raw_r, half_r.len), bytes_of(raw_s, half_s.len), out, e);
}

static bool signature_parse(const struct sign_curve *c, enum sign_mode mode, struct bytes sig,
                            struct bytes *ret_r, struct bytes *ret_s)
{
    struct bytes both, raw_r, raw_s;
    if (mode == SIGN_MODE_ECDSA_RAW) {
        if (sig.len != 2 * c->len)
            return false;
        raw_r = without_zeros(bytes_of(sig.ptr, c->len));
        raw_s = without_zeros(bytes_of(sig.ptr + c->len, c->len));
    } else if (!sign_der_take(&sig, DER_SEQUENCE, &both) || sig.len || !sign_der_take_uint(&both, &raw_r) ||
               !sign_der_take_uint(&both, &raw_s) || both.len) {
        return false;
    }
    *ret_r = raw_r;
    *ret_s = raw_s;
    return in_range(c, raw_r) && in_range(c, raw_s);
}

static int ecdsa_verify(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                        struct bytes signature, bool *ret_good, struct err *e)
{
    const struct sign_curve *c = k->alg->curve;
    struct bytes raw_r, raw_s;
    if (!signature_parse(c, scheme.mode, signature, &raw_r, &raw_s)) {
        *ret_good = false;
        return 0;
    }
    AUTO(gcry_sexp) key = NULL;
    AUTO(gcry_sexp) data = NULL;
    AUTO(gcry_sexp) sig = NULL;
    AUTO(gcry_mpi) mpi_r = NULL;
    AUTO(gcry_mpi) mpi_s = NULL;
    int r = message_sexp("raw", scheme.hash, message, &data, e);
    if (r)
        return r;
    gcry_error_t g = gcry_mpi_scan(&mpi_r, GCRYMPI_FMT_USG, raw_r.ptr, raw_r.len, NULL);
    if (!g)
        g = gcry_mpi_scan(&mpi_s, GCRYMPI_FMT_USG, raw_s.ptr, raw_s.len, NULL);
    if (!g)
        g = gcry_sexp_build(&sig, NULL, "(sig-val(ecdsa(r %M)(s %M)))", mpi_r, mpi_s);
    if (!g)
        g = gcry_sexp_build(&key, NULL, c->public_sexp, (int)k->public_len, k->public_key);
    return g ? sign_gcry_fail(g, e) : sign_gcry_verdict(gcry_pk_verify(sig, data, key), ret_good, e);
}

/* ECPrivateKey, RFC 5915 section 3. The curve may be repeated in it, and must then be the same. The number
 * has the order's length, but GnuTLS writes it as an INTEGER's content, with a zero in front of a first bit
 * that is set. */
static int ecdsa_read_private(const struct sign_alg *alg, struct bytes der, struct bytes *ret_secret,
                              struct bytes *ret_public, struct err *e)
{
    const struct sign_curve *c = alg->curve;
    struct bytes seq, version, secret, part, oid, point = BYTES_NONE;
    bool good = sign_der_take(&der, DER_SEQUENCE, &seq) && der.len == 0 &&
                sign_der_take_uint(&seq, &version) && bytes_eq(version, BYTES_LIT("\x01")) &&
                sign_der_take(&seq, DER_OCTET_STRING, &secret);
    if (good && secret.len == c->len + 1 && secret.ptr[0] == 0)
        secret = bytes_of(secret.ptr + 1, c->len);
    good = good && secret.len == c->len;
    if (good && sign_der_take(&seq, DER_CONTEXT_0, &part))
        good = sign_der_take(&part, DER_OID, &oid) && part.len == 0 && bytes_eq(oid, c->oid);
    if (good && sign_der_take(&seq, DER_CONTEXT_1, &part))
        good = sign_der_take_bits(&part, DER_BIT_STRING, &point) && part.len == 0 && point.len;
    if (!good || seq.len)
        return err_set(e, ERR_FORMAT, "malformed %s private key", c->name);
    *ret_secret = secret;
    *ret_public = point;
    return 0;
}

static void ecdsa_put_private(const struct sign_key *k, struct buf *out)
{
    AUTO_DONE(buf) seq = BUF_SECRET_INIT(512);
    AUTO_DONE(buf) point = BUF_INIT(256);
    sign_der_put_bits(&point, DER_BIT_STRING, sign_key_public(k));
    sign_der_put_uint(&seq, BYTES_LIT("\x01"));
    sign_der_put(&seq, DER_OCTET_STRING, sign_key_secret(k));
    sign_der_put(&seq, DER_CONTEXT_1, buf_bytes(&point));
    out->failed = out->failed ? out->failed : point.failed ? point.failed : seq.failed;
    sign_der_put(out, DER_SEQUENCE, buf_bytes(&seq));
}

#define ECDSA                                                                                       \
    .generate = ecdsa_generate, .derive = ecdsa_derive, .check = ecdsa_check, .knows = ecdsa_knows, \
    .sign = ecdsa_sign, .verify = ecdsa_verify, .read_private = ecdsa_read_private,                 \
    .put_private = ecdsa_put_private

const struct sign_alg sign_alg_p256 = {
    .type = SIGN_KEY_P256,
    .name = "p256",
    .scheme = {SIGN_MODE_ECDSA_DER, HASH_SHA256},
    .identifier = {(const uint8_t *)"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
                                    "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
                   21},
    .curve = &p256,
    ECDSA,
};

const struct sign_alg sign_alg_p384 = {
    .type = SIGN_KEY_P384,
    .name = "p384",
    .scheme = {SIGN_MODE_ECDSA_DER, HASH_SHA384},
    .identifier = {(const uint8_t *)"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
                                    "\x06\x05\x2b\x81\x04\x00\x22",
                   18},
    .curve = &p384,
    ECDSA,
};
