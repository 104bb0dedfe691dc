/* SPDX-License-Identifier: Apache-2.0 */
/* Pushing blobs: is it there, and if not, by which of the ways that a registry takes. */
#include "base/limits.h"
#include "base/log.h"
#include "base/parallel.h"
#include "net/url.h"
#include "oci/memo.h"
#include "oci/upload.h"

#include <stdio.h>
#include <time.h>

/* Whole uploads that are tried when the registry or the network fails in the middle. */
#define UPLOADS_MAX 4U
/* From this size on an upload that breaks off is worth taking up, which a PUT of the whole does not allow. */
#define PATCH_MIN (16U << 20)
/* Up to this size a blob goes with the POST at once, which saves a round trip where that is taken, and costs
 * its bytes twice where it is not: once in a while. Servers in Go drop the connection when more is left
 * unread. */
#define WHOLE_MAX (192U << 10)
#define WHOLE_NO  "no"
/* From this size on it is worth remembering who has a blob. */
#define SEEN_MIN     (1U << 20)
#define SEEN_MAX     4U
#define SEEN_SECONDS (30 * 24 * 3600)
#define WAY_SECONDS  (7 * 24 * 3600)
#define WAY_PUT      "put"

struct oci_cancel {
    struct oci_cancel *next;
    struct oci_registry *reg;
    pthread_t thread;
    char url[];
};

static void *cancel_thread(void *ctx)
{
    struct oci_cancel *c = ctx;
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    struct err ignored = ERR_INIT;
    struct net_http_request req = {.method = "DELETE", .url = c->url};
    if (oci_registry_send_once(c->reg, &req, &resp, &ignored) != 0)
        log_debug("cancel: %s", ignored.msg);
    return NULL;
}

void oci_registry_cancel(struct oci_registry *reg, const char *url)
{
    size_t len = strlen(url) + 1;
    struct oci_cancel *c = malloc(sizeof(*c) + len);
    if (!c)
        return;
    c->reg = reg;
    memcpy(c->url, url, len);
    if (pthread_create(&c->thread, NULL, cancel_thread, c) != 0) {
        free(c);
        return;
    }
    (void)pthread_mutex_lock(&reg->lock);
    c->next = reg->cancels;
    reg->cancels = c;
    (void)pthread_mutex_unlock(&reg->lock);
}

void oci_registry_cancel_done(struct oci_registry *reg)
{
    while (reg->cancels) {
        struct oci_cancel *c = reg->cancels;
        reg->cancels = c->next;
        (void)pthread_join(c->thread, NULL);
        free(c);
    }
}

/* The repositories of this host that were seen to have a blob: one per line, the last seen first. */
static void seen_key(const struct oci_registry *reg, const struct digest *d, struct buf *key)
{
    char digest[DIGEST_STR_MAX];
    buf_printf(key, "%s %s", reg->known_as, digest_str(d, digest));
}

static const char *repo_of(const struct oci_registry *reg)
{
    return reg->url + strlen(reg->root) + strlen("/v2/");
}

static bool seen_get(const struct oci_registry *reg, const struct digest *d, struct buf *out)
{
    AUTO_DONE(buf) key = BUF_INIT(NET_URL_MAX + OCI_KNOWN_AS_MAX);
    struct err ignored = ERR_INIT;
    seen_key(reg, d, &key);
    return !key.failed && oci_memo_get(reg->memo_dir, "seen", buf_cstr(&key), time(NULL), out, &ignored) == 0;
}

/* The next line; false at the end. */
static bool seen_next(struct bytes *rest, struct bytes *ret)
{
    const uint8_t *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    struct bytes newline;
    return end && bytes_take(rest, (size_t)(end - rest->ptr), ret) && bytes_take(rest, 1, &newline);
}

void oci_registry_seen(const struct oci_registry *reg, const struct oci_desc *desc)
{
    AUTO_DONE(buf) key = BUF_INIT(NET_URL_MAX + OCI_KNOWN_AS_MAX);
    AUTO_DONE(buf) old = BUF_INIT(LIMIT_MEMO);
    AUTO_DONE(buf) now = BUF_INIT(LIMIT_MEMO);
    if (desc->size < SEEN_MIN || !reg->memo_dir)
        return;
    buf_printf(&now, "%s\n", repo_of(reg));
    if (seen_get(reg, &desc->digest, &old) && buf_bytes(&old).len > 0) {
        struct bytes rest = buf_bytes(&old), line;
        if (bytes_starts(rest, buf_bytes(&now)))
            return; /* nothing new */
        for (unsigned n = 1; n < SEEN_MAX && seen_next(&rest, &line); n++) {
            if (bytes_eq_str(line, repo_of(reg)))
                continue;
            buf_append_bytes(&now, line);
            buf_append_str(&now, "\n");
        }
    }
    seen_key(reg, &desc->digest, &key);
    if (!key.failed && !now.failed)
        oci_memo_put(reg->memo_dir, "seen", buf_cstr(&key), buf_cstr(&now), time(NULL) + SEEN_SECONDS);
}

/* One blob on its way. */
struct push {
    struct oci_registry *reg;
    const struct oci_desc *desc;
    struct oci_upload up;
    bool put;                  /* one PUT of the whole; else PATCHes first */
    bool whole;                /* with the POST */
    bool seen_here;            /* this repository had it */
    char from[LIMIT_NAME + 1]; /* another one that had it, or "" */
    bool exists, mounted, stored;
    int results[2]; /* of the HEAD and of the POST */
    struct err failures[2];
};

/* Is the blob there? A registry that cannot say gets the blob. */
static int head(struct push *p, struct err *e)
{
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    AUTO_FREE char *url = NULL;
    int r = oci_registry_url(p->reg, "blobs", p->up.digest, &url, e);
    if (r)
        return r;
    struct net_http_request req = {.method = "HEAD", .url = url, .follow = true, .idempotent = true};
    r = oci_registry_send(p->reg, &req, &resp, e);
    if (r)
        return r;
    if (resp.status == 401 || resp.status == 403)
        return oci_registry_failure(p->reg, &resp, "look for the blob", e);
    p->exists = resp.status == 200;
    return 0;
}

/* A host that takes no blob with a POST is not offered one again for a while. */
static int start_whole(struct push *p, struct err *e)
{
    int r = oci_upload_whole(&p->up, &p->stored, e);
    if (!r && !p->stored)
        oci_memo_put(p->reg->memo_dir, "whole", p->reg->known_as, WHOLE_NO, time(NULL) + WAY_SECONDS);
    return r;
}

static int start(struct push *p, struct err *e)
{
    bool mounted = false;
    if (p->whole)
        return start_whole(p, e);
    if (!p->put && oci_upload_take_up(&p->up))
        return 0;
    int r = oci_upload_start(&p->up, p->from[0] ? p->from : NULL, &mounted, e);
    if (mounted)
        log_info("blob %s: taken over from %s", p->up.digest, p->from);
    p->mounted = mounted;
    return r;
}

/* Its failures are kept, so that neither stops the other. */
static int look_job(void *ctx, size_t i, struct err *e)
{
    struct push *p = ctx;
    (void)e;
    if (i == 0)
        p->results[0] = head(p, &p->failures[0]);
    else
        p->results[1] = start(p, &p->failures[1]);
    return 0;
}

/* HEAD beside POST: most blobs that are pushed are new. */
static int look(struct push *p, struct err *e)
{
    int r = parallel_run(p->seen_here ? 1 : 2, 2, look_job, p, e);
    if (r)
        return r;
    if (p->results[0] && !p->mounted) {
        *e = p->failures[0];
        return p->results[0];
    }
    if (p->exists || p->mounted)
        return 0;
    if (p->seen_here)
        return start(p, e);
    if (p->results[1])
        *e = p->failures[1];
    return p->results[1];
}

/* What this host was seen to take and to have. */
static void recall(struct push *p)
{
    AUTO_DONE(buf) way = BUF_INIT(LIMIT_MEMO);
    AUTO_DONE(buf) seen = BUF_INIT(LIMIT_MEMO);
    AUTO_DONE(buf) whole = BUF_INIT(LIMIT_MEMO);
    struct err ignored = ERR_INIT;
    struct bytes rest, line;
    p->put = p->desc->size < PATCH_MIN;
    p->whole = p->desc->size <= WHOLE_MAX &&
               oci_memo_get(p->reg->memo_dir, "whole", p->reg->known_as, time(NULL), &whole, &ignored) != 0;
    if (oci_memo_get(p->reg->memo_dir, "upload", p->reg->known_as, time(NULL), &way, &ignored) == 0) {
        uint64_t chunk = strtoull(buf_cstr(&way), NULL, 10);
        p->put = strcmp(buf_cstr(&way), WAY_PUT) == 0 || (chunk ? p->desc->size <= chunk : p->put);
        p->up.chunk = p->put ? 0 : chunk;
    }
    if (p->desc->size < SEEN_MIN || !seen_get(p->reg, &p->desc->digest, &seen))
        return;
    rest = buf_bytes(&seen);
    while (seen_next(&rest, &line)) {
        if (bytes_eq_str(line, repo_of(p->reg)))
            p->seen_here = true;
        else if (!p->from[0] && line.len < sizeof(p->from))
            memcpy(p->from, line.ptr, line.len);
    }
}

/* The next time begins with what worked. */
static void learn(const struct push *p, bool put_before)
{
    char text[24] = WAY_PUT;
    if (p->put == put_before && !p->up.chunk)
        return;
    if (!p->put)
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)p->up.chunk);
    if (!p->put || p->desc->size >= PATCH_MIN)
        oci_memo_put(p->reg->memo_dir, "upload", p->reg->known_as, text, time(NULL) + WAY_SECONDS);
}

/* Whether another upload may do, and how. */
static bool another(struct push *p, enum upload_end end, unsigned n)
{
    uint64_t size = p->desc->size;
    bool more = n < UPLOADS_MAX;
    /* A connection that dies under a request may lead to the request being sent twice: the registry has too
     * much then, and says that the digest is another. */
    if (end == UPLOAD_REFUSED && n == 1 && p->up.last.status == 400 && (p->put || p->up.offset == size)) {
        oci_upload_forget(&p->up);
        return more;
    }
    if (p->put && size > OCI_UPLOAD_CHUNK && (end == UPLOAD_SMALLER || (end == UPLOAD_AGAIN && n > 1))) {
        p->put = false;
        p->up.chunk = OCI_UPLOAD_CHUNK;
        return more;
    }
    if (!p->put && p->up.offset == 0 && (end == UPLOAD_REFUSED || (end == UPLOAD_GONE && n > 1))) {
        int status = p->up.last.status;
        p->put = true; /* some take no PATCH at all */
        p->up.chunk = 0;
        oci_upload_forget(&p->up);
        return more && status != 401 && status != 403 && status != 0;
    }
    return more && (end == UPLOAD_AGAIN || end == UPLOAD_GONE);
}

/* Uploads the blob; again while that may help, looking for it first, since a broken upload may have arrived
 * after all. */
static int bring(struct push *p, struct err *e)
{
    if (!p->put && !p->up.chunk && !p->up.offset && p->up.url && !oci_upload_resumable(&p->up))
        p->put = true;
    bool put_before = p->put;
    for (unsigned n = 1;; n++) {
        enum upload_end end = UPLOAD_REFUSED;
        int r = p->put ? oci_upload_put(&p->up, &end, e) : oci_upload_patch(&p->up, &end, e);
        if (!r)
            learn(p, put_before);
        if (!r || !another(p, end, n))
            return r;
        log_info("blob %s: %s; uploading again", p->up.digest, e->msg);
        if (end == UPLOAD_AGAIN && !net_http_pause(p->reg->http, n, p->up.last.url ? &p->up.last : NULL))
            return r;
        p->from[0] = '\0';
        p->whole = false;
        r = head(p, e);
        if (!r && !p->exists && !p->up.url)
            r = start(p, e);
        if (r || p->exists)
            return r;
    }
}

int oci_registry_blob_push(struct oci_endpoint *ep, const struct oci_desc *desc,
                           const struct source_opener *from, bool *ret_existed, struct err *e)
{
    struct push p = {.reg = oci_registry_of(ep), .desc = desc, .failures = {ERR_INIT, ERR_INIT}};
    oci_upload_init(&p.up, p.reg, desc, from);
    recall(&p);
    int r = look(&p, e);
    bool existed = p.exists || p.mounted;
    if (!r && existed && p.up.url)
        oci_registry_cancel(p.reg, p.up.url);
    if (existed)
        oci_upload_forget(&p.up);
    else if (!r && !p.stored)
        r = bring(&p, e);
    if (r)
        err_wrap(e, "blob %s", p.up.digest);
    else
        *ret_existed = existed;
    if (!r)
        oci_registry_seen(p.reg, desc);
    oci_upload_done(&p.up);
    return r;
}
