/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/conf.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/version.h"

#include <fcntl.h>
#include <stdio.h>

/* An environment variable that holds an absolute path, or NULL. */
static const char *env_path(const char *name)
{
    const char *value = getenv(name);
    return value && *value == '/' ? value : NULL;
}

/* "<dir><rest>" on the heap. */
static int join(const char *dir, const char *rest, char **ret, struct err *e)
{
    char *path;
    if (asprintf(&path, "%s%s", dir, rest) < 0)
        return err_nomem(e);
    *ret = path;
    return 0;
}

static int load_folders(struct conf *c, const char *home, struct err *e)
{
    const char *xdg = env_path("XDG_CACHE_HOME");
    if (!xdg && !home) {
        log_info("neither XDG_CACHE_HOME nor HOME is set: nothing is kept");
        return 0;
    }
    const char *base = xdg ? xdg : home;
    int r = join(base, xdg ? "/waybill/store" : "/.cache/waybill/store", &c->store_dir, e);
    if (r)
        return r;
    r = join(base, xdg ? "/waybill/modules" : "/.cache/waybill/modules", &c->modules_dir, e);
    if (r)
        return r;
    return join(base, xdg ? "/waybill/memo" : "/.cache/waybill/memo", &c->memo_dir, e);
}

static int load_auth(struct conf *c, const char *home, struct err *e)
{
    const char *docker = getenv("DOCKER_CONFIG");
    if (docker && !*docker)
        docker = NULL;
    if (!docker && !home)
        return 0;
    int r = join(docker ? docker : home, docker ? "/config.json" : "/.docker/config.json", &c->auth_path, e);
    if (r)
        return r;
    r = file_read(AT_FDCWD, c->auth_path, false, &c->auth, e);
    if (r == ERR_NOTFOUND)
        return 0;
    return r && r != ERR_NOMEM ? err_recode(e, ERR_CONFIG) : r;
}

int conf_load(struct conf *c, bool credentials, struct err *e)
{
    *c = (struct conf){.auth = BUF_SECRET_INIT(LIMIT_AUTH_FILE)};
    const char *home = env_path("HOME");
    int r = load_folders(c, home, e);
    return r || !credentials ? r : load_auth(c, home, e);
}

void conf_done(struct conf *c)
{
    free(c->store_dir);
    free(c->modules_dir);
    free(c->memo_dir);
    free(c->auth_path);
    buf_done(&c->auth);
}

bool conf_is_remote(const char *target)
{
    return !oci_ref_is_path(target) && !oci_ref_is_layout(target);
}

struct flow_conf conf_flow(const struct conf *c, const struct cmd_network *network, struct progress *progress)
{
    return (struct flow_conf){
        .endpoint = {.user_agent = "waybill/" WAYBILL_VERSION,
                     .plain_http = network->plain_http,
                     .auth_file = buf_bytes(&c->auth),
                     .auth_path = c->auth_path,
                     .memo_dir = c->memo_dir},
        .store_dir = c->store_dir,
        .temp_dir = env_path("TMPDIR"),
        .progress = progress,
    };
}
