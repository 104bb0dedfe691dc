/* SPDX-License-Identifier: Apache-2.0 */
/* What names mean on this machine: containers' registries.conf and wkg's config.toml. */
#ifndef WAYBILL_CLI_CONF_NAMES_H
#define WAYBILL_CLI_CONF_NAMES_H

#include "oci/registries.h"

struct conf_names {
    struct oci_registries registries;
    char *packages_path; /* wkg's config.toml; NULL where there is no home */
    struct buf packages; /* its content; empty when there is no such file */
};

/* conf_names_load - registries.conf of $CONTAINERS_REGISTRIES_CONF, or else the user's
 * ($XDG_CONFIG_HOME/containers), or else the system's (/etc/containers), and then the files *.conf of
 * registries.conf.d of the system and of the user, each in the order of their names. What is not there is
 * passed over, but for a file that the variable names. home: absolute, or NULL. config_home: $XDG_CONFIG_HOME
 * if absolute, or NULL. n: released with conf_names_done, also after a failure. ERR_CONFIG, ERR_NOMEM. */
MUST_CHECK int conf_names_load(struct conf_names *n, const char *home, const char *config_home,
                               struct err *e);
void conf_names_done(struct conf_names *n);

#endif
