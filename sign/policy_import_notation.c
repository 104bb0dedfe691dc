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

/* The stores of one policy, under its name. */
static int put_stores(const struct policy_names *stores, const char *name, struct buf *out, struct err *e)
{
    static const char *const kinds[] = {"ca:", "signingAuthority:", "tsa:"};
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (!stores->n)
        return err_set(e, ERR_FORMAT, "%.200s: no trust store", name);
    buf_append_str(out, "\n[stores.");
    policy_put_string(out, name);
    buf_append_str(out, "]\ndir = \"truststore\"\nnames = [");
    for (size_t i = 0; i < stores->n; i++) {
        const char *text = stores->names[i], *rest = NULL;
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
            if (strncmp(text, kinds[k], strlen(kinds[k])) == 0)
                rest = text + strlen(kinds[k]);
        if (!rest || !*rest || *rest == '.' || strspn(rest, letters) != strlen(rest))
            return policy_unsupported(e, name, text);
        buf_append_str(out, i ? ", " : "");
        policy_put_string(out, text);
    }
    buf_append_str(out, "]\n");
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

static int put_rule(const struct jval *v, const char *where, const char *level, struct buf *store,
                    struct buf *rule, struct err *e)
{
    struct policy_names stores = {NULL, 0}, identities = {NULL, 0};
    int r = list_of(v, where, "trustStores", &stores, e);
    if (!r)
        r = list_of(v, where, "trustedIdentities", &identities, e);
    if (!r)
        r = put_stores(&stores, where, store, e);
    if (!r) {
        buf_append_str(rule, "formats = [\"notation\"]\nstore = ");
        policy_put_string(rule, where);
        buf_append_str(rule, "\n");
        r = put_identities(&identities, where, rule, e);
    }
    if (!r && strcmp(level, "audit") == 0)
        buf_append_str(rule, "mode = \"audit\"\n");
    free(stores.names);
    free(identities.names);
    return r;
}

/* One policy: its rule stands under each of its scopes. */
static int put_policy(const struct jval *v, struct buf *out, struct buf *stores, struct err *e)
{
    static const char *const known[] = {"name", "registryScopes", "signatureVerification", "trustStores",
                                        "trustedIdentities"};
    AUTO_DONE(buf) rule = BUF_INIT(LIMIT_TOML);
    struct policy_names scopes = {NULL, 0};
    const char *name = NULL, *level = NULL;
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
        r = put_rule(v, name, level, stores, &rule, e);
    for (size_t i = 0; !r && i < scopes.n; i++) {
        r = policy_put_scope(out, strcmp(scopes.names[i], "*") == 0 ? "" : scopes.names[i], e);
        buf_append_bytes(out, buf_bytes(&rule));
    }
    if (!r && !scopes.n)
        r = err_set(e, ERR_FORMAT, "%.200s: no scope", name);
    free(scopes.names);
    return r ? r : buf_check(&rule, e);
}

int policy_import_notation(const struct jval *root, struct buf *out, struct err *e)
{
    static const char *const known[] = {"version", "trustPolicies"};
    AUTO_DONE(buf) rules = BUF_INIT(LIMIT_TOML), stores = BUF_INIT(LIMIT_TOML);
    const struct jval *list = NULL;
    const char *version = NULL;
    int r = policy_only(root, "the trust policy", known, ARRAY_LEN(known), e);
    if (!r)
        r = jobj_want_string(root, "version", true, &version, e);
    if (!r && strcmp(version, "1.0") != 0)
        r = policy_unsupported(e, "version", version);
    if (!r)
        r = jobj_want_array(root, "trustPolicies", true, &list, e);
    for (size_t i = 0; !r && i < jarr_len(list); i++)
        r = put_policy(jarr_at(list, i), &rules, &stores, e);
    buf_append_str(out, "default = \"reject\"\n"
                        "# A scope covers the repositories below it as well, which notation's does not.\n"
                        "# Revocation is not checked: verification makes no request.\n");
    if (stores.len)
        buf_append_str(out, "# The folder truststore is beside this file, as in notation's.\n");
    buf_append_bytes(out, buf_bytes(&stores));
    buf_append_bytes(out, buf_bytes(&rules));
    if (!r)
        r = buf_check(&stores, e);
    return r ? r : buf_check(&rules, e);
}
