/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/embedded.h"

#include "base/hex.h"
#include "sign/embedded_scan.h"
#include "sign/embedded_wire.h"

#include <inttypes.h>
#include <stdio.h>

#define NAME SIGN_EMBEDDED_NAME

/* What is known of one key of the ring, from worse to better. */
enum finding { FOUND_NONE, FOUND_WRONG, FOUND_OTHER, FOUND_WHOLE };

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

/* Whether the set lists exactly what the file is. */
static bool set_is_whole(const struct sign_wire_set *set, const struct sign_scan *scan)
{
    return scan->broken.code == 0 && bytes_eq(set->hashes, sign_scan_hashes(scan));
}

static int judge_with(struct holder *h, const struct sign_wire_set *set, const struct sign_wire_record *rec,
                      const struct sign_scan *scan, bool *ret_good, struct err *e)
{
    AUTO_DONE(buf) message = BUF_INIT(16 + LIMIT_SIG_HASHES * HASH_SHA256_LEN);
    sign_wire_message(&message, set->hashes);
    int r = buf_check(&message, e);
    if (!r)
        r = sign_key_verify(h->key, buf_bytes(&message), rec->signature, ret_good, e);
    if (r)
        return r;
    enum finding found = !*ret_good ? FOUND_WRONG : set_is_whole(set, scan) ? FOUND_WHOLE : FOUND_OTHER;
    if (found == FOUND_OTHER && h->finding < FOUND_OTHER)
        h->set = *set;
    /* A record without a key identifier that does not verify is somebody else's. */
    if (found > h->finding && (*ret_good || rec->key_id.len))
        h->finding = found;
    return 0;
}

/* Tries a record with the keys that it may be of: those of its identifier, or all when it has none. */
static int judge(struct holders *all, const struct sign_wire_set *set, const struct sign_wire_record *rec,
                 const struct sign_scan *scan, struct err *e)
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
        int r = h->finding == FOUND_WHOLE ? 0 : judge_with(h, set, rec, scan, &good, e);
        if (r)
            return r;
        known = known || named || good;
    }
    all->foreign += !known;
    return 0;
}

/* In which way the file differs from what a key signed. */
static void difference(const struct sign_wire_set *set, const struct sign_scan *scan, char *out, size_t size)
{
    struct bytes now = sign_scan_hashes(scan);
    size_t same = 0, max = now.len < set->hashes.len ? now.len : set->hashes.len;
    while (same < max && memcmp(now.ptr + same, set->hashes.ptr + same, HASH_SHA256_LEN) == 0)
        same += HASH_SHA256_LEN;
    size_t part = same / HASH_SHA256_LEN;
    if (scan->broken.code)
        (void)snprintf(out, size, "signed for other content, and malformed: %.300s", scan->broken.msg);
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

static int report_key(const struct holder *h, const struct sign_scan *scan, struct sign_report *report,
                      struct err *e)
{
    char text[ERR_MSG_MAX], id[2 * SIGN_WIRE_KEY_ID_LEN + 1];
    const char *name = sign_key_name(h->key);
    if (!h->fit)
        return sign_report_add(report, NAME, ERR_UNSUPPORTED, name, e,
                               "the format knows Ed25519 keys only, this is a key for %s",
                               sign_key_type_name(sign_key_type(h->key)));
    hex_encode(BYTES_ARR(h->id), id);
    switch (h->finding) {
    case FOUND_NONE:
        return sign_report_add(report, NAME, ERR_UNTRUSTED, name, e, "no signature by key id %s", id);
    case FOUND_WRONG:
        return sign_report_add(report, NAME, ERR_UNTRUSTED, name, e, "the signature by key id %s is wrong",
                               id);
    case FOUND_OTHER:
        difference(&h->set, scan, text, sizeof(text));
        return sign_report_add(report, NAME, signed_so(h, scan) ? ERR_FORMAT : ERR_DIGEST, name, e, "%s",
                               text);
    case FOUND_WHOLE: break;
    }
    return sign_report_add(report, NAME, 0, name, e,
                           "signature by key id %s over the whole %s (%" PRIu64 " bytes)", id,
                           scan->kind == WBIN_MODULE ? "module" : "component", scan->size);
}

static int report_rest(const struct holders *all, struct sign_report *report, struct err *e)
{
    int r = 0;
    if (all->foreign)
        r = sign_report_add(report, NAME, ERR_UNTRUSTED, "", e, "%u signature%s by no given key",
                            all->foreign, all->foreign == 1 ? "" : "s");
    if (!r && all->unknown)
        r = sign_report_add(report, NAME, ERR_UNSUPPORTED, "", e,
                            "%u signature%s of an unknown algorithm passed over", all->unknown,
                            all->unknown == 1 ? "" : "s");
    return r;
}

static void decide(struct sign_report *report, int code, const char *reason)
{
    report->verdict = code;
    (void)snprintf(report->reason, sizeof(report->reason), "%s", reason);
}

static int refuse(struct sign_report *report, int code, const char *reason, struct err *e)
{
    decide(report, code, reason);
    return sign_report_add(report, NAME, code, "", e, "%s", reason);
}

/* The verdict of the best key. */
static void conclude(const struct holders *all, const struct sign_scan *scan, struct sign_report *report)
{
    const struct holder *best = NULL;
    char text[ERR_MSG_MAX];
    for (size_t i = 0; i < all->n; i++)
        if (!best || all->at[i].finding > best->finding)
            best = &all->at[i];
    enum finding found = best ? best->finding : FOUND_NONE;
    if (found == FOUND_WHOLE)
        decide(report, 0, "");
    else if (scan->broken.code && (found != FOUND_OTHER || signed_so(best, scan)))
        decide(report, ERR_FORMAT, scan->broken.msg);
    else if (found == FOUND_OTHER) {
        difference(&best->set, scan, text, sizeof(text));
        decide(report, ERR_DIGEST, text);
    } else if (found == FOUND_WRONG)
        decide(report, ERR_UNTRUSTED, "the signature of the given key is wrong");
    else if (all->records == 0)
        decide(report, ERR_UNSIGNED, "the signature section holds no signature");
    else
        decide(report, ERR_UNTRUSTED, "no signature by a given key");
}

static int verify_scanned(const struct sign_scan *scan, const struct sign_keyring *keys,
                          struct sign_report *report, struct err *e)
{
    struct sign_wire wire;
    struct sign_wire_set set;
    struct sign_wire_record rec;
    struct err why = ERR_INIT;
    if (scan->misplaced || (!scan->has_signature && scan->broken.code))
        return refuse(report, ERR_FORMAT, scan->broken.msg, e);
    if (!scan->has_signature)
        return refuse(report, ERR_UNSIGNED, "no signature section", e);
    if (sign_wire_open(buf_bytes(&scan->payload), &wire, &why))
        return refuse(report, ERR_FORMAT, why.msg, e);
    AUTO_DONE(holders) all = {.at = NULL};
    int r = holders_init(&all, keys, e);
    while (!r && sign_wire_take_set(&wire, &set))
        while (!r && sign_wire_take_record(&set, &rec))
            r = judge(&all, &set, &rec, scan, e);
    for (size_t i = 0; !r && i < all.n; i++)
        r = report_key(&all.at[i], scan, report, e);
    if (!r)
        r = report_rest(&all, report, e);
    if (!r)
        conclude(&all, scan, report);
    return r;
}

int sign_embedded_verify(struct source *from, const struct sign_trust *trust, struct sign_report *report,
                         struct err *e)
{
    AUTO_DONE(sign_scan) scan;
    int r = sign_scan_run(from, &scan, e);
    return r ? r : verify_scanned(&scan, &trust->keys, report, e);
}
