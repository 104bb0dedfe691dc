/* SPDX-License-Identifier: Apache-2.0 */
/* Types of predicates that have short names: the same names as cosign's --type. */
#ifndef WAYBILL_SIGN_PREDICATE_H
#define WAYBILL_SIGN_PREDICATE_H

#include "base/json.h"

struct sign_predicate {
    const char *alias; /* "slsaprovenance1" */
    const char *type;  /* "https://slsa.dev/provenance/v1" */
    bool versioned;    /* types with "/v..." behind it are later versions of the same */
};

extern const struct sign_predicate sign_predicates[];
extern const size_t sign_n_predicates;

/* sign_predicate_type - the URI that an alias stands for, or a URI itself; NULL: neither (a name without a
 * colon that is no alias). Borrowed from the table or from `name`. */
const char *sign_predicate_type(const char *name);

/* sign_predicate_alias - the first alias of a type, in any version; NULL: it has none. */
const char *sign_predicate_alias(const char *type);

/* sign_predicate_is - whether `type`, as a statement has it, is what is asked for: an alias stands for all
 * versions where the type says its version in the URI, a URI for itself. */
bool sign_predicate_is(const char *wanted, const char *type);

/* sign_predicate_check - whether a predicate has what every reader of its type expects first; a type that is
 * not known may have any. Sources: slsa.dev/spec/v1.0/provenance and v0.2, spdx.github.io/spdx-spec 2.3 and
 * 3.0, cyclonedx.org (bomFormat), cosign's COSIGN_VULN_ATTESTATION_SPEC.md, openvex.dev, in-toto's link.
 * ERR_FORMAT. */
MUST_CHECK int sign_predicate_check(const char *type, const struct jval *predicate, struct err *e);

#endif
