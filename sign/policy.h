/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trust policy: a text that says, for every place an artifact can be, what must be proven before it is
 * taken (policy.toml, waybill-policy.toml(5)). The functions here take bytes and a clock; who calls reads the
 * files that the policy names.
 *
 *     sign_policy_parse → for each source that is not bound: load it, sign_policy_bind → sign_policy_ready
 *     → sign_policy_rule → sign_rule_trust → (the formats judge, a report) → sign_rule_check
 *
 * It fails closed: a member that is not known, a rule that has nothing to verify with and one that nothing
 * could ever satisfy are errors when the policy is read, and a place that no scope covers is the default's,
 * which is to reject.
 */
#ifndef WAYBILL_SIGN_POLICY_H
#define WAYBILL_SIGN_POLICY_H

#include "base/hash.h"
#include "base/json.h"
#include "sign/report.h"
#include "sign/trust.h"

struct sign_policy; /* a policy; owned by the caller */
struct sign_rule;   /* what it says of one scope; borrowed from the policy */

/* What stands under [keys.NAME], [roots.NAME], [stores.NAME] and [signers.NAME]. */
enum sign_source_kind {
    SIGN_SOURCE_KEY,     /* bound to a struct sign_key: a public one */
    SIGN_SOURCE_ROOT,    /* to a struct sign_root */
    SIGN_SOURCE_STORE,   /* to a struct sign_store */
    SIGN_SOURCE_SIGNERS, /* to a struct sign_signers */
};

struct sign_source {
    enum sign_source_kind kind;
    const char *name;         /* "release" */
    const char *const *paths; /* as they are written, relative to the policy's folder; none: the key is in the
                                 policy itself, and bound */
    size_t n_paths;
    bool is_dir; /* the one path is a folder: a trust store of the Notary Project, which holds x509/ */
    const char *const *names; /* of such a folder: which stores in it, "ca:acme"; none: all */
    size_t n_names;
    bool used; /* a rule names it: what none names need not be loaded */
    bool bound;
};

/* sign_policy_parse - text: TOML, at most LIMIT_TOML. name: for messages, the file's name. ERR_CONFIG with
 * line and column; ERR_LIMIT; ERR_NOMEM. */
MUST_CHECK int sign_policy_parse(struct bytes text, const char *name, struct sign_policy **ret,
                                 struct err *e);
void sign_policy_free(struct sign_policy *p);
DEFINE_AUTO(sign_policy, sign_policy_free);

size_t sign_policy_n_sources(const struct sign_policy *p);
const struct sign_source *sign_policy_source(const struct sign_policy *p, size_t i);
/* sign_policy_source_at - where in the text it stands; both count from 1. */
void sign_policy_source_at(const struct sign_policy *p, size_t i, unsigned *ret_line, unsigned *ret_column);
/* sign_source_kind_name - "key", "root", "store", "signers". */
const char *sign_source_kind_name(enum sign_source_kind kind);

/* sign_policy_bind - hands over what source i stands for, of the type its kind says; release frees it, and is
 * called at once when this fails. A key gets the source's name. ERR_CONFIG: a private key; ERR_NOMEM. */
MUST_CHECK int sign_policy_bind(struct sign_policy *p, size_t i, void *object, void (*release)(void *object),
                                struct err *e);

/* sign_policy_ready - to be called once everything that is used is bound: no rule can be had before.
 * ERR_CONFIG: something is not, or two names in one list are the same key. */
MUST_CHECK int sign_policy_ready(struct sign_policy *p, struct err *e);

/* sign_policy_rule - the rule for a place: what oci_ref_repo_str says of a reference ("host[:port]/repo",
 * "oci:DIR", "oci-archive:FILE", "sftp://host/DIR"), NULL for a file. Never NULL: where no scope covers the
 * place, that is the default's rule; for text that is no place at all, one that rejects. The host is compared
 * without regard to case and default port, a scope matches whole components: the longest one of the very
 * host, else the longest of the most specific wildcard, else the scope "" (registries alone), else the
 * default. */
const struct sign_rule *sign_policy_rule(const struct sign_policy *p, const char *repo);

/* sign_policy_candidates - calls see for each scope that could be the one for the place, the first that is
 * there being the rule's; rule: NULL where the policy has no such scope. ERR_USAGE: no place at all;
 * ERR_NOMEM. */
MUST_CHECK int sign_policy_candidates(const struct sign_policy *p, const char *repo,
                                      void (*see)(void *ctx, const char *scope, const struct sign_rule *rule),
                                      void *ctx, struct err *e);

/* sign_policy_n_rules / sign_policy_rule_at - the scopes in the order of the file; the default is none of
 * them. */
size_t sign_policy_n_rules(const struct sign_policy *p);
const struct sign_rule *sign_policy_rule_at(const struct sign_policy *p, size_t i);

/* sign_policy_warnings - appends a line for each thing that is right and hardly meant: keys that no rule
 * names, rules that accept anything or weaken a check, audit mode, several keys without a threshold. */
void sign_policy_warnings(const struct sign_policy *p, struct buf *out);

enum sign_verdict {
    SIGN_VERDICT_REQUIRE, /* what the rule demands must be there */
    SIGN_VERDICT_REJECT,  /* nothing is good enough */
    SIGN_VERDICT_ACCEPT,  /* "insecure-accept-anything": nothing is verified but deny lists */
};

/* sign_rule_name - as failures name it: scopes."ghcr.io/acme", or default. */
const char *sign_rule_name(const struct sign_rule *rule);
/* sign_rule_scope - normalised: "ghcr.io/acme", "*.example.com", "file:", ""; NULL for the default. */
const char *sign_rule_scope(const struct sign_rule *rule);
unsigned sign_rule_line(const struct sign_rule *rule); /* 0: it is not written down */
enum sign_verdict sign_rule_verdict(const struct sign_rule *rule);
/* sign_rule_limits_capabilities - claims in the module must be looked at, whoever signed. */
bool sign_rule_limits_capabilities(const struct sign_rule *rule);
bool sign_rule_is_audit(const struct sign_rule *rule);

/* sign_rule_wants - whether a signature (or, with attestation, an attestation) of that format could count:
 * others need not be fetched. Nothing does where the verdict is not SIGN_VERDICT_REQUIRE. */
bool sign_rule_wants(const struct sign_rule *rule, const char *format, bool attestation);
/* sign_rule_wants_attestations / _embedded / _claims - whether the rule demands any. */
bool sign_rule_wants_attestations(const struct sign_rule *rule);
bool sign_rule_wants_embedded(const struct sign_rule *rule);
bool sign_rule_wants_claims(const struct sign_rule *rule);
/* sign_rule_wants_module - whether what stands in the module can be what the rule demands or forbids: without
 * its bytes there is no telling. */
bool sign_rule_wants_module(const struct sign_rule *rule);

/* sign_rule_json - the rule as an object of the members that policy.toml has. */
void sign_rule_json(const struct sign_rule *rule, struct jout *w, const char *key);

/* sign_rule_trust - what the formats are to judge with: all keys that count for something in the rule, so
 * that a check that is ok is not yet one that counts: sign_rule_check knows which. Everything in *ret is
 * borrowed from the rule. now: seconds since 1970. */
void sign_rule_trust(const struct sign_rule *rule, int64_t now, struct sign_trust *ret);

/* What is known of the artifact. */
struct sign_facts {
    const struct digest *subject; /* of the manifest, of an index's if that was named; NULL: a file */
    const struct digest *module;  /* of the module's bytes; NULL: not read. Pins and deny lists then go by the
                                     manifest alone: check again once the module is there */
    const char *repo;             /* as of sign_policy_rule; NULL: a file */
    const struct digest *others;  /* of the same bytes by other algorithms (sign_rule_names), and of what
                                     stands  between a named index and the module: pinned and denied alike */
    size_t n_others;
};

#define SIGN_RULE_NAME_MAX 400

/* A demand that is not met. */
struct sign_finding {
    int code;                      /* an enum err_code */
    char rule[SIGN_RULE_NAME_MAX]; /* which: scopes."ghcr.io/acme".attestation[1].builder */
    char reason[ERR_MSG_MAX];
};

struct sign_decision {
    int code;      /* 0: taken; else the first finding's, by which the exit status goes:
                    *   ERR_UNSIGNED   there is no signature at all
                    *   ERR_UNTRUSTED  none is by a key or identity of the rule
                    *   ERR_CERT       the one that came nearest has a certificate that will not do
                    *   ERR_EXPIRED    it, or every one that counts, has expired or is too old
                    *   ERR_DIGEST     it is for something else
                    *   ERR_FORMAT     nothing but malformed ones (also ERR_LIMIT)
                    *   ERR_POLICY     all else: too few keys, format, attestation, condition, claims, deny list */
    bool audit;    /* the rule's mode is audit: code is 0 whatever was found, but for deny lists */
    bool insecure; /* taken because the rule accepts anything */
    struct sign_finding *findings; /* owned; what failed, in the order of the checks */
    size_t n_findings;
    unsigned signers;         /* distinct ones that count */
    const char *rule;         /* sign_rule_name; borrowed, as are the capabilities */
    bool limits_capabilities; /* only those below may be granted, none if there are none */
    const char *const *capabilities;
    size_t n_capabilities;
};
void sign_decision_done(struct sign_decision *d);

/* sign_rule_names - whether a pin or a deny list that counts here has a digest by this algorithm, so that it
 * must be known of everything. */
bool sign_rule_names(const struct sign_rule *rule, enum hash_alg alg);

/* sign_rule_check - compares what was found with what the rule demands. It is a function of its arguments
 * alone: the same give the same answer. report: the checks of all that was found for this very artifact, made
 * with sign_rule_trust; checks by other keys do not count. now: seconds since 1970.
 * ret: sign_decision_done. Returns non-zero, and *ret rejects, only when nothing could be said (ERR_NOMEM).
 *
 * Signers are counted by their keys (sign_check.key_id), those of certificates by who they are (issuer and
 * subject), since a keyless signer has a new key for each signature. An attestation counts where one of its
 * keys or identities signed it and that one statement meets all its conditions. */
MUST_CHECK int sign_rule_check(const struct sign_rule *rule, const struct sign_facts *facts,
                               const struct sign_report *report, int64_t now, struct sign_decision *ret,
                               struct err *e);

/* sign_policy_import - a policy of another tool as policy.toml, with comments where a reader must know more.
 * What cannot be said here at least as strictly is ERR_UNSUPPORTED, naming it: nothing is left out silently.
 * from: "containers" (containers-policy.json(5)) or "notation" (trustpolicy.json, trustpolicy.oci.json of the
 * Notary Project). name: the file's, for messages. ERR_FORMAT, ERR_USAGE (from), ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int sign_policy_import(const char *from, struct bytes text, const char *name, struct buf *out,
                                  struct err *e);

/* sign_policy_import_cosign - the same of the flags of `cosign verify`: args as on its command line. */
MUST_CHECK int sign_policy_import_cosign(char *const *args, size_t n, struct buf *out, struct err *e);

#endif
