/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest_set.h"

int digest_set_init(struct digest_set *s, struct err *e)
{
    *s = (struct digest_set){.room = 0};
    return hash_random(&s->salt, sizeof(s->salt), e);
}

void digest_set_done(struct digest_set *s)
{
    free(TAKE(s->all));
    free(TAKE(s->used));
    s->n = s->room = 0;
}

/* FNV-1a over all of the digest, from a start that nobody else knows. */
static size_t home(const struct digest_set *s, const struct digest *d)
{
    uint64_t h = 14695981039346656037U ^ s->salt;
    for (size_t i = 0; i < hash_len(d->alg); i++)
        h = (h ^ d->value[i]) * 1099511628211U;
    return (size_t)(h ^ h >> 32) & (s->room - 1);
}

/* Where it is, or where it would go. */
static size_t place(const struct digest_set *s, const struct digest *d)
{
    size_t i = home(s, d);
    while (s->used[i] && !digest_eq(&s->all[i], d))
        i = (i + 1) & (s->room - 1);
    return i;
}

static int grow(struct digest_set *s, struct err *e)
{
    struct digest_set bigger = *s;
    bigger.room = s->room ? 2 * s->room : 256;
    bigger.all = calloc(bigger.room, sizeof(*bigger.all));
    bigger.used = calloc(bigger.room, sizeof(*bigger.used));
    if (!bigger.all || !bigger.used) {
        free(bigger.all);
        free(bigger.used);
        return err_nomem(e);
    }
    for (size_t i = 0; i < s->room; i++) {
        if (!s->used[i])
            continue;
        size_t at = place(&bigger, &s->all[i]);
        bigger.all[at] = s->all[i];
        bigger.used[at] = true;
    }
    free(s->all);
    free(s->used);
    *s = bigger;
    return 0;
}

bool digest_set_has(const struct digest_set *s, const struct digest *d)
{
    return s->room && s->used[place(s, d)];
}

int digest_set_add(struct digest_set *s, const struct digest *d, struct err *e)
{
    int r = 2 * (s->n + 1) > s->room ? grow(s, e) : 0;
    if (r)
        return r;
    size_t at = place(s, d);
    if (!s->used[at]) {
        s->all[at] = *d;
        s->used[at] = true;
        s->n++;
    }
    return 0;
}

const struct digest *digest_set_next(const struct digest_set *s, size_t *at)
{
    while (*at < s->room && !s->used[*at])
        ++*at;
    return *at < s->room ? &s->all[(*at)++] : NULL;
}
