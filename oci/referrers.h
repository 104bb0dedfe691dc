/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The referrers of a manifest: signatures, attestations and whatever else names it as its subject.
 * distribution-spec 1.1, "Listing Referrers" and "Referrers Tag Schema".
 */
#ifndef WAYBILL_OCI_REFERRERS_H
#define WAYBILL_OCI_REFERRERS_H

#include "base/limits.h"
#include "oci/manifest.h"

/* What a place says of one; nothing of it is checked but its form. The texts are places in the list's text: a
 * list of 100,000 is a few large pieces of memory. */
struct oci_referrer {
    struct digest digest;
    uint32_t order; /* the n-th that was added */
    uint64_t size;
    uint32_t media_type, artifact_type, annotations; /* for oci_referrers_text; 0: there is none */
};

struct oci_referrers {
    struct oci_referrer *all; /* owned */
    size_t n, room;
    struct buf text; /* each with a NUL behind it; the first byte is a NUL that stands for "none" */
};

#define OCI_REFERRERS_INIT                                 \
    {                                                      \
        .all = NULL, .text = {.max = LIMIT_REFERRER_TEXT } \
    }

void oci_referrers_done(struct oci_referrers *r);

/* oci_referrers_add - appends one. artifact_type: may be NULL when the place does not say it; annotations: an
 * object of strings or NULL, kept as compact JSON. ERR_LIMIT: more than LIMIT_REFERRERS, or too much text. */
MUST_CHECK int oci_referrers_add(struct oci_referrers *r, const struct oci_desc *desc,
                                 const char *artifact_type, const struct jval *annotations, struct err *e);

/* oci_referrers_append - adds all of another list, which an empty one takes over as it is. */
MUST_CHECK int oci_referrers_append(struct oci_referrers *to, struct oci_referrers *from, struct err *e);

/* oci_referrers_text - media_type, artifact_type or annotations (JSON) of one; NULL when there is none.
 * Borrowed until the next oci_referrers_add. */
const char *oci_referrers_text(const struct oci_referrers *r, uint32_t at);

/* oci_referrers_settle - brings them into the order of artifact type and digest, each digest once; of several
 * the one that was added first stays. */
void oci_referrers_settle(struct oci_referrers *r);

/* oci_referrers_find - by its digest; NULL when it is not there. */
const struct oci_referrer *oci_referrers_find(const struct oci_referrers *r, const struct digest *digest);

/* oci_referrers_type - the artifact type of a manifest as lists of referrers state it: its own, or else the
 * config's media type; NULL for an index that has none. Borrowed from m. */
const char *oci_referrers_type(const struct oci_manifest *m);

/* oci_referrers_typed - whether an entry says its type. go-containerregistry's registry states the config's
 * media type, whatever the manifest's own type: the empty config's says nothing. */
bool oci_referrers_typed(const char *artifact_type);

/* oci_referrers_wanted - whether an entry is asked for. wanted: NULL for all. One that does not say its type
 * may be what is looked for and stays. */
bool oci_referrers_wanted(const char *artifact_type, const char *wanted);

/* oci_referrers_tag - "<alg>-<hex>", cut to 64 characters of hex: where lists of referrers lie in registries
 * that do not make them. Returns out. */
#define OCI_REFERRERS_TAG_MAX (8 + 64 + 1)
char *oci_referrers_tag(const struct digest *subject, char out[OCI_REFERRERS_TAG_MAX]);

#endif
