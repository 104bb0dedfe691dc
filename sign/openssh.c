/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/openssh.h"

#include "base/limits.h"
#include "sign/alg.h"
#include "sign/der.h"
#include "sign/gcry.h"
#include "sign/sshkey.h"
#include "sign/sshwire.h"

static int malformed(struct err *e)
{
    return err_set(e, ERR_FORMAT, "malformed OpenSSH private key");
}

/* The public key, and seed ‖ public key. */
static int take_ed25519(struct bytes *b, const struct sign_key *public_key, struct sign_key **ret,
                        struct err *e)
{
    struct bytes q, both, seed;
    if (!sign_sshwire_take_string(b, &q) || !sign_sshwire_take_string(b, &both) ||
        !bytes_take(&both, SIGN_SECRET_LEN, &seed) || !bytes_eq(q, both) ||
        !bytes_eq(q, sign_key_public(public_key)))
        return malformed(e);
    return sign_key_new_private(&sign_alg_ed25519, seed, q, ret, e);
}

static int take_ecdsa(struct bytes *b, const struct sign_key *public_key, struct sign_key **ret,
                      struct err *e)
{
    AUTO_DONE(buf) padded = BUF_SECRET_INIT(64);
    const size_t len = sign_key_bits(public_key) / 8;
    struct bytes curve, q, d;
    if (!sign_sshwire_take_string(b, &curve) || !sign_sshwire_take_string(b, &q) ||
        !sign_sshwire_take_mpint(b, &d) || d.len > len || !bytes_eq(q, sign_key_public(public_key)) ||
        !bytes_eq_str(curve, public_key->alg == &sign_alg_p256 ? "nistp256" : "nistp384"))
        return malformed(e);
    for (size_t i = d.len; i < len; i++)
        buf_append_u8(&padded, 0);
    buf_append_bytes(&padded, d);
    int r = buf_check(&padded, e);
    return r ? r : sign_key_new_private(public_key->alg, buf_bytes(&padded), q, ret, e);
}

/* Appends d mod (prime - 1), which SSH leaves out. */
static int put_exponent(struct bytes d, struct bytes prime, struct buf *out, struct err *e)
{
    AUTO(gcry_mpi) a = NULL;
    AUTO(gcry_mpi) m = NULL;
    AUTO(gcry_mpi) rest = gcry_mpi_new(0);
    AUTO_DONE(buf) digits = BUF_SECRET_INIT(LIMIT_RSA_MAX / 8 + 1);
    size_t n = 0;
    gcry_error_t g = gcry_mpi_scan(&a, GCRYMPI_FMT_USG, d.ptr, d.len, NULL);
    if (!g)
        g = gcry_mpi_scan(&m, GCRYMPI_FMT_USG, prime.ptr, prime.len, NULL);
    if (g)
        return sign_gcry_fail(g, e);
    if (gcry_mpi_cmp_ui(m, 1) <= 0)
        return malformed(e);
    gcry_mpi_sub_ui(m, m, 1);
    gcry_mpi_mod(rest, a, m);
    uint8_t *to = buf_reserve(&digits, prime.len + 1);
    if (!to)
        return buf_check(&digits, e);
    if ((g = gcry_mpi_print(GCRYMPI_FMT_USG, to, prime.len + 1, &n, rest)))
        return sign_gcry_fail(g, e);
    sign_der_put_uint(out, bytes_of(to, n));
    return buf_check(out, e);
}

/* n, e, d, the coefficient, p, q; here as RSAPrivateKey (RFC 8017 appendix A.1.2), whose numbers are checked
 * against each other when the key is made. */
static int take_rsa(struct bytes *b, const struct sign_key *public_key, struct sign_key **ret, struct err *e)
{
    enum { N, E, D, COEFFICIENT, P, Q, NUMBERS };
    static const int in_der[] = {N, E, D, P, Q};
    AUTO_DONE(buf) seq = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) der = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    struct bytes at[NUMBERS];
    for (size_t i = 0; i < NUMBERS; i++)
        if (!sign_sshwire_take_mpint(b, &at[i]) || !at[i].len || at[i].len > LIMIT_RSA_MAX / 8)
            return malformed(e);
    sign_der_put_uint(&seq, BYTES_NONE);
    for (size_t i = 0; i < ARRAY_LEN(in_der); i++)
        sign_der_put_uint(&seq, at[in_der[i]]);
    int r = hash_init(e);
    if (!r)
        r = put_exponent(at[D], at[P], &seq, e);
    if (!r)
        r = put_exponent(at[D], at[Q], &seq, e);
    if (r)
        return r;
    sign_der_put_uint(&seq, at[COEFFICIENT]);
    if ((r = buf_check(&seq, e)))
        return r;
    sign_der_put(&der, DER_SEQUENCE, buf_bytes(&seq));
    r = buf_check(&der, e);
    return r ? r : sign_key_new_private(&sign_alg_rsa, buf_bytes(&der), sign_key_public(public_key), ret, e);
}

int sign_openssh_take_secret(struct bytes *b, const struct sign_key *public_key, struct sign_key **ret,
                             struct err *e)
{
    struct bytes type;
    if (!sign_sshwire_take_string(b, &type) || !bytes_eq_str(type, sign_sshkey_type(public_key)))
        return malformed(e);
    switch (sign_key_type(public_key)) {
    case SIGN_KEY_ED25519: return take_ed25519(b, public_key, ret, e);
    case SIGN_KEY_P256:
    case SIGN_KEY_P384: return take_ecdsa(b, public_key, ret, e);
    case SIGN_KEY_RSA: return take_rsa(b, public_key, ret, e);
    }
    return malformed(e);
}

static void put_ed25519(const struct sign_key *k, struct buf *out)
{
    AUTO_DONE(buf) both = BUF_SECRET_INIT(2 * SIGN_SECRET_LEN);
    buf_append_bytes(&both, sign_key_secret(k));
    buf_append_bytes(&both, sign_key_public(k));
    if (both.failed)
        out->failed = both.failed;
    sign_sshwire_put_string(out, sign_key_public(k));
    sign_sshwire_put_string(out, buf_bytes(&both));
}

static int put_rsa(const struct sign_key *k, struct buf *out, struct err *e)
{
    enum { VERSION, N, E, D, P, Q, DP, DQ, COEFFICIENT, NUMBERS };
    static const int in_ssh[] = {N, E, D, COEFFICIENT, P, Q};
    struct bytes der = sign_key_secret(k), seq, at[NUMBERS];
    if (!sign_der_take(&der, DER_SEQUENCE, &seq))
        return malformed(e);
    for (size_t i = 0; i < NUMBERS; i++)
        if (!sign_der_take_uint(&seq, &at[i]))
            return malformed(e);
    for (size_t i = 0; i < ARRAY_LEN(in_ssh); i++)
        sign_sshwire_put_mpint(out, at[in_ssh[i]]);
    return buf_check(out, e);
}

int sign_openssh_put_secret(const struct sign_key *k, struct buf *out, struct err *e)
{
    sign_sshwire_put_string(out, bytes_str(sign_sshkey_type(k)));
    switch (sign_key_type(k)) {
    case SIGN_KEY_ED25519: put_ed25519(k, out); break;
    case SIGN_KEY_P256:
    case SIGN_KEY_P384:
        sign_sshwire_put_string(out, bytes_str(k->alg == &sign_alg_p256 ? "nistp256" : "nistp384"));
        sign_sshwire_put_string(out, sign_key_public(k));
        sign_sshwire_put_mpint(out, sign_key_secret(k));
        break;
    case SIGN_KEY_RSA: return put_rsa(k, out, e);
    }
    return buf_check(out, e);
}
