/* SPDX-License-Identifier: Apache-2.0 */
/* Where an artifact was built and from what: the predicate of https://slsa.dev/provenance/v1. */
#ifndef WAYBILL_SIGN_PROVENANCE_H
#define WAYBILL_SIGN_PROVENANCE_H

#include "base/buf.h"
#include "sign/trust.h"

#define SIGN_PROVENANCE_TYPE "https://slsa.dev/provenance/v1"

/* Something that went into the build. */
struct sign_dependency {
    const char *uri;       /* "git+https://..." */
    const char *algorithm; /* "gitCommit", "sha256"; NULL: without a digest */
    const char *digest;    /* lower-case hexadecimal */
};

/* slsa.dev/spec/v1.0/provenance. Texts are borrowed, NULL where there are none. */
struct sign_provenance {
    const char *build_type;           /* a URI; required */
    const char *builder_id;           /* a URI; required */
    const struct sign_pair *external; /* externalParameters: "a.b" is member b of object a */
    size_t n_external;
    const struct sign_pair *internal; /* internalParameters likewise */
    size_t n_internal;
    const struct sign_dependency *dependencies;
    size_t n_dependencies;
    const char *invocation_id, *started_on, *finished_on; /* times as RFC 3339 */
};

/* sign_provenance_write - appends the predicate. ERR_USAGE: no type or builder, something that is no URI, no
 * digest or no time, a parameter twice; ERR_NOMEM. */
MUST_CHECK int sign_provenance_write(const struct sign_provenance *p, struct buf *out, struct err *e);

#endif
