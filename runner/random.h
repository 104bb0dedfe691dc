/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to runner/: numbers that look random and are the same for the same seed. They are the key stream of
 * ChaCha20 (RFC 8439, 2.3 and 2.4) under a key that everybody can form: for runs that can be repeated, and
 * never for secrets.
 */
#ifndef WAYBILL_RUNNER_RANDOM_H
#define WAYBILL_RUNNER_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define RUNNER_RANDOM_BLOCK 64U

struct runner_random {
    uint32_t state[16]; /* constants, key, block counter, nonce */
    uint8_t block[RUNNER_RANDOM_BLOCK];
    size_t used; /* of the block */
};

/* runner_random_seed - the key is the seed in little-endian and 24 zero bytes; counter and nonce are 0. */
void runner_random_seed(struct runner_random *r, uint64_t seed);

/* runner_random_fill - the next n bytes. A reading in parts gives the same bytes as one in one. */
void runner_random_fill(struct runner_random *r, uint8_t *out, size_t n);

#endif
