/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/random.h"

#include <string.h>

static uint32_t rotate(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

/* RFC 8439, 2.1. */
static void quarter_round(uint32_t *s, int a, int b, int c, int d)
{
    s[a] += s[b];
    s[d] = rotate(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotate(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotate(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotate(s[b] ^ s[c], 7);
}

/* RFC 8439, 2.3.1, with a counter of 64 bits (its upper half is a word of the nonce, which is 0). */
static void next_block(struct runner_random *r)
{
    uint32_t s[16];
    memcpy(s, r->state, sizeof(s));
    for (int i = 0; i < 10; i++) {
        quarter_round(s, 0, 4, 8, 12);
        quarter_round(s, 1, 5, 9, 13);
        quarter_round(s, 2, 6, 10, 14);
        quarter_round(s, 3, 7, 11, 15);
        quarter_round(s, 0, 5, 10, 15);
        quarter_round(s, 1, 6, 11, 12);
        quarter_round(s, 2, 7, 8, 13);
        quarter_round(s, 3, 4, 9, 14);
    }
    for (size_t i = 0; i < 16; i++) {
        uint32_t v = s[i] + r->state[i];
        for (unsigned k = 0; k < 4; k++)
            r->block[4 * i + k] = (uint8_t)(v >> (8 * k));
    }
    if (++r->state[12] == 0)
        r->state[13]++;
    r->used = 0;
}

void runner_random_seed(struct runner_random *r, uint64_t seed)
{
    static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    *r = (struct runner_random){.used = RUNNER_RANDOM_BLOCK};
    memcpy(r->state, constants, sizeof(constants));
    r->state[4] = (uint32_t)seed;
    r->state[5] = (uint32_t)(seed >> 32);
}

void runner_random_fill(struct runner_random *r, uint8_t *out, size_t n)
{
    while (n > 0) {
        if (r->used == RUNNER_RANDOM_BLOCK)
            next_block(r);
        size_t k = RUNNER_RANDOM_BLOCK - r->used;
        if (k > n)
            k = n;
        memcpy(out, r->block + r->used, k);
        r->used += k;
        out += k;
        n -= k;
    }
}
