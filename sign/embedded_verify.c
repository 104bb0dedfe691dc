/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/embedded.h"

#include "base/hex.h"
#include "sign/embedded_parts.h"
#include "sign/embedded_wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME SIGN_EMBEDDED_NAME

/* What must be signed. */
struct demand {
    struct sign_scan *scan;
    bool partial;
    size_t parts;     /* partial: the first ones */
    struct err never; /* code 0, or why no signature can be enough */
};

/* What is known of one key of the ring, from worse to better. */
enum finding { FOUND_NONE, FOUND_WRONG, FOUND_OTHER, FOUND_GOOD };

struct holder {
    const struct sign_key *key;
    uint8_t id[SIGN_WIRE_KEY_ID_LEN];
    bool fit; /* an Ed25519 key */
    enum finding finding;
    struct sign_wire_set set; /* FOUND_OTHER: what the key signed */
};

struct holders {
    struct holder *at;
    size_t n;
    unsigned records, foreign, unknown; /* all; by no key of the ring; of an unknown algorithm */
};

static void holders_done(struct holders *h)
{
    free(h->at);
}

static int holders_init(struct holders *h, const struct sign_keyring *keys, struct err *e)
{
    *h = (struct holders){.at = calloc(keys->n ? keys->n : 1, sizeof(*h->at)), .n = keys->n};
    if (!h->at)
        return err_nomem(e);
    for (size_t i = 0; i < keys->n; i++) {
        h->at[i].key = keys->keys[i];
        h->at[i].fit = sign_key_type(keys->keys[i]) == SIGN_KEY_ED25519;
        int r = h->at[i].fit ? sign_wire_key_id(sign_key_public(keys->keys[i]), h->at[i].id, e) : 0;
        if (r)
            return r;
    }
    return 0;
}

/* Whether the set lists exactly what the file is, or begins with the parts that must be signed. */
static bool set_is_good(const struct sign_wire_set *set, const struct demand *d)
{
    struct bytes now = sign_scan_hashes(d->scan);
    if (d->scan->broken.code || d->never.code)
        return false;
    if (!d->partial)
        return bytes_eq(set->hashes, now);
    size_t len = d->parts * HASH_SHA256_LEN;
    return len > 0 && now.len >= len && bytes_starts(set->hashes, bytes_of(now.ptr, len));
}

static int judge_with(struct holder *h, const struct sign_wire_set *set, const struct sign_wire_record *rec,
                      const struct demand *d, bool *ret_good, struct err *e)
{
    AUTO_DONE(buf) message = BUF_INIT(16 + LIMIT_SIG_HASHES * HASH_SHA256_LEN);
    sign_wire_message(&message, set->hashes);
    int r = buf_check(&message, e);
    if (!r)
        r = sign_key_verify(h->key, buf_bytes(&message), rec->signature, ret_good, e);
    if (r)
        return r;
    enum finding found = !*ret_good ? FOUND_WRONG : set_is_good(set, d) ? FOUND_GOOD : FOUND_OTHER;
    if (found == FOUND_OTHER && h->finding < FOUND_OTHER)
        h->set = *set;
    /* A record without a key identifier that does not verify is somebody else's. */
    if (found > h->finding && (*ret_good || rec->key_id.len))
        h->finding = found;
    return 0;
}

/* Tries a record with the keys that it may be of: those of its identifier, or all when it has none. */
static int judge(struct holders *all, const struct sign_wire_set *set, const struct sign_wire_record *rec,
                 const struct demand *d, struct err *e)
{
    bool known = false;
    all->records++;
    if (rec->alg != SIGN_WIRE_ED25519) {
        all->unknown++;
        return 0;
    }
    for (size_t i = 0; i < all->n; i++) {
        struct holder *h = &all->at[i];
        bool named = bytes_eq(rec->key_id, BYTES_ARR(h->id)), good = false;
        if (!h->fit || (rec->key_id.len && !named))
            continue;
        int r = h->finding == FOUND_GOOD ? 0 : judge_with(h, set, rec, d, &good, e);
        if (r)
            return r;
        known = known || named || good;
    }
    all->foreign += !known;
    return 0;
}

/* In which way the file differs from what a key signed. */
static void difference(const struct sign_wire_set *set, const struct demand *d, char *out, size_t size)
{
    struct bytes now = sign_scan_hashes(d->scan);
    size_t same = 0, max = now.len < set->hashes.len ? now.len : set->hashes.len;
    while (same < max && memcmp(now.ptr + same, set->hashes.ptr + same, HASH_SHA256_LEN) == 0)
        same += HASH_SHA256_LEN;
    size_t part = same / HASH_SHA256_LEN;
    if (d->scan->broken.code)
        (void)snprintf(out, size, "signed for other content, and malformed: %.300s", d->scan->broken.msg);
    else if (d->never.code)
        (void)snprintf(out, size, "%s", d->never.msg);
    else if (same == set->hashes.len)
        (void)snprintf(out, size, "sections were added behind the %zu signed parts", part);
    else if (same == now.len && same)
        (void)snprintf(out, size, "the file was cut off: %zu of %u signed parts are there", part,
                       set->n_hashes);
    else if (same)
        (void)snprintf(out, size, "signed for other content: it differs in part %zu of %u", part + 1,
                       set->n_hashes);
    else
        (void)snprintf(
            out, size,
            "signed for other content: bytes were changed, or the signature is that of another file");
}

/* Whether the file, malformed as it is, is what the key signed. */
static bool signed_so(const struct holder *h, const struct sign_scan *scan)
{
    struct bytes last = bytes_of(h->set.hashes.ptr + h->set.hashes.len - HASH_SHA256_LEN, HASH_SHA256_LEN);
    return scan->broken.code && bytes_eq(last, bytes_of(scan->total.value, HASH_SHA256_LEN));
}

static int report_good(const struct holder *h, const struct demand *d, struct sign_check *c)
{
    struct sign_scan *scan = d->scan;
    char id[2 * SIGN_WIRE_KEY_ID_LEN + 1];
    size_t end = d->partial ? sign_scan_part_end(scan, d->parts - 1) : scan->n_sections;
    (void)sign_scan_cover(scan, scan->has_signature, end, SIZE_MAX, c->covers, sizeof(c->covers));
    (void)sign_key_fingerprint(h->key, c->key_id);
    hex_encode(BYTES_ARR(h->id), id);
    if (d->partial)
        return sign_check_set(c, 0, "signature by key id %s over %zu of %zu parts (%s)", id, d->parts,
                              scan->n_hashes, c->covers);
    return sign_check_set(c, 0, "signature by key id %s over the whole %s (%" PRIu64 " bytes)", id,
                          scan->kind == WBIN_MODULE ? "module" : "component", scan->size);
}

/* A line for a key of whose there is a signature. */
static int report_key(const struct holder *h, const struct demand *d, struct sign_report *report,
                      struct err *e)
{
    char text[ERR_MSG_MAX], id[2 * SIGN_WIRE_KEY_ID_LEN + 1];
    struct sign_check *c;
    if (h->finding == FOUND_NONE || (h->finding == FOUND_WRONG && d->scan->broken.code))
        return 0;
    int r = sign_report_begin(report, NAME, SIGN_CHECK_SIGNATURE, NULL, &c, e);
    if (r)
        return r;
    (void)snprintf(c->key, sizeof(c->key), "%s", sign_key_name(h->key));
    if (h->finding == FOUND_GOOD)
        return report_good(h, d, c);
    if (h->finding == FOUND_WRONG)
        return sign_check_set(c, ERR_UNTRUSTED, "the signature by key id %s is wrong",
                              hex_encode(BYTES_ARR(h->id), id));
    difference(&h->set, d, text, sizeof(text));
    return sign_check_set(c, signed_so(h, d->scan) ? ERR_FORMAT : ERR_DIGEST, "%s", text);
}

static int report_one(struct sign_report *report, int code, const char *text, struct err *e)
{
    struct sign_check *c;
    int r = sign_report_begin(report, NAME, SIGN_CHECK_SIGNATURE, NULL, &c, e);
    return r ? r : sign_check_set(c, code, "%s", text);
}

static bool any_found(const struct holders *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->at[i].finding != FOUND_NONE)
            return true;
    return false;
}

/* What is there besides, where no key of the ring is found: a malformed file is that before all. */
static int report_rest(const struct holders *all, const struct demand *d, struct sign_report *report,
                       struct err *e)
{
    char text[128];
    int r = 0;
    if (d->scan->broken.code)
        return 0;
    if (all->records == 0)
        return report_one(report, ERR_UNSIGNED, "the signature section holds no signature", e);
    if (all->foreign) {
        (void)snprintf(text, sizeof(text),
                       any_found(all) ? "%u by no given key" : "no signature by a given key; %u by others",
                       all->foreign);
        r = report_one(report, ERR_UNTRUSTED, text, e);
    }
    if (!r && all->unknown) {
        (void)snprintf(text, sizeof(text), "%u signature%s of an unknown algorithm passed over", all->unknown,
                       all->unknown == 1 ? "" : "s");
        r = report_one(report, ERR_UNTRUSTED, text, e);
    }
    return r;
}

static int demand_init(struct demand *d, struct sign_scan *scan, const struct sign_trust *trust,
                       struct err *e)
{
    *d = (struct demand){.scan = scan, .partial = trust->sections != NULL};
    if (!d->partial || scan->broken.code)
        return 0;
    int r = sign_parts_wanted(scan, trust->sections, &d->parts, &d->never);
    if (!r || r == ERR_DIGEST)
        return 0;
    *e = d->never;
    return r;
}

int sign_embedded_verify(struct sign_scan *scan, const struct sign_trust *trust, struct sign_report *report,
                         struct err *e)
{
    struct sign_wire wire;
    struct sign_wire_set set;
    struct sign_wire_record rec;
    struct err why = ERR_INIT;
    struct demand d;
    AUTO_DONE(holders) all = {.at = NULL};
    bool detached = trust->detached.len > 0;
    int r = demand_init(&d, scan, trust, e);
    if (r || scan->misplaced || !(detached || scan->has_signature))
        return r;
    if (sign_wire_open(detached ? trust->detached : buf_bytes(&scan->payload), &wire, &why))
        return report_one(report, ERR_FORMAT, why.msg, e);
    r = holders_init(&all, &trust->keys, e);
    while (!r && sign_wire_take_set(&wire, &set))
        while (!r && sign_wire_take_record(&set, &rec))
            r = judge(&all, &set, &rec, &d, e);
    for (size_t i = 0; !r && i < all.n; i++)
        r = report_key(&all.at[i], &d, report, e);
    return r ? r : report_rest(&all, &d, report, e);
}
