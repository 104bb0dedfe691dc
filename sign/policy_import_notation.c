/* SPDX-License-Identifier: Apache-2.0 */
/* Notary Project trust policies (trustpolicy.json, version 1.0) as our own. */
#include "sign/policy_impl.h"

#include <stdio.h>

static int list_of(const struct jval *v, const char *where, const char *key, struct policy_names *ret,
                   struct err *e)
{
    const struct jval *list = NULL;
    int r = jobj_want_array(v, key, true, &list, e);
    if (r)
        return err_wrap(e, "%.200s", where);
    ret->names = calloc(jarr_len(list) ? jarr_len(list) : 1, sizeof(*ret->names));
    if (!ret->names)
        return err_nomem(e);
    for (; ret->n < jarr_len(list); ret->n++)
        if (!(ret->names[ret->n] = jval_string(jarr_at(list, ret->n))))
            return err_set(e, ERR_FORMAT, "%.200s: %s holds something that is no string", where, key);
    return 0;
}

/* "ca:NAME": the one store, which becomes a folder of that name. */
static int put_store(const struct policy_names *stores, const char *where, const char **ret, struct buf *out,
                     struct err *e)
{
    const char *found = NULL;
    for (size_t i = 0; i < stores->n; i++) {
        if (strncmp(stores->names[i], "tsa:", 4) == 0) {
            buf_append_str(out, "# Timestamps are not verified: a signature ends with its certificate.\n");
        } else if (strncmp(stores->names[i], "ca:", 3) != 0 || found) {
            return policy_unsupported(e, where, stores->names[i]);
        } else {
            found = stores->names[i] + 3;
        }
    }
    if (!found || !*found ||
        strspn(found, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(found) ||
        *found == '.')
        return policy_unsupported(e, where, "a policy without one store of authorities (ca:NAME)");
    *ret = found;
    return 0;
}

static int put_identities(const struct policy_names *identities, const char *where, struct buf *out,
                          struct err *e)
{
    static const char prefix[] = "x509.subject:";
    size_t n = sizeof(prefix) - 1;
    if (identities->n == 1 && strcmp(identities->names[0], "*") == 0) {
        buf_append_str(out, "insecure_any_identity = true\n");
        return 0;
    }
    buf_append_str(out, "identities = [\n");
    for (size_t i = 0; i < identities->n; i++) {
        const char *text = identities->names[i];
        if (strncmp(text, prefix, n) != 0)
            return policy_unsupported(e, where, text);
        buf_append_str(out, "  { subject = ");
        policy_put_string(out, text + n + strspn(text + n, " "));
        buf_append_str(out, " },\n");
    }
    buf_append_str(out, "]\n");
    return identities->n ? 0 : err_set(e, ERR_FORMAT, "%.200s: no trusted identity", where);
}

static int read_level(const struct jval *v, const char *where, const char **ret, struct buf *out,
                      struct err *e)
{
    static const char *const known[] = {"level", "override", "verifyTimestamp"};
    static const char *const levels[] = {"strict", "permissive", "audit", "skip"};
    const struct jval *verification = jobj_get(v, "signatureVerification");
    int r = policy_only(verification, where, known, ARRAY_LEN(known), e);
    const char *level = r ? NULL : jval_string(jobj_get(verification, "level"));
    size_t i = 0;
    while (level && i < ARRAY_LEN(levels) && strcmp(levels[i], level) != 0)
        i++;
    if (r || !level || i == ARRAY_LEN(levels))
        return r ? r : err_set(e, ERR_FORMAT, "%.200s: no such level", where);
    if (strcmp(level, "audit") == 0)
        buf_append_str(out, "# WARNING: notation refuses what was changed at this level, too; in audit mode\n"
                            "# everything is reported and taken.\n");
    else if (strcmp(level, "permissive") == 0 || jobj_len(jobj_get(verification, "override")))
        buf_append_str(out, "# Stricter than notation's level: expiry and certificates are enforced.\n");
    *ret = level;
    return 0;
}

static int put_rule(const struct jval *v, const char *where, const char *level, const char **ret_store,
                    struct buf *rule, struct err *e)
{
    struct policy_names stores = {NULL, 0}, identities = {NULL, 0};
    int r = list_of(v, where, "trustStores", &stores, e);
    if (!r)
        r = list_of(v, where, "trustedIdentities", &identities, e);
    if (!r)
        r = put_store(&stores, where, ret_store, rule, e);
    if (!r) {
        buf_printf(rule, "formats = [\"notation\"]\nstore = \"%s\"\n", *ret_store);
        r = put_identities(&identities, where, rule, e);
    }
    if (!r && strcmp(level, "audit") == 0)
        buf_append_str(rule, "mode = \"audit\"\n");
    free(stores.names);
    free(identities.names);
    return r;
}

/* One policy: its rule stands under each of its scopes. */
static int put_policy(const struct jval *v, struct buf *out, struct policy_names *stores, struct err *e)
{
    static const char *const known[] = {"name", "registryScopes", "signatureVerification", "trustStores",
                                        "trustedIdentities"};
    AUTO_DONE(buf) rule = BUF_INIT(LIMIT_TOML);
    struct policy_names scopes = {NULL, 0};
    const char *name = NULL, *level = NULL, *store = NULL;
    int r = jobj_want_string(v, "name", true, &name, e);
    if (!r)
        r = policy_only(v, name, known, ARRAY_LEN(known), e);
    if (!r)
        r = list_of(v, name, "registryScopes", &scopes, e);
    if (!r)
        r = read_level(v, name, &level, &rule, e);
    if (!r && strcmp(level, "skip") == 0)
        buf_printf(&rule, "verdict = \"%s\"\n", policy_verdicts[SIGN_VERDICT_ACCEPT]);
    else if (!r)
        r = put_rule(v, name, level, &store, &rule, e);
    for (size_t i = 0; !r && i < scopes.n; i++) {
        r = policy_put_scope(out, strcmp(scopes.names[i], "*") == 0 ? "" : scopes.names[i], e);
        buf_append_bytes(out, buf_bytes(&rule));
    }
    if (!r && !scopes.n)
        r = err_set(e, ERR_FORMAT, "%.200s: no scope", name);
    bool known_store = !store;
    for (size_t i = 0; store && i < stores->n; i++)
        known_store = known_store || strcmp(stores->names[i], store) == 0;
    if (!r && !known_store)
        stores->names[stores->n++] = store;
    free(scopes.names);
    return r ? r : buf_check(&rule, e);
}

int policy_import_notation(const struct jval *root, struct buf *out, struct err *e)
{
    static const char *const known[] = {"version", "trustPolicies"};
    AUTO_DONE(buf) rules = BUF_INIT(LIMIT_TOML);
    struct policy_names stores = {NULL, 0};
    const struct jval *list = NULL;
    const char *version = NULL;
    int r = policy_only(root, "the trust policy", known, ARRAY_LEN(known), e);
    if (!r)
        r = jobj_want_string(root, "version", true, &version, e);
    if (!r && strcmp(version, "1.0") != 0)
        r = policy_unsupported(e, "version", version);
    if (!r)
        r = jobj_want_array(root, "trustPolicies", true, &list, e);
    if (!r && !(stores.names = calloc(jarr_len(list) + 1, sizeof(*stores.names))))
        r = err_nomem(e);
    for (size_t i = 0; !r && i < jarr_len(list); i++)
        r = put_policy(jarr_at(list, i), &rules, &stores, e);
    buf_append_str(out, "default = \"reject\"\n"
                        "# A scope covers the repositories below it as well, which notation's does not.\n"
                        "# Revocation is not checked: verification makes no request.\n");
    for (size_t i = 0; !r && i < stores.n; i++)
        buf_printf(out,
                   "\n# Beside this file, as in notation's folder.\n[stores.\"%s\"]\ndir = "
                   "\"truststore/x509/ca/%s\"\n",
                   stores.names[i], stores.names[i]);
    buf_append_bytes(out, buf_bytes(&rules));
    free(stores.names);
    return r ? r : buf_check(&rules, e);
}
