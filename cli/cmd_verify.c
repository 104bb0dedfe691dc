/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/parallel.h"
#include "cli/conf.h"
#include "cli/report.h"
#include "cli/sarif.h"
#include "cli/sign_file.h"
#include "cli/targets.h"
#include "cli/trust.h"
#include "cli/ui.h"
#include "oci/sessions.h"
#include "sign/predicate.h"

/* Artifacts that are verified at the same time. Each has up to four requests on their way, but one where the
 * verdicts are all that is printed; as many connections as all of them need are kept. */
#define WIDTH       4U
#define WIDTH_BRIEF 8U

struct verify_options {
    const char *platform, *from_file, *sections, *signature;
    struct oci_choice choice;
    struct opt_list attestations, formats;
    bool require_digest, quiet, json, sarif;
};

static const struct opt options[] = {
    {"attestation", 0, OPT_LIST, false, offsetof(struct verify_options, attestations), "TYPE",
     "demand a good attestation of this type, and (without a\npolicy) no signature; may be repeated", NULL},
    {"format", 0, OPT_LIST, false, offsetof(struct verify_options, formats), "FORMAT",
     "only signatures of this format count, and no others\nare looked for; may be repeated", NULL},
    {"require-digest", 0, OPT_FLAG, false, offsetof(struct verify_options, require_digest), NULL,
     "refuse a reference that names no digest", NULL},
    {"from-file", 0, OPT_STRING, false, offsetof(struct verify_options, from_file), "FILE",
     "take more targets from a file, one a line; - is\nstandard input", NULL},
    {"sections", 0, OPT_STRING, false, offsetof(struct verify_options, sections), "REGEX",
     "embedded signatures: only the parts with custom\nsections of such names must be signed", NULL},
    {"signature", 0, OPT_STRING, false, offsetof(struct verify_options, signature), "SIG",
     "the signature stands in this file: an embedded one, or\nwhat ssh-keygen or minisign made", NULL},
    CMD_PLATFORM(struct verify_options),
    CMD_COMPONENT(struct verify_options),
    CMD_LAYER(struct verify_options),
    {"quiet", 'q', OPT_FLAG, false, offsetof(struct verify_options, quiet), NULL,
     "print nothing; failures are said on standard error", NULL},
    CMD_JSON(struct verify_options),
    {"sarif", 0, OPT_FLAG, false, offsetof(struct verify_options, sarif), NULL,
     "print the result as SARIF, for code scanning", NULL},
};

/* One target and what became of it. */
struct one {
    const char *target;
    struct flow_artifact artifact;
    struct err failure;
};

static void ones_free(struct one *all, size_t n)
{
    for (size_t i = 0; all && i < n; i++)
        flow_artifact_done(&all[i].artifact);
    free(all);
}

struct all {
    const struct flow_conf *flow;
    const struct flow_demand *demand;
    unsigned want;
    struct one *ones; /* owned */
    size_t n;
};

static void all_done(struct all *a)
{
    ones_free(a->ones, a->n);
}

static const char *name_of(const struct one *o)
{
    return o->artifact.name ? o->artifact.name : o->target;
}

static void verdict_line(struct buf *out, const struct one *o)
{
    const char *verdict = o->failure.code        ? "not verified"
                          : o->artifact.verified ? "verified"
                                                 : "not checked";
    buf_printf(out, "%s: ", verdict);
    ui_text_str(out, name_of(o));
    buf_append_str(out, "\n");
}

static void text(struct buf *out, const struct one *o, bool verdict_alone)
{
    char digest[DIGEST_STR_MAX];
    const struct flow_artifact *a = &o->artifact;
    if (!verdict_alone && a->judged) {
        report_text(out, &a->report);
        report_policy_text(out, &a->decision);
    }
    if (!verdict_alone && a->judged && !a->from_file) {
        buf_append_str(out, "resolved: ");
        ui_text_str(out, a->repo);
        buf_printf(out, "@%s\n", digest_str(&a->named, digest));
    }
    verdict_line(out, o);
}

static void json(struct buf *out, const struct one *o)
{
    char digest[DIGEST_STR_MAX], named[DIGEST_STR_MAX];
    const struct flow_artifact *a = &o->artifact;
    bool ok = o->failure.code == 0;
    struct jout w = ui_json_begin(out, "waybill.verify/1");
    jout_string(&w, "target", name_of(o));
    jout_string(&w, "repository", a->repo);
    jout_string(&w, "manifest", a->judged && !a->from_file ? digest_str(&a->named, named) : NULL);
    jout_bool(&w, "verified", ok && a->verified);
    jout_string(&w, "digest", ok ? digest_str(&a->digest, digest) : NULL);
    jout_string(&w, "error", ok ? NULL : err_name(o->failure.code));
    jout_string(&w, "reason", ok ? NULL : o->failure.msg);
    report_policy_json(&w, &a->decision);
    report_json(&w, &a->report);
    ui_json_end(&w);
}

static void sarif(struct buf *out, const struct all *all)
{
    struct sarif s;
    sarif_begin(&s, out);
    for (size_t i = 0; i < all->n; i++)
        sarif_add(&s, name_of(&all->ones[i]), &all->ones[i].artifact.report, all->ones[i].failure.code,
                  all->ones[i].failure.msg);
    sarif_end(&s);
}

static int verify_one(void *ctx, size_t i, struct err *e)
{
    const struct all *all = ctx;
    struct one *o = &all->ones[i];
    (void)e;
    (void)!flow_obtain(all->flow, o->target, all->want, all->demand, &o->artifact, &o->failure);
    flow_artifact_drop(&o->artifact); /* thousands are not kept open */
    return 0;
}

static int all_make(struct all *all, const struct targets *targets, struct err *e)
{
    all->ones = calloc(targets->n, sizeof(*all->ones));
    if (!all->ones)
        return err_nomem(e);
    all->n = targets->n;
    for (size_t i = 0; i < all->n; i++)
        all->ones[i] = (struct one){.target = targets->all[i], .artifact = {.fd = -1}};
    return 0;
}

static int print(const struct verify_options *o, const struct all *all, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    if (o->sarif)
        sarif(&out, all);
    for (size_t i = 0; !o->quiet && !o->sarif && i < all->n; i++) {
        /* Of one that could not be had there is no verdict, and the failure says it all. */
        if (all->n == 1 && !all->ones[i].artifact.judged && all->ones[i].failure.code)
            continue;
        if (o->json)
            json(&out, &all->ones[i]);
        else
            text(&out, &all->ones[i], o->from_file != NULL);
    }
    return ui_print(&out, e);
}

/* Says each failure; returns the highest of their exit statuses. */
static int conclude(const struct all *all)
{
    int worst = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct one *o = &all->ones[i];
        int status = err_exit_status(o->failure.code);
        if (status)
            ui_error(cmd_verify.name, o->target, &o->failure);
        if (status > worst)
            worst = status;
    }
    return worst;
}

static int check_options(const struct verify_options *o, struct err *e)
{
    if (o->json && o->sarif)
        return err_set(e, ERR_USAGE, "--json and --sarif contradict each other");
    for (size_t i = 0; i < o->attestations.n; i++)
        if (!sign_predicate_type(o->attestations.items[i]))
            return err_set(e, ERR_USAGE, "'%s' is neither a URI nor a known type of attestation",
                           o->attestations.items[i]);
    for (size_t i = 0; i < o->formats.n; i++)
        if (!sign_format_find(o->formats.items[i]))
            return err_set(e, ERR_USAGE, "'%s' is no format of signatures", o->formats.items[i]);
    return 0;
}

static int verify_all(struct cmd_call *call, const struct trust *trust, const struct targets *targets,
                      struct bytes detached, struct err *e)
{
    const struct verify_options *o = call->options;
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(ui_progress) bar;
    bool remote = false;
    for (size_t i = 0; i < targets->n; i++)
        remote = remote || conf_is_remote(targets->all[i]);
    int r = conf_load(&conf, call->network, remote, e);
    bool shown = targets->n == 1 && !o->json && !o->sarif && !o->quiet && !call->chatty;
    struct progress *progress = ui_progress_init(&bar, "verify", shown);
    if (r)
        return r;
    struct flow_conf flow = conf_flow(&conf, call->network, progress);
    flow.platform = o->platform;
    flow.choice = o->choice;
    AUTO(oci_sessions) sessions = NULL;
    if ((r = oci_sessions_new(&sessions, e)))
        return r;
    flow.endpoint.sessions = sessions;
    struct flow_demand demand = trust_demand(trust);
    demand.require_digest = o->require_digest;
    demand.attestations = o->attestations.items;
    demand.n_attestations = o->attestations.n;
    demand.formats = o->formats.items;
    demand.n_formats = o->formats.n;
    demand.sections = o->sections;
    demand.detached = detached;
    bool brief = (o->from_file || o->quiet) && !o->json && !o->sarif;
    AUTO_DONE(all)
    all = {.flow = &flow, .demand = &demand, .want = FLOW_VERDICT | (brief ? (unsigned)FLOW_BRIEF : 0U)};
    r = all_make(&all, targets, e);
    if (!r)
        r = parallel_run(all.n, brief ? WIDTH_BRIEF : WIDTH, verify_one, &all, e);
    ui_progress_done(&bar);
    if (!r)
        r = print(o, &all, e);
    return r ? r : conclude(&all);
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct verify_options *o = call->options;
    AUTO_DONE(trust) trust = {.loaded = NULL};
    AUTO_DONE(targets) targets = TARGETS_INIT;
    AUTO_DONE(buf) signature = BUF_INIT(0);
    call->subject = call->n_operands == 1 ? call->operands[0] : o->from_file;
    int r = check_options(o, e);
    if (!r)
        r = targets_load(call->operands, call->n_operands, o->from_file, &targets, e);
    if (!r)
        r = trust_load(call->trust, true, &trust, e);
    if (!r && o->signature && targets.n > 1)
        r = err_set(e, ERR_USAGE, "--signature is for one target");
    if (!r && o->signature)
        r = sign_file_signature(o->signature, &signature, e);
    return r ? r : verify_all(call, &trust, &targets, buf_bytes(&signature), e);
}

const struct cmd cmd_verify = {
    .name = "verify",
    .operands = "TARGET...",
    .summary = "check the signatures of files and references",
    .about = "Checks that each TARGET, a wasm file or a reference, is signed as a whole: by\n"
             "one of the keys, or as the policy demands. Prints one line per signature and\n"
             "attestation, the verdict last, and makes no request for a file. With\n"
             "--from-file the verdicts alone are printed. The exit status is the highest of\n"
             "all targets'.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct verify_options),
    .max_operands = CMD_ANY,
    .network = true,
    .trust = true,
    .run = run,
};
