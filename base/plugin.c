/* SPDX-License-Identifier: Apache-2.0 */
#include "base/plugin.h"

#include "base/hash.h"
#include "base/version.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *the_folder;

static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER; /* of loaded */
static struct {
    char name[32];
    const void *ops;
} loaded[8];

void plugin_set_folder(const char *path)
{
    the_folder = path;
}

/* The file that this code was loaded from: *ret_library, or the program itself. */
static int own_file(char out[PATH_MAX], bool *ret_library, struct err *e)
{
    Dl_info info;
    struct link_map *map;
    *ret_library = dladdr1(&loaded, &info, (void **)&map, RTLD_DL_LINKMAP) != 0 && map->l_name[0] != '\0';
    if (!*ret_library) {
        ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
        if (n < 0)
            return err_set_errno(e, ERR_OTHER, errno, "/proc/self/exe");
        out[n] = '\0';
        return 0;
    }
    /* Of which folder it was relative to, nothing is known any more. */
    if (map->l_name[0] != '/')
        return err_set(e, ERR_CONFIG, "libwaybill was loaded by the relative path %s: plugins are not found",
                       map->l_name);
    if (snprintf(out, PATH_MAX, "%s", map->l_name) >= PATH_MAX)
        return err_set(e, ERR_CONFIG, "the path of libwaybill is too long");
    return 0;
}

static int plugin_path(const char *name, char out[PATH_MAX], struct err *e)
{
    char own[PATH_MAX];
    const char *folder = the_folder, *between = "";
    if (!folder) {
        bool library;
        int r = own_file(own, &library, e);
        if (r)
            return r;
        *strrchr(own, '/') = '\0';
        folder = own;
        between = library ? "/waybill" : "/../lib/waybill";
    }
    if (snprintf(out, PATH_MAX, "%s%s/%s.so", folder, between, name) >= PATH_MAX)
        return err_set(e, ERR_CONFIG, "the path of plugin %s is too long", name);
    return 0;
}

static int plugin_open(const char *name, const struct plugin **ret, struct err *e)
{
    char path[PATH_MAX];
    int r = plugin_path(name, path, e);
    if (r)
        return r;
    if (access(path, R_OK) < 0)
        return err_set_errno(e, ERR_CONFIG, errno, "plugin %s", path);
    /* The plugin itself is linked to be bound at once, so that what it lacks shows here; of the libraries
     * behind it, most functions are never called, and to look all of them up takes longer than a request. */
    void *so = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (!so)
        return err_set(e, ERR_CONFIG, "plugin %s: %s", name, dlerror());
    const struct plugin *p = dlsym(so, "waybill_plugin");
    if (!p || p->abi != PLUGIN_ABI || strcmp(p->name, name) != 0 || strcmp(p->build, WAYBILL_VERSION) != 0) {
        (void)dlclose(so);
        return err_set(e, ERR_CONFIG, "plugin %s: of another version of waybill", path);
    }
    *ret = p;
    return 0;
}

static int load_locked(const char *name, const void **ret_ops, struct err *e)
{
    size_t i = 0;
    for (; i < ARRAY_LEN(loaded) && loaded[i].ops; i++) {
        if (strcmp(loaded[i].name, name) == 0) {
            *ret_ops = loaded[i].ops;
            return 0;
        }
    }
    /* A plugin has a copy of base/ that knows nothing of ours, and libgcrypt may be made ready only once. */
    int r = hash_init(e);
    const struct plugin *p;
    if (r == 0)
        r = plugin_open(name, &p, e);
    if (r)
        return r;
    log_handler *handler;
    void *ctx;
    enum log_level level;
    log_get_handler(&handler, &ctx, &level);
    p->set_log(handler, ctx, level);
    if (i < ARRAY_LEN(loaded)) {
        (void)snprintf(loaded[i].name, sizeof(loaded[i].name), "%s", name);
        loaded[i].ops = p->ops;
    }
    *ret_ops = p->ops;
    return 0;
}

int plugin_load(const char *name, const void **ret_ops, struct err *e)
{
    (void)pthread_mutex_lock(&the_lock);
    int r = load_locked(name, ret_ops, e);
    (void)pthread_mutex_unlock(&the_lock);
    return r;
}
