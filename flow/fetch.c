/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/fetch.h"

#include "base/limits.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>

/* Smaller blobs are fetched anew as soon as they are taken up. */
#define PARTIAL_MIN (1U << 20)
/* Writing a blob of this size twice, to the store and to its file, is what a pull takes longest for. */
#define HOLD_MIN (64U << 20)

/* What is read in place is not fetched. */
static void count(const struct flow_fetch *f, uint64_t bytes)
{
    if (f->fetched && !f->ep->ops->blob_open)
        atomic_fetch_add(f->fetched, bytes);
}

/* Lets a blob stream into a sink that checks it. */
static int fetch_into(const struct flow_fetch *f, const struct oci_desc *desc, struct progress *p,
                      struct sink *to, struct err *e)
{
    struct sink_progress progress;
    to = sink_progress_init(&progress, to, p, desc->size);
    int r = f->ep->ops->blob_fetch(f->ep, desc, to, e);
    if (!r)
        r = sink_commit(to, e);
    if (!r)
        count(f, desc->size);
    sink_abort(to);
    return r;
}

/* Where nothing can be kept, an unlinked file takes the store's place. */
static int fetch_to_nowhere(struct flow_fetch *f, const struct oci_desc *desc, struct progress *p,
                            int *ret_fd, struct err *e)
{
    struct sink_fd file;
    struct sink_verify verify;
    AUTO_FD int fd = -1;
    int r = file_unnamed(f->temp_dir, &fd, e);
    if (r)
        return r;
    r = sink_verify_init(&verify, sink_fd_init(&file, fd), &desc->digest, desc->size, e);
    if (!r)
        r = fetch_into(f, desc, p, &verify.base, e);
    if (!r)
        *ret_fd = TAKE_FD(fd);
    return r;
}

/* By way of an unnamed file that appears in the store when it is right. */
static int fetch_at_once(struct flow_fetch *f, const struct oci_desc *desc, struct progress *p, int *ret_fd,
                         struct err *e)
{
    struct oci_cas_put put;
    int r = oci_store_put_init(f->store, &put, &desc->digest, desc->size, ret_fd, e);
    if (!r)
        return fetch_into(f, desc, p, &put.verify.base, e);
    if (r != ERR_IO)
        return r;
    log_warn("%s; nothing is kept", e->msg);
    return fetch_to_nowhere(f, desc, p, ret_fd, e);
}

/* What a partial lacks of its blob, by one request. */
static int fetch_rest(struct oci_endpoint *ep, const struct oci_desc *desc, uint64_t have, struct sink *to,
                      struct err *e)
{
    if (have == 0)
        return ep->ops->blob_fetch(ep, desc, to, e);
    if (have == desc->size)
        return 0;
    return ep->ops->blob_resume
               ? ep->ops->blob_resume(ep, desc, have, to, e)
               : err_set(e, ERR_UNSUPPORTED, "blobs are not to be had from the middle on there");
}

/* The same by several requests at once. A registry that does not take to them gets one again. */
static int fetch_in_pieces(struct oci_endpoint *ep, const struct oci_desc *desc, uint64_t piece,
                           struct oci_partial *partial, struct sink *to, struct err *e)
{
    char text[DIGEST_STR_MAX];
    log_info("blob %s: one connection is slow; going on with several from byte %llu",
             digest_str(&desc->digest, text), (unsigned long long)oci_partial_have(partial));
    int r = flow_pieces_fetch(ep, desc, oci_partial_have(partial), piece, to, e);
    if (r != ERR_UNSUPPORTED && r != ERR_REGISTRY)
        return r;
    log_info("%s; going on with one connection", e->msg);
    return fetch_rest(ep, desc, oci_partial_have(partial), to, e);
}

/* rule: NULL for one connection whatever happens. *ret_pieces: it was left for several. */
static int fetch_checked(struct flow_fetch *f, const struct oci_desc *desc, struct progress *p,
                         struct oci_partial *partial, const struct flow_pieces_rule *rule, bool *ret_pieces,
                         struct err *e)
{
    struct sink_progress progress;
    struct flow_watch watch;
    uint64_t have = oci_partial_have(partial);
    struct sink *to = sink_progress_init(&progress, oci_partial_sink(partial), p, desc->size);
    progress.done = have;
    if (!f->ep->ops->blob_part)
        rule = NULL;
    int r = fetch_rest(f->ep, desc, have, flow_watch_init(&watch, to, rule, desc->size, have), e);
    *ret_pieces = r && watch.slow;
    if (*ret_pieces)
        r = fetch_in_pieces(f->ep, desc, rule->piece, partial, to, e);
    if (!r)
        count(f, desc->size - have);
    return r ? r : oci_partial_check(partial, e);
}

/* What did not come by one request, and turns out to be no blob or to have no end there, costs one fetch of
 * the whole. */
static int fetch_partial(struct flow_fetch *f, const struct oci_desc *desc, struct progress *p,
                         struct oci_partial *partial, struct err *e)
{
    uint64_t have = oci_partial_have(partial);
    char text[DIGEST_STR_MAX];
    bool pieces;
    if (have)
        log_info("blob %s: %llu of %llu bytes are here already", digest_str(&desc->digest, text),
                 (unsigned long long)have, (unsigned long long)desc->size);
    int r = fetch_checked(f, desc, p, partial, f->pieces ? f->pieces : &flow_pieces_usual, &pieces, e);
    if ((have || pieces) && (r == ERR_DIGEST || r == ERR_UNSUPPORTED)) {
        log_info("%s; fetching the whole blob again", e->msg);
        r = oci_partial_restart(partial, e);
        if (!r)
            r = fetch_checked(f, desc, p, partial, NULL, &pieces, e);
    }
    /* A full disk gets back what was written; bytes that are right so far stay. */
    if (r == ERR_DIGEST || r == ERR_IO || (r && oci_partial_have(partial) == 0))
        oci_partial_drop(partial);
    return r;
}

int flow_fetch_blob(struct flow_fetch *f, const struct oci_desc *desc, struct progress *p, int *ret_fd,
                    struct err *e)
{
    AUTO(oci_partial) partial = NULL;
    if (f->store->root < 0)
        return fetch_to_nowhere(f, desc, p, ret_fd, e);
    if (desc->size < PARTIAL_MIN)
        return fetch_at_once(f, desc, p, ret_fd, e);
    int r = oci_partial_open(f->store, &desc->digest, desc->size, &partial, e);
    if (r == ERR_NOMEM)
        return r;
    if (r) {
        log_info("store: %s", e->msg);
        return fetch_at_once(f, desc, p, ret_fd, e);
    }
    r = fetch_partial(f, desc, p, partial, e);
    if (r)
        return r;
    if (!f->hold || desc->size < HOLD_MIN)
        return oci_partial_keep(partial, ret_fd, e);
    *ret_fd = fcntl(oci_partial_fd(partial), F_DUPFD_CLOEXEC, 0);
    if (*ret_fd < 0)
        return err_set_errno(e, ERR_IO, errno, "dup");
    oci_partial_close(f->held);
    f->held = TAKE(partial);
    return 0;
}

static void keep(const struct flow_fetch *f, const struct digest *digest, struct bytes data)
{
    struct err ignored;
    if (f->store->root >= 0 && oci_store_put_bytes(f->store, digest, data, &ignored) != 0)
        log_warn("%s", ignored.msg);
}

int flow_fetch_manifest(const struct flow_fetch *f, const char *tag, const struct digest *digest,
                        struct oci_pinned *ret, struct err *e)
{
    struct err ignored;
    if (digest && f->store->root >= 0) {
        struct oci_pinned p = {.digest = *digest, .body = BUF_INIT(LIMIT_MANIFEST)};
        if (oci_store_read(f->store, digest, &p.body, &ignored) == 0) {
            *ret = p;
            return 0;
        }
        oci_pinned_done(&p);
    }
    int r = f->ep->ops->resolve(f->ep, tag, digest, ret, e);
    if (!r) {
        count(f, ret->body.len);
        keep(f, &ret->digest, buf_bytes(&ret->body));
    }
    return r;
}

/* The bytes as the place gives them, into a sink that checks them. */
static int pour(const struct flow_fetch *f, const struct oci_desc *desc, struct sink *to, struct err *e)
{
    AUTO_FD int fd = -1;
    struct source_file file;
    if (!f->ep->ops->blob_open)
        return f->ep->ops->blob_fetch(f->ep, desc, to, e);
    int r = f->ep->ops->blob_open(f->ep, desc, &fd, e);
    return r ? r : stream_copy(source_file_init(&file, fd), to, NULL, e);
}

static int fetch_small(const struct flow_fetch *f, const struct oci_desc *desc, struct buf *out,
                       struct err *e)
{
    AUTO_DONE(buf) got = BUF_INIT(out->max);
    struct sink_buf memory;
    struct sink_verify verify;
    int r = sink_verify_init(&verify, sink_buf_init(&memory, &got), &desc->digest, desc->size, e);
    if (r)
        return r;
    r = pour(f, desc, &verify.base, e);
    if (!r)
        r = sink_commit(&verify.base, e);
    if (!r)
        buf_append_bytes(out, buf_bytes(&got));
    sink_abort(&verify.base);
    return r ? r : buf_check(out, e);
}

int flow_fetch_small(const struct flow_fetch *f, const struct oci_desc *desc, struct buf *out, struct err *e)
{
    struct err ignored;
    if (desc->size > out->max)
        return err_set(e, ERR_LIMIT, "%llu bytes, more than %zu", (unsigned long long)desc->size, out->max);
    if (f->store->root >= 0 && oci_store_read(f->store, &desc->digest, out, &ignored) == 0) {
        if (out->len == desc->size)
            return 0;
        return err_set(e, ERR_DIGEST, "%zu bytes where %llu were expected", out->len,
                       (unsigned long long)desc->size);
    }
    int r = fetch_small(f, desc, out, e);
    if (!r) {
        count(f, out->len);
        keep(f, &desc->digest, buf_bytes(out));
    }
    return r;
}

void flow_fetch_done(struct flow_fetch *f)
{
    struct err e = ERR_INIT;
    if (f->held && oci_partial_keep(f->held, NULL, &e) != 0)
        log_info("%s", e.msg);
    oci_partial_close(TAKE(f->held));
}
