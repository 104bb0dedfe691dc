/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/upload.h"

#include "base/limits.h"
#include "base/log.h"
#include "net/retry.h"
#include "net/url.h"
#include "oci/memo.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* Breaks in a row that bring an upload forward by less than PROGRESS. */
#define BREAKS_MAX 4U
#define PROGRESS   (1U << 20)
/* Parts for registries with a least size that they do not say, and the smallest worth a request. */
#define CHUNK_LARGE (8U << 20)
#define CHUNK_LEAST (256U << 10)
/* A least size over this is not believed to help anybody. */
#define CHUNK_MIN_MAX (1ULL << 30)
/* Sessions of registries last from an hour to a week. */
#define SESSION_SECONDS 3600
#define SESSION_MIN     (16U << 20)

static const struct net_http_field octets = {"Content-Type", "application/octet-stream"};

void oci_upload_init(struct oci_upload *u, struct oci_registry *reg, const struct oci_desc *desc,
                     const struct source_opener *from)
{
    *u = (struct oci_upload){.reg = reg, .size = desc->size, .last = NET_HTTP_RESPONSE_INIT};
    (void)digest_str(&desc->digest, u->digest);
    opener_part_init(&u->part, *from);
}

void oci_upload_done(struct oci_upload *u)
{
    opener_part_done(&u->part);
    net_http_response_done(&u->last);
    free(TAKE(u->url));
}

/* The key of its memo. */
static void session_key(const struct oci_upload *u, struct buf *out)
{
    buf_printf(out, "%s %s %s", u->reg->url, u->reg->known_as, u->digest);
}

/* Small blobs are sent again as fast as a session is looked after. At most once a second: each is a file. */
static void session_remember(struct oci_upload *u)
{
    AUTO_DONE(buf) key = BUF_INIT(NET_URL_MAX + OCI_KNOWN_AS_MAX);
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (u->size < SESSION_MIN || (u->remembered && (int64_t)now.tv_sec == u->remembered_at))
        return;
    session_key(u, &key);
    if (!key.failed)
        oci_memo_put(u->reg->memo_dir, "session", buf_cstr(&key), u->url, time(NULL) + SESSION_SECONDS);
    u->remembered = true;
    u->remembered_at = (int64_t)now.tv_sec;
}

void oci_upload_forget(struct oci_upload *u)
{
    AUTO_DONE(buf) key = BUF_INIT(NET_URL_MAX + OCI_KNOWN_AS_MAX);
    session_key(u, &key);
    if (u->remembered && !key.failed)
        oci_memo_drop(u->reg->memo_dir, "session", buf_cstr(&key));
    u->remembered = u->resumed = u->doubt = false;
    u->offset = 0;
    free(TAKE(u->url));
}

/* One request of the upload. */
static int send_it(struct oci_upload *u, struct net_http_request *req, struct err *e)
{
    struct net_http_response resp = NET_HTTP_RESPONSE_INIT;
    int r = oci_registry_send(u->reg, req, &resp, e);
    net_http_response_done(&u->last);
    u->last = resp;
    return r;
}

/* A Location may be on another host; credentials stay with the registry's own (oci_registry_send). The rest
 * of the URL is the registry's business and is kept as it is. */
static int location_take(struct oci_upload *u, bool required, struct err *e)
{
    AUTO_FREE char *joined = NULL;
    struct bytes location;
    struct net_url from, to;
    if (!net_http_field(&u->last, "Location", 0, &location))
        return required ? err_set(e, ERR_REGISTRY, "the registry does not say where to upload to") : 0;
    int r = net_url_join(u->last.url, location, &joined, e);
    if (r == 0)
        r = net_url_parse(joined, &to, e);
    if (r == 0)
        r = net_url_parse(u->last.url, &from, e);
    if (r == 0)
        r = net_url_may_lead(&from, &to, e);
    if (r) {
        err_recode(e, ERR_REGISTRY);
        return err_wrap(e, "upload location");
    }
    free(u->url);
    u->url = TAKE(joined);
    return 0;
}

static void chunk_min_take(struct oci_upload *u)
{
    struct bytes value;
    char text[24];
    if (!net_http_field(&u->last, "OCI-Chunk-Min-Length", 0, &value) || value.len >= sizeof(text))
        return;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    if (end != text && *end == '\0' && n <= CHUNK_MIN_MAX)
        u->chunk_min = n;
}

static int start_at(struct oci_upload *u, const char *url, struct err *e)
{
    struct net_http_request req = {.method = "POST", .url = url, .follow = true, .idempotent = true};
    return send_it(u, &req, e);
}

/* What a 202 says. */
static int started(struct oci_upload *u, struct err *e)
{
    int r = u->last.status == 202 ? location_take(u, true, e)
                                  : oci_registry_failure(u->reg, &u->last, "start of an upload", e);
    if (r)
        return r;
    u->offset = 0;
    u->resumed = u->doubt = false;
    chunk_min_take(u);
    session_remember(u);
    return 0;
}

int oci_upload_start(struct oci_upload *u, const char *from_repo, bool *ret_mounted, struct err *e)
{
    AUTO_FREE char *url = NULL;
    *ret_mounted = false;
    int r = oci_registry_url(u->reg, "blobs", "uploads/", &url, e);
    if (!r && from_repo) {
        AUTO_DONE(buf) mount = BUF_INIT(NET_URL_MAX);
        buf_printf(&mount, "%s?mount=%s&from=%s", url, u->digest, from_repo);
        r = buf_check(&mount, e);
        if (!r)
            r = start_at(u, buf_cstr(&mount), e);
        *ret_mounted = !r && u->last.status == 201;
        if (*ret_mounted)
            return 0;
    }
    /* Whatever a mount was refused with, it begins as an upload that has nothing to do with it. */
    if (!from_repo || r || u->last.status != 202)
        r = url ? start_at(u, url, e) : r;
    return r ? r : started(u, e);
}

/* Of the way it was asked, as far as a status can tell: not of who asked, nor of the moment. */
static bool is_refusal(int status)
{
    return status == 501 || (status >= 400 && status < 500 && status != 401 && status != 403 &&
                             status != 408 && status != 429);
}

int oci_upload_whole(struct oci_upload *u, bool *ret_stored, struct err *e)
{
    AUTO_FREE char *url = NULL;
    AUTO_DONE(buf) whole = BUF_INIT(NET_URL_MAX);
    int r = oci_registry_url(u->reg, "blobs", "uploads/", &url, e);
    if (r)
        return r;
    const char *colon = strchr(u->digest, ':');
    buf_printf(&whole, "%s?digest=%.*s%%3A%s", url, (int)(colon - u->digest), u->digest, colon + 1);
    r = buf_check(&whole, e);
    if (r)
        return r;
    struct source_opener body = opener_part_of(&u->part, 0, u->size);
    struct net_http_request req = {.method = "POST",
                                   .url = buf_cstr(&whole),
                                   .fields = &octets,
                                   .n_fields = 1,
                                   .body = &body,
                                   .follow = true,
                                   .idempotent = true};
    r = send_it(u, &req, e);
    *ret_stored = !r && u->last.status == 201;
    if (*ret_stored)
        return 0;
    if (!r && is_refusal(u->last.status))
        r = start_at(u, url, e);
    return r ? r : started(u, e);
}

/* The registries of the distribution project bind an upload's offset to its URL: one that broke off in the
 * middle has another, and is refused. After a PATCH they read the whole again, too. */
bool oci_upload_resumable(const struct oci_upload *u)
{
    return !strstr(u->url, "_state=");
}

static bool number(struct bytes *b, uint64_t *ret)
{
    uint64_t value = 0;
    size_t n = 0;
    for (; n < b->len && n < 18 && b->ptr[n] >= '0' && b->ptr[n] <= '9'; n++)
        value = value * 10 + (uint64_t)(b->ptr[n] - '0');
    struct bytes digits;
    *ret = value;
    return n > 0 && bytes_take(b, n, &digits);
}

bool oci_upload_range(struct bytes value, uint64_t acked, uint64_t size, uint64_t *ret)
{
    uint64_t first, last;
    struct bytes skipped;
    if (bytes_starts(value, BYTES_LIT("bytes=")) || bytes_starts(value, BYTES_LIT("bytes ")))
        (void)bytes_take(&value, 6, &skipped);
    if (bytes_eq_str(value, "0--1")) {
        *ret = acked;
        return true;
    }
    if (!number(&value, &first) || !bytes_starts(value, BYTES_LIT("-")) || !bytes_take(&value, 1, &skipped) ||
        !number(&value, &last) || value.len || last < first)
        return false;
    bool whole = first == 0 || first == acked;
    if (!whole || last == 0 || last < acked) { /* 0-0: one byte, or none */
        *ret = acked;
        return true;
    }
    if (last >= size)
        return false;
    *ret = last + 1;
    return true;
}

/* How far the registry is. *ret_end: only set on failure. */
static int ask_state(struct oci_upload *u, enum upload_end *ret_end, struct err *e)
{
    struct bytes range;
    struct net_http_request req = {.method = "GET", .url = u->url, .follow = true, .idempotent = true};
    int r = send_it(u, &req, e);
    *ret_end = r == ERR_NETWORK ? UPLOAD_AGAIN : UPLOAD_REFUSED;
    if (r)
        return r;
    int status = u->last.status;
    *ret_end = net_retry_status(status) ? UPLOAD_AGAIN : UPLOAD_GONE;
    if (status != 204 && status != 200 && status != 202)
        return oci_registry_failure(u->reg, &u->last, "state of the upload", e);
    if (net_http_field(&u->last, "Range", 0, &range) &&
        !oci_upload_range(range, u->offset, u->size, &u->offset))
        return err_set(e, ERR_REGISTRY, "the registry has more of the blob than there is");
    r = location_take(u, false, e);
    if (!r)
        log_info("blob %s: the registry has %" PRIu64 " of %" PRIu64 " bytes", u->digest, u->offset, u->size);
    return r;
}

/* A URL that comes from a memo is led to by the registry as any other. */
static bool may_use(const struct oci_upload *u, const char *url)
{
    struct net_url root, to;
    struct err ignored = ERR_INIT;
    return net_url_parse(u->reg->root, &root, &ignored) == 0 && net_url_parse(url, &to, &ignored) == 0 &&
           net_url_may_lead(&root, &to, &ignored) == 0;
}

bool oci_upload_take_up(struct oci_upload *u)
{
    AUTO_DONE(buf) key = BUF_INIT(NET_URL_MAX + OCI_KNOWN_AS_MAX);
    AUTO_DONE(buf) url = BUF_SECRET_INIT(NET_URL_MAX);
    struct err e = ERR_INIT;
    enum upload_end end;
    if (u->size < SESSION_MIN)
        return false;
    session_key(u, &key);
    if (key.failed || oci_memo_get(u->reg->memo_dir, "session", buf_cstr(&key), time(NULL), &url, &e) != 0)
        return false;
    u->remembered = true;
    u->url = may_use(u, buf_cstr(&url)) ? buf_take_str(&url) : NULL;
    u->resumed = u->url && ask_state(u, &end, &e) == 0 && u->offset > 0;
    if (!u->resumed)
        oci_upload_forget(u);
    return u->resumed;
}

/* What an answer that is no success means for the upload. */
static enum upload_end end_of(const struct oci_upload *u)
{
    int status = u->last.status;
    if (status == 413)
        return UPLOAD_SMALLER;
    if (net_retry_status(status))
        return UPLOAD_AGAIN;
    return status == 404 || (u->resumed && status / 100 == 4 && status != 401 && status != 403)
               ? UPLOAD_GONE
               : UPLOAD_REFUSED;
}

/* An upload that is not there any more is the registry's failure: what is pushed is here. */
static int refused(struct oci_upload *u, struct err *e)
{
    int r = oci_registry_failure(u->reg, &u->last, "upload", e);
    return r == ERR_NOTFOUND ? err_recode(e, ERR_REGISTRY) : r;
}

/* The PUT that ends the upload, with bytes or without. */
static int finish(struct oci_upload *u, const struct source_opener *body, enum upload_end *ret_end,
                  struct err *e)
{
    AUTO_DONE(buf) url = BUF_INIT(NET_URL_MAX);
    const char *colon = strchr(u->digest, ':');
    buf_printf(&url, "%s%cdigest=%.*s%%3A%s", u->url, strchr(u->url, '?') ? '&' : '?',
               (int)(colon - u->digest), u->digest, colon + 1);
    *ret_end = UPLOAD_REFUSED;
    int r = buf_check(&url, e);
    if (r)
        return r;
    struct net_http_request req = {.method = "PUT",
                                   .url = buf_cstr(&url),
                                   .fields = &octets,
                                   .n_fields = 1,
                                   .body = body,
                                   .follow = true};
    r = send_it(u, &req, e);
    if (r) {
        *ret_end = r == ERR_NETWORK ? UPLOAD_AGAIN : UPLOAD_REFUSED;
        return r;
    }
    if (oci_registry_is_stored(u->last.status)) {
        oci_upload_forget(u);
        return 0;
    }
    *ret_end = end_of(u);
    return refused(u, e);
}

int oci_upload_put(struct oci_upload *u, enum upload_end *ret_end, struct err *e)
{
    struct source_opener body = opener_part_of(&u->part, 0, u->size);
    int r = finish(u, &body, ret_end, e);
    if (r)
        oci_upload_forget(u); /* how much of it arrived cannot be asked */
    return r;
}

/* 416: the registry is elsewhere, if it says where; else there is no going on. */
static enum upload_end elsewhere(struct oci_upload *u, struct err *e)
{
    struct bytes range;
    uint64_t at;
    bool says = net_http_field(&u->last, "Range", 0, &range) && oci_upload_range(range, 0, u->size, &at) &&
                at != u->offset;
    if (!says || location_take(u, false, e) != 0)
        return UPLOAD_GONE;
    u->offset = at;
    return UPLOAD_AGAIN;
}

/* One PATCH. *ret_end: only set on failure. */
static int patch_once(struct oci_upload *u, enum upload_end *ret_end, struct err *e)
{
    char range[48];
    uint64_t left = u->size - u->offset, most = u->chunk > u->chunk_min ? u->chunk : u->chunk_min;
    uint64_t n = u->chunk && most < left ? most : left;
    (void)snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, u->offset, u->offset + n - 1);
    const struct net_http_field fields[] = {octets, {"Content-Range", range}};
    struct source_opener body = opener_part_of(&u->part, u->offset, n);
    struct net_http_request req = {.method = "PATCH",
                                   .url = u->url,
                                   .fields = fields,
                                   .n_fields =
                                       n < u->size ? 2 : 1, /* the whole says nothing, as docker's does */
                                   .body = &body,
                                   .follow = true};
    int r = send_it(u, &req, e);
    if (r) {
        *ret_end = r == ERR_NETWORK ? UPLOAD_AGAIN : UPLOAD_REFUSED;
        return r;
    }
    if (oci_registry_is_stored(u->last.status)) { /* its Range may be stale: what was sent counts */
        u->offset += n;
        r = location_take(u, false, e);
        *ret_end = UPLOAD_REFUSED;
        session_remember(u);
        return r;
    }
    *ret_end = u->last.status == 416 ? elsewhere(u, e) : end_of(u);
    return refused(u, e);
}

/* After a failure: less at a time, where that may help. */
static bool shrink(struct oci_upload *u, enum upload_end end)
{
    bool whole = u->chunk == 0;
    if (end == UPLOAD_SMALLER && !whole && u->chunk / 2 >= CHUNK_LEAST && u->chunk / 2 >= u->chunk_min)
        u->chunk /= 2;
    else if (end == UPLOAD_REFUSED && u->last.status == 400 && u->chunk == OCI_UPLOAD_CHUNK)
        u->chunk = CHUNK_LARGE;
    else if (end != UPLOAD_REFUSED && whole && u->size - u->offset > OCI_UPLOAD_CHUNK)
        u->chunk = OCI_UPLOAD_CHUNK;
    else
        return false;
    log_info("blob %s: going on in parts of %" PRIu64 " bytes", u->digest, u->chunk);
    return true;
}

/* Where the registry is after a break; what it cannot say any more is gone. */
static bool catch_up(struct oci_upload *u, enum upload_end *end)
{
    struct err ignored = ERR_INIT;
    u->doubt = ask_state(u, end, &ignored) != 0;
    if (u->doubt && *end == UPLOAD_REFUSED)
        *end = UPLOAD_GONE;
    return !u->doubt;
}

/* Whether to go on after a failure. best: how far the upload was when breaks were last forgotten. A registry
 * that takes parts and disowns them would keep us here: so getting on counts, and not what it takes. */
static bool recover(struct oci_upload *u, uint64_t *best, unsigned *breaks, enum upload_end *end,
                    const struct err *e)
{
    bool again = *end == UPLOAD_AGAIN, moved = again && u->last.status == 416;
    if (*end == UPLOAD_GONE || ++*breaks > BREAKS_MAX || (!again && !shrink(u, *end)))
        return false;
    log_info("blob %s: %s", u->digest, e->msg);
    u->resumed = true; /* from here on what is refused may be due to what is there */
    if (moved)
        return true;
    if (again && !net_http_pause(u->reg->http, *breaks, u->last.url ? &u->last : NULL))
        return false;
    if (!catch_up(u, end))
        return false;
    if (u->offset >= *best + PROGRESS) {
        *best = u->offset;
        *breaks = 1;
    } else if (*breaks > 1 && again)
        (void)shrink(u, *end);
    return true;
}

static int patch_all(struct oci_upload *u, enum upload_end *ret_end, struct err *e)
{
    unsigned breaks = 0;
    uint64_t best = u->offset;
    if (u->doubt && !catch_up(u, ret_end))
        return err_set(e, ERR_REGISTRY, "the upload cannot be taken up again");
    while (u->offset < u->size) {
        int r = patch_once(u, ret_end, e);
        if (r && !recover(u, &best, &breaks, ret_end, e))
            return r;
        if (!r && u->offset > best) {
            best = u->offset;
            breaks = 0;
        }
    }
    struct opener_bytes nothing;
    struct source_opener body = opener_bytes_init(&nothing, BYTES_NONE);
    return finish(u, &body, ret_end, e);
}

int oci_upload_patch(struct oci_upload *u, enum upload_end *ret_end, struct err *e)
{
    int r = patch_all(u, ret_end, e);
    if (r && *ret_end == UPLOAD_GONE)
        oci_upload_forget(u);
    u->doubt = r != 0;
    return r;
}
