/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/seen.h"

#include "base/limits.h"

int flow_seen_init(struct flow_seen *s, struct err *e)
{
    *s = (struct flow_seen){.room = 0};
    (void)pthread_mutex_init(&s->lock, NULL);
    return hash_random(&s->salt, sizeof(s->salt), e);
}

void flow_seen_done(struct flow_seen *s)
{
    free(TAKE(s->all));
    free(TAKE(s->used));
    (void)pthread_mutex_destroy(&s->lock);
}

/* FNV-1a over all of the digest, from a start that nobody else knows. */
static size_t home(const struct flow_seen *s, const struct digest *d)
{
    uint64_t h = 14695981039346656037U ^ s->salt;
    for (size_t i = 0; i < hash_len(d->alg); i++)
        h = (h ^ d->value[i]) * 1099511628211U;
    return (size_t)(h ^ h >> 32) & (s->room - 1);
}

/* Where it is, or where it would go. */
static size_t place(const struct flow_seen *s, const struct digest *d)
{
    size_t i = home(s, d);
    while (s->used[i] && !digest_eq(&s->all[i], d))
        i = (i + 1) & (s->room - 1);
    return i;
}

static int grow(struct flow_seen *s, struct err *e)
{
    struct flow_seen bigger = *s;
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
    s->all = bigger.all;
    s->used = bigger.used;
    s->room = bigger.room;
    return 0;
}

bool flow_seen_has(struct flow_seen *s, const struct digest *d)
{
    (void)pthread_mutex_lock(&s->lock);
    bool has = s->room && s->used[place(s, d)];
    (void)pthread_mutex_unlock(&s->lock);
    return has;
}

int flow_seen_add(struct flow_seen *s, const struct digest *d, bool *ret_new, struct err *e)
{
    int r = 0;
    (void)pthread_mutex_lock(&s->lock);
    if (2 * (s->n + 1) > s->room)
        r = grow(s, e);
    size_t at = r ? 0 : place(s, d);
    bool is_new = !r && !s->used[at];
    if (is_new && s->n >= LIMIT_GRAPH) {
        r = err_set(e, ERR_LIMIT, "more than %u manifests or blobs", LIMIT_GRAPH);
    } else if (is_new) {
        s->all[at] = *d;
        s->used[at] = true;
        s->n++;
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (!r && ret_new)
        *ret_new = is_new;
    return r;
}
