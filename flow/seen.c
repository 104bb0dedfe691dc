/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/seen.h"

#include "base/limits.h"

int flow_seen_init(struct flow_seen *s, struct err *e)
{
    (void)pthread_mutex_init(&s->lock, NULL);
    return digest_set_init(&s->set, e);
}

void flow_seen_done(struct flow_seen *s)
{
    digest_set_done(&s->set);
    (void)pthread_mutex_destroy(&s->lock);
}

bool flow_seen_has(struct flow_seen *s, const struct digest *d)
{
    (void)pthread_mutex_lock(&s->lock);
    bool has = digest_set_has(&s->set, d);
    (void)pthread_mutex_unlock(&s->lock);
    return has;
}

int flow_seen_add(struct flow_seen *s, const struct digest *d, bool *ret_new, struct err *e)
{
    int r = 0;
    (void)pthread_mutex_lock(&s->lock);
    bool is_new = !digest_set_has(&s->set, d);
    if (is_new && s->set.n >= LIMIT_GRAPH)
        r = err_set(e, ERR_LIMIT, "more than %u manifests or blobs", LIMIT_GRAPH);
    else if (is_new)
        r = digest_set_add(&s->set, d, e);
    (void)pthread_mutex_unlock(&s->lock);
    if (!r && ret_new)
        *ret_new = is_new;
    return r;
}
