/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/verify.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/parallel.h"
#include "flow/subject.h"
#include "sign/statement.h"

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
    bool attestations;
    pthread_mutex_t lock; /* of judging, and of what follows */
    unsigned n;           /* blobs that were looked at beyond what each holder may have at least */
    uint64_t bytes;       /* of the large ones, as their descriptors say */
    uint64_t unseen;      /* signatures that were not looked at, and that no check speaks of yet */
};

int flow_verify_new(const struct flow_fetch *fetch, const struct sign_trust *trust, bool attestations,
                    struct flow_verify **ret, struct err *e)
{
    struct flow_verify *v = calloc(1, sizeof(*v));
    if (!v)
        return err_nomem(e);
    v->fetch = fetch;
    v->trust = trust;
    v->attestations = attestations;
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
    size_t sure;  /* the first so many of its signatures are looked at, whatever others hold */
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

/* Whether one more blob of that size is looked at; one that is too large by itself is refused where it would
 * be fetched. Whoever may push may hang up as many and as large ones as he likes. So that he pushes nobody
 * aside with them, what is sure and small does not depend on what else there is. */
static bool one_more(struct flow_verify *v, bool sure, uint64_t size)
{
    bool large = size > LIMIT_SIGNATURE_SMALL && size <= LIMIT_BUNDLE;
    (void)pthread_mutex_lock(&v->lock);
    bool good = (sure || v->n < LIMIT_SIGNATURES) && (!large || size <= LIMIT_SIGNATURES_BYTES - v->bytes);
    v->n += good && !sure;
    v->bytes += good && large ? size : 0;
    v->unseen += !good;
    (void)pthread_mutex_unlock(&v->lock);
    return good;
}

static void add_unseen(struct flow_verify *v, uint64_t n)
{
    (void)pthread_mutex_lock(&v->lock);
    v->unseen += n;
    (void)pthread_mutex_unlock(&v->lock);
}

int flow_verify_tell_unseen(struct flow_verify *v, struct sign_report *report, struct err *e)
{
    struct sign_check *c;
    uint64_t n = v->unseen;
    if (!n)
        return 0;
    int r = sign_report_begin(report, FORMAT, SIGN_CHECK_NOTE, NULL, &c, e);
    if (r)
        return r;
    v->unseen = 0;
    c->is_unseen = true;
    return sign_check_set(
        c, ERR_LIMIT, "%llu more signature%s not looked at: %u in one place are, and %u MiB in all",
        (unsigned long long)n, n == 1 ? " was" : "s were", LIMIT_SIGNATURES, LIMIT_SIGNATURES_BYTES >> 20);
}

static const struct sign_format *format_of(const struct oci_manifest *m, const struct oci_desc *layer)
{
    const char *type = oci_referrers_type(m);
    return sign_format_detect(layer->media_type, type ? type : "");
}

/* One blob of a manifest. */
static int look_into(struct holder *h, bool sure, const struct oci_manifest *m, const struct oci_desc *layer,
                     struct err *e)
{
    AUTO_DONE(buf) blob = BUF_INIT(LIMIT_BUNDLE);
    const struct sign_format *format = format_of(m, layer);
    const char *type = oci_referrers_type(m);
    if (!one_more(h->v, sure, layer->size))
        return 0;
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
    return look_into(&h, i < h.sure, l->m, l->all[i], e);
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
    if (l.n > LIMIT_SIGNATURES) { /* the first, which are the oldest: signers append */
        add_unseen(h->v, l.n - LIMIT_SIGNATURES);
        l.n = LIMIT_SIGNATURES;
    }
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
    struct holder h = {.v = v, .subject = subject, .report = report, .width = 1, .sure = 1};
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

/* How likely one counts, by what the list says: the likeliest first. Nothing of that is relied upon, it is
 * only looked at in this order. */
enum turn {
    TURN_WANTED,  /* of a format that counts */
    TURN_ANY,     /* of no type: it may be anything */
    TURN_UNASKED, /* an attestation, where none is demanded, or a signature in a format that does not count */
    TURN_OTHER,   /* no signature */
    TURNS,
};

/* What Sigstore's bundles say of themselves where they are listed. */
static bool is_listed_attestation(const char *annotations)
{
    AUTO(jdoc) doc = NULL;
    struct err ignored = ERR_INIT;
    const char *type = NULL;
    if (!annotations || !strstr(annotations, SIGN_BUNDLE_PREDICATE) ||
        jdoc_parse(bytes_str(annotations), &doc, &ignored) != 0 ||
        jobj_want_string(jdoc_root(doc), SIGN_BUNDLE_PREDICATE, false, &type, &ignored) != 0)
        return false;
    return type && strcmp(type, SIGN_PREDICATE_SIGN) != 0;
}

static enum turn turn_of(const struct listed *l, const struct oci_referrer *x)
{
    const char *type = oci_referrers_text(l->list, x->artifact_type);
    if (!flow_verify_may_be(type))
        return TURN_OTHER;
    if (!oci_referrers_typed(type))
        return TURN_ANY;
    if (!sign_trust_wants(l->v->trust, sign_format_detect("", type)->name))
        return TURN_UNASKED;
    bool unasked = !l->v->attestations && is_listed_attestation(oci_referrers_text(l->list, x->annotations));
    return unasked ? TURN_UNASKED : TURN_WANTED;
}

/* As the place lists them: where it appends, those that were there first. */
static int in_order(const void *a, const void *b)
{
    const struct oci_referrer *x = *(const struct oci_referrer *const *)a,
                              *y = *(const struct oci_referrer *const *)b;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* The first of those that may be signatures, turn by turn, and the others too as long as there are few: lists
 * were seen to state wrong types. */
static int choose(struct listed *l, struct err *e)
{
    size_t n = l->list->n, may_be = 0;
    AUTO_FREE const struct oci_referrer **sorted = calloc(n + 1, sizeof(*sorted));
    AUTO_FREE uint8_t *turns = malloc(n + 1);
    if (!sorted || !turns)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &l->list->all[i];
    qsort(sorted, n, sizeof(const struct oci_referrer *), in_order);
    for (size_t i = 0; i < n; i++) {
        turns[i] = (uint8_t)turn_of(l, sorted[i]);
        may_be += turns[i] != TURN_OTHER;
    }
    for (unsigned turn = 0; turn < (n <= LIMIT_SIGNATURES ? TURNS : TURN_OTHER); turn++)
        for (size_t i = 0; i < n && l->n < LIMIT_SIGNATURES; i++)
            if (turns[i] == turn)
                l->all[l->n++] = sorted[i];
    if (may_be > LIMIT_SIGNATURES)
        add_unseen(l->v, may_be - LIMIT_SIGNATURES);
    return 0;
}

static int look_at_list(struct flow_verify *v, const struct sign_subject *subject,
                        const struct oci_referrers *list, struct sign_report *report, struct err *e)
{
    const struct oci_referrer *all[LIMIT_SIGNATURES];
    struct sign_report reports[LIMIT_SIGNATURES] = {{.checks = NULL}};
    struct listed l = {v, subject, list, all, reports, 0};
    int r = choose(&l, e);
    return r ? r : take_all(report, reports, l.n, parallel_run(l.n, WIDTH, referrer_job, &l, e), e);
}

static int collect_referrers(struct flow_verify *v, const struct sign_subject *subject,
                             struct sign_report *report, struct err *e)
{
    AUTO_DONE(oci_referrers) list = OCI_REFERRERS_INIT;
    struct oci_endpoint *ep = v->fetch->ep;
    struct holder h = {.v = v, .subject = subject, .report = report, .where = "list of referrers"};
    int r = ep->ops->referrers(ep, &subject->digest, NULL, &list, e);
    /* A list that whoever may push has spoilt says nothing against signatures elsewhere. */
    if (r == ERR_LIMIT || r == ERR_FORMAT)
        return refuse_or_fail(&h, r, e);
    return r ? r : look_at_list(v, subject, &list, report, e);
}

int flow_verify_tagged(struct flow_verify *v, const struct sign_subject *subject, const char *suffix,
                       struct sign_report *report, struct oci_pinned *ret, struct err *e)
{
    AUTO_DONE(oci_pinned) pinned = {.media_type = NULL};
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    struct holder h = {
        .v = v, .subject = subject, .report = report, .width = WIDTH, .sure = LIMIT_SIGNATURES};
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
    int r = take_all(report, c.reports, n, parallel_run(n, n, collect_job, &c, e), e);
    return r ? r : flow_verify_tell_unseen(v, report, e);
}
