/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "cli/conf.h"
#include "cli/report.h"
#include "cli/trust.h"
#include "cli/ui.h"

#include <inttypes.h>

struct pull_options {
    const char *platform;
    struct oci_choice choice;
    const char *output;
    bool allow_unsigned, quiet, json;
};

static const struct opt options[] = {
    {"output", 'o', OPT_STRING, true, offsetof(struct pull_options, output), "FILE",
     "where to write the module; - is standard output", NULL},
    {"allow-unsigned", 0, OPT_FLAG, false, offsetof(struct pull_options, allow_unsigned), NULL,
     "do not look for a signature, whatever policy there is", NULL},
    CMD_PLATFORM(struct pull_options),
    CMD_COMPONENT(struct pull_options),
    CMD_LAYER(struct pull_options),
    CMD_QUIET(struct pull_options),
    CMD_JSON(struct pull_options),
};

static int print(const struct pull_options *o, const struct flow_artifact *a, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    char digest[DIGEST_STR_MAX];
    (void)digest_str(&a->manifest.digest, digest);
    bool to_stdout = strcmp(o->output, "-") == 0;
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.pull/1");
        jout_string(&w, "reference", a->name);
        jout_string(&w, "repository", a->repo);
        jout_string(&w, "digest", digest);
        jout_uint(&w, "size", a->size);
        jout_string(&w, "file", o->output);
        jout_bool(&w, "verified", a->verified);
        report_policy_json(&w, &a->decision);
        report_json(&w, &a->report);
        ui_json_end(&w);
    } else if (o->quiet) {
        ui_text_str(&out, a->repo);
        buf_printf(&out, "@%s\n", digest);
    } else {
        buf_append_str(&out, "Pulled: ");
        ui_text_str(&out, a->name);
        buf_printf(&out, "\nSize:   %" PRIu64 "\nDigest: %s\n", a->size, digest);
    }
    return ui_print_to(to_stdout ? STDERR_FILENO : STDOUT_FILENO, &out, e);
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct pull_options *o = call->options;
    const char *reference = call->operands[0];
    call->subject = reference;
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(trust) trust = {.loaded = NULL};
    int r = o->allow_unsigned ? trust_skip(call->trust, e) : trust_load(call->trust, false, &trust, e);
    if (r || (r = conf_load(&conf, call->network, oci_ref_in_registry(reference), e)))
        return r;
    AUTO_DONE(ui_progress) bar;
    struct progress *progress = ui_progress_init(&bar, "pull", !o->quiet && !o->json && !call->chatty);
    struct flow_conf flow = conf_flow(&conf, call->network, progress);
    flow.platform = o->platform;
    flow.choice = o->choice;
    const struct flow_demand demand = trust_demand(&trust);
    AUTO_DONE(flow_artifact) artifact = {.fd = -1};
    r = flow_pull(&flow, reference, o->output, &demand, &artifact, e);
    if (r)
        return r;
    ui_progress_done(&bar);
    return print(o, &artifact, e);
}

const struct cmd cmd_pull = {
    .name = "pull",
    .operands = "REF",
    .summary = "fetch a wasm file from a registry or an image layout",
    .about = "Fetches the module of REF, HOST[:PORT]/REPO[:TAG][@DIGEST] or\n"
             "oci:DIR[:TAG][@DIGEST], to a file that appears whole and checked or not at\n"
             "all. The digest printed is the manifest's. Where the output is -, what is\n"
             "printed goes to standard error.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct pull_options),
    .min_operands = 1,
    .max_operands = 1,
    .network = true,
    .trust = true,
    .run = run,
};
