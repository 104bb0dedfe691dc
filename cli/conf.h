/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from the environment: the only place that reads it. */
#ifndef WAYBILL_CLI_CONF_H
#define WAYBILL_CLI_CONF_H

#include "cli/cmd.h"
#include "cli/conf_names.h"
#include "cli/credentials.h"
#include "flow/obtain.h"

struct conf {
    char *store_dir;      /* $XDG_CACHE_HOME/waybill/store; NULL where there is no home */
    char *modules_dir;    /* $XDG_CACHE_HOME/waybill/modules; NULL likewise */
    uint64_t modules_max; /* bytes that it may have: $WAYBILL_CACHE_SIZE; 0: the default */
    char *memo_dir;       /* $XDG_CACHE_HOME/waybill/memo; NULL likewise */
    struct conf_names names;
    struct credentials credentials;
    char *ssh_dir;       /* $HOME/.ssh; NULL where there is no home */
    struct oci_via *via; /* SSH connections, for all that is done with this conf */
};

/* conf_load - $XDG_CACHE_HOME falls back to $HOME/.cache; a relative path in either counts as not set (XDG
 * Base Directory Specification 0.8). network: call->network.  remote: a registry is spoken to, so read the
 * credentials and what names mean, too; ERR_CONFIG when they are there and cannot be read. c: released with
 * conf_done, also after a failure; it must stay where it is. */
MUST_CHECK int conf_load(struct conf *c, const struct cmd_network *network, bool remote, struct err *e);
/* conf_load_login - the same for login and logout. */
MUST_CHECK int conf_load_login(struct conf *c, const struct cmd_network *network, struct err *e);
void conf_done(struct conf *c);
/* conf_disconnect - ends the connections that are kept open; nothing is obtained by c after this. */
void conf_disconnect(struct conf *c);

/* conf_is_remote - whether a TARGET is in a registry, so that credentials are wanted for it: neither a file
 * nor a layout of any kind. */
bool conf_is_remote(const char *target);

/* conf_flow - what the flow room wants to know; borrows from c. progress may be NULL. */
struct flow_conf conf_flow(const struct conf *c, const struct cmd_network *network,
                           struct progress *progress);

/* conf_source_date - what $SOURCE_DATE_EPOCH says; *ret is -1 where it is not set or empty. ERR_CONFIG. */
MUST_CHECK int conf_source_date(int64_t *ret, struct err *e);

#define CONF_TIME_MAX 32

/* conf_created - the time that $SOURCE_DATE_EPOCH tells (seconds since 1970, reproducible-builds.org's
 * specification), as RFC 3339 has it, in `out`; *ret is out, or NULL where the variable is not set or empty.
 * ERR_CONFIG: not such a number. */
MUST_CHECK int conf_created(char out[CONF_TIME_MAX], const char **ret, struct err *e);

/* conf_now - the time for what is signed: that of $SOURCE_DATE_EPOCH, else now; seconds since 1970.
 * ERR_CONFIG. */
MUST_CHECK int conf_now(int64_t *ret, struct err *e);

#endif
