/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/bcrypt.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"

#define P_WORDS  18U
#define S_WORDS  256U
#define WORDS    (P_WORDS + 4 * S_WORDS)
#define FIXED    (1 + WORDS + 2) /* a number below 2^32, its fraction, and two words for what rounding loses */
#define OUT_LEN  32U
#define COST     64U
#define SALT_MAX 64U

/* Blowfish's boxes: all that it consists of, in the order in which they are filled. */
union state {
    uint32_t all[WORDS];
    struct {
        uint32_t p[P_WORDS];
        uint32_t s[4][S_WORDS];
    } box;
};

static void fixed_divide(uint32_t *x, uint32_t by)
{
    uint64_t rest = 0;
    for (size_t i = 0; i < FIXED; i++) {
        rest = rest << 32 | x[i];
        x[i] = (uint32_t)(rest / by);
        rest %= by;
    }
}

static void fixed_add(uint32_t *to, const uint32_t *x)
{
    uint64_t carry = 0;
    for (size_t i = FIXED; i-- > 0; carry >>= 32) {
        carry += (uint64_t)to[i] + x[i];
        to[i] = (uint32_t)carry;
    }
}

static void fixed_subtract(uint32_t *from, const uint32_t *x)
{
    uint64_t borrow = 0;
    for (size_t i = FIXED; i-- > 0;) {
        uint64_t d = (uint64_t)from[i] - x[i] - borrow;
        from[i] = (uint32_t)d;
        borrow = d >> 63;
    }
}

static bool fixed_is_zero(const uint32_t *x)
{
    uint32_t any = 0;
    for (size_t i = 0; i < FIXED; i++)
        any |= x[i];
    return any == 0;
}

/* times * arctan(1/x): the sum of 1/x - 1/3x^3 + 1/5x^5 ... */
static void fixed_arctan(uint32_t times, uint32_t x, uint32_t *ret)
{
    uint32_t power[FIXED] = {times}, term[FIXED];
    fixed_divide(power, x);
    memcpy(ret, power, sizeof(power));
    for (uint32_t n = 3; !fixed_is_zero(power); n += 2) {
        fixed_divide(power, x * x);
        memcpy(term, power, sizeof(term));
        fixed_divide(term, n);
        if (n & 2)
            fixed_subtract(ret, term);
        else
            fixed_add(ret, term);
    }
}

/* The boxes start as the digits of pi's fraction: pi = 16 arctan(1/5) - 4 arctan(1/239). Worked out, they
 * take 20 ms of the 150 that a key takes, and no table of a thousand numbers. */
static void state_start(union state *st)
{
    uint32_t pi[FIXED], less[FIXED];
    fixed_arctan(16, 5, pi);
    fixed_arctan(4, 239, less);
    fixed_subtract(pi, less);
    memcpy(st->all, pi + 1, sizeof(st->all));
}

static uint32_t mix(const union state *st, uint32_t x)
{
    return ((st->box.s[0][x >> 24] + st->box.s[1][x >> 16 & 255]) ^ st->box.s[2][x >> 8 & 255]) +
           st->box.s[3][x & 255];
}

static void encrypt(const union state *st, uint32_t lr[2])
{
    uint32_t l = lr[0] ^ st->box.p[0], r = lr[1];
    for (size_t i = 1; i < P_WORDS - 1; i += 2) {
        r ^= mix(st, l) ^ st->box.p[i];
        l ^= mix(st, r) ^ st->box.p[i + 1];
    }
    lr[0] = r ^ st->box.p[P_WORDS - 1];
    lr[1] = l;
}

/* The next four bytes, from the start again behind the end. */
static uint32_t next_word(const uint8_t data[HASH_SHA512_LEN], size_t *at)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < 4; i++, *at = (*at + 1) % HASH_SHA512_LEN)
        v = v << 8 | data[*at];
    return v;
}

/* salt: NULL where the schedule takes none. */
static void expand(union state *st, const uint8_t *salt, const uint8_t *key)
{
    size_t at = 0;
    uint32_t lr[2] = {0, 0};
    for (size_t i = 0; i < P_WORDS; i++)
        st->box.p[i] ^= next_word(key, &at);
    at = 0;
    for (size_t i = 0; i < WORDS; i += 2) {
        if (salt) {
            lr[0] ^= next_word(salt, &at);
            lr[1] ^= next_word(salt, &at);
        }
        encrypt(st, lr);
        st->all[i] = lr[0];
        st->all[i + 1] = lr[1];
    }
}

static void bcrypt_hash(const union state *start, const uint8_t *password, const uint8_t *salt, uint8_t *out)
{
    static const uint8_t text[HASH_SHA512_LEN] = "OxychromaticBlowfishSwatDynamite";
    union state st = *start;
    size_t at = 0;
    expand(&st, salt, password);
    for (unsigned i = 0; i < COST; i++) {
        expand(&st, NULL, salt);
        expand(&st, NULL, password);
    }
    for (size_t block = 0; block < OUT_LEN; block += 8) {
        uint32_t lr[2];
        lr[0] = next_word(text, &at);
        lr[1] = next_word(text, &at);
        for (unsigned i = 0; i < COST; i++)
            encrypt(&st, lr);
        for (size_t i = 0; i < 8; i++)
            out[block + i] = (uint8_t)(lr[i / 4] >> (8 * (i % 4)));
    }
    mem_wipe(&st, sizeof(st));
}

/* One block of the output: what all rounds make, each one's salt being what the one before made. */
static int derive_block(const union state *start, const struct digest *password, struct bytes salt,
                        uint32_t count, unsigned rounds, uint8_t sum[OUT_LEN], struct err *e)
{
    uint8_t salted[SALT_MAX + 4], made[OUT_LEN];
    struct digest d;
    struct bytes from = bytes_of(salted, salt.len + 4);
    memcpy(salted, salt.ptr, salt.len);
    for (unsigned i = 0; i < 4; i++)
        salted[salt.len + i] = (uint8_t)(count >> (24 - 8 * i));
    memset(sum, 0, OUT_LEN);
    for (unsigned i = 0; i < rounds; i++) {
        int r = hash_bytes(HASH_SHA512, from, &d, e);
        if (r)
            return r;
        bcrypt_hash(start, password->value, d.value, made);
        for (size_t k = 0; k < OUT_LEN; k++)
            sum[k] ^= made[k];
        from = BYTES_ARR(made);
    }
    mem_wipe(made, sizeof(made));
    mem_wipe(&d, sizeof(d));
    return 0;
}

int sign_bcrypt_derive(struct bytes password, struct bytes salt, unsigned rounds, uint8_t *out, size_t len,
                       struct err *e)
{
    union state start;
    struct digest hashed;
    uint8_t block[OUT_LEN];
    size_t n = (len + OUT_LEN - 1) / OUT_LEN;
    if (!password.len || !salt.len || salt.len > SALT_MAX || !rounds || rounds > LIMIT_BCRYPT_ROUNDS)
        return err_set(e, ERR_LIMIT, "bcrypt with %u rounds and a salt of %zu bytes", rounds, salt.len);
    int r = hash_bytes(HASH_SHA512, password, &hashed, e);
    if (r)
        return r;
    state_start(&start);
    /* Blocks are interleaved, so that a part of the output costs as much as all of it. */
    for (size_t i = 0; !r && i < n; i++) {
        r = derive_block(&start, &hashed, salt, (uint32_t)i + 1, rounds, block, e);
        for (size_t k = 0; !r && k < OUT_LEN && k * n + i < len; k++)
            out[k * n + i] = block[k];
    }
    mem_wipe(block, sizeof(block));
    mem_wipe(&hashed, sizeof(hashed));
    return r;
}
