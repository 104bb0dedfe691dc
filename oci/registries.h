/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where to read from: mirrors, other locations, blocked names and short names, as containers' tools are told
 * by registries.conf (containers-registries.conf(5), version 2). It counts for reading alone.
 */
#ifndef WAYBILL_OCI_REGISTRIES_H
#define WAYBILL_OCI_REGISTRIES_H

#include "oci/ref.h"

enum oci_mirror_when { OCI_MIRROR_ALL, OCI_MIRROR_DIGEST, OCI_MIRROR_TAG };

struct oci_mirror {
    char *location;
    bool insecure;
    enum oci_mirror_when when;
};

struct oci_registry_rule {
    char *prefix, *location; /* location: "" for none */
    bool insecure, blocked;
    struct oci_mirror *mirrors;
    size_t n_mirrors;
};

struct oci_registries {
    bool any; /* a file was read: false means that nothing is changed by this */
    struct oci_registry_rule *rules;
    size_t n_rules;
    char **search; /* unqualified-search-registries */
    size_t n_search;
    struct {
        char *name, *value;
    } * aliases;
    size_t n_aliases;
};

/* oci_registries_add - takes one file in: what it says replaces what earlier ones said of the same prefix,
 * the same alias or the search list. text: TOML. path: for messages. Keys that are not known are passed over,
 * since the file is other tools' too. ERR_CONFIG (r is to be given up then), ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int oci_registries_add(struct oci_registries *r, struct bytes text, const char *path,
                                  struct err *e);
void oci_registries_done(struct oci_registries *r);

/* oci_registries_short - what a reference without a host means: an alias, the one registry that is searched,
 * or, where there is neither, what it has been parsed as. ref: is replaced. ERR_USAGE when several registries
 * would have to be searched: the message names them. */
MUST_CHECK int oci_registries_short(const struct oci_registries *r, struct oci_ref *ref, struct err *e);

enum oci_trust {
    OCI_TRUST_TLS,        /* as always */
    OCI_TRUST_UNVERIFIED, /* "insecure": TLS with any certificate */
    OCI_TRUST_PLAIN,      /* "insecure": plain HTTP */
};

struct oci_candidate {
    struct oci_ref ref;
    enum oci_trust trust;
};

struct oci_candidates {
    struct oci_candidate *list;
    size_t n;
};

/* oci_registries_candidates - the places to try for a reference, in order; the last is the registry itself.
 * ret: oci_candidates_done. ERR_POLICY: blocked. ERR_CONFIG: a rule makes no reference of it. ERR_NOMEM. */
MUST_CHECK int oci_registries_candidates(const struct oci_registries *r, const struct oci_ref *ref,
                                         struct oci_candidates *ret, struct err *e);
void oci_candidates_done(struct oci_candidates *c);

#endif
