/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keys.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

int keys_read(const char *path, struct sign_key **ret, struct err *e)
{
    AUTO_DONE(buf) content = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO_FD int fd = -1;
    struct source_file file;
    struct stat st;
    int r = file_open_read(AT_FDCWD, path, false, &fd, e);
    if (r)
        return r;
    if (fstat(fd, &st) < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", path);
    r = source_read_all(source_file_init(&file, fd), &content, e);
    if (!r)
        r = sign_key_parse(buf_bytes(&content), path, ret, e);
    if (r)
        return err_wrap(e, "%s", path);
    if (sign_key_is_private(*ret) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        log_warn("%s: others can reach this private key (chmod 600)", path);
    return 0;
}

static bool is_known(const struct keys *k, const struct sign_key *key)
{
    for (size_t i = 0; i < k->n; i++)
        if (sign_key_eq(k->all[i], key))
            return true;
    return false;
}

static int add(struct keys *k, const char *path, struct err *e)
{
    AUTO(sign_key) key = NULL;
    int r = keys_read(path, &key, e);
    if (r)
        return r;
    if (sign_key_is_private(key))
        return err_set(e, ERR_USAGE, "%s is a private key, verifying takes the public one", path);
    if (!is_known(k, key))
        k->all[k->n++] = TAKE(key);
    return 0;
}

int keys_load(const struct opt_list *paths, struct keys *ret, struct err *e)
{
    *ret = (struct keys){calloc(paths->n ? paths->n : 1, sizeof(*ret->all)), 0};
    if (!ret->all)
        return err_nomem(e);
    for (size_t i = 0; i < paths->n; i++) {
        int r = add(ret, paths->items[i], e);
        if (r)
            return r;
    }
    return 0;
}

void keys_done(struct keys *k)
{
    for (size_t i = 0; i < k->n; i++)
        sign_key_free(k->all[i]);
    free(k->all);
}

struct sign_trust keys_trust(const struct keys *k)
{
    return (struct sign_trust){.keys = {k->all, k->n}, .now = time(NULL)};
}
