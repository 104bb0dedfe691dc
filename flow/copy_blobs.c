/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/copy_blobs.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/parallel.h"
#include "flow/relay.h"

/* Blobs on their way at once; as many as oras. */
#define WIDTH 5U
/* From this many blobs on it pays to ask first whether the manifest is there. */
#define ASK_FIRST 4U

int flow_blobs_init(struct flow_blobs *b, struct progress *progress, struct flow_copied *done, struct err *e)
{
    *b = (struct flow_blobs){.done = done, .progress = progress};
    return flow_seen_init(&b->there, e);
}

void flow_blobs_done(struct flow_blobs *b)
{
    oci_endpoint_close(TAKE(b->to));
    oci_endpoint_close(TAKE(b->from));
    flow_seen_done(&b->there);
}

int flow_blobs_relate(struct flow_blobs *b, const struct oci_ref *from, const struct oci_ref *to,
                      struct err *e)
{
    (void)e;
    bool one_host = from->kind == to->kind && strcmp(from->host, to->host) == 0;
    b->same = one_host && strcmp(from->path, to->path) == 0;
    b->mount_from = one_host && from->kind == OCI_REF_REGISTRY ? from->path : NULL;
    return 0;
}

/* A blob on its way, as a part of all. */
struct share {
    struct progress base;
    struct flow_blobs *b;
    uint64_t moved;
};

static void share_update(struct progress *base, uint64_t done, uint64_t total)
{
    struct share *s = (struct share *)base;
    struct flow_blobs *b = s->b;
    (void)total;
    (void)pthread_mutex_lock(&b->there.lock);
    b->moved += done - s->moved; /* a reading that begins again takes back what the last one had */
    s->moved = done;
    b->progress->update(b->progress, b->moved, b->expected);
    (void)pthread_mutex_unlock(&b->there.lock);
}

/* The lock of the set of known blobs guards the counts as well. */
static void count(struct flow_blobs *b, uint64_t *which, uint64_t n)
{
    (void)pthread_mutex_lock(&b->there.lock);
    *which += n;
    (void)pthread_mutex_unlock(&b->there.lock);
}

/* Not to remember one costs a request. */
static void remember(struct flow_blobs *b, const struct digest *d)
{
    struct err ignored;
    if (flow_seen_add(&b->there, d, NULL, &ignored) != 0)
        log_debug("copy: %s", ignored.msg);
}

static bool may_mount(struct flow_blobs *b)
{
    (void)pthread_mutex_lock(&b->there.lock);
    bool may = b->mount_from && b->to->ops->blob_mount && !b->no_mounts;
    (void)pthread_mutex_unlock(&b->there.lock);
    return may;
}

static int try_mount(struct flow_blobs *b, const struct oci_desc *desc, bool *ret, struct err *e)
{
    *ret = false;
    if (!may_mount(b))
        return 0;
    int r = b->to->ops->blob_mount(b->to, desc, b->mount_from, ret, e);
    if (r)
        return err_wrap(e, "mount");
    if (*ret) {
        count(b, &b->done->mounted, 1);
    } else {
        log_info("the registry does not mount blobs of %s", b->mount_from);
        (void)pthread_mutex_lock(&b->there.lock);
        b->no_mounts = true;
        (void)pthread_mutex_unlock(&b->there.lock);
    }
    return 0;
}

static int send(struct flow_blobs *b, const struct oci_desc *desc, struct err *e)
{
    AUTO(flow_relay) relay = NULL;
    struct source_opener from;
    struct share share = {.base = {share_update}, .b = b};
    struct opener_progress shown;
    bool existed = false;
    int r = flow_relay_open(b->from, desc, &relay, &from, e);
    if (!r && b->progress)
        from = opener_progress_init(&shown, from, &share.base);
    if (!r)
        r = b->to->ops->blob_push(b->to, desc, &from, &existed, e);
    if (r)
        return r;
    count(b, existed ? &b->done->existed : &b->done->blobs, 1);
    count(b, &b->done->bytes, existed ? 0 : desc->size);
    if (existed) {
        count(b, &b->moved, 0 - share.moved);
        count(b, &b->expected, 0 - desc->size);
    }
    return 0;
}

/* One that is expected. */
static int copy_blob(struct flow_blobs *b, const struct oci_desc *desc, struct err *e)
{
    char text[DIGEST_STR_MAX];
    bool mounted;
    int r = try_mount(b, desc, &mounted, e);
    if (!r && mounted)
        count(b, &b->expected, 0 - desc->size);
    else if (!r)
        r = send(b, desc, e);
    if (r && strncmp(e->msg, "blob ", 5) == 0)
        return r; /* it says which one itself */
    if (r)
        return err_wrap(e, "blob %s", digest_str(&desc->digest, text));
    remember(b, &desc->digest);
    return 0;
}

int flow_blobs_copy_one(struct flow_blobs *b, const struct oci_desc *desc, struct err *e)
{
    if (b->same || flow_seen_has(&b->there, &desc->digest))
        return 0;
    count(b, &b->expected, desc->size);
    return copy_blob(b, desc, e);
}

/* image-spec 1.1, layer.md, "Non-Distributable Layers", and docker's before it. Such a layer lies at URLs
 * that its descriptor names; a client that followed them could be led anywhere. */
static bool is_foreign(const char *type)
{
    return strstr(type, ".layer.nondistributable.") != NULL ||
           strcmp(type, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip") == 0 ||
           strcmp(type, "application/vnd.docker.image.rootfs.foreign.diff.tar") == 0;
}

/* The blobs that are to be copied, each once. */
struct batch {
    struct flow_blobs *b;
    const struct oci_desc **all;
    size_t n;
};

static void batch_add(struct batch *t, const struct oci_desc *desc)
{
    for (size_t i = 0; i < t->n; i++)
        if (digest_eq(&t->all[i]->digest, &desc->digest))
            return;
    if (!flow_seen_has(&t->b->there, &desc->digest))
        t->all[t->n++] = desc;
}

static int job(void *ctx, size_t i, struct err *e)
{
    const struct batch *t = ctx;
    return copy_blob(t->b, t->all[i], e);
}

static int ask_first(struct flow_blobs *b, const struct batch *t, const struct digest *digest, bool *ret,
                     struct err *e)
{
    *ret = false;
    if (t->n < ASK_FIRST || may_mount(b) || !b->to->ops->manifest_known)
        return 0;
    return b->to->ops->manifest_known(b->to, NULL, digest, ret, e);
}

int flow_blobs_copy(struct flow_blobs *b, const struct oci_manifest *m, const struct digest *digest,
                    struct err *e)
{
    AUTO_FREE const struct oci_desc **all = calloc(m->n_entries + 1, sizeof(*all));
    struct batch t = {b, all, 0};
    bool there = false;
    if (!all)
        return err_nomem(e);
    if (b->same)
        return 0;
    if (m->has_config)
        batch_add(&t, &m->config);
    for (size_t i = 0; i < m->n_entries; i++) {
        if (is_foreign(m->entries[i].media_type))
            b->done->foreign++;
        else
            batch_add(&t, &m->entries[i]);
    }
    int r = ask_first(b, &t, digest, &there, e);
    if (!r && there)
        flow_blobs_known(b, m);
    for (size_t i = 0; i < t.n; i++)
        count(b, &b->expected, there ? 0 : t.all[i]->size);
    return r || there ? r : parallel_run(t.n, WIDTH, job, &t, e);
}

void flow_blobs_known(struct flow_blobs *b, const struct oci_manifest *m)
{
    size_t n = 0;
    if (m->has_config)
        remember(b, &m->config.digest);
    for (size_t i = 0; i < m->n_entries; i++) {
        if (is_foreign(m->entries[i].media_type))
            continue;
        remember(b, &m->entries[i].digest);
        n++;
    }
    b->done->existed += n + m->has_config;
}
