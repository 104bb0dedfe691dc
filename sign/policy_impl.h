/* SPDX-License-Identifier: Apache-2.0 */
/* Private to sign/policy*.c. Texts are borrowed from the policy's document unless something else is said. */
#ifndef WAYBILL_SIGN_POLICY_IMPL_H
#define WAYBILL_SIGN_POLICY_IMPL_H

#include "base/limits.h"
#include "base/toml.h"
#include "sign/policy.h"

#define POLICY_NONE SIZE_MAX /* no source */

/* What "insecure-accept-anything" and the like are called, by enum sign_verdict. */
extern const char *const policy_verdicts[3];

/* The formats a rule may name, one bit each in this order. */
extern const char *const policy_formats[];
extern const size_t policy_n_formats;
unsigned policy_format_bit(const char *name); /* 0: unknown */
#define POLICY_FORMATS(sigstore, cosign, embedded, claims, notation, ssh, minisign)                \
    ((sigstore) | (cosign) << 1 | (embedded) << 2 | (claims) << 3 | (notation) << 4 | (ssh) << 5 | \
     (minisign) << 6)
/* Those that can be attestations, that sign annotations along, that sign the repository's name. */
#define POLICY_ATTESTING   POLICY_FORMATS(1U, 1U, 0U, 0U, 0U, 0U, 0U)
#define POLICY_ANNOTATED   POLICY_FORMATS(1U, 1U, 0U, 0U, 1U, 0U, 0U)
#define POLICY_REPOSITORY  POLICY_FORMATS(0U, 1U, 0U, 0U, 0U, 0U, 0U)
#define POLICY_ALL_FORMATS POLICY_FORMATS(1U, 1U, 1U, 1U, 1U, 1U, 1U)

struct policy_source {
    struct sign_source shown;
    const char *path;   /* where there is one */
    const char **paths; /* owned, where there is a list; shown.paths is this or &path */
    const char **names; /* owned: shown.names */
    void *object;       /* owned: what it stands for */
    void (*release)(void *object);
    char id[SIGN_FINGERPRINT_MAX]; /* keys, once bound */
};

struct policy_names {
    const char **names; /* owned */
    size_t n;
};

/* Whose signatures count. Sources are indices into the policy's. */
struct policy_signers {
    size_t *keys; /* owned */
    size_t n_keys;
    unsigned threshold;
    size_t root, store, signers;      /* POLICY_NONE where there is none */
    struct sign_identity *identities; /* owned */
    size_t n_identities;
    bool any_identity;
    unsigned formats; /* bits */
};

enum policy_test { POLICY_EQUALS, POLICY_ONE_OF, POLICY_MATCHES, POLICY_EXISTS };

struct policy_condition {
    const char *name; /* NULL: it has none */
    const char *pointer;
    enum policy_test test;
    const struct jval *want; /* a scalar, an array of them, a pattern or a boolean */
};

struct policy_attestation {
    const char *name; /* NULL: it has none */
    const char *type; /* a URI, or an alias of sign/predicate.h */
    struct policy_signers by;
    bool every; /* all that count must meet the conditions, not one alone */
    int64_t max_age;
    struct policy_condition *conditions; /* owned */
    size_t n_conditions;
};

struct policy_digests {
    struct digest *all; /* owned */
    size_t n;
};

struct sign_rule {
    const struct sign_policy *policy;
    const char *written; /* as it stands in the text; NULL: the default */
    char *scope, *name;  /* owned; see sign_rule_scope, sign_rule_name */
    enum sign_verdict verdict;
    bool audit, embedded, claims, signed_repository, ed25519ph, old_claims, has_capabilities;
    struct policy_signers by;
    struct sign_pair *annotations; /* owned */
    size_t n_annotations;
    const char *issuer, *subject; /* of claims: nkeys */
    char *pins;                   /* owned: both, as sign_trust has them; NULL: neither */
    int64_t min_revision;         /* -1: any */
    int64_t max_age;              /* in seconds; 0: any */
    struct policy_attestation *attestations;
    size_t n_attestations;
    struct policy_names capabilities;
    struct policy_digests digests, deny;
    /* Once the policy is ready: all that count for anything. Owned, not what they point to. */
    struct sign_key **all_keys;
    size_t n_all_keys;
    struct sign_identity *all_identities;
    size_t n_all_identities;
    bool any_identity; /* anybody with a certificate: then there are none above */
    size_t all_root;   /* the one root of the scope and its attestations */
    bool in_registry;
};

struct sign_policy {
    struct jdoc *doc;
    struct buf text; /* for positions */
    char *name;
    struct policy_source *sources;
    size_t n_sources;
    struct sign_rule *rules;
    size_t n_rules;
    struct sign_rule by_default, no_place;
    struct policy_digests deny;
    bool has_wildcards, ready;
    /* Rules by scope: open addressing, POLICY_NONE where nothing is. */
    size_t *table;
    size_t table_size; /* a power of two, or 0 */
};

/* A place or a scope in the form in which they are compared. */
#define POLICY_PLACE_MAX (LIMIT_NAME + 32U)
struct policy_place {
    char text[POLICY_PLACE_MAX];
    bool is_registry;
};

/* policy_place_set - of what oci_ref_repo_str says; repo NULL: a file. False: it is no place. */
bool policy_place_set(const char *repo, struct policy_place *ret);
/* policy_scope_set - of a scope as it is written; returns NULL, or what is wrong with it. */
const char *policy_scope_set(const char *written, struct policy_place *ret);

/* policy_table_add - a rule under its scope; *ret_twice: the earlier rule with the same one, else NULL. */
MUST_CHECK int policy_table_make(struct sign_policy *p, size_t n, struct err *e);
const struct sign_rule *policy_table_add(struct sign_policy *p, size_t rule);

/* policy_read - the document into p. policy_done: the contents of p. */
MUST_CHECK int policy_read(struct sign_policy *p, struct err *e);

/* The reading: where a value is, and a failure that says it. */
struct policy_reader {
    struct sign_policy *p;
    struct err *e;
};
int policy_fail(struct policy_reader *rd, const struct toml_at *at, const char *fmt, ...) PRINTF_LIKE(3, 4);

struct policy_member {
    const char *name;
    int (*read)(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into);
};
/* policy_table - a table of known members, each read by its row. */
MUST_CHECK int policy_table(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                            const struct policy_member *members, size_t n, void *into);

MUST_CHECK int policy_want_text(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                                const char **ret);
MUST_CHECK int policy_want_bool(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                                bool *ret);
MUST_CHECK int policy_want_number(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                                  uint64_t min, uint64_t max, uint64_t *ret);
MUST_CHECK int policy_want_choice(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                                  const char *const *choices, size_t n, size_t *ret);
/* policy_want_names - a list of different texts, at least `min`. */
MUST_CHECK int policy_want_names(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                                 size_t min, struct policy_names *ret);
/* policy_want_list - elements of size bytes, each read by `read`; *ret_list is zeroed memory, set at once. */
MUST_CHECK int policy_want_list(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                                size_t size, void **ret_list, size_t *ret_n,
                                int (*read)(struct policy_reader *rd, const struct toml_at *at,
                                            const struct jval *v, void *into));
MUST_CHECK int policy_want_age(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                               int64_t *ret);
MUST_CHECK int policy_want_digests(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                                   struct policy_digests *ret);

/* policy_rule_read - one scope's table. */
MUST_CHECK int policy_rule_read(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                                struct sign_rule *rule);
void policy_rule_done(struct sign_rule *rule);
/* policy_attestation_list - the value of "attestation". */
MUST_CHECK int policy_attestation_list(struct policy_reader *rd, const struct toml_at *at,
                                       const struct jval *v, struct sign_rule *rule);
/* policy_rule_possible - whether anything could satisfy the rule; the failure says why not. */
MUST_CHECK int policy_rule_possible(struct policy_reader *rd, const struct toml_at *at,
                                    const struct sign_rule *rule);
/* policy_signers_possible - the same of a list of signers. what: "signature", "attestation". */
MUST_CHECK int policy_signers_possible(struct policy_reader *rd, const struct toml_at *at,
                                       const struct policy_signers *by, const char *what);
void policy_signers_init(struct policy_signers *by, unsigned formats);
void policy_signers_done(struct policy_signers *by);

/* Rows that scopes and attestations have both; `into` is the struct policy_signers. */
int policy_read_keys(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into);
int policy_read_threshold(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                          void *into);
int policy_read_root(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into);
int policy_read_store(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into);
int policy_read_signers(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into);
int policy_read_identities(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                           void *into);
int policy_read_any_identity(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                             void *into);
int policy_read_formats(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into);
/* policy_want_pattern - one that sign_pattern_check takes. */
MUST_CHECK int policy_want_pattern(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                                   const char **ret);

/* policy_digests_have - whether d is among them; NULL is not. */
bool policy_digests_have(const struct policy_digests *list, const struct digest *d);

/* The checking of attestations, for policy_check.c. */
struct policy_finder {
    const struct sign_rule *rule;
    const struct sign_facts *facts;
    const struct sign_report *report;
    int64_t now;
    struct sign_decision *ret;
    struct err *e;
};
int policy_find(struct policy_finder *f, int code, const char *rule_suffix, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* policy_signer_counts - whether a check that is ok was made by one of `by`, in a format of theirs. */
MUST_CHECK int policy_signer_counts(const struct policy_finder *f, const struct policy_signers *by,
                                    const struct sign_check *c, bool *ret);
/* policy_same_signer - whether two checks that are ok are by one signer. */
bool policy_same_signer(const struct policy_finder *f, const struct sign_check *a,
                        const struct sign_check *b);
/* policy_too_old - why a check's time will not do, in one line; NULL: it will. */
const char *policy_too_old(const struct sign_check *c, int64_t max_age, int64_t now);
MUST_CHECK int policy_check_attestation(struct policy_finder *f, size_t i);

/* policy_import_* - the ways of sign_policy_import. */
MUST_CHECK int policy_import_containers(const struct jval *root, struct buf *out, struct err *e);
MUST_CHECK int policy_import_notation(const struct jval *root, struct buf *out, struct err *e);
/* policy_put_string - a TOML basic string. */
void policy_put_string(struct buf *out, const char *text);
/* policy_put_scope - the header of a scope's table; ERR_UNSUPPORTED: it is none here. */
MUST_CHECK int policy_put_scope(struct buf *out, const char *scope, struct err *e);
/* policy_only - that an object has no other members: what is not known could be what makes it strict. */
MUST_CHECK int policy_only(const struct jval *v, const char *where, const char *const *known, size_t n,
                           struct err *e);
/* policy_unsupported - ERR_UNSUPPORTED: "<where>: <what> cannot be said here". */
int policy_unsupported(struct err *e, const char *where, const char *what);
/* policy_import_end - that what was written is a policy. */
MUST_CHECK int policy_import_end(struct buf *out, struct err *e);

#endif
