/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations on the command line. */
#ifndef WAYBILL_CLI_PAIRS_H
#define WAYBILL_CLI_PAIRS_H

#include "cli/opt.h"
#include "oci/manifest.h"

struct pairs {
    struct oci_pair *all; /* owned, the keys as well; the values are borrowed */
    size_t n;
};

/* pairs_parse - "KEY=VALUE" each, each key once. ERR_USAGE. ret: pairs_done, whatever is returned. */
MUST_CHECK int pairs_parse(const struct opt_list *texts, struct pairs *ret, struct err *e);
void pairs_done(struct pairs *p);

#endif
