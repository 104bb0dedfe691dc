/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/embedded.h"

#include "base/hex.h"
#include "sign/embedded_wire.h"

#include <stdio.h>

/* How many parts from the front of the file are those that the set lists. */
static size_t parts_of(const struct sign_wire_set *set, const struct sign_scan *scan)
{
    struct bytes now = sign_scan_hashes(scan), listed = set->hashes, a, b;
    size_t same = 0;
    while (bytes_take(&now, HASH_SHA256_LEN, &a) && bytes_take(&listed, HASH_SHA256_LEN, &b) &&
           bytes_eq(a, b))
        same++;
    return same;
}

static int mark(const struct sign_scan *scan, const struct sign_wire_set *set,
                const struct sign_wire_record *rec, struct sign_marks *to, struct err *e)
{
    struct sign_mark *m;
    char id[64];
    size_t parts = parts_of(set, scan), n = rec->key_id.len < 24 ? rec->key_id.len : 24;
    int r = sign_marks_add(to, SIGN_EMBEDDED_NAME, &m, e);
    if (r)
        return r;
    (void)hex_encode(bytes_of(rec->key_id.ptr, n), id);
    m->fits = bytes_eq(set->hashes, sign_scan_hashes(scan));
    m->first = 1;
    m->end = parts ? sign_scan_part_end(scan, parts - 1) : 1;
    int len =
        snprintf(m->text, sizeof(m->text), "key id %s%s", n ? id : "none", n < rec->key_id.len ? "..." : "");
    if (rec->alg == SIGN_WIRE_ED25519)
        (void)snprintf(m->text + len, sizeof(m->text) - (size_t)len, ", ed25519, %u hash%s", set->n_hashes,
                       set->n_hashes == 1 ? "" : "es");
    else
        (void)snprintf(m->text + len, sizeof(m->text) - (size_t)len, ", algorithm 0x%02x, %u hash%s",
                       rec->alg, set->n_hashes, set->n_hashes == 1 ? "" : "es");
    return 0;
}

static int embedded_list(const struct sign_scan *scan, struct sign_marks *to, struct err *e)
{
    struct sign_wire wire;
    struct sign_wire_set set;
    struct sign_wire_record rec;
    if (!scan->has_signature)
        return 0;
    int r = sign_wire_open(buf_bytes(&scan->payload), &wire, e);
    while (!r && sign_wire_take_set(&wire, &set))
        while (!r && sign_wire_take_record(&set, &rec))
            r = mark(scan, &set, &rec, to, e);
    return r;
}

const struct sign_format sign_embedded = {
    .name = SIGN_EMBEDDED_NAME,
    .sign = sign_embedded_sign,
    .verify = sign_embedded_verify,
    .list = embedded_list,
};
