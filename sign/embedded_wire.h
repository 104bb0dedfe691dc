/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The payload of a `signature` section: the tool conventions' Signatures.md, with the two length prefixes
 * that wasmsign2 puts in front of each set and each record.
 *
 *     01 version | 01 content: wasm | 01 hash: SHA-256 | n sets
 *     set:    length | n hashes | n * 32 bytes | n records
 *     record: length | length of key id | key id | 01 Ed25519 | 40 length | signature
 *
 * Numbers are LEB128. A record of another algorithm is read up to the algorithm only.
 */
#ifndef WAYBILL_SIGN_EMBEDDED_WIRE_H
#define WAYBILL_SIGN_EMBEDDED_WIRE_H

#include "base/buf.h"
#include "base/hash.h"

#define SIGN_WIRE_ED25519    1
#define SIGN_WIRE_SIG_LEN    64U
#define SIGN_WIRE_KEY_ID_LEN 12U

struct sign_wire_record {
    struct bytes raw; /* without its length */
    struct bytes key_id;
    uint8_t alg;
    struct bytes signature; /* SIGN_WIRE_SIG_LEN bytes when alg is SIGN_WIRE_ED25519, else empty */
};

struct sign_wire_set {
    struct bytes raw;    /* without its length */
    struct bytes hashes; /* n_hashes * HASH_SHA256_LEN, one behind the other */
    uint32_t n_hashes, n_records;
    struct bytes records; /* those not taken yet */
};

struct sign_wire {
    uint32_t n_sets;
    struct bytes sets; /* those not taken yet */
};

/* sign_wire_open - checks the whole payload, down to the last record; everything is borrowed from it.
 * ERR_FORMAT: truncated, trailing bytes, a set without hashes, over a limit; ERR_UNSUPPORTED: another
 * version, content type or hash. */
MUST_CHECK int sign_wire_open(struct bytes payload, struct sign_wire *ret, struct err *e);

/* sign_wire_take_set / _take_record - the next one; false behind the last. */
bool sign_wire_take_set(struct sign_wire *w, struct sign_wire_set *ret);
bool sign_wire_take_record(struct sign_wire_set *s, struct sign_wire_record *ret);

/* sign_wire_put_* - append to a payload that is being written; failures are the buffer's. */
void sign_wire_put_head(struct buf *out, uint32_t n_sets);
void sign_wire_put_part(struct buf *out, struct bytes raw); /* a set or a record, with its length */
void sign_wire_put_record(struct buf *out, struct bytes key_id, struct bytes signature);

/* sign_wire_message - appends what is signed: "wasmsig", version, content type, hash function, hashes. */
void sign_wire_message(struct buf *out, struct bytes hashes);

/* sign_wire_key_id - wasmsign2's identifier of a public key: the first bytes of HMAC-SHA-256 over "key_id".
 */
MUST_CHECK int sign_wire_key_id(struct bytes public_key, uint8_t ret[SIGN_WIRE_KEY_ID_LEN], struct err *e);

#endif
