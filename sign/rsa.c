/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RSA (RFC 8017) on libgcrypt: RSASSA-PKCS1-v1_5 and RSASSA-PSS with MGF1 and a salt as long as the hash.
 * libgcrypt 1.10 takes s >= n and signatures with zeros in front, and any modulus and exponent: all that is
 * refused here first.
 */
#include "base/hash.h"
#include "base/limits.h"
#include "sign/alg.h"
#include "sign/der.h"
#include "sign/gcry.h"

#include <stdio.h>

#define MODULUS_MAX  (LIMIT_RSA_MAX / 8)
#define EXPONENT_MAX 32U /* FIPS 186-5 section 5.4 (e): e < 2^256 */

/* RSAPublicKey: RFC 8017 appendix A.1.1. */
static bool public_parse(struct bytes der, struct bytes *ret_n, struct bytes *ret_e)
{
    struct bytes seq;
    return sign_der_take(&der, DER_SEQUENCE, &seq) && der.len == 0 && sign_der_take_uint(&seq, ret_n) &&
           sign_der_take_uint(&seq, ret_e) && seq.len == 0;
}

/* Of digits without leading zeros. */
static unsigned bits_of(struct bytes digits)
{
    unsigned bits = (unsigned)(8 * digits.len);
    for (uint8_t top = digits.len ? digits.ptr[0] : 0x80; !(top & 0x80); top = (uint8_t)(top << 1))
        bits--;
    return bits;
}

unsigned sign_rsa_bits(struct bytes public_key)
{
    struct bytes n, exponent;
    return public_parse(public_key, &n, &exponent) ? bits_of(n) : 0;
}

static bool is_odd(struct bytes digits)
{
    return digits.len && (digits.ptr[digits.len - 1] & 1);
}

static int check_size(unsigned bits, struct err *e)
{
    if (bits < LIMIT_RSA_MIN || bits > LIMIT_RSA_MAX)
        return err_set(e, ERR_UNSUPPORTED, "an RSA key of %u bits; taken are %u to %u", bits, LIMIT_RSA_MIN,
                       LIMIT_RSA_MAX);
    return 0;
}

static int check_numbers(struct bytes n, struct bytes exponent, struct err *e)
{
    int r = check_size(bits_of(n), e);
    if (r)
        return r;
    if (!is_odd(n))
        return err_set(e, ERR_FORMAT, "the modulus of the RSA key is even");
    if (!is_odd(exponent) || exponent.len > EXPONENT_MAX || bits_of(exponent) < 17)
        return err_set(e, ERR_UNSUPPORTED,
                       "the public exponent of the RSA key is not an odd number from 65537 up");
    return 0;
}

static int rsa_check(const struct sign_alg *alg, struct bytes public_key, struct err *e)
{
    (void)alg;
    struct bytes n, exponent;
    if (!public_parse(public_key, &n, &exponent))
        return err_set(e, ERR_FORMAT, "malformed RSA public key");
    return check_numbers(n, exponent, e);
}

/* RSAPrivateKey, RFC 8017 appendix A.1.2, in the order of the file. */
enum { N, E, D, P, Q, DP, DQ, QINV, NUMBERS };

struct numbers {
    gcry_mpi_t at[NUMBERS]; /* libgcrypt wipes what it frees: hash_init sees to that */
};

static void numbers_done(struct numbers *x)
{
    for (size_t i = 0; i < NUMBERS; i++)
        gcry_mpi_release(x->at[i]);
}

static int malformed(struct err *e)
{
    return err_set(e, ERR_FORMAT, "malformed RSA private key");
}

static int numbers_parse(struct bytes der, struct numbers *ret, struct err *e)
{
    struct bytes seq, version, digits, n = BYTES_NONE;
    if (!sign_der_take(&der, DER_SEQUENCE, &seq) || der.len || !sign_der_take_uint(&seq, &version))
        return malformed(e);
    if (version.len)
        return err_set(e, ERR_UNSUPPORTED, "an RSA private key of more than two primes");
    for (size_t i = 0; i < NUMBERS; i++) {
        if (!sign_der_take_uint(&seq, &digits) || !digits.len || digits.len > MODULUS_MAX + 1)
            return malformed(e);
        if (i == N)
            n = digits;
        int r = i == E ? check_numbers(n, digits, e) : 0;
        if (r)
            return r;
        gcry_error_t g = gcry_mpi_scan(&ret->at[i], GCRYMPI_FMT_USG, digits.ptr, digits.len, NULL);
        if (g)
            return sign_gcry_fail(g, e);
    }
    return seq.len ? malformed(e) : 0;
}

/* a = b * c (mod m), where m is NULL or a factor; true when that holds. */
static bool is_product(gcry_mpi_t a, gcry_mpi_t b, gcry_mpi_t c, gcry_mpi_t m)
{
    AUTO(gcry_mpi) t = gcry_mpi_new(0);
    if (m)
        gcry_mpi_mulm(t, b, c, m);
    else
        gcry_mpi_mul(t, b, c);
    return gcry_mpi_cmp(t, a) == 0;
}

/* One prime's exponent: x = d mod (prime - 1), and e * x = 1 (mod prime - 1). */
static bool exponent_fits(const struct numbers *k, int prime, int x)
{
    AUTO(gcry_mpi) less = gcry_mpi_new(0);
    AUTO(gcry_mpi) rest = gcry_mpi_new(0);
    AUTO(gcry_mpi) one = gcry_mpi_set_ui(NULL, 1);
    gcry_mpi_sub_ui(less, k->at[prime], 1);
    gcry_mpi_mod(rest, k->at[D], less);
    return gcry_mpi_cmp(rest, k->at[x]) == 0 && is_product(one, k->at[E], k->at[x], less);
}

/* The eight numbers must be those of one key: a signature with wrong ones can give the key away. */
static int numbers_check(const struct numbers *k, struct err *e)
{
    AUTO(gcry_mpi) one = gcry_mpi_set_ui(NULL, 1);
    bool good = gcry_mpi_cmp_ui(k->at[P], 1) > 0 && gcry_mpi_cmp_ui(k->at[Q], 1) > 0 &&
                gcry_mpi_cmp(k->at[P], k->at[Q]) != 0 && gcry_mpi_cmp(k->at[D], k->at[N]) < 0 &&
                gcry_mpi_cmp(k->at[QINV], k->at[P]) < 0 && is_product(k->at[N], k->at[P], k->at[Q], NULL) &&
                is_product(one, k->at[Q], k->at[QINV], k->at[P]) && exponent_fits(k, P, DP) &&
                exponent_fits(k, Q, DQ);
    return good ? 0 : err_set(e, ERR_FORMAT, "the numbers of the RSA private key do not fit each other");
}

static void put_number(gcry_mpi_t x, struct buf *out)
{
    AUTO_DONE(buf) digits = BUF_SECRET_INIT(MODULUS_MAX + 2);
    size_t n = 0;
    uint8_t *to = buf_reserve(&digits, (gcry_mpi_get_nbits(x) + 7) / 8 + 1);
    if (!to || gcry_mpi_print(GCRYMPI_FMT_USG, to, (gcry_mpi_get_nbits(x) + 7) / 8 + 1, &n, x) != 0)
        out->failed = ERR_NOMEM;
    else
        sign_der_put_uint(out, bytes_of(to, n));
}

static int put_public(const struct numbers *k, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) seq = BUF_INIT(LIMIT_KEY_FILE);
    put_number(k->at[N], &seq);
    put_number(k->at[E], &seq);
    int r = buf_check(&seq, e);
    if (!r)
        sign_der_put(out, DER_SEQUENCE, buf_bytes(&seq));
    return r ? r : buf_check(out, e);
}

static int rsa_derive(const struct sign_alg *alg, struct bytes secret, struct buf *ret_public, struct err *e)
{
    (void)alg;
    __attribute__((cleanup(numbers_done))) struct numbers k = {{NULL}};
    int r = numbers_parse(secret, &k, e);
    if (!r)
        r = numbers_check(&k, e);
    return r ? r : put_public(&k, ret_public, e);
}

/* What libgcrypt calls u is p^-1 mod q: with its primes changed over that is PKCS#1's coefficient. */
static int numbers_of(gcry_sexp_t pair, struct numbers *ret, struct err *e)
{
    AUTO(gcry_sexp) key = gcry_sexp_find_token(pair, "private-key", 0);
    AUTO(gcry_mpi) less = gcry_mpi_new(0);
    gcry_error_t g = key ? gcry_sexp_extract_param(key, NULL, "nedqpu", &ret->at[N], &ret->at[E], &ret->at[D],
                                                   &ret->at[P], &ret->at[Q], &ret->at[QINV], NULL)
                         : gcry_error(GPG_ERR_NO_OBJ);
    if (g)
        return sign_gcry_fail(g, e);
    ret->at[DP] = gcry_mpi_new(0);
    ret->at[DQ] = gcry_mpi_new(0);
    gcry_mpi_sub_ui(less, ret->at[P], 1);
    gcry_mpi_mod(ret->at[DP], ret->at[D], less);
    gcry_mpi_sub_ui(less, ret->at[Q], 1);
    gcry_mpi_mod(ret->at[DQ], ret->at[D], less);
    return 0;
}

static int rsa_generate(const struct sign_alg *alg, unsigned bits, struct buf *ret_secret, struct err *e)
{
    (void)alg;
    AUTO(gcry_sexp) order = NULL;
    AUTO(gcry_sexp) pair = NULL;
    __attribute__((cleanup(numbers_done))) struct numbers k = {{NULL}};
    AUTO_DONE(buf) seq = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    int r = check_size(bits, e);
    if (r)
        return r;
    gcry_error_t g = gcry_sexp_build(&order, NULL, "(genkey(rsa(nbits %u)(rsa-use-e 5:65537)))", bits);
    if (!g)
        g = gcry_pk_genkey(&pair, order);
    if (g)
        return sign_gcry_fail(g, e);
    r = numbers_of(pair, &k, e);
    if (r)
        return r;
    sign_der_put_uint(&seq, BYTES_NONE);
    for (size_t i = 0; i < NUMBERS; i++)
        put_number(k.at[i], &seq);
    r = buf_check(&seq, e);
    if (!r)
        sign_der_put(ret_secret, DER_SEQUENCE, buf_bytes(&seq));
    return r ? r : buf_check(ret_secret, e);
}

static bool rsa_knows(struct sign_scheme scheme)
{
    return scheme.mode == SIGN_MODE_RSA_PKCS1 || scheme.mode == SIGN_MODE_RSA_PSS;
}

static int message_sexp(struct sign_scheme scheme, struct bytes message, gcry_sexp_t *ret, struct err *e)
{
    char format[96];
    struct digest d;
    size_t len = hash_len(scheme.hash);
    int r = hash_bytes(scheme.hash, message, &d, e);
    if (r)
        return r;
    if (scheme.mode == SIGN_MODE_RSA_PSS)
        (void)snprintf(format, sizeof(format), "(data(flags pss)(salt-length 2:%zu)(hash %s %%b))", len,
                       hash_name(scheme.hash));
    else
        (void)snprintf(format, sizeof(format), "(data(flags pkcs1)(hash %s %%b))", hash_name(scheme.hash));
    gcry_error_t g = gcry_sexp_build(ret, NULL, format, (int)len, d.value);
    return g ? sign_gcry_fail(g, e) : 0;
}

/* The signature is as long as the modulus, with zeros in front where it needs them. */
static int put_signature(gcry_sexp_t sig, size_t len, struct buf *out, struct err *e)
{
    AUTO(gcry_mpi) s = NULL;
    size_t n = 0;
    uint8_t digits[MODULUS_MAX + 1];
    gcry_error_t g = gcry_sexp_extract_param(sig, NULL, "s", &s, NULL);
    if (!g)
        g = gcry_mpi_print(GCRYMPI_FMT_USG, digits, sizeof(digits), &n, s);
    if (g)
        return sign_gcry_fail(g, e);
    for (size_t i = n; i < len; i++)
        buf_append_u8(out, 0);
    buf_append(out, digits, n);
    return buf_check(out, e);
}

/* libgcrypt wants the smaller prime first and the first one's inverse modulo the second: its Chinese
 * remainder step adds the second prime but once, and gives a wrong signature now and then when that is too
 * little. */
static int private_sexp(const struct numbers *k, gcry_sexp_t *ret, struct err *e)
{
    AUTO(gcry_mpi) inverse = gcry_mpi_new(0);
    bool in_order = gcry_mpi_cmp(k->at[P], k->at[Q]) < 0;
    gcry_mpi_t p = k->at[in_order ? P : Q], q = k->at[in_order ? Q : P];
    if (!gcry_mpi_invm(inverse, p, q))
        return malformed(e);
    gcry_error_t g = gcry_sexp_build(ret, NULL, "(private-key(rsa(n %M)(e %M)(d %M)(p %M)(q %M)(u %M)))",
                                     k->at[N], k->at[E], k->at[D], p, q, inverse);
    return g ? sign_gcry_fail(g, e) : 0;
}

static int sign_unchecked(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                          struct buf *out, struct err *e)
{
    __attribute__((cleanup(numbers_done))) struct numbers x = {{NULL}};
    AUTO(gcry_sexp) key = NULL;
    AUTO(gcry_sexp) data = NULL;
    AUTO(gcry_sexp) sig = NULL;
    int r = numbers_parse(sign_key_secret(k), &x, e);
    if (!r)
        r = message_sexp(scheme, message, &data, e);
    if (!r)
        r = private_sexp(&x, &key, e);
    if (r)
        return r;
    gcry_error_t g = gcry_pk_sign(&sig, data, key);
    return g ? sign_gcry_fail(g, e) : put_signature(sig, (sign_key_bits(k) + 7) / 8, out, e);
}

static int rsa_verify(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                      struct bytes signature, bool *ret_good, struct err *e)
{
    struct bytes n, exponent;
    if (!public_parse(sign_key_public(k), &n, &exponent) || signature.len != n.len ||
        memcmp(signature.ptr, n.ptr, n.len) >= 0) {
        *ret_good = false;
        return 0;
    }
    AUTO(gcry_sexp) key = NULL;
    AUTO(gcry_sexp) data = NULL;
    AUTO(gcry_sexp) sig = NULL;
    AUTO(gcry_mpi) mpi_n = NULL;
    AUTO(gcry_mpi) mpi_e = NULL;
    AUTO(gcry_mpi) mpi_s = NULL;
    int r = message_sexp(scheme, message, &data, e);
    if (r)
        return r;
    gcry_error_t g = gcry_mpi_scan(&mpi_n, GCRYMPI_FMT_USG, n.ptr, n.len, NULL);
    if (!g)
        g = gcry_mpi_scan(&mpi_e, GCRYMPI_FMT_USG, exponent.ptr, exponent.len, NULL);
    if (!g)
        g = gcry_mpi_scan(&mpi_s, GCRYMPI_FMT_USG, signature.ptr, signature.len, NULL);
    if (!g)
        g = gcry_sexp_build(&sig, NULL, "(sig-val(rsa(s %M)))", mpi_s);
    if (!g)
        g = gcry_sexp_build(&key, NULL, "(public-key(rsa(n %M)(e %M)))", mpi_n, mpi_e);
    return g ? sign_gcry_fail(g, e) : sign_gcry_verdict(gcry_pk_verify(sig, data, key), ret_good, e);
}

/* One wrong signature by remainders gives both primes away, so none leaves unchecked. */
static int rsa_sign(const struct sign_key *k, struct sign_scheme scheme, struct bytes message,
                    struct buf *out, struct err *e)
{
    AUTO_DONE(buf) signature = BUF_SECRET_INIT(MODULUS_MAX + 1);
    bool good = false;
    int r = sign_unchecked(k, scheme, message, &signature, e);
    if (!r)
        r = rsa_verify(k, scheme, message, buf_bytes(&signature), &good, e);
    if (r)
        return r;
    if (!good)
        return err_set(e, ERR_OTHER, "a signature just made is wrong: a faulty processor or memory");
    buf_append_bytes(out, buf_bytes(&signature));
    return buf_check(out, e);
}

/* RFC 5958 leaves the octets to the algorithm: here they are RSAPrivateKey, and the secret is all of it. */
static int rsa_read_private(const struct sign_alg *alg, struct bytes der, struct bytes *ret_secret,
                            struct bytes *ret_public, struct err *e)
{
    (void)alg;
    (void)e;
    *ret_secret = der;
    *ret_public = BYTES_NONE;
    return 0;
}

static void rsa_put_private(const struct sign_key *k, struct buf *out)
{
    buf_append_bytes(out, sign_key_secret(k));
}

const struct sign_alg sign_alg_rsa = {
    .type = SIGN_KEY_RSA,
    .name = "rsa",
    .scheme = {SIGN_MODE_RSA_PKCS1, HASH_SHA256},
    .identifier = {(const uint8_t *)"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 15},
    .generate = rsa_generate,
    .derive = rsa_derive,
    .check = rsa_check,
    .knows = rsa_knows,
    .sign = rsa_sign,
    .verify = rsa_verify,
    .read_private = rsa_read_private,
    .put_private = rsa_put_private,
};
