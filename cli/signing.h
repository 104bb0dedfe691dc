/* SPDX-License-Identifier: Apache-2.0 */
/* What sign and attest have in common where they sign references. */
#ifndef WAYBILL_CLI_SIGNING_H
#define WAYBILL_CLI_SIGNING_H

#include "cli/cmd.h"
#include "flow/sign.h"

struct signing {
    const char *verb;        /* for the schema of --json */
    const char *format;      /* by name */
    const char *key;         /* the file */
    const char *password_fd; /* what --password-fd says, or NULL */
    const struct opt_list *annotations;
    uint64_t expires; /* milliseconds from now on; 0: never */
    bool quiet, json;
    struct flow_signing how; /* what is not said above: predicate, certificates, expires_at, recursive */
};

/* signing_read - a whole file, "-" being standard input. ERR_LIMIT: out may not hold that much. */
MUST_CHECK int signing_read(const char *path, struct buf *out, struct err *e);

/* signing_run - reads the key, signs what the reference names and prints what was made. */
MUST_CHECK int signing_run(struct cmd_call *call, const char *reference, struct signing *s, struct err *e);

#endif
