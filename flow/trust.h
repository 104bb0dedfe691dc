/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be verified with: a policy file and all that it names, or the keys and roots that were given by
 * themselves. */
#ifndef WAYBILL_FLOW_TRUST_H
#define WAYBILL_FLOW_TRUST_H

#include "sign/policy.h"

struct flow_trust_conf {
    const char *policy;       /* a file; NULL: no policy, what follows counts. Both is ERR_USAGE */
    struct bytes policy_text; /* what the file says, where the caller has read it, or has it from elsewhere:
                                 then `policy` only tells of its name, and the folder that paths in it are
                                 relative to, and that file need not be there. NULL: it is read */
    const char *const *keys;
    size_t n_keys;
    const char *root;          /* a trusted_root.json; NULL: none */
    const char *const *stores; /* files of certificates, or folders of them */
    size_t n_stores;
    const char *signers;                    /* an allowed_signers file; NULL: none */
    const struct sign_identity *identities; /* with a root and no key there must be some, each of an issuer
                                               and a subject; borrowed */
    size_t n_identities;
    const struct sign_pair *annotations; /* that must be signed along; borrowed for good */
    size_t n_annotations;
    bool ed25519ph, old_claims; /* as of struct sign_trust */
    const char *claims;         /* likewise; borrowed for good */
};

struct flow_trust;

/* flow_trust_load - reads everything; paths in a policy are relative to the policy's folder. The policy, and
 * every file it names, must belong to root or the effective user and be writable by nobody else: ERR_CONFIG.
 * Also ERR_CONFIG: no such file, a wrong policy (line and column). ERR_USAGE: neither policy nor anything to
 * verify with; something beside a policy; identities for which there is no certificate; a private key.
 * ERR_UNSUPPORTED, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int flow_trust_load(const struct flow_trust_conf *conf, struct flow_trust **ret, struct err *e);
void flow_trust_free(struct flow_trust *t);
DEFINE_AUTO(flow_trust, flow_trust_free);

/* flow_trust_for - what counts for one artifact. repo: as of sign_policy_rule, NULL for a file. now: seconds
 * since 1970. *ret_rule: NULL where there is no policy: then a good signature is enough (sign_report_settle),
 * else sign_rule_check decides, also where ret_trust is empty. Both are borrowed from t. */
void flow_trust_for(const struct flow_trust *t, const char *repo, int64_t now, struct sign_trust *ret_trust,
                    const struct sign_rule **ret_rule);

/* flow_trust_policy - the policy, or NULL. */
const struct sign_policy *flow_trust_policy(const struct flow_trust *t);

#endif
