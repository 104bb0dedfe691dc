/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes and the checkpoints of logs in them (C2SP signed-note v1.0.0 and tlog-checkpoint v1.0.0), and
 * proofs that a log with such a checkpoint has an entry (RFC 9162 section 2.1.3, as RFC 6962's). */
#ifndef WAYBILL_SIGN_NOTE_H
#define WAYBILL_SIGN_NOTE_H

#include "base/hash.h"
#include "base/limits.h"
#include "sign/key.h"

#define SIGN_NOTE_HINT 4U

struct sign_note_line {
    struct bytes name;  /* whose signature it is said to be */
    struct bytes value; /* base64 of a hint at the key, SIGN_NOTE_HINT bytes, and the signature */
};

/* Borrowed from the text that it was read from. */
struct sign_note {
    struct bytes text; /* what is signed, with the newline at its end */
    struct sign_note_line lines[LIMIT_NOTE_SIGNATURES];
    size_t n; /* at least one */
};

/* sign_note_parse - the form alone; ERR_FORMAT, ERR_LIMIT. */
MUST_CHECK int sign_note_parse(struct bytes text, struct sign_note *ret, struct err *e);

/* sign_note_verify - *ret_good: whether a signature of that name with that hint is there and is by the key.
 * Lines of others, witnesses say, do not matter. */
MUST_CHECK int sign_note_verify(const struct sign_note *note, struct bytes name,
                                const uint8_t hint[SIGN_NOTE_HINT], const struct sign_key *key,
                                bool *ret_good, struct err *e);

struct sign_checkpoint {
    struct bytes origin; /* the first line; borrowed */
    uint64_t size;       /* entries of the tree */
    uint8_t root[HASH_SHA256_LEN];
};

/* sign_checkpoint_parse - a checkpoint from the text of a note; lines behind the third are extensions and are
 * passed over. ERR_FORMAT. */
MUST_CHECK int sign_checkpoint_parse(struct bytes text, struct sign_checkpoint *ret, struct err *e);

/* sign_checkpoint_named - whether a log that signs with `name` may call its tree by that origin: the same, or
 * as Rekor v1 has it "name - 1193050959916656506". */
bool sign_checkpoint_named(const struct sign_checkpoint *c, struct bytes name);

/* sign_merkle_leaf - the hash of an entry. */
MUST_CHECK int sign_merkle_leaf(struct bytes entry, uint8_t ret[HASH_SHA256_LEN], struct err *e);

/* sign_merkle_root - the root that a proof leads to: leaf, the entry's hash; index, its place in a tree of
 * `size` entries; path, n hashes one behind the other, the one beside the leaf first. ERR_FORMAT: the index
 * is not in the tree, or the path is not as long as it must be. */
MUST_CHECK int sign_merkle_root(const uint8_t leaf[HASH_SHA256_LEN], uint64_t index, uint64_t size,
                                const uint8_t *path, size_t n, uint8_t ret[HASH_SHA256_LEN], struct err *e);

#endif
