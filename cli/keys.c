/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keys.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

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
