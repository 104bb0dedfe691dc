/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/verify.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/parallel.h"
#include "flow/subject.h"

#include <pthread.h>
#include <stdio.h>

/* Requests on their way at once: for the manifests of a list, and for the blobs of one manifest. A referrer
 * has one blob, the image under a tag one for each signature. */
#define WIDTH 8U
/* What is said of a place, and not of a signature in it. */
#define FORMAT "oci"

struct flow_verify {
    const struct flow_fetch *fetch;
    const struct sign_trust *trust;
    pthread_mutex_t lock; /* of judging, and of what follows */
    unsigned n;           /* blobs that were looked at */
    uint64_t bytes;       /* of them, as their descriptors say */
};

int flow_verify_new(const struct flow_fetch *fetch, const struct sign_trust *trust, struct flow_verify **ret,
                    struct err *e)
{
    struct flow_verify *v = calloc(1, sizeof(*v));
    if (!v)
        return err_nomem(e);
    v->fetch = fetch;
    v->trust = trust;
    if (pthread_mutex_init(&v->lock, NULL) != 0) {
        free(v);
        return err_nomem(e);
    }
    *ret = v;
    return 0;
}

void flow_verify_free(struct flow_verify *v)
{
    if (!v)
        return;
    (void)pthread_mutex_destroy(&v->lock);
    free(v);
}

/* One manifest that may hold signatures. */
struct holder {
    struct flow_verify *v;
    const struct sign_subject *subject;
    struct sign_report *report;
    size_t width; /* requests at once for its blobs */
    char where[160];
};

static int refuse(struct holder *h, int code, const char *text, struct err *e)
{
    struct sign_check *c;
    int r = sign_report_begin(h->report, FORMAT, SIGN_CHECK_NOTE, h->where, &c, e);
    return r ? r : sign_check_set(c, code, "%s: %s", h->where, text);
}

/* What a place did wrong is said of what it gave; a place that is out of reach, or a machine without memory,
 * lets nothing be said. */
static int refuse_or_fail(struct holder *h, int r, struct err *e)
{
    char text[ERR_MSG_MAX];
    (void)snprintf(text, sizeof(text), "%s", e->msg);
    switch (r) {
    case ERR_DIGEST:
    case ERR_FORMAT:
    case ERR_LIMIT:
    case ERR_UNSUPPORTED: return refuse(h, r, text, e);
    case ERR_NOTFOUND: return refuse(h, ERR_UNSIGNED, "it is listed and not there", e);
    default: return err_wrap(e, "%s", h->where);
    }
}

static int judge(struct holder *h, const struct sign_format *format, const struct sign_carrier *carrier,
                 struct err *e)
{
    (void)pthread_mutex_lock(&h->v->lock);
    int r = format->judge(carrier, h->subject, h->v->trust, h->report, e);
    (void)pthread_mutex_unlock(&h->v->lock);
    return r;
}

/* NULL, or why no blob of that size is looked at any more. One that is too large by itself is not fetched. */
static const char *one_more(struct flow_verify *v, uint64_t size)
{
    const char *why = NULL;
    uint64_t counts = size > LIMIT_BUNDLE ? 0 : size;
    (void)pthread_mutex_lock(&v->lock);
    if (v->n == LIMIT_SIGNATURES)
        why = "there are more signatures than are looked at";
    else if (counts > LIMIT_SIGNATURES_BYTES - v->bytes)
        why = "all signatures together are larger than what is looked at";
    v->n += !why;
    v->bytes += why ? 0 : counts;
    (void)pthread_mutex_unlock(&v->lock);
    return why;
}

static const struct sign_format *format_of(const struct oci_manifest *m, const struct oci_desc *layer)
{
    const char *type = oci_referrers_type(m);
    return sign_format_detect(layer->media_type, type ? type : "");
}

/* One blob of a manifest. */
static int look_into(struct holder *h, const struct oci_manifest *m, const struct oci_desc *layer,
                     struct err *e)
{
    AUTO_DONE(buf) blob = BUF_INIT(LIMIT_BUNDLE);
    const struct sign_format *format = format_of(m, layer);
    const char *type = oci_referrers_type(m);
    const char *why = one_more(h->v, layer->size);
    if (why)
        return refuse(h, ERR_LIMIT, why, e);
    int r = flow_fetch_small(h->v->fetch, layer, &blob, e);
    if (r)
        return refuse_or_fail(h, r, e);
    const struct sign_carrier carrier = {.media_type = layer->media_type,
                                         .artifact_type = type ? type : "",
                                         .annotations = layer->annotations,
                                         .blob = buf_bytes(&blob),
                                         .where = h->where};
    return judge(h, format, &carrier, e);
}

/* The layers that hold signatures. */
struct layers {
    struct holder *h;
    const struct oci_manifest *m;
    const struct oci_desc **all;
    struct sign_report *reports;
    size_t n;
};

static int layer_job(void *ctx, size_t i, struct err *e)
{
    struct layers *l = ctx;
    struct holder h = *l->h;
    h.report = &l->reports[i];
    return look_into(&h, l->m, l->all[i], e);
}

static int take_all(struct sign_report *to, struct sign_report *from, size_t n, int r, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (!r)
            r = sign_report_take(to, &from[i], e);
        sign_report_done(&from[i]);
    }
    return r;
}

/* The format of a layer that is looked into; NULL: none. */
static const struct sign_format *counts(const struct holder *h, const struct oci_manifest *m,
                                        const struct oci_desc *layer)
{
    const struct sign_format *format = format_of(m, layer);
    return format && sign_trust_wants(h->v->trust, format->name) ? format : NULL;
}

static bool holds_any(const struct holder *h, const struct oci_manifest *m)
{
    for (size_t i = 0; !m->is_index && i < m->n_entries; i++)
        if (counts(h, m, &m->entries[i]))
            return true;
    return false;
}

static int look_at(struct holder *h, const struct oci_manifest *m, struct err *e)
{
    AUTO_FREE const struct oci_desc **all = calloc(m->n_entries + 1, sizeof(*all));
    AUTO_FREE struct sign_report *reports = calloc(LIMIT_SIGNATURES, sizeof(*reports));
    struct layers l = {h, m, all, reports, 0};
    if (!all || !reports)
        return err_nomem(e);
    for (size_t i = 0; !m->is_index && i < m->n_entries; i++)
        if (counts(h, m, &m->entries[i]))
            all[l.n++] = &m->entries[i];
    if (l.n > LIMIT_SIGNATURES)
        return refuse(h, ERR_LIMIT, "it holds more signatures than are looked at", e);
    return take_all(h->report, reports, l.n, parallel_run(l.n, h->width, layer_job, &l, e), e);
}

/* What was fetched for one entry of a list. */
static int look_at_referrer(struct holder *h, const struct oci_desc *desc, const struct oci_pinned *pinned,
                            struct err *e)
{
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    if (pinned->body.len != desc->size)
        return refuse(h, ERR_DIGEST, "it is listed with another size than it has", e);
    int r = oci_manifest_parse(buf_bytes(&pinned->body), pinned->media_type, &m, e);
    if (r)
        return refuse_or_fail(h, r, e);
    if (!holds_any(h, &m))
        return 0;
    if (!m.has_subject || !digest_eq(&m.subject.digest, &h->subject->digest))
        return refuse(h, ERR_DIGEST, "it is listed here, and its subject is another manifest", e);
    return look_at(h, &m, e);
}

bool flow_verify_may_be(const char *listed)
{
    return !oci_referrers_typed(listed) || sign_format_detect("", listed) != NULL;
}

int flow_verify_referrer(struct flow_verify *v, const struct sign_subject *subject,
                         const struct oci_desc *desc, struct sign_report *report, struct err *e)
{
    AUTO_DONE(oci_pinned) pinned = {.media_type = NULL};
    struct holder h = {.v = v, .subject = subject, .report = report, .width = 1};
    size_t before = report->n;
    char digest[DIGEST_STR_MAX];
    (void)snprintf(h.where, sizeof(h.where), "referrer %s", digest_str(&desc->digest, digest));
    int r = desc->size > LIMIT_MANIFEST
                ? err_set(e, ERR_LIMIT, "a manifest of %llu bytes", (unsigned long long)desc->size)
                : flow_fetch_manifest(v->fetch, NULL, &desc->digest, &pinned, e);
    r = r ? refuse_or_fail(&h, r, e) : look_at_referrer(&h, desc, &pinned, e);
    /* What is wrong with an SBOM is not a matter of signatures. */
    if (!r && !flow_verify_may_be(desc->artifact_type) && report->n > before &&
        strcmp(report->checks[before].format, FORMAT) == 0)
        sign_report_cut(report, before);
    return r;
}

/* The entries of a list of referrers that are looked at. */
struct listed {
    struct flow_verify *v;
    const struct sign_subject *subject;
    const struct oci_referrers *list;
    const struct oci_referrer **all;
    struct sign_report *reports;
    size_t n;
};

static int referrer_job(void *ctx, size_t i, struct err *e)
{
    const struct listed *l = ctx;
    const struct oci_referrer *x = l->all[i];
    const struct oci_desc desc = {
        .digest = x->digest, .size = x->size, .artifact_type = oci_referrers_text(l->list, x->artifact_type)};
    return flow_verify_referrer(l->v, l->subject, &desc, &l->reports[i], e);
}

/* Those that may be signatures, and the others too as long as there are few: lists were seen to state wrong
 * types. *ret_over: more than are looked at. */
static void choose(struct listed *l, bool *ret_over)
{
    size_t may_be = 0;
    for (size_t i = 0; i < l->list->n; i++)
        may_be += flow_verify_may_be(oci_referrers_text(l->list, l->list->all[i].artifact_type));
    *ret_over = may_be > LIMIT_SIGNATURES;
    if (*ret_over)
        return;
    bool all = l->list->n <= LIMIT_SIGNATURES;
    for (size_t i = 0; i < l->list->n; i++)
        if (all || flow_verify_may_be(oci_referrers_text(l->list, l->list->all[i].artifact_type)))
            l->all[l->n++] = &l->list->all[i];
}

static int look_at_list(struct flow_verify *v, const struct sign_subject *subject,
                        const struct oci_referrers *list, struct sign_report *report, struct err *e)
{
    const struct oci_referrer *all[LIMIT_SIGNATURES];
    struct sign_report reports[LIMIT_SIGNATURES] = {{.checks = NULL}};
    struct listed l = {v, subject, list, all, reports, 0};
    struct holder h = {.v = v, .subject = subject, .report = report, .where = "list of referrers"};
    bool over;
    choose(&l, &over);
    if (over)
        return refuse(&h, ERR_LIMIT, "it has more signatures than are looked at", e);
    return take_all(report, reports, l.n, parallel_run(l.n, WIDTH, referrer_job, &l, e), e);
}

static int collect_referrers(struct flow_verify *v, const struct sign_subject *subject,
                             struct sign_report *report, struct err *e)
{
    AUTO_DONE(oci_referrers) list = OCI_REFERRERS_INIT;
    struct oci_endpoint *ep = v->fetch->ep;
    int r = ep->ops->referrers(ep, &subject->digest, NULL, &list, e);
    return r ? r : look_at_list(v, subject, &list, report, e);
}

int flow_verify_tagged(struct flow_verify *v, const struct sign_subject *subject, const char *suffix,
                       struct sign_report *report, struct oci_pinned *ret, struct err *e)
{
    AUTO_DONE(oci_pinned) pinned = {.media_type = NULL};
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    struct holder h = {.v = v, .subject = subject, .report = report, .width = WIDTH};
    char tag[FLOW_TAG_MAX];
    if (!flow_subject_tag_name(&subject->digest, suffix, tag))
        return 0;
    (void)snprintf(h.where, sizeof(h.where), "tag %s", tag);
    int r = flow_fetch_manifest(v->fetch, tag, NULL, &pinned, e);
    if (r == ERR_NOTFOUND)
        return 0;
    if (!r)
        r = oci_manifest_parse(buf_bytes(&pinned.body), pinned.media_type, &m, e);
    r = r ? refuse_or_fail(&h, r, e) : look_at(&h, &m, e);
    if (!r && ret && m.doc) {
        *ret = pinned;
        pinned = (struct oci_pinned){.media_type = NULL};
    }
    return r;
}

/* The places, asked at the same time. */
struct collection {
    struct flow_verify *v;
    const struct sign_subject *subject;
    enum flow_place places[3];
    struct sign_report reports[3];
};

static int collect_job(void *ctx, size_t i, struct err *e)
{
    struct collection *c = ctx;
    struct sign_report *report = &c->reports[i];
    if (c->places[i] == FLOW_PLACE_REFERRERS)
        return collect_referrers(c->v, c->subject, report, e);
    return flow_verify_tagged(c->v, c->subject, c->places[i] == FLOW_PLACE_SIG ? ".sig" : ".att", report,
                              NULL, e);
}

int flow_verify_collect(struct flow_verify *v, const struct sign_subject *subject, unsigned places,
                        struct sign_report *report, struct err *e)
{
    static const enum flow_place order[] = {FLOW_PLACE_SIG, FLOW_PLACE_REFERRERS, FLOW_PLACE_ATT};
    struct collection c = {.v = v, .subject = subject};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (places & order[i])
            c.places[n++] = order[i];
    int r = parallel_run(n, n, collect_job, &c, e);
    return take_all(report, c.reports, n, r, e);
}
