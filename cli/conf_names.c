/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/conf_names.h"

#include "base/file.h"
#include "base/limits.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>

#define SYSTEM_DIR "/etc"

/* Reads a file into *text, emptied before; *ret_there: there is one. */
static int read_if_there(const char *path, struct buf *text, bool *ret_there, struct err *e)
{
    buf_reset(text);
    int r = file_read(AT_FDCWD, path, false, text, e);
    *ret_there = r == 0;
    if (r == ERR_NOTFOUND)
        return 0;
    return r && r != ERR_NOMEM ? err_recode(e, ERR_CONFIG) : r;
}

static int add_file(struct conf_names *n, const char *path, bool *ret_there, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_TOML);
    int r = read_if_there(path, &text, ret_there, e);
    return r || !*ret_there ? r : oci_registries_add(&n->registries, buf_bytes(&text), path, e);
}

/* "<dir>/containers/<rest>" */
static char *containers_path(const char *dir, const char *rest)
{
    char *path;
    return asprintf(&path, "%s/containers/%s", dir, rest) < 0 ? NULL : path;
}

static int add_main(struct conf_names *n, const char *dir, bool *ret_there, struct err *e)
{
    AUTO_FREE char *path = containers_path(dir, "registries.conf");
    return path ? add_file(n, path, ret_there, e) : err_nomem(e);
}

static int add_drop_ins(struct conf_names *n, const char *dir, struct err *e)
{
    AUTO_FREE char *pattern = containers_path(dir, "registries.conf.d/*.conf");
    glob_t found;
    bool there;
    if (!pattern)
        return err_nomem(e);
    int r = 0, status = glob(pattern, 0, NULL, &found);
    for (size_t i = 0; status == 0 && !r && i < found.gl_pathc; i++)
        r = add_file(n, found.gl_pathv[i], &there, e);
    if (status == 0)
        globfree(&found);
    return status == GLOB_NOSPACE ? err_nomem(e) : r;
}

static int load_registries(struct conf_names *n, const char *user_dir, struct err *e)
{
    const char *named = getenv("CONTAINERS_REGISTRIES_CONF");
    bool there = false;
    int r = 0;
    if (named && *named) {
        r = add_file(n, named, &there, e);
        if (!r && !there)
            r = err_set(e, ERR_CONFIG, "CONTAINERS_REGISTRIES_CONF: %s is missing", named);
    } else if (user_dir) {
        r = add_main(n, user_dir, &there, e);
    }
    if (!r && !there)
        r = add_main(n, SYSTEM_DIR, &there, e);
    if (!r)
        r = add_drop_ins(n, SYSTEM_DIR, e);
    return r || !user_dir ? r : add_drop_ins(n, user_dir, e);
}

int conf_names_load(struct conf_names *n, const char *home, const char *config_home, struct err *e)
{
    AUTO_FREE char *user_dir = NULL;
    bool there;
    *n = (struct conf_names){.packages = BUF_INIT(LIMIT_TOML)};
    if ((home || config_home) &&
        asprintf(&user_dir, "%s%s", config_home ? config_home : home, config_home ? "" : "/.config") < 0) {
        user_dir = NULL;
        return err_nomem(e);
    }
    int r = load_registries(n, user_dir, e);
    if (r || !user_dir)
        return r;
    if (asprintf(&n->packages_path, "%s/wasm-pkg/config.toml", user_dir) < 0) {
        n->packages_path = NULL;
        return err_nomem(e);
    }
    return read_if_there(n->packages_path, &n->packages, &there, e);
}

void conf_names_done(struct conf_names *n)
{
    oci_registries_done(&n->registries);
    free(TAKE(n->packages_path));
    buf_done(&n->packages);
}
