/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "cli/conf.h"
#include "cli/keys.h"
#include "cli/report.h"
#include "cli/sign_file.h"
#include "cli/ui.h"

struct verify_options {
    const char *platform, *sections, *signature;
    struct oci_choice choice;
    struct opt_list keys;
    bool json;
};

static const struct opt options[] = {
    {"key", 0, OPT_LIST, true, offsetof(struct verify_options, keys), "PUB",
     "a public key to trust; may be repeated: one signature\nby one of them is enough", NULL},
    {"sections", 0, OPT_STRING, false, offsetof(struct verify_options, sections), "REGEX",
     "embedded signatures: only the parts with custom\nsections of such names must be signed", NULL},
    {"signature", 0, OPT_STRING, false, offsetof(struct verify_options, signature), "SIG",
     "the embedded signature stands in this file", NULL},
    CMD_PLATFORM(struct verify_options),
    CMD_COMPONENT(struct verify_options),
    CMD_LAYER(struct verify_options),
    CMD_JSON(struct verify_options),
};

static void text(struct buf *out, const char *target, const struct flow_artifact *a, bool verified)
{
    report_text(out, &a->report);
    buf_append_str(out, verified ? "verified: " : "not verified: ");
    ui_text_str(out, a->name ? a->name : target);
    buf_append_str(out, "\n");
}

static void json(struct buf *out, const char *target, const struct flow_artifact *a, bool verified,
                 const struct err *failure)
{
    char digest[DIGEST_STR_MAX];
    struct jout w = ui_json_begin(out, "waybill.verify/1");
    jout_string(&w, "target", a->name ? a->name : target);
    jout_bool(&w, "verified", verified);
    jout_string(&w, "digest", verified ? digest_str(&a->digest, digest) : NULL);
    jout_string(&w, "error", verified ? NULL : err_name(failure->code));
    jout_string(&w, "reason", verified ? NULL : failure->msg);
    report_json(&w, &a->report);
    ui_json_end(&w);
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct verify_options *o = call->options;
    const char *target = call->operands[0];
    call->subject = target;
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(keys) keys = {NULL, 0};
    int r = keys_load(&o->keys, &keys, e);
    if (r || (r = conf_load(&conf, call->network, conf_is_remote(target), e)))
        return r;
    AUTO_DONE(ui_progress) bar;
    struct progress *progress = ui_progress_init(&bar, "verify", !o->json && !call->chatty);
    struct flow_conf flow = conf_flow(&conf, call->network, progress);
    flow.platform = o->platform;
    flow.choice = o->choice;
    AUTO_DONE(buf) signature = BUF_INIT(0);
    struct sign_trust trust = keys_trust(&keys);
    trust.sections = o->sections;
    if (o->signature && (r = sign_file_signature(o->signature, &signature, e)))
        return r;
    trust.detached = buf_bytes(&signature);
    AUTO_DONE(flow_artifact) artifact = {.fd = -1};
    r = flow_obtain(&flow, target, 0, &trust, &artifact, e);
    ui_progress_done(&bar);
    /* Without a check there is no verdict: the artifact could not be had. */
    if (r && !artifact.report.n && r != ERR_UNSIGNED)
        return r;
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    if (o->json)
        json(&out, target, &artifact, !r, e);
    else
        text(&out, target, &artifact, !r);
    struct err print_failure = ERR_INIT;
    int printed = ui_print(&out, &print_failure);
    if (r || !printed)
        return r;
    *e = print_failure;
    return printed;
}

const struct cmd cmd_verify = {
    .name = "verify",
    .operands = "TARGET",
    .summary = "check the signatures of a file or a reference",
    .about = "Checks that TARGET, a wasm file or a reference, is signed as a whole by one\n"
             "of the keys. Prints one line per check, the verdict last, and makes no\n"
             "request for a file.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct verify_options),
    .min_operands = 1,
    .max_operands = 1,
    .network = true,
    .run = run,
};
