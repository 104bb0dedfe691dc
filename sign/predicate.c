/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/predicate.h"

#include <string.h>

#define SLSA_V1   "https://slsa.dev/provenance/v1"
#define SLSA_V0_2 "https://slsa.dev/provenance/v0.2"
#define SPDX      "https://spdx.dev/Document"
#define CYCLONEDX "https://cyclonedx.org/bom"
#define VULN      "https://cosign.sigstore.dev/attestation/vuln/v1"
#define OPENVEX   "https://openvex.dev/ns"
#define LINK      "https://in-toto.io/Link/v1"
#define CUSTOM    "https://cosign.sigstore.dev/attestation/v1"

const struct sign_predicate sign_predicates[] = {
    {"slsaprovenance1", SLSA_V1, false},
    {"slsaprovenance02", SLSA_V0_2, false},
    {"slsaprovenance", SLSA_V0_2, false},
    {"spdx", SPDX, true},
    {"spdxjson", SPDX, true},
    {"cyclonedx", CYCLONEDX, true},
    {"vuln", VULN, false},
    {"openvex", OPENVEX, true},
    {"link", LINK, false},
    {"custom", CUSTOM, false},
};
const size_t sign_n_predicates = ARRAY_LEN(sign_predicates);

static const struct sign_predicate *by_alias(const char *alias)
{
    for (size_t i = 0; i < sign_n_predicates; i++)
        if (strcmp(sign_predicates[i].alias, alias) == 0)
            return &sign_predicates[i];
    return NULL;
}

/* Whether a type is the row's, or a later version of it. */
static bool covers(const struct sign_predicate *p, const char *type)
{
    size_t n = strlen(p->type);
    if (strncmp(type, p->type, n) != 0)
        return false;
    return type[n] == '\0' || (p->versioned && type[n] == '/' && type[n + 1] == 'v');
}

const char *sign_predicate_type(const char *name)
{
    const struct sign_predicate *p = by_alias(name);
    if (p)
        return p->type;
    return strchr(name, ':') ? name : NULL;
}

const char *sign_predicate_alias(const char *type)
{
    for (size_t i = 0; i < sign_n_predicates; i++)
        if (covers(&sign_predicates[i], type))
            return sign_predicates[i].alias;
    return NULL;
}

bool sign_predicate_is(const char *wanted, const char *type)
{
    const struct sign_predicate *p = by_alias(wanted);
    return p ? covers(p, type) : strcmp(wanted, type) == 0;
}

/* Members that must be there, one of each row. */
static const struct {
    const char *type, *member;
    enum jkind kind;
} expected[] = {
    {SLSA_V1, "buildDefinition", JKIND_OBJECT}, {SLSA_V1, "runDetails", JKIND_OBJECT},
    {SLSA_V0_2, "builder", JKIND_OBJECT},       {SLSA_V0_2, "buildType", JKIND_STRING},
    {CYCLONEDX, "bomFormat", JKIND_STRING},     {VULN, "scanner", JKIND_OBJECT},
    {VULN, "metadata", JKIND_OBJECT},           {OPENVEX, "@context", JKIND_STRING},
    {OPENVEX, "statements", JKIND_ARRAY},       {LINK, "name", JKIND_STRING},
};

/* SPDX 2 is one object, SPDX 3 is JSON-LD, and cosign's type spdx has the tag-value text as a string. */
static int check_spdx(const struct jval *p, struct err *e)
{
    bool found = jval_kind(p) == JKIND_STRING || jobj_get(p, "spdxVersion") || jobj_get(p, "@context");
    return found ? 0 : err_set(e, ERR_FORMAT, "no SPDX document: it has no member \"spdxVersion\"");
}

int sign_predicate_check(const char *type, const struct jval *predicate, struct err *e)
{
    const char *alias = sign_predicate_alias(type);
    const char *plain = alias ? sign_predicate_type(alias) : NULL;
    if (!plain || strcmp(plain, CUSTOM) == 0)
        return 0;
    if (strcmp(plain, SPDX) == 0)
        return check_spdx(predicate, e);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        if (strcmp(expected[i].type, plain) != 0)
            continue;
        const struct jval *member = jobj_get(predicate, expected[i].member);
        if (!member || jval_kind(member) != expected[i].kind)
            return err_set(e, ERR_FORMAT, "no predicate of type %s: it lacks \"%s\"", alias,
                           expected[i].member);
    }
    return 0;
}
