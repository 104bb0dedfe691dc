/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/conf_policy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SYSTEM_POLICY "/etc/waybill/policy.toml"

int conf_policy_own(char **ret, struct err *e)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int n = 0;
    if (config && *config == '/')
        n = asprintf(&path, "%s/waybill/policy.toml", config);
    else if (home && *home == '/')
        n = asprintf(&path, "%s/.config/waybill/policy.toml", home);
    if (n < 0)
        return err_nomem(e);
    *ret = path;
    return 0;
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int conf_policy_find(const char *asked, char **ret, struct err *e)
{
    AUTO_FREE char *own = NULL;
    int r = asked ? 0 : conf_policy_own(&own, e);
    if (r)
        return r;
    const char *found = asked                     ? asked
                        : own && is_there(own)    ? own
                        : is_there(SYSTEM_POLICY) ? SYSTEM_POLICY
                                                  : NULL;
    char *copy = found ? strdup(found) : NULL;
    if (found && !copy)
        return err_nomem(e);
    *ret = copy;
    return 0;
}
