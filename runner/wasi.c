/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/wasi.h"

#include "base/log.h"
#include "base/text.h"
#include "runner/mounts.h"
#include "runner/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <waybill_wasi.h>

/* The engine ends the process over text that is not UTF-8, so none may reach it. */
static int check_text(const char *text, const char *what, struct err *e)
{
    char shown[128];
    if (bytes_is_utf8(bytes_str(text)))
        return 0;
    return err_set(e, ERR_USAGE, "%s is not UTF-8: %s", what, text_escape_str(text, shown, sizeof(shown)));
}

static int set_argv(wasi_config_t *wasi, const struct runner_grants *g, struct err *e)
{
    for (size_t i = 0; i < g->argc; i++) {
        int r = check_text(g->argv[i], "an argument", e);
        if (r != 0)
            return r;
    }
    static const char *const none[] = {""};
    if (!wasi_config_set_argv(wasi, g->argc,
                              g->argc ? (const char **)(uintptr_t)g->argv : (const char **)(uintptr_t)none))
        return err_set(e, ERR_USAGE, "the engine does not take the arguments");
    return 0;
}

/* Whether a later entry sets the same variable: the last one counts, and a guest would take the first. */
static bool is_set_again(const struct runner_grants *g, size_t i)
{
    size_t len = strcspn(g->env[i], "=");
    for (size_t j = i + 1; g->env[i][len] && j < g->n_env; j++)
        if (strncmp(g->env[i], g->env[j], len) == 0 && g->env[j][len] == '=')
            return true;
    return false;
}

/* One call a variable: the engine adds them up. */
static int add_env(wasi_config_t *wasi, const char *variable, struct err *e)
{
    char shown[128];
    int r = check_text(variable, "a variable", e);
    if (r != 0)
        return r;
    const char *equals = strchr(variable, '=');
    if (!equals || equals == variable)
        return err_set(e, ERR_USAGE, "not NAME=VALUE: %s", text_escape_str(variable, shown, sizeof(shown)));
    AUTO_FREE char *name = strndup(variable, (size_t)(equals - variable));
    if (!name)
        return err_nomem(e);
    const char *names[] = {name}, *values[] = {equals + 1};
    if (!wasi_config_set_env(wasi, 1, names, values))
        return err_set(e, ERR_USAGE, "the engine does not take the variable %s", name);
    return 0;
}

/* Follows the links of the path that the user named, but none of /proc. */
static int open_host_dir(const char *path, int *ret_fd, struct err *e)
{
    const struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
    if (fd < 0 && errno == ENOSYS)
        fd = open(path, (int)how.flags);
    if (fd < 0)
        return err_set_errno(e, ERR_IO, errno, "folder %s", path);
    *ret_fd = (int)fd;
    return 0;
}

/* Through the kernel's own files a guest would reach what no grant names: this very process among it. */
static int check_kernel(const struct runner_grants *g, const struct runner_dir *dir, int fd, struct err *e)
{
    char where[RUNNER_MOUNT_MAX], shown[256];
    bool kernel = false;
    int r = g->kernel_dirs ? 0 : runner_mounts_kernel(fd, &kernel, where, e);
    if (r != 0 || !kernel)
        return r;
    return err_set(e, ERR_USAGE, "folder %s: it shows the kernel and all processes (%s)", dir->host,
                   text_escape_str(where, shown, sizeof(shown)));
}

/* A folder that is read-only under one name and not under another is no mistake of ours to forbid. */
static void warn_of_twins(const struct runner_grants *g, size_t i, const struct stat *seen)
{
    for (size_t j = 0; j < i; j++)
        if (seen[j].st_dev == seen[i].st_dev && seen[j].st_ino == seen[i].st_ino &&
            g->dirs[j].writable != g->dirs[i].writable)
            log_warn("folder %s is granted twice: what is read-only as one of %s and %s can be written as "
                     "the other",
                     g->dirs[i].host, g->dirs[j].guest, g->dirs[i].guest);
}

/* What is looked at is what the engine gets: the descriptor is open from before the first look until after.
 */
static int add_dir(wasi_config_t *wasi, const struct runner_grants *g, const struct runner_dir *dir,
                   struct runner_folders *folders, struct stat *ret_seen, struct err *e)
{
    char by_fd[64];
    AUTO_FD int fd = -1;
    if (dir->guest[0] == '\0')
        return err_set(e, ERR_USAGE, "folder %s: the guest's name for it is empty", dir->host);
    int r = check_text(dir->guest, "the guest's name of a folder", e);
    if (r == 0)
        r = open_host_dir(dir->host, &fd, e);
    if (r == 0)
        r = check_kernel(g, dir, fd, e);
    if (r != 0)
        return r;
    if (fstat(fd, ret_seen) != 0)
        return err_set_errno(e, ERR_IO, errno, "folder %s", dir->host);
    (void)snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", fd);
    if (!wasi_config_preopen_dir(wasi, by_fd, dir->guest, dir->writable))
        return err_set(e, ERR_IO, "folder %s cannot be opened", dir->host);
    folders->items[folders->n++] = (struct runner_sandbox_folder){TAKE_FD(fd), dir->writable};
    return 0;
}

static int add_dirs(wasi_config_t *wasi, const struct runner_grants *g, struct runner_folders *folders,
                    struct err *e)
{
    AUTO_FREE struct stat *seen = calloc(g->n_dirs + 1, sizeof(*seen));
    folders->items = calloc(g->n_dirs + 1, sizeof(*folders->items));
    if (!seen || !folders->items)
        return err_nomem(e);
    for (size_t i = 0; i < g->n_dirs; i++) {
        for (size_t j = 0; j < i; j++)
            if (strcmp(g->dirs[i].guest, g->dirs[j].guest) == 0)
                return err_set(e, ERR_USAGE, "two folders are called %s", g->dirs[i].guest);
        int r = add_dir(wasi, g, &g->dirs[i], folders, &seen[i], e);
        if (r != 0)
            return r;
        warn_of_twins(g, i, seen);
    }
    return 0;
}

void runner_folders_done(struct runner_folders *f)
{
    for (size_t i = 0; i < f->n; i++)
        (void)close(f->items[i].fd);
    free(TAKE(f->items));
    f->n = 0;
}

int runner_wasi_new(const struct runner_grants *grants, struct runner_output *output,
                    struct runner_folders *ret_folders, wasi_config_t **ret, struct err *e)
{
    AUTO(wasi_config_t) wasi = wasi_config_new();
    if (!wasi)
        return err_nomem(e);
    /* A blocked call is the watchdog's matter on this thread as on another. */
    waybill_wasi_on_own_thread(wasi);
    int r = set_argv(wasi, grants, e);
    for (size_t i = 0; r == 0 && i < grants->n_env; i++)
        if (!is_set_again(grants, i))
            r = add_env(wasi, grants->env[i], e);
    if (r == 0)
        r = add_dirs(wasi, grants, ret_folders, e);
    if (r == 0)
        r = runner_stdio_set(wasi, grants, output, e);
    if (r != 0)
        return r;
    *ret = TAKE(wasi);
    return 0;
}
