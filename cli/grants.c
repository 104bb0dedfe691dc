/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/grants.h"

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

int grants_make(struct grants *g, const struct opt_list *dirs, const char *name, char *const *args,
                size_t n_args, struct err *e)
{
    g->argv = calloc(n_args + 1, sizeof(*g->argv));
    if (!g->argv)
        return err_nomem(e);
    const char *slash = strrchr(name, '/');
    g->argv[0] = slash ? slash + 1 : name;
    for (size_t i = 0; i < n_args; i++)
        g->argv[i + 1] = args[i];
    g->runner.argv = g->argv;
    g->runner.argc = n_args + 1;
    return make_dirs(g, dirs, e);
}

void grants_done(struct grants *g)
{
    for (size_t i = 0; i < g->runner.n_dirs; i++)
        dir_done(&g->dirs[i]);
    free(g->dirs);
    free(g->argv);
}
