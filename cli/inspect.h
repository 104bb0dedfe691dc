/* SPDX-License-Identifier: Apache-2.0 */
/* What `waybill inspect` found, as text and as JSON. */
#ifndef WAYBILL_CLI_INSPECT_H
#define WAYBILL_CLI_INSPECT_H

#include "base/json.h"
#include "flow/obtain.h"
#include "oci/kind.h"

struct inspection {
    bool has_manifest; /* the target was a reference */
    const struct oci_kind
        *kind; /* NULL: a file, or no wasm artifact of a known kind: then there is no module */
    struct flow_artifact manifest; /* of a reference */
    struct flow_artifact module;
    bool has_module;
    struct wbin_info info;
    bool sections;         /* set before the scan: hash each section, and say what covers it */
    struct sign_scan scan; /* when has_module */
    struct sign_marks signatures;
    /* Private. */
    struct source_opener from;
    struct flow_reading reading;
};

/* inspection_scan - reads the module: sections, imports, exports, signatures. ERR_FORMAT, ERR_LIMIT, ERR_IO,
 * ERR_NOMEM. */
MUST_CHECK int inspection_scan(struct inspection *i, struct err *e);
void inspection_done(struct inspection *i);

void inspection_text(const struct inspection *i, struct buf *out);
MUST_CHECK int inspection_json(const struct inspection *i, struct buf *out, struct err *e);

#endif
