/* SPDX-License-Identifier: Apache-2.0 */
/* push: a wasm file → config and manifest → an endpoint. */
#ifndef WAYBILL_FLOW_PUBLISH_H
#define WAYBILL_FLOW_PUBLISH_H

#include "flow/obtain.h"

struct flow_published {
    char *repo, *name;    /* as of flow_artifact */
    struct digest digest; /* of the manifest */
    uint64_t size;        /* of the module in bytes */
    bool existed;         /* the module's blob was there already */
};

/* flow_push - path: a wasm binary. annotations: of the manifest. The same file and annotations give the same
 * bytes on any day and machine. ERR_FORMAT when the file is no wasm binary. ret: flow_published_done. */
MUST_CHECK int flow_push(const struct flow_conf *conf, const char *path, const char *reference,
                         const struct oci_pair *annotations, size_t n, struct flow_published *ret,
                         struct err *e);
void flow_published_done(struct flow_published *p);

#endif
