/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cache.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "oci/cas.h"
#include "runner/cache.h"
#include "runner/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

const char *const flow_cache_kind_names[FLOW_CACHE_KINDS] = {"blob", "partial", "module", "memo"};

void flow_cache_done(struct flow_cache *c)
{
    free(TAKE(c->all));
    buf_done(&c->text);
}

const char *flow_cache_text(const struct flow_cache *c, uint32_t at)
{
    return buf_cstr(&c->text) + at;
}

static int keep_text(struct flow_cache *c, const char *text, uint32_t *ret, struct err *e)
{
    *ret = (uint32_t)c->text.len;
    buf_append(&c->text, text, strlen(text) + 1);
    return buf_check(&c->text, e);
}

/* The key of the compiled modules and the locks are no content; what has no name yet is not there yet. */
static bool is_content(const char *name, const struct stat *st)
{
    return name[0] != '.' && strcmp(name, "key") != 0 && S_ISREG(st->st_mode);
}

/* "KIND DIGEST ENGINE ...": whether the engine is the one that we have. */
static bool is_stale(const char *about)
{
    const char *name = runner_engine_name(), *engine = strchr(about, ' ');
    engine = engine ? strchr(engine + 1, ' ') : NULL;
    size_t len = strlen(name);
    return !engine || strncmp(engine + 1, name, len) != 0 || (engine[1 + len] && engine[1 + len] != ' ');
}

/* What an entry states of itself; nothing depends on it but what is shown and what goes first. */
static int read_about(struct flow_cache *c, int dirfd, struct flow_cache_file *f, struct err *e)
{
    struct err why = ERR_INIT;
    AUTO_DONE(buf) text = BUF_INIT(RUNNER_CACHE_TEXT + 1);
    int r = runner_cache_read_text(dirfd, flow_cache_text(c, f->name), &text, &why);
    if (r == ERR_NOMEM)
        return err_nomem(e);
    bool good = !r && (!text.len || !memchr(text.ptr, 0, text.len));
    const char *about = good ? buf_cstr(&text) : "";
    f->stale = is_stale(about);
    return keep_text(c, about, &f->about, e);
}

static int add_file(struct flow_cache *c, int dirfd, enum flow_cache_kind kind, uint32_t folder,
                    const char *name, const struct stat *st, struct err *e)
{
    if (c->n >= LIMIT_CACHE_FILES)
        return err_set(e, ERR_LIMIT, "more than %u files", LIMIT_CACHE_FILES);
    if (c->n == c->room) {
        size_t room = c->room ? 2 * c->room : 64;
        struct flow_cache_file *all = reallocarray(c->all, room, sizeof(*all));
        if (!all)
            return err_nomem(e);
        c->all = all;
        c->room = room;
    }
    struct flow_cache_file f = {.kind = kind, .folder = folder, .size = (uint64_t)st->st_size};
    f.made = st->st_mtime;
    f.used = st->st_atime > st->st_mtime ? st->st_atime : st->st_mtime;
    int r = keep_text(c, name, &f.name, e);
    if (!r && kind == FLOW_CACHE_MODULE)
        r = read_about(c, dirfd, &f, e);
    if (r)
        return r;
    c->all[c->n++] = f;
    c->size += f.size;
    return 0;
}

/* A folder that must be ours alone, or one in such a folder, opened for reading; absent ones are empty. */
static DIR *open_folder(const char *path, struct err *e)
{
    int fd = -1;
    int r = dir_open(AT_FDCWD, path, true, &fd, e);
    DIR *d = r ? NULL : fdopendir(fd);
    if (!r && !d) {
        err_set_errno(e, ERR_IO, errno, "%s", path);
        (void)close(fd);
    }
    return d;
}

static int add_folder(struct flow_cache *c, enum flow_cache_kind kind, const char *path, struct err *e)
{
    uint32_t folder;
    *e = (struct err)ERR_INIT;
    DIR *d = open_folder(path, e);
    if (!d)
        return e->code == ERR_NOTFOUND ? 0 : e->code;
    int r = keep_text(c, path, &folder, e);
    for (struct dirent *entry; !r && (entry = readdir(d));) {
        struct stat st;
        if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_content(entry->d_name, &st))
            r = add_file(c, dirfd(d), kind, folder, entry->d_name, &st, e);
    }
    (void)closedir(d);
    return r;
}

static int add_below(struct flow_cache *c, enum flow_cache_kind kind, const char *dir, const char *rest,
                     struct err *e)
{
    AUTO_DONE(buf) path = BUF_INIT(8192);
    buf_printf(&path, "%s/%s", dir, rest);
    int r = buf_check(&path, e);
    return r ? r : add_folder(c, kind, buf_cstr(&path), e);
}

/* Each folder in that of the memos is one of their kinds, but for that of the locks. */
static int add_memos(struct flow_cache *c, const char *dir, struct err *e)
{
    *e = (struct err)ERR_INIT;
    DIR *d = open_folder(dir, e);
    int r = 0;
    if (!d)
        return e->code == ERR_NOTFOUND ? 0 : e->code;
    for (struct dirent *entry; !r && (entry = readdir(d));) {
        struct stat st;
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "lock") != 0 &&
            fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
            r = add_below(c, FLOW_CACHE_MEMO, dir, entry->d_name, e);
    }
    (void)closedir(d);
    return r;
}

static int by_use(const void *a, const void *b)
{
    const struct flow_cache_file *x = a, *y = b;
    return x->used != y->used ? (x->used < y->used ? -1 : 1) : (x->name > y->name) - (x->name < y->name);
}

int flow_cache_list(const struct flow_cache_conf *conf, struct flow_cache *ret, struct err *e)
{
    int r = 0;
    if (conf->store_dir) {
        r = add_below(ret, FLOW_CACHE_BLOB, conf->store_dir, "blobs/sha256", e);
        if (!r)
            r = add_below(ret, FLOW_CACHE_BLOB, conf->store_dir, "blobs/sha512", e);
        if (!r)
            r = add_below(ret, FLOW_CACHE_PARTIAL, conf->store_dir, "partial", e);
    }
    if (!r && conf->modules_dir)
        r = add_folder(ret, FLOW_CACHE_MODULE, conf->modules_dir, e);
    if (!r && conf->memo_dir)
        r = add_memos(ret, conf->memo_dir, e);
    if (!r && ret->n)
        qsort(ret->all, ret->n, sizeof(*ret->all), by_use);
    return r;
}

/* A partial is locked by the process that is at it. */
static bool is_busy(int dirfd, const char *name)
{
    AUTO_FD int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* Whether it is gone. */
static bool remove_file(const struct flow_cache *c, const struct flow_cache_file *f)
{
    struct err e = ERR_INIT;
    AUTO_FD int fd = -1;
    const char *name = flow_cache_text(c, f->name);
    if (dir_open(AT_FDCWD, flow_cache_text(c, f->folder), true, &fd, &e) != 0 ||
        (f->kind == FLOW_CACHE_PARTIAL && is_busy(fd, name)))
        return false;
    if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
        return true;
    log_warn("%s cannot be removed", name);
    return false;
}

static bool is_due(const struct flow_prune *rules, const struct flow_cache_file *f, uint64_t left, time_t now)
{
    if (rules->all || f->stale || left > rules->max_size)
        return true;
    return rules->older_than_ms && f->used <= now && (uint64_t)(now - f->used) * 1000 >= rules->older_than_ms;
}

int flow_cache_prune(const struct flow_cache_conf *conf, const struct flow_prune *rules, time_t now,
                     struct flow_cleared *ret, struct err *e)
{
    AUTO_DONE(flow_cache) c = FLOW_CACHE_INIT;
    struct flow_cleared done = {.removed = 0};
    int r = flow_cache_list(conf, &c, e);
    if (r)
        return r;
    uint64_t left = c.size;
    for (size_t i = 0; i < c.n; i++) {
        const struct flow_cache_file *f = &c.all[i];
        if (!is_due(rules, f, left, now) || !remove_file(&c, f))
            continue;
        left -= f->size;
        done.removed++;
        done.removed_size += f->size;
    }
    done.left = c.n - done.removed;
    done.left_size = left;
    *ret = done;
    return 0;
}

/* The digest that a blob's folder and name state. */
static int name_digest(const struct flow_cache *c, const struct flow_cache_file *f, struct digest *ret,
                       struct err *e)
{
    char text[DIGEST_STR_MAX + 16];
    const char *alg = strrchr(flow_cache_text(c, f->folder), '/') + 1;
    (void)snprintf(text, sizeof(text), "%s:%s", alg, flow_cache_text(c, f->name));
    return digest_parse(bytes_str(text), ret, e);
}

/* 0: sound, or gone by now; ERR_DIGEST, ERR_FORMAT: damaged. */
static int check_blob(const struct flow_cache *c, const struct flow_cache_file *f, struct err *e)
{
    AUTO_FD int folder = -1, fd = -1;
    struct digest d;
    int r = name_digest(c, f, &d, e);
    if (!r)
        r = dir_open(AT_FDCWD, flow_cache_text(c, f->folder), true, &folder, e);
    if (!r)
        r = file_open_read(folder, flow_cache_text(c, f->name), true, &fd, e);
    if (!r)
        r = oci_cas_check(fd, &d, e);
    if (!r) { /* to be checked is not to be used */
        const struct timespec times[2] = {{.tv_sec = f->used}, {.tv_nsec = UTIME_OMIT}};
        (void)futimens(fd, times);
    }
    return r == ERR_NOTFOUND ? 0 : r;
}

int flow_cache_verify(const struct flow_cache_conf *conf, void (*damaged)(void *ctx, const char *digest),
                      void *ctx, struct flow_cleared *ret, struct err *e)
{
    AUTO_DONE(flow_cache) c = FLOW_CACHE_INIT;
    struct flow_cleared done = {.removed = 0};
    int r = flow_cache_list(conf, &c, e);
    for (size_t i = 0; !r && i < c.n; i++) {
        const struct flow_cache_file *f = &c.all[i];
        if (f->kind != FLOW_CACHE_BLOB)
            continue;
        int bad = check_blob(&c, f, e);
        done.checked++;
        if (bad && bad != ERR_DIGEST && bad != ERR_FORMAT && bad != ERR_UNSUPPORTED)
            return bad;
        if (!bad)
            continue;
        done.damaged++;
        if (damaged)
            damaged(ctx, flow_cache_text(&c, f->name));
        if (remove_file(&c, f)) {
            done.removed++;
            done.removed_size += f->size;
        }
    }
    if (r)
        return r;
    done.left = c.n - done.removed;
    done.left_size = c.size - done.removed_size;
    *ret = done;
    return 0;
}
