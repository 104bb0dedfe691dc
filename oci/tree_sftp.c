/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of a server, over SFTP, as the files of an image layout. */
#include "base/limits.h"
#include "oci/sftp_folder.h"
#include "oci/tree.h"

#include <stdatomic.h>
#include <stdio.h>

#define DIR_MODE      0777
#define BLOB_NAME_MAX (DIGEST_STR_MAX + 16)

struct server {
    struct oci_tree base;
    struct oci_sftp_folder at;
    char *root;
    atomic_bool swept, made[2]; /* by enum hash_alg: the folder of the blobs is there */
};

static struct server *server_of(struct oci_tree *t)
{
    return (struct server *)t;
}

static void server_close(struct oci_tree *t)
{
    struct server *s = server_of(t);
    oci_sftp_unlock(&s->at);
    net_sftp_close(s->at.sftp);
    free(s->root);
    free(s);
}

static int server_lock(struct oci_tree *t, struct err *e)
{
    return oci_sftp_lock(&server_of(t)->at, e);
}

static void server_unlock(struct oci_tree *t)
{
    oci_sftp_unlock(&server_of(t)->at);
}

static int server_read(struct oci_tree *t, const char *name, struct buf *out, struct err *e)
{
    struct oci_sftp_source source;
    int r = oci_sftp_source_init(&source, &server_of(t)->at, name, e);
    if (r)
        return r;
    r = source_read_all(&source.base, out, e);
    source_close(&source.base);
    return r ? err_wrap(e, "%s", name) : 0;
}

static int exists(struct server *s, const char *name, struct net_sftp_attr *ret, struct err *e)
{
    AUTO_FREE char *path = NULL;
    int r = oci_sftp_path(&s->at, name, &path, e);
    return r ? r : net_sftp_stat(s->at.sftp, path, false, ret, e);
}

static int server_write(struct oci_tree *t, const char *name, struct bytes data, enum file_existing existing,
                        struct err *e)
{
    struct server *s = server_of(t);
    struct net_sftp_attr attr;
    struct oci_sftp_sink to;
    int r = existing == FILE_KEEP ? exists(s, name, &attr, e) : ERR_NOTFOUND;
    if (r != ERR_NOTFOUND)
        return r;
    r = oci_sftp_sink_init(&to, &s->at, name, true, e);
    if (r)
        return r;
    r = sink_write(&to.base, data, e);
    if (!r)
        r = sink_commit(&to.base, e);
    sink_abort(&to.base);
    return r;
}

static int make_folder(struct server *s, const char *name, struct err *e)
{
    AUTO_FREE char *path = NULL;
    int r = oci_sftp_path(&s->at, name, &path, e);
    if (!r)
        r = net_sftp_mkdir(s->at.sftp, path, DIR_MODE, e);
    return r == ERR_EXISTS ? 0 : r;
}

static int make_blobs(struct server *s, enum hash_alg alg, struct err *e)
{
    char name[32];
    if (atomic_load(&s->made[alg]))
        return 0;
    (void)snprintf(name, sizeof(name), "blobs/%s", hash_name(alg));
    int r = make_folder(s, "blobs", e);
    if (!r)
        r = make_folder(s, name, e);
    if (!r)
        atomic_store(&s->made[alg], true);
    return r;
}

static int server_make(struct oci_tree *t, struct err *e)
{
    return make_blobs(server_of(t), HASH_SHA256, e);
}

static int show_name(void *ctx, const char *name, const struct net_sftp_attr *attr, struct err *e)
{
    (void)attr;
    struct oci_tree_names *names = ctx;
    return names->see(names, name, e);
}

static int server_list(struct oci_tree *t, struct oci_tree_names *names, struct err *e)
{
    struct server *s = server_of(t);
    return net_sftp_list(s->at.sftp, s->root, show_name, names, e);
}

static void blob_name(const struct digest *d, char out[BLOB_NAME_MAX])
{
    char hex[DIGEST_STR_MAX];
    (void)snprintf(out, BLOB_NAME_MAX, "blobs/%s/%s", hash_name(d->alg), digest_hex(d, hex));
}

static int server_blob_get(struct oci_tree *t, const struct digest *d, uint64_t size, struct sink *to,
                           struct err *e)
{
    struct oci_sftp_source source;
    char name[BLOB_NAME_MAX], text[DIGEST_STR_MAX];
    blob_name(d, name);
    int r = oci_sftp_source_init(&source, &server_of(t)->at, name, e);
    if (r == ERR_NOTFOUND)
        return err_set(e, ERR_NOTFOUND, "blob %s is missing", digest_str(d, text));
    if (r)
        return r;
    if (size != UINT64_MAX && source.size != size)
        r = err_set(e, ERR_DIGEST, "blob %s has %llu bytes, expected %llu", digest_hex(d, text),
                    (unsigned long long)source.size, (unsigned long long)size);
    if (!r)
        r = stream_copy(&source.base, to, NULL, e);
    source_close(&source.base);
    return r;
}

static bool server_blob_has(struct oci_tree *t, const struct digest *d, uint64_t size)
{
    char name[BLOB_NAME_MAX];
    struct net_sftp_attr attr;
    struct err ignored;
    blob_name(d, name);
    return exists(server_of(t), name, &attr, &ignored) == 0 && attr.kind == NET_SFTP_REGULAR &&
           attr.size == size;
}

static int send_blob(const struct source_opener *from, const struct digest *d, struct sink *to, struct err *e)
{
    struct sink_verify verify;
    struct source *source = NULL;
    int r = sink_verify_init(&verify, to, d, from->size, e);
    if (r) {
        sink_abort(&verify.base);
        return r;
    }
    r = from->open(from->ctx, &source, e);
    if (!r)
        r = stream_copy(source, &verify.base, NULL, e);
    if (!r)
        r = sink_commit(&verify.base, e);
    source_close(source);
    sink_abort(&verify.base);
    return r;
}

static int server_blob_put(struct oci_tree *t, const struct digest *d, const struct source_opener *from,
                           struct err *e)
{
    struct server *s = server_of(t);
    struct oci_sftp_sink to;
    char name[BLOB_NAME_MAX];
    blob_name(d, name);
    if (!atomic_exchange(&s->swept, true))
        oci_sftp_sweep(&s->at);
    int r = make_blobs(s, d->alg, e);
    if (!r)
        r = oci_sftp_sink_init(&to, &s->at, name, false, e);
    return r ? r : send_blob(from, d, &to.base, e);
}

static int server_blob_remove(struct oci_tree *t, const struct digest *d, struct err *e)
{
    struct server *s = server_of(t);
    AUTO_FREE char *path = NULL;
    char name[BLOB_NAME_MAX];
    blob_name(d, name);
    int r = oci_sftp_path(&s->at, name, &path, e);
    if (!r)
        r = net_sftp_unlink(s->at.sftp, path, e);
    return r == ERR_NOTFOUND ? 0 : r;
}

static const struct oci_tree_ops server_ops = {
    .close = server_close,
    .read = server_read,
    .write = server_write,
    .make = server_make,
    .list = server_list,
    .lock = server_lock,
    .unlock = server_unlock,
    .blob_get = server_blob_get,
    .blob_has = server_blob_has,
    .blob_put = server_blob_put,
    .blob_remove = server_blob_remove,
};

/* As mkdir -p: from the first folder that is missing. */
static int make_root(struct net_sftp *sftp, const char *path, struct err *e)
{
    int r = net_sftp_mkdir(sftp, path, DIR_MODE, e);
    if (r != ERR_NOTFOUND)
        return r == ERR_EXISTS ? 0 : r;
    for (const char *slash = path; (slash = strchr(slash + 1, '/'));) {
        AUTO_FREE char *part = strndup(path, (size_t)(slash - path));
        if (!part)
            return err_nomem(e);
        r = net_sftp_mkdir(sftp, part, DIR_MODE, e);
        if (r && r != ERR_EXISTS)
            return r;
    }
    return net_sftp_mkdir(sftp, path, DIR_MODE, e);
}

static int open_root(struct server *s, bool create, struct err *e)
{
    struct net_sftp_attr attr;
    const char *path = *s->root ? s->root : "/";
    int r = net_sftp_stat(s->at.sftp, path, true, &attr, e);
    if (r == ERR_NOTFOUND && create)
        return make_root(s->at.sftp, path, e);
    return r || attr.kind == NET_SFTP_FOLDER ? r : err_set(e, ERR_IO, "not a folder");
}

static int connect_to(struct server *s, const struct oci_ref *ref, const struct oci_endpoint_conf *conf,
                      struct err *e)
{
    struct net_ssh_url url;
    struct net_ssh *ssh;
    AUTO_FREE char *authority = NULL;
    if (!conf->via)
        return err_set(e, ERR_CONFIG, "there are no SSH connections");
    if (asprintf(&authority, "%s%s%s", ref->user, *ref->user ? "@" : "", ref->host) < 0)
        return err_nomem(e);
    int r = net_ssh_url_parse(bytes_str(authority), &url, e);
    if (!r)
        r = oci_via_connect(conf->via, &url, &ssh, e);
    return r ? r : net_sftp_open(ssh, &s->at.sftp, e);
}

static int server_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool create,
                       struct oci_tree **ret, struct err *e)
{
    size_t len = strlen(ref->path);
    while (len && ref->path[len - 1] == '/')
        len--;
    struct server *s = calloc(1, sizeof(*s));
    if (!s)
        return err_nomem(e);
    s->base.ops = &server_ops;
    s->root = strndup(ref->path, len);
    s->at.root = s->root;
    int r = s->root ? connect_to(s, ref, conf, e) : err_nomem(e);
    if (!r)
        r = open_root(s, create, e);
    if (r) {
        server_close(&s->base);
        return r;
    }
    *ret = &s->base;
    return 0;
}

int oci_layout_sftp_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool create,
                         struct oci_endpoint **ret, struct err *e)
{
    struct oci_tree *tree = NULL;
    int r = server_open(ref, conf, create, &tree, e);
    return r ? r : oci_layout_over(tree, create, ret, e);
}
