/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/embedded_wire.h"

#include "base/limits.h"

static const uint8_t wire_head[3] = {1, 1, 1}; /* version, content type, hash function */

/* A length, and that many bytes. */
static bool take_part(struct bytes *b, struct bytes *ret)
{
    struct bytes rest = *b;
    uint32_t len;
    if (!bytes_take_leb32(&rest, &len) || !bytes_take(&rest, len, ret))
        return false;
    *b = rest;
    return true;
}

static int record_parse(struct bytes raw, struct sign_wire_record *ret, struct err *e)
{
    struct sign_wire_record rec = {.raw = raw, .signature = BYTES_NONE};
    if (!take_part(&raw, &rec.key_id) || !bytes_take_u8(&raw, &rec.alg))
        return err_set(e, ERR_FORMAT, "truncated signature record");
    if (rec.alg == SIGN_WIRE_ED25519) {
        if (!take_part(&raw, &rec.signature))
            return err_set(e, ERR_FORMAT, "truncated signature record");
        if (rec.signature.len != SIGN_WIRE_SIG_LEN)
            return err_set(e, ERR_FORMAT, "an Ed25519 signature of %zu bytes", rec.signature.len);
        if (raw.len)
            return err_set(e, ERR_FORMAT, "trailing bytes in a signature record");
    }
    *ret = rec;
    return 0;
}

/* Takes a set apart; its records stay to be taken. */
static int set_parse(struct bytes raw, struct sign_wire_set *ret, struct err *e)
{
    struct sign_wire_set set = {.raw = raw};
    if (!bytes_take_leb32(&raw, &set.n_hashes))
        return err_set(e, ERR_FORMAT, "truncated signature set");
    if (set.n_hashes == 0 || set.n_hashes > LIMIT_SIG_HASHES)
        return err_set(e, ERR_FORMAT, "a signature set of %u hashes (1 to %u are allowed)", set.n_hashes,
                       LIMIT_SIG_HASHES);
    if (!bytes_take(&raw, (size_t)set.n_hashes * HASH_SHA256_LEN, &set.hashes) ||
        !bytes_take_leb32(&raw, &set.n_records))
        return err_set(e, ERR_FORMAT, "truncated signature set");
    if (set.n_records > LIMIT_SIG_SIGS)
        return err_set(e, ERR_FORMAT, "a signature set of %u signatures (%u are allowed)", set.n_records,
                       LIMIT_SIG_SIGS);
    set.records = raw;
    *ret = set;
    return 0;
}

static int set_check(struct bytes raw, struct err *e)
{
    struct sign_wire_set set;
    struct sign_wire_record rec;
    int r = set_parse(raw, &set, e);
    for (uint32_t i = 0; !r && i < set.n_records; i++) {
        if (!take_part(&set.records, &raw))
            return err_set(e, ERR_FORMAT, "truncated signature set");
        r = record_parse(raw, &rec, e);
    }
    if (!r && set.records.len)
        return err_set(e, ERR_FORMAT, "trailing bytes in a signature set");
    return r;
}

int sign_wire_open(struct bytes payload, struct sign_wire *ret, struct err *e)
{
    struct bytes head, raw;
    struct sign_wire w;
    if (!bytes_take(&payload, sizeof(wire_head), &head))
        return err_set(e, ERR_FORMAT, "truncated signature data");
    if (!bytes_eq(head, BYTES_ARR(wire_head)))
        return err_set(e, ERR_UNSUPPORTED,
                       "signature data of another version, content type or hash (%u, %u, %u)", head.ptr[0],
                       head.ptr[1], head.ptr[2]);
    if (!bytes_take_leb32(&payload, &w.n_sets))
        return err_set(e, ERR_FORMAT, "truncated signature data");
    if (w.n_sets > LIMIT_SIG_SETS)
        return err_set(e, ERR_FORMAT, "%u signature sets (%u are allowed)", w.n_sets, LIMIT_SIG_SETS);
    w.sets = payload;
    for (uint32_t i = 0; i < w.n_sets; i++) {
        if (!take_part(&payload, &raw))
            return err_set(e, ERR_FORMAT, "truncated signature data");
        int r = set_check(raw, e);
        if (r)
            return r;
    }
    if (payload.len)
        return err_set(e, ERR_FORMAT, "trailing bytes in the signature data");
    *ret = w;
    return 0;
}

bool sign_wire_take_set(struct sign_wire *w, struct sign_wire_set *ret)
{
    struct err ignored = ERR_INIT;
    struct bytes raw;
    return take_part(&w->sets, &raw) && set_parse(raw, ret, &ignored) == 0;
}

bool sign_wire_take_record(struct sign_wire_set *s, struct sign_wire_record *ret)
{
    struct err ignored = ERR_INIT;
    struct bytes raw;
    return take_part(&s->records, &raw) && record_parse(raw, ret, &ignored) == 0;
}

void sign_wire_put_head(struct buf *out, uint32_t n_sets)
{
    buf_append(out, wire_head, sizeof(wire_head));
    buf_append_leb32(out, n_sets);
}

void sign_wire_put_part(struct buf *out, struct bytes raw)
{
    buf_append_leb32(out, (uint32_t)raw.len);
    buf_append_bytes(out, raw);
}

void sign_wire_put_record(struct buf *out, struct bytes key_id, struct bytes signature)
{
    buf_append_leb32(out, (uint32_t)(1 + key_id.len + 1 + 1 + signature.len)); /* all lengths below 128 */
    sign_wire_put_part(out, key_id);
    buf_append_u8(out, SIGN_WIRE_ED25519);
    sign_wire_put_part(out, signature);
}

void sign_wire_message(struct buf *out, struct bytes hashes)
{
    buf_append_bytes(out, BYTES_LIT("wasmsig"));
    buf_append(out, wire_head, sizeof(wire_head));
    buf_append_bytes(out, hashes);
}

int sign_wire_key_id(struct bytes public_key, uint8_t ret[SIGN_WIRE_KEY_ID_LEN], struct err *e)
{
    const struct bytes text = BYTES_LIT("key_id");
    uint8_t mac[HASH_SHA256_LEN];
    int r = hash_hmac_sha256(public_key, &text, 1, mac, e);
    if (!r)
        memcpy(ret, mac, SIGN_WIRE_KEY_ID_LEN);
    return r;
}
