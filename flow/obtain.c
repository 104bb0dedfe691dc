/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/obtain.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "flow/digests.h"
#include "flow/places.h"
#include "flow/verify.h"
#include "oci/index.h"
#include "oci/locate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

/* What is open while a reference is being obtained. */
struct way {
    const struct flow_conf *conf;
    struct oci_ref ref;
    struct oci_endpoint *ep;
    struct oci_store store; /* closed where the endpoint is read in place, or there is no store */
    struct flow_fetch fetch;
    struct flow_measure measure;
    uint64_t start_ns;
    _Atomic uint64_t fetched;
    /* What a signature may be of: the manifest, and the indexes on the way to it, from the first on. */
    struct passed {
        struct sign_subject subject;
        char *media_type;        /* owned */
        struct oci_pinned index; /* what an index's content is in */
    } passed[OCI_INDEX_DEPTH + 1];
    size_t n_passed;
};

static void way_done(struct way *w)
{
    for (size_t i = 0; i < w->n_passed; i++) {
        free(w->passed[i].media_type);
        oci_pinned_done(&w->passed[i].index);
    }
    flow_fetch_done(&w->fetch);
    oci_endpoint_close(TAKE(w->ep));
    oci_store_done(&w->store);
    oci_ref_done(&w->ref);
}

/* Where no store can be made everything is fetched; one that others can reach is refused. */
static int open_store(struct way *w, struct err *e)
{
    int r = oci_store_open(w->conf->store_dir, &w->store, e);
    if (r != ERR_IO && r != ERR_NOTFOUND)
        return r;
    log_warn("%s; nothing is kept", e->msg);
    return 0;
}

static int way_open(struct way *w, const struct flow_conf *conf, const char *reference,
                    const struct flow_demand *demand, struct err *e)
{
    *w = (struct way){
        .conf = conf, .store = OCI_STORE_INIT, .measure = {.demand = demand}, .start_ns = stopwatch_ns()};
    int r = oci_ref_locate(reference, &conf->endpoint, false, &w->ref, e);
    if (!r && demand && demand->require_digest && !w->ref.has_digest)
        r = err_set(e, ERR_USAGE, "the reference names no digest, and one is required");
    if (!r)
        r = oci_endpoint_open(&w->ref, &conf->endpoint, false, &w->ep, e);
    if (!r && !w->ep->ops->blob_open && conf->store_dir)
        r = open_store(w, e);
    w->fetch = (struct flow_fetch){
        .ep = w->ep, .store = &w->store, .temp_dir = conf->temp_dir, .fetched = &w->fetched};
    return r;
}

static bool has_store(const struct way *w)
{
    return w->store.root >= 0;
}

/* Keeps what signatures of the manifest that is there now, index or not, are to be about. */
static int pass(struct way *w, const struct flow_artifact *a, struct err *e)
{
    struct passed *p = &w->passed[w->n_passed];
    p->media_type = strdup(a->parsed.media_type);
    if (!p->media_type)
        return err_nomem(e);
    p->subject = (struct sign_subject){.digest = a->manifest.digest,
                                       .size = a->manifest.body.len,
                                       .media_type = p->media_type,
                                       .content = buf_bytes(&a->manifest.body),
                                       .repo = w->ref.kind == OCI_REF_REGISTRY ? a->repo : NULL};
    w->n_passed++;
    return 0;
}

/* Replaces an index by the manifest that it names, which must be of the size and type that the index states.
 */
static int step_into(struct way *w, struct flow_artifact *a, struct err *e)
{
    const struct oci_desc *entry;
    struct oci_pinned p;
    struct oci_manifest m;
    int r = oci_index_choose(&a->parsed, w->conf->platform, &entry, e);
    if (!r)
        r = flow_fetch_manifest(&w->fetch, NULL, &entry->digest, &p, e);
    if (r)
        return r;
    if (p.body.len != entry->size)
        r = err_set(e, ERR_DIGEST, "the index states another size for its manifest");
    else
        r = oci_manifest_parse(buf_bytes(&p.body), entry->media_type, &m, e);
    if (r) {
        oci_pinned_done(&p);
        return r;
    }
    oci_manifest_done(&a->parsed);
    w->passed[w->n_passed - 1].index = a->manifest;
    a->parsed = m;
    a->manifest = p;
    return 0;
}

static int follow_index(struct way *w, struct flow_artifact *a, struct err *e)
{
    int r = 0;
    for (unsigned depth = 0; !r && a->parsed.is_index; depth++) {
        if (depth == OCI_INDEX_DEPTH)
            return err_set(e, ERR_LIMIT, "indexes in indexes, more than %d deep", OCI_INDEX_DEPTH);
        r = pass(w, a, e);
        if (!r)
            r = step_into(w, a, e);
    }
    return r ? r : pass(w, a, e);
}

static int resolve(struct way *w, struct flow_artifact *a, struct err *e)
{
    const struct oci_ref *ref = &w->ref;
    int r = flow_fetch_manifest(&w->fetch, ref->tag[0] ? ref->tag : NULL,
                                ref->has_digest ? &ref->digest : NULL, &a->manifest, e);
    if (r)
        return r;
    a->named = a->manifest.digest;
    return oci_manifest_parse(buf_bytes(&a->manifest.body), a->manifest.media_type, &a->parsed, e);
}

/* An open descriptor of a blob; *ret_fresh: its bytes have just been checked. */
static int open_blob(struct way *w, const struct oci_desc *desc, struct progress *p, int *ret_fd,
                     bool *ret_fresh, struct err *e)
{
    struct err ignored;
    *ret_fresh = false;
    if (w->ep->ops->blob_open)
        return w->ep->ops->blob_open(w->ep, desc, ret_fd, e);
    if (has_store(w) && oci_store_get(&w->store, &desc->digest, desc->size, ret_fd, &ignored) == 0)
        return 0;
    *ret_fresh = true;
    return flow_fetch_blob(&w->fetch, desc, p, ret_fd, e);
}

struct source *flow_artifact_read(const struct flow_artifact *a, struct flow_reading *r)
{
    return a->fd >= 0 ? source_file_init(&r->file, a->fd)
                      : source_bytes_init(&r->bytes, buf_bytes(&a->bytes));
}

/* Reads the module into memory. */
static int load(struct flow_artifact *a, struct source *from, struct err *e)
{
    a->bytes = (struct buf)BUF_INIT(LIMIT_MODULE);
    int r = source_read_all(from, &a->bytes, e);
    if (!r)
        r = buf_check(&a->bytes, e);
    return r;
}

/* The module's bytes, from their start as often as it is asked for. */
struct rereading {
    const struct flow_artifact *artifact;
    struct flow_reading reading;
    struct source_tee tee;
    struct hash_state *hash; /* sees them once; then NULL */
};

static int reread(void *ctx, struct source **ret, struct err *e)
{
    (void)e;
    struct rereading *r = ctx;
    *ret = flow_artifact_read(r->artifact, &r->reading);
    if (r->hash)
        *ret = source_tee_init(&r->tee, *ret, hash_see, TAKE(r->hash));
    return 0;
}

/* One reading of everything that is to be handed on: digest, and signatures when there are keys. What claims
 * need to read again they make sure of themselves. */
static int examine(struct flow_artifact *a, enum hash_alg alg, const struct flow_measure *m,
                   struct digest *ret, struct err *e)
{
    AUTO(hash_state) hash = NULL;
    struct rereading again = {.artifact = a};
    const struct source_opener from = {reread, &again, a->size};
    struct source *in;
    int r = m->looks && alg == HASH_SHA256 ? 0 : hash_open(alg, &hash, e);
    if (r)
        return r;
    again.hash = hash;
    if (m->looks)
        r = sign_verify(&from, &m->trust, &a->report, hash ? NULL : ret, e);
    else
        r = reread(&again, &in, e);
    uint8_t rest[64U << 10];
    for (size_t n = 1; !r && !m->looks && n > 0;)
        r = source_read(in, rest, sizeof(rest), &n, e);
    if (!r && hash)
        hash_final(hash, ret);
    return r;
}

/* All that a policy may call the artifact by. */
static int gather_digests(const struct flow_artifact *a, const struct sign_rule *rule,
                          const struct passed *passed, size_t n_passed, struct flow_digests *ret,
                          struct err *e)
{
    struct flow_reading reading;
    int r = 0;
    for (size_t i = 0; !r && i < n_passed; i++)
        r = flow_digests_of_bytes(ret, rule, &passed[i].subject.digest, passed[i].subject.content, e);
    return r ? r : flow_digests_of_source(ret, rule, &a->digest, flow_artifact_read(a, &reading), e);
}

/* passed: from the manifest, or the index, that was named; none: a file. */
static struct sign_facts facts_of(const struct flow_artifact *a, const struct passed *passed, size_t n_passed,
                                  const struct flow_digests *digests)
{
    return (struct sign_facts){.subject = n_passed ? &passed[0].subject.digest : NULL,
                               .module = &a->digest,
                               .repo = a->repo,
                               .others = digests->all,
                               .n_others = digests->n};
}

static int verdict(struct flow_artifact *a, const struct flow_measure *m, const struct passed *passed,
                   size_t n_passed, struct err *e)
{
    struct flow_digests digests = {.n = 0};
    int r = m->rule ? gather_digests(a, m->rule, passed, n_passed, &digests, e) : 0;
    const struct sign_facts facts = facts_of(a, passed, n_passed, &digests);
    if (r || flow_measure_none(m))
        return r;
    a->judged = true;
    r = flow_measure_decide(m, &facts, &a->report, &a->decision, e);
    a->verified = !r && m->looks && a->decision.n_findings == 0 && !a->decision.insecure;
    return r;
}

/* Brings the module's bytes into place and makes sure of them. */
static int check_bytes(const struct oci_desc *desc, bool in_memory, const struct flow_measure *m,
                       struct flow_artifact *a, struct err *e)
{
    struct digest got;
    struct source_file file;
    int r = in_memory ? load(a, source_file_init(&file, a->fd), e) : 0;
    if (in_memory)
        (void)close(TAKE_FD(a->fd));
    if (!r)
        r = examine(a, desc->digest.alg, m, &got, e);
    if (!r && !digest_eq(&got, &desc->digest)) {
        char is[DIGEST_STR_MAX], want[DIGEST_STR_MAX];
        r = err_set(e, ERR_DIGEST, "the module's digest is %s, expected %s", digest_str(&got, is),
                    digest_str(&desc->digest, want));
    }
    return r;
}

/* As check_bytes; a copy of the store's that turns out to be damaged is fetched again, once. */
static int check_module(struct way *w, const struct oci_desc *desc, bool in_memory, struct flow_artifact *a,
                        struct err *e)
{
    int r = check_bytes(desc, in_memory, &w->measure, a, e);
    if (r == ERR_DIGEST && !a->fresh && !w->ep->ops->blob_open) {
        log_warn("the store's copy of the module is damaged; fetching it again");
        buf_done(&a->bytes);
        sign_report_done(&a->report);
        if (a->fd >= 0)
            (void)close(TAKE_FD(a->fd));
        a->fresh = true;
        r = flow_fetch_blob(&w->fetch, desc, w->conf->progress, &a->fd, e);
        if (!r)
            r = check_bytes(desc, in_memory, &w->measure, a, e);
    }
    return r;
}

static int read_config(struct way *w, struct flow_artifact *a, struct err *e)
{
    const struct oci_desc *desc = &a->parsed.config;
    AUTO_FD int fd = -1;
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_CONFIG);
    struct source_file file;
    struct digest got;
    bool fresh;
    if (desc->size ==
        0) /* some registries do not take blobs without bytes, and nothing is to be had from them */
        return (a->config = strdup("")) ? 0 : err_nomem(e);
    int r = desc->size > LIMIT_CONFIG ? err_set(e, ERR_LIMIT, "larger than %u bytes", LIMIT_CONFIG) : 0;
    if (!r)
        r = open_blob(w, desc, NULL, &fd, &fresh, e);
    if (!r)
        r = source_read_all(source_file_init(&file, fd), &text, e);
    if (!r)
        r = hash_bytes(desc->digest.alg, buf_bytes(&text), &got, e);
    if (!r && !digest_eq(&got, &desc->digest))
        r = err_set(e, ERR_DIGEST, "not what its digest says");
    if (r)
        return err_wrap(e, "config");
    a->config_len = text.len;
    a->config = buf_take_str(&text);
    return a->config ? 0 : err_nomem(e);
}

struct look {
    struct way *w;
    bool anew; /* the store's copies are not trusted */
};

static int look_open(void *ctx, const struct oci_desc *desc, int *ret_fd, struct err *e)
{
    const struct look *look = ctx;
    bool fresh;
    return look->anew ? flow_fetch_blob(&look->w->fetch, desc, look->w->conf->progress, ret_fd, e)
                      : open_blob(look->w, desc, look->w->conf->progress, ret_fd, &fresh, e);
}

/* Where the module is, by the rules of its kind. What lies in a tar is taken out of it. */
static int find_module(struct way *w, const struct flow_artifact *a, const struct oci_kind **ret_kind,
                       struct oci_place *ret, struct err *e)
{
    struct look look = {.w = w};
    const struct oci_blobs blobs = {.open = look_open, .ctx = &look, .temp_dir = w->conf->temp_dir};
    const struct oci_choice *choice = &w->conf->choice;
    const struct oci_kind *kind = oci_kind_of(&a->parsed);
    if (!kind)
        return err_set(e, ERR_UNSUPPORTED, "not a wasm artifact of a kind that waybill knows");
    const bool hold = w->fetch.hold;
    w->fetch.hold = false; /* a blob that is looked into is not the one that is given away */
    int r = oci_kind_locate(kind, &a->parsed, choice, &blobs, ret, e);
    if (r == ERR_DIGEST && has_store(w)) {
        log_warn("the store's copy of a layer is damaged; fetching it again");
        look.anew = true;
        r = oci_kind_locate(kind, &a->parsed, choice, &blobs, ret, e);
    }
    w->fetch.hold = hold;
    if (!r)
        *ret_kind = kind;
    return r;
}

/* The module's bytes: those that were taken out of a tar, or a blob. *ret: their digest and size. */
static int open_module(struct way *w, struct oci_place *place, struct flow_artifact *a, struct oci_desc *ret,
                       struct err *e)
{
    a->layer = place->layer->digest;
    a->member = TAKE(place->member);
    a->digest = place->digest;
    a->size = place->size;
    *ret = (struct oci_desc){.digest = place->digest, .size = place->size};
    if (!a->member)
        return open_blob(w, place->layer, w->conf->progress, &a->fd, &a->fresh, e);
    a->fd = TAKE_FD(place->fd);
    a->fresh = true;
    return 0;
}

static int obtain_manifest(struct way *w, unsigned want, struct flow_artifact *a, struct err *e)
{
    int r = oci_ref_names(&w->ref, &a->name, &a->repo, e);
    if (!r)
        r = flow_measure_take(w->measure.demand, a->repo, &w->measure, &a->decision, e);
    if (!r)
        r = resolve(w, a, e);
    if (!r && (!(want & FLOW_WANT_MANIFEST) || w->conf->platform))
        r = follow_index(w, a, e);
    return r;
}

/* What an artifact calls a module is one, at least from its first bytes. */
static int check_preamble(const struct flow_artifact *a, struct err *e)
{
    uint8_t head[WBIN_PREAMBLE];
    struct flow_reading reading;
    enum wbin_kind kind;
    if (a->size < sizeof(head))
        return err_set(e, ERR_FORMAT, "not a WebAssembly binary: only %llu bytes long",
                       (unsigned long long)a->size);
    int r = source_read_full(flow_artifact_read(a, &reading), head, sizeof(head), e);
    return r ? r : wbin_preamble(BYTES_ARR(head), &kind, e);
}

/* What is got at the same time: the module, and what lies beside its manifest. */
struct gather {
    struct way *w;
    unsigned want;
    struct flow_artifact *a;
    struct flow_verify
        *verify;     /* owned; of all rounds, so that its limits are; NULL: nothing is looked for */
    unsigned places; /* of this round */
    struct sign_report beside;
};

static int gather_module(struct way *w, unsigned want, struct flow_artifact *a, struct err *e)
{
    const struct oci_kind *kind = NULL;
    AUTO_DONE(oci_place) place = OCI_PLACE_INIT;
    struct oci_desc desc;
    const uint64_t start = stopwatch_ns();
    int r = find_module(w, a, &kind, &place, e);
    if (!r && (want & FLOW_WANT_CONFIG))
        r = read_config(w, a, e);
    if (!r && (want & FLOW_WANT_CONFIG) && kind->check_config)
        r = kind->check_config(&a->parsed, bytes_of(a->config, a->config_len), e);
    if (!r && (want & FLOW_WANT_BYTES) && place.size > LIMIT_MODULE)
        r = err_set(e, ERR_LIMIT, "a module of %llu bytes: more than %u", (unsigned long long)place.size,
                    LIMIT_MODULE);
    if (!r)
        r = open_module(w, &place, a, &desc, e);
    if (r)
        return r;
    a->times.fetch_ns = stopwatch_ns() - start;
    bool checked = a->fresh && !(want & FLOW_WANT_BYTES) && !w->measure.looks;
    r = checked ? 0 : check_module(w, &desc, want & FLOW_WANT_BYTES, a, e);
    return r ? r : check_preamble(a, e);
}

/* A signature of an index is one of all that it names. */
static int gather_signatures(struct gather *g, unsigned places, struct err *e)
{
    const struct way *w = g->w;
    int r = 0;
    for (size_t i = w->n_passed; !r && i > 0; i--)
        r = flow_verify_collect(g->verify, &w->passed[i - 1].subject, places, &g->beside, e);
    return r;
}

static int gather_job(void *ctx, size_t i, struct err *e)
{
    struct gather *g = ctx;
    return i == 0 && (g->places & FLOW_PLACE_MODULE)
               ? gather_module(g->w, g->want, g->a, e)
               : gather_signatures(g, g->places & ~(unsigned)FLOW_PLACE_MODULE, e);
}

static int gather_round(struct gather *g, unsigned places, struct err *e)
{
    const unsigned module = FLOW_PLACE_MODULE;
    g->places = places;
    size_t n = (size_t)((places & module) != 0) + ((places & ~module) != 0);
    return parallel_run(n, n, gather_job, g, e);
}

/* Whether what was found in the module and beside the manifest is enough. */
static int is_met(const struct gather *g, bool *ret, struct err *e)
{
    const struct flow_artifact *a = g->a;
    const struct way *w = g->w;
    struct flow_digests digests = {.n = 0};
    AUTO_FREE struct sign_check *all = calloc(a->report.n + g->beside.n + 1, sizeof(*all));
    const struct sign_report seen = {.checks = all, .n = a->report.n + g->beside.n};
    if (!all)
        return err_nomem(e);
    for (size_t i = 0; i < seen.n; i++) /* what they point to stays where it is */
        all[i] = i < a->report.n ? a->report.checks[i] : g->beside.checks[i - a->report.n];
    int r = w->measure.rule ? gather_digests(a, w->measure.rule, w->passed, w->n_passed, &digests, e) : 0;
    const struct sign_facts facts = facts_of(a, w->passed, w->n_passed, &digests);
    return r ? r : flow_measure_met(&w->measure, &facts, &seen, ret, e);
}

/* Whether the module may stay where it is: it is a blob, so that the manifest states its digest, no other is
 * needed, and what stands in it was not asked for. Then sets what is known of it. */
static int may_spare(struct way *w, unsigned want, struct flow_artifact *a, bool *ret, struct err *e)
{
    const struct flow_measure *m = &w->measure;
    const struct oci_kind *kind = oci_kind_of(&a->parsed);
    AUTO_DONE(oci_place) place = OCI_PLACE_INIT;
    *ret = (want & FLOW_VERDICT) && m->looks && !m->trust.sections && !m->trust.detached.len && kind &&
           !kind->locate;
    if (!*ret)
        return 0;
    int r = find_module(w, a, &kind, &place, e);
    if (r)
        return r;
    *ret = !m->rule || !flow_digests_need_bytes(m->rule, &place.digest);
    a->layer = a->digest = place.digest;
    a->size = place.size;
    return 0;
}

/* Where nothing is looked for there is the module alone. */
static int gather(struct gather *g, struct err *e)
{
    unsigned rounds[FLOW_PLACES_ROUNDS] = {FLOW_PLACE_MODULE};
    bool spare, met = false, fetched = false;
    int r = may_spare(g->w, g->want, g->a, &spare, e);
    if (!r && g->w->measure.looks)
        r = flow_verify_new(&g->w->fetch, &g->w->measure.trust, flow_places_attested(&g->w->measure),
                            &g->verify, e);
    if (!r && g->w->measure.looks)
        flow_places_order(&g->w->measure, spare, spare && (g->want & FLOW_BRIEF), rounds);
    for (size_t i = 0; !r && i < ARRAY_LEN(rounds); i++) {
        if (i > 0 && rounds[i])
            r = is_met(g, &met, e);
        if (r || met || !rounds[i])
            continue;
        fetched = fetched || (rounds[i] & FLOW_PLACE_MODULE);
        r = gather_round(g, rounds[i], e);
    }
    if (!r)
        r = sign_report_take(&g->a->report, &g->beside, e);
    if (!r && !fetched)
        r = sign_report_add(&g->a->report, "module", 0, "", e,
                            "not read: its digest is what the manifest states");
    return r;
}

static int obtain_reference(struct way *w, unsigned want, struct flow_artifact *a, struct err *e)
{
    struct gather g = {.w = w, .want = want, .a = a, .beside = SIGN_REPORT_INIT};
    int r = obtain_manifest(w, want, a, e);
    const uint64_t resolved = stopwatch_ns();
    a->times.resolve_ns = resolved - w->start_ns;
    if (r || (want & FLOW_WANT_MANIFEST))
        return r;
    r = gather(&g, e);
    flow_verify_free(g.verify);
    sign_report_done(&g.beside);
    if (!r)
        r = verdict(a, &w->measure, w->passed, w->n_passed, e);
    a->times.verify_ns = stopwatch_ns() - resolved - a->times.fetch_ns;
    a->times.fetched = atomic_load(&w->fetched);
    return r;
}

static int open_path(const char *path, unsigned want, struct flow_artifact *a, struct err *e)
{
    struct source_file file;
    struct stat st;
    bool is_stdin = strcmp(path, "-") == 0;
    AUTO_FD int fd = -1;
    int r = 0;
    if (is_stdin && (fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) < 0)
        return err_set_errno(e, ERR_IO, errno, "standard input");
    if (!is_stdin)
        r = file_open_read(AT_FDCWD, path, false, &fd, e);
    if (r)
        return r;
    if (fstat(fd, &st) < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", path);
    if (S_ISREG(st.st_mode) && !(want & FLOW_WANT_BYTES)) {
        a->fd = TAKE_FD(fd);
        return 0;
    }
    (void)source_file_init(&file, fd);
    if (is_stdin || !S_ISREG(st.st_mode)) /* what follows on standard input is not ours */
        file.at = -1;
    return load(a, &file.base, e);
}

static int obtain_file(const char *path, unsigned want, const struct flow_demand *demand,
                       struct flow_artifact *a, struct err *e)
{
    struct flow_measure m;
    const uint64_t start = stopwatch_ns();
    a->from_file = true;
    a->name = strdup(path);
    if (!a->name)
        return err_nomem(e);
    int r = demand && demand->require_digest
                ? err_set(e, ERR_USAGE, "a file has no digest in its name, and one is required")
                : flow_measure_take(demand, NULL, &m, &a->decision, e);
    if (!r)
        r = open_path(path, want, a, e);
    struct stat st;
    if (!r && a->fd >= 0 && fstat(a->fd, &st) < 0)
        r = err_set_errno(e, ERR_IO, errno, "%s", path);
    if (r)
        return r;
    a->size = a->fd >= 0 ? (uint64_t)st.st_size : a->bytes.len;
    a->times.fetch_ns = stopwatch_ns() - start;
    r = examine(a, HASH_SHA256, &m, &a->digest, e);
    if (!r)
        r = verdict(a, &m, NULL, 0, e);
    a->times.verify_ns = stopwatch_ns() - start - a->times.fetch_ns;
    return r;
}

static bool demands(const struct flow_demand *d)
{
    return d && (d->trust || (d->given && !sign_trust_is_empty(d->given)));
}

int flow_obtain(const struct flow_conf *conf, const char *target, unsigned want,
                const struct flow_demand *demand, struct flow_artifact *ret, struct err *e)
{
    *ret = (struct flow_artifact){.fd = -1, .bytes = BUF_INIT(LIMIT_MODULE)};
    if (oci_ref_is_path(target)) {
        int failed = obtain_file(target, want, demand, ret, e);
        ret->to_run = !failed && (want & FLOW_TO_RUN);
        return failed;
    }
    if ((want & FLOW_TO_RUN) && !(want & FLOW_UNSIGNED) && !demands(demand))
        return err_set(e, ERR_REFUSED,
                       "not run, since neither a key nor a policy was given to check it with: use --key PUB "
                       "or --policy FILE, or --allow-unsigned to run it "
                       "unchecked");
    AUTO_DONE(way) w;
    int r = way_open(&w, conf, target, demand, e);
    if (!r)
        r = obtain_reference(&w, want, ret, e);
    ret->to_run = !r && (want & FLOW_TO_RUN);
    return r;
}

void flow_artifact_drop(struct flow_artifact *a)
{
    free(TAKE(a->config));
    oci_pinned_done(&a->manifest);
    oci_manifest_done(&a->parsed);
    buf_done(&a->bytes);
    if (a->fd >= 0)
        (void)close(TAKE_FD(a->fd));
}

void flow_artifact_done(struct flow_artifact *a)
{
    flow_artifact_drop(a);
    free(TAKE(a->name));
    free(TAKE(a->repo));
    free(TAKE(a->member));
    sign_report_done(&a->report);
    sign_decision_done(&a->decision);
}

/* Checks the bytes once more as they go out, and commits and releases the sink. */
static int write_checked(const struct flow_artifact *a, struct sink *to, struct err *e)
{
    struct sink_verify verify;
    struct source_file file;
    int r = sink_verify_init(&verify, to, &a->digest, a->size, e);
    if (!r)
        r = stream_copy(source_file_init(&file, a->fd), &verify.base, NULL, e);
    if (!r)
        r = sink_commit(&verify.base, e);
    sink_abort(&verify.base);
    return r;
}

/* The bytes that were checked into the output: by reference, by giving the file itself away, or by a copy. */
static int place(struct way *w, const struct flow_artifact *a, struct sink_file *out, struct err *e)
{
    bool taken = false;
    int r = 0;
    if (fd_clone(a->fd, out->fd, a->size))
        return 0;
    if (w->fetch.held)
        r = oci_partial_take(w->fetch.held, out, &taken, e);
    if (taken)
        oci_partial_close(TAKE(w->fetch.held));
    return r || taken ? r : fd_copy(a->fd, out->fd, a->size, e);
}

/* What lies where others may write is checked again: between the check of a signature and now it may have
 * changed. */
static int write_out(struct way *w, const struct flow_artifact *a, const char *path, struct err *e)
{
    struct sink_fd standard_output;
    if (strcmp(path, "-") == 0)
        return write_checked(a, sink_fd_init(&standard_output, STDOUT_FILENO), e);
    struct sink_file out;
    int r = sink_file_init(&out, AT_FDCWD, path, 0666, FILE_REPLACE, e);
    if (r)
        return r;
    if (w->ep->ops->blob_open)
        return write_checked(a, &out.base, e);
    r = place(w, a, &out, e);
    if (!r)
        r = sink_commit(&out.base, e);
    sink_abort(&out.base);
    return r;
}

/* A place that cannot be written to shows before anything is fetched. */
static int check_output(const char *path, struct err *e)
{
    struct sink_file out;
    if (strcmp(path, "-") == 0)
        return 0;
    int r = sink_file_init(&out, AT_FDCWD, path, 0666, FILE_REPLACE, e);
    if (!r)
        sink_abort(&out.base);
    return r;
}

int flow_pull(const struct flow_conf *conf, const char *reference, const char *path,
              const struct flow_demand *demand, struct flow_artifact *ret, struct err *e)
{
    *ret = (struct flow_artifact){.fd = -1, .bytes = BUF_INIT(LIMIT_MODULE)};
    AUTO_DONE(way) w;
    int r = way_open(&w, conf, reference, demand, e);
    if (!r)
        r = check_output(path, e);
    w.fetch.hold = strcmp(path, "-") != 0;
    if (!r)
        r = obtain_reference(&w, 0, ret, e);
    if (!r)
        r = write_out(&w, ret, path, e);
    return r;
}
