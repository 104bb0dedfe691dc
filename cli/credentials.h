/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials for registries from the command line, the environment and the files of podman and docker. */
#ifndef WAYBILL_CLI_CREDENTIALS_H
#define WAYBILL_CLI_CREDENTIALS_H

#include "cli/cmd.h"
#include "oci/cred.h"

struct credentials {
    struct oci_cred_conf conf; /* borrows from the rest */
    struct oci_cred_source sources[OCI_CRED_SOURCES];
    char *paths[OCI_CRED_SOURCES];
    struct buf texts[OCI_CRED_SOURCES];
    char *user, *password, *identity_token;
};

enum credentials_want {
    CREDENTIALS_NONE,  /* no registry is spoken to; a line of standard input that was promised is read */
    CREDENTIALS_USE,   /* files that were named must be there, and what was given must be whole */
    CREDENTIALS_LOGIN, /* none of both: a file is made, and what is missing is asked for */
};

/* credentials_load - in the order in which they count:
 *   --username and --password-stdin; then WAYBILL_USERNAME and WAYBILL_PASSWORD, or WAYBILL_IDENTITY_TOKEN;
 *   --auth-file FILE: this file alone, the environment does not count; else
 *   podman's: $REGISTRY_AUTH_FILE, or $XDG_RUNTIME_DIR/containers/auth.json and
 *   $XDG_CONFIG_HOME/containers/auth.json ($HOME/.config without it);
 *   docker's: $DOCKER_CONFIG/config.json, or $HOME/.docker/config.json; the text of $DOCKER_AUTH_CONFIG.
 * The secret ones are taken out of the environment. c: released with credentials_done, also after a failure;
 * it must stay where it is. ERR_USAGE, ERR_CONFIG, ERR_NOMEM. */
MUST_CHECK int credentials_load(struct credentials *c, const struct cmd_network *network,
                                enum credentials_want want, struct err *e);
void credentials_done(struct credentials *c);

/* credentials_line - the first line of standard input, without its end; nothing behind it is read, so that
 * it can be read by others. *ret: secret, heap. ERR_USAGE when there is none. */
MUST_CHECK int credentials_line(char **ret, struct err *e);

#endif
