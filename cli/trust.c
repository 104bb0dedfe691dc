/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/trust.h"

#include "base/log.h"
#include "base/time.h"
#include "cli/conf_policy.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int trust_time_parse(const char *text, int64_t *ret, struct err *e)
{
    size_t digits = strspn(text, "0123456789");
    if (digits && digits <= 12 && !text[digits]) {
        *ret = strtoll(text, NULL, 10);
        return 0;
    }
    if (!time_parse_rfc3339(bytes_str(text), ret))
        return err_set(e, ERR_USAGE, "'%s' is no time: 2026-11-21T12:00:00Z, or seconds since 1970", text);
    return 0;
}

static int read_options(const struct cmd_trust *o, struct trust *t, struct flow_trust_conf *conf,
                        struct err *e)
{
    int r = o->now ? trust_time_parse(o->now, &t->now, e) : 0;
    if (!r)
        r = pairs_parse(&o->annotations, &t->annotations, e);
    if (r)
        return r;
    if (o->identity && o->identity_pattern)
        return err_set(e, ERR_USAGE, "--identity and --identity-pattern contradict each other");
    t->pairs = calloc(t->annotations.n + 1, sizeof(*t->pairs));
    if (!t->pairs)
        return err_nomem(e);
    for (size_t i = 0; i < t->annotations.n; i++)
        t->pairs[i] = (struct sign_pair){t->annotations.all[i].key, t->annotations.all[i].value};
    t->identity = (struct sign_identity){.issuer = o->issuer,
                                         .subject = o->identity ? o->identity : o->identity_pattern,
                                         .subject_is_pattern = o->identity_pattern != NULL};
    *conf = (struct flow_trust_conf){
        .policy = o->policy,
        .keys = o->keys.items,
        .n_keys = o->keys.n,
        .root = o->root,
        .stores = o->stores.items,
        .n_stores = o->stores.n,
        .signers = o->signers,
        .identities = &t->identity,
        .n_identities = o->identity || o->identity_pattern || o->issuer,
        .annotations = t->pairs,
        .n_annotations = t->annotations.n,
        .ed25519ph = o->ed25519ph,
        .old_claims = o->old_claims,
    };
    return 0;
}

/* Whether something was given to verify with; what only narrows that down does not count. */
static bool any_given(const struct flow_trust_conf *c)
{
    return c->policy || c->n_keys || c->root || c->n_stores || c->signers;
}

static bool any_narrowing(const struct flow_trust_conf *c)
{
    return c->n_identities || c->n_annotations || c->ed25519ph || c->old_claims;
}

static int load(const struct flow_trust_conf *conf, bool required, struct trust *ret, struct err *e)
{
    if (any_given(conf))
        return flow_trust_load(conf, &ret->loaded, e);
    if (required || any_narrowing(conf))
        return err_set(e, ERR_USAGE,
                       "option '--key PUB' is missing, or another one that says what to verify with: "
                       "--policy, --trusted-root, --trust-store, --signers");
    return 0;
}

int trust_load(const struct cmd_trust *o, bool required, struct trust *ret, struct err *e)
{
    struct flow_trust_conf conf;
    *ret = (struct trust){.now = time(NULL)};
    int r = read_options(o, ret, &conf, e);
    if (!r && !any_given(&conf))
        r = conf_policy_find(NULL, &ret->policy, e);
    if (!r && ret->policy)
        conf.policy = ret->policy;
    return r ? r : load(&conf, required, ret, e);
}

int trust_load_given(const struct cmd_trust *o, struct trust *ret, struct err *e)
{
    struct flow_trust_conf conf;
    *ret = (struct trust){.now = time(NULL)};
    int r = read_options(o, ret, &conf, e);
    return r ? r : load(&conf, false, ret, e);
}

int trust_skip(const struct cmd_trust *o, struct err *e)
{
    AUTO_FREE char *policy = NULL;
    const char *contrary = o->keys.n                            ? "--key"
                           : o->policy                          ? "--policy"
                           : o->root                            ? "--trusted-root"
                           : o->stores.n                        ? "--trust-store"
                           : o->signers                         ? "--signers"
                           : o->annotations.n                   ? "--annotation"
                           : o->issuer                          ? "--issuer"
                           : o->identity || o->identity_pattern ? "--identity"
                                                                : NULL;
    if (contrary)
        return err_set(e, ERR_USAGE, "%s and --allow-unsigned contradict each other", contrary);
    int r = conf_policy_find(NULL, &policy, e);
    if (r)
        return r;
    if (policy)
        log_warn("no signature is looked for, and the policy %s is not asked: --allow-unsigned", policy);
    else
        log_warn("no signature is looked for: --allow-unsigned");
    return 0;
}

void trust_done(struct trust *t)
{
    flow_trust_free(TAKE(t->loaded));
    pairs_done(&t->annotations);
    free(TAKE(t->pairs));
    free(TAKE(t->policy));
}

struct flow_demand trust_demand(const struct trust *t)
{
    return (struct flow_demand){.trust = t->loaded, .now = t->now};
}
