/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keys.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/agent.h"
#include "cli/password.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

void keys_protect(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int keys_read_with(const char *path, const struct sign_password *password, struct sign_key **ret,
                   const struct sign_keyfile **ret_kind, bool *ret_encrypted, struct err *e)
{
    AUTO_DONE(buf) content = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO_FD int fd = -1;
    struct source_file file;
    struct stat st;
    int r = file_open_input(AT_FDCWD, path, &fd, &file, e);
    if (r)
        return r;
    if (fstat(fd, &st) < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", path);
    r = source_read_all(&file.base, &content, e);
    if (!r)
        r = sign_key_open(buf_bytes(&content), path, password, ret, e);
    if (r)
        return err_wrap(e, "%s", path);
    const struct sign_keyfile *kind = sign_keyfile_detect(buf_bytes(&content));
    if (ret_kind)
        *ret_kind = kind;
    if (ret_encrypted)
        *ret_encrypted = kind && kind->is_encrypted && kind->is_encrypted(buf_bytes(&content));
    if (sign_key_is_private(*ret) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        log_warn("%s: others can reach this private key (chmod 600)", path);
    return 0;
}

int keys_read_private(const char *path, const char *password_fd, struct sign_key **ret, struct err *e)
{
    AUTO_DONE(password) p = PASSWORD_INIT(password_fd, path);
    const struct sign_password source = password_source(&p);
    AUTO(sign_key) k = NULL;
    if (agent_names(path))
        return agent_find(path, ret, e);
    keys_protect();
    int r = keys_read_with(path, &source, &k, NULL, NULL, e);
    if (r)
        return r;
    if (!sign_key_is_private(k))
        return agent_key(k, ret, e);
    *ret = TAKE(k);
    return 0;
}
