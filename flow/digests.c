/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/digests.h"

/* Those that digests are written with. */
static const enum hash_alg algs[] = {HASH_SHA256, HASH_SHA512};

static void add(struct flow_digests *d, const struct digest *one)
{
    if (d->n < ARRAY_LEN(d->all))
        d->all[d->n++] = *one;
}

int flow_digests_of_bytes(struct flow_digests *d, const struct sign_rule *rule, const struct digest *own,
                          struct bytes content, struct err *e)
{
    add(d, own);
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        struct digest other;
        if (algs[i] == own->alg || !sign_rule_names(rule, algs[i]))
            continue;
        int r = hash_bytes(algs[i], content, &other, e);
        if (r)
            return r;
        add(d, &other);
    }
    return 0;
}

bool flow_digests_need_bytes(const struct sign_rule *rule, const struct digest *own)
{
    for (size_t i = 0; i < ARRAY_LEN(algs); i++)
        if (algs[i] != own->alg && sign_rule_names(rule, algs[i]))
            return true;
    return false;
}

/* Both digests in one reading, so that they are of the same bytes. */
static int read_both(struct source *from, const struct digest *own, enum hash_alg alg, struct digest *ret,
                     struct err *e)
{
    AUTO(hash_state) first = NULL;
    AUTO(hash_state) second = NULL;
    uint8_t part[64U << 10];
    struct digest again;
    size_t n = 1;
    int r = hash_open(own->alg, &first, e);
    if (!r)
        r = hash_open(alg, &second, e);
    while (!r && n) {
        r = source_read(from, part, sizeof(part), &n, e);
        if (r)
            break;
        hash_update(first, bytes_of(part, n));
        hash_update(second, bytes_of(part, n));
    }
    if (r)
        return r;
    hash_final(first, &again);
    hash_final(second, ret);
    return digest_eq(&again, own) ? 0 : err_set(e, ERR_DIGEST, "the module changed while it was read");
}

int flow_digests_of_source(struct flow_digests *d, const struct sign_rule *rule, const struct digest *own,
                           struct source *from, struct err *e)
{
    add(d, own);
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        struct digest other;
        if (algs[i] == own->alg || !sign_rule_names(rule, algs[i]))
            continue;
        int r = read_both(from, own, algs[i], &other, e); /* of two algorithms one is missing at most */
        if (r)
            return r;
        add(d, &other);
    }
    return 0;
}
