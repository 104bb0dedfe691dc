/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes, checkpoints in them, and inclusion proofs: two numbers and a path made of the same bytes. */
#include "sign/alg.h"
#include "sign/note.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

static void prove(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    uint8_t root[HASH_SHA256_LEN];
    uint64_t numbers[2];
    if (size < sizeof(numbers) + HASH_SHA256_LEN)
        return;
    memcpy(numbers, data, sizeof(numbers));
    data += sizeof(numbers);
    size_t n = (size - sizeof(numbers)) / HASH_SHA256_LEN - 1;
    int r = sign_merkle_root(data, numbers[0], numbers[1], data + HASH_SHA256_LEN, n, root, &e);
    must(r == 0 || r == ERR_FORMAT);
    must(r != 0 || (numbers[0] < numbers[1] && n <= 64));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct sign_note note;
    struct sign_checkpoint c;
    static struct sign_key *k;
    uint8_t seed[SIGN_SECRET_LEN];
    bool good = true;
    memset(seed, 1, sizeof(seed));
    if (!k)
        must(sign_key_new_private(&sign_alg_ed25519, BYTES_ARR(seed), BYTES_NONE, &k, &e) == 0);
    prove(data, size);
    int r = sign_note_parse(bytes_of(data, size), &note, &e);
    if (r) {
        must(r == ERR_FORMAT || r == ERR_LIMIT);
        return 0;
    }
    must(note.n > 0 && note.n <= LIMIT_NOTE_SIGNATURES);
    must(note.text.ptr == data && note.text.ptr[note.text.len - 1] == '\n');
    must(sign_note_verify(&note, note.lines[0].name, seed, k, &good, &e) == 0);
    if (sign_checkpoint_parse(note.text, &c, &e) == 0)
        must(c.origin.len > 0 && sign_checkpoint_named(&c, c.origin));
    return 0;
}
