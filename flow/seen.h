/* SPDX-License-Identifier: Apache-2.0 */
/* A set of digests that several threads may use. */
#ifndef WAYBILL_FLOW_SEEN_H
#define WAYBILL_FLOW_SEEN_H

#include "base/digest_set.h"

#include <pthread.h>

struct flow_seen {
    pthread_mutex_t lock;
    struct digest_set set;
};

MUST_CHECK int flow_seen_init(struct flow_seen *s, struct err *e);
void flow_seen_done(struct flow_seen *s);

/* flow_seen_has - whether it is in. flow_seen_add - puts it in; *ret_new (may be NULL): it was not.
 * ERR_LIMIT: more than LIMIT_GRAPH. */
bool flow_seen_has(struct flow_seen *s, const struct digest *d);
MUST_CHECK int flow_seen_add(struct flow_seen *s, const struct digest *d, bool *ret_new, struct err *e);

#endif
