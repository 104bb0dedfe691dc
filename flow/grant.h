/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intersection: what a guest is granted is what it was given (by options), less what the policy does not
 * let it have, less what its signed claims do not state. Each may only take away.
 *
 * Capabilities have the names of WASI packages or interfaces ("wasi:filesystem", "wasi:cli/environment"). The
 * claims of wascap name some of them in another way ("wasmcloud:keyvalue", "wascc:key_value") and know no
 * others: a module's good claims govern the capabilities that they have a name for, and no more. Files and
 * variables are not among them, so that these are a matter of the policy and the options alone.
 */
#ifndef WAYBILL_FLOW_GRANT_H
#define WAYBILL_FLOW_GRANT_H

#include "base/wbin.h"
#include "sign/policy.h"

/* What options give, in names that a policy may list. */
#define FLOW_GRANT_FILESYSTEM  "wasi:filesystem"
#define FLOW_GRANT_ENVIRONMENT "wasi:cli/environment"

/* What is known of the artifact's rights before it is started. */
struct flow_rights {
    const struct sign_decision
        *decision;                    /* of a policy, or zeroed where there is none, which limits nothing */
    const struct sign_report *report; /* claims that are not good limit nothing; NULL: none were looked for */
};

/* flow_grant_check - whether a capability may be granted. capability: a package ("wasi:filesystem") or an
 * interface of one ("wasi:cli/environment"), which its package in the policy's list covers, as does what
 * claims call it. Where the policy is in audit mode what it does not allow passes with a warning.
 * ERR_CAPABILITY, ERR_NOMEM. */
MUST_CHECK int flow_grant_check(const struct flow_rights *rights, const char *capability, struct err *e);

enum flow_answer { FLOW_SILENT, FLOW_YES, FLOW_NO };

/* How a guest comes by a capability. */
enum flow_way {
    FLOW_BY_OPTION, /* it is given one by one */
    FLOW_ALWAYS,    /* every guest has it, and nothing limits that */
    FLOW_NEVER,     /* there is none to give */
};

/* One capability, and what all sides say of it. */
struct flow_capability {
    char *name; /* owned; foreign text where it is none that is known */
    bool known;
    enum flow_way way;
    const char *option;       /* FLOW_BY_OPTION: what gives it, "--dir"; else NULL */
    size_t n_asked;           /* imports of the module that ask for it: flow_grants.of */
    enum flow_answer claimed; /* FLOW_SILENT: there are no good claims, or they do not govern it */
    enum flow_answer
        allowed; /* FLOW_SILENT: there is no policy that limits capabilities, or nothing does it */
    bool given;  /* an option names it */
    bool granted;
    bool missing;  /* there are no such functions: a module that imports them cannot be put together */
    bool refused;  /* it was given, and policy or claims do not let it pass: the guest is not started */
    char why[256]; /* of what is asked for and not granted; else what else is to be said of it, or "" */
};

struct flow_grants {
    struct flow_capability *items; /* owned: those that are known, then others that the module asks for */
    size_t n;
    size_t *of; /* owned: for each import of the module, which item it asks for */
};

/* flow_grants_list - the whole intersection. imports: of the module or component. given: names of
 * capabilities that options give. ret: flow_grants_done, whatever is returned. ERR_NOMEM. */
MUST_CHECK int flow_grants_list(const struct flow_rights *rights, const struct wbin_info *imports,
                                const char *const *given, size_t n_given, struct flow_grants *ret,
                                struct err *e);

/* flow_grants_missing - the first import that keeps the module from being put together; imports.n_imports:
 * none. imports: as above. */
size_t flow_grants_missing(const struct flow_grants *g, const struct wbin_info *imports);

/* flow_grants_log - one line in the log for each such import, at most LIMIT_DENIED_LINES, in the form that
 * denied uses have at run time:
 *     denied capability=wasi:http use=import what=wasi:http/types@0.2.0 error=not-offered */
void flow_grants_log(const struct flow_grants *g, const struct wbin_info *imports);

/* flow_import_name - appends an import as people write it: "wasi_snapshot_preview1.fd_read",
 * "wasi:cli/stdout@0.2.0". */
void flow_import_name(const struct wbin_info *imports, size_t i, struct buf *out);

void flow_grants_done(struct flow_grants *g);

#endif
