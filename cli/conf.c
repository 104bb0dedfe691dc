/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/conf.h"

#include "base/log.h"
#include "base/version.h"

#include <stdio.h>
#include <time.h>

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

static int load_size(struct conf *c, struct err *e)
{
    const char *text = getenv("WAYBILL_CACHE_SIZE");
    if (!text || !*text)
        return 0;
    if (opt_size_parse(text, &c->modules_max, e) || c->modules_max == 0)
        return err_set(e, ERR_CONFIG, "WAYBILL_CACHE_SIZE is no size, as in 64MiB: %s", text);
    return 0;
}

static int load_ssh(struct conf *c, const char *home, struct err *e)
{
    int r = home ? join(home, "/.ssh", &c->ssh_dir, e) : 0;
    const struct net_ssh_env env = {
        .dir = c->ssh_dir, .system = "/etc/ssh", .agent = env_path("SSH_AUTH_SOCK")};
    return r ? r : oci_via_new(&env, &c->via, e);
}

static int load(struct conf *c, const struct cmd_network *network, enum credentials_want want, struct err *e)
{
    *c = (struct conf){.store_dir = NULL};
    const char *home = env_path("HOME");
    int r = load_folders(c, home, e);
    if (!r)
        r = load_size(c, e);
    if (!r && want == CREDENTIALS_USE)
        r = conf_names_load(&c->names, home, env_path("XDG_CONFIG_HOME"), e);
    if (!r)
        r = load_ssh(c, home, e);
    return r ? r : credentials_load(&c->credentials, network, want, e);
}

int conf_load(struct conf *c, const struct cmd_network *network, bool remote, struct err *e)
{
    return load(c, network, remote ? CREDENTIALS_USE : CREDENTIALS_NONE, e);
}

int conf_load_login(struct conf *c, const struct cmd_network *network, struct err *e)
{
    return load(c, network, CREDENTIALS_LOGIN, e);
}

void conf_disconnect(struct conf *c)
{
    oci_via_free(TAKE(c->via));
}

void conf_done(struct conf *c)
{
    conf_disconnect(c);
    free(c->store_dir);
    free(c->modules_dir);
    free(c->memo_dir);
    conf_names_done(&c->names);
    free(c->ssh_dir);
    credentials_done(&c->credentials);
}

bool conf_is_remote(const char *target)
{
    return !oci_ref_is_path(target) && oci_ref_in_registry(target);
}

struct flow_conf conf_flow(const struct conf *c, const struct cmd_network *network, struct progress *progress)
{
    return (struct flow_conf){
        .endpoint = {.user_agent = "waybill/" WAYBILL_VERSION,
                     .plain_http = network->plain_http,
                     .credentials = &c->credentials.conf,
                     .memo_dir = c->memo_dir,
                     .registries = c->names.registries.any ? &c->names.registries : NULL,
                     .package_conf = buf_bytes(&c->names.packages),
                     .package_conf_path = c->names.packages_path,
                     .ca_file = network->ca_file,
                     .cert = network->cert,
                     .cert_key = network->cert_key,
                     .insecure = network->insecure,
                     .resolve = network->resolve.items,
                     .n_resolve = network->resolve.n,
                     .via = c->via,
                     .via_url = network->via},
        .store_dir = c->store_dir,
        .temp_dir = env_path("TMPDIR"),
        .progress = progress,
    };
}

int conf_source_date(int64_t *ret, struct err *e)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    *ret = -1;
    if (!text || !*text)
        return 0;
    size_t len = strlen(text);
    int64_t t = len <= 12 ? strtoll(text, NULL, 10) : 0;
    /* RFC 3339 has four digits for a year. */
    if (len > 12 || strspn(text, "0123456789") != len || t > 253402300799LL)
        return err_set(e, ERR_CONFIG, "SOURCE_DATE_EPOCH is no number of seconds since 1970");
    *ret = t;
    return 0;
}

int conf_now(int64_t *ret, struct err *e)
{
    int64_t t;
    int r = conf_source_date(&t, e);
    if (!r)
        *ret = t >= 0 ? t : (int64_t)time(NULL);
    return r;
}

int conf_created(char out[CONF_TIME_MAX], const char **ret, struct err *e)
{
    struct tm tm;
    int64_t at;
    int r = conf_source_date(&at, e);
    *ret = NULL;
    if (r || at < 0)
        return r;
    time_t t = (time_t)at;
    if (!gmtime_r(&t, &tm))
        return err_set(e, ERR_CONFIG, "SOURCE_DATE_EPOCH is no number of seconds since 1970");
    (void)strftime(out, CONF_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
    *ret = out;
    return 0;
}
