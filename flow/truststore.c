/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/truststore.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#define LINKS "symbolic links are not followed in a trust store"

static const struct {
    const char *name;
    enum sign_store_kind kind;
} kinds[] = {
    {"ca", SIGN_STORE_CA},
    {"signingAuthority", SIGN_STORE_AUTHORITY},
    {"tsa", SIGN_STORE_TSA},
};

static bool is_name(const char *name)
{
    size_t len = strlen(name);
    return len && len <= NAME_MAX && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

/* The row of kinds[] and the name of "ca:acme"; false: it is no such thing. */
static bool split(const char *text, size_t *ret_row, const char **ret_name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t len = strlen(kinds[i].name);
        if (strncmp(text, kinds[i].name, len) != 0 || text[len] != ':' || !is_name(text + len + 1))
            continue;
        *ret_row = i;
        *ret_name = text + len + 1;
        return true;
    }
    return false;
}

int flow_truststore_check_name(const char *name, struct err *e)
{
    size_t row;
    const char *rest;
    char shown[100];
    if (split(name, &row, &rest))
        return 0;
    return err_set(e, ERR_CONFIG, "\"%s\" names no trust store: ca:NAME, signingAuthority:NAME or tsa:NAME",
                   text_escape_str(name, shown, sizeof(shown)));
}

/* A folder below another one: ERR_NOTFOUND, ERR_CONFIG. */
static int open_below(int dirfd, const char *name, int *ret_fd, struct err *e)
{
    char shown[200];
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        *ret_fd = fd;
        return 0;
    }
    struct stat st;
    int why = errno;
    (void)text_escape_str(name, shown, sizeof(shown));
    if (why == ENOTDIR && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        return err_set(e, ERR_CONFIG, "%s: " LINKS, shown);
    if (why == ENOTDIR)
        return err_set(e, ERR_CONFIG, "%s: no folder", shown);
    return err_set_errno(e, ERR_IO, why, "%s", shown);
}

static bool is_cert_name(const char *name)
{
    static const char *const ends[] = {".pem", ".crt", ".cer"};
    size_t len = strlen(name);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (len > 4 && name[0] != '.' && strcmp(name + len - 4, ends[i]) == 0)
            return true;
    return false;
}

struct loading {
    struct sign_store *store;
    enum sign_store_kind kind;
    const char *name;
    flow_truststore_guard *guard;
};

static int check(const struct loading *to, int fd, const char *path, struct err *e)
{
    return to->guard ? to->guard(fd, path, e) : 0;
}

static int read_file(int fd, const char *file, const struct loading *to, struct err *e)
{
    AUTO_DONE(buf) content = BUF_INIT(LIMIT_CERT_FILE);
    struct source_file source;
    char shown[200];
    int r = check(to, fd, text_escape_str(file, shown, sizeof(shown)), e);
    if (r)
        return r;
    r = source_read_all(source_file_init(&source, fd), &content, e);
    if (!r)
        r = sign_store_add(to->store, to->kind, to->name, buf_bytes(&content), e);
    return r ? err_wrap(e, "%s", shown) : 0;
}

static int load_file(int dirfd, const char *file, const struct loading *to, struct err *e)
{
    AUTO_FD int fd = -1;
    struct stat st;
    char shown[200];
    if (fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        return err_set(e, ERR_CONFIG, "%s: " LINKS, text_escape_str(file, shown, sizeof(shown)));
    int r = file_open_read(dirfd, file, true, &fd, e);
    return r ? r : read_file(fd, file, to, e);
}

/* Every entry of a folder that `use` wants; fd stays the caller's. */
static int each_entry(int fd, int (*use)(int dirfd, const char *name, const void *ctx, struct err *e),
                      const void *ctx, struct err *e)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0), r = 0;
    DIR *d = own >= 0 ? fdopendir(own) : NULL;
    if (!d) {
        r = err_set_errno(e, ERR_IO, errno, "cannot be read");
        if (own >= 0)
            (void)close(own);
        return r;
    }
    rewinddir(d);
    for (struct dirent *entry; !r && (errno = 0, entry = readdir(d));)
        r = use(fd, entry->d_name, ctx, e);
    if (!r && errno)
        r = err_set_errno(e, ERR_IO, errno, "cannot be read");
    (void)closedir(d);
    return r;
}

static int use_file(int dirfd, const char *name, const void *ctx, struct err *e)
{
    return is_cert_name(name) ? load_file(dirfd, name, ctx, e) : 0;
}

/* One store: a folder of certificates. */
static int load_store(int kind_fd, const struct loading *how, const char *name, struct err *e)
{
    AUTO_FD int fd = -1;
    struct loading to = *how;
    char shown[200];
    int r = open_below(kind_fd, name, &fd, e);
    if (r)
        return r;
    to.name = name;
    r = check(&to, fd, text_escape_str(name, shown, sizeof(shown)), e);
    if (!r)
        r = each_entry(fd, use_file, &to, e);
    return r ? err_wrap(e, "%s", text_escape_str(name, shown, sizeof(shown))) : 0;
}

static int use_store(int dirfd, const char *name, const void *ctx, struct err *e)
{
    const struct loading *all = ctx;
    struct stat st;
    if (!is_name(name) || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISREG(st.st_mode))
        return 0; /* a README */
    return load_store(dirfd, all, name, e);
}

static int load_all(int x509, struct sign_store *store, flow_truststore_guard *guard, struct err *e)
{
    size_t before = sign_store_len(store);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        AUTO_FD int fd = -1;
        const struct loading all = {store, kinds[i].kind, NULL, guard};
        int r = open_below(x509, kinds[i].name, &fd, e);
        if (r == ERR_NOTFOUND)
            continue;
        if (!r)
            r = check(&all, fd, kinds[i].name, e);
        if (!r)
            r = each_entry(fd, use_store, &all, e);
        if (r)
            return err_wrap(e, "%s", kinds[i].name);
    }
    return sign_store_len(store) > before ? 0 : err_set(e, ERR_CONFIG, "no certificate in it");
}

static int load_named(int x509, const char *text, const struct loading *how, struct err *e)
{
    AUTO_FD int fd = -1;
    size_t row, before = sign_store_len(how->store);
    const char *name;
    struct loading to = *how;
    int r = flow_truststore_check_name(text, e);
    if (r)
        return r;
    (void)split(text, &row, &name);
    r = open_below(x509, kinds[row].name, &fd, e);
    to.kind = kinds[row].kind;
    if (!r)
        r = check(&to, fd, kinds[row].name, e);
    if (!r)
        r = load_store(fd, &to, name, e);
    if (!r && sign_store_len(to.store) == before)
        r = err_set(e, ERR_CONFIG, "no certificate in it");
    if (r == ERR_NOTFOUND)
        r = err_recode(e, ERR_CONFIG);
    return r ? err_wrap(e, "%s", text) : 0;
}

/* A folder: a trust store, or one with nothing but certificates. */
static int add_folder(int fd, const char *const *names, size_t n, const struct loading *to, struct err *e)
{
    AUTO_FD int x509 = -1;
    size_t before = sign_store_len(to->store);
    int r = check(to, fd, to->name, e);
    if (r)
        return r;
    r = open_below(fd, "x509", &x509, e);
    if (!r)
        r = check(to, x509, "x509", e);
    for (size_t i = 0; !r && i < n; i++)
        r = load_named(x509, names[i], to, e);
    if (!r && n == 0)
        r = load_all(x509, to->store, to->guard, e);
    if (r == ERR_NOTFOUND && n)
        r = err_recode(e, ERR_CONFIG);
    if (r != ERR_NOTFOUND)
        return r;
    r = each_entry(fd, use_file, to, e);
    if (!r && sign_store_len(to->store) == before)
        r = err_set(e, ERR_CONFIG, "no certificate in it (*.pem, *.crt, *.cer)");
    return r;
}

int flow_truststore_add(int dirfd, const char *path, const char *const *names, size_t n,
                        flow_truststore_guard *guard, struct sign_store *store, struct err *e)
{
    AUTO_FREE char *name = strdup(path);
    AUTO_FD int fd = -1;
    if (!name)
        return err_nomem(e);
    for (size_t len = strlen(name); len > 1 && name[len - 1] == '/'; len--)
        name[len - 1] = '\0';
    const char *slash = strrchr(name, '/');
    const struct loading to = {store, SIGN_STORE_CA, slash && slash[1] ? slash + 1 : name, guard};
    fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_folder = fd >= 0;
    int r = is_folder ? 0 : file_open_read(dirfd, path, false, &fd, e);
    if (!r)
        r = is_folder ? add_folder(fd, names, n, &to, e) : read_file(fd, to.name, &to, e);
    return r && is_folder ? err_wrap(e, "%s", path) : r;
}
