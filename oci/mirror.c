/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/mirror.h"

#include "base/log.h"
#include "oci/registries.h"

#include <inttypes.h>
#include <pthread.h>

struct place {
    struct oci_endpoint_conf conf;
    struct oci_cred_conf credentials; /* conf.credentials, where those given for this run are not for it */
    struct oci_endpoint *ep;          /* NULL until it is wanted */
};

struct mirrored {
    struct oci_endpoint base; /* first */
    struct oci_candidates candidates;
    struct place *places;
    size_t chosen;        /* the place that answered last: it is asked first */
    pthread_mutex_t lock; /* of places and chosen */
};

static void mirrored_close(struct oci_endpoint *base)
{
    struct mirrored *m = (struct mirrored *)base;
    for (size_t i = 0; m->places && i < m->candidates.n; i++)
        oci_endpoint_close(m->places[i].ep);
    free(m->places);
    oci_candidates_done(&m->candidates);
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

static int place_open(struct mirrored *m, size_t i, struct oci_endpoint **ret, struct err *e)
{
    int r = 0;
    (void)pthread_mutex_lock(&m->lock);
    struct place *p = &m->places[i];
    if (!p->ep)
        r = oci_registry_open(&m->candidates.list[i].ref, &p->conf, false, &p->ep, e);
    *ret = p->ep;
    (void)pthread_mutex_unlock(&m->lock);
    return r;
}

static size_t chosen_get(struct mirrored *m)
{
    (void)pthread_mutex_lock(&m->lock);
    size_t chosen = m->chosen;
    (void)pthread_mutex_unlock(&m->lock);
    return chosen;
}

static void chosen_set(struct mirrored *m, size_t i)
{
    (void)pthread_mutex_lock(&m->lock);
    m->chosen = i;
    (void)pthread_mutex_unlock(&m->lock);
}

/* Failures that another place may not have. */
static bool is_place_failure(int r)
{
    return r == ERR_NETWORK || r == ERR_REGISTRY || r == ERR_NOTFOUND || r == ERR_AUTH || r == ERR_DIGEST ||
           r == ERR_FORMAT || r == ERR_LIMIT;
}

/* Asks one place after the other, the one that answered last first. The failure that counts is the last
 * place's in the order of the file: the registry's own. */
static int each_place(struct mirrored *m, int (*ask)(struct oci_endpoint *ep, void *ctx, struct err *e),
                      void *ctx, struct err *e)
{
    size_t first = chosen_get(m), n = m->candidates.n;
    struct err last = ERR_INIT;
    for (size_t k = 0; k <= n; k++) {
        size_t i = k == 0 ? first : k - 1;
        struct oci_endpoint *ep;
        if (k > 0 && i == first)
            continue;
        int r = place_open(m, i, &ep, e);
        if (!r)
            r = ask(ep, ctx, e);
        if (!r)
            chosen_set(m, i);
        if (!r || !is_place_failure(r))
            return r;
        if (n > 1)
            log_info("%s: %s", m->candidates.list[i].ref.host, e->msg);
        if (i + 1 == n || last.code == 0)
            last = *e;
    }
    *e = last;
    return last.code;
}

struct resolving {
    const char *tag;
    const struct digest *digest;
    struct oci_pinned *ret;
};

static int ask_resolve(struct oci_endpoint *ep, void *ctx, struct err *e)
{
    struct resolving *q = ctx;
    return ep->ops->resolve(ep, q->tag, q->digest, q->ret, e);
}

static int mirrored_resolve(struct oci_endpoint *base, const char *tag, const struct digest *digest,
                            struct oci_pinned *ret, struct err *e)
{
    struct resolving q = {tag, digest, ret};
    return each_place((struct mirrored *)base, ask_resolve, &q, e);
}

struct listing {
    struct buf *out;
    size_t start;
};

static int ask_tags(struct oci_endpoint *ep, void *ctx, struct err *e)
{
    struct listing *q = ctx;
    if (q->out->len > q->start) /* what a place listed before it failed */
        q->out->len = q->start;
    return ep->ops->tags(ep, q->out, e);
}

static int mirrored_tags(struct oci_endpoint *base, struct buf *out, struct err *e)
{
    struct listing q = {out, out->len};
    return each_place((struct mirrored *)base, ask_tags, &q, e);
}

/* Passes on what the caller has not got yet. */
struct sink_rest {
    struct sink base;
    struct sink *inner;
    uint64_t passed, at;
    int failure; /* of the inner sink: no other place can mend that */
};

static int rest_write(struct sink *base, struct bytes data, struct err *e)
{
    struct sink_rest *s = (struct sink_rest *)base;
    uint64_t skip = s->passed - s->at;
    struct bytes ignored;
    if (skip > data.len)
        skip = data.len;
    s->at += data.len;
    if (!bytes_take(&data, (size_t)skip, &ignored) || data.len == 0)
        return 0;
    s->failure = sink_write(s->inner, data, e);
    s->passed += data.len;
    return s->failure;
}

struct fetching {
    const struct oci_desc *desc;
    struct sink_rest to;
};

static int ask_fetch(struct oci_endpoint *ep, void *ctx, struct err *e)
{
    struct fetching *q = ctx;
    if (q->to.failure)
        return q->to.failure;
    int r = ERR_UNSUPPORTED;
    q->to.at = q->to.passed;
    if (q->to.passed)
        r = ep->ops->blob_resume(ep, q->desc, q->to.passed, &q->to.base, e);
    if (r == ERR_UNSUPPORTED && !q->to.failure) {
        q->to.at = 0;
        r = ep->ops->blob_fetch(ep, q->desc, &q->to.base, e);
    }
    if (!r && q->to.at < q->desc->size)
        r = err_set(e, ERR_DIGEST, "the blob has %" PRIu64 " bytes, %" PRIu64 " were expected", q->to.at,
                    q->desc->size);
    return r;
}

static int mirrored_blob_fetch(struct oci_endpoint *base, const struct oci_desc *desc, struct sink *to,
                               struct err *e)
{
    struct fetching q = {desc, {.base = {.write = rest_write}, .inner = to}};
    return each_place((struct mirrored *)base, ask_fetch, &q, e);
}

static int mirrored_blob_resume(struct oci_endpoint *base, const struct oci_desc *desc, uint64_t from,
                                struct sink *to, struct err *e)
{
    struct fetching q = {desc, {.base = {.write = rest_write}, .inner = to, .passed = from}};
    return each_place((struct mirrored *)base, ask_fetch, &q, e);
}

struct parting {
    const struct oci_desc *desc;
    uint64_t from, size;
    struct sink_rest to; /* counts from the start of the part */
};

static int ask_part(struct oci_endpoint *ep, void *ctx, struct err *e)
{
    struct parting *q = ctx;
    uint64_t have = q->to.passed;
    if (q->to.failure || have == q->size)
        return q->to.failure;
    q->to.at = have;
    return ep->ops->blob_part(ep, q->desc, q->from + have, q->size - have, &q->to.base, e);
}

static int mirrored_blob_part(struct oci_endpoint *base, const struct oci_desc *desc, uint64_t from,
                              uint64_t size, struct sink *to, struct err *e)
{
    struct parting q = {desc, from, size, {.base = {.write = rest_write}, .inner = to}};
    return each_place((struct mirrored *)base, ask_part, &q, e);
}

struct referring {
    const struct digest *subject;
    const char *artifact_type;
    struct oci_referrers *ret;
};

static int ask_referrers(struct oci_endpoint *ep, void *ctx, struct err *e)
{
    struct referring *q = ctx;
    return ep->ops->referrers(ep, q->subject, q->artifact_type, q->ret, e);
}

static int mirrored_referrers(struct oci_endpoint *base, const struct digest *subject,
                              const char *artifact_type, struct oci_referrers *ret, struct err *e)
{
    struct referring q = {subject, artifact_type, ret};
    return each_place((struct mirrored *)base, ask_referrers, &q, e);
}

static const struct oci_endpoint_ops mirrored_ops = {
    .close = mirrored_close,
    .resolve = mirrored_resolve,
    .tags = mirrored_tags,
    .blob_fetch = mirrored_blob_fetch,
    .blob_resume = mirrored_blob_resume,
    .blob_part = mirrored_blob_part,
    .referrers = mirrored_referrers,
};

/* The flags of the command line, and credentials given for this run, are meant for what it names, and stay
 * with the registry's own place. */
static void place_init(struct place *p, const struct oci_endpoint_conf *conf, enum oci_trust trust, bool own)
{
    p->conf = *conf;
    p->conf.registries = NULL;
    if (!own) {
        p->conf.plain_http = p->conf.insecure = false;
        p->conf.cert = p->conf.cert_key = NULL;
    }
    if (!own && conf->credentials) {
        p->credentials = *conf->credentials;
        p->credentials.user = p->credentials.password = p->credentials.identity_token = NULL;
        p->conf.credentials = &p->credentials;
    }
    if (trust == OCI_TRUST_PLAIN)
        p->conf.plain_http = true;
    if (trust == OCI_TRUST_UNVERIFIED)
        p->conf.insecure = true;
}

int oci_mirror_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf,
                    struct oci_endpoint **ret, struct err *e)
{
    struct mirrored *m = calloc(1, sizeof(*m));
    if (!m)
        return err_nomem(e);
    m->base.ops = &mirrored_ops;
    (void)pthread_mutex_init(&m->lock, NULL);
    int r = oci_registries_candidates(conf->registries, ref, &m->candidates, e);
    size_t n = m->candidates.n;
    if (!r && !(m->places = calloc(n, sizeof(*m->places))))
        r = err_nomem(e);
    for (size_t i = 0; !r && i < n; i++) {
        const struct oci_candidate *c = &m->candidates.list[i];
        bool own = strcmp(c->ref.host, ref->host) == 0 && strcmp(c->ref.path, ref->path) == 0;
        place_init(&m->places[i], conf, c->trust, own);
    }
    if (r) {
        mirrored_close(&m->base);
        return r;
    }
    *ret = &m->base;
    return 0;
}
