/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/embedded.h"

#include "sign/embedded_scan.h"
#include "sign/embedded_wire.h"

#define SECTION_NAME BYTES_LIT("signature")

/* A new record, with the signature over the hashes. */
static int record_make(const struct sign_key *key, struct bytes hashes, struct bytes key_id, struct buf *out,
                       struct err *e)
{
    AUTO_DONE(buf) message = BUF_INIT(16 + LIMIT_SIG_HASHES * HASH_SHA256_LEN);
    AUTO_DONE(buf) signature = BUF_INIT(SIGN_WIRE_SIG_LEN);
    sign_wire_message(&message, hashes);
    int r = buf_check(&message, e);
    if (!r)
        r = sign_key_sign(key, buf_bytes(&message), &signature, e);
    if (r)
        return r;
    sign_wire_put_record(out, key_id, buf_bytes(&signature));
    return 0;
}

/* A set over the hashes: the records of `old` (may be NULL) except one of this key, and this key's. */
static int set_make(const struct sign_wire_set *old, const struct sign_key *key, struct bytes hashes,
                    struct buf *out, struct err *e)
{
    AUTO_DONE(buf) records = BUF_INIT(LIMIT_SIG_SECTION);
    uint8_t key_id[SIGN_WIRE_KEY_ID_LEN];
    uint32_t n = 1;
    int r = sign_wire_key_id(sign_key_public(key), key_id, e);
    if (r)
        return r;
    if (old) {
        struct sign_wire_set rest = *old;
        struct sign_wire_record rec;
        while (sign_wire_take_record(&rest, &rec)) {
            if (rec.alg == SIGN_WIRE_ED25519 && bytes_eq(rec.key_id, BYTES_ARR(key_id)))
                continue;
            sign_wire_put_part(&records, rec.raw);
            n++;
        }
    }
    if (n > LIMIT_SIG_SIGS)
        return err_set(e, ERR_LIMIT, "more than %u signatures", LIMIT_SIG_SIGS);
    r = record_make(key, hashes, BYTES_ARR(key_id), &records, e);
    if (!r)
        r = buf_check(&records, e);
    if (r)
        return r;
    buf_append_leb32(out, (uint32_t)(hashes.len / HASH_SHA256_LEN));
    buf_append_bytes(out, hashes);
    buf_append_leb32(out, n);
    buf_append_bytes(out, buf_bytes(&records));
    return buf_check(out, e);
}

static int payload_fresh(const struct sign_key *key, struct bytes hashes, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) set = BUF_INIT(LIMIT_SIG_SECTION);
    int r = set_make(NULL, key, hashes, &set, e);
    if (r)
        return r;
    sign_wire_put_head(out, 1);
    sign_wire_put_part(out, buf_bytes(&set));
    return buf_check(out, e);
}

/* The signatures that are there, and one more in the set over these hashes. */
static int payload_extend(struct sign_wire wire, const struct sign_key *key, struct bytes hashes,
                          struct buf *out, struct err *e)
{
    struct sign_wire_set set;
    bool done = false;
    sign_wire_put_head(out, wire.n_sets);
    while (sign_wire_take_set(&wire, &set)) {
        if (done || !bytes_eq(set.hashes, hashes)) {
            sign_wire_put_part(out, set.raw);
            continue;
        }
        AUTO_DONE(buf) made = BUF_INIT(LIMIT_SIG_SECTION);
        int r = set_make(&set, key, hashes, &made, e);
        if (r)
            return r;
        sign_wire_put_part(out, buf_bytes(&made));
        done = true;
    }
    if (!done)
        return err_set(e, ERR_DIGEST,
                       "the signature that is there is for other content; sign the original file");
    return buf_check(out, e);
}

static int payload_make(const struct sign_scan *scan, const struct sign_key *key, struct buf *out,
                        struct err *e)
{
    struct bytes hashes = sign_scan_hashes(scan);
    struct sign_wire wire = {.n_sets = 0};
    if (hashes.len == 0)
        return err_set(e, ERR_LIMIT, "%zu parts (the format has room for %u)", scan->n_hashes,
                       LIMIT_SIG_HASHES);
    if (scan->has_signature) {
        int r = sign_wire_open(buf_bytes(&scan->payload), &wire, e);
        if (r)
            return err_wrap(e, "the signature section that is there");
    }
    return wire.n_sets ? payload_extend(wire, key, hashes, out, e) : payload_fresh(key, hashes, out, e);
}

/* The custom section with its header. */
static int section_write(struct bytes payload, struct sink *to, struct err *e)
{
    AUTO_DONE(buf) head = BUF_INIT(32);
    uint8_t ignored[5];
    size_t size = leb32_write(ignored, (uint32_t)SECTION_NAME.len) + SECTION_NAME.len + payload.len;
    buf_append_u8(&head, 0);
    buf_append_leb32(&head, (uint32_t)size);
    buf_append_leb32(&head, (uint32_t)SECTION_NAME.len);
    buf_append_bytes(&head, SECTION_NAME);
    int r = buf_check(&head, e);
    if (!r)
        r = sink_write(to, buf_bytes(&head), e);
    return r ? r : sink_write(to, payload, e);
}

/* Passes over the bytes from the preamble to the first signed one. */
static int skip(struct source *from, uint64_t n, struct err *e)
{
    uint8_t part[4096];
    int r = 0;
    for (size_t now; !r && n; n -= now) {
        now = n < sizeof(part) ? (size_t)n : sizeof(part);
        r = source_read_full(from, part, now, e);
    }
    return r;
}

/* The second reading: preamble, our section, and all signed bytes as they are. */
static int copy_signed(struct source *from, const struct sign_scan *scan, struct bytes payload,
                       struct sink *to, struct err *e)
{
    uint8_t preamble[WBIN_PREAMBLE];
    enum wbin_kind kind;
    AUTO(hash_state) hash = NULL;
    int r = hash_open(HASH_SHA256, &hash, e);
    if (!r)
        r = source_read_full(from, preamble, sizeof(preamble), e);
    if (!r)
        r = wbin_preamble(BYTES_ARR(preamble), &kind, e);
    if (!r)
        r = skip(from, scan->signed_at - WBIN_PREAMBLE, e);
    if (!r)
        r = sink_write(to, BYTES_ARR(preamble), e);
    if (!r)
        r = section_write(payload, to, e);
    struct source_tee tee;
    if (!r)
        r = stream_copy(source_tee_init(&tee, from, hash_see, hash), to, NULL, e);
    if (r)
        return r;
    struct digest d;
    hash_final(hash, &d);
    if (kind != scan->kind || !digest_eq(&d, &scan->total))
        return err_set(e, ERR_IO, "the file changed while it was read");
    return 0;
}

static int check_key(const struct sign_key *key, struct err *e)
{
    if (sign_key_type(key) != SIGN_KEY_ED25519)
        return err_set(e, ERR_UNSUPPORTED, "embedded signatures know Ed25519 keys only; %s is a key for %s",
                       sign_key_name(key), sign_key_type_name(sign_key_type(key)));
    if (!sign_key_is_private(key))
        return err_set(e, ERR_USAGE, "%s is a public key; signing needs the private one", sign_key_name(key));
    return 0;
}

int sign_embedded_sign(const struct source_opener *from, const struct sign_key *key, struct sink *to,
                       struct err *e)
{
    AUTO_DONE(sign_scan) scan = {.size = 0};
    AUTO_DONE(buf) payload = BUF_INIT(LIMIT_SIG_SECTION);
    struct source *in;
    int r = check_key(key, e);
    if (!r)
        r = from->open(from->ctx, &in, e);
    if (r)
        return r;
    r = sign_scan_run(in, &scan, e);
    source_close(in);
    if (!r && scan.broken.code)
        r = err_set(e, ERR_FORMAT, "%s", scan.broken.msg);
    if (!r)
        r = payload_make(&scan, key, &payload, e);
    if (!r)
        r = from->open(from->ctx, &in, e);
    if (r)
        return r;
    r = copy_signed(in, &scan, buf_bytes(&payload), to, e);
    source_close(in);
    return r;
}
