/* SPDX-License-Identifier: Apache-2.0 */
/* Computes for some seconds and prints what came out: sums of a sieve, of products of matrices and of a hash,
 * with integers, floating point and memory. Usage: compute [ROUNDS] */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIEVE  (1U << 20)
#define MATRIX 96

static uint32_t primes(void)
{
    static uint8_t composite[SIEVE];
    uint32_t n = 0;
    memset(composite, 0, sizeof(composite));
    for (uint32_t i = 2; i < SIEVE; i++) {
        if (composite[i])
            continue;
        n++;
        for (uint64_t j = (uint64_t)i * i; j < SIEVE; j += i)
            composite[j] = 1;
    }
    return n;
}

static double product(unsigned seed)
{
    static double a[MATRIX][MATRIX], b[MATRIX][MATRIX];
    double trace = 0;
    for (unsigned i = 0; i < MATRIX; i++)
        for (unsigned j = 0; j < MATRIX; j++) {
            a[i][j] = (double)((i * 31 + j * 17 + seed) % 101) / 101;
            b[i][j] = (double)((i * 13 + j * 29 + seed) % 103) / 103;
        }
    for (unsigned i = 0; i < MATRIX; i++)
        for (unsigned j = 0; j < MATRIX; j++) {
            double sum = 0;
            for (unsigned k = 0; k < MATRIX; k++)
                sum += a[i][k] * b[k][j];
            trace += i == j ? sum : 0;
        }
    return trace;
}

/* FNV-1a over its own state. */
static uint64_t hash(uint64_t state)
{
    for (unsigned i = 0; i < 1U << 20; i++)
        state = (state ^ (state >> 56 ^ i)) * 1099511628211U;
    return state;
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 100;
    uint64_t count = 0, state = 14695981039346656037U;
    double trace = 0;
    for (long i = 0; i < rounds; i++) {
        count += primes();
        trace += product((unsigned)i);
        state = hash(state);
    }
    printf("%llu %.6f %016llx\n", (unsigned long long)count, trace, (unsigned long long)state);
    return 0;
}
