/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims as wascap writes them: a JSON Web Token (RFC 7519) in the last custom section of a module or
 * component, signed with an account's Ed25519 key, over facts about the module, its capabilities and its
 * hash. The key is named in the token itself, which proves nothing: it has to be one of the keys of the
 * trust.
 */
#ifndef WAYBILL_SIGN_CLAIMS_H
#define WAYBILL_SIGN_CLAIMS_H

#include "sign/format.h"
#include "sign/nkey.h"

#define SIGN_CLAIMS_NAME "claims"

/* The way in which the module's hash is formed since this revision: older ones were not checked by their own
 * tools, so that "revision 2" on a stolen token would open any door. */
#define SIGN_CLAIMS_REVISION 3U

/* What a token states. */
struct sign_claims {
    const char *name;    /* for people; NULL: none */
    const char *version; /* "1.2.3"; NULL: none */
    const char *call_alias;
    int64_t revision; /* grows with each release, at most 2147483647; -1: none */
    const char *const *tags;
    size_t n_tags;
    const char *const *capabilities; /* "wasmcloud:httpserver" */
    size_t n_capabilities;
    int64_t issued_at;              /* seconds since 1970 */
    int64_t not_before, expires_at; /* the same; 0: no bound */
};

/* A token that was taken apart; what is borrowed is so from `doc`. */
struct sign_token {
    struct jdoc *doc;     /* owned */
    struct bytes message; /* what is signed; borrowed from the token's text */
    uint8_t signature[64];
    uint8_t issuer_key[SIGN_NKEY_LEN];
    const char *issuer, *subject;           /* nkeys: an account's, and a module's */
    const char *name, *version;             /* NULL: not stated */
    const char *hash;                       /* 64 hexadecimal digits, capitals */
    const struct jval *tags, *capabilities; /* arrays of strings; NULL: not stated */
    int64_t revision;                       /* -1: not stated */
    uint64_t format_revision;
    int64_t issued_at, not_before, expires_at; /* 0: not stated */
};

/* sign_token_parse - a token in the form that stands in a section. Strict: base64url without padding, a
 * header of "typ" and "alg" only, JSON without duplicate names, whole numbers for times. Nothing is checked
 * but the form. ret: sign_token_done by the caller, also after a failure. ERR_FORMAT, ERR_LIMIT. */
MUST_CHECK int sign_token_parse(struct bytes text, struct sign_token *ret, struct err *e);
void sign_token_done(struct sign_token *t);

/* sign_claims_sign / _verify - see struct sign_format. */
MUST_CHECK int sign_claims_sign(const struct source_opener *from, const struct sign_file_order *order,
                                struct sink *to, struct err *e);
MUST_CHECK int sign_claims_verify(struct sign_scan *scan, const struct sign_trust *trust,
                                  struct sign_report *report, struct err *e);

#endif
