/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Sigstore trusted root (sigstore/protobuf-specs, sigstore_trustroot.proto, as JSON): the certificate
 * authorities, logs and time-stamping authorities that keyless signatures lead to. It comes as a file from
 * the user, who answers for it: it is not signed, and nothing is fetched to renew it.
 */
#ifndef WAYBILL_SIGN_ROOT_H
#define WAYBILL_SIGN_ROOT_H

#include "base/hash.h"
#include "sign/cert.h"

/* When something may be believed, both ends included. */
struct sign_window {
    int64_t from, to; /* seconds since 1970; to: INT64_MAX where there is no end */
};

static inline bool sign_window_has(const struct sign_window *w, int64_t at)
{
    return at >= w->from && at <= w->to;
}

/* A transparency log, of signatures (Rekor) or of certificates (RFC 6962). */
struct sign_log {
    char *origin;                /* host and path of its address: "rekor.sigstore.dev"; owned */
    uint8_t id[HASH_SHA256_LEN]; /* as its entries name it */
    struct sign_key *key;        /* owned; NULL: of a type that waybill does not have */
    struct sign_window window;
};

/* Who issues certificates, or time stamps. */
struct sign_authority {
    char *name;                /* its address; owned */
    struct sign_store *anchor; /* authorities of certificates: the last one of its chain; of time stamps: all
                                  of it; owned */
    struct sign_chain middle;  /* authorities of certificates: the others of its chain, from the issuer up */
    struct sign_window window;
};

struct sign_root {
    struct sign_log *tlogs, *ctlogs; /* no two of a kind with the same id */
    size_t n_tlogs, n_ctlogs;
    struct sign_authority *cas, *tsas;
    size_t n_cas, n_tsas;
};

/* sign_root_parse - a trusted_root.json of version 0.1 or 0.2, in either spelling of the media type. Strict:
 * members that are not known are refused, since one may take trust away. Lists may be absent or empty: such a
 * root trusts nothing of that kind. ret: sign_root_free by the caller (takes NULL). ERR_FORMAT (also: the
 * identifier of a log that is not its key's), ERR_CERT (an authority's certificate that is neither an
 * authority's nor signed by itself), ERR_LIMIT, ERR_CONFIG (no plugin "cert"), ERR_NOMEM. */
MUST_CHECK int sign_root_parse(struct bytes text, struct sign_root **ret, struct err *e);
void sign_root_free(struct sign_root *root);
DEFINE_AUTO(sign_root, sign_root_free);

/* sign_log_find - the log with that identifier, or NULL. */
const struct sign_log *sign_log_find(const struct sign_log *logs, size_t n, struct bytes id);

#endif
