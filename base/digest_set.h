/* SPDX-License-Identifier: Apache-2.0 */
/* A set of digests, of which some may be chosen by others: nobody can make it slow. */
#ifndef WAYBILL_BASE_DIGEST_SET_H
#define WAYBILL_BASE_DIGEST_SET_H

#include "base/hash.h"

struct digest_set {
    struct digest *all; /* owned: open addressing, `room` places, of which `used` says which are taken */
    bool *used;
    size_t n, room;
    uint64_t salt; /* so that nobody can choose digests that fall together */
};

/* digest_set_init - an empty one. ERR_OTHER, ERR_IO: there are no random numbers. */
MUST_CHECK int digest_set_init(struct digest_set *s, struct err *e);
void digest_set_done(struct digest_set *s);

/* digest_set_has - whether it is in. digest_set_add - puts it in unless it is; ERR_NOMEM. */
bool digest_set_has(const struct digest_set *s, const struct digest *d);
MUST_CHECK int digest_set_add(struct digest_set *s, const struct digest *d, struct err *e);

/* digest_set_next - one after the other, in no order. *at: 0 at first. NULL: that was all. Borrowed until the
 * next digest_set_add. */
const struct digest *digest_set_next(const struct digest_set *s, size_t *at);

#endif
