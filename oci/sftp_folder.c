/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/sftp_folder.h"

#include "base/hex.h"

#include <stdio.h>

#define FILE_MODE     0666
#define LOCK_FILE     ".waybill-lock"
#define LOCK_STALE    60   /* seconds after which a lock is nobody's */
#define LOCK_WAIT     180  /* seconds that a lock is waited for */
#define LOCK_LONG     30   /* seconds after which the holder looks whether it is still his */
#define LOCK_FAILURES 5    /* in a row that are not believed */
#define TEMP_STALE    3600 /* seconds after which a temporary file is nobody's */
#define PAUSE_MOST    1000 /* milliseconds between two tries */

int oci_sftp_path(const struct oci_sftp_folder *f, const char *name, char **ret, struct err *e)
{
    char *path;
    if (asprintf(&path, "%s/%s", f->root, name) < 0)
        return err_nomem(e);
    *ret = path;
    return 0;
}

static int random_token(char out[OCI_SFTP_TOKEN], struct err *e)
{
    uint8_t random[OCI_SFTP_TOKEN / 2];
    int r = hash_random(random, sizeof(random), e);
    if (!r)
        (void)hex_encode(BYTES_ARR(random), out);
    return r;
}

static int sftp_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    return net_sftp_read(((struct oci_sftp_source *)base)->file, buf, cap, ret_n, e);
}

static void sftp_source_close(struct source *base)
{
    net_sftp_file_drop(TAKE(((struct oci_sftp_source *)base)->file));
}

int oci_sftp_source_init(struct oci_sftp_source *s, const struct oci_sftp_folder *f, const char *name,
                         struct err *e)
{
    AUTO_FREE char *path = NULL;
    struct net_sftp_file *file;
    struct net_sftp_attr attr;
    int r = oci_sftp_path(f, name, &path, e);
    if (!r)
        r = net_sftp_stat(f->sftp, path, false, &attr, e);
    if (!r && attr.kind != NET_SFTP_REGULAR)
        r = err_set(e, ERR_IO, "%s: not a regular file", name);
    if (!r)
        r = net_sftp_file_open(f->sftp, path, NET_SFTP_READ, 0, &file, e);
    if (!r)
        *s =
            (struct oci_sftp_source){.base = {sftp_read, sftp_source_close}, .file = file, .size = attr.size};
    return r;
}

static time_t seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* The token in a lock. */
static int read_token(const struct oci_sftp_folder *f, const char *name, char out[OCI_SFTP_TOKEN],
                      struct err *e)
{
    struct oci_sftp_source s;
    AUTO_DONE(buf) text = BUF_INIT(OCI_SFTP_TOKEN);
    int r = oci_sftp_source_init(&s, f, name, e);
    if (r)
        return r;
    r = source_read_all(&s.base, &text, e);
    source_close(&s.base);
    if (!r)
        (void)snprintf(out, OCI_SFTP_TOKEN, "%s", buf_cstr(&text));
    return r;
}

/* A lock that was not held for long cannot be one that others have given up on. */
static int check_lock(const struct oci_sftp_folder *f, struct err *e)
{
    char token[OCI_SFTP_TOKEN];
    if (seconds() - f->locked_at < LOCK_LONG)
        return 0;
    int r = read_token(f, LOCK_FILE, token, e);
    return r || strcmp(token, f->token) != 0
               ? err_set(e, ERR_IO, "another writer took over, since this one took too long")
               : 0;
}

static int sftp_write(struct sink *base, struct bytes data, struct err *e)
{
    return net_sftp_write(((struct oci_sftp_sink *)base)->file, data, e);
}

static int sftp_commit(struct sink *base, struct err *e)
{
    struct oci_sftp_sink *k = (struct oci_sftp_sink *)base;
    AUTO_FREE char *path = NULL;
    int r = net_sftp_sync(k->file, e);
    if (r && r != ERR_UNSUPPORTED)
        return r;
    r = net_sftp_file_close(TAKE(k->file), e);
    if (!r)
        r = oci_sftp_path(k->folder, k->name, &path, e);
    if (!r && k->guarded)
        r = check_lock(k->folder, e);
    if (!r)
        r = net_sftp_rename(k->folder->sftp, k->temp, path, e);
    if (!r)
        free(TAKE(k->temp));
    return r;
}

static void sftp_abort(struct sink *base)
{
    struct oci_sftp_sink *k = (struct oci_sftp_sink *)base;
    struct err ignored;
    net_sftp_file_drop(TAKE(k->file));
    if (k->temp)
        (void)!net_sftp_unlink(k->folder->sftp, k->temp, &ignored);
    free(TAKE(k->temp));
}

static int temp_path(const struct oci_sftp_folder *f, char **ret, struct err *e)
{
    char token[OCI_SFTP_TOKEN], name[OCI_SFTP_TOKEN + 16];
    int r = random_token(token, e);
    (void)snprintf(name, sizeof(name), ".waybill-%s.tmp", r ? "" : token);
    return r ? r : oci_sftp_path(f, name, ret, e);
}

int oci_sftp_sink_init(struct oci_sftp_sink *k, const struct oci_sftp_folder *f, const char *name,
                       bool guarded, struct err *e)
{
    AUTO_FREE char *temp = NULL;
    struct net_sftp_file *file;
    int r = temp_path(f, &temp, e);
    if (!r)
        r = net_sftp_file_open(f->sftp, temp, NET_SFTP_WRITE | NET_SFTP_CREATE | NET_SFTP_NEW, FILE_MODE,
                               &file, e);
    if (r)
        return r;
    *k = (struct oci_sftp_sink){.base = {sftp_write, sftp_commit, sftp_abort},
                                .folder = f,
                                .file = file,
                                .temp = TAKE(temp),
                                .name = name,
                                .guarded = guarded};
    return 0;
}

/* The server's clock, by a file that is made for it. */
static int server_now(const struct oci_sftp_folder *f, uint32_t *ret, struct err *e)
{
    struct oci_sftp_sink file;
    struct net_sftp_attr attr;
    int r = oci_sftp_sink_init(&file, f, "", false, e);
    if (r)
        return r;
    r = net_sftp_file_stat(file.file, &attr, e);
    sink_abort(&file.base);
    if (!r)
        *ret = attr.mtime;
    return r;
}

/* Makes the lock with our token in it: ERR_EXISTS when there is one. */
static int take_lock(struct oci_sftp_folder *f, const char *path, struct err *e)
{
    struct net_sftp_file *file;
    char token[OCI_SFTP_TOKEN];
    time_t now = seconds();
    int r = random_token(token, e);
    if (!r)
        r = net_sftp_file_open(f->sftp, path, NET_SFTP_WRITE | NET_SFTP_CREATE | NET_SFTP_NEW, FILE_MODE,
                               &file, e);
    if (r)
        return r;
    r = net_sftp_write(file, bytes_str(token), e);
    if (r)
        net_sftp_file_drop(file);
    else
        r = net_sftp_file_close(file, e);
    if (r)
        return r;
    memcpy(f->token, token, sizeof(token));
    f->locked_at = now;
    return 0;
}

/* Takes an old lock away, and puts it back should it have become another one in this moment: its holder is
 * safe in any case, because he looks before he replaces anything. */
static int break_lock(const struct oci_sftp_folder *f, const char *path, const char *judged, struct err *e)
{
    AUTO_FREE char *aside = NULL;
    char token[OCI_SFTP_TOKEN];
    int r = temp_path(f, &aside, e);
    if (!r)
        r = net_sftp_rename(f->sftp, path, aside, e);
    if (r)
        return r == ERR_NOTFOUND ? 0 : r;
    r = read_token(f, aside + strlen(f->root) + 1, token, e);
    if (!r && strcmp(token, judged) != 0)
        return net_sftp_rename(f->sftp, aside, path, e);
    return net_sftp_unlink(f->sftp, aside, e);
}

/* Removes a lock that is old. The token is read before the time, so that it is that of the file which is old.
 */
static int judge_lock(const struct oci_sftp_folder *f, const char *path, struct err *e)
{
    char token[OCI_SFTP_TOKEN];
    struct net_sftp_attr attr;
    uint32_t now = 0;
    int r = read_token(f, LOCK_FILE, token, e);
    if (!r)
        r = net_sftp_stat(f->sftp, path, false, &attr, e);
    if (!r)
        r = server_now(f, &now, e);
    if (r)
        return r == ERR_NOTFOUND ? 0 : r;
    return attr.mtime && (uint64_t)attr.mtime + LOCK_STALE < now ? break_lock(f, path, token, e) : 0;
}

static void pause_for(long ms)
{
    const struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&wait, NULL);
}

/* A server does not say why it makes no lock; when the one that was there is gone by the time one looks, that
 * is a failure like any other, and therefore tried again a few times. */
int oci_sftp_lock(struct oci_sftp_folder *f, struct err *e)
{
    AUTO_FREE char *path = NULL;
    time_t until = seconds() + LOCK_WAIT;
    unsigned failures = 0;
    int r = oci_sftp_path(f, LOCK_FILE, &path, e);
    for (long pause = 20; !r; pause = pause < PAUSE_MOST / 2 ? 2 * pause : PAUSE_MOST) {
        r = take_lock(f, path, e);
        failures = r == ERR_IO ? failures + 1 : 0;
        if (r != ERR_EXISTS && (r != ERR_IO || failures > LOCK_FAILURES))
            return r;
        if (seconds() > until)
            return err_set(e, ERR_IO, "another writer holds the lock (%s)", LOCK_FILE);
        r = judge_lock(f, path, e);
        pause_for(pause);
    }
    return r;
}

void oci_sftp_unlock(struct oci_sftp_folder *f)
{
    AUTO_FREE char *path = NULL;
    struct err ignored;
    if (!f->token[0])
        return;
    if (check_lock(f, &ignored) == 0 && oci_sftp_path(f, LOCK_FILE, &path, &ignored) == 0)
        (void)!net_sftp_unlink(f->sftp, path, &ignored);
    f->token[0] = '\0';
}

struct sweep {
    struct buf names; /* each with a NUL behind it */
    uint32_t now;
};

static int find_stale(void *ctx, const char *name, const struct net_sftp_attr *attr, struct err *e)
{
    (void)e;
    struct sweep *sweep = ctx;
    size_t len = strlen(name);
    if (strncmp(name, ".waybill-", 9) == 0 && len > 4 && strcmp(name + len - 4, ".tmp") == 0 && attr->mtime &&
        (uint64_t)attr->mtime + TEMP_STALE < sweep->now)
        buf_append(&sweep->names, name, len + 1);
    return 0;
}

void oci_sftp_sweep(const struct oci_sftp_folder *f)
{
    struct sweep sweep = {.names = BUF_INIT(64U << 10)};
    struct err ignored;
    if (server_now(f, &sweep.now, &ignored) == 0)
        (void)!net_sftp_list(f->sftp, f->root, find_stale, &sweep, &ignored);
    for (size_t at = 0; at < sweep.names.len;) {
        const char *name = (const char *)sweep.names.ptr + at;
        AUTO_FREE char *path = NULL;
        if (oci_sftp_path(f, name, &path, &ignored) == 0)
            (void)!net_sftp_unlink(f->sftp, path, &ignored);
        at += strlen(name) + 1;
    }
    buf_done(&sweep.names);
}
