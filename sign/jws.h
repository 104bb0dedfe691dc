/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Signatures (RFC 7515) in the flattened JSON form (section 7.2.2), read strictly. */
#ifndef WAYBILL_SIGN_JWS_H
#define WAYBILL_SIGN_JWS_H

#include "base/json.h"
#include "sign/key.h"

struct sign_jws {
    struct jdoc *doc, *protected_doc;
    const struct jval *protected_header; /* an object */
    const struct jval *header;           /* the one that is not signed: an object, or NULL */
    struct buf message;                  /* what is signed: BASE64URL(protected) "." BASE64URL(payload) */
    struct buf payload, signature;       /* decoded */
};

/* sign_jws_parse - one object of "payload", "protected", "signature" and, if there is one, "header"; the
 * protected header an object with an "alg", no member in both headers, "crit" in the protected one only.
 * Refused wherever they stand: "jwk", "jku", "x5u" (keys that a signature brings or names), "b64", "zip",
 * "enc". ret: sign_jws_done, whatever is returned. ERR_FORMAT, ERR_LIMIT (LIMIT_JWS), ERR_UNSUPPORTED (the
 * forms with "signatures"), ERR_NOMEM. */
MUST_CHECK int sign_jws_parse(struct bytes text, struct sign_jws *ret, struct err *e);
void sign_jws_done(struct sign_jws *j);

/* sign_jws_check_crit - "crit" (section 4.1.11): it is there, names what the protected header has, nothing
 * twice, and nothing but the names of `known`. ERR_FORMAT. */
MUST_CHECK int sign_jws_check_crit(const struct sign_jws *j, const char *const *known, size_t n,
                                   struct err *e);

/* sign_jws_is_critical - whether "crit" has that name. */
bool sign_jws_is_critical(const struct sign_jws *j, const char *name);

/* sign_jws_check - the signature, by a key whose algorithm is not taken from the JWS: "alg" must be the one
 * named. ERR_FORMAT: another alg; ERR_UNTRUSTED: the signature is wrong. */
MUST_CHECK int sign_jws_check(const struct sign_jws *j, const char *alg, struct sign_scheme scheme,
                              const struct sign_key *key, struct err *e);

/* sign_jws_make - appends the JWS. protected_header, payload: JSON texts. header: writes the members of the
 * unsigned header with jout_*. */
MUST_CHECK int sign_jws_make(struct bytes protected_header, struct bytes payload, struct sign_scheme scheme,
                             const struct sign_key *key, void (*header)(struct jout *w, void *ctx), void *ctx,
                             struct buf *out, struct err *e);

#endif
