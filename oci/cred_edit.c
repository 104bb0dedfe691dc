/* SPDX-License-Identifier: Apache-2.0 */
/* Changing one entry of a file of docker's or podman's. */
#include "oci/cred.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

/* {"auth": base64("user:password")} or {"identitytoken": ...} */
static void entry_write(struct jout *w, const char *key, const struct oci_cred *cred)
{
    AUTO_DONE(buf) plain = BUF_SECRET_INIT(LIMIT_AUTH_FILE);
    AUTO_DONE(buf) coded = BUF_SECRET_INIT(2 * LIMIT_AUTH_FILE);
    jout_object(w, key);
    if (cred->identity_token) {
        jout_string(w, "identitytoken", cred->identity_token);
    } else {
        buf_printf(&plain, "%s:%s", cred->user, cred->password);
        b64_encode(B64_STD, buf_bytes(&plain), &coded);
        jout_string(w, "auth", buf_cstr(&coded));
    }
    jout_object_end(w);
    if (plain.failed || coded.failed)
        w->out->failed = ERR_NOMEM;
}

/* The entries of the registry itself go; those of parts of it, by a path behind its name, stay. */
static bool auths_write(struct jout *w, const struct jval *auths, const char *host, bool podman,
                        const struct oci_cred *cred)
{
    bool had = false;
    const struct jval *value;
    const char *key;
    jout_object(w, "auths");
    for (const void *i = jobj_next(auths, NULL, &key, &value); i; i = jobj_next(auths, i, &key, &value)) {
        if (oci_cred_key_match(key, host, ""))
            had = true;
        else
            jout_value(w, key, value);
    }
    if (cred)
        entry_write(w, oci_cred_server(host, podman), cred);
    jout_object_end(w);
    return had;
}

int oci_cred_edit(struct bytes text, const char *path, const char *host, bool podman,
                  const struct oci_cred *cred, struct buf *out, bool *ret_had, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    struct jout w = {.out = out, .indent = 8};
    const struct jval *auths = NULL, *value;
    const char *key;
    bool had = false, seen = false;
    int r = text.len ? jdoc_parse(text, &doc, e) : 0;
    if (r) /* the parser's own message would quote the text */
        return r == ERR_NOMEM ? r : err_set(e, ERR_CONFIG, "%s: not valid JSON", path);
    const struct jval *root = doc ? jdoc_root(doc) : NULL;
    if (root && jval_kind(root) != JKIND_OBJECT)
        return err_set(e, ERR_CONFIG, "%s: not a JSON object", path);
    if (jobj_want_object(root, "auths", false, &auths, e)) {
        err_recode(e, ERR_CONFIG);
        return err_wrap(e, "%s", path);
    }
    jout_object(&w, NULL);
    for (const void *i = jobj_next(root, NULL, &key, &value); i; i = jobj_next(root, i, &key, &value)) {
        if (strcmp(key, "auths") != 0) {
            jout_value(&w, key, value);
            continue;
        }
        had = auths_write(&w, auths, host, podman, cred);
        seen = true;
    }
    if (!seen && cred)
        (void)auths_write(&w, NULL, host, podman, cred);
    jout_object_end(&w);
    buf_append_str(out, "\n");
    r = buf_check(out, e);
    if (r == 0)
        *ret_had = had;
    return r;
}

/* The file that a path leads to; one that is not there yet keeps its name. */
static int real_path(const char *path, char **ret, struct err *e)
{
    struct stat st;
    char *real = realpath(path, NULL);
    if (!real && errno == ENOMEM)
        return err_nomem(e);
    if (!real && errno != ENOENT)
        return err_set_errno(e, ERR_CONFIG, errno, "%s", path);
    if (!real && lstat(path, &st) == 0)
        return err_set(e, ERR_CONFIG, "%s: a symbolic link that leads nowhere", path);
    if (!real && !(real = strdup(path)))
        return err_nomem(e);
    *ret = real;
    return 0;
}

/* The folder is what is locked: the file itself gets replaced. */
static int folder_lock(const char *path, bool make, int *ret_fd, struct err *e)
{
    AUTO_FD int fd = -1;
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!folder)
        return err_nomem(e);
    int r = make ? dir_make(folder, 0700, e) : 0;
    if (r == 0)
        r = dir_open(AT_FDCWD, folder, false, &fd, e);
    while (r == 0 && flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return err_set_errno(e, ERR_IO, errno, "lock %s", folder);
    if (r == 0)
        *ret_fd = TAKE_FD(fd);
    return r;
}

int oci_cred_file_update(const char *path, const char *host, bool podman, const struct oci_cred *cred,
                         bool *ret_had, struct err *e)
{
    AUTO_DONE(buf) text = BUF_SECRET_INIT(LIMIT_AUTH_FILE);
    AUTO_DONE(buf) changed = BUF_SECRET_INIT(4 * LIMIT_AUTH_FILE);
    AUTO_FREE char *real = NULL;
    AUTO_FD int folder = -1;
    bool had = false;
    int r = real_path(path, &real, e);
    if (r == 0)
        r = folder_lock(real, cred != NULL, &folder, e);
    if (r == 0)
        r = file_read(AT_FDCWD, real, false, &text, e);
    if (r == ERR_NOTFOUND && cred) /* the folder was made, so it is the file */
        r = 0;
    if (r == ERR_NOTFOUND) {
        *ret_had = false;
        return 0;
    }
    if (r == 0)
        r = oci_cred_edit(buf_bytes(&text), path, host, podman, cred, &changed, &had, e);
    if (r == 0 && (cred || had))
        r = file_write(AT_FDCWD, real, buf_bytes(&changed), 0600, FILE_REPLACE, e);
    if (r == 0)
        *ret_had = had;
    return r;
}
