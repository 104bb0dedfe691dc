/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/grant.h"

#include "base/json.h"
#include "base/log.h"
#include "flow/grant_impl.h"
#include "sign/claims.h"

#include <stdlib.h>

/* Whether a name in a list covers a capability: it is that, or the package that it is in. */
static bool covers(const char *listed, const char *capability)
{
    size_t n = strlen(listed);
    return strncmp(capability, listed, n) == 0 && (capability[n] == 0 || capability[n] == '/');
}

bool flow_row_is_called(const struct flow_row *row, const char *listed)
{
    for (size_t i = 0; row && i < ARRAY_LEN(row->claims) && row->claims[i]; i++)
        if (strcmp(row->claims[i], listed) == 0)
            return true;
    return false;
}

static bool is_good_claims(const struct sign_check *c)
{
    return c->ok && strcmp(c->format, SIGN_CLAIMS_NAME) == 0;
}

/* Whether one token states it. One that states no capability at all gives none. */
static int states(const struct sign_check *c, const struct flow_row *row, const char *capability, bool *ret,
                  struct err *e)
{
    AUTO(jdoc) doc = NULL;
    *ret = false;
    int r = c->capabilities ? jdoc_parse(bytes_str(c->capabilities), &doc, e) : 0;
    if (r != 0 || !doc)
        return r;
    const struct jval *list = jdoc_root(doc);
    for (size_t i = 0; !*ret && i < jarr_len(list); i++) {
        const char *stated = jval_string(jarr_at(list, i));
        *ret = stated && (covers(stated, capability) || flow_row_is_called(row, stated));
    }
    return 0;
}

int flow_grant_claimed(const struct sign_report *report, const char *capability, enum flow_answer *ret,
                       struct err *e)
{
    const struct flow_row *row = flow_row_of(capability);
    *ret = FLOW_SILENT;
    if (!report || !row || !row->claims[0])
        return 0;
    for (size_t i = 0; i < report->n; i++) {
        bool stated;
        if (!is_good_claims(&report->checks[i]))
            continue;
        int r = states(&report->checks[i], row, capability, &stated, e);
        if (r != 0)
            return r;
        /* Of several, each may only take away. */
        *ret = stated && *ret != FLOW_NO ? FLOW_YES : FLOW_NO;
    }
    return 0;
}

enum flow_answer flow_grant_allowed(const struct sign_decision *decision, const char *capability)
{
    if (!decision->limits_capabilities)
        return FLOW_SILENT;
    for (size_t i = 0; i < decision->n_capabilities; i++)
        if (covers(decision->capabilities[i], capability) ||
            flow_row_is_called(flow_row_of(capability), decision->capabilities[i]))
            return FLOW_YES;
    return FLOW_NO;
}

int flow_grant_check(const struct flow_rights *rights, const char *capability, struct err *e)
{
    enum flow_answer claimed;
    int r = flow_grant_claimed(rights->report, capability, &claimed, e);
    if (r != 0)
        return r;
    if (claimed == FLOW_NO)
        return err_set(e, ERR_CAPABILITY, "%s is not among the capabilities that its claims state",
                       capability);
    if (flow_grant_allowed(rights->decision, capability) != FLOW_NO)
        return 0;
    if (rights->decision->audit) {
        log_warn("not enforced: %s.capabilities: %s is not allowed", rights->decision->rule, capability);
        return 0;
    }
    return err_set(e, ERR_CAPABILITY, "%s is not allowed (%.180s.capabilities)", capability,
                   rights->decision->rule);
}
