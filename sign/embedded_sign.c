/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/embedded.h"

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

/* The signatures that are there, and one more in the set over these hashes. A set over the front of the file
 * stays, and gets a new one behind it: somebody signed the parts that were there at the time. */
static int payload_extend(struct sign_wire wire, const struct sign_key *key, struct bytes hashes,
                          struct buf *out, struct err *e)
{
    AUTO_DONE(buf) made = BUF_INIT(LIMIT_SIG_SECTION);
    AUTO_DONE(buf) sets = BUF_INIT(LIMIT_SIG_SECTION);
    struct sign_wire_set set;
    uint32_t n_sets = wire.n_sets;
    bool done = false, front = false;
    int r = 0;
    while (!r && sign_wire_take_set(&wire, &set)) {
        bool same = !done && bytes_eq(set.hashes, hashes);
        front = front || bytes_starts(hashes, set.hashes);
        r = same ? set_make(&set, key, hashes, &made, e) : 0;
        sign_wire_put_part(&sets, same ? buf_bytes(&made) : set.raw);
        done = done || same;
    }
    if (!r && !done && !front)
        return err_set(e, ERR_DIGEST,
                       "the signature that is there is for other content; sign the original file");
    if (!r && !done && n_sets++ == LIMIT_SIG_SETS)
        return err_set(e, ERR_LIMIT, "more than %u sets of signatures", LIMIT_SIG_SETS);
    if (!r && !done) {
        r = set_make(NULL, key, hashes, &made, e);
        sign_wire_put_part(&sets, buf_bytes(&made));
    }
    if (!r)
        r = buf_check(&sets, e);
    if (r)
        return r;
    sign_wire_put_head(out, n_sets);
    buf_append_bytes(out, buf_bytes(&sets));
    return buf_check(out, e);
}

/* old: the payload that is there, or empty. */
static int payload_make(const struct sign_scan *scan, struct bytes old, const struct sign_key *key,
                        struct buf *out, struct err *e)
{
    struct bytes hashes = sign_scan_hashes(scan);
    struct sign_wire wire = {.n_sets = 0};
    if (hashes.len == 0)
        return err_set(e, ERR_LIMIT, "%zu parts (the format has room for %u)", scan->n_hashes,
                       LIMIT_SIG_HASHES);
    if (old.len || scan->has_signature) {
        int r = sign_wire_open(old, &wire, e);
        if (r)
            return err_wrap(e, "the signature that is there");
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

/* The second reading: preamble, our section unless there is none, and all signed bytes as they are. */
static int copy_signed(const struct sign_scan *scan, struct bytes payload, struct sink *to, struct err *e)
{
    uint8_t preamble[WBIN_PREAMBLE];
    enum wbin_kind kind = WBIN_MODULE;
    struct source *from;
    struct source_tee tee;
    AUTO(hash_state) hash = NULL;
    int r = hash_open(HASH_SHA256, &hash, e);
    if (!r)
        r = scan->from->open(scan->from->ctx, &from, e);
    if (r)
        return r;
    if (!(r = source_read_full(from, preamble, sizeof(preamble), e)) &&
        !(r = wbin_preamble(BYTES_ARR(preamble), &kind, e)) &&
        !(r = skip(from, scan->signed_at - WBIN_PREAMBLE, e)) &&
        !(r = sink_write(to, BYTES_ARR(preamble), e)) &&
        !(r = payload.len ? section_write(payload, to, e) : 0))
        r = stream_copy(source_tee_init(&tee, from, hash_see, hash), to, NULL, e);
    source_close(from);
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

static int scan_well(const struct source_opener *from, unsigned flags, struct sign_scan *scan, struct err *e)
{
    int r = sign_scan_run(from, flags, scan, e);
    if (!r && scan->broken.code)
        r = err_set(e, ERR_FORMAT, "%s", scan->broken.msg);
    return r;
}

int sign_embedded_sign(const struct source_opener *from, const struct sign_file_order *order, struct sink *to,
                       struct err *e)
{
    AUTO_DONE(sign_scan) scan = SIGN_SCAN_INIT;
    AUTO_DONE(buf) payload = BUF_INIT(LIMIT_SIG_SECTION);
    int r = check_key(order->key, e);
    if (!r)
        r = scan_well(from, SIGN_SCAN_SIGNED, &scan, e);
    if (!r)
        r = payload_make(&scan, buf_bytes(&scan.payload), order->key, &payload, e);
    return r ? r : copy_signed(&scan, buf_bytes(&payload), to, e);
}

int sign_embedded_detached(const struct source_opener *from, const struct sign_key *key, struct bytes old,
                           struct buf *out, struct err *e)
{
    AUTO_DONE(sign_scan) scan = SIGN_SCAN_INIT;
    int r = check_key(key, e);
    if (!r)
        r = scan_well(from, SIGN_SCAN_DETACHED, &scan, e);
    return r ? r : payload_make(&scan, old, key, out, e);
}

int sign_embedded_detach(const struct source_opener *from, struct buf *out, struct sink *to, struct err *e)
{
    AUTO_DONE(sign_scan) scan = SIGN_SCAN_INIT;
    int r = scan_well(from, SIGN_SCAN_SIGNED, &scan, e);
    if (!r && !scan.has_signature)
        r = err_set(e, ERR_UNSIGNED, "there is no signature in the file");
    if (r)
        return r;
    buf_append_bytes(out, buf_bytes(&scan.payload));
    r = buf_check(out, e);
    return r ? r : copy_signed(&scan, BYTES_NONE, to, e);
}

int sign_embedded_attach(const struct source_opener *from, struct bytes signature, struct sink *to,
                         struct err *e)
{
    AUTO_DONE(sign_scan) scan = SIGN_SCAN_INIT;
    struct sign_wire wire;
    struct sign_wire_set set;
    bool fits = false;
    int r = sign_wire_open(signature, &wire, e);
    if (r)
        return err_wrap(e, "the signature");
    r = scan_well(from, SIGN_SCAN_DETACHED, &scan, e);
    if (r)
        return r;
    while (sign_wire_take_set(&wire, &set))
        fits = fits || bytes_starts(sign_scan_hashes(&scan), set.hashes);
    if (!fits)
        return err_set(e, ERR_DIGEST, "the signature is for other content");
    return copy_signed(&scan, signature, to, e);
}
