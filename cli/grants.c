/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/grants.h"

#include "base/envfile.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* The strings of a runner_dir are this struct's own. */
static void dir_done(struct runner_dir *d)
{
    free((void *)(uintptr_t)d->host);
    free((void *)(uintptr_t)d->guest);
}

static bool cut_end(const char *text, size_t *len, const char *end)
{
    size_t n = strlen(end);
    if (*len < n || memcmp(text + *len - n, end, n) != 0)
        return false;
    *len -= n;
    return true;
}

/* The last "::" of the text, so that a folder's name may hold one. */
static const char *separator(const char *text, size_t len)
{
    for (size_t i = len; i >= 2; i--)
        if (text[i - 2] == ':' && text[i - 1] == ':')
            return text + i - 2;
    return NULL;
}

static int dir_parse(const char *text, struct runner_dir *ret, struct err *e)
{
    size_t len = strlen(text);
    bool writable = cut_end(text, &len, ":rw");
    const char *cut = separator(text, len);
    size_t host = cut ? (size_t)(cut - text) : len;
    size_t guest = cut ? len - host - 2 : len;
    if (host == 0 || guest == 0)
        return err_set(e, ERR_USAGE, "--dir '%s': HOST[::GUEST][:rw] is wanted", text);
    *ret = (struct runner_dir){strndup(text, host), strndup(cut ? cut + 2 : text, guest), writable};
    return ret->host && ret->guest ? 0 : err_nomem(e);
}

static int make_dirs(struct grants *g, const struct opt_list *dirs, struct err *e)
{
    g->dirs = calloc(dirs->n ? dirs->n : 1, sizeof(*g->dirs));
    if (!g->dirs)
        return err_nomem(e);
    g->runner.dirs = g->dirs;
    for (size_t i = 0; i < dirs->n; i++) {
        g->runner.n_dirs = i + 1;
        int r = dir_parse(dirs->items[i], &g->dirs[i], e);
        if (r)
            return r;
        for (size_t j = 0; j < i; j++)
            if (strcmp(g->dirs[j].guest, g->dirs[i].guest) == 0)
                return err_set(e, ERR_USAGE, "--dir: two folders are to be called '%s'", g->dirs[i].guest);
    }
    return 0;
}

/* Forgets what was set before under this name. */
static void unset(struct grants *g, struct bytes name)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->runner.n_env; i++) {
        if (bytes_starts(bytes_str(g->env[i]), name) && g->env[i][name.len] == '=')
            free(TAKE(g->env[i]));
        else
            g->env[kept++] = g->env[i];
    }
    g->runner.n_env = kept;
}

static int set(struct grants *g, struct bytes name, struct bytes value, struct err *e)
{
    unset(g, name);
    if (g->runner.n_env >= LIMIT_ENV)
        return err_set(e, ERR_USAGE, "more than %u variables", LIMIT_ENV);
    char **env = reallocarray(g->env, g->runner.n_env + 1, sizeof(*env));
    if (!env)
        return err_nomem(e);
    g->env = env;
    g->runner.env = (const char *const *)env;
    AUTO_DONE(buf) line = BUF_INIT(LIMIT_ENV_FILE + 2);
    buf_append_bytes(&line, name);
    buf_append_u8(&line, '=');
    buf_append_bytes(&line, value);
    int r = buf_check(&line, e);
    if (!r)
        env[g->runner.n_env++] = buf_take_str(&line);
    return r;
}

static int see_variable(void *ctx, struct bytes name, struct bytes value, struct err *e)
{
    return set(ctx, name, value, e);
}

static int set_from_file(struct grants *g, const char *path, struct err *e)
{
    AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_ENV_FILE);
    int r = file_read(AT_FDCWD, path, false, &text, e);
    if (!r) {
        r = envfile_parse(buf_bytes(&text), see_variable, g, e);
        if (r)
            (void)err_wrap(e, "%s", path);
    }
    if (!r)
        return 0;
    (void)err_recode(e, ERR_CONFIG); /* it says nothing of the module */
    return err_wrap(e, "--env-file");
}

/* NAME=VALUE, or NAME for the value that it has here. */
static int set_from_option(struct grants *g, const char *text, struct err *e)
{
    const struct bytes all = bytes_str(text);
    const char *equals = strchr(text, '=');
    struct bytes name = equals ? bytes_of(text, (size_t)(equals - text)) : all;
    if (name.len == 0)
        return err_set(e, ERR_USAGE, "--env '%s': NAME=VALUE or NAME is wanted", text);
    if (equals)
        return set(g, name, bytes_str(equals + 1), e);
    const char *value = getenv(text);
    if (value)
        return set(g, name, bytes_str(value), e);
    log_info("--env %s: there is no such variable here, the guest gets none", text);
    unset(g, name);
    return 0;
}

static int make_env(struct grants *g, const struct grants_options *o, struct err *e)
{
    int r = 0;
    for (size_t i = 0; !r && i < o->env_files.n; i++)
        r = set_from_file(g, o->env_files.items[i], e);
    for (size_t i = 0; !r && i < o->env.n; i++)
        r = set_from_option(g, o->env.items[i], e);
    return r;
}

static int seed_parse(const char *text, uint64_t *ret, struct err *e)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return err_set(e, ERR_USAGE, "--seed '%s' is no whole number from 0 to 18446744073709551615", text);
    *ret = value;
    return 0;
}

static int make_clock(struct grants *g, const struct grants_options *o, struct err *e)
{
    int64_t epoch = -1;
    g->runner.clock_ns = o->clock_ns;
    if (o->seed && !o->deterministic)
        return err_set(e, ERR_USAGE, "--seed goes with --deterministic");
    int r = o->seed ? seed_parse(o->seed, &g->runner.seed, e) : 0;
    if (!r && o->deterministic)
        r = conf_source_date(&epoch, e);
    g->runner.epoch = epoch > 0 ? (uint64_t)epoch : 0;
    return r;
}

static int make_argv(struct grants *g, const char *name, char *const *args, size_t n_args, struct err *e)
{
    g->argv = calloc(n_args + 1, sizeof(*g->argv));
    if (!g->argv)
        return err_nomem(e);
    g->argv[0] = name;
    for (size_t i = 0; i < n_args; i++)
        g->argv[i + 1] = args[i];
    g->runner.argv = g->argv;
    g->runner.argc = n_args + 1;
    return 0;
}

int grants_make(struct grants *g, const struct grants_options *o, const char *name, char *const *args,
                size_t n_args, struct err *e)
{
    int r = make_argv(g, name, args, n_args, e);
    if (!r)
        r = make_dirs(g, &o->dirs, e);
    if (!r)
        r = make_env(g, o, e);
    if (!r)
        r = make_clock(g, o, e);
    g->runner.kernel_dirs = o->insecure_proc;
    g->runner.stdin_file = o->stdin_file;
    g->runner.stdout_file = o->stdout_file;
    g->runner.stderr_file = o->stderr_file;
    return r;
}

void grants_done(struct grants *g)
{
    for (size_t i = 0; i < g->runner.n_dirs; i++)
        dir_done(&g->dirs[i]);
    for (size_t i = 0; i < g->runner.n_env; i++)
        free(g->env[i]);
    free(g->dirs);
    free(g->argv);
    free(g->env);
}

int grants_check_outputs(const struct grants_options *o, const char *module, struct err *e)
{
    const struct {
        const char *option, *path;
    } outputs[] = {{"--stdout", o->stdout_file}, {"--stderr", o->stderr_file}};
    struct stat in, out;
    if (!module || stat(module, &in) != 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(outputs); i++)
        if (outputs[i].path && stat(outputs[i].path, &out) == 0 && in.st_dev == out.st_dev &&
            in.st_ino == out.st_ino)
            return err_set(e, ERR_USAGE, "%s %s: this is the module", outputs[i].option, outputs[i].path);
    return 0;
}
